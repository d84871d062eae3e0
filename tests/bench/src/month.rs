//! A month's report for a tenant with 10,000 findings, beside the queries that it cannot do without.

use std::sync::Arc;
use std::time::Instant;

use protect_core::config::Config;
use protect_core::engine::{Engine, Tenant};
use protect_core::model::{
    Address, Attributes, CheckId, Confidence, Finding, FindingId, FindingKind, FindingStatus,
    Incident, Intent, Observation, Severity, Subject, TenantId,
};
use protect_core::registry::Registry;
use protect_core::report::Month;
use protect_core::store::{Commit, Put, Query, RecordKind, SqliteOptions, SqliteStore, Store};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::measure::{RUNS, median};
use crate::table::{Row, Table};

const FINDINGS: usize = 10_000;

pub(crate) async fn measure(table: &mut Table) {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(SqliteOptions::new(folder.path().join("protect.db")));
    let store: Arc<dyn Store> = Arc::new(store.await.unwrap());
    let tenant = tenant(Arc::clone(&store));
    fill(&*store, tenant.id()).await;
    let month: Month = "2026-01".parse().unwrap();
    let (mut whole, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let started = Instant::now();
        let report = tenant.report(month, &[]).await.unwrap();
        assert!(report.to_html().unwrap().len() > 1_000);
        whole.push(started.elapsed().as_secs_f64() * 1_000.0);
        let started = Instant::now();
        queries(&*store, tenant.id()).await;
        bare.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    table.row(Row {
        name: "a month's report of 10,000 findings, as HTML".to_owned(),
        unit: "ms".to_owned(),
        figure: median(whole),
        bare: Some(median(bare)),
        target: "≤ 3 times".to_owned(),
    });
}

/// What a report reads at least: findings, incidents, actions and verdicts, as their types.
async fn queries(store: &dyn Store, tenant: &TenantId) {
    let findings: Vec<Finding> = all(store, tenant, RecordKind::Finding).await;
    assert_eq!(findings.len(), FINDINGS);
    let _: Vec<Incident> = all(store, tenant, RecordKind::Incident).await;
    let _: Vec<Intent> = all(store, tenant, RecordKind::Intent).await;
    let _: Vec<Value> = all(store, tenant, RecordKind::Verdict).await;
}

pub(crate) async fn all<T: DeserializeOwned>(
    store: &dyn Store,
    tenant: &TenantId,
    kind: RecordKind,
) -> Vec<T> {
    let mut query = Query::all(kind);
    let mut read = Vec::new();
    loop {
        let page = store.query(tenant, query.clone()).await.unwrap();
        read.extend(
            page.records
                .iter()
                .map(|record| record.read::<T>().unwrap()),
        );
        match page.next {
            Some(next) => query.after = Some(next),
            None => return read,
        }
    }
}

async fn fill(store: &dyn Store, tenant: &TenantId) {
    let numbers: Vec<usize> = (0..FINDINGS).collect();
    for chunk in numbers.chunks(500) {
        let mut commit = Commit::default();
        for number in chunk {
            let finding = finding(tenant, *number);
            commit = commit.put(
                Put::new(RecordKind::Finding, finding.id.as_str(), &finding)
                    .unwrap()
                    .state(finding.status.as_str()),
            );
        }
        store.commit(tenant, commit).await.unwrap();
    }
}

fn finding(tenant: &TenantId, number: usize) -> Finding {
    let check = CheckId::new("hibp.exposure.breach").unwrap();
    let address = Address::new(format!("person{number}@acme.example")).unwrap();
    let subject = Subject::address(&address);
    let breach = format!("Breach{}", number % 40);
    let seen = "2026-01-05T00:00:00Z".parse().unwrap();
    let details = json!({ "breach_date": "2025-12-01", "data_classes": ["Passwords"] });
    let status = if number.is_multiple_of(3) {
        FindingStatus::Resolved
    } else {
        FindingStatus::New
    };
    Finding {
        id: FindingId::of(tenant, &check, &subject, &breach),
        tenant: tenant.clone(),
        source: "breaches".parse().unwrap(),
        observation: Observation {
            check,
            kind: FindingKind::CredentialExposure,
            subject,
            cause: Some(format!("breach:{breach}")),
            discriminator: breach,
            severity: Severity::High,
            confidence: Confidence::High,
            title: "A password was exposed".to_owned(),
            reasons: vec!["salted_hash".to_owned()],
            attribution: None,
            references: Vec::new(),
            details: details.as_object().cloned().unwrap_or_else(Attributes::new),
            from_event: false,
        },
        status,
        baseline: false,
        occurrence: 1,
        first_seen: seen,
        last_seen: seen,
        resolved_at: (status == FindingStatus::Resolved).then_some(seen),
        acceptance: None,
        incident: None,
    }
}

fn tenant(store: Arc<dyn Store>) -> Tenant {
    let registry = Registry::new();
    let config = json!({ "tenants": { "acme": { "name": "Acme GmbH" } } });
    let config = Config::from_value(&config, &registry).unwrap();
    let context = protect_core::testing::context().context;
    let engine = Engine::builder(config, registry, context);
    engine.build(store).unwrap().tenant("acme").unwrap()
}
