//! The same as JSON, below `/t/{tenant}/api`: what the pages show, and what can be decided on them.

use async_trait::async_trait;
use protect_core::connector::OpContext;
use protect_core::engine::{FindingFilter, IncidentFilter, Tenant, TenantRoutes};
use protect_core::inbound::{InboundAnswer, InboundRequest, Route};
use protect_core::model::{
    CheckId, FindingId, FindingKind, FindingStatus, IncidentId, Permission, PlanId, Severity,
};
use protect_core::report::{Month, ReportFormat};
use protect_core::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// How many entries of the ledger one answer holds at most.
const ENTRIES: usize = 200;

/// How many findings one answer holds at most.
const FINDINGS: usize = 500;

/// The routes.
#[derive(Debug)]
pub(crate) struct Api {
    routes: Vec<Route>,
}

impl Api {
    pub(crate) fn new() -> Self {
        let see = Permission::FindingsView;
        let manage = Permission::FindingsManage;
        let approve = Permission::RemediationsApprove;
        let reports = Permission::ReportsView;
        let routes = vec![
            Route::get("web.me", "/api/me"),
            Route::get("web.overview", "/api/overview").permission(see),
            Route::get("web.findings", "/api/findings").permission(see),
            Route::get("web.finding", "/api/findings/{id}").permission(see),
            Route::post("web.acknowledge", "/api/findings/{id}/acknowledge").permission(manage),
            Route::post("web.resolve", "/api/findings/{id}/resolve").permission(manage),
            Route::get("web.incidents", "/api/incidents").permission(see),
            Route::get("web.incident", "/api/incidents/{id}").permission(see),
            Route::get("web.plans", "/api/plans").permission(see),
            Route::get("web.plan", "/api/plans/{id}").permission(see),
            Route::post("web.approve", "/api/plans/{id}/approve").permission(approve),
            Route::post("web.reject", "/api/plans/{id}/reject").permission(approve),
            Route::get("web.evidence", "/api/evidence").permission(reports),
            Route::get("web.report", "/api/reports/{month}").permission(reports),
        ];
        Self { routes }
    }
}

/// `POST /api/plans/{id}/reject`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rejection {
    reason: String,
}

#[async_trait]
impl TenantRoutes for Api {
    fn routes(&self) -> &[Route] {
        &self.routes
    }

    async fn handle(
        &self,
        tenant: &Tenant,
        cx: &OpContext,
        request: &InboundRequest,
    ) -> Result<InboundAnswer> {
        let segments: Vec<&str> = request.path.split('/').skip(2).collect();
        let actor = &cx.actor;
        match segments.as_slice() {
            ["me"] => InboundAnswer::json(&json!({
                "tenant": tenant.id(),
                "name": tenant.config().name,
                "actor": actor,
            })),
            ["overview"] => InboundAnswer::json(&*tenant.overview().await?),
            ["findings"] => InboundAnswer::json(&tenant.findings(&finding_filter(request)?).await?),
            ["findings", _] => {
                let id: FindingId = request.parameter("id")?;
                InboundAnswer::json(&tenant.finding(&id).await?)
            }
            ["findings", _, "acknowledge"] => {
                let id: FindingId = request.parameter("id")?;
                InboundAnswer::json(&tenant.acknowledge_finding(&id, actor).await?)
            }
            ["findings", _, "resolve"] => {
                let id: FindingId = request.parameter("id")?;
                InboundAnswer::json(&tenant.resolve_finding(&id, actor).await?)
            }
            ["incidents"] => {
                let filter = IncidentFilter {
                    statuses: words(request, "status")?,
                    kinds: words(request, "kind")?,
                    min_severity: words(request, "min_severity")?.into_iter().next(),
                    person: None,
                };
                InboundAnswer::json(&json!({ "incidents": tenant.incidents(&filter).await? }))
            }
            ["incidents", _] => {
                let id: IncidentId = request.parameter("id")?;
                InboundAnswer::json(&tenant.incident(&id).await?)
            }
            ["plans"] => InboundAnswer::json(&json!({ "plans": tenant.plans_waiting().await? })),
            ["plans", _] => {
                let id: PlanId = request.parameter("id")?;
                InboundAnswer::json(&tenant.plan_by_id(&id).await?)
            }
            ["plans", _, "approve"] => {
                let id: PlanId = request.parameter("id")?;
                let approved = tenant.approve_by_id(&id, actor).await?;
                InboundAnswer::json(approved.approval())
            }
            ["plans", _, "reject"] => {
                let id: PlanId = request.parameter("id")?;
                let Rejection { reason } = request.json()?;
                tenant.reject(&id, actor, &reason).await?;
                Ok(InboundAnswer::no_content())
            }
            ["evidence"] => evidence(tenant, request).await,
            ["reports", _] => report(tenant, request).await,
            _ => Err(Error::new(ErrorKind::NotFound, "there is nothing here")),
        }
    }
}

/// The filter of a query: `status`, `kind` (both may hold several), `min_severity`, `check`, `after`,
/// `limit`.
///
/// # Errors
/// `invalid_input` naming the parameter.
pub(crate) fn finding_filter(request: &InboundRequest) -> Result<FindingFilter> {
    let limit: Option<usize> = request.query_as("limit")?;
    let statuses: Vec<FindingStatus> = words(request, "status")?;
    let kinds: Vec<FindingKind> = words(request, "kind")?;
    let severities: Vec<Severity> = words(request, "min_severity")?;
    Ok(FindingFilter {
        statuses,
        kinds,
        min_severity: severities.into_iter().next(),
        check: request.query_as::<CheckId>("check")?,
        after: request.query_as::<FindingId>("after")?,
        limit: limit.map(|limit| limit.clamp(1, FINDINGS)),
        ..FindingFilter::default()
    })
}

/// The ledger behind `after`, in order.
async fn evidence(tenant: &Tenant, request: &InboundRequest) -> Result<InboundAnswer> {
    let after: Option<u64> = request.query_as("after")?;
    let entries = tenant.ledger_after(after.unwrap_or(0), ENTRIES).await?;
    InboundAnswer::json(&json!({ "entries": entries }))
}

async fn report(tenant: &Tenant, request: &InboundRequest) -> Result<InboundAnswer> {
    let month: Month = request.parameter("month")?;
    let format = words(request, "format")?.into_iter().next();
    let format = format.unwrap_or(ReportFormat::Json);
    let content = match format {
        ReportFormat::Html => "text/html; charset=utf-8",
        ReportFormat::Md => "text/markdown; charset=utf-8",
        ReportFormat::Json => "application/json",
        ReportFormat::Ocsf | ReportFormat::CloudEvents => "application/x-ndjson",
    };
    let text = tenant.report_as(month, format, &[]).await?;
    let answer = InboundAnswer::bytes(content, text);
    Ok(match format {
        ReportFormat::Html => crate::pages::with_own_styles(answer),
        _ => answer,
    })
}

/// Words of one of our own lists, from a parameter that may hold several.
pub(crate) fn words<T: DeserializeOwned>(
    request: &InboundRequest,
    name: &'static str,
) -> Result<Vec<T>> {
    let read = |word: &str| {
        serde_json::from_value(Value::from(word)).map_err(|_| {
            Error::invalid_input("not one of the words that stand there")
                .with_context("field", name)
        })
    };
    request.list(name).into_iter().map(read).collect()
}
