use protect_core::ErrorKind;
use protect_core::model::{ActionKind, Severity};
use protect_core::testing::contract;
use protect_sandbox::Fault;
use serde_json::json;

use crate::world::{World, delivery, op};

#[tokio::test]
async fn a_page_joins_the_open_one_of_the_same_incident_by_either_way_in() {
    for way_in in ["ingest", "escalations"] {
        let world = World::new().await;
        let connector = world.connector("acme", "oncall", |config| {
            config["connections"]["acme-oncall"]["api"] = json!(way_in);
        });
        let own = world.organisation("acme");
        contract::connector(&*connector, &op("acme"), &[&own.integration_key]).await;
        let told = delivery(ActionKind::Page, "1", Severity::Critical);
        contract::sink(&*connector, &op("acme"), &told).await;
        let another = delivery(ActionKind::Page, "2", Severity::Critical);
        connector
            .as_sink()
            .unwrap()
            .deliver(&op("acme"), &another)
            .await
            .unwrap();
        let pages = world.made("page");
        assert_eq!(pages.len(), 1, "{way_in}");
        assert_eq!(pages[0]["fields"]["title"], "A leaked password");
        assert_eq!(world.rules(), [""; 0], "{way_in}");
    }
}

#[tokio::test]
async fn nobody_is_woken_for_less_than_the_least_severity() {
    let world = World::new().await;
    let connector = world.connector("acme", "oncall", |_| {});
    let sink = connector.as_sink().unwrap();
    let declines = |severity| {
        sink.declines(&delivery(ActionKind::Page, "1", severity))
            .unwrap()
    };
    assert!(declines(Severity::Medium).unwrap().contains("min_severity"));
    assert_eq!(declines(Severity::High), None);
}

#[tokio::test]
async fn a_lost_answer_is_sent_again_and_pages_once() {
    let world = World::new().await;
    let connector = world.connector("acme", "oncall", |_| {});
    world
        .sandbox
        .set_fault(Fault::named("answer_lost").unwrap().times(1));
    let told = delivery(ActionKind::Page, "1", Severity::High);
    connector
        .as_sink()
        .unwrap()
        .deliver(&op("acme"), &told)
        .await
        .unwrap();
    assert_eq!(world.made("page").len(), 1);
}

#[tokio::test]
async fn a_wrong_key_is_an_error_and_shows_in_no_text() {
    let world = World::new().await;
    let canary = "CANARY-9f2c1d & more";
    world.secrets.set_env("ACME_INTEGRATION_KEY", canary);
    let connector = world.connector("acme", "oncall", |_| {});
    let told = delivery(ActionKind::Page, "1", Severity::High);
    let error = connector
        .as_sink()
        .unwrap()
        .deliver(&op("acme"), &told)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(!format!("{error:?} {connector:?}").contains("CANARY"));
    world
        .sandbox
        .set_fault(Fault::named("close_early").unwrap().times(9));
    let error = connector
        .as_sink()
        .unwrap()
        .deliver(&op("acme"), &told)
        .await
        .unwrap_err();
    assert!(
        !format!("{error:?}").contains("CANARY"),
        "the key stands in the address"
    );
    assert_eq!(world.made("page").len(), 0);
}
