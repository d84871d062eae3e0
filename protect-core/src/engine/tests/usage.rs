//! A month's usage, with a vendor that bills by what it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join;
use jiff::Timestamp;

use super::super::Engine;
use super::fixture::alice;
use crate::config::{Config, KindSpec, SettingSpec};
use crate::connector::{
    Capability, Connector, ConnectorInfo, Delivered, Delivery, Diagnosis, OpContext, Sink,
};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ActionKind, Actor, EffectClass, OutcomeStatus};
use crate::registry::Registry;
use crate::store::{MemoryStore, Store};
use crate::testing::{self, ManualClock};

const DAY: Duration = Duration::from_hours(24);

/// The clock begins on the first of January 2026.
const FIRST_MONTH: &str = "2026-01";

/// Billing goes by itself.
const AUTO: &str = "approval = \"auto\"\nenabled_by = \"alice\"";

/// Somebody consents to each month.
const REQUIRED: &str = "";

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Fault {
    #[default]
    None,
    /// Cannot be reached.
    Down,
    /// Takes the event, and the answer is lost.
    AnswerLost,
    /// Does not accept the key.
    WrongKey,
}

#[derive(Debug, Default)]
struct Biller {
    fault: Fault,
    /// Month and users, as often as they were counted.
    events: Vec<(String, u64)>,
}

#[derive(Debug)]
struct BillingConnector {
    info: ConnectorInfo,
    biller: Arc<Mutex<Biller>>,
}

#[async_trait]
impl Connector for BillingConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability {
            actions: [(ActionKind::ReportUsage, EffectClass::SearchBeforeCreate)].into(),
            ..Capability::default()
        }
    }

    async fn diagnose(&self, _: &OpContext) -> Result<Diagnosis> {
        Ok(Diagnosis::default())
    }

    fn as_sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }
}

impl BillingConnector {
    fn answer(&self) -> Result<()> {
        match self.biller.lock().unwrap().fault {
            Fault::Down => Err(Error::new(ErrorKind::Unavailable, "down").temporary()),
            Fault::WrongKey => Err(Error::new(ErrorKind::Unauthenticated, "wrong key")),
            Fault::None | Fault::AnswerLost => Ok(()),
        }
    }
}

#[async_trait]
impl Sink for BillingConnector {
    async fn deliver(&self, _: &OpContext, delivery: &Delivery) -> Result<Delivered> {
        self.answer()?;
        let month = delivery.data["month"].as_str().unwrap().to_owned();
        let users = delivery.data["users"].as_u64().unwrap();
        let mut biller = self.biller.lock().unwrap();
        biller.events.push((month.clone(), users));
        if biller.fault == Fault::AnswerLost {
            biller.fault = Fault::Down;
            return Err(Error::new(ErrorKind::Timeout, "no answer").temporary());
        }
        Ok(Delivered {
            id: month,
            status: None,
        })
    }

    async fn find(
        &self,
        _: &OpContext,
        _: ActionKind,
        reference: &str,
    ) -> Result<Option<Delivered>> {
        self.answer()?;
        let events = self.biller.lock().unwrap().events.clone();
        let found = events
            .into_iter()
            .find(|(month, _)| reference == format!("protect-users:acme:{month}"));
        Ok(found.map(|(id, _)| Delivered { id, status: None }))
    }
}

struct Office {
    biller: Arc<Mutex<Biller>>,
    clock: Arc<ManualClock>,
    store: Arc<dyn Store>,
    context: crate::Context,
    mode: &'static str,
    approval: &'static str,
}

impl Office {
    fn new(mode: &'static str, approval: &'static str) -> Self {
        let outside = testing::context();
        Self {
            biller: Arc::default(),
            clock: outside.clock,
            store: Arc::new(MemoryStore::new()),
            context: outside.context,
            mode,
            approval,
        }
    }

    /// A process: as many as wanted share the store.
    fn engine(&self) -> Engine {
        let mut registry = Registry::new();
        let biller = Arc::clone(&self.biller);
        let spec = KindSpec::new("billing", "")
            .setting(SettingSpec::one_of("approval", ["required", "auto"], ""))
            .setting(SettingSpec::text("enabled_by", ""));
        registry.register(spec, move |setup, _| {
            Ok(Arc::new(BillingConnector {
                info: setup.info,
                biller: Arc::clone(&biller),
            }) as Arc<dyn Connector>)
        });
        let text = format!(
            "mode = \"{}\"\n[tenants.acme]\nname = \"Acme\"\ndomains = [\"acme.example\"]\n\
             monitor = {{ addresses = [\"ann@acme.example\", \"bob@acme.example\"] }}\n\
             [tenants.acme.connectors.billing]\nkind = \"billing\"\n{}\n\
             [tenants.free]\nname = \"Free\"\ndomains = [\"free.example\"]\n\
             monitor = {{ addresses = [\"eve@free.example\"] }}",
            self.mode, self.approval
        );
        let config = Config::from_toml(&text, &registry).unwrap();
        Engine::builder(config, registry, self.context.clone())
            .build(Arc::clone(&self.store))
            .unwrap()
    }

    fn events(&self) -> Vec<(String, u64)> {
        self.biller.lock().unwrap().events.clone()
    }

    fn set(&self, fault: Fault) {
        self.biller.lock().unwrap().fault = fault;
    }

    fn now(&self) -> Timestamp {
        self.context.clock.now()
    }

    /// Days go by, a tick every three hours.
    async fn pass(&self, engine: &Engine, days: u32) {
        for _ in 0..8 * days {
            self.clock.advance(DAY / 8).await;
            engine.tick().await.unwrap();
        }
    }
}

fn told(users: u64) -> Vec<(String, u64)> {
    vec![(FIRST_MONTH.to_owned(), users)]
}

#[tokio::test]
async fn a_whole_month_is_told_once_with_everybody_who_was_watched_in_it() {
    let office = Office::new("enforce", AUTO);
    let engine = office.engine();
    let acme = engine.tenant("acme").unwrap();
    engine.tick().await.unwrap();
    office.pass(&engine, 10).await;
    let carl = "carl@acme.example".parse().unwrap();
    acme.monitor_add(&carl, &alice()).await.unwrap();
    office.pass(&engine, 10).await;
    acme.monitor_remove(&carl, &alice()).await.unwrap();
    office.pass(&engine, 10).await;
    assert!(office.events().is_empty(), "the month is not over");
    office.pass(&engine, 27).await;
    assert_eq!(office.events(), told(3), "at {}", office.now());
    assert_eq!(
        acme.usage_of(FIRST_MONTH).await,
        ("settled".to_owned(), Some(3))
    );
    office.pass(&engine, 4).await;
    assert_eq!(office.events()[1], ("2026-02".to_owned(), 2));
    assert_eq!(office.events().len(), 2);
}

#[tokio::test]
async fn a_restart_in_the_middle_loses_nobody_and_tells_nothing_twice() {
    let office = Office::new("enforce", AUTO);
    let engine = office.engine();
    let dora = "dora@acme.example".parse().unwrap();
    let acme = engine.tenant("acme").unwrap();
    acme.monitor_add(&dora, &alice()).await.unwrap();
    engine.tick().await.unwrap();
    acme.monitor_remove(&dora, &alice()).await.unwrap();
    drop((acme, engine));
    for _ in 0..34 {
        let engine = office.engine();
        office.pass(&engine, 1).await;
    }
    assert_eq!(office.events(), told(3));
}

#[tokio::test]
async fn a_program_that_was_off_at_the_end_of_the_month_counts_nobody_of_the_next() {
    let office = Office::new("enforce", AUTO);
    let engine = office.engine();
    engine.tick().await.unwrap();
    office.clock.advance(40 * DAY).await;
    let late = "late@acme.example".parse().unwrap();
    let acme = engine.tenant("acme").unwrap();
    acme.monitor_add(&late, &alice()).await.unwrap();
    engine.tick().await.unwrap();
    assert_eq!(office.events(), told(2));
}

#[tokio::test]
async fn a_biller_that_is_down_for_two_days_is_told_once_when_it_is_back() {
    let office = Office::new("enforce", AUTO);
    let engine = office.engine();
    engine.tick().await.unwrap();
    office.set(Fault::Down);
    office.pass(&engine, 33).await;
    assert!(office.events().is_empty());
    office.set(Fault::None);
    office.pass(&engine, 1).await;
    assert_eq!(office.events(), told(2));
}

#[tokio::test]
async fn a_lost_answer_and_two_days_of_silence_after_it_do_not_tell_twice() {
    let office = Office::new("enforce", AUTO);
    let engine = office.engine();
    engine.tick().await.unwrap();
    office.set(Fault::AnswerLost);
    office.pass(&engine, 33).await;
    assert_eq!(office.events(), told(2));
    office.set(Fault::None);
    office.pass(&engine, 10).await;
    assert_eq!(office.events(), told(2));
    let acme = engine.tenant("acme").unwrap();
    assert_eq!(acme.usage_of(FIRST_MONTH).await.0, "settled");
}

#[tokio::test]
async fn two_processes_tell_a_month_once() {
    let office = Office::new("enforce", AUTO);
    let (one, two) = (office.engine(), office.engine());
    for _ in 0..35 * 4 {
        office.clock.advance(DAY / 4).await;
        let (first, second) = Box::pin(join(one.tick(), two.tick())).await;
        first.unwrap();
        second.unwrap();
    }
    assert_eq!(office.events(), told(2));
}

#[tokio::test]
async fn a_key_that_was_wrong_is_used_again_the_day_after_it_was_mended() {
    let office = Office::new("enforce", AUTO);
    let engine = office.engine();
    engine.tick().await.unwrap();
    office.set(Fault::WrongKey);
    office.pass(&engine, 35).await;
    assert!(office.events().is_empty());
    office.set(Fault::None);
    office.pass(&engine, 2).await;
    assert_eq!(office.events(), told(2));
}

#[tokio::test]
async fn in_dry_run_a_month_ends_as_a_plan() {
    let office = Office::new("dry_run", AUTO);
    let engine = office.engine();
    engine.tick().await.unwrap();
    office.pass(&engine, 34).await;
    assert!(office.events().is_empty());
    let acme = engine.tenant("acme").unwrap();
    let plans = acme.plans_waiting().await.unwrap();
    let kinds: Vec<_> = plans
        .iter()
        .map(|plan| plan.actions[0].action.kind)
        .collect();
    assert_eq!(kinds, [ActionKind::ReportUsage]);
    let refused = acme.approve(plans[0].clone(), &alice()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
}

#[tokio::test]
async fn without_a_standing_consent_a_month_waits_for_somebodys() {
    let office = Office::new("enforce", REQUIRED);
    let engine = office.engine();
    engine.tick().await.unwrap();
    office.pass(&engine, 34).await;
    assert!(office.events().is_empty());
    let acme = engine.tenant("acme").unwrap();
    let plan = acme.plans_waiting().await.unwrap().remove(0);
    assert_eq!(plan.actions[0].action.requested_by, Actor::engine());
    let approved = acme.approve(plan, &alice()).await.unwrap();
    let steps = acme.apply(approved).await.unwrap();
    assert_eq!(steps[0].status(), Some(OutcomeStatus::Applied));
    office.pass(&engine, 5).await;
    assert_eq!(office.events(), told(2));
}

#[tokio::test]
async fn a_month_that_nobody_consented_to_lapses_and_the_ledger_says_so() {
    let office = Office::new("enforce", REQUIRED);
    let engine = office.engine();
    engine.tick().await.unwrap();
    office.pass(&engine, 70).await;
    let acme = engine.tenant("acme").unwrap();
    assert_eq!(
        acme.usage_of(FIRST_MONTH).await,
        ("lapsed".to_owned(), Some(2))
    );
    let ledger = crate::store::Query::ledger();
    let page = office.store.query(acme.id(), ledger).await.unwrap();
    let lapsed = page.entries.iter().filter(|e| e.kind == "usage.lapsed");
    assert_eq!(lapsed.count(), 1);
    assert!(office.events().is_empty());
}

#[tokio::test]
async fn nobody_is_counted_where_nobody_bills() {
    let office = Office::new("enforce", AUTO);
    let engine = office.engine();
    office.pass(&engine, 34).await;
    let free = engine.tenant("free").unwrap();
    let all = crate::store::Query::all(crate::store::RecordKind::Usage);
    let page = office.store.query(free.id(), all).await.unwrap();
    assert!(page.records.is_empty());
}
