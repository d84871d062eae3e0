use std::time::Duration;

use protect_core::engine::{IncidentFilter, Tenant};
use protect_core::model::{ActionKind, Actor, IncidentStatus, Severity};
use protect_core::testing::contract;
use protect_sandbox::Fault;
use serde_json::{Value, json};

use crate::world::{World, delivery, op, rule, walk};

const INCIDENT: ActionKind = ActionKind::OpenSecurityIncident;

#[tokio::test]
async fn security_keeps_the_contract_of_a_sink() {
    let world = World::new().await;
    let connector = world.connector("acme", "security", |_| {});
    let own = world.organisation("acme");
    contract::connector(&*connector, &op("acme"), &[&own.api_key]).await;
    contract::sink(
        &*connector,
        &op("acme"),
        &delivery(INCIDENT, "1", Severity::High),
    )
    .await;
    assert_eq!(world.made("incident").len(), 1);
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn an_incident_says_whom_it_affects_by_which_breach_and_what_to_do() {
    let world = World::new().await;
    let connector = world.connector("acme", "security", |_| {});
    let mut told = delivery(INCIDENT, "1", Severity::Critical);
    told.data["findings"][0]["details"] =
        json!({ "breach_date": "2013-10-04", "data_classes": ["Passwords"] });
    let sink = connector.as_sink().unwrap();
    let made = sink.deliver(&op("acme"), &told).await.unwrap();
    let fields = &world.made("incident")[0]["fields"];
    assert_eq!(fields["affected_account"], "jane@acme.example");
    assert_eq!(fields["category"], "credential_exposure");
    assert_eq!(fields["severity"], "critical");
    let breach = json!({ "name": "Adobe", "date": "2013-10-04", "data_types": ["Passwords"] });
    assert_eq!(fields["breach"], breach);
    assert!(!fields["recommended_actions"].as_array().unwrap().is_empty());

    let mut again = delivery(INCIDENT, "2", Severity::Critical);
    again.note_to = Some(made.id);
    sink.deliver(&op("acme"), &again).await.unwrap();
    let incidents = world.made("incident");
    assert_eq!(incidents[0]["notes"], json!(["- Adobe"]));
    assert_eq!(incidents.len(), 1);
}

#[tokio::test]
async fn only_what_reaches_the_products_thresholds_becomes_an_incident() {
    let world = World::new().await;
    let standard = world.connector("acme", "security", |_| {});
    let own = world.connector("acme", "security", |config| {
        config["tenants"]["acme"]["connectors"]["security"]["thresholds"] =
            json!({ "credential_exposure": "critical", "misconfiguration": "off" });
    });
    for (kind, severity, by_standard, by_own) in [
        ("credential_exposure", Severity::High, true, false),
        ("credential_exposure", Severity::Medium, false, false),
        ("credential_exposure", Severity::Critical, true, true),
        ("misconfiguration", Severity::High, false, false),
        ("misconfiguration", Severity::Critical, true, false),
        ("suspicious_sign_in", Severity::Low, true, true),
    ] {
        let mut told = delivery(INCIDENT, "1", severity);
        told.data["findings"][0]["kind"] = json!(kind);
        let passes = |connector: &dyn protect_core::connector::Connector| {
            connector
                .as_sink()
                .unwrap()
                .declines(&told)
                .unwrap()
                .is_none()
        };
        assert_eq!(passes(&*standard), by_standard, "{kind} {severity}");
        assert_eq!(passes(&*own), by_own, "{kind} {severity}");
    }
    let wrong = world.config(&["security"], |config| {
        config["tenants"]["acme"]["connectors"]["security"]["thresholds"] =
            json!({ "leak": "high" });
    });
    let error = world.engine(&wrong).unwrap_err().to_string();
    assert!(error.contains("thresholds.leak"), "{error}");
}

#[tokio::test]
async fn what_people_do_at_security_is_read_back_and_moving_backwards_is_refused() {
    let world = World::new().await;
    let context = world.context.clone();
    let own = world.organisation("acme");
    let client = json!({
        "organisation_id": own.id, "api_key": { "env": "ACME_API_KEY" },
        "base_url": world.sandbox.one_stack_url("security"),
    });
    let security = protect_one_stack::security::connect(client, &context).unwrap();
    let call = async |operation: &str, given| {
        std::sync::Arc::clone(&security)
            .call(operation, given)
            .await
    };
    let new = json!({ "incident": { "title": "A leak", "severity": "high", "source_ref": "r-1" } });
    let made = call("create_incident", new).await.unwrap();
    let id = made["id"].clone();
    assert_eq!(
        (&made["status"], &made["source_ref"]),
        (&json!("new"), &json!("r-1"))
    );
    assert!(
        made["attributes"]["undocumented"].is_object(),
        "unknown members survive"
    );
    let moved = json!({ "incident_id": id, "status": "contained", "note": "done" });
    call("update_incident", moved).await.unwrap();
    let shown = call("get_incident", json!({ "incident_id": id }))
        .await
        .unwrap();
    assert_eq!(shown["status"], "contained");
    let back = json!({ "incident_id": id, "status": "new" });
    let error = call("update_incident", back).await.unwrap_err();
    assert_eq!(error.kind(), protect_core::ErrorKind::Conflict);
    let found = call("find_incidents", json!({ "source_ref": "r-1" }))
        .await
        .unwrap();
    assert_eq!(found.as_array().unwrap().len(), 1);
}

/// Raises an alert at Security, as an EDR would.
pub(crate) async fn raise(world: &World, account: &str, number: u32) -> String {
    raise_as(world, account, number, "intrusion").await
}

/// The same with another category.
pub(crate) async fn raise_as(world: &World, account: &str, number: u32, category: &str) -> String {
    let own = world.organisation("acme");
    let body = json!({
        "title": "Impossible travel", "severity": "high", "category": category, "source": "EDR",
        "source_ref": format!("edr-{number}"), "tenant_id": own.id, "affected_account": account,
    });
    let url = format!("{}/api/alerts", world.sandbox.one_stack_url("security"));
    let request = http::Request::post(url)
        .header("authorization", format!("Bearer {}", own.api_key))
        .header("content-type", "application/json")
        .body(bytes::Bytes::from(body.to_string()))
        .unwrap();
    let answer = world.context.transport.send(request).await.unwrap();
    assert_eq!(answer.status(), 201);
    world.made("alert").last().unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn opened(world: &World, number: &str) -> Value {
    let connector = world.connector("acme", "security", |_| {});
    let told = delivery(INCIDENT, number, Severity::Critical);
    connector
        .as_sink()
        .unwrap()
        .deliver(&op("acme"), &told)
        .await
        .unwrap();
    world.made("incident").last().unwrap()["fields"].clone()
}

const LOCKOUT: &str = "Lock the account out for a day";

fn advises(fields: &Value, action: &str) -> bool {
    let actions = fields["recommended_actions"].as_array().unwrap();
    actions.iter().any(|advised| advised == action)
}

#[tokio::test]
async fn alerts_of_the_same_account_enrich_an_incident_and_an_active_one_advises_a_lockout() {
    let world = World::new().await;
    raise(&world, "jane@acme.example", 1).await;
    world.clock.advance(Duration::from_hours(73));
    let recent = raise(&world, "Jane@acme.example", 2).await;
    raise(&world, "john@acme.example", 3).await;
    let fields = opened(&world, "1").await;
    assert_eq!(fields["correlation"], json!({ "alert_ids": [recent] }));
    assert!(advises(&fields, LOCKOUT));
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn an_alert_that_is_dealt_with_advises_no_lockout_and_none_at_all_says_nothing() {
    let world = World::new().await;
    let fields = opened(&world, "1").await;
    assert!(fields.get("correlation").is_none() && !advises(&fields, LOCKOUT));

    let world = World::new().await;
    let alert = raise(&world, "jane@acme.example", 1).await;
    world.sandbox.set_one_stack_status(&alert, "closed");
    let fields = opened(&world, "1").await;
    assert_eq!(fields["correlation"]["alert_ids"], json!([alert]));
    assert!(!advises(&fields, LOCKOUT));
}

#[tokio::test]
async fn alerts_that_cannot_be_read_are_said_to_be_so_and_keep_no_incident_from_being_opened() {
    let world = World::new().await;
    let broken = Fault::named("html200").unwrap().on("/security/api/alerts");
    world.sandbox.set_fault(broken.times(9));
    let fields = opened(&world, "1").await;
    assert!(
        fields["description"]
            .as_str()
            .unwrap()
            .contains("could not be looked at")
    );
}

#[tokio::test]
async fn alerts_by_themselves_open_nothing() {
    let world = World::new().await;
    let acme = with_incidents(&world);
    raise(&world, "jane@acme.example", 1).await;
    walk(&acme).await;
    assert!(world.made("incident").is_empty());
}

fn with_incidents(world: &World) -> Tenant {
    let config = world.config(&["security"], |config| {
        rule(config, &json!(["open_security_incident"]));
    });
    world.engine(&config).unwrap().tenant("acme").unwrap()
}

async fn ours(tenant: &Tenant) -> IncidentStatus {
    let incidents = tenant.incidents(&IncidentFilter::default()).await.unwrap();
    incidents[0].status
}

#[tokio::test]
async fn whoever_moves_an_incident_moves_it_at_the_other_side_too() {
    let world = World::new().await;
    let acme = with_incidents(&world);
    world.leak("acme", "jane", "Adobe", Severity::Critical);
    walk(&acme).await;
    let id = world.made("incident")[0]["id"].as_str().unwrap().to_owned();
    let theirs = || world.made("incident")[0]["status"].clone();

    acme.follow_incidents().await.unwrap();
    assert_eq!(
        (ours(&acme).await, theirs()),
        (IncidentStatus::New, json!("new"))
    );

    world.sandbox.set_one_stack_status(&id, "investigating");
    acme.follow_incidents().await.unwrap();
    assert_eq!(
        ours(&acme).await,
        IncidentStatus::Investigating,
        "theirs moved"
    );

    let incident = acme
        .incidents(&IncidentFilter::default())
        .await
        .unwrap()
        .remove(0);
    let alice = Actor::unverified("alice");
    acme.set_incident_status(&incident.id, IncidentStatus::Contained, &alice)
        .await
        .unwrap();
    acme.follow_incidents().await.unwrap();
    assert_eq!(theirs(), json!("contained"), "ours moved");

    let asked = world.sandbox.requests().len();
    acme.follow_incidents().await.unwrap();
    assert_eq!(
        world.sandbox.requests().len(),
        asked + 1,
        "nothing moved, so that nothing is told"
    );

    world.sandbox.set_one_stack_status(&id, "closed");
    acme.follow_incidents().await.unwrap();
    assert_eq!(ours(&acme).await, IncidentStatus::Closed);
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn a_status_that_nobody_knows_moves_nothing() {
    let world = World::new().await;
    let acme = with_incidents(&world);
    world.leak("acme", "jane", "Adobe", Severity::Critical);
    walk(&acme).await;
    let id = world.made("incident")[0]["id"].as_str().unwrap().to_owned();
    world
        .sandbox
        .set_one_stack_status(&id, "handed_to_the_police");
    acme.follow_incidents().await.unwrap();
    assert_eq!(ours(&acme).await, IncidentStatus::New);
    assert_eq!(world.made("incident")[0]["status"], "handed_to_the_police");
}
