use std::sync::Arc;

use protect_core::config::{CredentialSpec, EndpointSpec, KindSpec, SettingSpec};
use protect_core::connector::Connector;
use protect_core::registry::{ConnectorSetup, Registry};
use protect_core::{Context, Result};
use serde_json::Value;

use crate::client::Stripe;
use crate::sink::StripeConnector;

/// Teaches a registry this kind of connector.
pub fn register(registry: &mut Registry) {
    registry.register(spec(), |setup, context| build(&setup, context));
}

fn spec() -> KindSpec {
    KindSpec::new(
        crate::KIND,
        "Stripe: is told once a month how many people were watched, as a meter event. Without a connector of this kind nothing is billed.",
    )
    .by_choice()
    .endpoint(EndpointSpec::new("api", "Root of the API.").default(crate::API))
    .required_respond(CredentialSpec::new().secret(
        "secret_key",
        "The secret key; a restricted one (`rk_…`) with write on Billing meter events and read on Billing meters is best.",
    ))
    .setting(
        SettingSpec::text("customer_id", "Who pays: the customer's id at Stripe (`cus_…`).")
            .required(),
    )
    .setting(
        SettingSpec::text("event_name", "The event name of the meter that counts users.")
            .default(crate::EVENT_NAME),
    )
    .setting(
        SettingSpec::one_of(
            "approval",
            ["required", "auto"],
            "Whether each month's number waits for somebody's consent; `auto` needs `enabled_by`.",
        )
        .default("required"),
    )
    .setting(SettingSpec::text(
        "enabled_by",
        "Who decided that months are told without anybody's consent.",
    ))
}

fn build(setup: &ConnectorSetup, context: &Context) -> Result<Arc<dyn Connector>> {
    let Some((_, connection)) = &setup.connection else {
        return Err(setup.error("connection", "Stripe needs a connection"));
    };
    let text = |name: &str| setup.settings.get(name).and_then(Value::as_str);
    let customer = text("customer_id").filter(|id| is_customer(id));
    let customer = customer.ok_or_else(|| {
        setup.error(
            "customer_id",
            "a customer's id begins with `cus_` and has no spaces",
        )
    })?;
    if text("approval") == Some("auto") && text("enabled_by").is_none() {
        return Err(setup.error("enabled_by", "`approval = \"auto\"` says who decided so"));
    }
    let key = connection
        .respond_secret("secret_key")
        .ok_or_else(|| setup.error("respond.secret_key", "missing"))?;
    let mut builder = Stripe::builder().context(context.clone()).secret_key(key);
    if let Some(root) = connection.endpoints.get("api") {
        builder = builder.base_url(root);
    }
    let client = builder.build().map_err(setup.at("endpoints.api"))?;
    let event_name = text("event_name").unwrap_or(crate::EVENT_NAME);
    Ok(Arc::new(StripeConnector::new(
        setup.info.clone(),
        client,
        customer.to_owned(),
        event_name.to_owned(),
    )))
}

fn is_customer(id: &str) -> bool {
    let rest = id.strip_prefix("cus_");
    rest.is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}
