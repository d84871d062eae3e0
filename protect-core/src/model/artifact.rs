use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::hash::hex;
use crate::error::{Error, Result};

/// What can be shown to an auditor.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ArtifactKind {
    /// What the checks of cloud services decided.
    SspmScanResult,
    /// What the checks of mail authentication decided.
    EmailAuthStatus,
    /// What is watched for leaked credentials, and what was found.
    DarkWebMonitoringStatus,
    /// What was done about one leak of credentials.
    CredentialResponseRecord,
}

impl ArtifactKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::SspmScanResult,
        Self::EmailAuthStatus,
        Self::DarkWebMonitoringStatus,
        Self::CredentialResponseRecord,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SspmScanResult => "sspm_scan_result",
            Self::EmailAuthStatus => "email_auth_status",
            Self::DarkWebMonitoringStatus => "dark_web_monitoring_status",
            Self::CredentialResponseRecord => "credential_response_record",
        }
    }

    /// What people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::SspmScanResult => "Settings of cloud services",
            Self::EmailAuthStatus => "Mail authentication",
            Self::DarkWebMonitoringStatus => "Monitoring for leaked credentials",
            Self::CredentialResponseRecord => "Response to leaked credentials",
        }
    }

    /// For how many days it speaks.
    pub const fn valid_days(self) -> i64 {
        match self {
            Self::CredentialResponseRecord => 365,
            _ => 30,
        }
    }
}

/// One piece of evidence for somebody outside. It names nobody: people stand in it neither by address
/// nor by account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    /// What it shows.
    pub kind: ArtifactKind,
    /// The incident it is about; empty where it is about the tenant.
    pub about: String,
    /// One line for people.
    pub title: String,
    /// What it says. It holds no time of its making, so that the same state is the same bytes.
    pub content: Value,
}

impl Artifact {
    /// The bytes: canonical JSON (RFC 8785), so that anybody can make the digest again.
    ///
    /// # Errors
    /// `unexpected` for content without a canonical form.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        serde_json_canonicalizer::to_vec(&self.content)
            .map_err(|error| Error::unexpected("evidence has no canonical form").with_source(error))
    }

    /// SHA-256 of the bytes, in lower-case hexadecimal.
    ///
    /// # Errors
    /// As [`Artifact::bytes`].
    pub fn sha256(&self) -> Result<String> {
        Ok(hex(&Sha256::digest(self.bytes()?)))
    }

    /// Which stretch of its validity `now` lies in: evidence that did not change is handed in again
    /// once in each, before what was handed in runs out.
    pub fn period(&self, now: Timestamp) -> i64 {
        let length = SignedDuration::from_hours(24 * self.kind.valid_days());
        now.as_second().div_euclid(length.as_secs())
    }
}
