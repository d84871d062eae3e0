//! A sandbox, a configuration on disk that points at it, and clocks that both can be moved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use protect_connectors::core::clock::{Clock, SystemClock};
use protect_connectors::core::config::Config;
use protect_connectors::core::engine::{Engine, Tenant};
use protect_connectors::core::ledger::{LedgerKey, VerifyReport, export, verify};
use protect_connectors::core::model::{Actor, EvidenceEntry, Intent};
use protect_connectors::core::secret::ExposeSecret;
use protect_connectors::core::store::{Query, RecordKind, SqliteOptions, SqliteStore};
use protect_connectors::core::testing::SeededRandom;
use protect_connectors::core::{Context, Result};
use protect_sandbox::{Plan, Sandbox, SandboxBuilder, Transition, Vendor};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a worker may take for one action in these tests: long enough for a busy machine.
pub(crate) const LEASE: Duration = Duration::from_secs(15);

/// The machine's clock, ahead by as much as a test says, and as many times as fast.
#[derive(Debug)]
pub(crate) struct OffsetClock {
    system: SystemClock,
    ahead: AtomicI64,
    speed: u32,
}

impl OffsetClock {
    pub(crate) fn ahead_by(seconds: i64) -> Arc<Self> {
        Arc::new(Self {
            system: SystemClock::new(),
            ahead: AtomicI64::new(seconds),
            speed: 1,
        })
    }

    fn fast(speed: u32) -> Arc<Self> {
        Arc::new(Self {
            system: SystemClock::new(),
            ahead: AtomicI64::new(0),
            speed,
        })
    }

    /// How far the wall clock is ahead of the machine's.
    fn lead(&self) -> Duration {
        self.system.monotonic() * (self.speed - 1)
            + Duration::from_secs(self.ahead().unsigned_abs())
    }

    fn advance(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
    }

    fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Clock for OffsetClock {
    fn now(&self) -> Timestamp {
        self.system.now().saturating_add(self.lead()).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.system.monotonic() + self.lead()
    }

    async fn sleep(&self, wait: Duration) {
        self.system.sleep(wait / self.speed).await;
    }
}

/// The simulated vendors, and a folder with a configuration, its secrets and its store.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<OffsetClock>,
    /// The configuration that `write` puts on disk.
    pub(crate) config: Value,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Sandbox::builder()).await
    }

    pub(crate) async fn with(sandbox: SandboxBuilder) -> Self {
        let plan = Plan::named("High RPM 12000").unwrap();
        let sandbox = sandbox.plan(plan).range_rows(4).start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = config(&sandbox, folder.path());
        let world = Self {
            sandbox,
            folder,
            clock: OffsetClock::ahead_by(0),
            config,
        };
        world.write();
        world
    }

    /// A world in which time passes `speed` times as fast for us, so that retries do not take long;
    /// [`World::advance`] lets the vendors catch up.
    pub(crate) async fn fast(speed: u32) -> Self {
        let mut world = Self::new().await;
        world.clock = OffsetClock::fast(speed);
        world
    }

    /// The same with a connector for every receiver of notices, tickets, incidents, events, evidence and
    /// usage, and with more ways to act; a leak is told to all of them.
    pub(crate) async fn with_every_receiver(speed: u32) -> Self {
        let mut world = Self::fast(speed).await;
        for (name, connection, mut connector) in receivers(&world.sandbox, world.folder.path()) {
            world.config["connections"][name] = connection;
            connector["connection"] = name.into();
            world.config["tenants"]["acme"]["connectors"][name] = connector;
        }
        let acme = &mut world.config["tenants"]["acme"];
        acme["route"] = json!({
            "open_ticket": ["psa"],
            "open_security_incident": ["security"],
            "emit_event": ["bus"],
            "notify": ["slack", "mail"],
        });
        acme["rules"][0]["then"] = json!([
            "suspend_account", "open_security_incident", "page", "emit_event", "notify",
            "force_password_reset", "revoke_access",
            { "action": "open_ticket", "template": "dark_web_alert" },
        ]);
        world.write();
        world
    }

    /// The same with something else in the configuration, given by JSON pointer.
    pub(crate) fn set(&mut self, pointer: &str, value: Value) {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        self.config.pointer_mut(parent).unwrap()[key] = value;
        self.write();
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("protect.json")
    }

    pub(crate) fn store_path(&self) -> PathBuf {
        self.folder.path().join("protect.db")
    }

    /// Lets time pass for the vendors and for us.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(i64::try_from(by.as_secs()).unwrap());
        let behind = self.clock.now().duration_since(self.sandbox.now());
        self.sandbox.advance_clock(behind);
    }

    /// How many seconds our clock is ahead of the machine's.
    pub(crate) fn ahead(&self) -> i64 {
        self.clock.ahead()
    }

    pub(crate) fn context(&self) -> Context {
        context(Arc::clone(&self.clock))
    }

    pub(crate) async fn engine(&self) -> Engine {
        open(&self.path(), self.context()).await
    }

    pub(crate) async fn tenant(&self) -> Tenant {
        self.engine().await.tenant("acme").unwrap()
    }

    /// Exposes these accounts by a new breach with passwords in plain text.
    pub(crate) fn leak(&self, name: &str, addresses: &[String]) {
        let breach = json!({
            "Name": name, "Title": name, "Domain": "shop.example", "BreachDate": "2026-01-01",
            "AddedDate": "2026-02-01T00:00:00Z", "ModifiedDate": "2026-02-01T00:00:00Z",
            "PwnCount": addresses.len(), "Description": "Passwords were stored in plain text.",
            "DataClasses": ["Email addresses", "Passwords"], "IsVerified": true,
            "IsFabricated": false, "IsSensitive": false, "IsRetired": false, "IsSpamList": false,
            "IsMalware": false, "IsSubscriptionFree": false, "IsStealerLog": false,
        });
        assert!(self.sandbox.publish_breach(breach, addresses));
    }

    /// Active people in no special role, as (id, address), in the order of the directory.
    pub(crate) fn ordinary_people(&self) -> Vec<(String, String)> {
        let planted = self.sandbox.planted();
        let special = [
            &planted.leaked,
            &planted.suspicious,
            &planted.forgotten,
            &planted.mistyped,
            &planted.owner,
            &planted.external_admin,
            &planted.leaver,
        ];
        let state = self.sandbox.state();
        let users = state["onepassword"]["users"].as_array().unwrap();
        let text = |user: &Value, field: &str| user[field].as_str().unwrap().to_owned();
        let all = users
            .iter()
            .map(|user| (text(user, "id"), text(user, "email")));
        all.filter(|(id, _)| special.iter().all(|user| user.id != *id))
            .collect()
    }

    /// What became of 1Password users, by user: each `(to, whether a request of ours did it)`.
    pub(crate) fn user_changes(&self) -> BTreeMap<String, Vec<(String, bool)>> {
        let mut changes: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
        for change in self.transitions("user") {
            let by_us = change.request.is_some();
            changes
                .entry(change.id)
                .or_default()
                .push((change.to, by_us));
        }
        changes
    }

    pub(crate) fn transitions(&self, object: &str) -> Vec<Transition> {
        let all = self.sandbox.transitions().into_iter();
        all.filter(|change| change.object == object).collect()
    }

    /// How many tickets the receiver was made to open.
    pub(crate) fn tickets_opened(&self) -> usize {
        let tickets = self.transitions("ticket").into_iter();
        tickets
            .filter(|change| change.vendor == Vendor::Webhook && change.from.is_empty())
            .count()
    }

    pub(crate) fn assert_no_violations(&self) {
        let violations = self.sandbox.violations();
        assert!(violations.is_empty(), "{violations:?}");
    }

    fn write(&self) {
        let text = serde_json::to_string_pretty(&self.config).unwrap();
        std::fs::write(self.path(), text).unwrap();
    }
}

/// The machine's context on another clock.
pub(crate) fn context(clock: Arc<OffsetClock>) -> Context {
    let (mut context, _) = protect_connectors::context().unwrap();
    context.clock = clock;
    context
}

/// An engine over the configuration at `path` in which one person makes one incident.
pub(crate) async fn open(path: &Path, context: Context) -> Engine {
    let store = SqliteOptions::new(path.with_file_name("protect.db"));
    open_with(path, context, store).await.unwrap()
}

/// The same over a store of one's own.
pub(crate) async fn open_with(
    path: &Path,
    context: Context,
    store: SqliteOptions,
) -> Result<Engine> {
    let registry = protect_connectors::registry();
    let config = Config::load(path, &registry)?;
    let store = SqliteStore::open(store).await?;
    Engine::builder(config, registry, context)
        .lease(LEASE)
        .many_subjects(1_000_000)
        .build(Arc::new(store))
}

pub(crate) fn alice() -> Actor {
    Actor::unverified("alice")
}

pub(crate) fn bob() -> Actor {
    Actor::unverified("bob")
}

/// Every intent, whatever became of it.
pub(crate) async fn intents(engine: &Engine) -> Vec<Intent> {
    let tenant = engine.tenant("acme").unwrap();
    let mut query = Query::all(RecordKind::Intent).limit(500);
    let mut intents = Vec::new();
    loop {
        let page = engine.store().query(tenant.id(), query.clone());
        let page = page.await.unwrap();
        intents.extend(page.records.iter().map(|r| r.read::<Intent>().unwrap()));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return intents,
        }
    }
}

/// The ledger as exported, and what verifying the exported file alone says.
pub(crate) async fn exported(engine: &Engine) -> (Vec<EvidenceEntry>, VerifyReport) {
    let tenant = engine.tenant("acme").unwrap();
    let mut file = Vec::new();
    export(&**engine.store(), tenant.id(), &mut file)
        .await
        .unwrap();
    let report = verify(file.as_slice(), None, None).unwrap();
    let lines = file.split(|byte| *byte == b'\n');
    let entries = lines
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    (entries, report)
}

/// A configuration of every kind there is, each secret in a file of its own.
fn config(sandbox: &Sandbox, folder: &Path) -> Value {
    let credentials = sandbox.credentials();
    let secret = |name: &str, value: &str| {
        let file = folder.join(name);
        std::fs::write(&file, value).unwrap();
        json!({ "file": file })
    };
    let key = LedgerKey::generate(&SeededRandom::new(1)).to_pem().unwrap();
    json!({
        "mode": "enforce",
        "store": { "kind": "sqlite", "path": folder.join("protect.db") },
        "ledger": { "key": secret("ledger.key", key.expose_secret()) },
        "connections": {
            "hibp": {
                "kind": "hibp",
                "endpoints": {
                    "api": sandbox.hibp_api_url(), "passwords": sandbox.hibp_passwords_url(),
                },
                "scan": { "api_key": secret("hibp.key", &credentials.hibp_api_key) },
                "tenants": ["*"],
            },
            "acme-passwords": {
                "kind": "onepassword",
                "endpoints": {
                    "api": sandbox.onepassword_api_url(),
                    "events": sandbox.onepassword_events_url(),
                },
                "scan": {
                    "client_id": credentials.scan_client_id,
                    "client_secret": secret("scan.secret", &credentials.scan_client_secret),
                    "events_token": secret("events.token", &credentials.events_token),
                },
                "respond": {
                    "client_id": credentials.respond_client_id,
                    "client_secret": secret("respond.secret", &credentials.respond_client_secret),
                },
                "tenants": ["acme"],
            },
            "acme-desk": {
                "kind": "webhook",
                "endpoints": { "url": sandbox.webhook_url() },
                "respond": { "signing_secret": secret("webhook.secret", &credentials.webhook_secret) },
                "tenants": ["acme"],
            },
        },
        "tenants": { "acme": {
            "name": "Acme GmbH",
            "domains": ["acme.example"],
            "monitor": { "domains": true, "directories": ["passwords"] },
            "connectors": {
                "breaches": { "connection": "hibp" },
                "passwords": {
                    "connection": "acme-passwords", "account_id": credentials.account_id,
                },
                "desk": { "connection": "acme-desk" },
            },
            "rules": [
                {
                    "name": "leaked password",
                    "when": { "kind": "credential_exposure", "severity": ">=high" },
                    "then": ["suspend_account", { "action": "open_ticket", "template": "dark_web_alert" }],
                },
                {
                    "name": "suspicious sign-in",
                    "when": { "kind": "suspicious_sign_in", "severity": ">=high" },
                    "then": ["suspend_account", "open_ticket"],
                },
            ],
        }},
    })
}

/// Every receiver beside the webhook, and what acts beside 1Password: `(name, connection, connector)`.
fn receivers(sandbox: &Sandbox, folder: &Path) -> Vec<(&'static str, Value, Value)> {
    let own = sandbox.credentials();
    let organisation = &own.one_stack[0];
    let secret = |name: &str, value: &str| {
        let file = folder.join(name);
        std::fs::write(&file, value).unwrap();
        json!({ "file": file })
    };
    let connection = |kind: &str, endpoints: Value, respond: Value| json!({ "kind": kind, "endpoints": endpoints, "respond": respond, "tenants": ["acme"] });
    let products = [
        "psa",
        "security",
        "oncall",
        "bus",
        "compliance",
        "rmm",
        "hub",
    ];
    let mut all: Vec<_> = products
        .into_iter()
        .map(|kind| {
            let (form, key) = match kind {
                "psa" | "security" => ("api_key", &organisation.api_key),
                _ => ("integration_key", &organisation.integration_key),
            };
            let respond = json!({ form: secret(&format!("{kind}.key"), key) });
            let api = json!({ "api": sandbox.one_stack_url(kind) });
            let mut connector = json!({ "organisation_id": organisation.id });
            if matches!(kind, "rmm" | "hub") {
                connector["owners"] = json!([]);
            }
            (kind, connection(kind, api, respond), connector)
        })
        .collect();
    let mail = json!({
        "username": own.smtp_username, "password": secret("smtp.password", &own.smtp_password),
    });
    let slack = json!({ "webhook_url": secret("slack.url", &own.slack_webhook_url) });
    let stripe = json!({ "secret_key": secret("stripe.key", &own.stripe_restricted_key) });
    let mut people = connection(
        "scim",
        json!({ "base": sandbox.scim_url() }),
        json!({ "token": secret("scim.respond", &own.scim_respond_token) }),
    );
    people["scan"] = json!({ "token": secret("scim.scan", &own.scim_scan_token) });
    let mut chat = connection("notify", json!({}), slack);
    chat["format"] = "slack".into();
    all.extend([
        ("slack", chat, json!({})),
        (
            "mail",
            connection("notify", json!({ "smtp": sandbox.smtp_url() }), mail),
            json!({ "to": ["soc@acme.example"] }),
        ),
        (
            "stripe",
            connection("stripe", json!({ "api": sandbox.stripe_api_url() }), stripe),
            json!({ "customer_id": own.stripe_customer_id }),
        ),
        ("people", people, json!({})),
    ]);
    all
}
