//! The second half of the road: `request`, `plan`, `approve`, `apply`, `undo`, `settle`, and the
//! kill switch.

use protect_connectors::core::Result;
use protect_connectors::core::engine::{self, Step, Tenant};
use protect_connectors::core::model::{
    Approval, GuardDecision, Mode, OutcomeStatus, Plan as PlanModel,
};
use serde::Serialize;
use serde_json::json;

use crate::app::App;
use crate::args::{Approve, OneActor, OneTenant, Pause, Plan, Request, Settle, Settled, Undo};
use crate::exit::Exit;
use crate::output::Answer;
use crate::page::{Page, Text, Tone};
use crate::progress::Progress;
use crate::words::{self, Names};

/// Asks for one action on one person's accounts.
pub(super) async fn request(app: &App, request: Request) -> Result<Answer> {
    let tenant = app.tenant(request.actor.tenant.tenant.as_deref()).await?;
    let wanted = engine::Request {
        kind: request.action,
        account: request.account,
        reason: request.reason,
        by: request.actor.by.actor(),
        lasts: request.lasts,
        parameters: request.parameters.into_iter().collect(),
    };
    let plan = tenant.request(wanted).await?;
    show_plan(&tenant, &plan).await
}

/// What the rules want done now, or a stored plan.
pub(super) async fn plan(app: &App, plan: Plan) -> Result<Answer> {
    let tenant = app.tenant(plan.tenant.tenant.as_deref()).await?;
    let plan = if let Some(id) = &plan.id {
        tenant.plan_by_id(id).await?
    } else {
        let progress = Progress::start(app.output, format!("{}: planning", tenant.id()));
        let plan = if plan.evidence {
            tenant.plan_evidence().await?
        } else {
            tenant.plan().await?
        };
        drop(progress);
        plan
    };
    show_plan(&tenant, &plan).await
}

/// Plans the undoing of an applied action.
pub(super) async fn undo(app: &App, undo: Undo) -> Result<Answer> {
    let tenant = app.tenant(undo.actor.tenant.tenant.as_deref()).await?;
    let actor = undo.actor.by.actor();
    let plan = tenant.undo(&undo.action, &actor, &undo.reason).await?;
    show_plan(&tenant, &plan).await
}

async fn show_plan(tenant: &Tenant, plan: &PlanModel) -> Result<Answer> {
    let mut page = Page::new();
    if plan.actions.is_empty() {
        page.line("Nothing is to be done.");
        return Answer::one(plan, page);
    }
    page.heading(format!("Plan {}", plan.id));
    words::plan(&mut page, plan, &Names::of(tenant).await?);
    let decisions: Vec<_> = plan
        .actions
        .iter()
        .map(|planned| planned.guard.decision)
        .collect();
    if decisions
        .iter()
        .all(|decision| *decision == GuardDecision::Refuse)
    {
        page.gap()
            .line("The guards refuse all of it; nothing can be approved.");
    } else if plan.mode == Mode::DryRun {
        page.gap().line(Text::new(
            "The mode is dry_run, so this is only shown. Set `mode = \"enforce\"` to have it done.",
            Tone::Warn,
        ));
    } else {
        page.next(
            format!("protect approve {}", plan.id),
            "consent to exactly this",
        );
    }
    Answer::one(plan, page)
}

#[derive(Serialize)]
struct Approved<'a> {
    plan: &'a PlanModel,
    approval: &'a Approval,
}

/// Consents to a plan.
pub(super) async fn approve(app: &App, approve: Approve) -> Result<Answer> {
    let tenant = app.tenant(approve.actor.tenant.tenant.as_deref()).await?;
    let actor = approve.actor.by.actor();
    let approved = tenant.approve_by_id(&approve.plan, &actor).await?;
    let approval = approved.approval();
    let mut page = Page::new();
    page.line(format!(
        "Approved by {}: {}; counts until {}.",
        approval.by,
        words::count_of(approved.plan().actions.len(), "action"),
        approval.expires_at.strftime("%Y-%m-%d %H:%M UTC"),
    ));
    page.next("protect apply", "do it");
    let document = Approved {
        plan: approved.plan(),
        approval,
    };
    Answer::one(&document, page)
}

/// Does what was approved and waits.
pub(super) async fn apply(app: &App, of: OneTenant) -> Result<Answer> {
    let tenant = app.tenant(of.tenant.as_deref()).await?;
    let progress = Progress::start(app.output, format!("{}: applying", tenant.id()));
    let steps = tenant.apply_waiting().await?;
    drop(progress);
    let mut page = Page::new();
    if steps.is_empty() {
        page.line("Nothing that was approved waits.");
        let waiting = tenant.plans_waiting().await?;
        if let Some(plan) = waiting.first() {
            page.next(
                format!("protect approve {}", plan.id),
                "a plan waits for consent",
            );
        }
    } else {
        page.table(words::steps(&steps, &Names::of(&tenant).await?));
        hint_after(&mut page, &steps);
    }
    let exit = words::exit_of(&steps, is_halted(&tenant).await?);
    Ok(Answer::many("steps", &steps, page)?.exit(exit))
}

fn hint_after(page: &mut Page, steps: &[Step]) {
    let has = |status| steps.iter().any(|step| step.status() == Some(status));
    if let Some(unknown) = steps
        .iter()
        .find(|step| step.status() == Some(OutcomeStatus::Unknown))
    {
        let command = format!("protect settle {} applied --reason ...", unknown.action.id);
        page.next(
            command,
            "once a person looked; `protect apply` asks the vendor again",
        );
    } else if has(OutcomeStatus::Failed) {
        page.next("protect plan", "what failed is planned again");
    } else if steps.iter().any(|step| step.outcome.is_none()) {
        page.next("protect apply", "a little later");
    } else {
        page.next("protect report", "what was found and done this month");
    }
}

/// Whether waiting is what somebody wants just now.
async fn is_halted(tenant: &Tenant) -> Result<bool> {
    Ok(tenant.status().await?.mode == Mode::DryRun || tenant.paused().await?.is_some())
}

/// Says what a person found out about an action whose outcome is unknown.
pub(super) async fn settle(app: &App, settle: Settle) -> Result<Answer> {
    let tenant = app.tenant(settle.actor.tenant.tenant.as_deref()).await?;
    let status = match settle.as_ {
        Settled::Applied => OutcomeStatus::Applied,
        Settled::Failed => OutcomeStatus::Failed,
    };
    let actor = settle.actor.by.actor();
    let step = tenant
        .settle(&settle.action, status, &actor, &settle.reason)
        .await?;
    let mut page = Page::new();
    let steps = [step];
    page.table(words::steps(&steps, &Names::of(&tenant).await?));
    let [step] = steps;
    Answer::one(&step, page)
}

/// Stops the next effect, and every one after it.
pub(super) async fn pause(app: &App, pause: Pause) -> Result<Answer> {
    let tenant = app.tenant(pause.actor.tenant.tenant.as_deref()).await?;
    tenant.pause(&pause.actor.by.actor(), &pause.reason).await?;
    let mut page = Page::new();
    page.line("Paused: nothing more is changed.");
    page.next("protect resume", "let effects go on");
    Ok(Answer {
        document: json!({ "paused": tenant.paused().await? }),
        page,
        exit: Exit::OK,
    })
}

/// Lets effects go on.
pub(super) async fn resume(app: &App, actor: OneActor) -> Result<Answer> {
    let tenant = app.tenant(actor.tenant.tenant.as_deref()).await?;
    tenant.resume(&actor.by.actor()).await?;
    let mut page = Page::new();
    page.line("Resumed.");
    page.next("protect apply", "do what waits");
    Ok(Answer {
        document: json!({ "paused": tenant.paused().await? }),
        page,
        exit: Exit::OK,
    })
}
