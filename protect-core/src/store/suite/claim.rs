use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use super::{
    Change, Claim, Claimed, Commit, ErrorKind, Expect, RecordKind, Store, acme, at, claimed_keys,
    get, intent, put, put_for, ready, tenant, try_put,
};

async fn claim(store: &impl Store, claim: Claim) -> Vec<Claimed> {
    store.claim(claim).await.unwrap()
}

async fn claim_one(store: &impl Store, now: i64) -> Claimed {
    let mut claimed = claim(store, ready(now, 1)).await;
    claimed.pop().unwrap()
}

async fn is_free(store: &impl Store, now: i64) -> bool {
    !claim(store, ready(now, 1)).await.is_empty()
}

async fn renew(store: &impl Store, key: &str, fence: u64, until: i64) -> Result<(), ErrorKind> {
    let change = Change::Renew {
        kind: RecordKind::Intent,
        key: key.to_owned(),
        fence,
        until: at(until),
    };
    let commit = Commit {
        changes: vec![change],
        entries: Vec::new(),
    };
    let done = store.commit(&acme(), commit).await;
    done.map(|_| ()).map_err(|error| error.kind())
}

/// Over all tenants; what is due later, or never, is left.
pub async fn a_claim_leases_what_is_due_oldest_first(store: Arc<impl Store>) {
    put(&*store, intent("late", 3)).await;
    put_for(&*store, &tenant("other"), intent("early", 1)).await;
    put(&*store, intent("middle", 2)).await;
    put(&*store, intent("future", 11)).await;
    put(&*store, intent("never", 0).due(None)).await;
    let first = claim(&*store, ready(10, 2)).await;
    assert_eq!(claimed_keys(&first), ["early", "middle"]);
    assert_eq!(first[0].tenant, tenant("other"));
    assert_eq!(first[1].tenant, acme());
    assert_eq!(
        first[1].record,
        get(&*store, RecordKind::Intent, "middle").await.unwrap()
    );
    assert_eq!(first[1].record.version, 1);
    let second = claim(&*store, ready(10, 10)).await;
    assert_eq!(claimed_keys(&second), ["late"]);
    let third = claim(&*store, ready(11, 10)).await;
    assert_eq!(claimed_keys(&third), ["future"]);
}

/// The end of the lease is the first moment at which it is free.
pub async fn a_leased_record_is_not_leased_again_until_the_lease_ends(store: Arc<impl Store>) {
    put(&*store, intent("i", 1)).await;
    assert!(is_free(&*store, 10).await);
    assert!(!is_free(&*store, 10).await);
    assert!(!is_free(&*store, 39).await);
    assert!(is_free(&*store, 40).await);
}

/// Each narrowing alone and together.
pub async fn a_claim_can_be_narrowed_to_state_tenant_and_keys(store: Arc<impl Store>) {
    for key in ["a", "b", "c"] {
        put(&*store, intent(key, 1)).await;
        put_for(&*store, &tenant("other"), intent(key, 1)).await;
    }
    put(&*store, intent("d", 1).state("waiting")).await;
    let narrowed = Claim {
        tenant: Some(acme()),
        keys: vec!["a".to_owned(), "d".to_owned(), "x".to_owned()],
        ..ready(1, 10)
    };
    let claimed = claim(&*store, narrowed.clone()).await;
    assert_eq!(claimed_keys(&claimed), ["a"]);
    assert_eq!(claimed[0].tenant, acme());
    let any_state = Claim {
        states: Vec::new(),
        ..narrowed
    };
    assert_eq!(claimed_keys(&claim(&*store, any_state).await), ["d"]);
    let other = Claim {
        tenant: Some(tenant("other")),
        ..ready(1, 10)
    };
    assert_eq!(claimed_keys(&claim(&*store, other).await), ["a", "b", "c"]);
    let nothing = Claim {
        limit: 0,
        ..ready(1, 0)
    };
    assert!(claim(&*store, nothing).await.is_empty());
    assert_eq!(
        claimed_keys(&claim(&*store, ready(1, 10)).await),
        ["b", "c"]
    );
}

/// Checkpoints on the way do not let go.
pub async fn a_write_under_the_fence_keeps_the_lease(store: Arc<impl Store>) {
    put(&*store, intent("i", 1)).await;
    let held = claim_one(&*store, 10).await;
    for _ in 0..2 {
        let step = intent("i", 1).expect(Expect::Fence(held.fence));
        assert_eq!(try_put(&*store, step).await, Ok(()));
        assert!(!is_free(&*store, 39).await);
    }
    let record = get(&*store, RecordKind::Intent, "i").await.unwrap();
    assert_eq!(record.version, 3);
    assert!(is_free(&*store, 40).await);
}

/// After the release the record is free at once, and the fence is spent.
pub async fn a_write_that_releases_ends_the_lease(store: Arc<impl Store>) {
    put(&*store, intent("i", 1)).await;
    let held = claim_one(&*store, 10).await;
    let done = || intent("i", 1).expect(Expect::FenceAndRelease(held.fence));
    assert_eq!(try_put(&*store, done()).await, Ok(()));
    assert_eq!(try_put(&*store, done()).await, Err(ErrorKind::Conflict));
    assert!(is_free(&*store, 10).await);
}

/// A worker that slept through its lease finds that another took over.
pub async fn a_stale_fence_cannot_write(store: Arc<impl Store>) {
    put(&*store, intent("i", 1)).await;
    let slow = claim_one(&*store, 10).await;
    let quick = claim_one(&*store, 100).await;
    assert!(quick.fence > slow.fence);
    for expect in [
        Expect::Fence(slow.fence),
        Expect::FenceAndRelease(slow.fence),
    ] {
        let late = intent("i", 1).state("done").expect(expect);
        assert_eq!(try_put(&*store, late).await, Err(ErrorKind::Conflict));
    }
    assert_eq!(
        renew(&*store, "i", slow.fence, 500).await,
        Err(ErrorKind::Conflict)
    );
    let step = intent("i", 1).expect(Expect::Fence(quick.fence));
    assert_eq!(try_put(&*store, step).await, Ok(()));
}

/// A person who changes a record takes it from the worker that held it.
pub async fn a_write_without_the_fence_voids_the_lease(store: Arc<impl Store>) {
    for expect in [Expect::Anything, Expect::Version(1)] {
        let key = format!("{expect:?}");
        put(&*store, intent(&key, 1)).await;
        let held = claim_one(&*store, 10).await;
        let cancelled = intent(&key, 1).state("cancelled").expect(expect);
        assert_eq!(try_put(&*store, cancelled).await, Ok(()));
        let late = intent(&key, 1).expect(Expect::Fence(held.fence));
        assert_eq!(try_put(&*store, late).await, Err(ErrorKind::Conflict));
        let record = get(&*store, RecordKind::Intent, &key).await.unwrap();
        assert_eq!(record.state, "cancelled");
    }
}

/// A long piece of work keeps what it holds.
pub async fn a_renewed_lease_runs_longer(store: Arc<impl Store>) {
    put(&*store, intent("i", 1)).await;
    let held = claim_one(&*store, 10).await;
    assert_eq!(renew(&*store, "i", held.fence, 70).await, Ok(()));
    assert!(!is_free(&*store, 69).await);
    let record = get(&*store, RecordKind::Intent, "i").await.unwrap();
    assert_eq!(record.version, 1);
    assert!(is_free(&*store, 70).await);
    assert_eq!(
        renew(&*store, "i", held.fence, 90).await,
        Err(ErrorKind::Conflict)
    );
}

/// Removing a record and writing it anew does not let an old fence in.
pub async fn a_fence_is_higher_than_every_earlier_one(store: Arc<impl Store>) {
    let mut last = 0;
    for now in [10, 20] {
        put(&*store, intent("i", 1)).await;
        let held = claim_one(&*store, now).await;
        assert!(held.fence > last);
        last = held.fence;
        let gone = Change::Delete {
            kind: RecordKind::Intent,
            key: "i".to_owned(),
            expect: Expect::Fence(held.fence),
        };
        let commit = Commit {
            changes: vec![gone],
            entries: Vec::new(),
        };
        store.commit(&acme(), commit).await.unwrap();
    }
}

/// However many ask at once, every record goes to one of them.
pub async fn many_workers_never_lease_the_same_record(store: Arc<impl Store>) {
    let many = (0..200).fold(Commit::default(), |commit, number| {
        commit.put(intent(&format!("{number:03}"), 1))
    });
    store.commit(&acme(), many).await.unwrap();
    let workers = (0..16).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let claimed = claim(
                    &*store,
                    Claim {
                        lease: Duration::from_hours(1),
                        ..ready(10, 7)
                    },
                )
                .await;
                if claimed.is_empty() {
                    return mine;
                }
                mine.extend(claimed.into_iter().map(|claimed| claimed.record.key));
            }
        })
    });
    let taken: Vec<String> = join_all(workers)
        .await
        .into_iter()
        .flat_map(Result::unwrap)
        .collect();
    assert_eq!(taken.len(), 200);
    assert_eq!(taken.iter().collect::<HashSet<_>>().len(), 200);
}
