//! The client's operations as data, and the gate through which other languages call them.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use protect_core::operation::{
    Callable, Class, Effect, Model, Operation, Parameter, ParameterKind, ResultType, answer,
    arguments, unknown,
};
use protect_core::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use super::{AccessChange, Hub, KIND, NewRestoration, NewRevocation, PRODUCT};
use crate::direct::{
    API_KEY, BASE_URL, CONVENTIONS, Construct, INTEGRATION_KEY, ORGANISATION, nobody,
};

/// The class `Hub`.
pub static CLASS: Class = Class {
    name: "Hub",
    kind: KIND,
    docs: "Acts at once at The One Hub: without plan, guards, store or ledger. For those, use the engine.\n\nRetries, the limit of the organisation and typed errors are inside.",
    constructor: &[
        ORGANISATION,
        API_KEY,
        INTEGRATION_KEY,
        BASE_URL,
        CONVENTIONS,
    ],
    operations: OPERATIONS,
};

const CHANGE: Model = Model::of::<AccessChange>("AccessChange");
const CHANGE_ID: Parameter = Parameter::required(
    "change_id",
    ParameterKind::Text,
    "Hub's id of the change of access.",
);

/// Every operation, in the order of the reference page.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        name: "revoke_access",
        parameters: &[Parameter::required(
            "revocation",
            ParameterKind::One(Model::of::<NewRevocation>("NewRevocation")),
            "Whose access, and when.",
        )],
        result: ResultType::One(CHANGE),
        effect: Effect::Change,
        permission: "",
        docs: "Takes the access to every product away, at once or on a day. It is done when the status of every product is `completed`.",
    },
    Operation {
        name: "restore_access",
        parameters: &[Parameter::required(
            "restoration",
            ParameterKind::One(Model::of::<NewRestoration>("NewRestoration")),
            "Whose access.",
        )],
        result: ResultType::One(CHANGE),
        effect: Effect::Change,
        permission: "",
        docs: "Gives back what a revocation took.",
    },
    Operation {
        name: "get_access_change",
        parameters: &[CHANGE_ID],
        result: ResultType::One(CHANGE),
        effect: Effect::Read,
        permission: "",
        docs: "One change of access, with how it went at each product.",
    },
    Operation {
        name: "find_access_changes",
        parameters: &[Parameter::required(
            "source_ref",
            ParameterKind::Text,
            "The reference that the change was asked for with.",
        )],
        result: ResultType::List(CHANGE),
        effect: Effect::Read,
        permission: "",
        docs: "The changes of access under one reference.",
    },
    Operation {
        name: "cancel_revocation",
        parameters: &[CHANGE_ID],
        result: ResultType::Nothing,
        effect: Effect::Change,
        permission: "",
        docs: "Calls off a revocation whose day has not come.",
    },
];

/// A client from the constructor's arguments. No I/O.
///
/// # Errors
/// `invalid_input` or `config_invalid` naming the argument.
pub fn connect(given: Value, context: &Context) -> Result<Arc<dyn Callable>> {
    let given: Construct = arguments(given)?;
    let platform = given.platform(&PRODUCT, false, context)?;
    Ok(Arc::new(Hub::over(platform, &nobody()?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RevocationArgument {
    revocation: NewRevocation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RestorationArgument {
    restoration: NewRestoration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReferenceArgument {
    source_ref: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeArgument {
    change_id: String,
}

impl Callable for Hub {
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

impl Hub {
    async fn dispatch(&self, operation: &str, given: Value) -> Result<Value> {
        match operation {
            "revoke_access" => {
                let RevocationArgument { revocation } = arguments(given)?;
                answer(&self.revoke_access(revocation).await?)
            }
            "restore_access" => {
                let RestorationArgument { restoration } = arguments(given)?;
                answer(&self.restore_access(restoration).await?)
            }
            "get_access_change" => {
                let ChangeArgument { change_id } = arguments(given)?;
                answer(&self.get_access_change(&change_id).await?)
            }
            "find_access_changes" => {
                let ReferenceArgument { source_ref } = arguments(given)?;
                answer(&self.find_access_changes(&source_ref).await?)
            }
            "cancel_revocation" => {
                let ChangeArgument { change_id } = arguments(given)?;
                self.cancel_revocation(&change_id).await?;
                Ok(Value::Null)
            }
            _ => Err(unknown(&CLASS, operation)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_table_the_gate_and_the_constructor_agree() {
        crate::direct::agree(&CLASS, connect).await;
    }
}
