use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::{EXAMPLE, example_with, parse, registry};
use crate::config::{
    ApprovalMode, Condition, Config, ConfigFormat, SelfApproval, SeverityBound, StoreConfig,
    TenantScope, UnverifiedActors, When,
};
use crate::model::{ActionKind, Address, ConnectionName, FindingKind, Mode, Severity, TenantId};
use crate::secret::SecretRef;

fn acme(config: &Config) -> &crate::config::TenantConfig {
    &config.tenants[&TenantId::new("acme").unwrap()]
}

#[test]
fn the_example_of_the_design_becomes_what_it_says() {
    let config = parse(EXAMPLE).unwrap();
    assert_eq!(config.mode, Mode::DryRun);
    assert_eq!(
        config.store,
        StoreConfig::Sqlite {
            path: PathBuf::from("protect.db")
        }
    );
    let connections: Vec<_> = config
        .connections
        .keys()
        .map(ConnectionName::as_str)
        .collect();
    assert_eq!(connections, ["acme-passwords", "hibp"]);
    let passwords = config.connections.values().next().unwrap();
    assert_eq!(passwords.settings["region"], "eu");
    assert_eq!(passwords.scan_text("client_id"), Some("..."));
    assert_eq!(
        passwords.respond_secret("client_secret"),
        Some(SecretRef::Env {
            env: "OP_RESPOND_SECRET".to_owned()
        })
    );
    assert_eq!(
        config.connections.values().nth(1).unwrap().tenants,
        TenantScope::Every
    );

    let acme = acme(&config);
    assert_eq!(acme.name, "Acme GmbH");
    assert!(acme.monitor.domains);
    assert_eq!(acme.monitor.directories[0].as_str(), "passwords");
    assert_eq!(acme.route[&ActionKind::ForcePasswordReset], ["passwords"]);
    let kinds: Vec<_> = acme.connectors.values().map(|c| c.kind.as_str()).collect();
    assert_eq!(kinds, ["hibp", "email", "onepassword"]);
    let rule = &acme.rules[0];
    assert_eq!(
        rule.when,
        When::All(vec![
            When::Is(Condition::Kind(vec![FindingKind::CredentialExposure])),
            When::Is(Condition::Severity(SeverityBound::AtLeast(Severity::High))),
        ])
    );
    assert_eq!(rule.then[1].parameters["template"], "dark_web_alert");
    assert_eq!(rule.approval, ApprovalMode::Required);
}

#[test]
fn json_of_the_same_shape_means_the_same() {
    let value = example_with("", "mode", json!("dry_run"));
    let from_json = Config::parse(&value.to_string(), ConfigFormat::Json, &registry()).unwrap();
    let from_toml = parse(EXAMPLE).unwrap();
    assert_eq!(from_json, from_toml);
}

#[test]
fn debug_shows_no_address_no_url_and_no_field_of_a_credential() {
    let text = EXAMPLE
        .replace("client_id = \"...\"", "client_id = \"canary\"")
        .replacen(
            "kind = \"hibp\"",
            "kind = \"hibp\"\nendpoints.api = \"https://canary.example\"",
            1,
        );
    let shown = format!("{:?}", parse(&text).unwrap());
    for hidden in ["canary", "breakglass", "ceo@"] {
        assert!(!shown.contains(hidden), "{hidden}: {shown}");
    }
}

#[test]
fn null_counts_as_left_out() {
    let value = example_with("", "store", json!(null));
    let config = Config::from_value(&value, &registry()).unwrap();
    assert_eq!(config.store, StoreConfig::Memory);
}

#[test]
fn relative_paths_are_resolved_against_the_folder_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("protect.toml");
    let text = EXAMPLE.replace(
        "kind = \"email\"",
        "kind = \"email\"\nreports = \"reports\"",
    );
    std::fs::write(&path, text).unwrap();
    let config = Config::load(&path, &registry()).unwrap();
    let at = |name: &str| folder.path().join(name);
    assert_eq!(
        config.store,
        StoreConfig::Sqlite {
            path: at("protect.db")
        }
    );
    assert_eq!(
        config.ledger.key,
        Some(SecretRef::File {
            file: at("ledger.key")
        })
    );
    let acme = acme(&config);
    assert_eq!(acme.monitor.csv.as_ref().unwrap().path, at("people.csv"));
    let mail = acme.connectors.values().nth(1).unwrap();
    assert_eq!(mail.settings["reports"], json!(at("reports")));
}

#[test]
fn a_file_that_is_not_there_is_a_configuration_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = Config::load(&folder.path().join("none.toml"), &registry()).unwrap_err();
    assert_eq!(
        error.message(),
        "cannot read the configuration: entity not found"
    );
}

#[test]
fn addresses_keep_plus_signs_quotes_and_letters_beyond_ascii_and_lose_capitals() {
    let text = r#"
[tenants.acme]
domains = ["ACME.example.", "Bücher.example"]
protected = [" Break+Glass@ACME.example", "UUID-77"]
monitor = { addresses = ["\"Odd, Name\"@acme.example", "O'Neil+x@Acme.example", "JÖRG@bücher.example", "\"odd.name\"@acme.example"] }
"#;
    let spoilt = parse(text).unwrap_err();
    assert_eq!(spoilt.message(), "not an e-mail address", "white space");

    let config = parse(&text.replace("\"\\\"Odd, Name\\\"@acme.example\", ", "")).unwrap();
    let acme = acme(&config);
    assert_eq!(acme.name, "acme");
    assert_eq!(acme.domains, ["acme.example", "bücher.example"]);
    assert_eq!(acme.protected, ["break+glass@acme.example", "uuid-77"]);
    let addresses: Vec<_> = acme.monitor.addresses.iter().map(Address::as_str).collect();
    assert_eq!(
        addresses,
        [
            "o'neil+x@acme.example",
            "jörg@bücher.example",
            "\"odd.name\"@acme.example"
        ]
    );
}

#[test]
fn settings_reach_the_connector_in_their_own_types() {
    let config = parse(
        r#"
[connections.out]
kind = "webhook"
endpoints = { url = "http://127.0.0.1:9/hook?x=1" }
respond = { signing_secret = { command = ["op", "read", "op://vault/item/field"] } }
tenants = ["acme"]
[tenants.acme.connectors.mail]
kind = "email"
selectors = ["s1", "s2"]
every = "12h"
max_lookups = 10
strict = true
[tenants.acme.connectors.out]
connection = "out"
templates = { dark_web_alert = "Hello" }
"#,
    )
    .unwrap();
    let settings: Vec<_> = acme(&config)
        .connectors
        .values()
        .map(|connector| json!(connector.settings))
        .collect();
    assert_eq!(
        settings,
        [
            json!({ "selectors": ["s1", "s2"], "every": 43200, "max_lookups": 10, "strict": true }),
            json!({ "templates": { "dark_web_alert": "Hello" } }),
        ]
    );
}

#[test]
fn approval_and_guard_have_defaults_and_can_be_set() {
    let default = parse("[tenants.acme]").unwrap();
    assert_eq!(acme(&default).guard.max_accounts, 10);
    assert_eq!(acme(&default).approval.self_approval, SelfApproval::Refuse);
    let set = parse(
        r#"
[tenants.acme]
approval = { self = "allow_recorded", unverified = "refuse", expires = "2h" }
guard = { max_accounts = 0, max_percent = 2.5, cool_down = "1d" }
"#,
    )
    .unwrap();
    let acme = acme(&set);
    assert_eq!(acme.approval.self_approval, SelfApproval::AllowRecorded);
    assert_eq!(acme.approval.unverified, UnverifiedActors::Refuse);
    assert_eq!(acme.approval.expires, Duration::from_hours(2));
    assert_eq!(acme.guard.max_accounts, 0);
    assert!((acme.guard.max_percent - 2.5).abs() < f64::EPSILON);
    assert_eq!(acme.guard.cool_down, Duration::from_hours(24));
}

#[test]
fn an_automatic_rule_says_who_enabled_it_and_a_temporary_action_when_it_ends() {
    let text = EXAMPLE
        .replace(
            "approval = \"required\"",
            "approval = \"auto\"\nenabled_by = \"cto\"",
        )
        .replace(
            "[\"suspend_account\",",
            "[{ action = \"suspend_account\", on = [\"onepassword\"], for = \"24h\" },",
        );
    let config = parse(&text).unwrap();
    let rule = &acme(&config).rules[0];
    assert_eq!(
        rule.approval,
        ApprovalMode::Auto {
            enabled_by: "cto".to_owned()
        }
    );
    assert_eq!(rule.then[0].on, ["onepassword"]);
    assert_eq!(rule.then[0].lasts, Some(Duration::from_hours(24)));
}
