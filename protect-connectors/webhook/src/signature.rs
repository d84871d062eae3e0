//! The signature of a message by Standard Webhooks: HMAC-SHA-256 over id, time and body
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protect_core::secret::{ExposeSecret, SecretString};
use protect_core::{Error, Result};
use subtle::ConstantTimeEq;

/// What every secret of Standard Webhooks begins with; some tools leave it out.
const PREFIX: &str = "whsec_";

/// The one version of signatures that uses a shared secret.
const VERSION: &str = "v1,";

/// Signs, and tells whether a signature is good.
pub(crate) struct Signer(hmac::Key);

impl Signer {
    /// A signer from a secret: base64, after `whsec_` or not. `key` is where the secret is configured.
    ///
    /// # Errors
    /// `config_invalid` for what is no such secret; it says nothing of where the base64 breaks off.
    pub(crate) fn new(secret: &SecretString, key: &str) -> Result<Self> {
        let secret = secret.expose_secret();
        let encoded = secret.strip_prefix(PREFIX).unwrap_or(secret);
        match STANDARD.decode(encoded) {
            Ok(bytes) if !bytes.is_empty() => Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes))),
            _ => Err(no_secret(key)),
        }
    }

    /// The signature of a message, as it stands in `webhook-signature`. `seconds` since 1970.
    pub(crate) fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let mut signed = hmac::Context::with_key(&self.0);
        signed.update(format!("{id}.{seconds}.").as_bytes());
        signed.update(body);
        let mut signature = VERSION.to_owned();
        STANDARD.encode_string(signed.sign(), &mut signature);
        signature
    }

    /// Whether one of these signatures, with spaces between, is the message's. Compares in constant time.
    pub(crate) fn is_among(&self, given: &str, id: &str, seconds: i64, body: &[u8]) -> bool {
        let expected = self.sign(id, seconds, body);
        let is_it = |given: &str| bool::from(given.as_bytes().ct_eq(expected.as_bytes()));
        given.split(' ').any(is_it)
    }
}

/// Says how a secret looks.
pub(crate) fn no_secret(key: &str) -> Error {
    Error::config(key, "not a Standard Webhooks secret: `whsec_` and base64")
}
