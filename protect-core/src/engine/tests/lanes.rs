use super::fixture::{Fixture, RULE, alice};
use crate::model::{Action, ActionId, ActionKind, ActionTarget, OutcomeStatus, Plan};
use crate::store::Commit;

async fn planned(fixture: &Fixture, incidents: u32) -> Plan {
    for number in 0..incidents {
        fixture.incident(number, 1).await;
    }
    fixture.tenant.plan().await.unwrap()
}

#[tokio::test]
async fn many_targets_are_worked_on_beside_each_other_and_told_of_in_the_plans_order() {
    let fixture = Fixture::new(RULE).await;
    let plan = planned(&fixture, 10).await;
    let wanted: Vec<ActionId> = plan.actions.iter().map(|it| it.action.id.clone()).collect();
    let approved = fixture.tenant.approve(plan, &alice()).await.unwrap();
    let steps = fixture.tenant.apply(approved).await.unwrap();
    let given: Vec<ActionId> = steps.iter().map(|it| it.action.id.clone()).collect();
    assert_eq!(given, wanted);
    assert!(
        steps
            .iter()
            .all(|it| it.status() == Some(OutcomeStatus::Applied))
    );
    assert_eq!(fixture.vendor.with(|state| state.most_at_work), 8);
}

#[tokio::test]
async fn what_is_told_of_an_incident_waits_for_its_changes_and_for_no_others() {
    let fixture = Fixture::new(RULE).await;
    let plan = planned(&fixture, 10).await;
    let suspends = |it: &&crate::model::PlannedAction| it.action.kind == ActionKind::SuspendAccount;
    let slow = plan.actions.iter().find(suspends).unwrap();
    let ActionTarget::Account(account) = &slow.action.target else {
        panic!("{slow:?}");
    };
    let account = account.id.clone();
    let others = Some((account.clone(), 9));
    fixture.vendor.with(|state| state.slow = others);
    let approved = fixture.tenant.approve(plan, &alice()).await.unwrap();
    fixture.tenant.apply(approved).await.unwrap();
    let journal = fixture.vendor.journal();
    let changed = journal
        .iter()
        .position(|it| *it == format!("suspend {account}"));
    // Nine incidents are told of while this one waits for its change, which is told of last.
    assert_eq!(changed, Some(18), "{journal:?}");
    assert_eq!(journal.last().unwrap(), "ticket");
    let before = |ticket: usize| {
        journal[..ticket]
            .iter()
            .filter(|it| *it == "ticket")
            .count()
    };
    for ticket in (0..20).filter(|at| journal[*at] == "ticket") {
        assert!(ticket > 2 * before(ticket), "{journal:?}");
    }
}

#[tokio::test]
async fn actions_of_one_incident_that_end_at_the_same_moment_are_all_known_to_have_ended() {
    let fixture = Fixture::new(RULE).await;
    let incident = fixture.incident(0, 1).await;
    for number in 1..8 {
        fixture.join(&incident, number, "Breach1").await;
    }
    fixture.vendor.with(|state| state.together = 8);
    let steps = fixture.walk().await;
    let suspended = steps
        .iter()
        .filter(|it| it.action.kind == ActionKind::SuspendAccount);
    assert_eq!(suspended.count(), 8);
    for step in &steps {
        assert_eq!(step.status(), Some(OutcomeStatus::Applied), "{step}");
    }
    let incident = fixture.read_incident(&incident).await;
    assert_eq!(incident.status, crate::model::IncidentStatus::Contained);
}

#[tokio::test]
async fn what_waits_is_worked_off_target_by_target_too() {
    let fixture = Fixture::new(RULE).await;
    let plan = planned(&fixture, 10).await;
    fixture.tenant.approve(plan, &alice()).await.unwrap();
    let steps = fixture.tenant.apply_waiting().await.unwrap();
    assert_eq!(steps.len(), 20);
    assert_eq!(fixture.vendor.with(|state| state.most_at_work), 8);
    assert!(fixture.tenant.apply_waiting().await.unwrap().is_empty());
    assert_eq!(fixture.vendor.journal().len(), 20);
}

#[tokio::test]
async fn two_actions_on_one_account_never_run_at_the_same_time() {
    let both = RULE.replace("open_ticket", "force_password_reset");
    let fixture = Fixture::new(&both).await;
    let plan = planned(&fixture, 4).await;
    assert_eq!(plan.actions.len(), 8);
    let approved = fixture.tenant.approve(plan, &alice()).await.unwrap();
    fixture.tenant.apply(approved).await.unwrap();
    assert_eq!(fixture.vendor.with(|state| state.most_at_work), 4);
    assert!(!fixture.vendor.with(|state| state.twice_at_work));
}

/// Another account that was changed just now.
fn another(action: &Action, number: usize) -> Action {
    let ActionTarget::Account(account) = &action.target else {
        panic!("{action:?}");
    };
    let mut account = account.clone();
    account.id = format!("X{number}");
    Action {
        id: ActionId::of(&"acme".parse().unwrap(), &[account.id.as_str()]),
        target: ActionTarget::Account(account),
        ..action.clone()
    }
}

#[tokio::test]
async fn of_many_at_once_none_slips_past_what_a_rule_may_do_in_an_hour() {
    let auto = format!("{RULE}approval = \"auto\"\nenabled_by = \"carol\"\n");
    let fixture = Fixture::new(&auto).await;
    let plan = planned(&fixture, 6).await;
    let suspends = |it: &&crate::model::PlannedAction| it.action.kind == ActionKind::SuspendAccount;
    let action = plan.actions.iter().find(suspends).unwrap().action.clone();
    let approved = fixture.tenant.approve_automatic(plan).await.unwrap();
    // Ten may be changed within the hour; meanwhile eight others were.
    let mut commit = Commit::default();
    for number in 0..8 {
        let counted = fixture.tenant.count_attempt(&another(&action, number));
        commit.changes.extend(counted.unwrap());
    }
    let (store, id) = (fixture.tenant.store(), fixture.tenant.id());
    store.commit(id, commit).await.unwrap();
    let steps = fixture.tenant.apply(approved.unwrap()).await.unwrap();
    let with = |status| {
        let suspended = steps
            .iter()
            .filter(|it| it.action.kind == ActionKind::SuspendAccount);
        suspended.filter(|it| it.status() == Some(status)).count()
    };
    assert_eq!(with(OutcomeStatus::Applied), 2);
    assert_eq!(with(OutcomeStatus::Expired), 4);
}
