//! The one place where answers and broken transfers become errors.

use std::time::Duration;

use ::http::{HeaderMap, Method, StatusCode, header};
use bytes::Bytes;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::transport::{HttpError, HttpErrorKind};
use crate::clock::MAX_SKEW_SECONDS;
use crate::error::{Error, ErrorKind};

/// An answer outside 2xx, as a connector's error table sees it.
#[derive(Clone)]
pub struct ErrorAnswer {
    /// The operation, as in `onepassword.suspend_user`.
    pub operation: &'static str,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body. It must not enter the error; a machine word that the vendor documents may.
    pub body: Bytes,
}

/// A connector's one error table: what an answer outside 2xx means.
///
/// What it marks temporary is tried again (where sending again is safe), so a 5xx or 429 has to be
/// marked so; [`ErrorAnswer::default_error`] does. Operation, status and `Retry-After` are added by
/// the caller.
pub type ErrorTable = fn(&ErrorAnswer) -> Error;

impl ErrorAnswer {
    /// What the status says by itself (RFC 9110 section 15): the rest of every connector's table.
    pub fn default_error(&self) -> Error {
        match self.status.as_u16() {
            401 => Error::new(
                ErrorKind::Unauthenticated,
                "the vendor does not accept the credential",
            ),
            402 => Error::new(
                ErrorKind::QuotaExceeded,
                "the vendor asks for payment before it answers",
            ),
            403 => Error::new(
                ErrorKind::PermissionDenied,
                "the credential lacks the permission for this",
            ),
            404 | 410 => Error::new(ErrorKind::NotFound, "the vendor does not know it"),
            405 | 501 | 505 => Error::new(ErrorKind::Unsupported, "the vendor cannot do this"),
            408 => Error::new(ErrorKind::Timeout, "the vendor gave up waiting").temporary(),
            409 | 412 | 423 => Error::new(
                ErrorKind::Conflict,
                "the state at the vendor forbids the change",
            ),
            429 => Error::new(
                ErrorKind::RateLimited,
                "too many requests; wait before the next",
            )
            .temporary(),
            400..=499 => Error::invalid_input("the vendor refuses the request as malformed"),
            500..=599 => {
                Error::new(ErrorKind::Unavailable, "the vendor reports a fault").temporary()
            }
            _ => Error::new(
                ErrorKind::InvalidResponse,
                "the vendor answered a status that it does not document",
            ),
        }
    }

    /// The body as JSON, where it is that.
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// What a refused redirect is: nothing was sent on, since credentials would go along.
pub(super) fn redirect_refused(answer: &ErrorAnswer, host: &str) -> Error {
    let target = answer
        .headers
        .get(header::LOCATION)
        .and_then(|location| location.to_str().ok())
        .map_or("nowhere", |location| match url::Url::parse(location) {
            Ok(url) if url.host_str() != Some(host) => "another host",
            _ => "the same host",
        });
    Error::new(
        ErrorKind::InvalidResponse,
        "a redirect was refused; configure the address that the vendor documents",
    )
    .with_context("redirect_to", target)
}

/// What a broken transfer is. `changes` says that the request may have changed something: then an
/// answer that cannot be read does not mean that nothing happened.
pub(super) fn transport_error(error: HttpError, changes: bool) -> Error {
    let (kind, message) = match error.kind() {
        HttpErrorKind::Connect => (ErrorKind::Unavailable, "no connection could be made"),
        HttpErrorKind::Request => (ErrorKind::Unavailable, "the request could not be sent"),
        HttpErrorKind::Timeout => (ErrorKind::Timeout, "no answer in time"),
        HttpErrorKind::Interrupted => (ErrorKind::Unavailable, "the connection broke off"),
        HttpErrorKind::Decode => (ErrorKind::InvalidResponse, "the answer cannot be read"),
        HttpErrorKind::TooLarge => (ErrorKind::InvalidResponse, "the answer is too large"),
        HttpErrorKind::Refused => (ErrorKind::Refused, "the address is not allowed"),
        HttpErrorKind::Unknown => (ErrorKind::Unavailable, "the request failed"),
    };
    let made = Error::new(kind, message);
    let made = match error.kind() {
        HttpErrorKind::Connect
        | HttpErrorKind::Request
        | HttpErrorKind::Timeout
        | HttpErrorKind::Interrupted => made.temporary(),
        HttpErrorKind::Unknown => made.temporary().persistent(),
        HttpErrorKind::Decode | HttpErrorKind::TooLarge => unsure(made, changes),
        HttpErrorKind::Refused => made,
    };
    made.with_source(error)
}

/// Keeps an error from saying "nothing was changed" where that is not known.
pub(super) fn unsure(error: Error, changes: bool) -> Error {
    if changes {
        error.temporary().persistent()
    } else {
        error
    }
}

/// Whether a failed transfer surely never reached the vendor.
pub(super) fn never_sent(kind: HttpErrorKind) -> bool {
    matches!(
        kind,
        HttpErrorKind::Connect | HttpErrorKind::Request | HttpErrorKind::Refused
    )
}

/// Whether the method may change something (RFC 9110 section 9.2.1).
pub(super) fn changes(method: &Method) -> bool {
    !method.is_safe()
}

/// The wait that `Retry-After` names, in seconds or as a date (RFC 9110 section 10.2.3), which is
/// read against the answer's own `Date`, so that a wrong clock does not matter. At most a day:
/// more is a mistake and would close a key for good.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if let Ok(seconds) = text.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let until = http_date(text)?;
        let from = date(headers).unwrap_or(now);
        Duration::try_from(until.duration_since(from)).unwrap_or(Duration::ZERO)
    };
    Some(wait.min(LONGEST_WAIT))
}

/// The time the vendor's clock shows.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(headers.get(header::DATE)?.to_str().ok()?)
}

/// How far our clock is off, in words, where the answer's `Date` shows that it is: a token or a
/// signature may be refused for nothing else.
pub(super) fn wrong_clock(headers: &HeaderMap, now: Timestamp) -> Option<String> {
    let ahead = now.duration_since(date(headers)?).as_secs();
    (ahead.unsigned_abs() > MAX_SKEW_SECONDS).then(|| {
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        format!("our clock is {} s {way} the vendor's", ahead.unsigned_abs())
    })
}

const LONGEST_WAIT: Duration = Duration::from_hours(24);

fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text)
        .ok()
        .map(|zoned| zoned.timestamp())
}

impl std::fmt::Debug for ErrorAnswer {
    /// Without headers and body.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ErrorAnswer")
            .field("operation", &self.operation)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
