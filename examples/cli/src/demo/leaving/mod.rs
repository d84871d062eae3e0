//! A person leaves: from the decision of Human Resources to access gone everywhere. One vendor refuses at
//! first; that is told aloud, and put right. At the end there is a page of evidence to open.

mod stage;
mod tell;

use std::path::PathBuf;

use protect_connectors::core::engine::{FindingFilter, Tenant};
use protect_connectors::core::model::{
    Account, Actor, Address, Employee, Finding, Leaving, Plan, TaskStatus, Workflow, WorkflowId,
    WorkflowStatus,
};
use protect_connectors::core::operation::answer;
use protect_connectors::core::people::{EmployeeInput, NewOffboarding, TaskChange};
use protect_connectors::core::{Error, ErrorKind, Result};
use protect_connectors::one_stack::hub::AccessChange;
use protect_connectors::one_stack::{Access, Credential, Defend, Hub};
use protect_sandbox::{Fault, FaultKind, Vendor};
use serde::Serialize;

use super::proof::{self, EvidenceNow};
use super::road::{self, Done};
use super::stage::Stage;
use crate::app::{self, App};
use crate::args::Demo;
use crate::exit::Exit;
use crate::output::Answer;
use crate::progress::Progress;
use crate::vendors;
use crate::words::Names;

/// Who decides that somebody leaves.
const DECIDES: &str = "hr";

/// The page of evidence, in the folder of the demo.
const PAGE: &str = "evidence.html";

/// The whole story as data.
#[derive(Serialize)]
struct Story {
    seed: u64,
    organisation: String,
    employee: Employee,
    /// What was consented to first, and what came of it.
    first: Done,
    /// What went wrong then.
    problems: Vec<Finding>,
    ticket: Option<String>,
    /// What was left, once the vendor no longer refused.
    second: Done,
    workflow: Workflow,
    /// Every account of theirs, as the vendors give it now.
    accounts: Vec<Account>,
    /// Their access to the products, as Hub gives it.
    access: Vec<AccessChange>,
    /// How often Defend watched them, and how often it does now.
    watched: Watched,
    /// Mails that went out.
    mails: usize,
    page: &'static str,
    evidence: EvidenceNow,
    /// Requests that a correct client would not have sent.
    violations: usize,
    folder: Option<PathBuf>,
}

#[derive(Serialize)]
struct Watched {
    times: usize,
    now: usize,
}

/// Tells the story.
pub(super) async fn run(app: &App, demo: Demo) -> Result<Answer> {
    let output = app.output;
    let refuses = match demo.fault.as_deref() {
        Some(name) => vendors::fault(name)?,
        None => Fault::new(FaultKind::SuspendRefused).at(Vendor::OnePassword),
    };
    let stage = Stage::set(&demo, stage::config).await?;
    let tenant = &stage.tenant;
    output.page(&tell::beginning(&stage, &demo))?;

    let progress = Progress::start(output, "reading the directories");
    let employee = hire(tenant).await?;
    drop(progress);
    let new = decision(&stage);
    let started = tenant
        .offboard(&employee.id, &new, &Actor::unverified(DECIDES))
        .await?;
    let id = started.workflow.id.clone();
    let names = Names::of(tenant).await?;
    let plan = started.plan.ok_or_else(nothing)?;
    output.page(&tell::decided(&employee, &started.workflow, &plan, &names))?;

    stage.sandbox.set_fault(refuses);
    let first = road::act(&stage, plan, output).await?;
    tenant.apply_waiting().await?;
    let problems = problems(tenant).await?;
    let workflow = tenant.workflow(&id).await?;
    let ticket = match &workflow.incident {
        Some(incident) => tenant.ticket_of(incident).await?,
        None => None,
    };
    output.page(&tell::first(&first, &problems, ticket.as_deref(), &names))?;

    stage.sandbox.clear_faults();
    let second = finish(&stage, &id, app).await?;
    let workflow = tenant.workflow(&id).await?;
    output.page(&tell::second(&second, &workflow, &names))?;

    let progress = Progress::start(output, "asking the vendors");
    let story = Story {
        seed: demo.seed,
        organisation: tenant.config().name.clone(),
        accounts: accounts_now(tenant, &employee).await?,
        access: hub(&stage)?
            .find_access_changes(&revocation(&stage, &workflow))
            .await?,
        watched: watched(&stage, &employee).await?,
        mails: mails(&stage),
        page: write_page(&stage, &id).await?,
        evidence: proof::prove(&stage).await?,
        violations: stage.sandbox.violations().len(),
        folder: stage.folder.kept().map(PathBuf::from),
        employee,
        first,
        problems,
        ticket,
        second,
        workflow,
    };
    drop(progress);
    output.page(&tell::proof(&story, stage.folder.kept()))?;
    let exit = story.exit();
    stage.sandbox.shutdown().await;
    Ok(Answer {
        document: answer(&story)?,
        page: tell::end(&story, exit),
        exit,
    })
}

/// Somebody with an account everywhere and no special rights, and who leads them.
async fn hire(tenant: &Tenant) -> Result<Employee> {
    for name in stage::DIRECTORIES {
        tenant.refresh_accounts(&name.parse()?).await?;
    }
    let accounts = tenant.accounts().await?;
    let ordinary = |address: &Address| {
        let own: Vec<_> = accounts
            .iter()
            .filter(|it| it.address.as_ref() == Some(address))
            .collect();
        own.len() == stage::DIRECTORIES.len()
            && own
                .iter()
                .all(|it| it.privileged != Some(true) && it.protection.is_none())
    };
    let mut people: Vec<&Account> = accounts
        .iter()
        .filter(|it| it.address.as_ref().is_some_and(ordinary))
        .collect();
    people.sort_by(|a, b| a.address.cmp(&b.address));
    people.dedup_by(|a, b| a.address == b.address);
    let mut hired: Option<Employee> = None;
    for account in people.into_iter().take(2) {
        let manager = hired.as_ref().map(|it| it.work_email.to_string());
        let input = EmployeeInput {
            last_name: Some(account.display_name.clone()),
            work_email: account.address.clone(),
            job_title: Some(
                if manager.is_none() {
                    "Head of sales"
                } else {
                    "Sales"
                }
                .to_owned(),
            ),
            manager,
            ..EmployeeInput::default()
        };
        hired = Some(
            tenant
                .hire(&input, false, &Actor::unverified(DECIDES))
                .await?,
        );
    }
    hired.filter(|it| it.manager.is_some()).ok_or_else(nothing)
}

fn decision(stage: &Stage) -> NewOffboarding {
    let now = stage.protect.context().clock.now();
    NewOffboarding {
        last_day: now.to_zoned(jiff::tz::TimeZone::UTC).date(),
        leaving: Leaving::Resigned,
        reason: "moves on to another post".to_owned(),
        at_once: true,
        allow_past: false,
        tasks: None,
    }
}

/// The findings about access that is left.
async fn problems(tenant: &Tenant) -> Result<Vec<Finding>> {
    let all = tenant.findings(&FindingFilter::default()).await?.findings;
    let is_left = |it: &Finding| it.observation.check.as_str() == "protect.offboarding.access_left";
    Ok(all.into_iter().filter(is_left).collect())
}

/// What was left is planned again and consented to; people do their tasks; what was to end ends.
async fn finish(stage: &Stage, id: &WorkflowId, app: &App) -> Result<Done> {
    let tenant = &stage.tenant;
    let resumed = tenant.resume_offboarding(id).await?;
    let plan = match resumed.plan {
        Some(plan) => plan,
        None => tenant.plan().await?,
    };
    let done = road::act(stage, plan, app.output).await?;
    for task in &resumed.workflow.tasks {
        let change = TaskChange {
            status: TaskStatus::Done,
            note: None,
        };
        if tenant.workflow(id).await?.status == WorkflowStatus::Open {
            tenant
                .set_task(id, task.number, &change, &Actor::unverified(DECIDES))
                .await?;
        }
    }
    tenant.review_workflows().await?;
    tenant.apply_waiting().await?;
    tenant.review_workflows().await?;
    Ok(done)
}

/// Their accounts, asked of the vendors anew.
async fn accounts_now(tenant: &Tenant, employee: &Employee) -> Result<Vec<Account>> {
    for name in stage::DIRECTORIES {
        tenant.refresh_accounts(&name.parse()?).await?;
    }
    tenant.accounts_of_employee(employee).await
}

fn access(stage: &Stage, product: &str) -> Access {
    let key = Credential::IntegrationKey;
    proof::access(stage, product, key, vendors::RMM_KEY)
}

fn hub(stage: &Stage) -> Result<Hub> {
    Hub::new(access(stage, "hub"), stage.protect.context())
}

/// What Hub was asked with.
fn revocation(stage: &Stage, workflow: &Workflow) -> String {
    let mut steps = workflow.steps.iter();
    let step = steps.find(|step| step.kind.as_str() == "revoke_access");
    let action = step.map(|step| step.action.as_str()).unwrap_or_default();
    format!("protect:{}:{action}", stage.tenant.id())
}

async fn watched(stage: &Stage, employee: &Employee) -> Result<Watched> {
    let defend = Defend::new(access(stage, "defend"), stage.protect.context())?;
    let all = defend.elevations(employee.work_email.as_str()).await?;
    let now = all
        .iter()
        .filter(|it| it.status.as_deref() == Some("active"));
    Ok(Watched {
        now: now.count(),
        times: all.len(),
    })
}

fn mails(stage: &Stage) -> usize {
    let state = stage.sandbox.state();
    let mails = state["smtp"]["mails"].as_array();
    mails.map_or(0, Vec::len)
}

async fn write_page(stage: &Stage, id: &WorkflowId) -> Result<&'static str> {
    let page = stage.tenant.workflow_page(id).await?;
    app::write(&stage.folder.path().join(PAGE), &page)?;
    Ok(PAGE)
}

fn nothing() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "the simulated vendors have nobody with an account everywhere; try another `--seed`",
    )
}

impl Story {
    fn plans(&self) -> impl Iterator<Item = &Plan> {
        [&self.first.plan, &self.second.plan].into_iter()
    }

    /// Whether nothing of theirs is open any more, by everybody's word.
    fn is_gone(&self) -> bool {
        let is_closed = |account: &&Account| account.state.as_str() == "suspended";
        self.workflow.status == WorkflowStatus::Completed
            && self.workflow.access_gone
            && self.accounts.iter().all(|it| is_closed(&it))
            && self.watched.now == 0
    }

    fn exit(&self) -> Exit {
        let is_proven = self.evidence.verified.valid && self.violations == 0;
        Exit::trouble(!self.is_gone() || !is_proven)
    }
}
