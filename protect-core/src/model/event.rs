use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Attributes;
use super::id::TenantId;

/// Something this library tells others, such as `incident.opened`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Unique, and the same when sent again.
    pub id: String,
    /// `<thing>.<what happened>`.
    pub kind: String,
    /// Whose event it is.
    pub tenant: TenantId,
    /// What it is about, by our id.
    pub subject: String,
    /// When it happened.
    pub at: Timestamp,
    /// The rest.
    pub data: Attributes,
}
