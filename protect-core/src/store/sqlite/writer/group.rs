//! Many commits decided against one reading of the database, and written together.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::super::rows::{
    RecordRow, json as to_json, read_number, read_record, read_time, stored_limit, stored_number,
    stored_time,
};
use super::super::trouble::Trouble;
use super::insert::{EntryRow, RecordRow as Row, insert};
use crate::error::Result;
use crate::ledger::{FIRST_PREVIOUS, seal_as_text};
use crate::model::{EvidenceEntry, TenantId};
use crate::store::decide::{Lease, Standing};
use crate::store::{Change, Claim, Claimed, Commit, Committed, Put, RecordKind};

/// The records and ledgers that some commits are about.
#[derive(Default)]
pub(super) struct Group<'a> {
    index: HashMap<Target<'a>, usize>,
    slots: Vec<Slot<'a>>,
    heads: HashMap<&'a TenantId, Head>,
    entries: Vec<EntryRow>,
}

type Target<'a> = (&'a TenantId, RecordKind, &'a str);

/// One record: how it stands in the database, and how it will.
struct Slot<'a> {
    target: Target<'a>,
    before: Option<Standing>,
    after: Option<Standing>,
    /// The last content, where one was written.
    put: Option<&'a Put>,
}

type KeyRow<'a> = (&'a TenantId, &'static str, &'a str);
type LeaseRow<'a> = (&'a TenantId, &'static str, &'a str, Option<String>);

/// The end of a chain.
struct Head {
    sequence: u64,
    hash: String,
}

impl<'a> Group<'a> {
    /// Reads how everything stands that the commits look at.
    pub(super) async fn read(
        connection: &mut SqliteConnection,
        commits: impl Iterator<Item = (&'a TenantId, &'a Commit)>,
    ) -> Result<Self, Trouble> {
        let mut group = Self::default();
        for (tenant, commit) in commits {
            for change in &commit.changes {
                group.slot(tenant, change);
            }
            if !commit.entries.is_empty() {
                group.heads.entry(tenant).or_insert_with(Head::first);
            }
        }
        group.read_records(connection).await?;
        group.read_heads(connection).await?;
        Ok(group)
    }

    /// Makes one commit, or leaves everything as it is.
    ///
    /// # Errors
    /// `conflict`.
    pub(super) fn decide(&mut self, tenant: &'a TenantId, commit: &'a Commit) -> Result<Committed> {
        let mut decided = Vec::with_capacity(commit.changes.len());
        for change in &commit.changes {
            let slot = self.slot(tenant, change);
            decided.push((slot, change, change.apply_to(self.slots[slot].after)?));
        }
        let entries = self.append(tenant, commit)?;
        for (slot, change, after) in decided {
            let slot = &mut self.slots[slot];
            slot.after = after;
            match change {
                Change::Put(put) => slot.put = Some(put),
                Change::Delete { .. } => slot.put = None,
                Change::Renew { .. } => {}
            }
        }
        Ok(Committed { entries })
    }

    /// Writes what the commits came to, in the order of the keys: neighbours share pages.
    pub(super) async fn write(&self, connection: &mut SqliteConnection) -> Result<(), Trouble> {
        let mut slots: Vec<&Slot<'_>> = self.slots.iter().collect();
        slots.sort_unstable_by_key(|slot| slot.target);
        let (mut puts, mut deletes, mut leases) = (Vec::new(), Vec::new(), Vec::new());
        let mut names = Names::default();
        for slot in slots {
            match (slot.after, slot.put) {
                (Some(after), Some(put)) => puts.push(slot.row(after, put, &mut names)),
                (Some(after), None) if slot.after != slot.before => leases.push(slot.lease(after)),
                (None, _) if slot.before.is_some() => deletes.push(slot.key()),
                _ => {}
            }
        }
        insert(connection, &puts).await?;
        insert(connection, &self.entries).await?;
        for (sql, rows) in [(DELETE, to_json(&deletes)?), (LEASE, to_json(&leases)?)] {
            if rows != NOTHING {
                sqlx::query(sql)
                    .bind(rows)
                    .execute(&mut *connection)
                    .await?;
            }
        }
        Ok(())
    }

    fn slot(&mut self, tenant: &'a TenantId, change: &'a Change) -> usize {
        let (kind, key) = change.target();
        let target = (tenant, kind, key);
        *self.index.entry(target).or_insert_with(|| {
            self.slots.push(Slot {
                target,
                before: None,
                after: None,
                put: None,
            });
            self.slots.len() - 1
        })
    }

    fn append(&mut self, tenant: &'a TenantId, commit: &Commit) -> Result<Vec<EvidenceEntry>> {
        let Some(head) = self
            .heads
            .get_mut(tenant)
            .filter(|_| !commit.entries.is_empty())
        else {
            return Ok(Vec::new());
        };
        let name: Arc<str> = tenant.as_str().into();
        let mut sealed = Vec::with_capacity(commit.entries.len());
        let mut rows = Vec::with_capacity(commit.entries.len());
        for (entry, sequence) in commit.entries.iter().zip(head.sequence + 1..) {
            let previous = sealed
                .last()
                .map_or(&head.hash, |entry: &EvidenceEntry| &entry.hash);
            let (entry, text) = seal_as_text(previous, sequence, tenant, entry.clone())?;
            rows.push(EntryRow {
                tenant: Arc::clone(&name),
                sequence: stored_number(sequence),
                hash: entry.hash.clone(),
                entry: text,
            });
            sealed.push(entry);
        }
        if let Some(last) = sealed.last() {
            head.sequence = last.sequence;
            head.hash.clone_from(&last.hash);
        }
        self.entries.append(&mut rows);
        Ok(sealed)
    }

    async fn read_records(&mut self, connection: &mut SqliteConnection) -> Result<(), Trouble> {
        let mut slots: Vec<&mut Slot<'_>> = self.slots.iter_mut().collect();
        slots.sort_unstable_by_key(|slot| slot.target);
        for slots in slots.chunk_by_mut(|one, other| one.shelf() == other.shelf()) {
            read_shelf(&mut *connection, slots).await?;
        }
        Ok(())
    }

    async fn read_heads(&mut self, connection: &mut SqliteConnection) -> Result<(), Trouble> {
        for (tenant, head) in &mut self.heads {
            let last: Option<(i64, String)> = sqlx::query_as(
                "select sequence, hash from ledger where tenant = ? order by sequence desc limit 1",
            )
            .bind(tenant.as_str())
            .fetch_optional(&mut *connection)
            .await?;
            if let Some((sequence, hash)) = last {
                head.sequence = read_number(sequence)?;
                head.hash = hash;
            }
        }
        Ok(())
    }
}

impl Head {
    fn first() -> Self {
        Self {
            sequence: 0,
            hash: FIRST_PREVIOUS.to_owned(),
        }
    }
}

/// Reads how the records of one tenant and kind stand.
async fn read_shelf(
    connection: &mut SqliteConnection,
    slots: &mut [&mut Slot<'_>],
) -> Result<(), Trouble> {
    let Some((tenant, kind)) = slots.first().map(|slot| slot.shelf()) else {
        return Ok(());
    };
    let keys: Vec<&str> = slots.iter().map(|slot| slot.target.2).collect();
    let rows: Vec<(i64, i64, Option<i64>, Option<String>)> = sqlx::query_as(
        "select wanted.key, found.version, found.fence, found.lease_until \
         from json_each(?) as wanted cross join records as found \
         on found.tenant = ? and found.kind = ? and found.key = wanted.value",
    )
    .bind(to_json(&keys)?)
    .bind(tenant.as_str())
    .bind(kind.as_str())
    .fetch_all(connection)
    .await?;
    for (slot, version, fence, until) in rows {
        let slot = usize::try_from(slot)
            .ok()
            .and_then(|slot| slots.get_mut(slot));
        let slot = slot.ok_or_else(Trouble::damaged)?;
        slot.before = Some(Standing {
            version: read_number(version)?,
            lease: read_lease(fence, until.as_deref())?,
        });
        slot.after = slot.before;
    }
    Ok(())
}

impl<'a> Slot<'a> {
    /// The tenant and the kind.
    fn shelf(&self) -> (&'a TenantId, RecordKind) {
        (self.target.0, self.target.1)
    }

    fn key(&self) -> KeyRow<'a> {
        let (tenant, kind, key) = self.target;
        (tenant, kind.as_str(), key)
    }

    fn lease(&self, after: Standing) -> LeaseRow<'a> {
        let (tenant, kind, key) = self.target;
        let until = after.lease.map(|lease| stored_time(lease.until));
        (tenant, kind.as_str(), key, until)
    }

    fn row(&self, after: Standing, put: &'a Put, names: &mut Names) -> Row<'a> {
        let (tenant, kind, _) = self.target;
        Row {
            tenant: shared(&mut names.tenant, tenant.as_str()),
            kind: shared(&mut names.kind, kind.as_str()),
            version: stored_number(after.version),
            lease_until: after.lease.map(|lease| stored_time(lease.until)),
            fence: after.lease.map(|lease| stored_number(lease.fence)),
            put,
        }
    }
}

/// The names that neighbouring rows share.
#[derive(Default)]
struct Names {
    tenant: Arc<str>,
    kind: Arc<str>,
}

/// The name, shared with the row before where it is the same.
fn shared(last: &mut Arc<str>, name: &str) -> Arc<str> {
    if **last != *name {
        *last = name.into();
    }
    Arc::clone(last)
}

/// Leases what the claim asks for.
pub(super) async fn claim(
    connection: &mut SqliteConnection,
    claim: &Claim,
    until: Timestamp,
) -> Result<Vec<Claimed>, Trouble> {
    let found = due(connection, claim).await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let (fence,): (i64,) = sqlx::query_as("update fence set last = last + 1 returning last")
        .fetch_one(&mut *connection)
        .await?;
    let keys: Vec<(&str, &str, &str)> = found
        .iter()
        .map(|(tenant, (key, ..))| (tenant.as_str(), claim.kind.as_str(), key.as_str()))
        .collect();
    sqlx::query(
        "update records set fence = ?, lease_until = ? from json_each(?) as wanted \
         where tenant = wanted.value ->> 0 and kind = wanted.value ->> 1 \
         and records.key = wanted.value ->> 2",
    )
    .bind(fence)
    .bind(stored_time(until))
    .bind(to_json(&keys)?)
    .execute(connection)
    .await?;
    let fence = read_number(fence)?;
    found
        .into_iter()
        .map(|(tenant, row)| {
            Ok(Claimed {
                tenant: TenantId::new(tenant).map_err(|_| Trouble::damaged())?,
                record: read_record(claim.kind, row)?,
                fence,
            })
        })
        .collect()
}

async fn due(
    connection: &mut SqliteConnection,
    claim: &Claim,
) -> Result<Vec<(String, RecordRow)>, Trouble> {
    let mut sql = "select tenant, key, version, state, grp, due, body from records \
                   where kind = ? and due is not null and due <= ? \
                   and (lease_until is null or lease_until <= ?)"
        .to_owned();
    let mut values = Vec::new();
    if let Some(tenant) = &claim.tenant {
        sql.push_str(" and tenant = ?");
        values.push(tenant.as_str().to_owned());
    }
    for (column, wanted) in [("key", &claim.keys), ("state", &claim.states)] {
        if !wanted.is_empty() {
            sql.push_str(" and ");
            sql.push_str(column);
            sql.push_str(" in (select value from json_each(?))");
            values.push(to_json(wanted)?);
        }
    }
    sql.push_str(" order by due, tenant, key limit ?");
    let now = stored_time(claim.now);
    let mut statement = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(claim.kind.as_str())
        .bind(&now)
        .bind(&now);
    for value in &values {
        statement = statement.bind(value);
    }
    let rows = statement
        .bind(stored_limit(claim.limit))
        .fetch_all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(tenant, key, version, state, group, due, body)| {
            (tenant, (key, version, state, group, due, body))
        })
        .collect())
}

fn read_lease(fence: Option<i64>, until: Option<&str>) -> Result<Option<Lease>, Trouble> {
    let (Some(fence), Some(until)) = (fence, until) else {
        return Ok(None);
    };
    Ok(Some(Lease {
        fence: read_number(fence)?,
        until: read_time(until)?,
    }))
}

const DELETE: &str = "delete from records where (tenant, kind, key) in \
    (select value ->> 0, value ->> 1, value ->> 2 from json_each(?1))";

const LEASE: &str = "update records set lease_until = wanted.value ->> 3 \
    from json_each(?1) as wanted \
    where tenant = wanted.value ->> 0 and kind = wanted.value ->> 1 \
    and records.key = wanted.value ->> 2";

/// A list of none.
const NOTHING: &str = "[]";
