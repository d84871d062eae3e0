//! What is wrong with a part of a report, and where.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits;

/// What is wrong with one value. Its text is not repeated here: it may be somebody's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[schemars(rename = "IssueProblem")]
pub enum Problem {
    /// It must be there and is not.
    Missing,
    /// It is not an IP address.
    NotAnAddress,
    /// It is not a whole number, or one that does not fit 64 bits.
    NotANumber,
    /// It is a moment before 2001 or after 2100, or ends before it begins.
    OutOfRange,
    /// It is longer than is read.
    TooLong,
    /// There are more of them than are read.
    TooMany,
    /// It is opened and not closed.
    Unclosed,
    /// It is not what its format wants there.
    Malformed,
    /// Its character set is unknown; it was read as UTF-8.
    UnknownCharset,
    /// The file ends in the middle of it.
    EndsEarly,
}

impl Problem {
    /// The problem in words, to follow the name of what has it.
    pub const fn as_words(self) -> &'static str {
        match self {
            Self::Missing => "is missing",
            Self::NotAnAddress => "is not an IP address",
            Self::NotANumber => "is not a number that fits",
            Self::OutOfRange => "is out of range",
            Self::TooLong => "is too long",
            Self::TooMany => "comes too often",
            Self::Unclosed => "is not closed",
            Self::Malformed => "is malformed",
            Self::UnknownCharset => "names an unknown character set; read as UTF-8",
            Self::EndsEarly => "ends early",
        }
    }
}

/// Where in a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "IssuePlace")]
pub struct Place {
    /// The number of the record, from 1; `None` outside of records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
    /// The element and its parent, such as `row/count`; empty for the document itself.
    pub element: String,
    /// About how many bytes lie before it, counted in UTF-8 after decompression.
    pub byte: u64,
}

impl fmt::Display for Place {
    /// `record 3, row/count, byte 1204`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(record) = self.record {
            write!(f, "record {record}, ")?;
        }
        if !self.element.is_empty() {
            write!(f, "{}, ", self.element)?;
        }
        write!(f, "byte {}", self.byte)
    }
}

/// Something in a report that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ParseIssue {
    /// Where it is.
    pub place: Place,
    /// What is wrong.
    pub problem: Problem,
    /// Whether a record, or the rest of the report, was lost by it.
    pub lost: bool,
}

impl fmt::Display for ParseIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem.as_words())?;
        if self.lost {
            f.write_str(if self.place.record.is_some() {
                " (record skipped)"
            } else {
                " (the rest was not read)"
            })?;
        }
        Ok(())
    }
}

/// The problems of one report: the first hundred, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReportIssues")]
pub struct Issues {
    /// The first ones, in the report's order.
    pub listed: Vec<ParseIssue>,
    /// How many more there are.
    pub omitted: u64,
    /// How many records were skipped.
    pub records_lost: u64,
    /// Whether a part of the report was not read at all.
    pub incomplete: bool,
}

impl Issues {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Whether anything of the report was lost.
    pub const fn lost_something(&self) -> bool {
        self.records_lost > 0 || self.incomplete
    }

    pub(super) fn add(&mut self, issue: ParseIssue) {
        if issue.lost {
            if issue.place.record.is_some() {
                self.records_lost += 1;
            } else {
                self.incomplete = true;
            }
        }
        if self.listed.len() < limits::ISSUES {
            self.listed.push(issue);
        } else {
            self.omitted += 1;
        }
    }
}
