//! Bodies, checked member by member.

use serde_json::{Map, Value};

use super::Refusal;
use crate::request::Call;

/// What a member may be.
pub(super) enum Rule {
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Anything that is JSON.
    Any,
}

/// A JSON object with the required members, the optional ones, and no others.
pub(super) fn read(
    call: &Call,
    organisation: &str,
    required: &[(&str, Rule)],
    optional: &[(&str, Rule)],
) -> Result<Map<String, Value>, Refusal> {
    if !call.content_type_is("application/json") {
        return Err(Refusal::violation(400, "content_type", "JSON is taken"));
    }
    let Some(Value::Object(body)) = call.json() else {
        return Err(Refusal::violation(400, "body", "no JSON object"));
    };
    judge(body, organisation, required, optional)
}

/// The same of an object that was read.
pub(super) fn judge(
    body: Map<String, Value>,
    organisation: &str,
    required: &[(&str, Rule)],
    optional: &[(&str, Rule)],
) -> Result<Map<String, Value>, Refusal> {
    for (name, _) in required {
        if !body.contains_key(*name) {
            return Err(Refusal::field(name, "Required"));
        }
    }
    for (name, value) in &body {
        let mut known = required.iter().chain(optional);
        let Some((_, rule)) = known.find(|(known, _)| known == name) else {
            return Err(Refusal::field(name, "Unknown field"));
        };
        fits(name, value, rule)?;
    }
    let named = body.get("tenant_id").and_then(Value::as_str);
    if named.is_some_and(|named| named != organisation) {
        return Err(Refusal::violation(
            403,
            "foreign_organisation",
            "the key is another organisation's",
        ));
    }
    Ok(body)
}

fn fits(name: &str, value: &Value, rule: &Rule) -> Result<(), Refusal> {
    match rule {
        Rule::Any => Ok(()),
        Rule::Text => match value.as_str() {
            Some(text) if !text.is_empty() => Ok(()),
            _ => Err(Refusal::field(name, "Must be text")),
        },
        Rule::Word(words) => match value.as_str() {
            Some(word) if words.contains(&word) => Ok(()),
            _ => {
                let message = format!("Must be one of: {}", words.join(", "));
                Err(Refusal::field(name, &message))
            }
        },
    }
}
