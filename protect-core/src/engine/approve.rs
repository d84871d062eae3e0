//! Approve: somebody's consent to exactly one plan turns its actions into intents.

use jiff::Timestamp;
use serde_json::Value;

use super::Tenant;
use super::decide::{plan_id, put_plan};
use super::records::{Versioned, put_intent};
use crate::clock::later;
use crate::config::{ApprovalMode, SelfApproval, UnverifiedActors};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Action, Actor, ActorKind, Approval, ApprovedPlan, Attributes, Authority, ConnectorName,
    GuardDecision, Intent, IntentState, Mode, Permission, Plan, PlanId, PlannedAction, Role,
};
use crate::store::{Commit, Expect, Put, RecordKind};

impl Tenant {
    /// Consents to a plan. What the guards refuse stays refused; everything else becomes an intent,
    /// stored before anything is attempted.
    ///
    /// # Errors
    /// `permission_denied` where the actor's role does not allow it; `refused` in `dry_run`, for the
    /// requester's own manual request (`approval.self`), and for an actor who only typed a name where
    /// the tenant refuses those; `conflict` where a newer plan replaced this one, or somebody rejected
    /// it; `invalid_input` where the plan is not the one that was made.
    pub async fn approve(&self, plan: Plan, actor: &Actor) -> Result<ApprovedPlan> {
        self.may_approve(&plan, actor)?;
        let wanted = |planned: &&PlannedAction| planned.guard.decision != GuardDecision::Refuse;
        let actions = plan
            .actions
            .iter()
            .filter(wanted)
            .map(|planned| &planned.action);
        let actions: Vec<Action> = actions.cloned().collect();
        let until = self.approval_ends();
        self.consent(plan, (actor, None), actions, until).await
    }

    /// Consents to a stored plan by its id; see [`Tenant::approve`].
    ///
    /// # Errors
    /// As for [`Tenant::approve`], and `not_found`.
    pub async fn approve_by_id(&self, id: &PlanId, actor: &Actor) -> Result<ApprovedPlan> {
        let plan = self.plan_by_id(id).await?;
        self.approve(plan, actor).await
    }

    /// A plan that somebody consented to, as it was stored: for a caller who holds only its id.
    ///
    /// # Errors
    /// `not_found` where there is no such plan; `refused` where nobody approved it.
    pub async fn approved_by_id(&self, id: &PlanId) -> Result<ApprovedPlan> {
        let plan = self.plan_by_id(id).await?;
        let approval = self
            .read::<Approval>(RecordKind::Approval, id.as_str())
            .await?
            .ok_or_else(|| self.refused("nobody approved this plan; `approve` it first"))?;
        Ok(ApprovedPlan::new(plan, approval.value))
    }

    /// Turns those actions of a plan into intents that the tenant's rules allow without anybody's
    /// consent (`approval = "auto"`) and the guards allow too. `None` where there are none.
    ///
    /// # Errors
    /// `store`.
    pub async fn approve_automatic(&self, plan: Plan) -> Result<Option<ApprovedPlan>> {
        if plan.mode == Mode::DryRun {
            return Ok(None);
        }
        let automatic = |planned: &&PlannedAction| {
            planned.guard.decision == GuardDecision::Allow
                && self.enabled_by(&planned.action.requested_by).is_some()
        };
        let actions = plan
            .actions
            .iter()
            .filter(automatic)
            .map(|planned| &planned.action);
        let actions: Vec<Action> = actions.cloned().collect();
        let Some(first) = actions.first() else {
            return Ok(None);
        };
        let by = first.requested_by.clone();
        let by = (&by, self.enabled_by(&by));
        let until = self.approval_ends();
        self.consent(plan, by, actions, until).await.map(Some)
    }

    fn may_approve(&self, plan: &Plan, actor: &Actor) -> Result<()> {
        actor.need(Permission::RemediationsApprove)?;
        if plan.tenant != *self.id() || plan.id != plan_id(self, &plan.actions)? {
            return Err(Error::invalid_input(
                "this is not the plan that was made; make it again with `plan`",
            ));
        }
        if plan.mode == Mode::DryRun {
            return Err(self.refused(
                "the mode is dry_run; set `mode = \"enforce\"` to let anything be changed",
            ));
        }
        let approval = &self.config().approval;
        if actor.is_unverified() && approval.unverified == UnverifiedActors::Refuse {
            return Err(self.refused("this tenant wants approvals by actors who logged in"));
        }
        let is_own = |planned: &PlannedAction| {
            let requester = &planned.action.requested_by;
            requester.kind == ActorKind::Person && requester.id == actor.id
        };
        // A member never approves their own, whatever the tenant lets others do.
        let is_member = |authority: &Authority| authority.role == Role::Member;
        let never = actor.authority.as_ref().is_some_and(is_member);
        let refuses = never || approval.self_approval == SelfApproval::Refuse;
        if refuses && plan.actions.iter().any(is_own) {
            return Err(self.refused(
                "nobody approves their own request; somebody else must, or set `approval.self = \"allow_recorded\"`",
            ));
        }
        Ok(())
    }

    /// When a consent that is given now stops counting.
    pub(super) fn approval_ends(&self) -> Timestamp {
        later(self.now(), self.config().approval.expires)
    }

    /// When a consent stops counting for an action: as long after the moment it was made for.
    fn counts_until(&self, action: &Action, until: Timestamp) -> Timestamp {
        let begins = action.not_before();
        let expires = self.config().approval.expires;
        begins.map_or(until, |at| later(at, expires).max(until))
    }

    /// Stores a consent and the intents that it makes of `actions`. With the actor comes who decided
    /// that nobody else need be asked, where somebody did.
    pub(crate) async fn consent(
        &self,
        plan: Plan,
        (actor, enabled_by): (&Actor, Option<&str>),
        actions: Vec<Action>,
        until: Timestamp,
    ) -> Result<ApprovedPlan> {
        let now = self.now();
        let approval = Approval {
            plan: plan.id.clone(),
            by: actor.clone(),
            at: now,
            expires_at: until,
        };
        let stored = self
            .read::<Plan>(RecordKind::Plan, plan.id.as_str())
            .await?;
        let mut commit = Commit::default();
        if let Some(stored) = &stored {
            self.refuse_settled(&plan.id).await?;
            commit = commit.put(self.approved(stored).await?);
        }
        commit = commit.put(Put::new(RecordKind::Approval, plan.id.as_str(), &approval)?);
        let mut intents = 0_u32;
        for action in actions {
            let known = self
                .read::<Intent>(RecordKind::Intent, action.id.as_str())
                .await?;
            if known.is_some() {
                continue;
            }
            let intent = Intent {
                approval_expires_at: self.counts_until(&action, until),
                action,
                plan: plan.id.clone(),
                approved_by: actor.clone(),
                state: IntentState::Ready,
                attempts: 0,
                last_error: None,
                outcome: None,
                created_at: now,
                undo_at: None,
            };
            commit = commit.put(put_intent(&intent, Expect::Absent)?);
            intents += 1;
        }
        let mut facts = Attributes::new();
        facts.insert("plan".to_owned(), plan.id.as_str().into());
        facts.insert(
            "expires_at".to_owned(),
            approval.expires_at.to_string().into(),
        );
        facts.insert("intents".to_owned(), intents.into());
        if let Some(enabled_by) = enabled_by {
            facts.insert("enabled_by".to_owned(), enabled_by.into());
        }
        commit = commit.append(self.entry_by("plan.approved", actor, facts).await?);
        self.store().commit(self.id(), commit).await?;
        Ok(ApprovedPlan::new(plan, approval))
    }

    async fn refuse_settled(&self, id: &PlanId) -> Result<()> {
        let query = crate::store::Query::keys(RecordKind::Plan, vec![id.to_string()])
            .in_states(&["superseded", "rejected"]);
        let page = self.store().query(self.id(), query).await?;
        let message = match page.records.first().map(|record| record.state.as_str()) {
            None => return Ok(()),
            Some("rejected") => {
                "somebody rejected this plan; request the action anew to have it done"
            }
            Some(_) => "a newer plan replaced this one; look at it with `plan` and approve that",
        };
        Err(Error::new(ErrorKind::Conflict, message).with_context("plan", id.as_str()))
    }

    async fn approved(&self, stored: &Versioned<Plan>) -> Result<Put> {
        let id = stored.value.id.to_string();
        let page = self
            .store()
            .query(
                self.id(),
                crate::store::Query::keys(RecordKind::Plan, vec![id]),
            )
            .await?;
        let origin = page
            .records
            .into_iter()
            .next()
            .map_or(String::new(), |record| record.group);
        Ok(put_plan(&stored.value, "approved", &origin)?.expect(stored.expect()))
    }

    /// Who decided that what the program itself sends through this connector needs nobody's consent,
    /// where somebody did.
    pub(super) fn standing_consent(&self, connector: &ConnectorName) -> Option<String> {
        let settings = &self.config().connectors.get(connector)?.settings;
        let text = |name: &str| settings.get(name).and_then(Value::as_str);
        let enabled_by = text("enabled_by")?;
        (text("approval") == Some("auto")).then(|| enabled_by.to_owned())
    }

    /// Who decided that a rule needs nobody's consent, where it needs none.
    pub(super) fn enabled_by(&self, requester: &Actor) -> Option<&str> {
        match &self.rule_behind(requester)?.approval {
            ApprovalMode::Auto { enabled_by } => Some(enabled_by),
            ApprovalMode::Required => None,
        }
    }

    pub(crate) fn refused(&self, message: &str) -> Error {
        Error::new(ErrorKind::Refused, message).with_context("tenant", self.id().as_str())
    }
}
