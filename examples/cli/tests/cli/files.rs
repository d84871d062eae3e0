use std::fs;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Vendors, protect};

#[test]
fn init_writes_a_configuration_that_opens_and_never_writes_over_one() {
    let folder = TempDir::new().unwrap();
    let words = [
        "init",
        "--yes",
        "--tenant",
        "acme",
        "--domains",
        "acme.example",
        "--connectors",
        "hibp",
        "--json",
    ];
    let written = protect(folder.path(), &words).good();
    assert_eq!(written["variables"], json!(["HIBP_API_KEY"]));
    let text = fs::read_to_string(folder.path().join("protect.toml")).unwrap();
    assert!(text.starts_with('#'), "{text}");
    assert!(text.contains("mode = \"dry_run\""), "{text}");
    protect(folder.path(), &["status", "--json"]).good();
    let doctor = protect(folder.path(), &["doctor"]);
    assert_eq!(doctor.status, 2, "{doctor:?}");
    assert!(doctor.out.contains("HIBP_API_KEY"), "{doctor:?}");

    let again = protect(folder.path(), &["init", "--yes", "--tenant", "other"]);
    assert_eq!(again.status, 2, "{again:?}");
    assert_eq!(
        fs::read_to_string(folder.path().join("protect.toml")).unwrap(),
        text
    );
}

#[test]
fn what_init_writes_for_every_connector_opens_once_it_is_filled_in() {
    let folder = TempDir::new().unwrap();
    let words = ["init", "--yes", "--domains", "acme.example", "--json"];
    protect(folder.path(), &words).good();
    let path = folder.path().join("protect.toml");
    let text = fs::read_to_string(&path).unwrap();
    let unfilled = protect(folder.path(), &["status"]);
    assert_eq!(unfilled.status, 2, "{unfilled:?}");
    assert!(unfilled.err.contains("subject"), "{}", unfilled.err);
    let account = "account_id = \"CHANGE-ME\"";
    assert!(text.contains(account), "{text}");
    let filled = text
        .replace(account, "account_id = \"ABCDEFGHIJKLMNOPQRSTUVWXYZ\"")
        .replace(
            "tenant_id = \"CHANGE-ME\"",
            "tenant_id = \"acme.onmicrosoft.com\"",
        )
        .replace(
            "subject = \"CHANGE-ME\"",
            "subject = \"admin@acme.example\"",
        )
        .replace(
            "client_id = \"CHANGE-ME\"",
            "client_id = \"11111111-1111-4111-8111-111111111111\"",
        );
    fs::write(&path, filled).unwrap();
    let status = protect(folder.path(), &["status", "--json"]).good();
    let connectors = status["tenants"][0]["connectors"].as_array().unwrap();
    let registry = protect_connectors::registry();
    let unasked = registry.specs().filter(|spec| !spec.by_choice);
    assert_eq!(connectors.len(), unasked.count());
}

#[test]
fn init_asks_nobody_where_nobody_can_answer() {
    let folder = TempDir::new().unwrap();
    let ran = protect(folder.path(), &["init"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.err.contains("--yes"), "{}", ran.err);
    assert!(!folder.path().join("protect.toml").exists());
}

#[test]
fn evaluate_says_of_each_breach_how_bad_it_is_and_why() {
    let folder = TempDir::new().unwrap();
    let breach = json!([{
        "Name": "Example", "Title": "Example", "Domain": "shop.example", "BreachDate": "2020-01-01",
        "AddedDate": "2020-02-01T00:00:00Z", "ModifiedDate": "2020-02-01T00:00:00Z", "PwnCount": 10,
        "Description": "In 2020, Example exposed email addresses and passwords stored in plain text.",
        "LogoPath": "", "Attribution": null, "DisclosureUrl": null,
        "DataClasses": ["Email addresses", "Passwords"], "IsVerified": true, "IsFabricated": false,
        "IsSensitive": false, "IsRetired": false, "IsSpamList": false, "IsMalware": false,
        "IsSubscriptionFree": false, "IsStealerLog": false
    }]);
    fs::write(folder.path().join("breaches.json"), breach.to_string()).unwrap();
    let ran = protect(
        folder.path(),
        &["evaluate", "hibp", "breaches.json", "--json"],
    );
    assert_eq!(ran.status, 0, "{ran:?}");
    let results = ran.json();
    assert_eq!(results[0]["name"], "Example");
    assert_eq!(results[0]["form"], "plaintext");
    assert_eq!(results[0]["severity"], "critical");
    assert!(results[0]["confidence"].is_string());
    assert!(!results[0]["reasons"].as_array().unwrap().is_empty());

    fs::write(folder.path().join("breaches.json"), "{").unwrap();
    let ran = protect(folder.path(), &["evaluate", "hibp", "breaches.json"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.err.contains("breaches.json"), "{}", ran.err);
    let ran = protect(folder.path(), &["evaluate", "hibp", "nowhere.json"]);
    assert_eq!(ran.status, 2, "{ran:?}");
}

#[test]
fn evidence_is_exported_signed_and_verified_from_the_files_alone() {
    let vendors = Vendors::start();
    let folder = vendors.folder.path();
    assert_eq!(vendors.protect(&["scan"]).status, 0);
    let unsigned = vendors.protect(&["evidence", "checkpoint"]);
    assert_eq!(unsigned.status, 2, "{unsigned:?}");
    assert!(unsigned.err.contains("ledger.key"), "{}", unsigned.err);

    fs::write(folder.join("seed"), "07".repeat(32)).unwrap();
    vendors.reconfigure(
        "[connections.hibp]",
        "[ledger]\nkey = { file = \"seed\" }\n\n[connections.hibp]",
    );
    vendors
        .protect(&["evidence", "export", "-o", "all.ndjson", "--json"])
        .good();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let file = fs::metadata(folder.join("all.ndjson")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
    let signed = vendors
        .protect(&["evidence", "checkpoint", "-o", "head", "--json"])
        .good();
    let key = signed["public_key"].as_str().unwrap();
    let verify = [
        "evidence",
        "verify",
        "all.ndjson",
        "--checkpoint",
        "head",
        "--key",
        key,
        "--json",
    ];
    let report = protect(folder, &verify).good();
    assert_eq!(report["valid"], true);
    assert_eq!(report["checkpoint"], "signed");

    let all = fs::read_to_string(folder.join("all.ndjson")).unwrap();
    let lines: Vec<_> = all.lines().collect();
    let cut = lines[..lines.len() - 1].join("\n") + "\n";
    fs::write(folder.join("all.ndjson"), cut).unwrap();
    let ran = protect(folder, &verify);
    assert_eq!(ran.status, 3, "{ran:?}");
    assert_eq!(ran.json()["valid"], false);
}

#[test]
fn schemas_and_completions_are_printed() {
    let folder = TempDir::new().unwrap();
    let listed = protect(folder.path(), &["schema", "--json"]).good();
    assert!(
        listed["schemas"]
            .as_array()
            .unwrap()
            .contains(&json!("config"))
    );
    let ran = protect(folder.path(), &["schema", "config"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(ran.json()["title"], "protect.toml");
    let plan = protect(folder.path(), &["schema", "Plan"]);
    assert_eq!(plan.json()["type"], "object", "{plan:?}");
    let unknown = protect(folder.path(), &["schema", "Plane"]);
    assert_eq!(unknown.status, 2, "{unknown:?}");
    let completions = protect(folder.path(), &["completions", "bash"]);
    assert!(completions.out.contains("_protect"), "{completions:?}");
}
