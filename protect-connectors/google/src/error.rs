//! What errors of Google's interfaces mean
//! ([limits](https://developers.google.com/workspace/admin/directory/v1/limits),
//! [errors](https://cloud.google.com/apis/design/errors)).

use protect_core::http::ErrorAnswer;
use protect_core::posture::Refusal;
use protect_core::{Error, ErrorKind};
use serde_json::Value;

/// The error table of every call. The reason decides, then the status; the message for people is read
/// by nobody.
pub(crate) fn google_error(answer: &ErrorAnswer) -> Error {
    let body: Value = answer.json().unwrap_or_default();
    let reasons = reasons(&body);
    let error = meaning(answer, &reasons);
    let shown = reasons.iter().find(|reason| is_word(reason));
    let error = match shown {
        Some(reason) => error.with_context("reason", reason.as_str()),
        None => error,
    };
    error.with_source(Refusal::new(&answer.body, answer.status.as_u16()))
}

/// The vendor has no such object, or no longer.
pub(crate) fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound
}

/// Google's words for why, the most exact first: those of the older form, of the newer form, and its
/// status.
fn reasons(body: &Value) -> Vec<String> {
    let error = &body["error"];
    let listed = |list: &str| {
        let items = error[list].as_array().into_iter().flatten();
        let words = items.filter_map(|item| item["reason"].as_str());
        words.map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let status = error["status"].as_str().map(ToOwned::to_owned);
    let all = listed("errors").into_iter().chain(listed("details"));
    all.chain(status).collect()
}

/// Too many requests, which Google also says with 403.
const TOO_MANY: &[&str] = &[
    "userRateLimitExceeded",
    "rateLimitExceeded",
    "quotaExceeded",
    "RATE_LIMIT_EXCEEDED",
    "RESOURCE_EXHAUSTED",
];

/// The interface is switched off in the service account's project.
const OFF: &[&str] = &["accessNotConfigured", "SERVICE_DISABLED"];

fn meaning(answer: &ErrorAnswer, reasons: &[String]) -> Error {
    let any = |words: &[&str]| {
        let is = |reason: &String| words.iter().any(|word| word.eq_ignore_ascii_case(reason));
        reasons.iter().any(is)
    };
    let status = answer.status.as_u16();
    if any(&["dailyLimitExceeded"]) {
        return Error::new(
            ErrorKind::QuotaExceeded,
            "the project's daily limit is used up; raise it in the Google Cloud console, or wait until tomorrow",
        );
    }
    if matches!(status, 403 | 429) && any(TOO_MANY) {
        let message = "too many requests; wait before the next";
        return Error::new(ErrorKind::RateLimited, message).temporary();
    }
    if status == 403 && any(OFF) {
        return Error::new(
            ErrorKind::ConfigInvalid,
            "the interface is not enabled in the service account's project: enable it in the Google Cloud console under `APIs & Services`",
        );
    }
    if status == 403 {
        return Error::new(
            ErrorKind::PermissionDenied,
            "the administrator in `subject` lacks the privilege for this, or is none; the Policy API answers super administrators alone",
        );
    }
    answer.default_error()
}

/// Whether it is a word of Google's and nothing of the customer's.
fn is_word(reason: &str) -> bool {
    reason.len() <= 60
        && reason
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn error(status: u16, body: &str) -> Error {
        google_error(&ErrorAnswer {
            operation: "google.test",
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        })
    }

    fn classic(reason: &str) -> String {
        format!(r#"{{"error":{{"code":403,"message":"","errors":[{{"reason":"{reason}"}}]}}}}"#)
    }

    #[test]
    fn reasons_and_statuses_mean_what_google_documents() {
        use ErrorKind as Kind;
        let disabled = r#"{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"@type":"x","reason":"SERVICE_DISABLED"}]}}"#;
        let exhausted = r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"Quota exceeded for read requests per minute"}}"#;
        for (status, body, kind, retries) in [
            (
                403,
                &*classic("userRateLimitExceeded"),
                Kind::RateLimited,
                true,
            ),
            (403, &*classic("rateLimitExceeded"), Kind::RateLimited, true),
            (403, &*classic("quotaExceeded"), Kind::RateLimited, true),
            (
                403,
                &*classic("dailyLimitExceeded"),
                Kind::QuotaExceeded,
                false,
            ),
            (403, &*classic("forbidden"), Kind::PermissionDenied, false),
            (
                403,
                &*classic("accessNotConfigured"),
                Kind::ConfigInvalid,
                false,
            ),
            (403, disabled, Kind::ConfigInvalid, false),
            (
                403,
                r#"{"error":{"status":"PERMISSION_DENIED"}}"#,
                Kind::PermissionDenied,
                false,
            ),
            (429, exhausted, Kind::RateLimited, true),
            (429, "", Kind::RateLimited, true),
            (503, "<html>", Kind::Unavailable, true),
            (500, &*classic("backendError"), Kind::Unavailable, true),
            (404, &*classic("notFound"), Kind::NotFound, false),
            (400, &*classic("invalid"), Kind::InvalidInput, false),
            (401, &*classic("authError"), Kind::Unauthenticated, false),
            (412, "[]", Kind::Conflict, false),
        ] {
            let error = error(status, body);
            assert_eq!(
                (error.kind(), error.is_retryable()),
                (kind, retries),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn an_error_shows_googles_reason_and_nothing_that_was_said_to_people() {
        let body = r#"{"error":{"code":403,"message":"canary a@acme.example","errors":[{"reason":"forbidden","message":"canary"}]}}"#;
        let error = error(403, body);
        let shown = format!("{error:?} {:?}", error.envelope());
        assert!(shown.contains("forbidden"), "{shown}");
        assert!(!shown.contains("canary"), "{shown}");
        assert_eq!(Refusal::behind(&error).unwrap(), body);
        let odd = r#"{"error":{"errors":[{"reason":"user a@acme.example is bad"}]}}"#;
        assert!(!format!("{:?}", self::error(400, odd)).contains("acme"));
    }
}
