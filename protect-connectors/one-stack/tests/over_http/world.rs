//! A sandbox, a clock that does not wait and takes the sandbox's along, and the connectors as the
//! configuration makes them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use protect_core::clock::Clock;
use protect_core::config::Config;
use protect_core::connector::{
    Capability, Connector, ConnectorInfo, Delivery, Diagnosis, Evaluated, OpContext, ScanPage,
    ScanRequest, Scanner,
};
use protect_core::engine::{Engine, Tenant};
use protect_core::model::{
    AccountRef, Action, ActionId, ActionKind, ActionTarget, Actor, Address, Attributes, CheckId,
    Confidence, FindingKind, Observation, Severity, Subject, TenantId,
};
use protect_core::registry::Registry;
use protect_core::secret::SecretRef;
use protect_core::store::MemoryStore;
use protect_core::testing::{MapSecrets, SkippingClock};
use protect_core::{Context, Result};
use protect_sandbox::{OneStackOrganisation, Sandbox};
use serde_json::{Value, json};

pub(crate) struct World {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) context: Context,
    pub(crate) clock: Arc<SkippingClock>,
    pub(crate) secrets: Arc<MapSecrets>,
    /// What the tenants' scanner sees.
    pub(crate) seen: Arc<Mutex<Vec<(String, Observation)>>>,
    /// What the tenants' scanner decides: checks and verdicts.
    pub(crate) decided: Arc<Mutex<BTreeMap<String, Value>>>,
    own: Vec<OneStackOrganisation>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let sandbox = Arc::new(Sandbox::builder().seed(7).start().await.unwrap());
        let clock = Arc::new(SkippingClock::beside(
            &sandbox,
            Sandbox::now,
            Sandbox::advance_clock,
        ));
        let own = sandbox.credentials().one_stack;
        let secrets = Arc::new(MapSecrets::default());
        for (name, organisation) in ["ACME", "BETA"].iter().zip(&own) {
            secrets.set_env(&format!("{name}_API_KEY"), &organisation.api_key);
            secrets.set_env(
                &format!("{name}_INTEGRATION_KEY"),
                &organisation.integration_key,
            );
        }
        let context = Context {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            secrets: Arc::clone(&secrets) as _,
            ..protect_http::system_context("protect-test/0").unwrap()
        };
        Self {
            sandbox,
            context,
            clock,
            secrets,
            seen: Arc::default(),
            decided: Arc::default(),
            own,
        }
    }

    /// `acme` is the first, `beta` the second.
    pub(crate) fn organisation(&self, tenant: &str) -> &OneStackOrganisation {
        &self.own[usize::from(tenant == "beta")]
    }

    fn registry(&self) -> Registry {
        let mut registry = Registry::new();
        protect_one_stack::register(&mut registry);
        let (seen, decided) = (Arc::clone(&self.seen), Arc::clone(&self.decided));
        registry.register("planted", move |setup, _| {
            let planted = Planted {
                info: setup.info,
                seen: Arc::clone(&seen),
                decided: Arc::clone(&decided),
            };
            Ok(Arc::new(planted) as Arc<dyn Connector>)
        });
        registry
    }

    /// The configuration of both tenants with connectors of these kinds; `change` has the last word.
    pub(crate) fn config(&self, kinds: &[&str], change: impl FnOnce(&mut Value)) -> Value {
        let mut config = json!({ "mode": "enforce", "connections": {}, "tenants": {} });
        for tenant in ["acme", "beta"] {
            let mut connectors = json!({ "planted": { "kind": "planted" } });
            for kind in kinds {
                let connection = format!("{tenant}-{kind}");
                let form = if matches!(*kind, "psa" | "security") {
                    "api_key"
                } else {
                    "integration_key"
                };
                let variable = format!("{}_{}", tenant.to_uppercase(), form.to_uppercase());
                config["connections"][&connection] = json!({
                    "kind": kind,
                    "endpoints": { "api": self.sandbox.one_stack_url(kind) },
                    "respond": { form: { "env": variable } },
                    "tenants": [tenant],
                });
                connectors[kind] = json!({
                    "connection": connection,
                    "organisation_id": self.organisation(tenant).id,
                });
                if matches!(*kind, "rmm" | "hub") {
                    connectors[kind]["owners"] = json!([]);
                }
            }
            config["tenants"][tenant] = json!({
                "name": tenant, "domains": [format!("{tenant}.example")], "connectors": connectors,
            });
        }
        change(&mut config);
        config
    }

    pub(crate) fn engine(&self, config: &Value) -> Result<Engine> {
        let registry = self.registry();
        let config = Config::from_json(&config.to_string(), &registry)?;
        Engine::builder(config, registry, self.context.clone()).build(Arc::new(MemoryStore::new()))
    }

    /// One connector of a tenant; `change` may change its configuration.
    pub(crate) fn connector(
        &self,
        tenant: &str,
        kind: &str,
        change: impl FnOnce(&mut Value),
    ) -> Arc<dyn Connector> {
        let engine = self.engine(&self.config(&[kind], change)).unwrap();
        let tenant = engine.tenant(tenant).unwrap();
        let found = tenant.connectors().iter().find(|it| it.info().kind == kind);
        Arc::clone(found.unwrap())
    }

    /// How long ago that was on the clock.
    pub(crate) fn since(&self, then: Duration) -> Duration {
        self.clock.monotonic().saturating_sub(then)
    }

    /// The things of one sort, in order.
    pub(crate) fn made(&self, object: &str) -> Vec<Value> {
        let items = self.sandbox.one_stack_items();
        items
            .into_iter()
            .filter(|item| item["object"] == object)
            .collect()
    }

    pub(crate) fn rules(&self) -> Vec<String> {
        let violations = self.sandbox.violations();
        violations
            .into_iter()
            .map(|violation| violation.rule)
            .collect()
    }

    /// Somebody of the tenant is in a breach.
    pub(crate) fn leak(&self, tenant: &str, who: &str, breach: &str, severity: Severity) {
        let address = Address::new(format!("{who}@{tenant}.example")).unwrap();
        let mut observation = observation(&address, breach, severity);
        observation
            .details
            .insert("breach_date".to_owned(), json!("2026-10-01"));
        observation
            .details
            .insert("data_classes".to_owned(), json!(["Passwords"]));
        self.seen
            .lock()
            .unwrap()
            .push((tenant.to_owned(), observation));
    }

    /// A check of the tenants comes out so.
    pub(crate) fn decide(&self, check: &str, verdict: &str) {
        let verdict = json!(verdict);
        self.decided
            .lock()
            .unwrap()
            .insert(check.to_owned(), verdict);
    }

    /// Lets time pass in steps, and whatever waits try again.
    pub(crate) async fn pass(&self, tenant: &Tenant, steps: u32, step: Duration) {
        for _ in 0..steps {
            self.clock.advance(step);
            tenant.apply_waiting().await.unwrap();
        }
    }
}

/// Scans, plans, approves and applies.
pub(crate) async fn walk(tenant: &Tenant) -> Vec<protect_core::engine::Step> {
    tenant.scan().await.unwrap();
    let plan = tenant.plan().await.unwrap();
    let actor = Actor::unverified("alice");
    let approved = tenant.approve(plan, &actor).await.unwrap();
    tenant.apply(approved).await.unwrap()
}

pub(crate) fn op(tenant: &str) -> OpContext {
    OpContext::new(TenantId::new(tenant).unwrap(), "test", Actor::engine())
}

pub(crate) fn env(name: &str) -> SecretRef {
    SecretRef::env(name)
}

/// A delivery about one finding, as the engine makes it.
pub(crate) fn delivery(kind: ActionKind, number: &str, severity: Severity) -> Delivery {
    let tenant = TenantId::new("acme").unwrap();
    let address = Address::new("jane@acme.example").unwrap();
    let mut finding = json!(observation(&address, "Adobe", severity));
    finding["id"] = json!("f-1");
    let mut data = Attributes::new();
    data.insert("incident".to_owned(), json!({ "id": "inc-1" }));
    data.insert("findings".to_owned(), json!([finding]));
    Delivery {
        action_id: ActionId::of(&tenant, &[number]),
        kind,
        source_reference: "protect:acme:inc-1".to_owned(),
        note_to: None,
        title: "A leaked password".to_owned(),
        body: "- Adobe".to_owned(),
        severity,
        data,
    }
}

/// A rule of `acme` for every leak, with somebody's consent.
pub(crate) fn rule(config: &mut Value, then: &Value) {
    config["tenants"]["acme"]["rules"] = json!([{
        "name": "leaked", "when": { "kind": "credential_exposure" }, "then": then,
    }]);
}

/// An action on somebody's login at a connector that knows people by address.
pub(crate) fn action(kind: ActionKind, number: &str, connector: &str, address: &str) -> Action {
    let tenant = TenantId::new("acme").unwrap();
    Action {
        id: ActionId::of(&tenant, &[number]),
        kind,
        target: ActionTarget::Account(AccountRef {
            connector: connector.parse().unwrap(),
            id: address.to_owned(),
        }),
        reason: "a leaked password".to_owned(),
        requested_by: Actor::rule("leaked"),
        incident: None,
        undoes: None,
        lasts: None,
        parameters: Attributes::new(),
    }
}

/// Approved by somebody else than who asked.
pub(crate) fn approved(tenant: &str) -> OpContext {
    op(tenant).with_approval(Actor::unverified("alice"))
}

fn observation(address: &Address, breach: &str, severity: Severity) -> Observation {
    Observation {
        check: check(),
        kind: FindingKind::CredentialExposure,
        subject: Subject::address(address),
        discriminator: breach.to_owned(),
        cause: None,
        severity,
        confidence: Confidence::High,
        title: "A leaked password".to_owned(),
        reasons: Vec::new(),
        attribution: None,
        references: Vec::new(),
        details: Attributes::new(),
        from_event: false,
    }
}

fn check() -> CheckId {
    "planted.exposure.breach".parse().unwrap()
}

/// Sees what a test planted.
struct Planted {
    info: ConnectorInfo,
    seen: Arc<Mutex<Vec<(String, Observation)>>>,
    decided: Arc<Mutex<BTreeMap<String, Value>>>,
}

impl fmt::Debug for Planted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Planted").finish_non_exhaustive()
    }
}

#[async_trait]
impl Connector for Planted {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability {
            checks: [check()].into(),
            ..Capability::default()
        }
    }

    async fn diagnose(&self, _: &OpContext) -> Result<Diagnosis> {
        Ok(Diagnosis::default())
    }

    fn as_scanner(&self) -> Option<&dyn Scanner> {
        Some(self)
    }
}

#[async_trait]
impl Scanner for Planted {
    async fn scan(&self, _: &OpContext, _: ScanRequest<'_>) -> Result<ScanPage> {
        let seen = self.seen.lock().unwrap();
        let own = seen
            .iter()
            .filter(|(tenant, _)| tenant == self.info.tenant.as_str());
        let decided = self.decided.lock().unwrap();
        let verdicts = decided.iter().map(|(check, verdict)| {
            let result = json!({
                "check": check, "verdict": verdict, "severity": "high", "reason": "planted",
                "affected": ["jane@acme.example"], "source": "planted", "confidence": "high",
                "references": [],
            });
            serde_json::from_value(result).unwrap()
        });
        Ok(ScanPage {
            verdicts: verdicts.collect(),
            observations: own.map(|(_, observation)| observation.clone()).collect(),
            evaluated: vec![Evaluated {
                check: check(),
                subject: None,
            }],
            ..ScanPage::default()
        })
    }
}
