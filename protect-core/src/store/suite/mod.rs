//! What every [`Store`] does, as functions that fail by panicking.
//!
//! An implementation calls [`store_suite!`](crate::store_suite) with a future that opens a new,
//! empty store behind an [`Arc`](std::sync::Arc), and gets one test per behaviour.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a suite fails by panicking"
)]

mod claim;
mod commit;
mod ledger;
mod query;

use std::time::Duration;

use jiff::Timestamp;

pub use self::claim::*;
pub use self::commit::*;
pub use self::ledger::*;
pub use self::query::*;
use super::{
    Change, Claim, Claimed, Commit, Expect, NewEntry, Put, Query, Record, RecordKind, Store,
};
use crate::error::ErrorKind;
use crate::model::TenantId;

/// One test per behaviour of a [`Store`]: `store_suite!(async { Arc::new(MyStore::open().await) })`.
///
/// The expression is evaluated once per test and gives a future of an `Arc` of an empty store.
#[macro_export]
macro_rules! store_suite {
    ($open:expr) => {
        $crate::store_suite!($open;
            a_record_is_read_back_as_it_was_written,
            every_write_adds_one_to_the_version,
            a_stale_version_conflicts_and_changes_nothing,
            an_absent_record_can_be_demanded_once,
            a_deleted_record_is_gone_and_can_be_written_anew,
            a_precondition_on_a_missing_record_conflicts,
            a_conflict_in_one_change_undoes_the_whole_commit,
            a_commit_that_names_a_record_twice_is_refused,
            a_nul_character_is_refused,
            a_due_time_is_kept_exactly,
            an_empty_commit_does_nothing,
            records_belong_to_one_tenant_and_one_kind,
            of_many_writers_at_one_version_exactly_one_wins,
            a_large_commit_is_one_commit,
            a_caller_that_goes_away_disturbs_nobody,
            a_page_is_ordered_by_key_and_says_where_the_next_begins,
            a_query_for_keys_gives_those_that_are_there,
            a_prefix_finds_exactly_the_keys_that_begin_so,
            a_query_filters_by_state_group_and_due_time,
            filters_and_pages_work_together,
            keys_are_ordered_by_code_point,
            a_query_of_nothing_is_empty,
            a_claim_leases_what_is_due_oldest_first,
            a_leased_record_is_not_leased_again_until_the_lease_ends,
            a_claim_can_be_narrowed_to_state_tenant_and_keys,
            a_write_under_the_fence_keeps_the_lease,
            a_write_that_releases_ends_the_lease,
            a_stale_fence_cannot_write,
            a_write_without_the_fence_voids_the_lease,
            a_renewed_lease_runs_longer,
            a_fence_is_higher_than_every_earlier_one,
            many_workers_never_lease_the_same_record,
            the_ledger_is_a_chain_per_tenant,
            a_refused_commit_appends_nothing,
            the_ledger_is_read_in_pages,
            the_head_of_the_ledger_is_its_last_entry,
            many_writers_append_to_one_chain,
            what_a_commit_returns_is_what_the_ledger_holds,
        );
    };
    ($open:expr; $($behaviour:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                let store = $open.await;
                $crate::store::suite::$behaviour(store).await;
            }
        )+
    };
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

fn acme() -> TenantId {
    tenant("acme")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn finding(key: &str) -> Put {
    Put::new(RecordKind::Finding, key, &serde_json::json!({ "key": key })).unwrap()
}

fn intent(key: &str, due: i64) -> Put {
    Put::new(RecordKind::Intent, key, &serde_json::json!({ "key": key }))
        .unwrap()
        .state("ready")
        .due(Some(at(due)))
}

fn delete(key: &str, expect: Expect) -> Commit {
    Commit {
        changes: vec![Change::Delete {
            kind: RecordKind::Finding,
            key: key.to_owned(),
            expect,
        }],
        entries: Vec::new(),
    }
}

fn entry(number: usize) -> NewEntry {
    NewEntry {
        kind: "finding.opened".to_owned(),
        actor: "system".to_owned(),
        at: at(0),
        data: [("number".to_owned(), number.into())].into_iter().collect(),
    }
}

fn ready(now: i64, limit: usize) -> Claim {
    Claim {
        kind: RecordKind::Intent,
        states: vec!["ready".to_owned()],
        tenant: None,
        keys: Vec::new(),
        now: at(now),
        lease: Duration::from_secs(30),
        limit,
    }
}

async fn put(store: &impl Store, put: Put) {
    put_for(store, &acme(), put).await;
}

async fn put_for(store: &impl Store, tenant: &TenantId, put: Put) {
    store
        .commit(tenant, Commit::default().put(put))
        .await
        .unwrap();
}

async fn try_put(store: &impl Store, put: Put) -> Result<(), ErrorKind> {
    let done = store.commit(&acme(), Commit::default().put(put)).await;
    done.map(|_| ()).map_err(|error| error.kind())
}

async fn get(store: &impl Store, kind: RecordKind, key: &str) -> Option<Record> {
    let query = Query::keys(kind, vec![key.to_owned()]);
    let page = store.query(&acme(), query).await.unwrap();
    page.records.into_iter().next()
}

async fn keys(store: &impl Store, query: Query) -> Vec<String> {
    let page = store.query(&acme(), query).await.unwrap();
    page.records.into_iter().map(|record| record.key).collect()
}

fn claimed_keys(claimed: &[Claimed]) -> Vec<&str> {
    claimed
        .iter()
        .map(|claimed| claimed.record.key.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_macro_runs_every_behaviour() {
        let files = [
            include_str!("claim.rs"),
            include_str!("commit.rs"),
            include_str!("ledger.rs"),
            include_str!("query.rs"),
        ];
        let listed = include_str!("mod.rs");
        let names = files
            .iter()
            .flat_map(|file| file.split("pub async fn ").skip(1))
            .filter_map(|rest| rest.split('(').next()?.split('<').next());
        let mut count = 0;
        for name in names {
            assert!(listed.contains(&format!("            {name},\n")), "{name}");
            count += 1;
        }
        assert!(count > 30);
    }
}
