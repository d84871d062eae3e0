//! An engine over the memory store, a clock that the test turns, and connectors that follow a
//! script.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

use crate::clock::Clock;
use crate::config::{
    ApprovalConfig, BrandingConfig, ClientViewConfig, Config, ConnectorConfig, GuardConfig,
    LedgerConfig, MonitorConfig, StoreConfig, TenantConfig,
};
use crate::connector::{
    Capability, Connector, ConnectorInfo, Cursor, Detection, Diagnosis, Directory, DirectoryPage,
    Evaluated, OpContext, ScanPage, ScanRequest, Scanner,
};
use crate::context::{Context, Random};
use crate::dns::{DnsAnswer, DnsLookup, RecordType};
use crate::engine::{Engine, Tenant};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{HttpError, HttpErrorKind, HttpTransport, RateLimits};
use crate::model::{
    Account, AccountRef, AccountState, Address, Attributes, CheckId, Confidence, ConnectorName,
    EvidenceEntry, Finding, FindingKind, Mode, Observation, Severity, Signal, Subject, TenantId,
};
use crate::registry::Registry;
use crate::secret::{SecretRef, SecretResolver, SecretString};
use crate::store::{MemoryStore, Query, RecordKind, Store};

/// 2026-11-23, noon.
pub(super) const NOON: i64 = 1_795_435_200;

/// A clock that stands still until it is turned.
#[derive(Debug)]
pub(super) struct TurnedClock {
    now: tokio::sync::watch::Sender<(Timestamp, Duration)>,
}

impl TurnedClock {
    fn new() -> Self {
        let noon = Timestamp::from_second(NOON).unwrap();
        Self {
            now: tokio::sync::watch::Sender::new((noon, Duration::ZERO)),
        }
    }

    pub(super) fn advance(&self, by: Duration) {
        self.now.send_modify(|(wall, monotonic)| {
            *wall = crate::clock::later(*wall, by);
            *monotonic += by;
        });
    }

    pub(super) fn set_back(&self, by: Duration) {
        self.now
            .send_modify(|(wall, _)| *wall = wall.checked_sub(by).unwrap());
    }
}

#[async_trait]
impl Clock for TurnedClock {
    fn now(&self) -> Timestamp {
        self.now.borrow().0
    }

    fn monotonic(&self) -> Duration {
        self.now.borrow().1
    }

    async fn sleep(&self, wait: Duration) {
        let end = self.monotonic() + wait;
        let mut now = self.now.subscribe();
        now.wait_for(|(_, monotonic)| *monotonic >= end)
            .await
            .unwrap();
    }
}

/// What a scanner is to answer next.
pub(super) enum Answer {
    Page(Box<ScanPage>),
    Fails(Error),
    /// Never comes.
    Hangs,
}

/// A question a scanner was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) cursor: Option<String>,
    pub(super) starts_run: bool,
    pub(super) watched: usize,
    pub(super) remembered: BTreeMap<String, serde_json::Value>,
}

/// Makes an answer of a cursor.
pub(super) type Improvise = Box<dyn FnMut(Option<&str>) -> Answer + Send>;

/// What one connector does.
#[derive(Default)]
pub(super) struct Script {
    pub(super) answers: VecDeque<Answer>,
    pub(super) asked: Vec<Asked>,
    pub(super) directory: Option<Vec<Account>>,
    pub(super) directory_error: bool,
    pub(super) page_size: usize,
    /// What the directory says of changes, where it does; and from where on it was asked.
    pub(super) changes: Option<VecDeque<Option<DirectoryPage>>>,
    pub(super) followed: Vec<String>,
    pub(super) every: Option<u64>,
    /// Answers, by cursor, once the list is used up.
    pub(super) otherwise: Option<Improvise>,
}

pub(super) type Shared = Arc<Mutex<Script>>;

struct Scripted {
    info: ConnectorInfo,
    script: Shared,
    detections: Vec<Box<dyn Detection>>,
    has_directory: bool,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripted").finish_non_exhaustive()
    }
}

#[async_trait]
impl Connector for Scripted {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability {
            scan_every_seconds: self.script.lock().unwrap().every,
            ..Capability::default()
        }
    }

    async fn diagnose(&self, _: &OpContext) -> Result<Diagnosis> {
        Ok(Diagnosis::default())
    }

    fn as_scanner(&self) -> Option<&dyn Scanner> {
        Some(self)
    }

    fn as_directory(&self) -> Option<&dyn Directory> {
        self.has_directory.then_some(self as &dyn Directory)
    }

    fn detections(&self) -> &[Box<dyn Detection>] {
        &self.detections
    }
}

#[async_trait]
impl Scanner for Scripted {
    async fn scan(&self, _: &OpContext, request: ScanRequest<'_>) -> Result<ScanPage> {
        let keys = ["a".to_owned(), "b".to_owned()];
        let asked = Asked {
            cursor: request.cursor.map(|cursor| cursor.0.clone()),
            starts_run: request.starts_run,
            watched: request.watched.addresses.len(),
            remembered: request.state.get(&keys).await?,
        };
        let answer = {
            let mut script = self.script.lock().unwrap();
            script.asked.push(asked);
            let next = script.answers.pop_front();
            let cursor = request.cursor.map(|cursor| cursor.0.as_str());
            next.or_else(|| script.otherwise.as_mut().map(|answer| answer(cursor)))
        };
        match answer {
            Some(Answer::Page(page)) => Ok(*page),
            Some(Answer::Fails(error)) => Err(error),
            Some(Answer::Hangs) => std::future::pending().await,
            None => Ok(ScanPage::default()),
        }
    }
}

#[async_trait]
impl Directory for Scripted {
    async fn list(&self, _: &OpContext, cursor: Option<&Cursor>) -> Result<DirectoryPage> {
        let script = self.script.lock().unwrap();
        if script.directory_error {
            return Err(away());
        }
        let start: usize = cursor.map_or(0, |cursor| cursor.0.parse().unwrap());
        let accounts = script.directory.clone().unwrap_or_default();
        let size = script.page_size.max(1);
        let end = (start + size).min(accounts.len());
        Ok(DirectoryPage {
            accounts: accounts[start..end].to_vec(),
            rejected: Vec::new(),
            cursor: (end < accounts.len()).then(|| Cursor(end.to_string())),
            changes_from: (end >= accounts.len())
                .then(|| script.changes.as_ref().map(|_| Cursor("0".to_owned())))
                .flatten(),
            ..DirectoryPage::default()
        })
    }

    async fn changes(&self, _: &OpContext, since: &Cursor) -> Result<Option<DirectoryPage>> {
        let mut script = self.script.lock().unwrap();
        script.followed.push(since.0.clone());
        let told = script.changes.as_mut().map(VecDeque::pop_front);
        Ok(told.flatten().flatten())
    }

    async fn get(&self, _: &OpContext, _: &str) -> Result<Option<Account>> {
        Ok(None)
    }
}

/// A world for one test: the tenant `acme` with the connectors it names.
pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) acme: Tenant,
    pub(super) clock: Arc<TurnedClock>,
    pub(super) scripts: BTreeMap<String, Shared>,
}

pub(super) type MakeDetections = fn() -> Vec<Box<dyn Detection>>;

/// How a world differs from the usual one.
pub(super) struct Build {
    pub(super) connectors: Vec<&'static str>,
    pub(super) directories: Vec<&'static str>,
    pub(super) monitor: MonitorConfig,
    pub(super) detections: MakeDetections,
    pub(super) many_subjects: usize,
    pub(super) store: Arc<dyn Store>,
}

impl Default for Build {
    fn default() -> Self {
        Self {
            connectors: vec!["breaches"],
            directories: Vec::new(),
            monitor: MonitorConfig::default(),
            detections: Vec::new,
            many_subjects: 10,
            store: Arc::new(MemoryStore::new()),
        }
    }
}

impl Build {
    pub(super) fn world(self) -> World {
        let clock = Arc::new(TurnedClock::new());
        let names: Vec<&str> = [&self.connectors[..], &self.directories[..]].concat();
        let scripts: BTreeMap<String, Shared> = names
            .iter()
            .map(|name| ((*name).to_owned(), Shared::default()))
            .collect();
        let mut registry = Registry::new();
        for (kind, has_directory) in [("script", false), ("vault", true)] {
            let scripts = scripts.clone();
            let detections = self.detections;
            registry.register(kind, move |setup, _: &Context| {
                let script = Arc::clone(&scripts[setup.info.name.as_str()]);
                Ok(Arc::new(Scripted {
                    info: setup.info,
                    script,
                    detections: detections(),
                    has_directory,
                }) as Arc<dyn Connector>)
            });
        }
        let connectors = names.iter().map(|name| {
            let kind = if self.directories.contains(name) {
                "vault"
            } else {
                "script"
            };
            let config = ConnectorConfig {
                kind: kind.to_owned(),
                connection: None,
                settings: serde_json::Map::new(),
            };
            (connector(name), config)
        });
        let tenant = TenantConfig {
            name: "Acme".to_owned(),
            domains: vec!["acme.example".to_owned()],
            protected: Vec::new(),
            monitor: self.monitor,
            route: BTreeMap::new(),
            connectors: connectors.collect(),
            rules: Vec::new(),
            approval: ApprovalConfig::default(),
            guard: GuardConfig::default(),
            people: crate::config::PeopleConfig::default(),
            client_view: ClientViewConfig::default(),
            branding: BrandingConfig::default(),
        };
        let config = Config {
            mode: Mode::DryRun,
            store: StoreConfig::Memory,
            ledger: LedgerConfig::default(),
            key_vault: None,
            connections: BTreeMap::new(),
            tenants: BTreeMap::from([(TenantId::new("acme").unwrap(), tenant)]),
        };
        let context = Context {
            transport: Arc::new(Nothing),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            dns: Arc::new(Nothing),
            secrets: Arc::new(Nothing),
            random: Arc::new(Nothing),
            limits: Arc::new(RateLimits::default()),
            user_agent: "test/0".to_owned(),
        };
        let engine = Engine::builder(config, registry, context)
            .many_subjects(self.many_subjects)
            .build(self.store)
            .unwrap();
        World {
            acme: engine.tenant("acme").unwrap(),
            engine,
            clock,
            scripts,
        }
    }
}

impl World {
    pub(super) fn new() -> Self {
        Build::default().world()
    }

    pub(super) fn script(&self, name: &str) -> &Shared {
        &self.scripts[name]
    }

    /// What the connector `breaches` answers next.
    pub(super) fn answers(&self, answers: impl IntoIterator<Item = Answer>) -> &Self {
        self.answers_of("breaches", answers)
    }

    pub(super) fn answers_of(
        &self,
        name: &str,
        answers: impl IntoIterator<Item = Answer>,
    ) -> &Self {
        self.script(name).lock().unwrap().answers.extend(answers);
        self
    }

    pub(super) fn asked(&self, name: &str) -> Vec<Asked> {
        self.script(name).lock().unwrap().asked.clone()
    }

    pub(super) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(super) async fn stored(&self) -> Vec<Finding> {
        let query = Query::all(RecordKind::Finding);
        let found = self.acme.read_all::<Finding>(query).await.unwrap();
        found.into_iter().map(|found| found.value).collect()
    }

    /// The one finding there is of the usual check.
    pub(super) async fn only(&self) -> Finding {
        let mut found = self.stored().await;
        found.retain(|finding| finding.observation.check == check());
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    pub(super) async fn ledger(&self) -> Vec<EvidenceEntry> {
        let query = Query::ledger().limit(10_000);
        let page = self.engine.store().query(self.acme.id(), query).await;
        page.unwrap().entries
    }
}

pub(super) fn connector(name: &str) -> ConnectorName {
    ConnectorName::new(name).unwrap()
}

pub(super) fn check() -> CheckId {
    CheckId::new("hibp.exposure.breach").unwrap()
}

pub(super) fn address(local: &str) -> Address {
    Address::new(format!("{local}@acme.example")).unwrap()
}

/// `local` was in the breach `what`.
pub(super) fn exposed(local: &str, what: &str) -> Observation {
    Observation {
        check: check(),
        kind: FindingKind::CredentialExposure,
        subject: Subject::address(&address(local)),
        discriminator: what.to_owned(),
        cause: Some(format!("breach:{what}")),
        severity: Severity::High,
        confidence: Confidence::High,
        title: format!("A password was in {what}"),
        reasons: Vec::new(),
        attribution: None,
        references: Vec::new(),
        details: Attributes::new(),
        from_event: false,
    }
}

pub(super) fn covers(local: &str) -> Evaluated {
    Evaluated {
        check: check(),
        subject: Some(Subject::address(&address(local))),
    }
}

pub(super) fn covers_everything() -> Evaluated {
    Evaluated {
        check: check(),
        subject: None,
    }
}

/// The last page of a run.
pub(super) fn last(observations: Vec<Observation>, evaluated: Vec<Evaluated>) -> Answer {
    Answer::Page(Box::new(ScanPage {
        observations,
        evaluated,
        ..ScanPage::default()
    }))
}

/// A page with more behind it.
pub(super) fn page(
    cursor: &str,
    observations: Vec<Observation>,
    evaluated: Vec<Evaluated>,
) -> Answer {
    Answer::Page(Box::new(ScanPage {
        observations,
        evaluated,
        cursor: Some(Cursor(cursor.to_owned())),
        more: true,
        ..ScanPage::default()
    }))
}

pub(super) fn signals(signals: Vec<Signal>) -> Answer {
    Answer::Page(Box::new(ScanPage {
        signals,
        ..ScanPage::default()
    }))
}

/// The vendor is away for a while.
pub(super) fn away() -> Error {
    Error::new(ErrorKind::Unavailable, "nobody answers").temporary()
}

pub(super) fn account(connector_name: &str, id: &str, address: Option<&str>) -> Account {
    Account {
        reference: AccountRef {
            connector: connector(connector_name),
            id: id.to_owned(),
        },
        provider: "vault".to_owned(),
        address: address.map(|address| Address::new(address).unwrap()),
        display_name: format!("Person {id}"),
        state: AccountState::Active,
        privileged: None,
        protection: None,
        created_at: None,
        attributes: Attributes::new(),
    }
}

/// Nothing is asked for outside, and there is no chance.
#[derive(Debug)]
struct Nothing;

#[async_trait]
impl HttpTransport for Nothing {
    async fn send(
        &self,
        _: http::Request<Bytes>,
    ) -> std::result::Result<http::Response<Bytes>, HttpError> {
        Err(HttpError::new(HttpErrorKind::Connect, "no network"))
    }
}

#[async_trait]
impl DnsLookup for Nothing {
    async fn query(&self, _: &str, _: RecordType) -> DnsAnswer {
        DnsAnswer::NoName
    }
}

#[async_trait]
impl SecretResolver for Nothing {
    async fn resolve(&self, _: &SecretRef) -> Result<SecretString> {
        Err(Error::config("secret", "no secrets here"))
    }
}

impl Random for Nothing {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}
