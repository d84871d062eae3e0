//! A run: the settings, where they are due, then what happened. One page at a time, and each begins
//! where the one before ended, also in another process.

use std::path::PathBuf;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use protect_core::connector::{Evaluated, OpContext, Progress, ScanPage, ScanRequest, Scanner};
use protect_core::model::{CheckId, NotEvaluatedReason, Signal};
use protect_core::posture::{Collecting, Collects, Phase, Position, stream_verdict};
use protect_core::{Error, ErrorKind, Result};

use crate::api::Graph;
use crate::collect::Running;
use crate::connector::M365Connector;
use crate::signals::{DIRECTORY_AUDIT, fact};
use crate::streams::{self, Place, Stream};

#[async_trait]
impl Scanner for M365Connector {
    async fn scan(&self, cx: &OpContext, request: ScanRequest<'_>) -> Result<ScanPage> {
        let graph = self
            .scan
            .as_ref()
            .ok_or_else(|| Error::unexpected("a scanner without a credential"))?;
        let mut position = Position::read(request.cursor);
        let settings = &self.settings;
        if request.starts_run {
            let fresh = || graph.http.context().fresh_guid();
            settings.begin(&mut position, request.forced, fresh);
        }
        let mut page = ScanPage::default();
        position.phase = match position.phase {
            Phase::Collect => settings.collect(cx, self, &mut position, &mut page).await?,
            Phase::Tell(from) => {
                settings
                    .tell(cx, self, &mut position, from, &mut page)
                    .await?
            }
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

#[async_trait]
impl Collects for M365Connector {
    async fn take_up(&self, cx: &OpContext, run: &str) -> Result<Box<dyn Collecting>> {
        let graph = self
            .scan
            .as_ref()
            .ok_or_else(|| Error::unexpected("a scanner without a credential"))?;
        let folder = self.folder();
        let running = Running::take_up(graph, cx, &self.place, folder.as_deref(), run).await?;
        Ok(Box::new(running))
    }
}

impl M365Connector {
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
        position: &mut Position<Place>,
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
        let read = match self.may_read(cx, graph, stream, place).await? {
            Some(reason) => Reading::Not(reason),
            None => self.read(cx, graph, stream, place, page).await?,
        };
        if read != Reading::Not(NotEvaluatedReason::MissingLicence) {
            place.unlicensed = None;
        } else if place.unlicensed.is_none_or(|at| self.settings.is_due(at)) {
            place.unlicensed = Some(self.clock.now());
        }
        let reason = match read {
            Reading::Not(reason) => Some(reason),
            Reading::Ended | Reading::GoesOn => None,
        };
        let is_done = read != Reading::GoesOn;
        if is_done {
            let needs = stream.permissions().join(" or ");
            let verdict = stream_verdict(stream.check(), stream.name(), &needs, reason);
            page.verdicts.extend(verdict);
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
        place: &Place,
    ) -> Result<Option<NotEvaluatedReason>> {
        // What is not licensed is asked again when the settings are.
        if place.unlicensed.is_some_and(|at| !self.settings.is_due(at)) {
            return Ok(Some(NotEvaluatedReason::MissingLicence));
        }
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
        page.signals.retain(|signal| !self.is_ours(signal));
        page.observations = batch.observations;
        page.rejected = batch.rejected;
        Ok(if is_read {
            Reading::Ended
        } else {
            Reading::GoesOn
        })
    }

    /// Whether it is a change that we made ourselves, which is in the ledger and no finding.
    fn is_ours(&self, signal: &Signal) -> bool {
        let by = fact(signal, "by_app");
        let own = self.respond.as_ref().map(Graph::client_id);
        signal.kind == DIRECTORY_AUDIT
            && own
                .zip(by)
                .is_some_and(|(own, by)| own.eq_ignore_ascii_case(by))
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
