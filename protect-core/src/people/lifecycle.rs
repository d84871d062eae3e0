//! Somebody comes, somebody leaves: starting, working off and calling off a workflow.

use std::collections::HashSet;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::event::{OFFBOARDING, ONBOARDING};
use super::records::{put_employee, put_workflow};
use super::role::{PeopleOperation, PeopleRole};
use super::time::{day_at, end_of, zone};
use crate::engine::{
    CONFLICT_RETRIES, Tenant, Versioned, check_reason, put_finding, put_incident, too_busy,
};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    ActionId, Actor, Attributes, Employee, EmployeeId, Leaving, Plan, Severity, TaskStatus,
    TaskTemplate, Workflow, WorkflowId, WorkflowKind, WorkflowStatus,
};
use crate::store::{Commit, Expect, Query, RecordKind};

/// What is said of an offboarding that is to begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOffboarding {
    /// The last day of work. Access ends with it.
    pub last_day: Date,
    /// How they leave.
    #[serde(default)]
    pub leaving: Leaving,
    /// Why, for the evidence; without addresses.
    pub reason: String,
    /// Access ends as soon as somebody approved, and not with the last day.
    #[serde(default)]
    pub at_once: bool,
    /// The last day may lie in the past.
    #[serde(default)]
    pub allow_past: bool,
    /// Tasks instead of the configured ones.
    #[serde(default)]
    pub tasks: Option<Vec<TaskTemplate>>,
}

/// What is said of an onboarding that is to begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOnboarding {
    /// The first day of work; the employee's own where it is left out.
    #[serde(default)]
    pub first_day: Option<Date>,
    /// Tasks instead of the configured ones.
    #[serde(default)]
    pub tasks: Option<Vec<TaskTemplate>>,
}

/// A workflow, and the plan that waits for somebody's consent, where there is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Started {
    /// The workflow.
    pub workflow: Workflow,
    /// What is to be approved; nothing where no account is known.
    pub plan: Option<Plan>,
}

/// The workflows of many, and the one plan that waits for somebody's consent, where there is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StartedMany {
    /// Their workflows, in the order in which they were named.
    pub workflows: Vec<Workflow>,
    /// What is to be approved, for all of them; nothing where no account is known.
    pub plan: Option<Plan>,
}

/// What is said of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskChange {
    /// Where it stands now.
    pub status: TaskStatus,
    /// What else there is to say.
    #[serde(default)]
    pub note: Option<String>,
}

impl Tenant {
    /// Begins an offboarding: its incident, its tasks, and a plan that ends access everywhere with the
    /// last day. Nothing is changed at any vendor before somebody approves the plan.
    ///
    /// # Errors
    /// `not_found`; `conflict` where an offboarding runs, or they left; `invalid_input` for a last day
    /// in the past where `allow_past` does not say so, and for a reason that is empty or holds an
    /// address; `store`.
    pub async fn offboard(
        &self,
        employee: &EmployeeId,
        new: &NewOffboarding,
        actor: &Actor,
    ) -> Result<Started> {
        self.offboard_for(employee, new, actor, None).await
    }

    /// The same, under the key of somebody who asked for it.
    pub(super) async fn offboard_for(
        &self,
        employee: &EmployeeId,
        new: &NewOffboarding,
        actor: &Actor,
        begun_by: Option<&ActionId>,
    ) -> Result<Started> {
        let begun = self.begin_offboarding(employee, new, actor, begun_by);
        let workflow = begun.await?;
        self.know_accounts_of(employee).await?;
        self.plan_offboarding(&workflow.id, true).await
    }

    /// The same for many people with one plan, made from what is known, without asking any vendor:
    /// each account is looked at before it is changed. Their plan is approved as a whole.
    ///
    /// # Errors
    /// As for [`Tenant::offboard`], before anybody's begins; `invalid_input` where nobody is named, or somebody
    /// twice.
    pub async fn offboard_many(
        &self,
        employees: &[EmployeeId],
        new: &NewOffboarding,
        actor: &Actor,
    ) -> Result<StartedMany> {
        PeopleRole::need(actor, PeopleOperation::ManageWorkflows)?;
        check_reason(&new.reason)?;
        let named: HashSet<&EmployeeId> = employees.iter().collect();
        if employees.is_empty() || named.len() < employees.len() {
            let message = "name those who leave, each once";
            return Err(Error::invalid_input(message).with_context("field", "employees"));
        }
        for employee in employees {
            let employee = self.employee(employee).await?;
            self.new_offboarding(&employee, new, actor).await?;
        }
        let mut started = Vec::with_capacity(employees.len());
        for employee in employees {
            let workflow = self.begin_offboarding(employee, new, actor, None).await?;
            started.push(workflow);
        }
        self.plan_offboardings(started).await
    }

    /// What an offboarding begins with, without its plan: looking after it makes that where nobody does.
    pub(super) async fn begin_offboarding(
        &self,
        employee: &EmployeeId,
        new: &NewOffboarding,
        actor: &Actor,
        begun_by: Option<&ActionId>,
    ) -> Result<Workflow> {
        PeopleRole::need(actor, PeopleOperation::ManageWorkflows)?;
        check_reason(&new.reason)?;
        for _ in 0..CONFLICT_RETRIES {
            let found = self.versioned_employee(employee).await?;
            let workflow = Workflow {
                begun_by: begun_by.cloned(),
                ..self.new_offboarding(&found.value, new, actor).await?
            };
            let commit = self.beginning(&workflow, found, actor).await?;
            match self.store().commit(self.id(), commit).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                result => return result.map(|_| workflow),
            }
        }
        Err(too_busy())
    }

    async fn new_offboarding(
        &self,
        employee: &Employee,
        new: &NewOffboarding,
        actor: &Actor,
    ) -> Result<Workflow> {
        if employee.status.has_left() {
            return Err(Error::new(ErrorKind::Conflict, "they left already")
                .with_context("employee", employee.id.as_str()));
        }
        let time_zone = self.zone_of(employee);
        let zone = zone(&time_zone)?;
        let now = self.now();
        if new.last_day < day_at(now, &zone) && !new.allow_past {
            return Err(Error::invalid_input(
                "the last day is past; if that is meant, say so with `allow_past`",
            )
            .with_context("field", "last_day"));
        }
        let ends = if new.at_once {
            now
        } else {
            end_of(new.last_day, &zone)?
        };
        let id = self.next_workflow(&employee.id).await?;
        let kind = WorkflowKind::Offboarding;
        Ok(Workflow {
            incident: Some(self.incident_id_of(&id)),
            id,
            tenant: self.id().clone(),
            kind,
            employee: employee.id.clone(),
            status: WorkflowStatus::Open,
            reason: new.reason.clone(),
            day: new.last_day,
            time_zone,
            leaving: Some(new.leaving),
            access_ends_at: Some(ends),
            tasks: self.tasks(kind, new.last_day, new.tasks.as_deref())?,
            steps: Vec::new(),
            unread: Vec::new(),
            looked_at: None,
            plan: None,
            called_off: None,
            access_gone: false,
            started_by: actor.clone(),
            begun_by: None,
            started_at: now,
            updated_at: now,
        })
    }

    /// What an offboarding begins with, in one transaction.
    async fn beginning(
        &self,
        workflow: &Workflow,
        found: Versioned<Employee>,
        actor: &Actor,
    ) -> Result<Commit> {
        let expect = found.expect();
        let mut employee = found.value;
        employee.last_day = Some(workflow.day);
        employee.updated_at = workflow.started_at;
        let finding = self.open_access(workflow, &employee)?;
        let incident = self.incident_of(workflow, &employee, &finding);
        let mut metadata = Attributes::new();
        metadata.insert("workflow_id".to_owned(), json!(workflow.id));
        metadata.insert("employee_id".to_owned(), json!(employee.id));
        metadata.insert("email".to_owned(), json!(employee.work_email));
        metadata.insert("last_day".to_owned(), json!(workflow.day));
        let event = self.event(
            OFFBOARDING,
            workflow.id.as_str(),
            "An offboarding began",
            Severity::Medium,
            metadata,
        )?;
        let entry = self.entry_by("offboarding.started", actor, facts(workflow));
        let mut commit = Commit::default()
            .put(put_workflow(workflow, Expect::Absent)?)
            .put(put_employee(&employee, expect)?)
            .put(put_finding(&finding, Expect::Absent)?)
            .put(put_incident(&incident, Expect::Absent)?)
            .append(entry.await?);
        if let Some(event) = event {
            commit = commit.put(event);
        }
        for notice in self.notices_of_start(workflow, &employee).await? {
            commit = commit.put(notice);
        }
        Ok(commit)
    }

    /// Begins an onboarding: its tasks.
    ///
    /// # Errors
    /// `not_found`; `conflict` where one runs, or they left; `invalid_input` where no first day is
    /// known; `store`.
    pub async fn onboard(
        &self,
        employee: &EmployeeId,
        new: &NewOnboarding,
        actor: &Actor,
    ) -> Result<Workflow> {
        self.begin_onboarding(employee, new, actor, None).await
    }

    /// The same, under the key of somebody who asked for it.
    pub(super) async fn begin_onboarding(
        &self,
        employee: &EmployeeId,
        new: &NewOnboarding,
        actor: &Actor,
        begun_by: Option<&ActionId>,
    ) -> Result<Workflow> {
        PeopleRole::need(actor, PeopleOperation::ManageWorkflows)?;
        let employee = self.employee(employee).await?;
        if employee.status.has_left() {
            return Err(
                Error::new(ErrorKind::Conflict, "they left; hire them again first")
                    .with_context("employee", employee.id.as_str()),
            );
        }
        let day = new.first_day.or(employee.start_date).or(employee.hire_date);
        let day = day.ok_or_else(|| {
            Error::invalid_input("give the first day of work").with_context("field", "first_day")
        })?;
        let now = self.now();
        let kind = WorkflowKind::Onboarding;
        let workflow = Workflow {
            id: self.next_workflow(&employee.id).await?,
            tenant: self.id().clone(),
            kind,
            employee: employee.id.clone(),
            status: WorkflowStatus::Open,
            reason: "somebody begins to work here".to_owned(),
            day,
            time_zone: self.zone_of(&employee),
            leaving: None,
            access_ends_at: None,
            tasks: self.tasks(kind, day, new.tasks.as_deref())?,
            steps: Vec::new(),
            unread: Vec::new(),
            looked_at: None,
            incident: None,
            plan: None,
            called_off: None,
            access_gone: false,
            started_by: actor.clone(),
            begun_by: begun_by.cloned(),
            started_at: now,
            updated_at: now,
        };
        let assignees: Vec<&str> = workflow.tasks.iter().map(|it| &*it.assignee).collect();
        let mut metadata = Attributes::new();
        metadata.insert("workflow_id".to_owned(), json!(workflow.id));
        metadata.insert("employee_id".to_owned(), json!(employee.id));
        metadata.insert("assignees".to_owned(), json!(assignees));
        let title = "An onboarding began";
        let event = self.event(
            ONBOARDING,
            workflow.id.as_str(),
            title,
            Severity::Info,
            metadata,
        )?;
        let entry = self.entry_by("onboarding.started", actor, facts(&workflow));
        let mut commit = Commit::default()
            .put(put_workflow(&workflow, Expect::Absent)?)
            .append(entry.await?);
        if let Some(event) = event {
            commit = commit.put(event);
        }
        for notice in self.notices_of_start(&workflow, &employee).await? {
            commit = commit.put(notice);
        }
        self.store().commit(self.id(), commit).await?;
        Ok(workflow)
    }

    /// The workflows in one state, or all, the latest first.
    ///
    /// # Errors
    /// `store`.
    pub async fn workflows(&self, status: Option<WorkflowStatus>) -> Result<Vec<Workflow>> {
        let states: Vec<&str> = status.map(WorkflowStatus::as_str).into_iter().collect();
        let query = Query::all(RecordKind::Workflow).in_states(&states);
        let found = self.read_all::<Workflow>(query).await?;
        let mut workflows: Vec<_> = found.into_iter().map(|found| found.value).collect();
        workflows.sort_by(|a, b| (b.started_at, &b.id).cmp(&(a.started_at, &a.id)));
        Ok(workflows)
    }

    /// One workflow, as it stands now.
    ///
    /// # Errors
    /// `not_found`; `store`.
    pub async fn workflow(&self, id: &WorkflowId) -> Result<Workflow> {
        let found = self.versioned_workflow(id).await?;
        self.with_outcomes(found.value).await
    }

    pub(super) async fn versioned_workflow(&self, id: &WorkflowId) -> Result<Versioned<Workflow>> {
        let found = self.read(RecordKind::Workflow, id.as_str()).await?;
        found.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "no such workflow")
                .with_context("workflow", id.as_str())
        })
    }

    /// The offboarding of an employee that is open, or `None`.
    ///
    /// # Errors
    /// `store`.
    pub async fn open_offboarding(&self, employee: &EmployeeId) -> Result<Option<Workflow>> {
        let open = self.open_workflows_of(employee).await?;
        let mut open = open.into_iter();
        Ok(open.find(|it| it.kind == WorkflowKind::Offboarding))
    }

    /// Says where a task stands.
    ///
    /// # Errors
    /// `not_found` for an unknown workflow or task; `conflict` where the workflow is not open.
    pub async fn set_task(
        &self,
        id: &WorkflowId,
        number: u32,
        change: &TaskChange,
        actor: &Actor,
    ) -> Result<Workflow> {
        PeopleRole::need(actor, PeopleOperation::ManageWorkflows)?;
        for _ in 0..CONFLICT_RETRIES {
            let found = self.versioned_workflow(id).await?;
            let expect = found.expect();
            let mut workflow = found.value;
            is_open(&workflow)?;
            let now = self.now();
            let mut tasks = workflow.tasks.iter_mut();
            let task = tasks.find(|task| task.number == number).ok_or_else(|| {
                Error::new(
                    ErrorKind::NotFound,
                    "no such task; `offboard show` lists them",
                )
                .with_context("workflow", id.as_str())
            })?;
            task.status = change.status;
            if change.note.is_some() {
                task.note.clone_from(&change.note);
            }
            let is_done = change.status != TaskStatus::Open;
            task.done_by = is_done.then(|| actor.clone());
            task.done_at = is_done.then_some(now);
            let mut facts = facts(&workflow);
            facts.insert("task".to_owned(), number.into());
            facts.insert("status".to_owned(), json!(change.status));
            let mut commit =
                Commit::default().append(self.entry_by("workflow.task", actor, facts).await?);
            workflow.updated_at = now;
            self.complete_where_done(&mut workflow, &mut commit);
            commit = commit.put(put_workflow(&workflow, expect)?);
            match self.store().commit(self.id(), commit).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                result => return result.map(|_| workflow),
            }
        }
        Err(too_busy())
    }

    /// Completes a workflow of which nothing is left.
    pub(super) fn complete_where_done(&self, workflow: &mut Workflow, commit: &mut Commit) {
        let access = workflow.kind == WorkflowKind::Onboarding || workflow.access_gone;
        if workflow.status == WorkflowStatus::Open && access && workflow.tasks_left() == 0 {
            workflow.status = WorkflowStatus::Completed;
            let entry = self.entry("workflow.completed", &Actor::engine(), facts(workflow));
            commit.entries.push(entry);
        }
    }

    async fn next_workflow(&self, employee: &EmployeeId) -> Result<WorkflowId> {
        let open = self.open_workflows_of(employee).await?;
        if let Some(open) = open.first() {
            let message = format!("an {} runs already", open.kind.as_str());
            return Err(
                Error::new(ErrorKind::Conflict, message).with_context("workflow", open.id.as_str())
            );
        }
        let query = Query::all(RecordKind::Workflow).in_groups(vec![employee.to_string()]);
        let known = self.store().query(self.id(), query).await?.records.len();
        let generation = u32::try_from(known).unwrap_or(u32::MAX).saturating_add(1);
        Ok(WorkflowId::of(self.id(), employee, generation))
    }

    /// Every workflow of an employee, also those that are over.
    pub(super) async fn workflows_of(&self, employee: &EmployeeId) -> Result<Vec<Workflow>> {
        let query = Query::all(RecordKind::Workflow).in_groups(vec![employee.to_string()]);
        let found = self.read_all::<Workflow>(query).await?.into_iter();
        Ok(found.map(|found| found.value).collect())
    }

    async fn open_workflows_of(&self, employee: &EmployeeId) -> Result<Vec<Workflow>> {
        let query = Query::all(RecordKind::Workflow)
            .in_groups(vec![employee.to_string()])
            .in_states(&[WorkflowStatus::Open.as_str()]);
        let found = self.read_all::<Workflow>(query).await?;
        Ok(found.into_iter().map(|found| found.value).collect())
    }
}

pub(super) fn is_open(workflow: &Workflow) -> Result<()> {
    if workflow.status == WorkflowStatus::Open {
        return Ok(());
    }
    let message = format!("the workflow is {}", workflow.status.as_str());
    Err(Error::new(ErrorKind::Conflict, message).with_context("workflow", workflow.id.as_str()))
}

/// What the ledger is told of a workflow.
pub(super) fn facts(workflow: &Workflow) -> Attributes {
    let mut facts = Attributes::new();
    facts.insert("workflow".to_owned(), json!(workflow.id));
    facts.insert("employee".to_owned(), json!(workflow.employee));
    facts.insert("day".to_owned(), json!(workflow.day));
    if let Some(action) = &workflow.begun_by {
        facts.insert("begun_by".to_owned(), json!(action));
    }
    if let Some(incident) = &workflow.incident {
        facts.insert("incident".to_owned(), json!(incident));
        facts.insert("reason".to_owned(), json!(workflow.reason));
    }
    facts
}
