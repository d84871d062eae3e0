//! What an aggregate report says (RFC 9990 and RFC 7489, appendix C, as one).

use std::net::IpAddr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::{
    Aligned, Alignment, Discovery, Disposition, DkimVerdict, OverrideKind, PolicyWord, SpfVerdict,
};

/// Everything of a report but its records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReportHead")]
pub struct Head {
    /// Who reports, and for which time.
    pub metadata: Metadata,
    /// The policy as the reporter found it.
    pub policy: PublishedPolicy,
}

/// Who reports, and for which time (`report_metadata`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReportMetadata")]
pub struct Metadata {
    /// The version of the format that the reporter names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The reporting organisation; may be empty.
    pub org_name: String,
    /// How to reach it; may be empty.
    pub email: String,
    /// How else to reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_contact_info: Option<String>,
    /// The reporter's own id of the report; unique only together with the rest.
    pub report_id: String,
    /// The first moment that it covers; `None` where the report gives none that can be.
    pub begin: Option<Timestamp>,
    /// The last moment that it covers.
    pub end: Option<Timestamp>,
    /// What went wrong at the reporter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// The program that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator: Option<String>,
}

/// The policy as the reporter found it (`policy_published`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReportedPublishedPolicy")]
pub struct PublishedPolicy {
    /// The domain whose policy it is, in lower case.
    pub domain: String,
    /// For the domain.
    pub p: Option<PolicyWord>,
    /// For its subdomains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sp: Option<PolicyWord>,
    /// For subdomains that do not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub np: Option<PolicyWord>,
    /// How DKIM is aligned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adkim: Option<Alignment>,
    /// How SPF is aligned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspf: Option<Alignment>,
    /// To how many messages of a hundred it applies (RFC 7489 alone).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pct: Option<u8>,
    /// When failure reports are wanted, as published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fo: Option<String>,
    /// Whether the policy is only tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub testing: Option<bool>,
    /// How the policy was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovery_method: Option<Discovery>,
}

/// So many messages from one address that were judged alike (`record`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReportRow")]
pub struct Record {
    /// Who handed the messages to the receiver.
    pub source_ip: IpAddr,
    /// How many messages.
    pub count: u64,
    /// What the receiver did.
    pub disposition: Option<Disposition>,
    /// Whether DKIM passed and was aligned.
    pub dkim: Option<Aligned>,
    /// Whether SPF passed and was aligned.
    pub spf: Option<Aligned>,
    /// Why the receiver did something else than the policy asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<OverrideReason>,
    /// The domain of the author's address, in lower case.
    pub header_from: String,
    /// The domain of the envelope's sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope_from: Option<String>,
    /// The domain of the envelope's recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope_to: Option<String>,
    /// The signatures, aligned or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dkim_results: Vec<DkimResult>,
    /// What SPF said, aligned or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spf_results: Vec<SpfResult>,
}

impl Record {
    /// Whether the messages passed DMARC: one mechanism passed and was aligned.
    pub fn passes(&self) -> bool {
        self.dkim == Some(Aligned::Pass) || self.spf == Some(Aligned::Pass)
    }

    /// The domains for which DKIM or SPF passed, aligned or not. What did not pass is anybody's text.
    pub fn verified(&self) -> impl Iterator<Item = &str> {
        let signed = self.dkim_results.iter().filter_map(|signature| {
            (signature.result == Some(DkimVerdict::Pass)).then_some(signature.domain.as_str())
        });
        let sent = self.spf_results.iter().filter_map(|result| {
            (result.result == Some(SpfVerdict::Pass)).then_some(result.domain.as_str())
        });
        signed.chain(sent)
    }
}

/// Why the receiver did something else than the policy asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReportedOverride")]
pub struct OverrideReason {
    /// Which sort of reason; the word stands under `type` in the report.
    #[serde(rename = "type")]
    pub kind: Option<OverrideKind>,
    /// In the reporter's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// One signature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReportedDkim")]
pub struct DkimResult {
    /// The signing domain, in lower case; may be empty.
    pub domain: String,
    /// The selector. Of a signature that did not pass, anybody's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// How it was judged.
    pub result: Option<DkimVerdict>,
    /// In the reporter's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human_result: Option<String>,
}

/// What SPF said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReportedSpf")]
pub struct SpfResult {
    /// The domain that was asked about, in lower case; may be empty.
    pub domain: String,
    /// Which sender was asked about: `mfrom`, and before RFC 9990 also `helo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// How it was judged.
    pub result: Option<SpfVerdict>,
    /// In the reporter's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human_result: Option<String>,
}
