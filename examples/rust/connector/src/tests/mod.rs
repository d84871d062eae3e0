//! Against a badge system of ten people on loopback: the contracts of every connector, and what
//! is special to this one.

mod server;

use std::sync::Arc;

use protect_core::Context;
use protect_core::config::Config;
use protect_core::connector::{Connector, OpContext};
use protect_core::engine::Engine;
use protect_core::model::{
    AccountRef, AccountState, Action, ActionId, ActionKind, ActionTarget, Actor, Attributes,
    TenantId,
};
use protect_core::registry::Registry;
use protect_core::store::MemoryStore;
use protect_core::testing::{MapSecrets, contract};

use self::server::Server;

const TOKENS: [&str; 2] = ["read-token-canary", "write-token-canary"];

#[tokio::test]
async fn it_keeps_the_contracts_of_every_connector() {
    let server = Server::start();
    let engine = engine(&server, "respond = { token = { env = \"WRITE\" } }");
    let acme = engine.tenant("acme").unwrap();
    let badges = &*acme.connectors()[0];
    let cx = cx();
    contract::connector(badges, &cx, &TOKENS).await;
    assert_eq!(contract::directory(badges, &cx).await.len(), 10);
    let found = contract::scanner(badges, &cx, &Arc::default()).await;
    assert_eq!(found.len(), 1, "one of them left");
    let suspend = action(badges, ActionKind::SuspendAccount);
    let undo = action(badges, ActionKind::ReactivateAccount);
    contract::remediator(badges, &cx, &suspend, Some(&undo)).await;
    contract::does_nothing_else(badges, &cx, &suspend).await;
    assert_eq!(server.changes(), ["block p3", "unblock p3"]);
}

#[tokio::test]
async fn without_a_respond_credential_it_looks_and_changes_nothing() {
    let server = Server::start();
    let engine = engine(&server, "");
    let acme = engine.tenant("acme").unwrap();
    contract::connector(&*acme.connectors()[0], &cx(), &TOKENS).await;
    assert!(acme.connectors()[0].as_remediator().is_none());
}

#[tokio::test]
async fn a_leaver_is_found_and_a_person_who_cannot_be_read_loses_nobody_else() {
    let server = Server::start();
    let engine = engine(&server, "");
    let acme = engine.tenant("acme").unwrap();
    let summary = acme.scan().await.unwrap();
    assert!(summary.complete, "{summary:?}");
    assert_eq!(summary.connectors[0].counts.new, 1);
    assert_eq!(summary.incidents.opened.len(), 1);
    server.spoil("p7");
    let again = acme.scan().await.unwrap();
    assert!(again.complete, "{again:?}");
    assert_eq!(again.connectors[0].counts.rejected, 1);
    assert_eq!(again.connectors[0].counts.resolved, 0);
}

#[tokio::test]
async fn a_word_for_the_badge_that_nobody_documented_survives() {
    let server = Server::start();
    server.set_badge("p1", "lost");
    let engine = engine(&server, "");
    let acme = engine.tenant("acme").unwrap();
    let directory = acme.connectors()[0].as_directory().unwrap();
    let account = directory.get(&cx(), "p1").await.unwrap().unwrap();
    assert_eq!(account.state, AccountState::Other("lost".to_owned()));
}

#[test]
fn a_configuration_without_an_endpoint_is_refused_by_name() {
    let mut registry = Registry::new();
    crate::register(&mut registry);
    let text = config("").replace("endpoints", "#");
    let error = Config::from_toml(&text, &registry).unwrap_err().to_string();
    assert!(error.contains("doors") && error.contains("api"), "{error}");
}

fn engine(server: &Server, respond: &str) -> Engine {
    let mut registry = Registry::new();
    crate::register(&mut registry);
    let text = config(respond).replace("ROOT", &server.root());
    let config = Config::from_toml(&text, &registry).unwrap();
    let engine = Engine::builder(config, registry, context());
    engine.build(Arc::new(MemoryStore::new())).unwrap()
}

fn config(respond: &str) -> String {
    format!(
        r#"
[connections.doors]
kind = "badge"
endpoints = {{ api = "ROOT" }}
scan = {{ token = {{ env = "READ" }} }}
{respond}
tenants = ["acme"]

[tenants.acme]
name = "Acme"
domains = ["acme.example"]
connectors.doors = {{ connection = "doors" }}
"#
    )
}

fn context() -> Context {
    let secrets = MapSecrets::default();
    for (name, token) in ["READ", "WRITE"].into_iter().zip(TOKENS) {
        secrets.set_env(name, token);
    }
    Context {
        secrets: Arc::new(secrets),
        ..protect_http::system_context("badge-tests/0").unwrap()
    }
}

fn cx() -> OpContext {
    OpContext::new(TenantId::new("acme").unwrap(), "test", Actor::engine())
}

fn action(badges: &dyn Connector, kind: ActionKind) -> Action {
    let tenant = &badges.info().tenant;
    Action {
        id: ActionId::of(tenant, &["test", kind.as_str()]),
        kind,
        target: ActionTarget::Account(AccountRef {
            connector: badges.info().name.clone(),
            id: "p3".to_owned(),
        }),
        reason: "a test".to_owned(),
        requested_by: Actor::unverified("alice"),
        incident: None,
        undoes: None,
        lasts: None,
        parameters: Attributes::new(),
    }
}
