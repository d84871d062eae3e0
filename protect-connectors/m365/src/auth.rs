//! Signing in as an application: with a secret or a certificate, and what the sign-in service says
//! where it refuses
//! (<https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>).

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protect_core::auth::{Assertion, ClientCredentials, ClientProof};
use protect_core::context::Context;
use protect_core::http::{ErrorAnswer, HttpClient};
use protect_core::secret::{Credential, ExposeSecret, HeldSecrets, SecretRef, SecretString};
use protect_core::{Error, ErrorKind, Result};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::config::{Place, is_guid};

/// An application's id and what proves that we are it.
#[derive(Clone, Debug)]
pub(crate) struct AppCredential {
    pub(crate) client_id: String,
    pub(crate) proof: Proof,
}

/// What proves that we are an application.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    /// A client secret.
    Secret(Credential),
    /// A certificate registered with the application, and its private key, both as PEM.
    Certificate {
        certificate: Credential,
        private_key: Credential,
    },
}

impl AppCredential {
    /// # Errors
    /// `invalid_input` for what is no application's id.
    pub(crate) fn new(client_id: impl Into<String>, proof: Proof) -> Result<Self> {
        let client_id = client_id.into();
        if is_guid(&client_id) {
            Ok(Self { client_id, proof })
        } else {
            Err(Error::invalid_input(
                "an application's id is a GUID: `Application (client) ID` on its overview page",
            ))
        }
    }
}

/// Where the tokens for `resource` (a root, without `/.default`) come from. No I/O.
///
/// # Errors
/// `config_invalid` for a root of the sign-in service that is none.
pub(crate) fn tokens(
    context: &Context,
    place: &Place,
    credential: AppCredential,
    resource: &str,
) -> Result<Arc<ClientCredentials>> {
    let mut secrets = HeldSecrets::new(Arc::clone(&context.secrets));
    let authority = format!("{}/{}", place.login, place.tenant.as_str());
    let client_id = credential.client_id.clone();
    let mut hold = |name: &str, given: Credential| secrets.hold(name, given);
    let held = match credential.proof {
        Proof::Secret(secret) => Held::Form(hold("client_secret", secret)),
        Proof::Certificate {
            certificate,
            private_key,
        } => Held::Signed(
            hold("certificate", certificate),
            hold("private_key", private_key),
        ),
    };
    let context = Context {
        secrets: Arc::new(secrets),
        ..context.clone()
    };
    let bare = HttpClient::builder(&context, &authority)?
        .errors(sign_in_error)
        .build();
    let proof = match held {
        Held::Form(secret) => ClientProof::Form(secret),
        Held::Signed(certificate, private_key) => ClientProof::Assertion(Arc::new(Signer {
            context,
            audience: format!("{authority}{TOKEN_PATH}"),
            client_id: client_id.clone(),
            certificate,
            private_key,
        })),
    };
    let tokens = ClientCredentials::with_proof(bare, TOKEN, TOKEN_PATH, client_id, proof)
        .scope(format!("{resource}/.default"))
        .errors(sign_in_error);
    Ok(Arc::new(tokens))
}

const TOKEN: &str = "m365.token";
const TOKEN_PATH: &str = "/oauth2/v2.0/token";

/// A proof whose secrets have references by now.
enum Held {
    Form(SecretRef),
    Signed(SecretRef, SecretRef),
}

/// The application permissions that a token carries (`roles`). To the client the token is formally
/// opaque, so `None` for one that cannot be read, and nothing depends on more than this.
pub(crate) fn roles(token: &SecretString) -> Option<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Claims {
        #[serde(default)]
        roles: Vec<String>,
    }
    let claims = token.expose_secret().split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    Some(claims.roles.into_iter().collect())
}

/// Signs statements with the key of a certificate
/// (<https://learn.microsoft.com/entra/identity-platform/certificate-credentials>).
struct Signer {
    context: Context,
    audience: String,
    client_id: String,
    certificate: SecretRef,
    private_key: SecretRef,
}

/// How long a statement is good for, in seconds: Microsoft advises five to ten minutes.
const GOOD_FOR: i64 = 300;

#[async_trait]
impl Assertion for Signer {
    async fn sign(&self) -> Result<SecretString> {
        let secrets = &self.context.secrets;
        let certificate = secrets.resolve(&self.certificate).await?;
        let private_key = secrets.resolve(&self.private_key).await?;
        let certificate = CertificateDer::from_pem_slice(certificate.expose_secret().as_bytes())
            .map_err(|_| unusable("certificate", "there is no PEM certificate in it"))?;
        let key = read_key(&private_key)?;
        let header = json!({
            "alg": "PS256",
            "typ": "JWT",
            "x5t#S256": URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate)),
        });
        let now = self.context.clock.now().as_second();
        let claims = json!({
            "aud": self.audience,
            "iss": self.client_id,
            "sub": self.client_id,
            "jti": self.context.fresh_guid(),
            "nbf": now,
            "iat": now,
            "exp": now + GOOD_FOR,
        });
        let encode = |part: &serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let mut signature = vec![0; key.public_modulus_len()];
        // The salt of the signature is the library's own matter, so its own randomness is used.
        key.sign(
            &RSA_PSS_SHA256,
            &SystemRandom::new(),
            signed.as_bytes(),
            &mut signature,
        )
        .map_err(|_| {
            unusable(
                "private_key",
                "it cannot sign; Entra needs RSA of 2048 bits or more",
            )
        })?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
    }
}

fn read_key(pem: &SecretString) -> Result<RsaKeyPair> {
    let pem = pem.expose_secret().as_bytes();
    let read = if let Ok(key) = PrivatePkcs8KeyDer::from_pem_slice(pem) {
        RsaKeyPair::from_pkcs8(key.secret_pkcs8_der())
    } else if let Ok(key) = PrivatePkcs1KeyDer::from_pem_slice(pem) {
        RsaKeyPair::from_der(key.secret_pkcs1_der())
    } else {
        let message =
            "there is no PEM private key in it (`BEGIN PRIVATE KEY`, without a passphrase)";
        return Err(unusable("private_key", message));
    };
    read.map_err(|_| unusable("private_key", "it is no RSA key of 2048 to 8192 bits"))
}

fn unusable(field: &str, message: &str) -> Error {
    Error::config(field, message).with_operation(TOKEN)
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// What the sign-in service says where it refuses. Microsoft asks to branch on `error` and to take
/// the numbers as diagnostics, since they may change; so the number chooses the words, and where it is
/// unknown, `error` does
/// (<https://learn.microsoft.com/entra/identity-platform/reference-error-codes>).
pub(crate) fn sign_in_error(answer: &ErrorAnswer) -> Error {
    let body: Refusal = answer.json().unwrap_or_default();
    let known = body.error_codes.iter().find_map(|code| {
        let found = MEANINGS.iter().find(|it| it.codes.contains(code));
        found.map(|meaning| (*code, meaning))
    });
    let error = match known {
        Some((_, meaning)) => meaning.error(),
        None => by_word(&body, answer),
    };
    let code = known
        .map(|(code, _)| code)
        .or(body.error_codes.first().copied());
    let error = match code {
        Some(code) => error.with_context("aadsts", code.to_string()),
        None => error,
    };
    match body.correlation_id.filter(|id| is_guid(id)) {
        Some(id) => error.with_context("correlation_id", id),
        None => error,
    }
}

fn by_word(body: &Refusal, answer: &ErrorAnswer) -> Error {
    match body.error.as_deref() {
        Some("temporarily_unavailable") => Error::new(
            ErrorKind::Unavailable,
            "the sign-in service is busy; it is tried again",
        )
        .temporary(),
        Some("invalid_client") => Error::new(
            ErrorKind::Unauthenticated,
            "Entra does not accept the application's secret or certificate",
        ),
        Some("unauthorized_client") => Error::new(
            ErrorKind::PermissionDenied,
            "the application may not sign in to this tenant; have an administrator consent to it",
        ),
        Some("invalid_scope" | "invalid_resource") => Error::new(
            ErrorKind::ConfigInvalid,
            "Entra does not know what is asked for; `cloud` or `endpoints.graph` is wrong",
        ),
        Some("interaction_required") => Error::new(
            ErrorKind::PermissionDenied,
            "a policy of the tenant blocks the application's sign-in",
        ),
        _ => answer.default_error(),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: Option<String>,
    error_codes: Vec<u32>,
    correlation_id: Option<String>,
}

/// What numbers mean, and what to do next.
struct Meaning {
    codes: &'static [u32],
    kind: ErrorKind,
    is_temporary: bool,
    next: &'static str,
}

impl Meaning {
    fn error(&self) -> Error {
        let error = Error::new(self.kind, self.next);
        if self.is_temporary {
            error.temporary()
        } else {
            error
        }
    }
}

const fn lasting(codes: &'static [u32], kind: ErrorKind, next: &'static str) -> Meaning {
    Meaning {
        codes,
        kind,
        is_temporary: false,
        next,
    }
}

const MEANINGS: &[Meaning] = &[
    lasting(
        &[7_000_215],
        ErrorKind::Unauthenticated,
        "wrong client secret; enter the secret's value, which Entra shows once, and not its id",
    ),
    lasting(
        &[7_000_222],
        ErrorKind::Unauthenticated,
        "every client secret of the application has expired; make a new one under `Certificates & secrets`",
    ),
    lasting(
        &[7_000_218],
        ErrorKind::ConfigInvalid,
        "neither secret nor certificate arrived; give `client_secret`, or `certificate` and `private_key`",
    ),
    lasting(
        &[700_016],
        ErrorKind::ConfigInvalid,
        "the tenant does not know the application: check `client_id` and `tenant_id`, and have an administrator of the tenant consent to it",
    ),
    lasting(
        &[7_000_112],
        ErrorKind::ConfigInvalid,
        "the application is disabled in the tenant; enable it under `Enterprise applications`",
    ),
    lasting(
        &[65_001],
        ErrorKind::PermissionDenied,
        "nobody has consented to the application's permissions; have an administrator of the tenant grant them",
    ),
    lasting(
        &[90_002],
        ErrorKind::ConfigInvalid,
        "there is no such tenant in this cloud: check `tenant_id` and `cloud`",
    ),
    lasting(
        &[90_038, 900_382, 900_432],
        ErrorKind::ConfigInvalid,
        "the tenant lives in another of Microsoft's clouds; set `cloud`",
    ),
    lasting(
        &[9_001_023],
        ErrorKind::ConfigInvalid,
        "applications sign in to one tenant; give its GUID or domain as `tenant_id`",
    ),
    lasting(
        &[70_011, 28_002, 700_022, 700_023],
        ErrorKind::ConfigInvalid,
        "Entra does not know what is asked for; `cloud` or `endpoints.graph` is wrong",
    ),
    lasting(
        &[500_011],
        ErrorKind::ConfigInvalid,
        "what is asked for is not in the tenant; `cloud` or `endpoints.graph` is wrong",
    ),
    lasting(
        &[700_024, 500_133],
        ErrorKind::Unauthenticated,
        "the signed statement is outside its time; set this machine's clock",
    ),
    lasting(
        &[50_012, 50_013, 700_027],
        ErrorKind::Unauthenticated,
        "Entra does not accept the signed statement; upload this certificate to the application, and see that `private_key` belongs to it",
    ),
    lasting(
        &[530_032, 53_003],
        ErrorKind::PermissionDenied,
        "a Conditional Access policy blocks the application's sign-in; exclude it or sign in from where it may",
    ),
    Meaning {
        codes: &[50_000, 90_006, 90_012, 90_024, 90_033, 90_055, 90_090],
        kind: ErrorKind::Unavailable,
        is_temporary: true,
        next: "the sign-in service has trouble; it is tried again",
    },
];

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
