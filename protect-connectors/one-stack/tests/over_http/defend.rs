//! Somebody who leaves is watched more closely until they have left, at most once and by nobody's oversight.

use std::time::Duration;

use protect_core::ErrorKind;
use protect_core::engine::Tenant;
use protect_core::model::{
    ActionKind, Actor, Employee, Leaving, OutcomeStatus, TaskStatus, TaskTemplate, Workflow,
    WorkflowStatus,
};
use protect_core::people::{EmployeeInput, NewOffboarding, TaskChange};
use protect_core::testing::contract;
use protect_sandbox::{Fault, FaultKind, Vendor};
use serde_json::{Value, json};

use crate::world::{World, action, approved, op};

const JANE: &str = "jane@acme.example";
const WHO: &str = "the works council";

fn switched_on(config: &mut Value) {
    let defend = &mut config["tenants"]["acme"]["connectors"]["defend"];
    defend["elevated_monitoring"] = json!(true);
    defend["enabled_by"] = json!(WHO);
}

async fn jane(acme: &Tenant) -> Employee {
    let input = EmployeeInput {
        last_name: Some("Roe".to_owned()),
        work_email: Some(JANE.parse().unwrap()),
        ..EmployeeInput::default()
    };
    acme.hire(&input, false, &alice()).await.unwrap()
}

fn alice() -> Actor {
    Actor::unverified("alice")
}

/// Begins the offboarding of somebody with one task, approved and applied.
async fn leaving(world: &World, acme: &Tenant) -> Workflow {
    let jane = jane(acme).await;
    let task = TaskTemplate {
        title: "Collect the laptop".to_owned(),
        category: "equipment".to_owned(),
        assignee: "manager".to_owned(),
        due: 0,
    };
    let new = NewOffboarding {
        last_day: world.sandbox.now().to_zoned(jiff::tz::TimeZone::UTC).date(),
        leaving: Leaving::Resigned,
        reason: "moves on".to_owned(),
        at_once: true,
        allow_past: false,
        tasks: Some(vec![task]),
    };
    let started = acme.offboard(&jane.id, &new, &alice()).await.unwrap();
    let plan = started.plan.unwrap();
    let approved = acme.approve(plan, &Actor::unverified("bob")).await.unwrap();
    acme.apply(approved).await.unwrap();
    acme.workflow(&started.workflow.id).await.unwrap()
}

async fn pass(world: &World, acme: &Tenant, passes: u32) {
    for _ in 0..passes {
        world.pass(acme, 1, Duration::from_mins(2)).await;
        acme.review_workflows().await.unwrap();
    }
}

fn outcome(workflow: &Workflow, kind: ActionKind) -> Option<OutcomeStatus> {
    let step = workflow.steps.iter().find(|step| step.kind == kind);
    step.and_then(|step| step.outcome)
}

#[tokio::test]
async fn defend_keeps_the_contract_of_a_remediator() {
    let world = World::new().await;
    let connector = world.connector("acme", "defend", switched_on);
    let own = world.organisation("acme");
    contract::connector(&*connector, &op("acme"), &[&own.integration_key]).await;
    let begin = action(ActionKind::ElevateMonitoring, "1", "defend", JANE);
    let mut end = action(ActionKind::EndMonitoring, "2", "defend", JANE);
    end.undoes = Some(begin.id.clone());
    contract::remediator(&*connector, &approved("acme"), &begin, Some(&end)).await;
    contract::does_nothing_else(&*connector, &approved("acme"), &begin).await;
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn nobody_is_watched_unless_somebody_answers_for_it() {
    let world = World::new().await;
    let connector = world.connector("acme", "defend", |_| {});
    assert!(connector.capability().actions.is_empty());
    assert!(connector.as_remediator().is_none());
    let config = world.config(&["defend"], |config| {
        config["tenants"]["acme"]["connectors"]["defend"]["elevated_monitoring"] = json!(true);
    });
    let error = world.engine(&config).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    assert!(error.to_string().contains("enabled_by"), "{error}");

    let config = world.config(&["defend"], |_| {});
    let acme = world.engine(&config).unwrap().tenant("acme").unwrap();
    let jane = jane(&acme).await;
    let new = NewOffboarding {
        last_day: "2030-01-31".parse().unwrap(),
        leaving: Leaving::Resigned,
        reason: "moves on".to_owned(),
        at_once: false,
        allow_past: false,
        tasks: None,
    };
    let started = acme.offboard(&jane.id, &new, &alice()).await.unwrap();
    assert!(started.plan.is_none(), "there is nothing to do by itself");
}

#[tokio::test]
async fn who_leaves_is_watched_until_the_offboarding_is_over() {
    let world = World::new().await;
    let config = world.config(&["defend"], switched_on);
    let acme = world.engine(&config).unwrap().tenant("acme").unwrap();
    let workflow = leaving(&world, &acme).await;
    let began = outcome(&workflow, ActionKind::ElevateMonitoring);
    assert_eq!(began, Some(OutcomeStatus::Applied), "{workflow:#?}");
    let made = world.made("elevation");
    let sent = &made[0]["fields"];
    assert_eq!(sent["workflow_id"], json!(workflow.id));
    assert_eq!(sent["reason"], "offboarding");
    assert_eq!(made[0]["status"], "active");
    let applied = acme.actions().await.unwrap();
    let said = applied[0].outcome.as_ref().unwrap();
    assert_eq!(said.after["enabled_by"], WHO, "who decided it is recorded");

    pass(&world, &acme, 2).await;
    assert_eq!(world.made("elevation")[0]["status"], "active");
    let done = TaskChange {
        status: TaskStatus::Done,
        note: None,
    };
    let workflow = acme
        .set_task(&workflow.id, 1, &done, &alice())
        .await
        .unwrap();
    assert_eq!(workflow.status, WorkflowStatus::Completed);
    pass(&world, &acme, 3).await;
    let workflow = acme.workflow(&workflow.id).await.unwrap();
    let ended = outcome(&workflow, ActionKind::EndMonitoring);
    assert_eq!(ended, Some(OutcomeStatus::Applied), "{workflow:#?}");
    let made = world.made("elevation");
    assert_eq!((made.len(), &made[0]["status"]), (1, &json!("ended")));
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn who_stays_after_all_is_no_longer_watched_and_nobody_need_consent_to_that() {
    let world = World::new().await;
    let config = world.config(&["defend"], switched_on);
    let acme = world.engine(&config).unwrap().tenant("acme").unwrap();
    let workflow = leaving(&world, &acme).await;
    let cancelled = acme
        .cancel_workflow(&workflow.id, "stays after all", &alice())
        .await
        .unwrap();
    assert!(cancelled.plan.is_none(), "it ends by itself");
    pass(&world, &acme, 2).await;
    assert_eq!(world.made("elevation")[0]["status"], "ended");
    let workflow = acme.workflow(&workflow.id).await.unwrap();
    assert_eq!(workflow.status, WorkflowStatus::Cancelled);
    let ended = outcome(&workflow, ActionKind::EndMonitoring);
    assert_eq!(ended, Some(OutcomeStatus::Applied));
    pass(&world, &acme, 3).await;
    assert_eq!(acme.workflow(&workflow.id).await.unwrap(), workflow);
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn a_lost_answer_has_somebody_watched_once_and_an_outage_is_waited_for() {
    let world = World::new().await;
    let config = world.config(&["defend"], switched_on);
    let acme = world.engine(&config).unwrap().tenant("acme").unwrap();
    let lost = Fault::named("answer_lost").unwrap();
    world
        .sandbox
        .set_fault(lost.on("/defend/api/internal/monitoring/elevate").times(1));
    let workflow = leaving(&world, &acme).await;
    pass(&world, &acme, 3).await;
    let begun = acme.workflow(&workflow.id).await.unwrap();
    let began = outcome(&begun, ActionKind::ElevateMonitoring);
    assert!(
        matches!(
            began,
            Some(OutcomeStatus::Applied | OutcomeStatus::AlreadySo)
        ),
        "{begun:#?}"
    );
    assert_eq!(world.made("elevation").len(), 1);

    let down = Fault::new(FaultKind::Unavailable).at(Vendor::OneStack);
    world.sandbox.set_fault(down);
    acme.cancel_workflow(&workflow.id, "stays after all", &alice())
        .await
        .unwrap();
    pass(&world, &acme, 2).await;
    assert_eq!(world.made("elevation")[0]["status"], "active");
    world.sandbox.clear_faults();
    for _ in 0..3 {
        world.pass(&acme, 1, Duration::from_mins(70)).await;
        acme.review_workflows().await.unwrap();
    }
    assert_eq!(world.made("elevation")[0]["status"], "ended");
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn the_end_of_one_offboarding_leaves_what_another_began() {
    let world = World::new().await;
    let connector = world.connector("acme", "defend", switched_on);
    let defend = connector.as_remediator().unwrap();
    let workflow = |number: &str, kind, workflow: &str| {
        let mut action = action(kind, number, "defend", JANE);
        action.requested_by = alice();
        let parameters = json!({
            "workflow": workflow, "employee_id": "e-1", "last_day": "2026-11-30",
        });
        action.parameters = parameters.as_object().unwrap().clone();
        action
    };
    let cx = approved("acme");
    for (number, name) in [("1", "w-1"), ("2", "w-2")] {
        let begin = workflow(number, ActionKind::ElevateMonitoring, name);
        defend.apply(&cx, &begin).await.unwrap();
    }
    let end = workflow("3", ActionKind::EndMonitoring, "w-1");
    let preview = defend.preview(&cx, &end).await.unwrap();
    assert_eq!(preview.before["workflows"], json!(["w-1", "w-2"]));
    assert_eq!(preview.after["workflows"], json!(["w-2"]));
    let ended = defend.apply(&cx, &end).await.unwrap();
    assert_eq!(ended.after["monitoring"], "elevated");
    assert_eq!(ended.after["workflows"], json!(["w-2"]));
    assert_eq!(world.rules(), [""; 0]);
}
