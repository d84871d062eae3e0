//! What was asked, what changed, and which rules were broken: three lists, kept apart.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A simulated vendor.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Vendor {
    /// Have I Been Pwned, API v3, and Pwned Passwords.
    Hibp,
    /// 1Password: OAuth, Users API and Events API.
    #[serde(rename = "onepassword")]
    OnePassword,
    /// Microsoft 365: the Entra token endpoint, Graph v1.0, and Azure Key Vault.
    #[serde(rename = "m365")]
    M365,
    /// Google Workspace: the token endpoint, the Admin SDK, Cloud Identity, and the Alert Center.
    Google,
    /// The One Stack: PSA, Security, On-Call, Bus and Compliance.
    OneStack,
    /// A receiver of signed webhooks, as a ticket system would have it.
    Webhook,
    /// A mail server.
    Smtp,
    /// Slack's incoming webhooks.
    Slack,
    /// Microsoft Teams' incoming webhooks, by a Workflow.
    Teams,
    /// Stripe's meters.
    Stripe,
    /// An application whose users are provisioned by SCIM 2.0.
    Scim,
}

/// One request that reached a simulated vendor. It holds no secret, address, body or full path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RequestRecord {
    /// Counted from 1 over all vendors.
    pub number: u64,
    /// The sandbox's time of arrival.
    pub at: Timestamp,
    /// Whom it was sent to.
    pub vendor: Vendor,
    /// HTTP method.
    pub method: String,
    /// The route's template, for example `/v1beta1/accounts/{account}/users/{user}:suspend`;
    /// `unknown` where no route fits.
    pub route: String,
    /// The HTTP status that was answered, or meant to be answered before a fault cut the line.
    pub status: u16,
    /// Whether this route changes something at the vendor. A matter of the route, not of the
    /// method: reading events is a POST that changes nothing.
    pub changing: bool,
    /// The vendor's account the request was about, where the route has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tenant: Option<String>,
    /// The `webhook-id` or `Idempotency-Key`, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub idempotency: Option<String>,
    /// Names of the faults that were played on this request.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub faults: Vec<String>,
}

/// Something that became different at a vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Transition {
    /// The sandbox's time.
    pub at: Timestamp,
    /// Where.
    pub vendor: Vendor,
    /// The kind of thing: `user`, `ticket`, `incident`, `event`, `domain`, `role_assignment`, ...
    pub object: String,
    /// The vendor's identifier of the thing.
    pub id: String,
    /// The state before; empty for something new.
    pub from: String,
    /// The state after.
    pub to: String,
    /// The request that did it, or `None` for the test or the human behind `/_sandbox`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<u64>,
}

/// A request that a correct client would not have sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Violation {
    /// Whose rule it was.
    pub vendor: Vendor,
    /// A stable lower-snake-case name of the rule, for example `rate_limit_exceeded`.
    pub rule: String,
    /// The number of the request in the journal.
    pub request: u64,
    /// What was wrong, without values from the request.
    pub detail: String,
}

#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) requests: Vec<RequestRecord>,
    pub(crate) transitions: Vec<Transition>,
    pub(crate) violations: Vec<Violation>,
    last_number: u64,
}

impl Journal {
    pub(crate) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}

impl Vendor {
    pub(crate) fn from_prefix(prefix: &str) -> Option<Self> {
        match prefix {
            "hibp" => Some(Self::Hibp),
            "onepassword" => Some(Self::OnePassword),
            "m365" => Some(Self::M365),
            "google" => Some(Self::Google),
            "one_stack" => Some(Self::OneStack),
            "webhook" => Some(Self::Webhook),
            "slack" => Some(Self::Slack),
            "teams" => Some(Self::Teams),
            "stripe" => Some(Self::Stripe),
            "scim" => Some(Self::Scim),
            _ => None,
        }
    }
}
