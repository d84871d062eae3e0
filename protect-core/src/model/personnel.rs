use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::{EmployeeId, TenantId};
use crate::error::Error;

/// Something that another system keeps of an employee, as it was last imported: shown, and changed there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonnelRecord {
    /// Whose it is.
    pub tenant: TenantId,
    /// Of whom.
    pub employee: EmployeeId,
    /// Which sort.
    pub kind: PersonnelKind,
    /// The review's period, the training's name or the document's title.
    pub title: String,
    /// Where it stands, in the other system's word (`scheduled`, `enrolled`, `sent`).
    pub status: String,
    /// Who reviews, trains or sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Since when it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_on: Option<Date>,
    /// By when it is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_on: Option<Date>,
    /// When it was done: the review held, the training finished, the document signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_on: Option<Date>,
    /// Where it is found: an `https` address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// When it was imported.
    pub imported_at: Timestamp,
}

/// Which sort of thing another system keeps.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PersonnelKind {
    /// A review of somebody's work.
    Review,
    /// A training that somebody is enrolled in.
    Training,
    /// A document that waits for somebody's signature.
    Document,
}

impl PersonnelKind {
    /// Every sort.
    pub const ALL: [Self; 3] = [Self::Review, Self::Training, Self::Document];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Training => "training",
            Self::Document => "document",
        }
    }
}

impl FromStr for PersonnelKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.as_str() == text).ok_or_else(|| {
            let names = Self::ALL.iter().map(|kind| kind.as_str());
            crate::config::unknown_name("sort of record", text, names)
        })
    }
}

impl PersonnelRecord {
    /// Whether it is still to be done.
    pub const fn is_open(&self) -> bool {
        self.completed_on.is_none()
    }
}

impl fmt::Debug for PersonnelRecord {
    /// Leaves out whom it is about and what it says: `Debug` ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersonnelRecord")
            .field("kind", &self.kind)
            .field("due_on", &self.due_on)
            .finish_non_exhaustive()
    }
}
