//! Cloud Events 1.0 in structured JSON, judged by the rules of the specification
//! (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>).

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::request::Call;

/// The media type of one event.
const MEDIA_TYPE: &str = "application/cloudevents+json";

/// "Intermediaries MUST forward events of a size of 64 KiB or less": a larger one may not get through.
const LARGEST: usize = 64 * 1024;

/// An event, read.
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) subject: Option<String>,
    pub(crate) data: Map<String, Value>,
}

/// Whether a call says that it carries one.
pub(crate) fn is_one(call: &Call) -> bool {
    call.content_type_is(MEDIA_TYPE)
}

/// The event in a call.
///
/// # Errors
/// The rule that it breaks.
pub(crate) fn read(call: &Call) -> Result<Event, &'static str> {
    if call.body.len() > LARGEST {
        return Err("larger than 64 KiB");
    }
    let Some(Value::Object(mut event)) = call.json() else {
        return Err("no JSON object");
    };
    if event.get("specversion").and_then(Value::as_str) != Some("1.0") {
        return Err("`specversion` is not 1.0");
    }
    for (name, value) in &event {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if name != "data_base64" && (name.len() > 20 || !name.bytes().all(fits)) {
            return Err("the name of an attribute has other characters than a-z and 0-9");
        }
        let is_data = matches!(name.as_str(), "data" | "data_base64");
        if !is_data && !matches!(value, Value::String(_) | Value::Bool(_) | Value::Number(_)) {
            return Err("an attribute is neither text nor a number nor a truth");
        }
    }
    let text = |name: &str| {
        let value = event.get(name)?.as_str()?;
        (!value.is_empty()).then(|| value.to_owned())
    };
    let (Some(id), Some(source), Some(kind)) = (text("id"), text("source"), text("type")) else {
        return Err("`id`, `source` or `type` is missing or empty");
    };
    if source.parse::<http::Uri>().is_err() && !source.starts_with("urn:") {
        return Err("`source` is no URI reference");
    }
    if event.contains_key("subject") && text("subject").is_none() {
        return Err("`subject` is there and empty");
    }
    if event.contains_key("time") && text("time").is_none_or(|at| at.parse::<Timestamp>().is_err())
    {
        return Err("`time` is not as RFC 3339 has it");
    }
    if event.contains_key("data_base64") {
        return Err("data that is JSON stands in `data`");
    }
    let content = text("datacontenttype");
    if content.is_some_and(|content| content != "application/json") {
        return Err("`datacontenttype` is not that of the data");
    }
    let subject = text("subject");
    let Some(Value::Object(data)) = event.remove("data") else {
        return Err("`data` is no object");
    };
    Ok(Event {
        id,
        kind,
        subject,
        data,
    })
}
