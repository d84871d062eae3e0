use std::error::Error as StdError;
use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

/// Sends one request and gives one answer: no retries, no redirects, no credentials of its own.
///
/// A request may carry a [`MaxBody`] and a [`UrlPolicy`](super::UrlPolicy) in its extensions; a
/// transport that reaches the network honours both.
#[async_trait]
pub trait HttpTransport: fmt::Debug + Send + Sync + 'static {
    /// Sends it. An answer with any status is `Ok`.
    ///
    /// # Errors
    /// There is no complete answer; the kind says how far it got.
    async fn send(&self, request: http::Request<Bytes>)
    -> Result<http::Response<Bytes>, HttpError>;
}

/// A request extension: the most bytes of (decoded) body that the caller takes. The transport stops
/// reading there, with [`HttpErrorKind::TooLarge`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxBody(pub usize);

impl Default for MaxBody {
    /// 16 MiB.
    fn default() -> Self {
        Self(16 * 1024 * 1024)
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub struct HttpError {
    kind: HttpErrorKind,
    source: Box<dyn StdError + Send + Sync>,
}

impl HttpError {
    /// An error; the source must not contain the URL.
    pub fn new(kind: HttpErrorKind, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            kind,
            source: source.into(),
        }
    }

    /// How far it got.
    pub fn kind(&self) -> HttpErrorKind {
        self.kind
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            HttpErrorKind::Connect => "could not connect",
            HttpErrorKind::Request => "the request could not be sent",
            HttpErrorKind::Timeout => "no answer in time",
            HttpErrorKind::Interrupted => "the connection broke off",
            HttpErrorKind::Decode => "the answer could not be read",
            HttpErrorKind::TooLarge => "the answer is too large",
            HttpErrorKind::Refused => "the transport refuses this address",
            HttpErrorKind::Unknown => "the request failed",
        })
    }
}

impl StdError for HttpError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

/// How far a request got, which decides whether it may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpErrorKind {
    /// No connection: nothing was sent.
    Connect,
    /// Nothing complete was sent.
    Request,
    /// Sent; no answer in time.
    Timeout,
    /// Sent; the connection broke off.
    Interrupted,
    /// Answered with something that is not HTTP or cannot be decoded.
    Decode,
    /// Answered with more than the cap.
    TooLarge,
    /// Not sent, and never will be: the address is one that a policy forbids.
    Refused,
    /// None of the above.
    Unknown,
}
