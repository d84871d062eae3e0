use std::time::Duration;

use super::fixture::{Fault, Fixture, RULE, account_id, alice};
use crate::engine::{Request, Step};
use crate::model::{ActionKind, Actor, IncidentStatus, OutcomeStatus};

#[tokio::test]
async fn an_approved_plan_suspends_once_opens_one_ticket_and_contains_the_incident() {
    let fixture = Fixture::new(RULE).await;
    let incident = fixture.incident(1, 1).await;
    let steps = fixture.walk().await;
    assert!(
        steps
            .iter()
            .all(|step| step.status() == Some(OutcomeStatus::Applied))
    );
    assert_eq!(fixture.vendor.journal(), ["suspend U001", "ticket"]);
    assert_eq!(
        fixture.read_incident(&incident).await.status,
        IncidentStatus::Contained
    );
    assert_eq!(
        fixture
            .tenant
            .ticket_of(&incident)
            .await
            .unwrap()
            .as_deref(),
        Some("T1")
    );
    assert!(
        fixture.tenant.plan().await.unwrap().actions.is_empty(),
        "nothing is left to do"
    );
}

#[tokio::test]
async fn a_further_finding_of_an_incident_becomes_a_note_and_no_second_suspension() {
    let fixture = Fixture::new(RULE).await;
    let incident = fixture.incident(1, 1).await;
    fixture.walk().await;
    fixture.join(&incident, 1, "Another").await;
    fixture.walk().await;
    assert_eq!(fixture.vendor.journal(), ["suspend U001", "ticket", "note"]);
}

#[tokio::test]
async fn an_interrupted_note_is_sent_again_although_the_ticket_is_open() {
    let fixture = Fixture::new(RULE).await;
    let incident = fixture.incident(1, 1).await;
    fixture.walk().await;
    fixture.join(&incident, 1, "Another").await;
    let plan = fixture.tenant.plan().await.unwrap();
    assert_eq!(plan.actions[0].action.kind, ActionKind::OpenTicket);
    let approved = fixture.tenant.approve(plan, &alice()).await.unwrap();
    fixture.tenant.abandon_in_flight(&approved).await;
    fixture.clock.advance(Duration::from_mins(4)).await;
    fixture.tenant.apply_waiting().await.unwrap();
    fixture.tenant.apply_waiting().await.unwrap();
    assert_eq!(fixture.vendor.journal(), ["suspend U001", "ticket", "note"]);
}

#[tokio::test]
async fn an_answer_that_got_lost_is_found_out_by_a_probe() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    fixture.vendor.with(|state| state.fault = Fault::AnswerLost);
    let steps = fixture.walk().await;
    assert!(
        steps
            .iter()
            .all(|step| step.status() == Some(OutcomeStatus::Applied))
    );
    assert_eq!(fixture.vendor.journal(), ["suspend U001", "ticket"]);
}

#[tokio::test]
async fn what_nobody_can_say_is_unknown_until_a_probe_settles_it() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    fixture
        .vendor
        .with(|state| state.fault = Fault::AnswerLostAndSilent);
    let steps = fixture.walk().await;
    assert_eq!(steps[0].status(), Some(OutcomeStatus::Unknown));
    assert!(
        fixture.tenant.plan().await.unwrap().actions.is_empty(),
        "unknown is not planned again"
    );
    fixture.vendor.with(|state| state.fault = Fault::None);
    fixture.clock.advance(Duration::from_mins(2)).await;
    let steps = fixture.tenant.apply_waiting().await.unwrap();
    assert!(
        steps
            .iter()
            .any(|s| s.action.kind == ActionKind::SuspendAccount
                && s.status() == Some(OutcomeStatus::Applied))
    );
    let suspended = fixture
        .vendor
        .journal()
        .iter()
        .filter(|j| *j == "suspend U001")
        .count();
    assert_eq!(suspended, 1);
}

#[tokio::test]
async fn a_person_can_settle_what_no_probe_could_and_only_that() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    fixture
        .vendor
        .with(|state| state.fault = Fault::AnswerLostAndSilent);
    let steps = fixture.walk().await;
    let (id, alice) = (steps[0].action.id.clone(), alice());
    let settle = |status| {
        fixture
            .tenant
            .settle(&id, status, &alice, "seen in the console")
    };
    assert!(settle(OutcomeStatus::Cancelled).await.is_err());
    let step = settle(OutcomeStatus::Applied).await.unwrap();
    assert_eq!(step.status(), Some(OutcomeStatus::Applied));
    assert!(
        settle(OutcomeStatus::Failed).await.is_err(),
        "a terminal outcome never changes"
    );
}

#[tokio::test]
async fn a_vendor_that_is_down_delays_the_action_and_it_is_done_once_when_it_is_back() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    fixture.vendor.with(|state| state.fault = Fault::Down);
    let steps = fixture.walk().await;
    assert!(
        steps
            .iter()
            .all(|step| step.status().is_none() && step.waits.is_some())
    );
    assert!(
        fixture.tenant.apply_waiting().await.unwrap().is_empty(),
        "not due yet"
    );
    fixture.vendor.with(|state| state.fault = Fault::None);
    fixture.clock.advance(Duration::from_mins(2)).await;
    let steps = fixture.tenant.apply_waiting().await.unwrap();
    assert!(
        steps
            .iter()
            .all(|step| step.status() == Some(OutcomeStatus::Applied))
    );
    assert_eq!(fixture.vendor.journal().len(), 2);
}

#[tokio::test]
async fn a_vendor_that_stays_down_ends_as_failed_and_is_planned_again() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    fixture.vendor.with(|state| state.fault = Fault::Down);
    fixture.walk().await;
    let mut failed = 0;
    for _ in 0..8 {
        fixture.clock.advance(Duration::from_mins(65)).await;
        let steps = fixture.tenant.apply_waiting().await.unwrap();
        failed += steps
            .iter()
            .filter(|s| s.status() == Some(OutcomeStatus::Failed))
            .count();
    }
    assert_eq!(failed, 1, "the ticket is still wanted and goes on waiting");
    let plan = fixture.tenant.plan().await.unwrap();
    let kinds: Vec<_> = plan
        .actions
        .iter()
        .map(|planned| planned.action.kind)
        .collect();
    assert_eq!(kinds, [ActionKind::SuspendAccount]);
}

#[tokio::test]
async fn a_permanent_refusal_by_the_vendor_is_failed_at_once() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    fixture.vendor.with(|state| state.fault = Fault::Denied);
    let steps = fixture.walk().await;
    assert_eq!(steps[0].status(), Some(OutcomeStatus::Failed));
    assert!(
        steps[0]
            .to_string()
            .starts_with("failed     suspend_account")
    );
}

#[tokio::test]
async fn pause_stops_the_next_effect_and_resume_lets_it_go_on() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    let plan = fixture.tenant.plan().await.unwrap();
    let approved = fixture.tenant.approve(plan, &alice()).await.unwrap();
    fixture
        .tenant
        .pause(&alice(), "something is odd")
        .await
        .unwrap();
    let steps = fixture.tenant.apply(approved.clone()).await.unwrap();
    assert!(
        steps
            .iter()
            .all(|step| step.to_string().contains("paused by alice"))
    );
    assert!(fixture.vendor.journal().is_empty());
    fixture.tenant.resume(&alice()).await.unwrap();
    fixture.tenant.apply(approved).await.unwrap();
    assert_eq!(fixture.vendor.journal().len(), 2);
}

#[tokio::test]
async fn what_a_person_took_back_is_not_done_again_within_the_cool_down() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    fixture.walk().await;
    fixture
        .vendor
        .with(|state| state.active.insert(account_id(1)));
    fixture.incident(1, 2).await;
    let steps = fixture.walk().await;
    let suspension = steps
        .iter()
        .find(|s| s.action.kind == ActionKind::SuspendAccount)
        .unwrap();
    assert_eq!(suspension.status(), Some(OutcomeStatus::Refused));
    assert_eq!(
        fixture.vendor.journal(),
        ["suspend U001", "ticket", "ticket"]
    );
    fixture.clock.advance(Duration::from_hours(24 * 8)).await;
    fixture.walk().await;
    let suspended = fixture
        .vendor
        .journal()
        .iter()
        .filter(|j| *j == "suspend U001")
        .count();
    assert_eq!(suspended, 2, "the cool-down is over");
}

#[tokio::test]
async fn a_temporary_suspension_ends_once_by_itself() {
    let fixture = Fixture::new("").await;
    let request = Request {
        kind: ActionKind::SuspendAccount,
        account: "fake:U004".to_owned(),
        reason: "lost laptop".to_owned(),
        by: alice(),
        lasts: Some(Duration::from_hours(24)),
        parameters: crate::model::Attributes::new(),
    };
    let plan = fixture.tenant.request(request).await.unwrap();
    let approved = fixture
        .tenant
        .approve(plan, &Actor::unverified("bob"))
        .await
        .unwrap();
    fixture.tenant.apply(approved).await.unwrap();
    fixture.tenant.apply_waiting().await.unwrap();
    assert_eq!(fixture.vendor.journal(), ["suspend U004"], "not over yet");
    fixture.clock.advance(Duration::from_hours(30)).await;
    fixture.tenant.apply_waiting().await.unwrap();
    fixture.tenant.apply_waiting().await.unwrap();
    assert_eq!(
        fixture.vendor.journal(),
        ["suspend U004", "reactivate U004"]
    );
}

#[tokio::test]
async fn undo_takes_an_applied_action_back_and_nothing_else() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    let steps = fixture.walk().await;
    let suspended = &steps[0].action.id;
    let plan = fixture
        .tenant
        .undo(suspended, &alice(), "a mistake")
        .await
        .unwrap();
    let approved = fixture
        .tenant
        .approve(plan, &Actor::unverified("bob"))
        .await
        .unwrap();
    let undone = fixture.tenant.apply(approved).await.unwrap();
    assert_eq!(undone[0].status(), Some(OutcomeStatus::Applied));
    assert_eq!(fixture.vendor.journal().last().unwrap(), "reactivate U001");
    let ticket = &steps[1].action.id;
    assert!(
        fixture
            .tenant
            .undo(ticket, &alice(), "a mistake")
            .await
            .is_err()
    );
}

#[tokio::test]
async fn an_interrupted_attempt_is_probed_before_anything_is_tried_again() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    let plan = fixture.tenant.plan().await.unwrap();
    let approved = fixture.tenant.approve(plan, &alice()).await.unwrap();
    fixture.tenant.abandon_in_flight(&approved).await;
    fixture.tenant.apply_waiting().await.unwrap();
    assert_eq!(
        fixture.vendor.journal(),
        ["ticket"],
        "the lease of the first still runs"
    );
    fixture.clock.advance(Duration::from_mins(4)).await;
    fixture.tenant.apply_waiting().await.unwrap();
    assert_eq!(fixture.vendor.journal(), ["ticket", "suspend U001"]);
    assert!(
        fixture
            .ledger()
            .await
            .iter()
            .any(|entry| entry.kind == "action.begun_again")
    );
}

#[tokio::test]
async fn every_transition_stands_in_the_ledger_and_no_name_or_address_does() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    fixture.walk().await;
    let ledger = fixture.ledger().await;
    let kinds: Vec<_> = ledger.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "plan.made",
            "plan.approved",
            "action.attempted",
            "action.finished",
            "action.attempted",
            "action.finished",
        ]
    );
    let text = serde_json::to_string(&ledger).unwrap();
    for name in ["alice", "user1@", "U001"] {
        assert!(!text.contains(name), "{name}");
    }
}

const NOTIFY: &str = "[[tenants.acme.rules]]\nname = \"tell\"\nwhen = { kind = \"credential_exposure\" }\n\
                      then = [\"notify\"]";

#[tokio::test]
async fn a_notice_that_surely_was_not_sent_is_sent_once_the_receiver_is_back() {
    let fixture = Fixture::new(NOTIFY).await;
    fixture.incident(1, 1).await;
    fixture.vendor.with(|state| state.fault = Fault::Down);
    let steps = fixture.walk().await;
    assert_eq!(steps[0].status(), None, "it waits");
    fixture.clock.advance(Duration::from_mins(2)).await;
    fixture.tenant.apply_waiting().await.unwrap();
    fixture.vendor.with(|state| state.fault = Fault::None);
    fixture.clock.advance(Duration::from_mins(5)).await;
    let steps = fixture.tenant.apply_waiting().await.unwrap();
    assert_eq!(steps[0].status(), Some(OutcomeStatus::Applied));
    assert_eq!(fixture.vendor.journal(), ["notice"]);
}

#[tokio::test]
async fn a_notice_that_surely_was_not_sent_fails_in_the_end() {
    let fixture = Fixture::new(NOTIFY).await;
    fixture.incident(1, 1).await;
    fixture.vendor.with(|state| state.fault = Fault::Down);
    fixture.walk().await;
    let mut ended = None;
    for _ in 0..200 {
        fixture.clock.advance(Duration::from_hours(1)).await;
        let steps = fixture.tenant.apply_waiting().await.unwrap();
        ended = ended.or(steps.first().and_then(Step::status));
    }
    assert_eq!(ended, Some(OutcomeStatus::Failed));
}

#[tokio::test]
async fn a_notice_that_may_have_been_sent_is_never_sent_again() {
    let fixture = Fixture::new(NOTIFY).await;
    fixture.incident(1, 1).await;
    fixture.vendor.with(|state| state.fault = Fault::AnswerLost);
    let steps = fixture.walk().await;
    assert_eq!(steps[0].status(), Some(OutcomeStatus::Unknown));
    fixture.vendor.with(|state| state.fault = Fault::None);
    for _ in 0..30 {
        fixture.clock.advance(Duration::from_hours(1)).await;
        fixture.tenant.apply_waiting().await.unwrap();
        assert!(fixture.tenant.plan().await.unwrap().actions.is_empty());
    }
    assert_eq!(fixture.vendor.journal(), ["notice"]);
}
