use jiff::SignedDuration;
use protect_core::connector::ScanPage;
use protect_core::model::{CheckResult, FindingKind, Observation, Verdict};
use protect_google::PERMISSIONS;
use serde_json::json;

use crate::world::{World, map};

const STRONG: &str = "google.auth.password_strength";
const DRIFT: &str = "google.drift.setting_changed";

fn drift(pages: &[ScanPage]) -> Vec<Observation> {
    let all = pages.iter().flat_map(|page| page.observations.clone());
    all.filter(|it| it.check.as_str() == DRIFT).collect()
}

fn verdict(pages: &[ScanPage], check: &str) -> CheckResult {
    let mut all = pages.iter().flat_map(|page| page.verdicts.clone());
    all.find(|it| it.check.as_str() == check).unwrap()
}

/// What the product asks for, and the names of the org units.
fn scopes() -> Vec<&'static str> {
    let mut scopes = PERMISSIONS.to_vec();
    scopes.push("https://www.googleapis.com/auth/admin.directory.orgunit.readonly");
    scopes
}

/// Somebody sets whether strong passwords are enforced, for everybody.
async fn set_strong(world: &World, value: &str) {
    set(world, Some(value)).await;
}

/// The same, to a value that the event may not say.
async fn set(world: &World, value: Option<&str>) {
    let units = world.watcher().org_units().await;
    let root = units
        .unwrap()
        .into_iter()
        .find(|it| it.org_unit_path == "/");
    let parameter = |name: &str, value: &str| json!({ "name": name, "value": value });
    let root = root.unwrap().name.unwrap();
    let mut parameters = vec![
        parameter("APPLICATION_NAME", "Security"),
        parameter(
            "SETTING_NAME",
            "Password Management - Enforce strong password",
        ),
        parameter("ORG_UNIT_NAME", &root),
    ];
    parameters.extend(value.map(|value| parameter("NEW_VALUE", value)));
    let activity = json!({
        "actor": { "callerType": "USER", "email": world.own.google_subject },
        "events": [{
            "type": "APPLICATION_SETTINGS",
            "name": "CHANGE_APPLICATION_SETTING",
            "parameters": parameters,
        }],
    });
    let added = world
        .sandbox
        .append_google_activities("admin", vec![map(&activity)]);
    assert!(added);
}

#[tokio::test]
async fn a_setting_that_is_no_longer_what_it_was_is_drift_and_told_once() {
    let world = World::new().await;
    let connector = world.connector(&json!({}));
    let first = world.run(&*connector, None).await;
    assert!(drift(&first).is_empty(), "nothing was known before");
    set_strong(&world, "off").await;
    world.sandbox.advance_clock(SignedDuration::from_hours(25));
    let second = world.run(&*connector, first.last().cloned()).await;
    let told = drift(&second);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0].kind, FindingKind::Drift);
    assert_eq!(told[0].details["before"], "on");
    assert_eq!(told[0].details["after"], "off");
    world.sandbox.advance_clock(SignedDuration::from_hours(25));
    let third = world.run(&*connector, second.last().cloned()).await;
    assert!(drift(&third).is_empty());
    world.assert_lawful();
}

#[tokio::test]
async fn what_was_learnt_once_outlives_the_log() {
    let world = World::new().await;
    world.delegate("scan", &scopes());
    let connector = world.connector(&json!({}));
    let first = world.run(&*connector, None).await;
    assert_eq!(verdict(&first, STRONG).verdict, Verdict::Pass);
    let hundred_days = SignedDuration::from_hours(100 * 24);
    world.sandbox.advance_clock(hundred_days);
    let first = world.run(&*connector, first.last().cloned()).await;
    world.sandbox.advance_clock(hundred_days);
    let forgotten = world.judged().await;
    let alone = forgotten.iter().find(|it| it.check.as_str() == STRONG);
    assert_eq!(
        alone.unwrap().verdict,
        Verdict::NotEvaluated,
        "the log has forgotten"
    );
    let second = world.run(&*connector, first.last().cloned()).await;
    let remembered = verdict(&second, STRONG);
    assert_eq!(remembered.verdict, Verdict::Pass, "{}", remembered.reason);
    set_strong(&world, "off").await;
    world.sandbox.advance_clock(SignedDuration::from_hours(25));
    let third = world.run(&*connector, second.last().cloned()).await;
    assert_eq!(
        verdict(&third, STRONG).verdict,
        Verdict::Fail,
        "what is newer goes before"
    );
    assert_eq!(drift(&third).len(), 1);
}

#[tokio::test]
async fn what_was_seen_before_a_gap_that_the_log_does_not_span_decides_nothing() {
    let world = World::new().await;
    world.delegate("scan", &scopes());
    let connector = world.connector(&json!({}));
    let first = world.run(&*connector, None).await;
    assert_eq!(verdict(&first, STRONG).verdict, Verdict::Pass);
    let gap = SignedDuration::from_hours(190 * 24);
    world.sandbox.advance_clock(gap);
    let second = world.run(&*connector, first.last().cloned()).await;
    assert_eq!(verdict(&second, STRONG).verdict, Verdict::NotEvaluated);
    world.sandbox.advance_clock(SignedDuration::from_hours(25));
    let third = world.run(&*connector, second.last().cloned()).await;
    assert_eq!(
        verdict(&third, STRONG).verdict,
        Verdict::NotEvaluated,
        "it is let go"
    );
}

#[tokio::test]
async fn without_the_log_nothing_is_decided_by_what_was_seen_before() {
    let world = World::new().await;
    world.delegate("scan", &scopes());
    let connector = world.connector(&json!({}));
    let first = world.run(&*connector, None).await;
    let without_log: Vec<_> = scopes()
        .into_iter()
        .filter(|it| !it.contains("audit"))
        .collect();
    world.delegate("scan", &without_log);
    world.sandbox.advance_clock(SignedDuration::from_hours(25));
    let second = world.run(&*connector, first.last().cloned()).await;
    assert_eq!(verdict(&second, STRONG).verdict, Verdict::NotEvaluated);
    assert!(drift(&second).is_empty());
}

#[tokio::test]
async fn a_change_to_nobody_knows_what_is_not_forgotten_with_the_log() {
    let world = World::new().await;
    world.delegate("scan", &scopes());
    let connector = world.connector(&json!({}));
    let first = world.run(&*connector, None).await;
    assert_eq!(verdict(&first, STRONG).verdict, Verdict::Pass);
    set(&world, None).await;
    let mut last = first.last().cloned();
    for _ in 0..2 {
        world
            .sandbox
            .advance_clock(SignedDuration::from_hours(100 * 24));
        let pages = world.run(&*connector, last).await;
        assert_eq!(verdict(&pages, STRONG).verdict, Verdict::NotEvaluated);
        last = pages.last().cloned();
    }
}
