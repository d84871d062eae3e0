//! What a connector is: the four roles a vendor can play, and what every call is told.
//!
//! A connector is a connection used for one tenant. It says what it can do ([`Connector::capability`])
//! and plays one or more roles; the engine never finds out by calling and failing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::authenticate::Authenticator;
use crate::clock::{Clock, MAX_SKEW_SECONDS};
use crate::config::Rule;
use crate::error::Result;
use crate::inbound::Inbound;
use crate::model::{
    Account, Action, ActionKind, Actor, Address, Attributes, CheckId, CheckResult, ConnectorName,
    EffectClass, Gone, IncidentStatus, Observation, Preview, RejectedItem, Severity, Signal,
    Subject, TenantId, WatchCensus, WatchList,
};
use crate::publisher::Publisher;

/// A connection to a vendor, used for one tenant.
#[async_trait]
pub trait Connector: Debug + Send + Sync + 'static {
    /// What it is.
    fn info(&self) -> &ConnectorInfo;

    /// What it can do with the credentials it was given.
    fn capability(&self) -> Capability;

    /// Asks the cheapest authenticated question and says what is missing and what is too much.
    /// Never calls anything that changes something.
    ///
    /// # Errors
    /// Only where not even a diagnosis can be made; a refused credential is part of the diagnosis.
    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis>;

    /// This connector as one that finds things.
    fn as_scanner(&self) -> Option<&dyn Scanner> {
        None
    }

    /// This connector as one that lists accounts.
    fn as_directory(&self) -> Option<&dyn Directory> {
        None
    }

    /// This connector as one that changes accounts; `None` without a `respond` credential.
    fn as_remediator(&self) -> Option<&dyn Remediator> {
        None
    }

    /// This connector as one that is told things.
    fn as_sink(&self) -> Option<&dyn Sink> {
        None
    }

    /// This connector as one that others call.
    fn as_inbound(&self) -> Option<&dyn Inbound> {
        None
    }

    /// This connector as one that knows who somebody is.
    fn as_authenticator(&self) -> Option<&dyn Authenticator> {
        None
    }

    /// This connector as one that publishes policies.
    fn as_publisher(&self) -> Option<&dyn Publisher> {
        None
    }

    /// The rules that its settings stand for, such as a switch that makes it act by itself. They hold
    /// like those of the configuration.
    fn rules(&self) -> Vec<Rule> {
        Vec::new()
    }

    /// What turns the signals of its scans into observations; empty where it sends no signals.
    fn detections(&self) -> &[Box<dyn Detection>] {
        &[]
    }
}

/// Produces findings, verdicts and signals.
#[async_trait]
pub trait Scanner: Connector {
    /// One page. The engine stores its content, its cursor and its state in one transaction, and
    /// only then asks for the next.
    ///
    /// # Errors
    /// The page could not be had; the run ends incomplete, and nothing is resolved by it.
    async fn scan(&self, cx: &OpContext, request: ScanRequest<'_>) -> Result<ScanPage>;

    /// For `doctor`: what a run takes of the vendor's limits, and whether it can be kept up, in
    /// words. Empty where nothing is limited.
    ///
    /// # Errors
    /// The vendor did not say what it allows.
    async fn capacity(&self, _cx: &OpContext, _who: Watching<'_>) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}

/// Who is watched: by the tenant whose run it is, and by all that share its credential.
#[derive(Clone, Copy, Debug)]
pub struct Watching<'a> {
    /// The tenant's own list.
    pub own: &'a Arc<WatchList>,
    /// How many addresses each other tenant has the same credential ask about. What a vendor
    /// counts by credential must suffice for all of them.
    pub others: &'a [Arc<WatchCensus>],
}

/// Turns stored signals into observations. Pure: no I/O, and the only time is that of the signals.
///
/// For each page the engine groups the new signals of [`Detection::signal_kinds`] by subject, loads
/// what it stored before for the same subject, and commits the observations with the page's cursor.
/// An observation carries the triggering event's id as its discriminator, so that the same event
/// seen again is the same finding.
pub trait Detection: Debug + Send + Sync {
    /// The check that its observations name.
    fn check(&self) -> &CheckId;

    /// The kinds of signal it looks at (`onepassword.sign_in`).
    fn signal_kinds(&self) -> &[&str];

    /// How far back, before the first new signal, stored signals of the same subject are needed.
    fn window(&self) -> Duration;

    /// What is wrong. Both lists are of one subject and in the order of time; `new` was never seen
    /// before, and `history` ends where `new` begins, so that what is under test is no part of its
    /// own baseline.
    fn evaluate(&self, new: &[Signal], history: &[Signal]) -> Vec<Observation>;
}

/// Lists the accounts of a vendor's tenant.
#[async_trait]
pub trait Directory: Connector {
    /// One page of accounts; `cursor` is what the page before gave.
    ///
    /// # Errors
    /// The page could not be had.
    async fn list(&self, cx: &OpContext, cursor: Option<&Cursor>) -> Result<DirectoryPage>;

    /// One page of what changed since an earlier reading; `since` is what the last page of that, or the
    /// page before, gave. `None` where the vendor does not tell, or no longer, or of too much: then the
    /// accounts are listed anew.
    ///
    /// # Errors
    /// The page could not be had.
    async fn changes(&self, _cx: &OpContext, _since: &Cursor) -> Result<Option<DirectoryPage>> {
        Ok(None)
    }

    /// One account by the vendor's id, or `None` where it is gone.
    ///
    /// # Errors
    /// Nobody could say.
    async fn get(&self, cx: &OpContext, id: &str) -> Result<Option<Account>>;
}

/// Changes accounts.
#[async_trait]
pub trait Remediator: Connector {
    /// What the action would do. Reads only.
    ///
    /// # Errors
    /// `not_found` where the account is gone; `refused` where it is not to be done, with why, for people;
    /// otherwise the state could not be read.
    async fn preview(&self, cx: &OpContext, action: &Action) -> Result<Preview>;

    /// Does it once and reads back. `action.id` is the idempotency key.
    ///
    /// # Errors
    /// A permanent error means nothing was changed; a retryable one means it may have been, and
    /// the engine asks [`Remediator::probe`].
    async fn apply(&self, cx: &OpContext, action: &Action) -> Result<Applied>;

    /// Did it happen? Reads only.
    ///
    /// # Errors
    /// Nobody could say.
    async fn probe(&self, cx: &OpContext, action: &Action) -> Result<Probe>;
}

/// Receives incidents, tickets, events, evidence.
#[async_trait]
pub trait Sink: Connector {
    /// Delivers once; `delivery.action_id` is the idempotency key.
    ///
    /// # Errors
    /// As for [`Remediator::apply`].
    async fn deliver(&self, cx: &OpContext, delivery: &Delivery) -> Result<Delivered>;

    /// Why the tenant's settings keep this from being delivered, where they do: below a threshold, or
    /// told elsewhere. Asked before anything is sent; the action then ends as `refused`.
    ///
    /// # Errors
    /// It cannot be said yet: a retryable error makes the action wait.
    fn declines(&self, _delivery: &Delivery) -> Result<Option<String>> {
        Ok(None)
    }

    /// Where an incident of ours that was opened there stands, in our words; `None` where the receiver
    /// keeps no such status, or one that is not among ours.
    ///
    /// # Errors
    /// Nobody could say.
    async fn incident_status(&self, _cx: &OpContext, _id: &str) -> Result<Option<IncidentStatus>> {
        Ok(None)
    }

    /// Whether there is an alert about this login, by its address, that nobody there has dealt with yet;
    /// `None` where the receiver keeps no alerts, or is told not to look.
    ///
    /// # Errors
    /// Nobody could say, which is neither yes nor no.
    async fn is_under_attack(&self, _cx: &OpContext, _login: &Address) -> Result<Option<bool>> {
        Ok(None)
    }

    /// Says there where our incident stands; false where the receiver keeps no such status. A repeat
    /// changes nothing.
    ///
    /// # Errors
    /// As for every change.
    async fn tell_status(
        &self,
        _cx: &OpContext,
        _id: &str,
        _status: IncidentStatus,
    ) -> Result<bool> {
        Ok(false)
    }

    /// The texts that a rule's `template` may name, where this sink has any. A rule that names another
    /// one is refused when the configuration is loaded.
    fn templates(&self) -> Option<Vec<String>> {
        None
    }

    /// How several items of ours stand, by the receiver's ids and asked for together: what is open, and
    /// `None` for what is closed. An id that is not in the answer is looked up by itself, with
    /// [`Sink::find`]; so are all of them at a receiver that answers for one at a time alone.
    ///
    /// # Errors
    /// Nobody could say, and asking for one at a time would not help.
    async fn standing(
        &self,
        _cx: &OpContext,
        _kind: ActionKind,
        _ids: &[String],
    ) -> Result<BTreeMap<String, Option<Delivered>>> {
        Ok(BTreeMap::new())
    }

    /// What stands open at the receiver under our reference, for
    /// [`EffectClass::SearchBeforeCreate`] actions.
    ///
    /// # Errors
    /// Nobody could say: then nothing may be created.
    async fn find(
        &self,
        cx: &OpContext,
        kind: ActionKind,
        source_reference: &str,
    ) -> Result<Option<Delivered>>;
}

/// What a connector is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectorInfo {
    /// The kind, as in the configuration (`hibp`).
    pub kind: String,
    /// Its name within the tenant.
    pub name: ConnectorName,
    /// Whose it is.
    pub tenant: TenantId,
}

/// What a connector can do with the credentials it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Capability {
    /// The checks it decides.
    pub checks: BTreeSet<CheckId>,
    /// The actions it does, each with how a repeat behaves.
    pub actions: BTreeMap<ActionKind, EffectClass>,
    /// How often scanning it makes sense, in seconds, where the vendor or the product says so.
    pub scan_every_seconds: Option<u64>,
    /// What its checks are about, which decides where they count: in which part of the score, in which
    /// kind of evidence.
    #[serde(default)]
    pub watches: Watches,
    /// Whether it keeps no list of accounts and acts on people by their address, which is then the
    /// account's id.
    #[serde(default)]
    pub reaches_by_address: bool,
    /// Whether its actions are done one after another, since whether it does one depends on what it did
    /// before. Otherwise several accounts are worked on at the same time.
    #[serde(default)]
    pub one_at_a_time: bool,
    /// The actions that it does for a time alone, with the seconds after which they end where nobody
    /// says.
    #[serde(default)]
    pub ends_after_seconds: BTreeMap<ActionKind, u64>,
}

/// What the checks of a connector are about.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Watches {
    /// The settings of an application.
    #[default]
    Settings,
    /// The mail authentication of domains; each has a score of its own, below `score:` in what the
    /// scanner remembers.
    Mail,
    /// Credentials in somebody else's hands.
    Exposures,
}

/// What every call is told; passed by reference, so that nothing hides in task-locals.
#[derive(Clone, Debug)]
pub struct OpContext {
    /// For whom.
    pub tenant: TenantId,
    /// Ties log lines and evidence of one operation together.
    pub correlation: String,
    /// On whose behalf.
    pub actor: Actor,
    /// When to give up, on [`Clock::monotonic`].
    pub deadline: Option<Duration>,
    /// Who consented to the action that is done, where an action is done: a person, or whoever decided
    /// that a rule needs nobody's consent.
    pub approved_by: Option<Actor>,
}

impl OpContext {
    /// A context without a deadline.
    pub fn new(tenant: TenantId, correlation: impl Into<String>, actor: Actor) -> Self {
        Self {
            tenant,
            correlation: correlation.into(),
            actor,
            deadline: None,
            approved_by: None,
        }
    }

    /// How much time is left on `clock`, and never more than `most`.
    pub fn time_left(&self, clock: &dyn Clock, most: Duration) -> Duration {
        let left = self.deadline.map(|at| at.saturating_sub(clock.monotonic()));
        left.unwrap_or(most).min(most)
    }

    /// The same, with who consented.
    #[must_use]
    pub fn with_approval(mut self, approved_by: Actor) -> Self {
        self.approved_by = Some(approved_by);
        self
    }

    /// The same, to be given up at `deadline`.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }
}

/// Where a listing stands. Opaque to everybody but the connector that made it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Cursor(pub String);

impl Debug for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cursor(…)")
    }
}

/// What the engine asks of a scanner.
#[derive(Clone, Debug)]
pub struct ScanRequest<'a> {
    /// Where the page before ended; within a run, or from the last run where the scanner follows
    /// a stream of events. `None` at the very first page.
    pub cursor: Option<&'a Cursor>,
    /// Whether this is the first page of a run.
    pub starts_run: bool,
    /// Who is watched.
    pub watched: &'a Arc<WatchList>,
    /// How many addresses each other tenant has the same credential ask about.
    pub others: &'a [Arc<WatchCensus>],
    /// What the scanner stored with earlier pages.
    pub state: &'a dyn ScanState,
    /// Whether somebody asked for this run: a cadence that would skip it does not.
    pub forced: bool,
}

/// What a scanner may ask the store: what it stored with earlier pages, by its own keys, and who is gone.
#[async_trait]
pub trait ScanState: Debug + Send + Sync {
    /// The values of these keys; what was never stored is absent.
    ///
    /// # Errors
    /// The store could not answer.
    async fn get(&self, keys: &[String]) -> Result<BTreeMap<String, Value>>;

    /// Who is gone, by every address of theirs, as the workforce and the directories have it: for a
    /// scanner that looks whether such people can still do something.
    ///
    /// # Errors
    /// The store could not answer.
    async fn gone(&self) -> Result<BTreeMap<Address, Gone>> {
        Ok(BTreeMap::new())
    }
}

/// One page of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScanPage {
    /// What is wrong.
    pub observations: Vec<Observation>,
    /// What the checks decided.
    pub verdicts: Vec<CheckResult>,
    /// What happened.
    pub signals: Vec<Signal>,
    /// What could not be read.
    pub rejected: Vec<RejectedItem>,
    /// What was looked at in full: a known finding that this covers and the page does not repeat
    /// is resolved.
    pub evaluated: Vec<Evaluated>,
    /// What to remember; `None` forgets the key. Stored with the page.
    pub state: BTreeMap<String, Option<Value>>,
    /// Where the next page, or the next run, begins.
    pub cursor: Option<Cursor>,
    /// Whether the run goes on.
    pub more: bool,
    /// For progress: pages, items or requests done and expected in this run.
    pub progress: Option<Progress>,
}

/// A check was evaluated, without error, for a subject or for everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Evaluated {
    /// The check.
    pub check: CheckId,
    /// For one subject, whose observations of this check are then all on this page; `None` means
    /// for every subject of this connector, with the observations anywhere in this run.
    pub subject: Option<Subject>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// Done so far.
    pub done: u64,
    /// Expected in all, where known.
    pub total: Option<u64>,
}

/// One page of accounts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DirectoryPage {
    /// The accounts.
    pub accounts: Vec<Account>,
    /// What could not be read.
    pub rejected: Vec<RejectedItem>,
    /// The vendor's ids of accounts that are there no more: of changes alone, since a listing leaves
    /// them out.
    pub gone: Vec<String>,
    /// Where the next page begins; `None` after the last.
    pub cursor: Option<Cursor>,
    /// On the last page: from where on the next reading is told of changes alone, where the vendor
    /// does tell.
    pub changes_from: Option<Cursor>,
}

/// What a remediator did.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// What came of it.
    pub status: AppliedStatus,
    /// Why, where it was refused.
    pub reason: String,
    /// The state before.
    pub before: Attributes,
    /// The state after, as read back.
    pub after: Attributes,
}

/// What came of an attempt that reached the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppliedStatus {
    /// The change was made.
    Applied,
    /// It was that way before.
    AlreadySo,
    /// The vendor refuses for a protected account; nothing changed.
    Refused,
    /// The vendor accepted and reading back shows another state.
    NotConfirmed,
}

/// Did it happen?
#[derive(Clone, Debug, PartialEq)]
pub enum Probe {
    /// Yes; this is the state.
    Happened(Attributes),
    /// No; this is the state.
    DidNotHappen(Attributes),
    /// Not yet: the vendor has it in hand, and will be asked again.
    Underway {
        /// What it waits for, for people; without addresses.
        reason: String,
        /// This is the state.
        state: Attributes,
    },
    /// No, and it will not: somebody at the vendor called it off. Nothing changed.
    CalledOff(Attributes),
    /// The vendor offers no way to know.
    CannotTell,
}

/// Something for a sink.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// The action, whose id is the idempotency key.
    pub action_id: crate::model::ActionId,
    /// What to make of it.
    pub kind: ActionKind,
    /// What it is found by again: the same for every delivery about one incident.
    pub source_reference: String,
    /// The receiver's id of an open item: then this is a note to it.
    pub note_to: Option<String>,
    /// One line.
    pub title: String,
    /// Text for people, in Markdown.
    pub body: String,
    /// How urgent it is.
    pub severity: Severity,
    /// The same as data: the parameters of the action, `incident`, `findings`, and for a ticket
    /// `security_incidents`: where one was opened or is to be opened about the same, each as
    /// `connector`, `kind`, `state` (`waiting`, `applied`) and `since`; for evidence its `artifact`; for
    /// what clients may see the `view`.
    pub data: Attributes,
}

/// What a sink has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivered {
    /// The receiver's id.
    pub id: String,
    /// The receiver's word for where it stands, where it says so.
    pub status: Option<String>,
}

/// What `doctor` found out about a connector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnosis {
    /// Whether the vendor answered at all.
    pub reachable: bool,
    /// Each credential, what is missing and what is too much.
    pub credentials: Vec<CredentialDiagnosis>,
    /// How far the vendor's clock is ahead of ours, in seconds, where its answer said.
    pub clock_skew_seconds: Option<i64>,
    /// What else somebody should know, such as a plan's capacity.
    pub notes: Vec<String>,
}

impl Diagnosis {
    /// Whether our clock is so far off that tokens and signatures fail.
    pub fn is_clock_wrong(&self) -> bool {
        self.clock_skew_seconds
            .is_some_and(|skew| skew.unsigned_abs() > MAX_SKEW_SECONDS)
    }
}

/// What `doctor` found out about one credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CredentialDiagnosis {
    /// `scan`, `respond` or another field of the configuration.
    pub name: String,
    /// Whether the vendor accepts it; `None` where that could not be found out.
    pub accepted: Option<bool>,
    /// Permissions it lacks.
    pub missing: Vec<String>,
    /// Permissions it has and does not need.
    pub excess: Vec<String>,
    /// Why something cannot be told, or what to do next.
    pub note: Option<String>,
}
