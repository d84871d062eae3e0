//! A sandbox, a clock that does not wait and takes the sandbox's along, and what the tests ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use protect_core::Result;
use protect_core::config::{ConnectionConfig, TenantScope};
use protect_core::connector::{
    Connector, ConnectorInfo, OpContext, ScanPage, ScanRequest, ScanState,
};
use protect_core::context::Context;
use protect_core::model::{
    AccountRef, Action, ActionId, ActionKind, ActionTarget, Actor, Attributes, CheckResult,
    ConnectionName, ConnectorName, TenantId, WatchList,
};
use protect_core::posture::{Profile, Snapshot};
use protect_core::registry::{ConnectorSetup, Registry};
use protect_core::testing::{MapSecrets, SkippingClock};
use protect_m365::{M365, M365Builder};
use protect_sandbox::{Credentials, Sandbox};
use serde_json::{Map, Value, json};

/// A scanner whose state is its cursor.
#[derive(Debug)]
struct NoState;

#[async_trait]
impl ScanState for NoState {
    async fn get(&self, _keys: &[String]) -> Result<BTreeMap<String, Value>> {
        Ok(BTreeMap::new())
    }
}

pub(crate) struct World {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) context: Context,
    pub(crate) cx: OpContext,
    pub(crate) own: Credentials,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_users(60).await
    }

    pub(crate) async fn with_users(users: usize) -> Self {
        let sandbox = Sandbox::builder().seed(7).m365_users(users);
        let sandbox = Arc::new(sandbox.start().await.unwrap());
        let clock = SkippingClock::beside(&sandbox, Sandbox::now, Sandbox::advance_clock);
        let context = Context {
            clock: Arc::new(clock),
            ..protect_http::system_context("protect-test/0").unwrap()
        };
        let tenant = TenantId::new("acme").unwrap();
        Self {
            own: sandbox.credentials(),
            sandbox,
            context,
            cx: OpContext::new(tenant, "test", Actor::unverified("test")),
        }
    }

    pub(crate) fn builder(&self) -> M365Builder {
        M365::builder()
            .context(self.context.clone())
            .tenant(&self.own.m365_tenant_id)
            .login_url(self.sandbox.m365_login_url())
            .graph_url(self.sandbox.m365_graph_url())
    }

    /// A client with every permission that reads.
    pub(crate) fn watcher(&self) -> M365 {
        let own = &self.own;
        self.builder()
            .credentials(
                &own.m365_scan_client_id,
                own.m365_scan_client_secret.as_str(),
            )
            .build()
            .unwrap()
    }

    /// A client with the permissions of the remediators.
    pub(crate) fn responder(&self) -> M365 {
        let own = &self.own;
        self.builder()
            .credentials(
                &own.m365_respond_client_id,
                own.m365_respond_client_secret.as_str(),
            )
            .build()
            .unwrap()
    }

    /// The connector, as the engine makes it, with further settings.
    pub(crate) fn connector(&self, settings: &Value) -> Arc<dyn Connector> {
        let own = &self.own;
        let secrets = MapSecrets::default();
        secrets.set_env("SCAN_SECRET", &own.m365_scan_client_secret);
        secrets.set_env("RESPOND_SECRET", &own.m365_respond_client_secret);
        let context = Context {
            secrets: Arc::new(secrets),
            ..self.context.clone()
        };
        let credential = |id: &str, secret: &str| {
            map(&json!({ "client_id": id, "client_secret": { "env": secret } }))
        };
        let connection = ConnectionConfig {
            kind: protect_m365::KIND.to_owned(),
            endpoints: BTreeMap::from([
                ("login".to_owned(), self.sandbox.m365_login_url()),
                ("graph".to_owned(), self.sandbox.m365_graph_url()),
            ]),
            scan: credential(&own.m365_scan_client_id, "SCAN_SECRET"),
            respond: Some(credential(&own.m365_respond_client_id, "RESPOND_SECRET")),
            tenants: TenantScope::Every,
            settings: Map::new(),
        };
        let mut all = map(&json!({ "tenant_id": own.m365_tenant_id }));
        all.extend(map(settings));
        let setup = ConnectorSetup {
            info: ConnectorInfo {
                kind: protect_m365::KIND.to_owned(),
                name: ConnectorName::new("entra").unwrap(),
                tenant: TenantId::new("acme").unwrap(),
            },
            connection: Some((ConnectionName::new("acme-m365").unwrap(), connection)),
            settings: all,
        };
        let mut registry = Registry::new();
        protect_m365::register(&mut registry);
        registry.build(setup, &context).unwrap()
    }

    /// Leaves an application these permissions alone.
    pub(crate) fn grant(&self, application: &str, permissions: &[&str]) {
        let change = json!({ "permissions": permissions });
        assert!(self.sandbox.edit_m365_application(application, change));
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
                state: &NoState,
                forced: false,
            };
            let page = scanner.scan(&self.cx, request).await.unwrap();
            let more = page.more;
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
    protect_m365::evaluate(snapshot, &Profile::scuba())
}

/// An action on an account of the connector that [`World::connector`] makes.
pub(crate) fn action(kind: ActionKind, user: &str) -> Action {
    Action {
        id: ActionId::of(&TenantId::new("acme").unwrap(), &[kind.as_str(), user]),
        kind,
        target: ActionTarget::Account(AccountRef {
            connector: ConnectorName::new("entra").unwrap(),
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

/// An action on the settings of the connector that [`World::connector`] makes.
pub(crate) fn on_settings(kind: ActionKind, parameters: &Value) -> Action {
    Action {
        target: ActionTarget::Setting {
            connector: ConnectorName::new("entra").unwrap(),
        },
        parameters: map(parameters),
        ..action(kind, "")
    }
}

pub(crate) fn map(value: &Value) -> Attributes {
    match value {
        Value::Object(map) => map.clone(),
        _ => panic!("an object"),
    }
}
