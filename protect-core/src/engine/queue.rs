//! The queue before each receiver: messages about one thing arrive in the order in which they were
//! approved, and a receiver that is down for days loses none.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Tenant;
use super::apply::TRY_AGAIN;
use super::records::{message_about, message_group, put_intent};
use crate::error::Result;
use crate::model::{ActionKind, ActionTarget, EffectClass, Intent, IntentState};
use crate::store::{Commit, Expect, Query, RecordKind};

/// For how long a message is attempted before it counts as failed. A change to an account that comes
/// late does harm; a message that comes late is still wanted.
const LONGEST_OUTAGE: Duration = Duration::from_hours(7 * 24);

/// Whether only the receiver, or the message before it, kept an approved message from going out while
/// its approval counted. Such a message is sent whenever that ends; but for a month's usage, which may
/// be told only for so long. The same holds for a step of a workflow.
pub(super) fn is_kept_waiting(intent: &Intent) -> bool {
    let is_message = intent.action.kind != ActionKind::ReportUsage
        && matches!(intent.action.target, ActionTarget::Sink { .. });
    // Access that was to end is still to end when the vendor is back.
    (is_message || intent.action.workflow().is_some())
        && (intent.attempts > 0 || intent.last_error.is_some())
}

impl Tenant {
    /// Whether a message was attempted for so long that it counts as failed.
    pub(super) fn is_too_old(&self, intent: &Intent) -> bool {
        let end = intent.begins_at().checked_add(LONGEST_OUTAGE);
        end.is_ok_and(|end| self.now() >= end)
    }

    /// When to look again, where an earlier message to the same receiver about the same thing still
    /// waits.
    pub(super) async fn behind_another(&self, intent: &Intent) -> Result<Option<Timestamp>> {
        let ActionTarget::Sink { connector } = &intent.action.target else {
            return Ok(None);
        };
        let waiting = [
            IntentState::Ready,
            IntentState::InFlight,
            IntentState::Unknown,
        ];
        let mut query = Query::all(RecordKind::Intent)
            .in_states(&waiting.map(IntentState::as_str))
            .in_groups(vec![message_group(
                connector,
                &message_about(&intent.action),
            )]);
        let mut wait = None;
        loop {
            let page = self.store().query(self.id(), query.clone()).await?;
            for record in &page.records {
                let other: Intent = record.read()?;
                if other.created_at < intent.created_at && !self.waits_for_a_person(&other) {
                    wait = wait.max(record.due);
                }
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        let after = SignedDuration::try_from(TRY_AGAIN).unwrap_or_default();
        Ok(wait.and_then(|due| due.max(self.now()).checked_add(after).ok()))
    }

    /// Puts a message back until the one before it is through.
    pub(super) async fn wait_in_line(
        &self,
        mut intent: Intent,
        fence: u64,
        until: Timestamp,
    ) -> Result<()> {
        intent.last_error = Some("an earlier message about the same still waits".to_owned());
        let put = put_intent(&intent, Expect::FenceAndRelease(fence))?.due(Some(until));
        self.store()
            .commit(self.id(), Commit::default().put(put))
            .await
            .map(drop)
    }

    /// Only a person settles an unknown message to a receiver that cannot be asked: the ones behind it
    /// do not wait for that.
    fn waits_for_a_person(&self, intent: &Intent) -> bool {
        let class = self.effect_class(&intent.action);
        intent.state == IntentState::Unknown && class == Some(EffectClass::NonIdempotent)
    }
}
