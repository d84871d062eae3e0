//! What stands for the access that somebody who leaves still has: a finding while it is there, and one
//! for each account from which it could not be taken.

use serde_json::json;

use super::plan::ends_access;
use super::watching::says;
use crate::engine::{Look, Tenant, WORKFORCE, observe};
use crate::error::Result;
use crate::model::{
    AutomatedStep, CheckId, Confidence, ConnectorName, Employee, Finding, FindingId, FindingKind,
    Incident, IncidentId, IncidentStatus, Observation, PersonId, Severity, Subject, Workflow,
    WorkflowId,
};

/// Somebody leaves, and their access is there. Known and on its way: no rule acts on it.
pub(crate) const OPEN: &str = "protect.offboarding.open";

/// Access that was to end is there, or nobody knows.
pub(crate) const LEFT: &str = "protect.offboarding.access_left";

impl Tenant {
    pub(super) fn incident_id_of(&self, workflow: &WorkflowId) -> IncidentId {
        IncidentId::of(self.id(), &cause(workflow), 1)
    }

    /// The finding that an offboarding begins with, and that keeps its incident open.
    pub(super) fn open_access(&self, workflow: &Workflow, employee: &Employee) -> Result<Finding> {
        let observation = Observation {
            check: CheckId::new(OPEN)?,
            kind: FindingKind::Operational,
            subject: Subject::address(&employee.work_email),
            discriminator: workflow.id.to_string(),
            cause: None,
            severity: Severity::Info,
            confidence: Confidence::High,
            title: "Somebody leaves, and their access is to end".to_owned(),
            reasons: vec![format!("the last day is {}", workflow.day)],
            attribution: None,
            references: Vec::new(),
            details: crate::model::Attributes::new(),
            from_event: true,
        };
        self.found(workflow, None, observation, true)
    }

    pub(super) fn open_access_id(
        &self,
        workflow: &Workflow,
        employee: &Employee,
    ) -> Result<FindingId> {
        let subject = Subject::address(&employee.work_email);
        let check = CheckId::new(OPEN)?;
        Ok(FindingId::of(
            self.id(),
            &check,
            &subject,
            workflow.id.as_str(),
        ))
    }

    pub(super) fn incident_of(
        &self,
        workflow: &Workflow,
        employee: &Employee,
        finding: &Finding,
    ) -> Incident {
        Incident {
            id: self.incident_id_of(&workflow.id),
            tenant: self.id().clone(),
            cause: cause(&workflow.id),
            generation: 1,
            title: finding.observation.title.clone(),
            kind: FindingKind::Operational,
            severity: Severity::Info,
            status: IncidentStatus::Open,
            person: Some(PersonId::of(self.id(), &employee.work_email)),
            findings: vec![finding.id.clone()],
            opened_at: workflow.started_at,
            updated_at: workflow.started_at,
        }
    }

    /// What it means that a step did not take the access it was to take.
    pub(super) fn access_left(
        &self,
        workflow: &Workflow,
        step: &AutomatedStep,
        existing: Option<Finding>,
    ) -> Result<Finding> {
        let connector = &step.account.connector;
        let state = step.outcome.map_or("not done", |outcome| outcome.as_str());
        let mut details = crate::model::Attributes::new();
        details.insert("action".to_owned(), json!(step.action));
        details.insert("workflow".to_owned(), json!(workflow.id));
        let observation = Observation {
            check: CheckId::new(LEFT)?,
            kind: FindingKind::Operational,
            subject: Subject::account(self.kind_of(connector), step.account.id.as_str()),
            discriminator: discriminator(workflow, step),
            cause: None,
            severity: if ends_access(step.kind) {
                Severity::Critical
            } else {
                Severity::High
            },
            confidence: Confidence::High,
            title: says(step, state),
            reasons: vec![if step.reason.is_empty() {
                "nobody approved it in time".to_owned()
            } else {
                step.reason.clone()
            }],
            attribution: None,
            references: Vec::new(),
            details,
            from_event: true,
        };
        self.found(workflow, existing, observation, false)
    }

    pub(super) fn access_left_id(
        &self,
        workflow: &Workflow,
        step: &AutomatedStep,
    ) -> Result<FindingId> {
        let connector = &step.account.connector;
        let subject = Subject::account(self.kind_of(connector), step.account.id.as_str());
        let check = CheckId::new(LEFT)?;
        let discriminator = discriminator(workflow, step);
        Ok(FindingId::of(self.id(), &check, &subject, &discriminator))
    }

    /// What it means that a directory could not be read when access was to be gone.
    pub(super) fn directory_unread(
        &self,
        workflow: &Workflow,
        connector: &ConnectorName,
        existing: Option<Finding>,
    ) -> Result<Finding> {
        let observation = Observation {
            check: CheckId::new(LEFT)?,
            kind: FindingKind::Operational,
            subject: Subject::setting("engine", format!("connectors/{connector}")),
            discriminator: workflow.id.to_string(),
            cause: None,
            severity: Severity::Critical,
            confidence: Confidence::High,
            title: format!("Nobody knows whether access is gone: {connector} could not be read"),
            reasons: vec!["an error is never a pass".to_owned()],
            attribution: None,
            references: Vec::new(),
            details: crate::model::Attributes::new(),
            from_event: true,
        };
        self.found(workflow, existing, observation, false)
    }

    pub(super) fn directory_unread_id(
        &self,
        workflow: &Workflow,
        connector: &ConnectorName,
    ) -> Result<FindingId> {
        let subject = Subject::setting("engine", format!("connectors/{connector}"));
        let check = CheckId::new(LEFT)?;
        Ok(FindingId::of(
            self.id(),
            &check,
            &subject,
            workflow.id.as_str(),
        ))
    }

    fn found(
        &self,
        workflow: &Workflow,
        existing: Option<Finding>,
        observation: Observation,
        baseline: bool,
    ) -> Result<Finding> {
        let source = ConnectorName::new(WORKFORCE)?;
        let look = Look {
            tenant: self.id(),
            source: &source,
            at: self.now(),
            baseline,
        };
        let (check, subject) = (&observation.check, &observation.subject);
        let id = FindingId::of(self.id(), check, subject, &observation.discriminator);
        let (mut finding, _) = observe(existing, &id, observation, &look);
        finding.incident.clone_from(&workflow.incident);
        Ok(finding)
    }
}

fn cause(workflow: &WorkflowId) -> String {
    format!("offboarding:{workflow}")
}

fn discriminator(workflow: &Workflow, step: &AutomatedStep) -> String {
    format!("{}/{}/{}", workflow.id, step.kind, step.account.connector)
}
