use std::time::Duration;

use protect_core::ErrorKind;
use protect_core::engine::Engine;
use protect_core::model::{ActionKind, Actor, Severity};
use protect_core::testing::contract;
use protect_sandbox::{Fault, FaultKind, Vendor};
use serde_json::{Value, json};

use crate::world::{World, delivery, op};

/// Both tenants publish, without anybody's consent unless `change` says otherwise.
fn publishing(world: &World, change: impl FnOnce(&mut Value)) -> Value {
    world.config(&["portal"], |config| {
        for (tenant, client) in [("acme", "1001"), ("beta", "2002")] {
            let portal = &mut config["tenants"][tenant]["connectors"]["portal"];
            portal["client_id"] = json!(client);
            portal["approval"] = json!("auto");
            portal["enabled_by"] = json!("Ada");
            portal["report_link"] = json!("https://protect.example/reports/{month}");
        }
        change(config);
    })
}

async fn hour(world: &World, engine: &Engine) {
    engine.tick().await.unwrap();
    world.clock.advance(Duration::from_mins(61));
}

#[tokio::test]
async fn portal_keeps_the_contract_of_a_sink() {
    let world = World::new().await;
    let engine = world.engine(&publishing(&world, |_| {})).unwrap();
    let acme = engine.tenant("acme").unwrap();
    let portal = acme
        .connectors()
        .iter()
        .find(|it| it.info().kind == "portal")
        .unwrap();
    let own = world.organisation("acme");
    contract::connector(&**portal, &op("acme"), &[&own.integration_key]).await;
    let mut told = delivery(ActionKind::PublishView, "1", Severity::Low);
    told.data.insert(
        "view".to_owned(),
        json!({ "generated_at": "2026-11-27T00:00:00Z" }),
    );
    portal
        .as_sink()
        .unwrap()
        .deliver(&op("acme"), &told)
        .await
        .unwrap();
    let fields = &world.made("snapshot")[0]["fields"];
    assert_eq!(fields["client_id"], "1001");
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn a_view_is_published_when_it_changed_and_two_tenants_never_mix() {
    let world = World::new().await;
    world.leak("acme", "jane", "Adobe", Severity::High);
    world.leak("beta", "bea", "Canva", Severity::High);
    let engine = world.engine(&publishing(&world, |_| {})).unwrap();
    for _ in 0..4 {
        hour(&world, &engine).await;
    }
    let made = world.made("snapshot");
    assert_eq!(made.len(), 2, "once each, and nothing changed since");
    for (tenant, own, other) in [("acme", "j***@acme", "beta"), ("beta", "b***@beta", "acme")] {
        let is_own = |it: &&Value| it["organisation"] == json!(world.organisation(tenant).id);
        let view = made.iter().find(is_own).unwrap()["fields"].to_string();
        assert!(
            view.contains(own) && !view.contains(&format!("@{other}")),
            "{view}"
        );
        assert!(!view.contains("jane@") && !view.contains("bea@"), "{view}");
    }
    world.leak("acme", "john", "Dropbox", Severity::High);
    engine.tenant("acme").unwrap().scan().await.unwrap();
    for _ in 0..3 {
        hour(&world, &engine).await;
    }
    let made = world.made("snapshot");
    assert_eq!(made.len(), 3);
    assert_eq!(made[2]["fields"]["alerts"].as_array().unwrap().len(), 2);
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn nothing_is_published_before_somebody_consents() {
    let world = World::new().await;
    world.leak("acme", "jane", "Adobe", Severity::High);
    let config = publishing(&world, |config| {
        config["tenants"]["acme"]["connectors"]["portal"]["approval"] = json!("required");
        config["tenants"]["beta"]["client_view"] = json!({ "active_alerts": false });
    });
    let engine = world.engine(&config).unwrap();
    for _ in 0..3 {
        hour(&world, &engine).await;
    }
    let made = world.made("snapshot");
    assert_eq!(made.len(), 1, "beta's");
    assert!(
        made[0]["fields"].get("alerts").is_none(),
        "switched off: {}",
        made[0]
    );
    let acme = engine.tenant("acme").unwrap();
    let waiting = acme.plans_waiting().await.unwrap();
    let waiting: Vec<_> = waiting
        .into_iter()
        .filter(|plan| plan.actions[0].action.kind == ActionKind::PublishView)
        .collect();
    assert_eq!(waiting.len(), 1, "one, however often it was looked");
    let plan = waiting.into_iter().next().unwrap();
    let approved = acme
        .approve(plan, &Actor::unverified("alice"))
        .await
        .unwrap();
    acme.apply(approved).await.unwrap();
    assert_eq!(world.made("snapshot").len(), 2);
}

#[tokio::test]
async fn a_portal_that_was_down_for_a_day_gets_the_view_of_now_once() {
    let world = World::new().await;
    let engine = world.engine(&publishing(&world, |_| {})).unwrap();
    let down = Fault::new(FaultKind::Unavailable).at(Vendor::OneStack);
    world.sandbox.set_fault(down);
    for who in ["ann", "bob", "cyd"] {
        world.leak("acme", who, "Adobe", Severity::High);
        engine.tenant("acme").unwrap().scan().await.unwrap();
        for _ in 0..8 {
            hour(&world, &engine).await;
        }
    }
    world.sandbox.clear_faults();
    for _ in 0..3 {
        hour(&world, &engine).await;
    }
    let own = json!(world.organisation("acme").id);
    let made: Vec<_> = world
        .made("snapshot")
        .into_iter()
        .filter(|it| it["organisation"] == own)
        .collect();
    let last = made.last().unwrap();
    assert_eq!(last["fields"]["alerts"].as_array().unwrap().len(), 3);
    assert!(made.len() <= 2, "not one for each change: {}", made.len());
}

#[tokio::test]
async fn a_portal_without_a_client_or_with_nobody_who_answers_is_refused() {
    let world = World::new().await;
    for (key, value, says) in [
        ("client_id", json!(null), "client_id"),
        ("enabled_by", json!(null), "enabled_by"),
        (
            "report_link",
            json!("https://protect.example/reports"),
            "report_link",
        ),
        ("access_level", json!("own"), "access_level"),
    ] {
        let config = publishing(&world, |config| {
            let portal = &mut config["tenants"]["acme"]["connectors"]["portal"];
            let portal = portal.as_object_mut().unwrap();
            portal.insert(key.to_owned(), value.clone());
            portal.retain(|_, value| !value.is_null());
        });
        let error = world.engine(&config).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
        assert!(error.to_string().contains(says), "{error}");
    }
}
