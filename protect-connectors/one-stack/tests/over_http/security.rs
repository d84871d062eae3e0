use protect_core::model::{ActionKind, Severity};
use protect_core::testing::contract;
use serde_json::json;

use crate::world::{World, delivery, op};

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
