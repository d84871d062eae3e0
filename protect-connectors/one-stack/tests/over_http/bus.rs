use protect_core::ErrorKind;
use protect_core::model::{ActionKind, Severity};
use protect_core::testing::contract;
use protect_sandbox::Fault;
use serde_json::json;

use crate::world::{World, delivery, op};

const EVENT: ActionKind = ActionKind::EmitEvent;

#[tokio::test]
async fn an_event_goes_out_in_the_form_that_is_configured_and_once() {
    for (style, name) in [("a", "event_type"), ("b", "type")] {
        let world = World::new().await;
        world.sandbox.edit_one_stack(json!({ "style": style }));
        let connector = world.connector("acme", "bus", |config| {
            config["tenants"]["acme"]["connectors"]["bus"]["style"] = json!(style);
        });
        let own = world.organisation("acme");
        contract::connector(&*connector, &op("acme"), &[&own.integration_key]).await;
        let mut told = delivery(EVENT, "1", Severity::High);
        told.data
            .insert("event".to_owned(), json!("protect.finding.resolved"));
        told.data.insert(
            "metadata".to_owned(),
            json!({ "workflow_id": "w-1", "severity": "?" }),
        );
        contract::sink(&*connector, &op("acme"), &told).await;
        let events = world.made("event");
        assert_eq!(events.len(), 1, "{style}");
        let fields = &events[0]["fields"];
        assert_eq!(fields[name], "protect.finding.resolved");
        assert_eq!(
            (&fields["source"], &fields["severity"]),
            (&json!("protect"), &json!("warning"))
        );
        assert_eq!(fields["metadata"]["workflow_id"], "w-1");
        assert_eq!(fields["metadata"]["severity"], "high");
        assert_eq!(fields["metadata"]["event_id"], told.action_id.as_str());
        assert_eq!(
            fields["metadata"]["findings"][0]["kind"],
            "credential_exposure"
        );
        assert_eq!(world.rules(), [""; 0], "{style}");
    }
}

#[tokio::test]
async fn the_other_form_is_named_in_the_error_and_never_tried() {
    let world = World::new().await;
    world.sandbox.edit_one_stack(json!({ "style": "b" }));
    let connector = world.connector("acme", "bus", |_| {});
    let sink = connector.as_sink().unwrap();
    let told = delivery(EVENT, "1", Severity::High);
    let error = sink.deliver(&op("acme"), &told).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("style = \"b\""), "{error}");
    let asked: Vec<_> = world
        .sandbox
        .requests()
        .into_iter()
        .map(|it| it.route)
        .collect();
    assert_eq!(asked, ["/bus/api/bus/events"]);
}

#[tokio::test]
async fn a_lost_answer_is_sent_again_under_the_same_key() {
    let world = World::new().await;
    let connector = world.connector("acme", "bus", |_| {});
    world
        .sandbox
        .set_fault(Fault::named("answer_lost").unwrap().times(1));
    let told = delivery(EVENT, "1", Severity::High);
    connector
        .as_sink()
        .unwrap()
        .deliver(&op("acme"), &told)
        .await
        .unwrap();
    let keys: Vec<_> = world
        .sandbox
        .requests()
        .into_iter()
        .map(|it| it.idempotency)
        .collect();
    let own = Some(told.action_id.to_string());
    assert_eq!(keys, [own.clone(), own]);
    assert_eq!(world.made("event").len(), 1);
}

#[tokio::test]
async fn doctor_names_a_missing_variable_and_says_what_it_cannot_tell() {
    let world = World::new().await;
    let missing = world.connector("acme", "bus", |config| {
        config["connections"]["acme-bus"]["respond"] =
            json!({ "integration_key": { "env": "BUS_INTEGRATION_KEY" } });
    });
    let diagnosis = missing.diagnose(&op("acme")).await.unwrap();
    let note = diagnosis.credentials[0].note.as_deref().unwrap();
    assert!(note.contains("BUS_INTEGRATION_KEY"), "{note}");
    let there = world.connector("acme", "bus", |_| {});
    let diagnosis = there.diagnose(&op("acme")).await.unwrap();
    assert!(diagnosis.reachable);
    assert_eq!(diagnosis.credentials[0].accepted, None);
    assert!(
        diagnosis.credentials[0]
            .note
            .as_deref()
            .unwrap()
            .contains("cannot tell")
    );
    assert!(
        world.made("event").is_empty(),
        "nothing is changed to find out"
    );
}

#[tokio::test]
async fn an_event_may_be_wrapped_in_a_cloud_event_in_either_style() {
    for style in ["a", "b"] {
        let world = World::new().await;
        world.sandbox.edit_one_stack(json!({ "style": style }));
        let connector = world.connector("acme", "bus", |config| {
            let bus = &mut config["tenants"]["acme"]["connectors"]["bus"];
            bus["style"] = json!(style);
            bus["format"] = json!("cloudevents");
        });
        let told = delivery(EVENT, "1", Severity::High);
        contract::sink(&*connector, &op("acme"), &told).await;
        let events = world.made("event");
        assert_eq!(events.len(), 1, "{style}");
        let fields = &events[0]["fields"];
        let wrapped = json!({ "id": told.action_id, "subject": "inc-1" });
        assert_eq!(fields["cloud_event"], wrapped);
        assert_eq!(fields["event_type"], "protect.finding.created");
        assert_eq!(fields["metadata"]["event_id"], told.action_id.as_str());
        assert_eq!(world.rules(), [""; 0], "{style}");
    }
    let world = World::new().await;
    let wrong = world.config(&["bus"], |config| {
        config["tenants"]["acme"]["connectors"]["bus"]["format"] = json!("cloudevent");
    });
    let error = world.engine(&wrong).unwrap_err().to_string();
    assert!(error.contains("cloudevents"), "{error}");
}
