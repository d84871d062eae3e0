//! Failure reports: RFC 9991 and RFC 6591, in the form of RFC 5965.
//!
//! They repeat other people's mail. Of it only some headers are kept, and the part of an address
//! before its `@` only as a hash; the body is not even looked at.

use std::fmt::Write as _;
use std::net::IpAddr;

use jiff::Timestamp;
use mail_parser::{HeaderValue, Message, MessageParser, MimeHeaders as _, PartType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{domain, limits};

/// One message that failed, as a receiver tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailureReport {
    /// The sort of report; `auth-failure` where it is about authentication.
    pub feedback_type: String,
    /// What failed: `dmarc`, `signature`, `bodyhash`, `revoked`, `spf`, `adsp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_failure: Option<String>,
    /// What was aligned: `none`, `dkim`, `spf`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identity_alignment: Vec<String>,
    /// What the receiver did with the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_result: Option<String>,
    /// The domain that is reported about, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_domain: Option<String>,
    /// Who handed the message over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<IpAddr>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived: Option<Timestamp>,
    /// The domain of the signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dkim_domain: Option<String>,
    /// The selector of the signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dkim_selector: Option<String>,
    /// The envelope's sender, its local part hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_from: Option<String>,
    /// The author of the message, the local part hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_from: Option<String>,
    /// The message's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// How many such messages; 1 where the report does not say.
    pub incidents: u64,
}

/// Reads a message that has a part `message/feedback-report`; `None` where that part is not text.
pub(super) fn read(message: &Message<'_>) -> Option<FailureReport> {
    let mut report = FailureReport {
        incidents: 1,
        ..FailureReport::default()
    };
    let feedback = message.parts.iter().find(|part| {
        let kind = part.content_type();
        kind.and_then(|kind| kind.subtype())
            .is_some_and(|name| name.eq_ignore_ascii_case("feedback-report"))
    })?;
    for (name, value) in fields(feedback.contents()) {
        set(&mut report, &name, value.trim());
    }
    if let Some(original) = original(message) {
        report.header_from = report.header_from.or(original.0);
        report.message_id = original.1;
    }
    Some(report)
}

/// A field of the machine-readable part (RFC 5965 section 3, RFC 6591 section 3).
fn set(report: &mut FailureReport, name: &str, value: &str) {
    let text = || (!value.is_empty()).then(|| short(value));
    match name {
        "feedback-type" => report.feedback_type = short(value).to_ascii_lowercase(),
        "auth-failure" => report.auth_failure = text().map(|word| word.to_ascii_lowercase()),
        "identity-alignment" => {
            let words = value
                .split(',')
                .map(|word| word.trim().to_ascii_lowercase());
            report.identity_alignment = words.filter(|word| !word.is_empty()).take(4).collect();
        }
        "delivery-result" => report.delivery_result = text(),
        "reported-domain" => report.reported_domain = domain::normal(value),
        "source-ip" => report.source_ip = source(value),
        "arrival-date" | "received-date" => report.arrived = moment(value),
        "dkim-domain" => report.dkim_domain = domain::normal(value),
        "dkim-selector" => report.dkim_selector = text(),
        "original-mail-from" => report.mail_from = Some(without_person(value)),
        "incidents" => report.incidents = value.parse().unwrap_or(1),
        _ => {}
    }
}

/// The author and the id of the message that failed, from the part that holds it or its headers.
fn original(message: &Message<'_>) -> Option<(Option<String>, Option<String>)> {
    for part in &message.parts {
        if let PartType::Message(original) = &part.body {
            return Some(facts(original));
        }
        let is_headers = part
            .content_type()
            .and_then(|kind| kind.subtype())
            .is_some_and(|name| name.eq_ignore_ascii_case("rfc822-headers"));
        if is_headers {
            let headers = MessageParser::default().parse_headers(part.contents())?;
            return Some(facts(&headers));
        }
    }
    None
}

fn facts(original: &Message<'_>) -> (Option<String>, Option<String>) {
    let author = original.from().and_then(|from| from.first());
    let author = author.and_then(|author| author.address.as_deref());
    (
        author.map(without_person),
        original.message_id().map(without_person),
    )
}

/// The names and unfolded values of header-like text.
fn fields(text: &[u8]) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in String::from_utf8_lossy(text).lines().take(200) {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_ascii_lowercase(), value.to_owned()));
        }
    }
    fields
}

/// An address with sixteen digits of a hash for its local part: the same person stays the same, and
/// who has the address can recognise it, nobody else.
fn without_person(address: &str) -> String {
    let address = address.trim().trim_matches(['<', '>']);
    let Some((local, domain)) = address.rsplit_once('@') else {
        return short(address);
    };
    let hash = Sha256::digest(local.to_ascii_lowercase().as_bytes());
    let mut hidden = String::new();
    for byte in hash.iter().take(8) {
        // A String takes whatever is written.
        let _ = write!(hidden, "{byte:02x}");
    }
    hidden.push('@');
    hidden.push_str(&domain::normal(domain).unwrap_or_default());
    hidden
}

/// Some write the address in brackets, or a name behind it.
fn source(value: &str) -> Option<IpAddr> {
    let word = value.split_ascii_whitespace().next()?;
    let address: IpAddr = word.trim_matches(['[', ']']).parse().ok()?;
    Some(address.to_canonical())
}

/// A date as mail writes it, read by the parser of mail headers.
fn moment(value: &str) -> Option<Timestamp> {
    let header = format!("Date: {value}\r\n\r\n");
    let message = MessageParser::default().parse_headers(header.as_bytes())?;
    let HeaderValue::DateTime(date) = message.header("Date")? else {
        return None;
    };
    Timestamp::from_second(date.to_timestamp()).ok()
}

fn short(text: &str) -> String {
    text.chars().take(limits::NAME).collect()
}
