//! Events as signals: one page of one stream at a time, each stream with its own cursor.

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use jiff::Timestamp;
use protect_core::connector::{
    Connector as _, Cursor, OpContext, Progress, ScanPage, ScanRequest, Scanner,
};
use protect_core::model::{
    Attributes, CheckResult, Confidence, NotEvaluatedReason, RejectedItem, Severity, Signal,
    Verdict,
};
use protect_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::api::{EventStream, EventsApi, From};
use crate::connector::OnePasswordConnector;
use crate::detections;
use crate::model::{AuditEvent, EventPage, ItemUsage, SignInAttempt};
use crate::signals::{AUDIT, ITEM_USAGE, SIGN_IN};

#[async_trait]
impl Scanner for OnePasswordConnector {
    async fn scan(&self, cx: &OpContext, request: ScanRequest<'_>) -> Result<ScanPage> {
        let events = self
            .events
            .as_ref()
            .ok_or_else(|| Error::unexpected("a scanner without an events token"))?;
        let mut position = Position::read(request.cursor);
        if request.starts_run {
            position.turn = 0;
            position.features = None;
        }
        let features = match position.features.take() {
            Some(features) => features,
            None => events.introspect(cx).await?.0.features,
        };
        let mut page = ScanPage::default();
        if let Some(stream) = EventStream::ALL.get(position.turn).copied() {
            let state = position
                .streams
                .entry(stream.feature().to_owned())
                .or_default();
            let is_done = if features.iter().any(|feature| feature == stream.feature()) {
                self.read(cx, events, stream, state, &mut page).await?
            } else {
                let reason = "the Events API token does not have this feature";
                self.skip(
                    stream,
                    state,
                    NotEvaluatedReason::MissingPermission,
                    reason,
                    &mut page,
                );
                true
            };
            position.turn += usize::from(is_done);
        }
        page.more = position.turn < EventStream::ALL.len();
        page.progress = Some(progress(position.turn));
        position.features = page.more.then_some(features);
        page.cursor = Some(position.write()?);
        Ok(page)
    }
}

impl OnePasswordConnector {
    /// Reads one page of a stream; gives whether the stream is read to its end.
    ///
    /// A refusal that concerns this stream alone leaves its checks not evaluated and its cursor
    /// where it was, and the others go on.
    async fn read(
        &self,
        cx: &OpContext,
        events: &EventsApi,
        stream: EventStream,
        state: &mut StreamState,
        page: &mut ScanPage,
    ) -> Result<bool> {
        let batch = match self.fetch(cx, events, stream, state).await {
            Ok(batch) => batch,
            Err(error) if ends_the_run(&error) => return Err(error),
            Err(error) => {
                let reason = match error.kind() {
                    ErrorKind::Unauthenticated | ErrorKind::PermissionDenied => {
                        NotEvaluatedReason::MissingPermission
                    }
                    _ => NotEvaluatedReason::VendorError,
                };
                self.skip(stream, state, reason, &error.to_string(), page);
                return Ok(true);
            }
        };
        let is_stuck = batch.has_more && state.cursor.as_deref() == Some(batch.cursor.as_str());
        state.cursor = Some(batch.cursor);
        let mut seen = HashSet::new();
        for signal in batch.items {
            state.last_at = state.last_at.max(Some(signal.at));
            if seen.insert(signal.id.clone()) {
                page.signals.push(signal);
            }
        }
        page.signals.sort_by_key(|signal| signal.at);
        page.rejected = batch
            .rejected
            .into_iter()
            .map(|item| placed(item, stream))
            .collect();
        if is_stuck {
            let reason = "1Password says that there is more and gives the same cursor again";
            self.skip(stream, state, NotEvaluatedReason::VendorError, reason, page);
        } else if !batch.has_more && !state.is_read {
            state.is_read = true;
            page.verdicts = self.verdicts(stream, Verdict::Pass, None, READ);
        }
        Ok(is_stuck || !batch.has_more)
    }

    /// The page behind the stream's cursor. A cursor that the vendor no longer takes is dropped,
    /// and the stream read again from the last event seen: nothing is missed, and what comes twice
    /// is known by its id.
    async fn fetch(
        &self,
        cx: &OpContext,
        events: &EventsApi,
        stream: EventStream,
        state: &StreamState,
    ) -> Result<EventPage<Signal>> {
        let start = state.last_at.unwrap_or_else(|| self.earliest());
        let Some(cursor) = &state.cursor else {
            return page_of(cx, events, stream, From::Start(Some(start))).await;
        };
        match page_of(cx, events, stream, From::Cursor(cursor)).await {
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                page_of(cx, events, stream, From::Start(Some(start))).await
            }
            answer => answer,
        }
    }

    /// Where the very first poll begins.
    fn earliest(&self) -> Timestamp {
        let lookback = i64::try_from(self.lookback.as_secs()).unwrap_or(i64::MAX);
        self.clock
            .now()
            .checked_sub(jiff::SignedDuration::from_secs(lookback))
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn skip(
        &self,
        stream: EventStream,
        state: &mut StreamState,
        why: NotEvaluatedReason,
        reason: &str,
        page: &mut ScanPage,
    ) {
        state.is_read = false;
        page.verdicts = self.verdicts(stream, Verdict::NotEvaluated, Some(why), reason);
    }

    /// The same verdict for every check that looks at the stream.
    fn verdicts(
        &self,
        stream: EventStream,
        verdict: Verdict,
        not_evaluated: Option<NotEvaluatedReason>,
        reason: &str,
    ) -> Vec<CheckResult> {
        detections::enabled(&self.thresholds)
            .filter(|spec| spec.signals.contains(&signal_kind(stream)))
            .map(|spec| CheckResult {
                check: spec.id(),
                verdict,
                not_evaluated,
                severity: Severity::Info,
                reason: reason.to_owned(),
                affected: Vec::new(),
                source: format!("{} {}", self.info().name, stream.feature()),
                confidence: Confidence::High,
                references: Vec::new(),
                details: Attributes::new(),
            })
            .collect()
    }
}

/// Why a check of a stream that was read is no longer "not evaluated".
const READ: &str = "the events were read; whatever the check sees in them is a finding of its own";

/// Where each stream stands, and which comes next in this run. What the engine stores as an opaque
/// cursor.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Position {
    /// The stream to read next, as an index into [`EventStream::ALL`].
    turn: usize,
    /// What the token may read, asked once a run.
    features: Option<Vec<String>>,
    streams: BTreeMap<String, StreamState>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct StreamState {
    /// What the vendor gave last; kept where there was no more.
    cursor: Option<String>,
    /// The latest event seen.
    last_at: Option<Timestamp>,
    /// Whether the checks of the stream were last told that it can be read.
    is_read: bool,
}

impl Position {
    /// A cursor in a form that is not ours begins anew: events are known by their ids, so nothing
    /// is found twice.
    fn read(cursor: Option<&Cursor>) -> Self {
        cursor
            .and_then(|cursor| serde_json::from_str(&cursor.0).ok())
            .unwrap_or_default()
    }

    fn write(&self) -> Result<Cursor> {
        serde_json::to_string(self)
            .map(Cursor)
            .map_err(|error| Error::unexpected("a cursor has no JSON form").with_source(error))
    }
}

/// Whether nothing of the run can go on: the budget is shared by all streams, and the deadline too.
fn ends_the_run(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::RateLimited
            | ErrorKind::QuotaExceeded
            | ErrorKind::Timeout
            | ErrorKind::Cancelled
    )
}

async fn page_of(
    cx: &OpContext,
    events: &EventsApi,
    stream: EventStream,
    from: From<'_>,
) -> Result<EventPage<Signal>> {
    Ok(match stream {
        EventStream::SignIns => signals(events.events::<SignInAttempt>(cx, stream, from).await?),
        EventStream::ItemUsages => signals(events.events::<ItemUsage>(cx, stream, from).await?),
        EventStream::AuditEvents => signals(events.events::<AuditEvent>(cx, stream, from).await?),
    })
}

fn signals<T>(page: EventPage<T>) -> EventPage<Signal>
where
    Signal: std::convert::From<T>,
{
    EventPage {
        items: page.items.into_iter().map(Signal::from).collect(),
        rejected: page.rejected,
        cursor: page.cursor,
        has_more: page.has_more,
    }
}

fn signal_kind(stream: EventStream) -> &'static str {
    match stream {
        EventStream::SignIns => SIGN_IN,
        EventStream::ItemUsages => ITEM_USAGE,
        EventStream::AuditEvents => AUDIT,
    }
}

fn placed(item: RejectedItem, stream: EventStream) -> RejectedItem {
    RejectedItem {
        place: format!("{}.{}", stream.feature(), item.place),
        reason: item.reason,
    }
}

/// Streams, not events: how many events there are, the vendor does not say.
fn progress(done: usize) -> Progress {
    Progress {
        done: done as u64,
        total: Some(EventStream::ALL.len() as u64),
    }
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
