//! TLS reports: RFC 8460, section 4.

use std::io::Read;

use jiff::Timestamp;
use protect_core::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{domain, limits};

/// How a sender fared when it wanted to encrypt what it sent to a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsReport {
    /// The reporting organisation; may be empty.
    #[serde(default, alias = "organization-name")]
    pub organization_name: String,
    /// The reporter's own id of the report.
    #[serde(default, alias = "report-id")]
    pub report_id: String,
    /// How to reach the reporter.
    #[serde(
        default,
        alias = "contact-info",
        skip_serializing_if = "Option::is_none"
    )]
    pub contact_info: Option<String>,
    /// For which time.
    #[serde(alias = "date-range")]
    pub date_range: DateRange,
    /// What happened, by policy.
    pub policies: Vec<PolicyOutcome>,
}

/// From when until when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsDateRange")]
pub struct DateRange {
    /// The first moment.
    #[serde(alias = "start-datetime")]
    pub start_datetime: Option<Timestamp>,
    /// The last moment.
    #[serde(alias = "end-datetime")]
    pub end_datetime: Option<Timestamp>,
}

/// What happened under one policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsPolicyOutcome")]
pub struct PolicyOutcome {
    /// The policy.
    pub policy: TlsPolicy,
    /// How many sessions.
    #[serde(default)]
    pub summary: Sessions,
    /// The sessions that failed, by reason.
    #[serde(
        default,
        alias = "failure-details",
        deserialize_with = "nothing_is_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub failure_details: Vec<FailureDetail>,
}

/// A policy as the sender found it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsPolicy {
    /// `sts`, `tlsa` or `no-policy-found`.
    #[serde(default, alias = "policy-type")]
    pub policy_type: String,
    /// The policy's lines.
    #[serde(
        default,
        alias = "policy-string",
        deserialize_with = "one_or_many",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub policy_string: Vec<String>,
    /// Whose policy, in lower case.
    #[serde(default, alias = "policy-domain")]
    pub policy_domain: String,
    /// The mail exchangers that it names; a word or a list in the wild.
    #[serde(
        default,
        alias = "mx-host",
        deserialize_with = "one_or_many",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub mx_host: Vec<String>,
}

/// How many sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsSessions")]
pub struct Sessions {
    /// Those that were encrypted.
    #[serde(default, alias = "total-successful-session-count")]
    pub total_successful_session_count: u64,
    /// Those that were not, though they should have been.
    #[serde(default, alias = "total-failure-session-count")]
    pub total_failure_session_count: u64,
}

/// So many sessions that failed alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsFailureDetail")]
pub struct FailureDetail {
    /// Why (`certificate-expired`, `starttls-not-supported`, ...).
    #[serde(default, alias = "result-type")]
    pub result_type: String,
    /// The sender's address.
    #[serde(
        default,
        alias = "sending-mta-ip",
        skip_serializing_if = "Option::is_none"
    )]
    pub sending_mta_ip: Option<String>,
    /// The mail exchanger.
    #[serde(
        default,
        alias = "receiving-mx-hostname",
        skip_serializing_if = "Option::is_none"
    )]
    pub receiving_mx_hostname: Option<String>,
    /// What the mail exchanger called itself.
    #[serde(
        default,
        alias = "receiving-mx-helo",
        skip_serializing_if = "Option::is_none"
    )]
    pub receiving_mx_helo: Option<String>,
    /// The mail exchanger's address.
    #[serde(
        default,
        alias = "receiving-ip",
        skip_serializing_if = "Option::is_none"
    )]
    pub receiving_ip: Option<String>,
    /// How many sessions.
    #[serde(default, alias = "failed-session-count")]
    pub failed_session_count: u64,
    /// Where to read more.
    #[serde(
        default,
        alias = "additional-information",
        skip_serializing_if = "Option::is_none"
    )]
    pub additional_information: Option<String>,
    /// The sender's own reason.
    #[serde(
        default,
        alias = "failure-reason-code",
        skip_serializing_if = "Option::is_none"
    )]
    pub failure_reason_code: Option<String>,
}

/// Reads a TLS report that is not compressed any more.
///
/// # Errors
/// `invalid_input` with line and column where it is none.
pub fn read(reader: impl Read) -> Result<TlsReport> {
    let bounded = reader.take(limits::COMPRESSED);
    let mut report: TlsReport =
        serde_json::from_reader(std::io::BufReader::new(bounded)).map_err(|error| {
            Error::invalid_input("not a TLS report: not the JSON that RFC 8460 describes")
                .with_context(
                    "place",
                    format!("line {}, column {}", error.line(), error.column()),
                )
        })?;
    for outcome in &mut report.policies {
        let name = domain::normal(&outcome.policy.policy_domain);
        outcome.policy.policy_domain = name.ok_or_else(|| {
            Error::invalid_input("not a TLS report: a domain name is too long")
                .with_context("place", "policies/policy/policy-domain")
        })?;
    }
    Ok(report)
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        Nothing(()),
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::Nothing(()) => Vec::new(),
        OneOrMany::One(word) => vec![word],
        OneOrMany::Many(words) => words,
    })
}

fn nothing_is_empty<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<FailureDetail>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
