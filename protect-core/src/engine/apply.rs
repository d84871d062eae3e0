//! Apply: each intent is attempted once, and what came of it is known or said to be unknown.
//!
//! Two transactions: `attempt started` before the vendor is called, the outcome after. Between
//! them only the lease's fence protects the intent, so whoever comes back after a crash or a pause
//! finds it in flight and asks the vendor what happened before doing anything.

use std::fmt;
use std::time::Duration;

use futures::lock::MutexGuard;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lanes::Job;
use super::observe::{CONFLICT_RETRIES, too_busy};
use super::queue::is_kept_waiting;
use super::records::put_intent;
use super::rule_limits::TRIED_OUT;
use super::{Tenant, guard};
use crate::connector::AppliedStatus;
use crate::error::{Error, ErrorKind, Result};
use crate::kill_point;
use crate::model::{
    Action, ActionTarget, Actor, ActorKind, ApprovedPlan, Attributes, GuardDecision, Intent,
    IntentState, Mode, Outcome, OutcomeStatus, Permission, PlannedAction,
};
use crate::store::{Claim, Claimed, Commit, Expect, Query, RecordKind};

/// How long to wait before the second attempt; doubled for each further one.
pub(super) const TRY_AGAIN: Duration = Duration::from_mins(1);

/// How long to wait before the vendor is asked again what happened.
pub(super) const PROBE_AGAIN: Duration = Duration::from_mins(1);

/// Intents of which something is still to be done.
const AT_WORK: [IntentState; 3] = [
    IntentState::Ready,
    IntentState::InFlight,
    IntentState::Unknown,
];

/// What came of one action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The action.
    pub action: Action,
    /// What came of it; `None` where it still waits.
    pub outcome: Option<Outcome>,
    /// Why it waits, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<String>,
}

impl Step {
    /// The outcome's status, where there is one.
    pub fn status(&self) -> Option<OutcomeStatus> {
        self.outcome.as_ref().map(|outcome| outcome.status)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.status().map_or("waits", OutcomeStatus::as_str);
        write!(f, "{:<10} {}", word, self.action.kind)?;
        match &self.action.target {
            ActionTarget::Account(account) => write!(f, " {} {}", account.connector, account.id)?,
            ActionTarget::Setting { connector } | ActionTarget::Sink { connector } => {
                write!(f, " {connector}")?;
            }
        }
        let why = self.waits.as_deref().or_else(|| {
            let reason = self.outcome.as_ref().map(|outcome| outcome.reason.as_str());
            reason.filter(|reason| !reason.is_empty())
        });
        why.map_or(Ok(()), |why| write!(f, ": {why}"))
    }
}

impl Tenant {
    /// Attempts every action of an approved plan and says what came of each, in the plan's order. What
    /// concerns one target is attempted in order, other targets beside it. An action that was attempted
    /// before is not attempted again; its outcome is given.
    ///
    /// # Errors
    /// `invalid_input` for another tenant's plan; `store`. What goes wrong at a vendor is an outcome, not
    /// an error.
    pub async fn apply(&self, approved: ApprovedPlan) -> Result<Vec<Step>> {
        if approved.plan().tenant != *self.id() {
            return Err(Error::invalid_input("this plan is another tenant's"));
        }
        let planned = &approved.plan().actions;
        let is_refused = |it: &PlannedAction| it.guard.decision == GuardDecision::Refuse;
        let wanted = planned.iter().filter(|it| !is_refused(it));
        let jobs = wanted.map(|it| Job::of(&it.action)).collect();
        Box::pin(self.work_on(jobs)).await?;
        let mut steps = Vec::with_capacity(planned.len());
        for planned in planned {
            if is_refused(planned) {
                steps.push(refused(planned, self.now()));
            } else {
                steps.extend(self.step(planned.action.id.as_str()).await?);
            }
        }
        #[cfg(feature = "people")]
        Box::pin(self.workflows_after(&steps)).await?;
        Ok(steps)
    }

    /// Attempts whatever was approved and waits, ends what was to end by itself, and asks vendors
    /// about what is in flight or unknown. What a restart does first.
    ///
    /// # Errors
    /// `store`.
    pub async fn apply_waiting(&self) -> Result<Vec<Step>> {
        self.end_temporary().await?;
        let mut steps = Vec::new();
        loop {
            let worked = Box::pin(self.work_on(self.waiting().await?)).await?;
            for key in &worked.keys {
                steps.extend(self.step(key).await?);
            }
            if worked.keys.is_empty() || worked.stopped {
                break;
            }
        }
        #[cfg(feature = "people")]
        Box::pin(self.workflows_after(&steps)).await?;
        Ok(steps)
    }

    /// The intents that are due, those that became so first before the others.
    async fn waiting(&self) -> Result<Vec<Job>> {
        let query = Query::all(RecordKind::Intent)
            .in_states(&AT_WORK.map(IntentState::as_str))
            .due_by(self.now());
        let mut intents = self.read_all::<Intent>(query).await?;
        intents.sort_by_key(|intent| intent.value.begins_at());
        let actions = intents.iter().map(|intent| &intent.value.action);
        Ok(actions.map(Job::of).collect())
    }

    /// A person settles what no probe could: the vendor did it, or did not.
    ///
    /// # Errors
    /// `permission_denied`; `not_found`; `conflict` where the outcome is known already; `invalid_input` for a status
    /// that settles nothing.
    pub async fn settle(
        &self,
        action: &crate::model::ActionId,
        status: OutcomeStatus,
        actor: &Actor,
        reason: &str,
    ) -> Result<Step> {
        actor.need(Permission::RemediationsApprove)?;
        if !matches!(status, OutcomeStatus::Applied | OutcomeStatus::Failed) {
            return Err(Error::invalid_input("settle as `applied` or as `failed`"));
        }
        let found = self
            .read::<Intent>(RecordKind::Intent, action.as_str())
            .await?;
        let found = found.ok_or_else(|| Error::new(ErrorKind::NotFound, "no such action"))?;
        if found.value.state != IntentState::Unknown {
            return Err(Error::new(
                ErrorKind::Conflict,
                "only an unknown outcome is settled by hand",
            ));
        }
        let expect = found.expect();
        let outcome = self.outcome(status, reason);
        self.conclude(found.value, outcome, expect, actor).await?;
        let step = self.step(action.as_str()).await?;
        step.ok_or_else(|| Error::unexpected("a settled action is gone"))
    }

    pub(super) async fn claim(&self, keys: Vec<String>, limit: usize) -> Result<Vec<Claimed>> {
        let claim = Claim {
            kind: RecordKind::Intent,
            states: AT_WORK.map(|state| state.as_str().to_owned()).to_vec(),
            tenant: Some(self.id().clone()),
            keys,
            now: self.now(),
            lease: self.shared.lease,
            limit,
        };
        self.store().claim(claim).await
    }

    /// Does what a leased intent needs; `false` where everything has to wait.
    pub(super) async fn work(&self, claimed: Claimed) -> Result<bool> {
        let fence = claimed.fence;
        let intent: Intent = claimed.record.read()?;
        let worked = match intent.state {
            IntentState::Ready => self.attempt(intent, fence).await,
            IntentState::InFlight | IntentState::Unknown => {
                self.find_out(intent, fence).await.map(|()| true)
            }
            IntentState::Done => Ok(true),
        };
        match worked {
            // We took longer than the lease and somebody else looks after it now.
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(true),
            worked => worked,
        }
    }

    async fn attempt(&self, mut intent: Intent, fence: u64) -> Result<bool> {
        if self.mode() == Mode::DryRun || self.paused().await?.is_some() {
            self.hand_back(&intent, fence).await?;
            return Ok(false);
        }
        if let Some(wait) = self.behind_another(&intent).await? {
            self.wait_in_line(intent, fence, wait).await?;
            return Ok(true);
        }
        if let Some(outcome) = self.stops_before(&intent).await? {
            let actor = Actor::engine();
            self.conclude(intent, outcome, Expect::FenceAndRelease(fence), &actor)
                .await?;
            return Ok(true);
        }
        kill_point("apply.before_attempt");
        let counting = self.counts_alone(&intent).await;
        if let Some(wait) = self.rule_may_act_at(&intent).await? {
            self.wait_for_rule(intent, fence, wait).await?;
            return Ok(true);
        }
        if let Some(outcome) = self.is_one_too_many(&intent).await? {
            let actor = Actor::engine();
            self.conclude(intent, outcome, Expect::FenceAndRelease(fence), &actor)
                .await?;
            return Ok(true);
        }
        intent.state = IntentState::InFlight;
        intent.attempts += 1;
        let mut commit = Commit::default().put(put_intent(&intent, Expect::Fence(fence))?);
        commit.changes.extend(self.count_attempt(&intent.action)?);
        commit.changes.extend(self.count_for_rule(&intent.action)?);
        let approved_by = intent.approved_by.clone();
        let facts = self.action_facts(&intent).await?;
        commit = commit.append(
            self.entry_by("action.attempted", &approved_by, facts)
                .await?,
        );
        self.store().commit(self.id(), commit).await?;
        drop(counting);
        kill_point("apply.after_attempt");
        let result = self.act(&intent).await;
        kill_point("apply.after_vendor");
        match result {
            Ok(outcome) => {
                let expect = Expect::FenceAndRelease(fence);
                self.conclude(intent, outcome, expect, &approved_by).await?;
            }
            Err(error) if !error.is_retryable() => {
                let outcome = self.outcome(OutcomeStatus::Failed, &plain(&error));
                let expect = Expect::FenceAndRelease(fence);
                self.conclude(intent, outcome, expect, &approved_by).await?;
            }
            Err(error) => self.find_out_after(intent, fence, &error).await?,
        }
        kill_point("apply.after_outcome");
        Ok(true)
    }

    /// Why an approved action must not be attempted after all: asked just before the effect.
    async fn stops_before(&self, intent: &Intent) -> Result<Option<Outcome>> {
        let now = self.now();
        if now >= intent.approval_expires_at && !is_kept_waiting(intent) {
            let reason = "the approval lapsed before the attempt";
            return Ok(Some(self.outcome(OutcomeStatus::Expired, reason)));
        }
        let action = &intent.action;
        let rule = self.rule_behind(&action.requested_by);
        if rule.is_some_and(|rule| rule.dry_run) {
            return Ok(Some(self.outcome(OutcomeStatus::Refused, TRIED_OUT)));
        }
        if action.kind.tells() {
            return Ok(None);
        }
        let connector = self.connector(action.target.connector())?;
        let Some(remediator) = connector.as_remediator() else {
            let reason = "the connection has no `respond` credential any more";
            return Ok(Some(self.outcome(OutcomeStatus::Refused, reason)));
        };
        let cx = self.op(intent.approved_by.clone(), self.vendor_budget());
        let Ok(mut preview) = remediator.preview(&cx, action).await else {
            // The attempt itself will say what is wrong; a guard that needs the state now was
            // asked at planning.
            return Ok(None);
        };
        let reversal = self.reversal(action, &preview).await?;
        let account = match &action.target {
            ActionTarget::Account(target) => {
                self.known_account(&self.people_around(target).await?, target)
            }
            ActionTarget::Setting { .. } | ActionTarget::Sink { .. } => None,
        };
        let account = account.as_ref();
        preview.protection = preview.protection.or(self.protected_elsewhere(account));
        let verdict = guard::judge(self.config(), action, &preview, account, &reversal);
        if verdict.decision == GuardDecision::Refuse {
            let reason = verdict.reasons.join("; ");
            return Ok(Some(self.outcome(OutcomeStatus::Refused, &reason)));
        }
        Ok(None)
    }

    /// Of what rules ask for, one attempt after another is judged and counted: of many at once none slips
    /// past a limit.
    async fn counts_alone(&self, intent: &Intent) -> Option<MutexGuard<'_, ()>> {
        let by_rule = [&intent.action.requested_by, &intent.approved_by]
            .iter()
            .any(|actor| actor.kind == ActorKind::Rule);
        if by_rule {
            Some(self.parts.counting.lock().await)
        } else {
            None
        }
    }

    /// Why a rule must not change one more account now.
    async fn is_one_too_many(&self, intent: &Intent) -> Result<Option<Outcome>> {
        if intent.approved_by.kind != ActorKind::Rule || intent.action.kind.tells() {
            return Ok(None);
        }
        let mut limits = self.blast_radius().await?;
        let verdict = limits.judge(&intent.action, guard::allow());
        if verdict.decision == GuardDecision::Allow {
            return Ok(None);
        }
        let reason = verdict.reasons.join("; ");
        Ok(Some(self.outcome(OutcomeStatus::Expired, &reason)))
    }

    /// Calls the vendor.
    async fn act(&self, intent: &Intent) -> Result<Outcome> {
        let action = &intent.action;
        let connector = self.connector(action.target.connector())?;
        let cx = self.op(action.requested_by.clone(), self.vendor_budget());
        let cx = cx.with_approval(self.who_consented(&intent.approved_by));
        if action.kind.tells() {
            return self.deliver(connector, &cx, action).await;
        }
        let remediator = connector.as_remediator().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "the connection has no `respond` credential",
            )
        })?;
        let applied = remediator.apply(&cx, action).await?;
        let status = match applied.status {
            AppliedStatus::Applied => OutcomeStatus::Applied,
            AppliedStatus::AlreadySo => OutcomeStatus::AlreadySo,
            AppliedStatus::Refused => OutcomeStatus::Refused,
            AppliedStatus::NotConfirmed => OutcomeStatus::Unknown,
        };
        Ok(Outcome {
            before: applied.before,
            after: applied.after,
            ..self.outcome(status, &applied.reason)
        })
    }

    /// Who stands behind a consent: of a rule, whoever decided that it needs nobody's.
    fn who_consented(&self, approved_by: &Actor) -> Actor {
        let enabled_by = self.enabled_by(approved_by).map(Actor::unverified);
        enabled_by.unwrap_or_else(|| approved_by.clone())
    }

    /// Stores an outcome. A terminal one ends the intent for good.
    pub(super) async fn conclude(
        &self,
        mut intent: Intent,
        outcome: Outcome,
        expect: Expect,
        actor: &Actor,
    ) -> Result<()> {
        let status = outcome.status;
        intent.state = if status.is_terminal() {
            IntentState::Done
        } else {
            IntentState::Unknown
        };
        if status == OutcomeStatus::Applied {
            intent.undo_at = intent.action.lasts.and_then(|lasts| {
                let lasts = jiff::SignedDuration::try_from(lasts).ok()?;
                outcome.at.checked_add(lasts).ok()
            });
        }
        intent.outcome = Some(outcome);
        let mut put = put_intent(&intent, expect)?;
        if intent.state == IntentState::Unknown {
            let wait = jiff::SignedDuration::try_from(PROBE_AGAIN).unwrap_or_default();
            put = put.due(self.now().checked_add(wait).ok());
        }
        let facts = self.action_facts(&intent).await?;
        let kind = if status.is_terminal() {
            "action.finished"
        } else {
            "action.unknown"
        };
        let ended = Commit::default()
            .put(put)
            .append(self.entry_by(kind, actor, facts).await?);
        let mut conflict = too_busy();
        for _ in 0..CONFLICT_RETRIES {
            let mut commit = ended.clone();
            commit
                .changes
                .extend(self.incident_contained(&intent).await?);
            match self.store().commit(self.id(), commit).await {
                // Another action of the same incident ended at the same moment; or the intent is somebody
                // else's by now, which no further look changes.
                Err(error) if error.kind() == ErrorKind::Conflict => conflict = error,
                result => return result.map(drop),
            }
        }
        Err(conflict)
    }

    /// Gives a lease back without having done anything.
    async fn hand_back(&self, intent: &Intent, fence: u64) -> Result<()> {
        let put = put_intent(intent, Expect::FenceAndRelease(fence))?;
        self.store()
            .commit(self.id(), Commit::default().put(put))
            .await
            .map(drop)
    }

    /// What an intent looks like now, for people.
    pub(super) async fn step(&self, id: &str) -> Result<Option<Step>> {
        let Some(intent) = self.read::<Intent>(RecordKind::Intent, id).await? else {
            return Ok(None);
        };
        let intent = intent.value;
        let waits = match (&intent.outcome, self.paused().await?) {
            (Some(_), _) => None,
            (None, Some(pause)) => Some(format!("paused by {}: {}", pause.by, pause.reason)),
            (None, None) => Some(intent.last_error.map_or_else(
                || match intent.action.not_before() {
                    Some(at) if at > self.now() => format!("it is due at {at}"),
                    _ => format!("the intent is {}", intent.state.as_str()),
                },
                |error| match intent.attempts {
                    0 => error,
                    1 => format!("tried once, will be tried again; {error}"),
                    many => format!("tried {many} times, will be tried again; {error}"),
                },
            )),
        };
        Ok(Some(Step {
            action: intent.action,
            outcome: intent.outcome,
            waits,
        }))
    }

    pub(crate) fn outcome(&self, status: OutcomeStatus, reason: &str) -> Outcome {
        Outcome {
            status,
            reason: reason.to_owned(),
            before: Attributes::new(),
            after: Attributes::new(),
            vendor_reference: None,
            at: self.now(),
        }
    }
}

/// An error's kind and message, without what only a log needs.
pub(super) fn plain(error: &Error) -> String {
    format!("{}: {}", error.kind(), error.message())
}

fn refused(planned: &crate::model::PlannedAction, at: jiff::Timestamp) -> Step {
    Step {
        action: planned.action.clone(),
        outcome: Some(Outcome {
            status: OutcomeStatus::Refused,
            reason: planned.guard.reasons.join("; "),
            before: Attributes::new(),
            after: Attributes::new(),
            vendor_reference: None,
            at,
        }),
        waits: None,
    }
}

#[cfg(test)]
impl Tenant {
    /// Leaves the first action as a process that died between its two transactions would.
    pub(crate) async fn abandon_in_flight(&self, approved: &ApprovedPlan) {
        let id = approved.plan().actions[0].action.id.to_string();
        let claimed = self.claim(vec![id], 1).await.unwrap().remove(0);
        let mut intent: Intent = claimed.record.read().unwrap();
        intent.state = IntentState::InFlight;
        let put = put_intent(&intent, Expect::Fence(claimed.fence)).unwrap();
        self.store()
            .commit(self.id(), Commit::default().put(put))
            .await
            .unwrap();
    }
}
