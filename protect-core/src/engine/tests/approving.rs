use super::fixture::{Fixture, RULE, alice};
use crate::engine::Request;
use crate::error::ErrorKind;
use crate::model::{ActionKind, Actor, OutcomeStatus, Plan};

fn request(by: Actor) -> Request {
    Request {
        kind: ActionKind::SuspendAccount,
        account: "user3@acme.example".to_owned(),
        reason: "reported by phone".to_owned(),
        by,
        lasts: None,
        parameters: crate::model::Attributes::new(),
    }
}

#[tokio::test]
async fn the_requesters_own_approval_of_a_manual_request_is_refused() {
    let fixture = Fixture::new("").await;
    let plan = fixture.tenant.request(request(alice())).await.unwrap();
    let error = fixture
        .tenant
        .approve(plan.clone(), &alice())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    let approved = fixture
        .tenant
        .approve(plan, &Actor::unverified("bob"))
        .await
        .unwrap();
    let steps = fixture.tenant.apply(approved).await.unwrap();
    assert_eq!(steps[0].status(), Some(OutcomeStatus::Applied));
}

#[tokio::test]
async fn the_requesters_own_approval_counts_where_the_tenant_allows_and_records_it() {
    let fixture = Fixture::with("enforce", "approval.self = \"allow_recorded\"", "").await;
    let plan = fixture.tenant.request(request(alice())).await.unwrap();
    fixture.tenant.approve(plan, &alice()).await.unwrap();
    let approved = fixture.ledger().await;
    assert!(approved.iter().any(|entry| entry.kind == "plan.approved"));
}

#[tokio::test]
async fn whoever_ran_plan_may_approve_what_a_rule_asked_for() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    assert_eq!(fixture.walk().await.len(), 2);
}

#[tokio::test]
async fn an_actor_who_only_typed_a_name_is_refused_where_the_tenant_says_so() {
    let fixture = Fixture::with("enforce", "approval.unverified = \"refuse\"", RULE).await;
    fixture.incident(1, 1).await;
    let plan = fixture.tenant.plan().await.unwrap();
    let error = fixture.tenant.approve(plan, &alice()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
}

#[tokio::test]
async fn a_plan_that_was_changed_after_it_was_made_cannot_be_approved() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    let plan = fixture.tenant.plan().await.unwrap();
    let mut actions = plan.actions.clone();
    actions.remove(0);
    let error = fixture
        .tenant
        .approve(Plan { actions, ..plan }, &alice())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn approving_twice_makes_no_second_intent() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    let plan = fixture.tenant.plan().await.unwrap();
    let first = fixture
        .tenant
        .approve(plan.clone(), &alice())
        .await
        .unwrap();
    let second = fixture.tenant.approve(plan, &alice()).await.unwrap();
    fixture.tenant.apply(first).await.unwrap();
    fixture.tenant.apply(second).await.unwrap();
    assert_eq!(fixture.vendor.journal(), ["suspend U001", "ticket"]);
}

#[tokio::test]
async fn an_approval_that_lapsed_before_the_attempt_changes_nothing_and_is_planned_again() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    let plan = fixture.tenant.plan().await.unwrap();
    let approved = fixture.tenant.approve(plan, &alice()).await.unwrap();
    fixture
        .clock
        .advance(std::time::Duration::from_hours(25))
        .await;
    let steps = fixture.tenant.apply(approved).await.unwrap();
    assert!(
        steps
            .iter()
            .all(|step| step.status() == Some(OutcomeStatus::Expired))
    );
    assert!(fixture.vendor.journal().is_empty());
    assert_eq!(fixture.tenant.plan().await.unwrap().actions.len(), 2);
}
