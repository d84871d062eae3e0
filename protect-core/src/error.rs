//! The one error type of every fallible call.
//!
//! Callers match on [`Error::kind`], ask [`Error::is_retryable`] and read [`Error::retry_after`];
//! nobody parses text. No body, header value, token, address or full URL may enter a message or a
//! context value: the people who read logs are not the people who may read those.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The result of every fallible call in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in the terms a caller can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration is wrong; the context names tenant, connection and field.
    ConfigInvalid,
    /// The vendor does not accept the credential.
    Unauthenticated,
    /// The credential is good and lacks the permission.
    PermissionDenied,
    /// The thing asked for is not there.
    NotFound,
    /// Somebody else changed it first, or the state forbids the change.
    Conflict,
    /// Too many requests; [`Error::retry_after`] says when to come back.
    RateLimited,
    /// The plan's quota is used up; waiting a little does not help.
    QuotaExceeded,
    /// The connector, plan or build cannot do this at all.
    Unsupported,
    /// The caller passed something that cannot be right.
    InvalidInput,
    /// The vendor answered something that is not what its documentation promises.
    InvalidResponse,
    /// The deadline passed; whether the vendor acted is not known.
    Timeout,
    /// The vendor or the network is not there at the moment.
    Unavailable,
    /// The caller gave up.
    Cancelled,
    /// A guard or a rule of the tenant forbids it.
    Refused,
    /// The stored data is damaged, locked, full, or newer than this program.
    Store,
    /// A defect in this library.
    Unexpected,
}

impl ErrorKind {
    /// Every kind, in declaration order.
    pub const ALL: [Self; 16] = [
        Self::ConfigInvalid,
        Self::Unauthenticated,
        Self::PermissionDenied,
        Self::NotFound,
        Self::Conflict,
        Self::RateLimited,
        Self::QuotaExceeded,
        Self::Unsupported,
        Self::InvalidInput,
        Self::InvalidResponse,
        Self::Timeout,
        Self::Unavailable,
        Self::Cancelled,
        Self::Refused,
        Self::Store,
        Self::Unexpected,
    ];

    /// The stable name, in lower snake case, as it crosses to Python and Node.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConfigInvalid => "config_invalid",
            Self::Unauthenticated => "unauthenticated",
            Self::PermissionDenied => "permission_denied",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::RateLimited => "rate_limited",
            Self::QuotaExceeded => "quota_exceeded",
            Self::Unsupported => "unsupported",
            Self::InvalidInput => "invalid_input",
            Self::InvalidResponse => "invalid_response",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
            Self::Store => "store",
            Self::Unexpected => "unexpected",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// The same call gives the same answer.
    Permanent,
    /// The same call may succeed later.
    Temporary,
    /// It was temporary, and the retries inside are used up: an outer loop must not retry at once.
    Persistent,
}

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Permanent => "permanent",
            Self::Temporary => "temporary",
            Self::Persistent => "persistent",
        })
    }
}

/// Why a call failed. One pointer wide; a copy shares its cause, so that callers who waited for the
/// same thing can be told the same.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    retry: Retry,
    operation: &'static str,
    message: String,
    context: Vec<(&'static str, String)>,
    retry_after: Option<Duration>,
    http_status: Option<u16>,
    untouched: bool,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// A permanent error of a kind, with a message that says what to do next.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            retry: Retry::Permanent,
            operation: "",
            message: message.into(),
            context: Vec::new(),
            retry_after: None,
            http_status: None,
            untouched: false,
            source: None,
        }))
    }

    /// [`ErrorKind::ConfigInvalid`]: the field at `place` is wrong.
    pub fn config(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::ConfigInvalid, message).with_context("field", place)
    }

    /// [`ErrorKind::InvalidInput`]: the caller's argument is wrong.
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// [`ErrorKind::Unexpected`]: an invariant of this library does not hold.
    pub fn unexpected(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unexpected, message)
    }

    /// Marks the error as worth trying again.
    #[must_use]
    pub fn temporary(mut self) -> Self {
        self.0.retry = Retry::Temporary;
        self
    }

    /// Marks a temporary error as already retried; a permanent one stays permanent.
    #[must_use]
    pub fn persistent(mut self) -> Self {
        if self.0.retry == Retry::Temporary {
            self.0.retry = Retry::Persistent;
        }
        self
    }

    /// Says that the vendor surely did nothing: it was never reached, or it said so. A retryable
    /// error of that sort may be tried again whatever the call would have done.
    #[must_use]
    pub fn untouched(mut self) -> Self {
        self.0.untouched = true;
        self
    }

    /// Names the operation (`onepassword.suspend_user`); the innermost name stays.
    #[must_use]
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        if self.0.operation.is_empty() {
            self.0.operation = operation;
        }
        self
    }

    /// Adds a fact. Never a secret, an address, a body or a full URL.
    #[must_use]
    pub fn with_context(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.0.context.push((key, value.into()));
        self
    }

    /// Adds a half sentence to the message.
    pub(crate) fn and_say(mut self, more: &str) -> Self {
        self.0.message = format!("{}; {more}", self.0.message);
        self
    }

    /// How long the vendor asked us to wait.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// The HTTP status that was answered.
    #[must_use]
    pub fn with_http_status(mut self, status: u16) -> Self {
        self.0.http_status = Some(status);
        self
    }

    /// What caused it. The cause's own text must obey the same rule about secrets.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether trying again can help.
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// Whether the same call may succeed later (temporary or persistent).
    pub fn is_retryable(&self) -> bool {
        self.0.retry != Retry::Permanent
    }

    /// Whether the vendor surely did nothing.
    pub fn is_untouched(&self) -> bool {
        self.0.untouched || self.0.retry == Retry::Permanent
    }

    /// How long the vendor asked us to wait, where it did.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The HTTP status that was answered, where one was.
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// The operation that failed, or an empty string.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// The message alone, without kind and context.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The facts that were added, in order.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// The same error as plain data, as it crosses to Python, Node and `--json`.
    pub fn envelope(&self) -> ErrorEnvelope {
        ErrorEnvelope {
            kind: self.kind(),
            message: self.to_string(),
            retryable: self.is_retryable(),
            retry: self.retry(),
            retry_after_ms: self
                .retry_after()
                .map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            operation: self.operation().to_owned(),
            http_status: self.http_status(),
            context: self
                .context()
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.clone()))
                .collect(),
        }
    }
}

/// An [`Error`] as plain data: the same envelope in JSON, Python and Node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorEnvelope {
    /// What went wrong.
    pub kind: ErrorKind,
    /// One line for people.
    pub message: String,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// The finer answer to the same question.
    pub retry: Retry,
    /// Milliseconds the vendor asked us to wait.
    pub retry_after_ms: Option<u64>,
    /// The operation that failed.
    pub operation: String,
    /// The HTTP status that was answered.
    pub http_status: Option<u16>,
    /// Facts such as tenant, connection, field.
    pub context: std::collections::BTreeMap<String, String>,
}

impl fmt::Display for Error {
    /// One line: `rate_limited (temporary) at hibp.breached_account { tenant: acme }: wait for the window`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        write!(f, "{}", inner.kind)?;
        if inner.retry != Retry::Permanent {
            write!(f, " ({})", inner.retry)?;
        }
        if !inner.operation.is_empty() {
            write!(f, " at {}", inner.operation)?;
        }
        if !inner.context.is_empty() || inner.http_status.is_some() {
            let status = inner.http_status.map(|status| format!("status: {status}"));
            let facts = inner
                .context
                .iter()
                .map(|(key, value)| format!("{key}: {value}"));
            let facts: Vec<_> = facts.chain(status).collect();
            write!(f, " {{ {} }}", facts.join(", "))?;
        }
        write!(f, ": {}", inner.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = self.source();
        while let Some(source) = cause {
            write!(f, "\n  caused by: {source}")?;
            cause = source.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_ref()
            .map(|source| &**source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn every_kind_displays_as_the_name_it_serialises_to() {
        for kind in ErrorKind::ALL {
            assert_eq!(serde_json::json!(kind), serde_json::json!(kind.as_str()));
        }
    }

    #[test]
    fn display_is_one_line_with_kind_operation_context_and_message() {
        let error = Error::new(ErrorKind::RateLimited, "wait for the window")
            .temporary()
            .with_operation("hibp.breached_account")
            .with_context("tenant", "acme")
            .with_http_status(429);
        assert_eq!(
            error.to_string(),
            "rate_limited (temporary) at hibp.breached_account { tenant: acme, status: 429 }: wait for the window"
        );
    }

    #[test]
    fn a_permanent_error_does_not_become_persistent() {
        let error = Error::invalid_input("no").persistent();
        assert_eq!(error.retry(), Retry::Permanent);
        assert!(!error.is_retryable());
    }

    #[test]
    fn the_innermost_operation_name_stays() {
        let error = Error::invalid_input("no")
            .with_operation("a.b")
            .with_operation("c.d");
        assert_eq!(error.operation(), "a.b");
    }
}
