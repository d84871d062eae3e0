use std::time::Duration;

use jiff::SignedDuration;
use protect_core::ErrorKind;
use protect_core::connector::{AppliedStatus, Probe};
use protect_core::model::{ActionKind, OutcomeStatus, Protection, Severity};
use protect_core::testing::contract;
use protect_sandbox::Fault;
use serde_json::json;

use crate::world::{World, action, approved, op, rule, walk};

const REVOKE: ActionKind = ActionKind::RevokeAccess;
const RESTORE: ActionKind = ActionKind::RestoreAccess;
const JANE: &str = "jane@acme.example";

#[tokio::test]
async fn hub_keeps_the_contract_of_a_remediator() {
    let world = World::new().await;
    let connector = world.connector("acme", "hub", |_| {});
    let own = world.organisation("acme");
    contract::connector(&*connector, &op("acme"), &[&own.integration_key]).await;
    let revoke = action(REVOKE, "1", "hub", JANE);
    let restore = action(RESTORE, "2", "hub", JANE);
    contract::remediator(&*connector, &approved("acme"), &revoke, Some(&restore)).await;
    contract::does_nothing_else(&*connector, &approved("acme"), &revoke).await;
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn a_product_that_keeps_access_open_is_named_and_nothing_counts_as_applied() {
    let world = World::new().await;
    let config = world.config(&["hub"], |config| rule(config, &json!(["revoke_access"])));
    let acme = world.engine(&config).unwrap().tenant("acme").unwrap();
    world
        .sandbox
        .edit_one_stack(json!({ "stubborn_product": "rmm" }));
    world.leak("acme", "jane", "Adobe", Severity::Critical);
    let steps = walk(&acme).await;
    assert_eq!(steps[0].status(), Some(OutcomeStatus::Failed));
    let said = steps[0].to_string();
    assert!(said.contains("rmm") && !said.contains("psa"), "{said}");

    world
        .sandbox
        .edit_one_stack(json!({ "stubborn_product": "" }));
    let again = walk(&acme).await;
    assert_eq!(again[0].status(), Some(OutcomeStatus::Applied), "{again:?}");
    assert_eq!(
        again[0].outcome.as_ref().unwrap().before["access"],
        "access_to_some_products"
    );
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn access_that_ends_on_a_day_is_followed_until_it_has_ended() {
    let world = World::new().await;
    let connector = world.connector("acme", "hub", |_| {});
    let hub = connector.as_remediator().unwrap();
    let day = world.sandbox.now() + SignedDuration::from_hours(72);
    let mut revoke = action(REVOKE, "1", "hub", JANE);
    revoke
        .parameters
        .insert("effective_at".to_owned(), json!(day.to_string()));
    revoke
        .parameters
        .insert("reason".to_owned(), json!("offboarding"));
    let asked = hub.apply(&approved("acme"), &revoke).await.unwrap();
    assert_eq!(
        asked.status,
        AppliedStatus::NotConfirmed,
        "its day has not come"
    );
    let probe = hub.probe(&op("acme"), &revoke).await.unwrap();
    assert!(matches!(probe, Probe::Underway { .. }), "{probe:?}");
    assert_eq!(
        world.made("revocation")[0]["fields"]["reason"],
        "offboarding"
    );
    world.clock.advance(Duration::from_hours(73));
    let probe = hub.probe(&op("acme"), &revoke).await.unwrap();
    let Probe::Happened(state) = probe else {
        unreachable!("{probe:?}");
    };
    assert_eq!(state["products"]["psa"], "completed");
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn giving_back_what_was_only_scheduled_calls_it_off() {
    let world = World::new().await;
    let connector = world.connector("acme", "hub", |_| {});
    let hub = connector.as_remediator().unwrap();
    let day = world.sandbox.now() + SignedDuration::from_hours(72);
    let mut revoke = action(REVOKE, "1", "hub", JANE);
    revoke
        .parameters
        .insert("effective_at".to_owned(), json!(day.to_string()));
    hub.apply(&approved("acme"), &revoke).await.unwrap();
    let restore = action(RESTORE, "2", "hub", JANE);
    let called_off = hub.apply(&approved("acme"), &restore).await.unwrap();
    assert_eq!(called_off.status, AppliedStatus::Applied);
    let made = world.made("revocation");
    assert_eq!((made.len(), &made[0]["status"]), (1, &json!("cancelled")));
    let probe = hub.probe(&op("acme"), &revoke).await.unwrap();
    assert!(matches!(probe, Probe::CalledOff(_)), "{probe:?}");
    world.clock.advance(Duration::from_hours(100));
    assert!(!hub.preview(&op("acme"), &revoke).await.unwrap().already_so);
}

#[tokio::test]
async fn a_day_that_is_none_ends_nothing_at_once() {
    let world = World::new().await;
    let connector = world.connector("acme", "hub", |_| {});
    let mut revoke = action(REVOKE, "1", "hub", JANE);
    revoke
        .parameters
        .insert("effective_at".to_owned(), json!("next Friday"));
    let hub = connector.as_remediator().unwrap();
    let error = hub.apply(&approved("acme"), &revoke).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(world.made("revocation").is_empty());
}

#[tokio::test]
async fn an_owner_keeps_access() {
    let world = World::new().await;
    let connector = world.connector("acme", "hub", |config| {
        config["tenants"]["acme"]["connectors"]["hub"]["owners"] = json!([JANE]);
    });
    let hub = connector.as_remediator().unwrap();
    let revoke = action(REVOKE, "1", "hub", JANE);
    let preview = hub.preview(&op("acme"), &revoke).await.unwrap();
    assert_eq!(preview.protection, Some(Protection::Administrator));
    let refused = hub.apply(&approved("acme"), &revoke).await.unwrap();
    assert_eq!(refused.status, AppliedStatus::Refused);
    assert!(world.made("revocation").is_empty());
}

#[tokio::test]
async fn without_the_list_of_owners_the_configuration_is_refused() {
    let world = World::new().await;
    for kind in ["hub", "rmm"] {
        let config = world.config(&[kind], |config| {
            let connector = &mut config["tenants"]["acme"]["connectors"][kind];
            connector.as_object_mut().unwrap().remove("owners");
        });
        let error = world.engine(&config).err().unwrap().to_string();
        assert!(error.contains("owners"), "{error}");
    }
}

#[tokio::test]
async fn a_lost_answer_revokes_once() {
    let world = World::new().await;
    let config = world.config(&["hub"], |config| rule(config, &json!(["revoke_access"])));
    let acme = world.engine(&config).unwrap().tenant("acme").unwrap();
    world.leak("acme", "jane", "Adobe", Severity::Critical);
    let lost = Fault::named("answer_lost").unwrap();
    world
        .sandbox
        .set_fault(lost.on("/hub/api/internal/users/revoke-access").times(1));
    walk(&acme).await;
    world.pass(&acme, 2, Duration::from_mins(5)).await;
    let last = acme.actions().await.unwrap().pop().unwrap();
    assert_eq!(last.status(), Some(OutcomeStatus::Applied), "{last}");
    assert_eq!(world.made("revocation").len(), 1);
    assert_eq!(world.rules(), [""; 0]);
}
