//! A process that is killed at a kill point of the store loses nothing it promised.
//!
//! Each test runs this binary again as a child, which is killed inside the store's writer.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and hands its child a path in the environment"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use protect_core::ledger::{export, verify};
use protect_core::model::TenantId;
use protect_core::store::{
    Claim, Commit, Expect, NewEntry, Put, Query, RecordKind, SqliteOptions, SqliteStore, Store,
};
use protect_core::testing::KILL_POINTS;

/// Where the child finds the database.
const PATH: &str = "PROTECT_TEST_STORE";

fn acme() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn commit(key: &str) -> Commit {
    let put = Put::new(RecordKind::Intent, key, &key)
        .unwrap()
        .state("ready")
        .due(Some(jiff::Timestamp::UNIX_EPOCH))
        .expect(Expect::Absent);
    Commit::default().put(put).append(NewEntry {
        kind: "intent.ready".to_owned(),
        actor: "system".to_owned(),
        at: jiff::Timestamp::UNIX_EPOCH,
        data: [("key".to_owned(), key.into())].into_iter().collect(),
    })
}

fn claim() -> Claim {
    Claim {
        kind: RecordKind::Intent,
        states: vec!["ready".to_owned()],
        tenant: None,
        keys: Vec::new(),
        now: jiff::Timestamp::UNIX_EPOCH,
        lease: Duration::from_secs(30),
        limit: 10,
    }
}

async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(SqliteOptions::new(path)).await.unwrap()
}

/// The records, after checking that the ledger has one entry for each and verifies.
async fn read(store: &SqliteStore) -> Vec<String> {
    let page = store.query(&acme(), Query::all(RecordKind::Intent)).await;
    let mut file = Vec::new();
    export(store, &acme(), &mut file).await.unwrap();
    let report = verify(file.as_slice(), None, None).unwrap();
    assert!(report.valid, "{report:?}");
    let keys: Vec<String> = page
        .unwrap()
        .records
        .into_iter()
        .map(|record| record.key)
        .collect();
    assert_eq!(report.entries, keys.len() as u64);
    keys
}

#[tokio::test]
#[ignore = "a process that the tests here start and kill; alone it has nothing to do"]
async fn child_commits() {
    let Ok(path) = std::env::var(PATH) else {
        return;
    };
    let store = open(Path::new(&path)).await;
    store.commit(&acme(), commit("child")).await.unwrap();
}

#[tokio::test]
#[ignore = "a process that the tests here start and kill; alone it has nothing to do"]
async fn child_claims() {
    let Ok(path) = std::env::var(PATH) else {
        return;
    };
    let store = open(Path::new(&path)).await;
    store.claim(claim()).await.unwrap();
}

fn run_child(name: &str, path: &Path, point: Option<u32>) -> ExitStatus {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args([name, "--exact", "--ignored", "--quiet"])
        .env(PATH, path)
        .env_remove("PROTECT_KILL_AT");
    if let Some(number) = point {
        child.env("PROTECT_KILL_AT", number.to_string());
    }
    child.output().unwrap().status
}

#[cfg(unix)]
fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal() == Some(9)
}

#[cfg(not(unix))]
fn was_killed(status: ExitStatus) -> bool {
    !status.success()
}

fn store_points() -> impl Iterator<Item = (u32, &'static str)> {
    KILL_POINTS
        .iter()
        .filter(|(_, name, _)| name.starts_with("store."))
        .map(|(number, name, _)| (*number, *name))
}

#[tokio::test]
async fn a_commit_is_there_after_the_kill_exactly_where_it_was_durable_before() {
    assert_eq!(store_points().count(), 2);
    for (number, name) in store_points() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("protect.db");
        let store = open(&path).await;
        store.commit(&acme(), commit("before")).await.unwrap();
        drop(store);
        assert!(
            was_killed(run_child("child_commits", &path, Some(number))),
            "{name}"
        );
        let store = open(&path).await;
        let mut expected = vec!["before"];
        if name == "store.after_commit" {
            expected.push("child");
        }
        assert_eq!(read(&store).await, expected, "{name}");
        store.commit(&acme(), commit("later")).await.unwrap();
        expected.push("later");
        assert_eq!(read(&store).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_lease_of_a_killed_process_ends_by_itself_and_its_fence_is_never_given_again() {
    for (number, name) in store_points() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("protect.db");
        let store = open(&path).await;
        store.commit(&acme(), commit("i")).await.unwrap();
        drop(store);
        assert!(
            was_killed(run_child("child_claims", &path, Some(number))),
            "{name}"
        );
        let store = open(&path).await;
        let at_once = store.claim(claim()).await.unwrap();
        let leased = name == "store.after_commit";
        assert_eq!(at_once.is_empty(), leased, "{name}");
        let mut later = claim();
        later.now = jiff::Timestamp::from_second(30).unwrap();
        let taken_over = store.claim(later).await.unwrap();
        assert_eq!(taken_over.len(), 1, "{name}");
        assert_eq!(taken_over[0].fence, 2, "{name}");
    }
}

/// Every place in a folder of sources where the process can be killed, by name.
fn called_points(folder: &Path, names: &mut BTreeSet<String>) {
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            called_points(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let calls = text.split("kill_point(\"").skip(1);
            names.extend(calls.filter_map(|call| call.split('"').next().map(str::to_owned)));
        }
    }
}

#[test]
fn the_list_names_exactly_the_points_that_the_sources_call() {
    let mut called = BTreeSet::new();
    called_points(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut called,
    );
    let listed = KILL_POINTS.iter().map(|(_, name, _)| (*name).to_owned());
    assert_eq!(called, listed.collect());
}

#[tokio::test]
async fn a_child_that_is_not_killed_commits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("protect.db");
    assert!(run_child("child_commits", &path, None).success());
    assert_eq!(read(&open(&path).await).await, ["child"]);
    assert!(run_child("child_claims", &path, None).success());
    assert!(open(&path).await.claim(claim()).await.unwrap().is_empty());
}
