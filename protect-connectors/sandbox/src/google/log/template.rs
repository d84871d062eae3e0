//! What an event looks like, and how its parameters come about.

use serde_json::{Value, json};

use super::Place;
use crate::{google::units, rng::Rng};

/// One kind of event.
pub(crate) struct Template {
    /// How often it comes, among those of its log.
    pub(crate) weight: usize,
    pub(crate) kind: &'static str,
    pub(crate) name: &'static str,
    pub(crate) parameters: &'static [Given],
}

/// A parameter of an event.
pub(crate) enum Given {
    /// One of these texts.
    Text(&'static str, &'static [&'static str]),
    /// All of these texts.
    Many(&'static str, &'static [&'static str]),
    Flag(&'static str, bool),
    /// The name of an organizational unit, mostly of the root.
    Unit,
    /// Somebody's address.
    Somebody(&'static str),
    /// The address of whoever acted.
    Actor(&'static str),
    /// The time of the event, in microseconds.
    Moment(&'static str),
}

const ADDRESSES: [(&str, &str, u32); 4] = [
    ("198.51.100.23", "DE", 3320),
    ("198.51.100.87", "DE", 3320),
    ("203.0.113.14", "AT", 8447),
    ("192.0.2.201", "DE", 6805),
];

impl Template {
    pub(crate) const fn new(
        weight: usize,
        kind: &'static str,
        name: &'static str,
        parameters: &'static [Given],
    ) -> Self {
        Self {
            weight,
            kind,
            name,
            parameters,
        }
    }

    /// The activity without its `id`.
    pub(super) fn activity(
        &self,
        actor: usize,
        at: i64,
        place: &Place<'_>,
        rng: &mut Rng,
    ) -> Value {
        let email = place.users.email(actor);
        let parameters: Vec<Value> = self
            .parameters
            .iter()
            .map(|it| it.shown(&email, at, place, rng))
            .collect();
        let mut event = json!({"type": self.kind, "name": self.name});
        if !parameters.is_empty() {
            event["parameters"] = Value::Array(parameters);
        }
        let (address, country, network) = *rng.pick(&ADDRESSES);
        json!({
            "actor": {"callerType": "USER", "email": email, "profileId": place.users.id(actor)},
            "ipAddress": address,
            "networkInfo": {"ipAsn": [network], "regionCode": country, "subdivisionCode": ""},
            "events": [event],
        })
    }
}

impl Given {
    fn shown(&self, actor: &str, at: i64, place: &Place<'_>, rng: &mut Rng) -> Value {
        match self {
            Self::Text(name, values) => text(name, rng.pick::<&str>(values)),
            Self::Many(name, values) => many(name, values),
            Self::Flag(name, on) => boolean(name, *on),
            Self::Unit => {
                let unit = if rng.percent(70) {
                    units::ROOT
                } else {
                    *rng.pick(&units::DEPARTMENTS)
                };
                text("ORG_UNIT_NAME", place.units.name(unit))
            }
            Self::Somebody(name) => text(name, &place.users.email(rng.below(place.users.len()))),
            Self::Actor(name) => text(name, actor),
            Self::Moment(name) => moment(name, at),
        }
    }
}

pub(crate) fn text(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

pub(crate) fn many(name: &str, values: &[&str]) -> Value {
    json!({"name": name, "multiValue": values})
}

pub(crate) fn boolean(name: &str, value: bool) -> Value {
    json!({"name": name, "boolValue": value})
}

/// Numbers are texts; `at` is in milliseconds, what is printed in microseconds.
pub(crate) fn moment(name: &str, at: i64) -> Value {
    json!({"name": name, "intValue": (at * 1000).to_string()})
}
