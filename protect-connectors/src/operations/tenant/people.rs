//! The workforce: employees, onboarding and offboarding.

use protect_core::Result;
use protect_core::engine::Tenant;
use protect_core::model::{
    Actor, ConnectorName, EmployeeId, EmploymentStatus, LeaveType, Leaving, PersonnelKind,
    TaskStatus, TaskTemplate, TimeOffId, TimeOffStatus, WorkflowId, WorkflowStatus,
};
use protect_core::operation::{answer, arguments};
use protect_core::people::{
    EmployeeFilter, EmployeeInput, ImportOptions, NewOffboarding, NewOnboarding, NewTimeOff,
    PolicyInput, PolicySignature, TaskChange, TimeOffFilter,
};
use serde_json::Value;

use super::{person, shapes};

shapes! {
    Which {
        status: Option<Vec<EmploymentStatus>>,
        department: Option<String>,
        text: Option<String>,
    }
    Export {
        status: Option<Vec<EmploymentStatus>>,
        department: Option<String>,
        text: Option<String>,
        private: Option<bool>,
    }
    Who { who: String }
    Hire { employee: EmployeeInput, by: String, rehire: Option<bool> }
    Update { id: EmployeeId, employee: EmployeeInput, by: String }
    SetStatus { id: EmployeeId, status: EmploymentStatus, by: String, force: Option<String> }
    Import { csv: String, by: String, rehire: Option<bool>, check_only: Option<bool> }
    Sync { connector: ConnectorName, by: String }
    Chart { below: Option<EmployeeId> }
    Offboard {
        employee: EmployeeId,
        last_day: String,
        reason: String,
        by: String,
        leaving: Option<Leaving>,
        at_once: Option<bool>,
        allow_past: Option<bool>,
        tasks: Option<Vec<TaskTemplate>>,
    }
    OffboardMany {
        employees: Vec<EmployeeId>,
        last_day: String,
        reason: String,
        by: String,
        leaving: Option<Leaving>,
        at_once: Option<bool>,
        allow_past: Option<bool>,
        tasks: Option<Vec<TaskTemplate>>,
    }
    Onboard {
        employee: EmployeeId,
        by: String,
        first_day: Option<String>,
        tasks: Option<Vec<TaskTemplate>>,
    }
    Workflows { status: Option<WorkflowStatus> }
    WorkflowOf { id: WorkflowId }
    SetTask { id: WorkflowId, number: u32, status: TaskStatus, by: String, note: Option<String> }
    Cancel { id: WorkflowId, reason: String, by: String }
    Away {
        employee: Option<EmployeeId>,
        status: Option<Vec<TimeOffStatus>>,
        from: Option<String>,
        to: Option<String>,
    }
    AskAway {
        employee: EmployeeId,
        leave_type: LeaveType,
        start_date: String,
        end_date: String,
        by: String,
        from_noon: Option<bool>,
        until_noon: Option<bool>,
        note: Option<String>,
    }
    DecideAway { id: TimeOffId, approve: bool, by: String, note: Option<String> }
    CancelAway { id: TimeOffId, by: String }
    OfEmployee { employee: EmployeeId }
    MaybeEmployee { employee: Option<EmployeeId> }
    Csv { csv: String, by: String }
    Only { by: String }
    Policies { policies: Vec<PolicyInput>, by: String }
    PolicyText { policy_id: String, version: String }
    Acknowledge { employee: EmployeeId, signature: PolicySignature, by: String }
    RemindOf { policy_id: String, by: String, employees: Option<Vec<EmployeeId>> }
    Records { employee: Option<EmployeeId>, kind: Option<PersonnelKind> }
    RecordsCsv { kind: PersonnelKind, csv: String, by: String }
}

/// Calls one of these operations; `None` where it is none of them.
pub(super) async fn call(tenant: &Tenant, operation: &str, given: &Value) -> Result<Option<Value>> {
    let given = || given.clone();
    let answered = match operation {
        "employees" => {
            let Which {
                status,
                department,
                text,
            } = arguments(given())?;
            let filter = filter(status, department, text);
            answer(&tenant.employees(&filter).await?)
        }
        "export_employees" => {
            let it: Export = arguments(given())?;
            let filter = filter(it.status, it.department, it.text);
            let private = it.private.unwrap_or_default();
            answer(&tenant.export_employees(&filter, private).await?)
        }
        "employee" => {
            let Who { who } = arguments(given())?;
            answer(&tenant.find_employee(&who).await?)
        }
        "accounts_of_employee" => {
            let Who { who } = arguments(given())?;
            let employee = tenant.find_employee(&who).await?;
            answer(&tenant.accounts_of_employee(&employee).await?)
        }
        "hire" => {
            let it: Hire = arguments(given())?;
            let rehire = it.rehire.unwrap_or_default();
            answer(&tenant.hire(&it.employee, rehire, &person(it.by)).await?)
        }
        "update_employee" => {
            let it: Update = arguments(given())?;
            let changed = tenant
                .update_employee(&it.id, &it.employee, &person(it.by))
                .await?;
            answer(&changed)
        }
        "set_employee_status" => {
            let it: SetStatus = arguments(given())?;
            let force = it.force.as_deref();
            let by = person(it.by);
            answer(
                &tenant
                    .set_employee_status(&it.id, &it.status, force, &by)
                    .await?,
            )
        }
        "import_employees" => {
            let it: Import = arguments(given())?;
            let options = ImportOptions {
                rehire: it.rehire.unwrap_or_default(),
                check_only: it.check_only.unwrap_or_default(),
            };
            let by = person(it.by);
            answer(
                &tenant
                    .import_employees(it.csv.as_bytes(), options, &by)
                    .await?,
            )
        }
        "sync_employees" => {
            let Sync { connector, by } = arguments(given())?;
            answer(&tenant.sync_employees(&connector, &person(by)).await?)
        }
        "org_chart" => {
            let Chart { below } = arguments(given())?;
            answer(&tenant.org_chart(below.as_ref()).await?)
        }
        _ => return workflow(tenant, operation, given()).await,
    };
    answered.map(Some)
}

async fn workflow(tenant: &Tenant, operation: &str, given: Value) -> Result<Option<Value>> {
    let answered = match operation {
        "offboard" => {
            let it: Offboard = arguments(given)?;
            let new = NewOffboarding {
                last_day: day("last_day", &it.last_day)?,
                leaving: it.leaving.unwrap_or_default(),
                reason: it.reason,
                at_once: it.at_once.unwrap_or_default(),
                allow_past: it.allow_past.unwrap_or_default(),
                tasks: it.tasks,
            };
            answer(&tenant.offboard(&it.employee, &new, &person(it.by)).await?)
        }
        "offboard_many" => {
            let it: OffboardMany = arguments(given)?;
            let new = NewOffboarding {
                last_day: day("last_day", &it.last_day)?,
                leaving: it.leaving.unwrap_or_default(),
                reason: it.reason,
                at_once: it.at_once.unwrap_or_default(),
                allow_past: it.allow_past.unwrap_or_default(),
                tasks: it.tasks,
            };
            let by = person(it.by);
            answer(&tenant.offboard_many(&it.employees, &new, &by).await?)
        }
        "onboard" => {
            let it: Onboard = arguments(given)?;
            let first_day = it.first_day.as_deref();
            let new = NewOnboarding {
                first_day: first_day.map(|text| day("first_day", text)).transpose()?,
                tasks: it.tasks,
            };
            answer(&tenant.onboard(&it.employee, &new, &person(it.by)).await?)
        }
        "workflows" => {
            let Workflows { status } = arguments(given)?;
            answer(&tenant.workflows(status).await?)
        }
        "workflow" => {
            let WorkflowOf { id } = arguments(given)?;
            answer(&tenant.workflow(&id).await?)
        }
        "set_task" => {
            let it: SetTask = arguments(given)?;
            let change = TaskChange {
                status: it.status,
                note: it.note,
            };
            answer(
                &tenant
                    .set_task(&it.id, it.number, &change, &person(it.by))
                    .await?,
            )
        }
        "resume_offboarding" => {
            let WorkflowOf { id } = arguments(given)?;
            answer(&tenant.resume_offboarding(&id).await?)
        }
        "cancel_workflow" => {
            let Cancel { id, reason, by } = arguments(given)?;
            answer(&tenant.cancel_workflow(&id, &reason, &person(by)).await?)
        }
        "review_workflows" => {
            let crate::operations::Nothing {} = arguments(given)?;
            answer(&tenant.review_workflows().await?)
        }
        "workflow_evidence" => {
            let WorkflowOf { id } = arguments(given)?;
            answer(&tenant.workflow_evidence(&id).await?)
        }
        "workflow_page" => {
            let WorkflowOf { id } = arguments(given)?;
            answer(&tenant.workflow_page(&id).await?)
        }
        _ => return absence(tenant, operation, given).await,
    };
    answered.map(Some)
}

async fn absence(tenant: &Tenant, operation: &str, given: Value) -> Result<Option<Value>> {
    let optional = |name, text: Option<String>| text.map(|text| day(name, &text)).transpose();
    let answered = match operation {
        "time_off" => {
            let it: Away = arguments(given)?;
            let filter = TimeOffFilter {
                employee: it.employee,
                status: it.status.unwrap_or_default(),
                from: optional("from", it.from)?,
                to: optional("to", it.to)?,
            };
            answer(&tenant.time_off(&filter).await?)
        }
        "request_time_off" => {
            let it: AskAway = arguments(given)?;
            let new = NewTimeOff {
                leave_type: it.leave_type,
                start_date: day("start_date", &it.start_date)?,
                end_date: day("end_date", &it.end_date)?,
                from_noon: it.from_noon.unwrap_or_default(),
                until_noon: it.until_noon.unwrap_or_default(),
                hours: None,
                note: it.note,
            };
            answer(
                &tenant
                    .request_time_off(&it.employee, &new, &person(it.by))
                    .await?,
            )
        }
        "decide_time_off" => {
            let it: DecideAway = arguments(given)?;
            let (note, by) = (it.note.as_deref(), person(it.by));
            answer(
                &tenant
                    .decide_time_off(&it.id, it.approve, note, &by)
                    .await?,
            )
        }
        "cancel_time_off" => {
            let CancelAway { id, by } = arguments(given)?;
            answer(&tenant.cancel_time_off(&id, &person(by)).await?)
        }
        "time_off_balances" => {
            let OfEmployee { employee } = arguments(given)?;
            answer(&tenant.time_off_balances(&employee).await?)
        }
        "import_time_off_balances" => {
            let Csv { csv, by } = arguments(given)?;
            let by = person(by);
            answer(&tenant.import_time_off_balances(csv.as_bytes(), &by).await?)
        }
        "certifications" => {
            let MaybeEmployee { employee } = arguments(given)?;
            answer(&tenant.certifications(employee.as_ref()).await?)
        }
        "import_certifications" => {
            let Csv { csv, by } = arguments(given)?;
            let by = person(by);
            answer(&tenant.import_certifications(csv.as_bytes(), &by).await?)
        }
        "policies" => {
            let crate::operations::Nothing {} = arguments(given)?;
            answer(&tenant.policies().await?)
        }
        _ => return policies(tenant, operation, given).await,
    };
    answered.map(Some)
}

async fn policies(tenant: &Tenant, operation: &str, given: Value) -> Result<Option<Value>> {
    let answered = match operation {
        "take_policies" => {
            let Policies { policies, by } = arguments(given)?;
            tenant.take_policies(&policies, &person(by)).await?;
            answer(&tenant.policies().await?)
        }
        "sync_policies" => {
            let Only { by } = arguments(given)?;
            answer(&tenant.sync_policies(&person(by)).await?)
        }
        "policies_of" => {
            let OfEmployee { employee } = arguments(given)?;
            answer(&tenant.policies_of(&employee, &Actor::engine()).await?)
        }
        "policy_text" => {
            let PolicyText { policy_id, version } = arguments(given)?;
            let by = Actor::engine();
            answer(&tenant.policy_text(&policy_id, &version, &by).await?)
        }
        "acknowledge_policy" => {
            let it: Acknowledge = arguments(given)?;
            let by = person(it.by);
            answer(
                &tenant
                    .acknowledge_policy(&it.employee, &it.signature, &by)
                    .await?,
            )
        }
        "remind_of_policy" => {
            let it: RemindOf = arguments(given)?;
            let (employees, by) = (it.employees.as_deref(), person(it.by));
            answer(
                &tenant
                    .remind_of_policy(&it.policy_id, employees, &by)
                    .await?,
            )
        }
        "send_reminders" => {
            let crate::operations::Nothing {} = arguments(given)?;
            answer(&tenant.send_reminders().await?)
        }
        "personnel_records" => {
            let Records { employee, kind } = arguments(given)?;
            answer(&tenant.personnel_records(employee.as_ref(), kind).await?)
        }
        "import_personnel_records" => {
            let RecordsCsv { kind, csv, by } = arguments(given)?;
            let by = person(by);
            answer(
                &tenant
                    .import_personnel_records(kind, csv.as_bytes(), &by)
                    .await?,
            )
        }
        _ => return Ok(None),
    };
    answered.map(Some)
}

fn filter(
    status: Option<Vec<EmploymentStatus>>,
    department: Option<String>,
    text: Option<String>,
) -> EmployeeFilter {
    let status = status.unwrap_or_default();
    EmployeeFilter {
        status: status.iter().map(|it| it.as_str().to_owned()).collect(),
        department,
        text,
    }
}

fn day(argument: &'static str, text: &str) -> Result<jiff::civil::Date> {
    text.parse().map_err(|_| {
        protect_core::Error::invalid_input("not a day: write it as 2026-11-30")
            .with_context("argument", argument)
    })
}
