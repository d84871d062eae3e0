use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::config::{Config, KindSpec, SettingSpec, SettingType};
use crate::connector::{
    Applied, AppliedStatus, Capability, Connector, ConnectorInfo, Cursor, Delivered, Delivery,
    Diagnosis, Directory, DirectoryPage, OpContext, Probe, Remediator, Sink,
};
use crate::engine::records::{put_finding, put_incident};
use crate::engine::{Engine, Tenant};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Account, AccountRef, AccountState, Action, ActionId, ActionKind, ActionTarget, Actor, Address,
    Attributes, Confidence, EffectClass, EvidenceEntry, Finding, FindingId, FindingKind,
    FindingStatus, Incident, IncidentId, IncidentStatus, Observation, Preview, Protection,
    Severity, Subject, TenantId,
};
use crate::registry::Registry;
use crate::store::{
    Claim, Claimed, Commit, Committed, Expect, MemoryStore, Page, Put, Query, RecordKind, Store,
};
use crate::testing::ManualClock;

/// A tenant with ten active accounts at one vendor that is directory, remediator and sink.
pub(super) struct Fixture {
    pub(super) tenant: Tenant,
    pub(super) vendor: Arc<Vendor>,
    pub(super) clock: Arc<ManualClock>,
}

/// The rule most tests have: suspend and open a ticket for a leaked credential.
pub(super) const RULE: &str = r#"
[[tenants.acme.rules]]
name = "leaked"
when = { kind = "credential_exposure", severity = ">=high" }
then = ["suspend_account", "open_ticket"]
"#;

impl Fixture {
    pub(super) async fn new(rules: &str) -> Self {
        Self::with("enforce", "", rules).await
    }

    /// `tenant` adds keys to `[tenants.acme]`.
    pub(super) async fn with(mode: &str, tenant: &str, rules: &str) -> Self {
        let vendor = Arc::new(Vendor::default());
        let mut registry = Registry::new();
        let made = Arc::clone(&vendor);
        let to = SettingSpec::new("to", SettingType::TextList, "");
        let spec = KindSpec::new("fake", "").action_parameter(ActionKind::Notify, to);
        registry.register(spec, move |setup, _| Ok(made.connector(setup.info)));
        let text = format!(
            "mode = \"{mode}\"\n[tenants.acme]\nname = \"Acme\"\ndomains = [\"acme.example\"]\n{tenant}\n\
             [tenants.acme.connectors.fake]\nkind = \"fake\"\n{rules}"
        );
        let config = Config::from_toml(&text, &registry).unwrap();
        let outside = crate::testing::context();
        let (context, clock) = (outside.context, outside.clock);
        let engine = Engine::builder(config, registry, context)
            .build(Arc::new(TakesTurns(MemoryStore::new())))
            .unwrap();
        let fixture = Self {
            tenant: engine.tenant("acme").unwrap(),
            vendor,
            clock,
        };
        for number in 0..10 {
            fixture.add_account(number).await;
        }
        fixture
    }

    pub(super) async fn add_account(&self, number: u32) {
        let id = account_id(number);
        self.vendor.with(|state| {
            state.active.insert(id.clone());
            state.known.insert(id.clone());
        });
        let account = self.vendor.account(&id);
        let key = format!("fake/{id}");
        let put = Put::new(RecordKind::Account, key, &account).unwrap();
        self.commit(Commit::default().put(put)).await;
    }

    /// An open incident with one finding about an account's address.
    pub(super) async fn incident(&self, number: u32, generation: u32) -> IncidentId {
        let cause = format!("person:{number}");
        let finding = self.finding(&format!("Breach{generation}"), number);
        let incident = Incident {
            id: IncidentId::of(self.tenant.id(), &cause, generation),
            tenant: self.tenant.id().clone(),
            cause,
            generation,
            title: "A leaked password".to_owned(),
            kind: FindingKind::CredentialExposure,
            severity: Severity::Critical,
            status: IncidentStatus::New,
            person: None,
            findings: vec![finding.id.clone()],
            opened_at: self.tenant.now(),
            updated_at: self.tenant.now(),
        };
        let commit = Commit::default()
            .put(put_finding(&finding, Expect::Anything).unwrap())
            .put(put_incident(&incident, Expect::Anything).unwrap());
        self.commit(commit).await;
        incident.id
    }

    /// One more finding joins an incident.
    pub(super) async fn join(&self, incident: &IncidentId, number: u32, breach: &str) {
        let finding = self.finding(breach, number);
        let mut incident = self.read_incident(incident).await;
        incident.findings.push(finding.id.clone());
        incident.status = IncidentStatus::Open;
        let commit = Commit::default()
            .put(put_finding(&finding, Expect::Anything).unwrap())
            .put(put_incident(&incident, Expect::Anything).unwrap());
        self.commit(commit).await;
    }

    pub(super) async fn read_incident(&self, id: &IncidentId) -> Incident {
        let read = self
            .tenant
            .read(RecordKind::Incident, id.as_str())
            .await
            .unwrap();
        read.unwrap().value
    }

    pub(super) async fn ledger(&self) -> Vec<EvidenceEntry> {
        let query = Query::ledger().limit(10_000);
        self.tenant
            .store()
            .query(self.tenant.id(), query)
            .await
            .unwrap()
            .entries
    }

    /// Plans, approves as alice and applies; what came of each action.
    pub(super) async fn walk(&self) -> Vec<super::super::Step> {
        let plan = self.tenant.plan().await.unwrap();
        let approved = self.tenant.approve(plan, &alice()).await.unwrap();
        self.tenant.apply(approved).await.unwrap()
    }

    async fn commit(&self, commit: Commit) {
        self.tenant
            .store()
            .commit(self.tenant.id(), commit)
            .await
            .unwrap();
    }

    fn finding(&self, breach: &str, number: u32) -> Finding {
        let subject = Subject::address(&address(number));
        let check = "hibp.exposure.breach".parse().unwrap();
        Finding {
            id: FindingId::of(self.tenant.id(), &check, &subject, breach),
            tenant: self.tenant.id().clone(),
            source: "fake".parse().unwrap(),
            observation: Observation {
                check,
                kind: FindingKind::CredentialExposure,
                subject,
                discriminator: breach.to_owned(),
                cause: None,
                severity: Severity::Critical,
                confidence: Confidence::High,
                title: "A leaked password".to_owned(),
                reasons: Vec::new(),
                attribution: None,
                references: Vec::new(),
                details: Attributes::new(),
                from_event: false,
            },
            status: FindingStatus::New,
            baseline: false,
            occurrence: 1,
            first_seen: self.tenant.now(),
            last_seen: self.tenant.now(),
            resolved_at: None,
            acceptance: None,
            incident: None,
        }
    }
}

/// A store in memory that lets others go on before it answers, as one on a disk does: what was read may
/// be old by the time something is written.
#[derive(Debug)]
struct TakesTurns(MemoryStore);

#[async_trait]
impl Store for TakesTurns {
    async fn commit(&self, tenant: &TenantId, commit: Commit) -> Result<Committed> {
        tokio::task::yield_now().await;
        self.0.commit(tenant, commit).await
    }

    async fn query(&self, tenant: &TenantId, query: Query) -> Result<Page> {
        let page = self.0.query(tenant, query).await;
        tokio::task::yield_now().await;
        page
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>> {
        tokio::task::yield_now().await;
        self.0.claim(claim).await
    }
}

pub(super) fn alice() -> Actor {
    Actor::unverified("alice")
}

pub(super) fn account_id(number: u32) -> String {
    format!("U{number:03}")
}

pub(super) fn address(number: u32) -> Address {
    Address::new(format!("user{number}@acme.example")).unwrap()
}

/// What the vendor does instead of what it should.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Fault {
    #[default]
    None,
    /// Answers an error and changes nothing.
    Down,
    /// Changes the account and loses the answer.
    AnswerLost,
    /// As `AnswerLost`, and cannot be asked afterwards.
    AnswerLostAndSilent,
    /// Says no for good.
    Denied,
}

#[derive(Debug, Default)]
pub(super) struct Vendor(Mutex<VendorState>);

#[derive(Debug, Default)]
pub(super) struct VendorState {
    pub(super) active: BTreeSet<String>,
    /// Every account, active or not.
    pub(super) known: BTreeSet<String>,
    /// Whether the directory answers.
    pub(super) silent: bool,
    pub(super) protected: BTreeMap<String, Protection>,
    pub(super) fault: Fault,
    /// State transitions: `suspend U001`, `ticket`, `note`.
    pub(super) journal: Vec<String>,
    /// Which messages arrived, in order.
    pub(super) delivered: Vec<ActionId>,
    /// Accounts that are being changed, the most that ever were, and whether one was twice.
    at_work: BTreeSet<String>,
    pub(super) most_at_work: usize,
    pub(super) twice_at_work: bool,
    /// So many are answered at the same moment, where it is not zero.
    pub(super) together: usize,
    /// This account's change ends only once so many messages have arrived.
    pub(super) slow: Option<(String, usize)>,
    open_tickets: BTreeMap<String, String>,
}

impl VendorState {
    fn is_slow(&self, id: &str) -> bool {
        let slow = self.slow.as_ref();
        slow.is_some_and(|(slow, messages)| slow == id && self.delivered.len() < *messages)
    }
}

impl Vendor {
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut VendorState) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    /// An answer takes a while, in which others may be asked for.
    async fn takes_a_while(&self, id: &str) {
        self.with(|state| {
            state.twice_at_work |= !state.at_work.insert(id.to_owned());
            state.most_at_work = state.most_at_work.max(state.at_work.len());
        });
        for _ in 0..200 {
            tokio::task::yield_now().await;
            if self.with(|state| state.most_at_work == state.together) {
                break;
            }
        }
        for _ in 0..100_000 {
            if !self.with(|state| state.is_slow(id)) {
                break;
            }
            tokio::task::yield_now().await;
        }
        self.with(|state| state.at_work.remove(id));
    }

    pub(super) fn journal(&self) -> Vec<String> {
        self.with(|state| state.journal.clone())
    }

    /// The vendor as a tenant's connector.
    pub(super) fn connector(self: &Arc<Self>, info: ConnectorInfo) -> Arc<dyn Connector> {
        let vendor = Arc::clone(self);
        Arc::new(FakeConnector { info, vendor })
    }

    fn account(&self, id: &str) -> Account {
        let active = self.with(|state| state.active.contains(id));
        let number = id.trim_start_matches('U').parse().unwrap();
        Account {
            reference: AccountRef {
                connector: "fake".parse().unwrap(),
                id: id.to_owned(),
            },
            provider: "fake".to_owned(),
            address: Some(address(number)),
            display_name: id.to_owned(),
            state: if active {
                AccountState::Active
            } else {
                AccountState::Suspended
            },
            privileged: Some(false),
            protection: None,
            created_at: None::<Timestamp>,
            attributes: Attributes::new(),
        }
    }
}

#[derive(Debug)]
struct FakeConnector {
    info: ConnectorInfo,
    vendor: Arc<Vendor>,
}

#[async_trait]
impl Connector for FakeConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability {
            actions: [
                (ActionKind::SuspendAccount, EffectClass::StateIdempotent),
                (ActionKind::ReactivateAccount, EffectClass::StateIdempotent),
                (ActionKind::ForcePasswordReset, EffectClass::NonIdempotent),
                (ActionKind::OpenTicket, EffectClass::SearchBeforeCreate),
                (ActionKind::EmitEvent, EffectClass::KeyIdempotent),
                (ActionKind::Notify, EffectClass::NonIdempotent),
            ]
            .into(),
            ..Capability::default()
        }
    }

    async fn diagnose(&self, _: &OpContext) -> Result<Diagnosis> {
        Ok(Diagnosis::default())
    }

    fn as_directory(&self) -> Option<&dyn Directory> {
        Some(self)
    }

    fn as_remediator(&self) -> Option<&dyn Remediator> {
        Some(self)
    }

    fn as_sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }
}

#[async_trait]
impl Directory for FakeConnector {
    async fn list(&self, _: &OpContext, _: Option<&Cursor>) -> Result<DirectoryPage> {
        if self.vendor.with(|state| state.silent) {
            return Err(Error::new(ErrorKind::Unavailable, "the vendor is down").temporary());
        }
        let known = self.vendor.with(|state| state.known.clone());
        Ok(DirectoryPage {
            accounts: known.iter().map(|id| self.vendor.account(id)).collect(),
            ..DirectoryPage::default()
        })
    }

    async fn get(&self, _: &OpContext, id: &str) -> Result<Option<Account>> {
        let known = self.vendor.with(|state| state.active.contains(id));
        let mut account = None;
        if known || id.starts_with('U') {
            account = Some(Account {
                reference: AccountRef {
                    connector: self.info.name.clone(),
                    id: id.to_owned(),
                },
                provider: "fake".to_owned(),
                address: None,
                display_name: String::new(),
                state: AccountState::Active,
                privileged: None,
                protection: None,
                created_at: None,
                attributes: Attributes::new(),
            });
        }
        Ok(account)
    }
}

impl FakeConnector {
    fn state(&self, action: &Action) -> (String, bool) {
        let ActionTarget::Account(account) = &action.target else {
            return (String::new(), false);
        };
        let active = self.vendor.with(|state| state.active.contains(&account.id));
        (account.id.clone(), active)
    }
}

fn attributes(active: bool) -> Attributes {
    let mut attributes = Attributes::new();
    let state = if active { "active" } else { "suspended" };
    attributes.insert("state".to_owned(), state.into());
    attributes
}

fn goal(kind: ActionKind) -> bool {
    kind == ActionKind::ReactivateAccount
}

#[async_trait]
impl Remediator for FakeConnector {
    async fn preview(&self, _: &OpContext, action: &Action) -> Result<Preview> {
        let (id, active) = self.state(action);
        Ok(Preview {
            before: attributes(active),
            after: attributes(goal(action.kind)),
            already_so: active == goal(action.kind)
                && action.kind != ActionKind::ForcePasswordReset,
            protection: self.vendor.with(|state| state.protected.get(&id).copied()),
        })
    }

    async fn apply(&self, _: &OpContext, action: &Action) -> Result<Applied> {
        let (id, before) = self.state(action);
        self.vendor.takes_a_while(&id).await;
        let after = goal(action.kind);
        let applied = Applied {
            status: if before == after {
                AppliedStatus::AlreadySo
            } else {
                AppliedStatus::Applied
            },
            reason: String::new(),
            before: attributes(before),
            after: attributes(after),
        };
        let down = || Error::new(ErrorKind::Unavailable, "the vendor is down").temporary();
        self.vendor.with(|state| {
            if state.fault == Fault::Down {
                return Err(down());
            }
            if state.fault == Fault::Denied {
                return Err(Error::new(
                    ErrorKind::PermissionDenied,
                    "the vendor says no",
                ));
            }
            if before != after {
                let word = if after { "reactivate" } else { "suspend" };
                state.journal.push(format!("{word} {id}"));
                if after {
                    state.active.insert(id);
                } else {
                    state.active.remove(&id);
                }
            }
            match state.fault {
                Fault::None => Ok(applied),
                _ => Err(down()),
            }
        })
    }

    async fn probe(&self, _: &OpContext, action: &Action) -> Result<Probe> {
        let (_, active) = self.state(action);
        if self
            .vendor
            .with(|state| state.fault == Fault::AnswerLostAndSilent)
        {
            return Err(Error::new(ErrorKind::Unavailable, "the vendor is down").temporary());
        }
        Ok(if active == goal(action.kind) {
            Probe::Happened(attributes(active))
        } else {
            Probe::DidNotHappen(attributes(active))
        })
    }
}

#[async_trait]
impl Sink for FakeConnector {
    async fn deliver(&self, _: &OpContext, delivery: &Delivery) -> Result<Delivered> {
        self.vendor.with(|state| {
            if state.fault == Fault::Down {
                let down = Error::new(ErrorKind::Unavailable, "the sink is down").temporary();
                return Err(down.untouched());
            }
            state.delivered.push(delivery.action_id.clone());
            if delivery.kind == ActionKind::EmitEvent {
                let findings = delivery.data["findings"].as_array().map_or(0, Vec::len);
                state.journal.push(format!("event about {findings}"));
                let id = delivery.action_id.to_string();
                return Ok(Delivered { id, status: None });
            }
            let id = delivery.note_to.clone().unwrap_or_else(|| "T1".to_owned());
            let word = match delivery.kind {
                ActionKind::Notify => "notice",
                _ if delivery.note_to.is_some() => "note",
                _ => "ticket",
            };
            let to = delivery.data.get("to").and_then(|to| to.as_array());
            let to = to.map(|to| to.iter().filter_map(|it| it.as_str()).collect::<Vec<_>>());
            state.journal.push(match to {
                Some(to) => format!("{word} to {}", to.join(", ")),
                None => word.to_owned(),
            });
            state
                .open_tickets
                .insert(delivery.source_reference.clone(), id.clone());
            if state.fault == Fault::AnswerLost {
                return Err(Error::new(ErrorKind::Timeout, "no answer").temporary());
            }
            Ok(Delivered { id, status: None })
        })
    }

    fn declines(&self, delivery: &Delivery) -> Result<Option<String>> {
        let unwanted = delivery
            .data
            .get("template")
            .is_some_and(|name| name == "quiet");
        Ok(unwanted.then(|| "this text is switched off".to_owned()))
    }

    fn templates(&self) -> Option<Vec<String>> {
        Some(vec!["loud".to_owned(), "quiet".to_owned()])
    }

    async fn find(
        &self,
        _: &OpContext,
        _: ActionKind,
        reference: &str,
    ) -> Result<Option<Delivered>> {
        let found = self
            .vendor
            .with(|state| state.open_tickets.get(reference).cloned());
        Ok(found.map(|id| Delivered { id, status: None }))
    }
}
