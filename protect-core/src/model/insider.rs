use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::Actor;
use super::id::{EmployeeId, InsiderSignalId, TenantId};

/// What another product saw of somebody inside (`/people/insider-threat-signals` of The One People's
/// documentation). It says nothing yet: a person judges it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InsiderSignal {
    /// The id.
    pub id: InsiderSignalId,
    /// Whose it is.
    pub tenant: TenantId,
    /// About whom; nothing where nobody here is known by the login: then it is kept for review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<EmployeeId>,
    /// The login that it was told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// Which sort, in the product's own words.
    pub signal_type: String,
    /// How bad it is.
    pub severity: SignalSeverity,
    /// What was seen.
    pub description: String,
    /// On which device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
    /// When.
    pub detected_at: Timestamp,
    /// Who saw it.
    pub source: String,
    /// What it is found by again there.
    pub source_ref: String,
    /// Where it stands.
    pub status: InsiderStatus,
    /// Who judged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged_by: Option<Actor>,
    /// What they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it was received.
    pub received_at: Timestamp,
}

impl std::fmt::Debug for InsiderSignal {
    /// Leaves out whom it is about and what was seen: `Debug` ends up in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InsiderSignal")
            .field("id", &self.id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// How bad it is; there is no critical.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SignalSeverity {
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
}

/// Where an insider-threat signal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InsiderStatus {
    /// Nobody has looked.
    New,
    /// Somebody has looked.
    Reviewed,
    /// Somebody handed it on.
    Escalated,
    /// It is nothing.
    Dismissed,
}

impl InsiderStatus {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reviewed => "reviewed",
            Self::Escalated => "escalated",
            Self::Dismissed => "dismissed",
        }
    }
}
