use protect_core::model::{Address, WatchedAddress};
use serde_json::json;

use super::*;
use crate::config::Cadence;

#[derive(Debug, Default)]
struct Stored(BTreeMap<String, Value>);

#[async_trait::async_trait]
impl ScanState for Stored {
    async fn get(&self, keys: &[String]) -> Result<BTreeMap<String, Value>> {
        Ok(keys
            .iter()
            .filter_map(|key| Some((key.clone(), self.0.get(key)?.clone())))
            .collect())
    }
}

struct Scene {
    tenant: TenantId,
    settings: Settings,
    status: SubscriptionStatus,
    subscribed: Vec<SubscribedDomain>,
    watched: Arc<WatchList>,
    others: Vec<Arc<WatchCensus>>,
    version: Version,
    stored: Stored,
}

const NOW: i64 = 10_000_000;

impl Scene {
    fn new(domains: &[&str], addresses: &[&str]) -> Self {
        Self {
            tenant: TenantId::new("acme").unwrap(),
            settings: Settings::for_tests(),
            status: SubscriptionStatus {
                rpm: 500,
                ..SubscriptionStatus::default()
            },
            subscribed: Vec::new(),
            watched: Arc::new(WatchList {
                domains: domains.iter().map(|&domain| domain.to_owned()).collect(),
                addresses: addresses
                    .iter()
                    .map(|address| WatchedAddress {
                        address: Address::new(address).unwrap(),
                        person: None,
                        privileged: false,
                        source: "test".into(),
                    })
                    .collect(),
            }),
            others: Vec::new(),
            version: Version {
                answers: "1".into(),
                wording: "1".into(),
                stealers: "1".into(),
            },
            stored: Stored::default(),
        }
    }

    fn verified(mut self, domain: &str, counted: Option<u64>) -> Self {
        self.subscribed.push(SubscribedDomain {
            domain_name: domain.to_owned(),
            pwn_count: counted,
            pwn_count_excluding_spam_lists: counted,
            pwn_count_excluding_spam_lists_at_last_subscription_renewal: None,
            next_subscription_renewal: None,
        });
        self
    }

    async fn plan(&self) -> Plan {
        let inputs = Inputs {
            tenant: &self.tenant,
            settings: &self.settings,
            status: &self.status,
            subscribed: &self.subscribed,
            watched: &self.watched,
            others: &self.others,
            version: &self.version,
            capacity: Capacity::of(self.status.rpm),
            now: NOW,
            resumed_from: None,
            forced: false,
        };
        plan(&inputs, &self.stored).await.unwrap()
    }
}

#[tokio::test]
async fn tenants_that_share_a_key_count_but_for_what_a_verified_domain_covers() {
    let mut scene = Scene::new(&[], &["bob@b.example"]).verified("a.example", Some(3));
    scene.status.rpm = 10;
    let neighbour = |domain: &str, addresses: u64| {
        Arc::new(WatchCensus {
            by_domain: BTreeMap::from([(domain.to_owned(), addresses)]),
        })
    };
    scene.others = vec![neighbour("a.example", 1_000_000)];
    let covered = scene.plan().await;
    assert_eq!(covered.demand.searches, 1);
    assert_eq!(covered.decision.cadence, Cadence::EveryWindow);
    scene.others.push(neighbour("c.example", 6_000));
    let crowded = scene.plan().await;
    assert_eq!(crowded.demand.searches, 6_001);
    assert_eq!(crowded.demand.tenants, 3);
    assert_eq!(crowded.decision.cadence, Cadence::CatalogueGated);
    assert_eq!(crowded.due, 1, "a run asks about its own tenant's alone");
}

#[tokio::test]
async fn domains_come_first_and_pastes_last() {
    let mut scene = Scene::new(&["a.example"], &["ann@a.example", "bob@b.example"])
        .verified("A.example", Some(3));
    scene.status.includes_k_anon = true;
    let plan = scene.plan().await;
    let names: Vec<&str> = plan
        .steps
        .iter()
        .map(|step| match step {
            Step::Domain(domain) => {
                assert_eq!(domain.watched, [0]);
                assert!(domain.whole);
                "domain"
            }
            Step::Ranges(groups) => {
                assert_eq!(groups, &[vec![1]], "a covered address is not asked about");
                "ranges"
            }
            Step::Accounts(_) => "accounts",
            Step::Judge(_) => "judge",
            Step::Pastes(due) => {
                assert_eq!(due, &[1]);
                "pastes"
            }
        })
        .collect();
    assert_eq!(names, ["domain", "ranges", "pastes"]);
    assert_eq!(plan.demand.searches, 1);
    assert_eq!(plan.demand.weight, 2);
}

#[tokio::test]
async fn a_domain_that_is_larger_than_the_plan_or_was_refused_is_asked_about_by_address() {
    let mut scene = Scene::new(&["a.example"], &["ann@a.example"]).verified("a.example", Some(26));
    scene.status.domain_search_max_breached_accounts = Some(25);
    let plan = scene.plan().await;
    assert_eq!(plan.steps[0], Step::Accounts(vec![0]));
    assert_eq!(
        plan.uncovered["a.example"],
        "more breached addresses than the plan searches"
    );
    scene.status.domain_search_max_breached_accounts = None;
    let refused = json!({"r": NOW - 3_600});
    scene.stored.0.insert(domain_key("a.example"), refused);
    let plan = scene.plan().await;
    assert_eq!(plan.steps[0], Step::Accounts(vec![0]));
    let long_ago = json!({"r": NOW - 8 * 24 * 3_600});
    scene.stored.0.insert(domain_key("a.example"), long_ago);
    assert!(matches!(scene.plan().await.steps[0], Step::Domain(_)));
}

#[tokio::test]
async fn a_subdomain_is_covered_where_the_plan_says_so_and_a_lookalike_never() {
    let addresses = ["x@mail.a.example", "y@nota.example"];
    let mut scene = Scene::new(&[], &addresses).verified("a.example", None);
    assert_eq!(scene.plan().await.demand.searches, 2);
    scene.status.includes_auto_subdomain_verification = true;
    let plan = scene.plan().await;
    assert_eq!(plan.demand.searches, 1);
    assert!(
        matches!(&plan.steps[0], Step::Domain(step) if step.domain == "mail.a.example" && !step.whole)
    );
}

#[tokio::test]
async fn pages_hold_a_hundred_addresses() {
    let addresses: Vec<String> = (0..250).map(|n| format!("p{n}@b.example")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let mut scene = Scene::new(&[], &addresses);
    scene.settings.pastes = Pastes::Off;
    let sizes = |plan: &Plan| -> Vec<usize> {
        plan.steps
            .iter()
            .map(|step| match step {
                Step::Accounts(due) => due.len(),
                Step::Ranges(groups) => groups.iter().map(Vec::len).sum(),
                other => panic!("{other:?}"),
            })
            .collect()
    };
    assert_eq!(sizes(&scene.plan().await), [100, 100, 50]);
    scene.status.includes_k_anon = true;
    assert_eq!(sizes(&scene.plan().await), [100, 100, 50]);
}

#[tokio::test]
async fn damaged_memory_counts_as_never_asked() {
    let mut scene = Scene::new(&[], &["ann@b.example"]);
    scene.settings.pastes = Pastes::Off;
    let key = address_key(&scene.tenant, &scene.watched.addresses[0].address);
    scene.stored.0.insert(key, json!({"t": "yesterday"}));
    assert_eq!(scene.plan().await.steps, [Step::Accounts(vec![0])]);
}
