//! Messages that the platform sends by webhook, verified and read.
//!
//! The events' names are documented (<https://docs.theonestack.com/docs/api-reference/webhooks>), and that
//! each webhook has a secret. How a message is signed and what it holds is not; the nearest relative that
//! is, PSA to Books, has HMAC-SHA-256 in `X-PSA-Signature`
//! (<https://docs.theonestack.com/docs/books/psa-integration>). So what stands here is ours: the keyed
//! digest of the raw body in hexadecimal, with or without `sha256=` before it, in a header that can be
//! named. Which other names are read is said at each field.

use aws_lc_rs::hmac;
use jiff::{SignedDuration, Timestamp};
use protect_core::secret::{ExposeSecret, SecretString};
use protect_core::{Error, ErrorKind, Result};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// Larger bodies are refused before anything is reckoned.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// How far the time of a message may be from now.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Where a message says what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventHeaders {
    /// The headers that may hold the signature, in lower case, tried in this order.
    pub signature: Vec<String>,
    /// The header that holds the time in seconds since 1970, where there is one. It is not part of what is
    /// signed.
    pub timestamp: Option<String>,
}

impl EventHeaders {
    /// `X-Webhook-Signature`, then `X-<PRODUCT>-Signature`; no time.
    pub fn of_product(product: &str) -> Self {
        let product = product.to_ascii_lowercase();
        Self {
            signature: vec![
                "x-webhook-signature".to_owned(),
                format!("x-{product}-signature"),
            ],
            timestamp: None,
        }
    }
}

/// A message whose signature is good.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What tells it from every other one: its `id`, or where it has none the digest of its body.
    pub id: String,
    /// What happened (`ticket.updated`): `event`, `event_type` or `type`. A name that is not known yet is
    /// kept.
    pub event: String,
    /// When it happened: `timestamp` or `created_at`, where it is there.
    pub at: Option<Timestamp>,
    /// Whose it is: `tenant_id` or `tenantId`, where it is there.
    pub organisation: Option<String>,
    /// What it is about: `data` or `payload`.
    pub data: Map<String, Value>,
}

/// Verifies a message and reads it. `header` gives the value of a header by its name in lower case; of
/// `secrets` any one may have signed, so that a secret can be replaced while messages are under way.
///
/// # Errors
/// `config_invalid` without a secret, or with an empty one; `invalid_input` for a body of more than a
/// mebibyte, or that is no event; otherwise `unauthenticated`. None holds anything of the message.
pub fn verify<'h>(
    header: impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
    secrets: &[SecretString],
    headers: &EventHeaders,
    now: Timestamp,
) -> Result<Event> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Error::invalid_input(
            "the message is larger than a mebibyte",
        ));
    }
    if secrets.is_empty() || secrets.iter().any(|it| it.expose_secret().is_empty()) {
        return Err(Error::config(
            "secret",
            "without the webhook's secret nothing can be verified; Hub, Settings, Webhooks shows it",
        ));
    }
    let mut given = headers.signature.iter().filter_map(|name| header(name));
    let given = given
        .next()
        .ok_or_else(|| refused("the message is not signed"))?;
    let signature = from_hex(given.strip_prefix("sha256=").unwrap_or(given))
        .ok_or_else(|| refused("the signature is not in hexadecimal"))?;
    if !secrets.iter().any(|it| is_signed(it, body, &signature)) {
        return Err(refused("the signature is not good; compare the secrets"));
    }
    if let Some(name) = &headers.timestamp {
        let seconds = header(name).and_then(|value| value.parse().ok());
        let sent = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
        let sent = sent.ok_or_else(|| refused(format!("`{name}` is missing, or no time")))?;
        if now.duration_since(sent).abs() > TOLERANCE {
            return Err(refused(
                "the message was not sent within the last five minutes; compare the clocks",
            ));
        }
    }
    read(body)
}

/// Compares in constant time.
fn is_signed(secret: &SecretString, body: &[u8], signature: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    hmac::verify(&key, body, signature).is_ok()
}

/// Reads a message that was verified.
///
/// # Errors
/// `invalid_input` for what is no event.
pub(crate) fn read(body: &[u8]) -> Result<Event> {
    let no_event = || Error::invalid_input("the message is no event: a JSON object with `event`");
    let mut message: Map<String, Value> = serde_json::from_slice(body).map_err(|_| no_event())?;
    let text = |names: &[&str]| {
        let values = names.iter().filter_map(|name| message.get(*name)?.as_str());
        values.map(str::to_owned).find(|value| !value.is_empty())
    };
    let event = text(&["event", "event_type", "type"]).ok_or_else(no_event)?;
    let id = text(&["id"]).unwrap_or_else(|| hex(&Sha256::digest(body)));
    let at = text(&["timestamp", "created_at"]);
    let organisation = text(&["tenant_id", "tenantId"]);
    let data = message.remove("data").or_else(|| message.remove("payload"));
    Ok(Event {
        id,
        event,
        at: at.and_then(|at| at.parse().ok()),
        organisation,
        data: match data {
            Some(Value::Object(data)) => data,
            _ => Map::new(),
        },
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|it| u8::try_from(it).ok())
    };
    digits
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
            _ => None,
        })
        .collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unauthenticated, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"e-1","event":"ticket.updated","timestamp":"2026-11-27T00:00:00Z","tenantId":"org-1","data":{"ticket_id":"7"}}"#;
    /// HMAC-SHA-256 of the body with the key `shared`, reckoned by Python's `hmac`.
    const SIGNATURE: &str = "ccda71615550329479e2439dddb0c8bf16407d5f96294c93b5053b0900143d05";

    fn verified(signature: Option<&str>, body: &[u8], secrets: &[&str]) -> Result<Event> {
        let secrets: Vec<_> = secrets.iter().map(|&it| SecretString::from(it)).collect();
        let header = |name: &str| signature.filter(|_| name == "x-psa-signature");
        let headers = EventHeaders::of_product("PSA");
        verify(header, body, &secrets, &headers, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_message_that_was_signed_with_one_of_the_secrets_is_read() {
        for signature in [
            SIGNATURE.to_owned(),
            format!("sha256={SIGNATURE}"),
            SIGNATURE.to_uppercase(),
        ] {
            let event = verified(Some(&signature), BODY, &["other", "shared"]).unwrap();
            assert_eq!(
                (event.id.as_str(), event.event.as_str()),
                ("e-1", "ticket.updated")
            );
            assert_eq!(event.organisation.as_deref(), Some("org-1"));
            assert_eq!(event.data["ticket_id"], "7");
            assert_eq!(event.at.unwrap().to_string(), "2026-11-27T00:00:00Z");
        }
    }

    #[test]
    fn one_that_is_unsigned_changed_reordered_or_large_is_refused_without_a_word_of_it() {
        let reordered = br#"{"event":"ticket.updated","id":"e-1","timestamp":"2026-11-27T00:00:00Z","tenantId":"org-1","data":{"ticket_id":"7"}}"#;
        for (signature, body) in [
            (None, BODY),
            (Some(""), BODY),
            (Some("sha256="), BODY),
            (Some("zz"), BODY),
            (Some(&SIGNATURE[..62]), BODY),
            (Some(SIGNATURE), &BODY[1..]),
            (Some(SIGNATURE), reordered),
        ] {
            let error = verified(signature, body, &["shared"]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{signature:?}");
            assert!(!error.to_string().contains("ticket"), "{error}");
        }
        let large = vec![b' '; MAX_BODY_BYTES + 1];
        let error = verified(Some(SIGNATURE), &large, &["shared"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }

    #[test]
    fn without_a_secret_nothing_is_verified() {
        for secrets in [&[][..], &[""], &["shared", ""]] {
            let error = verified(Some(SIGNATURE), BODY, secrets).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
        }
    }

    #[test]
    fn a_time_that_is_asked_for_must_be_there_and_be_now() {
        let headers = EventHeaders {
            timestamp: Some("x-webhook-timestamp".to_owned()),
            ..EventHeaders::of_product("psa")
        };
        let now = Timestamp::from_second(1_000_000).unwrap();
        let at = |time: Option<&'static str>| {
            let header = move |name: &str| match name {
                "x-webhook-signature" => Some(SIGNATURE),
                "x-webhook-timestamp" => time,
                _ => None,
            };
            verify(header, BODY, &["shared".into()], &headers, now)
        };
        assert!(at(Some("1000300")).is_ok() && at(Some("999700")).is_ok());
        for wrong in [
            None,
            Some("1000301"),
            Some("999699"),
            Some("now"),
            Some("99999999999999999"),
        ] {
            let error = at(wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{wrong:?}");
        }
    }

    #[test]
    fn other_names_are_read_and_what_has_no_id_is_known_by_its_bytes() {
        let event = read(br#"{"event_type":"not.known_yet","payload":{"x":1},"tenant_id":"o"}"#);
        let event = event.unwrap();
        assert_eq!(
            (event.event.as_str(), event.id.len()),
            ("not.known_yet", 64)
        );
        assert_eq!(event.data["x"], 1);
        for nothing in [&b"[]"[..], b"{}", b"null", b"\xff", br#"{"event":""}"#] {
            assert!(read(nothing).is_err());
        }
    }
}
