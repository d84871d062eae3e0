use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use serde_json::json;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tempfile::TempDir;

use super::open::PAGE;
use super::read::{Index, statement};
use super::{SqliteOptions, SqliteStore};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::ledger::{FIRST_PREVIOUS, hash_of};
use crate::model::TenantId;
use crate::store::{
    Claim, Claimed, Commit, Committed, Expect, NewEntry, Page, Put, Query, RecordKind, Store,
};

/// A store whose folder goes with it.
#[derive(Debug)]
struct InFolder {
    store: SqliteStore,
    _folder: TempDir,
}

impl InFolder {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&file(&folder)).await.unwrap();
        Self {
            store,
            _folder: folder,
        }
    }
}

#[async_trait]
impl Store for InFolder {
    async fn commit(&self, tenant: &TenantId, commit: Commit) -> Result<Committed> {
        self.store.commit(tenant, commit).await
    }

    async fn query(&self, tenant: &TenantId, query: Query) -> Result<Page> {
        self.store.query(tenant, query).await
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>> {
        self.store.claim(claim).await
    }
}

crate::store_suite!(async { Arc::new(InFolder::new().await) });

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("protect.db")
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_and_those_beside_it_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let _store = open(&file(&folder)).await.unwrap();
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", entry.path().display());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["protect.db", "protect.db-shm", "protect.db-wal"]);
}

async fn open(path: &Path) -> Result<SqliteStore> {
    SqliteStore::open(SqliteOptions::new(path)).await
}

async fn raw(path: &Path) -> SqliteConnection {
    sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap()
}

async fn execute(path: &Path, sql: &'static str) {
    let mut connection = raw(path).await;
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

fn acme() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn intent(key: &str) -> Put {
    Put::new(RecordKind::Intent, key, &json!({ "text": "x".repeat(500) }))
        .unwrap()
        .state("ready")
        .due(Some(jiff::Timestamp::UNIX_EPOCH))
}

fn entry(number: usize) -> NewEntry {
    NewEntry {
        kind: "intent.ready".to_owned(),
        actor: "system".to_owned(),
        at: jiff::Timestamp::UNIX_EPOCH,
        data: [("number".to_owned(), number.into())].into_iter().collect(),
    }
}

async fn count(store: &impl Store) -> usize {
    let query = Query::all(RecordKind::Intent).limit(100_000);
    store.query(&acme(), query).await.unwrap().records.len()
}

/// How many entries the ledger holds, all of which must be one chain.
async fn chain_length(store: &impl Store) -> usize {
    let query = Query::ledger().limit(100_000);
    let entries = store.query(&acme(), query).await.unwrap().entries;
    let mut previous = FIRST_PREVIOUS;
    for (entry, sequence) in entries.iter().zip(1..) {
        assert_eq!(
            (entry.sequence, entry.previous.as_str()),
            (sequence, previous)
        );
        assert_eq!(entry.hash, hash_of(entry).unwrap());
        previous = &entry.hash;
    }
    entries.len()
}

#[tokio::test]
async fn what_was_committed_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    for round in 1..=3 {
        let store = open(&file(&folder)).await.unwrap();
        let commit = Commit::default()
            .put(intent(&round.to_string()))
            .append(entry(round));
        store.commit(&acme(), commit).await.unwrap();
        assert_eq!(count(&store).await, round);
        assert_eq!(chain_length(&store).await, round);
        if round == 2 {
            store.close().await;
        }
    }
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&file(&folder)).await.unwrap();
    store.close().await;
    store.close().await;
    let commit = Commit::default().put(intent("i"));
    let written = store.commit(&acme(), commit).await.unwrap_err();
    let read = store.query(&acme(), Query::ledger()).await.unwrap_err();
    for error in [written, read] {
        assert_eq!(error.kind(), ErrorKind::Store);
        assert!(error.to_string().contains("the store is closed"), "{error}");
    }
}

/// The fault F30 of the reliability bar.
#[tokio::test]
async fn a_full_disk_fails_what_does_not_fit_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(file(&folder)).max_page_count(30);
    let store = Arc::new(SqliteStore::open(options).await.unwrap());
    let large = (0..2_000).fold(Commit::default(), |commit, number| {
        commit
            .put(intent(&number.to_string()))
            .append(entry(number))
    });
    // They wait together and are tried together; the small ones must not fall with the large one.
    let small = (0..5).map(|number| Commit::default().put(intent(&format!("s{number}"))));
    let commits = std::iter::once(large.clone()).chain(small);
    let results = join_all(commits.map(|commit| {
        let store = Arc::clone(&store);
        async move { store.commit(&acme(), commit).await }
    }))
    .await;
    let error = results[0].as_ref().unwrap_err();
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Store, Retry::Permanent)
    );
    assert!(error.message().contains("full"), "{error}");
    assert!(results[1..].iter().all(Result::is_ok));
    assert_eq!((count(&*store).await, chain_length(&*store).await), (5, 0));
    // Until it is full for good; then with more room everything goes on.
    let mut written = 5;
    loop {
        let commit = Commit::default()
            .put(intent(&format!("t{written}")))
            .append(entry(written));
        match store.commit(&acme(), commit).await {
            Ok(_) => written += 1,
            Err(error) => break assert_names(&error, "full", &folder),
        }
    }
    assert_eq!(count(&*store).await, written);
    assert_eq!(chain_length(&*store).await, written - 5);
    store.close().await;
    let store = open(&file(&folder)).await.unwrap();
    store.commit(&acme(), large).await.unwrap();
    assert_eq!(count(&store).await, written + 2_000);
    assert_eq!(chain_length(&store).await, written - 5 + 2_000);
}

/// The error says what to do, and with which file.
fn assert_names(error: &Error, advice: &str, folder: &TempDir) {
    assert!(error.message().contains(advice), "{error}");
    let named = ("file", file(folder).display().to_string());
    assert!(error.context().contains(&named), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = "not a database, but something that somebody wants to keep\n".repeat(200);
    fs::write(file(&folder), &text).unwrap();
    let error = open(&file(&folder)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert_names(&error, "restore", &folder);
    assert_eq!(fs::read_to_string(file(&folder)).unwrap(), text);
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    execute(&file(&folder), "create table theirs (name text)").await;
    let before = fs::read(file(&folder)).unwrap();
    let error = open(&file(&folder)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.message().contains("another program"), "{error}");
    assert_eq!(fs::read(file(&folder)).unwrap(), before);
}

#[tokio::test]
async fn a_newer_file_than_the_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    open(&file(&folder)).await.unwrap().close().await;
    execute(
        &file(&folder),
        "create table later (name text); pragma user_version = 7",
    )
    .await;
    let before = fs::read(file(&folder)).unwrap();
    let error = open(&file(&folder)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.is_retryable()),
        (ErrorKind::Store, false)
    );
    assert!(error.message().contains("newer"), "{error}");
    assert_eq!(error.context()[0], ("found", "7".to_owned()));
    assert_eq!(fs::read(file(&folder)).unwrap(), before);
}

#[tokio::test]
async fn a_damaged_file_is_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&file(&folder)).await.unwrap();
    let many = (0..500).fold(Commit::default(), |commit, number| {
        commit.put(intent(&number.to_string()))
    });
    store.commit(&acme(), many).await.unwrap();
    store.close().await;
    let mut handle = fs::OpenOptions::new()
        .write(true)
        .open(file(&folder))
        .unwrap();
    let length = handle.metadata().unwrap().len();
    let page = u64::from(PAGE);
    // Behind the first page, which says what there is.
    handle.seek(SeekFrom::Start(page)).unwrap();
    let noise = vec![0xa5; usize::try_from(length - page).unwrap()];
    handle.write_all(&noise).unwrap();
    drop(handle);
    let store = open(&file(&folder)).await.unwrap();
    let read = store.query(&acme(), Query::all(RecordKind::Intent)).await;
    let written = store
        .commit(&acme(), Commit::default().put(intent("i")))
        .await;
    for error in [read.unwrap_err(), written.unwrap_err()] {
        assert_eq!(
            (error.kind(), error.is_retryable()),
            (ErrorKind::Store, false)
        );
        assert!(
            error.message().contains("restore it from a backup"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let error = open(&folder.path().join("missing/protect.db"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.message().contains("folder"), "{error}");
}

#[tokio::test]
async fn a_locked_database_is_a_temporary_error_and_readers_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(file(&folder)).busy_timeout(Duration::from_millis(50));
    let store = SqliteStore::open(options.clone()).await.unwrap();
    let mut other = raw(&file(&folder)).await;
    let lock = other.begin_with("BEGIN EXCLUSIVE").await.unwrap();
    let commit = || Commit::default().put(intent("i"));
    let acme = acme();
    let results = join_all((0..3).map(|_| store.commit(&acme, commit()))).await;
    for result in results {
        let error = result.unwrap_err();
        assert_eq!(
            (error.kind(), error.retry()),
            (ErrorKind::Store, Retry::Temporary)
        );
        assert_names(&error, "another program", &folder);
    }
    assert_eq!(count(&store).await, 0);
    // A file that is there already can even be opened.
    SqliteStore::open(options).await.unwrap();
    lock.rollback().await.unwrap();
    store.commit(&acme, commit()).await.unwrap();
    assert_eq!(count(&store).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_can_make_the_same_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let stores = join_all((0..8).map(|_| {
        let path = file(&folder);
        tokio::spawn(async move { open(&path).await.unwrap() })
    }))
    .await;
    for (store, number) in stores.into_iter().zip(0..) {
        let commit = Commit::default().put(intent(&format!("{number}")));
        store.unwrap().commit(&acme(), commit).await.unwrap();
    }
    assert_eq!(count(&open(&file(&folder)).await.unwrap()).await, 8);
}

/// Two stores over one file are what two processes are: nothing is shared but the file.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_stores_on_one_file_lease_nothing_twice_and_keep_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    let stores = [0, 1].map(|_| file(&folder));
    let stores = join_all(stores.iter().map(|path| open(path))).await;
    let stores: Vec<Arc<SqliteStore>> = stores
        .into_iter()
        .map(|store| Arc::new(store.unwrap()))
        .collect();
    let many = (0..300).fold(Commit::default(), |commit, number| {
        commit.put(intent(&format!("{number:03}")))
    });
    stores[0].commit(&acme(), many).await.unwrap();
    let workers = (0..8).map(|number| {
        let store = Arc::clone(&stores[number % 2]);
        tokio::spawn(async move { work_off(&store).await })
    });
    let done: usize = join_all(workers)
        .await
        .into_iter()
        .map(Result::unwrap)
        .sum();
    assert_eq!(done, 300);
    assert_eq!(chain_length(&*stores[1]).await, 300);
    let page = stores[0]
        .query(&acme(), Query::all(RecordKind::Intent))
        .await;
    let records = page.unwrap().records;
    assert!(
        records
            .iter()
            .all(|record| record.state == "done" && record.version == 2)
    );
}

/// Leases, does and reports until nothing is left; gives how many it did.
async fn work_off(store: &SqliteStore) -> usize {
    let mut done = 0;
    loop {
        let claim = Claim {
            kind: RecordKind::Intent,
            states: vec!["ready".to_owned()],
            tenant: None,
            keys: Vec::new(),
            now: jiff::Timestamp::UNIX_EPOCH,
            lease: Duration::from_hours(1),
            limit: 5,
        };
        let claimed = store.claim(claim).await.unwrap();
        if claimed.is_empty() {
            return done;
        }
        for held in claimed {
            let commit = Commit::default()
                .put(
                    intent(&held.record.key)
                        .state("done")
                        .due(None)
                        .expect(Expect::FenceAndRelease(held.fence)),
                )
                .append(entry(done));
            store.commit(&held.tenant, commit).await.unwrap();
            done += 1;
        }
    }
}

/// A flipped bit in an entry: reading it is an error or an entry whose hash does not fit.
#[tokio::test]
async fn a_flipped_byte_in_the_file_never_passes_as_the_entry_that_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&file(&folder)).await.unwrap();
    let commit = (0..3).fold(Commit::default(), |commit, number| {
        commit.append(entry(number))
    });
    store.commit(&acme(), commit).await.unwrap();
    store.close().await;
    let mut content = Vec::new();
    fs::File::open(file(&folder))
        .unwrap()
        .read_to_end(&mut content)
        .unwrap();
    let place = find(&content, br#""number":1"#);
    for offset in [1, 8, 9] {
        let mut damaged = content.clone();
        damaged[place + offset] ^= 0x04;
        let copy = folder.path().join(format!("{offset}.db"));
        fs::write(&copy, damaged).unwrap();
        let store = open(&copy).await.unwrap();
        match store.query(&acme(), Query::ledger()).await {
            Err(error) => assert_eq!(error.kind(), ErrorKind::Store),
            Ok(page) => assert!(
                page.entries
                    .iter()
                    .any(|entry| entry.hash != hash_of(entry).unwrap()),
                "{offset}"
            ),
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> usize {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
        .unwrap()
}

#[tokio::test]
async fn every_query_goes_by_the_index_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    open(&file(&folder)).await.unwrap().close().await;
    let mut connection = raw(&file(&folder)).await;
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let all = || Query::all(RecordKind::Finding).after("a");
    let keys = Query::keys(RecordKind::Finding, list(&["g", "h"]));
    let key = "records_by_key (tenant=? AND kind=? AND key";
    for (query, index, step) in [
        (all(), Index::Key, format!("{key}>?)")),
        (all().in_states(&["new"]), Index::Key, format!("{key}>?)")),
        (
            Query::prefix(RecordKind::Finding, "a"),
            Index::Key,
            format!("{key}>? AND key<?)"),
        ),
        (keys, Index::Key, format!("{key}=?)")),
        (
            all().in_states(&["new", "open"]),
            Index::State,
            "records_by_state (tenant=? AND kind=? AND state=?)".to_owned(),
        ),
        (
            all().in_groups(list(&["g", "h"])).in_states(&["new"]),
            Index::Group,
            "records_by_group (tenant=? AND kind=? AND grp=?".to_owned(),
        ),
    ] {
        let kind = RecordKind::Finding;
        let (sql, values) = statement(&acme(), &query, kind, index, 9).unwrap();
        let explain = sqlx::AssertSqlSafe(format!("explain query plan {sql}"));
        let mut statement = sqlx::query_as::<_, (i64, i64, i64, String)>(explain);
        for value in values {
            statement = statement.bind(value);
        }
        let plan = statement.fetch_all(&mut connection).await.unwrap();
        let plan: Vec<String> = plan.into_iter().map(|step| step.3).collect();
        assert!(plan.iter().any(|found| found.contains(&step)), "{plan:?}");
        let sorts = plan.iter().any(|step| step.contains("TEMP B-TREE"));
        assert_eq!(sorts, index != Index::Key, "{plan:?}");
    }
}

/// Above some thousand records the store takes another way to the same answer.
#[tokio::test]
async fn a_state_of_many_records_is_paged_like_one_of_few() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&file(&folder)).await.unwrap();
    let many = (0..6_000).fold(Commit::default(), |commit, number| {
        let state = if number % 1_000 == 0 {
            "rare"
        } else {
            "common"
        };
        commit.put(intent(&format!("{number:04}")).state(state))
    });
    store.commit(&acme(), many).await.unwrap();
    for (state, after, expected) in [
        ("common", "3999", ["4001", "4002", "4003"]),
        ("rare", "2500", ["3000", "4000", "5000"]),
    ] {
        let query = Query::all(RecordKind::Intent)
            .in_states(&[state])
            .after(after)
            .limit(3);
        let page = store.query(&acme(), query).await.unwrap();
        let keys: Vec<_> = page.records.iter().map(|record| &record.key).collect();
        assert_eq!(keys, expected);
        assert_eq!(page.next.is_some(), state == "common");
    }
}
