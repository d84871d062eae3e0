//! A sandbox, a clock that does not wait, and what the tests ask of them.
#![allow(dead_code, reason = "each test file uses a part")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use protect_core::Result;
use protect_core::clock::Clock;
use protect_core::config::{ConnectionConfig, TenantScope};
use protect_core::connector::{Connector, ConnectorInfo, OpContext, ScanState};
use protect_core::context::Context;
use protect_core::http::{HttpError, HttpErrorKind, HttpTransport, MaxBody};
use protect_core::model::{
    AccountRef, Action, ActionId, ActionKind, ActionTarget, Actor, Attributes, ConnectionName,
    ConnectorName, TenantId,
};
use protect_core::registry::{ConnectorSetup, Registry};
use protect_core::testing::{MapSecrets, SkippingClock};
use protect_onepassword::{OnePassword, OnePasswordBuilder};
use protect_sandbox::{Sandbox, Violation};
use serde_json::{Map, Value, json};

/// Real HTTP, as plain as it can be.
#[derive(Debug)]
struct PlainTransport(reqwest::Client);

#[async_trait]
impl HttpTransport for PlainTransport {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let most = request
            .extensions()
            .get()
            .copied()
            .unwrap_or(MaxBody::default())
            .0;
        let failed = |error: reqwest::Error| {
            let kind = if error.is_connect() {
                HttpErrorKind::Connect
            } else {
                HttpErrorKind::Interrupted
            };
            HttpError::new(kind, error.without_url())
        };
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let answer = self.0.execute(request).await.map_err(failed)?;
        let mut made = http::Response::builder().status(answer.status());
        made.headers_mut().unwrap().clone_from(answer.headers());
        let body = answer.bytes().await.map_err(failed)?;
        if body.len() > most {
            return Err(HttpError::new(HttpErrorKind::TooLarge, "too large"));
        }
        Ok(made.body(body).unwrap())
    }
}

fn transport() -> Arc<dyn HttpTransport> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    Arc::new(PlainTransport(client.build().unwrap()))
}

/// A scanner of events stores nothing but its cursor.
#[derive(Debug)]
pub(crate) struct NoState;

#[async_trait]
impl ScanState for NoState {
    async fn get(&self, _keys: &[String]) -> Result<BTreeMap<String, Value>> {
        Ok(BTreeMap::new())
    }
}

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<SkippingClock>,
    pub(crate) context: Context,
    pub(crate) cx: OpContext,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_users(40).await
    }

    pub(crate) async fn with_users(users: usize) -> Self {
        let sandbox = Sandbox::builder()
            .seed(7)
            .users(users)
            .start()
            .await
            .unwrap();
        let clock = Arc::new(SkippingClock::new());
        let context = Context {
            transport: transport(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ..protect_core::testing::context().context
        };
        let cx = OpContext::new(
            TenantId::new("acme").unwrap(),
            "test",
            Actor::unverified("test"),
        );
        Self {
            sandbox,
            clock,
            context,
            cx,
        }
    }

    fn builder(&self) -> OnePasswordBuilder {
        OnePassword::builder()
            .context(self.context.clone())
            .account(self.sandbox.credentials().account_id)
            .base_url(self.sandbox.onepassword_api_url())
            .events_url(self.sandbox.onepassword_events_url())
    }

    /// A client that may list and get users, and read events.
    pub(crate) fn watcher(&self) -> OnePassword {
        self.watcher_with(|builder| builder)
    }

    pub(crate) fn watcher_with(
        &self,
        more: impl FnOnce(OnePasswordBuilder) -> OnePasswordBuilder,
    ) -> OnePassword {
        let own = self.sandbox.credentials();
        let builder = self
            .builder()
            .credentials(own.scan_client_id, own.scan_client_secret)
            .events_token(own.events_token);
        more(builder).build().unwrap()
    }

    /// A client that may get, suspend and reactivate users.
    pub(crate) fn responder(&self) -> OnePassword {
        let own = self.sandbox.credentials();
        self.builder()
            .credentials(own.respond_client_id, own.respond_client_secret)
            .build()
            .unwrap()
    }

    /// The connector, as the engine makes it, with further settings.
    pub(crate) fn connector(&self, settings: Value) -> Arc<dyn Connector> {
        self.connector_that(true, settings)
    }

    /// The same without a credential that changes.
    pub(crate) fn connector_without_respond(&self) -> Arc<dyn Connector> {
        self.connector_that(false, json!({}))
    }

    fn connector_that(&self, responds: bool, settings: Value) -> Arc<dyn Connector> {
        let own = self.sandbox.credentials();
        let secrets = MapSecrets::default();
        secrets.set_env("SCAN_SECRET", &own.scan_client_secret);
        secrets.set_env("EVENTS_TOKEN", &own.events_token);
        secrets.set_env("RESPOND_SECRET", &own.respond_client_secret);
        let context = Context {
            secrets: Arc::new(secrets),
            ..self.context.clone()
        };
        let mut all = json!({ "account_id": own.account_id });
        for (name, value) in map(settings) {
            all[name] = value;
        }
        let mut registry = Registry::new();
        protect_onepassword::register(&mut registry);
        let connection = ConnectionConfig {
            kind: protect_onepassword::KIND.to_owned(),
            endpoints: BTreeMap::from([
                ("api".to_owned(), self.sandbox.onepassword_api_url()),
                ("events".to_owned(), self.sandbox.onepassword_events_url()),
            ]),
            scan: map(json!({
                "client_id": own.scan_client_id,
                "client_secret": { "env": "SCAN_SECRET" },
                "events_token": { "env": "EVENTS_TOKEN" },
            })),
            respond: responds.then(|| {
                map(json!({
                    "client_id": own.respond_client_id,
                    "client_secret": { "env": "RESPOND_SECRET" },
                }))
            }),
            tenants: TenantScope::Every,
            settings: Map::new(),
        };
        let setup = ConnectorSetup {
            info: ConnectorInfo {
                kind: protect_onepassword::KIND.to_owned(),
                name: ConnectorName::new("passwords").unwrap(),
                tenant: TenantId::new("acme").unwrap(),
            },
            connection: Some((ConnectionName::new("acme-passwords").unwrap(), connection)),
            settings: map(all),
        };
        registry.build(setup, &context).unwrap()
    }

    /// Leaves the events token these features alone.
    pub(crate) async fn take_features(&self, features: &[&str]) {
        self.post("/_sandbox/onepassword/features", &json!(features))
            .await;
    }

    /// Turns one of the sandbox's knobs.
    pub(crate) async fn post(&self, path: &str, body: &Value) {
        let request = http::Request::post(format!("{}{path}", self.sandbox.base_url()))
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let answer = self.context.transport.send(request).await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// Every rule of the vendor that was broken.
    pub(crate) fn violations(&self) -> Vec<Violation> {
        self.sandbox.violations()
    }

    /// How often a route was asked.
    pub(crate) fn asked(&self, route: &str) -> usize {
        let requests = self.sandbox.requests();
        requests
            .iter()
            .filter(|request| request.route.contains(route))
            .count()
    }
}

pub(crate) fn action(kind: ActionKind, user: &str, parameters: Value) -> Action {
    Action {
        id: ActionId::of(&TenantId::new("acme").unwrap(), &[kind.as_str(), user]),
        kind,
        target: ActionTarget::Account(AccountRef {
            connector: ConnectorName::new("passwords").unwrap(),
            id: user.to_owned(),
        }),
        reason: "a test".to_owned(),
        requested_by: Actor::unverified("test"),
        incident: None,
        undoes: None,
        lasts: None,
        parameters: map(parameters),
    }
}

pub(crate) fn map(value: Value) -> Attributes {
    match value {
        Value::Object(map) => map,
        _ => panic!("an object"),
    }
}
