#[cfg(feature = "people")]
use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::EmployeeId;
#[cfg(feature = "people")]
use crate::error::{Error, ErrorKind, Result};

/// How long what was seen of policies is believed, where the publisher is not heard of.
#[cfg(feature = "people")]
const BELIEVED: SignedDuration = SignedDuration::from_hours(24);

/// A document that people must acknowledge. Whoever published it (The One Legal, say) stays the one who
/// holds it; this is what was last seen of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    /// The publisher's id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Which version counts.
    pub version: String,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_date: Option<Date>,
    /// Whether people must acknowledge it.
    pub requires_acknowledgment: bool,
    /// By when, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<Date>,
    /// When it was last seen at the publisher.
    pub seen_at: Timestamp,
}

#[cfg(feature = "people")]
impl Policy {
    /// Whether it was last seen too long ago to be believed.
    pub(crate) fn is_stale(&self, now: Timestamp) -> bool {
        now.duration_since(self.seen_at) >= BELIEVED
    }

    /// Where somebody stands who acknowledged the version that counts, or did not.
    pub(crate) fn status_on(&self, today: Date, is_done: bool) -> AcknowledgementStatus {
        match self.due_date {
            _ if is_done => AcknowledgementStatus::Acknowledged,
            Some(due) if today > due => AcknowledgementStatus::Overdue,
            _ => AcknowledgementStatus::Pending,
        }
    }
}

/// Somebody acknowledged a version of a policy. It never changes, but for what was not told at first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Acknowledgement {
    /// The publisher's id, by which a repeat is known.
    pub id: String,
    /// Who.
    pub employee: EmployeeId,
    /// Of which policy.
    pub policy_id: String,
    /// Which version.
    pub version: String,
    /// When.
    pub acknowledged_at: Timestamp,
    /// From which network address, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// With which program, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

impl Acknowledgement {
    /// Whether it is of the version that counts.
    #[cfg(feature = "people")]
    pub(crate) fn is_of(&self, policy: &Policy) -> bool {
        self.policy_id == policy.id && self.version == policy.version
    }

    /// The same with what another telling of it adds; `None` where that adds nothing.
    ///
    /// # Errors
    /// `conflict` where the other is another one under the same id.
    #[cfg(feature = "people")]
    pub(crate) fn with_what_else(&self, told: &Self) -> Result<Option<Self>> {
        let is_it = self.employee == told.employee
            && self.policy_id == told.policy_id
            && self.version == told.version;
        if !is_it {
            return Err(Error::new(
                ErrorKind::Conflict,
                "this id stands for another acknowledgement",
            ));
        }
        let more = Self {
            ip_address: self.ip_address.clone().or_else(|| told.ip_address.clone()),
            user_agent: self.user_agent.clone().or_else(|| told.user_agent.clone()),
            ..self.clone()
        };
        Ok(Some(more).filter(|more| more != self))
    }
}

/// Where somebody stands with a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AcknowledgementStatus {
    /// They acknowledged the version that counts.
    Acknowledged,
    /// They did not yet.
    Pending,
    /// They did not in time.
    Overdue,
}

/// How far a policy is acknowledged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyStanding {
    /// The policy.
    pub policy: Policy,
    /// How many must acknowledge it.
    pub required: u32,
    /// How many acknowledged the version that counts.
    pub acknowledged: u32,
    /// Who did not, where it is not too late.
    pub pending: Vec<EmployeeId>,
    /// Who did not in time.
    pub overdue: Vec<EmployeeId>,
    /// Whether it is so long ago that the publisher was heard of that nobody knows how it stands: then
    /// nothing here counts as compliant.
    pub stale: bool,
    /// Whether everybody acknowledged it, and that is known.
    pub compliant: bool,
}
