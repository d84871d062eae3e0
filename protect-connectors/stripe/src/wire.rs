//! Stripe's JSON.

use jiff::Timestamp;
use protect_core::model::Attributes;
use protect_core::{Error, ErrorKind, Result};
use serde::Deserialize;

use crate::model::{Meter, MeterEvent};

/// The keys of a payload unless the meter has others.
const CUSTOMER_KEY: &str = "stripe_customer_id";
const VALUE_KEY: &str = "value";

#[derive(Deserialize)]
pub(crate) struct List<T> {
    pub(crate) data: Vec<T>,
    #[serde(default)]
    pub(crate) has_more: bool,
}

#[derive(Deserialize)]
pub(crate) struct RawEvent {
    identifier: String,
    event_name: String,
    timestamp: i64,
    livemode: bool,
}

impl RawEvent {
    pub(crate) fn read(self) -> Result<MeterEvent> {
        let timestamp = Timestamp::from_second(self.timestamp).map_err(|_| {
            // Stripe took the event; that its answer is odd does not change that.
            let error = Error::new(ErrorKind::InvalidResponse, "the event's time is none");
            error.temporary().persistent()
        })?;
        Ok(MeterEvent {
            identifier: self.identifier,
            event_name: self.event_name,
            timestamp,
            livemode: self.livemode,
        })
    }
}

#[derive(Deserialize)]
pub(crate) struct RawMeter {
    id: String,
    event_name: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    default_aggregation: Aggregation,
    #[serde(default)]
    customer_mapping: Mapping,
    #[serde(default)]
    value_settings: Mapping,
    #[serde(default)]
    livemode: bool,
    #[serde(flatten)]
    more: Attributes,
}

#[derive(Default, Deserialize)]
struct Aggregation {
    #[serde(default)]
    formula: String,
}

#[derive(Default, Deserialize)]
struct Mapping {
    event_payload_key: Option<String>,
}

impl From<RawMeter> for Meter {
    fn from(raw: RawMeter) -> Self {
        let key = |mapping: Mapping, usual: &str| {
            let given = mapping.event_payload_key;
            given.unwrap_or_else(|| usual.to_owned())
        };
        Self {
            id: raw.id,
            event_name: raw.event_name,
            status: raw.status,
            formula: raw.default_aggregation.formula,
            customer_key: key(raw.customer_mapping, CUSTOMER_KEY),
            value_key: key(raw.value_settings, VALUE_KEY),
            livemode: raw.livemode,
            more: raw.more,
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Summary {
    pub(crate) aggregated_value: f64,
}

#[derive(Default, Deserialize)]
pub(crate) struct ErrorBody {
    #[serde(default)]
    pub(crate) error: ErrorDetail,
}

#[derive(Default, Deserialize)]
pub(crate) struct ErrorDetail {
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) code: Option<String>,
    #[serde(default)]
    pub(crate) param: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_meter_keeps_what_is_not_known_here_and_its_own_keys() {
        let raw = json!({
            "id": "mtr_1", "event_name": "users", "status": "paused", "livemode": false,
            "default_aggregation": { "formula": "median" },
            "customer_mapping": { "event_payload_key": "who", "type": "by_id" },
            "value_settings": { "event_payload_key": "how_many" },
            "dimensions": ["a"],
        });
        let meter: Meter = serde_json::from_value::<RawMeter>(raw).unwrap().into();
        assert_eq!(
            (meter.status.as_str(), meter.formula.as_str()),
            ("paused", "median")
        );
        assert_eq!(
            (meter.customer_key.as_str(), meter.value_key.as_str()),
            ("who", "how_many")
        );
        assert_eq!(meter.more["dimensions"], json!(["a"]));
    }
}
