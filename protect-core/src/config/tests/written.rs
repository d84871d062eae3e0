//! What is made from the kinds: the schema, the reference page, the first configuration.

use serde_json::{Value, json};

use super::{example_with, parse, registry};
use crate::config::{
    Config, TemplateAnswers, TemplateConnector, reference_markdown, schema, template,
};
use crate::model::{Address, TenantId};
use crate::registry::Registry;

/// Whether a value satisfies a schema: the keywords that ours uses (JSON Schema 2020-12), and a
/// panic for any other, so that none is silently ignored.
fn valid(root: &Value, schema: &Value, value: &Value) -> bool {
    let Value::Object(keywords) = schema else {
        return schema
            .as_bool()
            .expect("a schema is an object or a boolean");
    };
    let check = |schema: &Value| valid(root, schema, value);
    let all = |schemas: &Value| {
        schemas
            .as_array()
            .unwrap()
            .iter()
            .filter(|s| check(s))
            .count()
    };
    keywords
        .iter()
        .all(|(keyword, expected)| match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "default" | "examples" | "format" => {
                true
            }
            "$ref" => {
                let target = expected.as_str().unwrap().strip_prefix('#').unwrap();
                check(root.pointer(target).expect("a reference leads somewhere"))
            }
            "type" => match expected.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64() || value.is_u64(),
                "number" => value.is_number(),
                other => panic!("unexpected type {other}"),
            },
            "const" => value == expected,
            "enum" => expected.as_array().unwrap().contains(value),
            "anyOf" => all(expected) > 0,
            "oneOf" => all(expected) == 1,
            "not" => !check(expected),
            "if" => check(&schema[if check(expected) { "then" } else { "else" }]),
            "then" | "else" => keywords.contains_key("if"),
            "minLength" => value.as_str().is_none_or(|text| !text.is_empty()),
            "minItems" => value.as_array().is_none_or(|items| !items.is_empty()),
            "minProperties" => value.as_object().is_none_or(|map| !map.is_empty()),
            "minimum" => value
                .as_f64()
                .is_none_or(|n| n >= expected.as_f64().unwrap()),
            "maximum" => value
                .as_f64()
                .is_none_or(|n| n <= expected.as_f64().unwrap()),
            "pattern" => value
                .as_str()
                .is_none_or(|text| match expected.as_str().unwrap() {
                    "^https?://" => text.starts_with("https://") || text.starts_with("http://"),
                    "^[a-z0-9][a-z0-9_-]{0,62}$" => TenantId::new(text).is_ok(),
                    other => panic!("unexpected pattern {other}"),
                }),
            "required" => value.as_object().is_none_or(|map| {
                let mut keys = expected.as_array().unwrap().iter();
                keys.all(|key| map.contains_key(key.as_str().unwrap()))
            }),
            "items" => value
                .as_array()
                .is_none_or(|items| items.iter().all(|item| valid(root, expected, item))),
            "propertyNames" => value
                .as_object()
                .is_none_or(|map| map.keys().all(|key| valid(root, expected, &json!(key)))),
            "properties" => value.as_object().is_none_or(|map| {
                let mut entries = map.iter();
                entries.all(|(key, value)| expected.get(key).is_none_or(|s| valid(root, s, value)))
            }),
            "additionalProperties" => value.as_object().is_none_or(|map| {
                let known = |key: &String| schema["properties"].get(key).is_some();
                let mut entries = map.iter().filter(|(key, _)| !known(key));
                entries.all(|(_, value)| valid(root, expected, value))
            }),
            other => panic!("unexpected keyword {other}"),
        })
}

fn satisfies(value: &Value) -> bool {
    let schema = schema(&registry());
    valid(&schema, &schema, value)
}

fn example() -> Value {
    example_with("", "mode", json!("dry_run"))
}

/// The pointers of every table of a value.
fn tables(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            found.push(at.to_owned());
            for (key, inner) in map {
                tables(inner, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                tables(inner, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn the_example_of_the_design_satisfies_the_schema() {
    assert!(satisfies(&example()));
}

#[test]
fn an_unknown_key_in_any_table_fails_the_schema_and_the_parser() {
    let mut found = Vec::new();
    tables(&example(), "", &mut found);
    assert!(found.len() > 20, "{}", found.len());
    for at in found {
        let value = example_with(&at, "Not a key", json!("x"));
        assert!(!satisfies(&value), "{at}");
        assert!(Config::from_value(&value, &registry()).is_err(), "{at}");
    }
}

#[test]
fn the_schema_and_the_parser_agree_on_right_and_wrong_values() {
    let changes = [
        ("", "mode", json!("enforce")),
        ("", "mode", json!("on")),
        ("", "store", json!({ "kind": "memory" })),
        ("", "store", json!({ "kind": "memory", "path": "x" })),
        ("", "store", json!({ "kind": "sqlite" })),
        ("", "ledger", json!({ "key": "plain" })),
        ("", "ledger", json!({ "key": { "command": ["a", "b"] } })),
        ("", "ledger", json!({ "key": { "env": "A", "file": "b" } })),
        (
            "",
            "ledger",
            json!({ "key": { "key_vault": "https://v.example", "name": "n" } }),
        ),
        (
            "",
            "key_vault",
            json!({ "tenant_id": "t", "client_id": "c", "client_secret": { "env": "A" } }),
        ),
        (
            "",
            "key_vault",
            json!({ "tenant_id": "t", "client_id": "c", "certificate": { "file": "c" }, "private_key": { "file": "k" }, "cloud": "dod" }),
        ),
        (
            "",
            "key_vault",
            json!({ "tenant_id": "t", "client_id": "c" }),
        ),
        (
            "",
            "key_vault",
            json!({ "tenant_id": "t", "client_id": "c", "client_secret": { "env": "A" }, "certificate": { "file": "c" } }),
        ),
        (
            "",
            "key_vault",
            json!({ "tenant_id": "t", "client_id": "c", "client_secret": { "env": "A" }, "cloud": "gcc" }),
        ),
        ("/connections/hibp", "scan", json!({})),
        (
            "/connections/hibp",
            "endpoints",
            json!({ "api": "https://a.example/v3" }),
        ),
        (
            "/connections/hibp",
            "endpoints",
            json!({ "api": "a.example" }),
        ),
        ("/connections/acme-passwords", "region", json!("ca")),
        ("/connections/acme-passwords", "region", json!("us")),
        (
            "/connections/acme-passwords",
            "scan",
            json!({ "events_token": { "env": "T" } }),
        ),
        ("/connections/acme-passwords", "scan", json!({})),
        (
            "/tenants/acme",
            "guard",
            json!({ "max_accounts": 3, "max_percent": 0.5, "cool_down": "1h" }),
        ),
        ("/tenants/acme", "guard", json!({ "max_accounts": -1 })),
        (
            "/tenants/acme",
            "approval",
            json!({ "self": "allow_recorded", "expires": "1h" }),
        ),
        ("/tenants/acme", "approval", json!({ "self": true })),
        ("/tenants/acme", "route", json!({ "open_ticket": ["mail"] })),
        ("/tenants/acme", "route", json!({ "open_ticket": "mail" })),
        ("/tenants/acme", "route", json!({ "open_ticket": [] })),
        (
            "/tenants/acme",
            "route",
            json!({ "suspend_account": ["mail"] }),
        ),
        ("/tenants/acme/connectors/mail", "selectors", json!(["a"])),
        ("/tenants/acme/connectors/mail", "selectors", json!("a")),
        ("/tenants/acme/connectors/mail", "max_lookups", json!(11)),
        ("/tenants/acme/rules/0", "approval", json!("auto")),
        ("/tenants/acme/rules/0", "enabled_by", json!("cto")),
        ("/tenants/acme/rules/0", "then", json!("suspend_account")),
        (
            "/tenants/acme/rules/0",
            "then",
            json!({ "action": "suspend_account", "for": "1h", "on": "passwords" }),
        ),
        ("/tenants/acme/rules/0", "then", json!(["suspend"])),
        ("/tenants/acme/rules/0", "when", json!({})),
        ("/tenants/acme/rules/0", "when", json!("severity")),
        (
            "/tenants/acme/rules/0",
            "when",
            json!({ "severity": ">=hihg" }),
        ),
        (
            "/tenants/acme/rules/0",
            "when",
            json!({ "confidence": ">=medium", "occurrence": ">=2" }),
        ),
        ("/tenants/acme/rules/0", "when", json!({ "occurrence": 0 })),
        (
            "/tenants/acme/rules/0",
            "when",
            json!({ "any": [{ "kind": ["drift"] }, { "not": { "account": { "state": "active" } } }] }),
        ),
        ("/tenants/acme/rules/0", "when", json!({ "any": [] })),
        (
            "/tenants/acme/rules/0",
            "when",
            json!({ "account": { "privileged": "yes" } }),
        ),
        (
            "/tenants/acme/rules/0",
            "when",
            json!({ "employee": { "department": ["IT"] } }),
        ),
        (
            "/tenants/acme/rules/0",
            "when",
            json!({ "check": "hibp.exposure.*", "source": "hibp" }),
        ),
    ];
    for (parent, key, new) in changes {
        let value = example_with(parent, key, new.clone());
        let parsed = Config::from_value(&value, &registry());
        assert_eq!(
            satisfies(&value),
            parsed.is_ok(),
            "{parent}/{key} = {new}: {parsed:?}"
        );
    }
}

#[test]
fn every_property_of_the_schema_has_a_meaning() {
    fn walk(schema: &Value, at: &str, missing: &mut Vec<String>) {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let at = format!("{at}.{key}");
            let refers = property["$ref"].is_string();
            if property.is_object() && !refers && property["description"].is_null() {
                missing.push(at.clone());
            }
            walk(property, &at, missing);
        }
    }
    let schema = schema(&registry());
    let mut missing = Vec::new();
    for (name, schema) in schema["$defs"].as_object().unwrap() {
        walk(schema, name, &mut missing);
    }
    walk(&schema, "", &mut missing);
    assert_eq!(missing, [""; 0]);
}

#[test]
fn a_program_without_connectors_has_a_schema_too() {
    let schema = schema(&Registry::new());
    assert!(valid(
        &schema,
        &schema,
        &json!({ "tenants": { "acme": {} } })
    ));
    assert!(!valid(
        &schema,
        &schema,
        &json!({ "connections": { "a": {} } })
    ));
}

#[test]
fn the_reference_page_names_every_key_of_the_schema() {
    fn keys(schema: &Value, found: &mut Vec<String>) {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            found.push(key.clone());
            keys(property, found);
        }
    }
    let page = reference_markdown(&registry());
    let schema = schema(&registry());
    let mut found = Vec::new();
    keys(&schema, &mut found);
    for def in schema["$defs"].as_object().unwrap().values() {
        keys(def, &mut found);
    }
    assert!(found.len() > 60, "{}", found.len());
    for key in found {
        let named = page.contains(&format!("`{key}`")) || page.contains(&format!(".{key}`"));
        assert!(named, "{key} is not on the page");
    }
    for line in [
        "| `mode` | `dry_run`, `enforce` | `dry_run` |",
        "| `scan.api_key` | secret | required | The API key. |",
        "| `suspend_account` | Keep an account",
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
}

fn answers() -> TemplateAnswers {
    let mut passwords = TemplateConnector::new("onepassword");
    passwords
        .settings
        .insert("account_id".into(), json!("A\"CC"));
    passwords.connection.insert("region".into(), json!("eu"));
    passwords
        .connection
        .insert("client_id".into(), json!("CID"));
    TemplateAnswers {
        tenant: TenantId::new("acme").unwrap(),
        name: "Acme \"GmbH\" \\ Söhne".to_owned(),
        domains: vec!["acme.example".to_owned()],
        protected: vec![Address::new("\"odd\"+x@acme.example").unwrap()],
        connectors: vec![
            TemplateConnector::new("hibp"),
            passwords,
            TemplateConnector::new("email"),
            TemplateConnector::new("webhook"),
        ],
    }
}

#[test]
fn what_init_writes_parses_back_to_what_was_answered() {
    let text = template(&answers(), &registry()).unwrap();
    let config = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let acme = config.tenants.values().next().unwrap();
    assert_eq!(acme.name, "Acme \"GmbH\" \\ Söhne");
    assert_eq!(acme.protected, ["\"odd\"+x@acme.example"]);
    assert_eq!(acme.connectors.len(), 4);
    let passwords = acme.connectors.values().find(|c| c.kind == "onepassword");
    assert_eq!(passwords.unwrap().settings["account_id"], "A\"CC");
    let connection = config
        .connections
        .values()
        .find(|c| c.kind == "onepassword");
    assert_eq!(connection.unwrap().scan_text("client_id"), Some("CID"));
    assert!(connection.unwrap().respond.is_none());
    let table: toml::Table = toml::from_str(&text).unwrap();
    assert!(satisfies(&json!(table)));
    for line in [
        "endpoints = { url = \"https://change-me.example\" }",
        "scan = { api_key = { env = \"HIBP_API_KEY\" } }",
        "# respond = { client_id = \"CID\", client_secret = { env = \"ONEPASSWORD_RESPOND_CLIENT_SECRET\" } }",
        "# cadence = \"every_window\"",
    ] {
        assert!(
            text.lines().any(|written| written == line),
            "{line}\n{text}"
        );
    }
}

#[test]
fn every_commented_line_that_init_writes_parses_as_well() {
    let text = template(&answers(), &registry()).unwrap();
    let uncommented: Vec<_> = text
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|rest| rest.contains(" = "))
                .unwrap_or(line)
        })
        .collect();
    let text = uncommented.join("\n").replace("CHANGE-ME", "x");
    let config = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(
        config
            .connections
            .values()
            .filter(|c| c.respond.is_some())
            .count(),
        2
    );
}

#[test]
fn init_refuses_an_answer_that_cannot_be_right() {
    let mut answers = answers();
    answers.domains = vec!["not a domain".to_owned()];
    let error = template(&answers, &registry()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "config_invalid { field: tenants.acme.domains[0], tenant: acme }: \
         not a domain: write it like \"acme.example\""
    );
}

#[test]
fn init_refuses_a_kind_that_there_is_not() {
    let mut answers = answers();
    answers.connectors.push(TemplateConnector::new("hibpp"));
    let error = template(&answers, &registry()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unsupported: unknown kind of connector `hibpp`; did you mean `hibp`?"
    );
}
