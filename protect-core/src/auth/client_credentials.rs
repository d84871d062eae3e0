use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, header};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use zeroize::Zeroizing;

use super::cache::{Fetched, TokenCache};
use super::{AuthorizationMark, TokenSource, set_secret_header};
use crate::connector::OpContext;
use crate::error::{Error, ErrorKind, Result};
use crate::http::deadline::Deadline;
use crate::http::{ErrorAnswer, HttpClient};
use crate::secret::{ExposeSecret, SecretRef, SecretString};

/// OAuth 2.0 client credentials (RFC 6749 section 4.4), the client named by HTTP Basic
/// (`client_secret_basic`, section 2.3.1).
///
/// One token serves every caller; it is renewed when four fifths of its life are over, by one
/// caller, and once when the vendor rejects it.
#[derive(Debug)]
pub struct ClientCredentials {
    client: HttpClient,
    operation: &'static str,
    path: &'static str,
    client_id: String,
    client_secret: SecretRef,
    encoding: CredentialEncoding,
    scope: Option<String>,
    default_lifetime: Duration,
    cache: TokenCache,
}

/// How client id and secret are written before `id:secret` is encoded in base64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CredentialEncoding {
    /// Each form-encoded first, as RFC 6749 section 2.3.1 and appendix B say, so that a `:` in the
    /// id and text outside ASCII arrive unharmed.
    #[default]
    FormEncoded,
    /// As they are (RFC 7617), for vendors who document `base64(id:secret)` and do not decode. The
    /// id cannot contain a `:` then. Both ways agree on letters, digits, `-`, `.`, `_` and `*`.
    Plain,
}

impl ClientCredentials {
    /// Asks for tokens with `POST path` at `client`, which needs no authorisation of its own.
    /// `operation` names the token request in errors (`onepassword.token`).
    pub fn new(
        client: HttpClient,
        operation: &'static str,
        path: &'static str,
        client_id: impl Into<String>,
        client_secret: SecretRef,
    ) -> Self {
        Self {
            client,
            operation,
            path,
            client_id: client_id.into(),
            client_secret,
            encoding: CredentialEncoding::default(),
            scope: None,
            default_lifetime: Duration::from_mins(15),
            cache: TokenCache::default(),
        }
    }

    /// The scope to ask for; none is sent by default.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// How id and secret are written.
    #[must_use]
    pub fn encoding(mut self, encoding: CredentialEncoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// How long a token lives where the answer does not say; 15 minutes by default.
    #[must_use]
    pub fn default_lifetime(mut self, lifetime: Duration) -> Self {
        self.default_lifetime = lifetime;
        self
    }

    /// The value of the `Authorization` header that names the client, for the vendor's other
    /// endpoints that ask for it, such as revocation (RFC 7009).
    ///
    /// # Errors
    /// The secret could not be read, or the id cannot be written.
    pub async fn basic(&self) -> Result<SecretString> {
        let context = self.client.context();
        let secret = context.secrets.resolve(&self.client_secret).await?;
        basic(&self.client_id, secret.expose_secret(), self.encoding)
    }

    /// The token in memory, where there is one: for revoking it.
    pub fn held_token(&self) -> Option<SecretString> {
        Some((*self.cache.held()?.secret).clone())
    }

    async fn fetch(&self, cx: &OpContext) -> Result<Fetched> {
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        let answer = self
            .client
            .request(Method::POST, self.operation, self.path)
            .unauthenticated()
            .sensitive()
            .idempotent(true)
            .secret_header(header::AUTHORIZATION.as_str(), &self.basic().await?)
            .form(&form)
            .errors(token_error)
            .send(cx)
            .await?;
        let token: TokenAnswer = answer.json()?;
        self.accept(token)
            .map_err(|error| error.with_operation(self.operation))
    }

    fn accept(&self, token: TokenAnswer) -> Result<Fetched> {
        let bearer = token
            .token_type
            .is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
        if !bearer {
            return Err(Error::new(
                ErrorKind::InvalidResponse,
                "the vendor gave a token of another type than Bearer",
            ));
        }
        // RFC 6749 appendix A.12: a token is one or more visible ASCII characters or spaces.
        let text = token.access_token.expose_secret();
        if text.is_empty() || !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(Error::new(
                ErrorKind::InvalidResponse,
                "the vendor gave a token that cannot be one",
            ));
        }
        let seconds = match &token.expires_in {
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            _ => None,
        };
        Ok(Fetched {
            secret: token.access_token,
            lifetime: seconds
                .map_or(self.default_lifetime, Duration::from_secs)
                .min(LONGEST_LIFE),
        })
    }
}

/// A longer life than this is asked again all the same.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

#[async_trait]
impl TokenSource for ClientCredentials {
    async fn authorize(
        &self,
        cx: &OpContext,
        request: &mut http::Request<Bytes>,
    ) -> Result<AuthorizationMark> {
        let clock = &*self.client.context().clock;
        let held = self
            .cache
            .get(clock, Deadline::of(cx), self.fetch(cx))
            .await?;
        let value = Zeroizing::new(format!("Bearer {}", held.secret.expose_secret()));
        set_secret_header(request, &header::AUTHORIZATION, &value)?;
        Ok(held.mark)
    }

    async fn refresh(&self, cx: &OpContext, rejected: &AuthorizationMark) -> Result<bool> {
        let clock = &*self.client.context().clock;
        self.cache
            .replace(clock, Deadline::of(cx), *rejected, self.fetch(cx))
            .await?;
        Ok(true)
    }
}

/// A token answer (RFC 6749 section 5.1). `expires_in` may be a number, a number as text, or absent.
#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(deserialize_with = "secret")]
    access_token: SecretString,
    token_type: Option<String>,
    expires_in: Option<Value>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

fn basic(id: &str, secret: &str, encoding: CredentialEncoding) -> Result<SecretString> {
    let pair = match encoding {
        CredentialEncoding::FormEncoded => format!("{}:{}", *form(id), *form(secret)),
        CredentialEncoding::Plain if id.contains(':') => {
            return Err(Error::config(
                "client_id",
                "a client id with a colon cannot be sent this way (RFC 7617 section 2)",
            ));
        }
        CredentialEncoding::Plain => format!("{id}:{secret}"),
    };
    let pair = Zeroizing::new(pair);
    let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
    Ok(SecretString::from(format!("Basic {}", *encoded)))
}

fn form(text: &str) -> Zeroizing<String> {
    Zeroizing::new(url::form_urlencoded::byte_serialize(text.as_bytes()).collect())
}

/// The error table of token endpoints (RFC 6749 section 5.2). Only the registered words are shown.
fn token_error(answer: &ErrorAnswer) -> Error {
    #[derive(Deserialize)]
    struct Body {
        error: String,
    }
    let word = answer.json::<Body>().map(|body| body.error);
    let (kind, word, message) = match word.as_deref() {
        Some("invalid_client") => (
            ErrorKind::Unauthenticated,
            "invalid_client",
            "the vendor does not accept client id and secret",
        ),
        Some("invalid_grant") => (
            ErrorKind::Unauthenticated,
            "invalid_grant",
            "the vendor does not accept the grant",
        ),
        Some("unauthorized_client") => (
            ErrorKind::PermissionDenied,
            "unauthorized_client",
            "the application may not ask for tokens this way",
        ),
        Some("invalid_scope") => (
            ErrorKind::PermissionDenied,
            "invalid_scope",
            "the application may not ask for this scope",
        ),
        _ => return answer.default_error(),
    };
    Error::new(kind, message).with_context("oauth_error", word)
}
