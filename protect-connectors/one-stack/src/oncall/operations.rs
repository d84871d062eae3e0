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

use super::{KIND, NewPage, OnCall, PRODUCT, Paged, WayIn};
use crate::direct::{
    API_KEY, BASE_URL, CONVENTIONS, Construct, INTEGRATION_KEY, ORGANISATION, nobody, take_word,
};

/// The class `OnCall`.
pub static CLASS: Class = Class {
    name: "OnCall",
    kind: KIND,
    docs: "Acts at once at The One On-Call: without plan, guards, store or ledger. For those, use the engine.\n\nRetries, the limit of the organisation and typed errors are inside.",
    constructor: &[
        ORGANISATION,
        API_KEY,
        INTEGRATION_KEY,
        Parameter::optional(
            "api",
            ParameterKind::Text,
            "Which way in: `ingest` (default) or `escalations`.",
        ),
        BASE_URL,
        CONVENTIONS,
    ],
    operations: OPERATIONS,
};

/// Every operation, in the order of the reference page.
pub const OPERATIONS: &[Operation] = &[Operation {
    name: "page",
    parameters: &[Parameter::required(
        "page",
        ParameterKind::One(Model::of::<NewPage>("NewPage")),
        "What somebody is to be woken for.",
    )],
    result: ResultType::One(Model::of::<Paged>("Paged")),
    effect: Effect::Change,
    permission: "",
    docs: "Pages whoever is on call. The same `dedup_key` again, while the page is open, joins it.",
}];

/// A client from the constructor's arguments. No I/O.
///
/// # Errors
/// `invalid_input` or `config_invalid` naming the argument.
pub fn connect(mut given: Value, context: &Context) -> Result<Arc<dyn Callable>> {
    let way_in = WayIn::named(take_word(&mut given, "api").as_deref())?;
    let given: Construct = arguments(given)?;
    let platform = given.platform(&PRODUCT, way_in == WayIn::Ingest, context)?;
    Ok(Arc::new(OnCall::over(platform, way_in, &nobody()?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageArgument {
    page: NewPage,
}

impl Callable for OnCall {
    fn class(&self) -> &'static Class {
        &CLASS
    }

    fn call(self: Arc<Self>, operation: &str, given: Value) -> BoxFuture<'static, Result<Value>> {
        let operation = operation.to_owned();
        Box::pin(async move {
            match operation.as_str() {
                "page" => {
                    let PageArgument { page } = arguments(given)?;
                    answer(&self.page(page).await?)
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
