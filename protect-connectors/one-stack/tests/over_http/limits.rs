use std::time::Duration;

use protect_core::clock::Clock as _;
use protect_core::model::{ActionKind, Severity};
use protect_sandbox::{Fault, Vendor};

use crate::world::{World, delivery, op};

#[tokio::test]
async fn all_products_of_an_organisation_share_one_limit_and_another_organisation_has_its_own() {
    let world = World::new().await;
    let engine = world
        .engine(&world.config(&["psa", "bus"], |_| {}))
        .unwrap();
    let of = |tenant: &str, kind: &str| {
        let tenant = engine.tenant(tenant).unwrap();
        let found = tenant.connectors().iter().find(|it| it.info().kind == kind);
        std::sync::Arc::clone(found.unwrap())
    };
    let (psa, bus) = (of("acme", "psa"), of("acme", "bus"));
    let started = world.clock.monotonic();
    for number in 0..120 {
        let told = delivery(ActionKind::EmitEvent, &number.to_string(), Severity::Low);
        bus.as_sink()
            .unwrap()
            .deliver(&op("acme"), &told)
            .await
            .unwrap();
        let found = psa
            .as_sink()
            .unwrap()
            .find(&op("acme"), ActionKind::OpenTicket, "x")
            .await;
        assert_eq!(found.unwrap(), None);
    }
    let acme = world.since(started);
    assert!(acme > Duration::from_mins(2), "240 requests took {acme:?}");
    assert_eq!(world.rules(), [""; 0], "never over 100 a minute");

    let before = world.clock.monotonic();
    let told = delivery(ActionKind::EmitEvent, "beta", Severity::Low);
    of("beta", "bus")
        .as_sink()
        .unwrap()
        .deliver(&op("beta"), &told)
        .await
        .unwrap();
    assert!(
        world.since(before) < Duration::from_secs(5),
        "not beta's business"
    );
}

#[tokio::test]
async fn the_wait_that_the_answer_names_is_kept_wherever_it_stands() {
    for (fault, least) in [("rate_limited_seconds", 9), ("rate_limited_bare", 7)] {
        let world = World::new().await;
        let connector = world.connector("acme", "psa", |_| {});
        // The bare one has no header: the wait of seven seconds is in the body alone.
        world
            .sandbox
            .set_fault(Fault::named(fault).unwrap().seconds(9).at(Vendor::OneStack));
        let before = world.clock.monotonic();
        let found = connector.as_sink().unwrap();
        let found = found.find(&op("acme"), ActionKind::OpenTicket, "x").await;
        assert_eq!(found.unwrap(), None);
        let waited = world.since(before);
        let most = Duration::from_secs(least + 3);
        assert!(
            waited >= Duration::from_secs(least) && waited < most,
            "{fault}: {waited:?}"
        );
    }
}

#[tokio::test]
async fn an_organisation_whose_share_others_have_used_up_waits_until_the_window_ends() {
    let world = World::new().await;
    let connector = world.connector("acme", "psa", |_| {});
    let sink = connector.as_sink().unwrap();
    let key = world.organisation("acme").api_key.clone();
    for _ in 0..99 {
        ask_beside_us(&world, &key).await;
    }
    let told = delivery(ActionKind::OpenTicket, "1", Severity::High);
    sink.deliver(&op("acme"), &told).await.unwrap();
    let before = world.clock.monotonic();
    sink.find(&op("acme"), ActionKind::OpenTicket, "x")
        .await
        .unwrap();
    assert!(
        world.since(before) > Duration::from_secs(50),
        "the header said 0 left"
    );
    assert_eq!(world.rules(), [""; 0], "and no 429 was needed to learn it");
}

/// Another program with the same key, which asks without regard for our limiter.
async fn ask_beside_us(world: &World, key: &str) {
    let url = format!("{}/api/tickets", world.sandbox.one_stack_url("psa"));
    let request = http::Request::get(url).header("authorization", format!("Bearer {key}"));
    let request = request.body(bytes::Bytes::new()).unwrap();
    let answer = world.context.transport.send(request).await.unwrap();
    assert!(answer.status().is_success());
}
