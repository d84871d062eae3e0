//! A run: the settings, where they are due, then what happened. One page at a time, and each begins
//! where the one before ended, also in another process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use protect_core::connector::{
    Cursor, Evaluated, OpContext, Progress, ScanPage, ScanRequest, Scanner,
};
use protect_core::model::{
    CheckId, CheckResult, Confidence, NotEvaluatedReason, Severity, Verdict,
};
use protect_core::posture::{Evaluation, covered, observations};
use protect_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::CATALOGUE;
use crate::api::Graph;
use crate::auth::fresh_guid;
use crate::collect::Running;
use crate::connector::M365Connector;
use crate::streams::{self, Place, Stream};

/// What the checks said, until all of it is told.
#[derive(Debug)]
pub(crate) struct Found {
    run: String,
    results: Vec<CheckResult>,
    collected_at: Timestamp,
}

/// Findings on one page.
const FINDINGS: usize = 2_000;

/// How old a collection may be that is taken up again, in seconds.
const TAKEN_UP_WITHIN: i64 = 6 * 3_600;

/// How long the vendor's pages are gathered for one of ours.
const GATHER: Duration = Duration::from_secs(10);

/// Vendor's pages on one of ours, at most.
const GATHERED: usize = 50;

/// Where a run stands.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Position {
    /// Names the collection, so that nobody takes up another's.
    run: String,
    /// When that began.
    #[serde(skip_serializing_if = "Option::is_none")]
    begun: Option<Timestamp>,
    phase: Phase,
    /// When the settings that were judged last had been collected.
    #[serde(skip_serializing_if = "Option::is_none")]
    judged: Option<Timestamp>,
    streams: BTreeMap<String, Place>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// Collecting the settings.
    #[default]
    Collect,
    /// Telling what is wrong with them, from this finding on.
    Tell(usize),
    /// Reading the stream with this number.
    Stream(usize),
}

#[async_trait]
impl Scanner for M365Connector {
    async fn scan(&self, cx: &OpContext, request: ScanRequest<'_>) -> Result<ScanPage> {
        let graph = self
            .scan
            .as_ref()
            .ok_or_else(|| Error::unexpected("a scanner without a credential"))?;
        let mut position = Position::read(request.cursor);
        if request.starts_run {
            self.begin(graph, &mut position, request.forced);
        }
        let mut page = ScanPage::default();
        position.phase = match position.phase {
            Phase::Collect => self.collect(cx, graph, &position, &mut page).await?,
            Phase::Tell(from) => self.tell(cx, graph, &mut position, from, &mut page).await?,
            Phase::Stream(turn) => {
                self.stream(cx, graph, &mut position, turn, &mut page)
                    .await?
            }
        };
        page.more = !matches!(position.phase, Phase::Stream(turn) if turn >= Stream::ALL.len());
        page.cursor = Some(position.write()?);
        Ok(page)
    }
}

impl M365Connector {
    /// Whether the settings are due, and under which name they are collected.
    fn begin(&self, graph: &Graph, position: &mut Position, forced: bool) {
        let every = i64::try_from(self.options.posture_every).unwrap_or(i64::MAX);
        let now = self.clock.now();
        let is_older = |at: Option<Timestamp>, seconds: i64| {
            at.is_none_or(|at| now.duration_since(at) >= SignedDuration::from_secs(seconds))
        };
        if !is_older(position.judged, every) && !forced {
            position.phase = Phase::Stream(0);
            return;
        }
        position.phase = Phase::Collect;
        // A collection that a failed run left is taken up by the next, unless it grew old.
        if position.run.is_empty() || is_older(position.begun, TAKEN_UP_WITHIN) {
            position.run = fresh_guid(graph.http.context());
            position.begun = Some(now);
        }
    }

    async fn collect(
        &self,
        cx: &OpContext,
        graph: &Graph,
        position: &Position,
        page: &mut ScanPage,
    ) -> Result<Phase> {
        let mut running = self.running(cx, graph, &position.run).await?;
        let until = self.clock.monotonic() + GATHER;
        let mut is_done = false;
        for _ in 0..GATHERED {
            match running.advance(graph, cx, &self.place).await {
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
        page.progress = Some(Progress {
            done: running.pages(),
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
    async fn tell(
        &self,
        cx: &OpContext,
        graph: &Graph,
        position: &mut Position,
        from: usize,
        page: &mut ScanPage,
    ) -> Result<Phase> {
        let known = lock(&self.found).take();
        let found = match known.filter(|found| found.run == position.run) {
            Some(found) => found,
            None => self.judge(cx, graph, &position.run).await?,
        };
        let mut rest = observations(&CATALOGUE, &found.results).skip(from);
        page.observations = rest.by_ref().take(FINDINGS).collect();
        let is_last = rest.next().is_none();
        drop(rest);
        if from == 0 {
            page.verdicts.clone_from(&found.results);
        }
        if is_last {
            page.evaluated = covered(&found.results);
            position.judged = Some(found.collected_at);
            position.run = String::new();
            *lock(&self.running) = None;
            return Ok(Phase::Stream(0));
        }
        *lock(&self.found) = Some(found);
        Ok(Phase::Tell(from + FINDINGS))
    }

    /// Judges what was collected. After a restart it is collected again where nothing was kept.
    async fn judge(&self, cx: &OpContext, graph: &Graph, run: &str) -> Result<Found> {
        let mut running = self.running(cx, graph, run).await?;
        while !running.advance(graph, cx, &self.place).await? {}
        let snapshot = running.snapshot(&self.place)?;
        let profile = CATALOGUE.profile_for(&snapshot, None, Some(&self.evaluate))?;
        let results = Evaluation::new(&CATALOGUE, &snapshot, &profile).results();
        let collected_at = snapshot.collected_at();
        *lock(&self.running) = Some(running);
        Ok(Found {
            run: run.to_owned(),
            results,
            collected_at,
        })
    }

    /// The run's collection: this process's, or what another left, or a new one.
    async fn running(&self, cx: &OpContext, graph: &Graph, run: &str) -> Result<Running> {
        let mine = lock(&self.running).take();
        if let Some(running) = mine.filter(|running| running.run() == run) {
            return Ok(running);
        }
        Running::take_up(graph, cx, self.folder().as_deref(), run).await
    }

    /// Where the connector's snapshots lie, where somebody wants them kept.
    fn folder(&self) -> Option<PathBuf> {
        let folder = self.options.snapshots.as_ref()?;
        let (tenant, name) = (self.info.tenant.as_str(), self.info.name.as_str());
        Some(folder.join(tenant).join(name))
    }

    /// Reads a page of a stream; gives where the run goes on.
    async fn stream(
        &self,
        cx: &OpContext,
        graph: &Graph,
        position: &mut Position,
        turn: usize,
        page: &mut ScanPage,
    ) -> Result<Phase> {
        let Some(stream) = Stream::ALL.get(turn).copied() else {
            return Ok(Phase::Stream(turn));
        };
        let place = position
            .streams
            .entry(stream.name().to_owned())
            .or_default();
        let read = match self.may_read(cx, graph, stream).await? {
            Some(reason) => Reading::Not(reason),
            None => self.read(cx, graph, stream, place, page).await?,
        };
        let reason = match read {
            Reading::Not(reason) => Some(reason),
            Reading::Ended | Reading::GoesOn => None,
        };
        let is_done = read != Reading::GoesOn;
        if is_done {
            page.verdicts.extend(verdict(stream, reason));
            if reason.is_none() && stream == Stream::RiskyUsers {
                let check = CheckId::new(stream.check()).ok();
                page.evaluated.extend(check.map(|check| Evaluated {
                    check,
                    subject: None,
                }));
            }
        }
        page.progress = Some(Progress {
            done: turn as u64 + u64::from(is_done),
            total: Some(Stream::ALL.len() as u64),
        });
        Ok(Phase::Stream(turn + usize::from(is_done)))
    }

    /// Why a stream is not read at all.
    async fn may_read(
        &self,
        cx: &OpContext,
        graph: &Graph,
        stream: Stream,
    ) -> Result<Option<NotEvaluatedReason>> {
        if stream == Stream::SignIns && !self.options.sign_ins {
            return Ok(Some(NotEvaluatedReason::NotConfigured));
        }
        let granted = graph.granted(cx).await?;
        let has = |granted: std::collections::BTreeSet<String>| {
            stream.permissions().iter().any(|it| granted.contains(*it))
        };
        let is_open = granted.is_none_or(has);
        Ok((!is_open).then_some(NotEvaluatedReason::MissingPermission))
    }

    /// Reads a page. A refusal that concerns this stream alone leaves its check not evaluated and its
    /// place where it was, and the others go on.
    async fn read(
        &self,
        cx: &OpContext,
        graph: &Graph,
        stream: Stream,
        place: &mut Place,
        page: &mut ScanPage,
    ) -> Result<Reading> {
        let batch = match streams::read(graph, cx, stream, place, self.earliest()).await {
            Ok(batch) => batch,
            Err(error) => {
                // A link that no longer works is not followed for ever.
                place.next = None;
                return reason(&error).map(Reading::Not).ok_or(error);
            }
        };
        let is_read = place.note(stream, &batch);
        page.signals = batch.signals;
        page.observations = batch.observations;
        page.rejected = batch.rejected;
        Ok(if is_read {
            Reading::Ended
        } else {
            Reading::GoesOn
        })
    }

    /// Where the very first poll begins.
    fn earliest(&self) -> Timestamp {
        let lookback = i64::try_from(self.options.lookback).unwrap_or(i64::MAX);
        self.clock
            .now()
            .checked_sub(SignedDuration::from_secs(lookback))
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// How far a stream was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// To its end.
    Ended,
    /// There is more.
    GoesOn,
    /// Not at all.
    Not(NotEvaluatedReason),
}

/// Why one stream could not be read; `None` where the whole run ends.
fn reason(error: &Error) -> Option<NotEvaluatedReason> {
    match error.kind() {
        ErrorKind::PermissionDenied => Some(NotEvaluatedReason::MissingPermission),
        ErrorKind::Unsupported => Some(NotEvaluatedReason::MissingLicence),
        _ if error.is_retryable() => None,
        ErrorKind::Unauthenticated | ErrorKind::ConfigInvalid => None,
        _ => Some(NotEvaluatedReason::VendorError),
    }
}

/// The verdict about a stream: reading it to its end is all that can be said to pass.
fn verdict(stream: Stream, reason: Option<NotEvaluatedReason>) -> Option<CheckResult> {
    Some(CheckResult {
        check: CheckId::new(stream.check()).ok()?,
        verdict: match reason {
            Some(_) => Verdict::NotEvaluated,
            None => Verdict::Pass,
        },
        not_evaluated: reason,
        severity: Severity::Info,
        reason: match reason {
            None => "read to its end".to_owned(),
            Some(NotEvaluatedReason::MissingPermission) => {
                format!("needs {}", stream.permissions().join(" or "))
            }
            Some(_) => "it was not read".to_owned(),
        },
        affected: Vec::new(),
        source: stream.name().to_owned(),
        confidence: Confidence::High,
        references: Vec::new(),
        details: protect_core::model::Attributes::new(),
    })
}

impl Position {
    /// A cursor that cannot be read begins from the start: nothing is missed.
    fn read(cursor: Option<&Cursor>) -> Self {
        cursor
            .and_then(|cursor| serde_json::from_str(&cursor.0).ok())
            .unwrap_or_default()
    }

    fn write(&self) -> Result<Cursor> {
        serde_json::to_string(self)
            .map(Cursor)
            .map_err(|error| Error::unexpected("a position is not JSON").with_source(error))
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
