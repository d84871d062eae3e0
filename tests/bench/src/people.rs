//! The workforce: what people look at with 50,000 employees, beside its bare queries, and a day on which a
//! thousand people leave.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use bytes::Bytes;
use protect_connectors::Protect;
use protect_connectors::core::engine::{Step, Tenant};
use protect_connectors::core::model::{
    Acknowledgement, Actor, Employee, EmployeeId, LeaveType, Leaving, OutcomeStatus, Policy,
    TenantId, TimeOff, TimeOffId, TimeOffStatus,
};
use protect_connectors::core::people::{ImportOptions, NewOffboarding, PolicyInput};
use protect_connectors::core::store::{Commit, Put, RecordKind, Store};
use protect_sandbox::{Sandbox, Vendor};
use protect_web::Web;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::measure::{RUNS, count_as_f64, median, rate};
use crate::month::all;
use crate::table::{Row, Table};

const EMPLOYEES: usize = 50_000;

/// Of each policy everybody acknowledged the version before or this one.
const POLICIES: usize = 2;

/// With which PSA asks.
const KEY: &str = "a-key-of-the-bench-that-opens-one-route";

const LEAVERS: usize = 1_000;

/// Requests that the simulated vendor takes in a second.
const VENDOR_TAKES: u32 = 25;

pub(crate) async fn measure(table: &mut Table) {
    Box::pin(views(table)).await;
    Box::pin(leavers(table)).await;
    table.remark(
        "people: 50,000 employees in SQLite, of whom every third is away once in the year and of whom \
         everybody acknowledged two policies. The bare queries read the same records as their types. The \
         leavers have an account each at a vendor that speaks SCIM and takes 25 requests a second; each is \
         looked at, suspended and read back.",
    );
}

async fn views(table: &mut Table) {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("psa.key"), KEY).unwrap();
    let config = json!({
        "store": { "kind": "sqlite", "path": folder.path().join("protect.db") },
        "connections": { "dispatch": {
            "kind": "people",
            "scan": { "inbound_key": { "file": folder.path().join("psa.key") } },
            "tenants": ["acme"],
        }},
        "tenants": { "acme": {
            "name": "Acme",
            "domains": ["acme.example"],
            "connectors": { "dispatch": { "connection": "dispatch", "organisation_id": "org-acme" } },
        }},
    });
    let protect = Protect::open_config(&config).await.unwrap();
    let acme = protect.tenant("acme").unwrap();
    let began = Instant::now();
    hire(
        &acme,
        (0..EMPLOYEES).map(|n| format!("person{n}@acme.example")),
    )
    .await;
    table.row(Row {
        name: "people: employees imported from CSV".to_owned(),
        unit: "/s".to_owned(),
        figure: rate(EMPLOYEES, began.elapsed()),
        bare: None,
        target: String::new(),
    });
    let store = &**protect.store();
    fill(store, &acme).await;
    let id = acme.id();
    let whole = async || assert_eq!(acme.org_chart(None).await.unwrap().people.len(), EMPLOYEES);
    let bare = async || drop(all::<Employee>(store, id, RecordKind::Employee).await);
    row(table, "people: org chart of 50,000", whole, bare).await;
    let web = Web::new(protect.engine());
    let whole = async || assert!(calendar(&web).await > 0);
    let bare = async || {
        all::<Employee>(store, id, RecordKind::Employee).await;
        all::<TimeOff>(store, id, RecordKind::TimeOff).await;
    };
    row(table, "people: PSA's calendar of a month", whole, bare).await;
    let whole = async || assert_eq!(acme.policies().await.unwrap().len(), POLICIES);
    let bare = async || {
        all::<Employee>(store, id, RecordKind::Employee).await;
        all::<Policy>(store, id, RecordKind::Policy).await;
        all::<Acknowledgement>(store, id, RecordKind::Acknowledgement).await;
    };
    row(table, "people: who acknowledged which policy", whole, bare).await;
}

async fn row(table: &mut Table, name: &str, whole: impl AsyncFn(), bare: impl AsyncFn()) {
    let (mut ours, mut queries) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(milliseconds(&whole).await);
        queries.push(milliseconds(&bare).await);
    }
    table.row(Row {
        name: name.to_owned(),
        unit: "ms".to_owned(),
        figure: median(ours),
        bare: Some(median(queries)),
        target: "≤ 3 times".to_owned(),
    });
}

async fn milliseconds(what: impl AsyncFn()) -> f64 {
    let began = Instant::now();
    what().await;
    began.elapsed().as_secs_f64() * 1_000.0
}

/// What PSA is told of one month, as its calendar asks for it.
async fn calendar(web: &Web) -> usize {
    let path = "/api/psa/time-off?tenantId=org-acme&from=2026-06-01&to=2026-06-30";
    let request = http::Request::get(path).header("x-integration-key", KEY);
    let answer = web.handle(request.body(Bytes::new()).unwrap()).await;
    assert_eq!(answer.status(), 200);
    let told: Value = serde_json::from_slice(answer.body()).unwrap();
    usize::try_from(told["total"].as_u64().unwrap()).unwrap()
}

/// Enters these people; ten are led by each of those before them.
async fn hire(tenant: &Tenant, addresses: impl Iterator<Item = String>) {
    let addresses: Vec<String> = addresses.collect();
    let mut csv = "work_email,first_name,last_name,department,manager\n".to_owned();
    for (number, address) in addresses.iter().enumerate() {
        let manager = number.checked_sub(1).map(|before| &addresses[before / 10]);
        let manager = manager.map_or("", String::as_str);
        writeln!(csv, "{address},First{number},Last{number},Sales,{manager}").unwrap();
    }
    let actor = actor();
    let imported = tenant.import_employees(csv.as_bytes(), ImportOptions::default(), &actor);
    assert_eq!(imported.await.unwrap().hired, addresses.len() as u64);
}

async fn fill(store: &dyn Store, tenant: &Tenant) {
    let policies: Vec<PolicyInput> = (0..POLICIES)
        .map(|number| PolicyInput {
            id: format!("policy{number}"),
            title: format!("Policy {number}"),
            version: "2".to_owned(),
            effective_date: None,
            requires_acknowledgment: true,
            due_date: None,
        })
        .collect();
    tenant.take_policies(&policies, &actor()).await.unwrap();
    let employees: Vec<Employee> = all(store, tenant.id(), RecordKind::Employee).await;
    for chunk in employees.chunks(500) {
        let mut commit = Commit::default();
        for (number, employee) in chunk.iter().enumerate() {
            for put in acknowledged(&employee.id, number) {
                commit = commit.put(put);
            }
            if number.is_multiple_of(3) {
                commit = commit.put(away(tenant.id(), &employee.id, number));
            }
        }
        store.commit(tenant.id(), commit).await.unwrap();
    }
}

fn acknowledged(employee: &EmployeeId, number: usize) -> Vec<Put> {
    let each = (0..POLICIES).map(|policy| {
        let acknowledgement = Acknowledgement {
            id: format!("{employee}-{policy}"),
            employee: employee.clone(),
            policy_id: format!("policy{policy}"),
            version: (1 + number % 2).to_string(),
            acknowledged_at: "2026-01-05T00:00:00Z".parse().unwrap(),
            ip_address: Some("192.0.2.1".to_owned()),
            user_agent: None,
        };
        let put = Put::new(
            RecordKind::Acknowledgement,
            acknowledgement.id.as_str(),
            &acknowledgement,
        );
        put.unwrap().group(acknowledgement.policy_id.as_str())
    });
    each.collect()
}

fn away(tenant: &TenantId, employee: &EmployeeId, number: usize) -> Put {
    let month = 1 + number / 3 % 12;
    let day = |day: usize| format!("2026-{month:02}-{day:02}").parse().unwrap();
    let id = TimeOffId::of(tenant, employee, 0);
    let time_off = TimeOff {
        id: id.clone(),
        tenant: tenant.clone(),
        employee: employee.clone(),
        leave_type: LeaveType::Vacation,
        start_date: day(3),
        end_date: day(12),
        from_noon: false,
        until_noon: false,
        hours: None,
        status: TimeOffStatus::Approved,
        requested_by: actor(),
        requested_at: "2026-01-05T00:00:00Z".parse().unwrap(),
        decided_by: None,
        decided_at: None,
        note: None,
    };
    let put = Put::new(RecordKind::TimeOff, id.as_str(), &time_off).unwrap();
    put.state(time_off.status.as_str()).group(employee.as_str())
}

/// A thousand people leave on one day.
async fn leavers(table: &mut Table) {
    let sandbox = Sandbox::builder()
        .users(LEAVERS + 50)
        .start()
        .await
        .unwrap();
    let folder = TempDir::new().unwrap();
    let config = with_vendor(&sandbox, folder.path());
    let protect = Protect::open_config(&config).await.unwrap();
    let acme = protect.tenant("acme").unwrap();
    let read = acme
        .refresh_accounts(&"wiki".parse().unwrap())
        .await
        .unwrap();
    assert!(read.complete, "{read:?}");
    let accounts = acme.accounts().await.unwrap().into_iter();
    let addresses = accounts.filter_map(|account| Some(account.address?.to_string()));
    hire(&acme, addresses.take(LEAVERS)).await;
    let employees: Vec<Employee> = all(&**protect.store(), acme.id(), RecordKind::Employee).await;
    let leaving: Vec<EmployeeId> = employees.into_iter().map(|employee| employee.id).collect();
    let today = protect
        .context()
        .clock
        .now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let new = NewOffboarding {
        last_day: today,
        leaving: Leaving::Terminated,
        reason: "a site is closed".to_owned(),
        at_once: true,
        allow_past: false,
        tasks: Some(Vec::new()),
    };
    let began = Instant::now();
    let started = acme.offboard_many(&leaving, &new, &actor()).await.unwrap();
    table.row(Row {
        name: "people: 1,000 leavers planned".to_owned(),
        unit: "s".to_owned(),
        figure: began.elapsed().as_secs_f64(),
        bare: None,
        target: "< 5 s, no vendor read".to_owned(),
    });
    let plan = started.plan.unwrap();
    let somebody_else = Actor::unverified("consent");
    let approved = acme.approve(plan, &somebody_else).await.unwrap();
    let before = asked(&sandbox);
    let began = Instant::now();
    let steps = acme.apply(approved).await.unwrap();
    let took = began.elapsed();
    assert_eq!(sandbox.violations(), [], "the vendor's limit was broken");
    // The simulated vendor does not let a few users be changed.
    let open = |step: &&Step| !step.status().is_some_and(OutcomeStatus::is_terminal);
    assert_eq!(steps.iter().find(open), None, "an account was left");
    table.row(Row {
        name: format!("people: {} leavers' accounts closed", steps.len()),
        unit: "requests/s".to_owned(),
        figure: rate(asked(&sandbox) - before, took),
        bare: Some(count_as_f64(VENDOR_TAKES as usize)),
        target: "≥ 0.9 of the vendor's limit".to_owned(),
    });
}

fn asked(sandbox: &Sandbox) -> usize {
    let requests = sandbox.requests();
    let own = requests.iter().filter(|it| it.vendor == Vendor::Scim);
    own.count()
}

fn with_vendor(sandbox: &Sandbox, folder: &Path) -> Value {
    let own = sandbox.credentials();
    let secret = |name: &str, value: &str| {
        std::fs::write(folder.join(name), value).unwrap();
        json!({ "token": { "file": folder.join(name) } })
    };
    json!({
        "mode": "enforce",
        "store": { "kind": "sqlite", "path": folder.join("protect.db") },
        "connections": { "acme-wiki": {
            "kind": "scim",
            "endpoints": { "base": sandbox.scim_url() },
            "scan": secret("scan.token", &own.scim_scan_token),
            "respond": secret("respond.token", &own.scim_respond_token),
            "requests_per_second": VENDOR_TAKES,
            "tenants": ["acme"],
        }},
        "tenants": { "acme": {
            "name": "Acme",
            "domains": ["acme.example"],
            "connectors": { "wiki": { "connection": "acme-wiki" } },
        }},
    })
}

fn actor() -> Actor {
    Actor::unverified("bench")
}
