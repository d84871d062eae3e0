//! Who signs in a service account's name: a key from the JSON file that Google hands out, or whoever
//! else can sign.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protect_core::secret::{ExposeSecret, SecretRef, SecretResolver, SecretString};
use protect_core::{Error, Result};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

/// Signs statements (JWT, RFC 7519) in the name of a service account. The key need not be a file: a
/// hardware module, or Google's own `signJwt`, keeps this contract as well.
#[async_trait]
pub trait JwtSigner: fmt::Debug + Send + Sync + 'static {
    /// A statement of these claims in the compact form (RFC 7515 section 7.1), signed with RS256. The
    /// signer adds who it signs for: `iss`, the service account's address.
    ///
    /// # Errors
    /// `config_invalid` where there is no usable key; otherwise why nobody signed.
    async fn sign(&self, claims: Map<String, Value>) -> Result<SecretString>;
}

/// Signs with the private key of a service account's JSON file, which is read each time anew.
pub(crate) struct KeyFile {
    pub(crate) secrets: Arc<dyn SecretResolver>,
    pub(crate) key: SecretRef,
    /// The field of the configuration, for errors.
    pub(crate) field: String,
    /// The connection, for errors.
    pub(crate) connection: Option<String>,
}

#[async_trait]
impl JwtSigner for KeyFile {
    async fn sign(&self, mut claims: Map<String, Value>) -> Result<SecretString> {
        let text = self.secrets.resolve(&self.key).await?;
        let account = read(&text).map_err(|why| self.unusable(why))?;
        claims.insert("iss".to_owned(), account.client_email.as_str().into());
        let signed = sign_with(&account, &Value::Object(claims));
        signed.map_err(|why| self.unusable(why))
    }
}

impl KeyFile {
    /// What is wrong with the key, without any of it.
    fn unusable(&self, why: &str) -> Error {
        let message = format!(
            "this is no key of a service account: {why}; in the Google Cloud console make one under `IAM & Admin > Service Accounts > Keys > Add key` (JSON)"
        );
        let error = Error::config(self.field.as_str(), message).with_operation(crate::auth::TOKEN);
        match &self.connection {
            Some(connection) => error.with_context("connection", connection.as_str()),
            None => error,
        }
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyFile").finish_non_exhaustive()
    }
}

/// What is used of the file. Where tokens are asked for does not come from it: a file may say
/// anything.
#[derive(Deserialize)]
struct ServiceAccount {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    client_email: String,
    private_key_id: Option<String>,
    #[serde(default = "nothing", deserialize_with = "secret")]
    private_key: SecretString,
}

fn nothing() -> SecretString {
    SecretString::from("")
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<SecretString, D::Error> {
    String::deserialize(from).map(SecretString::from)
}

fn read(text: &SecretString) -> std::result::Result<ServiceAccount, &'static str> {
    let text = text.expose_secret().trim_start_matches('\u{feff}');
    let account: ServiceAccount = serde_json::from_str(text)
        .map_err(|_| "it is not the JSON object that Google hands out")?;
    if account.kind != "service_account" {
        return Err("its `type` is not `service_account`");
    }
    if !account.client_email.contains('@') {
        return Err("it has no `client_email`");
    }
    Ok(account)
}

fn sign_with(
    account: &ServiceAccount,
    claims: &Value,
) -> std::result::Result<SecretString, &'static str> {
    let pem = account.private_key.expose_secret().as_bytes();
    let key = PrivatePkcs8KeyDer::from_pem_slice(pem)
        .map_err(|_| "its `private_key` is no PEM private key (`BEGIN PRIVATE KEY`)")?;
    let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der())
        .map_err(|_| "its `private_key` is no RSA key of 2048 to 8192 bits")?;
    let mut header = json!({ "alg": "RS256", "typ": "JWT" });
    if let Some(id) = &account.private_key_id {
        header["kid"] = id.as_str().into();
    }
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", encode(&header), encode(claims));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .map_err(|_| "its `private_key` cannot sign")?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
}
