//! Where everything is kept: versioned records per tenant, and the ledger, behind three methods.
//!
//! A new area of the library adds a [`RecordKind`] and, where it needs an index, a migration; it
//! never adds a method. What a record means is the engine's business, so that every
//! implementation stays small and passes one suite unchanged.

#[cfg(feature = "engine")]
mod decide;
#[cfg(feature = "engine")]
mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(all(feature = "engine", any(test, feature = "testing")))]
pub mod suite;

use std::cell::RefCell;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};
use crate::model::{Attributes, EvidenceEntry, TenantId};

#[cfg(feature = "engine")]
pub use memory::MemoryStore;
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStore};

/// Keeps records and the ledger. All of a commit happens, durably, or nothing of it.
#[async_trait]
pub trait Store: Debug + Send + Sync + 'static {
    /// Checks every precondition, makes every change and appends every entry, in one transaction.
    ///
    /// # Errors
    /// `conflict` where a precondition does not hold: nothing was changed, read again and decide
    /// again. `invalid_input` where the commit names a key twice, holds a NUL character, or a time
    /// before the year 0. `store` where the store is full, locked (temporary), damaged or newer
    /// than this program.
    ///
    /// A caller that stops waiting does not undo the commit: it happened or not, as a whole.
    async fn commit(&self, tenant: &TenantId, commit: Commit) -> Result<Committed>;

    /// Records of one kind, ordered by key.
    ///
    /// # Errors
    /// `store`.
    async fn query(&self, tenant: &TenantId, query: Query) -> Result<Page>;

    /// Leases records to one worker, over all tenants: those in one of the states, due, and not
    /// under a lease that still runs. Oldest due first. A record without a due time is never
    /// leased; leasing is no write and leaves the version as it is.
    ///
    /// # Errors
    /// `store`.
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>>;

    /// Finishes what was asked so far and lets go of files and connections, which are no longer in use
    /// when this returns. What is asked afterwards is an error (`store`). A store that holds
    /// nothing of the kind need not do anything.
    async fn close(&self) {}
}

macro_rules! record_kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// What a record is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum RecordKind { $($(#[$doc])* $variant),+ }

        impl RecordKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name, as it stands in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

record_kinds! {
    /// A [`Finding`](crate::model::Finding).
    Finding = "finding",
    /// An [`Incident`](crate::model::Incident).
    Incident = "incident",
    /// A [`Plan`](crate::model::Plan).
    Plan = "plan",
    /// An [`Approval`](crate::model::Approval), by plan.
    Approval = "approval",
    /// An [`Intent`](crate::model::Intent).
    Intent = "intent",
    /// When a connector is next scanned.
    Schedule = "schedule",
    /// A run of a scanner: its cursor and what it has done so far.
    Run = "run",
    /// The last verdict of a check.
    Verdict = "verdict",
    /// What a scanner remembers, by connector and key.
    ScanState = "scan_state",
    /// A [`Signal`](crate::model::Signal), kept for a window.
    Signal = "signal",
    /// What a detection remembers.
    DetectionState = "detection_state",
    /// An [`Account`](crate::model::Account) as a directory last gave it.
    Account = "account",
    /// A watched address that was added or imported.
    Watch = "watch",
    /// Which open item at a receiver stands for which incident.
    Ticket = "ticket",
    /// The salt of one person's pseudonym; deleting it erases the person from the ledger.
    Salt = "salt",
    /// A switch of this installation or tenant, such as `paused`.
    Control = "control",
    /// A score of one day.
    Score = "score",
    /// An event that waits to be sent.
    Outbox = "outbox",
    /// A month's usage, counted for billing, and the people of the month that runs.
    Usage = "usage",
    /// An [`Employee`](crate::model::Employee).
    Employee = "employee",
    /// Whose address it is: no two employees have the same.
    EmployeeAddress = "employee_address",
    /// Whose number it is: no two employees have the same.
    EmployeeNumber = "employee_number",
    /// A [`Workflow`](crate::model::Workflow).
    Workflow = "workflow",
    /// A [`TimeOff`](crate::model::TimeOff).
    TimeOff = "time_off",
    /// A [`TimeOffBalance`](crate::model::TimeOffBalance), by employee and sort.
    TimeOffBalance = "time_off_balance",
    /// A [`Certification`](crate::model::Certification).
    Certification = "certification",
    /// An [`InsiderSignal`](crate::model::InsiderSignal).
    InsiderSignal = "insider_signal",
    /// A [`Policy`](crate::model::Policy), by the publisher's id.
    Policy = "policy",
    /// An [`Acknowledgement`](crate::model::Acknowledgement), by the publisher's id.
    Acknowledgement = "acknowledgement",
    /// A [`PersonnelRecord`](crate::model::PersonnelRecord).
    Personnel = "personnel",
    /// What counts once, kept until it is worth nothing: a sign-in, a message that came in.
    Once = "once",
    /// The session of somebody who signed in, by the hash of what their browser holds.
    Session = "session",
    /// When a duty beside the scans is next done, by its name.
    Duty = "duty",
    /// The report of a month that is over, as it was made.
    Report = "report",
}

/// One record as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it is.
    pub kind: RecordKind,
    /// Its key, unique within tenant and kind.
    pub key: String,
    /// How often it was written, from 1; every write adds one.
    pub version: u64,
    /// Where it stands, to look for; may be empty.
    pub state: String,
    /// What it belongs to, to look for; may be empty.
    pub group: String,
    /// When it is due, to claim and look for.
    pub due: Option<Timestamp>,
    /// The content as JSON text.
    pub body: String,
}

impl Record {
    /// The content as the type it was made from.
    ///
    /// # Errors
    /// `store` where the content is damaged.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.body).map_err(|error| {
            Error::new(
                ErrorKind::Store,
                "a stored record cannot be read; restore from a backup",
            )
            .with_context("kind", self.kind.as_str())
            .with_context("line", error.line().to_string())
        })
    }
}

/// Changes to one tenant's records and ledger that happen together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Commit {
    /// Changes, in order; each key at most once.
    pub changes: Vec<Change>,
    /// Entries for the ledger, in order.
    pub entries: Vec<NewEntry>,
}

impl Commit {
    /// Adds a record to be written.
    #[must_use]
    pub fn put(mut self, put: Put) -> Self {
        self.changes.push(Change::Put(put));
        self
    }

    /// Adds an entry for the ledger.
    #[must_use]
    pub fn append(mut self, entry: NewEntry) -> Self {
        self.entries.push(entry);
        self
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.entries.is_empty()
    }
}

/// One change to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Write it.
    Put(Put),
    /// Remove it, where it is there.
    Delete {
        /// What it is.
        kind: RecordKind,
        /// Its key.
        key: String,
        /// What must hold.
        expect: Expect,
    },
    /// Move the end of a lease that is still held; no write, so the version stays.
    Renew {
        /// What it is.
        kind: RecordKind,
        /// Its key.
        key: String,
        /// The fence under which it was leased.
        fence: u64,
        /// When the lease ends from now on.
        until: Timestamp,
    },
}

thread_local! {
    /// Where contents become text before they are kept: each then takes just the room it needs,
    /// instead of growing four times on the way.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A record to be written. Its texts are shared with whoever keeps or writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// What it is.
    pub kind: RecordKind,
    /// Its key.
    pub key: Arc<str>,
    /// Where it stands.
    pub state: Arc<str>,
    /// What it belongs to.
    pub group: Arc<str>,
    /// When it is due.
    pub due: Option<Timestamp>,
    /// The content as JSON text.
    pub body: Arc<str>,
    /// What must hold.
    pub expect: Expect,
}

impl Put {
    /// A record without state, group or due time, written whatever is there.
    ///
    /// # Errors
    /// `unexpected` where the content has no JSON form.
    pub fn new(
        kind: RecordKind,
        key: impl Into<Arc<str>>,
        content: &impl Serialize,
    ) -> Result<Self> {
        let no_form = |error| Error::unexpected("a record has no JSON form").with_source(error);
        let body = SCRATCH.with_borrow_mut(|scratch| {
            scratch.clear();
            serde_json::to_writer(&mut *scratch, content).map_err(no_form)?;
            let text = std::str::from_utf8(scratch)
                .map_err(|_| Error::unexpected("a record's JSON form is not UTF-8"))?;
            Ok(text.into())
        });
        Ok(Self {
            kind,
            key: key.into(),
            state: Arc::default(),
            group: Arc::default(),
            due: None,
            body: body?,
            expect: Expect::Anything,
        })
    }

    /// Sets where it stands.
    #[must_use]
    pub fn state(mut self, state: impl Into<Arc<str>>) -> Self {
        self.state = state.into();
        self
    }

    /// Sets what it belongs to.
    #[must_use]
    pub fn group(mut self, group: impl Into<Arc<str>>) -> Self {
        self.group = group.into();
        self
    }

    /// Sets when it is due.
    #[must_use]
    pub fn due(mut self, due: Option<Timestamp>) -> Self {
        self.due = due;
        self
    }

    /// Sets what must hold.
    #[must_use]
    pub fn expect(mut self, expect: Expect) -> Self {
        self.expect = expect;
        self
    }
}

/// What must hold for a change to be made.
///
/// A write under any expectation without a fence ends a lease on the record: whoever held it finds
/// its fence void, reads again and decides again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing: the last write wins.
    Anything,
    /// There is no such record.
    Absent,
    /// The record has this version.
    Version(u64),
    /// The record is still leased under this fence. Writing keeps the lease.
    Fence(u64),
    /// As [`Expect::Fence`], and writing ends the lease.
    FenceAndRelease(u64),
}

/// An entry to be appended to the ledger; the store gives it its place and its hashes.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEntry {
    /// `<thing>.<what happened>`.
    pub kind: String,
    /// Who did it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// The facts; people only as pseudonyms.
    pub data: Attributes,
}

/// What a commit gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Committed {
    /// The entries as they stand in the ledger.
    pub entries: Vec<EvidenceEntry>,
}

/// Which records to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// What to read.
    pub what: Select,
    /// Only these states; empty means every state.
    pub states: Vec<String>,
    /// Only these groups; empty means every group.
    pub groups: Vec<String>,
    /// Only those due at or before this time.
    pub due_by: Option<Timestamp>,
    /// Only keys behind this one.
    pub after: Option<String>,
    /// At most so many; the store gives fewer than asked only at the end.
    pub limit: usize,
}

/// Which records a [`Query`] reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Select {
    /// All of a kind.
    All(RecordKind),
    /// Those with these keys, each once; the limit does not count.
    Keys(RecordKind, Vec<String>),
    /// Those whose key begins so.
    Prefix(RecordKind, String),
    /// The ledger, whose keys are the sequence numbers as 20 decimal digits.
    Ledger,
    /// The last entry of the ledger.
    LedgerHead,
}

impl Query {
    /// The records of a kind, up to 1,000 at a time.
    pub fn all(kind: RecordKind) -> Self {
        Self::of(Select::All(kind))
    }

    /// The records with these keys.
    pub fn keys(kind: RecordKind, keys: Vec<String>) -> Self {
        Self::of(Select::Keys(kind, keys))
    }

    /// The records whose key begins so.
    pub fn prefix(kind: RecordKind, prefix: impl Into<String>) -> Self {
        Self::of(Select::Prefix(kind, prefix.into()))
    }

    /// The ledger.
    pub fn ledger() -> Self {
        Self::of(Select::Ledger)
    }

    /// The last entry of the ledger.
    pub fn ledger_head() -> Self {
        Self::of(Select::LedgerHead)
    }

    fn of(what: Select) -> Self {
        Self {
            what,
            states: Vec::new(),
            groups: Vec::new(),
            due_by: None,
            after: None,
            limit: 1_000,
        }
    }

    /// Only records in one of these states.
    #[must_use]
    pub fn in_states(mut self, states: &[&str]) -> Self {
        self.states = states.iter().map(|state| (*state).to_owned()).collect();
        self
    }

    /// Only records of one of these groups.
    #[must_use]
    pub fn in_groups(mut self, groups: Vec<String>) -> Self {
        self.groups = groups;
        self
    }

    /// Only records due at or before `time`.
    #[must_use]
    pub fn due_by(mut self, time: Timestamp) -> Self {
        self.due_by = Some(time);
        self
    }

    /// Only keys behind `key`.
    #[must_use]
    pub fn after(mut self, key: impl Into<String>) -> Self {
        self.after = Some(key.into());
        self
    }

    /// At most `limit` records.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

/// Some records, and whether there are more.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The records; empty for a query of the ledger.
    pub records: Vec<Record>,
    /// The entries; empty for every other query.
    pub entries: Vec<EvidenceEntry>,
    /// The last key, where there are more behind it.
    pub next: Option<String>,
}

/// Which records to lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What to lease.
    pub kind: RecordKind,
    /// In which states; empty means any.
    pub states: Vec<String>,
    /// Only of this tenant.
    pub tenant: Option<TenantId>,
    /// Only these keys; empty means any.
    pub keys: Vec<String>,
    /// The time now: what is due later is left.
    pub now: Timestamp,
    /// How long the lease runs.
    pub lease: Duration,
    /// At most so many.
    pub limit: usize,
}

/// A leased record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Whose it is.
    pub tenant: TenantId,
    /// The record.
    pub record: Record,
    /// The fence of this lease: every later lease in this store has a higher one, even of a record
    /// that was removed and written anew.
    pub fence: u64,
}
