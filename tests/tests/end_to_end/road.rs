//! From the leaked credential and the flagged sign-in to the suspended account, and what keeps
//! that from going too far.

use std::time::Duration;

use protect_connectors::core::ErrorKind;
use protect_connectors::core::engine::{IncidentFilter, Request, ScanOptions, ScanSummary, Tenant};
use protect_connectors::core::model::{
    ActionKind, GuardDecision, IncidentStatus, OutcomeStatus, Plan, PlannedAction,
};
use protect_sandbox::{Fault, FaultKind};
use serde_json::json;

use crate::support::{World, alice, bob, exported, intents};

#[tokio::test]
async fn the_road_ends_in_two_suspensions_two_tickets_and_evidence_and_the_second_time_in_nothing()
{
    let world = World::new().await;
    let planted = world.sandbox.planted();
    let engine = world.engine().await;
    let acme = engine.tenant("acme").unwrap();
    let first = scan(&acme).await;
    assert!(first.complete, "{first:?}");
    assert_eq!(walk(&acme).await, 4, "two suspensions and two tickets");
    let once = vec![("SUSPENDED".to_owned(), true)];
    let users = world.user_changes();
    assert_eq!(users.len(), 2, "{users:?}");
    assert_eq!(users[&planted.leaked.id], once);
    assert_eq!(users[&planted.suspicious.id], once);
    assert_eq!(world.tickets_opened(), 2);
    let transitions = world.sandbox.transitions().len();

    drop((acme, engine));
    world.advance(Duration::from_hours(13));
    let engine = world.engine().await;
    let acme = engine.tenant("acme").unwrap();
    let second = scan(&acme).await;
    assert!(second.complete, "{second:?}");
    assert!(second.incidents.opened.is_empty(), "{second:?}");
    assert!(second.incidents.updated.is_empty(), "{second:?}");
    assert_eq!(walk(&acme).await, 0);
    assert_eq!(world.sandbox.transitions().len(), transitions);
    let (entries, report) = exported(&engine).await;
    assert!(report.valid, "{report:?}");
    let finished = entries.iter().filter(|e| e.kind == "action.finished");
    assert_eq!(finished.count(), 4);
    world.assert_no_violations();
}

#[tokio::test]
async fn in_dry_run_not_one_request_changes_anything() {
    let mut world = World::new().await;
    world.set("/mode", json!("dry_run"));
    world.set("/tenants/acme/rules/0/approval", json!("auto"));
    world.set("/tenants/acme/rules/0/enabled_by", json!("bob"));
    let engine = world.engine().await;
    let acme = engine.tenant("acme").unwrap();
    assert!(scan(&acme).await.complete);
    let plan = acme.plan().await.unwrap();
    assert_eq!(plan.actions.len(), 4, "a dry run plans as usual");
    let refused = acme.approve(plan, &bob()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    engine.tick().await.unwrap();
    acme.apply_waiting().await.unwrap();
    acme.request(suspension(&world.ordinary_people()[0].0, None))
        .await
        .unwrap();
    engine.tenants()[0].doctor().await;
    assert_nothing_was_changed(&world);
}

#[tokio::test]
async fn what_was_approved_under_enforce_waits_while_the_mode_is_dry_run() {
    let mut world = World::new().await;
    let acme = world.tenant().await;
    scan(&acme).await;
    let plan = acme.plan().await.unwrap();
    let approved = acme.approve(plan, &bob()).await.unwrap();
    drop(acme);
    world.set("/mode", json!("dry_run"));
    let acme = world.tenant().await;
    let steps = acme.apply(approved).await.unwrap();
    assert!(steps.iter().all(|step| step.outcome.is_none()), "{steps:?}");
    acme.apply_waiting().await.unwrap();
    assert_nothing_was_changed(&world);
}

#[tokio::test]
async fn an_account_that_a_person_reactivated_is_not_suspended_again() {
    let world = World::new().await;
    let leaked = world.sandbox.planted().leaked;
    let acme = world.tenant().await;
    scan(&acme).await;
    walk(&acme).await;
    assert!(world.sandbox.set_user_suspended(&leaked.id, false));
    // The next leak of the same person is an incident of its own.
    for incident in acme.incidents(&IncidentFilter::default()).await.unwrap() {
        let closed = IncidentStatus::Closed;
        acme.set_incident_status(&incident.id, closed, &bob())
            .await
            .unwrap();
    }
    world.leak("LeakedAgain", std::slice::from_ref(&leaked.email));
    world.advance(Duration::from_hours(13));
    let summary = scan(&acme).await;
    assert_eq!(summary.incidents.opened.len(), 1, "{summary:?}");
    let plan = acme.plan().await.unwrap();
    let suspension = suspensions(&plan).next().unwrap();
    assert_eq!(suspension.guard.decision, GuardDecision::Refuse);
    let why = suspension.guard.reasons.join("; ");
    assert!(why.contains("a person took this back"), "{why}");
    walk(&acme).await;
    let changes = &world.user_changes()[&leaked.id];
    let expected = [("SUSPENDED", true), ("ACTIVE", false)];
    assert_eq!(*changes, expected.map(|(to, by_us)| (to.to_owned(), by_us)));
    world.assert_no_violations();
}

#[tokio::test]
async fn a_restart_after_a_temporary_suspension_is_over_reactivates_once() {
    let world = World::new().await;
    let (id, _) = world.ordinary_people().remove(0);
    let acme = world.tenant().await;
    let day = Duration::from_hours(24);
    let plan = acme.request(suspension(&id, Some(day))).await.unwrap();
    let approved = acme.approve(plan, &bob()).await.unwrap();
    acme.apply(approved).await.unwrap();
    acme.apply_waiting().await.unwrap();
    assert_eq!(world.user_changes()[&id].len(), 1, "it is not over");
    drop(acme);
    world.advance(day + Duration::from_mins(1));
    for _restart in 0..3 {
        world.tenant().await.apply_waiting().await.unwrap();
        world.advance(Duration::from_mins(5));
    }
    let expected = [("SUSPENDED", true), ("ACTIVE", true)];
    let expected = expected.map(|(to, by_us)| (to.to_owned(), by_us));
    assert_eq!(world.user_changes()[&id], expected);
    world.assert_no_violations();
}

#[tokio::test]
async fn a_pause_during_apply_lets_what_is_under_way_end_and_stops_everything_else() {
    /// Accounts of one vendor that are changed at the same time.
    const UNDER_WAY: usize = 8;
    let world = World::new().await;
    let people: Vec<_> = world.ordinary_people().into_iter().take(14).collect();
    let addresses: Vec<_> = people.into_iter().map(|(_, address)| address).collect();
    world.leak("FiveLeaked", &addresses);
    let acme = world.tenant().await;
    scan(&acme).await;
    let plan = acme.plan().await.unwrap();
    let wanted = suspensions(&plan).count();
    assert!(wanted >= 14);
    let approved = acme.approve(plan, &bob()).await.unwrap();
    let slow = Fault::new(FaultKind::Delay).on(":suspend").millis(400);
    world.sandbox.set_fault(slow);
    let applying = tokio::spawn({
        let (acme, approved) = (acme.clone(), approved.clone());
        async move { acme.apply(approved).await }
    });
    while world.user_changes().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    acme.pause(&alice(), "something is odd").await.unwrap();
    let steps = applying.await.unwrap().unwrap();
    let changed = world.user_changes().len();
    assert!((1..=UNDER_WAY).contains(&changed), "{changed} of {wanted}");
    let waiting = steps.iter().filter(|step| step.outcome.is_none());
    assert!(waiting.count() >= wanted - UNDER_WAY, "{steps:?}");
    assert!(steps.iter().any(|s| s.to_string().contains("paused by")));
    acme.apply_waiting().await.unwrap();
    assert_eq!(world.user_changes().len(), changed, "still paused");
    acme.resume(&alice()).await.unwrap();
    acme.apply(approved).await.unwrap();
    assert_eq!(world.user_changes().len(), wanted);
    world.assert_no_violations();
}

#[tokio::test]
async fn the_eleventh_account_within_the_hour_waits_for_approval() {
    let mut world = World::new().await;
    for rule in 0..2 {
        let rule = format!("/tenants/acme/rules/{rule}");
        world.set(&format!("{rule}/approval"), json!("auto"));
        world.set(&format!("{rule}/enabled_by"), json!("bob"));
    }
    let people: Vec<_> = world.ordinary_people().into_iter().take(14).collect();
    let addresses: Vec<_> = people.into_iter().map(|(_, address)| address).collect();
    world.leak("ManyLeaked", &addresses);
    let engine = world.engine().await;
    let acme = engine.tenant("acme").unwrap();
    engine.tick().await.unwrap();
    assert_eq!(world.user_changes().len(), 10);
    engine.tick().await.unwrap();
    assert_eq!(world.user_changes().len(), 10, "a second look adds none");
    let waiting = acme.plans_waiting().await.unwrap();
    assert_eq!(waiting.len(), 1);
    let plan = acme.plan().await.unwrap();
    let waiting: Vec<_> = suspensions(&plan).collect();
    assert_eq!(waiting.len(), 6, "14, and the two that were planted");
    for planned in waiting {
        assert_eq!(planned.guard.decision, GuardDecision::NeedsApproval);
    }
    let approved = acme.approve(plan, &bob()).await.unwrap();
    acme.apply(approved).await.unwrap();
    assert_eq!(world.user_changes().len(), 16, "consent lets them go on");
    world.assert_no_violations();
}

#[tokio::test]
async fn nobody_approves_their_own_request_and_somebody_else_does() {
    let world = World::new().await;
    let (id, _) = world.ordinary_people().remove(0);
    let acme = world.tenant().await;
    let plan = acme.request(suspension(&id, None)).await.unwrap();
    let error = acme.approve(plan.clone(), &alice()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("their own request"), "{error}");
    acme.apply_waiting().await.unwrap();
    assert!(world.user_changes().is_empty());
    let approved = acme.approve(plan, &bob()).await.unwrap();
    let steps = acme.apply(approved).await.unwrap();
    assert_eq!(steps[0].status(), Some(OutcomeStatus::Applied));
    assert_eq!(world.user_changes().len(), 1);
}

#[tokio::test]
async fn what_the_vendor_protects_is_refused_and_stays_as_it_is() {
    let world = World::new().await;
    let planted = world.sandbox.planted();
    let protected = [planted.owner, planted.external_admin];
    let addresses: Vec<_> = protected.iter().map(|user| user.email.clone()).collect();
    world.leak("TheTopLeaked", &addresses);
    let engine = world.engine().await;
    let acme = engine.tenant("acme").unwrap();
    scan(&acme).await;
    walk(&acme).await;
    for user in &protected {
        assert!(!world.user_changes().contains_key(&user.id));
    }
    let refused = intents(&engine).await.into_iter().filter(|intent| {
        let outcome = intent.outcome.as_ref().unwrap();
        outcome.status == OutcomeStatus::Refused
    });
    assert_eq!(refused.count(), 2);
    assert_eq!(world.tickets_opened(), 4, "people are told all the same");
    world.assert_no_violations();
}

async fn scan(tenant: &Tenant) -> ScanSummary {
    let forced = ScanOptions {
        forced: true,
        ..ScanOptions::default()
    };
    tenant.scan_with(forced).await.unwrap()
}

/// Plans, approves as bob and applies; how many actions were in the plan.
async fn walk(tenant: &Tenant) -> usize {
    let plan = tenant.plan().await.unwrap();
    let count = plan.actions.len();
    let approved = tenant.approve(plan, &bob()).await.unwrap();
    for step in tenant.apply(approved).await.unwrap() {
        assert!(step.outcome.is_some(), "{step}");
    }
    count
}

fn suspensions(plan: &Plan) -> impl Iterator<Item = &PlannedAction> {
    let is_one = |planned: &&PlannedAction| planned.action.kind == ActionKind::SuspendAccount;
    plan.actions.iter().filter(is_one)
}

/// What alice asks for.
fn suspension(user: &str, lasts: Option<Duration>) -> Request {
    Request {
        kind: ActionKind::SuspendAccount,
        account: format!("passwords:{user}"),
        reason: "a lost laptop".to_owned(),
        by: alice(),
        lasts,
        parameters: protect_connectors::core::model::Attributes::new(),
    }
}

fn assert_nothing_was_changed(world: &World) {
    let requests = world.sandbox.requests();
    assert!(requests.len() > 10, "vendors were asked");
    let changing: Vec<_> = requests.iter().filter(|r| r.changing).collect();
    assert!(changing.is_empty(), "{changing:?}");
    assert!(world.sandbox.transitions().is_empty());
}
