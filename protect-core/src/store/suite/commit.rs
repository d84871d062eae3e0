use std::sync::Arc;

use futures::future::join_all;
use serde_json::json;

use super::{
    Change, Commit, ErrorKind, Expect, Put, Query, RecordKind, Store, acme, at, delete, entry,
    finding, get, put, put_for, tenant, try_put,
};

/// Every field of a record survives, hostile text included.
pub async fn a_record_is_read_back_as_it_was_written(store: Arc<impl Store>) {
    let key = "O'Neil+\"news\"\\\u{1f600}%_\n\u{7f} ";
    let body = json!({ "text": key, "nul": "\u{0}", "deep": [1, 2.5, null] });
    let written = Put::new(RecordKind::Account, key, &body)
        .unwrap()
        .state("'; drop table records; --")
        .group("größe/\t")
        .due(Some(at(5)));
    put(&*store, written.clone()).await;
    let record = get(&*store, RecordKind::Account, key).await.unwrap();
    assert_eq!(record.kind, RecordKind::Account);
    assert_eq!(record.key, key);
    assert_eq!(record.version, 1);
    assert_eq!(*record.state, *written.state);
    assert_eq!(*record.group, *written.group);
    assert_eq!(record.due, Some(at(5)));
    assert_eq!(*record.body, *written.body);
    assert_eq!(record.read::<serde_json::Value>().unwrap(), body);
}

/// Versions count from one, and a write replaces every field.
pub async fn every_write_adds_one_to_the_version(store: Arc<impl Store>) {
    put(
        &*store,
        finding("f").state("new").group("g").due(Some(at(1))),
    )
    .await;
    put(&*store, finding("f").expect(Expect::Version(1))).await;
    put(&*store, finding("f").state("open")).await;
    let record = get(&*store, RecordKind::Finding, "f").await.unwrap();
    assert_eq!((record.version, record.state.as_str()), (3, "open"));
    assert_eq!((record.group.as_str(), record.due), ("", None));
}

/// A writer that read an older version learns so.
pub async fn a_stale_version_conflicts_and_changes_nothing(store: Arc<impl Store>) {
    put(&*store, finding("f").state("new")).await;
    put(&*store, finding("f").state("open")).await;
    for version in [0, 1, 3, u64::MAX] {
        let stale = finding("f").state("lost").expect(Expect::Version(version));
        assert_eq!(try_put(&*store, stale).await, Err(ErrorKind::Conflict));
    }
    let record = get(&*store, RecordKind::Finding, "f").await.unwrap();
    assert_eq!((record.version, record.state.as_str()), (2, "open"));
}

/// Find-or-create: the first creates, the second conflicts.
pub async fn an_absent_record_can_be_demanded_once(store: Arc<impl Store>) {
    let create = || finding("f").expect(Expect::Absent);
    assert_eq!(try_put(&*store, create()).await, Ok(()));
    assert_eq!(try_put(&*store, create()).await, Err(ErrorKind::Conflict));
}

/// Deleting what is not there is no error where nothing was expected.
pub async fn a_deleted_record_is_gone_and_can_be_written_anew(store: Arc<impl Store>) {
    put(&*store, finding("f")).await;
    put(&*store, finding("f").group("g").due(Some(at(1)))).await;
    for _ in 0..2 {
        let gone = delete("f", Expect::Anything);
        store.commit(&acme(), gone).await.unwrap();
        assert_eq!(get(&*store, RecordKind::Finding, "f").await, None);
    }
    let in_group = Query::all(RecordKind::Finding).in_groups(vec!["g".to_owned()]);
    assert!(super::keys(&*store, in_group).await.is_empty());
    put(&*store, finding("f").expect(Expect::Absent)).await;
    let record = get(&*store, RecordKind::Finding, "f").await.unwrap();
    assert_eq!(record.version, 1);
}

/// Whatever is expected of a record that is not there, except its absence, does not hold.
pub async fn a_precondition_on_a_missing_record_conflicts(store: Arc<impl Store>) {
    for expect in [
        Expect::Version(0),
        Expect::Version(1),
        Expect::Fence(1),
        Expect::FenceAndRelease(1),
    ] {
        let written = try_put(&*store, finding("f").expect(expect)).await;
        assert_eq!(written, Err(ErrorKind::Conflict), "{expect:?}");
        let deleted = store.commit(&acme(), delete("f", expect)).await;
        assert_eq!(deleted.unwrap_err().kind(), ErrorKind::Conflict);
    }
    let renewed = Change::Renew {
        kind: RecordKind::Finding,
        key: "f".to_owned(),
        fence: 1,
        until: at(9),
    };
    let commit = Commit {
        changes: vec![renewed],
        entries: Vec::new(),
    };
    let refused = store.commit(&acme(), commit).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
}

/// All or nothing.
pub async fn a_conflict_in_one_change_undoes_the_whole_commit(store: Arc<impl Store>) {
    put(&*store, finding("there")).await;
    let mut commit = delete("there", Expect::Version(1))
        .put(finding("new"))
        .append(entry(1));
    commit = commit.put(finding("missing").expect(Expect::Version(7)));
    let error = store.commit(&acme(), commit).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(!error.is_retryable());
    assert!(get(&*store, RecordKind::Finding, "there").await.is_some());
    assert!(get(&*store, RecordKind::Finding, "new").await.is_none());
    let ledger = store.query(&acme(), Query::ledger()).await.unwrap();
    assert!(ledger.entries.is_empty());
}

/// Which of two changes to a record would win is nobody's guess.
pub async fn a_commit_that_names_a_record_twice_is_refused(store: Arc<impl Store>) {
    let twice = delete("f", Expect::Anything).put(finding("f"));
    let error = store.commit(&acme(), twice).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let other_kind = delete("f", Expect::Anything);
    let account = Put::new(RecordKind::Account, "f", &json!({})).unwrap();
    store
        .commit(&acme(), other_kind.put(account))
        .await
        .unwrap();
}

/// Not every database can keep one in text, so none does.
pub async fn a_nul_character_is_refused(store: Arc<impl Store>) {
    for bad in [
        finding("a\0b"),
        finding("f").state("a\0"),
        finding("f").group("\0"),
    ] {
        let refused = try_put(&*store, bad).await;
        assert_eq!(refused, Err(ErrorKind::InvalidInput));
    }
    let mut bad = entry(1);
    "\0".clone_into(&mut bad.actor);
    let refused = store.commit(&acme(), Commit::default().append(bad)).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput);
}

/// To the nanosecond, up to the end of the year 9999.
pub async fn a_due_time_is_kept_exactly(store: Arc<impl Store>) {
    for text in [
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999999Z",
        "2026-11-23T08:00:00.123456789Z",
        "9999-12-30T22:00:00.999999999Z",
    ] {
        let due = Some(text.parse().unwrap());
        put(&*store, finding("f").due(due)).await;
        let record = get(&*store, RecordKind::Finding, "f").await.unwrap();
        assert_eq!(record.due, due);
    }
    let early = Some("-000001-12-31T00:00:00Z".parse().unwrap());
    let refused = try_put(&*store, finding("f").due(early)).await;
    assert_eq!(refused, Err(ErrorKind::InvalidInput));
}

/// Nothing in, nothing out.
pub async fn an_empty_commit_does_nothing(store: Arc<impl Store>) {
    let done = store.commit(&acme(), Commit::default()).await.unwrap();
    assert!(done.entries.is_empty());
}

/// The same key elsewhere is another record.
pub async fn records_belong_to_one_tenant_and_one_kind(store: Arc<impl Store>) {
    let other = tenant("other");
    put(&*store, finding("f").state("acme").group("g")).await;
    put_for(&*store, &other, finding("f").state("other").group("g")).await;
    let account = Put::new(RecordKind::Account, "f", &json!({})).unwrap();
    put(&*store, account).await;
    let query = || Query::all(RecordKind::Finding).in_groups(vec!["g".to_owned()]);
    let page = store.query(&other, query()).await.unwrap();
    assert_eq!(page.records.len(), 1);
    assert_eq!(page.records[0].state, "other");
    let page = store.query(&acme(), query()).await.unwrap();
    assert_eq!(page.records.len(), 1);
    assert_eq!(page.records[0].state, "acme");
    store
        .commit(&other, delete("f", Expect::Version(1)))
        .await
        .unwrap();
    assert!(get(&*store, RecordKind::Finding, "f").await.is_some());
}

/// Compare-and-set under contention.
pub async fn of_many_writers_at_one_version_exactly_one_wins(store: Arc<impl Store>) {
    for version in 0..5 {
        let expect = match version {
            0 => Expect::Absent,
            version => Expect::Version(version),
        };
        let writers = (0..20).map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let state = number.to_string();
                try_put(&*store, finding("f").state(state).expect(expect)).await
            })
        });
        let results = join_all(writers).await;
        let won = results
            .into_iter()
            .filter(|result| *result.as_ref().unwrap() == Ok(()));
        assert_eq!(won.count(), 1);
        let record = get(&*store, RecordKind::Finding, "f").await.unwrap();
        assert_eq!(record.version, version + 1);
    }
}

/// Thousands of changes are still all or nothing.
pub async fn a_large_commit_is_one_commit(store: Arc<impl Store>) {
    let many = |expect| {
        (0..5_000).fold(Commit::default(), |commit, number| {
            commit
                .put(finding(&format!("{number:05}")).expect(expect))
                .append(entry(number))
        })
    };
    let done = store.commit(&acme(), many(Expect::Absent)).await.unwrap();
    assert_eq!(done.entries.len(), 5_000);
    let spoilt = many(Expect::Version(1)).put(finding("x").expect(Expect::Version(1)));
    let error = store.commit(&acme(), spoilt).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let page = store
        .query(&acme(), Query::all(RecordKind::Finding).limit(6_000))
        .await
        .unwrap();
    assert_eq!(page.records.len(), 5_000);
    assert!(page.records.iter().all(|record| record.version == 1));
}

/// A commit whose caller stopped waiting happened or not, as a whole; the others go on.
pub async fn a_caller_that_goes_away_disturbs_nobody(store: Arc<impl Store>) {
    let tasks: Vec<_> = (0..40)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let commit = Commit::default()
                    .put(finding(&format!("{number}/a")))
                    .put(finding(&format!("{number}/b")))
                    .append(entry(number));
                store.commit(&acme(), commit).await.map(|_| ())
            })
        })
        .collect();
    tokio::task::yield_now().await;
    for task in tasks.iter().step_by(2) {
        task.abort();
    }
    for task in tasks {
        assert!(
            task.await
                .map_or_else(|gone| gone.is_cancelled(), |done| done.is_ok())
        );
    }
    put(&*store, finding("last")).await;
    let page = store.query(&acme(), Query::all(RecordKind::Finding)).await;
    let ledger = store.query(&acme(), Query::ledger()).await.unwrap();
    let pairs = (page.unwrap().records.len() - 1) / 2;
    assert_eq!(pairs, ledger.entries.len());
    assert!(pairs >= 20);
}
