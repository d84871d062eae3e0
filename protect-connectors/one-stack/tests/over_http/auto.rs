//! What RMM does about leaked credentials without a rule of the tenant's, and what keeps each of it small.

use std::time::Duration;

use protect_core::ErrorKind;
use protect_core::engine::Tenant;
use protect_core::model::{ActionKind, Actor, GuardDecision, OutcomeStatus, Severity};
use protect_sandbox::Fault;
use serde_json::{Value, json};

use crate::rmm::scanned;
use crate::security::{raise, raise_as};
use crate::world::World;

const RESET: ActionKind = ActionKind::ForcePasswordReset;
const LOCKOUT: ActionKind = ActionKind::SuspendAccount;
const JANE: &str = "jane@acme.example";

#[tokio::test]
async fn auto_actions_are_off_until_somebody_answers_for_them() {
    let world = World::new().await;
    let with = |auto: Value| {
        let config = world.config(&["rmm"], |config| {
            config["tenants"]["acme"]["connectors"]["rmm"]["auto_actions"] = auto;
        });
        world
            .engine(&config)
            .map(|engine| engine.tenant("acme").unwrap())
    };
    for wrong in [
        json!({ "force_password_reset": { "enabled": true } }),
        json!({ "revoke_sessions": { "enabled": true } }),
        json!({ "force_password_reset": { "enabeld": true } }),
        json!({ "enroll_mfa": { "enabled": true, "enabled_by": "", } }),
        json!({ "suspend_account": { "enabled": true, "require_approval": false } }),
        json!({ "force_password_reset": { "max_per_hour": 0 } }),
    ] {
        let error = with(wrong.clone()).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{wrong}");
        assert!(error.to_string().contains("auto_actions"), "{error}");
    }
    let answered = json!({ "enabled": true, "enabled_by": "Ada" });
    let off = with(json!({ "force_password_reset": { "enabled_by": "Ada" } })).unwrap();
    let on = with(json!({
        "force_password_reset": answered,
        "suspend_account": { "enabled": true, "enabled_by": "Ada", "min_severity": "critical" },
        "enroll_mfa": { "enabled": true, "enabled_by": "Ada", "exclude_accounts": [JANE] },
    }));
    world.leak("acme", "jane", "Adobe", Severity::High);
    let plan = scanned(&off).await;
    assert!(plan.actions.is_empty());

    let acme = on.unwrap();
    let plan = scanned(&acme).await;
    let verdicts: Vec<_> = plan
        .actions
        .iter()
        .map(|it| (it.action.kind, it.guard.decision))
        .collect();
    assert_eq!(
        verdicts,
        [
            (RESET, GuardDecision::Allow),
            (ActionKind::EnrollMfa, GuardDecision::Refuse),
        ],
        "a lockout is for critical ones"
    );
    let approved = acme.approve_automatic(plan).await.unwrap().unwrap();
    acme.apply(approved).await.unwrap();
    let made = world.made("remediation");
    assert_eq!(made.len(), 1);
    assert_eq!(
        made[0]["fields"]["approved_by"], "Ada",
        "the standing approval is Ada's"
    );
    assert_eq!(made[0]["status"], "completed");
    assert_eq!(world.rules(), [""; 0]);
}

/// A tenant with RMM, which does this by itself, and with Security, which is set up so.
fn tenant(world: &World, auto: &Value, security: &Value) -> Tenant {
    let config = world.config(&["rmm", "security"], |config| {
        let connectors = &mut config["tenants"]["acme"]["connectors"];
        connectors["rmm"]["auto_actions"] = auto.clone();
        for (name, value) in security.as_object().unwrap() {
            connectors["security"][name] = value.clone();
        }
    });
    world.engine(&config).unwrap().tenant("acme").unwrap()
}

/// Scans, plans, and does what needs nobody's consent.
async fn by_itself(tenant: &Tenant) {
    let plan = scanned(tenant).await;
    if let Some(approved) = tenant.approve_automatic(plan).await.unwrap() {
        tenant.apply(approved).await.unwrap();
    }
}

fn lockout_by_itself() -> Value {
    json!({ "suspend_account": { "enabled": true, "enabled_by": "Ada", "require_approval": false } })
}

#[tokio::test]
async fn an_account_is_locked_out_where_it_leaked_and_is_attacked_and_not_longer_than_a_day() {
    let world = World::new().await;
    let acme = tenant(&world, &lockout_by_itself(), &json!({}));
    world.leak("acme", "jane", "Adobe", Severity::High);
    world.leak("acme", "john", "Adobe", Severity::High);
    by_itself(&acme).await;
    assert_eq!(world.made("remediation"), [Value::Null; 0], "a leak alone");
    raise_as(&world, JANE, 1, "credential_stuffing").await;
    raise_as(&world, "mary@acme.example", 2, "credential_stuffing").await;
    by_itself(&acme).await;
    let made = world.made("remediation");
    assert_eq!(made.len(), 1, "neither an alert alone nor a leak alone");
    let fields = &made[0]["fields"];
    assert_eq!(fields["action"], "account_lockout");
    assert_eq!(fields["target"]["email"], JANE);
    assert_eq!(fields["params"]["duration_minutes"], 24 * 60);
    assert_eq!(fields["severity"], "high");
    assert_eq!(fields["approved_by"], "Ada");

    world.pass(&acme, 2, Duration::from_hours(13)).await;
    let ended = acme.actions().await.unwrap().pop().unwrap();
    assert_eq!(ended.action.kind, ActionKind::ReactivateAccount);
    assert!(ended.status().unwrap().is_terminal(), "{ended}");
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn a_lockout_needs_consent_unless_somebody_says_otherwise_in_so_many_words() {
    let world = World::new().await;
    let auto = json!({ "suspend_account": { "enabled": true, "enabled_by": "Ada" } });
    let acme = tenant(&world, &auto, &json!({}));
    world.leak("acme", "jane", "Adobe", Severity::High);
    raise(&world, JANE, 1).await;
    let plan = scanned(&acme).await;
    assert_eq!(plan.actions[0].guard.decision, GuardDecision::NeedsApproval);
    assert_eq!(plan.actions[0].action.lasts, Some(Duration::from_hours(24)));
    let approved = acme.approve(plan, &Actor::unverified("alice")).await;
    let steps = acme.apply(approved.unwrap()).await.unwrap();
    assert_eq!(steps[0].status(), Some(OutcomeStatus::Applied));
}

#[tokio::test]
async fn an_alert_that_is_dealt_with_or_of_another_sort_locks_nobody_out() {
    let world = World::new().await;
    let only = json!({ "attack_categories": ["Credential_Stuffing"] });
    let acme = tenant(&world, &lockout_by_itself(), &only);
    world.leak("acme", "jane", "Adobe", Severity::High);
    raise_as(&world, JANE, 1, "phishing").await;
    let over = raise_as(&world, JANE, 2, "credential_stuffing").await;
    world.sandbox.set_one_stack_status(&over, "resolved");
    assert!(scanned(&acme).await.actions.is_empty());
    raise_as(&world, JANE, 3, "credential_stuffing").await;
    assert_eq!(scanned(&acme).await.actions.len(), 1);
}

#[tokio::test]
async fn where_nobody_can_say_whether_it_is_attacked_the_lockout_is_shown_and_not_done() {
    let world = World::new().await;
    let acme = tenant(&world, &lockout_by_itself(), &json!({}));
    world.leak("acme", "jane", "Adobe", Severity::High);
    let broken = Fault::named("html200").unwrap().on("/security/api/alerts");
    world.sandbox.set_fault(broken.times(9));
    let plan = scanned(&acme).await;
    let guard = &plan.actions[0].guard;
    assert_eq!(guard.decision, GuardDecision::Refuse);
    assert!(
        guard
            .reasons
            .iter()
            .any(|it| it.contains("could not be looked up")),
        "{guard:?}"
    );

    let nobody_looks = tenant(&world, &lockout_by_itself(), &json!({ "correlate": false }));
    let plan = scanned(&nobody_looks).await;
    let guard = &plan.actions[0].guard;
    assert_eq!(guard.decision, GuardDecision::Refuse);
    assert!(
        guard.reasons.iter().any(|it| it.contains("keeps alerts")),
        "{guard:?}"
    );
}

#[tokio::test]
async fn each_auto_action_has_a_cap_of_its_own_and_the_rest_waits() {
    let world = World::new().await;
    let auto = json!({
        "force_password_reset": { "enabled": true, "enabled_by": "Ada", "max_per_hour": 2 },
        "enroll_mfa": { "enabled": true, "enabled_by": "Ada" },
    });
    let acme = tenant(&world, &auto, &json!({}));
    for who in ["ann", "bob", "cat", "dan", "eve"] {
        world.leak("acme", who, "Adobe", Severity::High);
    }
    by_itself(&acme).await;
    let asked = |action: &str| {
        let made = world.made("remediation").into_iter();
        made.filter(|it| it["fields"]["action"] == action).count()
    };
    assert_eq!(asked("force_password_reset"), 2);
    assert_eq!(asked("mfa_enrollment"), 5, "the other has no cap");
    let all = acme.actions().await.unwrap();
    let waits: Vec<_> = all.iter().filter_map(|step| step.waits.as_ref()).collect();
    assert_eq!(waits.len(), 3);
    assert!(waits[0].contains("did 2 within an hour"), "{waits:?}");
    world.pass(&acme, 1, Duration::from_mins(50)).await;
    assert_eq!(asked("force_password_reset"), 2);
    world.pass(&acme, 1, Duration::from_mins(11)).await;
    assert_eq!(asked("force_password_reset"), 4);
    world.pass(&acme, 1, Duration::from_mins(61)).await;
    assert_eq!(asked("force_password_reset"), 5);
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn an_auto_action_that_is_tried_out_stands_in_plans_and_does_nothing() {
    let world = World::new().await;
    let auto = json!({
        "force_password_reset": { "enabled": true, "enabled_by": "Ada", "dry_run": true },
        "enroll_mfa": { "enabled": true, "enabled_by": "Ada" },
    });
    let acme = tenant(&world, &auto, &json!({}));
    world.leak("acme", "jane", "Adobe", Severity::High);
    let plan = scanned(&acme).await;
    let tried = plan.actions.iter().find(|it| it.action.kind == RESET);
    let guard = &tried.unwrap().guard;
    assert_eq!(guard.decision, GuardDecision::Refuse);
    assert_eq!(guard.reasons, ["the rule is a dry run"]);
    // Nobody does it by consent either.
    let approved = acme.approve(plan, &Actor::unverified("alice")).await;
    acme.apply(approved.unwrap()).await.unwrap();
    let made = world.made("remediation");
    assert_eq!(made.len(), 1);
    assert_eq!(made[0]["fields"]["action"], "mfa_enrollment");
    assert!(
        acme.plan()
            .await
            .unwrap()
            .actions
            .iter()
            .all(|it| it.action.kind != LOCKOUT)
    );
}
