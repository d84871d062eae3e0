//! A sandbox, a clock that does not wait and takes the sandbox's along, and what the tests ask.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use protect_core::Result;
use protect_core::config::{ConnectionConfig, TenantScope};
use protect_core::connector::{
    Connector, ConnectorInfo, OpContext, ScanPage, ScanRequest, ScanState,
};
use protect_core::context::Context;
use protect_core::dns::DnsLookup;
use protect_core::model::{
    AccountRef, Action, ActionId, ActionKind, ActionTarget, Actor, Attributes, CheckResult,
    ConnectionName, ConnectorName, TenantId, WatchList,
};
use protect_core::posture::{Profile, Snapshot};
use protect_core::registry::{ConnectorSetup, Registry};
use protect_core::testing::{MapDns, MapSecrets, SkippingClock};
use protect_google::{Google, GoogleBuilder};
use protect_sandbox::{Credentials, Sandbox};
use serde_json::{Map, Value, json};

/// What a scanner stored with earlier pages.
#[derive(Debug, Default)]
pub(crate) struct Stored(Mutex<BTreeMap<String, Value>>);

#[async_trait]
impl ScanState for Stored {
    async fn get(&self, keys: &[String]) -> Result<BTreeMap<String, Value>> {
        let all = self.0.lock().unwrap();
        let found = keys.iter().filter_map(|key| all.get_key_value(key));
        Ok(found
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }
}

pub(crate) struct World {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) context: Context,
    pub(crate) cx: OpContext,
    pub(crate) own: Credentials,
    pub(crate) stored: Stored,
    pub(crate) dns: Arc<MapDns>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_users(60).await
    }

    pub(crate) async fn with_users(users: usize) -> Self {
        let sandbox = Sandbox::builder().seed(7).google_users(users);
        let sandbox = Arc::new(sandbox.start().await.unwrap());
        let clock = SkippingClock::beside(&sandbox, Sandbox::now, Sandbox::advance_clock);
        let dns = Arc::new(MapDns::default());
        let context = Context {
            clock: Arc::new(clock),
            dns: Arc::clone(&dns) as Arc<dyn DnsLookup>,
            ..protect_http::system_context("protect-test/0").unwrap()
        };
        let tenant = TenantId::new("acme").unwrap();
        Self {
            own: sandbox.credentials(),
            stored: Stored::default(),
            dns,
            sandbox,
            context,
            cx: OpContext::new(tenant, "test", Actor::unverified("test")),
        }
    }

    pub(crate) fn builder(&self) -> GoogleBuilder {
        Google::builder()
            .context(self.context.clone())
            .subject(&self.own.google_subject)
            .base_url(self.sandbox.google_api_url())
            .token_url(self.sandbox.google_token_url())
    }

    /// A client with every scope that reads.
    pub(crate) fn watcher(&self) -> Google {
        let key = self.own.google_scan_key.as_str();
        self.builder().service_account(key).build().unwrap()
    }

    /// A client with the scopes of the remediators.
    pub(crate) fn responder(&self) -> Google {
        let key = self.own.google_respond_key.as_str();
        self.builder().service_account(key).build().unwrap()
    }

    /// The connector, as the engine makes it, with further settings.
    pub(crate) fn connector(&self, settings: &Value) -> Arc<dyn Connector> {
        self.connector_with(&self.own.google_scan_key, settings)
    }

    /// The same with this in the place of the key that reads.
    pub(crate) fn connector_with(&self, scan_key: &str, settings: &Value) -> Arc<dyn Connector> {
        let own = &self.own;
        let secrets = MapSecrets::default();
        secrets.set_env("SCAN_KEY", scan_key);
        secrets.set_env("RESPOND_KEY", &own.google_respond_key);
        let context = Context {
            secrets: Arc::new(secrets),
            ..self.context.clone()
        };
        let credential = |key: &str| map(&json!({ "service_account": { "env": key } }));
        let root = self.sandbox.google_api_url();
        let roots = ["admin", "reports", "cloud_identity", "alerts"];
        let mut endpoints: BTreeMap<_, _> = roots
            .map(|name| (name.to_owned(), root.clone()))
            .into_iter()
            .collect();
        endpoints.insert("token".to_owned(), self.sandbox.google_token_url());
        let connection = ConnectionConfig {
            kind: protect_google::KIND.to_owned(),
            endpoints,
            scan: credential("SCAN_KEY"),
            respond: Some(credential("RESPOND_KEY")),
            tenants: TenantScope::Every,
            settings: Map::new(),
        };
        let mut all = map(&json!({ "subject": own.google_subject }));
        all.extend(map(settings));
        let setup = ConnectorSetup {
            info: ConnectorInfo {
                kind: protect_google::KIND.to_owned(),
                name: ConnectorName::new("workspace").unwrap(),
                tenant: TenantId::new("acme").unwrap(),
            },
            connection: Some((ConnectionName::new("acme-google").unwrap(), connection)),
            settings: all,
        };
        let mut registry = Registry::new();
        protect_google::register(&mut registry);
        registry.build(setup, &context).unwrap()
    }

    /// Leaves a service account these scopes alone.
    pub(crate) fn delegate(&self, account: &str, scopes: &[&str]) {
        let change = json!({ "scopes": scopes });
        assert!(self.sandbox.edit_google_service_account(account, change));
    }

    /// Sets a fault of Google's.
    pub(crate) fn fault(&self, fault: &Value) {
        let mut all = map(&json!({ "vendor": "google" }));
        all.extend(map(fault));
        let fault = serde_json::from_value(Value::Object(all)).unwrap();
        self.sandbox.set_fault(fault);
    }

    /// Collects and judges.
    pub(crate) async fn judged(&self) -> Vec<CheckResult> {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = self.watcher().collect_snapshot(folder.path()).await;
        evaluate(&snapshot.unwrap())
    }

    /// One run of a scanner from a cursor on.
    pub(crate) async fn run(
        &self,
        connector: &dyn Connector,
        from: Option<ScanPage>,
    ) -> Vec<ScanPage> {
        let watched = Arc::new(WatchList::default());
        let scanner = connector.as_scanner().unwrap();
        let mut pages: Vec<ScanPage> = from.into_iter().collect();
        let begun = pages.len();
        loop {
            let request = ScanRequest {
                cursor: pages.last().and_then(|page| page.cursor.as_ref()),
                starts_run: pages.len() == begun,
                watched: &watched,
                others: &[],
                state: &self.stored,
                forced: false,
            };
            let page = scanner.scan(&self.cx, request).await.unwrap();
            let more = page.more;
            for (key, value) in page.state.clone() {
                let mut stored = self.stored.0.lock().unwrap();
                match value {
                    Some(value) => stored.insert(key, value),
                    None => stored.remove(&key),
                };
            }
            pages.push(page);
            if !more {
                return pages.split_off(begun);
            }
        }
    }

    /// No rule of the vendor was broken.
    pub(crate) fn assert_lawful(&self) {
        let violations = self.sandbox.violations();
        assert!(violations.is_empty(), "{violations:#?}");
    }

    /// How often a route was asked.
    pub(crate) fn asked(&self, route: &str) -> usize {
        let requests = self.sandbox.requests();
        requests
            .iter()
            .filter(|it| it.route.contains(route))
            .count()
    }
}

pub(crate) fn evaluate(snapshot: &Snapshot) -> Vec<CheckResult> {
    protect_google::evaluate(snapshot, &Profile::scuba())
}

/// An action on an account of the connector that [`World::connector`] makes.
pub(crate) fn action(kind: ActionKind, user: &str) -> Action {
    Action {
        id: ActionId::of(&TenantId::new("acme").unwrap(), &[kind.as_str(), user]),
        kind,
        target: ActionTarget::Account(AccountRef {
            connector: ConnectorName::new("workspace").unwrap(),
            id: user.to_owned(),
        }),
        reason: "a test".to_owned(),
        requested_by: Actor::unverified("test"),
        incident: None,
        undoes: None,
        lasts: None,
        parameters: Attributes::new(),
    }
}

pub(crate) fn map(value: &Value) -> Attributes {
    match value {
        Value::Object(map) => map.clone(),
        _ => panic!("an object"),
    }
}
