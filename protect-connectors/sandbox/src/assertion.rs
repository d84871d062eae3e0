//! Signed assertions by which a client says who it is (RFC 7523), and the key pair that the sandbox
//! hands out to sign them with.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, pem::PemObject as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use webpki::{
    EndEntityCert,
    aws_lc_rs::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256_LEGACY_KEY},
};

/// A certificate that a vendor knows a client by.
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

/// The parts of an assertion.
pub(crate) struct Jwt<'a> {
    pub(crate) header: Value,
    pub(crate) claims: Value,
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

    pub(crate) fn der(&self) -> &[u8] {
        &self.0
    }

    /// Whether the assertion was signed with this certificate's key, by the algorithm it names.
    pub(crate) fn verifies(&self, jwt: &Jwt<'_>) -> bool {
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

impl<'a> Jwt<'a> {
    /// `None` for what is no signed JWT.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
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
