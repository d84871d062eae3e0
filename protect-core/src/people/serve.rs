//! What the workforce answers to other products: time off and certifications for PSA, lookups, signals and
//! emergencies from Defend, acknowledgements from Legal. The paths are conventions of ours, since no public
//! page documents them.

use std::sync::Arc;

use ::http::StatusCode;
use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::insider::NewSignal;
use super::lifecycle::NewOffboarding;
use super::time_off::TimeOffFilter;
use crate::connector::OpContext;
use crate::engine::{Tenant, TenantRoutes};
use crate::error::{Error, ErrorKind, Result};
use crate::inbound::{InboundAnswer, InboundRequest, Route, TenantFrom};
use crate::model::{
    Acknowledgement, ActionId, Employee, EmployeeId, Leaving, TimeOff, TimeOffStatus,
};

/// Everything that the workforce answers, to be added to an engine
/// ([`EngineBuilder::routes`](crate::engine::EngineBuilder::routes)).
pub fn routes() -> Vec<Arc<dyn TenantRoutes>> {
    let by_query = |name, path: &str| {
        Route::get(name, path)
            .tenant(TenantFrom::query("tenantId"))
            .integration_key()
    };
    let by_body = |name, path: &str| {
        Route::post(name, path)
            .tenant(TenantFrom::body("tenant_id"))
            .integration_key()
            .body_limit(64 * 1024)
    };
    let area = |key_kind, routes| Arc::new(Area { key_kind, routes }) as Arc<dyn TenantRoutes>;
    vec![
        area(
            "people",
            vec![
                by_query("people.time_off", "/api/psa/time-off"),
                by_query("people.certifications", "/api/psa/certifications"),
            ],
        ),
        area(
            "defend",
            vec![
                by_query("people.lookup", "/api/internal/employees/lookup"),
                by_body("people.signal", "/api/internal/insider-threat/signals"),
                by_body("people.offboarding", "/api/internal/offboarding"),
            ],
        ),
        area(
            "legal",
            vec![by_body(
                "people.acknowledgment",
                "/api/internal/legal/acknowledgments",
            )],
        ),
    ]
}

/// The routes that one product's key opens.
#[derive(Debug)]
struct Area {
    key_kind: &'static str,
    routes: Vec<Route>,
}

#[async_trait]
impl TenantRoutes for Area {
    fn routes(&self) -> &[Route] {
        &self.routes
    }

    fn key_kind(&self) -> Option<&str> {
        Some(self.key_kind)
    }

    async fn handle(
        &self,
        tenant: &Tenant,
        cx: &OpContext,
        request: &InboundRequest,
    ) -> Result<InboundAnswer> {
        match request.path.as_str() {
            "/api/psa/time-off" => time_off(tenant, request).await,
            "/api/psa/certifications" => certifications(tenant, request).await,
            "/api/internal/employees/lookup" => lookup(tenant, request).await,
            "/api/internal/insider-threat/signals" => signal(tenant, request).await,
            "/api/internal/offboarding" => offboarding(tenant, cx, request).await,
            "/api/internal/legal/acknowledgments" => acknowledgment(tenant, request).await,
            _ => Err(Error::new(ErrorKind::NotFound, "there is nothing here")),
        }
    }
}

/// Approved and pending time off of those who work here. Of which sort it is is nobody's business who
/// plans work, unless the tenant shares it.
async fn time_off(tenant: &Tenant, request: &InboundRequest) -> Result<InboundAnswer> {
    let mut status = Vec::new();
    for word in request.list("status") {
        let word: TimeOffStatus = word.parse()?;
        // What was denied or cancelled concerns nobody else.
        if word.counts() {
            status.push(word);
        }
    }
    if status.is_empty() {
        status = vec![TimeOffStatus::Approved, TimeOffStatus::Pending];
    }
    let filter = TimeOffFilter {
        employee: None,
        status,
        from: request.query_as::<Date>("from")?,
        to: request.query_as::<Date>("to")?,
    };
    let shares = tenant.config().people.share_leave_type;
    let by_id = tenant.employees_by_id().await?;
    let mut shown: Vec<Value> = Vec::new();
    for it in tenant.time_off(&filter).await? {
        let Some(employee) = by_id.get(&it.employee).filter(|it| !it.status.has_left()) else {
            continue;
        };
        let leave_type = if shares {
            it.leave_type.as_str()
        } else {
            TimeOff::UNSAID
        };
        shown.push(json!({
            "id": it.id, "employee_id": it.employee, "email": employee.work_email,
            "leave_type": leave_type, "start_date": it.start_date, "end_date": it.end_date,
            "from_noon": it.from_noon, "until_noon": it.until_noon,
            "hours": it.hours, "status": it.status,
        }));
    }
    InboundAnswer::json(&json!({ "total": shown.len(), "time_off": shown }))
}

/// Certifications that count, of those who work here; `expiring` among the active ones.
async fn certifications(tenant: &Tenant, request: &InboundRequest) -> Result<InboundAnswer> {
    let wanted = request.list("status");
    let by_id = tenant.employees_by_id().await?;
    let mut shown: Vec<Value> = Vec::new();
    for it in tenant.certifications(None).await? {
        let own = &it.certification;
        let Some(employee) = by_id.get(&own.employee).filter(|it| !it.status.has_left()) else {
            continue;
        };
        let fits = wanted.iter().any(|word| match *word {
            "active" => it.status.counts(),
            word => word == it.status.as_str(),
        });
        if fits || (wanted.is_empty() && it.status.counts()) {
            shown.push(json!({
                "id": own.id, "employee_id": own.employee, "email": employee.work_email,
                "name": own.name, "issuer": own.issuer, "expires_on": own.expires_on,
                "status": it.status,
            }));
        }
    }
    InboundAnswer::json(&json!({ "total": shown.len(), "certifications": shown }))
}

/// Who a login belongs to. A login of another tenant is as unknown as one of nobody.
async fn lookup(tenant: &Tenant, request: &InboundRequest) -> Result<InboundAnswer> {
    let login = request.query("login").filter(|login| !login.is_empty());
    let login = login
        .ok_or_else(|| Error::invalid_input("`login` is missing").with_context("field", "login"))?;
    let employee = tenant.find_employee(login).await?;
    let offboarding = tenant.open_offboarding(&employee.id).await?;
    let manager = match &employee.manager {
        Some(manager) => Some(tenant.employee(manager).await?.work_email),
        None => None,
    };
    InboundAnswer::json(&json!({
        "employee_id": employee.id,
        "email": employee.work_email,
        "display_name": employee.display_name(),
        "department": employee.department,
        "job_title": employee.job_title,
        "manager_email": manager,
        "employment_status": employee.status,
        "offboarding": {
            "active": offboarding.is_some(),
            "last_day": offboarding.map(|it| it.day),
        },
    }))
}

async fn signal(tenant: &Tenant, request: &InboundRequest) -> Result<InboundAnswer> {
    let new: NewSignal = request.json()?;
    match tenant.take_signal(new).await? {
        Some(signal) => {
            let told = json!({
                "id": signal.id,
                "status": signal.status,
                "employee_known": signal.employee.is_some(),
            });
            Ok(InboundAnswer::json(&told)?.with_status(StatusCode::CREATED))
        }
        None => InboundAnswer::json(&json!({ "status": "ignored" })),
    }
}

#[derive(Deserialize)]
struct Emergency {
    #[serde(default)]
    employee_id: Option<EmployeeId>,
    #[serde(default)]
    login: Option<String>,
    last_day: Date,
    source_ref: String,
}

/// Begins an offboarding whose access ends at once. Nothing is changed before a person approves.
async fn offboarding(
    tenant: &Tenant,
    cx: &OpContext,
    request: &InboundRequest,
) -> Result<InboundAnswer> {
    let asked: Emergency = request.json()?;
    let employee = tenant
        .meant(asked.employee_id.as_ref(), asked.login.as_deref())
        .await?
        .ok_or_else(|| Error::new(ErrorKind::NotFound, "no such employee"))?;
    if let Some(open) = tenant.open_offboarding(&employee).await? {
        return InboundAnswer::json(&json!({ "workflow_id": open.id, "status": "already_open" }));
    }
    let key = ActionId::of(tenant.id(), &["emergency", asked.source_ref.as_str()]);
    // The same emergency, told again: somebody judged it.
    let mut known = tenant.workflows_of(&employee).await?.into_iter();
    if let Some(known) = known.find(|it| it.begun_by.as_ref() == Some(&key)) {
        let told = json!({ "workflow_id": known.id, "status": known.status });
        return InboundAnswer::json(&told);
    }
    let new = NewOffboarding {
        last_day: asked.last_day,
        leaving: Leaving::Terminated,
        reason: format!("insider threat ({})", short(&asked.source_ref)),
        at_once: true,
        allow_past: true,
        tasks: None,
    };
    let started = tenant.offboard_for(&employee, &new, &cx.actor, Some(&key));
    let started = started.await?;
    let told = json!({
        "workflow_id": started.workflow.id,
        "status": "needs_approval",
    });
    Ok(InboundAnswer::json(&told)?.with_status(StatusCode::CREATED))
}

#[derive(Deserialize)]
struct Callback {
    acknowledgment_id: String,
    employee_id: EmployeeId,
    policy_id: String,
    policy_version: String,
    acknowledged_at: Timestamp,
    #[serde(default)]
    ip_address: Option<String>,
    #[serde(default)]
    user_agent: Option<String>,
}

async fn acknowledgment(tenant: &Tenant, request: &InboundRequest) -> Result<InboundAnswer> {
    let told: Callback = request.json()?;
    let acknowledgement = Acknowledgement {
        id: told.acknowledgment_id,
        employee: told.employee_id,
        policy_id: told.policy_id,
        version: told.policy_version,
        acknowledged_at: told.acknowledged_at,
        ip_address: told.ip_address,
        user_agent: told.user_agent,
    };
    tenant.take_acknowledgement(&acknowledgement).await?;
    Ok(InboundAnswer::no_content())
}

impl Tenant {
    async fn employees_by_id(&self) -> Result<std::collections::HashMap<EmployeeId, Employee>> {
        let all = self.employees(&super::EmployeeFilter::default()).await?;
        Ok(all.into_iter().map(|it| (it.id.clone(), it)).collect())
    }
}

/// A reference as it may stand in the ledger: machine words alone.
fn short(reference: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
    reference.chars().filter(plain).take(40).collect()
}
