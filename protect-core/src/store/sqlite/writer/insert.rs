//! Inserting many rows with few statements.
//!
//! The values are parameters and not JSON: taking the rows out of one JSON parameter took a quarter of
//! the time, all of it on the one thread that writes. Their texts are shared and not copied, for the
//! same reason.

use std::sync::Arc;

use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection};

use super::super::rows::stored_time;
use super::super::trouble::Trouble;
use crate::store::Put;

/// How many rows one statement may have. Few sizes, so that each stays prepared; and large ones, since
/// each statement is handed to the connection's thread and waited for, which takes longer than a row.
/// Ten columns of the largest stay below the 32,766 parameters that SQLite takes.
const SIZES: [usize; 6] = [1_024, 256, 64, 16, 4, 1];

pub(super) type Statement<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// A row of a table.
pub(super) trait InsertRow {
    /// What stands before the rows.
    const HEAD: &'static str;
    /// How many columns a row has.
    const COLUMNS: usize;
    /// What stands behind the rows.
    const TAIL: &'static str;

    /// Binds the columns in their order.
    fn bind<'q>(&'q self, statement: Statement<'q>) -> Statement<'q>;
}

/// Inserts the rows in their order.
pub(super) async fn insert<R: InsertRow>(
    connection: &mut SqliteConnection,
    mut rows: &[R],
) -> Result<(), Trouble> {
    while let Some(size) = SIZES.into_iter().find(|size| *size <= rows.len()) {
        let (piece, rest) = rows.split_at(size);
        let statement = sqlx::query(AssertSqlSafe(sql::<R>(size)));
        let statement = piece.iter().fold(statement, |bound, row| row.bind(bound));
        statement.execute(&mut *connection).await?;
        rows = rest;
    }
    Ok(())
}

fn sql<R: InsertRow>(rows: usize) -> String {
    let row = format!("(?{})", ",?".repeat(R::COLUMNS - 1));
    format!("{}{}{}", R::HEAD, vec![row; rows].join(","), R::TAIL)
}

/// A record; one that is there is replaced.
pub(super) struct RecordRow<'a> {
    pub(super) tenant: Arc<str>,
    pub(super) kind: Arc<str>,
    pub(super) version: i64,
    pub(super) lease_until: Option<String>,
    pub(super) fence: Option<i64>,
    pub(super) put: &'a Put,
}

impl InsertRow for RecordRow<'_> {
    const HEAD: &'static str = "insert into records \
        (tenant, kind, key, version, state, grp, due, lease_until, fence, body) values ";
    const COLUMNS: usize = 10;
    const TAIL: &'static str = " on conflict (tenant, kind, key) do update set \
        version = excluded.version, state = excluded.state, grp = excluded.grp, \
        due = excluded.due, lease_until = excluded.lease_until, fence = excluded.fence, \
        body = excluded.body";

    fn bind<'q>(&'q self, statement: Statement<'q>) -> Statement<'q> {
        let put = self.put;
        statement
            .bind(Arc::clone(&self.tenant))
            .bind(Arc::clone(&self.kind))
            .bind(Arc::clone(&put.key))
            .bind(self.version)
            .bind(Arc::clone(&put.state))
            .bind(Arc::clone(&put.group))
            .bind(put.due.map(stored_time))
            .bind(self.lease_until.as_deref())
            .bind(self.fence)
            .bind(Arc::clone(&put.body))
    }
}

/// An entry of the ledger.
pub(super) struct EntryRow {
    pub(super) tenant: Arc<str>,
    pub(super) sequence: i64,
    pub(super) hash: String,
    pub(super) entry: String,
}

impl InsertRow for EntryRow {
    const HEAD: &'static str = "insert into ledger (tenant, sequence, hash, entry) values ";
    const COLUMNS: usize = 4;
    const TAIL: &'static str = "";

    fn bind<'q>(&'q self, statement: Statement<'q>) -> Statement<'q> {
        statement
            .bind(Arc::clone(&self.tenant))
            .bind(self.sequence)
            .bind(self.hash.as_str())
            .bind(self.entry.as_str())
    }
}
