//! A key in the query, as On-Call's ingest address has it.

use async_trait::async_trait;
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use protect_core::auth::{AuthorizationMark, TokenSource};
use protect_core::connector::OpContext;
use protect_core::secret::{ExposeSecret, SecretRef};
use protect_core::{Context, Error, ErrorKind, Result};

/// Adds `key=<secret>` to the query of each request. The secret is read for each of them.
#[derive(Debug)]
pub(crate) struct KeyInQuery {
    context: Context,
    secret: SecretRef,
}

impl KeyInQuery {
    pub(crate) fn new(context: &Context, secret: SecretRef) -> Self {
        let context = context.clone();
        Self { context, secret }
    }
}

#[async_trait]
impl TokenSource for KeyInQuery {
    async fn authorize(
        &self,
        _: &OpContext,
        request: &mut http::Request<Bytes>,
    ) -> Result<AuthorizationMark> {
        let secret = self.context.secrets.resolve(&self.secret).await?;
        let key = utf8_percent_encode(secret.expose_secret(), NON_ALPHANUMERIC);
        let mark = if request.uri().query().is_some() {
            '&'
        } else {
            '?'
        };
        // The error of the parser could quote what it was given.
        let uri = format!("{}{mark}key={key}", request.uri());
        *request.uri_mut() = uri.parse().map_err(|_| {
            Error::new(
                ErrorKind::ConfigInvalid,
                "the key cannot stand in an address",
            )
        })?;
        Ok(AuthorizationMark(0))
    }

    async fn refresh(&self, _: &OpContext, _: &AuthorizationMark) -> Result<bool> {
        Ok(false)
    }
}
