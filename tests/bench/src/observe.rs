//! Findings a second into the stores, through the engine's `observe`: ids, decisions, ledger and all.
//!
//! The peer writes the same rows into the same tables with one `json_each` insert a transaction,
//! from one caller, and decides nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use protect_core::clock::SystemClock;
use protect_core::config::Config;
use protect_core::context::Context;
use protect_core::engine::{Engine, Tenant};
use protect_core::model::{
    Address, Attributes, Attribution, CheckId, Confidence, ConnectorName, FindingId, FindingKind,
    Observation, Severity, Subject,
};
use protect_core::registry::Registry;
use protect_core::store::{
    MemoryStore, Query, Record, RecordKind, SqliteOptions, SqliteStore, Store,
};
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tempfile::TempDir;

use crate::measure::{RUNS, median, rate};
use crate::table::{Row, Table};

/// One way of observing.
struct Way {
    name: &'static str,
    findings: usize,
    batch: usize,
    callers: usize,
    /// How many of them the peer writes, which waits for the disk with each batch.
    bare: usize,
    target: &'static str,
}

const IN_BATCHES: Way = Way {
    name: "observe, SQLite, batches of 100 from 64 callers",
    findings: 100_000,
    batch: 100,
    callers: 64,
    bare: 100_000,
    target: "≥ 50,000 /s",
};

const ONE_BY_ONE: Way = Way {
    name: "observe, SQLite, one by one from 64 callers",
    findings: 20_000,
    batch: 1,
    callers: 64,
    bare: 500,
    target: "≥ 5,000 /s",
};

const IN_MEMORY: Way = Way {
    name: "observe, memory, batches of 100 from 16 callers",
    findings: 200_000,
    batch: 100,
    callers: 16,
    bare: 0,
    target: "≥ 300,000 /s",
};

/// Both stores, each beside its peer.
pub(crate) async fn measure(table: &mut Table) {
    for way in [IN_BATCHES, ONE_BY_ONE] {
        let rows = rows(&way).await;
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let folder = folder();
            ours.push(into_sqlite(&way, &folder).await);
            let folder = self::folder();
            bare.push(into_bare_sqlite(&way, &rows[..way.bare], &folder).await);
        }
        table.row(way.row(median(ours), Some(median(bare))));
    }
    let mut ours = Vec::new();
    for _ in 0..RUNS {
        ours.push(into(&IN_MEMORY, Arc::new(MemoryStore::new())).await);
    }
    table.row(IN_MEMORY.row(median(ours), None));
    table.remark(
        "SQLite: write-ahead log, synchronous=FULL, a new file each run; bare: the same rows by one \
         json_each insert a transaction into the same tables, one caller, nothing decided.",
    );
}

impl Way {
    fn row(&self, figure: f64, bare: Option<f64>) -> Row {
        Row {
            name: self.name.to_owned(),
            unit: "/s".to_owned(),
            figure,
            bare,
            target: self.target.to_owned(),
        }
    }

    /// The batches of each caller.
    fn work(&self) -> Vec<Vec<Vec<Observation>>> {
        let mut work = vec![Vec::new(); self.callers];
        let numbers: Vec<usize> = (0..self.findings).collect();
        for (index, batch) in numbers.chunks(self.batch).enumerate() {
            let batch = batch.iter().copied().map(observation).collect();
            work[index % self.callers].push(batch);
        }
        work
    }
}

async fn into_sqlite(way: &Way, folder: &TempDir) -> f64 {
    let options = SqliteOptions::new(folder.path().join("protect.db"));
    let store = Arc::new(SqliteStore::open(options).await.unwrap());
    let figure = into(way, Arc::clone(&store) as Arc<dyn Store>).await;
    store.close().await;
    figure
}

async fn into(way: &Way, store: Arc<dyn Store>) -> f64 {
    let tenant = tenant(Arc::clone(&store));
    let source = source();
    let work = way.work();
    let begun = Instant::now();
    let callers = work.into_iter().map(|batches| {
        let (tenant, source) = (tenant.clone(), source.clone());
        tokio::spawn(async move {
            let mut new = 0;
            for batch in batches {
                new += tenant.observe(&source, batch).await.unwrap().new;
            }
            new
        })
    });
    let mut new = 0;
    for caller in callers.collect::<Vec<_>>() {
        new += caller.await.unwrap();
    }
    let took = begun.elapsed();
    assert_eq!(usize::try_from(new).unwrap(), way.findings);
    rate(way.findings, took)
}

/// The peer: one statement a batch, in a transaction of its own.
async fn into_bare_sqlite(way: &Way, rows: &[Record], folder: &TempDir) -> f64 {
    let path = folder.path().join("bare.db");
    // Makes the tables and goes.
    let store = SqliteStore::open(SqliteOptions::new(&path)).await.unwrap();
    store.close().await;
    let mut connection = connect(&path).await;
    let begun = Instant::now();
    for batch in rows.chunks(way.batch) {
        let rows: Vec<_> = batch
            .iter()
            .map(|row| (&row.key, &row.state, &row.group, &row.body))
            .collect();
        sqlx::query(
            "insert into records (tenant, kind, key, version, state, grp, body) \
             select 'acme', 'finding', value ->> 0, 1, value ->> 1, value ->> 2, value ->> 3 \
             from json_each(?)",
        )
        .bind(serde_json::to_string(&rows).unwrap())
        .execute(&mut connection)
        .await
        .unwrap();
    }
    let took = begun.elapsed();
    connection.close().await.unwrap();
    rate(rows.len(), took)
}

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
        .connect()
        .await
        .unwrap()
}

/// The rows that the engine makes of the same observations, in the order of the observations.
async fn rows(way: &Way) -> Vec<Record> {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let tenant = tenant(Arc::clone(&store));
    let observations: Vec<Observation> = (0..way.findings).map(observation).collect();
    let ids = observations.iter().map(|seen| {
        FindingId::of(tenant.id(), &seen.check, &seen.subject, &seen.discriminator).to_string()
    });
    let ids: Vec<String> = ids.collect();
    tenant.observe(&source(), observations).await.unwrap();
    let query = Query::keys(RecordKind::Finding, ids.clone());
    let page = store.query(tenant.id(), query).await.unwrap();
    let mut found: std::collections::HashMap<String, Record> = page
        .records
        .into_iter()
        .map(|record| (record.key.clone(), record))
        .collect();
    ids.iter().map(|id| found.remove(id).unwrap()).collect()
}

/// As the connector of Have I Been Pwned makes them: one breach has many addresses.
pub(crate) fn observation(number: usize) -> Observation {
    let address = Address::new(format!("person{number}@acme.example")).unwrap();
    Observation {
        check: CheckId::new("hibp.exposure.breach").unwrap(),
        kind: FindingKind::CredentialExposure,
        subject: Subject::address(&address),
        discriminator: "ExampleShop".to_owned(),
        cause: Some("breach:ExampleShop".to_owned()),
        severity: severity(number),
        confidence: Confidence::High,
        title: "Address in the Example Shop breach: passwords as salted hashes".to_owned(),
        reasons: vec![
            "salted_hash".to_owned(),
            "verified".to_owned(),
            "catalogue_entry_of 2026-02-01T00:00:00Z".to_owned(),
        ],
        attribution: Some(Attribution {
            source: "Have I Been Pwned".to_owned(),
            url: "https://haveibeenpwned.com".to_owned(),
            licence: "CC BY 4.0".to_owned(),
        }),
        references: Vec::new(),
        details: details(),
        from_event: false,
    }
}

/// One in four is notable, and named in the ledger.
fn severity(number: usize) -> Severity {
    if number.is_multiple_of(4) {
        Severity::High
    } else {
        Severity::Medium
    }
}

fn details() -> Attributes {
    Attributes::from_iter([
        ("breach".to_owned(), json!("ExampleShop")),
        ("title".to_owned(), json!("Example Shop")),
        ("breach_date".to_owned(), json!("2026-01-01")),
        ("added_date".to_owned(), json!("2026-02-01T00:00:00Z")),
        (
            "data_classes".to_owned(),
            json!(["Email addresses", "Passwords"]),
        ),
        ("sensitive".to_owned(), json!(false)),
        ("verified".to_owned(), json!(true)),
        ("site".to_owned(), json!("shop.example")),
        ("form".to_owned(), json!("salted_hash")),
        ("found_by".to_owned(), json!("domain_search")),
    ])
}

fn source() -> ConnectorName {
    ConnectorName::new("breaches").unwrap()
}

fn tenant(store: Arc<dyn Store>) -> Tenant {
    let registry = Registry::new();
    let config = json!({ "tenants": { "acme": { "name": "Acme GmbH" } } });
    let config = Config::from_value(&config, &registry).unwrap();
    let context = Context {
        clock: Arc::new(SystemClock::new()),
        ..protect_core::testing::context().context
    };
    let engine = Engine::builder(config, registry, context);
    engine.build(store).unwrap().tenant("acme").unwrap()
}

/// Beside this program, which lies on a disk; a temporary folder may lie in memory, where nothing
/// has to be synchronised.
fn folder() -> TempDir {
    let program = std::env::current_exe().unwrap();
    TempDir::new_in(program.parent().unwrap()).unwrap()
}
