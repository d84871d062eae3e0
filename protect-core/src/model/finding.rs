use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::Attributes;
use super::check::{Confidence, Reference, Severity};
use super::id::{CheckId, ConnectorName, FindingId, IncidentId, TenantId};
use super::subject::Subject;

/// Which sort of wrong it is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Credentials of a watched address are in somebody else's hands.
    CredentialExposure,
    /// A setting is weaker than the profile asks.
    Misconfiguration,
    /// Mail in the domain's name can be forged.
    EmailAuthentication,
    /// A sign-in that its owner probably did not make.
    SuspiciousSignIn,
    /// Somebody inside acts against the organisation.
    InsiderThreat,
    /// A setting changed.
    Drift,
    /// This installation itself needs attention.
    Operational,
}

impl FindingKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::CredentialExposure,
        Self::Misconfiguration,
        Self::EmailAuthentication,
        Self::SuspiciousSignIn,
        Self::InsiderThreat,
        Self::Drift,
        Self::Operational,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CredentialExposure => "credential_exposure",
            Self::Misconfiguration => "misconfiguration",
            Self::EmailAuthentication => "email_authentication",
            Self::SuspiciousSignIn => "suspicious_sign_in",
            Self::InsiderThreat => "insider_threat",
            Self::Drift => "drift",
            Self::Operational => "operational",
        }
    }
}

/// What a scanner or a detection saw, before the store knows whether it is new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Observation {
    /// The check that saw it.
    pub check: CheckId,
    /// Which sort of wrong it is.
    pub kind: FindingKind,
    /// What it is about.
    pub subject: Subject,
    /// What tells it from others of the same check and subject, such as a breach's name; may be empty.
    pub discriminator: String,
    /// What several findings have in common when one cause made them all (`breach:Adobe`): triage
    /// makes one incident of a cause that hits many subjects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// How sure we are.
    pub confidence: Confidence,
    /// One line for people, without addresses.
    pub title: String,
    /// Why this severity and confidence: rule ids or short phrases.
    pub reasons: Vec<String>,
    /// Whom to credit wherever it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<Attribution>,
    /// Where the rule comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference>,
    /// What else the vendor said; never a password.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub details: Attributes,
    /// Whether it came from an event: such a finding never resolves by absence.
    #[serde(default)]
    pub from_event: bool,
}

/// One thing that is wrong, about one subject.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Finding {
    /// A hash of (tenant, check, subject, discriminator).
    pub id: FindingId,
    /// Whose finding it is.
    pub tenant: TenantId,
    /// The connector that saw it.
    pub source: ConnectorName,
    /// What was last seen.
    #[serde(flatten)]
    pub observation: Observation,
    /// Where it stands.
    pub status: FindingStatus,
    /// Whether it was known before the tenant's first complete run and so triggers nothing.
    pub baseline: bool,
    /// How often it has come (back); 1 at first.
    pub occurrence: u32,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// When it was resolved, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// Why nobody needs to act on it for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptance: Option<Acceptance>,
    /// The incident it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
}

/// Where a finding stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FindingStatus {
    /// Nobody has looked.
    New,
    /// Somebody has looked.
    Acknowledged,
    /// Left as it is, until a date, for a reason.
    Accepted,
    /// A complete run evaluated the check for the subject and did not find it.
    Resolved,
    /// It was never wrong.
    FalsePositive,
}

impl FindingStatus {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Acknowledged => "acknowledged",
            Self::Accepted => "accepted",
            Self::Resolved => "resolved",
            Self::FalsePositive => "false_positive",
        }
    }

    /// Whether it still needs somebody's attention.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::New | Self::Acknowledged)
    }
}

/// Why nobody needs to act on a finding for now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Acceptance {
    /// When it ends; the finding then returns to `new`.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// Who accepted it.
    pub author: String,
}

/// Whom to credit wherever a finding is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attribution {
    /// The source's name (`Have I Been Pwned`).
    pub source: String,
    /// Where readers can look it up.
    pub url: String,
    /// The licence of the data (`CC BY 4.0`).
    pub licence: String,
}

/// A record that could not be read: the page is kept, the item is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RejectedItem {
    /// Where it stood (`results[3]`).
    pub place: String,
    /// What was wrong with it, without repeating it.
    pub reason: String,
}

/// A finding as it is written: everything on one level. `flatten` would keep each field aside before it is
/// read, which is most of the time that reading a hundred thousand findings takes.
#[derive(Deserialize)]
struct Written {
    id: FindingId,
    tenant: TenantId,
    source: ConnectorName,
    check: CheckId,
    kind: FindingKind,
    subject: Subject,
    discriminator: String,
    cause: Option<String>,
    severity: Severity,
    confidence: Confidence,
    title: String,
    reasons: Vec<String>,
    attribution: Option<Attribution>,
    #[serde(default)]
    references: Vec<Reference>,
    #[serde(default)]
    details: Attributes,
    #[serde(default)]
    from_event: bool,
    status: FindingStatus,
    baseline: bool,
    occurrence: u32,
    first_seen: Timestamp,
    last_seen: Timestamp,
    resolved_at: Option<Timestamp>,
    acceptance: Option<Acceptance>,
    incident: Option<IncidentId>,
}

impl<'de> Deserialize<'de> for Finding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Written::deserialize(deserializer).map(Self::from)
    }
}

impl From<Written> for Finding {
    fn from(written: Written) -> Self {
        Self {
            id: written.id,
            tenant: written.tenant,
            source: written.source,
            observation: Observation {
                check: written.check,
                kind: written.kind,
                subject: written.subject,
                discriminator: written.discriminator,
                cause: written.cause,
                severity: written.severity,
                confidence: written.confidence,
                title: written.title,
                reasons: written.reasons,
                attribution: written.attribution,
                references: written.references,
                details: written.details,
                from_event: written.from_event,
            },
            status: written.status,
            baseline: written.baseline,
            occurrence: written.occurrence,
            first_seen: written.first_seen,
            last_seen: written.last_seen,
            resolved_at: written.resolved_at,
            acceptance: written.acceptance,
            incident: written.incident,
        }
    }
}
