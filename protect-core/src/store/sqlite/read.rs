//! Queries, on connections of their own that never wait for the writer.

use sqlx::{AssertSqlSafe, SqlitePool};

use super::rows::{RecordRow, json, read_record, stored_limit, stored_number, stored_time};
use super::trouble::Trouble;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{EvidenceEntry, TenantId};
use crate::store::decide::{ledger_after, ledger_key, prefix_end};
use crate::store::{Page, Query, RecordKind, Select};

/// The records that a query asks for, at most `limit`.
pub(super) async fn records(
    pool: &SqlitePool,
    tenant: &TenantId,
    query: &Query,
    kind: RecordKind,
    limit: usize,
) -> Result<Page> {
    fetch(pool, tenant, query, kind, limit)
        .await
        .map_err(|trouble| trouble.to_error())
}

/// The last entry, where there is one.
pub(super) async fn ledger_head(pool: &SqlitePool, tenant: &TenantId) -> Result<Page> {
    let row: Option<(i64, String)> = sqlx::query_as(
        "select sequence, entry from ledger where tenant = ? order by sequence desc limit 1",
    )
    .bind(tenant.as_str())
    .fetch_optional(pool)
    .await
    .map_err(|error| Trouble::from(error).to_error())?;
    let head = row.map(|(sequence, entry)| read_entry(sequence, &entry));
    Ok(Page {
        entries: head.transpose()?.into_iter().collect(),
        ..Page::default()
    })
}

/// The entries that a query asks for.
pub(super) async fn ledger(pool: &SqlitePool, tenant: &TenantId, query: &Query) -> Result<Page> {
    let after = ledger_after(query.after.as_deref())?;
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "select sequence, entry from ledger where tenant = ? and sequence > ? \
         order by sequence limit ?",
    )
    .bind(tenant.as_str())
    .bind(stored_number(after))
    .bind(stored_limit(query.limit.saturating_add(1)))
    .fetch_all(pool)
    .await
    .map_err(|error| Trouble::from(error).to_error())?;
    let more = rows.len() > query.limit;
    let entries = rows
        .into_iter()
        .take(query.limit)
        .map(|(sequence, entry)| read_entry(sequence, &entry))
        .collect::<Result<Vec<_>>>()?;
    Ok(Page {
        next: entries
            .last()
            .filter(|_| more)
            .map(|entry| ledger_key(entry.sequence)),
        entries,
        records: Vec::new(),
    })
}

fn read_entry(sequence: i64, text: &str) -> Result<EvidenceEntry> {
    serde_json::from_str(text).map_err(|_| {
        Error::new(
            ErrorKind::Store,
            "a stored ledger entry is damaged; restore the database from a backup",
        )
        .with_context("sequence", sequence.to_string())
    })
}

async fn fetch(
    pool: &SqlitePool,
    tenant: &TenantId,
    query: &Query,
    kind: RecordKind,
    limit: usize,
) -> Result<Page, Trouble> {
    let index = choose(pool, tenant, query, kind).await?;
    let (sql, values) = statement(tenant, query, kind, index, limit.saturating_add(1))?;
    let mut statement = sqlx::query_as::<_, RecordRow>(AssertSqlSafe(sql));
    for value in values {
        statement = statement.bind(value);
    }
    let mut rows = statement.fetch_all(pool).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let records = rows
        .into_iter()
        .map(|row| read_record(kind, row))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Page {
        next: records
            .last()
            .filter(|_| more)
            .map(|record| record.key.clone()),
        records,
        entries: Vec::new(),
    })
}

/// The index that a query goes by. The planner, who keeps no figures, is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Index {
    /// In order of the keys, leaving what does not fit.
    Key,
    /// Sorts the few records of some groups.
    Group,
    /// Sorts the records of states that few are in.
    State,
}

impl Index {
    fn name(self) -> &'static str {
        match self {
            Self::Key => "records_by_key",
            Self::Group => "records_by_group",
            Self::State => "records_by_state",
        }
    }
}

async fn choose(
    pool: &SqlitePool,
    tenant: &TenantId,
    query: &Query,
    kind: RecordKind,
) -> Result<Index, Trouble> {
    // The index of the groups leaves out those without a name.
    if !query.groups.is_empty() && query.groups.iter().all(|group| !group.is_empty()) {
        return Ok(Index::Group);
    }
    if query.states.is_empty() || matches!(query.what, Select::Keys(..)) {
        return Ok(Index::Key);
    }
    let (found,): (i64,) = sqlx::query_as(
        "select count(*) from (select 1 from records indexed by records_by_state \
         where tenant = ? and kind = ? and state in (select value from json_each(?)) limit ?)",
    )
    .bind(tenant.as_str())
    .bind(kind.as_str())
    .bind(json(&query.states)?)
    .bind(FEW + 1)
    .fetch_one(pool)
    .await?;
    Ok(if found > FEW {
        Index::Key
    } else {
        Index::State
    })
}

/// How many records are sorted rather than looked for in the order of the keys.
const FEW: i64 = 5_000;

/// A statement that gives at most `limit` records, and its parameters.
pub(super) fn statement(
    tenant: &TenantId,
    query: &Query,
    kind: RecordKind,
    index: Index,
    limit: usize,
) -> Result<(String, Vec<String>), Trouble> {
    let mut conditions = Conditions::default();
    conditions.add("tenant = ?", tenant.as_str().to_owned());
    conditions.add("kind = ?", kind.as_str().to_owned());
    conditions.narrow_keys(query)?;
    conditions.narrow_rest(query, index)?;
    let sql = format!(
        "select key, version, state, grp, due, body from records indexed by {} where {} \
         order by key limit {}",
        index.name(),
        conditions.sql.join(" and "),
        stored_limit(limit),
    );
    Ok((sql, conditions.values))
}

/// What a query demands, and its parameters.
#[derive(Default)]
struct Conditions {
    sql: Vec<&'static str>,
    values: Vec<String>,
}

impl Conditions {
    fn narrow_keys(&mut self, query: &Query) -> Result<(), Trouble> {
        match &query.what {
            Select::Keys(_, keys) => {
                self.add("key in (select value from json_each(?))", json(keys)?);
            }
            Select::Prefix(_, prefix) => {
                self.add("key >= ?", prefix.clone());
                if let Some(end) = prefix_end(prefix) {
                    self.add("key < ?", end);
                }
            }
            Select::All(_) | Select::Ledger | Select::LedgerHead => {}
        }
        if let Some(after) = &query.after {
            self.add("key > ?", after.clone());
        }
        Ok(())
    }

    fn narrow_rest(&mut self, query: &Query, index: Index) -> Result<(), Trouble> {
        if !query.groups.is_empty() {
            let groups = json(&query.groups)?;
            self.add("grp in (select value from json_each(?))", groups);
        }
        if index == Index::Group {
            // What the partial index needs to hear.
            self.sql.push("grp <> ''");
        }
        if !query.states.is_empty() {
            let states = json(&query.states)?;
            self.add("state in (select value from json_each(?))", states);
        }
        if let Some(time) = query.due_by {
            self.add("due <= ?", stored_time(time));
        }
        Ok(())
    }

    fn add(&mut self, sql: &'static str, value: String) {
        self.sql.push(sql);
        self.values.push(value);
    }
}
