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

use super::{Defend, Elevation, KIND, NewElevation, PRODUCT};
use crate::direct::{
    API_KEY, BASE_URL, CONVENTIONS, Construct, INTEGRATION_KEY, ORGANISATION, nobody,
};

/// The class `Defend`.
pub static CLASS: Class = Class {
    name: "Defend",
    kind: KIND,
    docs: "Acts at once at The One Defend: without plan, guards, store or ledger. For those, use the engine.\n\nRetries, the limit of the organisation and typed errors are inside.",
    constructor: &[
        ORGANISATION,
        API_KEY,
        INTEGRATION_KEY,
        BASE_URL,
        CONVENTIONS,
    ],
    operations: OPERATIONS,
};

/// Every operation, in the order of the reference page.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        name: "elevate_monitoring",
        parameters: &[Parameter::required(
            "elevation",
            ParameterKind::One(Model::of::<NewElevation>("NewElevation")),
            "Whom, and for which offboarding.",
        )],
        result: ResultType::Nothing,
        effect: Effect::Change,
        permission: "",
        docs: "Has somebody watched more closely until it is ended.",
    },
    Operation {
        name: "elevations",
        parameters: &[Parameter::required(
            "email",
            ParameterKind::Text,
            "Whose, by address.",
        )],
        result: ResultType::List(Model::of::<Elevation>("Elevation")),
        effect: Effect::Read,
        permission: "",
        docs: "Whether somebody is watched more closely, or was, and for what.",
    },
    Operation {
        name: "end_monitoring",
        parameters: &[Parameter::required(
            "workflow_id",
            ParameterKind::Text,
            "What it was asked for with.",
        )],
        result: ResultType::Nothing,
        effect: Effect::Change,
        permission: "",
        docs: "Ends what a workflow began.",
    },
];

/// A client from the constructor's arguments. No I/O.
///
/// # Errors
/// `invalid_input` or `config_invalid` naming the argument.
pub fn connect(given: Value, context: &Context) -> Result<Arc<dyn Callable>> {
    let given: Construct = arguments(given)?;
    let platform = given.platform(&PRODUCT, false, context)?;
    Ok(Arc::new(Defend::over(platform, &nobody()?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ElevationArgument {
    elevation: NewElevation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmailArgument {
    email: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkflowArgument {
    workflow_id: String,
}

impl Callable for Defend {
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

impl Defend {
    async fn dispatch(&self, operation: &str, given: Value) -> Result<Value> {
        match operation {
            "elevate_monitoring" => {
                let ElevationArgument { elevation } = arguments(given)?;
                self.elevate_monitoring(elevation).await?;
                Ok(Value::Null)
            }
            "elevations" => {
                let EmailArgument { email } = arguments(given)?;
                answer(&self.elevations(&email).await?)
            }
            "end_monitoring" => {
                let WorkflowArgument { workflow_id } = arguments(given)?;
                self.end_monitoring(&workflow_id).await?;
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
