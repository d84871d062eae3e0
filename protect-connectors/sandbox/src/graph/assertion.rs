//! Client assertions signed with a certificate (identity-platform/certificate-credentials).

use std::{collections::HashSet, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, pem::PemObject as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use webpki::{
    EndEntityCert,
    aws_lc_rs::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256_LEGACY_KEY},
};

use super::login::{Application, Refused};
use crate::request::Context;

/// Entra forgives clocks that are off by so many seconds.
const TOLERANCE: i64 = 300;
/// What the vendor asks for at most, in seconds between `nbf` and `exp`.
const LONGEST: i64 = 600;

/// A certificate that was uploaded to an application.
#[derive(Debug, Clone)]
pub(crate) struct Certificate(CertificateDer<'static>);

/// A certificate and its private key, registered with every application that was given no other.
/// Made up once in a process; it opens nothing but the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ClientCertificate {
    /// The certificate, in PEM.
    pub certificate: String,
    /// Its private key: PKCS #8, in PEM.
    pub private_key: String,
}

static BUILT_IN: LazyLock<Option<ClientCertificate>> = LazyLock::new(|| make().ok());

/// The identifiers of the assertions that were used.
#[derive(Debug, Default)]
pub(crate) struct Assertions {
    used: HashSet<String>,
}

/// The parts of an assertion.
struct Jwt<'a> {
    header: Value,
    claims: Value,
    signed: &'a str,
    signature: Vec<u8>,
}

impl Certificate {
    /// `None` for what is no certificate in PEM.
    pub(crate) fn parse(pem: &str) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        EndEntityCert::try_from(&der).ok()?;
        Some(Self(der))
    }

    fn is_named_by(&self, header: &Value) -> bool {
        let is = |name: &str, digest: &[u8]| {
            header[name]
                .as_str()
                .map(|given| given == URL_SAFE_NO_PAD.encode(digest))
        };
        is("x5t#S256", &Sha256::digest(&self.0))
            .or_else(|| is("x5t", &Sha1::digest(&self.0)))
            .unwrap_or(false)
    }

    fn verifies(&self, jwt: &Jwt<'_>) -> bool {
        let algorithm: &dyn SignatureVerificationAlgorithm = match jwt.header["alg"].as_str() {
            Some("PS256") => RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
            Some("RS256") => RSA_PKCS1_2048_8192_SHA256,
            _ => return false,
        };
        EndEntityCert::try_from(&self.0).is_ok_and(|certificate| {
            certificate
                .verify_signature(algorithm, jwt.signed.as_bytes(), &jwt.signature)
                .is_ok()
        })
    }
}

impl Assertions {
    /// Checks an assertion for this application and the token endpoint at `audience`.
    pub(crate) fn check(
        &mut self,
        text: &str,
        application: &Application,
        audience: &str,
        cx: &mut Context,
    ) -> Result<(), Refused> {
        let jwt = Jwt::parse(text).ok_or_else(|| invalid("The assertion is malformed."))?;
        let registered = match &application.certificates {
            Some(registered) => registered.clone(),
            None => Certificate::parse(&built_in().certificate)
                .into_iter()
                .collect(),
        };
        let Some(signer) = registered.iter().find(|it| it.is_named_by(&jwt.header)) else {
            return Err(wrong_key(
                "The certificate is not registered on application.",
            ));
        };
        if !signer.verifies(&jwt) {
            return Err(wrong_key("Client assertion failed signature validation."));
        }
        jwt.check_claims(&application.client_id, audience)?;
        jwt.check_times(cx)?;
        let identifier = jwt.claims["jti"].as_str().unwrap_or_default();
        if identifier.is_empty() || !self.used.insert(identifier.to_owned()) {
            return Err(invalid(
                "The identifier (jti) is missing or was used before.",
            ));
        }
        Ok(())
    }
}

impl<'a> Jwt<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let json = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice::<Value>(&bytes).ok()
        };
        let header = json(header)?;
        (header["typ"] == "JWT").then_some(())?;
        Some(Self {
            header,
            claims: json(claims)?,
            signed,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    fn check_claims(&self, client: &str, audience: &str) -> Result<(), Refused> {
        if self.claims["iss"] != client || self.claims["sub"] != client {
            return Err(invalid(
                "Issuer and subject must be the client's identifier.",
            ));
        }
        if self.claims["aud"] != audience {
            return Err(invalid("The audience must be the token endpoint."));
        }
        Ok(())
    }

    fn check_times(&self, cx: &mut Context) -> Result<(), Refused> {
        let at = |name: &str| self.claims[name].as_i64();
        let (Some(begin), Some(end)) = (at("nbf"), at("exp")) else {
            return Err(invalid("The assertion needs nbf and exp."));
        };
        let now = cx.now.as_second();
        if now + TOLERANCE < begin || now - TOLERANCE > end {
            return Err(out_of_time());
        }
        if end - begin > LONGEST {
            cx.violate("assertion_long_lived", "5 to 10 minutes are asked for");
        }
        Ok(())
    }
}

/// The certificate and key of [`crate::Sandbox::m365_certificate`]; empty where none could be made.
pub(crate) fn built_in() -> ClientCertificate {
    BUILT_IN.clone().unwrap_or_else(|| ClientCertificate {
        certificate: String::new(),
        private_key: String::new(),
    })
}

fn make() -> Result<ClientCertificate, rcgen::Error> {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
    let certificate = CertificateParams::new(vec!["protect.sandbox".to_owned()])?;
    Ok(ClientCertificate {
        certificate: certificate.self_signed(&key)?.pem(),
        private_key: key.serialize_pem(),
    })
}

fn invalid(message: &'static str) -> Refused {
    Refused::client(50_013, message, "client_assertion")
}

fn wrong_key(message: &'static str) -> Refused {
    Refused::client(700_027, message, "client_assertion")
}

fn out_of_time() -> Refused {
    let message = "Client assertion is not within its valid time range.";
    Refused::client(700_024, message, "client_assertion").unforeseen()
}
