//! The Events API, the scanner and the detections, over HTTP against the sandbox.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;
use protect_core::connector::{Connector, Cursor, ScanPage, ScanRequest};
use protect_core::model::{NotEvaluatedReason, Observation, Signal, Verdict, WatchList};
use protect_sandbox::{Fault, FaultKind};
use serde_json::json;
use support::{NoState, World, map};

/// One run: every page until there is no more.
#[expect(clippy::unwrap_used, reason = "a run that fails fails the test")]
async fn run(
    world: &World,
    connector: &dyn Connector,
    cursor: &mut Option<Cursor>,
) -> Vec<ScanPage> {
    let scanner = connector.as_scanner().unwrap();
    let watched = Arc::new(WatchList::default());
    let mut pages = Vec::new();
    loop {
        let request = ScanRequest {
            cursor: cursor.as_ref(),
            starts_run: pages.is_empty(),
            watched: &watched,
            others: &[],
            state: &NoState,
            forced: false,
        };
        let page = scanner.scan(&world.cx, request).await.unwrap();
        cursor.clone_from(&page.cursor);
        let more = page.more;
        pages.push(page);
        assert!(pages.len() < 50, "the run does not end");
        if !more {
            return pages;
        }
    }
}

fn signals(pages: &[ScanPage]) -> Vec<Signal> {
    pages.iter().flat_map(|page| page.signals.clone()).collect()
}

/// What the engine does with signals, for one run without a past.
fn detect(connector: &dyn Connector, signals: &[Signal]) -> Vec<Observation> {
    let mut found = Vec::new();
    for detection in connector.detections() {
        let mut by_subject: BTreeMap<_, Vec<Signal>> = BTreeMap::new();
        for signal in signals {
            if detection.signal_kinds().contains(&signal.kind.as_str()) {
                by_subject
                    .entry(&signal.subject)
                    .or_default()
                    .push(signal.clone());
            }
        }
        for new in by_subject.values() {
            found.extend(detection.evaluate(new, &[]));
        }
    }
    found
}

fn sign_in(world: &World, uuid: &str) -> serde_json::Map<String, serde_json::Value> {
    let user = world.sandbox.planted().mistyped;
    map(json!({
        "uuid": uuid, "category": "success", "type": "mfa_ok", "details": null, "country": "DE",
        "target_user": {"uuid": user.id, "name": user.name, "email": user.email},
        "client": {"app_name": "1Password for Mac", "ip_address": "192.0.2.200"},
    }))
}

#[tokio::test]
async fn introspection_says_what_the_token_may_read() {
    let world = World::new().await;
    let introspection = world.watcher().introspect().await.unwrap();
    assert_eq!(
        introspection.features,
        ["signinattempts", "itemusages", "auditevents"]
    );
    assert_eq!(
        introspection.account_uuid,
        Some(world.sandbox.credentials().account_id)
    );
}

#[tokio::test]
async fn a_page_of_events_gives_a_cursor_that_continues_it() {
    let world = World::new().await;
    let op = world.watcher();
    let first = op.sign_in_attempts_page(None, None).await.unwrap();
    assert!(!first.items.is_empty() && !first.has_more);
    let second = op
        .sign_in_attempts_page(Some(&first.cursor), None)
        .await
        .unwrap();
    assert!(second.items.is_empty());
    world
        .sandbox
        .append_sign_ins(vec![sign_in(&world, "LATER")]);
    let third = op
        .sign_in_attempts_page(Some(&second.cursor), None)
        .await
        .unwrap();
    assert_eq!(third.items[0].uuid, "LATER");
    assert!(
        op.sign_in_attempts_page(Some("c"), Some(world.sandbox.now()))
            .await
            .is_err()
    );
    assert_eq!(world.violations(), []);
}

#[tokio::test]
async fn a_run_reads_all_three_streams_and_the_next_only_what_is_new() {
    let world = World::new().await;
    let connector = world.connector(json!({}));
    let mut cursor = None;
    let first = run(&world, connector.as_ref(), &mut cursor).await;
    let kinds: BTreeSet<_> = signals(&first)
        .into_iter()
        .map(|signal| signal.kind)
        .collect();
    assert_eq!(kinds.len(), 3);
    assert!(signals(&run(&world, connector.as_ref(), &mut cursor).await).is_empty());
    world
        .sandbox
        .append_sign_ins(vec![sign_in(&world, "LATER")]);
    let third = signals(&run(&world, connector.as_ref(), &mut cursor).await);
    assert_eq!(third.len(), 1);
    assert_eq!(third[0].id, "LATER");
    assert_eq!(world.violations(), []);
}

#[tokio::test]
async fn more_events_than_a_page_holds_come_on_several_and_none_is_lost() {
    let world = World::new().await;
    let connector = world.connector(json!({}));
    let mut cursor = None;
    run(&world, connector.as_ref(), &mut cursor).await;
    let events = (0..2_500)
        .map(|index| sign_in(&world, &format!("E{index}")))
        .collect();
    world.sandbox.append_sign_ins(events);
    let pages = run(&world, connector.as_ref(), &mut cursor).await;
    let ids: BTreeSet<_> = signals(&pages)
        .into_iter()
        .map(|signal| signal.id)
        .collect();
    assert_eq!(ids.len(), 2_500);
    assert_eq!(pages.len(), 3 + 2);
    assert_eq!(world.violations(), []);
}

#[tokio::test]
async fn the_first_poll_goes_back_as_far_as_configured_and_no_further() {
    let world = World::new().await;
    let connector = world.connector(json!({"lookback": 24 * 3_600}));
    let pages = run(&world, connector.as_ref(), &mut None).await;
    let suspicious = world.sandbox.planted().suspicious.id;
    let found = signals(&pages);
    assert!(!found.is_empty());
    assert!(
        found.iter().all(|signal| signal.subject.id == suspicious),
        "only the last day"
    );
}

#[tokio::test]
async fn too_many_requests_end_the_run_and_nothing_is_lost() {
    let world = World::new().await;
    let connector = world.connector(json!({}));
    let limit = Fault::new(FaultKind::RateLimitedSeconds)
        .on("itemusages")
        .seconds(3_600);
    world.sandbox.set_fault(limit);
    let scanner = connector.as_scanner().unwrap();
    let watched = Arc::new(WatchList::default());
    let mut cursor = None;
    let mut cx = world.cx.clone();
    cx.deadline = Some(
        protect_core::clock::Clock::monotonic(world.clock.as_ref())
            + std::time::Duration::from_mins(1),
    );
    for starts_run in [true, false] {
        let request = ScanRequest {
            cursor: cursor.as_ref(),
            starts_run,
            watched: &watched,
            others: &[],
            state: &NoState,
            forced: false,
        };
        match scanner.scan(&cx, request).await {
            Ok(page) => cursor = page.cursor,
            Err(error) => assert_eq!(error.kind(), protect_core::ErrorKind::RateLimited),
        }
    }
    world.sandbox.clear_faults();
    world.clock.advance(std::time::Duration::from_secs(4_000));
    let kinds: BTreeSet<_> = signals(&run(&world, connector.as_ref(), &mut cursor).await)
        .into_iter()
        .map(|signal| signal.kind)
        .collect();
    let left = [
        "onepassword.audit".to_owned(),
        "onepassword.item_usage".to_owned(),
    ];
    assert_eq!(kinds, BTreeSet::from(left));
}

#[tokio::test]
async fn an_event_that_comes_twice_on_a_page_is_one_signal() {
    let world = World::new().await;
    let connector = world.connector(json!({}));
    let mut cursor = None;
    run(&world, connector.as_ref(), &mut cursor).await;
    world
        .sandbox
        .append_sign_ins(vec![sign_in(&world, "TWICE"), sign_in(&world, "TWICE")]);
    let pages = run(&world, connector.as_ref(), &mut cursor).await;
    assert_eq!(signals(&pages).len(), 1);
}

#[tokio::test]
async fn a_malformed_event_is_listed_and_the_page_kept() {
    let world = World::new().await;
    let connector = world.connector(json!({}));
    let mut cursor = None;
    run(&world, connector.as_ref(), &mut cursor).await;
    let mut broken = sign_in(&world, "BROKEN");
    broken.insert("target_user".to_owned(), json!("nobody"));
    world
        .sandbox
        .append_sign_ins(vec![broken, sign_in(&world, "WHOLE")]);
    let pages = run(&world, connector.as_ref(), &mut cursor).await;
    assert_eq!(signals(&pages).len(), 1);
    assert_eq!(pages[0].rejected[0].place, "signinattempts.items[0]");
}

#[tokio::test]
async fn the_planted_burst_and_its_success_are_found_and_nobody_else_is_accused_of_it() {
    let world = World::new().await;
    let connector = world.connector(json!({}));
    let pages = run(&world, connector.as_ref(), &mut None).await;
    let found = detect(connector.as_ref(), &signals(&pages));
    let suspicious = world.sandbox.planted().suspicious.id;
    for check in [
        "onepassword.sign_in.brute_force",
        "onepassword.sign_in.failures_then_success",
    ] {
        let subjects: Vec<_> = found
            .iter()
            .filter(|observation| observation.check.as_str() == check)
            .map(|observation| observation.subject.id.as_str())
            .collect();
        assert_eq!(subjects, [suspicious.as_str()], "{check}");
    }
    assert!(found.iter().all(|observation| observation.from_event));
}

#[tokio::test]
async fn a_stream_that_the_token_may_not_read_is_not_evaluated_and_the_others_go_on() {
    let world = World::new().await;
    world
        .take_features(&["signinattempts", "auditevents"])
        .await;
    let connector = world.connector(json!({}));
    let pages = run(&world, connector.as_ref(), &mut None).await;
    let not_evaluated: Vec<_> = pages
        .iter()
        .flat_map(|page| &page.verdicts)
        .filter(|result| result.verdict == Verdict::NotEvaluated)
        .collect();
    assert_eq!(not_evaluated.len(), 1);
    assert_eq!(
        not_evaluated[0].check.as_str(),
        "onepassword.items.bulk_access"
    );
    assert_eq!(
        not_evaluated[0].not_evaluated,
        Some(NotEvaluatedReason::MissingPermission)
    );
    let kinds: BTreeSet<_> = signals(&pages)
        .into_iter()
        .map(|signal| signal.kind)
        .collect();
    assert_eq!(kinds.len(), 2);
    assert_eq!(world.violations(), [], "the stream was not even asked for");
}

#[tokio::test]
async fn a_stream_that_fails_keeps_its_place_and_the_others_go_on() {
    let world = World::new().await;
    let connector = world.connector(json!({}));
    let mut cursor = None;
    world
        .sandbox
        .set_fault(Fault::new(FaultKind::Unavailable).on("signinattempts"));
    let pages = run(&world, connector.as_ref(), &mut cursor).await;
    let errors = pages
        .iter()
        .flat_map(|page| &page.verdicts)
        .filter(|result| result.not_evaluated == Some(NotEvaluatedReason::VendorError));
    assert!(errors.clone().count() > 0);
    assert!(
        errors
            .clone()
            .all(|result| result.check.as_str().starts_with("onepassword.sign_in."))
    );
    world.sandbox.clear_faults();
    let pages = run(&world, connector.as_ref(), &mut cursor).await;
    assert!(
        signals(&pages)
            .iter()
            .all(|signal| signal.kind == "onepassword.sign_in")
    );
    assert!(
        pages[0]
            .verdicts
            .iter()
            .all(|result| result.verdict == Verdict::Pass)
    );
}

#[tokio::test]
async fn a_cursor_that_the_vendor_forgot_is_begun_again_at_the_last_event() {
    let world = World::new().await;
    let connector = world.connector(json!({}));
    let mut cursor = None;
    let known: BTreeSet<_> = signals(&run(&world, connector.as_ref(), &mut cursor).await)
        .into_iter()
        .map(|signal| signal.id)
        .collect();
    let other = World::new().await;
    let connector = other.connector(json!({}));
    other.sandbox.advance_clock(SignedDuration::ZERO);
    other
        .sandbox
        .append_sign_ins(vec![sign_in(&other, "AFTERWARDS")]);
    // Cursors are sealed by the sandbox that gave them; a changed one is unknown to it.
    let forged = cursor.map(|cursor| Cursor(cursor.0.replace("\"cursor\":\"", "\"cursor\":\"x")));
    let pages = run(&other, connector.as_ref(), &mut forged.clone()).await;
    let again = signals(&pages);
    assert!(again.iter().any(|signal| signal.id == "AFTERWARDS"));
    let sign_ins = again
        .iter()
        .filter(|signal| signal.kind == "onepassword.sign_in");
    assert!(
        sign_ins.count() < 10,
        "only what is at or after the last event seen"
    );
    assert!(!known.is_empty());
}

#[tokio::test]
async fn a_diagnosis_names_what_is_missing_and_what_nobody_can_tell() {
    let world = World::new().await;
    world.take_features(&["signinattempts"]).await;
    world.sandbox.set_fault(Fault::new(FaultKind::ClockSkew));
    let connector = world.connector(json!({}));
    let diagnosis = connector.diagnose(&world.cx).await.unwrap();
    assert!(diagnosis.reachable);
    let names: Vec<_> = diagnosis
        .credentials
        .iter()
        .map(|found| found.name.as_str())
        .collect();
    assert_eq!(names, ["scan", "scan.events_token", "respond"]);
    assert!(
        diagnosis
            .credentials
            .iter()
            .all(|found| found.accepted == Some(true))
    );
    assert_eq!(
        diagnosis.credentials[1].missing,
        ["itemusages", "auditevents"]
    );
    assert!(
        diagnosis.credentials[2]
            .note
            .as_ref()
            .unwrap()
            .starts_with("cannot tell")
    );
    let skew = diagnosis.clock_skew_seconds.unwrap();
    assert!((500..700).contains(&skew), "{skew}");
    assert!(
        world
            .sandbox
            .requests()
            .iter()
            .all(|request| !request.changing)
    );
}
