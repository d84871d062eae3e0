use std::collections::BTreeMap;

use futures::StreamExt as _;
use protect_core::connector::{Connector, Cursor, DirectoryPage};
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

/// Lists everybody; gives from where on changes are told.
async fn listed(connector: &dyn Connector, world: &World) -> Cursor {
    let directory = connector.as_directory().unwrap();
    let mut cursor = None;
    loop {
        let page = directory.list(&world.cx, cursor.as_ref()).await.unwrap();
        match page.cursor {
            Some(next) => cursor = Some(next),
            None => return page.changes_from.unwrap(),
        }
    }
}

async fn changes(
    connector: &dyn Connector,
    world: &World,
    since: &Cursor,
) -> Option<DirectoryPage> {
    let directory = connector.as_directory().unwrap();
    directory.changes(&world.cx, since).await.unwrap()
}

#[tokio::test]
async fn after_a_listing_only_who_changed_is_told_and_read() {
    let world = World::with_users(1_200).await;
    let planted = world.sandbox.planted().m365;
    let connector = world.connector(&json!({}));
    let since = listed(&*connector, &world).await;
    let quiet = changes(&*connector, &world, &since).await.unwrap();
    assert!(quiet.accounts.is_empty() && quiet.gone.is_empty() && quiet.cursor.is_none());

    let suspended = &planted.suspicious.id;
    assert!(world.sandbox.set_m365_user_enabled(suspended, false));
    assert!(world.sandbox.delete_m365_user(&planted.leaked.id));
    let asked = world.asked("/users");
    let told = changes(&*connector, &world, &quiet.changes_from.unwrap())
        .await
        .unwrap();
    let [account] = &told.accounts[..] else {
        panic!("{told:?}");
    };
    assert_eq!(
        (&account.reference.id, &account.state),
        (suspended, &AccountState::Suspended)
    );
    assert_eq!(told.gone, [planted.leaked.id]);
    assert_eq!(
        world.asked("/users") - asked,
        2,
        "the changes, and one user"
    );
    let again = changes(&*connector, &world, &told.changes_from.unwrap())
        .await
        .unwrap();
    assert!(again.accounts.is_empty());
    world.assert_lawful();
}

#[tokio::test]
async fn where_changes_are_not_enough_everybody_is_listed_anew() {
    let world = World::new().await;
    let planted = world.sandbox.planted().m365;
    let connector = world.connector(&json!({}));
    let since = listed(&*connector, &world).await;
    // Roles are no part of a user.
    let client = world.responder();
    let role = client
        .role_assignments(&planted.global_administrator.id)
        .await
        .unwrap();
    let given = client
        .add_role_assignment(&planted.suspicious.id, &role[0].role_definition_id, None)
        .await;
    given.unwrap();
    assert_eq!(changes(&*connector, &world, &since).await, None);

    let since = listed(&*connector, &world).await;
    let fault = json!({ "kind": "page_token_expired", "vendor": "m365", "route": "/users/delta", "count": 1 });
    world
        .sandbox
        .set_fault(serde_json::from_value(fault).unwrap());
    assert_eq!(changes(&*connector, &world, &since).await, None);
    let other = world.connector(&json!({ "act_on_administrators": true }));
    assert_eq!(changes(&*other, &world, &since).await, None);
    let elsewhere = Cursor(since.0.replace("http://127.0.0.1", "http://127.0.0.2"));
    let directory = connector.as_directory().unwrap();
    assert!(directory.changes(&world.cx, &elsewhere).await.is_err());
}
