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

use super::{Compliance, KIND, NewEvidence, PRODUCT, SubmittedEvidence};
use crate::direct::{
    API_KEY, BASE_URL, CONVENTIONS, Construct, INTEGRATION_KEY, ORGANISATION, nobody,
};

/// The class `Compliance`.
pub static CLASS: Class = Class {
    name: "Compliance",
    kind: KIND,
    docs: "Acts at once at The One Compliance: without plan, guards, store or ledger. For those, use the engine.\n\nRetries, the limit of the organisation and typed errors are inside.",
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
pub const OPERATIONS: &[Operation] = &[Operation {
    name: "submit_evidence",
    parameters: &[Parameter::required(
        "evidence",
        ParameterKind::One(Model::of::<NewEvidence>("NewEvidence")),
        "What to hand in.",
    )],
    result: ResultType::One(Model::of::<SubmittedEvidence>("SubmittedEvidence")),
    effect: Effect::Change,
    permission: "",
    docs: "Hands evidence of at most 50 MB in. An answer that got lost has it sent again under the same key; whether the product drops one of the two is not documented.",
}];

/// A client from the constructor's arguments. No I/O.
///
/// # Errors
/// `invalid_input` or `config_invalid` naming the argument.
pub fn connect(given: Value, context: &Context) -> Result<Arc<dyn Callable>> {
    let given: Construct = arguments(given)?;
    let platform = given.platform(&PRODUCT, false, context)?;
    Ok(Arc::new(Compliance::over(platform, &nobody()?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EvidenceArgument {
    evidence: NewEvidence,
}

impl Callable for Compliance {
    fn class(&self) -> &'static Class {
        &CLASS
    }

    fn call(self: Arc<Self>, operation: &str, given: Value) -> BoxFuture<'static, Result<Value>> {
        let operation = operation.to_owned();
        Box::pin(async move {
            match operation.as_str() {
                "submit_evidence" => {
                    let EvidenceArgument { evidence } = arguments(given)?;
                    answer(&self.submit_evidence(evidence).await?)
                }
                _ => Err(unknown(&CLASS, &operation)),
            }
        })
    }

    fn within(&self, timeout: Duration) -> Option<Arc<dyn Callable>> {
        Some(Arc::new(self.with_timeout(timeout)))
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
