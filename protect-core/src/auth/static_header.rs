use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, header};

use super::cache::{Fetched, TokenCache};
use super::{AuthorizationMark, TokenSource, set_secret_header};
use crate::connector::OpContext;
use crate::context::Context;
use crate::error::Result;
use crate::http::deadline::Deadline;
use crate::secret::{ExposeSecret, SecretRef};

/// How long a secret stays in memory before its reference is read again. A rejected one is read
/// again at once, so a rotation needs no restart, and a secret behind a command does not start the
/// command for each request.
const KEPT_FOR: Duration = Duration::from_mins(5);

/// A secret in a header of its own, such as `hibp-api-key`.
#[derive(Debug)]
pub struct StaticHeader {
    context: Context,
    name: HeaderName,
    form: Form,
    secret: SecretRef,
    cache: TokenCache,
}

/// How the secret becomes the header's value.
#[derive(Clone, Copy, Debug)]
enum Form {
    Whole,
    Bearer,
    UserName,
}

impl StaticHeader {
    /// The header `name`, with the secret as its whole value.
    pub fn new(context: &Context, name: HeaderName, secret: SecretRef) -> Self {
        Self::in_form(context, name, Form::Whole, secret)
    }

    fn in_form(context: &Context, name: HeaderName, form: Form, secret: SecretRef) -> Self {
        Self {
            context: context.clone(),
            name,
            form,
            secret,
            cache: TokenCache::default(),
        }
    }

    async fn read(&self) -> Result<Fetched> {
        Ok(Fetched {
            secret: self.context.secrets.resolve(&self.secret).await?,
            lifetime: KEPT_FOR,
        })
    }
}

#[async_trait]
impl TokenSource for StaticHeader {
    async fn authorize(
        &self,
        cx: &OpContext,
        request: &mut http::Request<Bytes>,
    ) -> Result<AuthorizationMark> {
        let clock = &*self.context.clock;
        let held = self.cache.get(clock, Deadline::of(cx), self.read()).await?;
        let secret = held.secret.expose_secret();
        let value = zeroize::Zeroizing::new(match self.form {
            Form::Whole => secret.to_owned(),
            Form::Bearer => format!("Bearer {secret}"),
            Form::UserName => {
                let pair = zeroize::Zeroizing::new(format!("{secret}:"));
                format!("Basic {}", STANDARD.encode(pair.as_bytes()))
            }
        });
        set_secret_header(request, &self.name, &value)?;
        Ok(held.mark)
    }

    /// Reads the reference again; the same secret again makes no sense.
    async fn refresh(&self, cx: &OpContext, rejected: &AuthorizationMark) -> Result<bool> {
        let clock = &*self.context.clock;
        let old = self.cache.held();
        let new = self
            .cache
            .replace(clock, Deadline::of(cx), *rejected, self.read())
            .await?;
        Ok(old.is_none_or(|old| {
            old.mark != *rejected || old.secret.expose_secret() != new.secret.expose_secret()
        }))
    }
}

/// A secret as a bearer token (RFC 6750 section 2.1).
#[derive(Debug)]
pub struct Bearer(StaticHeader);

impl Bearer {
    /// `Authorization: Bearer <secret>`.
    pub fn new(context: &Context, secret: SecretRef) -> Self {
        Self(StaticHeader::in_form(
            context,
            header::AUTHORIZATION,
            Form::Bearer,
            secret,
        ))
    }
}

#[async_trait]
impl TokenSource for Bearer {
    async fn authorize(
        &self,
        cx: &OpContext,
        request: &mut http::Request<Bytes>,
    ) -> Result<AuthorizationMark> {
        self.0.authorize(cx, request).await
    }

    async fn refresh(&self, cx: &OpContext, rejected: &AuthorizationMark) -> Result<bool> {
        self.0.refresh(cx, rejected).await
    }
}

/// A secret as the user name of HTTP Basic authentication with an empty password (RFC 7617), as
/// vendors do whose key is the whole credential.
#[derive(Debug)]
pub struct BasicUserName(StaticHeader);

impl BasicUserName {
    /// `Authorization: Basic base64(<secret>:)`.
    pub fn new(context: &Context, secret: SecretRef) -> Self {
        let name = header::AUTHORIZATION;
        Self(StaticHeader::in_form(context, name, Form::UserName, secret))
    }
}

#[async_trait]
impl TokenSource for BasicUserName {
    async fn authorize(
        &self,
        cx: &OpContext,
        request: &mut http::Request<Bytes>,
    ) -> Result<AuthorizationMark> {
        self.0.authorize(cx, request).await
    }

    async fn refresh(&self, cx: &OpContext, rejected: &AuthorizationMark) -> Result<bool> {
        self.0.refresh(cx, rejected).await
    }
}
