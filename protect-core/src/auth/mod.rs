//! What makes a vendor accept a request. Secrets are read when used; tokens live in memory only.

mod cache;
mod client_credentials;
mod static_header;

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;

use crate::connector::OpContext;
use crate::error::Result;

pub use client_credentials::{Assertion, ClientCredentials, ClientProof, CredentialEncoding};
pub use static_header::{BasicUserName, Bearer, StaticHeader};

/// Puts authorisation on requests.
#[async_trait]
pub trait TokenSource: Debug + Send + Sync + 'static {
    /// Authorises the request; the mark says with what.
    ///
    /// # Errors
    /// There is no token, and the error says why.
    async fn authorize(
        &self,
        cx: &OpContext,
        request: &mut http::Request<Bytes>,
    ) -> Result<AuthorizationMark>;

    /// The vendor rejected what the mark stands for: gets another, unless somebody just did.
    /// Whether trying again makes sense.
    ///
    /// # Errors
    /// As for [`TokenSource::authorize`].
    async fn refresh(&self, cx: &OpContext, rejected: &AuthorizationMark) -> Result<bool>;
}

/// Which of a source's tokens a request carried. Never the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthorizationMark(pub u64);

/// Sets a header to a secret value.
///
/// # Errors
/// `invalid_input` where HTTP forbids a character in it.
fn set_secret_header(
    request: &mut http::Request<Bytes>,
    name: &http::HeaderName,
    value: &str,
) -> Result<()> {
    let mut value = http::HeaderValue::from_str(value).map_err(|_| {
        crate::Error::new(
            crate::ErrorKind::ConfigInvalid,
            "the secret holds characters that HTTP forbids in a header",
        )
        .with_context("header", name.as_str())
    })?;
    value.set_sensitive(true);
    request.headers_mut().insert(name.clone(), value);
    Ok(())
}

#[cfg(test)]
mod tests;
