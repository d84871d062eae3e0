//! Words of the command line as values, with what to write instead where they are none.

use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use protect_connectors::core::Error;
use protect_connectors::core::config::parse_duration;
use protect_connectors::core::model::{FindingStatus, IncidentStatus, Severity};
use serde_json::Value;

/// A moment: a date, a time, or a span from `now`.
pub(crate) fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>() {
        let start = date.to_zoned(jiff::tz::TimeZone::UTC);
        return start
            .map(|zoned| zoned.timestamp())
            .map_err(|e| e.to_string());
    }
    let span = duration(text).map_err(|_| {
        "write a date (2027-01-31), a time (2027-01-31T12:00:00Z) or a span (90d)".to_owned()
    })?;
    now.checked_add(jiff::SignedDuration::try_from(span).map_err(|e| e.to_string())?)
        .map_err(|error| error.to_string())
}

pub(crate) fn severity(text: &str) -> Result<Severity, String> {
    named(&Severity::ALL, text, |severity| severity.as_str())
}

pub(super) fn status(text: &str) -> Result<FindingStatus, String> {
    use FindingStatus::{Accepted, Acknowledged, FalsePositive, New, Resolved};
    let all = [New, Acknowledged, Accepted, Resolved, FalsePositive];
    named(&all, text, |status| status.as_str())
}

pub(super) fn incident_status(text: &str) -> Result<IncidentStatus, String> {
    use IncidentStatus::{Closed, Contained, Investigating, New, Open, Resolved};
    let all = [New, Open, Investigating, Contained, Resolved, Closed];
    named(&all, text, |status| status.as_str())
}

pub(crate) fn day(text: &str) -> Result<jiff::civil::Date, String> {
    text.parse()
        .map_err(|_| "write the day as 2026-11-30".to_owned())
}

/// An id or an address; what is wrong with it in the words of its own error.
pub(crate) fn typed<T: FromStr<Err = Error>>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|error: Error| error.message().to_owned())
}

fn named<T: Copy>(all: &[T], text: &str, name: fn(&T) -> &'static str) -> Result<T, String> {
    all.iter()
        .find(|item| name(item) == text)
        .copied()
        .ok_or_else(|| {
            let names: Vec<_> = all.iter().map(name).collect();
            format!("one of {}", names.join(", "))
        })
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

/// `name=value`, the value as JSON where it is some, else as text.
pub(super) fn parameter(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| "write it as name=value".to_owned())?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok((name.to_owned(), value))
}

/// The login name, as a default for `--by`.
#[expect(clippy::disallowed_methods, reason = "the command line is an edge")]
pub(super) fn login() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_else(|| "operator".to_owned())
}
