//! What a commit means for a record, the same in every implementation.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{Change, Claim, Commit, Expect, NewEntry, RecordKind};
use crate::error::{Error, ErrorKind, Result};

/// Where a record stands, as far as preconditions look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// How often it was written.
    pub(super) version: u64,
    /// The lease on it, where one was given and neither released nor voided.
    pub(super) lease: Option<Lease>,
}

/// A lease on a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) fence: u64,
    pub(super) until: Timestamp,
}

impl Change {
    /// What the change is about.
    pub(super) fn target(&self) -> (RecordKind, &str) {
        match self {
            Self::Put(put) => (put.kind, &put.key),
            Self::Delete { kind, key, .. } | Self::Renew { kind, key, .. } => (*kind, key),
        }
    }

    /// Where the record stands after the change; `None` where it is gone.
    ///
    /// # Errors
    /// `conflict` where what the change expects does not hold.
    pub(super) fn apply_to(&self, before: Option<Standing>) -> Result<Option<Standing>> {
        let expect = match self {
            Self::Put(put) => put.expect,
            Self::Delete { expect, .. } => *expect,
            Self::Renew { fence, .. } => Expect::Fence(*fence),
        };
        if !expect.holds(before) {
            let (kind, _) = self.target();
            return Err(conflict(kind));
        }
        let lease = before.and_then(|standing| standing.lease);
        Ok(match self {
            Self::Put(_) => Some(Standing {
                version: before.map_or(0, |standing| standing.version) + 1,
                lease: lease.filter(|_| matches!(expect, Expect::Fence(_))),
            }),
            Self::Delete { .. } => None,
            Self::Renew { until, .. } => before.map(|standing| Standing {
                lease: lease.map(|lease| Lease {
                    until: *until,
                    ..lease
                }),
                ..standing
            }),
        })
    }
}

impl Expect {
    fn holds(self, before: Option<Standing>) -> bool {
        match self {
            Self::Anything => true,
            Self::Absent => before.is_none(),
            Self::Version(version) => before.is_some_and(|standing| standing.version == version),
            Self::Fence(fence) | Self::FenceAndRelease(fence) => before
                .and_then(|standing| standing.lease)
                .is_some_and(|lease| lease.fence == fence),
        }
    }
}

impl Claim {
    /// When the lease ends.
    ///
    /// # Errors
    /// `invalid_input` where that is beyond the end of time.
    pub(super) fn until(&self) -> Result<Timestamp> {
        self.now
            .checked_add(self.lease)
            .map_err(|_| Error::invalid_input("a lease ends beyond the year 9999"))
    }
}

/// Refuses what not every implementation can keep.
pub(super) fn check(commit: &Commit) -> Result<()> {
    let mut seen = HashSet::with_capacity(commit.changes.len());
    for change in &commit.changes {
        if !seen.insert(change.target()) {
            return Err(refused("a commit names a record twice", change));
        }
        if texts(change).into_iter().any(|text| text.contains('\0')) {
            return Err(refused("a record holds a NUL character", change));
        }
        if time(change).is_some_and(|time| time < first_time()) {
            return Err(refused("a record holds a time before the year 0", change));
        }
    }
    commit.entries.iter().try_for_each(check_entry)
}

fn check_entry(entry: &NewEntry) -> Result<()> {
    if entry.kind.contains('\0') || entry.actor.contains('\0') {
        return Err(Error::invalid_input("a ledger entry holds a NUL character"));
    }
    Ok(())
}

fn texts(change: &Change) -> [&str; 4] {
    match change {
        Change::Put(put) => [&put.key, &put.state, &put.group, &put.body],
        Change::Delete { key, .. } | Change::Renew { key, .. } => [key, "", "", ""],
    }
}

fn time(change: &Change) -> Option<Timestamp> {
    match change {
        Change::Put(put) => put.due,
        Change::Renew { until, .. } => Some(*until),
        Change::Delete { .. } => None,
    }
}

/// The first instant of the year 0, before which a year is not four digits.
fn first_time() -> Timestamp {
    Timestamp::constant(-62_167_219_200, 0)
}

fn refused(message: &str, change: &Change) -> Error {
    Error::invalid_input(message).with_context("kind", change.target().0.as_str())
}

fn conflict(kind: RecordKind) -> Error {
    Error::new(
        ErrorKind::Conflict,
        "a record was changed by somebody else; read it again and decide again",
    )
    .with_context("kind", kind.as_str())
}

/// The least text that is greater than every text that begins with `prefix`, by code points.
/// `None` where there is no such text.
pub(super) fn prefix_end(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

/// The key of a ledger entry in a [`Page`](super::Page).
pub(super) fn ledger_key(sequence: u64) -> String {
    format!("{sequence:020}")
}

/// The sequence number behind which a ledger query begins.
///
/// # Errors
/// `invalid_input` where the key is not one that a page gave.
pub(super) fn ledger_after(after: Option<&str>) -> Result<u64> {
    let Some(key) = after else { return Ok(0) };
    key.parse().map_err(|_| {
        Error::invalid_input("not a key of the ledger: give the one from the page before")
    })
}

#[cfg(test)]
mod tests {
    use super::prefix_end;

    #[test]
    fn the_end_of_a_prefix_is_the_next_text_that_does_not_begin_with_it() {
        assert_eq!(prefix_end("ab").as_deref(), Some("ac"));
        assert_eq!(prefix_end("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(prefix_end("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(prefix_end("\u{10ffff}"), None);
        assert_eq!(prefix_end(""), None);
    }
}
