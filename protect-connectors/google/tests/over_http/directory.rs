use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use protect_core::model::{AccountState, Protection};
use protect_core::testing::contract;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn accounts_are_told_with_who_has_power_and_who_is_never_acted_on() {
    let world = World::with_users(120).await;
    let planted = world.sandbox.planted().google;
    let kept = planted.suspicious.email.to_uppercase();
    let connector = world.connector(&json!({ "break_glass": [kept] }));
    let accounts = contract::directory(&*connector, &world.cx).await;
    let by_id: BTreeMap<_, _> = accounts.iter().map(|it| (&*it.reference.id, it)).collect();
    assert!(accounts.len() >= 120);
    let own = accounts
        .iter()
        .find(|it| it.address.as_ref().unwrap().as_str() == world.own.google_subject)
        .unwrap();
    assert_eq!(own.protection, Some(Protection::OwnPrincipal));
    assert_eq!(own.privileged, Some(true));
    let kept = by_id[&*planted.suspicious.id];
    assert_eq!(kept.protection, Some(Protection::BreakGlass));
    let administrators = accounts
        .iter()
        .filter(|it| it.attributes["super_admin"] == true && it.reference.id != own.reference.id);
    for other in administrators {
        assert_eq!(other.protection, Some(Protection::Administrator));
    }
    let suspended = accounts
        .iter()
        .filter(|it| it.state == AccountState::Suspended);
    assert!(suspended.count() > 0);
    world.assert_lawful();
}

#[tokio::test]
async fn the_client_gives_every_account_once() {
    let world = World::with_users(1_200).await;
    let client = world.watcher();
    let users: Vec<_> = client.users().map(Result::unwrap).collect().await;
    let ids: BTreeSet<_> = users.iter().map(|it| &it.id).collect();
    assert!(ids.len() >= 1_200, "{}", ids.len());
    assert_eq!(ids.len(), users.len());
    assert!(!client.domains().await.unwrap().is_empty());
    assert!(
        client
            .org_units()
            .await
            .unwrap()
            .iter()
            .any(|it| it.org_unit_path == "/")
    );
    assert!(!client.roles().await.unwrap().is_empty());
    assert!(!client.role_assignments().await.unwrap().is_empty());
    assert!(!client.groups_page(None).await.unwrap().items.is_empty());
    world.assert_lawful();
}

#[tokio::test]
async fn logs_of_one_account_are_asked_for_no_faster_than_google_allows() {
    let world = World::new().await;
    let client = world.watcher();
    let id = world.sandbox.planted().google.suspicious.id;
    for _ in 0..600 {
        let page = client.activities_page("login", None, Some(&id), None, None);
        assert!(!page.await.unwrap().items.is_empty());
    }
    assert!(world.asked("/applications/") >= 600);
    world.assert_lawful();
}

#[tokio::test]
async fn alerts_and_usage_are_read_as_google_gives_them() {
    let world = World::new().await;
    let client = world.watcher();
    let since = world.sandbox.now() - jiff::SignedDuration::from_hours(24 * 30);
    let alerts = client.alerts_page(Some(since), None).await.unwrap();
    let kinds: BTreeSet<_> = alerts
        .items
        .iter()
        .filter_map(|it| it.kind.as_deref())
        .collect();
    assert!(kinds.contains("Leaked password"), "{kinds:?}");
    let day = (world.sandbox.now() - jiff::SignedDuration::from_hours(24 * 7)).strftime("%Y-%m-%d");
    let usage = client.usage(&day.to_string()).await.unwrap();
    assert!(!usage.parameters.is_empty(), "{:?}", usage.warnings);
    assert!(client.usage("yesterday").await.is_err());
    world.assert_lawful();
}
