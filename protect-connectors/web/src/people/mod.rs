//! The workforce as JSON, below `/t/{tenant}/api/people`: every call with the person who calls, whose role the
//! engine asks for. What is read goes through [`WorkforceAs`], which shows no more than the role does.

mod calls;
mod signing;

use async_trait::async_trait;
use http::StatusCode;
use jiff::civil::Date;
use protect_core::connector::OpContext;
use protect_core::engine::{Tenant, TenantRoutes};
use protect_core::inbound::{InboundAnswer, InboundRequest, Route};
use protect_core::model::{
    Actor, ConnectorName, EmployeeId, EmploymentStatus, InsiderSignalId, InsiderStatus, Leaving,
    PersonnelKind, TaskTemplate, TimeOffId, TimeOffStatus, WorkflowId, WorkflowStatus,
};
use protect_core::people::{
    EmployeeFilter, EmployeeInput, ImportOptions, NewOffboarding, NewOnboarding, NewTimeOff,
    PeopleOperation, PolicyInput, ProfileEdit, TaskChange, TimeOffFilter, WorkforceAs,
};
use protect_core::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::json;

use crate::api::words;
pub use calls::{PEOPLE_CALLS, PeopleCall};
pub(crate) use signing::Signing;

/// The routes.
#[derive(Debug)]
pub(crate) struct PeopleApi {
    routes: Vec<Route>,
}

impl PeopleApi {
    pub(crate) fn new() -> Self {
        let routes = PEOPLE_CALLS.iter().map(PeopleCall::route).collect();
        Self { routes }
    }
}

#[async_trait]
impl TenantRoutes for PeopleApi {
    fn routes(&self) -> &[Route] {
        &self.routes
    }

    async fn handle(
        &self,
        tenant: &Tenant,
        cx: &OpContext,
        request: &InboundRequest,
    ) -> Result<InboundAnswer> {
        let call = PeopleCall::of(&request.method, &request.path);
        let call = call.ok_or_else(nothing_here)?;
        if call.changes {
            change(tenant, &cx.actor, request, call.name).await
        } else {
            let seen = tenant.workforce_as(&cx.actor).await?;
            read(&seen, &cx.actor, tenant, request, call.name).await
        }
    }
}

async fn read(
    seen: &WorkforceAs<'_>,
    actor: &Actor,
    tenant: &Tenant,
    request: &InboundRequest,
    name: &str,
) -> Result<InboundAnswer> {
    match name {
        "me" => me(seen, tenant).await,
        "employees" => {
            let employees = seen.employees(&filter(request)?).await?;
            InboundAnswer::json(&json!({ "employees": employees }))
        }
        "employee" => InboundAnswer::json(&seen.employee(&text(request, "who")).await?),
        "accounts_of_employee" => {
            let accounts = seen.accounts_of_employee(&text(request, "who")).await?;
            InboundAnswer::json(&json!({ "accounts": accounts }))
        }
        "export_employees" => {
            let private: Option<bool> = request.query_as("private")?;
            let private = private.unwrap_or_default();
            let list = seen.export_employees(&filter(request)?, private).await?;
            Ok(InboundAnswer::bytes("text/csv; charset=utf-8", list))
        }
        "org_chart" => {
            let below: Option<EmployeeId> = request.query_as("below")?;
            InboundAnswer::json(&seen.org_chart(below.as_ref()).await?)
        }
        "workflows" => {
            let status: Vec<WorkflowStatus> = words(request, "status")?;
            let workflows = seen.workflows(status.into_iter().next()).await?;
            InboundAnswer::json(&json!({ "workflows": workflows }))
        }
        "workflow" => {
            let id: WorkflowId = request.parameter("id")?;
            InboundAnswer::json(&seen.workflow(&id).await?)
        }
        "workflow_evidence" => {
            let id: WorkflowId = request.parameter("id")?;
            let entries = seen.workflow_evidence(&id).await?;
            InboundAnswer::json(&json!({ "entries": entries }))
        }
        "workflow_page" => {
            let id: WorkflowId = request.parameter("id")?;
            let page = seen.workflow_page(&id).await?;
            Ok(InboundAnswer::bytes("text/html; charset=utf-8", page))
        }
        "policies_of" => {
            let id: EmployeeId = request.parameter("id")?;
            let policies = tenant.policies_of(&id, actor).await?;
            InboundAnswer::json(&json!({ "policies": policies }))
        }
        "policy_text" => {
            let version: Option<String> = request.query_as("version")?;
            let version = version.unwrap_or_default();
            let policy = text(request, "id");
            InboundAnswer::json(&tenant.policy_text(&policy, &version, actor).await?)
        }
        "insider_signals" => {
            let signals = tenant.insider_signals(actor).await?;
            InboundAnswer::json(&json!({ "signals": signals }))
        }
        _ => absence(seen, request, name).await,
    }
}

async fn absence(
    seen: &WorkforceAs<'_>,
    request: &InboundRequest,
    name: &str,
) -> Result<InboundAnswer> {
    match name {
        "time_off" => {
            let filter = TimeOffFilter {
                employee: request.query_as("employee")?,
                status: words::<TimeOffStatus>(request, "status")?,
                from: request.query_as::<Date>("from")?,
                to: request.query_as::<Date>("to")?,
            };
            InboundAnswer::json(&json!({ "time_off": seen.time_off(&filter).await? }))
        }
        "time_off_balances" => {
            let id: EmployeeId = request.parameter("id")?;
            let balances = seen.time_off_balances(&id).await?;
            InboundAnswer::json(&json!({ "balances": balances }))
        }
        "certifications" => {
            let of: Option<EmployeeId> = request.query_as("employee")?;
            let certifications = seen.certifications(of.as_ref()).await?;
            InboundAnswer::json(&json!({ "certifications": certifications }))
        }
        "personnel_records" => {
            let of: Option<EmployeeId> = request.query_as("employee")?;
            let kind: Option<PersonnelKind> = request.query_as("kind")?;
            let records = seen.personnel_records(of.as_ref(), kind).await?;
            InboundAnswer::json(&json!({ "records": records }))
        }
        "policies" => InboundAnswer::json(&json!({ "policies": seen.policies().await? })),
        "acknowledgements_of" => {
            let id: EmployeeId = request.parameter("id")?;
            let own = seen.acknowledgements_of(&id).await?.into_iter();
            let own = own.map(|(policy, status)| json!({ "policy": policy, "status": status }));
            InboundAnswer::json(&json!({ "policies": own.collect::<Vec<_>>() }))
        }
        _ => Err(nothing_here()),
    }
}

/// `POST .../employees`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hire {
    employee: EmployeeInput,
    #[serde(default)]
    rehire: bool,
}

/// `POST .../employees/{id}/update`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    employee: EmployeeInput,
}

/// `POST .../employees/{id}/status`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Status {
    status: EmploymentStatus,
    #[serde(default)]
    force: Option<String>,
}

/// `POST .../import` of a list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    csv: String,
    #[serde(default)]
    rehire: bool,
    #[serde(default)]
    check_only: bool,
}

/// `POST .../balances/import` and others.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Csv {
    csv: String,
}

/// `POST .../records/import`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Records {
    kind: PersonnelKind,
    csv: String,
}

/// `POST .../policies`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policies {
    policies: Vec<PolicyInput>,
}

/// `POST .../offboardings`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OffboardMany {
    employees: Vec<EmployeeId>,
    last_day: Date,
    #[serde(default)]
    leaving: Leaving,
    reason: String,
    #[serde(default)]
    at_once: bool,
    #[serde(default)]
    allow_past: bool,
    #[serde(default)]
    tasks: Option<Vec<TaskTemplate>>,
}

/// `POST .../policies/{id}/remind`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remind {
    #[serde(default)]
    employees: Option<Vec<EmployeeId>>,
}

/// `POST .../sync`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sync {
    connector: ConnectorName,
}

/// `POST .../workflows/{id}/cancel`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancel {
    reason: String,
}

/// `POST .../time-off/{id}/decide`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    approve: bool,
    #[serde(default)]
    note: Option<String>,
}

/// `POST .../insider-signals/{id}/judge`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Judgement {
    status: InsiderStatus,
    note: String,
}

async fn change(
    tenant: &Tenant,
    actor: &Actor,
    request: &InboundRequest,
    name: &str,
) -> Result<InboundAnswer> {
    let employee = || request.parameter::<EmployeeId>("id");
    match name {
        "hire" => {
            let Hire { employee, rehire } = request.json()?;
            created(&tenant.hire(&employee, rehire, actor).await?)
        }
        "update_employee" => {
            let (id, Update { employee }) = (employee()?, request.json()?);
            InboundAnswer::json(&tenant.update_employee(&id, &employee, actor).await?)
        }
        "set_employee_status" => {
            let Status { status, force } = request.json()?;
            let force = force.as_deref();
            let id = employee()?;
            let changed = tenant.set_employee_status(&id, &status, force, actor);
            InboundAnswer::json(&changed.await?)
        }
        "update_profile" => {
            let edit: ProfileEdit = request.json()?;
            let id = employee()?;
            tenant.update_profile(&id, &edit, actor).await?;
            let seen = tenant.workforce_as(actor).await?;
            InboundAnswer::json(&seen.employee(id.as_str()).await?)
        }
        "import_employees" => {
            let list: List = request.json()?;
            let options = ImportOptions {
                rehire: list.rehire,
                check_only: list.check_only,
            };
            let imported = tenant.import_employees(list.csv.as_bytes(), options, actor);
            InboundAnswer::json(&imported.await?)
        }
        "sync_employees" => {
            let Sync { connector } = request.json()?;
            InboundAnswer::json(&tenant.sync_employees(&connector, actor).await?)
        }
        "import_time_off_balances" => {
            let Csv { csv } = request.json()?;
            let count = tenant.import_time_off_balances(csv.as_bytes(), actor);
            InboundAnswer::json(&json!({ "imported": count.await? }))
        }
        "import_certifications" => {
            let Csv { csv } = request.json()?;
            let count = tenant.import_certifications(csv.as_bytes(), actor).await?;
            InboundAnswer::json(&json!({ "imported": count }))
        }
        "import_personnel_records" => {
            let Records { kind, csv } = request.json()?;
            let count = tenant.import_personnel_records(kind, csv.as_bytes(), actor);
            InboundAnswer::json(&json!({ "imported": count.await? }))
        }
        "judge_insider_signal" => {
            let id: InsiderSignalId = request.parameter("id")?;
            let Judgement { status, note } = request.json()?;
            let judged = tenant.judge_insider_signal(&id, status, &note, actor);
            InboundAnswer::json(&judged.await?)
        }
        _ => change_policies(tenant, actor, request, name).await,
    }
}

async fn change_policies(
    tenant: &Tenant,
    actor: &Actor,
    request: &InboundRequest,
    name: &str,
) -> Result<InboundAnswer> {
    match name {
        "take_policies" => {
            let Policies { policies } = request.json()?;
            tenant.take_policies(&policies, actor).await?;
            InboundAnswer::json(&json!({ "policies": tenant.policies().await? }))
        }
        "sync_policies" => {
            let policies = tenant.sync_policies(actor).await?;
            InboundAnswer::json(&json!({ "policies": policies }))
        }
        "acknowledge_policy" => {
            let signing: Signing = request.json()?;
            let signature = signing.seen_in(request)?;
            let id: EmployeeId = request.parameter("id")?;
            created(&tenant.acknowledge_policy(&id, &signature, actor).await?)
        }
        "remind_of_policy" => {
            let Remind { employees } = request.json()?;
            let policy = text(request, "id");
            let told = tenant.remind_of_policy(&policy, employees.as_deref(), actor);
            InboundAnswer::json(&json!({ "told": told.await? }))
        }
        "send_reminders" => {
            let seen = tenant.workforce_as(actor).await?;
            InboundAnswer::json(&json!({ "told": seen.send_reminders().await? }))
        }
        _ => change_workflow(tenant, actor, request, name).await,
    }
}

async fn change_workflow(
    tenant: &Tenant,
    actor: &Actor,
    request: &InboundRequest,
    name: &str,
) -> Result<InboundAnswer> {
    let employee = || request.parameter::<EmployeeId>("id");
    let workflow = || request.parameter::<WorkflowId>("id");
    match name {
        "offboard" => {
            let new: NewOffboarding = request.json()?;
            created(&tenant.offboard(&employee()?, &new, actor).await?)
        }
        "offboard_many" => {
            let it: OffboardMany = request.json()?;
            let new = NewOffboarding {
                last_day: it.last_day,
                leaving: it.leaving,
                reason: it.reason,
                at_once: it.at_once,
                allow_past: it.allow_past,
                tasks: it.tasks,
            };
            created(&tenant.offboard_many(&it.employees, &new, actor).await?)
        }
        "onboard" => {
            let new: NewOnboarding = request.json()?;
            created(&tenant.onboard(&employee()?, &new, actor).await?)
        }
        "set_task" => {
            let number = text(request, "number").parse().map_err(|_| {
                Error::invalid_input("not the number of a task").with_context("field", "number")
            })?;
            let task: TaskChange = request.json()?;
            InboundAnswer::json(&tenant.set_task(&workflow()?, number, &task, actor).await?)
        }
        "cancel_workflow" => {
            let Cancel { reason } = request.json()?;
            InboundAnswer::json(&tenant.cancel_workflow(&workflow()?, &reason, actor).await?)
        }
        "resume_offboarding" => {
            let seen = tenant.workforce_as(actor).await?;
            InboundAnswer::json(&seen.resume_offboarding(&workflow()?).await?)
        }
        "review_workflows" => {
            let seen = tenant.workforce_as(actor).await?;
            InboundAnswer::json(&json!({ "workflows": seen.review_workflows().await? }))
        }
        "request_time_off" => {
            let new: NewTimeOff = request.json()?;
            created(&tenant.request_time_off(&employee()?, &new, actor).await?)
        }
        "decide_time_off" => {
            let id: TimeOffId = request.parameter("id")?;
            let Decision { approve, note } = request.json()?;
            let decided = tenant.decide_time_off(&id, approve, note.as_deref(), actor);
            InboundAnswer::json(&decided.await?)
        }
        "cancel_time_off" => {
            let id: TimeOffId = request.parameter("id")?;
            InboundAnswer::json(&tenant.cancel_time_off(&id, actor).await?)
        }
        _ => Err(nothing_here()),
    }
}

/// Who calls, among the employees, and how far their role reaches.
async fn me(seen: &WorkforceAs<'_>, tenant: &Tenant) -> Result<InboundAnswer> {
    let reaches = PeopleOperation::ALL
        .iter()
        .map(|operation| (operation.as_str().to_owned(), json!(seen.reach(*operation))));
    InboundAnswer::json(&json!({
        "tenant": tenant.id(),
        "role": seen.role(),
        "employee": seen.own().await?,
        "reach": reaches.collect::<serde_json::Map<_, _>>(),
    }))
}

/// The filter of a query: `status` (several), `department`, `text`.
fn filter(request: &InboundRequest) -> Result<EmployeeFilter> {
    let own = |name: &str| request.query(name).filter(|it| !it.is_empty());
    let status = words::<EmploymentStatus>(request, "status")?;
    Ok(EmployeeFilter {
        status: status.iter().map(|it| it.as_str().to_owned()).collect(),
        department: own("department").map(str::to_owned),
        text: own("text").map(str::to_owned),
    })
}

fn text(request: &InboundRequest, name: &str) -> String {
    request.parameters.get(name).cloned().unwrap_or_default()
}

fn created(what: &impl serde::Serialize) -> Result<InboundAnswer> {
    Ok(InboundAnswer::json(what)?.with_status(StatusCode::CREATED))
}

fn nothing_here() -> Error {
    Error::new(ErrorKind::NotFound, "there is nothing here")
}
