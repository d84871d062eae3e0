//! The pieces that the schema is built from.

use serde_json::{Map, Value, json};

pub(super) fn object(description: &str, properties: &[(&str, Value)], required: &[&str]) -> Value {
    let properties = properties.iter();
    let properties: Map<_, _> = properties
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !description.is_empty() {
        schema["description"] = json!(description);
    }
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

pub(super) fn named(item: &Value, description: &str) -> Value {
    json!({
        "description": description,
        "type": "object",
        "propertyNames": { "pattern": "^[a-z0-9][a-z0-9_-]{0,62}$" },
        "additionalProperties": item,
    })
}

pub(super) fn documented(mut schema: Value, description: &str) -> Value {
    schema["description"] = json!(description);
    schema
}

pub(super) fn with_default(mut schema: Value, default: &str) -> Value {
    schema["default"] = json!(default);
    schema
}

pub(super) fn any_of(schemas: &[Value]) -> Value {
    // An empty `anyOf` is no schema.
    if schemas.is_empty() {
        return json!({ "not": {} });
    }
    json!({ "anyOf": schemas })
}

pub(super) fn one_or_more(item: &Value) -> Value {
    let list = json!({ "type": "array", "items": item, "minItems": 1 });
    json!({ "anyOf": [item, list] })
}

pub(super) fn text() -> Value {
    json!({ "type": "string", "minLength": 1 })
}

pub(super) fn texts() -> Value {
    json!({ "type": "array", "items": text() })
}

pub(super) fn url() -> Value {
    json!({ "type": "string", "format": "uri", "pattern": "^https?://" })
}

pub(super) fn mail_server() -> Value {
    json!({ "type": "string", "format": "uri", "pattern": "^smtps?://" })
}

pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}
