//! The one table from a vendor's refusal to an error.
//!
//! HTTP statuses and gRPC codes: <https://www.1password.dev/users-api/suspend-user>,
//! <https://developer.1password.com/docs/events-api/status-codes>. The gRPC codes follow the
//! standard mapping of `google.rpc.Code`; the status of the answer decides.

use protect_core::model::Protection;
use protect_core::{Error, ErrorKind};

use crate::wire::ErrorBody;

/// Under this name an error of kind `refused` says why the account is protected.
pub(crate) const PROTECTION: &str = "protection";

/// The error for a status and body. Of the body only the vendor's own words stay, less whatever
/// could be an address, an id, a token or a URL.
pub(crate) fn classify(status: u16, body: &[u8]) -> Error {
    let body: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    let words = body
        .message
        .as_deref()
        .or(body.error.as_deref())
        .or(body
            .events
            .as_ref()
            .and_then(|events| events.message.as_deref()))
        .map(harmless);
    let mut error = match (status, protection(&body)) {
        (400..=499, Some(protection)) => Error::new(
            ErrorKind::Refused,
            "1Password does not suspend this account: an administrator must decide",
        )
        .with_context(PROTECTION, protection_name(protection)),
        _ => plain(status, &body),
    };
    if let Some(code) = body.code {
        error = error.with_context("vendor_code", code.to_string());
    }
    if let Some(words) = words.filter(|words| !words.is_empty()) {
        error = error.with_context("vendor_message", words);
    }
    error.with_http_status(status)
}

fn plain(status: u16, body: &ErrorBody) -> Error {
    match status {
        // RFC 6749 section 5.2: a token endpoint may say so with 400.
        400 if body.error.as_deref() == Some("invalid_client") => unauthenticated(),
        401 => unauthenticated(),
        400 => Error::new(
            ErrorKind::InvalidInput,
            "1Password does not understand a filter, id, page token or cursor",
        ),
        403 => Error::new(
            ErrorKind::PermissionDenied,
            "the integration lacks the permission, or 1Password protects the account; on accounts with automated provisioning the identity provider must act",
        ),
        404 | 410 => Error::new(
            ErrorKind::NotFound,
            "1Password knows no such user or account here: check the account id, the region and the version of the API",
        ),
        408 => Error::new(ErrorKind::Timeout, "1Password gave up waiting").temporary(),
        409 => Error::new(ErrorKind::Conflict, "somebody else changed it first"),
        429 => Error::new(ErrorKind::RateLimited, "too many requests to 1Password").temporary(),
        501 => Error::new(
            ErrorKind::Unsupported,
            "1Password does not offer this operation",
        ),
        500..=599 => Error::new(
            ErrorKind::Unavailable,
            "1Password cannot answer at the moment",
        )
        .temporary(),
        _ => Error::new(
            ErrorKind::InvalidResponse,
            "1Password answered with a status that its documentation does not name",
        ),
    }
}

fn unauthenticated() -> Error {
    Error::new(
        ErrorKind::Unauthenticated,
        "1Password does not accept the credential: check it, and the region it was made in",
    )
}

/// Which protection the vendor names. `no_owner_remain` is on record; the words for an externally
/// managed administrator and for automated provisioning are not, so their likely parts are taken.
fn protection(body: &ErrorBody) -> Option<Protection> {
    let message = body.message.as_deref()?.to_lowercase();
    if message == "no_owner_remain" {
        return Some(Protection::LastOwner);
    }
    let mut words = message.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .any(|word| {
            word == "eam" || word.starts_with("external") || word.starts_with("provisioning")
        })
        .then_some(Protection::ExternallyManaged)
}

/// The name that [`Protection`] serialises to.
fn protection_name(protection: Protection) -> String {
    serde_json::to_value(protection)
        .ok()
        .and_then(|value| value.as_str().map(ToOwned::to_owned))
        .unwrap_or_default()
}

/// The protection that an error speaks of.
pub(crate) fn protection_of(error: &Error) -> Option<Protection> {
    let name = error.context().iter().find(|(key, _)| *key == PROTECTION)?;
    serde_json::from_value(name.1.clone().into()).ok()
}

/// A vendor's words that may be shown: machine words and short ones, nothing that could be an
/// address, an id, a token or a URL.
fn harmless(text: &str) -> String {
    let is_machine_word =
        |word: &str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && word.len() <= 60;
    let is_short = |word: &str| {
        word.len() <= 20
            && !word.contains("//")
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-.,:;'()!?".contains(c))
    };
    let words = text.split_whitespace().take(40).map(|word| {
        if is_machine_word(word) || is_short(word) {
            word
        } else {
            "…"
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ErrorKind as Kind;
    use protect_core::Retry;

    fn kind_of(status: u16, body: &str) -> (Kind, Retry) {
        let error = classify(status, body.as_bytes());
        (error.kind(), error.retry())
    }

    #[test]
    fn every_status_and_body_has_its_kind_and_retry() {
        let html = "<html><body>Bad Gateway</body></html>";
        let table = [
            (
                400,
                r#"{"code":3,"message":"invalid filter"}"#,
                Kind::InvalidInput,
                Retry::Permanent,
            ),
            (
                400,
                r#"{"error":"invalid_client"}"#,
                Kind::Unauthenticated,
                Retry::Permanent,
            ),
            (
                400,
                r#"{"Error":{"Message":"Bad Request"}}"#,
                Kind::InvalidInput,
                Retry::Permanent,
            ),
            (
                401,
                r#"{"code":16,"message":"unauthenticated"}"#,
                Kind::Unauthenticated,
                Retry::Permanent,
            ),
            (
                401,
                r#"{"Error":{"Message":"Unauthorized"}}"#,
                Kind::Unauthenticated,
                Retry::Permanent,
            ),
            (
                403,
                r#"{"code":7,"message":"permission_denied","details":[]}"#,
                Kind::PermissionDenied,
                Retry::Permanent,
            ),
            (
                403,
                r#"{"code":7,"message":"no_owner_remain","details":[]}"#,
                Kind::Refused,
                Retry::Permanent,
            ),
            (
                403,
                r#"{"code":7,"message":"user_is_eam"}"#,
                Kind::Refused,
                Retry::Permanent,
            ),
            (
                403,
                r#"{"code":7,"message":"externally managed user"}"#,
                Kind::Refused,
                Retry::Permanent,
            ),
            (403, "", Kind::PermissionDenied, Retry::Permanent),
            (
                404,
                r#"{"code":5,"message":"not found"}"#,
                Kind::NotFound,
                Retry::Permanent,
            ),
            (404, html, Kind::NotFound, Retry::Permanent),
            (429, "", Kind::RateLimited, Retry::Temporary),
            (
                500,
                r#"{"code":13,"message":"internal"}"#,
                Kind::Unavailable,
                Retry::Temporary,
            ),
            (502, html, Kind::Unavailable, Retry::Temporary),
            (503, r#"{"code":14}"#, Kind::Unavailable, Retry::Temporary),
            (504, "[]", Kind::Unavailable, Retry::Temporary),
            (501, "", Kind::Unsupported, Retry::Permanent),
            (302, "", Kind::InvalidResponse, Retry::Permanent),
            (418, "", Kind::InvalidResponse, Retry::Permanent),
        ];
        for (status, body, kind, retry) in table {
            assert_eq!(kind_of(status, body), (kind, retry), "{status} {body}");
        }
    }

    #[test]
    fn the_last_owner_and_an_externally_managed_user_are_told_apart() {
        let owner = classify(403, br#"{"code":7,"message":"no_owner_remain"}"#);
        assert_eq!(protection_of(&owner), Some(Protection::LastOwner));
        let eam = classify(403, br#"{"code":7,"message":"cannot suspend EAM user"}"#);
        assert_eq!(protection_of(&eam), Some(Protection::ExternallyManaged));
        let scope = classify(403, br#"{"code":7,"message":"scope"}"#);
        assert_eq!(protection_of(&scope), None);
    }

    #[test]
    fn the_vendors_words_stay_and_addresses_ids_tokens_and_urls_do_not() {
        let error = classify(
            403,
            br#"{"code":7,"message":"user a@acme.example ABCDEFGHIJKLMNOPQRSTUVWXYZ at https://x is not allowed"}"#,
        );
        let text = format!("{error:?}");
        assert!(text.contains("user … … at … is not allowed"), "{text}");
        assert!(!text.contains("acme"), "{text}");
    }

    #[test]
    fn a_body_with_fields_of_other_types_still_has_its_status() {
        let error = classify(403, br#"{"code":"7","message":["no_owner_remain"]}"#);
        assert_eq!(error.kind(), Kind::PermissionDenied);
        assert_eq!(error.http_status(), Some(403));
    }
}
