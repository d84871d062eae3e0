use tempfile::TempDir;

use crate::support::{Vendors, protect};

#[test]
fn without_a_configuration_the_first_step_is_named() {
    let folder = TempDir::new().unwrap();
    let ran = protect(folder.path(), &["scan"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.err.contains("protect init"), "{}", ran.err);
    assert!(ran.err.contains("protect demo"), "{}", ran.err);
    assert_eq!(ran.out, "");
}

#[test]
fn an_unknown_key_names_the_nearest_one_and_its_place() {
    let vendors = Vendors::start();
    vendors.reconfigure("domains = [", "domanis = [");
    let ran = vendors.protect(&["status"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    for words in ["domanis", "`domains`", "tenants.acme", "acme"] {
        assert!(ran.err.contains(words), "{words} is missing: {}", ran.err);
    }
    let ran = vendors.protect(&["status", "--json"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    let error = ran.json();
    assert_eq!(error["kind"], "config_invalid");
    assert_eq!(error["complete"], false);
    assert_eq!(error["problems"][0]["tenant"], "acme");
    assert_eq!(error["problems"][0]["suggestion"], "domains");
}

#[test]
fn a_rule_with_an_unknown_value_names_tenant_and_rule() {
    let vendors = Vendors::start();
    vendors.reconfigure("suspicious_sign_in", "suspicious_signin");
    let ran = vendors.protect(&["scan"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    for words in ["suspicious_sign_in", "flagged sign-in", "acme"] {
        assert!(ran.err.contains(words), "{words} is missing: {}", ran.err);
    }
}

#[test]
fn a_secret_that_is_missing_is_named() {
    let mut vendors = Vendors::start();
    vendors.secrets.retain(|(name, _)| name != "HIBP_API_KEY");
    let ran = vendors.protect(&["scan"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.out.contains("HIBP_API_KEY"), "{ran:?}");
}

#[test]
fn what_cannot_be_typed_is_wrong_use_in_text_and_in_json() {
    let folder = TempDir::new().unwrap();
    let ran = protect(
        folder.path(),
        &["request", "suspend_acount", "a@b.example", "--reason", "x"],
    );
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.err.contains("suspend_account"), "{}", ran.err);
    let ran = protect(folder.path(), &["request", "--json"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert_eq!(ran.json()["kind"], "invalid_input");
    let ran = protect(folder.path(), &["undo", "nope", "--reason", "x"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.err.contains("32 hexadecimal digits"), "{}", ran.err);
    assert!(!ran.err.contains("invalid_input"), "{}", ran.err);
    assert_eq!(protect(folder.path(), &["--help"]).status, 0);
    assert_eq!(protect(folder.path(), &["--version"]).status, 0);
    assert_eq!(protect(folder.path(), &["demo", "--log", "=="]).status, 2);
}

#[test]
fn an_unknown_tenant_plan_or_check_is_said_with_what_to_do() {
    let vendors = Vendors::start();
    let ran = vendors.protect(&["status", "--tenant", "acne"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.err.contains("acme"), "{}", ran.err);
    let ran = vendors.protect(&["approve", "0123456789abcdef0123456789abcdef"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.err.contains("no such plan"), "{}", ran.err);
    let ran = vendors.protect(&["checks", "explain", "nothing"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.err.contains("checks list"), "{}", ran.err);
}

#[test]
fn the_catalogue_of_checks_needs_no_configuration() {
    let folder = TempDir::new().unwrap();
    let all = protect(folder.path(), &["checks", "list", "--json"]).good();
    let checks = all["checks"].as_array().unwrap();
    let has = |id: &str| checks.iter().any(|check| check["check"] == id);
    assert!(
        has("hibp.exposure.breach") && has("email.dmarc.missing"),
        "{all}"
    );
    let one = protect(
        folder.path(),
        &["checks", "explain", "hibp.exposure.breach"],
    );
    assert_eq!(one.status, 0, "{one:?}");
    assert!(one.out.contains("hibp"), "{one:?}");
    let named = protect(folder.path(), &["checks", "list", "--config", "gone.toml"]);
    assert_eq!(named.status, 2, "{named:?}");
}
