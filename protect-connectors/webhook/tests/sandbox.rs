//! The webhook sink against the sandbox's receiver, over real HTTP.

#![expect(clippy::unwrap_used, reason = "a failure to set up fails the test")]

use std::sync::Arc;

use protect_core::config::Config;
use protect_core::connector::{Connector, Delivery, OpContext};
use protect_core::engine::Engine;
use protect_core::model::{ActionId, ActionKind, Actor, Attributes, Severity, TenantId};
use protect_core::registry::Registry;
use protect_core::store::MemoryStore;
use protect_core::testing::contract;
use protect_core::{Context, ErrorKind};
use protect_http::system_context;
use protect_sandbox::{Fault, Sandbox};

const SECRET_FILE: &str = "signing_secret";

/// A sandbox, and the connector as the configuration makes it.
async fn start(secret: Option<&str>) -> (Sandbox, Arc<dyn Connector>, tempfile::TempDir) {
    start_in(secret, "plain").await
}

/// The same with messages of another form.
async fn start_in(
    secret: Option<&str>,
    format: &str,
) -> (Sandbox, Arc<dyn Connector>, tempfile::TempDir) {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(SECRET_FILE);
    let own = sandbox.credentials().webhook_secret.clone();
    std::fs::write(&file, secret.unwrap_or(&own)).unwrap();
    let mut registry = Registry::new();
    protect_webhook::register(&mut registry);
    let text = format!(
        r#"
        [connections.tickets]
        kind = "webhook"
        endpoints = {{ url = "{}" }}
        respond = {{ signing_secret = {{ file = "{}" }} }}
        format = "{format}"
        tenants = ["*"]
        [tenants.acme]
        name = "Acme"
        domains = ["acme.example"]
        [tenants.acme.connectors.tickets]
        connection = "tickets"
        "#,
        sandbox.webhook_url(),
        file.display(),
    );
    let config = Config::from_toml(&text, &registry).unwrap();
    let context: Context = system_context("protect-test/0.1").unwrap();
    let engine = Engine::builder(config, registry, context).build(Arc::new(MemoryStore::new()));
    let tenant = engine.unwrap().tenant("acme").unwrap();
    (sandbox, Arc::clone(&tenant.connectors()[0]), folder)
}

fn op() -> OpContext {
    OpContext::new(TenantId::new("acme").unwrap(), "test", Actor::engine())
}

fn delivery(kind: ActionKind, number: &str) -> Delivery {
    Delivery {
        action_id: ActionId::of(&TenantId::new("acme").unwrap(), &[number]),
        kind,
        source_reference: "protect:acme:incident".to_owned(),
        note_to: None,
        title: "A leaked password".to_owned(),
        body: "- Adobe".to_owned(),
        severity: Severity::Critical,
        data: Attributes::new(),
    }
}

#[tokio::test]
async fn a_webhook_keeps_the_contract_of_a_sink() {
    let (sandbox, connector, _folder) = start(None).await;
    let secret = sandbox.credentials().webhook_secret.clone();
    contract::connector(&*connector, &op(), &[&secret]).await;
    contract::sink(&*connector, &op(), &delivery(ActionKind::OpenTicket, "1")).await;
    contract::sink(&*connector, &op(), &delivery(ActionKind::EmitEvent, "2")).await;
    assert_eq!(sandbox.violations().len(), 0, "{:?}", sandbox.violations());
    sandbox.shutdown().await;
}

#[tokio::test]
async fn an_answer_that_was_lost_and_sent_again_makes_one_ticket() {
    let (sandbox, connector, _folder) = start(None).await;
    sandbox.set_fault(Fault::named("answer_lost").unwrap().times(1));
    let sink = connector.as_sink().unwrap();
    sink.deliver(&op(), &delivery(ActionKind::OpenTicket, "1"))
        .await
        .unwrap();
    assert_eq!(sandbox.transitions().len(), 1);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_wrong_secret_is_named_and_makes_nothing() {
    let wrong = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let (sandbox, connector, _folder) = start(Some(wrong)).await;
    let sink = connector.as_sink().unwrap();
    let error = sink
        .deliver(&op(), &delivery(ActionKind::OpenTicket, "1"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(!format!("{error:?}").contains("AAAAAAAA"));
    let diagnosis = connector.diagnose(&op()).await.unwrap();
    assert_eq!(diagnosis.credentials[0].accepted, Some(false));
    assert_eq!(sandbox.transitions().len(), 0);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_secret_that_is_none_says_which_field_is_wrong() {
    let (sandbox, connector, _folder) = start(Some("not base64 at all")).await;
    let sink = connector.as_sink().unwrap();
    let error = sink
        .deliver(&op(), &delivery(ActionKind::OpenTicket, "1"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    assert!(
        error.to_string().contains("respond.signing_secret"),
        "{error}"
    );
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_message_may_be_a_cloud_event_and_is_then_never_anything_else() {
    let (sandbox, connector, _folder) = start_in(None, "cloudevents").await;
    let sink = connector.as_sink().unwrap();
    let mut large = delivery(ActionKind::OpenTicket, "1");
    let much = serde_json::json!({ "text": "x".repeat(1024) });
    large
        .data
        .insert("findings".to_owned(), vec![much; 100].into());
    let opened = sink.deliver(&op(), &large).await.unwrap();
    let mut note = delivery(ActionKind::OpenTicket, "2");
    note.note_to = Some(opened.id.clone());
    sandbox.set_fault(Fault::named("answer_lost").unwrap().times(1));
    sink.deliver(&op(), &note).await.unwrap();
    sink.deliver(&op(), &delivery(ActionKind::EmitEvent, "3"))
        .await
        .unwrap();
    let state = sandbox.state();
    let items = state["webhook"]["items"].as_array().unwrap();
    let made: Vec<_> = items
        .iter()
        .map(|it| (&it["type"], &it["format"]))
        .collect();
    assert_eq!(
        made,
        [
            (&"ticket".into(), &"cloudevents".into()),
            (&"event".into(), &"cloudevents".into()),
        ]
    );
    assert_eq!(items[0]["notes"], 1, "a lost answer makes no second note");
    assert_eq!(items[0]["source_reference"], "protect:acme:incident");
    assert_eq!(sandbox.violations().len(), 0, "{:?}", sandbox.violations());

    // A receiver that refuses is not asked in another form.
    let asked = sandbox.requests().len();
    sandbox.set_fault(Fault::named("html200").unwrap().times(9));
    let refused = sink
        .deliver(&op(), &delivery(ActionKind::EmitEvent, "4"))
        .await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidResponse);
    assert!(sandbox.requests().len() > asked);
    sandbox.clear_faults();
    sink.deliver(&op(), &delivery(ActionKind::EmitEvent, "4"))
        .await
        .unwrap();
    let state = sandbox.state();
    let items = state["webhook"]["items"].as_array().unwrap();
    assert!(items.iter().all(|it| it["format"] == "cloudevents"));
    sandbox.shutdown().await;
}
