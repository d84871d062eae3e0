use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protect_core::ErrorKind;
use protect_core::engine::{IncidentFilter, Step, Tenant};
use protect_core::model::{Actor, IncidentStatus, OutcomeStatus, Severity};
use protect_sandbox::Fault;
use serde_json::{Value, json};

use crate::world::{World, walk};

fn with_compliance(world: &World, change: impl FnOnce(&mut Value)) -> Tenant {
    let config = world.config(&["compliance", "oncall"], |config| {
        config["tenants"]["acme"]["rules"] = json!([{
            "name": "leaked", "when": { "kind": "credential_exposure" }, "then": ["page"],
        }]);
        change(&mut config["tenants"]["acme"]["connectors"]["compliance"]);
    });
    world.engine(&config).unwrap().tenant("acme").unwrap()
}

async fn hand_in(tenant: &Tenant) -> Vec<Step> {
    let plan = tenant.plan_evidence().await.unwrap();
    let approved = tenant
        .approve(plan, &Actor::unverified("alice"))
        .await
        .unwrap();
    tenant.apply(approved).await.unwrap()
}

#[tokio::test]
async fn evidence_is_handed_in_once_and_again_only_when_it_changed() {
    let world = World::new().await;
    let acme = with_compliance(&world, |_| {});
    world.decide("planted.setting.mfa", "pass");
    walk(&acme).await;
    let steps = hand_in(&acme).await;
    assert_eq!(steps.len(), 1);
    assert_eq!(
        steps[0].status(),
        Some(OutcomeStatus::Applied),
        "{}",
        steps[0]
    );
    let handed = world.made("evidence");
    let fields = &handed[0]["fields"];
    assert_eq!(
        (&fields["kind"], &fields["evidence_type"]),
        (&json!("sspm_scan_result"), &json!("report"))
    );
    assert_eq!(fields["content"]["content"]["passed"], 1);
    assert_eq!(fields["controls"][0]["control_id"], "CC6.1");

    world.clock.advance(Duration::from_hours(1));
    walk(&acme).await;
    assert!(
        hand_in(&acme).await.is_empty(),
        "the same state is the same bytes"
    );
    world.decide("planted.setting.mfa", "fail");
    walk(&acme).await;
    assert_eq!(hand_in(&acme).await.len(), 1);
    world.decide("planted.setting.mfa", "pass");
    walk(&acme).await;
    assert_eq!(
        hand_in(&acme).await.len(),
        1,
        "what comes back is the last word again"
    );
    assert!(hand_in(&acme).await.is_empty());
    assert_eq!(world.made("evidence").len(), 3);
    world.clock.advance(Duration::from_hours(24 * 30));
    assert_eq!(hand_in(&acme).await.len(), 1, "it would run out");
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn a_settled_leak_leaves_a_record_of_what_was_done_that_names_nobody() {
    let world = World::new().await;
    let acme = with_compliance(&world, |_| {});
    world.leak("acme", "jane", "Adobe", Severity::Critical);
    walk(&acme).await;
    assert!(hand_in(&acme).await.is_empty(), "it is not settled yet");
    let incident = acme
        .incidents(&IncidentFilter::default())
        .await
        .unwrap()
        .remove(0);
    let alice = Actor::unverified("alice");
    acme.set_incident_status(&incident.id, IncidentStatus::Contained, &alice)
        .await
        .unwrap();
    let steps = hand_in(&acme).await;
    assert_eq!(steps.len(), 1, "{steps:?}");
    let handed = world.made("evidence");
    let fields = &handed[0]["fields"];
    assert_eq!(
        (&fields["kind"], &fields["evidence_type"]),
        (&json!("credential_response_record"), &json!("log"))
    );
    let action = &fields["content"]["content"]["actions"][0];
    assert_eq!(
        (&action["action"], &action["outcome"]),
        (&json!("page"), &json!("applied"))
    );
    assert!(!handed[0].to_string().contains("jane"), "{}", handed[0]);
    assert!(
        hand_in(&acme).await.is_empty(),
        "its own handing in is no change"
    );
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn what_changed_between_consent_and_handing_in_is_not_handed_in() {
    let world = World::new().await;
    let acme = with_compliance(&world, |_| {});
    world.decide("planted.setting.mfa", "pass");
    walk(&acme).await;
    let plan = acme.plan_evidence().await.unwrap();
    world.decide("planted.setting.mfa", "fail");
    walk(&acme).await;
    let approved = acme
        .approve(plan, &Actor::unverified("alice"))
        .await
        .unwrap();
    let steps = acme.apply(approved).await.unwrap();
    assert_eq!(steps[0].status(), Some(OutcomeStatus::Failed));
    assert!(
        steps[0].to_string().contains("plan it again"),
        "{}",
        steps[0]
    );
    assert!(world.made("evidence").is_empty());
    assert_eq!(hand_in(&acme).await.len(), 1);
}

#[tokio::test]
async fn what_is_left_out_is_not_even_planned_and_a_lost_answer_hands_in_once() {
    let world = World::new().await;
    let none = with_compliance(&world, |compliance| {
        compliance["evidence"] = json!(["email_auth_status"]);
    });
    world.decide("planted.setting.mfa", "pass");
    walk(&none).await;
    assert!(none.plan_evidence().await.unwrap().actions.is_empty());
    let acme = with_compliance(&world, |_| {});
    walk(&acme).await;
    world
        .sandbox
        .set_fault(Fault::named("answer_lost").unwrap().on("evidence").times(1));
    assert_eq!(
        hand_in(&acme).await[0].status(),
        Some(OutcomeStatus::Applied)
    );
    assert_eq!(world.made("evidence").len(), 1);
}

#[tokio::test]
async fn more_than_fifty_megabytes_never_leave() {
    let world = World::new().await;
    let given = json!({
        "organisation_id": "o", "integration_key": { "env": "ACME_INTEGRATION_KEY" },
        "base_url": world.sandbox.one_stack_url("compliance"),
    });
    let client = protect_one_stack::compliance::connect(given, &world.context).unwrap();
    let evidence = json!({
        "kind": "x", "evidence_type": "log", "title": "x", "source_ref": "r", "sha256": "0",
        "effective_date": "2026-01-01", "expiration_date": "2026-02-01",
        "content_type": "application/json",
        "content_base64": STANDARD.encode(vec![b' '; 50_000_001]),
    });
    let error = client
        .call("submit_evidence", json!({ "evidence": evidence }))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("50 MB"), "{error}");
    assert!(world.sandbox.requests().is_empty());
}

#[tokio::test]
async fn evidence_is_collected_by_itself_only_where_somebody_switched_that_on_and_answers_for_it() {
    for (settings, handed_in, waiting) in [
        (json!({}), 0, 0),
        (json!({ "auto_collection": true }), 0, 1),
        (
            json!({ "auto_collection": true, "approval": "auto", "enabled_by": "Ada" }),
            1,
            0,
        ),
    ] {
        let world = World::new().await;
        let config = world.config(&["compliance"], |config| {
            let own = &mut config["tenants"]["acme"]["connectors"]["compliance"];
            let own = own.as_object_mut().unwrap();
            own.extend(settings.as_object().unwrap().clone());
        });
        let engine = world.engine(&config).unwrap();
        world.decide("planted.setting.mfa", "pass");
        engine.tick().await.unwrap();
        for _ in 0..5 {
            world.clock.advance(Duration::from_hours(12));
            engine.tick().await.unwrap();
        }
        assert_eq!(world.made("evidence").len(), handed_in, "{settings}");
        let plans = engine
            .tenant("acme")
            .unwrap()
            .plans_waiting()
            .await
            .unwrap();
        assert_eq!(plans.len(), waiting, "{settings}");
        assert_eq!(world.rules(), [""; 0]);
    }
}
