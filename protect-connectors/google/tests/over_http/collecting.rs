use std::collections::BTreeSet;

use protect_core::ErrorKind;
use protect_core::model::{CheckResult, NotEvaluatedReason as Reason, Verdict};
use protect_core::posture::Snapshot;
use protect_google::{CATALOGUE, PERMISSIONS};
use serde_json::json;

use crate::world::{World, evaluate};

/// What does not change with the hour.
fn verdicts(results: &[CheckResult]) -> Vec<(String, Verdict, Vec<String>)> {
    let told = |it: &CheckResult| (it.check.to_string(), it.verdict, it.affected.clone());
    results.iter().map(told).collect()
}

fn undecided(results: &[CheckResult], reason: Reason) -> BTreeSet<&str> {
    let found = results.iter().filter(|it| it.not_evaluated == Some(reason));
    found.map(|it| it.check.as_str()).collect()
}

async fn collected(world: &World) -> (tempfile::TempDir, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = world.watcher().collect_snapshot(folder.path()).await;
    (folder, snapshot.unwrap())
}

#[tokio::test]
async fn a_full_collection_keeps_to_every_limit_and_nothing_is_left_unread() {
    let world = World::with_users(1_200).await;
    let (_folder, snapshot) = collected(&world).await;
    assert_eq!(snapshot.tenant(), world.own.google_customer_id);
    let results = evaluate(&snapshot);
    let (checks, happened) = results.split_at(CATALOGUE.checks.len());
    assert!(
        checks
            .iter()
            .all(|it| CATALOGUE.check(it.check.as_str()).is_some())
    );
    assert!(happened.iter().all(|it| it.verdict == Verdict::Fail));
    for reason in [Reason::MissingPermission, Reason::VendorError] {
        let open = undecided(&results, reason);
        assert!(open.is_empty(), "{reason:?}: {open:?}");
    }
    world.assert_lawful();
}

#[tokio::test]
async fn what_is_not_delegated_is_never_asked_and_only_its_checks_are_left_open() {
    let world = World::new().await;
    world.delegate("scan", PERMISSIONS);
    let (_folder, snapshot) = collected(&world).await;
    let results = evaluate(&snapshot);
    let granted: Vec<_> = snapshot.granted().unwrap().iter().collect();
    assert_eq!(granted.len(), PERMISSIONS.len());
    let expected: BTreeSet<_> = CATALOGUE
        .checks
        .iter()
        .filter(|check| !CATALOGUE.lacking(check, PERMISSIONS).is_empty())
        .map(|check| check.id)
        .collect();
    assert_eq!(undecided(&results, Reason::MissingPermission), expected);
    let requests = world.sandbox.requests();
    let refused = requests.iter().filter(|it| it.status == 403);
    assert_eq!(refused.count(), 0, "asked in vain");
    assert_eq!(world.asked("/policies"), 0);
    world.assert_lawful();
}

#[tokio::test]
async fn one_scope_less_leaves_its_own_checks_open_and_no_other() {
    for missing in PERMISSIONS {
        let world = World::new().await;
        let whole = world.judged().await;
        let rest: Vec<_> = PERMISSIONS
            .iter()
            .copied()
            .filter(|it| it != missing)
            .collect();
        let all = world.watcher().granted_scopes().await.unwrap();
        let all: Vec<_> = all
            .iter()
            .map(String::as_str)
            .filter(|it| it != missing)
            .collect();
        assert!(all.len() > rest.len());
        world.delegate("scan", &all);
        let results = world.judged().await;
        let open = undecided(&results, Reason::MissingPermission);
        assert!(!open.is_empty(), "{missing}");
        for (before, after) in whole.iter().zip(&results) {
            // Where the log was to stand in for a policy, that nothing was seen is all that is left.
            let is_open = after.not_evaluated.is_some();
            assert!(
                is_open || before.verdict == after.verdict,
                "{missing}: {}",
                after.check
            );
        }
    }
}

#[tokio::test]
async fn one_part_in_trouble_leaves_its_own_checks_open_and_no_other() {
    for (kind, reason) in [
        ("unavailable", Reason::VendorError),
        ("html200", Reason::VendorError),
        ("truncated_json", Reason::VendorError),
        ("redirect_elsewhere", Reason::VendorError),
        ("user_rate_limit_exceeded", Reason::VendorError),
        ("api_switched_off", Reason::VendorError),
    ] {
        let world = World::new().await;
        world.fault(&json!({ "kind": kind, "route": "/domains", "count": 100 }));
        let results = world.judged().await;
        let open = undecided(&results, reason);
        let domains: BTreeSet<_> = CATALOGUE
            .checks
            .iter()
            .map(|check| check.id)
            .filter(|id| id.starts_with("google.domain."))
            .collect();
        assert!(open.is_superset(&domains), "{kind}: {open:?}");
        assert!(
            open.iter().all(|id| domains.contains(id)),
            "{kind}: {open:?}"
        );
    }
}

#[tokio::test]
async fn pages_that_lead_round_in_circles_are_no_collection() {
    let world = World::with_users(1_200).await;
    world.fault(&json!({ "kind": "repeated_page", "route": "/users", "count": 100 }));
    let results = world.judged().await;
    let open = undecided(&results, Reason::VendorError);
    assert!(open.contains("google.user.stale"), "{open:?}");
    assert!(world.asked("directory/v1/users") < 30, "it ends");
}

#[tokio::test]
async fn an_empty_page_with_a_token_is_not_the_end_and_an_absent_list_is_an_empty_one() {
    let world = World::with_users(1_200).await;
    let whole = verdicts(&world.judged().await);
    for (kind, route) in [
        ("empty_page", "/users"),
        ("items_absent", "/users"),
        ("items_absent", "/applications/{applicationName}"),
    ] {
        world.sandbox.reset();
        world.fault(&json!({ "kind": kind, "route": route, "count": 1 }));
        let again = verdicts(&world.judged().await);
        let other: Vec<_> = again.iter().filter(|it| !whole.contains(it)).collect();
        assert!(other.is_empty(), "{kind} {route}: {other:?}");
    }
}

#[tokio::test]
async fn throttling_is_waited_for_and_changes_no_verdict() {
    let world = World::new().await;
    let whole = verdicts(&world.judged().await);
    for kind in [
        "rate_limited_seconds",
        "rate_limited_date",
        "rate_limited_bare",
        "unavailable",
        "user_rate_limit_exceeded",
        "rate_limit_exceeded",
        "quota_exceeded",
    ] {
        world.sandbox.reset();
        world.fault(&json!({ "kind": kind, "count": 3, "skip": 12 }));
        assert_eq!(verdicts(&world.judged().await), whole, "{kind}");
    }
}

#[tokio::test]
async fn a_collection_that_broke_off_goes_on_where_it_was() {
    let world = World::with_users(1_200).await;
    let folder = tempfile::tempdir().unwrap();
    // The customer's id and the first page, then nothing.
    world.fault(&json!({
        "kind": "close_early", "route": "directory/v1/users", "skip": 2, "count": 100,
    }));
    let error = world.watcher().collect_snapshot(folder.path()).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Unavailable);
    world.sandbox.clear_faults();
    let before = (world.asked("/domains"), world.asked("directory/v1/users"));
    let snapshot = world.watcher().collect_snapshot(folder.path()).await;
    let results = evaluate(&snapshot.unwrap());
    assert_eq!(world.asked("/domains"), before.0, "not again");
    assert!(world.asked("directory/v1/users") - before.1 <= 4);
    assert_eq!(verdicts(&results), verdicts(&world.judged().await));
}

#[tokio::test]
async fn a_page_token_three_days_old_begins_its_listing_anew_and_nobody_is_there_twice() {
    let world = World::with_users(1_200).await;
    let folder = tempfile::tempdir().unwrap();
    world.fault(&json!({
        "kind": "close_early", "route": "directory/v1/users", "skip": 2, "count": 100,
    }));
    world
        .watcher()
        .collect_snapshot(folder.path())
        .await
        .unwrap_err();
    world.sandbox.clear_faults();
    world
        .sandbox
        .advance_clock(jiff::SignedDuration::from_hours(80));
    world
        .watcher()
        .collect_snapshot(folder.path())
        .await
        .unwrap();
    let users: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .filter(|text| text.contains("\"admin#directory#users\"") && !text.contains("\"run\""))
        .collect();
    let pages: Vec<&str> = users.iter().flat_map(|text| text.lines()).collect();
    let ids: Vec<_> = pages
        .iter()
        .filter_map(|page| serde_json::from_str::<serde_json::Value>(page).ok())
        .flat_map(|page| page["users"].as_array().cloned().unwrap_or_default())
        .map(|user| user["id"].as_str().unwrap().to_owned())
        .collect();
    let once: BTreeSet<_> = ids.iter().collect();
    assert!(ids.len() >= 1_200, "{}", ids.len());
    assert_eq!(once.len(), ids.len());
}

#[tokio::test]
async fn a_service_account_that_nobody_delegated_is_one_clear_error() {
    let world = World::new().await;
    let change = json!({ "standing": "not_delegated" });
    assert!(world.sandbox.edit_google_service_account("scan", change));
    let folder = tempfile::tempdir().unwrap();
    let error = world.watcher().collect_snapshot(folder.path()).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(
        error.message().contains("Domain-wide delegation"),
        "{error}"
    );
    assert_eq!(world.asked("/domains"), 0);
}

#[tokio::test]
async fn events_without_a_name_or_parameters_leave_settings_undecided_by_the_log() {
    let world = World::new().await;
    world.delegate("scan", PERMISSIONS);
    world.fault(
        &json!({ "kind": "bare_events", "route": "/applications/{applicationName}", "count": 100 }),
    );
    let results = world.judged().await;
    let by_log = results
        .iter()
        .filter(|it| it.details.get("evidence").is_some());
    assert_eq!(by_log.count(), 0);
}

#[tokio::test]
async fn dns_is_asked_about_every_verified_domain_and_where_its_records_send_the_reader_on() {
    let world = World::new().await;
    let domains = world.watcher().domains().await.unwrap();
    let (own, lost): (Vec<_>, Vec<_>) = domains.iter().partition(|it| it.verified == Some(true));
    for domain in &own {
        let name = &domain.domain_name;
        world
            .dns
            .set_txt(name, &["v=spf1 redirect=_spf.mail.example"]);
    }
    world
        .dns
        .set_txt("_spf.mail.example", &["v=spf1 redirect=_far.mail.example"]);
    world
        .dns
        .set_txt("_far.mail.example", &["v=spf1 ip4:192.0.2.0/24 -all"]);
    let results = world.judged().await;
    let spf = results
        .iter()
        .find(|it| it.check.as_str() == "google.domain.spf")
        .unwrap();
    for domain in &own {
        assert!(!spf.affected.contains(&domain.domain_name), "{spf:?}");
    }
    let asked: BTreeSet<_> = world
        .dns
        .asked()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert!(asked.contains("_far.mail.example"), "{asked:?}");
    let key = format!("google._domainkey.{}", own[0].domain_name);
    assert!(asked.contains(&key), "{asked:?}");
    for domain in lost {
        assert!(!asked.contains(&domain.domain_name), "it is nobody's");
    }
    world.assert_lawful();
}
