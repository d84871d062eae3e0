use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Attributes;
use super::id::CheckId;

/// How bad it is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Fix when convenient.
    Low,
    /// Fix soon.
    Medium,
    /// Fix today.
    High,
    /// Fix now.
    Critical,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: [Self; 5] = [
        Self::Info,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How sure we are.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// A guess with a reason.
    Low,
    /// Likely.
    Medium,
    /// As good as stated by the vendor.
    High,
}

impl Confidence {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// One step lower; `low` stays.
    #[must_use]
    pub const fn lowered(self) -> Self {
        match self {
            Self::High => Self::Medium,
            Self::Medium | Self::Low => Self::Low,
        }
    }
}

/// What a check decided. An error or a missing permission is never `pass` and never `fail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// Not as it should be.
    Fail,
    /// The check has no meaning here.
    NotApplicable,
    /// Only a person can decide.
    Manual,
    /// Could not look; the reason is a [`NotEvaluatedReason`].
    NotEvaluated,
}

/// Why a check could not look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotEvaluatedReason {
    /// The credential lacks a permission.
    MissingPermission,
    /// The tenant lacks the licence.
    MissingLicence,
    /// The vendor answered an error.
    VendorError,
    /// The vendor's cloud has no such endpoint.
    UnsupportedCloud,
    /// Nothing was seen yet that would tell.
    NoObservation,
    /// The configuration leaves it out.
    NotConfigured,
}

/// Where a rule comes from, in a framework's own numbering.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Reference {
    /// The framework (`CIS Microsoft 365`).
    pub framework: String,
    /// Its version, since numbers move between versions.
    pub version: String,
    /// The id within it.
    pub id: String,
}

/// What one check decided, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// The check.
    pub check: CheckId,
    /// The decision.
    pub verdict: Verdict,
    /// Why it could not look, where it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_evaluated: Option<NotEvaluatedReason>,
    /// How bad a `fail` is.
    pub severity: super::Severity,
    /// One sentence for people.
    pub reason: String,
    /// The subjects that failed, by their vendor-stable names.
    pub affected: Vec<String>,
    /// Where the answer came from.
    pub source: String,
    /// How sure we are.
    pub confidence: Confidence,
    /// Where the rule comes from.
    pub references: Vec<Reference>,
    /// Near misses, the vendor's default, and what else explains it.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub details: Attributes,
}
