//! Cloud Events 1.0 in structured JSON: the envelope that event buses and brokers know.
//!
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Result};

/// What a body of one event is called over HTTP.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";

/// "Intermediaries MUST forward events of a size of 64 KiB or less".
pub const LARGEST: usize = 64 * 1024;

/// What a name of an attribute should not exceed.
const LONGEST_NAME: usize = 20;

/// The attributes of the specification, which no extension may be called.
const RESERVED: [&str; 9] = [
    "id",
    "source",
    "specversion",
    "type",
    "datacontenttype",
    "dataschema",
    "subject",
    "time",
    "data",
];

/// One event. `source` and `id` together name it for good: a consumer who gets it twice knows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CloudEvent {
    specversion: &'static str,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Timestamp>,
    datacontenttype: &'static str,
    data: Value,
    #[serde(flatten)]
    extensions: BTreeMap<String, String>,
}

impl CloudEvent {
    /// An event with data in JSON.
    ///
    /// # Errors
    /// `invalid_input` where one of the three names is empty, or `source` is no URI reference.
    pub fn new(
        source: impl Into<String>,
        id: impl Into<String>,
        kind: impl Into<String>,
        data: Value,
    ) -> Result<Self> {
        let (source, id, kind) = (source.into(), id.into(), kind.into());
        if source.is_empty() || id.is_empty() || kind.is_empty() {
            return Err(Error::invalid_input(
                "an event has a source, an id and a type",
            ));
        }
        // RFC 3986, 2: what is left over beside these is percent-encoded.
        let is_of_uris = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c);
        if !source.chars().all(is_of_uris) {
            return Err(Error::invalid_input("an event's source is a URI reference"));
        }
        Ok(Self {
            specversion: "1.0",
            id,
            source,
            kind,
            subject: None,
            time: None,
            datacontenttype: "application/json",
            data,
            extensions: BTreeMap::new(),
        })
    }

    /// The `source` of what happens in a tenant.
    pub fn source_of(tenant: &str) -> String {
        format!("urn:protect:tenant:{tenant}")
    }

    /// The `type` of a thing that happens (`ticket.created`), with the version of its data.
    pub fn type_of(what: &str) -> String {
        format!("dev.protect.{what}.v1")
    }

    /// What it is about; none where that is empty.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into()).filter(|subject| !subject.is_empty());
        self
    }

    /// When it happened.
    #[must_use]
    pub fn time(mut self, time: Timestamp) -> Self {
        self.time = Some(time);
        self
    }

    /// An extension attribute; left out where the value is empty.
    ///
    /// # Errors
    /// `invalid_input` for a name that is not of lower-case letters and digits, is longer than 20, or is
    /// the specification's own.
    pub fn extension(mut self, name: &str, value: impl Into<String>) -> Result<Self> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_name = (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(fits);
        if !is_name || RESERVED.contains(&name) {
            return Err(Error::invalid_input(
                "an extension's name is of lower-case letters and digits, at most 20, and its own",
            ));
        }
        let value = value.into();
        if !value.is_empty() {
            self.extensions.insert(name.to_owned(), value);
        }
        Ok(self)
    }

    /// The same with other data.
    #[must_use]
    pub fn data(mut self, data: Value) -> Self {
        self.data = data;
        self
    }

    /// The event in structured mode: one JSON document.
    ///
    /// # Errors
    /// `unexpected` where it has no JSON form.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self)
            .map_err(|error| Error::unexpected("an event has no JSON form").with_source(error))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_has_the_required_attributes_and_only_those_that_are_set() {
        let event = CloudEvent::new("urn:x", "1", "dev.x.v1", json!({ "a": 1 })).unwrap();
        let text = event.clone().subject("").to_json().unwrap();
        let seen: Value = serde_json::from_str(&text).unwrap();
        let wanted = json!({
            "specversion": "1.0", "id": "1", "source": "urn:x", "type": "dev.x.v1",
            "datacontenttype": "application/json", "data": { "a": 1 },
        });
        assert_eq!(seen, wanted);
        let event = event
            .subject("s")
            .time(Timestamp::UNIX_EPOCH)
            .extension("partitionkey", "p")
            .unwrap();
        let seen: Value = serde_json::from_str(&event.to_json().unwrap()).unwrap();
        assert_eq!(seen["subject"], "s");
        assert_eq!(seen["time"], "1970-01-01T00:00:00Z");
        assert_eq!(seen["partitionkey"], "p");
    }

    #[test]
    fn what_the_specification_forbids_is_refused() {
        for (source, id, kind) in [
            ("", "1", "t"),
            ("urn:x", "", "t"),
            ("urn:x", "1", ""),
            ("a b", "1", "t"),
            ("urn:ü", "1", "t"),
            ("a\\b", "1", "t"),
        ] {
            assert!(CloudEvent::new(source, id, kind, Value::Null).is_err());
        }
        let event = CloudEvent::new("/x", "1", "t", Value::Null).unwrap();
        for name in ["", "Key", "a_b", "data", "subject", "abcdefghijklmnopqrstu"] {
            assert!(event.clone().extension(name, "v").is_err(), "{name}");
        }
    }
}
