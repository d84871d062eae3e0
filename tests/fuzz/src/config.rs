//! The configuration, and the condition of a rule.

use protect_core::config::{Config, ConfigFormat};
use protect_core::registry::Registry;
use serde_json::{Value, json};

pub(crate) fn toml(data: &[u8]) {
    parse(data, ConfigFormat::Toml);
}

pub(crate) fn json(data: &[u8]) {
    parse(data, ConfigFormat::Json);
}

/// The bytes are the JSON of a rule's `when`.
pub(crate) fn when(data: &[u8]) {
    let Ok(when) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    let rule = json!({ "name": "r", "when": when, "then": ["open_ticket"] });
    let tenants = json!({ "acme": { "name": "Acme", "rules": [rule] } });
    let _ = Config::from_value(&json!({ "tenants": tenants }), &registry());
}

fn parse(data: &[u8], format: ConfigFormat) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Config::parse(text, format, &registry());
    }
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    protect_hibp::register(&mut registry);
    protect_onepassword::register(&mut registry);
    protect_webhook::register(&mut registry);
    registry
}
