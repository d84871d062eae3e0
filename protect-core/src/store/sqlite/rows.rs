//! How times, numbers and records stand in the tables.

use jiff::Timestamp;

use super::trouble::Trouble;
use crate::store::{Record, RecordKind};

/// A time as it is stored: of fixed width, so that it sorts as text, and exact.
pub(super) fn stored_time(time: Timestamp) -> String {
    format!("{time:.9}")
}

/// A stored time.
pub(super) fn read_time(text: &str) -> Result<Timestamp, Trouble> {
    text.parse().map_err(|_| Trouble::damaged())
}

/// A number as SQLite keeps it. Nothing counts as far as 2^63.
pub(super) fn stored_number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A limit as SQLite takes it.
pub(super) fn stored_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A stored number.
pub(super) fn read_number(number: i64) -> Result<u64, Trouble> {
    u64::try_from(number).map_err(|_| Trouble::damaged())
}

/// The columns of a record: key, version, state, grp, due, body.
pub(super) type RecordRow = (String, i64, String, String, Option<String>, String);

pub(super) fn read_record(kind: RecordKind, row: RecordRow) -> Result<Record, Trouble> {
    let (key, version, state, group, due, body) = row;
    Ok(Record {
        kind,
        key,
        version: read_number(version)?,
        state,
        group,
        due: due.as_deref().map(read_time).transpose()?,
        body,
    })
}

/// A list as one JSON parameter, for `json_each`.
pub(super) fn json(list: &impl serde::Serialize) -> Result<String, Trouble> {
    serde_json::to_string(list).map_err(|_| Trouble::damaged())
}
