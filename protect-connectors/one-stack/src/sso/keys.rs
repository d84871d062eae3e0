//! Signatures: which algorithm, with which key. The configuration says both, and a token neither.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind as JwtError;
use jsonwebtoken::{DecodingKey, Validation};
use protect_core::secret::{ExposeSecret, SecretRef};
use protect_core::{Context, Error, Result};
use serde_json::{Map, Value};

use super::{AUDIENCE, refused};

/// How long keys are kept once they were read.
const KEPT: Duration = Duration::from_mins(1);

/// A signature that is not good has them read again, but not more often than this: the secret may have
/// been replaced, and somebody may send nonsense.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// A shared secret of fewer bytes can be guessed (RFC 7518 section 3.2).
const SHORTEST_SECRET: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Hs256,
    Es256,
}

/// The key that signs now and the one before, read when they are needed.
pub(crate) struct Keys {
    context: Context,
    algorithm: Algorithm,
    references: Vec<SecretRef>,
    validation: Validation,
    read: Mutex<Option<Read>>,
}

#[derive(Clone)]
struct Read {
    keys: Arc<Vec<DecodingKey>>,
    at: Duration,
}

impl Keys {
    pub(crate) fn new(
        context: &Context,
        algorithm: Algorithm,
        references: Vec<SecretRef>,
        audience: Option<&str>,
        issuer: Option<&str>,
    ) -> Self {
        let mut validation = Validation::new(match algorithm {
            Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
            Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        });
        // Times are measured by our own clock, together with how long a token may be good.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        if audience.is_some() {
            validation.required_spec_claims.insert("aud".to_owned());
        }
        validation.set_audience(&[audience.unwrap_or(AUDIENCE)]);
        if let Some(issuer) = issuer {
            validation.required_spec_claims.insert("iss".to_owned());
            validation.set_issuer(&[issuer]);
        }
        Self {
            context: context.clone(),
            algorithm,
            references,
            validation,
            read: Mutex::default(),
        }
    }

    /// What a token says whose signature, audience and issuer are good.
    ///
    /// # Errors
    /// `unauthenticated`; `config_invalid` where no key can be read.
    pub(crate) async fn verify(&self, token: &str) -> Result<Map<String, Value>> {
        let now = self.context.clock.monotonic();
        let read = self.kept().filter(|read| now < read.at + KEPT);
        let read = match read {
            Some(read) => read,
            None => self.read().await?,
        };
        match self.verify_with(&read.keys, token) {
            Err(JwtError::InvalidSignature) if now >= read.at + READ_AGAIN_AFTER => {
                let read = self.read().await?;
                self.verify_with(&read.keys, token)
                    .map_err(|error| why(&error))
            }
            result => result.map_err(|error| why(&error)),
        }
    }

    /// What stands in the way of verifying, for people.
    pub(crate) async fn problem(&self) -> Option<String> {
        for reference in &self.references {
            match self.context.secrets.resolve(reference).await {
                Err(error) => return Some(format!("{reference}: {}", error.message())),
                Ok(secret) => {
                    if let Err(error) = self.key(secret.expose_secret()) {
                        return Some(format!("{reference}: {}", error.message()));
                    }
                }
            }
        }
        None
    }

    fn verify_with(
        &self,
        keys: &[DecodingKey],
        token: &str,
    ) -> Result<Map<String, Value>, JwtError> {
        let mut refused = JwtError::InvalidSignature;
        for key in keys {
            match jsonwebtoken::decode::<Map<String, Value>>(token, key, &self.validation) {
                // No extension of ours is one that must be understood (RFC 7515 section 4.1.11).
                Ok(token) if token.header.crit.is_some() => return Err(JwtError::InvalidToken),
                Ok(token) if !is_audience(token.claims.get("aud")) => {
                    return Err(JwtError::InvalidAudience);
                }
                Ok(token) => return Ok(token.claims),
                Err(error) => refused = error.into_kind(),
            }
            if !matches!(refused, JwtError::InvalidSignature) {
                break;
            }
        }
        Err(refused)
    }

    fn kept(&self) -> Option<Read> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.clone()
    }

    /// Reads every key; while one is there, one that is missing keeps nobody out.
    async fn read(&self) -> Result<Read> {
        let mut keys = Vec::new();
        let mut problem = None;
        for reference in &self.references {
            let key = match self.context.secrets.resolve(reference).await {
                Ok(secret) => self.key(secret.expose_secret()),
                Err(error) => Err(error),
            };
            match key {
                Ok(key) => keys.push(key),
                Err(error) => problem = problem.or(Some(error)),
            }
        }
        if let Some(error) = problem {
            if keys.is_empty() {
                return Err(error);
            }
            tracing::warn!(error = %error, "a key for sign-in cannot be read; the other one is used");
        }
        let read = Read {
            keys: Arc::new(keys),
            at: self.context.clock.monotonic(),
        };
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(read.clone());
        Ok(read)
    }

    fn key(&self, text: &str) -> Result<DecodingKey> {
        let is_pem = text.trim_start().starts_with("-----BEGIN");
        match self.algorithm {
            Algorithm::Hs256 if is_pem => Err(Error::config(
                "sso_secret",
                "this is a key in PEM, and who knows a public key could sign; write it as `sso_public_key`",
            )),
            Algorithm::Hs256 if text.len() < SHORTEST_SECRET => Err(Error::config(
                "sso_secret",
                "shorter than 32 bytes, so it can be guessed; make another one in Hub",
            )),
            Algorithm::Hs256 => Ok(DecodingKey::from_secret(text.as_bytes())),
            Algorithm::Es256 => DecodingKey::from_ec_pem(text.as_bytes()).map_err(|_| {
                Error::config(
                    "sso_public_key",
                    "not a public key of the curve P-256 in PEM",
                )
            }),
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("algorithm", &self.algorithm)
            .field("references", &self.references)
            .finish_non_exhaustive()
    }
}

/// Whether `aud` is in a form in which it was compared (RFC 7519 section 4.1.3).
fn is_audience(audience: Option<&Value>) -> bool {
    match audience {
        None | Some(Value::Null | Value::String(_)) => true,
        Some(Value::Array(several)) => several.iter().all(Value::is_string),
        Some(_) => false,
    }
}

/// What a token says, believed by nobody.
pub(crate) fn peek(token: &str) -> Option<Map<String, Value>> {
    let claims = token.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    serde_json::from_slice(&claims).ok()
}

fn why(error: &JwtError) -> Error {
    refused(match error {
        JwtError::InvalidAlgorithm | JwtError::InvalidAlgorithmName => {
            "the token is signed in another way than the configuration says"
        }
        JwtError::InvalidSignature => {
            "the signature is not good; `sso_secret` or `sso_public_key` must be Hub's"
        }
        JwtError::InvalidAudience => "the token is for another product",
        JwtError::InvalidIssuer => "the token is of another issuer",
        JwtError::MissingRequiredClaim(_) => "the token does not say for whom, or by whom, it is",
        _ => "this is no token of Hub",
    })
}
