use std::collections::BTreeMap;

use futures::StreamExt as _;
use protect_core::model::{AccountState, Protection};
use protect_core::testing::contract;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn users_and_guests_are_accounts_and_those_with_power_are_told() {
    let world = World::with_users(120).await;
    let planted = world.sandbox.planted().m365;
    let emergency: Vec<_> = planted.emergency.iter().map(|it| it.id.clone()).collect();
    let connector = world.connector(&json!({
        "checks": { "m365.ca.break_glass_excluded": { "excluded_users": emergency } },
    }));
    let accounts = contract::directory(&*connector, &world.cx).await;
    let by_id: BTreeMap<_, _> = accounts.iter().map(|it| (&*it.reference.id, it)).collect();
    assert!(accounts.len() > 120);

    let administrator = by_id[&*planted.global_administrator.id];
    assert_eq!(administrator.privileged, Some(true));
    assert_eq!(administrator.protection, Some(Protection::Administrator));
    let breaks_glass = by_id[&*emergency[0]];
    assert_eq!(breaks_glass.protection, Some(Protection::BreakGlass));
    let synced = by_id[&*planted.synced.id];
    assert_eq!(synced.privileged, Some(true));
    assert_eq!(synced.protection, Some(Protection::ExternallyManaged));
    let nobody = by_id[&*planted.suspicious.id];
    assert_eq!((nobody.privileged, nobody.protection), (Some(false), None));
    assert_eq!(
        nobody.address.as_ref().unwrap().as_str(),
        planted.suspicious.email
    );
    assert_eq!(by_id[&*planted.leaver.id].state, AccountState::Suspended);
    let guest = by_id[&*planted.guest.id];
    assert_eq!(guest.attributes["user_type"], "guest");
    assert_eq!(
        guest.address.as_ref().unwrap().as_str(),
        planted.guest.email
    );
    world.assert_lawful();
}

#[tokio::test]
async fn the_client_gives_every_user_once_and_whose_each_device_is() {
    let world = World::with_users(1_200).await;
    let client = world.watcher();
    let users: Vec<_> = client.users().map(Result::unwrap).collect().await;
    let ids: std::collections::BTreeSet<_> = users.iter().map(|it| &it.id).collect();
    assert!(ids.len() > 1_200);
    assert_eq!(ids.len(), users.len());
    let devices = client.devices_page(None).await.unwrap().items;
    let owners = client.device_owners(&devices[0].id).await.unwrap();
    assert!(ids.contains(&owners[0].id));
    world.assert_lawful();
}
