use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ran, protect};

fn demo(words: &[&str]) -> Ran {
    let folder = TempDir::new().unwrap();
    protect(folder.path(), &[&["demo"], words].concat())
}

fn states(story: &Value) -> Vec<&str> {
    let accounts = story["proof"]["accounts"].as_array().unwrap();
    accounts
        .iter()
        .map(|account| account["state"].as_str().unwrap())
        .collect()
}

fn names(story: &Value) -> Vec<&str> {
    let accounts = story["proof"]["accounts"].as_array().unwrap();
    accounts
        .iter()
        .map(|account| account["name"].as_str().unwrap())
        .collect()
}

fn assert_second_walk_opened_nothing(story: &Value) {
    let second = &story["second"];
    assert_eq!(
        second["found"]["scan"]["incidents"]["opened"],
        serde_json::json!([])
    );
    assert_eq!(second["done"]["plan"]["actions"], serde_json::json!([]));
    assert_eq!(second["changes_at_vendors"], 0);
}

#[test]
fn the_demo_ends_in_suspended_accounts_tickets_a_report_and_verified_evidence() {
    let story = demo(&["--json"]).good();
    assert_eq!(states(&story), ["suspended"; 4]);
    let vendors: Vec<_> = story["proof"]["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|account| account["vendor"].as_str().unwrap())
        .collect();
    assert_eq!(
        vendors,
        ["Microsoft 365", "1Password", "Microsoft 365", "1Password"]
    );
    assert_eq!(story["mistake"]["account"]["state"], "active");
    let tickets = story["proof"]["tickets"].as_array().unwrap();
    assert_eq!(tickets.len(), 2);
    for ticket in tickets {
        assert_eq!(ticket["items"].as_array().unwrap().len(), 1);
        assert_eq!(ticket["items"][0]["status"], "open");
    }
    let resets = story["proof"]["resets"].as_array().unwrap();
    assert!(!resets.is_empty());
    assert!(
        resets.iter().all(|reset| reset["status"] == "completed"),
        "{resets:?}"
    );
    let handed_in = story["handed_in"]["steps"].as_array().unwrap();
    assert!(!handed_in.is_empty());
    assert!(
        handed_in
            .iter()
            .all(|step| step["outcome"]["status"] == "applied")
    );
    assert!(story["proof"]["score"]["total"].is_u64());
    let evidence = &story["proof"]["evidence"]["verified"];
    assert_eq!(evidence["valid"], true);
    assert_eq!(evidence["checkpoint"], "signed");
    assert_eq!(story["proof"]["violations"], 0);
    assert_second_walk_opened_nothing(&story);
}

#[test]
fn another_seed_gives_other_names_and_the_same_story() {
    let one = demo(&["--json", "--seed", "1"]).good();
    let two = demo(&["--json", "--seed", "2"]).good();
    assert_eq!(states(&one), states(&two));
    for name in names(&one) {
        assert!(!names(&two).contains(&name), "{name} is in both");
    }
}

#[test]
fn a_suspension_that_fails_is_told_and_makes_the_exit_status_3() {
    let ran = demo(&["--json", "--fault", "suspend_fails"]);
    assert_eq!(ran.status, 3, "{ran:?}");
    let story = ran.json();
    assert_eq!(story["complete"], false);
    assert_eq!(states(&story), ["active"; 4]);
    assert!(story["mistake"].is_null(), "{story}");
    assert_second_walk_opened_nothing(&story);
}

#[test]
fn what_the_vendor_refuses_is_told_and_is_no_failure() {
    let ran = demo(&["--fault", "suspend_refused"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.out.contains("4 actions were refused"), "{}", ran.out);
}

#[test]
fn the_faults_are_listed_and_an_unknown_one_is_wrong_use() {
    let listed = demo(&["--json", "--fault", "list"]).good();
    let faults = listed["faults"].as_array().unwrap();
    assert!(faults.iter().any(|fault| fault["name"] == "suspend_fails"));
    let ran = demo(&["--fault", "suspend_falls"]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("suspend_fails"), "{}", ran.err);
}

#[test]
fn what_the_demo_keeps_can_be_used_and_holds_no_secret() {
    let folder = TempDir::new().unwrap();
    let ran = protect(folder.path(), &["demo", "--keep", "kept"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.out.contains("Have I Been Pwned"), "{}", ran.out);
    let kept = folder.path().join("kept");
    let secrets = [
        "hibp.key",
        "onepassword-scan.secret",
        "onepassword-events.token",
        "onepassword-respond.secret",
        "m365-scan.secret",
        "m365-respond.secret",
        "desk.secret",
        "one-stack-api.key",
        "one-stack-integration.key",
        "ledger.key",
    ];
    let secrets = secrets.map(|name| std::fs::read_to_string(kept.join(name)).unwrap());
    let shown = [
        "protect.toml",
        "protect.db",
        "protect.db-wal",
        "report.html",
        "report.md",
        "evidence.ndjson",
        "evidence.checkpoint",
    ];
    let contents = shown
        .iter()
        .filter_map(|name| std::fs::read(kept.join(name)).ok());
    for content in contents.chain([ran.out.clone().into_bytes(), ran.err.clone().into_bytes()]) {
        let content = String::from_utf8_lossy(&content).into_owned();
        for secret in &secrets {
            assert!(!content.contains(secret.trim()));
        }
    }
    let listed = protect(&kept, &["findings", "--json"]).good();
    assert!(listed["findings"].as_array().unwrap().len() >= 2);
    let again = protect(folder.path(), &["demo", "--keep", "kept"]);
    assert_eq!(again.status, 2, "{again:?}");
    assert!(again.err.contains("not empty"), "{}", again.err);
}

#[test]
fn a_person_leaves_and_nothing_of_theirs_is_open_although_one_vendor_refused_at_first() {
    let folder = TempDir::new().unwrap();
    let ran = protect(
        folder.path(),
        &["demo", "leaving", "--json", "--keep", "kept"],
    );
    let story = ran.good();
    let steps = |part: &str, outcome: &str| {
        let all = story[part]["steps"].as_array().unwrap().iter();
        all.filter(|step| step["outcome"]["status"] == outcome)
            .count()
    };
    assert_eq!(steps("first", "refused"), 1);
    assert_eq!(steps("second", "refused"), 0);
    let problem = &story["problems"][0];
    assert_eq!(problem["severity"], "critical");
    assert!(story["ticket"].is_string(), "the refusal is told aloud");
    let accounts = story["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 4);
    for account in accounts {
        assert_eq!(account["state"], "suspended", "{account}");
    }
    assert_eq!(story["workflow"]["status"], "completed");
    assert_eq!(story["access"][0]["status"], "completed");
    assert_eq!(
        story["watched"],
        serde_json::json!({ "times": 1, "now": 0 })
    );
    assert_eq!(story["evidence"]["verified"]["valid"], true);
    assert_eq!(story["violations"], 0);
    let page = std::fs::read_to_string(folder.path().join("kept/evidence.html")).unwrap();
    assert!(page.contains("Access is gone everywhere."));
    assert!(!page.contains("<script") && !page.contains("src=\"http"));
}
