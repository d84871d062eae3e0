use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use serde_json::json;

use super::harness::{
    Answer, Asked, Build, World, away, check, connector, covers, exposed, last, page,
};
use crate::clock::Clock;
use crate::connector::{Cursor, ScanPage};
use crate::engine::run::LEASE;
use crate::engine::{IncidentFilter, RunState, ScanOptions, ScanProgress};
use crate::error::{Error, ErrorKind};
use crate::model::{
    Attributes, CheckResult, Confidence, FindingStatus, NotEvaluatedReason, RejectedItem, Severity,
    Verdict,
};
use crate::store::{MemoryStore, Store};

fn failed(kind: ErrorKind) -> Answer {
    Answer::Fails(Error::new(kind, "no"))
}

fn cursors(asked: &[Asked]) -> Vec<(Option<&str>, bool)> {
    asked
        .iter()
        .map(|asked| (asked.cursor.as_deref(), asked.starts_run))
        .collect()
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn pages_follow_one_another_by_cursor_and_the_first_begins_the_run() {
    let world = World::new();
    world.answers([
        page("1", vec![], vec![]),
        page("2", vec![], vec![]),
        last(vec![], vec![]),
    ]);
    let summary = assert_send(world.acme.scan()).await.unwrap();
    assert!(summary.complete);
    assert_eq!(summary.connectors[0].counts.pages, 3);
    assert_eq!(
        cursors(&world.asked("breaches")),
        [(None, true), (Some("1"), false), (Some("2"), false)]
    );
}

#[tokio::test]
async fn a_scanner_of_a_stream_begins_its_next_run_where_the_last_one_ended() {
    let world = World::new();
    let end = |cursor: &str| {
        Answer::Page(Box::new(ScanPage {
            cursor: Some(Cursor(cursor.to_owned())),
            ..ScanPage::default()
        }))
    };
    world.answers([end("7"), end("9")]);
    world.acme.scan().await.unwrap();
    world.acme.scan().await.unwrap();
    assert_eq!(
        cursors(&world.asked("breaches")),
        [(None, true), (Some("7"), true)]
    );
}

#[tokio::test]
async fn a_failing_connector_does_not_stop_another_and_is_said_to_have_failed() {
    let world = Build {
        connectors: vec!["bad", "good"],
        ..Build::default()
    }
    .world();
    world.answers_of("bad", [failed(ErrorKind::Unauthenticated)]);
    world.answers_of("good", [last(vec![exposed("ann", "Adobe")], vec![])]);
    let summary = world.acme.scan().await.unwrap();
    assert!(!summary.complete);
    let [bad, good] = &summary.connectors[..] else {
        panic!("{summary:?}");
    };
    let error = bad.error.as_ref().unwrap();
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
    assert!(good.complete && good.counts.new == 1);
    let ledger = world.ledger().await;
    assert!(ledger.iter().any(|entry| entry.kind == "scan.failed"));
}

#[tokio::test]
async fn a_connector_that_keeps_failing_has_one_operational_finding_that_its_next_complete_run_resolves()
 {
    let world = World::new();
    for _ in 0..3 {
        world.answers([Answer::Fails(away())]);
        world.acme.scan().await.unwrap();
        world.pass(60);
    }
    let failing = world.stored().await;
    assert_eq!(failing.len(), 1);
    assert_eq!(failing[0].observation.check.as_str(), "protect.scan.failed");
    assert_eq!(
        (failing[0].status, failing[0].occurrence),
        (FindingStatus::New, 1)
    );
    let incident = world
        .acme
        .incidents(&IncidentFilter::default())
        .await
        .unwrap();
    assert_eq!(incident.len(), 1);
    world.answers([last(vec![], vec![])]);
    let summary = world.acme.scan().await.unwrap();
    assert_eq!(world.stored().await[0].status, FindingStatus::Resolved);
    assert_eq!(summary.incidents.resolved, [incident[0].id.clone()]);
}

#[tokio::test]
async fn a_run_that_a_passing_error_ended_goes_on_at_its_cursor() {
    let world = World::new();
    world.answers([
        page("1", vec![exposed("ann", "Adobe")], vec![]),
        Answer::Fails(away()),
    ]);
    world.acme.scan().await.unwrap();
    world.answers([last(vec![exposed("ben", "Adobe")], vec![])]);
    let summary = world.acme.scan().await.unwrap();
    assert!(summary.connectors[0].resumed);
    assert_eq!(
        summary.connectors[0].counts.new, 2,
        "counted from its beginning"
    );
    assert_eq!(cursors(&world.asked("breaches"))[2], (Some("1"), false));
}

#[tokio::test]
async fn a_cursor_that_the_vendor_takes_no_more_makes_the_next_run_begin_anew() {
    let world = World::new();
    world.answers([page("1", vec![], vec![]), failed(ErrorKind::InvalidInput)]);
    world.acme.scan().await.unwrap();
    world.answers([last(vec![], vec![])]);
    let summary = world.acme.scan().await.unwrap();
    assert!(!summary.connectors[0].resumed);
    assert_eq!(cursors(&world.asked("breaches"))[2], (None, true));
}

#[tokio::test]
async fn a_refused_credential_keeps_the_cursor_for_when_it_is_mended() {
    let world = World::new();
    world.answers([
        page("1", vec![], vec![]),
        failed(ErrorKind::PermissionDenied),
    ]);
    world.acme.scan().await.unwrap();
    world.acme.scan().await.unwrap();
    assert_eq!(cursors(&world.asked("breaches"))[2], (Some("1"), false));
}

#[tokio::test]
async fn an_error_resolves_nothing() {
    let world = World::new();
    world.answers([last(vec![exposed("ann", "Adobe")], vec![covers("ann")])]);
    world.acme.scan().await.unwrap();
    for kind in ErrorKind::ALL {
        world.answers([failed(kind)]);
        world.pass(60);
        world.acme.scan().await.unwrap();
        assert_eq!(world.only().await.status, FindingStatus::New, "{kind}");
    }
}

#[tokio::test]
async fn a_crashed_run_is_taken_up_at_its_cursor_once_its_lease_has_ended() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let over = |store: &Arc<dyn Store>| {
        let build = Build {
            store: Arc::clone(store),
            ..Build::default()
        };
        build.world()
    };
    let crashed = over(&store);
    crashed.answers([
        page("1", vec![exposed("ann", "Adobe")], vec![]),
        Answer::Hangs,
    ]);
    assert!(crashed.acme.scan().now_or_never().is_none());
    let world = over(&store);
    world.answers([last(vec![], vec![])]);
    let acme = world.acme.clone();
    let scan = tokio::spawn(async move { acme.scan().await });
    for _ in 0..8 {
        tokio::task::yield_now().await;
        assert!(world.asked("breaches").is_empty() || world.clock.monotonic() >= LEASE);
        world.clock.advance(LEASE / 4);
    }
    let summary = scan.await.unwrap().unwrap();
    assert!(summary.complete && summary.connectors[0].resumed);
    assert_eq!(cursors(&world.asked("breaches")), [(Some("1"), false)]);
    assert_eq!(world.only().await.occurrence, 1);
}

#[tokio::test]
async fn a_scan_that_its_caller_gave_up_is_taken_up_by_the_next_without_waiting() {
    let world = World::new();
    world.answers([
        page("1", vec![exposed("ann", "Adobe")], vec![]),
        Answer::Hangs,
    ]);
    assert!(
        world.acme.scan().now_or_never().is_none(),
        "the future is dropped here"
    );
    world.answers([last(vec![], vec![])]);
    // No time passes: a wait for the lease would leave this unfinished.
    let summary = world.acme.scan().now_or_never().unwrap().unwrap();
    assert!(summary.complete && summary.connectors[0].resumed);
    assert_eq!(cursors(&world.asked("breaches"))[2], (Some("1"), false));
}

#[tokio::test]
async fn a_run_that_was_taken_over_stays_with_whom_it_went_to_when_the_first_is_given_up() {
    let world = World::new();
    let name = connector("breaches");
    let slow = world.acme.hold_run(&name).await.unwrap();
    world.clock.advance(LEASE * 2);
    let mut quick = world.acme.hold_run(&name).await.unwrap();
    drop(slow);
    assert!(world.acme.hold_run(&name).now_or_never().is_none());
    quick.renew().await.unwrap();
}

#[tokio::test]
async fn two_runs_of_one_connector_at_a_time_are_prevented_while_the_first_is_alive() {
    let world = World::new();
    world.answers([Answer::Hangs]);
    let scan = |acme: crate::engine::Tenant| tokio::spawn(async move { acme.scan().await });
    let first = scan(world.acme.clone());
    tokio::task::yield_now().await;
    let second = scan(world.acme.clone());
    while !second.is_finished() {
        tokio::task::yield_now().await;
        world.clock.advance(Duration::from_secs(1));
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
    let summary = second.await.unwrap().unwrap();
    let error = summary.connectors[0].error.as_ref().unwrap();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(!first.is_finished());
    assert_eq!(world.asked("breaches").len(), 1);
    first.abort();
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_writes_nothing_more() {
    let world = World::new();
    let (acme, name) = (&world.acme, connector("breaches"));
    let mut slow = acme.hold_run(&name).await.unwrap();
    world.clock.advance(LEASE * 2);
    let quick = acme.hold_run(&name).await.unwrap();
    let run = slow.run.clone();
    let refused = slow.save(run, crate::store::Commit::default()).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(slow.renew().await.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(quick.run.number, 0);
}

#[tokio::test]
async fn a_scanner_that_stands_still_is_stopped() {
    let world = World::new();
    world.script("breaches").lock().unwrap().otherwise =
        Some(Box::new(|_| page("same", vec![], vec![])));
    let summary = world.acme.scan().await.unwrap();
    let error = summary.connectors[0].error.as_ref().unwrap();
    assert_eq!(error.kind, ErrorKind::InvalidResponse);
    assert!(world.asked("breaches").len() < 10);
}

#[tokio::test]
async fn a_scanner_that_never_answers_is_given_up() {
    let world = World::new();
    world.answers([Answer::Hangs]);
    let acme = world.acme.clone();
    let scan = tokio::spawn(async move { acme.scan().await });
    while !scan.is_finished() {
        world.clock.advance(Duration::from_secs(5));
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
    let summary = scan.await.unwrap().unwrap();
    let error = summary.connectors[0].error.as_ref().unwrap();
    assert_eq!((error.kind, error.retryable), (ErrorKind::Timeout, true));
}

#[tokio::test]
async fn what_a_scanner_remembers_commits_with_its_page_and_is_forgotten_by_none() {
    let world = World::new();
    let with_state = |key: &str, value: Option<serde_json::Value>| {
        Answer::Page(Box::new(ScanPage {
            state: [(key.to_owned(), value)].into(),
            ..ScanPage::default()
        }))
    };
    world.answers([
        with_state("a", Some(json!({"version": 3}))),
        with_state("a", None),
        last(vec![], vec![]),
    ]);
    for _ in 0..3 {
        world.acme.scan().await.unwrap();
    }
    let remembered: Vec<_> = world
        .asked("breaches")
        .into_iter()
        .map(|asked| serde_json::to_value(asked.remembered).unwrap())
        .collect();
    assert_eq!(
        remembered,
        [json!({}), json!({"a": {"version": 3}}), json!({})]
    );
}

#[tokio::test]
async fn rejected_items_are_counted_and_named_and_lose_no_page() {
    let world = World::new();
    world.answers([Answer::Page(Box::new(ScanPage {
        observations: vec![exposed("ann", "Adobe")],
        rejected: vec![RejectedItem {
            place: "results[3]".to_owned(),
            reason: "the id is missing".to_owned(),
        }],
        ..ScanPage::default()
    }))]);
    let summary = world.acme.scan().await.unwrap();
    let counts = &summary.connectors[0].counts;
    assert_eq!((counts.new, counts.rejected), (1, 1));
    assert_eq!(counts.rejected_items[0].place, "results[3]");
    let ledger = world.ledger().await;
    let page = ledger.iter().find(|entry| entry.kind == "scan.page");
    assert_eq!(page.unwrap().data["rejected"], json!(1));
}

#[tokio::test]
async fn verdicts_are_counted_and_the_last_of_each_check_is_kept() {
    let world = World::new();
    let verdict = |verdict, why| CheckResult {
        check: check(),
        verdict,
        not_evaluated: why,
        severity: Severity::High,
        reason: String::new(),
        affected: vec![],
        source: String::new(),
        confidence: Confidence::High,
        references: vec![],
        details: Attributes::new(),
    };
    world.answers([Answer::Page(Box::new(ScanPage {
        verdicts: vec![
            verdict(Verdict::NotEvaluated, Some(NotEvaluatedReason::VendorError)),
            verdict(Verdict::Pass, None),
        ],
        ..ScanPage::default()
    }))]);
    let summary = world.acme.scan().await.unwrap();
    let counted = summary.connectors[0].counts.verdicts;
    assert_eq!(
        (counted.pass, counted.not_evaluated, counted.vendor_errors),
        (1, 1, 1)
    );
    let kept = world.acme.verdicts().await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].result.verdict, Verdict::Pass);
}

#[tokio::test]
async fn progress_is_told_after_every_page() {
    let world = World::new();
    world.answers([
        page("1", vec![exposed("ann", "Adobe")], vec![]),
        last(vec![], vec![]),
    ]);
    let told: Arc<Mutex<Vec<(u64, u64)>>> = Arc::default();
    let heard = Arc::clone(&told);
    let options = ScanOptions {
        progress: Some(Arc::new(move |progress: &ScanProgress| {
            let counts = &progress.counts;
            heard.lock().unwrap().push((counts.pages, counts.new));
        })),
        ..ScanOptions::default()
    };
    world.acme.scan_with(options).await.unwrap();
    assert_eq!(*told.lock().unwrap(), [(1, 1), (2, 1)]);
}

#[tokio::test]
async fn only_the_named_connectors_are_scanned_and_an_unknown_name_is_an_error() {
    let world = Build {
        connectors: vec!["one", "two"],
        ..Build::default()
    }
    .world();
    let named = |name| ScanOptions {
        connectors: vec![connector(name)],
        ..ScanOptions::default()
    };
    let summary = world.acme.scan_with(named("two")).await.unwrap();
    assert_eq!(summary.connectors.len(), 1);
    assert!(world.asked("one").is_empty());
    let error = world.acme.scan_with(named("three")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn status_says_what_ran_what_failed_and_what_is_open() {
    let world = World::new();
    world.answers([last(vec![exposed("ann", "Adobe")], vec![])]);
    world.acme.scan().await.unwrap();
    let complete_at = world.acme.now();
    world.pass(60);
    world.answers([Answer::Fails(away())]);
    world.acme.scan().await.unwrap();
    let status = world.acme.status().await.unwrap();
    let breaches = &status.connectors[0];
    assert_eq!(breaches.run.as_ref().unwrap().state, RunState::Incomplete);
    assert_eq!(breaches.last_complete_at, Some(complete_at));
    let error = breaches.last_error.as_ref().unwrap();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert_eq!(status.open_findings[&Severity::High], 1);
    assert_eq!(status.open_incidents[&Severity::High], 1);
}

#[tokio::test]
async fn the_summary_survives_json() {
    let world = World::new();
    world.answers([
        last(vec![exposed("ann", "Adobe")], vec![]),
        Answer::Fails(away()),
    ]);
    for _ in 0..2 {
        let summary = world.acme.scan().await.unwrap();
        let text = serde_json::to_string(&summary).unwrap();
        assert_eq!(
            serde_json::from_str::<crate::engine::ScanSummary>(&text).unwrap(),
            summary
        );
    }
}
