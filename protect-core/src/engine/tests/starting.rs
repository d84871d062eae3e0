//! Onboardings and offboardings as actions: on the one road, once, and taken back.

use std::time::Duration;

use serde_json::json;

use super::fixture::{Fixture, address, alice};
use crate::connector::{AppliedStatus, Probe};
use crate::engine::{Request, Step};
use crate::error::ErrorKind;
use crate::model::{
    ActionKind, Actor, Attributes, Authority, EmployeeId, EmploymentStatus, GuardDecision, Leaving,
    OutcomeStatus, Plan, Role, Workflow, WorkflowKind, WorkflowStatus,
};
use crate::people::{EmployeeInput, NewOffboarding};

/// Whoever takes what is not theirs with them leaves, at once.
const INSIDER: &str = r#"
[[tenants.acme.rules]]
name = "insider"
when = { kind = "credential_exposure", severity = ">=high" }
then = [{ action = "start_offboarding", at_once = true }]
approval = "auto"
enabled_by = "the board"
"#;

struct World {
    fixture: Fixture,
    employee: EmployeeId,
}

impl World {
    async fn new(rules: &str) -> Self {
        Self::with("enforce", rules).await
    }

    /// Somebody works here who has the account `U001`.
    async fn with(mode: &str, rules: &str) -> Self {
        let fixture = Fixture::with(mode, "", rules).await;
        let input = EmployeeInput {
            last_name: Some("Lee".to_owned()),
            work_email: Some(address(1)),
            start_date: Some("2030-02-01".parse().unwrap()),
            ..EmployeeInput::default()
        };
        let hired = fixture.tenant.hire(&input, false, &alice()).await.unwrap();
        Self {
            fixture,
            employee: hired.id,
        }
    }

    async fn ask(&self, kind: ActionKind, who: &str, parameters: &[(&str, &str)]) -> Plan {
        let asked = self.fixture.tenant.request(request(kind, who, parameters));
        asked.await.unwrap()
    }

    async fn start(&self) -> Plan {
        self.ask(ActionKind::StartOffboarding, "user1@acme.example", &[])
            .await
    }

    async fn carry_out(&self, plan: Plan) -> Vec<Step> {
        let tenant = &self.fixture.tenant;
        let approved = tenant.approve(plan, &bob()).await.unwrap();
        tenant.apply(approved).await.unwrap()
    }

    async fn workflows(&self) -> Vec<Workflow> {
        self.fixture.tenant.workflows(None).await.unwrap()
    }

    async fn kinds(&self) -> Vec<String> {
        let ledger = self.fixture.ledger().await;
        ledger.into_iter().map(|entry| entry.kind).collect()
    }
}

fn request(kind: ActionKind, who: &str, parameters: &[(&str, &str)]) -> Request {
    let pairs = parameters.iter();
    Request {
        kind,
        account: who.to_owned(),
        reason: "took the list of customers".to_owned(),
        by: alice(),
        lasts: None,
        parameters: pairs
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect(),
    }
}

fn bob() -> Actor {
    Actor::unverified("bob")
}

fn refusal(plan: &Plan) -> String {
    let guard = &plan.actions[0].guard;
    assert_eq!(guard.decision, GuardDecision::Refuse, "{guard:?}");
    guard.reasons.join("; ")
}

#[tokio::test]
async fn a_dry_run_shows_what_would_begin_and_begins_nothing() {
    let world = World::with("dry_run", "").await;
    let plan = world.start().await;
    let planned = &plan.actions[0];
    assert_eq!(planned.guard.decision, GuardDecision::NeedsApproval);
    assert_eq!(planned.preview.before["workflow"], "none");
    assert_eq!(planned.preview.after["workflow"], "offboarding");
    assert_eq!(planned.preview.after["access_ends"], "with the last day");
    let error = world.fixture.tenant.approve(plan, &bob()).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Refused);
    assert!(world.workflows().await.is_empty());
}

#[tokio::test]
async fn somebody_s_consent_begins_it_once_and_its_own_plan_waits_for_consent() {
    let world = World::new("").await;
    let tenant = &world.fixture.tenant;
    let plan = world.start().await;
    let own = tenant.approve(plan.clone(), &alice()).await;
    assert_eq!(own.unwrap_err().kind(), ErrorKind::Refused, "their own");
    let steps = world.carry_out(plan.clone()).await;
    assert_eq!(steps[0].status(), Some(OutcomeStatus::Applied));

    let [begun] = &world.workflows().await[..] else {
        panic!("one workflow")
    };
    assert_eq!(begun.kind, WorkflowKind::Offboarding);
    assert_eq!(begun.begun_by.as_ref(), Some(&steps[0].action.id));
    assert_eq!(begun.started_by, alice());
    let outcome = steps[0].outcome.as_ref().unwrap();
    assert_eq!(outcome.after["workflow_id"], json!(begun.id));
    assert_eq!(world.fixture.vendor.journal(), [""; 0], "access is there");
    let waiting = tenant.plans_waiting().await.unwrap();
    assert_eq!(Some(&waiting[0].id), begun.plan.as_ref());
    assert!(!begun.steps.is_empty() && begun.steps.iter().all(|step| !step.approved));

    let again = tenant.approved_by_id(&plan.id).await.unwrap();
    let again = tenant.apply(again).await.unwrap();
    assert_eq!(again[0].status(), Some(OutcomeStatus::Applied));
    assert_eq!(world.workflows().await.len(), 1);
    let kinds = world.kinds().await;
    for (kind, times) in [("offboarding.started", 1), ("action.finished", 1)] {
        let found = kinds.iter().filter(|it| *it == kind).count();
        assert_eq!(found, times, "{kind} in {kinds:?}");
    }
    let evidence = world.fixture.ledger().await;
    let started = evidence.iter().find(|it| it.kind == "offboarding.started");
    assert_eq!(
        started.unwrap().data["begun_by"],
        json!(steps[0].action.id),
        "the receipt names the action"
    );
}

#[tokio::test]
async fn the_last_day_and_how_they_leave_are_asked_for_and_a_misspelt_word_is_refused() {
    let world = World::new("").await;
    let kind = ActionKind::StartOffboarding;
    let who = "user1@acme.example";
    let tenant = &world.fixture.tenant;
    let misspelt = tenant.request(request(kind, who, &[("last_dy", "2030-01-31")]));
    let error = misspelt.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().contains("last_day"), "{error}");
    for (name, value, says) in [
        ("last_day", "soon", "last_day"),
        ("last_day", "2001-01-31", "past"),
        ("leaving", "fled", "leaving"),
    ] {
        let plan = world.ask(kind, who, &[(name, value)]).await;
        let refusal = refusal(&plan);
        assert!(refusal.contains(says), "{refusal}");
    }
    let told = [("last_day", "2040-01-31"), ("leaving", "resigned")];
    let plan = world.ask(kind, who, &told).await;
    world.carry_out(plan).await;
    let begun = &world.workflows().await[0];
    assert_eq!(begun.day.to_string(), "2040-01-31");
    assert_eq!(begun.leaving, Some(Leaving::Resigned));
    assert!(begun.access_ends_at.unwrap() > tenant.now());
}

#[tokio::test]
async fn nobody_begins_to_leave_who_is_unknown_leaves_already_or_has_left() {
    let world = World::new("").await;
    let tenant = &world.fixture.tenant;
    let kind = ActionKind::StartOffboarding;
    for stranger in ["user2@acme.example", "ann@elsewhere.example"] {
        let plan = world.ask(kind, stranger, &[]).await;
        assert!(refusal(&plan).contains("nobody in the workforce"));
    }
    let asked_before = world.start().await;
    let leaving = world.start().await;
    world.carry_out(leaving).await;
    let plan = world.start().await;
    assert!(refusal(&plan).contains("runs already"));
    // Consent that was given while nobody left yet begins no second one.
    let late = world.carry_out(asked_before).await;
    assert_eq!(late[0].status(), Some(OutcomeStatus::Refused));
    assert!(late[0].to_string().contains("runs already"), "{}", late[0]);
    assert_eq!(world.workflows().await.len(), 1);

    let open = &world.workflows().await[0].id;
    tenant
        .cancel_workflow(open, "a mistake", &alice())
        .await
        .unwrap();
    let left = EmploymentStatus::Resigned;
    tenant
        .set_employee_status(&world.employee, &left, Some("left by letter"), &alice())
        .await
        .unwrap();
    let plan = world.start().await;
    assert!(refusal(&plan).contains("left already"));
}

#[tokio::test]
async fn whose_role_does_not_let_them_start_one_by_hand_does_not_by_an_action() {
    let world = World::new("").await;
    let role = |role: &str| Authority {
        products: [("people".to_owned(), role.to_owned())].into(),
        ..Authority::staff(Role::Admin, [] as [&str; 0])
    };
    let person = |word: &str| Actor::authenticated("hub", word, Some(role(word)));
    let mut asked = request(ActionKind::StartOffboarding, "user1@acme.example", &[]);
    asked.by = person("manager");
    let plan = world.fixture.tenant.request(asked.clone()).await.unwrap();
    assert!(refusal(&plan).contains("role"), "{plan:?}");
    asked.by = person("hr_staff");
    let plan = world.fixture.tenant.request(asked).await.unwrap();
    assert_eq!(plan.actions[0].guard.decision, GuardDecision::NeedsApproval);
}

#[tokio::test]
async fn a_rule_may_ask_for_it_and_no_rule_lets_it_happen_without_a_person() {
    let world = World::new(INSIDER).await;
    let tenant = &world.fixture.tenant;
    world.fixture.incident(1, 1).await;
    let plan = tenant.plan().await.unwrap();
    let planned = &plan.actions[0];
    assert_eq!(planned.action.kind, ActionKind::StartOffboarding);
    assert_eq!(planned.guard.decision, GuardDecision::NeedsApproval);
    assert_eq!(
        planned.preview.after["access_ends"],
        "as soon as its plan is approved"
    );
    assert!(
        tenant
            .approve_automatic(plan.clone())
            .await
            .unwrap()
            .is_none()
    );
    world.carry_out(plan).await;
    let begun = world.workflows().await.remove(0);
    assert_eq!(
        begun.started_by,
        Actor::engine(),
        "no rule's consent counts"
    );
    assert_eq!(begun.access_ends_at, Some(begun.started_at));
    assert!(begun.reason.contains("insider"), "{}", begun.reason);

    // Whoever consented to the beginning may consent to what it comes to.
    let ends = tenant
        .plan_by_id(begun.plan.as_ref().unwrap())
        .await
        .unwrap();
    assert!(
        tenant
            .approve_automatic(ends.clone())
            .await
            .unwrap()
            .is_none()
    );
    world.carry_out(ends).await;
    assert_eq!(world.fixture.vendor.journal()[0], "suspend U001");
    tenant.review_workflows().await.unwrap();
    let over = tenant.workflow(&begun.id).await.unwrap();
    assert!(over.access_gone);
    assert!(
        tenant.plan().await.unwrap().actions.is_empty(),
        "asked once"
    );
}

#[tokio::test]
async fn undoing_it_calls_the_workflow_off_and_plans_to_give_access_back() {
    let world = World::new("").await;
    let tenant = &world.fixture.tenant;
    let plan = world
        .ask(ActionKind::StartOffboarding, "user1@acme.example", &[])
        .await;
    let steps = world.carry_out(plan).await;
    let begun = world.workflows().await.remove(0);
    let started = &steps[0].action.id;
    let undo = tenant.undo(started, &alice(), "they stay").await.unwrap();
    assert_eq!(undo.actions[0].action.kind, ActionKind::CancelWorkflow);
    assert_eq!(undo.actions[0].preview.before["workflow"], "offboarding");
    assert_eq!(undo.actions[0].preview.after["workflow"], "cancelled");
    let undone = world.carry_out(undo.clone()).await;
    assert_eq!(undone[0].status(), Some(OutcomeStatus::Applied));
    let now = tenant.workflow(&begun.id).await.unwrap();
    assert_eq!(now.status, WorkflowStatus::Cancelled);
    assert_eq!(
        tenant.employee(&world.employee).await.unwrap().last_day,
        None
    );
    let again = tenant.undo(started, &alice(), "they stay").await.unwrap();
    assert!(again.actions[0].preview.already_so);

    // What a person took back is not begun again by itself.
    let rule = World::new(INSIDER).await;
    rule.fixture.incident(1, 1).await;
    let steps = rule
        .carry_out(rule.fixture.tenant.plan().await.unwrap())
        .await;
    let begun = rule.workflows().await.remove(0);
    let hr = Actor::unverified("hr");
    let tenant = &rule.fixture.tenant;
    let off = tenant.cancel_workflow(&begun.id, "a false alarm", &hr);
    off.await.unwrap();
    rule.fixture.incident(1, 2).await;
    let plan = tenant.plan().await.unwrap();
    assert_ne!(plan.actions[0].action.id, steps[0].action.id);
    assert!(refusal(&plan).contains("took this back"));
}

#[tokio::test]
async fn a_workflow_that_runs_is_called_off_by_a_request_too() {
    let world = World::new("").await;
    let tenant = &world.fixture.tenant;
    let kind = ActionKind::CancelWorkflow;
    let plan = world.ask(kind, "user1@acme.example", &[]).await;
    assert!(refusal(&plan).contains("no workflow"));
    let new = NewOffboarding {
        last_day: "2040-01-31".parse().unwrap(),
        leaving: Leaving::Resigned,
        reason: "found another job".to_owned(),
        at_once: false,
        allow_past: false,
        tasks: None,
    };
    tenant
        .offboard(&world.employee, &new, &alice())
        .await
        .unwrap();
    let plan = world.ask(kind, "user1@acme.example", &[]).await;
    world.carry_out(plan).await;
    assert_eq!(world.workflows().await[0].status, WorkflowStatus::Cancelled);
}

#[tokio::test]
async fn an_onboarding_begins_with_the_first_day_that_is_known() {
    let world = World::new("").await;
    let kind = ActionKind::StartOnboarding;
    let plan = world.ask(kind, "user1@acme.example", &[]).await;
    assert_eq!(plan.actions[0].preview.after["first_day"], "2030-02-01");
    world.carry_out(plan).await;
    let begun = world.workflows().await.remove(0);
    assert_eq!(begun.kind, WorkflowKind::Onboarding);
    assert_eq!(begun.day.to_string(), "2030-02-01");
    assert!(!begun.tasks.is_empty());
    let plan = world.ask(kind, "user1@acme.example", &[]).await;
    assert!(refusal(&plan).contains("runs already"));
}

#[tokio::test]
async fn whoever_died_after_it_began_finds_it_begun_and_begins_no_second() {
    let world = World::new("").await;
    let tenant = &world.fixture.tenant;
    let plan = world.start().await;
    let approved = tenant.approve(plan.clone(), &bob()).await.unwrap();
    tenant.abandon_in_flight(&approved).await;
    // The process that died had come so far: it is written, and nobody noted it.
    let action = &plan.actions[0].action;
    let workforce = tenant.connector(action.target.connector()).unwrap();
    let workforce = workforce.as_remediator().unwrap();
    let cx = tenant.op(bob(), Duration::from_mins(1));
    let before = workforce.probe(&cx, action).await.unwrap();
    assert!(matches!(before, Probe::DidNotHappen(_)));
    let began = workforce.apply(&cx, action).await.unwrap();
    assert_eq!(began.status, AppliedStatus::Applied);
    assert_eq!(world.workflows().await[0].plan, None, "not yet planned");

    world.fixture.clock.advance(Duration::from_mins(4)).await;
    let steps = tenant.apply_waiting().await.unwrap();
    assert_eq!(steps[0].status(), Some(OutcomeStatus::Applied));
    let begun = world.workflows().await;
    assert_eq!(begun.len(), 1);
    assert!(begun[0].plan.is_some(), "looking after it made its plan");
    let twice = workforce.apply(&cx, action).await.unwrap();
    assert_eq!(twice.status, AppliedStatus::AlreadySo);
    assert_eq!(world.workflows().await.len(), 1);
}

#[tokio::test]
async fn whoever_died_before_it_began_leaves_it_to_begin_once() {
    let world = World::new("").await;
    let tenant = &world.fixture.tenant;
    let plan = world.start().await;
    let approved = tenant.approve(plan, &bob()).await.unwrap();
    tenant.abandon_in_flight(&approved).await;
    world.fixture.clock.advance(Duration::from_mins(4)).await;
    for _ in 0..3 {
        tenant.apply_waiting().await.unwrap();
        world.fixture.clock.advance(Duration::from_mins(2)).await;
    }
    assert_eq!(world.workflows().await.len(), 1);
    let steps = tenant.actions().await.unwrap();
    assert_eq!(steps[0].status(), Some(OutcomeStatus::Applied));
}

#[tokio::test]
async fn of_two_at_the_same_moment_one_begins() {
    let world = World::new("").await;
    let (one, two) = (world.start().await, world.start().await);
    let both = futures::join!(world.carry_out(one), world.carry_out(two));
    let mut came_out = [both.0[0].status().unwrap(), both.1[0].status().unwrap()];
    came_out.sort();
    assert_eq!(came_out, [OutcomeStatus::Applied, OutcomeStatus::Refused]);
    assert_eq!(world.workflows().await.len(), 1);
}

#[tokio::test]
async fn the_parameters_of_other_actions_are_not_taken() {
    let fixture = Fixture::new("").await;
    let asked = Request {
        parameters: Attributes::from_iter([("last_day".to_owned(), json!("2040-01-31"))]),
        ..request(ActionKind::SuspendAccount, "user1@acme.example", &[])
    };
    let error = fixture.tenant.request(asked).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
