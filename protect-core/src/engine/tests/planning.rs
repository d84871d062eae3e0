use super::fixture::{Fixture, RULE, account_id, alice};
use crate::engine::Request;
use crate::error::ErrorKind;
use crate::model::{ActionKind, FindingStatus, GuardDecision, Mode, Protection};
use crate::store::{Commit, Expect};

#[tokio::test]
async fn a_plan_says_what_is_now_and_what_will_be_and_changes_nothing() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    let plan = fixture.tenant.plan().await.unwrap();
    let kinds: Vec<_> = plan
        .actions
        .iter()
        .map(|planned| planned.action.kind)
        .collect();
    assert_eq!(kinds, [ActionKind::SuspendAccount, ActionKind::OpenTicket]);
    assert_eq!(plan.actions[0].preview.before["state"], "active");
    assert_eq!(plan.actions[0].preview.after["state"], "suspended");
    assert_eq!(plan.actions[0].guard.decision, GuardDecision::NeedsApproval);
    assert!(fixture.vendor.journal().is_empty());
}

#[tokio::test]
async fn the_same_state_gives_the_same_plan_and_no_second_record() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    let first = fixture.tenant.plan().await.unwrap();
    let entries = fixture.ledger().await.len();
    assert_eq!(fixture.tenant.plan().await.unwrap().id, first.id);
    assert_eq!(fixture.ledger().await.len(), entries);
    assert_eq!(fixture.tenant.plans_waiting().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_newer_plan_replaces_an_older_one_which_can_then_not_be_approved() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    let old = fixture.tenant.plan().await.unwrap();
    fixture.incident(2, 1).await;
    let new = fixture.tenant.plan().await.unwrap();
    let waiting = fixture.tenant.plans_waiting().await.unwrap();
    assert_eq!(
        waiting.iter().map(|plan| &plan.id).collect::<Vec<_>>(),
        [&new.id]
    );
    let error = fixture.tenant.approve(old, &alice()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn two_rules_that_want_the_same_make_one_action() {
    let second = RULE.replace("\"leaked\"", "\"leaked too\"");
    let fixture = Fixture::new(&format!("{RULE}{second}")).await;
    fixture.incident(1, 1).await;
    assert_eq!(fixture.tenant.plan().await.unwrap().actions.len(), 2);
}

#[tokio::test]
async fn findings_that_somebody_accepted_or_that_are_resolved_ask_for_nothing() {
    for status in [
        FindingStatus::Accepted,
        FindingStatus::Resolved,
        FindingStatus::FalsePositive,
    ] {
        let fixture = Fixture::new(RULE).await;
        let incident = fixture.incident(1, 1).await;
        let finding = fixture.read_incident(&incident).await.findings[0].clone();
        let kind = crate::store::RecordKind::Finding;
        let read = fixture
            .tenant
            .read::<crate::model::Finding>(kind, finding.as_str())
            .await;
        let mut finding = read.unwrap().unwrap().value;
        finding.status = status;
        let put = crate::engine::records::put_finding(&finding, Expect::Anything).unwrap();
        let commit = Commit::default().put(put);
        fixture
            .tenant
            .store()
            .commit(fixture.tenant.id(), commit)
            .await
            .unwrap();
        assert!(
            fixture.tenant.plan().await.unwrap().actions.is_empty(),
            "{status:?}"
        );
    }
}

#[tokio::test]
async fn what_the_vendor_or_the_configuration_protects_is_refused() {
    let protected = "protected = [\"USER2@acme.example\"]";
    let fixture = Fixture::with("enforce", protected, RULE).await;
    fixture.vendor.with(|state| {
        state.protected.insert(account_id(1), Protection::LastOwner);
    });
    fixture.incident(1, 1).await;
    fixture.incident(2, 1).await;
    let plan = fixture.tenant.plan().await.unwrap();
    let suspensions = plan
        .actions
        .iter()
        .filter(|p| p.action.kind == ActionKind::SuspendAccount);
    for planned in suspensions {
        assert_eq!(planned.guard.decision, GuardDecision::Refuse);
        assert!(planned.guard.reasons[0].starts_with("protected: "));
    }
    let steps = fixture.walk().await;
    assert_eq!(steps.len(), 4);
    assert_eq!(fixture.vendor.journal(), ["ticket", "ticket"]);
}

#[tokio::test]
async fn the_eleventh_account_within_the_hour_waits_for_approval() {
    let auto = format!("{RULE}approval = \"auto\"\nenabled_by = \"carol\"\n");
    let fixture = Fixture::new(&auto).await;
    fixture.add_account(10).await;
    for number in 0..11 {
        fixture.incident(number, 1).await;
    }
    let plan = fixture.tenant.plan().await.unwrap();
    let waits = |plan: &crate::model::Plan| {
        let waits = plan
            .actions
            .iter()
            .filter(|p| p.guard.decision == GuardDecision::NeedsApproval);
        waits.count()
    };
    assert_eq!(waits(&plan), 1);
    let approved = fixture
        .tenant
        .approve_automatic(plan)
        .await
        .unwrap()
        .unwrap();
    fixture.tenant.apply(approved).await.unwrap();
    let suspended =
        |journal: &[String]| journal.iter().filter(|j| j.starts_with("suspend")).count();
    assert_eq!(suspended(&fixture.vendor.journal()), 10);
    let again = fixture.tenant.plan().await.unwrap();
    assert_eq!(again.actions.len(), 1, "the eleventh waits");
    assert_eq!(waits(&again), 1);
    fixture
        .clock
        .advance(std::time::Duration::from_mins(61))
        .await;
    assert_eq!(
        waits(&fixture.tenant.plan().await.unwrap()),
        0,
        "the hour is over"
    );
}

#[tokio::test]
async fn a_vendor_that_cannot_be_read_makes_its_action_refuse_with_the_reason() {
    let fixture = Fixture::with("dry_run", "", RULE).await;
    fixture.incident(1, 1).await;
    let plan = fixture.tenant.plan().await.unwrap();
    assert_eq!(plan.mode, Mode::DryRun);
    let error = fixture.tenant.approve(plan, &alice()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.message().contains("mode = \"enforce\""));
}

#[tokio::test]
async fn a_request_for_somebody_unknown_says_so() {
    let fixture = Fixture::new("").await;
    let request = Request {
        kind: ActionKind::SuspendAccount,
        account: "nobody@acme.example".to_owned(),
        reason: "test".to_owned(),
        by: alice(),
        lasts: None,
        parameters: crate::model::Attributes::new(),
    };
    let error = fixture.tenant.request(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(!error.to_string().contains("nobody"));
}
