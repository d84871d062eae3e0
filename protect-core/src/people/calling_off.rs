//! Calling a workflow off: what was not attempted is not attempted any more, and what was done is planned to
//! be taken back. Until that plan is there the workflow says that it is owed, so that whoever looks after
//! workflows makes it where the process died in between.

use serde_json::json;

use super::aloud::Aloud;
use super::lifecycle::{Started, facts, is_open};
use super::plan::ends_access;
use super::records::{put_employee, put_workflow};
use super::review::LOOK_AFTER;
use super::role::{PeopleOperation, PeopleRole};
use crate::clock::later;
use crate::engine::{CONFLICT_RETRIES, Tenant, Wanted, check_reason, put_incident, too_busy};
use crate::error::{ErrorKind, Result};
use crate::model::{
    Action, ActionId, Actor, CalledOff, EmploymentStatus, OutcomeStatus, Workflow, WorkflowId,
    WorkflowKind, WorkflowStatus,
};
use crate::store::Commit;

impl Tenant {
    /// Calls off an offboarding or onboarding: what was not attempted is not attempted, and what was
    /// done is planned to be taken back. Approve and apply that plan to restore access.
    ///
    /// # Errors
    /// `not_found`; `conflict` where it is not open; `invalid_input` for a reason that is empty or holds
    /// an address; `store`.
    pub async fn cancel_workflow(
        &self,
        id: &WorkflowId,
        reason: &str,
        actor: &Actor,
    ) -> Result<Started> {
        PeopleRole::need(actor, PeopleOperation::ManageWorkflows)?;
        check_reason(reason)?;
        let workflow = self.workflow(id).await?;
        is_open(&workflow)?;
        for step in &workflow.steps {
            self.call_off(&step.action, actor, reason).await?;
        }
        let off = CalledOff {
            by: actor.clone(),
            reason: reason.to_owned(),
        };
        for _ in 0..CONFLICT_RETRIES {
            match self.cancel_once(id, &off).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    is_open(&self.workflow(id).await?)?;
                }
                Err(error) => return Err(error),
                Ok(workflow) => return self.take_back(workflow).await,
            }
        }
        Err(too_busy())
    }

    /// Calls it off in one transaction.
    ///
    /// # Errors
    /// `conflict` where it is not open, or changed meanwhile.
    async fn cancel_once(&self, id: &WorkflowId, off: &CalledOff) -> Result<Workflow> {
        let found = self.versioned_workflow(id).await?;
        let expect = found.expect();
        is_open(&found.value)?;
        let mut workflow = self.with_outcomes(found.value).await?;
        let now = self.now();
        let mut commit = Commit::default();
        if workflow.kind == WorkflowKind::Offboarding {
            let found = self.versioned_employee(&workflow.employee).await?;
            let expect = found.expect();
            let mut employee = found.value;
            let open = self.open_access_id(&workflow, &employee)?;
            let mut aloud = Aloud::of(self, &workflow).await?;
            aloud.resolve_all(self, &open, &mut commit)?;
            if let Some(incident) = aloud.incident_changed() {
                commit = commit.put(put_incident(&incident.value, incident.expect())?);
            }
            employee.last_day = None;
            if employee.status.has_left() {
                employee.status = EmploymentStatus::Active;
            }
            employee.updated_at = now;
            commit = commit.put(put_employee(&employee, expect)?);
            workflow.called_off = Some(off.clone());
        }
        workflow.status = WorkflowStatus::Cancelled;
        self.end_watching(&mut workflow, &mut commit).await?;
        workflow.updated_at = now;
        let mut facts = facts(&workflow);
        facts.insert("reason".to_owned(), json!(off.reason));
        let entry = self.entry_by("workflow.cancelled", &off.by, facts).await?;
        let mut put = put_workflow(&workflow, expect)?;
        if workflow.called_off.is_some() {
            // Whoever calls it off plans at once; this is for where they could not.
            put = put.due(Some(later(now, LOOK_AFTER)));
        }
        self.store()
            .commit(self.id(), commit.put(put).append(entry))
            .await?;
        Ok(workflow)
    }

    /// Plans to take back what was done for a workflow that was called off, where that plan is owed.
    pub(super) async fn take_back(&self, workflow: Workflow) -> Result<Started> {
        let Some(off) = &workflow.called_off else {
            let plan = None;
            return Ok(Started { workflow, plan });
        };
        let wanted = self.wanted_back(&workflow, off).await?;
        let plan = self.make_plan(wanted, "request").await?;
        let plan = (!plan.actions.is_empty()).then_some(plan);
        for _ in 0..CONFLICT_RETRIES {
            let found = self.versioned_workflow(&workflow.id).await?;
            let expect = found.expect();
            let mut workflow = found.value;
            workflow.called_off = None;
            workflow.plan = plan.as_ref().map(|plan| plan.id.clone()).or(workflow.plan);
            workflow.updated_at = self.now();
            let commit = Commit::default().put(put_workflow(&workflow, expect)?);
            match self.store().commit(self.id(), commit).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
                Ok(_) => return Ok(Started { workflow, plan }),
            }
        }
        Err(too_busy())
    }

    /// What takes back what was done, the last first.
    async fn wanted_back(&self, workflow: &Workflow, off: &CalledOff) -> Result<Vec<Wanted>> {
        let ids: Vec<ActionId> = workflow.steps.iter().map(|it| it.action.clone()).collect();
        let intents = self.intents(&ids).await?;
        let mut wanted = Vec::new();
        for step in workflow.steps.iter().rev() {
            let Some(intent) = intents.get(&step.action) else {
                continue;
            };
            let outcome = intent.outcome.as_ref().map(|outcome| outcome.status);
            // Closer watching ends by itself.
            let applied = outcome == Some(OutcomeStatus::Applied) && ends_access(step.kind);
            if !applied || intent.action.kind.undo().is_none() {
                continue;
            }
            let mut action = self.undoing(intent, off.by.clone(), &off.reason)?;
            action.parameters.remove(Action::NOT_BEFORE);
            wanted.push(Wanted {
                action,
                account: None,
                consent: Some("somebody called the offboarding off".to_owned()),
                refusal: None,
            });
        }
        Ok(wanted)
    }
}
