use std::collections::BTreeSet;

use protect_core::ErrorKind;
use protect_core::model::{CheckResult, NotEvaluatedReason as Reason, Verdict};
use protect_m365::{CATALOGUE, PERMISSIONS};
use serde_json::json;

use crate::world::{World, evaluate};

fn fault(world: &World, kind: &str, route: &str) {
    let fault = json!({ "kind": kind, "vendor": "m365", "route": route });
    world
        .sandbox
        .set_fault(serde_json::from_value(fault).unwrap());
}

/// What does not change with the hour.
fn verdicts(results: &[CheckResult]) -> Vec<(String, Verdict, Vec<String>)> {
    let told = |it: &CheckResult| (it.check.to_string(), it.verdict, it.affected.clone());
    results.iter().map(told).collect()
}

fn undecided(results: &[CheckResult], reason: Reason) -> BTreeSet<&str> {
    let found = results.iter().filter(|it| it.not_evaluated == Some(reason));
    found.map(|it| it.check.as_str()).collect()
}

#[tokio::test]
async fn a_full_collection_keeps_to_every_limit_and_every_check_comes_to_a_verdict() {
    let world = World::with_users(1_500).await;
    let results = world.judged().await;
    let open: Vec<_> = results
        .iter()
        .filter(|it| it.not_evaluated.is_some())
        .map(|it| (it.check.as_str(), it.not_evaluated, it.reason.as_str()))
        .collect();
    assert!(open.is_empty(), "{open:#?}");
    assert_eq!(results.len(), CATALOGUE.checks.len());
    world.assert_lawful();
}

#[tokio::test]
async fn what_is_not_granted_is_never_asked_and_only_its_checks_are_left_open() {
    let world = World::new().await;
    world.grant("scan", PERMISSIONS);
    let results = world.judged().await;
    let expected: BTreeSet<_> = CATALOGUE
        .checks
        .iter()
        .filter(|check| !CATALOGUE.lacking(check, PERMISSIONS).is_empty())
        .map(|check| check.id)
        .collect();
    assert_eq!(undecided(&results, Reason::MissingPermission), expected);
    let refused = world.sandbox.requests();
    assert!(refused.iter().all(|it| it.status != 403), "asked in vain");
    world.assert_lawful();
}

#[tokio::test]
async fn one_endpoint_in_trouble_leaves_its_own_checks_open_and_no_other() {
    for (kind, reason) in [
        ("unavailable", Reason::VendorError),
        ("scope_removed", Reason::MissingPermission),
        ("licence_missing", Reason::MissingLicence),
        ("html200", Reason::VendorError),
        ("truncated_json", Reason::VendorError),
        ("redirect_elsewhere", Reason::VendorError),
        ("rate_limited_bare", Reason::VendorError),
    ] {
        let world = World::new().await;
        fault(&world, kind, "/policies/adminConsentRequestPolicy");
        let results = world.judged().await;
        let open: Vec<_> = results
            .iter()
            .filter(|it| it.not_evaluated.is_some())
            .map(|it| (it.check.as_str(), it.not_evaluated))
            .collect();
        let expected = ("m365.app.admin_consent_workflow", Some(reason));
        assert_eq!(open, [expected], "{kind}");
    }
}

#[tokio::test]
async fn pages_that_lead_elsewhere_or_round_in_circles_are_no_collection() {
    for kind in ["next_link_elsewhere", "repeated_page"] {
        let world = World::with_users(1_200).await;
        fault(&world, kind, "/users");
        let results = world.judged().await;
        let open = undecided(&results, Reason::VendorError);
        assert!(
            open.contains("m365.user.stale_accounts"),
            "{kind}: {open:?}"
        );
        assert!(!open.contains("m365.app.admin_consent_workflow"), "{kind}");
        assert!(world.asked("/users") < 60, "{kind}: it ends");
    }
}

#[tokio::test]
async fn an_empty_page_with_a_link_is_not_the_end() {
    let world = World::with_users(1_200).await;
    let whole = verdicts(&world.judged().await);
    world.sandbox.reset();
    let once = json!({ "kind": "empty_page", "vendor": "m365", "route": "/users", "count": 1 });
    world
        .sandbox
        .set_fault(serde_json::from_value(once).unwrap());
    let again = verdicts(&world.judged().await);
    let other: Vec<_> = again.iter().filter(|it| !whole.contains(it)).collect();
    assert!(other.is_empty(), "{other:?}");
}

#[tokio::test]
async fn throttling_is_waited_for_and_changes_no_verdict() {
    let world = World::new().await;
    let whole = verdicts(&world.judged().await);
    for kind in ["rate_limited_seconds", "rate_limited_date", "unavailable"] {
        world.sandbox.reset();
        let fault = json!({ "kind": kind, "vendor": "m365", "count": 3, "skip": 4 });
        world
            .sandbox
            .set_fault(serde_json::from_value(fault).unwrap());
        assert_eq!(verdicts(&world.judged().await), whole, "{kind}");
    }
}

#[tokio::test]
async fn a_collection_that_broke_off_goes_on_where_it_was() {
    let world = World::with_users(1_500).await;
    let folder = tempfile::tempdir().unwrap();
    let fault = json!({ "kind": "close_early", "vendor": "m365", "route": "/users", "skip": 9 });
    world
        .sandbox
        .set_fault(serde_json::from_value(fault).unwrap());
    let error = world.watcher().collect_snapshot(folder.path()).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Unavailable);
    world.sandbox.clear_faults();
    let before = world.asked("conditionalAccess/policies");
    let snapshot = world
        .watcher()
        .collect_snapshot(folder.path())
        .await
        .unwrap();
    assert_eq!(
        world.asked("conditionalAccess/policies"),
        before,
        "not again"
    );
    let results = evaluate(&snapshot);
    assert!(results.iter().all(|it| it.not_evaluated.is_none()));
    let fresh = world.judged().await;
    assert_eq!(verdicts(&results), verdicts(&fresh));
}
