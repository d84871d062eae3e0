//! Find out: what became of an action that began and whose end nobody heard, or that the vendor has in
//! hand. The vendor is asked, and what can safely be begun again begins again.

use std::time::Duration;

use super::Tenant;
use super::apply::{PROBE_AGAIN, TRY_AGAIN, plain};
use super::records::put_intent;
use crate::clock::later;
use crate::connector::Probe;
use crate::error::{Error, ErrorKind, Result};
use crate::kill_point;
use crate::model::{
    Action, ActionKind, Actor, Attributes, ConnectorName, EffectClass, Intent, IntentState,
    Outcome, OutcomeStatus,
};
use crate::store::{Commit, Expect, Query, RecordKind};

/// How often a change that a vendor's outage keeps from happening is attempted. Messages to sinks are
/// attempted for longer: see [`super::queue`].
const MAX_ATTEMPTS: u32 = 6;

/// How often a vendor that has something in hand is asked at least.
const FOLLOW_AT_LEAST: Duration = Duration::from_hours(1);

/// Why nothing came of an action that somebody at the vendor stopped.
const CALLED_OFF: &str = "somebody at the vendor called it off";

impl Tenant {
    /// Asks again, now, what a vendor has in hand and says has moved.
    pub(super) async fn ask_again(&self, at: &ConnectorName) -> Result<()> {
        let unknown = Query::all(RecordKind::Intent).in_states(&[IntentState::Unknown.as_str()]);
        let mut steps = Vec::new();
        for found in self.read_all::<Intent>(unknown).await? {
            let intent = &found.value;
            if intent.action.target.connector() != at {
                continue;
            }
            let put = put_intent(intent, found.expect())?.due(Some(self.now()));
            match self
                .store()
                .commit(self.id(), Commit::default().put(put))
                .await
            {
                // Whoever was faster asks.
                Err(error) if error.kind() == ErrorKind::Conflict => continue,
                committed => committed?,
            };
            let id = intent.action.id.as_str();
            for claimed in self.claim(vec![id.to_owned()], 1).await? {
                self.work(claimed).await?;
            }
            steps.extend(self.step(id).await?);
        }
        #[cfg(feature = "people")]
        Box::pin(self.workflows_after(&steps)).await?;
        Ok(())
    }

    /// The vendor may have acted: asks it, once, right away.
    pub(super) async fn find_out_after(
        &self,
        intent: Intent,
        fence: u64,
        error: &Error,
    ) -> Result<()> {
        match self.probe(&intent.action).await {
            Ok(Probe::Happened(state)) => {
                let reason = "the answer was lost; a probe found it done";
                self.finish_probed(intent, OutcomeStatus::Applied, reason, state, fence)
                    .await
            }
            Ok(Probe::DidNotHappen(_))
                if self.is_not_given_up(&intent) && self.may_begin_again(&intent) =>
            {
                self.begin_later(intent, fence, error).await
            }
            Ok(Probe::CannotTell) if error.is_untouched() => {
                self.try_untouched_again(intent, fence, error).await
            }
            Ok(Probe::Underway { reason, state }) => {
                self.follow(intent, fence, &reason, state).await
            }
            Ok(Probe::CalledOff(state)) => {
                self.finish_probed(intent, OutcomeStatus::Refused, CALLED_OFF, state, fence)
                    .await
            }
            Ok(Probe::DidNotHappen(state)) => {
                let reason = plain(error);
                self.finish_probed(intent, OutcomeStatus::Failed, &reason, state, fence)
                    .await
            }
            Ok(Probe::CannotTell) | Err(_) => {
                let outcome = self.outcome(OutcomeStatus::Unknown, &plain(error));
                let expect = Expect::FenceAndRelease(fence);
                self.conclude(intent, outcome, expect, &Actor::engine())
                    .await
            }
        }
    }

    /// The vendor did nothing, so that even what must not be repeated may begin again.
    async fn try_untouched_again(&self, intent: Intent, fence: u64, error: &Error) -> Result<()> {
        if self.is_not_given_up(&intent) {
            return self.begin_later(intent, fence, error).await;
        }
        let outcome = self.outcome(OutcomeStatus::Failed, &plain(error));
        let expect = Expect::FenceAndRelease(fence);
        self.conclude(intent, outcome, expect, &Actor::engine())
            .await
    }

    /// The vendor is not there for the moment: the approval still counts, so the intent waits.
    async fn begin_later(&self, mut intent: Intent, fence: u64, error: &Error) -> Result<()> {
        let doublings = intent.attempts.saturating_sub(1).min(6);
        let wait = error
            .retry_after()
            .unwrap_or_default()
            .max(TRY_AGAIN * (1 << doublings));
        let wait = jiff::SignedDuration::try_from(wait).unwrap_or(jiff::SignedDuration::MAX);
        let at = self.now().checked_add(wait).ok();
        intent.state = IntentState::Ready;
        intent.last_error = Some(plain(error));
        let facts = self.action_facts(&intent).await?;
        let commit = Commit::default()
            .put(put_intent(&intent, Expect::FenceAndRelease(fence))?.due(at))
            .append(self.entry("action.delayed", &Actor::engine(), facts));
        self.store().commit(self.id(), commit).await.map(drop)
    }

    /// Somebody began and did not finish, or the outcome is unknown: asks the vendor, and begins
    /// again only what can safely be begun again.
    pub(super) async fn find_out(&self, mut intent: Intent, fence: u64) -> Result<()> {
        let probe = self.probe(&intent.action).await;
        kill_point("apply.after_probe");
        match probe {
            Ok(Probe::Happened(state)) => {
                let reason = "found done by a probe";
                self.finish_probed(intent, OutcomeStatus::Applied, reason, state, fence)
                    .await
            }
            Ok(Probe::DidNotHappen(_)) if self.may_begin_again(&intent) => {
                intent.state = IntentState::Ready;
                intent.outcome = None;
                let facts = self.action_facts(&intent).await?;
                let commit = Commit::default()
                    .put(put_intent(&intent, Expect::FenceAndRelease(fence))?)
                    .append(self.entry("action.begun_again", &Actor::engine(), facts));
                self.store().commit(self.id(), commit).await.map(drop)
            }
            Ok(Probe::DidNotHappen(state)) => {
                let reason = "a probe found it not done; it is not sent again by itself";
                self.finish_probed(intent, OutcomeStatus::Failed, reason, state, fence)
                    .await
            }
            Ok(Probe::Underway { reason, state }) => {
                self.follow(intent, fence, &reason, state).await
            }
            Ok(Probe::CalledOff(state)) => {
                self.finish_probed(intent, OutcomeStatus::Refused, CALLED_OFF, state, fence)
                    .await
            }
            Ok(Probe::CannotTell) | Err(_) => {
                let reason = "the vendor could not say whether it was done";
                let outcome = self.outcome(OutcomeStatus::Unknown, reason);
                let expect = Expect::FenceAndRelease(fence);
                self.conclude(intent, outcome, expect, &Actor::engine())
                    .await
            }
        }
    }

    /// The vendor has it in hand: it is asked again later, each time after a quarter of the time that
    /// has passed. Only news is worth an entry.
    async fn follow(
        &self,
        intent: Intent,
        fence: u64,
        reason: &str,
        state: Attributes,
    ) -> Result<()> {
        let now = self.now();
        let age = Duration::try_from(now.duration_since(intent.created_at)).unwrap_or_default();
        let wait = (age / 4).clamp(PROBE_AGAIN, FOLLOW_AT_LEAST);
        let is_known = intent.state == IntentState::Unknown
            && intent
                .outcome
                .as_ref()
                .is_some_and(|outcome| outcome.reason == reason);
        if is_known {
            let put = put_intent(&intent, Expect::FenceAndRelease(fence))?;
            let put = put.due(Some(later(now, wait)));
            return self
                .store()
                .commit(self.id(), Commit::default().put(put))
                .await
                .map(drop);
        }
        self.finish_probed(intent, OutcomeStatus::Unknown, reason, state, fence)
            .await
    }

    async fn probe(&self, action: &Action) -> Result<Probe> {
        let connector = self.connector(action.target.connector())?;
        let cx = self.op(Actor::engine(), self.vendor_budget());
        if action.kind.tells() {
            return self.probe_delivery(connector, &cx, action).await;
        }
        match connector.as_remediator() {
            Some(remediator) => remediator.probe(&cx, action).await,
            None => Ok(Probe::CannotTell),
        }
    }

    fn is_not_given_up(&self, intent: &Intent) -> bool {
        match intent.action.kind {
            // What is told once a month is worth the whole time of its approval.
            ActionKind::ReportUsage => true,
            kind if kind.tells() || intent.action.workflow().is_some() => !self.is_too_old(intent),
            _ => intent.attempts < MAX_ATTEMPTS,
        }
    }

    fn may_begin_again(&self, intent: &Intent) -> bool {
        let class = self.effect_class(&intent.action);
        !matches!(class, None | Some(EffectClass::NonIdempotent))
    }

    /// How the action behaves when it is attempted twice; `None` where its connector is gone.
    pub(super) fn effect_class(&self, action: &Action) -> Option<EffectClass> {
        let connector = self.connector(action.target.connector()).ok()?;
        connector.capability().actions.get(&action.kind).copied()
    }

    async fn finish_probed(
        &self,
        intent: Intent,
        status: OutcomeStatus,
        reason: &str,
        state: Attributes,
        fence: u64,
    ) -> Result<()> {
        let outcome = Outcome {
            after: state,
            ..self.outcome(status, reason)
        };
        let expect = Expect::FenceAndRelease(fence);
        self.conclude(intent, outcome, expect, &Actor::engine())
            .await
    }
}
