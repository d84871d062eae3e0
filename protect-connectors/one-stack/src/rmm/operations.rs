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

use super::{KIND, NewRemediation, PRODUCT, Remediation, Rmm};
use crate::direct::{
    API_KEY, BASE_URL, CONVENTIONS, Construct, INTEGRATION_KEY, ORGANISATION, nobody,
};

/// The class `Rmm`.
pub static CLASS: Class = Class {
    name: "Rmm",
    kind: KIND,
    docs: "Acts at once at The One RMM: without plan, guards, store or ledger. For those, use the engine.\n\nRetries, the limit of the organisation and typed errors are inside.",
    constructor: &[
        ORGANISATION,
        API_KEY,
        INTEGRATION_KEY,
        BASE_URL,
        CONVENTIONS,
    ],
    operations: OPERATIONS,
};

const REMEDIATION: Model = Model::of::<Remediation>("Remediation");
const REMEDIATION_ID: Parameter = Parameter::required(
    "remediation_id",
    ParameterKind::Text,
    "RMM's id of the remediation.",
);

/// Every operation, in the order of the reference page.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        name: "request_remediation",
        parameters: &[Parameter::required(
            "remediation",
            ParameterKind::One(Model::of::<NewRemediation>("NewRemediation")),
            "What to ask for.",
        )],
        result: ResultType::One(REMEDIATION),
        effect: Effect::Change,
        permission: "",
        docs: "Asks RMM for a remediation and gives where it stands; it is done when its status is `completed`. Look with `find_remediations` first: whether RMM acts once for a repeated key is not documented.",
    },
    Operation {
        name: "get_remediation",
        parameters: &[REMEDIATION_ID],
        result: ResultType::One(REMEDIATION),
        effect: Effect::Read,
        permission: "",
        docs: "One remediation, with its status.",
    },
    Operation {
        name: "find_remediations",
        parameters: &[Parameter::required(
            "source_ref",
            ParameterKind::Text,
            "The reference that the remediation was asked for with.",
        )],
        result: ResultType::List(REMEDIATION),
        effect: Effect::Read,
        permission: "",
        docs: "The remediations under one reference, whatever their status.",
    },
    Operation {
        name: "cancel_remediation",
        parameters: &[REMEDIATION_ID],
        result: ResultType::Nothing,
        effect: Effect::Change,
        permission: "",
        docs: "Calls off a remediation that has not begun.",
    },
    Operation {
        name: "approve_remediation",
        parameters: &[
            REMEDIATION_ID,
            Parameter::required(
                "approved_by",
                ParameterKind::Text,
                "Who consents: somebody else than who asked.",
            ),
            Parameter::optional("note", ParameterKind::Text, "Why."),
        ],
        result: ResultType::Nothing,
        effect: Effect::Change,
        permission: "",
        docs: "Consents to a remediation that waits for it.",
    },
];

/// A client from the constructor's arguments. No I/O.
///
/// # Errors
/// `invalid_input` or `config_invalid` naming the argument.
pub fn connect(given: Value, context: &Context) -> Result<Arc<dyn Callable>> {
    let given: Construct = arguments(given)?;
    let platform = given.platform(&PRODUCT, false, context)?;
    Ok(Arc::new(Rmm::over(platform, &nobody()?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRemediationArgument {
    remediation: NewRemediation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReferenceArgument {
    source_ref: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RemediationArgument {
    remediation_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApproveArguments {
    remediation_id: String,
    approved_by: String,
    note: Option<String>,
}

impl Callable for Rmm {
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

impl Rmm {
    async fn dispatch(&self, operation: &str, given: Value) -> Result<Value> {
        match operation {
            "request_remediation" => {
                let NewRemediationArgument { remediation } = arguments(given)?;
                answer(&self.request_remediation(remediation).await?)
            }
            "get_remediation" => {
                let RemediationArgument { remediation_id } = arguments(given)?;
                answer(&self.get_remediation(&remediation_id).await?)
            }
            "find_remediations" => {
                let ReferenceArgument { source_ref } = arguments(given)?;
                answer(&self.find_remediations(&source_ref).await?)
            }
            "cancel_remediation" => {
                let RemediationArgument { remediation_id } = arguments(given)?;
                self.cancel_remediation(&remediation_id).await?;
                Ok(Value::Null)
            }
            "approve_remediation" => {
                let given: ApproveArguments = arguments(given)?;
                let note = given.note.as_deref();
                self.approve_remediation(&given.remediation_id, &given.approved_by, note)
                    .await?;
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
