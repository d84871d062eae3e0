use jiff::Timestamp;
use protect_core::model::Attributes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An event as Stripe took it (<https://docs.stripe.com/api/billing/meter-event/object>).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MeterEvent {
    /// What it is recognised by.
    pub identifier: String,
    /// The meter's event name.
    pub event_name: String,
    /// For when it counts.
    pub timestamp: Timestamp,
    /// Whether customers pay for it; false in test mode.
    pub livemode: bool,
}

/// What adds up events of one name (<https://docs.stripe.com/api/billing/meter/object>).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Meter {
    /// Its id.
    pub id: String,
    /// The name of the events that it takes.
    pub event_name: String,
    /// `active` or `inactive`, or a word of Stripe's own.
    pub status: String,
    /// How events become one number: `sum`, `count`, `last`, or a word of Stripe's own.
    pub formula: String,
    /// Under which key of an event's payload the customer stands.
    pub customer_key: String,
    /// Under which key of an event's payload the value stands.
    pub value_key: String,
    /// Whether customers pay by it; false in test mode.
    pub livemode: bool,
    /// What else Stripe said.
    #[serde(flatten)]
    pub more: Attributes,
}

/// What a meter has for a customer and a span of time
/// (<https://docs.stripe.com/api/billing/meter-event-summary/object>).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UsageTotal {
    /// Events by the meter's formula; 0 where there are none.
    pub value: f64,
    /// Whether Stripe has counted anything in the span.
    pub any: bool,
}
