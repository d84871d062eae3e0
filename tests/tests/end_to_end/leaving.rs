//! Somebody leaves who has accounts at four vendors, of which one answers nothing after applying, one is
//! down for an hour and one refuses.

use std::time::Duration;

use protect_connectors::core::engine::{FindingFilter, Tenant};
use protect_connectors::core::model::{
    EmploymentStatus, Finding, FindingStatus, Leaving, OutcomeStatus, Severity, Workflow,
    WorkflowStatus,
};
use protect_connectors::core::people::{EmployeeInput, NewOffboarding};
use protect_sandbox::{Fault, FaultKind, Vendor};
use serde_json::json;

use crate::support::{World, alice, bob, exported};

/// Where people have accounts.
const PLACES: [&str; 4] = ["entra", "passwords", "wiki", "workspace"];

/// Microsoft 365, Google Workspace, 1Password and an application that speaks SCIM.
async fn world() -> World {
    let world = crate::m365::with_microsoft(World::fast(50).await);
    let mut world = crate::google::with_google(world);
    let own = world.sandbox.credentials();
    let folder = world.folder.path().to_owned();
    let secret = |name: &str, value: &str| {
        std::fs::write(folder.join(name), value).unwrap();
        json!({ "token": { "file": folder.join(name) } })
    };
    let connection = json!({
        "kind": "scim",
        "endpoints": { "base": world.sandbox.scim_url() },
        "scan": secret("scim-scan.token", &own.scim_scan_token),
        "respond": secret("scim-respond.token", &own.scim_respond_token),
        "requests_per_second": 20,
        "tenants": ["acme"],
    });
    world.set("/connections/acme-wiki", connection);
    let wiki = json!({ "connection": "acme-wiki" });
    world.set("/tenants/acme/connectors/wiki", wiki);
    world
}

async fn critical(acme: &Tenant) -> Vec<Finding> {
    let filter = FindingFilter {
        min_severity: Some(Severity::Critical),
        ..FindingFilter::default()
    };
    let found = acme.findings(&filter).await.unwrap().findings.into_iter();
    let own = found.filter(|it| it.observation.check.as_str() == "protect.offboarding.access_left");
    own.collect()
}

async fn pass(world: &World, acme: &Tenant, by: Duration) {
    world.advance(by);
    acme.apply_waiting().await.unwrap();
    acme.review_workflows().await.unwrap();
    acme.apply_waiting().await.unwrap();
}

fn outcome(workflow: &Workflow, connector: &str) -> Option<OutcomeStatus> {
    let mut steps = workflow.steps.iter();
    let step = steps.find(|it| {
        it.account.connector.as_str() == connector && it.kind.as_str() == "suspend_account"
    });
    step.unwrap().outcome
}

/// How often each vendor closed an account by our doing.
fn closed(world: &World, vendor: Vendor) -> usize {
    let users = world.transitions("user").into_iter();
    users
        .filter(|it| it.vendor == vendor && it.request.is_some())
        .count()
}

/// Somebody without any role, who has an account at all four.
async fn somebody(world: &World, acme: &Tenant) -> String {
    for name in PLACES {
        let read = acme.refresh_accounts(&name.parse().unwrap()).await.unwrap();
        assert!(read.complete, "{read:?}");
    }
    let accounts = acme.accounts().await.unwrap();
    let ordinary = |email: &str| {
        let own = accounts.iter().filter(|it| {
            let address = it.address.as_ref();
            address.is_some_and(|address| address.as_str() == email)
        });
        let own: Vec<_> = own.collect();
        own.len() == PLACES.len()
            && own
                .iter()
                .all(|it| it.privileged != Some(true) && it.protection.is_none())
    };
    let people = world.ordinary_people().into_iter().map(|(_, email)| email);
    let mut chosen = people.filter(|email| ordinary(email));
    chosen.next().unwrap()
}

#[tokio::test]
async fn each_account_is_closed_once_a_refusal_is_told_aloud_and_the_evidence_says_who_approved() {
    let world = world().await;
    let engine = world.engine().await;
    let acme = engine.tenant("acme").unwrap();
    let email = somebody(&world, &acme).await;
    let input = EmployeeInput {
        last_name: Some("Leaver".to_owned()),
        work_email: Some(email.parse().unwrap()),
        ..EmployeeInput::default()
    };
    let employee = acme.hire(&input, false, &alice()).await.unwrap();
    let today = engine
        .context()
        .clock
        .now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let new = NewOffboarding {
        last_day: today,
        leaving: Leaving::Terminated,
        reason: "the post is gone".to_owned(),
        at_once: true,
        allow_past: false,
        tasks: Some(Vec::new()),
    };
    let started = acme.offboard(&employee.id, &new, &alice()).await.unwrap();
    let id = started.workflow.id.clone();
    let places: std::collections::BTreeSet<_> = started
        .workflow
        .steps
        .iter()
        .map(|it| it.account.connector.to_string())
        .collect();
    let wanted = PLACES.map(str::to_owned);
    assert_eq!(places, wanted.into());

    let lost = Fault::new(FaultKind::AnswerLost).at(Vendor::Google);
    world
        .sandbox
        .set_fault(lost.on("/users/{userKey}").times(6));
    world
        .sandbox
        .set_fault(Fault::new(FaultKind::Unavailable).at(Vendor::M365));
    world
        .sandbox
        .set_fault(Fault::new(FaultKind::SuspendRefused).at(Vendor::OnePassword));
    let approved = acme.approve(started.plan.unwrap(), &bob()).await.unwrap();
    acme.apply(approved).await.unwrap();
    world.sandbox.clear_faults();
    world
        .sandbox
        .set_fault(Fault::new(FaultKind::Unavailable).at(Vendor::M365));
    for _ in 0..2 {
        pass(&world, &acme, Duration::from_mins(35)).await;
    }
    let workflow = acme.workflow(&id).await.unwrap();
    assert_eq!(workflow.status, WorkflowStatus::Open);
    assert_eq!(
        outcome(&workflow, "passwords"),
        Some(OutcomeStatus::Refused)
    );
    let waits = outcome(&workflow, "entra");
    assert!(
        matches!(waits, None | Some(OutcomeStatus::Unknown)),
        "it is waited for: {waits:?}"
    );
    let found = critical(&acme).await;
    let refused = found
        .iter()
        .find(|it| it.observation.title.contains("passwords"));
    assert_eq!(refused.unwrap().status, FindingStatus::New);
    assert_eq!(world.tickets_opened(), 1);

    world.sandbox.clear_faults();
    for _ in 0..3 {
        pass(&world, &acme, Duration::from_mins(70)).await;
    }
    let workflow = acme.workflow(&id).await.unwrap();
    let left: Vec<_> = workflow
        .steps_left()
        .map(|it| it.account.connector.as_str())
        .collect();
    assert_eq!(left, ["passwords"], "{workflow:#?}");
    assert!(!workflow.access_gone);

    let resumed = acme.resume_offboarding(&id).await.unwrap();
    let approved = acme.approve(resumed.plan.unwrap(), &bob()).await.unwrap();
    acme.apply(approved).await.unwrap();
    pass(&world, &acme, Duration::from_mins(20)).await;
    let workflow = acme.workflow(&id).await.unwrap();
    assert_eq!(workflow.status, WorkflowStatus::Completed, "{workflow:#?}");
    let employee = acme.employee(&employee.id).await.unwrap();
    assert_eq!(employee.status, EmploymentStatus::Terminated);
    for vendor in [
        Vendor::M365,
        Vendor::Google,
        Vendor::OnePassword,
        Vendor::Scim,
    ] {
        assert_eq!(closed(&world, vendor), 1, "{vendor:?}");
    }
    assert_eq!(
        world.tickets_opened(),
        1,
        "the same incident has one ticket"
    );
    let open = critical(&acme).await.into_iter();
    assert_eq!(
        open.filter(|it| it.status != FindingStatus::Resolved)
            .count(),
        0
    );

    let (_, report) = exported(&engine).await;
    assert!(report.valid, "{report:?}");
    let evidence = acme.workflow_evidence(&id).await.unwrap();
    let approvals: Vec<_> = evidence
        .iter()
        .filter(|it| it.kind == "plan.approved")
        .collect();
    assert_eq!(approvals.len(), 2);
    assert!(approvals.iter().all(|it| it.actor.contains("unverified")));
    let text = format!("{evidence:?}");
    assert!(!text.contains(&email), "people stand in it as pseudonyms");
    world.assert_no_violations();
}
