//! What a change and a view of one employee read: those whom it concerns, however many work here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use crate::config::Config;
use crate::engine::{Engine, Tenant};
use crate::error::{ErrorKind, Result};
use crate::model::{
    Acknowledgement, Actor, Address, Authority, Employee, EmployeeId, EmploymentStatus, Role,
    TenantId,
};
use crate::people::{EmployeeFilter, EmployeeInput, ImportOptions, PolicyInput, ProfileEdit};
use crate::registry::Registry;
use crate::store::{
    Change, Claim, Claimed, Commit, Committed, Expect, MemoryStore, Page, Query, RecordKind,
    Select, Store,
};

/// A store in memory that counts what it gives.
#[derive(Debug, Default)]
struct Counting {
    inner: MemoryStore,
    read: Mutex<BTreeMap<&'static str, usize>>,
}

#[async_trait]
impl Store for Counting {
    async fn commit(&self, tenant: &TenantId, commit: Commit) -> Result<Committed> {
        self.inner.commit(tenant, commit).await
    }

    async fn query(&self, tenant: &TenantId, query: Query) -> Result<Page> {
        let kind = match &query.what {
            Select::All(kind) | Select::Keys(kind, _) | Select::Prefix(kind, _) => kind.as_str(),
            Select::Ledger | Select::LedgerHead => "ledger",
        };
        let page = self.inner.query(tenant, query).await?;
        let count = page.records.len() + page.entries.len();
        *self.read.lock().unwrap().entry(kind).or_default() += count;
        Ok(page)
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>> {
        self.inner.claim(claim).await
    }
}

/// So many people, of whom everybody but the first is led by one of the ten before them; everybody
/// acknowledged the policy.
struct World {
    store: Arc<Counting>,
    tenant: Tenant,
}

impl World {
    async fn of(people: u32) -> Self {
        let store = Arc::new(Counting::default());
        let config = Config::from_toml("[tenants.acme]\nname = \"Acme\"\n", &Registry::new());
        let context = crate::testing::context().context;
        let engine = Engine::builder(config.unwrap(), Registry::new(), context);
        let engine = engine.build(Arc::clone(&store) as Arc<dyn Store>).unwrap();
        let tenant = engine.tenant("acme").unwrap();
        let mut list = "number,last_name,work_email,manager\n".to_owned();
        for number in 1..=people {
            let manager = match number {
                1 => String::new(),
                2..=5 => (number - 1).to_string(),
                _ => "5".to_owned(),
            };
            let _ = writeln!(list, "{number},Person,p{number}@acme.example,{manager}");
        }
        tenant
            .import_employees(list.as_bytes(), ImportOptions::default(), &hr())
            .await
            .unwrap();
        let policy = PolicyInput {
            id: "p-1".to_owned(),
            title: "Conduct".to_owned(),
            version: "1".to_owned(),
            effective_date: None,
            requires_acknowledgment: true,
            due_date: None,
        };
        tenant.take_policies(&[policy], &hr()).await.unwrap();
        let world = Self { store, tenant };
        for employee in world.everybody().await {
            let acknowledgement = Acknowledgement {
                id: format!("a-{}", employee.id),
                employee: employee.id,
                policy_id: "p-1".to_owned(),
                version: "1".to_owned(),
                acknowledged_at: world.tenant.now(),
                ip_address: None,
                user_agent: None,
            };
            world
                .tenant
                .take_acknowledgement(&acknowledgement)
                .await
                .unwrap();
        }
        world
    }

    async fn everybody(&self) -> Vec<Employee> {
        let filter = EmployeeFilter::default();
        self.tenant.employees(&filter).await.unwrap()
    }

    async fn id(&self, number: u32) -> EmployeeId {
        self.tenant
            .find_employee(&number.to_string())
            .await
            .unwrap()
            .id
    }

    /// What was read since the last time.
    fn read(&self) -> BTreeMap<&'static str, usize> {
        std::mem::take(&mut *self.store.read.lock().unwrap())
    }
}

fn hr() -> Actor {
    Actor::unverified("hr")
}

fn said(change: impl FnOnce(&mut EmployeeInput)) -> EmployeeInput {
    let mut input = EmployeeInput::default();
    change(&mut input);
    input
}

/// What each change and view of one employee reads where so many work here.
async fn costs(people: u32) -> Vec<(&'static str, BTreeMap<&'static str, usize>)> {
    let world = World::of(people).await;
    let tenant = &world.tenant;
    let mut costs = Vec::new();
    let six = world.id(6).await;
    world.read();
    tenant.find_employee("7").await.unwrap();
    costs.push(("found by number", world.read()));
    tenant.find_employee("p7@acme.example").await.unwrap();
    costs.push(("found by address", world.read()));
    let new = said(|it| {
        it.last_name = Some("New".to_owned());
        it.work_email = Address::new("new@acme.example").ok();
        it.number = Some("new".to_owned());
        it.manager = Some("5".to_owned());
    });
    tenant.hire(&new, false, &hr()).await.unwrap();
    costs.push(("hired", world.read()));
    let error = tenant.hire(&new, false, &hr()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    costs.push(("hired twice", world.read()));
    for (what, change) in [
        (
            "another job",
            said(|it| it.job_title = Some("Engineer".to_owned())),
        ),
        (
            "another manager",
            said(|it| it.manager = Some("p4@acme.example".to_owned())),
        ),
        (
            "another address",
            said(|it| it.work_email = Address::new("six@acme.example").ok()),
        ),
        (
            "another number",
            said(|it| it.number = Some("six".to_owned())),
        ),
    ] {
        tenant.update_employee(&six, &change, &hr()).await.unwrap();
        costs.push((what, world.read()));
    }
    let circle = said(|it| it.manager = Some("six".to_owned()));
    let four = world.id(4).await;
    world.read();
    let error = tenant.update_employee(&four, &circle, &hr()).await;
    assert!(error.unwrap_err().message().contains("circle"));
    costs.push(("a circle", world.read()));
    let away = EmploymentStatus::OnLeave;
    tenant
        .set_employee_status(&six, &away, None, &hr())
        .await
        .unwrap();
    costs.push(("another status", world.read()));
    let edit = ProfileEdit {
        phone: Some("1234".to_owned()),
        ..ProfileEdit::default()
    };
    tenant.update_profile(&six, &edit, &hr()).await.unwrap();
    costs.push(("another telephone", world.read()));
    tenant.policies_of(&six, &hr()).await.unwrap();
    costs.push(("their policies", world.read()));
    tenant.acknowledgements_of(&six).await.unwrap();
    costs.push(("their policies here", world.read()));
    let mut authority = Authority::staff(Role::Member, [] as [&str; 0]);
    authority
        .products
        .insert("people".to_owned(), "employee".to_owned());
    let own = Actor::authenticated("hub", "six@acme.example", Some(authority));
    let seen = tenant
        .workforce_as(&own)
        .await
        .unwrap()
        .policies()
        .await
        .unwrap();
    assert_eq!((seen[0].required, seen[0].acknowledged), (1, 1));
    costs.push(("their own page", world.read()));
    costs
}

#[tokio::test]
async fn a_change_or_a_view_of_one_employee_reads_the_same_however_many_work_here() {
    let (few, many) = (costs(20).await, costs(2_000).await);
    assert_eq!(few, many);
    for (what, read) in many {
        let all: usize = read.values().sum();
        let employees = read.get("employee").copied().unwrap_or_default();
        assert!(all <= 25 && employees <= 10, "{what}: {read:?}");
    }
}

#[tokio::test]
async fn a_store_without_records_of_numbers_gets_them_with_the_next_change() {
    let world = World::of(30).await;
    let tenant = &world.tenant;
    let remove = |kind, key: String| Change::Delete {
        kind,
        key,
        expect: Expect::Anything,
    };
    let mut changes = vec![remove(RecordKind::Control, "people/numbered".to_owned())];
    let numbers = (1..=30).map(|number| remove(RecordKind::EmployeeNumber, number.to_string()));
    changes.extend(numbers);
    let entries = Vec::new();
    let commit = Commit { changes, entries };
    world.store.commit(tenant.id(), commit).await.unwrap();
    let seven = tenant.find_employee("7").await.unwrap();
    assert_eq!(seven.work_email.as_str(), "p7@acme.example");
    let new = said(|it| {
        it.last_name = Some("New".to_owned());
        it.work_email = Address::new("new@acme.example").ok();
        it.number = Some("7".to_owned());
    });
    let error = tenant.hire(&new, false, &hr()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    let change = said(|it| it.number = Some("77".to_owned()));
    tenant
        .update_employee(&seven.id, &change, &hr())
        .await
        .unwrap();
    tenant.hire(&new, false, &hr()).await.unwrap();
    world.read();
    for (number, address) in [("77", "p7@"), ("7", "new@"), ("8", "p8@")] {
        let found = tenant.find_employee(number).await.unwrap();
        assert!(found.work_email.as_str().starts_with(address), "{number}");
    }
    assert_eq!(world.read()["employee"], 3);
}

#[tokio::test]
async fn an_address_that_one_gives_up_and_another_gets_in_the_same_list_changes_hands() {
    let world = World::of(2).await;
    let tenant = &world.tenant;
    let list = "number,work_email\n1,boss@acme.example\n2,p1@acme.example\n";
    let options = ImportOptions::default();
    let imported = tenant
        .import_employees(list.as_bytes(), options, &hr())
        .await;
    assert_eq!(imported.unwrap().updated, 2);
    for (address, number) in [("boss@acme.example", "1"), ("p1@acme.example", "2")] {
        let found = tenant.find_employee(address).await.unwrap();
        assert_eq!(found.number.as_deref(), Some(number));
    }
    let gone = tenant.find_employee("p2@acme.example").await;
    assert_eq!(gone.unwrap_err().kind(), ErrorKind::NotFound);
}
