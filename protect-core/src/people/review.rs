//! Looking after offboardings: what came of each step, what is left, and saying so aloud. Everything is
//! derived anew from the store each time, so that a crash between a step and this loses nothing.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::aloud::{Aloud, push};
use super::event::TERMINATED;
use super::lifecycle::facts;
use super::plan::{ends_access, is_late};
use super::records::{is_looked_after, put_employee, put_workflow};
use crate::clock::later;
use crate::engine::{CONFLICT_RETRIES, Tenant, put_incident, too_busy};
use crate::error::{ErrorKind, Result};
use crate::model::{
    ActionId, ActionKind, Actor, AutomatedStep, ConnectorName, EmploymentStatus, EvidenceEntry,
    OutcomeStatus, Workflow, WorkflowId, WorkflowStatus,
};
use crate::store::{Commit, Query, RecordKind};

/// How often a workflow is looked after, once access was to be gone.
pub(super) const LOOK_AFTER: Duration = Duration::from_mins(1);

/// How often directories are asked anew, while access ought to be gone and is not known to be.
const LOOK_AGAIN: Duration = Duration::from_mins(15);

/// What came of reading the directories anew.
struct Looked {
    at: Timestamp,
    unread: Vec<ConnectorName>,
}

impl Tenant {
    /// Looks after every workflow that is due for it, and gives those that changed. The engine does it by
    /// itself.
    ///
    /// # Errors
    /// `store`.
    pub async fn review_workflows(&self) -> Result<Vec<Workflow>> {
        let query = Query::all(RecordKind::Workflow).due_by(self.now());
        let due = self.read_all::<Workflow>(query).await?;
        let ids = due.into_iter().map(|found| found.value.id);
        self.review_these(ids).await
    }

    /// Looks after these workflows now.
    pub(crate) async fn review_these(
        &self,
        ids: impl IntoIterator<Item = WorkflowId>,
    ) -> Result<Vec<Workflow>> {
        let mut changed = Vec::new();
        for id in ids {
            let found = self.read::<Workflow>(RecordKind::Workflow, id.as_str());
            let found = found.await?.map(|found| found.value);
            if let Some(workflow) = found.filter(is_looked_after) {
                changed.extend(self.review(workflow).await?);
            }
        }
        Ok(changed)
    }

    async fn review(&self, workflow: Workflow) -> Result<Option<Workflow>> {
        if workflow.called_off.is_some() {
            return Ok(Some(self.take_back(workflow).await?.workflow));
        }
        let id = workflow.id.clone();
        let workflow = self.plan_what_only_began(workflow).await?;
        let looked = self.look_at_directories(workflow).await?;
        for _ in 0..CONFLICT_RETRIES {
            match self.review_once(&id, looked.as_ref()).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                result => return result,
            }
        }
        Err(too_busy())
    }

    async fn review_once(
        &self,
        id: &WorkflowId,
        looked: Option<&Looked>,
    ) -> Result<Option<Workflow>> {
        let found = self.versioned_workflow(id).await?;
        let expect = found.expect();
        let mut before = found.value;
        if let Some(looked) = looked {
            before.unread.clone_from(&looked.unread);
            before.looked_at = Some(looked.at);
            self.find_what_nobody_knew_of(&mut before).await?;
        }
        let mut workflow = self.with_outcomes(before.clone()).await?;
        let mut commit = Commit::default();
        let mut aloud = self.problems(&workflow).await?;
        aloud.write(self, &mut commit)?;
        let now = self.now();
        let is_open = workflow.status == WorkflowStatus::Open && !workflow.access_gone;
        let is_over = is_open && workflow.access_ends_at.is_some_and(|ends| now >= ends);
        let left = workflow.steps_left().any(|step| ends_access(step.kind));
        let is_known = workflow.unread.is_empty() && self.was_looked_at(&workflow).await?;
        if is_over && !left && is_known {
            self.end_access(&mut workflow, &mut aloud, &mut commit)
                .await?;
        }
        if let Some(incident) = aloud.incident_changed() {
            commit = commit.put(put_incident(&incident.value, incident.expect())?);
        }
        self.complete_where_done(&mut workflow, &mut commit);
        if workflow.status != WorkflowStatus::Open {
            self.end_watching(&mut workflow, &mut commit).await?;
        }
        let is_changed = workflow != before || !commit.is_empty();
        if is_changed {
            workflow.updated_at = now;
        }
        let mut put = put_workflow(&workflow, expect)?;
        if put.due.is_some() {
            let ends = workflow
                .access_ends_at
                .filter(|ends| is_open && *ends > now);
            put = put.due(Some(ends.unwrap_or(later(now, LOOK_AFTER))));
        }
        self.store().commit(self.id(), commit.put(put)).await?;
        Ok(is_changed.then_some(workflow))
    }

    /// An offboarding that an action began has no plan yet, nor has one whose process died before it made
    /// one. Gives the workflow as it stands then.
    async fn plan_what_only_began(&self, workflow: Workflow) -> Result<Workflow> {
        let only_began = workflow.status == WorkflowStatus::Open
            && workflow.updated_at == workflow.started_at
            && workflow.plan.is_none()
            && workflow.steps.is_empty();
        if !only_began {
            return Ok(workflow);
        }
        self.know_accounts_of(&workflow.employee).await?;
        match self.plan_offboarding(&workflow.id, true).await {
            // Whoever began it makes it at this moment.
            Err(error) if error.kind() == ErrorKind::Conflict => {
                Ok(self.versioned_workflow(&workflow.id).await?.value)
            }
            planned => planned.map(|planned| planned.workflow),
        }
    }

    /// Access is gone: they have left.
    async fn end_access(
        &self,
        workflow: &mut Workflow,
        aloud: &mut Aloud,
        commit: &mut Commit,
    ) -> Result<()> {
        workflow.access_gone = true;
        let found = self.versioned_employee(&workflow.employee).await?;
        let expect = found.expect();
        let mut employee = found.value;
        let open = self.open_access_id(workflow, &employee)?;
        aloud.resolve_all(self, &open, commit)?;
        if !employee.status.has_left() {
            let leaving = workflow.leaving.unwrap_or_default();
            employee.status = EmploymentStatus::from(leaving);
            employee.updated_at = self.now();
            push(commit, put_employee(&employee, expect)?);
            if let Some(event) = self.employee_event(TERMINATED, &employee)? {
                push(commit, event);
            }
        }
        let entry = self.entry("offboarding.access_gone", &Actor::engine(), facts(workflow));
        commit.entries.push(entry);
        Ok(())
    }

    /// Reads the directories anew, once access was to be gone: an account that nobody knew of may be
    /// there.
    async fn look_at_directories(&self, workflow: Workflow) -> Result<Option<Looked>> {
        let now = self.now();
        let is_open = workflow.status == WorkflowStatus::Open && !workflow.access_gone;
        let ends = workflow.access_ends_at.filter(|_| is_open);
        let Some(ends) = ends.filter(|ends| now >= *ends) else {
            return Ok(None);
        };
        let workflow = self.with_outcomes(workflow).await?;
        let waits = |step: &AutomatedStep| step.outcome.is_none() && ends_access(step.kind);
        let last = workflow.looked_at;
        let is_soon = last.is_some_and(|at| now < later(at, LOOK_AGAIN));
        if workflow.steps.iter().any(waits) || is_soon {
            return Ok(None);
        }
        let mut unread = Vec::new();
        for connector in self.connectors() {
            if connector.as_directory().is_none() {
                continue;
            }
            let read = self.directory_read_at(&connector.info().name).await?;
            if read.is_none_or(|read| read < ends) {
                unread.push(Arc::clone(connector));
            }
        }
        let mut failed = Vec::new();
        if !unread.is_empty() {
            let read = self.refresh_directories(&unread).await?;
            let broken = read.into_iter().filter(|it| !it.complete);
            failed.extend(broken.map(|it| it.connector));
        }
        Ok(Some(Looked {
            at: now,
            unread: failed,
        }))
    }

    /// Adds steps for accounts that appeared after the plan was made. They wait for a plan and somebody's
    /// consent, and are told aloud.
    async fn find_what_nobody_knew_of(&self, workflow: &mut Workflow) -> Result<()> {
        let employee = self.employee(&workflow.employee).await?;
        let people = self.people_at(employee.emails()).await?;
        for (account, known, kind) in self.reach(&employee, &people) {
            let is_step = |step: &AutomatedStep| step.account == account && step.kind == kind;
            let is_open = known.is_none_or(|it| it.state != crate::model::AccountState::Suspended);
            if !ends_access(kind) || !is_open || workflow.steps.iter().any(is_step) {
                continue;
            }
            let parts = [
                workflow.id.as_str(),
                kind.as_str(),
                account.connector.as_str(),
                &account.id,
                "0",
            ];
            workflow.steps.push(AutomatedStep {
                action: ActionId::of(self.id(), &parts),
                kind,
                account,
                approved: false,
                outcome: None,
                reason:
                    "the account was not known when the plan was made; `offboard resume` plans it"
                        .to_owned(),
            });
        }
        Ok(())
    }

    /// Whether every directory was read after access ended.
    async fn was_looked_at(&self, workflow: &Workflow) -> Result<bool> {
        let Some(ends) = workflow.access_ends_at else {
            return Ok(true);
        };
        for connector in self.connectors() {
            if connector.as_directory().is_none() {
                continue;
            }
            let read = self.directory_read_at(&connector.info().name).await?;
            if read.is_none_or(|read| read < ends) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What is to be said aloud of a workflow, and what no longer is.
    async fn problems(&self, workflow: &Workflow) -> Result<Aloud> {
        let mut aloud = Aloud::of(self, workflow).await?;
        let now = self.now();
        let is_open = workflow.status == WorkflowStatus::Open;
        // Of what is over, only closer watching is left to end.
        let steps = workflow.steps.iter();
        for step in steps.filter(|step| is_open || step.kind == ActionKind::EndMonitoring) {
            let id = self.access_left_id(workflow, step)?;
            let existing = aloud.known(&id);
            if is_wrong(workflow, step, now) {
                let known = existing.map(|found| found.value);
                let finding = self.access_left(workflow, step, known)?;
                aloud.raise(finding);
            } else if step.is_done() {
                aloud.settle(id);
            }
        }
        for connector in workflow.unread.iter().filter(|_| is_open) {
            let id = self.directory_unread_id(workflow, connector)?;
            if is_late(workflow, now) {
                let known = aloud.known(&id).map(|found| found.value);
                let finding = self.directory_unread(workflow, connector, known)?;
                aloud.raise(finding);
            }
        }
        Ok(aloud)
    }

    /// Everything in the ledger that belongs to a workflow: who asked, who approved what and when, what
    /// was attempted and what came of it.
    ///
    /// # Errors
    /// `not_found`; `store`.
    pub async fn workflow_evidence(&self, id: &WorkflowId) -> Result<Vec<EvidenceEntry>> {
        let workflow = self.workflow(id).await?;
        let mut names = vec![json!(workflow.id)];
        names.extend(workflow.incident.as_ref().map(|id| json!(id)));
        let mut plans = Vec::new();
        let mut entries = Vec::new();
        let mut query = Query::ledger();
        loop {
            let page = self.store().query(self.id(), query.clone()).await?;
            for entry in page.entries {
                let facts = [&entry.data.get("workflow"), &entry.data.get("incident")];
                let is_own = facts
                    .iter()
                    .any(|it| it.is_some_and(|it| names.contains(it)));
                let made = entry.data.get("actions").and_then(|it| it.as_array());
                let is_plan = made.into_iter().flatten().any(|it| {
                    it.get("incident")
                        .is_some_and(|incident| names.contains(incident))
                });
                let plan = entry.data.get("plan").cloned();
                let of_plan = plan.as_ref().is_some_and(|plan| plans.contains(plan));
                if is_plan {
                    plans.extend(plan);
                }
                if is_own || is_plan || of_plan {
                    entries.push(entry);
                }
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(entries),
            }
        }
    }
}

/// Whether a step came to nothing, or is late: nobody approved it, the vendor is away, or nobody knows.
fn is_wrong(workflow: &Workflow, step: &AutomatedStep, now: Timestamp) -> bool {
    match step.outcome {
        Some(OutcomeStatus::Applied | OutcomeStatus::AlreadySo) => false,
        None | Some(OutcomeStatus::Unknown) => ends_access(step.kind) && is_late(workflow, now),
        Some(
            OutcomeStatus::Failed
            | OutcomeStatus::Refused
            | OutcomeStatus::Expired
            | OutcomeStatus::Cancelled,
        ) => true,
    }
}
