//! From an offboarding to its plan: everything that ends access, wherever the person has an account.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::lifecycle::{Started, StartedMany, is_open};
use super::records::put_workflow;
use crate::connector::Connector;
use crate::engine::{Looking, People, Tenant, Wanted};
use crate::error::Result;
use crate::model::{
    Account, AccountRef, Action, ActionId, ActionKind, ActionTarget, Attributes, AutomatedStep,
    Employee, EmployeeId, Mode, Outcome, OutcomeStatus, Plan, Workflow, WorkflowId,
};
use crate::store::Commit;

/// What ends access to an account, in this order: first nobody can sign in any more, then whoever is
/// signed in is signed out, then what acts in the account's name.
const EVERYWHERE: [ActionKind; 4] = [
    ActionKind::SuspendAccount,
    ActionKind::RevokeSessions,
    ActionKind::RevokeGrants,
    ActionKind::RemoveRoles,
];

/// What products do that know people by their address.
const BY_ADDRESS: [ActionKind; 2] = [ActionKind::RevokeAccess, ActionKind::ElevateMonitoring];

impl Tenant {
    /// Plans what is left of an offboarding: what was never planned, and again what came to nothing.
    /// Approve and apply the plan to have it done.
    ///
    /// # Errors
    /// `not_found`; `conflict` where the workflow is not open; `store`.
    pub async fn resume_offboarding(&self, id: &WorkflowId) -> Result<Started> {
        let workflow = self.workflow(id).await?;
        is_open(&workflow)?;
        self.know_accounts_of(&workflow.employee).await?;
        self.plan_offboarding(id, true).await
    }

    pub(super) async fn plan_offboarding(&self, id: &WorkflowId, look: bool) -> Result<Started> {
        let found = self.versioned_workflow(id).await?;
        let expect = found.expect();
        let mut workflow = self.with_outcomes(found.value).await?;
        let employee = self.employee(&workflow.employee).await?;
        let people = self.people_at(employee.emails()).await?;
        let wanted = self.add_steps(&mut workflow, &employee, &people).await?;
        let looking = if look {
            Looking::WherePossible
        } else {
            Looking::Later
        };
        let plan = self.make_plan_looking(wanted, "workflow", looking).await?;
        let plan = (!plan.actions.is_empty()).then_some(plan);
        if let Some(plan) = &plan {
            workflow.plan = Some(plan.id.clone());
            note_refusals(&mut workflow, plan);
        }
        workflow.updated_at = self.now();
        let commit = Commit::default().put(put_workflow(&workflow, expect)?);
        self.store().commit(self.id(), commit).await?;
        Ok(Started { workflow, plan })
    }

    /// One plan for many.
    pub(super) async fn plan_offboardings(&self, begun: Vec<Workflow>) -> Result<StartedMany> {
        let people = self.people().await?;
        let mut expected = Vec::with_capacity(begun.len());
        let mut wanted = Vec::new();
        for workflow in begun {
            let found = self.versioned_workflow(&workflow.id).await?;
            let expect = found.expect();
            let mut workflow = found.value;
            let employee = self.employee(&workflow.employee).await?;
            wanted.extend(self.add_steps(&mut workflow, &employee, &people).await?);
            expected.push((workflow, expect));
        }
        let plan = self
            .make_plan_looking(wanted, "workflow", Looking::Later)
            .await?;
        let plan = (!plan.actions.is_empty()).then_some(plan);
        let mut commit = Commit::default();
        let mut workflows = Vec::with_capacity(expected.len());
        for (mut workflow, expect) in expected {
            if let Some(plan) = &plan {
                workflow.plan = Some(plan.id.clone());
                note_refusals(&mut workflow, plan);
            }
            commit = commit.put(put_workflow(&workflow, expect)?);
            workflows.push(workflow);
        }
        self.store().commit(self.id(), commit).await?;
        Ok(StartedMany { workflows, plan })
    }

    /// Makes sure that the accounts of somebody are known, as far as directories answer.
    pub(super) async fn know_accounts_of(&self, employee: &EmployeeId) -> Result<()> {
        let employee = self.employee(employee).await?;
        let knows = !self.accounts_of_employee(&employee).await?.is_empty();
        let mut unread = Vec::new();
        for connector in self.connectors() {
            let is_unread = connector.as_directory().is_some()
                && self
                    .directory_read_at(&connector.info().name)
                    .await?
                    .is_none();
            if is_unread || (!knows && connector.as_directory().is_some()) {
                unread.push(Arc::clone(connector));
            }
        }
        if !unread.is_empty() {
            self.refresh_directories(&unread).await?;
        }
        Ok(())
    }

    /// The accounts that directories gave for an employee's addresses, but for those that are gone.
    ///
    /// # Errors
    /// `store`.
    pub async fn accounts_of_employee(&self, employee: &Employee) -> Result<Vec<Account>> {
        let people = self.people_at(employee.emails()).await?;
        let accounts = employee.emails().flat_map(|it| people.accounts_at(it));
        Ok(accounts.cloned().collect())
    }

    /// The accounts at which an employee can be acted on, each with the actions that end access there.
    pub(super) fn reach(
        &self,
        employee: &Employee,
        people: &People,
    ) -> Vec<(AccountRef, Option<Account>, ActionKind)> {
        let mut accounts: BTreeMap<AccountRef, Account> = BTreeMap::new();
        for address in employee.emails() {
            for account in people.accounts_at(address) {
                accounts.insert(account.reference.clone(), account.clone());
            }
        }
        let mut reached = Vec::new();
        for kind in EVERYWHERE {
            for (reference, account) in &accounts {
                if self.can(&reference.connector, kind) {
                    reached.push((reference.clone(), Some(account.clone()), kind));
                }
            }
        }
        for kind in BY_ADDRESS {
            let able = crate::engine::routed(self.config(), self.connectors(), kind);
            let first = able.into_iter().find(|it| knows_by_address(it));
            if let Some(connector) = first {
                let reference = AccountRef {
                    connector: connector.info().name.clone(),
                    id: employee.work_email.to_string(),
                };
                reached.push((reference, None, kind));
            }
        }
        reached
    }

    fn can(&self, connector: &crate::model::ConnectorName, kind: ActionKind) -> bool {
        self.connector(connector)
            .is_ok_and(|it| it.capability().actions.contains_key(&kind))
    }

    /// Adds what is to be done and was not planned, and what came to nothing, to the steps; gives what
    /// is to be planned.
    async fn add_steps(
        &self,
        workflow: &mut Workflow,
        employee: &Employee,
        people: &People,
    ) -> Result<Vec<Wanted>> {
        let mut wanted = Vec::new();
        let mut seen = BTreeSet::new();
        for (reference, account, kind) in self.reach(employee, people) {
            if !seen.insert((reference.clone(), kind)) {
                continue;
            }
            let known = workflow
                .steps
                .iter()
                .position(|step| step.account == reference && step.kind == kind);
            let tries = match known {
                None => 0,
                Some(place) if is_worth_another_try(&workflow.steps[place]) => {
                    self.tries_of(workflow, &reference, kind).await?
                }
                Some(_) => continue,
            };
            let action = self.step_action(workflow, employee, &reference, kind, tries);
            let step = AutomatedStep {
                action: action.id.clone(),
                kind,
                account: reference,
                approved: false,
                outcome: None,
                reason: String::new(),
            };
            match known {
                Some(place) => workflow.steps[place] = step,
                None => workflow.steps.push(step),
            }
            wanted.push(Wanted {
                action,
                account,
                consent: Some("an offboarding asks for consent".to_owned()),
                refusal: None,
            });
        }
        Ok(wanted)
    }

    /// The first number of a try whose action nobody approved yet.
    async fn tries_of(
        &self,
        workflow: &Workflow,
        account: &AccountRef,
        kind: ActionKind,
    ) -> Result<u32> {
        let mut tries = 0;
        loop {
            let id = self.step_id(workflow, account, kind, tries);
            let known = self.intents(&[id]).await?;
            if known.is_empty() {
                return Ok(tries);
            }
            tries += 1;
        }
    }

    fn step_id(
        &self,
        workflow: &Workflow,
        account: &AccountRef,
        kind: ActionKind,
        tries: u32,
    ) -> ActionId {
        let parts = [
            workflow.id.as_str(),
            kind.as_str(),
            account.connector.as_str(),
            account.id.as_str(),
            &tries.to_string(),
        ];
        ActionId::of(self.id(), &parts)
    }

    fn step_action(
        &self,
        workflow: &Workflow,
        employee: &Employee,
        account: &AccountRef,
        kind: ActionKind,
        tries: u32,
    ) -> Action {
        let mut parameters = Attributes::new();
        let mut put = |name: &str, value: Value| {
            parameters.insert(name.to_owned(), value);
        };
        put(Action::WORKFLOW, json!(workflow.id));
        put("address", json!(employee.work_email));
        let begins = workflow.access_ends_at.filter(|_| ends_access(kind));
        if let Some(at) = begins.filter(|at| *at > workflow.started_at) {
            put(Action::NOT_BEFORE, json!(at));
        }
        if !ends_access(kind) {
            put("employee_id", json!(employee.id));
            put("last_day", json!(workflow.day));
        }
        Action {
            id: self.step_id(workflow, account, kind, tries),
            kind,
            target: ActionTarget::Account(account.clone()),
            reason: format!("offboarding: {}", workflow.reason),
            requested_by: workflow.started_by.clone(),
            incident: workflow.incident.clone(),
            undoes: None,
            lasts: None,
            parameters,
        }
    }

    /// The workflow with what came of its steps.
    pub(super) async fn with_outcomes(&self, mut workflow: Workflow) -> Result<Workflow> {
        let ids: Vec<ActionId> = workflow.steps.iter().map(|it| it.action.clone()).collect();
        let intents = self.intents(&ids).await?;
        for step in &mut workflow.steps {
            let Some(intent) = intents.get(&step.action) else {
                continue;
            };
            step.approved = true;
            if let Some(outcome) = &intent.outcome {
                settle(step, outcome);
            } else {
                step.outcome = None;
                step.reason = intent.last_error.clone().unwrap_or_default();
            }
        }
        Ok(workflow)
    }

    /// Whether anything can be changed at all.
    pub(super) fn changes_anything(&self) -> bool {
        self.mode() == Mode::Enforce
    }
}

/// Whether access is there until it is done; closer watching is not access.
pub(super) const fn ends_access(kind: ActionKind) -> bool {
    !matches!(
        kind,
        ActionKind::ElevateMonitoring | ActionKind::EndMonitoring
    )
}

/// A product that lists no accounts is told a person's address, which is then the account's id.
fn knows_by_address(connector: &Arc<dyn Connector>) -> bool {
    connector.capability().reaches_by_address
}

/// What came to nothing is planned again; what nobody approved, too.
fn is_worth_another_try(step: &AutomatedStep) -> bool {
    match step.outcome {
        None => !step.approved,
        Some(outcome) => matches!(
            outcome,
            OutcomeStatus::Failed
                | OutcomeStatus::Expired
                | OutcomeStatus::Refused
                | OutcomeStatus::Cancelled
        ),
    }
}

fn settle(step: &mut AutomatedStep, outcome: &Outcome) {
    step.outcome = Some(outcome.status);
    step.reason.clone_from(&outcome.reason);
}

/// What a guard refuses never becomes an intent: it is known to have come to nothing at once.
fn note_refusals(workflow: &mut Workflow, plan: &Plan) {
    for planned in &plan.actions {
        if planned.guard.decision != crate::model::GuardDecision::Refuse {
            continue;
        }
        let mut steps = workflow.steps.iter_mut();
        if let Some(step) = steps.find(|step| step.action == planned.action.id) {
            step.outcome = Some(OutcomeStatus::Refused);
            step.reason = planned.guard.reasons.join("; ");
        }
    }
}

/// When access was to be gone at the latest, with an hour for a vendor that is away.
pub(super) fn is_late(workflow: &Workflow, now: Timestamp) -> bool {
    let hour = std::time::Duration::from_hours(1);
    let ends = workflow.access_ends_at;
    ends.is_some_and(|ends| now >= crate::clock::later(ends, hour))
}
