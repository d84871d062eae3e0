use jiff::Timestamp;

use super::harness::{World, check, connector, covers, covers_everything, exposed, last, page};
use crate::engine::observe::{Look, Sighting, observe, vanish};
use crate::model::{Acceptance, Actor, Finding, FindingId, FindingStatus, Severity, TenantId};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Sees Ann's exposure in Adobe at a second.
fn see(existing: Option<Finding>, second: i64) -> (Finding, Sighting) {
    look(existing, second, false)
}

fn look(existing: Option<Finding>, second: i64, baseline: bool) -> (Finding, Sighting) {
    let tenant = TenantId::new("acme").unwrap();
    let source = connector("breaches");
    let seen = exposed("ann", "Adobe");
    let id = FindingId::of(&tenant, &check(), &seen.subject, "Adobe");
    let look = Look {
        tenant: &tenant,
        source: &source,
        at: at(second),
        baseline,
    };
    observe(existing, &id, seen, &look)
}

fn miss(finding: Finding, second: i64, source: &str) -> Option<Finding> {
    let tenant = TenantId::new("acme").unwrap();
    let look = Look {
        tenant: &tenant,
        source: &connector(source),
        at: at(second),
        baseline: false,
    };
    vanish(finding, &look)
}

fn accepted(until: i64) -> Finding {
    let mut finding = see(None, 1).0;
    finding.status = FindingStatus::Accepted;
    finding.acceptance = Some(Acceptance {
        until: at(until),
        reason: "known".to_owned(),
        author: "alice".to_owned(),
    });
    finding
}

#[test]
fn what_was_never_seen_is_new_and_what_is_seen_again_keeps_its_beginning() {
    let (finding, sighting) = see(None, 1);
    assert_eq!(sighting, Sighting::New);
    assert_eq!(
        (finding.status, finding.occurrence),
        (FindingStatus::New, 1)
    );
    let (finding, sighting) = see(Some(finding), 5);
    assert_eq!(sighting, Sighting::Again);
    assert_eq!((finding.first_seen, finding.last_seen), (at(1), at(5)));
}

#[test]
fn what_was_resolved_and_is_seen_again_reopens_with_one_more_occurrence_and_no_incident() {
    let gone = miss(see(None, 1).0, 2, "breaches").unwrap();
    assert_eq!(gone.resolved_at, Some(at(2)));
    let (back, sighting) = see(Some(gone), 3);
    assert_eq!(sighting, Sighting::Reopened);
    assert_eq!((back.status, back.occurrence), (FindingStatus::New, 2));
    assert_eq!((back.resolved_at, back.incident), (None, None));
}

#[test]
fn what_was_accepted_or_never_wrong_stays_so_when_it_is_seen_again() {
    let (finding, _) = see(Some(accepted(100)), 50);
    assert_eq!(finding.status, FindingStatus::Accepted);
    let mut wrong = see(None, 1).0;
    wrong.status = FindingStatus::FalsePositive;
    let (finding, _) = see(Some(wrong.clone()), 2);
    assert_eq!(finding.status, FindingStatus::FalsePositive);
    assert_eq!(miss(wrong, 3, "breaches"), None);
}

#[test]
fn an_ended_acceptance_returns_to_new_at_the_next_sight() {
    let (finding, _) = see(Some(accepted(100)), 100);
    assert_eq!(
        (finding.status, finding.acceptance),
        (FindingStatus::New, None)
    );
}

#[test]
fn what_comes_back_before_its_acceptance_ends_is_accepted_still() {
    let gone = miss(accepted(100), 10, "breaches").unwrap();
    assert_eq!(gone.status, FindingStatus::Resolved);
    let (back, _) = see(Some(gone.clone()), 20);
    assert_eq!((back.status, back.occurrence), (FindingStatus::Accepted, 2));
    let (back, _) = see(Some(gone), 200);
    assert_eq!((back.status, back.acceptance), (FindingStatus::New, None));
}

#[test]
fn what_came_from_an_event_or_another_connector_never_resolves_by_absence() {
    let mut finding = see(None, 1).0;
    assert_eq!(miss(finding.clone(), 2, "other"), None);
    finding.observation.from_event = true;
    assert_eq!(miss(finding, 2, "breaches"), None);
}

#[test]
fn a_baseline_marks_only_what_is_new_to_it() {
    assert!(look(None, 1, true).0.baseline);
    assert!(!look(Some(see(None, 1).0), 2, true).0.baseline);
    let gone = miss(look(None, 1, true).0, 2, "breaches").unwrap();
    assert!(!see(Some(gone), 3).0.baseline);
}

#[tokio::test]
async fn observations_from_outside_a_scan_become_findings_with_one_entry_in_the_ledger() {
    let world = World::new();
    let seen = vec![
        exposed("ann", "Adobe"),
        exposed("ben", "Adobe"),
        exposed("ann", "Adobe"),
    ];
    let observed = world.acme.observe(&connector("mine"), seen).await.unwrap();
    assert_eq!((observed.new, observed.seen), (2, 1));
    let ledger = world.ledger().await;
    assert_eq!(ledger.len(), 1);
    assert_eq!(ledger[0].kind, "findings.observed");
    assert_eq!(ledger[0].data["notable"].as_array().unwrap().len(), 2);
    let text = serde_json::to_string(&ledger).unwrap();
    assert!(!text.contains('@'), "{text}");
}

#[tokio::test]
async fn changed_content_is_kept_and_a_nul_character_loses_only_its_own_observation() {
    let world = World::new();
    let source = connector("mine");
    let mut seen = exposed("ann", "Adobe");
    let mut broken = exposed("ben", "Adobe");
    broken.subject.id.push('\0');
    let both = vec![broken, seen.clone()];
    let observed = world.acme.observe(&source, both).await.unwrap();
    assert_eq!((observed.new, observed.rejected), (1, 1));
    seen.severity = Severity::Critical;
    world.acme.observe(&source, vec![seen]).await.unwrap();
    assert_eq!(world.only().await.observation.severity, Severity::Critical);
}

#[tokio::test]
async fn a_page_that_covers_a_subject_and_does_not_repeat_a_finding_resolves_it_at_once() {
    let world = World::new();
    world.answers([last(vec![exposed("ann", "Adobe")], vec![covers("ann")])]);
    world.acme.scan().await.unwrap();
    world.answers([
        page("1", vec![], vec![covers("ann")]),
        super::harness::Answer::Fails(super::harness::away()),
    ]);
    let summary = world.acme.scan().await.unwrap();
    assert!(!summary.complete);
    assert_eq!(summary.connectors[0].counts.resolved, 1);
    assert_eq!(world.only().await.status, FindingStatus::Resolved);
}

#[tokio::test]
async fn a_page_that_covers_another_subject_or_check_resolves_nothing() {
    let world = World::new();
    world.answers([last(vec![exposed("ann", "Adobe")], vec![])]);
    world.acme.scan().await.unwrap();
    let mut other = covers("ann");
    other.check = crate::model::CheckId::new("hibp.exposure.paste").unwrap();
    world.answers([last(vec![], vec![covers("ben"), other])]);
    world.acme.scan().await.unwrap();
    assert_eq!(world.only().await.status, FindingStatus::New);
}

#[tokio::test]
async fn what_was_looked_for_everywhere_resolves_only_when_the_run_is_complete() {
    let world = World::new();
    let everywhere = || vec![covers_everything()];
    let seen = vec![exposed("ann", "Adobe"), exposed("ben", "Adobe")];
    world.answers([last(seen, everywhere())]);
    world.acme.scan().await.unwrap();
    world.answers([
        page("1", vec![exposed("ann", "Adobe")], everywhere()),
        super::harness::Answer::Fails(super::harness::away()),
        last(vec![], vec![]),
    ]);
    world.acme.scan().await.unwrap();
    assert!(
        world
            .stored()
            .await
            .iter()
            .all(|f| f.status == FindingStatus::New)
    );
    let summary = world.acme.scan().await.unwrap();
    assert!(summary.connectors[0].resumed && summary.complete);
    let mut found = world.stored().await;
    found.retain(|finding| finding.observation.check == check());
    found.sort_by_key(|finding| finding.observation.subject.id.clone());
    let states: Vec<_> = found.iter().map(|finding| finding.status).collect();
    assert_eq!(states, [FindingStatus::New, FindingStatus::Resolved]);
}

#[tokio::test]
async fn a_clock_that_stands_still_or_goes_back_keeps_nothing_from_being_resolved() {
    let world = World::new();
    for back in [0, 3600] {
        world.answers([
            last(vec![exposed("ann", "Adobe")], vec![covers_everything()]),
            last(vec![], vec![covers_everything()]),
        ]);
        world.acme.scan().await.unwrap();
        assert_eq!(world.only().await.status, FindingStatus::New);
        world.clock.set_back(std::time::Duration::from_secs(back));
        world.acme.scan().await.unwrap();
        assert_eq!(world.only().await.status, FindingStatus::Resolved, "{back}");
    }
}

#[tokio::test]
async fn a_baseline_records_what_is_known_and_opens_no_incident() {
    let world = World::new();
    world.answers([last(vec![exposed("ann", "Adobe")], vec![])]);
    let summary = world.acme.baseline().await.unwrap();
    assert!(summary.connectors[0].baseline);
    assert!(summary.incidents.opened.is_empty());
    world.answers([last(
        vec![exposed("ann", "Adobe"), exposed("ben", "Adobe")],
        vec![],
    )]);
    let summary = world.acme.scan().await.unwrap();
    assert_eq!(summary.incidents.opened.len(), 1, "only Ben's is new");
}

#[tokio::test]
async fn a_first_scan_acts_on_what_it_finds_unless_a_baseline_was_asked_for() {
    let world = World::new();
    world.answers([last(vec![exposed("ann", "Adobe")], vec![])]);
    let summary = world.acme.scan().await.unwrap();
    assert_eq!(summary.incidents.opened.len(), 1);
    let id = world.only().await.id;
    let judged = world
        .acme
        .resolve_finding(&id, &Actor::unverified("bob"))
        .await;
    assert_eq!(judged.unwrap().status, FindingStatus::Resolved);
}
