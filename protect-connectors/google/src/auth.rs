//! Signing in as a service account in the name of an administrator (domain-wide delegation), and what
//! Google's token endpoint says where it refuses
//! ([service accounts](https://developers.google.com/identity/protocols/oauth2/service-account)).

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use protect_core::auth::{
    Assertion, AuthorizationMark, ClientCredentials, ClientProof, TokenSource,
};
use protect_core::clock::Clock;
use protect_core::connector::OpContext;
use protect_core::context::Context;
use protect_core::http::{ErrorAnswer, HttpClient};
use protect_core::secret::{Credential, HeldSecrets, SecretString};
use protect_core::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::key::{JwtSigner, KeyFile};
use crate::scope::Scope;

/// Who signs, and where a key that cannot be used is complained about.
#[derive(Clone, Debug)]
pub(crate) enum Signing {
    /// The JSON file of a service account.
    Key {
        key: Credential,
        field: String,
        connection: Option<String>,
    },
    /// Whoever the embedding program named.
    Signer(Arc<dyn JwtSigner>),
}

impl Signing {
    /// Who signs, with secrets read by this context.
    pub(crate) fn signer(self, context: &Context) -> Arc<dyn JwtSigner> {
        match self {
            Self::Signer(signer) => signer,
            Self::Key {
                key,
                field,
                connection,
            } => {
                let mut secrets = HeldSecrets::new(Arc::clone(&context.secrets));
                let key = secrets.hold("key", key);
                Arc::new(KeyFile {
                    secrets: Arc::new(secrets),
                    key,
                    field,
                    connection,
                })
            }
        }
    }
}

pub(crate) const TOKEN: &str = "google.token";

/// The tokens of one scope.
pub(crate) struct Tokens {
    scope: Scope,
    inner: ClientCredentials,
}

impl Tokens {
    /// No I/O. `token_url` is the whole address.
    ///
    /// # Errors
    /// `config_invalid` for an address that is none.
    pub(crate) fn new(
        context: &Context,
        token_url: &str,
        signer: Arc<dyn JwtSigner>,
        subject: &str,
        scope: Scope,
    ) -> Result<Self> {
        let bare = HttpClient::builder(context, token_url)?
            .errors(sign_in_error)
            .build();
        let proof = ClientProof::Grant(Arc::new(Statement {
            clock: Arc::clone(&context.clock),
            audience: token_url.to_owned(),
            subject: subject.to_owned(),
            scope,
            signer,
        }));
        let inner = ClientCredentials::with_proof(bare, TOKEN, "", "", proof).errors(sign_in_error);
        Ok(Self { scope, inner })
    }

    /// Makes sure that there is a token: whether the scope is delegated shows only so.
    pub(crate) async fn open(&self, cx: &OpContext) -> Result<()> {
        let token = self.inner.token(cx).await;
        token.map(drop).map_err(|error| self.named(error))
    }

    fn named(&self, error: Error) -> Error {
        error.with_context("scope", self.scope.url())
    }
}

#[async_trait]
impl TokenSource for Tokens {
    async fn authorize(
        &self,
        cx: &OpContext,
        request: &mut http::Request<Bytes>,
    ) -> Result<AuthorizationMark> {
        let authorized = self.inner.authorize(cx, request).await;
        authorized.map_err(|error| self.named(error))
    }

    async fn refresh(&self, cx: &OpContext, rejected: &AuthorizationMark) -> Result<bool> {
        let refreshed = self.inner.refresh(cx, rejected).await;
        refreshed.map_err(|error| self.named(error))
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tokens").field(&self.scope).finish()
    }
}

/// Says that the service account acts as an administrator.
struct Statement {
    clock: Arc<dyn Clock>,
    audience: String,
    subject: String,
    scope: Scope,
    signer: Arc<dyn JwtSigner>,
}

/// How long a statement is good for at most, in seconds.
const GOOD_FOR: i64 = 3_600;

/// How much earlier it says that it was made, in seconds, since Google refuses one from the future.
const EARLIER: i64 = 10;

#[async_trait]
impl Assertion for Statement {
    async fn sign(&self) -> Result<SecretString> {
        let made = self.clock.now().as_second() - EARLIER;
        let claims: Map<String, Value> = [
            ("aud", json!(self.audience)),
            ("sub", json!(self.subject)),
            ("scope", json!(self.scope.url())),
            ("iat", json!(made)),
            ("exp", json!(made + GOOD_FOR)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect();
        self.signer.sign(claims).await
    }
}

impl fmt::Debug for Statement {
    /// Without the administrator's address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: Option<String>,
    error_description: Option<String>,
}

/// What the token endpoint says where it refuses, by the table of Google's page; the status differs
/// from case to case and says nothing. That the clock is wrong is added by whoever sent the request,
/// from the `Date` of the answer.
pub(crate) fn sign_in_error(answer: &ErrorAnswer) -> Error {
    let body: Refusal = answer.json().unwrap_or_default();
    let said = body.error_description.unwrap_or_default();
    let word = body.error.unwrap_or_default();
    let Some((shown, kind, next)) = meaning(&word, &said) else {
        return answer.default_error();
    };
    let error = Error::new(kind, next).with_context("oauth_error", shown);
    if kind == ErrorKind::Unavailable {
        error.temporary()
    } else {
        error
    }
}

type Meaning = (&'static str, ErrorKind, &'static str);

/// What a word means, and what to do next. Google's own words are shown to nobody.
fn meaning(word: &str, said: &str) -> Option<Meaning> {
    use ErrorKind::{ConfigInvalid, PermissionDenied, Unauthenticated, Unavailable};
    let found = MEANINGS.iter().find(|it| it.0 == word);
    Some(match word {
        "unauthorized_client" if said.contains("any of the scopes") => (
            "unauthorized_client",
            PermissionDenied,
            "the scope is not delegated to the service account, or its e-mail address was registered: in the Admin console under `Security > Access and data control > API controls > Domain-wide delegation` register its numeric client id with the scope; it takes minutes, and up to a day",
        ),
        "unauthorized_client" => (
            "unauthorized_client",
            PermissionDenied,
            "the service account is not delegated in the domain of `subject`: in the Admin console under `Security > Access and data control > API controls > Domain-wide delegation` register its numeric client id with the scope; it takes minutes, and up to a day",
        ),
        "invalid_grant" if said.contains("email") || said.contains("User ID") => (
            "invalid_grant",
            ConfigInvalid,
            "there is no such administrator: check `subject`",
        ),
        "invalid_grant" if said.contains("short-lived") => (
            "invalid_grant",
            Unauthenticated,
            "Google holds the times of the statement to be wrong: set this machine's clock",
        ),
        "invalid_grant" if said.contains("Signature") => (
            "invalid_grant",
            Unauthenticated,
            "Google does not know the key: it was deleted, disabled or has expired, or is another account's; make a new one",
        ),
        "invalid_grant" => (
            "invalid_grant",
            Unauthenticated,
            "Google does not accept the statement: check `service_account`, `subject` and this machine's clock",
        ),
        "internal_failure" | "server_error" | "temporarily_unavailable" => (
            "temporarily_unavailable",
            Unavailable,
            "Google's token endpoint is in trouble; it is tried again",
        ),
        _ => *found?,
    })
}

const MEANINGS: &[Meaning] = &[
    (
        "access_denied",
        ErrorKind::PermissionDenied,
        "the scope is not delegated: add it to the service account's client id in the Admin console under `Security > Access and data control > API controls > Domain-wide delegation`; it takes minutes, and up to a day",
    ),
    (
        "admin_policy_enforced",
        ErrorKind::PermissionDenied,
        "app access control blocks the scope: trust the service account in the Admin console under `Security > Access and data control > API controls > App access control`",
    ),
    (
        "org_internal",
        ErrorKind::PermissionDenied,
        "the service account's project takes users of its own organisation alone: make it external, or take a project of the customer's",
    ),
    (
        "invalid_scope",
        ErrorKind::ConfigInvalid,
        "Google does not know the scope",
    ),
    (
        "invalid_client",
        ErrorKind::Unauthenticated,
        "Google does not know the service account: check `service_account`",
    ),
    (
        "deleted_client",
        ErrorKind::Unauthenticated,
        "the service account was deleted: make another, register its client id and give its key",
    ),
    (
        "disabled_client",
        ErrorKind::Unauthenticated,
        "the service account is disabled: enable it in the Google Cloud console",
    ),
];

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
