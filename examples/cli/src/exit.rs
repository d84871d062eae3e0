//! The exit status: the first that applies of 2, 1, 3, 0.

use std::process::ExitCode;

use protect_connectors::core::{Error, ErrorEnvelope, ErrorKind};

/// What a command has to tell whoever started it. Several may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exit {
    /// Wrong use, or a wrong configuration.
    wrong_use: bool,
    /// Findings at or above the severity that was asked about.
    found: bool,
    /// Something failed, waits after an error, is unknown, or could not be looked at.
    trouble: bool,
}

impl Exit {
    /// All went well.
    pub(crate) const OK: Self = Self {
        wrong_use: false,
        found: false,
        trouble: false,
    };

    /// Something failed, waits after an error, is unknown, or could not be looked at: where `so`.
    pub(crate) const fn trouble(so: bool) -> Self {
        Self {
            trouble: so,
            ..Self::OK
        }
    }

    /// Findings at or above the severity that was asked about: where `so`.
    pub(crate) const fn found(so: bool) -> Self {
        Self {
            found: so,
            ..Self::OK
        }
    }

    /// What an error means.
    pub(crate) fn of(error: &Error) -> Self {
        Self::of_kind(error.kind(), error.http_status())
    }

    /// What an error means that is part of an answer.
    pub(crate) fn of_envelope(error: &ErrorEnvelope) -> Self {
        Self::of_kind(error.kind, error.http_status)
    }

    /// An answer of a vendor is never the user's mistake.
    const fn of_kind(kind: ErrorKind, http_status: Option<u16>) -> Self {
        let wrong_use = matches!(
            kind,
            ErrorKind::ConfigInvalid
                | ErrorKind::InvalidInput
                | ErrorKind::NotFound
                | ErrorKind::Unsupported
                | ErrorKind::Conflict
                | ErrorKind::Refused
        ) && http_status.is_none();
        Self {
            wrong_use,
            found: false,
            trouble: !wrong_use,
        }
    }

    /// Both.
    #[must_use]
    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            wrong_use: self.wrong_use || other.wrong_use,
            found: self.found || other.found,
            trouble: self.trouble || other.trouble,
        }
    }

    /// Whether nothing went wrong.
    pub(crate) const fn is_complete(self) -> bool {
        !self.wrong_use && !self.trouble
    }

    /// The status.
    pub(crate) const fn status(self) -> u8 {
        if self.wrong_use {
            2
        } else if self.found {
            1
        } else if self.trouble {
            3
        } else {
            0
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_the_first_of_two_one_three_and_zero_applies() {
        let wrong = Exit::of(&Error::invalid_input("no"));
        let found = Exit::found(true);
        let trouble = Exit::trouble(true);
        assert_eq!(Exit::OK.status(), 0);
        assert_eq!(trouble.status(), 3);
        assert_eq!(trouble.and(found).status(), 1);
        assert_eq!(trouble.and(found).and(wrong).status(), 2);
    }

    #[test]
    fn what_a_vendor_answered_is_not_wrong_use() {
        let missing = Error::new(ErrorKind::NotFound, "gone").with_http_status(404);
        assert_eq!(Exit::of(&missing).status(), 3);
        assert_eq!(
            Exit::of(&Error::new(ErrorKind::NotFound, "no such plan")).status(),
            2
        );
    }
}
