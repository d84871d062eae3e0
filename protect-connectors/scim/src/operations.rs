//! The client's operations as data, and the gate through which other languages call them.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
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
use crate::client::Scim;
use crate::model::{ServiceProviderConfig, User, UserPage};

/// The class `Scim`.
pub static CLASS: Class = Class {
    name: "Scim",
    kind: KIND,
    docs: "Acts at once at a SCIM 2.0 service provider: without plan, guards, store or ledger. For those, use the engine.\n\nRetries, limits and typed errors are inside.",
    constructor: &[
        Parameter::required(
            "base_url",
            ParameterKind::Text,
            "Where the service provider's resources are: what stands before `/Users`.",
        ),
        Parameter::optional("token", ParameterKind::Secret, "The bearer token."),
        Parameter::optional(
            "active_as",
            ParameterKind::Text,
            "How the service provider takes `active`: `boolean` (default) or `text`.",
        ),
        Parameter::optional(
            "patch_style",
            ParameterKind::Text,
            "Where a change names the attribute: `path` (default) or `value`.",
        ),
        Parameter::optional(
            "allowed_hosts",
            ParameterKind::Texts,
            "Hosts of a self-hosted service provider that may have a private address.",
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
        permission: "read users",
        docs: "Every user that the filter lets, page by page. A record that cannot be read is left out and logged; `users_page` lists it.",
    },
    Operation {
        name: "users_page",
        parameters: &[
            FILTER,
            Parameter::optional(
                "start_index",
                ParameterKind::Integer,
                "The 1-based place of the first user: what the page before gave as `next_start_index`.",
            ),
        ],
        result: ResultType::One(Model::of::<UserPage>("UserPage")),
        effect: Effect::Read,
        permission: "read users",
        docs: "One page of up to 100 users, with the records that could not be read.",
    },
    Operation {
        name: "find_user",
        parameters: &[Parameter::required(
            "user_name",
            ParameterKind::Text,
            "The name the user signs in with, often an address.",
        )],
        result: ResultType::Optional(USER),
        effect: Effect::Read,
        permission: "read users",
        docs: "The user with this name to sign in with, or nothing.",
    },
    Operation {
        name: "get_user",
        parameters: &[USER_ID],
        result: ResultType::One(USER),
        effect: Effect::Read,
        permission: "read users",
        docs: "One user by id.",
    },
    Operation {
        name: "suspend_user",
        parameters: &[USER_ID],
        result: ResultType::One(USER),
        effect: Effect::Change,
        permission: "change users",
        docs: "Keeps a user from signing in, and reads back that it is so; a repeat changes nothing.",
    },
    Operation {
        name: "reactivate_user",
        parameters: &[USER_ID],
        result: ResultType::One(USER),
        effect: Effect::Change,
        permission: "change users",
        docs: "Lets a suspended user sign in again, and reads back that it is so; a repeat changes nothing.",
    },
    Operation {
        name: "service_provider_config",
        parameters: &[],
        result: ResultType::One(Model::of::<ServiceProviderConfig>("ServiceProviderConfig")),
        effect: Effect::Read,
        permission: "",
        docs: "What the service provider says it can do.",
    },
];

const USER: Model = Model::of::<User>("User");
const USER_ID: Parameter = Parameter::required("user_id", ParameterKind::Text, "The user's id.");
const FILTER: Parameter = Parameter::optional(
    "filter",
    ParameterKind::Text,
    "Which users, in SCIM's words: `userName eq \"ann@acme.example\"`.",
);

/// A client from the constructor's arguments. No I/O.
///
/// # Errors
/// `invalid_input` or `config_invalid` naming the argument.
pub fn connect(given: Value, context: Context) -> Result<Arc<dyn Callable>> {
    let given: Construct = arguments(given)?;
    let token = given
        .token
        .ok_or_else(|| Error::config("token", "missing"))?;
    let mut builder = Scim::builder()
        .context(context)
        .base_url(given.base_url)
        .token(token);
    if let Some(value) = given.active_as {
        builder = builder.active_as(value.parse()?);
    }
    if let Some(style) = given.patch_style {
        builder = builder.patch_style(style.parse()?);
    }
    for host in given.allowed_hosts.unwrap_or_default() {
        builder = builder.allow_host(&host);
    }
    Ok(Arc::new(builder.build()?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Construct {
    base_url: String,
    token: Option<SecretRef>,
    active_as: Option<String>,
    patch_style: Option<String>,
    allowed_hosts: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamArguments {
    filter: Option<String>,
    cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageArguments {
    filter: Option<String>,
    start_index: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NameArguments {
    user_name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserArguments {
    user_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

impl Callable for Scim {
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

impl Scim {
    async fn dispatch(&self, operation: &str, given: Value) -> Result<Value> {
        match operation {
            "users" => {
                let it: StreamArguments = arguments(given)?;
                let start = it.cursor.map(|cursor| cursor.parse::<u32>()).transpose();
                let start =
                    start.map_err(|_| Error::invalid_input("a cursor of another listing"))?;
                let page = self.users_page(it.filter.as_deref(), start).await?;
                if !page.rejected.is_empty() {
                    let rejected = page.rejected.len();
                    tracing::warn!(rejected, "user records that cannot be read");
                }
                answer(&Page {
                    items: page.users.iter().map(answer).collect::<Result<_>>()?,
                    cursor: page.next_start_index.map(|index| index.to_string()),
                })
            }
            "users_page" => {
                let it: PageArguments = arguments(given)?;
                let page = self.users_page(it.filter.as_deref(), it.start_index);
                answer(&page.await?)
            }
            "find_user" => {
                let it: NameArguments = arguments(given)?;
                answer(&self.find_user(&it.user_name).await?)
            }
            "get_user" => {
                let it: UserArguments = arguments(given)?;
                answer(&self.get_user(&it.user_id).await?)
            }
            "suspend_user" => {
                let it: UserArguments = arguments(given)?;
                answer(&self.suspend_user(&it.user_id).await?)
            }
            "reactivate_user" => {
                let it: UserArguments = arguments(given)?;
                answer(&self.reactivate_user(&it.user_id).await?)
            }
            "service_provider_config" => {
                let NoArguments {} = arguments(given)?;
                answer(&self.service_provider_config().await?)
            }
            _ => Err(unknown(&CLASS, operation)),
        }
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
        let given =
            json!({ "base_url": "https://wiki.example/scim/v2", "token": { "provided": "token" } });
        let client = connect(given, testing::context().context).unwrap();
        assert_eq!(check_table(client).await, Ok(()));
    }

    #[test]
    fn a_client_without_a_token_names_what_is_missing() {
        let given = json!({ "base_url": "https://wiki.example/scim/v2" });
        let error = connect(given, testing::context().context).err().unwrap();
        assert_eq!(error.context(), [("field", "token".to_owned())]);
    }
}
