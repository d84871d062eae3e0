//! Errors as the platform writes them: `error` for people, `code` for machines, `details` where there are
//! any (<https://docs.theonestack.com/docs/api-reference/errors>). The codes of 400, 401, 403 and 429 are
//! documented there; the others are ours.

use std::time::Duration;

use ::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use ::http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::InboundAnswer;
use crate::error::{Error, ErrorKind};

/// The product, as the platform's errors name it.
const PRODUCT: &str = "protect";

/// The answer to a request that went wrong.
///
/// Where the fault is not the caller's, nothing is said of what it is: that stands in the log.
pub fn refusal(error: &Error) -> InboundAnswer {
    let (status, code) = status_of(error);
    let message = if status.is_server_error() {
        "the request could not be answered at the moment; the log of the service says why"
    } else {
        error.message()
    };
    let mut body = json!({ "error": message, "code": code });
    if let Some(details) = details_of(error, status) {
        body["details"] = details;
    }
    let mut answer = InboundAnswer::bytes("application/json", body.to_string()).with_status(status);
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer realm=\"protect\"");
        answer = answer.with_header(WWW_AUTHENTICATE, challenge);
    }
    if let Some(wait) = error.retry_after() {
        answer = answer.with_header(RETRY_AFTER, whole_seconds(wait).into());
    }
    answer
}

fn status_of(error: &Error) -> (StatusCode, &'static str) {
    if error.http_status().is_some() {
        // A vendor that we asked said so: not the caller's doing, whatever it was.
        return (StatusCode::BAD_GATEWAY, "BAD_GATEWAY");
    }
    match error.kind() {
        ErrorKind::InvalidInput if is_too_large(error) => {
            (StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE")
        }
        ErrorKind::InvalidInput => (StatusCode::BAD_REQUEST, "VALIDATION_ERROR"),
        ErrorKind::Unauthenticated => (StatusCode::UNAUTHORIZED, "UNAUTHORIZED"),
        ErrorKind::PermissionDenied => (StatusCode::FORBIDDEN, "FORBIDDEN"),
        ErrorKind::Refused => (StatusCode::FORBIDDEN, "REFUSED"),
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND"),
        ErrorKind::Conflict => (StatusCode::CONFLICT, "CONFLICT"),
        ErrorKind::RateLimited | ErrorKind::QuotaExceeded => {
            (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMIT_EXCEEDED")
        }
        ErrorKind::Unsupported => (StatusCode::NOT_IMPLEMENTED, "NOT_SUPPORTED"),
        ErrorKind::InvalidResponse => (StatusCode::BAD_GATEWAY, "BAD_GATEWAY"),
        ErrorKind::Timeout => (StatusCode::GATEWAY_TIMEOUT, "TIMEOUT"),
        ErrorKind::ConfigInvalid | ErrorKind::Unavailable | ErrorKind::Cancelled => {
            (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE")
        }
        ErrorKind::Store if error.is_retryable() => {
            (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE")
        }
        ErrorKind::Store | ErrorKind::Unexpected => {
            (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR")
        }
    }
}

/// The fact of an error about a body over its limit, in bytes.
const LIMIT: &str = "body_limit";

/// The error for a body over its limit in bytes, which becomes a 413.
pub fn body_too_large(limit: usize) -> Error {
    Error::invalid_input(format!("the body is larger than {limit} bytes"))
        .with_context(LIMIT, limit.to_string())
}

fn is_too_large(error: &Error) -> bool {
    fact(error, LIMIT).is_some()
}

fn details_of(error: &Error, status: StatusCode) -> Option<Value> {
    match status {
        StatusCode::BAD_REQUEST => {
            let field = fact(error, "field")?;
            Some(json!({ "fields": { field: error.message() } }))
        }
        StatusCode::FORBIDDEN => {
            let permission = fact(error, "permission")?;
            Some(json!({ "requiredProduct": PRODUCT, "requiredPermission": permission }))
        }
        StatusCode::PAYLOAD_TOO_LARGE => Some(json!({ "limit": fact(error, LIMIT)? })),
        StatusCode::TOO_MANY_REQUESTS => {
            let wait = error.retry_after()?;
            Some(json!({ "retryAfter": whole_seconds(wait) }))
        }
        _ => None,
    }
}

fn fact<'a>(error: &'a Error, name: &str) -> Option<&'a str> {
    let found = error.context().iter().find(|(key, _)| *key == name);
    found.map(|(_, value)| value.as_str())
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
