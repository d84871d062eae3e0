//! The reference page of the configuration, made from its schema.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::schema::schema;
use crate::registry::Registry;

/// The page `docs/reference/configuration.md`: every key, of every registered kind, as Markdown.
pub fn reference_markdown(registry: &Registry) -> String {
    let schema = schema(registry);
    let defs = &schema["$defs"];
    let mut page = String::from(
        "# Configuration\n\n<!-- Generated from the schema that `protect schema` prints. Do not edit. -->\n\n\
         `protect.toml`, or JSON of the same shape, or a Python dict or JavaScript object. A key that \
         is not listed here is an error that names the nearest one. Relative paths are resolved \
         against the file's folder.\n\n",
    );
    section(&mut page, "Top level", &schema, defs);
    for (title, name) in SECTIONS {
        section(&mut page, title, &defs[name], defs);
    }
    page.push_str("## Secrets\n\n");
    describe(&mut page, &defs["secret"]);
    alternatives(&mut page, &defs["secret"]);
    words(&mut page, "Actions", &defs["action"]);
    words(&mut page, "Kinds of finding", &defs["finding_kind"]);
    page.push_str("## Kinds of connector\n\n");
    for spec in registry.specs() {
        let _ = writeln!(page, "### `{}`\n", spec.name);
        if !spec.docs.is_empty() {
            let _ = writeln!(page, "{}\n", spec.docs);
        }
        if spec.needs_connection {
            let connection = &defs[format!("connection_{}", spec.name)];
            page.push_str("`[connections.NAME]`:\n\n");
            table(&mut page, connection, defs);
        }
        page.push_str("`[tenants.ID.connectors.NAME]`:\n\n");
        table(&mut page, &defs[format!("connector_{}", spec.name)], defs);
    }
    while page.ends_with("\n\n") {
        page.pop();
    }
    page
}

const SECTIONS: [(&str, &str); 17] = [
    ("`[store]`", "store"),
    ("`[ledger]`", "ledger"),
    ("`[key_vault]`", "key_vault"),
    ("`[tenants.ID]`", "tenant"),
    ("`monitor`", "monitor"),
    ("`route`", "route"),
    ("`approval` of a tenant", "approval"),
    ("`guard`", "guard"),
    ("`people`", "people"),
    ("a task of `people`", "task"),
    ("`client_view`", "client_view"),
    ("`branding`", "branding"),
    ("`[[tenants.ID.rules]]`", "rule"),
    ("`when`", "condition"),
    ("`when.account`", "account_condition"),
    ("`when.employee`", "employee_condition"),
    ("`then`", "then"),
];

fn section(page: &mut String, title: &str, schema: &Value, defs: &Value) {
    let _ = writeln!(page, "## {title}\n");
    describe(page, schema);
    // `then` is a name or a table: the table is what has keys.
    let with_keys = schema["anyOf"].as_array().into_iter().flatten();
    let with_keys = with_keys.chain([schema]);
    for schema in with_keys.filter(|schema| schema["properties"].is_object()) {
        table(page, schema, defs);
    }
}

fn describe(page: &mut String, schema: &Value) {
    if let Some(description) = schema["description"].as_str() {
        let _ = writeln!(page, "{description}\n");
    }
}

fn table(page: &mut String, schema: &Value, defs: &Value) {
    page.push_str("| Key | Value | Default | Meaning |\n|---|---|---|---|\n");
    rows(page, "", schema, defs);
    page.push('\n');
}

fn rows(page: &mut String, prefix: &str, schema: &Value, defs: &Value) {
    for (name, property) in entries(schema) {
        let name = format!("{prefix}{name}");
        let last = name.rsplit('.').next().unwrap_or_default();
        let required = schema["required"].as_array().into_iter().flatten();
        let default = match &property["default"] {
            _ if required.into_iter().any(|key| key == last) => "required".to_owned(),
            Value::Null => String::new(),
            Value::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        };
        let target = property["$ref"]
            .as_str()
            .and_then(|to| to.rsplit('/').next());
        let meaning = property["description"].as_str();
        let meaning = meaning.or_else(|| defs[target?]["description"].as_str());
        let _ = writeln!(
            page,
            "| `{name}` | {} | {default} | {} |",
            value_of(property),
            meaning.unwrap_or_default().replace('|', "\\|")
        );
        rows(page, &format!("{name}."), property, defs);
    }
}

fn entries(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"]
        .as_object()
        .into_iter()
        .flat_map(Map::iter)
}

fn value_of(schema: &Value) -> String {
    if let Some(target) = schema["$ref"].as_str() {
        let name = target.rsplit('/').next().unwrap_or_default();
        return name.replace('_', " ");
    }
    if let Some(word) = schema["const"].as_str() {
        return format!("`{word}`");
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
        return format!("`{}`", words.join("`, `"));
    }
    if let Some(item) = schema["anyOf"].get(0).filter(|_| schema["type"].is_null()) {
        return if schema["anyOf"][1]["type"] == "array" {
            format!("{}; one or a list", value_of(item))
        } else {
            format!("{} or {}", value_of(item), value_of(&schema["anyOf"][1]))
        };
    }
    match schema["type"].as_str() {
        Some("string") if schema["format"] == "uri" => "URL".to_owned(),
        Some("string") => "text".to_owned(),
        Some("integer") => "whole number".to_owned(),
        Some("boolean") => "`true`, `false`".to_owned(),
        Some("array") => format!("list of {}", value_of(&schema["items"])),
        Some("object") => "table".to_owned(),
        Some(other) => other.to_owned(),
        None => String::new(),
    }
}

fn alternatives(page: &mut String, schema: &Value) {
    page.push_str("| Keys | Meaning |\n|---|---|\n");
    for alternative in schema["oneOf"].as_array().into_iter().flatten() {
        let keys: Vec<_> = entries(alternative)
            .map(|(key, value)| format!("`{key}` ({})", value_of(value)))
            .collect();
        let meaning = alternative["description"].as_str().unwrap_or_default();
        let _ = writeln!(page, "| {} | {meaning} |", keys.join(", "));
    }
    page.push('\n');
}

fn words(page: &mut String, title: &str, schema: &Value) {
    let _ = writeln!(page, "## {title}\n\n| Name | Meaning |\n|---|---|");
    for word in schema["oneOf"].as_array().into_iter().flatten() {
        let name = word["const"].as_str().unwrap_or_default();
        let meaning = word["description"].as_str().unwrap_or_default();
        let _ = writeln!(page, "| `{name}` | {meaning} |");
    }
    page.push('\n');
}
