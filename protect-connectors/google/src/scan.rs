//! A run: the settings, where they are due, then what happened. One page at a time, and each begins
//! where the one before ended, also in another process.

use std::path::PathBuf;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use protect_core::connector::{OpContext, Progress, ScanPage, ScanRequest, ScanState, Scanner};
use protect_core::model::NotEvaluatedReason;
use protect_core::posture::{
    Collecting, Collects, Evaluation, Noticed, Phase, Position, stream_verdict,
};
use protect_core::{Error, ErrorKind, Result};

use crate::api::Workspace;
use crate::collect::{Beside, Running};
use crate::connector::GoogleConnector;
use crate::history::History;
use crate::streams::{self, Place, Stream};

#[async_trait]
impl Scanner for GoogleConnector {
    async fn scan(&self, cx: &OpContext, request: ScanRequest<'_>) -> Result<ScanPage> {
        let workspace = self.scan_workspace()?;
        let mut position = Position::read(request.cursor);
        let settings = &self.settings;
        if request.starts_run {
            settings.begin(&mut position, request.forced, || {
                workspace.context().fresh_guid()
            });
        }
        let mut page = ScanPage::default();
        position.phase = match position.phase {
            Phase::Collect => {
                let vendor = self.with_history(request.state).await?;
                settings
                    .collect(cx, &vendor, &mut position, &mut page)
                    .await?
            }
            Phase::Tell(from) => {
                let vendor = self.with_history(request.state).await?;
                settings
                    .tell(cx, &vendor, &mut position, from, &mut page)
                    .await?
            }
            Phase::Stream(turn) => {
                self.stream(cx, workspace, &mut position, turn, &mut page)
                    .await?
            }
        };
        page.more = !matches!(position.phase, Phase::Stream(turn) if turn >= Stream::ALL.len());
        page.cursor = Some(position.write()?);
        Ok(page)
    }
}

/// The connector, and what was seen of settings before.
struct WithHistory<'a> {
    connector: &'a GoogleConnector,
    history: History,
}

#[async_trait]
impl Collects for WithHistory<'_> {
    async fn take_up(&self, cx: &OpContext, run: &str) -> Result<Box<dyn Collecting>> {
        let workspace = self.connector.scan_workspace()?;
        let folder = self.connector.folder();
        let beside = Beside {
            selectors: self.connector.selectors.clone(),
            history: self
                .history
                .part(self.connector.clock.now())
                .map(|part| part.to_string()),
        };
        let running = Running::take_up(workspace, cx, folder.as_deref(), run, beside).await?;
        Ok(Box::new(running))
    }

    fn notice(&self, evaluation: &Evaluation<'_>) -> Noticed {
        self.history.compare(evaluation)
    }
}

impl GoogleConnector {
    async fn with_history(&self, state: &dyn ScanState) -> Result<WithHistory<'_>> {
        Ok(WithHistory {
            connector: self,
            history: History::load(state).await?,
        })
    }

    fn scan_workspace(&self) -> Result<&Workspace> {
        self.scan
            .as_ref()
            .ok_or_else(|| Error::unexpected("a scanner without a credential"))
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
        workspace: &Workspace,
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
        let read = self.read(cx, workspace, stream, place, page).await?;
        let is_done = read != Reading::GoesOn;
        let reason = match read {
            Reading::Not(reason) => Some(reason),
            Reading::Ended | Reading::GoesOn => None,
        };
        // Both logs feed the same checks, of which the first to be read tells.
        if is_done && (stream != Stream::UserAccounts || reason.is_some()) {
            let needs = format!(
                "{}, and an administrator who may read it",
                stream.scope().url()
            );
            let told = |check| stream_verdict(check, stream.name(), &needs, reason);
            page.verdicts
                .extend(stream.checks().into_iter().filter_map(told));
        }
        page.progress = Some(Progress {
            done: turn as u64 + u64::from(is_done),
            total: Some(Stream::ALL.len() as u64),
        });
        Ok(Phase::Stream(turn + usize::from(is_done)))
    }

    /// Reads a page. A refusal that concerns this stream alone leaves its checks not evaluated and its
    /// place where it was, and the others go on; it is asked again when the settings are.
    async fn read(
        &self,
        cx: &OpContext,
        workspace: &Workspace,
        stream: Stream,
        place: &mut Place,
        page: &mut ScanPage,
    ) -> Result<Reading> {
        let closed = place.closed.filter(|(at, _)| !self.settings.is_due(*at));
        if let Some((_, reason)) = closed {
            return Ok(Reading::Not(reason));
        }
        let batch = match workspace.open(cx, &[stream.scope()]).await {
            Ok(_) => streams::read(workspace, cx, stream, place, self.earliest()).await,
            Err(error) => Err(error),
        };
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                // A token that no longer works is not followed for ever.
                place.next = None;
                let reason = reason(&error).ok_or(error)?;
                place.closed = is_lasting(reason).then(|| (self.clock.now(), reason));
                return Ok(Reading::Not(reason));
            }
        };
        place.closed = None;
        let is_read = place.note(&batch);
        page.signals = batch.signals;
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
        _ if error.is_retryable() => None,
        // Of an interface, that it is switched off; otherwise of the key.
        ErrorKind::ConfigInvalid if error.operation() != crate::auth::TOKEN => {
            Some(NotEvaluatedReason::VendorError)
        }
        ErrorKind::Unauthenticated | ErrorKind::ConfigInvalid => None,
        _ => Some(NotEvaluatedReason::VendorError),
    }
}

fn is_lasting(reason: NotEvaluatedReason) -> bool {
    reason == NotEvaluatedReason::MissingPermission
}
