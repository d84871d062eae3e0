//! The client's operations as data, and the gate through which other languages call them.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use protect_core::context::Context;
use protect_core::operation::{
    Callable, Class, Effect, Model, Operation, Parameter, ParameterKind, ResultType, answer,
    arguments, unknown,
};
use protect_core::secret::SecretRef;
use protect_core::{Error, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::client::Stripe;
use crate::model::{Meter, MeterEvent, UsageTotal};

/// The class `Stripe`.
pub static CLASS: Class = Class {
    name: "Stripe",
    kind: crate::KIND,
    docs: "Acts at once at Stripe: without plan, guards, store or ledger. For those, use the engine.\n\nRetries, limits and typed errors are inside.",
    constructor: &[
        Parameter::optional(
            "secret_key",
            ParameterKind::Secret,
            "The secret key, better a restricted one (`rk_…`).",
        ),
        Parameter::optional(
            "base_url",
            ParameterKind::Text,
            "A root instead of Stripe's own.",
        ),
    ],
    operations: OPERATIONS,
};

/// Every operation, in the order of the reference page.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        name: "report_usage",
        parameters: &[
            CUSTOMER,
            Parameter::required("value", ParameterKind::Integer, "How many users."),
            Parameter::required(
                "identifier",
                ParameterKind::Text,
                "What a repeat is recognised by for a day: up to 100 characters.",
            ),
            EVENT_NAME,
            Parameter::optional(
                "timestamp",
                ParameterKind::Timestamp,
                "For when it counts: at most 35 days ago and five minutes ahead; now unless given.",
            ),
        ],
        result: ResultType::One(Model::of::<MeterEvent>("MeterEvent")),
        effect: Effect::Change,
        permission: "Billing meter events: write; Billing meters: read",
        docs: "Tells a customer's usage. Within a day the same identifier counts once; after that, ask `usage_total` first.",
    },
    Operation {
        name: "meters",
        parameters: &[],
        result: ResultType::List(Model::of::<Meter>("Meter")),
        effect: Effect::Read,
        permission: "Billing meters: read",
        docs: "Every meter of the account in the key's mode (test or live).",
    },
    Operation {
        name: "usage_total",
        parameters: &[
            CUSTOMER,
            Parameter::required(
                "start",
                ParameterKind::Timestamp,
                "From when; a whole minute.",
            ),
            Parameter::required(
                "end",
                ParameterKind::Timestamp,
                "Up to when; a whole minute.",
            ),
            EVENT_NAME,
        ],
        result: ResultType::One(Model::of::<UsageTotal>("UsageTotal")),
        effect: Effect::Read,
        permission: "Billing meters: read",
        docs: "What Stripe has counted for a customer in a span of time. Stripe counts events a while after it took them.",
    },
];

const CUSTOMER: Parameter = Parameter::required(
    "customer_id",
    ParameterKind::Text,
    "The customer's id (`cus_…`).",
);
const EVENT_NAME: Parameter = Parameter::optional(
    "event_name",
    ParameterKind::Text,
    "The meter's event name: `protect_monitored_users` unless given.",
);

/// A client from the constructor's arguments. No I/O.
///
/// # Errors
/// `invalid_input` or `config_invalid` naming the argument.
pub fn connect(given: Value, context: Context) -> Result<Arc<dyn Callable>> {
    let given: Construct = arguments(given)?;
    let key = given
        .secret_key
        .ok_or_else(|| Error::config("secret_key", "missing"))?;
    let mut builder = Stripe::builder().context(context).secret_key(key);
    if let Some(url) = given.base_url {
        builder = builder.base_url(url);
    }
    Ok(Arc::new(builder.build()?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Construct {
    secret_key: Option<SecretRef>,
    base_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportUsage {
    customer_id: String,
    value: u32,
    identifier: String,
    event_name: Option<String>,
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Total {
    customer_id: String,
    start: Timestamp,
    end: Timestamp,
    event_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

impl Callable for Stripe {
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

impl Stripe {
    async fn dispatch(&self, operation: &str, given: Value) -> Result<Value> {
        match operation {
            "report_usage" => {
                let it: ReportUsage = arguments(given)?;
                let name = it.event_name.as_deref();
                let told = self.report_usage(
                    &it.customer_id,
                    it.value,
                    &it.identifier,
                    name,
                    it.timestamp,
                );
                answer(&told.await?)
            }
            "meters" => {
                let NoArguments {} = arguments(given)?;
                answer(&self.meters().await?)
            }
            "usage_total" => {
                let it: Total = arguments(given)?;
                let name = it.event_name.as_deref();
                let total = self.usage_total(&it.customer_id, it.start, it.end, name);
                answer(&total.await?)
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
        let given = json!({ "secret_key": { "provided": "key" } });
        let client = connect(given, testing::context().context).unwrap();
        assert_eq!(check_table(client).await, Ok(()));
    }

    #[test]
    fn a_client_without_a_key_names_what_is_missing() {
        let error = connect(json!({}), testing::context().context)
            .err()
            .unwrap();
        assert_eq!(error.context(), [("field", "secret_key".to_owned())]);
    }
}
