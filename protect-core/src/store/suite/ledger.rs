use std::sync::Arc;

use futures::future::join_all;

use super::{Commit, ErrorKind, Expect, Query, Store, acme, entry, finding, tenant};
use crate::ledger::{FIRST_PREVIOUS, hash_of};
use crate::model::{EvidenceEntry, TenantId};

async fn ledger(store: &impl Store, tenant: &TenantId) -> Vec<EvidenceEntry> {
    let page = store.query(tenant, Query::ledger().limit(10_000)).await;
    page.unwrap().entries
}

fn assert_chain(tenant: &TenantId, entries: &[EvidenceEntry]) {
    let mut previous = FIRST_PREVIOUS;
    for (entry, sequence) in entries.iter().zip(1..) {
        assert_eq!(entry.sequence, sequence);
        assert_eq!(&entry.tenant, tenant);
        assert_eq!(entry.previous, previous);
        assert_eq!(entry.hash, hash_of(entry).unwrap());
        previous = &entry.hash;
    }
}

/// Each tenant's begins at one, over commits of several entries and of none.
pub async fn the_ledger_is_a_chain_per_tenant(store: Arc<impl Store>) {
    for (name, count) in [("acme", 2), ("other", 1), ("acme", 0), ("acme", 3)] {
        let commit = (0..count).fold(Commit::default(), |commit, number| {
            commit.append(entry(number))
        });
        store.commit(&tenant(name), commit).await.unwrap();
    }
    for (name, count) in [("acme", 5), ("other", 1)] {
        let entries = ledger(&*store, &tenant(name)).await;
        assert_eq!(entries.len(), count);
        assert_chain(&tenant(name), &entries);
    }
}

/// A conflict leaves no trace, and the next entry takes the place.
pub async fn a_refused_commit_appends_nothing(store: Arc<impl Store>) {
    let commit = |number| Commit::default().append(entry(number));
    store.commit(&acme(), commit(1)).await.unwrap();
    let refused = commit(2).put(finding("f").expect(Expect::Version(9)));
    let error = store.commit(&acme(), refused).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    store.commit(&acme(), commit(3)).await.unwrap();
    let entries = ledger(&*store, &acme()).await;
    assert_chain(&acme(), &entries);
    let numbers: Vec<_> = entries.iter().map(|entry| &entry.data["number"]).collect();
    assert_eq!(numbers, [1, 3]);
}

/// By the key that the page before gave.
pub async fn the_ledger_is_read_in_pages(store: Arc<impl Store>) {
    let commit = (0..5).fold(Commit::default(), |commit, number| {
        commit.append(entry(number))
    });
    store.commit(&acme(), commit).await.unwrap();
    let mut query = Query::ledger().limit(2);
    let mut pages = Vec::new();
    loop {
        let page = store.query(&acme(), query.clone()).await.unwrap();
        assert!(page.records.is_empty());
        let sequences: Vec<_> = page.entries.iter().map(|entry| entry.sequence).collect();
        pages.push(sequences);
        match page.next {
            Some(next) => query = query.after(next),
            None => break,
        }
    }
    assert_eq!(pages, [vec![1, 2], vec![3, 4], vec![5]]);
    let from = Query::ledger().after("00000000000000000003");
    let page = store.query(&acme(), from).await.unwrap();
    assert_eq!(page.entries.len(), 2);
    let beyond = Query::ledger().after("00000000000000000009");
    assert!(
        store
            .query(&acme(), beyond)
            .await
            .unwrap()
            .entries
            .is_empty()
    );
    let wrong = store.query(&acme(), Query::ledger().after("x")).await;
    assert_eq!(wrong.unwrap_err().kind(), ErrorKind::InvalidInput);
}

/// Per tenant, and nothing where there is nothing.
pub async fn the_head_of_the_ledger_is_its_last_entry(store: Arc<impl Store>) {
    let empty = store.query(&acme(), Query::ledger_head()).await.unwrap();
    assert!(empty.entries.is_empty());
    for number in 0..3 {
        let commit = Commit::default().append(entry(number));
        let done = store.commit(&acme(), commit).await.unwrap();
        let other = Commit::default().append(entry(9));
        store.commit(&tenant("other"), other).await.unwrap();
        let head = store.query(&acme(), Query::ledger_head()).await.unwrap();
        assert_eq!((head.entries, head.next), (done.entries, None));
    }
}

/// No gap, no fork, nothing twice.
pub async fn many_writers_append_to_one_chain(store: Arc<impl Store>) {
    let writers = (0..64).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for step in 0..4 {
                let commit = Commit::default().append(entry(number * 4 + step));
                store.commit(&acme(), commit).await.unwrap();
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    let entries = ledger(&*store, &acme()).await;
    assert_chain(&acme(), &entries);
    let mut numbers: Vec<_> = entries
        .iter()
        .map(|entry| entry.data["number"].as_u64().unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..256).collect::<Vec<_>>());
}

/// Numbers and text that have more than one spelling come back in the one that was hashed.
pub async fn what_a_commit_returns_is_what_the_ledger_holds(store: Arc<impl Store>) {
    let mut awkward = entry(0);
    let data = serde_json::json!({
        "float": 1.0, "large": u64::MAX, "exponent": 1e300, "minus": -0.0,
        "text": "é\u{0}\u{1f600}\"\\", "deep": { "b": [], "a": {} },
    });
    awkward.data = data.as_object().unwrap().clone();
    let commit = Commit::default().append(awkward);
    let done = store.commit(&acme(), commit).await.unwrap();
    let entries = ledger(&*store, &acme()).await;
    assert_eq!(done.entries, entries);
    assert_chain(&acme(), &entries);
}
