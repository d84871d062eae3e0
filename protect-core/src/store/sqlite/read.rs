//! Queries, on connections of their own that never wait for the writer.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, SqlitePool};

use super::rows::{RecordRow, json, read_record, stored_limit, stored_number, stored_time};
use super::trouble::Trouble;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{EvidenceEntry, TenantId};
use crate::store::decide::{ledger_after, ledger_key, prefix_end};
use crate::store::{Page, Query, RecordKind, Select};

/// The records that a query asks for.
pub(super) async fn records(pool: &SqlitePool, tenant: &TenantId, query: &Query) -> Result<Page> {
    let (kind, limit) = match &query.what {
        Select::Keys(kind, _) => (*kind, usize::MAX),
        Select::All(kind) | Select::Prefix(kind, _) => (*kind, query.limit),
        Select::Ledger => return ledger(pool, tenant, query).await,
    };
    fetch(pool, tenant, query, kind, limit)
        .await
        .map_err(|trouble| trouble.to_error())
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
    let (sql, values) = statement(tenant, query, kind, limit.saturating_add(1))?;
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

/// A statement that gives at most `limit` records, and its parameters.
///
/// Each state is looked up on its own, so that the index gives its keys in order and no more of
/// them are read than the page holds. The planner, who knows no figures, is told the index.
pub(super) fn statement(
    tenant: &TenantId,
    query: &Query,
    kind: RecordKind,
    limit: usize,
) -> Result<(String, Vec<String>), Trouble> {
    let order = format!(" order by key limit {}", stored_limit(limit));
    let mut common = Conditions::default();
    common.add("tenant = ?", tenant.as_str().to_owned());
    common.add("kind = ?", kind.as_str().to_owned());
    common.narrow_keys(query)?;
    common.narrow_groups(&query.groups)?;
    let by_state = !query.states.is_empty()
        && query.states.len() <= MOST_STATES
        && query.groups.is_empty()
        && !matches!(query.what, Select::Keys(..));
    if !by_state {
        common.narrow_states(&query.states)?;
        let index = if query.groups.is_empty() || query.groups.iter().any(String::is_empty) {
            ""
        } else {
            "indexed by records_by_group"
        };
        return Ok((common.select(index) + &order, common.values));
    }
    let states: BTreeSet<&String> = query.states.iter().collect();
    let mut parts = Vec::with_capacity(states.len());
    let mut values = Vec::new();
    for state in states {
        let mut one = common.clone();
        one.add("state = ?", state.clone());
        let select = one.select("indexed by records_by_state");
        parts.push(format!("select * from ({select}{order})"));
        values.append(&mut one.values);
    }
    Ok((parts.join(" union all ") + &order, values))
}

/// How many states are looked up each on its own; a kind has no more than a dozen.
const MOST_STATES: usize = 32;

/// The part of a statement that a query decides, and its parameters.
#[derive(Clone, Default)]
struct Conditions {
    sql: Vec<&'static str>,
    values: Vec<String>,
}

impl Conditions {
    fn select(&self, index: &str) -> String {
        let conditions = self.sql.join(" and ");
        format!(
            "select key, version, state, grp, due, body from records {index} where {conditions}"
        )
    }

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
            Select::All(_) | Select::Ledger => {}
        }
        if let Some(after) = &query.after {
            self.add("key > ?", after.clone());
        }
        if let Some(time) = query.due_by {
            self.add("due <= ?", stored_time(time));
        }
        Ok(())
    }

    fn narrow_groups(&mut self, groups: &[String]) -> Result<(), Trouble> {
        match groups {
            [] => return Ok(()),
            [group] => self.add("grp = ?", group.clone()),
            groups => self.add("grp in (select value from json_each(?))", json(&groups)?),
        }
        if groups.iter().all(|group| !group.is_empty()) {
            // What the partial index needs to hear.
            self.sql.push("grp <> ''");
        }
        Ok(())
    }

    /// Groups and keys leave fewer rows than states do.
    fn narrow_states(&mut self, states: &[String]) -> Result<(), Trouble> {
        if !states.is_empty() {
            self.add("state in (select value from json_each(?))", json(&states)?);
        }
        Ok(())
    }

    fn add(&mut self, sql: &'static str, value: String) {
        self.sql.push(sql);
        self.values.push(value);
    }
}
