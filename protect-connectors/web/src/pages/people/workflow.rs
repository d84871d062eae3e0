//! Onboardings and offboardings: their tasks, what is left of the access that is to end, and going on with them or
//! calling them off, each after a page that says what it means.

use minijinja::value::Serde;
use minijinja::{Value, context};
use protect_core::inbound::InboundAnswer;
use protect_core::model::{
    AutomatedStep, OutcomeStatus, TaskStatus, Workflow, WorkflowId, WorkflowKind, WorkflowStatus,
};
use protect_core::people::TaskChange;
use protect_core::{Error, Result};

use super::{Office, Wrong, answered};
use crate::pages::{Pages, nothing_here};

/// How many of them a page shows.
const ROWS: usize = 50;

pub(super) async fn list(pages: &Pages, office: &Office<'_>) -> Result<InboundAnswer> {
    let every = office.visit.request.query("status") == Some("all");
    let status = (!every).then_some(WorkflowStatus::Open);
    let from: usize = office.visit.request.query_as("from")?.unwrap_or_default();
    let found = office.seen.workflows(status).await?;
    let mut rows = Vec::new();
    for workflow in found.iter().skip(from).take(ROWS) {
        let workflow = office.seen.workflow(&workflow.id).await?;
        let name = office.name_of(&workflow.employee).await?;
        rows.push(context! { name => name, ..summary(&workflow) });
    }
    let page = context! {
        rows => rows,
        every => every,
        total => found.len(),
        next => Some(from.saturating_add(ROWS)).filter(|next| *next < found.len()),
        ..office.common("Coming and leaving")
    };
    pages.page("people_workflows.html", page)
}

/// A workflow and how much is left of it.
pub(super) fn summary(workflow: &Workflow) -> Value {
    let steps: Vec<Value> = workflow.steps.iter().map(step).collect();
    let failed = workflow.steps.iter().filter(|it| has_failed(it)).count();
    context! {
        tasks_left => workflow.tasks_left(),
        steps_left => workflow.steps_left().count(),
        failed => failed,
        steps => steps,
        is_open => workflow.status == WorkflowStatus::Open,
        is_offboarding => workflow.kind == WorkflowKind::Offboarding,
        workflow => Value::from(Serde(workflow)),
    }
}

/// A step with where it stands, for people.
fn step(step: &AutomatedStep) -> Value {
    let standing = match (step.outcome, step.approved) {
        (Some(outcome), _) => outcome.as_str(),
        (None, true) => "approved",
        (None, false) => "waits for consent",
    };
    context! {
        standing => standing,
        has_failed => has_failed(step),
        is_done => step.is_done(),
        step => Value::from(Serde(step)),
    }
}

/// Whether it came to nothing, or nobody knows.
fn has_failed(step: &AutomatedStep) -> bool {
    let is_over = |outcome: OutcomeStatus| {
        !matches!(outcome, OutcomeStatus::Applied | OutcomeStatus::AlreadySo)
    };
    step.outcome.is_some_and(is_over)
}

pub(super) async fn page(
    pages: &Pages,
    office: &Office<'_>,
    id: &WorkflowId,
    wrong: Option<Wrong>,
) -> Result<InboundAnswer> {
    let workflow = office.seen.workflow(id).await?;
    let name = office.name_of(&workflow.employee).await?;
    let title = format!("{}: {name}", title_of(workflow.kind));
    let page = context! {
        name => name,
        wrong => wrong.as_ref().map(Wrong::text),
        ..context! { ..summary(&workflow), ..office.common(&title) }
    };
    Ok(answered(pages.page("people_workflow.html", page)?, wrong))
}

/// Says what it means to go on with a workflow or to call it off, and asks once more.
pub(super) async fn confirm(
    pages: &Pages,
    office: &Office<'_>,
    id: &WorkflowId,
    what: &str,
    wrong: Option<Wrong>,
) -> Result<InboundAnswer> {
    let workflow = office.seen.workflow(id).await?;
    let name = office.name_of(&workflow.employee).await?;
    let of = workflow.kind.as_str();
    let title = match what {
        "cancel" => format!("Call off the {of} of {name}?"),
        "resume" if workflow.kind == WorkflowKind::Offboarding => {
            format!("Plan again what is left of the {of} of {name}?")
        }
        _ => return Err(nothing_here()),
    };
    let page = context! {
        what => what,
        name => name,
        reason => office.field("reason"),
        wrong => wrong.as_ref().map(Wrong::text),
        ..context! { ..summary(&workflow), ..office.common(&title) }
    };
    Ok(answered(pages.page("people_confirm.html", page)?, wrong))
}

/// Goes on with a workflow, or calls it off.
pub(super) async fn carry_out(
    pages: &Pages,
    office: &Office<'_>,
    id: &WorkflowId,
    what: &str,
) -> Result<InboundAnswer> {
    let (tenant, actor) = (office.visit.tenant, &office.visit.caller.actor);
    let done = match what {
        "cancel" => {
            let reason = office.field("reason").trim().to_owned();
            tenant.cancel_workflow(id, &reason, actor).await
        }
        "resume" => office.seen.resume_offboarding(id).await,
        _ => return Err(nothing_here()),
    };
    match done {
        Ok(started) => {
            let word = match (what, started.plan) {
                ("cancel", Some(_)) => "cancelled-restore",
                ("cancel", None) => "cancelled",
                (_, Some(_)) => "planned",
                (_, None) => "nothing-left",
            };
            office.done(&format!("workflows/{id}"), word)
        }
        Err(error) => confirm(pages, office, id, what, Some(Wrong::of(error)?)).await,
    }
}

/// One task, with the form that says where it stands.
pub(super) async fn task(
    pages: &Pages,
    office: &Office<'_>,
    id: &WorkflowId,
    number: &str,
) -> Result<InboundAnswer> {
    show_task(pages, office, id, number, None).await
}

async fn show_task(
    pages: &Pages,
    office: &Office<'_>,
    id: &WorkflowId,
    number: &str,
    wrong: Option<Wrong>,
) -> Result<InboundAnswer> {
    let number = number_of(number)?;
    let workflow = office.seen.workflow(id).await?;
    let task = workflow.tasks.iter().find(|task| task.number == number);
    let task = task.ok_or_else(nothing_here)?;
    let page = context! {
        name => office.name_of(&workflow.employee).await?,
        task => Value::from(Serde(task)),
        wrong => wrong.as_ref().map(Wrong::text),
        ..context! { ..summary(&workflow), ..office.common(&task.title) }
    };
    Ok(answered(pages.page("people_task.html", page)?, wrong))
}

/// Says where a task stands. The last one may complete the workflow.
pub(super) async fn set_task(
    pages: &Pages,
    office: &Office<'_>,
    id: &WorkflowId,
    number: &str,
) -> Result<InboundAnswer> {
    match task_set(office, id, number).await {
        Ok(workflow) => {
            let word = if workflow.status == WorkflowStatus::Completed {
                "completed"
            } else {
                "task"
            };
            office.done(&format!("workflows/{id}"), word)
        }
        Err(error) => show_task(pages, office, id, number, Some(Wrong::of(error)?)).await,
    }
}

async fn task_set(office: &Office<'_>, id: &WorkflowId, number: &str) -> Result<Workflow> {
    let status = match office.field("status").as_str() {
        "open" => TaskStatus::Open,
        "done" => TaskStatus::Done,
        "skipped" => TaskStatus::Skipped,
        _ => {
            let error = Error::invalid_input("choose where it stands");
            return Err(error.with_context("field", "status"));
        }
    };
    let note = office.field("note").trim().to_owned();
    let change = TaskChange {
        status,
        note: Some(note).filter(|note| !note.is_empty()),
    };
    let (tenant, actor) = (office.visit.tenant, &office.visit.caller.actor);
    tenant
        .set_task(id, number_of(number)?, &change, actor)
        .await
}

fn number_of(text: &str) -> Result<u32> {
    text.parse().map_err(|_| nothing_here())
}

const fn title_of(kind: WorkflowKind) -> &'static str {
    match kind {
        WorkflowKind::Onboarding => "Onboarding",
        WorkflowKind::Offboarding => "Offboarding",
    }
}
