//! What a kind of connector adds to the schema.

use serde_json::{Value, json};

use super::build::{documented, mail_server, object, reference, text, url};
use crate::config::kind::{CredentialSpec, EndpointSpec, KindSpec, SettingSpec, SettingType};

pub(super) fn connection(spec: &KindSpec) -> Value {
    let mut properties = vec![
        (
            "kind",
            documented(json!({ "const": spec.name }), "The kind of connector."),
        ),
        (
            "tenants",
            documented(
                json!({ "type": "array", "items": text(), "minItems": 1 }),
                "Whom it may serve: tenants, or `[\"*\"]` for every one.",
            ),
        ),
    ];
    let mut required = vec!["kind", "tenants"];
    if !spec.endpoints.is_empty() {
        properties.push(("endpoints", endpoints(&spec.endpoints)));
    }
    if spec.endpoints.iter().any(|endpoint| endpoint.required) {
        required.push("endpoints");
    }
    let credentials = [
        ("scan", &spec.scan, "The credential that reads."),
        (
            "respond",
            &spec.respond,
            "The credential that changes; without it nothing can be changed.",
        ),
    ];
    for (name, credential, meaning) in credentials {
        if let Some(spec) = credential {
            properties.push((name, self::credential(spec, meaning)));
            required.extend(spec.required.then_some(name));
        }
    }
    add_settings(&mut properties, &mut required, &spec.connection_settings);
    object(&spec.docs, &properties, &required)
}

pub(super) fn connector(spec: &KindSpec) -> Value {
    let kind = documented(json!({ "const": spec.name }), "The kind of connector.");
    let mut properties = vec![("kind", kind)];
    let mut required = vec!["kind"];
    if spec.needs_connection {
        properties.push((
            "connection",
            documented(text(), "The connection that it uses, which says the kind."),
        ));
        required = vec!["connection"];
    }
    add_settings(&mut properties, &mut required, &spec.settings);
    object(&spec.docs, &properties, &required)
}

pub(super) fn setting(spec: &SettingSpec) -> Value {
    let mut schema = documented(written(&spec.kind), &spec.docs);
    if let Some(default) = &spec.default {
        schema["default"] = default.clone();
    }
    schema
}

fn add_settings<'a>(
    properties: &mut Vec<(&'a str, Value)>,
    required: &mut Vec<&'a str>,
    settings: &'a [SettingSpec],
) {
    for spec in settings {
        properties.push((&spec.name, setting(spec)));
        required.extend(spec.required.then_some(spec.name.as_str()));
    }
}

/// What is written for a setting.
fn written(kind: &SettingType) -> Value {
    match kind {
        SettingType::Text => text(),
        SettingType::Path => reference("path"),
        SettingType::OneOf(words) => json!({ "enum": words }),
        SettingType::Integer { min, max } => {
            json!({ "type": "integer", "minimum": min, "maximum": max })
        }
        SettingType::Boolean => json!({ "type": "boolean" }),
        SettingType::Duration => reference("duration"),
        SettingType::TextList => json!({ "type": "array", "items": text() }),
        SettingType::TextTable => json!({ "type": "object", "additionalProperties": text() }),
        SettingType::Table => json!({ "type": "object" }),
    }
}

fn endpoints(specs: &[EndpointSpec]) -> Value {
    let properties: Vec<_> = specs
        .iter()
        .map(|spec| {
            let url = if spec.mail_server {
                mail_server()
            } else {
                url()
            };
            let mut schema = documented(url, &spec.docs);
            if let Some(default) = &spec.default {
                schema["default"] = json!(default);
            }
            (spec.name.as_str(), schema)
        })
        .collect();
    let required = specs.iter().filter(|spec| spec.required);
    let required: Vec<_> = required.map(|spec| spec.name.as_str()).collect();
    object(
        "Roots that replace the vendor's own: absolute, without trailing slash; http only for this machine.",
        &properties,
        &required,
    )
}

fn credential(spec: &CredentialSpec, meaning: &str) -> Value {
    let properties: Vec<_> = spec
        .fields
        .iter()
        .map(|field| {
            let value = if field.secret {
                reference("secret")
            } else {
                text()
            };
            (field.name.as_str(), documented(value, &field.docs))
        })
        .collect();
    let required = spec.fields.iter().filter(|field| spec.requires(field));
    let required: Vec<_> = required.map(|field| field.name.as_str()).collect();
    let mut schema = object(meaning, &properties, &required);
    if !spec.alternatives.is_empty() {
        let sets = spec.alternatives.iter();
        schema["anyOf"] = sets.map(|set| json!({ "required": set })).collect();
    }
    schema
}
