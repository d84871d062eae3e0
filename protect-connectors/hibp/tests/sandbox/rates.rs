//! How fast a key may ask, and what is said where that is too slow.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::world::{BREACH, Memory, World, op, run, watch};
use jiff::SignedDuration;
use protect_core::connector::{ScanRequest, Scanner, Watching};
use protect_core::model::{WatchCensus, WatchList};
use serde_json::json;

#[tokio::test]
async fn a_plan_that_cannot_keep_up_says_so_before_the_first_address() {
    let world = World::new("Core 1").await;
    let connector = world.connector("acme", json!({"cadence": "every_window", "pastes": "off"}));
    let addresses: Vec<String> = (0..6_000).map(|n| format!("p{n}@other.example")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let watched = watch(&[], &addresses);
    let state = Memory::default();
    let request = ScanRequest {
        cursor: None,
        starts_run: true,
        watched: &watched,
        others: &[],
        state: &state,
        forced: false,
    };
    let first = connector.scan(&op("acme"), request).await.unwrap();
    assert_eq!(world.asked_about_addresses(), 0);
    assert!(first.more);
    let seen = &first.observations[0];
    assert_eq!(seen.check.as_str(), "hibp.connection.capacity");
    assert_eq!(
        seen.reasons,
        ["infeasible: needs 9 per minute, the plan gives 6"]
    );
    assert_eq!(first.progress.unwrap().total, Some(6_000));
    let alone = Watching {
        own: &watched,
        others: &[],
    };
    assert_eq!(
        connector.capacity(&op("acme"), alone).await.unwrap(),
        [
            "6000 addresses beside verified domains: 9 searches a minute, cadence every_window",
            "infeasible: needs 9 per minute, the plan gives 6",
        ]
    );
}

#[tokio::test]
async fn a_key_that_cannot_keep_up_with_all_its_tenants_says_so_before_the_first_address() {
    let world = World::new("Core 1").await;
    let connector = world.connector("acme", json!({"cadence": "every_window", "pastes": "off"}));
    let watched = watch(&[], &["ann@other.example"]);
    let others = [Arc::new(WatchCensus {
        by_domain: BTreeMap::from([("neighbour.example".to_owned(), 6_000)]),
    })];
    let state = Memory::default();
    let request = ScanRequest {
        cursor: None,
        starts_run: true,
        watched: &watched,
        others: &others,
        state: &state,
        forced: false,
    };
    let first = connector.scan(&op("acme"), request).await.unwrap();
    assert_eq!(world.asked_about_addresses(), 0);
    let infeasible =
        "infeasible: needs 9 per minute for the 2 tenants that share the key, the plan gives 6";
    assert_eq!(first.observations[0].reasons, [infeasible]);
    assert_eq!(
        first.progress.unwrap().total,
        Some(1),
        "asked about: its own"
    );
    let all = Watching {
        own: &watched,
        others: &others,
    };
    let told = connector.capacity(&op("acme"), all).await.unwrap();
    assert_eq!(told[1], infeasible);
    assert!(
        told[0].starts_with("6001 addresses of 2 tenants"),
        "{told:?}"
    );
}

async fn swept_without_a_429(plan: &str, many: u32, at_least: f64) {
    let world = World::new(plan).await;
    let connector = world.connector("acme", json!({"pastes": "off", "k_anonymity": false}));
    let addresses: Vec<String> = (0..many).map(|n| format!("p{n}@other.example")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let began = world.sandbox.now();
    let found = run(&connector, &watch(&[], &addresses), &Memory::default()).await;
    let minutes = world.sandbox.now().duration_since(began).as_secs_f64() / 60.0;
    let rate = f64::from(many) / minutes;
    assert!(!world.has_refused_for_rate(), "{plan}");
    assert_eq!(world.sandbox.violations(), [], "{plan}");
    assert!(found.is_checked(BREACH, addresses[addresses.len() - 1]));
    assert!(rate >= at_least, "{plan}: {rate:.0} a minute");
}

#[tokio::test]
async fn no_plan_ever_answers_429_and_its_rate_is_used() {
    swept_without_a_429("Core 1", 40, 8.0).await;
    swept_without_a_429("Core 2", 200, 44.0).await;
    swept_without_a_429("Core 3", 500, 90.0).await;
    swept_without_a_429("Pro 1", 1_500, 450.0).await;
}

#[tokio::test]
async fn tenants_that_share_a_key_share_one_budget() {
    let world = World::new("Core 3").await;
    let watched: Vec<Arc<WatchList>> = ["a", "b"]
        .iter()
        .map(|tenant| {
            let addresses: Vec<String> =
                (0..150).map(|n| format!("p{n}@{tenant}.example")).collect();
            let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
            watch(&[], &addresses)
        })
        .collect();
    let settings = json!({"pastes": "off"});
    let one = world.connector("one", settings.clone());
    let two = world.connector("two", settings);
    let began = world.sandbox.now();
    let (first_state, second_state) = (Memory::default(), Memory::default());
    let (first, second) = tokio::join!(
        run(&one, &watched[0], &first_state),
        run(&two, &watched[1], &second_state),
    );
    let minutes = world.sandbox.now().duration_since(began).as_secs_f64() / 60.0;
    assert!(!world.has_refused_for_rate());
    assert!(
        minutes > 2.9,
        "300 searches at 93 a minute took {minutes:.1} minutes"
    );
    assert!(first.is_checked(BREACH, "p149@a.example"));
    assert!(second.is_checked(BREACH, "p149@b.example"));
}

#[tokio::test]
async fn the_configuration_lowers_the_rate_and_never_raises_it() {
    let world = World::new("Core 1").await;
    let addresses = ["a@x.example", "b@x.example", "c@x.example", "d@x.example"];
    let watched = watch(&[], &addresses);
    for (rate, at_least) in [(2, 1.0), (10_000, 0.2)] {
        let connector = world.connector_of(
            "acme",
            &format!("cap-{rate}"),
            json!({"requests_per_minute": rate}),
            json!({"pastes": "off"}),
        );
        let began = world.sandbox.now();
        run(&connector, &watched, &Memory::default()).await;
        let minutes = world.sandbox.now().duration_since(began).as_secs_f64() / 60.0;
        assert!(minutes >= at_least, "{rate}: {minutes:.2} minutes");
        world.sandbox.advance_clock(SignedDuration::from_mins(2));
    }
    assert!(!world.has_refused_for_rate());
}
