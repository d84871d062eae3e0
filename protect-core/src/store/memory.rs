//! Everything in memory: for tests, trials and the pure half of the road.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use jiff::Timestamp;

use super::decide::{Lease, Standing, check, ledger_after, ledger_key, prefix_end};
use super::{
    Change, Claim, Claimed, Commit, Committed, Page, Put, Query, Record, RecordKind, Select, Store,
};
use crate::error::Result;
use crate::ledger::{FIRST_PREVIOUS, seal};
use crate::model::{EvidenceEntry, TenantId};

/// A [`Store`] that forgets everything with the process.
#[derive(Default)]
pub struct MemoryStore {
    inner: RwLock<Inner>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, tenant: &TenantId, commit: Commit) -> Result<Committed> {
        check(&commit)?;
        self.write().commit(tenant, commit)
    }

    async fn query(&self, tenant: &TenantId, query: Query) -> Result<Page> {
        let inner = match query.what {
            // Nobody writes between the ordering and the reading: a query sees a commit whole or not.
            Select::All(kind) | Select::Prefix(kind, _) => {
                let mut inner = self.write();
                inner.put_in_order(tenant, kind);
                RwLockWriteGuard::downgrade(inner)
            }
            _ => self.read(),
        };
        match inner.tenants.get(tenant) {
            Some(books) => books.query(&query),
            None => Ok(Page::default()),
        }
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>> {
        self.write().claim(&claim)
    }
}

#[derive(Default)]
struct Inner {
    tenants: HashMap<TenantId, Books>,
    /// Every record with a due time, in the order in which they are leased.
    due: BTreeMap<RecordKind, BTreeSet<Due>>,
    fence: u64,
}

type Due = (Timestamp, TenantId, Arc<str>);

/// What belongs to one tenant.
#[derive(Default)]
struct Books {
    kinds: BTreeMap<RecordKind, Shelf>,
    ledger: Vec<EvidenceEntry>,
}

/// The records of one kind.
#[derive(Default)]
struct Shelf {
    /// By key: most are asked for by it, which a hash answers in one step.
    rows: HashMap<Arc<str>, Row>,
    /// The keys in order, but for those in `fresh`.
    order: BTreeSet<Arc<str>>,
    /// Keys that nobody has asked for in order yet.
    fresh: Vec<Arc<str>>,
    /// The keys of each group that has a name, in no order: most have few.
    groups: Groups,
}

type Groups = HashMap<Arc<str>, Vec<Arc<str>>>;

struct Row {
    standing: Standing,
    state: Arc<str>,
    group: Arc<str>,
    due: Option<Timestamp>,
    body: Arc<str>,
}

impl Inner {
    fn commit(&mut self, tenant: &TenantId, commit: Commit) -> Result<Committed> {
        let books = self.tenants.entry(tenant.clone()).or_default();
        let after = commit
            .changes
            .iter()
            .map(|change| change.apply_to(books.standing(change)))
            .collect::<Result<Vec<_>>>()?;
        let entries = books.seal(tenant, commit.entries)?;
        books.ledger.extend(entries.iter().cloned());
        for (change, standing) in commit.changes.into_iter().zip(after) {
            let due = self.due.entry(change.target().0).or_default();
            books.make(tenant, due, change, standing);
        }
        Ok(Committed { entries })
    }

    fn put_in_order(&mut self, tenant: &TenantId, kind: RecordKind) {
        let books = self.tenants.get_mut(tenant);
        if let Some(shelf) = books.and_then(|books| books.kinds.get_mut(&kind)) {
            shelf.put_in_order();
        }
    }

    fn claim(&mut self, claim: &Claim) -> Result<Vec<Claimed>> {
        let until = claim.until()?;
        let Some(due) = self.due.get(&claim.kind) else {
            return Ok(Vec::new());
        };
        let tenants = &self.tenants;
        let found: Vec<(TenantId, Arc<str>)> = due
            .iter()
            .take_while(|(time, _, _)| *time <= claim.now)
            .filter(|(_, tenant, key)| {
                let row = tenants
                    .get(tenant)
                    .and_then(|books| books.row(claim.kind, key));
                row.is_some_and(|row| claim.takes(tenant, key, row))
            })
            .take(claim.limit)
            .map(|(_, tenant, key)| (tenant.clone(), Arc::clone(key)))
            .collect();
        self.fence += 1;
        let lease = Lease {
            fence: self.fence,
            until,
        };
        Ok(found
            .into_iter()
            .filter_map(|(tenant, key)| {
                let books = self.tenants.get_mut(&tenant)?;
                let row = books.kinds.get_mut(&claim.kind)?.rows.get_mut(&key)?;
                row.standing.lease = Some(lease);
                Some(Claimed {
                    record: row.record(claim.kind, &key),
                    tenant,
                    fence: lease.fence,
                })
            })
            .collect())
    }
}

impl Claim {
    fn takes(&self, tenant: &TenantId, key: &str, row: &Row) -> bool {
        (self.tenant.is_none() || self.tenant.as_ref() == Some(tenant))
            && (self.keys.is_empty() || self.keys.iter().any(|wanted| wanted == key))
            && (self.states.is_empty() || self.states.iter().any(|state| **state == *row.state))
            && row
                .standing
                .lease
                .is_none_or(|lease| lease.until <= self.now)
    }
}

impl Books {
    fn row(&self, kind: RecordKind, key: &str) -> Option<&Row> {
        self.kinds.get(&kind)?.rows.get(key)
    }

    fn standing(&self, change: &Change) -> Option<Standing> {
        let (kind, key) = change.target();
        self.row(kind, key).map(|row| row.standing)
    }

    fn seal(&self, tenant: &TenantId, entries: Vec<super::NewEntry>) -> Result<Vec<EvidenceEntry>> {
        let head = self.ledger.last();
        let mut sequence = head.map_or(0, |entry| entry.sequence);
        let mut previous = head.map_or(FIRST_PREVIOUS, |entry| &entry.hash).to_owned();
        entries
            .into_iter()
            .map(|entry| {
                sequence += 1;
                let entry = seal(&previous, sequence, tenant, entry)?;
                previous.clone_from(&entry.hash);
                Ok(entry)
            })
            .collect()
    }

    fn make(
        &mut self,
        tenant: &TenantId,
        due: &mut BTreeSet<Due>,
        change: Change,
        standing: Option<Standing>,
    ) {
        let shelf = self.kinds.entry(change.target().0).or_default();
        match (change, standing) {
            (Change::Put(put), Some(standing)) => shelf.put(tenant, due, put, standing),
            (Change::Renew { key, .. }, Some(standing)) => {
                if let Some(row) = shelf.rows.get_mut(key.as_str()) {
                    row.standing = standing;
                }
            }
            (change, _) => shelf.remove(tenant, due, change.target().1),
        }
    }

    fn query(&self, query: &Query) -> Result<Page> {
        let (kind, keys) = match &query.what {
            Select::Ledger => return self.ledger_page(query),
            Select::LedgerHead => {
                return Ok(Page {
                    entries: self.ledger.last().cloned().into_iter().collect(),
                    ..Page::default()
                });
            }
            Select::Keys(kind, keys) => (kind, Some(keys)),
            Select::All(kind) | Select::Prefix(kind, _) => (kind, None),
        };
        let Some(shelf) = self.kinds.get(kind) else {
            return Ok(Page::default());
        };
        let limit = match keys {
            Some(_) => usize::MAX,
            None => query.limit,
        };
        let mut found = shelf
            .candidates(query, keys)
            .filter(|(_, row)| query.wants(row));
        let records: Vec<Record> = found
            .by_ref()
            .take(limit)
            .map(|(key, row)| row.record(*kind, key))
            .collect();
        let more = found.next().is_some();
        Ok(Page {
            next: records
                .last()
                .filter(|_| more)
                .map(|record| record.key.clone()),
            records,
            entries: Vec::new(),
        })
    }

    fn ledger_page(&self, query: &Query) -> Result<Page> {
        let after = ledger_after(query.after.as_deref())?;
        let start =
            usize::try_from(after).map_or(self.ledger.len(), |after| after.min(self.ledger.len()));
        let end = start.saturating_add(query.limit).min(self.ledger.len());
        let entries = self.ledger[start..end].to_vec();
        Ok(Page {
            next: entries
                .last()
                .filter(|_| end < self.ledger.len())
                .map(|entry| ledger_key(entry.sequence)),
            entries,
            records: Vec::new(),
        })
    }
}

impl Query {
    fn wants(&self, row: &Row) -> bool {
        (self.states.is_empty() || self.states.iter().any(|state| **state == *row.state))
            && (self.groups.is_empty() || self.groups.iter().any(|group| **group == *row.group))
            && self
                .due_by
                .is_none_or(|time| row.due.is_some_and(|due| due <= time))
    }
}

impl Shelf {
    fn put_in_order(&mut self) {
        self.order.extend(self.fresh.drain(..));
    }

    /// The rows that the index alone leaves, ordered by key.
    fn candidates<'a>(
        &'a self,
        query: &'a Query,
        keys: Option<&'a Vec<String>>,
    ) -> Box<dyn Iterator<Item = (&'a str, &'a Row)> + 'a> {
        let range = Range::of(query);
        let row = |key: &'a str| Some((key, self.rows.get(key)?));
        if let Some(keys) = keys {
            let keys = keys.iter().map(String::as_str);
            let keys: BTreeSet<&str> = keys.filter(|key| range.holds(key)).collect();
            return Box::new(keys.into_iter().filter_map(row));
        }
        if !query.groups.is_empty() && query.groups.iter().all(|group| !group.is_empty()) {
            let keys: BTreeSet<&str> = query
                .groups
                .iter()
                .filter_map(|group| self.groups.get(group.as_str()))
                .flatten()
                .map(AsRef::as_ref)
                .filter(|key| range.holds(key))
                .collect();
            return Box::new(keys.into_iter().filter_map(row));
        }
        if range.is_empty() {
            return Box::new(std::iter::empty());
        }
        let keys = self.order.range::<str, _>((range.from, range.to()));
        Box::new(keys.map(AsRef::as_ref).filter_map(row))
    }

    fn put(&mut self, tenant: &TenantId, due: &mut BTreeSet<Due>, put: Put, standing: Standing) {
        let key = put.key;
        if let Some(time) = put.due {
            due.insert((time, tenant.clone(), Arc::clone(&key)));
        }
        let row = Row {
            standing,
            state: put.state,
            group: put.group,
            due: put.due,
            body: put.body,
        };
        match self.rows.entry(key) {
            Entry::Vacant(place) => {
                self.fresh.push(Arc::clone(place.key()));
                join_group(&mut self.groups, &row, place.key());
                place.insert(row);
            }
            Entry::Occupied(mut place) => {
                let old = std::mem::replace(place.get_mut(), row);
                let (key, new) = (place.key(), place.get());
                if old.due != new.due {
                    forget_due(due, &old, tenant, key);
                }
                if old.group != new.group {
                    forget_group(&mut self.groups, &old, key);
                    join_group(&mut self.groups, new, key);
                }
            }
        }
    }

    fn remove(&mut self, tenant: &TenantId, due: &mut BTreeSet<Due>, key: &str) {
        if let Some(old) = self.rows.remove(key) {
            self.put_in_order();
            self.order.remove(key);
            forget_due(due, &old, tenant, key);
            forget_group(&mut self.groups, &old, key);
        }
    }
}

fn forget_due(due: &mut BTreeSet<Due>, old: &Row, tenant: &TenantId, key: &str) {
    if let Some(time) = old.due {
        due.remove(&(time, tenant.clone(), key.into()));
    }
}

fn join_group(groups: &mut Groups, row: &Row, key: &Arc<str>) {
    if !row.group.is_empty() {
        let keys = groups.entry(Arc::clone(&row.group)).or_default();
        keys.push(Arc::clone(key));
    }
}

fn forget_group(groups: &mut Groups, old: &Row, key: &str) {
    if let Some(keys) = groups.get_mut(&old.group) {
        keys.retain(|member| **member != *key);
        if keys.is_empty() {
            groups.remove(&old.group);
        }
    }
}

impl Row {
    fn record(&self, kind: RecordKind, key: &str) -> Record {
        Record {
            kind,
            key: key.to_owned(),
            version: self.standing.version,
            state: self.state.to_string(),
            group: self.group.to_string(),
            due: self.due,
            body: self.body.to_string(),
        }
    }
}

/// The keys that a query may give.
struct Range<'a> {
    from: Bound<&'a str>,
    end: Option<String>,
}

impl<'a> Range<'a> {
    fn of(query: &'a Query) -> Self {
        let prefix = match &query.what {
            Select::Prefix(_, prefix) => prefix.as_str(),
            _ => "",
        };
        Self {
            from: match query.after.as_deref() {
                Some(after) if after >= prefix => Bound::Excluded(after),
                _ => Bound::Included(prefix),
            },
            end: prefix_end(prefix),
        }
    }
}

impl Range<'_> {
    fn to(&self) -> Bound<&str> {
        match &self.end {
            Some(end) => Bound::Excluded(end),
            None => Bound::Unbounded,
        }
    }

    fn holds(&self, key: &str) -> bool {
        let behind = match self.from {
            Bound::Included(from) => key >= from,
            Bound::Excluded(from) => key > from,
            Bound::Unbounded => true,
        };
        behind && self.end.as_deref().is_none_or(|end| key < end)
    }

    /// Whether the bounds cross, at which a map's own range would panic.
    fn is_empty(&self) -> bool {
        match (self.from, self.end.as_deref()) {
            (Bound::Included(from) | Bound::Excluded(from), Some(end)) => from >= end,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::MemoryStore;
    use crate::model::TenantId;
    use crate::store::{Commit, Put, Query, RecordKind, Store as _};

    crate::store_suite!(async { Arc::new(MemoryStore::new()) });

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_listing_sees_each_commit_whole_or_not_at_all() {
        let store = Arc::new(MemoryStore::new());
        let acme = TenantId::new("acme").unwrap();
        let last = 2_000;
        let put = |key: String, content: usize| Put::new(RecordKind::Finding, key, &content);
        let writer = tokio::spawn({
            let (store, acme) = (Arc::clone(&store), acme.clone());
            async move {
                for number in 1..=last {
                    // How many there are, and one more of them.
                    let commit = Commit::default()
                        .put(put("count".to_owned(), number).unwrap())
                        .put(put(format!("item {number}"), number).unwrap());
                    store.commit(&acme, commit).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        });
        let mut counted = 0;
        while counted < last {
            let all = Query::all(RecordKind::Finding).limit(last + 1);
            let records = store.query(&acme, all).await.unwrap().records;
            let count = records.iter().find(|record| record.key == "count");
            counted = count.map_or(0, |count| count.read().unwrap());
            assert_eq!(records.len(), counted + usize::from(counted > 0));
            tokio::task::yield_now().await;
        }
        writer.await.unwrap();
    }
}
