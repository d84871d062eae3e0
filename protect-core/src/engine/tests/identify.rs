use std::collections::VecDeque;
use std::time::Duration;

use super::harness::{Build, World, account, address, connector, exposed, last};
use crate::config::MonitorConfig;
use crate::connector::{Cursor, DirectoryPage};
use crate::error::ErrorKind;
use crate::model::{Account, AccountState, FindingStatus, Subject};

fn world() -> World {
    Build {
        connectors: vec![],
        directories: vec!["mail", "passwords"],
        ..Build::default()
    }
    .world()
}

fn lists(world: &World, name: &str, accounts: &[(&str, Option<&str>)]) {
    let accounts = accounts
        .iter()
        .map(|(id, address)| account(name, id, *address));
    world.script(name).lock().unwrap().directory = Some(accounts.collect());
}

#[tokio::test]
async fn one_persons_accounts_are_joined_over_vendors_by_exact_address() {
    let world = world();
    lists(
        &world,
        "mail",
        &[
            ("m1", Some("Ann@acme.example")),
            ("m2", Some("ben@acme.example")),
        ],
    );
    lists(
        &world,
        "passwords",
        &[("p1", Some("ann@ACME.example")), ("p2", None)],
    );
    let summary = world.acme.scan().await.unwrap();
    assert!(summary.complete);
    let ann = world
        .acme
        .person_of(&Subject::address(&address("ann")))
        .await
        .unwrap()
        .unwrap();
    let ids: Vec<_> = ann
        .accounts
        .iter()
        .map(|account| account.id.as_str())
        .collect();
    assert_eq!(ids, ["m1", "p1"]);
    let by_account = world
        .acme
        .person_of(&Subject::account("vault", "p1"))
        .await
        .unwrap();
    assert_eq!(by_account.unwrap().id, ann.id);
    let nobody = world
        .acme
        .person_of(&Subject::account("vault", "p2"))
        .await
        .unwrap();
    assert_eq!(nobody, None);
}

#[tokio::test]
async fn homoglyphs_and_equal_names_never_merge() {
    let world = world();
    lists(&world, "mail", &[("m1", Some("anna@acme.example"))]);
    // The first letter is Cyrillic.
    lists(
        &world,
        "passwords",
        &[("m1", Some("\u{430}nna@acme.example"))],
    );
    world.acme.scan().await.unwrap();
    let anna = world
        .acme
        .person_of(&Subject::address(&address("anna")))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(anna.accounts.len(), 1);
    assert_eq!(anna.display_name, "Person m1");
}

#[tokio::test]
async fn an_address_without_an_account_is_a_person_and_a_domain_is_none() {
    let world = world();
    let ceo = Subject::address(&address("ceo"));
    let person = world.acme.person_of(&ceo).await.unwrap().unwrap();
    assert_eq!(person.addresses, [address("ceo")]);
    assert!(person.accounts.is_empty());
    let domain = Subject::domain("acme.example");
    assert_eq!(world.acme.person_of(&domain).await.unwrap(), None);
}

#[tokio::test]
async fn accounts_that_a_directory_lists_no_more_are_marked_as_deleted() {
    let world = world();
    lists(
        &world,
        "mail",
        &[("m1", Some("ann@acme.example")), ("m2", None), ("m3", None)],
    );
    world.acme.scan().await.unwrap();
    lists(&world, "mail", &[("m1", Some("ann@acme.example"))]);
    let refresh = world
        .acme
        .refresh_accounts(&connector("mail"))
        .await
        .unwrap();
    assert_eq!((refresh.accounts, refresh.changed, refresh.gone), (1, 0, 2));
    let accounts = world.acme.accounts().await.unwrap();
    let gone = accounts.iter().filter(|a| a.state == AccountState::Deleted);
    assert_eq!(gone.count(), 2);
}

#[tokio::test]
async fn a_directory_that_tells_of_changes_is_listed_once_a_day_and_followed_in_between() {
    let world = world();
    lists(
        &world,
        "mail",
        &[("m1", Some("ann@acme.example")), ("m2", None)],
    );
    let told = |ids: &[&str], gone: &[&str], next: Option<&str>, from: Option<&str>| {
        Some(DirectoryPage {
            accounts: ids.iter().map(|id| account("mail", id, None)).collect(),
            gone: gone.iter().map(|id| (*id).to_owned()).collect(),
            cursor: next.map(|it| Cursor(it.to_owned())),
            changes_from: from.map(|it| Cursor(it.to_owned())),
            ..DirectoryPage::default()
        })
    };
    let script = world.script("mail");
    script.lock().unwrap().changes = Some(VecDeque::from([
        told(&["m3"], &[], Some("1"), None),
        told(&[], &["m1"], None, Some("2")),
        None,
    ]));
    let refreshed = async || world.acme.scan().await.unwrap().directories.remove(0);
    assert_eq!(refreshed().await.accounts, 2, "listed");
    let changed = refreshed().await;
    assert_eq!((changed.accounts, changed.changed, changed.gone), (1, 1, 1));
    let state = |id: &str, accounts: &[Account]| {
        let of = accounts.iter().find(|it| it.reference.id == id);
        of.unwrap().state.clone()
    };
    let accounts = world.acme.accounts().await.unwrap();
    assert_eq!(state("m1", &accounts), AccountState::Deleted);
    assert_eq!(state("m2", &accounts), AccountState::Active);
    // The vendor no longer tells: every account is listed, and who is not among them is gone.
    let listed = refreshed().await;
    assert_eq!((listed.accounts, listed.gone), (2, 1));
    assert_eq!(script.lock().unwrap().followed, ["0", "1", "2"]);

    script.lock().unwrap().changes = Some(VecDeque::new());
    refreshed().await;
    world.clock.advance(Duration::from_hours(25));
    script.lock().unwrap().followed.clear();
    refreshed().await;
    assert!(script.lock().unwrap().followed.is_empty(), "listed anew");
}

#[tokio::test]
async fn a_directory_that_fails_marks_nothing_as_deleted_and_is_said_to_have_failed() {
    let world = world();
    lists(&world, "mail", &[("m1", None)]);
    world.acme.scan().await.unwrap();
    world.script("mail").lock().unwrap().directory_error = true;
    let summary = world.acme.scan().await.unwrap();
    assert!(!summary.complete);
    let error = summary.directories[0].error.as_ref().unwrap();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert_eq!(
        world.acme.accounts().await.unwrap()[0].state,
        AccountState::Active
    );
    assert_eq!(
        world.stored().await[0].observation.check.as_str(),
        "protect.directory.failed"
    );
    world.script("mail").lock().unwrap().directory_error = false;
    assert!(world.acme.scan().await.unwrap().complete);
    assert_eq!(world.stored().await[0].status, FindingStatus::Resolved);
}

#[tokio::test]
async fn a_watched_directory_that_was_never_read_is_read_before_another_connector_scans() {
    let world = Build {
        directories: vec!["passwords"],
        monitor: MonitorConfig {
            directories: vec![connector("passwords")],
            ..MonitorConfig::default()
        },
        ..Build::default()
    }
    .world();
    lists(&world, "passwords", &[("p1", Some("ann@acme.example"))]);
    let only = || crate::engine::ScanOptions {
        connectors: vec![connector("breaches")],
        ..Default::default()
    };
    world.answers([last(vec![exposed("ann", "Adobe")], vec![])]);
    let summary = world.acme.scan_with(only()).await.unwrap();
    assert_eq!(summary.directories.len(), 1);
    assert_eq!(world.asked("breaches")[0].watched, 1);
    assert!(
        world
            .acme
            .scan_with(only())
            .await
            .unwrap()
            .directories
            .is_empty()
    );
}
