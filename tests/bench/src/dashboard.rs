//! What the dashboard costs with a hundred thousand findings stored, beside its bare queries and a bare
//! handler, both over HTTP on loopback.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use protect_connectors::Protect;
use protect_connectors::core::engine::{Browser, SignedIn, Tenant};
use protect_connectors::core::model::{Actor, TenantId};
use protect_connectors::core::secret::ExposeSecret as _;
use protect_connectors::core::store::{Query, RecordKind, Store};
use protect_web::{Web, router};
use serde_json::json;
use tokio::net::TcpListener;

use crate::measure::{RUNS, median};
use crate::observe::observation;
use crate::table::{Row, Table};

const FINDINGS: usize = 100_000;
const BATCH: usize = 1_000;

/// How often the page is asked for in a run while nothing changes.
const VIEWS: usize = 200;

/// What the bare handler reads.
#[derive(Clone)]
struct Bare {
    store: Arc<dyn Store>,
    tenant: TenantId,
    /// Whether every finding, too, as the first view after a change must.
    everything: bool,
    page: Arc<str>,
}

pub(crate) async fn measure(table: &mut Table) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("protect.db");
    let config = json!({
        "store": { "kind": "sqlite", "path": path },
        "tenants": { "acme": { "name": "Acme", "domains": ["acme.example"] } },
    });
    let protect = Protect::open_config(&config).await.unwrap();
    let tenant = protect.tenant("acme").unwrap();
    let source = "breaches".parse().unwrap();
    for from in (0..FINDINGS).step_by(BATCH) {
        let batch = (from..from + BATCH).map(observation).collect();
        tenant.observe(&source, batch).await.unwrap();
    }
    let actor = Actor::authenticated("bench", "alice", None);
    let signed_in = [(tenant.clone(), SignedIn::new(actor))];
    let (cookie, _) = protect
        .open_session(&signed_in, &Browser::default())
        .await
        .unwrap();
    let cookie = format!("__Host-protect_session={}", cookie.expose_secret());
    let ours = listen(router(Web::new(protect.engine()))).await;
    let page = asked(&ours, "/t/acme/", &cookie).await;
    assert!(
        page.contains("protection score"),
        "the dashboard was not shown"
    );
    let bare = |everything| Bare {
        store: Arc::clone(protect.store()),
        tenant: tenant.id().clone(),
        everything,
        page: page.as_str().into(),
    };
    let unchanged = listen(handler(bare(false))).await;
    let changed = listen(handler(bare(true))).await;
    let (mut seen, mut queries, mut anew, mut all) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        seen.push(views(&ours, "/t/acme/", &cookie).await);
        queries.push(views(&unchanged, "/", &cookie).await);
        change(&tenant).await;
        anew.push(view(&ours, "/t/acme/", &cookie).await);
        all.push(view(&changed, "/", &cookie).await);
    }
    let target = "≤ 2 × bare".to_owned();
    table.row(Row {
        name: "dashboard, 100,000 findings, nothing changed since the last view".to_owned(),
        unit: "ms".to_owned(),
        figure: median(seen),
        bare: Some(median(queries)),
        target: target.clone(),
    });
    table.row(Row {
        name: "dashboard, 100,000 findings, the first view after a change".to_owned(),
        unit: "ms".to_owned(),
        figure: median(anew),
        bare: Some(median(all)),
        target,
    });
    table.remark(
        "dashboard: the bare handler reads the same records (the session and the last entry of the ledger; after a \
         change every finding too) without parsing them, and answers the same page from memory.",
    );
}

/// Something is written to the ledger, so that what was reckoned counts no more.
async fn change(tenant: &Tenant) {
    let by = Actor::unverified("bench");
    tenant.pause(&by, "a bench").await.unwrap();
}

fn handler(bare: Bare) -> Router {
    let answer = async |State(bare): State<Bare>| {
        read(&bare).await;
        bare.page.to_string()
    };
    Router::new().route("/", get(answer)).with_state(bare)
}

async fn read(bare: &Bare) {
    let ask = async |query| bare.store.query(&bare.tenant, query).await.unwrap();
    ask(Query::keys(RecordKind::Session, vec!["x".to_owned()])).await;
    ask(Query::ledger_head()).await;
    if !bare.everything {
        return;
    }
    let mut query = Query::all(RecordKind::Finding);
    loop {
        let page = ask(query.clone()).await;
        std::hint::black_box(&page.records);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return,
        }
    }
}

async fn listen(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn asked(root: &str, path: &str, cookie: &str) -> String {
    let client = reqwest::Client::new();
    let asked = client.get(format!("{root}{path}")).header("cookie", cookie);
    asked.send().await.unwrap().text().await.unwrap()
}

/// Milliseconds of one view.
async fn view(root: &str, path: &str, cookie: &str) -> f64 {
    let began = Instant::now();
    asked(root, path, cookie).await;
    began.elapsed().as_secs_f64() * 1_000.0
}

/// Milliseconds of a view among many on one connection.
async fn views(root: &str, path: &str, cookie: &str) -> f64 {
    let client = reqwest::Client::new();
    let url = format!("{root}{path}");
    let mut took = Vec::new();
    for _ in 0..VIEWS {
        let began = Instant::now();
        let asked = client.get(&url).header("cookie", cookie);
        asked.send().await.unwrap().bytes().await.unwrap();
        took.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    median(took)
}
