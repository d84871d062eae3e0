use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Attributes;
use super::subject::Subject;

/// Something that happened, as a vendor told it. Kept for a window, for detections to look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Signal {
    /// The vendor's id of the event: the same event arriving twice is one signal.
    pub id: String,
    /// `<kind>.<what>` (`onepassword.sign_in`).
    pub kind: String,
    /// When it happened, by the vendor's clock.
    pub at: Timestamp,
    /// Whom or what it happened to.
    pub subject: Subject,
    /// The rest, in the detection's own shape.
    pub attributes: Attributes,
}
