//! For the organisation's own people: findings, plans with approve and reject, evidence, reports.

use jiff::Timestamp;
use minijinja::value::Serde;
use minijinja::{Value, context};
use protect_core::Result;
use protect_core::engine::{FindingFilter, Tenant};
use protect_core::inbound::InboundAnswer;
use protect_core::model::{
    ActionTarget, ApprovedPlan, Finding, FindingId, FindingKind, FindingStatus, Mode, Permission,
    Plan, PlanId, PlannedAction, Severity,
};
use protect_core::report::{Month, ReportFormat};

use super::{Pages, Visit, nothing_here, people, portal, with_own_styles};
use crate::api::finding_filter;
use crate::app::see_other;
use crate::form;

/// How many findings a page shows.
const FINDINGS: usize = 50;

/// How many entries of the ledger a page shows.
const ENTRIES: u64 = 50;

/// How many months of reports are offered.
const MONTHS: usize = 12;

const LINKS: &[(&str, &str)] = &[
    ("", "Dashboard"),
    ("findings", "Findings"),
    ("plans", "Plans"),
    ("domains", "Mail domains"),
    ("reports", "Reports"),
    ("evidence", "Evidence"),
];

pub(super) async fn answer(pages: &Pages, visit: &Visit<'_>) -> Result<InboundAnswer> {
    let path = visit.path();
    match (visit.is_get(), path.as_slice()) {
        (true, [""]) => dashboard(pages, visit).await,
        (true, ["findings"]) => findings(pages, visit).await,
        (true, ["findings", id]) => finding(pages, visit, &id.parse()?).await,
        (true, ["plans"]) => plans(pages, visit).await,
        (true, ["plans", id]) => plan(pages, visit, &id.parse()?).await,
        (true, ["domains"]) => domains(pages, visit).await,
        (true, ["reports"]) => reports(pages, visit),
        (true, ["reports", month]) => report(visit, month.parse()?).await,
        (true, ["evidence"]) => evidence(pages, visit).await,
        (false, ["findings", id, what]) => judge(visit, &id.parse()?, what).await,
        (false, ["plans", id, what]) => decide(visit, &id.parse()?, what).await,
        _ => Err(nothing_here()),
    }
}

async fn dashboard(pages: &Pages, visit: &Visit<'_>) -> Result<InboundAnswer> {
    if !visit.may(Permission::FindingsView) {
        return start(pages, visit);
    }
    let overview = visit.tenant.overview().await?;
    let page = context! {
        glance => pages.glance(visit.tenant, &overview)?,
        ..visit.common("Dashboard", LINKS)
    };
    pages.page("dashboard.html", page)
}

/// For who may not see findings: what else there is.
fn start(pages: &Pages, visit: &Visit<'_>) -> Result<InboundAnswer> {
    if visit.is_employee {
        return see_other(&format!("/t/{}/{}", visit.tenant.id(), portal::PART));
    }
    if visit.has_people {
        return see_other(&format!("/t/{}/{}", visit.tenant.id(), people::PART));
    }
    pages.page("start.html", visit.common("Welcome", LINKS))
}

async fn findings(pages: &Pages, visit: &Visit<'_>) -> Result<InboundAnswer> {
    visit.caller.actor.need(Permission::FindingsView)?;
    let mut filter = finding_filter(visit.request)?;
    let every = visit.request.query("status") == Some("");
    if filter.statuses.is_empty() && !every {
        filter.statuses = vec![FindingStatus::New, FindingStatus::Acknowledged];
    }
    filter.limit = Some(FINDINGS);
    let found = visit.tenant.findings(&filter).await?;
    let page = context! {
        findings => Value::from(Serde(&found.findings)),
        next => found.next.map(|next| next.to_string()),
        chosen => chosen(&filter, every),
        kinds => FindingKind::ALL.map(FindingKind::as_str),
        severities => Severity::ALL.map(Severity::as_str),
        ..visit.common("Findings", LINKS)
    };
    pages.page("findings.html", page)
}

/// What the form above the list shows.
fn chosen(filter: &FindingFilter, every: bool) -> Value {
    let status = match filter.statuses.as_slice() {
        [one] => one.as_str(),
        _ if every => "",
        _ => "open",
    };
    context! {
        status => status,
        kind => filter.kinds.first().map_or("", |kind| kind.as_str()),
        min_severity => filter.min_severity.map_or("", Severity::as_str),
    }
}

async fn finding(pages: &Pages, visit: &Visit<'_>, id: &FindingId) -> Result<InboundAnswer> {
    visit.caller.actor.need(Permission::FindingsView)?;
    let finding = visit.tenant.finding(id).await?;
    let page = context! {
        can_manage => visit.may(Permission::FindingsManage),
        can_acknowledge => finding.status == FindingStatus::New,
        can_resolve => is_unresolved(&finding),
        finding => Value::from(Serde(&finding)),
        ..visit.common(&finding.observation.title, LINKS)
    };
    pages.page("finding.html", page)
}

fn is_unresolved(finding: &Finding) -> bool {
    finding.status.is_open() || finding.status == FindingStatus::Accepted
}

/// Says what somebody thinks of a finding, and shows it again.
async fn judge(visit: &Visit<'_>, id: &FindingId, what: &str) -> Result<InboundAnswer> {
    let (tenant, actor) = (visit.tenant, &visit.caller.actor);
    match what {
        "acknowledge" => tenant.acknowledge_finding(id, actor).await?,
        "resolve" => tenant.resolve_finding(id, actor).await?,
        _ => return Err(nothing_here()),
    };
    see_other(&format!("/t/{}/findings/{id}", tenant.id()))
}

async fn plans(pages: &Pages, visit: &Visit<'_>) -> Result<InboundAnswer> {
    visit.caller.actor.need(Permission::FindingsView)?;
    let plans = visit.tenant.plans_waiting().await?;
    let page = context! {
        plans => Value::from(Serde(&plans)),
        ..visit.common("Plans", LINKS)
    };
    pages.page("plans.html", page)
}

async fn plan(pages: &Pages, visit: &Visit<'_>, id: &PlanId) -> Result<InboundAnswer> {
    visit.caller.actor.need(Permission::FindingsView)?;
    let plan = visit.tenant.plan_by_id(id).await?;
    let waits = is_waiting(visit.tenant, id).await?;
    let approved = if waits {
        None
    } else {
        visit.tenant.approved_by_id(id).await.ok()
    };
    let approval = approved.as_ref().map(ApprovedPlan::approval);
    let page = context! {
        actions => actions(&plan),
        approval => approval.map(|approval| Value::from(Serde(approval))),
        can_approve => visit.may(Permission::RemediationsApprove),
        dry_run => plan.mode == Mode::DryRun,
        waits => waits,
        plan => Value::from(Serde(&plan)),
        ..visit.common("Plan", LINKS)
    };
    pages.page("plan.html", page)
}

async fn is_waiting(tenant: &Tenant, id: &PlanId) -> Result<bool> {
    let waiting = tenant.plans_waiting().await?;
    Ok(waiting.iter().any(|plan| plan.id == *id))
}

/// Each action with what it changes, for people.
fn actions(plan: &Plan) -> Vec<Value> {
    let shown = |planned: &PlannedAction| {
        let target = match &planned.action.target {
            ActionTarget::Account(account) => account.id.as_str(),
            ActionTarget::Setting { .. } | ActionTarget::Sink { .. } => "",
        };
        let address = planned.action.parameters.get("address");
        let address = address.and_then(|address| address.as_str());
        context! {
            target => address.unwrap_or(target),
            connector => planned.action.target.connector().as_str(),
            planned => Value::from(Serde(planned)),
        }
    };
    plan.actions.iter().map(shown).collect()
}

/// Approves or rejects a plan.
async fn decide(visit: &Visit<'_>, id: &PlanId, what: &str) -> Result<InboundAnswer> {
    let (tenant, actor) = (visit.tenant, &visit.caller.actor);
    match what {
        "approve" => drop(tenant.approve_by_id(id, actor).await?),
        "reject" => {
            let reason = form::value(visit.request, "reason").unwrap_or_default();
            tenant.reject(id, actor, &reason).await?;
        }
        _ => return Err(nothing_here()),
    }
    see_other(&format!("/t/{}/plans/{id}", tenant.id()))
}

async fn domains(pages: &Pages, visit: &Visit<'_>) -> Result<InboundAnswer> {
    visit.caller.actor.need(Permission::FindingsView)?;
    let page = context! {
        domains => super::client::domains(visit.tenant).await?,
        ..visit.common("Mail domains", LINKS)
    };
    pages.page("domains.html", page)
}

fn reports(pages: &Pages, visit: &Visit<'_>) -> Result<InboundAnswer> {
    visit.caller.actor.need(Permission::ReportsView)?;
    let page = context! {
        reports => months(visit.tenant, visit.visitor.now),
        ..visit.common("Reports", LINKS)
    };
    pages.page("reports.html", page)
}

/// The months that a report can be made of, the latest first.
fn months(tenant: &Tenant, now: Timestamp) -> Vec<Value> {
    let mut month = Month::of(now);
    let mut months = Vec::new();
    for _ in 0..MONTHS {
        let id = month.to_string();
        let title = format!("{}: {id}", tenant.config().name);
        months.push(context! { id => id, title => title });
        let before = month
            .start()
            .checked_sub(jiff::SignedDuration::from_hours(1));
        let Ok(before) = before else { break };
        month = Month::of(before);
    }
    months
}

/// The report of a month: one page of its own.
pub(super) async fn report(visit: &Visit<'_>, month: Month) -> Result<InboundAnswer> {
    visit.caller.actor.need(Permission::ReportsView)?;
    let text = visit
        .tenant
        .report_as(month, ReportFormat::Html, &[])
        .await?;
    Ok(with_own_styles(InboundAnswer::bytes(super::HTML, text)))
}

async fn evidence(pages: &Pages, visit: &Visit<'_>) -> Result<InboundAnswer> {
    visit.caller.actor.need(Permission::ReportsView)?;
    let head = visit.tenant.ledger_head().await?;
    let last = head.map_or(0, |entry| entry.sequence);
    let before: Option<u64> = visit.request.query_as("before")?;
    let end = before.map_or(last, |before| before.saturating_sub(1).min(last));
    let begin = end.saturating_sub(ENTRIES);
    let count = usize::try_from(end - begin).unwrap_or_default();
    let mut entries = visit.tenant.ledger_after(begin, count.max(1)).await?;
    entries.truncate(count);
    entries.reverse();
    let page = context! {
        entries => Value::from(Serde(&entries)),
        older => (begin > 0).then_some(begin + 1),
        total => last,
        ..visit.common("Evidence", LINKS)
    };
    pages.page("evidence.html", page)
}
