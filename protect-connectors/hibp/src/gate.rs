//! The gate through which other languages make and call a [`Hibp`] client.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use protect_core::operation::{
    Callable, Class, Parameter, ParameterKind, answer, arguments, unknown,
};
use protect_core::secret::{ExposeSecret, SecretRef};
use protect_core::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::client::Hibp;
use crate::operations::OPERATIONS;
use crate::passwords::Password;

/// The class `Hibp`.
pub static CLASS: Class = Class {
    name: "Hibp",
    kind: crate::KIND,
    docs: "Asks Have I Been Pwned at once: without plan, guards, store or ledger. For those, use the engine.\n\nRetries, limits and typed errors are inside. Whatever is shown from it must credit Have I Been Pwned.",
    constructor: &[
        Parameter::optional(
            "api_key",
            ParameterKind::Secret,
            "The key; the catalogue and the password check need none.",
        ),
        Parameter::optional(
            "user_agent",
            ParameterKind::Text,
            "How the calling program names itself, `name/version`.",
        ),
        Parameter::optional(
            "requests_per_minute",
            ParameterKind::Integer,
            "Fewer searches a minute than the plan gives.",
        ),
        Parameter::optional(
            "api_url",
            ParameterKind::Text,
            "Another root of the API, with `/api/v3` and no trailing slash.",
        ),
        Parameter::optional(
            "passwords_url",
            ParameterKind::Text,
            "Another root of the password ranges, without a trailing slash.",
        ),
    ],
    operations: OPERATIONS,
};

/// Makes a client from the declared parameters of [`CLASS`].
///
/// # Errors
/// `invalid_input` naming the parameter; `config_invalid` as for
/// [`HibpBuilder::build`](crate::HibpBuilder::build).
pub fn connect(given: Value, context: &Context) -> Result<Arc<dyn Callable>> {
    let given: Construct = arguments(given)?;
    let mut builder = Hibp::builder();
    if let Some(key) = given.api_key {
        builder = builder.api_key(key);
    }
    if let Some(agent) = given.user_agent {
        builder = builder.user_agent(agent);
    }
    if let Some(rate) = given.requests_per_minute {
        builder = builder.requests_per_minute(rate);
    }
    if let Some(root) = given.api_url {
        builder = builder.api_url(root);
    }
    if let Some(root) = given.passwords_url {
        builder = builder.passwords_url(root);
    }
    Ok(Arc::new(builder.build(context)?))
}

macro_rules! shapes {
    ($($name:ident { $($field:ident: $kind:ty),* $(,)? })*) => {
        $(
            #[derive(Deserialize)]
            #[serde(deny_unknown_fields)]
            struct $name { $($field: $kind),* }
        )*
    };
}

shapes! {
    Construct {
        api_key: Option<SecretRef>,
        user_agent: Option<String>,
        requests_per_minute: Option<u32>,
        api_url: Option<String>,
        passwords_url: Option<String>,
    }
    Nothing {}
    Breaches { domain: Option<String>, is_spam_list: Option<bool> }
    Named { name: String }
    OfAccount { account: String }
    OfDomain { domain: String }
    OfEmail { email: String }
    Mailbox { domain: String, alias: String }
    Check { password: SecretRef }
}

impl Callable for Hibp {
    fn class(&self) -> &'static Class {
        &CLASS
    }

    fn call(self: Arc<Self>, operation: &str, given: Value) -> BoxFuture<'static, Result<Value>> {
        let operation = operation.to_owned();
        Box::pin(async move { self.dispatch(&operation, given).await })
    }

    fn within(&self, timeout: Duration) -> Option<Arc<dyn Callable>> {
        Some(Arc::new(Self::within(self, timeout)))
    }
}

impl Hibp {
    async fn dispatch(&self, operation: &str, given: Value) -> Result<Value> {
        match operation {
            "breaches" => {
                let given: Breaches = arguments(given)?;
                let found = self.breaches(given.domain.as_deref(), given.is_spam_list);
                answer(&found.await?)
            }
            "breach" => {
                let Named { name } = arguments(given)?;
                answer(&self.breach(&name).await?)
            }
            "latest_breach" => {
                let Nothing {} = arguments(given)?;
                answer(&self.latest_breach().await?)
            }
            "data_classes" => {
                let Nothing {} = arguments(given)?;
                answer(&self.data_classes().await?)
            }
            "breached_account" => {
                let OfAccount { account } = arguments(given)?;
                answer(&self.breached_account(&account).await?)
            }
            "breached_account_range" => {
                let OfAccount { account } = arguments(given)?;
                answer(&self.breached_account_range(&account).await?)
            }
            "breached_domain" => {
                let OfDomain { domain } = arguments(given)?;
                answer(&self.breached_domain(&domain).await?)
            }
            "subscribed_domains" => {
                let Nothing {} = arguments(given)?;
                answer(&self.subscribed_domains().await?)
            }
            "generate_dns_token" => {
                let OfDomain { domain } = arguments(given)?;
                answer(&self.generate_dns_token(&domain).await?)
            }
            "verify_dns_token" => {
                let OfDomain { domain } = arguments(given)?;
                answer(&self.verify_dns_token(&domain).await?)
            }
            "send_verification_email" => {
                let Mailbox { domain, alias } = arguments(given)?;
                answer(&self.send_verification_email(&domain, &alias).await?)
            }
            "paste_account" => {
                let OfAccount { account } = arguments(given)?;
                answer(&self.paste_account(&account).await?)
            }
            "stealer_logs_by_email" => {
                let OfEmail { email } = arguments(given)?;
                answer(&self.stealer_logs_by_email(&email).await?)
            }
            "stealer_logs_by_website_domain" => {
                let OfDomain { domain } = arguments(given)?;
                answer(&self.stealer_logs_by_website_domain(&domain).await?)
            }
            "stealer_logs_by_email_domain" => {
                let OfDomain { domain } = arguments(given)?;
                answer(&self.stealer_logs_by_email_domain(&domain).await?)
            }
            "subscription_status" => {
                let Nothing {} = arguments(given)?;
                answer(&self.subscription_status().await?)
            }
            "check_password" => {
                let password = self.password(arguments(given)?).await?;
                answer(&self.check_password(password).await?)
            }
            "check_password_ntlm" => {
                let password = self.password(arguments(given)?).await?;
                answer(&self.check_password_ntlm(password).await?)
            }
            _ => Err(unknown(&CLASS, operation)),
        }
    }

    async fn password(&self, given: Check) -> Result<Password> {
        let secrets = &self.shared.context.secrets;
        let password = secrets.resolve(&given.password).await?;
        Ok(Password::from(password.expose_secret()))
    }
}

#[cfg(test)]
mod tests {
    use protect_core::operation::check_table;
    use protect_core::testing;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn the_table_and_the_gate_know_the_same_operations() {
        let client = connect(json!({}), &testing::context().context).unwrap();
        assert_eq!(check_table(client).await, Ok(()));
    }

    #[test]
    fn a_key_may_only_be_a_reference() {
        let given = json!({ "api_key": "canary" });
        let error = connect(given, &testing::context().context).err().unwrap();
        assert!(!format!("{error:?}").contains("canary"));
    }
}
