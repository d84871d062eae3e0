//! Every role times every call of the workforce, over HTTP, with tokens of Hub: allowed or refused as the
//! table says, and shown no more than it says.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use http::StatusCode;
use protect_connectors::core::model::{
    Actor, Employee, EmployeeId, LeaveType, PeopleRole, TimeOffId, WorkflowId,
};
use protect_connectors::core::operation::Effect;
use protect_connectors::core::people::{
    EmployeeFilter, ImportOptions, NewOffboarding, NewTimeOff, PeopleOperation, PolicyInput, Reach,
};
use protect_connectors::operations::PEOPLE_OPERATIONS;
use protect_web::{PEOPLE_CALLS, PeopleCall};
use serde_json::{Value, json};

use crate::served::Served;
use crate::world::{DEFEND_KEY, World, worker};

/// How far away somebody is, from whoever calls.
const SUBJECTS: [Reach; 3] = [Reach::Own, Reach::Team, Reach::Everybody];

/// What goes on to a publisher of policies, or to whoever sends mail. No such connector is there, which is
/// said to those alone who would be let through.
const ASKS_ELSEWHERE: [&str; 4] = [
    "sync_policies",
    "policy_text",
    "acknowledge_policy",
    "remind_of_policy",
];

fn said_unsupported(status: StatusCode) -> bool {
    status == StatusCode::NOT_IMPLEMENTED
}

/// One try: who calls what about whom.
struct Cell {
    number: usize,
    role: PeopleRole,
    call: &'static PeopleCall,
    /// How far away whom it is about is; `None` where it is about nobody in particular.
    about: Option<Reach>,
}

impl Cell {
    fn caller(&self) -> String {
        format!("caller-{}@acme.example", self.number)
    }

    fn subject(&self) -> String {
        match self.about {
            Some(Reach::Own) => self.caller(),
            _ => format!("subject-{}@acme.example", self.number),
        }
    }

    /// What the table says.
    fn is_allowed(&self) -> bool {
        let reach = self.role.reach(self.call.needs);
        // Nobody decides about their own time off, whatever their role.
        let own_decision =
            self.call.needs == PeopleOperation::DecideTimeOff && self.about == Some(Reach::Own);
        match self.about {
            Some(needed) => reach >= needed && !own_decision,
            None => reach != Reach::Nobody,
        }
    }
}

/// Every cell of the matrix.
fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for role in PeopleRole::ALL {
        for call in PEOPLE_CALLS {
            let is_about_somebody = call.path.contains("{who}")
                || (call.path.contains("{id}")
                    && (call.path.contains("/employees/") || call.path.contains("/time-off/")));
            let abouts = if is_about_somebody {
                SUBJECTS.map(Some).to_vec()
            } else {
                vec![None]
            };
            for about in abouts {
                cells.push(Cell {
                    number: cells.len(),
                    role,
                    call,
                    about,
                });
            }
        }
    }
    cells
}

/// Somebody for each cell, and whom it is about.
async fn enter(world: &World, cells: &[Cell]) {
    let mut list = "work_email,last_name,manager\n".to_owned();
    for cell in cells {
        let number = cell.number;
        let _ = writeln!(list, "{},Caller {number},", cell.caller());
        let manager = match cell.about {
            // The team is everybody below: for every second through somebody between.
            Some(Reach::Team) if number % 2 == 1 => {
                let _ = writeln!(
                    list,
                    "between-{number}@acme.example,Between {number},{}",
                    cell.caller()
                );
                format!("between-{number}@acme.example")
            }
            Some(Reach::Team) => cell.caller(),
            _ => String::new(),
        };
        let _ = writeln!(
            list,
            "subject-{number}@acme.example,Subject {number},{manager}"
        );
    }
    let tenant = world.tenant("acme");
    let options = ImportOptions::default();
    tenant
        .import_employees(list.as_bytes(), options, &hr())
        .await
        .unwrap();
}

fn hr() -> Actor {
    Actor::unverified("hr")
}

async fn find(world: &World, address: &str) -> Employee {
    world.tenant("acme").find_employee(address).await.unwrap()
}

async fn asks(world: &World, employee: &EmployeeId) -> TimeOffId {
    let new = NewTimeOff {
        leave_type: LeaveType::Sick,
        start_date: "2027-03-01".parse().unwrap(),
        end_date: "2027-03-03".parse().unwrap(),
        from_noon: false,
        until_noon: false,
        hours: None,
        note: Some("a private matter".to_owned()),
    };
    let (tenant, hr) = (world.tenant("acme"), hr());
    let asked = tenant.request_time_off(employee, &new, &hr);
    asked.await.unwrap().id
}

async fn leaves(world: &World, employee: &EmployeeId) -> WorkflowId {
    let new = NewOffboarding {
        last_day: "2030-01-31".parse().unwrap(),
        leaving: protect_connectors::core::model::Leaving::Resigned,
        reason: "found another job".to_owned(),
        at_once: false,
        allow_past: false,
        tasks: None,
    };
    let (tenant, hr) = (world.tenant("acme"), hr());
    let started = tenant.offboard(employee, &new, &hr);
    started.await.unwrap().workflow.id
}

/// A signal that Defend told.
async fn told(served: &Served, http: &reqwest::Client, number: usize) -> String {
    let signal = json!({
        "tenant_id": "org-1", "login": format!("subject-{number}@acme.example"),
        "signal_type": "Large File Transfer", "severity": "high", "description": "40 GB",
        "detected_at": "2026-01-01T00:00:00Z", "source_ref": format!("alert-{number}"),
    });
    let answer = http
        .post(served.url("/api/internal/insider-threat/signals"))
        .header("x-integration-key", DEFEND_KEY)
        .body(signal.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let told: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    told["id"].as_str().unwrap().to_owned()
}

/// The path and the body of a call, with what it is about made for it.
async fn prepared(served: &Served, http: &reqwest::Client, cell: &Cell) -> (String, Value) {
    let world = &served.world;
    let employee = find(world, &cell.subject()).await;
    let number = cell.number;
    let body = match cell.call.name {
        "hire" => {
            let email = format!("new-{number}@acme.example");
            json!({ "employee": { "last_name": "New", "work_email": email } })
        }
        "update_employee" => json!({ "employee": { "job_title": "Engineer" } }),
        "set_employee_status" => json!({ "status": "on_leave" }),
        "update_profile" => json!({ "phone": "+49 30 1234" }),
        "import_employees" => json!({ "csv": "work_email,last_name\n", "check_only": true }),
        "import_time_off_balances" => {
            json!({ "csv": format!("employee,leave_type,accrued\n{},vacation,80\n", cell.subject()) })
        }
        "import_certifications" => {
            json!({ "csv": format!("employee,name\n{},First aid\n", cell.subject()) })
        }
        "sync_employees" => json!({ "connector": "fake" }),
        "offboard" => json!({ "last_day": "2030-01-31", "reason": "found another job" }),
        "offboard_many" => json!({
            "employees": [employee.id], "last_day": "2030-01-31", "reason": "a site is closed",
        }),
        "onboard" => json!({ "first_day": "2030-01-31" }),
        "set_task" => json!({ "status": "done" }),
        "cancel_workflow" => json!({ "reason": "they stay" }),
        "request_time_off" => {
            json!({ "leave_type": "vacation", "start_date": "2027-03-01", "end_date": "2027-03-05" })
        }
        "decide_time_off" => json!({ "approve": true }),
        "judge_insider_signal" => json!({ "status": "reviewed", "note": "expected" }),
        "import_personnel_records" => {
            let csv = format!("employee,title\n{},First aid\n", cell.subject());
            json!({ "kind": "training", "csv": csv })
        }
        "acknowledge_policy" => json!({ "policy_id": "P1", "version": "1" }),
        "take_policies" => {
            json!({ "policies": [{ "id": "P1", "title": "Conduct", "version": "1" }] })
        }
        "remind_of_policy" => json!({}),
        "cancel_time_off"
        | "sync_policies"
        | "policies_of"
        | "policy_text"
        | "send_reminders"
        | "personnel_records"
        | "workflow_page"
        | "resume_offboarding"
        | "review_workflows"
        | "me"
        | "employees"
        | "employee"
        | "accounts_of_employee"
        | "export_employees"
        | "org_chart"
        | "workflows"
        | "workflow"
        | "workflow_evidence"
        | "time_off"
        | "time_off_balances"
        | "certifications"
        | "policies"
        | "acknowledgements_of"
        | "insider_signals" => Value::Null,
        other => panic!("the matrix does not know `{other}`"),
    };
    let path = cell.call.path.replace("{who}", employee.id.as_str());
    let path = path.replace("{number}", "1");
    let id = match path.split('/').nth(3) {
        _ if !path.contains("{id}") => String::new(),
        Some("employees") => employee.id.to_string(),
        Some("time-off") => asks(world, &employee.id).await.to_string(),
        Some("workflows") => leaves(world, &employee.id).await.to_string(),
        Some("policies") => "P1".to_owned(),
        Some("insider-signals") => told(served, http, number).await,
        other => panic!("the matrix does not know what `{{id}}` is of {other:?}"),
    };
    (format!("/t/acme{}", path.replace("{id}", &id)), body)
}

/// Calls with the token of an address in a role.
async fn called(
    served: &Served,
    http: &reqwest::Client,
    (role, address): (PeopleRole, &str),
    (changes, path, body): (bool, &str, &Value),
) -> reqwest::Response {
    let mut token = worker(role.as_str(), address);
    token.session = true;
    let token = served.world.token(&token);
    let url = served.url(path);
    let request = if changes {
        http.post(url)
    } else {
        http.get(url)
    };
    // A signature names the program.
    let request = request
        .bearer_auth(token)
        .header("user-agent", "test program");
    let request = if body.is_null() {
        request
    } else {
        request.body(body.to_string())
    };
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_may_make_every_call_about_whom_the_table_says_and_no_other() {
    let served = Served::of(World::new().await).await;
    let http = reqwest::Client::new();
    let cells = cells();
    enter(&served.world, &cells).await;
    let mut wrong = Vec::new();
    for cell in &cells {
        let (path, body) = prepared(&served, &http, cell).await;
        served.world.agree_on_the_time();
        let caller = cell.caller();
        let call = (cell.call.changes, path.as_str(), &body);
        let answer = called(&served, &http, (cell.role, &caller), call).await;
        let status = answer.status();
        let is_right = if cell.is_allowed() {
            status.is_success()
                || (ASKS_ELSEWHERE.contains(&cell.call.name) && said_unsupported(status))
        } else {
            status == StatusCode::FORBIDDEN
        };
        if !is_right {
            let said = answer.text().await.unwrap();
            let (role, name) = (cell.role.as_str(), cell.call.name);
            wrong.push(format!("{role} {name} {:?}: {status} {said}", cell.about));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Every role was tried with every call, and every operation of the roles is asked for by one.
    let tried: BTreeSet<_> = cells.iter().map(|it| (it.role, it.call.name)).collect();
    assert_eq!(tried.len(), PeopleRole::ALL.len() * PEOPLE_CALLS.len());
}

#[test]
fn whatever_the_workforce_can_do_in_python_and_node_can_be_called_over_http() {
    for operation in &PEOPLE_OPERATIONS {
        let call = PEOPLE_CALLS.iter().find(|call| call.name == operation.name);
        let call = call.unwrap_or_else(|| panic!("`{}` is not served", operation.name));
        assert_eq!(
            call.changes,
            operation.effect == Effect::Change,
            "{}",
            call.name
        );
    }
    let names: BTreeSet<&str> = PEOPLE_CALLS.iter().map(|call| call.name).collect();
    assert_eq!(names.len(), PEOPLE_CALLS.len(), "each once");
    // What no call asks for decides what is shown, or is asked for by nobody over HTTP.
    let asked =
        |operation: &&PeopleOperation| PEOPLE_CALLS.iter().any(|it| it.needs == **operation);
    let rest: Vec<_> = PeopleOperation::ALL
        .iter()
        .filter(|it| !asked(it))
        .collect();
    assert_eq!(
        rest,
        [
            &PeopleOperation::ViewEmployment,
            &PeopleOperation::ViewPrivate,
        ]
    );
}

/// A manager, somebody they lead and somebody else, of whom everything is known.
async fn three(world: &World) -> [Employee; 3] {
    let list = "work_email,last_name,manager,number,date_of_birth,home_address,hire_date,status\n\
        boss@acme.example,Boss,,1,1970-01-01,Boss Road 1,2001-01-01,active\n\
        near@acme.example,Near,boss@acme.example,2,1980-02-02,Near Road 2,2002-02-02,on_leave\n\
        far@acme.example,Far,,3,1990-03-03,Far Road 3,2003-03-03,active\n";
    let tenant = world.tenant("acme");
    tenant
        .import_employees(list.as_bytes(), ImportOptions::default(), &hr())
        .await
        .unwrap();
    let certified =
        "employee,name\nboss@acme.example,Lead\nnear@acme.example,Weld\nfar@acme.example,Drive\n";
    tenant
        .import_certifications(certified.as_bytes(), &hr())
        .await
        .unwrap();
    let policy = PolicyInput {
        id: "P1".to_owned(),
        title: "Conduct".to_owned(),
        version: "1".to_owned(),
        effective_date: None,
        requires_acknowledgment: true,
        due_date: None,
    };
    tenant.take_policies(&[policy], &hr()).await.unwrap();
    let mut all = Vec::new();
    for address in ["boss@acme.example", "near@acme.example", "far@acme.example"] {
        let employee = find(world, address).await;
        asks(world, &employee.id).await;
        all.push(employee);
    }
    all.try_into().ok().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_is_shown_as_much_of_each_employee_as_the_table_says() {
    let served = Served::of(World::new().await).await;
    let http = reqwest::Client::new();
    let employees = three(&served.world).await;
    for role in PeopleRole::ALL {
        served.world.agree_on_the_time();
        let by = (role, "boss@acme.example");
        let path = "/t/acme/api/people/employees";
        let answer = called(&served, &http, by, (false, path, &Value::Null)).await;
        let list: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let list = list["employees"].as_array().unwrap();
        assert_eq!(list.len(), 3, "{role:?}");
        for (employee, needed) in employees.iter().zip(SUBJECTS) {
            let shown = list
                .iter()
                .find(|it| it["id"] == employee.id.as_str())
                .unwrap();
            let path = format!("{path}/{}", employee.id);
            let answer = called(&served, &http, by, (false, &path, &Value::Null)).await;
            let alone: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            assert_eq!(*shown, alone);
            let sees = |operation| role.reach(operation) >= needed;
            let private = sees(PeopleOperation::ViewPrivate);
            let employment = sees(PeopleOperation::ViewEmployment);
            assert_eq!(
                shown["private"].is_object(),
                private,
                "{role:?} {needed:?}: {shown}"
            );
            assert_eq!(
                shown["hire_date"].is_string(),
                employment,
                "{role:?} {needed:?}: {shown}"
            );
            assert_eq!(
                shown["number"].is_string(),
                employment,
                "{role:?} {needed:?}"
            );
            let status = employee.status.as_str();
            assert_eq!(
                shown["status"],
                if employment { status } else { "withheld" }
            );
            let text = shown.to_string();
            assert_eq!(
                text.contains("Road"),
                private,
                "{role:?} {needed:?}: {text}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_hold_those_whom_a_role_reaches_and_nobody_else() {
    let served = Served::of(World::new().await).await;
    let http = reqwest::Client::new();
    let employees = three(&served.world).await;
    let ids = |reach: Reach| -> BTreeSet<String> {
        let reached = employees
            .iter()
            .zip(SUBJECTS)
            .filter(|(_, needed)| reach >= *needed);
        reached.map(|(it, _)| it.id.to_string()).collect()
    };
    for role in PeopleRole::ALL {
        served.world.agree_on_the_time();
        let by = (role, "boss@acme.example");
        let get = async |path: &str| -> Value {
            let path = format!("/t/acme/api/people/{path}");
            let answer = called(&served, &http, by, (false, &path, &Value::Null)).await;
            serde_json::from_str(&answer.text().await.unwrap()).unwrap()
        };
        let of = |list: &Value| -> BTreeSet<String> {
            let list = list.as_array().unwrap().iter();
            list.map(|it| it["employee"].as_str().unwrap().to_owned())
                .collect()
        };
        let away = get("time-off").await;
        assert_eq!(
            of(&away["time_off"]),
            ids(role.reach(PeopleOperation::ViewTimeOff)),
            "{role:?}"
        );
        for it in away["time_off"].as_array().unwrap() {
            let place = employees
                .iter()
                .position(|of| it["employee"] == of.id.as_str())
                .unwrap();
            let whole = role.reach(PeopleOperation::ViewLeaveType) >= SUBJECTS[place];
            assert_eq!(
                it["leave_type"],
                if whole { "sick" } else { "time_off" },
                "{role:?}"
            );
            assert_eq!(it["note"].is_string(), whole, "{role:?}");
        }
        let certified = get("certifications").await;
        let reach = role.reach(PeopleOperation::ViewCertifications);
        assert_eq!(of(&certified["certifications"]), ids(reach), "{role:?}");
        let policies = get("policies").await;
        let pending = policies["policies"][0]["pending"]
            .as_array()
            .unwrap()
            .iter();
        let pending: BTreeSet<String> = pending.map(|id| id.as_str().unwrap().to_owned()).collect();
        let reach = role.reach(PeopleOperation::ViewAcknowledgements);
        assert_eq!(pending, ids(reach), "{role:?}");
        let count = policies["policies"][0]["required"].as_u64().unwrap();
        assert_eq!(usize::try_from(count).unwrap(), pending.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_of_another_tenant_is_not_there_for_any_call() {
    let served = Served::of(World::new().await).await;
    let http = reqwest::Client::new();
    let list = "work_email,last_name\nstranger@beta.example,Stranger\n";
    let beta = served.world.tenant("beta");
    let options = ImportOptions::default();
    beta.import_employees(list.as_bytes(), options, &hr())
        .await
        .unwrap();
    let all = beta.employees(&EmployeeFilter::default()).await.unwrap();
    let stranger = &all[0];
    three(&served.world).await;
    let about = PEOPLE_CALLS
        .iter()
        .filter(|call| call.path.contains("/employees/{"));
    let mut tried = 0;
    for call in about {
        let cell = Cell {
            number: 0,
            role: PeopleRole::Admin,
            call,
            about: None,
        };
        let body = match call.name {
            "update_employee" => json!({ "employee": {} }),
            "update_profile" | "onboard" => json!({}),
            "acknowledge_policy" => json!({ "policy_id": "P1", "version": "1" }),
            "set_employee_status" => json!({ "status": "on_leave" }),
            "offboard" => json!({ "last_day": "2030-01-31", "reason": "found another job" }),
            "request_time_off" => {
                json!({ "leave_type": "sick", "start_date": "2027-03-01", "end_date": "2027-03-01" })
            }
            _ => Value::Null,
        };
        served.world.agree_on_the_time();
        for who in [stranger.id.as_str(), "stranger@beta.example"] {
            if who.contains('@') && !call.path.contains("{who}") {
                continue;
            }
            let path = call.path.replace("{who}", who).replace("{id}", who);
            let path = format!("/t/acme{path}");
            let by = (cell.role, "boss@acme.example");
            let answer = called(&served, &http, by, (call.changes, &path, &body)).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
            let said = answer.text().await.unwrap();
            assert!(
                !said.contains("Stranger") && !said.contains("beta"),
                "{said}"
            );
            tried += 1;
        }
        // Nor is their tenant.
        let path = call
            .path
            .replace("{who}", stranger.id.as_str())
            .replace("{id}", stranger.id.as_str());
        let by = (cell.role, "boss@acme.example");
        let path = format!("/t/beta{path}");
        let answer = called(&served, &http, by, (call.changes, &path, &body)).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert!(tried >= 10, "{tried}");
    let after = beta.employee(&stranger.id).await.unwrap();
    assert_eq!(after, *stranger);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_calls_without_signing_in_and_a_browser_proves_where_it_comes_from() {
    let served = Served::of(World::new().await).await;
    let http = reqwest::Client::new();
    three(&served.world).await;
    let browser = served
        .world
        .browser(&worker("admin", "boss@acme.example"))
        .await;
    for call in PEOPLE_CALLS {
        let path = format!("/t/acme{}", call.path.replace(['{', '}'], ""));
        let url = served.url(&path);
        let request = if call.changes {
            http.post(&url)
        } else {
            http.get(&url)
        };
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
        if call.changes {
            let request = http.post(&url).header("cookie", &browser.cookie);
            let answer = request.body("{}").send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path}");
            let said = answer.text().await.unwrap();
            assert!(said.contains("page of ours"), "{path}: {said}");
        }
    }
}
