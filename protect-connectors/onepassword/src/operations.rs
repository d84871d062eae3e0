//! The client's operations as data, and the gate through which other languages call them.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use protect_core::context::Context;
use protect_core::operation::{
    Callable, Class, Effect, Model, Operation, Page, Parameter, ParameterKind, ResultType, answer,
    arguments, unknown,
};
use protect_core::secret::SecretRef;
use protect_core::{Error, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::KIND;
use crate::client::OnePassword;
use crate::model::{
    AuditEvent, EventPage, Introspection, ItemUsage, SignInAttempt, User, UserFilter, UserPage,
};

/// The class `OnePassword`.
pub static CLASS: Class = Class {
    name: "OnePassword",
    kind: KIND,
    docs: "Acts at once at 1Password: without plan, guards, store or ledger. For those, use the engine.\n\nRetries, limits and typed errors are inside.",
    constructor: &[
        text(
            "account_id",
            "The account's id: 26 capital letters and digits.",
        ),
        Parameter {
            name: "client_id",
            kind: ParameterKind::Text,
            optional: true,
            docs: "The OAuth application's client id; needed for everything but events.",
        },
        secret("client_secret", "The OAuth application's client secret."),
        secret(
            "events_token",
            "The token of an Events Reporting integration; needed for events.",
        ),
        optional(
            "region",
            "Where the account is: `com` (default), `ca`, `eu` or `ent`.",
        ),
        optional(
            "api_version",
            "The version of the Users API: `v1beta1` (default) or `v1`.",
        ),
        optional(
            "base_url",
            "A root for the Users API instead of the region's.",
        ),
        optional(
            "events_url",
            "A root for the Events API instead of the region's.",
        ),
    ],
    operations: OPERATIONS,
};

/// Every operation, in the order of the reference page.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        name: "users",
        parameters: &[FILTER],
        result: ResultType::Stream(USER),
        effect: Effect::Read,
        permission: "list users",
        docs: "Every user, page by page. A record that cannot be read is left out and logged; `users_page` lists it.",
    },
    Operation {
        name: "users_page",
        parameters: &[
            FILTER,
            optional(
                "page_token",
                "What the page before gave as `next_page_token`.",
            ),
        ],
        result: ResultType::One(Model::of::<UserPage>("UserPage")),
        effect: Effect::Read,
        permission: "list users",
        docs: "One page of up to 1,000 users, with the records that could not be read.",
    },
    Operation {
        name: "get_user",
        parameters: &[USER_ID],
        result: ResultType::One(USER),
        effect: Effect::Read,
        permission: "get user",
        docs: "One user by id. There is no search by address: list the users for that.",
    },
    Operation {
        name: "suspend_user",
        parameters: &[USER_ID],
        result: ResultType::One(USER),
        effect: Effect::Change,
        permission: "suspend users",
        docs: "Keeps a user from signing in; a repeat changes nothing. Refused for the last owner and for externally managed users, with the reason as `protection` in the error's context.",
    },
    Operation {
        name: "reactivate_user",
        parameters: &[USER_ID],
        result: ResultType::One(USER),
        effect: Effect::Change,
        permission: "reactivate users",
        docs: "Lets a suspended user sign in again; a repeat changes nothing. What the user could see before comes back.",
    },
    Operation {
        name: "revoke_token",
        parameters: &[],
        result: ResultType::Nothing,
        effect: Effect::Read,
        permission: "",
        docs: "Gives back the access token that this client holds. The next call finds it rejected and asks for a new one.",
    },
    Operation {
        name: "introspect",
        parameters: &[],
        result: ResultType::One(Model::of::<Introspection>("Introspection")),
        effect: Effect::Read,
        permission: "",
        docs: "What the Events API token may read.",
    },
    Operation {
        name: "sign_in_attempts_page",
        parameters: EVENTS,
        result: ResultType::One(Model::of::<EventPage<SignInAttempt>>("SignInAttemptPage")),
        effect: Effect::Read,
        permission: "signinattempts",
        docs: "One page of up to 1,000 attempts to sign in: behind `cursor`, or else from `start_time` on. Keep the page's cursor even where there is no more: the next poll begins there.",
    },
    Operation {
        name: "item_usages_page",
        parameters: EVENTS,
        result: ResultType::One(Model::of::<EventPage<ItemUsage>>("ItemUsagePage")),
        effect: Effect::Read,
        permission: "itemusages",
        docs: "One page of up to 1,000 uses of items; otherwise as `sign_in_attempts_page`.",
    },
    Operation {
        name: "audit_events_page",
        parameters: EVENTS,
        result: ResultType::One(Model::of::<EventPage<AuditEvent>>("AuditEventPage")),
        effect: Effect::Read,
        permission: "auditevents",
        docs: "One page of up to 1,000 audit events; otherwise as `sign_in_attempts_page`.",
    },
];

const USER: Model = Model::of::<User>("User");
const USER_ID: Parameter = text("user_id", "The user's id: 26 capital letters and digits.");
const FILTER: Parameter = optional("filter", "Only users who are `active`, or `suspended`.");
const EVENTS: &[Parameter] = &[
    optional("cursor", "Where the page before ended."),
    Parameter {
        name: "start_time",
        kind: ParameterKind::Timestamp,
        optional: true,
        docs: "Where to begin without a cursor; at most 120 days back.",
    },
];

const fn text(name: &'static str, docs: &'static str) -> Parameter {
    Parameter {
        name,
        kind: ParameterKind::Text,
        optional: false,
        docs,
    }
}

const fn optional(name: &'static str, docs: &'static str) -> Parameter {
    Parameter {
        optional: true,
        ..text(name, docs)
    }
}

const fn secret(name: &'static str, docs: &'static str) -> Parameter {
    Parameter {
        kind: ParameterKind::Secret,
        ..optional(name, docs)
    }
}

/// A client from the constructor's arguments. No I/O.
///
/// # Errors
/// `invalid_input` or `config_invalid` naming the argument.
pub fn connect(given: Value, context: Context) -> Result<Arc<dyn Callable>> {
    let given: Construct = arguments(given)?;
    let mut builder = OnePassword::builder()
        .context(context)
        .account(given.account_id);
    match (given.client_id, given.client_secret) {
        (Some(id), Some(secret)) => builder = builder.credentials(id, secret),
        (None, None) => {}
        (Some(_), None) => return Err(Error::config("client_secret", "missing")),
        (None, Some(_)) => return Err(Error::config("client_id", "missing")),
    }
    if let Some(token) = given.events_token {
        builder = builder.events_token(token);
    }
    if let Some(region) = given.region {
        builder = builder.region(region.parse()?);
    }
    if let Some(version) = given.api_version {
        builder = builder.api_version(version.parse()?);
    }
    if let Some(url) = given.base_url {
        builder = builder.base_url(url);
    }
    if let Some(url) = given.events_url {
        builder = builder.events_url(url);
    }
    Ok(Arc::new(builder.build()?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Construct {
    account_id: String,
    client_id: Option<String>,
    client_secret: Option<SecretRef>,
    events_token: Option<SecretRef>,
    region: Option<String>,
    api_version: Option<String>,
    base_url: Option<String>,
    events_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserArguments {
    user_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamArguments {
    filter: Option<UserFilter>,
    cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageArguments {
    filter: Option<UserFilter>,
    page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventArguments {
    cursor: Option<String>,
    start_time: Option<Timestamp>,
}

impl Callable for OnePassword {
    fn class(&self) -> &'static Class {
        &CLASS
    }

    fn call(self: Arc<Self>, operation: &str, given: Value) -> BoxFuture<'static, Result<Value>> {
        let operation = operation.to_owned();
        Box::pin(async move { self.dispatch(&operation, given).await })
    }

    fn within(&self, timeout: Duration) -> Option<Arc<dyn Callable>> {
        Some(Arc::new(self.with_timeout(timeout)))
    }
}

impl OnePassword {
    async fn dispatch(&self, operation: &str, given: Value) -> Result<Value> {
        match operation {
            "users" => {
                let given: StreamArguments = arguments(given)?;
                let page = self
                    .users_page(given.filter, given.cursor.as_deref())
                    .await?;
                if !page.rejected.is_empty() {
                    tracing::warn!(
                        rejected = page.rejected.len(),
                        "user records that cannot be read"
                    );
                }
                answer(&Page {
                    items: page.users.iter().map(answer).collect::<Result<_>>()?,
                    cursor: page.next_page_token,
                })
            }
            "users_page" => {
                let given: PageArguments = arguments(given)?;
                let page_token = given.page_token.as_deref();
                answer(&self.users_page(given.filter, page_token).await?)
            }
            "get_user" => {
                let given: UserArguments = arguments(given)?;
                answer(&self.get_user(&given.user_id).await?)
            }
            "suspend_user" => {
                let given: UserArguments = arguments(given)?;
                answer(&self.suspend_user(&given.user_id).await?)
            }
            "reactivate_user" => {
                let given: UserArguments = arguments(given)?;
                answer(&self.reactivate_user(&given.user_id).await?)
            }
            "revoke_token" => {
                let NoArguments {} = arguments(given)?;
                answer(&self.revoke_token().await?)
            }
            "introspect" => {
                let NoArguments {} = arguments(given)?;
                answer(&self.introspect().await?)
            }
            "sign_in_attempts_page" => {
                let EventArguments { cursor, start_time } = arguments(given)?;
                answer(
                    &self
                        .sign_in_attempts_page(cursor.as_deref(), start_time)
                        .await?,
                )
            }
            "item_usages_page" => {
                let EventArguments { cursor, start_time } = arguments(given)?;
                answer(&self.item_usages_page(cursor.as_deref(), start_time).await?)
            }
            "audit_events_page" => {
                let EventArguments { cursor, start_time } = arguments(given)?;
                answer(
                    &self
                        .audit_events_page(cursor.as_deref(), start_time)
                        .await?,
                )
            }
            _ => Err(unknown(&CLASS, operation)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use protect_core::operation::check_table;

    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn the_table_and_the_gate_know_the_same_operations() {
        assert_eq!(check_table(Arc::new(testing::client())).await, Ok(()));
    }

    /// The names and parameters of the client's public asynchronous methods, from its source.
    fn methods() -> BTreeSet<(String, Vec<String>)> {
        let source = include_str!("client.rs");
        let end = source.find("impl OnePasswordBuilder").expect("the builder");
        source[..end]
            .split("\n    pub ")
            .skip(1)
            .filter_map(|method| {
                let (name, rest) = method
                    .trim_start_matches("async ")
                    .strip_prefix("fn ")?
                    .split_once('(')?;
                let (parameters, _) = rest.split_once(')')?;
                let is_operation = method.starts_with("async ") || name == "users";
                let parameters = parameters
                    .split(',')
                    .filter_map(|parameter| Some(parameter.split_once(':')?.0.trim().to_owned()));
                is_operation.then(|| (name.to_owned(), parameters.collect()))
            })
            .collect()
    }

    #[test]
    fn the_table_and_the_methods_agree_on_names_and_parameters() {
        let declared: BTreeSet<_> = OPERATIONS
            .iter()
            .map(|operation| {
                let parameters = operation.parameters.iter();
                let parameters = parameters
                    .map(|parameter| parameter.name.to_owned())
                    .collect();
                (operation.name.to_owned(), parameters)
            })
            .collect();
        assert_eq!(declared, methods());
    }

    #[test]
    fn a_model_is_called_in_its_schema_what_the_table_calls_it() {
        for operation in OPERATIONS {
            if let ResultType::One(model) | ResultType::Stream(model) = operation.result {
                let schema = (model.schema)();
                let title = schema.get("title").and_then(Value::as_str);
                assert_eq!(title, Some(model.name), "{}", operation.name);
            }
        }
    }
}
