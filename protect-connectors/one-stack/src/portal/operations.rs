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

use super::{KIND, NewSnapshot, PRODUCT, Portal, PublishedSnapshot};
use crate::direct::{
    API_KEY, BASE_URL, CONVENTIONS, Construct, INTEGRATION_KEY, ORGANISATION, nobody,
};

/// The class `Portal`.
pub static CLASS: Class = Class {
    name: "Portal",
    kind: KIND,
    docs: "Acts at once at The One Portal: without plan, guards, store or ledger. For those, use the engine.\n\nRetries, the limit of the organisation and typed errors are inside.",
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
    name: "publish_snapshot",
    parameters: &[Parameter::required(
        "snapshot",
        ParameterKind::One(Model::of::<NewSnapshot>("NewSnapshot")),
        "What the client is to see.",
    )],
    result: ResultType::One(Model::of::<PublishedSnapshot>("PublishedSnapshot")),
    effect: Effect::Change,
    permission: "",
    docs: "Replaces what a client of the portal sees. What may stand in it is for the caller to say: the engine leaves out what a client must not see.",
}];

/// A client from the constructor's arguments. No I/O.
///
/// # Errors
/// `invalid_input` or `config_invalid` naming the argument.
pub fn connect(given: Value, context: &Context) -> Result<Arc<dyn Callable>> {
    let given: Construct = arguments(given)?;
    let platform = given.platform(&PRODUCT, false, context)?;
    Ok(Arc::new(Portal::over(platform, &nobody()?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SnapshotArgument {
    snapshot: NewSnapshot,
}

impl Callable for Portal {
    fn class(&self) -> &'static Class {
        &CLASS
    }

    fn call(self: Arc<Self>, operation: &str, given: Value) -> BoxFuture<'static, Result<Value>> {
        let operation = operation.to_owned();
        Box::pin(async move {
            match operation.as_str() {
                "publish_snapshot" => {
                    let SnapshotArgument { snapshot } = arguments(given)?;
                    answer(&self.publish_snapshot(snapshot).await?)
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
