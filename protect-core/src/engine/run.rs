//! One run of one scanner: leased, resumed where a crash or an error left it, and committed page by
//! page.
//!
//! The record of the run is the lease: every page commits under its fence, so that a worker who
//! lost the lease while it slept writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tenant;
use crate::clock::later;
use crate::connector::{Cursor, Progress};
use crate::error::{Error, ErrorEnvelope, ErrorKind, Result};
use crate::model::{CheckId, ConnectorName, RejectedItem, TenantId};
use crate::store::{Change, Claim, Commit, Expect, Put, RecordKind};

/// How long a lease runs; a crashed run can be taken over after it.
pub(crate) const LEASE: Duration = Duration::from_secs(15);

/// How often a lease is renewed.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(5);

/// How many rejected items are kept by name; the rest is counted.
const REJECTED_KEPT: usize = 50;

/// A run of a scanner as stored, one per connector: the latest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) connector: ConnectorName,
    /// From 1; 0 before the first.
    pub(crate) number: u64,
    pub(crate) state: RunState,
    pub(crate) started_at: Timestamp,
    /// The latest time that a page was observed at. Never goes back, whatever the clock does: a
    /// finding of an earlier run is older than the start of a later one.
    pub(crate) stamp: Timestamp,
    /// Where the run began, to begin there again where its cursor no longer serves.
    pub(crate) began_at: Option<Cursor>,
    pub(crate) cursor: Option<Cursor>,
    /// Every page is in; what was not repeated is being resolved.
    pub(crate) finishing: bool,
    /// The next run begins anew rather than at the cursor.
    pub(crate) restart: bool,
    pub(crate) baseline: bool,
    /// The checks that were evaluated for every subject.
    pub(crate) evaluated: BTreeSet<CheckId>,
    pub(crate) counts: ScanCounts,
    pub(crate) progress: Option<Progress>,
    pub(crate) error: Option<ErrorEnvelope>,
    pub(crate) last_complete_at: Option<Timestamp>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// There was none yet.
    Never,
    /// Begun; running, or left by a crash.
    Running,
    /// Ended by an error; the next run takes it up.
    Incomplete,
    /// Everything was looked at.
    Complete,
}

impl RunState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Running => "running",
            Self::Incomplete => "incomplete",
            Self::Complete => "complete",
        }
    }
}

/// What a run came to, so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScanCounts {
    /// Pages committed.
    pub pages: u64,
    /// Findings never seen before.
    pub new: u64,
    /// Findings that were known and are still there.
    pub seen: u64,
    /// Findings that had been resolved and came back.
    pub reopened: u64,
    /// Findings that were looked for and are gone.
    pub resolved: u64,
    /// Signals never seen before that a detection wanted.
    pub signals: u64,
    /// Items that could not be read.
    pub rejected: u64,
    /// The first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected_items: Vec<RejectedItem>,
    /// What the checks decided.
    pub verdicts: VerdictCounts,
}

/// How often checks decided what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictCounts {
    /// As it should be.
    pub pass: u64,
    /// Not as it should be.
    pub fail: u64,
    /// No meaning here.
    pub not_applicable: u64,
    /// For a person to decide.
    pub manual: u64,
    /// Could not look, for any reason.
    pub not_evaluated: u64,
    /// Of these: because the vendor answered an error.
    pub vendor_errors: u64,
}

impl ScanCounts {
    pub(crate) fn reject(&mut self, items: Vec<RejectedItem>) {
        self.rejected += items.len() as u64;
        let room = REJECTED_KEPT.saturating_sub(self.rejected_items.len());
        self.rejected_items.extend(items.into_iter().take(room));
    }
}

impl Run {
    fn never(connector: ConnectorName) -> Self {
        Self {
            connector,
            number: 0,
            state: RunState::Never,
            started_at: Timestamp::UNIX_EPOCH,
            stamp: Timestamp::UNIX_EPOCH,
            began_at: None,
            cursor: None,
            finishing: false,
            restart: false,
            baseline: false,
            evaluated: BTreeSet::new(),
            counts: ScanCounts::default(),
            progress: None,
            error: None,
            last_complete_at: None,
        }
    }

    /// Takes up what was left, or begins anew. Gives whether it was taken up.
    pub(crate) fn begin(&mut self, now: Timestamp, baseline: bool) -> bool {
        let left = matches!(self.state, RunState::Running | RunState::Incomplete);
        let resumed = left && !self.restart;
        self.state = RunState::Running;
        self.error = None;
        if resumed {
            self.baseline |= baseline;
            return true;
        }
        if left {
            self.cursor.clone_from(&self.began_at);
        }
        self.number += 1;
        self.started_at = now.max(later(self.stamp, Duration::from_nanos(1)));
        self.stamp = self.started_at;
        self.began_at.clone_from(&self.cursor);
        self.finishing = false;
        self.restart = false;
        self.baseline = baseline;
        self.evaluated.clear();
        self.counts = ScanCounts::default();
        self.progress = None;
        false
    }

    /// The run ends here, for now. An answer that rules the cursor out makes the next run begin
    /// anew; a refused credential or a vendor that is away does not.
    pub(crate) fn fail(&mut self, error: &Error) {
        let cursor_serves = error.is_retryable()
            || !matches!(
                error.kind(),
                ErrorKind::InvalidInput
                    | ErrorKind::InvalidResponse
                    | ErrorKind::NotFound
                    | ErrorKind::Conflict
            );
        self.state = RunState::Incomplete;
        self.restart = !cursor_serves && !self.finishing;
        self.error = Some(error.envelope());
    }

    /// Everything was looked at.
    pub(crate) fn complete(&mut self, now: Timestamp) {
        self.state = RunState::Complete;
        self.finishing = false;
        self.last_complete_at = Some(now.max(self.stamp));
    }

    /// The time to observe a page at.
    pub(crate) fn stamp(&mut self, now: Timestamp) -> Timestamp {
        self.stamp = self.stamp.max(now);
        self.stamp
    }

    fn put(&self, expect: Expect) -> Result<Put> {
        Ok(Put::new(RecordKind::Run, run_key(&self.connector), self)?
            .state(self.state.as_str())
            .group(RUNS)
            .due(Some(Timestamp::UNIX_EPOCH))
            .expect(expect))
    }
}

/// The group of all runs of scanners.
pub(crate) const RUNS: &str = "scan";

/// The key of a connector's run.
pub(crate) fn run_key(connector: &ConnectorName) -> String {
    format!("scan/{connector}")
}

/// A run that nobody else may write.
///
/// Dropped before its end, as when a caller gives a scan up, it cannot say so to the store: a drop
/// cannot wait. It leaves word in the engine, which ends the lease before the next one is asked for.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    tenant: &'a Tenant,
    pub(crate) run: Run,
    fence: u64,
    renewed: Duration,
    released: bool,
}

/// Leases that this engine let go of without a word to the store: the fence by tenant and run.
#[derive(Debug, Default)]
pub(crate) struct Dropped(Mutex<BTreeMap<(TenantId, String), u64>>);

impl Dropped {
    fn leave(&self, tenant: &TenantId, run: String, fence: u64) {
        self.lock().insert((tenant.clone(), run), fence);
    }

    fn take(&self, tenant: &TenantId, run: &str) -> Option<u64> {
        self.lock().remove(&(tenant.clone(), run.to_owned()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(TenantId, String), u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tenant {
    /// Leases a connector's run; waits for the lease of a crashed worker to end.
    ///
    /// # Errors
    /// `conflict` where somebody else is at it.
    pub(crate) async fn hold_run(&self, connector: &ConnectorName) -> Result<Held<'_>> {
        let key = run_key(connector);
        self.ensure_run(connector).await?;
        self.end_dropped_lease(&key).await?;
        let clock = &self.context().clock;
        let patience = clock.monotonic() + LEASE + Duration::from_secs(1);
        loop {
            let claim = Claim {
                kind: RecordKind::Run,
                states: Vec::new(),
                tenant: Some(self.id().clone()),
                keys: vec![key.clone()],
                now: self.now(),
                lease: LEASE,
                limit: 1,
            };
            if let Some(claimed) = self.store().claim(claim).await?.into_iter().next() {
                return Ok(Held {
                    tenant: self,
                    run: claimed.record.read()?,
                    fence: claimed.fence,
                    renewed: clock.monotonic(),
                    released: false,
                });
            }
            if clock.monotonic() >= patience {
                return Err(being_scanned(connector));
            }
            clock.sleep(HEARTBEAT / 2).await;
        }
    }

    /// Ends the lease of a run that was given up in this engine, where it still holds.
    async fn end_dropped_lease(&self, key: &str) -> Result<()> {
        let Some(fence) = self.dropped_runs().take(self.id(), key) else {
            return Ok(());
        };
        match self
            .store()
            .commit(self.id(), renewal(key, fence, self.now()))
            .await
        {
            // Somebody took it over since: then it is theirs.
            Err(error) if error.kind() != ErrorKind::Conflict => Err(error),
            _ => Ok(()),
        }
    }

    async fn ensure_run(&self, connector: &ConnectorName) -> Result<()> {
        let known = self
            .read::<Run>(RecordKind::Run, &run_key(connector))
            .await?;
        if known.is_some() {
            return Ok(());
        }
        let put = Run::never(connector.clone()).put(Expect::Absent)?;
        match self
            .store()
            .commit(self.id(), Commit::default().put(put))
            .await
        {
            Err(error) if error.kind() != ErrorKind::Conflict => Err(error),
            _ => Ok(()),
        }
    }
}

impl Held<'_> {
    /// Commits the run as it will be, together with what makes it so. Where that fails, the run
    /// stays as it was: a cursor never moves without its page.
    pub(crate) async fn save(&mut self, run: Run, commit: Commit) -> Result<()> {
        self.write(run, commit, Expect::Fence(self.fence)).await
    }

    /// The same, and lets go.
    pub(crate) async fn release(&mut self, run: Run, commit: Commit) -> Result<()> {
        self.write(run, commit, Expect::FenceAndRelease(self.fence))
            .await?;
        self.released = true;
        Ok(())
    }

    async fn write(&mut self, run: Run, mut commit: Commit, expect: Expect) -> Result<()> {
        commit.changes.push(Change::Put(run.put(expect)?));
        self.tenant.store().commit(self.tenant.id(), commit).await?;
        self.run = run;
        Ok(())
    }

    /// Renews the lease where it is time to.
    pub(crate) async fn keep(&mut self) -> Result<()> {
        let now = self.tenant.context().clock.monotonic();
        if now.saturating_sub(self.renewed) < HEARTBEAT {
            return Ok(());
        }
        self.renew().await
    }

    /// Renews the lease.
    ///
    /// # Errors
    /// `cancelled` where somebody else has it.
    pub(crate) async fn renew(&mut self) -> Result<()> {
        let tenant = self.tenant;
        let until = later(tenant.now(), LEASE);
        let commit = renewal(&run_key(&self.run.connector), self.fence, until);
        match tenant.store().commit(tenant.id(), commit).await {
            Ok(_) => {
                self.renewed = tenant.context().clock.monotonic();
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Conflict => {
                Err(taken_over(&self.run.connector))
            }
            Err(error) => Err(error),
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if !self.released {
            let run = run_key(&self.run.connector);
            self.tenant
                .dropped_runs()
                .leave(self.tenant.id(), run, self.fence);
        }
    }
}

fn renewal(key: &str, fence: u64, until: Timestamp) -> Commit {
    let change = Change::Renew {
        kind: RecordKind::Run,
        key: key.to_owned(),
        fence,
        until,
    };
    Commit {
        changes: vec![change],
        entries: Vec::new(),
    }
}

fn being_scanned(connector: &ConnectorName) -> Error {
    Error::new(
        ErrorKind::Conflict,
        "this connector is being scanned by another run; wait for it to end",
    )
    .temporary()
    .with_context("connector", connector.as_str())
}

fn taken_over(connector: &ConnectorName) -> Error {
    Error::new(
        ErrorKind::Cancelled,
        "another worker took this run over after its lease had ended",
    )
    .with_context("connector", connector.as_str())
}
