//! The one table from the vendor's refusals to errors.
//!
//! <https://haveibeenpwned.com/API/v3#ResponseCodes>. A 403 has four causes, and telling people the
//! wrong one sends them the wrong way: the message and the headers decide.

use protect_core::http::{ErrorAnswer, HeaderMap};
use protect_core::{Error, ErrorKind};

use crate::wire::ErrorBody;

/// Under this name an error of kind `permission_denied` says why.
pub(crate) const REASON: &str = "reason";
/// The plan lacks the feature.
pub(crate) const PLAN: &str = "plan";

/// The error for an answer that is not 2xx.
pub(crate) fn table(answer: &ErrorAnswer) -> Error {
    classify(answer.status.as_u16(), &answer.headers, &answer.body)
}

fn classify(status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
    let parsed: Option<ErrorBody> = serde_json::from_slice(body).ok();
    let message = parsed.and_then(|body| body.message).unwrap_or_default();
    let error = match status {
        400 => Error::new(
            ErrorKind::InvalidInput,
            "Have I Been Pwned does not take this for an address, domain or alias",
        ),
        401 => Error::new(
            ErrorKind::Unauthenticated,
            "Have I Been Pwned does not accept the key: 32 hexadecimal digits from its dashboard, of a subscription that still runs",
        ),
        403 => forbidden(&message.to_lowercase(), headers, body),
        404 if is_page(headers, body) => Error::new(
            ErrorKind::InvalidResponse,
            "a web page answered instead of the API: check the endpoint and any proxy",
        ),
        404 => Error::new(ErrorKind::NotFound, "nothing is known under this name"),
        429 => Error::new(
            ErrorKind::RateLimited,
            "more searches than the plan has in a minute; does another program use the same key?",
        )
        .temporary(),
        408 | 500..=599 => Error::new(
            ErrorKind::Unavailable,
            "Have I Been Pwned cannot answer at the moment",
        )
        .temporary(),
        _ => Error::new(
            ErrorKind::InvalidResponse,
            "Have I Been Pwned answered with a status that its documentation does not name",
        ),
    };
    error.with_http_status(status)
}

fn forbidden(message: &str, headers: &HeaderMap, body: &[u8]) -> Error {
    let (reason, advice) = if message.contains("user agent") || message.contains("user-agent") {
        (
            "user_agent",
            "Have I Been Pwned wants a user agent that names the program: name/version",
        )
    } else if message.contains("verif") || message.contains("dashboard") {
        (
            "domain_not_verified",
            "the domain is not verified for this key: add it on the dashboard",
        )
    } else if message.contains("subscription") || message.contains("plan") {
        (PLAN, "the plan does not include this")
    } else if headers.contains_key("cf-ray") && is_page(headers, body) {
        (
            "blocked",
            "the network in front of Have I Been Pwned blocks us: ask them, with the ray id",
        )
    } else {
        (
            "unknown",
            "Have I Been Pwned refuses: the plan lacks it, or the domain is not verified for this key",
        )
    };
    let error = Error::new(ErrorKind::PermissionDenied, advice).with_context(REASON, reason);
    match headers.get("cf-ray").and_then(|ray| ray.to_str().ok()) {
        Some(ray) if is_ray(ray) => error.with_context("cf_ray", ray),
        _ => error,
    }
}

/// A ray id is digits, letters and a dash; anything else is not repeated.
fn is_ray(text: &str) -> bool {
    text.len() <= 40
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_page(headers: &HeaderMap, body: &[u8]) -> bool {
    let says_html = headers
        .get("content-type")
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    says_html || body.trim_ascii_start().starts_with(b"<")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Error {
        let headers = headers
            .iter()
            .map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    http::HeaderValue::from_static(value),
                )
            })
            .collect();
        classify(status, &headers, body.as_bytes())
    }

    #[test]
    fn a_refusal_says_which_of_its_four_causes_it_has() {
        for (body, headers, reason) in [
            (
                r#"{"statusCode":403,"message":"A user agent must be specified"}"#,
                &[][..],
                "user_agent",
            ),
            (
                r#"{"message":"The domain has not been verified for this key"}"#,
                &[],
                "domain_not_verified",
            ),
            (
                r#"{"message":"Your subscription does not include stealer logs"}"#,
                &[],
                "plan",
            ),
            ("<html>blocked</html>", &[("cf-ray", "8a1b-AMS")], "blocked"),
            ("", &[], "unknown"),
        ] {
            let error = error(403, headers, body);
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            assert!(!error.is_retryable());
            assert!(
                error.context().contains(&(REASON, reason.to_owned())),
                "{error}"
            );
        }
    }

    #[test]
    fn a_404_of_the_api_is_not_a_404_of_some_web_server() {
        assert_eq!(error(404, &[], "").kind(), ErrorKind::NotFound);
        let page = error(404, &[("content-type", "text/html")], "<h1>Not found</h1>");
        assert_eq!(page.kind(), ErrorKind::InvalidResponse);
    }

    #[test]
    fn what_may_pass_is_retryable_and_the_rest_is_not() {
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(error(status, &[], "").is_retryable(), "{status}");
        }
        for status in [400, 401, 403, 404, 301, 418] {
            assert!(!error(status, &[], "").is_retryable(), "{status}");
        }
    }

    #[test]
    fn nothing_of_the_body_is_repeated() {
        let error = error(400, &[], r#"{"message":"ann@acme.example is not valid"}"#);
        assert!(!format!("{error:?}").contains("ann"));
    }
}
