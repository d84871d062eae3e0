use std::time::Duration;

use protect_core::ErrorKind;
use protect_core::connector::Probe;
use protect_core::engine::{Step, Tenant};
use protect_core::model::{ActionKind, Actor, GuardDecision, Mode, OutcomeStatus, Plan, Severity};
use protect_core::testing::contract;
use protect_sandbox::Fault;
use serde_json::{Value, json};

use crate::world::{World, action, approved, op, rule, walk};

const RESET: ActionKind = ActionKind::ForcePasswordReset;
const JANE: &str = "jane@acme.example";

fn with_rmm(world: &World, then: &Value, change: impl FnOnce(&mut Value)) -> Tenant {
    let config = world.config(&["rmm"], |config| {
        rule(config, then);
        change(&mut config["tenants"]["acme"]["connectors"]["rmm"]);
    });
    world.engine(&config).unwrap().tenant("acme").unwrap()
}

fn state_of(steps: &[Step]) -> Vec<Option<OutcomeStatus>> {
    steps.iter().map(Step::status).collect()
}

/// What became of the actions that were approved, the earliest first.
async fn outcomes(tenant: &Tenant) -> Vec<Option<OutcomeStatus>> {
    state_of(&tenant.actions().await.unwrap())
}

#[tokio::test]
async fn rmm_keeps_the_contract_of_a_remediator() {
    let world = World::new().await;
    let connector = world.connector("acme", "rmm", |_| {});
    let own = world.organisation("acme");
    contract::connector(&*connector, &op("acme"), &[&own.integration_key]).await;
    let cx = approved("acme");
    for (number, kind) in [("1", RESET), ("2", ActionKind::EnrollMfa)] {
        contract::remediator(&*connector, &cx, &action(kind, number, "rmm", JANE), None).await;
    }
    let mut lockout = action(ActionKind::SuspendAccount, "3", "rmm", JANE);
    lockout.lasts = Some(Duration::from_hours(24));
    let unlock = action(ActionKind::ReactivateAccount, "4", "rmm", JANE);
    contract::remediator(&*connector, &cx, &lockout, Some(&unlock)).await;
    contract::does_nothing_else(&*connector, &cx, &lockout).await;
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn a_remediation_says_whose_login_who_asked_who_consented_and_why() {
    let world = World::new().await;
    let acme = with_rmm(
        &world,
        &json!([{ "action": "suspend_account", "for": "90m" }, "force_password_reset"]),
        |rmm| rmm["directory"] = json!("google"),
    );
    world.leak("acme", "jane", "Adobe", Severity::High);
    let steps = walk(&acme).await;
    assert_eq!(
        state_of(&steps),
        [Some(OutcomeStatus::Applied); 2],
        "{steps:?}"
    );
    let made = world.made("remediation");
    let lockout = &made[0]["fields"];
    assert_eq!(lockout["action"], "account_lockout");
    assert_eq!(
        lockout["target"],
        json!({ "email": JANE, "directory": "google" })
    );
    assert_eq!(
        lockout["params"],
        json!({ "duration_minutes": 90, "revoke_sessions": true })
    );
    assert_eq!(
        (&lockout["requested_by"], &lockout["approved_by"]),
        (&json!("rule:leaked"), &json!("alice"))
    );
    assert!(!lockout["justification"].as_str().unwrap().is_empty());
    assert_eq!(made[1]["fields"]["action"], "force_password_reset");
    assert_eq!(made[1]["status"], "completed");
    assert!(
        acme.plan().await.unwrap().actions.is_empty(),
        "nothing is left to do"
    );
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn what_waits_for_an_approval_at_the_rmm_is_not_applied_and_is_followed_until_it_is() {
    let world = World::new().await;
    let acme = with_rmm(&world, &json!(["force_password_reset"]), |_| {});
    world
        .sandbox
        .edit_one_stack(json!({ "rmm_approval": true }));
    world.leak("acme", "jane", "Adobe", Severity::High);
    let steps = walk(&acme).await;
    assert_eq!(state_of(&steps), [Some(OutcomeStatus::Unknown)]);
    assert!(
        steps[0].to_string().contains("waits for an approval"),
        "{}",
        steps[0]
    );
    world.pass(&acme, 30, Duration::from_hours(1)).await;
    assert_eq!(outcomes(&acme).await, [Some(OutcomeStatus::Unknown)]);
    assert_eq!(
        world.made("remediation").len(),
        1,
        "it is not asked for again"
    );
    let asked = world.sandbox.requests().len();
    assert!(asked < 120, "it is not asked after every minute: {asked}");

    let id = world.made("remediation")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world.sandbox.set_one_stack_status(&id, "queued");
    world.pass(&acme, 2, Duration::from_hours(2)).await;
    assert_eq!(
        outcomes(&acme).await,
        [Some(OutcomeStatus::Unknown)],
        "it is in the queue"
    );
    world.sandbox.set_one_stack_status(&id, "completed");
    world.pass(&acme, 2, Duration::from_hours(2)).await;
    assert_eq!(outcomes(&acme).await, [Some(OutcomeStatus::Applied)]);
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn what_somebody_calls_off_at_the_rmm_stays_so_and_what_failed_is_planned_again() {
    for (status, came_out, again) in [
        ("cancelled", OutcomeStatus::Refused, 0),
        ("failed", OutcomeStatus::Failed, 1),
    ] {
        let world = World::new().await;
        let acme = with_rmm(&world, &json!(["force_password_reset"]), |_| {});
        world
            .sandbox
            .edit_one_stack(json!({ "rmm_approval": true }));
        world.leak("acme", "jane", "Adobe", Severity::High);
        walk(&acme).await;
        let id = world.made("remediation")[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        world.sandbox.set_one_stack_status(&id, status);
        world.pass(&acme, 3, Duration::from_mins(5)).await;
        assert_eq!(outcomes(&acme).await, [Some(came_out)], "{status}");
        assert_eq!(acme.plan().await.unwrap().actions.len(), again, "{status}");
        assert_eq!(world.rules(), [""; 0]);
    }
}

#[tokio::test]
async fn a_word_that_rmm_invents_later_is_followed_and_never_taken_for_done() {
    let world = World::new().await;
    let connector = world.connector("acme", "rmm", |_| {});
    world
        .sandbox
        .edit_one_stack(json!({ "rmm_approval": true }));
    let reset = action(RESET, "1", "rmm", JANE);
    let rmm = connector.as_remediator().unwrap();
    rmm.apply(&approved("acme"), &reset).await.unwrap();
    let id = world.made("remediation")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world
        .sandbox
        .set_one_stack_status(&id, "awaiting_maintenance_window");
    let probe = rmm.probe(&op("acme"), &reset).await.unwrap();
    let Probe::Underway { state, .. } = probe else {
        unreachable!("{probe:?}");
    };
    assert_eq!(state["status"], "awaiting_maintenance_window");
}

#[tokio::test]
async fn neither_an_owner_nor_a_protected_account_is_ever_touched() {
    let world = World::new().await;
    let config = world.config(&["rmm"], |config| {
        rule(config, &json!(["force_password_reset"]));
        config["tenants"]["acme"]["protected"] = json!(["breakglass@acme.example"]);
        config["tenants"]["acme"]["connectors"]["rmm"]["owners"] = json!(["Boss@acme.example"]);
    });
    let acme = world.engine(&config).unwrap().tenant("acme").unwrap();
    for who in ["boss", "breakglass"] {
        world.leak("acme", who, "Adobe", Severity::Critical);
    }
    acme.scan().await.unwrap();
    let plan = acme.plan().await.unwrap();
    let verdicts: Vec<_> = plan.actions.iter().map(|it| it.guard.decision).collect();
    assert_eq!(verdicts, [GuardDecision::Refuse; 2]);
    let approved = acme
        .approve(plan, &Actor::unverified("alice"))
        .await
        .unwrap();
    acme.apply(approved).await.unwrap();
    assert!(world.made("remediation").is_empty());
}

#[tokio::test]
async fn an_address_that_is_watched_beside_is_nobodys_login() {
    let world = World::new().await;
    let acme = with_rmm(&world, &json!(["force_password_reset"]), |_| {});
    world.leak("beta", "jane", "Adobe", Severity::High);
    let (_, theirs) = world.seen.lock().unwrap().remove(0);
    world.seen.lock().unwrap().push(("acme".to_owned(), theirs));
    acme.scan().await.unwrap();
    assert!(acme.plan().await.unwrap().actions.is_empty());
}

#[tokio::test]
async fn the_same_for_the_same_login_within_a_day_is_skipped_and_said() {
    let world = World::new().await;
    let connector = world.connector("acme", "rmm", |_| {});
    let rmm = connector.as_remediator().unwrap();
    let cx = approved("acme");
    rmm.apply(&cx, &action(RESET, "1", "rmm", JANE))
        .await
        .unwrap();
    let second = action(RESET, "2", "rmm", JANE);
    assert!(rmm.preview(&cx, &second).await.unwrap().already_so);
    let skipped = rmm.apply(&cx, &second).await.unwrap();
    assert!(
        skipped.reason.contains("within 24 hours"),
        "{}",
        skipped.reason
    );
    assert_eq!(world.made("remediation").len(), 1);
    world.clock.advance(Duration::from_hours(25));
    rmm.apply(&cx, &second).await.unwrap();
    assert_eq!(world.made("remediation").len(), 2);
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn no_more_than_the_cap_is_asked_for_in_an_hour_and_the_rest_waits() {
    let world = World::new().await;
    let acme = with_rmm(&world, &json!(["force_password_reset"]), |rmm| {
        rmm["max_per_hour"] = json!(3);
    });
    for who in ["ann", "bob", "cyd", "dan", "eve"] {
        world.leak("acme", who, who, Severity::High);
    }
    let steps = walk(&acme).await;
    let waits = steps.iter().filter(|step| step.waits.is_some()).count();
    assert_eq!(
        (steps.len(), waits, world.made("remediation").len()),
        (5, 2, 3)
    );
    let waiting = steps.iter().find(|step| step.waits.is_some()).unwrap();
    assert!(waiting.to_string().contains("max_per_hour"), "{waiting}");
    world.pass(&acme, 2, Duration::from_mins(40)).await;
    assert_eq!(world.made("remediation").len(), 5);
    assert_eq!(outcomes(&acme).await, [Some(OutcomeStatus::Applied); 5]);
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn a_lockout_always_ends_and_is_not_taken_for_one_that_a_person_took_back() {
    let world = World::new().await;
    let acme = with_rmm(&world, &json!(["suspend_account"]), |rmm| {
        rmm["lockout"] = json!("2h");
    });
    world.leak("acme", "jane", "Adobe", Severity::High);
    let steps = walk(&acme).await;
    assert_eq!(state_of(&steps), [Some(OutcomeStatus::Applied)]);
    assert_eq!(steps[0].action.lasts, Some(Duration::from_hours(2)));
    world.pass(&acme, 1, Duration::from_mins(119)).await;
    assert_eq!(outcomes(&acme).await.len(), 1);
    world.pass(&acme, 2, Duration::from_mins(5)).await;
    let ended = acme.actions().await.unwrap().pop().unwrap();
    assert_eq!(ended.action.kind, ActionKind::ReactivateAccount);
    assert_eq!(ended.status(), Some(OutcomeStatus::AlreadySo), "{ended}");

    let again = acme
        .request(request(ActionKind::SuspendAccount, JANE))
        .await
        .unwrap();
    let reasons = &again.actions[0].guard.reasons;
    assert_eq!(reasons, &["somebody asked for it by hand"]);
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn an_early_end_unlocks_at_the_rmm() {
    let world = World::new().await;
    let acme = with_rmm(&world, &json!(["suspend_account"]), |_| {});
    world.leak("acme", "jane", "Adobe", Severity::High);
    let lockout = walk(&acme).await.remove(0).action;
    let undo = acme
        .undo(&lockout.id, &Actor::unverified("bob"), "found her")
        .await;
    let plan = acme
        .approve(undo.unwrap(), &Actor::unverified("alice"))
        .await
        .unwrap();
    let steps = acme.apply(plan).await.unwrap();
    assert_eq!(
        state_of(&steps),
        [Some(OutcomeStatus::Applied)],
        "{steps:?}"
    );
    assert_eq!(
        world.made("remediation")[1]["fields"]["action"],
        "account_unlock"
    );
}

#[tokio::test]
async fn what_acts_everywhere_leaves_the_rmm_out_where_something_else_has_the_account() {
    let world = World::new().await;
    let acme = with_rmm(&world, &json!(["enroll_mfa"]), |_| {});
    let everybody = acme
        .request(request(ActionKind::SuspendAccount, JANE))
        .await
        .unwrap();
    assert_eq!(everybody.actions.len(), 1, "nothing else knows jane");
    assert_eq!(everybody.mode, Mode::Enforce);
    let one = acme
        .request(request(RESET, "rmm:jane@acme.example"))
        .await
        .unwrap();
    assert_eq!(
        one.actions[0].action.target,
        everybody.actions[0].action.target
    );
    let error = acme
        .request(request(RESET, "jane@elsewhere.example"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

fn request(kind: ActionKind, account: &str) -> protect_core::engine::Request {
    protect_core::engine::Request {
        kind,
        account: account.to_owned(),
        reason: "a test".to_owned(),
        by: Actor::unverified("bob"),
        lasts: None,
        parameters: protect_core::model::Attributes::new(),
    }
}

pub(crate) async fn scanned(tenant: &Tenant) -> Plan {
    tenant.scan().await.unwrap();
    tenant.plan().await.unwrap()
}

#[tokio::test]
async fn two_tenants_reset_their_own_people_with_their_own_keys() {
    let world = World::new().await;
    let config = world.config(&["rmm"], |config| {
        for tenant in ["acme", "beta"] {
            config["tenants"][tenant]["rules"] = json!([{
                "name": "leaked", "when": { "kind": "credential_exposure" },
                "then": ["force_password_reset"],
            }]);
        }
    });
    let engine = world.engine(&config).unwrap();
    for tenant in ["acme", "beta"] {
        world.leak(tenant, "jane", "Adobe", Severity::High);
    }
    for tenant in ["acme", "beta"] {
        walk(&engine.tenant(tenant).unwrap()).await;
    }
    let whose: Vec<_> = world
        .made("remediation")
        .iter()
        .map(|it| {
            (
                it["organisation"].clone(),
                it["fields"]["target"]["email"].clone(),
            )
        })
        .collect();
    let of = |tenant: &str| {
        let email = format!("jane@{tenant}.example");
        (json!(world.organisation(tenant).id), json!(email))
    };
    assert_eq!(whose, [of("acme"), of("beta")]);
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn a_lost_answer_asks_for_one_remediation() {
    let world = World::new().await;
    let acme = with_rmm(&world, &json!(["force_password_reset"]), |_| {});
    world.leak("acme", "jane", "Adobe", Severity::High);
    world.sandbox.set_fault(
        Fault::named("answer_lost")
            .unwrap()
            .on("/rmm/api/internal/remediations")
            .after(3)
            .times(1),
    );
    walk(&acme).await;
    world.pass(&acme, 3, Duration::from_mins(10)).await;
    assert_eq!(
        outcomes(&acme).await.last(),
        Some(&Some(OutcomeStatus::Applied))
    );
    assert_eq!(world.made("remediation").len(), 1);
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn a_lockout_without_an_end_is_refused_before_anything_is_sent() {
    let world = World::new().await;
    let given = json!({
        "organisation_id": "o", "integration_key": { "env": "ACME_INTEGRATION_KEY" },
        "base_url": world.sandbox.one_stack_url("rmm"),
    });
    let client = protect_one_stack::rmm::connect(given, &world.context).unwrap();
    let remediation = json!({
        "action": "account_lockout", "email": JANE, "directory": "entra", "reason": "x",
        "source_ref": "r", "requested_by": "bob",
    });
    let error = client
        .call("request_remediation", json!({ "remediation": remediation }))
        .await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(world.sandbox.requests().is_empty());
}

#[tokio::test]
async fn dual_control_holds_at_the_client_too() {
    let world = World::new().await;
    let given = json!({
        "organisation_id": world.organisation("acme").id,
        "integration_key": { "env": "ACME_INTEGRATION_KEY" },
        "base_url": world.sandbox.one_stack_url("rmm"),
    });
    let client = protect_one_stack::rmm::connect(given, &world.context).unwrap();
    let call = |operation: &'static str, given: Value| {
        let client = std::sync::Arc::clone(&client);
        async move { client.call(operation, given).await }
    };
    let remediation = json!({
        "action": "force_password_reset", "email": JANE, "directory": "entra", "reason": "x",
        "source_ref": "r", "requested_by": "bob",
    });
    let asked = call("request_remediation", json!({ "remediation": remediation }))
        .await
        .unwrap();
    assert_eq!(asked["status"], "pending_approval");
    let id = asked["id"].clone();
    let own = json!({ "remediation_id": id, "approved_by": "bob" });
    let error = call("approve_remediation", own).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    let other = json!({ "remediation_id": id, "approved_by": "alice", "note": "right" });
    call("approve_remediation", other).await.unwrap();
    let found = call("find_remediations", json!({ "source_ref": "r" }))
        .await
        .unwrap();
    assert_eq!(found[0]["status"], "queued");
    call("cancel_remediation", json!({ "remediation_id": id }))
        .await
        .unwrap();
    let after = call("get_remediation", json!({ "remediation_id": id }))
        .await
        .unwrap();
    assert_eq!(after["status"], "cancelled");
}
