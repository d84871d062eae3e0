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

use super::{
    AcknowledgementRecord, AcknowledgementRequest, KIND, Legal, LegalPolicy, LegalStanding,
    LegalText, PRODUCT,
};
use crate::direct::{
    API_KEY, BASE_URL, CONVENTIONS, Construct, INTEGRATION_KEY, ORGANISATION, nobody,
};

/// The class `Legal`.
pub static CLASS: Class = Class {
    name: "Legal",
    kind: KIND,
    docs: "Acts at once at The One Legal: without plan, guards, store or ledger. For those, use the engine.\n\nRetries, the limit of the organisation and typed errors are inside.",
    constructor: &[
        ORGANISATION,
        API_KEY,
        INTEGRATION_KEY,
        BASE_URL,
        CONVENTIONS,
    ],
    operations: OPERATIONS,
};

const POLICY_ID: Parameter = Parameter::required(
    "policy_id",
    ParameterKind::Text,
    "Legal's id of the policy.",
);

/// Every operation, in the order of the reference page.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        name: "policies",
        parameters: &[],
        result: ResultType::List(Model::of::<LegalPolicy>("LegalPolicy")),
        effect: Effect::Read,
        permission: "",
        docs: "The policies that are published.",
    },
    Operation {
        name: "policy_text",
        parameters: &[
            POLICY_ID,
            Parameter::required("version", ParameterKind::Text, "Which version."),
        ],
        result: ResultType::One(Model::of::<LegalText>("LegalText")),
        effect: Effect::Read,
        permission: "",
        docs: "The text of one version, whose digest is checked.",
    },
    Operation {
        name: "acknowledgments",
        parameters: &[Parameter::required(
            "employee_id",
            ParameterKind::Text,
            "Whose, by the employee's id.",
        )],
        result: ResultType::List(Model::of::<LegalStanding>("LegalStanding")),
        effect: Effect::Read,
        permission: "",
        docs: "Where somebody stands with each policy that must be acknowledged.",
    },
    Operation {
        name: "acknowledge",
        parameters: &[Parameter::required(
            "acknowledgement",
            ParameterKind::One(Model::of::<AcknowledgementRequest>(
                "AcknowledgementRequest",
            )),
            "Who acknowledged what, when and from where.",
        )],
        result: ResultType::One(Model::of::<AcknowledgementRecord>("AcknowledgementRecord")),
        effect: Effect::Change,
        permission: "",
        docs: "Records that somebody acknowledged a policy.",
    },
];

/// A client from the constructor's arguments. No I/O.
///
/// # Errors
/// `invalid_input` or `config_invalid` naming the argument.
pub fn connect(given: Value, context: &Context) -> Result<Arc<dyn Callable>> {
    let given: Construct = arguments(given)?;
    let platform = given.platform(&PRODUCT, false, context)?;
    Ok(Arc::new(Legal::over(platform, &nobody()?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextArgument {
    policy_id: String,
    version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmployeeArgument {
    employee_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AcknowledgementArgument {
    acknowledgement: AcknowledgementRequest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Callable for Legal {
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

impl Legal {
    async fn dispatch(&self, operation: &str, given: Value) -> Result<Value> {
        match operation {
            "policies" => {
                let Nothing {} = arguments(given)?;
                answer(&self.policies().await?)
            }
            "policy_text" => {
                let TextArgument { policy_id, version } = arguments(given)?;
                answer(&self.policy_text(&policy_id, &version).await?)
            }
            "acknowledgments" => {
                let EmployeeArgument { employee_id } = arguments(given)?;
                answer(&self.acknowledgments(&employee_id).await?)
            }
            "acknowledge" => {
                let AcknowledgementArgument { acknowledgement } = arguments(given)?;
                answer(&self.acknowledge(acknowledgement).await?)
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
