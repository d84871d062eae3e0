//! What ends by itself: a temporary suspension is taken back when its time is over.

use super::Tenant;
use super::records::put_intent;
use crate::error::Result;
use crate::model::{Actor, Intent, IntentState};
use crate::store::{Claim, Commit, Expect, RecordKind};

/// Enough for the one transaction that a leased intent needs here.
const LEASE: std::time::Duration = std::time::Duration::from_mins(1);

impl Tenant {
    /// Turns every applied action whose time is over into the intent that undoes it. The consent
    /// to the action was a consent to its end.
    ///
    /// # Errors
    /// `store`.
    pub(crate) async fn end_temporary(&self) -> Result<()> {
        loop {
            let claim = Claim {
                kind: RecordKind::Intent,
                states: vec![IntentState::Done.as_str().to_owned()],
                tenant: Some(self.id().clone()),
                keys: Vec::new(),
                now: self.now(),
                lease: LEASE,
                limit: 1,
            };
            let Some(claimed) = self.store().claim(claim).await?.into_iter().next() else {
                return Ok(());
            };
            self.end_one(claimed.record.read()?, claimed.fence).await?;
        }
    }

    async fn end_one(&self, mut intent: Intent, fence: u64) -> Result<()> {
        let undo = self.undoing(&intent, Actor::engine(), "its time is over")?;
        let now = self.now();
        let ends = Intent {
            plan: intent.plan.clone(),
            approved_by: Actor::engine(),
            approval_expires_at: jiff::Timestamp::MAX,
            state: IntentState::Ready,
            attempts: 0,
            last_error: None,
            outcome: None,
            created_at: now,
            undo_at: None,
            action: undo,
        };
        intent.undo_at = None;
        let mut commit =
            Commit::default().put(put_intent(&intent, Expect::FenceAndRelease(fence))?);
        let begun = self
            .read::<Intent>(RecordKind::Intent, ends.action.id.as_str())
            .await?;
        if begun.is_none() {
            let facts = self.action_facts(&ends).await?;
            commit = commit
                .put(put_intent(&ends, Expect::Absent)?)
                .append(self.entry("action.ends", &Actor::engine(), facts));
        }
        self.store().commit(self.id(), commit).await.map(drop)
    }
}
