//! `offboard`.

use std::path::PathBuf;

use clap::Subcommand;
use jiff::civil::Date;
use protect_connectors::core::engine::Tenant;
use protect_connectors::core::model::{
    Leaving, OutcomeStatus, Plan, TaskStatus, Workflow, WorkflowId, WorkflowKind, WorkflowStatus,
};
use protect_connectors::core::people::{
    NewOffboarding, NewOnboarding, Started, StartedMany, TaskChange,
};
use protect_connectors::core::{Error, Result};
use serde_json::json;

use crate::app::{self, App};
use crate::args::{OneActor, OneTenant, day, typed};
use crate::exit::Exit;
use crate::output::Answer;
use crate::page::{Page, Table, Text};
use crate::words::{self, Names};

/// Coming and leaving.
#[derive(Debug, Subcommand)]
pub(crate) enum OffboardCommand {
    /// Begin: tasks, and a plan that waits for somebody else's approval; for several people one plan, made
    /// from what is known of their accounts.
    Start {
        #[command(flatten)]
        actor: OneActor,
        /// Addresses, numbers or ids.
        #[arg(required = true)]
        who: Vec<String>,
        /// The last day of work: access ends with it.
        #[arg(long, value_parser = day)]
        last_day: Date,
        /// Why, without addresses: it goes into the evidence.
        #[arg(long)]
        reason: String,
        /// `terminated` or `resigned`.
        #[arg(long = "as", value_parser = typed::<Leaving>, default_value = "terminated")]
        leaving: Leaving,
        /// Access ends as soon as somebody approved.
        #[arg(long)]
        now: bool,
        /// The last day may lie in the past.
        #[arg(long)]
        allow_past: bool,
    },
    /// Begin an onboarding: its tasks.
    Welcome {
        #[command(flatten)]
        actor: OneActor,
        /// An address, a number or an id.
        who: String,
        /// The first day of work; the employee's own where it is left out.
        #[arg(long, value_parser = day)]
        first_day: Option<Date>,
    },
    /// What runs.
    List {
        #[command(flatten)]
        tenant: OneTenant,
        /// Completed and cancelled ones too.
        #[arg(long)]
        all: bool,
    },
    /// One workflow: what is done, and what is left.
    Show {
        #[command(flatten)]
        tenant: OneTenant,
        /// Its id, or the employee's address, number or id.
        which: String,
    },
    /// Say where a task stands.
    Task {
        #[command(flatten)]
        actor: OneActor,
        /// The workflow's id, or the employee's address, number or id.
        which: String,
        /// The task's number.
        number: u32,
        /// `done`, `skipped` or `open`.
        #[arg(value_parser = task_status, default_value = "done")]
        status: TaskStatus,
        /// What else there is to say.
        #[arg(long)]
        note: Option<String>,
    },
    /// Plan what is left, and again what came to nothing.
    Resume {
        #[command(flatten)]
        tenant: OneTenant,
        /// The workflow's id, or the employee's address, number or id.
        which: String,
    },
    /// Call it off; what was done is planned to be taken back.
    Cancel {
        #[command(flatten)]
        actor: OneActor,
        /// The workflow's id, or the employee's address, number or id.
        which: String,
        /// Why, without addresses.
        #[arg(long)]
        reason: String,
    },
    /// Everything in the ledger that belongs to a workflow: who approved what, and when.
    Evidence {
        #[command(flatten)]
        tenant: OneTenant,
        /// The workflow's id, or the employee's address, number or id.
        which: String,
        /// Write it as a page to this file instead.
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
}

/// Somebody comes or leaves.
pub(super) async fn run(app: &App, command: OffboardCommand) -> Result<Answer> {
    match command {
        OffboardCommand::Start {
            actor,
            who,
            last_day,
            reason,
            leaving,
            now,
            allow_past,
        } => {
            let tenant = app.tenant(actor.tenant.tenant.as_deref()).await?;
            let mut employees = Vec::new();
            for who in &who {
                employees.push(tenant.find_employee(who).await?.id);
            }
            let new = NewOffboarding {
                last_day,
                leaving,
                reason,
                at_once: now,
                allow_past,
                tasks: None,
            };
            let by = actor.by.actor();
            if let [employee] = &employees[..] {
                let started = tenant.offboard(employee, &new, &by).await?;
                return show_started(&tenant, &started).await;
            }
            let started = tenant.offboard_many(&employees, &new, &by).await?;
            show_started_many(&tenant, &started).await
        }
        OffboardCommand::Welcome {
            actor,
            who,
            first_day,
        } => {
            let tenant = app.tenant(actor.tenant.tenant.as_deref()).await?;
            let employee = tenant.find_employee(&who).await?;
            let new = NewOnboarding {
                first_day,
                tasks: None,
            };
            let workflow = tenant
                .onboard(&employee.id, &new, &actor.by.actor())
                .await?;
            show(&tenant, &workflow).await
        }
        OffboardCommand::List { tenant, all } => {
            let tenant = app.tenant(tenant.tenant.as_deref()).await?;
            let status = (!all).then_some(WorkflowStatus::Open);
            list(&tenant, &tenant.workflows(status).await?).await
        }
        OffboardCommand::Show { tenant, which } => {
            let tenant = app.tenant(tenant.tenant.as_deref()).await?;
            let id = named(&tenant, &which).await?;
            show(&tenant, &tenant.workflow(&id).await?).await
        }
        OffboardCommand::Task {
            actor,
            which,
            number,
            status,
            note,
        } => {
            let tenant = app.tenant(actor.tenant.tenant.as_deref()).await?;
            let id = named(&tenant, &which).await?;
            let change = TaskChange { status, note };
            let by = actor.by.actor();
            let workflow = tenant.set_task(&id, number, &change, &by).await?;
            show(&tenant, &workflow).await
        }
        OffboardCommand::Resume { tenant, which } => {
            let tenant = app.tenant(tenant.tenant.as_deref()).await?;
            let id = named(&tenant, &which).await?;
            let started = tenant.resume_offboarding(&id).await?;
            show_started(&tenant, &started).await
        }
        OffboardCommand::Cancel {
            actor,
            which,
            reason,
        } => {
            let tenant = app.tenant(actor.tenant.tenant.as_deref()).await?;
            let id = named(&tenant, &which).await?;
            let by = actor.by.actor();
            let called_off = tenant.cancel_workflow(&id, &reason, &by).await?;
            show_started(&tenant, &called_off).await
        }
        OffboardCommand::Evidence {
            tenant,
            which,
            html,
        } => {
            let tenant = app.tenant(tenant.tenant.as_deref()).await?;
            let id = named(&tenant, &which).await?;
            if let Some(file) = html {
                app::write(&file, &tenant.workflow_page(&id).await?)?;
                let mut page = Page::new();
                page.line(format!("Written to {}.", file.display()));
                return Answer::one(&json!({ "page": file }), page);
            }
            evidence(&tenant, &id).await
        }
    }
}

/// A workflow by its id, or the latest of an employee.
async fn named(tenant: &Tenant, which: &str) -> Result<WorkflowId> {
    if let Ok(id) = WorkflowId::new(which)
        && tenant.workflow(&id).await.is_ok()
    {
        return Ok(id);
    }
    let employee = tenant.find_employee(which).await?.id;
    let all = tenant.workflows(None).await?;
    let own = all.into_iter().find(|it| it.employee == employee);
    own.map(|it| it.id).ok_or_else(|| {
        Error::new(
            protect_connectors::core::ErrorKind::NotFound,
            "this employee has no workflow; `offboard start` begins one",
        )
    })
}

async fn show_started(tenant: &Tenant, started: &Started) -> Result<Answer> {
    let mut page = Page::new();
    describe(tenant, &started.workflow, &mut page).await?;
    describe_plan(tenant, started.plan.as_ref(), &mut page).await?;
    Answer::one(started, page)
}

async fn show_started_many(tenant: &Tenant, started: &StartedMany) -> Result<Answer> {
    let mut page = Page::new();
    page.table(table(tenant, &started.workflows).await?);
    describe_plan(tenant, started.plan.as_ref(), &mut page).await?;
    Answer::one(started, page)
}

/// What waits for consent.
async fn describe_plan(tenant: &Tenant, plan: Option<&Plan>, page: &mut Page) -> Result<()> {
    match plan {
        Some(plan) => {
            page.gap().heading(format!("Plan {}", plan.id));
            words::plan(page, plan, &Names::of(tenant).await?);
            let command = format!("protect approve {}", plan.id);
            page.next(command, "somebody else consents to exactly this");
        }
        None => {
            page.gap().line("There is nothing to plan.");
        }
    }
    Ok(())
}

async fn show(tenant: &Tenant, workflow: &Workflow) -> Result<Answer> {
    let mut page = Page::new();
    describe(tenant, workflow, &mut page).await?;
    let wrong = workflow
        .steps
        .iter()
        .any(|step| step.outcome.is_some_and(OutcomeStatus::is_terminal) && !step.is_done());
    Ok(Answer::one(workflow, page)?.exit(Exit::trouble(wrong)))
}

async fn describe(tenant: &Tenant, workflow: &Workflow, page: &mut Page) -> Result<()> {
    let name = tenant.employee(&workflow.employee).await?.display_name();
    let of = match workflow.kind {
        WorkflowKind::Offboarding => format!("{name} leaves; the last day is {}", workflow.day),
        WorkflowKind::Onboarding => format!("{name} begins on {}", workflow.day),
    };
    page.heading(of);
    let mut facts = Table::bare().indent(2);
    facts.row([Text::faint("workflow"), workflow.id.as_str().into()]);
    let open = workflow.status == WorkflowStatus::Open;
    facts.row([
        Text::faint("stands"),
        words::state(workflow.status.as_str(), open),
    ]);
    if let Some(at) = workflow.access_ends_at {
        facts.row([Text::faint("access ends"), words::moment(at)]);
    }
    page.table(facts);
    if !workflow.steps.is_empty() {
        let mut steps = Table::new(["access", "account", "came to", "because"]);
        for step in &workflow.steps {
            steps.row([
                step.kind.as_str().into(),
                format!("{} {}", step.account.connector, step.account.id).into(),
                words::outcome(step.outcome),
                step.reason.as_str().into(),
            ]);
        }
        page.gap().table(steps);
    }
    for connector in &workflow.unread {
        page.line(format!(
            "{connector} could not be read: whether there is an account is not known."
        ));
    }
    if !workflow.tasks.is_empty() {
        let mut tasks = Table::new(["task", "what", "whose", "by", "stands"]);
        for task in &workflow.tasks {
            let word = match task.status {
                TaskStatus::Open => "open",
                TaskStatus::Done => "done",
                TaskStatus::Skipped => "skipped",
            };
            tasks.row([
                task.number.to_string().into(),
                task.title.as_str().into(),
                task.assignee.as_str().into(),
                task.due.to_string().into(),
                words::state(word, task.status == TaskStatus::Open),
            ]);
        }
        page.gap().table(tasks);
    }
    Ok(())
}

async fn list(tenant: &Tenant, workflows: &[Workflow]) -> Result<Answer> {
    let mut page = Page::new();
    let table = table(tenant, workflows).await?;
    if table.is_empty() {
        page.line("Nobody comes and nobody leaves.");
    }
    page.table(table);
    Answer::many("workflows", workflows, page)
}

async fn table(tenant: &Tenant, workflows: &[Workflow]) -> Result<Table> {
    let mut table = Table::new(["workflow", "who", "what", "day", "stands", "left"]);
    for workflow in workflows {
        let name = tenant.employee(&workflow.employee).await?.display_name();
        let left = workflow.tasks_left() + workflow.steps_left().count();
        table.row([
            workflow.id.as_str().into(),
            name.into(),
            workflow.kind.as_str().into(),
            workflow.day.to_string().into(),
            words::state(
                workflow.status.as_str(),
                workflow.status == WorkflowStatus::Open,
            ),
            left.to_string().into(),
        ]);
    }
    Ok(table)
}

async fn evidence(tenant: &Tenant, id: &WorkflowId) -> Result<Answer> {
    let entries = tenant.workflow_evidence(id).await?;
    let mut page = Page::new();
    let mut table = Table::new(["entry", "when", "what", "who"]);
    for entry in &entries {
        table.row([
            entry.sequence.to_string().into(),
            words::moment(entry.at),
            entry.kind.as_str().into(),
            entry.actor.as_str().into(),
        ]);
    }
    page.table(table);
    page.next("protect evidence verify FILE", "that nothing was changed");
    Answer::many("entries", &entries, page)
}

fn task_status(text: &str) -> std::result::Result<TaskStatus, String> {
    match text {
        "open" => Ok(TaskStatus::Open),
        "done" => Ok(TaskStatus::Done),
        "skipped" => Ok(TaskStatus::Skipped),
        _ => Err("write `done`, `skipped` or `open`".to_owned()),
    }
}
