//! Opaque tokens (page tokens, cursors) that only the sandbox can make, and access tokens that look
//! like a vendor's.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::Sha256;

use crate::rng::Rng;

#[derive(Clone)]
pub(crate) struct Sealer {
    mac: Hmac<Sha256>,
}

const MAC_BYTES: usize = 16;

impl Sealer {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    pub(crate) fn new(key: &str) -> Self {
        Self {
            mac: Hmac::new_from_slice(key.as_bytes()).expect("any key length"),
        }
    }

    /// Standard base64, so a token may hold `+`, `/` and `=` and must be encoded in a query.
    pub(crate) fn seal(&self, purpose: &str, content: &impl Serialize) -> String {
        let content = serde_json::to_vec(content).unwrap_or_default();
        let mut sealed = self.tag(purpose, &content);
        sealed.extend_from_slice(&content);
        STANDARD.encode(sealed)
    }

    /// What was sealed for this purpose, or `None` for anything else.
    pub(crate) fn open<T: DeserializeOwned>(&self, purpose: &str, token: &str) -> Option<T> {
        let sealed = STANDARD.decode(token).ok()?;
        let (tag, content) = sealed.split_at_checked(MAC_BYTES)?;
        if self.tag(purpose, content) != tag {
            return None;
        }
        serde_json::from_slice(content).ok()
    }

    fn tag(&self, purpose: &str, content: &[u8]) -> Vec<u8> {
        let mut mac = self.mac.clone();
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(content);
        mac.finalize().into_bytes()[..MAC_BYTES].to_vec()
    }
}

/// Looks like a vendor's JWT; nobody can verify its signature, since no key is published.
pub(crate) fn unsigned_jwt(rng: &mut Rng, header: &Value, claims: &Value) -> String {
    let signature: Vec<u8> = (0..8).flat_map(|_| rng.next().to_be_bytes()).collect();
    format!(
        "{}.{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string()),
        URL_SAFE_NO_PAD.encode(signature)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_only_for_its_purpose_and_only_unchanged() {
        let sealer = Sealer::new("key");
        let token = sealer.seal("page", &(1, "x"));
        assert_eq!(sealer.open("page", &token), Some((1, "x".to_owned())));
        assert_eq!(sealer.open::<(i32, String)>("cursor", &token), None);
        assert_eq!(sealer.open::<(i32, String)>("page", &token[4..]), None);
        assert_eq!(sealer.open::<(i32, String)>("page", ""), None);
    }
}
