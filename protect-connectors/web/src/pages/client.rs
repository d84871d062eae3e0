//! For a user of a client: how well protected they are, what was exposed, their mail domains, their reports. To
//! look at, and never to change; how much of it is the user's access level.

use minijinja::value::Serde;
use minijinja::{Value, context};
use protect_core::Result;
use protect_core::engine::Tenant;
use protect_core::inbound::InboundAnswer;
use protect_core::model::{AccessLevel, Permission};
use protect_core::report::{ClientView, Line, Month, ViewScore, Viewer, line_chart};

use super::{HTML, Pages, Visit, nothing_here, with_own_styles};

/// Where the view stands as JSON.
pub(crate) const JSON: &str = "/api/portal";

/// The pages, and the part of the view that each needs.
const LINKS: &[(&str, &str)] = &[
    ("", "Dashboard"),
    ("alerts", "Alerts"),
    ("domains", "Mail domains"),
    ("reports", "Reports"),
];

pub(super) async fn answer(pages: &Pages, visit: &Visit<'_>) -> Result<InboundAnswer> {
    let Some(viewer) = visit.viewer().filter(|_| visit.is_get()) else {
        return Err(nothing_here());
    };
    let path = visit.path();
    if let ["reports", month] = path.as_slice() {
        return report(visit, &viewer, month.parse()?).await;
    }
    let view = visit.tenant.client_view(&viewer).await?;
    let links = links(&view);
    let here = path.first().copied().unwrap_or_default();
    if path.len() > 1 || links.iter().all(|(path, _)| *path != here) {
        return Err(nothing_here());
    }
    let page = context! {
        is_client => true,
        trend => view.score.as_ref().and_then(trend),
        view => Value::from(Serde(&view)),
        domains => Value::from(Serde(&view.domains)),
        reports => Value::from(Serde(&view.reports)),
        ..visit.common(title(here), &links)
    };
    let template = match here {
        "alerts" => "alerts.html",
        "domains" => "domains.html",
        "reports" => "reports.html",
        _ => "client.html",
    };
    pages.page(template, page)
}

/// The same view as JSON; staff see it as whoever administers the client's company would.
pub(super) async fn json(visit: &Visit<'_>) -> Result<InboundAnswer> {
    if !visit.is_get() {
        return Err(nothing_here());
    }
    let viewer = if let Some(viewer) = visit.viewer() {
        viewer
    } else {
        visit.caller.actor.need(Permission::FindingsView)?;
        everything()
    };
    InboundAnswer::json(&visit.tenant.client_view(&viewer).await?)
}

/// The view of whoever administers the company.
fn everything() -> Viewer {
    Viewer {
        level: AccessLevel::CompanyAdmin,
        address: None,
    }
}

/// What the tenant lets clients see; the first page is always there.
fn links(view: &ClientView) -> Vec<(&'static str, &'static str)> {
    let is_shown = |(path, _): &&(&str, &str)| match *path {
        "alerts" => view.alerts.is_some(),
        "domains" => view.domains.is_some(),
        "reports" => view.reports.is_some(),
        _ => true,
    };
    LINKS.iter().filter(is_shown).copied().collect()
}

fn title(path: &str) -> &'static str {
    let found = LINKS.iter().find(|(known, _)| *known == path);
    found.map_or("", |(_, title)| title)
}

/// A report that the view names; every other one is not there.
async fn report(visit: &Visit<'_>, viewer: &Viewer, month: Month) -> Result<InboundAnswer> {
    let shown = visit.tenant.config().client_view.reports;
    if !shown || viewer.level == AccessLevel::Own {
        return Err(nothing_here());
    }
    let kept = visit.tenant.kept_report(month).await?;
    let report = kept.ok_or_else(nothing_here)?;
    Ok(with_own_styles(InboundAnswer::bytes(
        HTML,
        report.to_html()?,
    )))
}

/// How each domain's mail is authenticated, for staff.
pub(super) async fn domains(tenant: &Tenant) -> Result<Value> {
    let view = tenant.client_view(&everything()).await?;
    Ok(Value::from(Serde(view.domains.unwrap_or_default())))
}

/// How the score went, drawn; nothing while there is one month alone.
fn trend(score: &ViewScore) -> Option<Value> {
    if score.trend.len() < 2 {
        return None;
    }
    let along: Vec<String> = score.trend.iter().map(|it| it.month.to_string()).collect();
    let percent = score.trend.iter().map(|it| Some(f64::from(it.value)));
    let line = Line {
        label: "protection score".to_owned(),
        percent: percent.collect(),
    };
    Some(line_chart(&along, &[line]))
}

impl Visit<'_> {
    /// The user of a client, as the view knows them.
    fn viewer(&self) -> Option<Viewer> {
        Some(Viewer {
            level: self.client()?.level,
            address: self.visitor.session.address.clone(),
        })
    }
}
