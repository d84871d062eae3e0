use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::harness::{World, connector, exposed};
use crate::clock::later;
use crate::engine::{FindingFilter, IncidentFilter};
use crate::error::ErrorKind;
use crate::model::{Actor, FindingId, FindingStatus, IncidentStatus, Severity, Subject};

fn bob() -> Actor {
    Actor::unverified("bob")
}

async fn world(people: &[&str]) -> (World, Vec<FindingId>) {
    let world = World::new();
    let seen = people.iter().map(|who| exposed(who, "Adobe")).collect();
    world
        .acme
        .observe(&connector("breaches"), seen)
        .await
        .unwrap();
    world.acme.triage().await.unwrap();
    let ids = world.stored().await.into_iter().map(|f| f.id).collect();
    (world, ids)
}

fn soon(world: &World) -> Timestamp {
    later(world.acme.now(), Duration::from_hours(1))
}

#[tokio::test]
async fn findings_are_listed_page_by_page_and_each_once() {
    let (world, ids) = world(&["a", "b", "c", "d", "e"]).await;
    let mut filter = FindingFilter {
        limit: Some(2),
        ..FindingFilter::default()
    };
    let mut listed = Vec::new();
    loop {
        let page = world.acme.findings(&filter).await.unwrap();
        assert!(page.findings.len() <= 2);
        listed.extend(page.findings.into_iter().map(|finding| finding.id));
        match page.next {
            Some(next) => filter.after = Some(next),
            None => break,
        }
    }
    assert_eq!(listed, ids);
}

#[tokio::test]
async fn a_filter_selects_by_state_severity_subject_source_and_incident() {
    let (world, ids) = world(&["ann", "ben"]).await;
    let acme = &world.acme;
    acme.acknowledge_finding(&ids[0], &bob()).await.unwrap();
    let count = async |filter: FindingFilter| acme.findings(&filter).await.unwrap().findings.len();
    let all = FindingFilter::default;
    assert_eq!(
        count(FindingFilter {
            statuses: vec![FindingStatus::New],
            ..all()
        })
        .await,
        1
    );
    assert_eq!(
        count(FindingFilter {
            min_severity: Some(Severity::Critical),
            ..all()
        })
        .await,
        0
    );
    assert_eq!(
        count(FindingFilter {
            source: Some(connector("other")),
            ..all()
        })
        .await,
        0
    );
    let ann = Subject::address(&super::harness::address("ann"));
    assert_eq!(
        count(FindingFilter {
            subject: Some(ann),
            ..all()
        })
        .await,
        1
    );
    let incident = acme.finding(&ids[1]).await.unwrap().incident;
    assert_eq!(count(FindingFilter { incident, ..all() }).await, 1);
}

#[tokio::test]
async fn every_judgement_is_in_the_ledger_once_with_its_actor() {
    let (world, ids) = world(&["ann"]).await;
    let (acme, id) = (&world.acme, &ids[0]);
    for _ in 0..2 {
        acme.acknowledge_finding(id, &bob()).await.unwrap();
    }
    for _ in 0..2 {
        let until = soon(&world);
        acme.accept_finding(id, until, "moved in May", &bob())
            .await
            .unwrap();
    }
    for _ in 0..2 {
        acme.resolve_finding(id, &bob()).await.unwrap();
    }
    for _ in 0..2 {
        acme.mark_false_positive(id, "a test", &bob())
            .await
            .unwrap();
    }
    let ledger = world.ledger().await;
    let judged = ledger
        .iter()
        .filter(|entry| entry.kind.starts_with("finding."));
    let kinds: Vec<_> = judged.clone().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "finding.acknowledged",
            "finding.accepted",
            "finding.resolved",
            "finding.false_positive"
        ]
    );
    let by: BTreeSet<_> = judged.clone().map(|entry| entry.actor.as_str()).collect();
    assert_eq!(by.len(), 1, "one person has one pseudonym: {by:?}");
    assert!(by.iter().all(|actor| !actor.contains("bob")), "{by:?}");
    assert!(
        judged
            .clone()
            .all(|entry| entry.data["finding"] == id.as_str())
    );
}

#[tokio::test]
async fn an_acceptance_needs_a_reason_without_addresses_and_an_end_in_the_future() {
    let (world, ids) = world(&["ann"]).await;
    let accept = async |until, reason| {
        let result = world
            .acme
            .accept_finding(&ids[0], until, reason, &bob())
            .await;
        result.map_err(|error| error.kind())
    };
    let wrong = Err(ErrorKind::InvalidInput);
    let soon = soon(&world);
    assert_eq!(accept(soon, " ").await.map(|_| ()), wrong);
    assert_eq!(
        accept(soon, "asked (ann@acme.example)").await.map(|_| ()),
        wrong
    );
    assert_eq!(accept(world.acme.now(), "known").await.map(|_| ()), wrong);
    assert!(accept(soon, "known").await.is_ok());
}

#[tokio::test]
async fn an_ended_acceptance_returns_to_new_and_a_running_one_stays() {
    let (world, ids) = world(&["ann", "ben"]).await;
    let early = soon(&world);
    let late = later(early, Duration::from_mins(1));
    for (id, until) in ids.iter().zip([early, late]) {
        world
            .acme
            .accept_finding(id, until, "known", &bob())
            .await
            .unwrap();
    }
    assert_eq!(world.acme.end_acceptances().await.unwrap(), 0);
    world.pass(3600);
    assert_eq!(world.acme.end_acceptances().await.unwrap(), 1);
    assert_eq!(world.acme.end_acceptances().await.unwrap(), 0);
    let back = world.acme.finding(&ids[0]).await.unwrap();
    assert_eq!(
        (back.status, back.acceptance, back.incident),
        (FindingStatus::New, None, None)
    );
    let kept = world.acme.finding(&ids[1]).await.unwrap();
    assert_eq!(kept.status, FindingStatus::Accepted);
}

#[tokio::test]
async fn a_judgement_that_does_not_fit_is_refused_and_an_unknown_finding_is_said_to_be() {
    let (world, ids) = world(&["ann"]).await;
    let acme = &world.acme;
    acme.resolve_finding(&ids[0], &bob()).await.unwrap();
    let error = acme.acknowledge_finding(&ids[0], &bob()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let error = acme
        .accept_finding(&ids[0], soon(&world), "known", &bob())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let unknown = FindingId::new("0".repeat(32)).unwrap();
    let error = acme.resolve_finding(&unknown, &bob()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn an_incident_moves_forward_and_does_not_open_again() {
    let (world, _) = world(&["ann", "ben"]).await;
    let acme = &world.acme;
    let all = acme.incidents(&IncidentFilter::default()).await.unwrap();
    assert_eq!(all.len(), 2);
    let id = &all[0].id;
    for status in [
        IncidentStatus::Investigating,
        IncidentStatus::Contained,
        IncidentStatus::Closed,
    ] {
        let incident = acme.set_incident_status(id, status, &bob()).await.unwrap();
        assert_eq!(incident.status, status);
    }
    let error = acme
        .set_incident_status(id, IncidentStatus::Open, &bob())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let closed = IncidentFilter {
        statuses: vec![IncidentStatus::Closed],
        person: all[0].person.clone(),
        min_severity: Some(Severity::High),
        ..IncidentFilter::default()
    };
    assert_eq!(acme.incidents(&closed).await.unwrap().len(), 1);
    let ledger = world.ledger().await;
    let changes = ledger
        .iter()
        .filter(|e| e.kind == "incident.status_changed");
    assert_eq!(changes.count(), 3);
}
