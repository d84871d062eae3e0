//! Who publishes policies, shows them for signing, and holds the record of who acknowledged them.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::connector::OpContext;
use crate::error::Result;
use crate::model::{AcknowledgementStatus, Address, EmployeeId};

/// A connector that publishes policies. It stays the one who holds the record; what is kept here is a view.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// Every policy that is in force, all of them.
    ///
    /// # Errors
    /// The publisher could not be asked: what was seen before is then old.
    async fn policies(&self, cx: &OpContext) -> Result<Vec<PolicyInput>>;

    /// The text of one version, for reading before signing.
    ///
    /// # Errors
    /// `not_found`; `invalid_response` where the text is not the one that its digest is of.
    async fn text(&self, cx: &OpContext, policy: &str, version: &str) -> Result<PolicyText>;

    /// Where one employee stands with each policy that must be acknowledged.
    ///
    /// # Errors
    /// The publisher could not be asked.
    async fn standing(
        &self,
        cx: &OpContext,
        employee: &EmployeeId,
    ) -> Result<Vec<PublishedStanding>>;

    /// Records that somebody acknowledged a policy.
    ///
    /// # Errors
    /// `conflict` where it is recorded already, or the version is no longer the current one; `not_found`.
    async fn record(&self, cx: &OpContext, given: &NewAcknowledgement) -> Result<Recorded>;
}

/// What a publisher says of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyInput {
    /// The publisher's id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Which version counts.
    pub version: String,
    /// Since when.
    #[serde(default)]
    pub effective_date: Option<Date>,
    /// Whether people must acknowledge it.
    #[serde(default)]
    pub requires_acknowledgment: bool,
    /// By when.
    #[serde(default)]
    pub due_date: Option<Date>,
}

/// The text of one version of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyText {
    /// The publisher's id of the policy.
    pub id: String,
    /// Which version.
    pub version: String,
    /// What it is called.
    pub title: String,
    /// The text as the publisher wrote it, in HTML: show it in a frame that runs nothing.
    pub content_html: String,
    /// SHA-256 of the text, in hexadecimal.
    pub content_sha256: String,
}

/// Where somebody stands with a policy, as its publisher says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedStanding {
    /// The publisher's id of the policy.
    pub policy_id: String,
    /// Which version.
    pub version: String,
    /// Where they stand.
    pub status: AcknowledgementStatus,
    /// By when.
    pub due_date: Option<Date>,
    /// When they acknowledged it.
    pub acknowledged_at: Option<Timestamp>,
}

/// An acknowledgement on its way to the publisher.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAcknowledgement {
    /// Who.
    pub employee: EmployeeId,
    /// Their address at work.
    pub email: Address,
    /// The publisher's id of the policy.
    pub policy_id: String,
    /// Which version.
    pub version: String,
    /// When.
    pub acknowledged_at: Timestamp,
    /// From which network address.
    pub ip_address: String,
    /// With which program.
    pub user_agent: String,
    /// The name that they typed, where the publisher wants one.
    pub typed_name: Option<String>,
}

impl fmt::Debug for NewAcknowledgement {
    /// Leaves out whose it is and from where: `Debug` ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAcknowledgement")
            .field("policy_id", &self.policy_id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// What the publisher recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The publisher's id of the acknowledgement.
    pub id: String,
    /// Its id of the document that is kept.
    pub document_id: Option<String>,
}
