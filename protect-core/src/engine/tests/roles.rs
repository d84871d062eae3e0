use super::fixture::{Fixture, RULE};
use crate::engine::Request;
use crate::error::{Error, ErrorKind};
use crate::model::{
    ActionKind, Actor, Address, Authority, FindingStatus, IncidentStatus, OutcomeStatus,
    Permission, Role,
};

fn who(name: &str, role: Role, granted: &[&str]) -> Actor {
    let authority = Authority::staff(role, granted.iter().copied());
    Actor::authenticated("test", name, Some(authority))
}

fn request(by: &Actor) -> Request {
    Request {
        kind: ActionKind::SuspendAccount,
        account: "user3@acme.example".to_owned(),
        reason: "reported by phone".to_owned(),
        by: by.clone(),
        lasts: None,
        parameters: crate::model::Attributes::new(),
    }
}

fn is_denied<T: std::fmt::Debug>(result: Result<T, Error>, permission: Permission) -> bool {
    let error = result.unwrap_err();
    error.kind() == ErrorKind::PermissionDenied
        && error
            .context()
            .contains(&("permission", permission.as_str().to_owned()))
}

#[tokio::test]
async fn a_viewer_changes_nothing_whatever_was_granted() {
    let fixture = Fixture::new(RULE).await;
    let tenant = &fixture.tenant;
    let incident = fixture.incident(1, 1).await;
    let finding = fixture.read_incident(&incident).await.findings[0].clone();
    let granted: Vec<_> = Permission::ALL.iter().map(|it| it.as_str()).collect();
    let viewer = who("vera", Role::Viewer, &granted);
    let plan = tenant.plan().await.unwrap();
    let approve = Permission::RemediationsApprove;
    assert!(is_denied(
        tenant.approve(plan.clone(), &viewer).await,
        approve
    ));
    assert!(is_denied(
        tenant.reject(&plan.id, &viewer, "no").await,
        approve
    ));
    assert!(is_denied(tenant.pause(&viewer, "no").await, approve));
    assert!(is_denied(tenant.resume(&viewer).await, approve));
    let ask = Permission::RemediationsRequest;
    assert!(is_denied(tenant.request(request(&viewer)).await, ask));
    let id = plan.actions[0].action.id.clone();
    assert!(is_denied(tenant.undo(&id, &viewer, "no").await, ask));
    let settled = tenant
        .settle(&id, OutcomeStatus::Applied, &viewer, "no")
        .await;
    assert!(is_denied(settled, approve));
    let manage = Permission::FindingsManage;
    assert!(is_denied(
        tenant.resolve_finding(&finding, &viewer).await,
        manage
    ));
    let closed = tenant
        .set_incident_status(&incident, IncidentStatus::Closed, &viewer)
        .await;
    assert!(is_denied(closed, manage));
    let address = Address::new("new@acme.example").unwrap();
    let watched = tenant.monitor_add(&address, &viewer).await;
    assert!(is_denied(watched, Permission::SettingsManage));
    assert!(fixture.vendor.journal().is_empty());
}

#[tokio::test]
async fn a_member_does_what_was_granted_and_never_approves_their_own_request() {
    let own = "approval.self = \"allow_recorded\"";
    let fixture = Fixture::with("enforce", own, RULE).await;
    let tenant = &fixture.tenant;
    let granted = [
        "protect.remediations.request",
        "protect.remediations.approve",
    ];
    let member = who("mia", Role::Member, &granted);
    let plan = tenant.request(request(&member)).await.unwrap();
    let error = tenant.approve(plan.clone(), &member).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(is_denied(
        tenant
            .approve(plan.clone(), &who("max", Role::Member, &granted[..1]))
            .await,
        Permission::RemediationsApprove
    ));
    tenant
        .approve(plan, &who("moe", Role::Member, &granted))
        .await
        .unwrap();
    // An admin's own counts, since this tenant lets it.
    let admin = who("ada", Role::Admin, &[]);
    let plan = tenant.request(request(&admin)).await.unwrap();
    tenant.approve(plan, &admin).await.unwrap();
}

#[tokio::test]
async fn a_rejected_plan_waits_for_nobody_and_cannot_be_approved() {
    let fixture = Fixture::new(RULE).await;
    let tenant = &fixture.tenant;
    fixture.incident(1, 1).await;
    let admin = who("ada", Role::Admin, &[]);
    let plan = tenant.plan().await.unwrap();
    assert!(tenant.reject(&plan.id, &admin, "").await.is_err());
    tenant
        .reject(&plan.id, &admin, "the person is on site")
        .await
        .unwrap();
    tenant.reject(&plan.id, &admin, "once more").await.unwrap();
    assert!(tenant.plans_waiting().await.unwrap().is_empty());
    let error = tenant.approve(plan.clone(), &admin).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("rejected"), "{error}");
    assert!(fixture.vendor.journal().is_empty());
    let ledger = fixture.ledger().await;
    let rejected: Vec<_> = ledger
        .iter()
        .filter(|it| it.kind == "plan.rejected")
        .collect();
    assert_eq!(rejected.len(), 1);
    assert!(!rejected[0].actor.contains("ada"), "{}", rejected[0].actor);
}

#[tokio::test]
async fn an_approved_plan_cannot_be_rejected() {
    let fixture = Fixture::new(RULE).await;
    fixture.incident(1, 1).await;
    let admin = who("ada", Role::Admin, &[]);
    let plan = fixture.tenant.plan().await.unwrap();
    fixture.tenant.approve(plan.clone(), &admin).await.unwrap();
    let error = fixture
        .tenant
        .reject(&plan.id, &admin, "too late")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn an_owner_judges_a_finding() {
    let fixture = Fixture::new(RULE).await;
    let incident = fixture.incident(1, 1).await;
    let finding = fixture.read_incident(&incident).await.findings[0].clone();
    let owner = who("olga", Role::Owner, &[]);
    let finding = fixture
        .tenant
        .acknowledge_finding(&finding, &owner)
        .await
        .unwrap();
    assert_eq!(finding.status, FindingStatus::Acknowledged);
}

#[test]
fn an_actor_that_was_stored_before_there_were_roles_is_read_and_written_as_it_was() {
    let stored = r#"{"kind":"person","id":"alice","authenticated_by":"unverified"}"#;
    let actor: Actor = serde_json::from_str(stored).unwrap();
    assert_eq!(actor, Actor::unverified("alice"));
    assert_eq!(serde_json::to_string(&actor).unwrap(), stored);
    let roles = who("ada", Role::Admin, &["protect.findings.view"]);
    let again: Actor = serde_json::from_str(&serde_json::to_string(&roles).unwrap()).unwrap();
    assert_eq!(again, roles);
}
