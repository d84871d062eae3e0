//! What SQLite complains about, in words that say what to do.

use std::sync::Arc;

use crate::error::{Error, ErrorKind};

/// Why a transaction failed; one transaction may carry the commits of many callers, so this can
/// be told to each of them.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    what: What,
    cause: Option<Arc<sqlx::Error>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Locked,
    Full,
    Damaged,
    ReadOnly,
    CannotOpen,
    Disk,
    TooLarge,
    Closed,
    Other,
}

impl Trouble {
    /// Stored text that is not what was written.
    pub(super) fn damaged() -> Self {
        Self {
            what: What::Damaged,
            cause: None,
        }
    }

    /// Nobody is there any more who could be asked.
    pub(super) fn closed() -> Self {
        Self {
            what: What::Closed,
            cause: None,
        }
    }

    /// Whether a smaller transaction may succeed where this one did not.
    pub(super) fn is_about_size(&self) -> bool {
        matches!(self.what, What::Full | What::TooLarge)
    }

    /// Whether another process holds the file at the moment.
    pub(super) fn is_locked(&self) -> bool {
        self.what == What::Locked
    }

    pub(super) fn to_error(&self) -> Error {
        let error = Error::new(ErrorKind::Store, self.what.advice());
        let error = match self.what {
            What::Locked => error.temporary(),
            _ => error,
        };
        match &self.cause {
            Some(cause) => error.with_source(Arc::clone(cause)),
            None => error,
        }
    }
}

impl What {
    fn advice(self) -> &'static str {
        match self {
            Self::Locked => {
                "another program holds the database; try again, or stop the other program"
            }
            Self::Full => {
                "the disk or the configured limit of the database is full; make room and try again"
            }
            Self::Damaged => "the database is damaged or no SQLite file; restore it from a backup",
            Self::ReadOnly => "the database cannot be written; check who owns file and folder",
            Self::CannotOpen => {
                "the database cannot be opened; check that the folder exists and may be written"
            }
            Self::Disk => "the disk reported an error; check it, then open the database again",
            Self::TooLarge => "the change is too large for the database; split it",
            Self::Closed => {
                "the store is closed, or the runtime that opened it has ended; open it again"
            }
            Self::Other => "the database refused a statement",
        }
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        let what = match &error {
            sqlx::Error::Database(database) => {
                let code = database.code().and_then(|code| code.parse::<u32>().ok());
                of_code(code.unwrap_or_default())
            }
            sqlx::Error::Io(_) => What::Disk,
            sqlx::Error::PoolClosed => What::Closed,
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => What::Damaged,
            _ => What::Other,
        };
        Self {
            what,
            cause: Some(Arc::new(error)),
        }
    }
}

/// The primary result code is the low byte (<https://www.sqlite.org/rescode.html>).
fn of_code(code: u32) -> What {
    match code & 0xff {
        5 | 6 => What::Locked,
        8 => What::ReadOnly,
        10 => What::Disk,
        11 | 26 => What::Damaged,
        13 => What::Full,
        14 => What::CannotOpen,
        18 => What::TooLarge,
        _ => What::Other,
    }
}
