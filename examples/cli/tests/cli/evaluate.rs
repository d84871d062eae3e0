use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::protect;

const GUESTS: &str = "m365.guest.access_restricted";

fn snapshot() -> Value {
    json!({
        "provider": "m365", "tenant_id": "t", "collected_at": "2026-11-01T00:00:00Z",
        "granted": ["Policy.Read.All"],
        "resources": {
            "/policies/adminConsentRequestPolicy": { "isEnabled": false },
            "/policies/authorizationPolicy": {
                "guestUserRoleId": "10dae51f-b6af-4016-8d66-8c2a99b929b3",
                "allowInvitesFrom": "none",
                "defaultUserRolePermissions": {
                    "allowedToCreateApps": true, "permissionGrantPoliciesAssigned": []
                }
            }
        }
    })
}

fn write(folder: &Path, name: &str, value: &Value) {
    fs::write(folder.join(name), value.to_string()).unwrap();
}

fn verdict(results: &Value, check: &str) -> Value {
    let mut results = results.as_array().unwrap().iter();
    results.find(|it| it["check"] == check).unwrap()["verdict"].clone()
}

#[test]
fn a_snapshot_of_google_workspace_is_judged_by_its_own_checks() {
    let folder = TempDir::new().unwrap();
    let user =
        |id: &str| json!({ "id": id, "isAdmin": true, "suspended": false, "archived": false });
    let customer = json!({
        "provider": "google", "customer_id": "C01", "collected_at": "2026-11-01T00:00:00Z",
        "users": [user("1"), user("2")]
    });
    write(folder.path(), "one.json", &customer);
    let ran = protect(folder.path(), &["evaluate", "google", "one.json", "--json"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let results = ran.json();
    assert_eq!(results.as_array().unwrap().len(), 54);
    assert_eq!(verdict(&results, "google.admin.super_admin_min"), "pass");
    assert_eq!(verdict(&results, "google.gmail.links"), "not_evaluated");
}

#[test]
fn a_snapshot_is_one_list_of_results() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "one.json", &snapshot());
    let ran = protect(folder.path(), &["evaluate", "m365", "one.json", "--json"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let results = ran.json();
    assert_eq!(results.as_array().unwrap().len(), 60);
    assert_eq!(verdict(&results, GUESTS), "pass");
    assert_eq!(
        verdict(&results, "m365.app.user_registration_blocked"),
        "fail"
    );
    let missing = results.as_array().unwrap().iter();
    let missing = missing.filter(|it| it["not_evaluated"] == "missing_permission");
    assert!(missing.count() > 10);
}

#[test]
fn for_people_the_worst_comes_first_and_a_line_sums_up() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "one.json", &snapshot());
    let ran = protect(folder.path(), &["evaluate", "m365", "one.json"]);
    let worst = ran.out.find("critical").unwrap();
    assert!(worst < ran.out.find("high").unwrap(), "{}", ran.out);
    assert!(
        ran.out
            .contains("2 fail (1 high, 1 medium), 3 pass, 55 not evaluated"),
        "{}",
        ran.out
    );
}

#[test]
fn the_exit_status_says_what_was_asked() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "one.json", &snapshot());
    let status = |words: &[&str]| {
        let words = [&["evaluate", "m365", "one.json"], words].concat();
        protect(folder.path(), &words).status
    };
    assert_eq!(status(&["--fail-on", "high"]), 1);
    assert_eq!(status(&["--fail-on", "critical"]), 0);
    assert_eq!(status(&["--strict"]), 3);
    assert_eq!(status(&["--profile", "scubba"]), 2);
    let mut busy = snapshot();
    busy["resources"]["/policies/authorizationPolicy"] =
        json!({ "error": { "code": "TooManyRequests" } });
    write(folder.path(), "one.json", &busy);
    assert_eq!(status(&[]), 3);
}

#[test]
fn a_configuration_that_was_named_changes_a_check_and_a_wrong_one_is_refused() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "one.json", &snapshot());
    let strict = json!({ "profile": "cis", "checks": { GUESTS: { "level": "strict" } } });
    write(folder.path(), "checks.json", &strict);
    let words = [
        "evaluate",
        "m365",
        "one.json",
        "--config",
        "checks.json",
        "--json",
    ];
    assert_eq!(
        verdict(&protect(folder.path(), &words).json(), GUESTS),
        "fail"
    );
    for wrong in [
        json!({ "checks": { GUESTS: { "level": "sternly" } } }),
        json!({ "checks": { "m365.guest.acces_restricted": {} } }),
        json!({ "check": {} }),
        json!([]),
    ] {
        write(folder.path(), "checks.json", &wrong);
        let ran = protect(folder.path(), &words);
        assert_eq!(ran.status, 2, "{wrong}: {ran:?}");
    }
}

#[test]
fn a_folder_of_snapshots_is_a_line_each_and_a_bad_one_hides_no_other() {
    let folder = TempDir::new().unwrap();
    let many = folder.path().join("many");
    let parts = many.join("b");
    fs::create_dir_all(&parts).unwrap();
    write(&many, "a.json", &snapshot());
    let mut manifest = snapshot();
    manifest["resources"] = json!({ "/policies/adminConsentRequestPolicy": "1.ndjson" });
    write(&parts, "manifest.json", &manifest);
    write(&parts, "1.ndjson", &json!({ "isEnabled": true }));
    let ran = protect(folder.path(), &["evaluate", "m365", "many", "--json"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let lines: Vec<Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let files: Vec<_> = lines
        .iter()
        .map(|line| line["file"].as_str().unwrap())
        .collect();
    assert_eq!(files, ["a.json", "b"]);
    let workflow = "m365.app.admin_consent_workflow";
    assert_eq!(verdict(&lines[0]["results"], workflow), "fail");
    assert_eq!(verdict(&lines[1]["results"], workflow), "pass");

    fs::write(many.join("a.json"), "{").unwrap();
    let ran = protect(folder.path(), &["evaluate", "m365", "many", "--json"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert_eq!(ran.out.lines().count(), 2, "{}", ran.out);
    let alone = protect(folder.path(), &["evaluate", "m365", "many/b", "--json"]);
    assert_eq!(verdict(&alone.json(), workflow), "pass");
}

#[test]
fn what_is_no_snapshot_of_ours_is_wrong_use_with_the_reason() {
    let folder = TempDir::new().unwrap();
    let mut newer = snapshot();
    newer["version"] = 2.into();
    let other = json!({ "provider": "google", "resources": {} });
    for (text, reason) in [
        ("{".to_owned(), "not JSON"),
        (other.to_string(), "not a snapshot of m365"),
        (newer.to_string(), "newer version"),
    ] {
        fs::write(folder.path().join("one.json"), text).unwrap();
        let ran = protect(folder.path(), &["evaluate", "m365", "one.json"]);
        assert_eq!(ran.status, 2, "{ran:?}");
        assert!(ran.err.contains(reason), "{}", ran.err);
    }
    let ran = protect(folder.path(), &["evaluate", "m365", "nowhere"]);
    assert_eq!(ran.status, 2, "{ran:?}");
}
