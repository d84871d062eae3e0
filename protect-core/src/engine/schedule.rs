//! When each connector is scanned: every so often, each at its own moment, so that many tenants do
//! not begin at once.
//!
//! A moment is a stable hash of tenant and connector, spread over the interval. Missed ticks
//! collapse into one. A scan that failed for a passing reason is tried again sooner, each time
//! waiting twice as long. Workers share the work by leases on the schedule records; a scan that a
//! crash ended is due again after [`RETRY`], and takes up its run.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{Either, select};
use futures::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scan::{ScanOptions, ScanSummary};
use super::{Engine, Step, Tenant};
use crate::clock::{Clock, later};
use crate::error::{ErrorEnvelope, ErrorKind, Result};
use crate::model::{ConnectorName, TenantId, hash_fields};
use crate::store::{Change, Claim, Claimed, Commit, Expect, Put, Query, RecordKind};

/// How often a connector is scanned that does not say.
pub(crate) const EVERY: Duration = Duration::from_hours(12);

/// How long after it failed, or its worker died, a scan is tried again at first.
pub(crate) const RETRY: Duration = Duration::from_mins(5);

/// How long a worker may take to note that it has a scan in hand.
const CLAIM_LEASE: Duration = Duration::from_mins(1);

/// How many scans one engine runs at the same time.
const SCANS_AT_ONCE: usize = 16;

/// How often [`Engine::run`] looks for what is due.
const POLL: Duration = Duration::from_secs(5);

/// How often [`Engine::run`] looks whether every connector has a schedule and a sane one.
const REVIEW: Duration = Duration::from_hours(1);

/// What one tick did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tick {
    /// The scans that were due.
    pub scans: Vec<TickScan>,
    /// What was applied, or waits.
    pub steps: Vec<Step>,
}

/// One scan that was due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TickScan {
    /// Whose.
    pub tenant: TenantId,
    /// Which connector.
    pub connector: ConnectorName,
    /// What it came to, where it came to anything.
    pub summary: Option<ScanSummary>,
    /// Why it did not.
    pub error: Option<ErrorEnvelope>,
    /// When it is due again.
    pub next: Timestamp,
}

/// A schedule as stored, by connector; due when the record is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Schedule {
    pub(crate) connector: ConnectorName,
    /// How often it failed in a row.
    pub(crate) failures: u32,
    pub(crate) next: Timestamp,
}

impl Engine {
    /// Does what is due now, and returns when it is done.
    ///
    /// # Errors
    /// `store`. A scan that fails is in the result.
    pub async fn tick(&self) -> Result<Tick> {
        self.review_schedules().await?;
        let mut tick = Tick::default();
        loop {
            let due = self.claim_scans(SCANS_AT_ONCE).await?;
            if due.is_empty() {
                break;
            }
            let mut running: FuturesUnordered<_> = due.into_iter().map(Job::run).collect();
            while let Some(scan) = running.next().await {
                let scan = scan?;
                self.tenant(scan.tenant.as_str())?.decide().await?;
                tick.scans.push(scan);
            }
        }
        self.count_and_tell_usage().await?;
        self.do_duties().await?;
        tick.steps = self.apply_waiting().await?;
        Ok(tick)
    }

    /// Does what is due, when it is due, until `shutdown` completes. A scan that is cut off then is
    /// taken up by the next.
    ///
    /// # Errors
    /// `store`, where trying again does not help.
    pub async fn run(&self, shutdown: impl Future<Output = ()> + Send) -> Result<()> {
        let clock = Arc::clone(&self.context().clock);
        let mut shutdown = pin!(shutdown);
        let mut running = FuturesUnordered::new();
        let mut reviewed: Option<Duration> = None;
        loop {
            if reviewed.is_none_or(|at| clock.monotonic().saturating_sub(at) >= REVIEW) {
                pass(self.review_schedules().await)?;
                reviewed = Some(clock.monotonic());
            }
            let free = SCANS_AT_ONCE - running.len();
            let due = pass(self.claim_scans(free).await)?.unwrap_or_default();
            running.extend(due.into_iter().map(Job::run));
            let wait = pin!(ends_or_polls(&mut running, clock.as_ref()));
            match select(shutdown.as_mut(), wait).await {
                Either::Left(_) => return Ok(()),
                Either::Right((Some(scan), _)) => {
                    if let Some(scan) = pass(scan)? {
                        pass(self.tenant(scan.tenant.as_str())?.decide().await)?;
                    }
                }
                Either::Right((None, _)) => {}
            }
            pass(self.count_and_tell_usage().await)?;
            pass(self.do_duties().await)?;
            pass(self.apply_waiting().await)?;
        }
    }

    /// Begins to count a new month where somebody bills for it, and
    /// gives every connector that finds something a schedule; one that was never scanned is due at
    /// once. A schedule farther away than it can be, since the clock was set back, is moved.
    async fn review_schedules(&self) -> Result<()> {
        for tenant in self.tenants() {
            tenant.review_schedules().await?;
            tenant.review_usage().await?;
            tenant.review_duties().await?;
        }
        Ok(())
    }

    /// Takes scans in hand that are due. Should this worker die, each is due again after [`RETRY`].
    async fn claim_scans(&self, limit: usize) -> Result<Vec<Job>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let now = self.context().clock.now();
        let claim = Claim {
            kind: RecordKind::Schedule,
            states: Vec::new(),
            tenant: None,
            keys: Vec::new(),
            now,
            lease: CLAIM_LEASE,
            limit,
        };
        let mut jobs = Vec::new();
        for claimed in self.store().claim(claim).await? {
            jobs.extend(self.take_in_hand(claimed, now).await?);
        }
        Ok(jobs)
    }

    async fn take_in_hand(&self, claimed: Claimed, now: Timestamp) -> Result<Option<Job>> {
        let expect = Expect::FenceAndRelease(claimed.fence);
        let mut schedule: Schedule = claimed.record.read()?;
        let tenant = self.tenant(claimed.tenant.as_str()).ok();
        let known = tenant
            .as_ref()
            .map(|tenant| tenant.connector(&schedule.connector).is_ok());
        schedule.next = later(now, RETRY);
        let change = if known == Some(false) {
            Change::Delete {
                kind: RecordKind::Schedule,
                key: claimed.record.key,
                expect,
            }
        } else {
            Change::Put(schedule.put(expect)?)
        };
        let commit = Commit {
            changes: vec![change],
            entries: Vec::new(),
        };
        match self.store().commit(&claimed.tenant, commit).await {
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(None),
            Err(error) => Err(error),
            Ok(_) => Ok(tenant
                .filter(|_| known == Some(true))
                .map(|tenant| Job { tenant, schedule })),
        }
    }
}

impl Tenant {
    async fn review_schedules(&self) -> Result<()> {
        let now = self.now();
        let stored = self
            .read_all::<Schedule>(Query::all(RecordKind::Schedule))
            .await?;
        for connector in self.connectors() {
            if connector.as_scanner().is_none() && connector.as_directory().is_none() {
                continue;
            }
            let name = &connector.info().name;
            let known = stored.iter().find(|found| found.value.connector == *name);
            let every = self.scan_interval(name);
            let (schedule, expect) = match known {
                None => {
                    let schedule = Schedule {
                        connector: name.clone(),
                        failures: 0,
                        next: now,
                    };
                    (schedule, Expect::Absent)
                }
                Some(found) if found.value.next > later(now, every.max(RETRY)) => {
                    let mut schedule = found.value.clone();
                    schedule.next = next_tick(now, every, offset(self.id(), name, every));
                    (schedule, found.expect())
                }
                Some(_) => continue,
            };
            let commit = Commit::default().put(schedule.put(expect)?);
            match self.store().commit(self.id(), commit).await {
                Err(error) if error.kind() != ErrorKind::Conflict => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// How often a connector is scanned.
    pub(crate) fn scan_interval(&self, connector: &ConnectorName) -> Duration {
        let connector = self.connector(connector).ok();
        connector
            .and_then(|connector| connector.capability().scan_every_seconds)
            .map_or(EVERY, |seconds| Duration::from_secs(seconds.max(1)))
    }
}

/// A scan in hand.
struct Job {
    tenant: Tenant,
    schedule: Schedule,
}

impl Job {
    async fn run(self) -> Result<TickScan> {
        let Self {
            tenant,
            mut schedule,
        } = self;
        let connector = schedule.connector.clone();
        let options = ScanOptions {
            connectors: vec![connector.clone()],
            ..ScanOptions::default()
        };
        let (summary, error) = match tenant.scan_with(options).await {
            Ok(summary) => (Some(summary), None),
            Err(error) => (None, Some(error.envelope())),
        };
        let failed = error.as_ref().or_else(|| failure_of(summary.as_ref()?));
        schedule.failures = match failed {
            None => 0,
            Some(_) => schedule.failures.saturating_add(1),
        };
        let every = tenant.scan_interval(&connector);
        let offset = offset(tenant.id(), &connector, every);
        let retry = failed.filter(|error| error.retryable);
        let retry = retry.map(|error| retry_after(schedule.failures, error));
        let now = tenant.now();
        let tick = next_tick(now, every, offset);
        schedule.next = retry.map_or(tick, |wait| tick.min(later(now, wait)));
        let put = schedule.put(Expect::Anything)?;
        let commit = Commit::default().put(put);
        tenant.store().commit(tenant.id(), commit).await?;
        Ok(TickScan {
            tenant: tenant.id().clone(),
            connector,
            summary,
            error,
            next: schedule.next,
        })
    }
}

impl Schedule {
    fn put(&self, expect: Expect) -> Result<Put> {
        Ok(
            Put::new(RecordKind::Schedule, self.connector.as_str(), self)?
                .due(Some(self.next))
                .expect(expect),
        )
    }
}

/// The first tick after `now`. Ticks are `every` apart, `offset` behind the whole multiples of it;
/// however many were missed, there is one next.
pub(crate) fn next_tick(now: Timestamp, every: Duration, offset: Duration) -> Timestamp {
    let every = i128::try_from(every.as_nanos().max(1)).unwrap_or(i128::MAX);
    let offset = i128::try_from(offset.as_nanos()).unwrap_or(0);
    let past = (now.as_nanosecond() - offset).rem_euclid(every);
    let wait = i64::try_from((every - past + 999) / 1_000).unwrap_or(i64::MAX);
    now.checked_add(SignedDuration::from_micros(wait))
        .unwrap_or(Timestamp::MAX)
}

/// Where within the interval a connector's ticks lie: the same after every restart.
pub(crate) fn offset(tenant: &TenantId, connector: &ConnectorName, every: Duration) -> Duration {
    let hash = hash_fields("schedule", &[tenant.as_str(), connector.as_str()]);
    let hash = u64::from_str_radix(&hash[..16], 16).unwrap_or(0);
    let every = u64::try_from(every.as_millis()).unwrap_or(u64::MAX).max(1);
    Duration::from_millis(hash % every)
}

/// How long to wait after the `failures`-th failure in a row: at least what the vendor asked for.
fn retry_after(failures: u32, error: &ErrorEnvelope) -> Duration {
    let doubled = RETRY.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let asked = Duration::from_millis(error.retry_after_ms.unwrap_or(0));
    doubled.max(asked)
}

fn failure_of(summary: &ScanSummary) -> Option<&ErrorEnvelope> {
    let scans = summary.connectors.iter().map(|scan| scan.error.as_ref());
    let directories = summary.directories.iter().map(|read| read.error.as_ref());
    scans.chain(directories).flatten().next()
}

/// The first scan that ends, or nothing once it is time to look again.
async fn ends_or_polls<F: Future<Output = Result<TickScan>>>(
    running: &mut FuturesUnordered<F>,
    clock: &dyn Clock,
) -> Option<Result<TickScan>> {
    let sleep = clock.sleep(POLL);
    if running.is_empty() {
        sleep.await;
        return None;
    }
    match select(running.next(), sleep).await {
        Either::Left((scan, _)) => scan,
        Either::Right(_) => None,
    }
}

/// What a loop does with an error: it goes on where that may help.
fn pass<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::Store && !error.is_retryable() => Err(error),
        Err(error) => {
            tracing::warn!(kind = %error.kind(), operation = error.operation(), "a tick failed");
            Ok(None)
        }
    }
}
