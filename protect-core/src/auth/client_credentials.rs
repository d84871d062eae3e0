use std::fmt::Debug;
use std::sync::Arc;
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
use crate::http::{ErrorAnswer, ErrorTable, HttpClient};
use crate::secret::{ExposeSecret, SecretRef, SecretString};

/// OAuth 2.0 client credentials (RFC 6749 section 4.4). The client proves itself by HTTP Basic
/// (`client_secret_basic`, section 2.3.1) unless another [`ClientProof`] is given.
///
/// One token serves every caller; it is renewed when four fifths of its life are over, by one
/// caller, and once when the vendor rejects it.
#[derive(Debug)]
pub struct ClientCredentials {
    client: HttpClient,
    operation: &'static str,
    path: &'static str,
    client_id: String,
    proof: ClientProof,
    errors: ErrorTable,
    scope: Option<String>,
    default_lifetime: Duration,
    cache: TokenCache,
}

/// How the client proves that it is the one it names.
#[derive(Clone, Debug)]
pub enum ClientProof {
    /// Its secret in the `Authorization` header (`client_secret_basic`, RFC 6749 section 2.3.1).
    Basic(SecretRef, CredentialEncoding),
    /// Its secret in the form (`client_secret_post`, the same section).
    Form(SecretRef),
    /// A signed statement in the form (`private_key_jwt`, RFC 7523 section 2.2).
    Assertion(Arc<dyn Assertion>),
    /// A signed statement that is itself what a token is given for (RFC 7523 section 2.1): it names the
    /// client and the scope, so neither stands in the form.
    Grant(Arc<dyn Assertion>),
}

/// Makes signed statements by which a client proves itself, or asks for a token.
#[async_trait]
pub trait Assertion: Debug + Send + Sync + 'static {
    /// A fresh one, to be used once.
    ///
    /// # Errors
    /// The key could not be read or used.
    async fn sign(&self) -> Result<SecretString>;
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
        let proof = ClientProof::Basic(client_secret, CredentialEncoding::default());
        Self::with_proof(client, operation, path, client_id, proof)
    }

    /// The same with another proof than a secret in the header.
    pub fn with_proof(
        client: HttpClient,
        operation: &'static str,
        path: &'static str,
        client_id: impl Into<String>,
        proof: ClientProof,
    ) -> Self {
        Self {
            client,
            operation,
            path,
            client_id: client_id.into(),
            proof,
            errors: token_error,
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

    /// How id and secret are written, where the secret stands in the header.
    #[must_use]
    pub fn encoding(mut self, encoding: CredentialEncoding) -> Self {
        if let ClientProof::Basic(_, written) = &mut self.proof {
            *written = encoding;
        }
        self
    }

    /// What the token endpoint's errors mean, where it says more than RFC 6749 does.
    #[must_use]
    pub fn errors(mut self, table: ErrorTable) -> Self {
        self.errors = table;
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
    /// The secret could not be read, the id cannot be written, or there is no secret in the header.
    pub async fn basic(&self) -> Result<SecretString> {
        let ClientProof::Basic(reference, encoding) = &self.proof else {
            return Err(Error::unexpected("this client proves itself another way"));
        };
        let secret = self.client.context().secrets.resolve(reference).await?;
        basic(&self.client_id, secret.expose_secret(), *encoding)
    }

    /// The token in memory, where there is one: for revoking it.
    pub fn held_token(&self) -> Option<SecretString> {
        Some((*self.cache.held()?.secret).clone())
    }

    /// A token, fetched where there is none: for reading what it says about itself.
    ///
    /// # Errors
    /// There is no token, and the error says why.
    pub async fn token(&self, cx: &OpContext) -> Result<SecretString> {
        let clock = &*self.client.context().clock;
        let held = self
            .cache
            .get(clock, Deadline::of(cx), self.fetch(cx))
            .await?;
        Ok((*held.secret).clone())
    }

    async fn fetch(&self, cx: &OpContext) -> Result<Fetched> {
        let request = self
            .client
            .request(Method::POST, self.operation, self.path)
            .unauthenticated()
            .sensitive()
            .idempotent(true)
            .errors(self.errors);
        let request = match &self.proof {
            ClientProof::Basic(..) => {
                let named = &self.basic().await?;
                request.secret_header(header::AUTHORIZATION.as_str(), named)
            }
            ClientProof::Form(_) | ClientProof::Assertion(_) | ClientProof::Grant(_) => request,
        };
        let proof = self.proof_in_form().await?;
        let mut form = Vec::new();
        if let ClientProof::Grant(_) = self.proof {
            form.push(("grant_type", JWT_GRANT));
        } else {
            form.push(("grant_type", "client_credentials"));
            form.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        }
        if let Some((field, value)) = &proof {
            if !matches!(self.proof, ClientProof::Grant(_)) {
                form.push(("client_id", &self.client_id));
            }
            form.push((*field, value.expose_secret()));
        }
        if let ClientProof::Assertion(_) = self.proof {
            form.push(("client_assertion_type", JWT_BEARER));
        }
        let answer = request.form(&form).send(cx).await?;
        let token: TokenAnswer = answer.json()?;
        self.accept(token)
            .map_err(|error| error.with_operation(self.operation))
    }

    /// The field of the form that proves the client, where the proof stands there.
    async fn proof_in_form(&self) -> Result<Option<(&'static str, SecretString)>> {
        Ok(match &self.proof {
            ClientProof::Basic(..) => None,
            ClientProof::Form(reference) => {
                let secrets = &self.client.context().secrets;
                Some(("client_secret", secrets.resolve(reference).await?))
            }
            ClientProof::Assertion(assertion) => {
                Some(("client_assertion", assertion.sign().await?))
            }
            ClientProof::Grant(assertion) => Some(("assertion", assertion.sign().await?)),
        })
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

/// The sort of a signed statement (RFC 7523 section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The grant of a signed statement (RFC 7523 section 2.1).
const JWT_GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

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
