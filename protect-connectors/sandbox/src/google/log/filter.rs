//! Which activities a request asks for.

use std::cmp::Ordering;

use serde_json::Value;

/// What an activity must be.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// In milliseconds, both ends belong to it.
    pub(crate) since: i64,
    pub(crate) until: i64,
    pub(crate) event: Option<String>,
    /// An identifier or an address in lower case.
    pub(crate) actor: Option<[String; 2]>,
    pub(crate) address: Option<String>,
    pub(crate) conditions: Vec<Condition>,
}

/// A comparison of a parameter with a value.
#[derive(Debug)]
pub(crate) struct Condition {
    name: String,
    operator: &'static str,
    value: String,
}

/// Those that begin with another one come first.
const OPERATORS: [&str; 6] = ["==", "<>", "<=", ">=", "<", ">"];

impl Filter {
    /// Whether the activity is about that actor and has an event that fits.
    pub(super) fn fits(&self, activity: &Value) -> bool {
        let actor = &activity["actor"];
        let is_actor = self
            .actor
            .as_ref()
            .is_none_or(|[id, email]| actor["profileId"] == **id || actor["email"] == **email);
        let from = self
            .address
            .as_ref()
            .is_none_or(|it| activity["ipAddress"] == **it);
        let events = activity["events"].as_array().map_or(&[][..], Vec::as_slice);
        is_actor && from && events.iter().any(|event| self.fits_event(event))
    }

    fn fits_event(&self, event: &Value) -> bool {
        let named = self.event.as_ref().is_none_or(|it| event["name"] == **it);
        named && self.conditions.iter().all(|it| it.holds(event))
    }
}

impl Condition {
    /// Comparisons joined by commas; `None` for what is none.
    pub(crate) fn parse_all(text: &str) -> Option<Vec<Self>> {
        text.split(',').map(Self::parse).collect()
    }

    fn parse(text: &str) -> Option<Self> {
        let at = text.find(['=', '<', '>'])?;
        let (name, rest) = text.split_at(at);
        let operator = OPERATORS.into_iter().find(|it| rest.starts_with(it))?;
        let value = rest.strip_prefix(operator)?;
        (!name.is_empty() && !value.is_empty()).then(|| Self {
            name: name.to_owned(),
            operator,
            value: value.to_owned(),
        })
    }

    fn holds(&self, event: &Value) -> bool {
        let parameters = event["parameters"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let found = parameters.iter().find(|it| it["name"] == *self.name);
        let Some(values) = found.map(values) else {
            return self.operator == "<>";
        };
        match self.operator {
            "<>" => !values.contains(&self.value),
            "==" => values.contains(&self.value),
            _ => values.iter().any(|value| self.compares(value)),
        }
    }

    fn compares(&self, value: &str) -> bool {
        let order = match (value.parse::<i64>(), self.value.parse::<i64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => value.cmp(&self.value),
        };
        match self.operator {
            "<" => order == Ordering::Less,
            "<=" => order != Ordering::Greater,
            ">" => order == Ordering::Greater,
            _ => order != Ordering::Less,
        }
    }
}

/// What a parameter says, as texts.
fn values(parameter: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    ["value", "intValue", "boolValue"]
        .iter()
        .filter_map(|it| parameter.get(*it))
        .chain(parameter["multiValue"].as_array().into_iter().flatten())
        .map(text)
        .collect()
}
