//! The first half of a posture scanner's run: the settings are collected, judged and told, where they
//! are due, a page at a time. Each page begins where the one before ended, also in another process.
//! What comes after is the scanner's own: streams of what happened.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::catalogue::Catalogue;
use super::evaluate::Evaluation;
use super::profile::EvaluateConfig;
use super::result::{covered, observations};
use super::snapshot::Snapshot;
use crate::clock::Clock;
use crate::connector::{Cursor, OpContext, Progress, ScanPage};
use crate::error::{Error, Result};
use crate::model::{
    Attributes, CheckId, CheckResult, Confidence, NotEvaluatedReason, Observation, Severity,
    Verdict,
};

/// A collection under way.
#[async_trait]
pub trait Collecting: Debug + Send + Sync {
    /// Of which run it is.
    fn run(&self) -> &str;

    /// Pages so far.
    fn pages(&self) -> u64;

    /// Asks for one more page, or begins the next round. Whether there is nothing left.
    ///
    /// # Errors
    /// Nothing is known by it; what was collected stays.
    async fn advance(&mut self, cx: &OpContext) -> Result<bool>;

    /// What was collected, as a snapshot.
    ///
    /// # Errors
    /// `store` where it cannot be written.
    fn snapshot(&self) -> Result<Snapshot>;
}

/// Begins collections.
#[async_trait]
pub trait Collects: Sync {
    /// Takes up the run's collection that an earlier process left, or begins anew.
    ///
    /// # Errors
    /// The vendor does not let anybody look; `store`.
    async fn take_up(&self, cx: &OpContext, run: &str) -> Result<Box<dyn Collecting>>;

    /// What else is noticed in what was collected, besides what the checks say.
    fn notice(&self, _evaluation: &Evaluation<'_>) -> Noticed {
        Noticed::default()
    }
}

/// What a scanner notices besides what its checks say.
#[derive(Debug, Default)]
pub struct Noticed {
    /// What is wrong.
    pub observations: Vec<Observation>,
    /// What to remember; `None` forgets the key.
    pub state: BTreeMap<String, Option<Value>>,
}

/// Where a run stands; `P` is where one of the scanner's own streams does.
#[derive(Debug, Serialize, Deserialize)]
#[serde(
    default,
    bound(serialize = "P: Serialize", deserialize = "P: DeserializeOwned")
)]
pub struct Position<P> {
    /// Names the collection, so that nobody takes up another's.
    run: String,
    /// When that began.
    #[serde(skip_serializing_if = "Option::is_none")]
    begun: Option<Timestamp>,
    /// What comes next.
    pub phase: Phase,
    /// How many of the vendor's pages were collected: where nothing else tells that a run moves on.
    #[serde(skip_serializing_if = "is_zero")]
    pages: u64,
    /// When the settings that were judged last had been collected.
    #[serde(skip_serializing_if = "Option::is_none")]
    judged: Option<Timestamp>,
    /// The streams by name.
    pub streams: BTreeMap<String, P>,
}

impl<P> Default for Position<P> {
    fn default() -> Self {
        Self {
            run: String::new(),
            begun: None,
            phase: Phase::default(),
            pages: 0,
            judged: None,
            streams: BTreeMap::new(),
        }
    }
}

/// What comes next in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Collecting the settings.
    #[default]
    Collect,
    /// Telling what is wrong with them, from this finding on.
    Tell(usize),
    /// Reading the stream with this number.
    Stream(usize),
}

impl<P: Serialize + DeserializeOwned> Position<P> {
    /// A cursor that cannot be read begins from the start: nothing is missed.
    pub fn read(cursor: Option<&Cursor>) -> Self {
        cursor
            .and_then(|cursor| serde_json::from_str(&cursor.0).ok())
            .unwrap_or_default()
    }

    /// As the next page, or the next run, is given it.
    ///
    /// # Errors
    /// `unexpected` where a stream's place cannot be written.
    pub fn write(&self) -> Result<Cursor> {
        serde_json::to_string(self)
            .map(Cursor)
            .map_err(|error| Error::unexpected("a position is not JSON").with_source(error))
    }
}

/// What the checks said, until all of it is told.
#[derive(Debug)]
struct Found {
    run: String,
    results: Vec<CheckResult>,
    noticed: Noticed,
    collected_at: Timestamp,
}

/// Findings on one page.
const FINDINGS: usize = 2_000;

/// How old a collection may be that is taken up again.
const TAKEN_UP_WITHIN: SignedDuration = SignedDuration::from_hours(6);

/// How long the vendor's pages are gathered for one of ours.
const GATHER: Duration = Duration::from_secs(10);

/// Vendor's pages on one of ours, at most.
const GATHERED: usize = 50;

/// Collects, judges and tells.
#[derive(Debug)]
pub struct PostureRun {
    catalogue: &'static Catalogue,
    evaluate: EvaluateConfig,
    every: SignedDuration,
    clock: Arc<dyn Clock>,
    /// The collection under way, where this process began it.
    running: Mutex<Option<Box<dyn Collecting>>>,
    found: Mutex<Option<Found>>,
}

impl PostureRun {
    /// Judges by a catalogue as a tenant configured it, what is known of the settings being no older
    /// than `every_seconds`.
    pub fn new(
        catalogue: &'static Catalogue,
        evaluate: EvaluateConfig,
        every_seconds: u64,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            catalogue,
            evaluate,
            every: SignedDuration::from_secs(i64::try_from(every_seconds).unwrap_or(i64::MAX)),
            clock,
            running: Mutex::default(),
            found: Mutex::default(),
        }
    }

    /// Begins a run: whether the settings are due, and, by `fresh`, under which name they are
    /// collected.
    pub fn begin<P>(
        &self,
        position: &mut Position<P>,
        forced: bool,
        fresh: impl FnOnce() -> String,
    ) {
        let now = self.clock.now();
        let is_due = position.judged.is_none_or(|judged| self.is_due(judged));
        if !is_due && !forced {
            position.phase = Phase::Stream(0);
            return;
        }
        position.phase = Phase::Collect;
        // A collection that a failed run left is taken up by the next, unless it grew old.
        let is_old = |begun: Timestamp| now.duration_since(begun) >= TAKEN_UP_WITHIN;
        if position.run.is_empty() || position.begun.is_none_or(is_old) {
            position.run = fresh();
            position.begun = Some(now);
        }
    }

    /// Whether what was known at this time is to be asked again.
    pub fn is_due(&self, at: Timestamp) -> bool {
        self.clock.now().duration_since(at) >= self.every
    }

    /// Collects some of the vendor's pages; gives where the run goes on.
    ///
    /// # Errors
    /// Of the vendor, where nothing is known by it; `store`.
    pub async fn collect<P>(
        &self,
        cx: &OpContext,
        vendor: &dyn Collects,
        position: &mut Position<P>,
        page: &mut ScanPage,
    ) -> Result<Phase> {
        let mut running = self.running(cx, vendor, &position.run).await?;
        let until = self.clock.monotonic() + GATHER;
        let mut is_done = false;
        for _ in 0..GATHERED {
            match running.advance(cx).await {
                Ok(done) => is_done = done,
                Err(error) => {
                    *lock(&self.running) = Some(running);
                    return Err(error);
                }
            }
            if is_done || self.clock.monotonic() >= until {
                break;
            }
        }
        position.pages = running.pages();
        page.progress = Some(Progress {
            done: position.pages,
            total: None,
        });
        *lock(&self.running) = Some(running);
        Ok(if is_done {
            Phase::Tell(0)
        } else {
            Phase::Collect
        })
    }

    /// Tells the next findings; with the first the verdicts, with the last what was looked at in full.
    ///
    /// # Errors
    /// As for [`Self::collect`].
    pub async fn tell<P>(
        &self,
        cx: &OpContext,
        vendor: &dyn Collects,
        position: &mut Position<P>,
        from: usize,
        page: &mut ScanPage,
    ) -> Result<Phase> {
        let known = lock(&self.found).take();
        let mut found = match known.filter(|found| found.run == position.run) {
            Some(found) => found,
            None => self.judge(cx, vendor, &position.run).await?,
        };
        let mut rest = observations(self.catalogue, &found.results).skip(from);
        page.observations = rest.by_ref().take(FINDINGS).collect();
        let is_last = rest.next().is_none();
        drop(rest);
        if from == 0 {
            page.verdicts.clone_from(&found.results);
            let noticed = std::mem::take(&mut found.noticed);
            page.observations.extend(noticed.observations);
            page.state = noticed.state;
        }
        if is_last {
            page.evaluated = covered(&found.results);
            position.judged = Some(found.collected_at);
            position.run = String::new();
            position.pages = 0;
            *lock(&self.running) = None;
            return Ok(Phase::Stream(0));
        }
        *lock(&self.found) = Some(found);
        Ok(Phase::Tell(from + FINDINGS))
    }

    /// Judges what was collected. After a restart it is collected again where nothing was kept.
    async fn judge(&self, cx: &OpContext, vendor: &dyn Collects, run: &str) -> Result<Found> {
        let mut running = self.running(cx, vendor, run).await?;
        while !running.advance(cx).await? {}
        let snapshot = running.snapshot()?;
        let profile = self
            .catalogue
            .profile_for(&snapshot, None, Some(&self.evaluate))?;
        let evaluation = Evaluation::new(self.catalogue, &snapshot, &profile);
        let results = evaluation.results();
        let noticed = vendor.notice(&evaluation);
        drop(evaluation);
        let collected_at = snapshot.collected_at();
        *lock(&self.running) = Some(running);
        Ok(Found {
            run: run.to_owned(),
            results,
            noticed,
            collected_at,
        })
    }

    /// The run's collection: this process's, or what another left, or a new one.
    async fn running(
        &self,
        cx: &OpContext,
        vendor: &dyn Collects,
        run: &str,
    ) -> Result<Box<dyn Collecting>> {
        let mine = lock(&self.running).take();
        if let Some(running) = mine.filter(|running| running.run() == run) {
            return Ok(running);
        }
        vendor.take_up(cx, run).await
    }
}

/// The verdict about a stream of events: reading it to its end is all that can be said to pass. `needs`
/// says what opens it.
pub fn stream_verdict(
    check: &str,
    stream: &str,
    needs: &str,
    reason: Option<NotEvaluatedReason>,
) -> Option<CheckResult> {
    Some(CheckResult {
        check: CheckId::new(check).ok()?,
        verdict: match reason {
            Some(_) => Verdict::NotEvaluated,
            None => Verdict::Pass,
        },
        not_evaluated: reason,
        severity: Severity::Info,
        reason: match reason {
            None => "read to its end".to_owned(),
            Some(NotEvaluatedReason::MissingPermission) => format!("needs {needs}"),
            Some(_) => "it was not read".to_owned(),
        },
        affected: Vec::new(),
        source: stream.to_owned(),
        confidence: Confidence::High,
        references: Vec::new(),
        details: Attributes::new(),
    })
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's `skip_serializing_if` fixes it"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
