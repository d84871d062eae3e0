use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::Severity;
use super::finding::FindingKind;
use super::id::{FindingId, IncidentId, PersonId, TenantId};

/// Findings with one cause or one person, handled as one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Incident {
    /// A hash of (tenant, cause, generation).
    pub id: IncidentId,
    /// Whose incident it is.
    pub tenant: TenantId,
    /// What its findings have in common: `person:<id>`, `breach:<name>`, `subject:<...>`.
    pub cause: String,
    /// How often this cause has come (back); 1 at first.
    pub generation: u32,
    /// One line for people, without addresses.
    pub title: String,
    /// The kind of its worst finding.
    pub kind: FindingKind,
    /// The worst severity of its findings.
    pub severity: Severity,
    /// Where it stands.
    pub status: IncidentStatus,
    /// Whom it concerns, where that is one person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Its findings.
    pub findings: Vec<FindingId>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Where an incident stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum IncidentStatus {
    /// Nobody has looked.
    New,
    /// Somebody has it.
    Open,
    /// Somebody is finding out.
    Investigating,
    /// The harm is stopped; the cause may not be mended.
    Contained,
    /// Every finding of it is resolved.
    Resolved,
    /// Done with; the same cause opens a new one.
    Closed,
}

impl IncidentStatus {
    /// Every status, in the order in which an incident goes through them.
    pub const ALL: [Self; 6] = [
        Self::New,
        Self::Open,
        Self::Investigating,
        Self::Contained,
        Self::Resolved,
        Self::Closed,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Open => "open",
            Self::Investigating => "investigating",
            Self::Contained => "contained",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }

    /// Whether it still needs somebody.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Resolved | Self::Closed)
    }
}
