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

use super::{Bus, BusEvent, Emitted, Format, KIND, PRODUCT, Style};
use crate::direct::{
    API_KEY, BASE_URL, CONVENTIONS, Construct, INTEGRATION_KEY, ORGANISATION, nobody, take_word,
};

/// The class `Bus`.
pub static CLASS: Class = Class {
    name: "Bus",
    kind: KIND,
    docs: "Acts at once at The One Bus: without plan, guards, store or ledger. For those, use the engine.\n\nRetries, the limit of the organisation and typed errors are inside.",
    constructor: &[
        ORGANISATION,
        API_KEY,
        INTEGRATION_KEY,
        Parameter::optional(
            "style",
            ParameterKind::Text,
            "The form of an event: `a` (default) or `b`. Never switched by itself.",
        ),
        Parameter::optional(
            "format",
            ParameterKind::Text,
            "What an event is wrapped in: `platform` (default; nothing) or `cloudevents`. Never switched by itself.",
        ),
        BASE_URL,
        CONVENTIONS,
    ],
    operations: OPERATIONS,
};

/// Every operation, in the order of the reference page.
pub const OPERATIONS: &[Operation] = &[Operation {
    name: "emit",
    parameters: &[Parameter::required(
        "event",
        ParameterKind::One(Model::of::<BusEvent>("BusEvent")),
        "What happened.",
    )],
    result: ResultType::One(Model::of::<Emitted>("Emitted")),
    effect: Effect::Change,
    permission: "",
    docs: "Puts an event on the bus. An event whose answer got lost is sent again under the same id; whether the bus drops one of the two is not documented.",
}];

/// A client from the constructor's arguments. No I/O.
///
/// # Errors
/// `invalid_input` or `config_invalid` naming the argument.
pub fn connect(mut given: Value, context: &Context) -> Result<Arc<dyn Callable>> {
    let style = Style::named(take_word(&mut given, "style").as_deref())?;
    let format = Format::named(take_word(&mut given, "format").as_deref())?;
    let given: Construct = arguments(given)?;
    let platform = given.platform(&PRODUCT, false, context)?;
    Ok(Arc::new(
        Bus::over(platform, style, &nobody()?).format(format),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventArgument {
    event: BusEvent,
}

impl Callable for Bus {
    fn class(&self) -> &'static Class {
        &CLASS
    }

    fn call(self: Arc<Self>, operation: &str, given: Value) -> BoxFuture<'static, Result<Value>> {
        let operation = operation.to_owned();
        Box::pin(async move {
            match operation.as_str() {
                "emit" => {
                    let EventArgument { event } = arguments(given)?;
                    answer(&self.emit(event).await?)
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
