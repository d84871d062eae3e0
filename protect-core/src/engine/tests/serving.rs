//! What the workforce answers to other products, over requests with their keys.

use std::fmt::Write as _;
use std::sync::Arc;

use ::http::{Method, Request, StatusCode};
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};

use super::fixture::alice;
use crate::config::Config;
use crate::connector::{Capability, Connector, ConnectorInfo, Diagnosis, OpContext};
use crate::engine::{Engine, Tenant};
use crate::error::{ErrorKind, Result};
use crate::inbound::{Inbound, InboundAnswer, InboundRequest, Route};
use crate::model::{
    Actor, Address, Authority, Employee, InsiderStatus, LeaveType, Role, WorkflowStatus,
};
use crate::people::{EmployeeInput, NewOffboarding, NewTimeOff};
use crate::registry::Registry;
use crate::secret::SecretRef;
use crate::store::MemoryStore;

/// Holds the key of one product.
#[derive(Debug)]
struct Holder {
    info: ConnectorInfo,
    keys: Vec<SecretRef>,
    alias: String,
}

#[async_trait]
impl Connector for Holder {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability::default()
    }

    async fn diagnose(&self, _: &OpContext) -> Result<Diagnosis> {
        Ok(Diagnosis::default())
    }

    fn as_inbound(&self) -> Option<&dyn Inbound> {
        Some(self)
    }
}

#[async_trait]
impl Inbound for Holder {
    fn routes(&self) -> &[Route] {
        &[]
    }

    fn tenant_alias(&self) -> &str {
        &self.alias
    }

    fn integration_keys(&self) -> &[SecretRef] {
        &self.keys
    }

    async fn handle(&self, _: &OpContext, _: &InboundRequest) -> Result<InboundAnswer> {
        Ok(InboundAnswer::no_content())
    }
}

/// Two tenants, each with the keys of PSA, Defend and Legal.
struct World {
    engine: Engine,
}

impl World {
    fn new(people: &str) -> Self {
        let mut registry = Registry::new();
        for kind in ["people", "defend", "legal"] {
            registry.register(kind, move |setup, _| {
                let tenant = setup.info.tenant.to_string();
                Ok(Arc::new(Holder {
                    keys: vec![SecretRef::env(format!("{tenant}-{kind}"))],
                    alias: format!("org-{tenant}"),
                    info: setup.info,
                }) as Arc<dyn Connector>)
            });
        }
        let mut text = "mode = \"enforce\"\n".to_owned();
        let outside = crate::testing::context();
        for tenant in ["acme", "other"] {
            let _ = writeln!(
                text,
                "[tenants.{tenant}]
name = \"{tenant}\"
people = {{ {people} }}"
            );
            for kind in ["people", "defend", "legal"] {
                let _ = writeln!(
                    text,
                    "[tenants.{tenant}.connectors.{kind}]
kind = \"{kind}\""
                );
                let name = SecretRef::env(format!("{tenant}-{kind}"));
                outside.secrets.set(name, &format!("key-{tenant}-{kind}"));
            }
        }
        let config = Config::from_toml(&text, &registry).unwrap();
        let mut builder = Engine::builder(config, registry, outside.context);
        for area in crate::people::routes() {
            builder = builder.routes(area);
        }
        let engine = builder.build(Arc::new(MemoryStore::new())).unwrap();
        Self { engine }
    }

    fn tenant(&self) -> Tenant {
        self.engine.tenant("acme").unwrap()
    }

    async fn hire(&self, tenant: &str, name: &str) -> Employee {
        let input = EmployeeInput {
            last_name: Some(name.to_owned()),
            work_email: Some(Address::new(format!("{name}@{tenant}.example")).unwrap()),
            ..EmployeeInput::default()
        };
        let tenant = self.engine.tenant(tenant).unwrap();
        tenant.hire(&input, false, &alice()).await.unwrap()
    }

    async fn ask(&self, method: Method, uri: &str, key: &str, body: &Value) -> (u16, Value) {
        let body = if method == Method::GET {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        let request = Request::builder().method(method).uri(uri);
        let request = request.header("X-Integration-Key", key).body(body).unwrap();
        let answer = self.engine.receive(InboundRequest::of(request), None).await;
        let read = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        (answer.status.as_u16(), read)
    }

    async fn get(&self, uri: &str, key: &str) -> (u16, Value) {
        self.ask(Method::GET, uri, key, &Value::Null).await
    }

    async fn post(&self, uri: &str, key: &str, body: &Value) -> (u16, Value) {
        self.ask(Method::POST, uri, key, body).await
    }
}

const PSA: &str = "key-acme-people";
const DEFEND: &str = "key-acme-defend";
const LEGAL: &str = "key-acme-legal";
const SIGNALS: &str =
    "insider_threat = { enabled_by = \"the works council\", only_offboarding = false }";

fn away() -> NewTimeOff {
    NewTimeOff {
        leave_type: LeaveType::Bereavement,
        start_date: "2026-01-12".parse().unwrap(),
        end_date: "2026-01-14".parse().unwrap(),
        from_noon: false,
        until_noon: false,
        hours: Some(24.0),
        note: Some("private".to_owned()),
    }
}

#[tokio::test]
async fn psa_is_told_who_is_away_and_not_why_unless_that_is_shared() {
    for (people, word) in [("", "time_off"), ("share_leave_type = true", "bereavement")] {
        let world = World::new(people);
        let ann = world.hire("acme", "ann").await;
        world
            .tenant()
            .request_time_off(&ann.id, &away(), &alice())
            .await
            .unwrap();
        let path = "/api/psa/time-off?tenantId=org-acme&from=2026-01-14&to=2026-01-31&status=approved,pending";
        let (status, told) = world.get(path, PSA).await;
        assert_eq!((status, &told["total"]), (200, &json!(1)), "{told}");
        let first = &told["time_off"][0];
        assert_eq!(first["leave_type"], word);
        assert_eq!(first["email"], "ann@acme.example");
        assert!(!told.to_string().contains("private"));
        let (_, other) = world
            .get(&path.replace("from=2026-01-14", "from=2026-01-15"), PSA)
            .await;
        assert_eq!(other["total"], 0);
        let (status, _) = world.get(&path.replace("2026-01-31", "soon"), PSA).await;
        assert_eq!(status, 400);
    }
}

#[tokio::test]
async fn a_key_opens_its_own_routes_of_its_own_tenant_alone() {
    let world = World::new("");
    world.hire("other", "bob").await;
    let lookup = |tenant: &str, login: &str| {
        format!("/api/internal/employees/lookup?tenantId=org-{tenant}&login={login}")
    };
    let own = world
        .get(&lookup("other", "bob@other.example"), "key-other-defend")
        .await;
    assert_eq!(
        (own.0, &own.1["employment_status"]),
        (200, &json!("active"))
    );
    for (path, key, status) in [
        (lookup("acme", "bob@other.example"), DEFEND, 404),
        (lookup("other", "bob@other.example"), DEFEND, 401),
        (lookup("nobody", "bob@other.example"), DEFEND, 401),
        (
            lookup("other", "bob@other.example"),
            "key-other-people",
            401,
        ),
        (lookup("other", ""), "key-other-defend", 400),
        (
            "/api/psa/certifications?tenantId=org-acme".to_owned(),
            DEFEND,
            401,
        ),
    ] {
        assert_eq!(world.get(&path, key).await.0, status, "{path} {key}");
    }
}

#[tokio::test]
async fn psa_is_told_certifications_that_count() {
    let world = World::new("");
    world.hire("acme", "ann").await;
    let list = "employee,name,expires_on\nann@acme.example,First aid,2026-01-20\nann@acme.example,Old,2020-01-01\n";
    world
        .tenant()
        .import_certifications(list.as_bytes(), &alice())
        .await
        .unwrap();
    let path = "/api/psa/certifications?tenantId=org-acme&status=active";
    let (_, told) = world.get(path, PSA).await;
    assert_eq!(told["total"], 1);
    assert_eq!(told["certifications"][0]["status"], "expiring");
}

fn signal(login: &str) -> Value {
    json!({
        "tenant_id": "org-acme", "login": login, "signal_type": "Large File Transfer",
        "severity": "high", "description": "40 GB to a stick", "device_name": "LT-7",
        "detected_at": "2026-01-01T00:00:00Z", "source": "defend", "source_ref": format!("s-{login}"),
    })
}

#[tokio::test]
async fn signals_are_off_until_somebody_switches_them_on_and_seen_by_few() {
    let path = "/api/internal/insider-threat/signals";
    let off = World::new("");
    off.hire("acme", "ann").await;
    assert_eq!(
        off.post(path, DEFEND, &signal("ann@acme.example")).await.0,
        403
    );

    let world = World::new(SIGNALS);
    world.hire("acme", "ann").await;
    let (status, told) = world.post(path, DEFEND, &signal("ann@acme.example")).await;
    assert_eq!((status, &told["status"]), (201, &json!("new")));
    let again = world.post(path, DEFEND, &signal("ann@acme.example")).await;
    assert_eq!(again.1["id"], told["id"], "twice is once");
    let (status, unknown) = world
        .post(path, DEFEND, &signal("ghost@acme.example"))
        .await;
    assert_eq!((status, &unknown["employee_known"]), (201, &json!(false)));
    let mut low = signal("ann@acme.example");
    low["severity"] = json!("low");
    low["source_ref"] = json!("s-2");
    assert_eq!(world.post(path, DEFEND, &low).await.1["status"], "ignored");

    let tenant = world.tenant();
    let actor = |role: &str| {
        let mut authority = Authority::staff(Role::Member, [] as [&str; 0]);
        authority
            .products
            .insert("people".to_owned(), role.to_owned());
        Actor::authenticated("hub", "u-1", Some(authority))
    };
    for role in ["hr_staff", "manager", "viewer", "employee"] {
        let error = tenant.insider_signals(&actor(role)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{role}");
    }
    let seen = tenant.insider_signals(&actor("hr_manager")).await.unwrap();
    assert_eq!(seen.len(), 2, "the one about nobody is kept for review");
    let admin = actor("admin");
    let id = &seen[0].id;
    let judged = tenant.judge_insider_signal(id, InsiderStatus::Dismissed, "a backup", &admin);
    assert_eq!(judged.await.unwrap().status, InsiderStatus::Dismissed);
}

#[tokio::test]
async fn signals_about_people_who_stay_are_left_out_unless_the_tenant_wants_them() {
    let world = World::new("insider_threat = { enabled_by = \"the works council\" }");
    let ann = world.hire("acme", "ann").await;
    let path = "/api/internal/insider-threat/signals";
    let before = world.post(path, DEFEND, &signal("ann@acme.example")).await;
    assert_eq!(before.1["status"], "ignored");
    let new = NewOffboarding {
        last_day: "2026-01-31".parse().unwrap(),
        leaving: crate::model::Leaving::Resigned,
        reason: "leaves".to_owned(),
        at_once: false,
        allow_past: false,
        tasks: None,
    };
    world
        .tenant()
        .offboard(&ann.id, &new, &alice())
        .await
        .unwrap();
    let (status, _) = world.post(path, DEFEND, &signal("ann@acme.example")).await;
    assert_eq!(status, 201);
}

#[tokio::test]
async fn who_may_see_a_signal_is_told_that_there_is_one_once_and_nothing_of_whom_it_is_about() {
    let notices = "notices = { connector = \"people\", hr = [\"hr@acme.example\"], \
                   hr_managers = [\"chief@acme.example\"] }";
    let world = World::new(&format!("{SIGNALS}, {notices}"));
    world.hire("acme", "ann").await;
    let path = "/api/internal/insider-threat/signals";
    for _ in 0..2 {
        let (status, _) = world.post(path, DEFEND, &signal("ann@acme.example")).await;
        assert_eq!(status, 201);
    }
    let told = world.tenant().actions().await.unwrap();
    let told: Vec<_> = told.iter().map(|step| &step.action).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].kind, crate::model::ActionKind::Notify);
    assert_eq!(told[0].parameters["to"], json!(["chief@acme.example"]));
    let said = format!("{} {}", told[0].reason, told[0].parameters["text"]);
    assert!(!said.contains("ann"), "{said}");
}

#[tokio::test]
async fn an_emergency_begins_an_offboarding_once_that_a_person_must_approve() {
    let world = World::new("");
    let ann = world.hire("acme", "ann").await;
    let path = "/api/internal/offboarding";
    let asked = json!({
        "tenant_id": "org-acme", "login": "ann@acme.example", "last_day": "2026-01-01",
        "reason": "insider_threat", "initiated_by": "defend", "source_ref": "d-1",
    });
    let (status, told) = world.post(path, DEFEND, &asked).await;
    assert_eq!((status, &told["status"]), (201, &json!("needs_approval")));
    let again = world.post(path, DEFEND, &asked).await;
    assert_eq!(
        (again.0, &again.1["workflow_id"]),
        (200, &told["workflow_id"])
    );
    let open = world
        .tenant()
        .open_offboarding(&ann.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(open.status, WorkflowStatus::Open);
    assert!(open.steps.iter().all(|step| !step.approved));
    let mut unknown = asked.clone();
    unknown["login"] = json!("ghost@acme.example");
    assert_eq!(world.post(path, DEFEND, &unknown).await.0, 404);
    unknown["last_day"] = json!("soon");
    assert_eq!(world.post(path, DEFEND, &unknown).await.0, 400);
}

#[tokio::test]
async fn the_callback_of_legal_may_come_twice() {
    let world = World::new("");
    let ann = world.hire("acme", "ann").await;
    let path = "/api/internal/legal/acknowledgments";
    let told = json!({
        "tenant_id": "org-acme", "acknowledgment_id": "a-1", "employee_id": ann.id,
        "policy_id": "p-1", "policy_version": "3", "acknowledged_at": "2026-01-01T00:00:00Z",
    });
    for _ in 0..2 {
        assert_eq!(
            world.post(path, LEGAL, &told).await.0,
            StatusCode::NO_CONTENT.as_u16()
        );
    }
    let mut other = told.clone();
    other["policy_version"] = json!("4");
    assert_eq!(world.post(path, LEGAL, &other).await.0, 409);
    assert_eq!(world.post(path, DEFEND, &told).await.0, 401);
}
