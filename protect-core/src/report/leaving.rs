//! The page of evidence of an offboarding or onboarding: who asked, who consented, what was done where,
//! what went wrong meanwhile, and the entries of the ledger that prove it.

use jiff::Timestamp;
use minijinja::value::Serde;
use serde_json::{Value, json};

use super::{Branding, html};
use crate::engine::Tenant;
use crate::error::Result;
use crate::ledger::ENTRY_KINDS;
use crate::model::{
    Approval, AutomatedStep, EvidenceEntry, Finding, Incident, OutcomeStatus, Task, TaskStatus,
    Workflow, WorkflowId, WorkflowKind, WorkflowStatus,
};
use crate::store::{Query, RecordKind};

impl Tenant {
    /// The evidence of a workflow as one HTML page that fetches nothing. It names the person: whoever may
    /// see the workflow may see it.
    ///
    /// # Errors
    /// `not_found`; `store`.
    pub async fn workflow_page(&self, id: &WorkflowId) -> Result<String> {
        let workflow = self.workflow(id).await?;
        let employee = self.employee(&workflow.employee).await?;
        let entries = self.workflow_evidence(id).await?;
        let findings = self.findings_of(&workflow).await?;
        let ticket = match &workflow.incident {
            Some(incident) => self.ticket_of(incident).await?,
            None => None,
        };
        let steps: Vec<Value> = workflow
            .steps
            .iter()
            .map(|it| self.step_shown(it))
            .collect();
        let tasks: Vec<Value> = workflow.tasks.iter().map(task).collect();
        let problems: Vec<Value> = findings.iter().map(problem).collect();
        let history: Vec<Value> = entries.iter().map(entry).collect();
        let shown = json!({
            "organisation": self.config().name,
            "leaves": workflow.kind == WorkflowKind::Offboarding,
            "name": employee.display_name(),
            "job": employee.job_title,
            "department": employee.department,
            "id": workflow.id,
            "day": workflow.day,
            "reason": workflow.reason,
            "status": workflow.status,
            "started_by": workflow.started_by.to_string(),
            "started_at": moment(workflow.started_at),
            "access_ends_at": workflow.access_ends_at.map(moment),
            "consents": self.consents(&entries).await?,
            "verdict": verdict(&workflow),
            "unread": workflow.unread,
            "steps": steps,
            "tasks": tasks,
            "problems": problems,
            "ticket": ticket,
            "history": history,
            "made_at": moment(self.now()),
        });
        html::page(
            include_str!("leaving.html"),
            &Branding::of(&self.config().branding),
            minijinja::Value::from(Serde(&shown)),
        )
    }

    async fn findings_of(&self, workflow: &Workflow) -> Result<Vec<Finding>> {
        let Some(incident) = &workflow.incident else {
            return Ok(Vec::new());
        };
        let found = self.read::<Incident>(RecordKind::Incident, incident.as_str());
        let ids = found.await?.map(|found| found.value.findings);
        let keys = ids.into_iter().flatten().map(|id| id.to_string()).collect();
        let found = self.read_all::<Finding>(Query::keys(RecordKind::Finding, keys));
        let findings = found.await?.into_iter().map(|found| found.value);
        Ok(findings
            .filter(|it| it.observation.check.as_str() != crate::people::OPEN)
            .collect())
    }

    /// Who consented to what, and when: by name, as far as the approval is kept.
    async fn consents(&self, entries: &[EvidenceEntry]) -> Result<Vec<Value>> {
        let mut consents = Vec::new();
        for entry in entries.iter().filter(|it| it.kind == "plan.approved") {
            let plan = entry.data.get("plan").and_then(Value::as_str);
            let plan = plan.unwrap_or_default();
            let approval = self.read::<Approval>(RecordKind::Approval, plan).await?;
            let by = approval.map_or_else(
                || entry.actor.clone(),
                |approval| approval.value.by.to_string(),
            );
            consents.push(json!({ "by": by, "at": moment(entry.at) }));
        }
        Ok(consents)
    }

    fn step_shown(&self, step: &AutomatedStep) -> Value {
        let connector = &step.account.connector;
        let (word, tone) = match step.outcome {
            Some(OutcomeStatus::Applied) => ("done", "good"),
            Some(OutcomeStatus::AlreadySo) => ("was so already", "good"),
            Some(outcome) => (outcome.as_str(), "poor"),
            None if step.approved => ("waits", "fair"),
            None => ("nobody consented yet", "fair"),
        };
        json!({
            "what": step.kind.as_str().replace('_', " "),
            "where": connector, "vendor": self.kind_of(connector),
            "account": step.account.id, "outcome": word, "tone": tone, "because": step.reason,
        })
    }
}

fn task(task: &Task) -> Value {
    let status = match task.status {
        TaskStatus::Open => "open",
        TaskStatus::Done => "done",
        TaskStatus::Skipped => "skipped",
    };
    let done_by = task.done_by.as_ref().map(ToString::to_string);
    let done: Vec<String> = [done_by, task.done_at.map(moment)]
        .into_iter()
        .flatten()
        .collect();
    json!({
        "title": task.title, "assignee": task.assignee, "due": task.due,
        "status": status, "done": done.join(", "),
    })
}

fn problem(finding: &Finding) -> Value {
    let seen = &finding.observation;
    json!({
        "title": seen.title, "severity": seen.severity,
        "because": seen.reasons.join("; "), "status": finding.status,
        "since": moment(finding.first_seen),
        "until": finding.resolved_at.map(moment),
    })
}

/// What the page says first.
fn verdict(workflow: &Workflow) -> Value {
    let left = workflow.steps_left().count();
    let (tone, says) = match (workflow.kind, workflow.status) {
        (_, WorkflowStatus::Cancelled) => ("fair", "It was called off.".to_owned()),
        (WorkflowKind::Onboarding, WorkflowStatus::Completed) => {
            ("good", "Everything is done.".to_owned())
        }
        (WorkflowKind::Onboarding, WorkflowStatus::Open) => (
            "fair",
            format!("{} of the tasks are left.", workflow.tasks_left()),
        ),
        (WorkflowKind::Offboarding, _) if workflow.access_gone => {
            ("good", "Access is gone everywhere.".to_owned())
        }
        (WorkflowKind::Offboarding, _) if left > 0 => (
            "poor",
            format!("Access is not known to be gone: {left} of the steps are left."),
        ),
        (WorkflowKind::Offboarding, _) => {
            ("fair", "Access is not known to be gone yet.".to_owned())
        }
    };
    json!({ "tone": tone, "says": says })
}

/// Who did it, so that it fits a column: a pseudonym shows its beginning.
fn who(actor: &str) -> String {
    let (name, how) = actor.split_once(' ').unwrap_or((actor, ""));
    let short = name.get(..10).filter(|_| name.len() > 24);
    short.map_or_else(|| actor.to_owned(), |short| format!("{short}… {how}"))
}

fn entry(entry: &EvidenceEntry) -> Value {
    let mut known = ENTRY_KINDS.iter();
    let meaning = known.find(|(kind, _)| *kind == entry.kind);
    let facts = ["kind", "connector", "outcome", "reason", "error", "status"];
    let facts = facts
        .iter()
        .filter_map(|name| entry.data.get(*name)?.as_str());
    let facts: Vec<_> = facts.filter(|it| !it.is_empty()).collect();
    json!({
        "number": entry.sequence, "at": moment(entry.at), "kind": entry.kind,
        "meaning": meaning.map(|(_, meaning)| *meaning), "actor": entry.actor,
        "who": who(&entry.actor),
        "facts": facts.join(", "), "hash": entry.hash.get(..16), "whole": entry.hash,
    })
}

/// A moment for people, in UTC.
fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
