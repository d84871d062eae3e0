//! What tenants learn of each other that ask with the same credential.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use crate::config::{Config, CredentialSpec, KindSpec};
use crate::connector::{
    Capability, Connector, ConnectorInfo, Diagnosis, OpContext, ScanPage, ScanRequest, Scanner,
};
use crate::context::Context;
use crate::engine::Engine;
use crate::error::Result;
use crate::registry::Registry;
use crate::store::MemoryStore;

/// What each tenant was told of the others: how many addresses, by domain.
type Told = Arc<Mutex<BTreeMap<String, Vec<BTreeMap<String, u64>>>>>;

#[derive(Debug)]
struct Counting {
    info: ConnectorInfo,
    told: Told,
}

#[async_trait]
impl Connector for Counting {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability::default()
    }

    async fn diagnose(&self, _: &OpContext) -> Result<Diagnosis> {
        Ok(Diagnosis::default())
    }

    fn as_scanner(&self) -> Option<&dyn Scanner> {
        Some(self)
    }
}

#[async_trait]
impl Scanner for Counting {
    async fn scan(&self, _: &OpContext, request: ScanRequest<'_>) -> Result<ScanPage> {
        let others = request.others.iter().map(|other| other.by_domain.clone());
        let mut told = self.told.lock().unwrap();
        told.insert(self.info.tenant.to_string(), others.collect());
        Ok(ScanPage::default())
    }
}

/// Three tenants: two ask with one key, under two names of the connection; the third has its own.
const CONFIG: &str = r#"
mode = "dry_run"

[connections.shared]
kind = "counted"
tenants = ["acme"]
scan = { api_key = { env = "ONE_KEY" } }

[connections.again]
kind = "counted"
tenants = ["globex"]
scan = { api_key = { env = "ONE_KEY" } }

[connections.own]
kind = "counted"
tenants = ["initech"]
scan = { api_key = { env = "OTHER_KEY" } }

[tenants.acme]
name = "Acme"
domains = ["acme.example"]
monitor = { addresses = ["a@acme.example", "b@acme.example", "c@sub.acme.example"] }
connectors.breaches = { connection = "shared" }

[tenants.globex]
name = "Globex"
domains = ["globex.example"]
monitor = { addresses = ["a@globex.example"] }
connectors.breaches = { connection = "again" }

[tenants.initech]
name = "Initech"
domains = ["initech.example"]
monitor = { addresses = ["a@initech.example"] }
connectors.breaches = { connection = "own" }
"#;

#[tokio::test]
async fn tenants_with_one_credential_learn_each_others_counts_and_nothing_else() {
    let told = Told::default();
    let mut registry = Registry::new();
    let key = CredentialSpec::new().secret("api_key", "The key.");
    let kind = KindSpec::new("counted", "Counts.").scan(key);
    let heard = Arc::clone(&told);
    registry.register(kind, move |setup, _: &Context| {
        Ok(Arc::new(Counting {
            info: setup.info,
            told: Arc::clone(&heard),
        }) as Arc<dyn Connector>)
    });
    let config = Config::from_toml(CONFIG, &registry).unwrap();
    let context = crate::testing::context().context;
    let engine = Engine::builder(config, registry, context)
        .build(Arc::new(MemoryStore::new()))
        .unwrap();
    for tenant in ["acme", "globex", "initech"] {
        engine.tenant(tenant).unwrap().scan().await.unwrap();
    }
    let counts = |counts: &[(&str, u64)]| -> BTreeMap<String, u64> {
        let counts = counts.iter();
        counts
            .map(|(domain, count)| ((*domain).to_owned(), *count))
            .collect()
    };
    let expected = BTreeMap::from([
        ("acme".to_owned(), vec![counts(&[("globex.example", 1)])]),
        (
            "globex".to_owned(),
            vec![counts(&[("acme.example", 2), ("sub.acme.example", 1)])],
        ),
        ("initech".to_owned(), Vec::new()),
    ]);
    assert_eq!(*told.lock().unwrap(), expected);
}
