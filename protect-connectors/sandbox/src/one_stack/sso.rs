//! Hub signs tokens: of staff and of clients' users, to hand over and for a session. The claims are those of
//! our conventions; a test replaces any of them, and so makes the tokens that must be refused.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use crate::rng::Rng;

/// What a public key of P-256 begins with (RFC 5480 section 2), before its 65 bytes.
const P256_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// What Hub and the products share for sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubSso {
    /// Signs tokens of staff (`PORTAL_SSO_SECRET`).
    pub secret: String,
    /// Signs tokens of clients' users (`PORTAL_CLIENT_SSO_SECRET`).
    pub client_secret: String,
    /// Verifies what is signed with `algorithm = "ES256"`, in PEM. Made up once in a process.
    pub public_key: String,
}

/// A token to be signed; `POST /_sandbox/one_stack/tokens`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HubToken {
    /// The organisation's id.
    pub organisation: String,
    /// Whose: an address; `alice@acme.example` where left out.
    pub email: Option<String>,
    /// The role in the organisation; `admin` where left out.
    pub role: Option<String>,
    /// The client company: then it is the token of one of its users.
    pub client_id: Option<String>,
    /// How much of the client's data; `company` where left out.
    pub access_level: Option<String>,
    /// For eight hours instead of 60 (70 for clients' users) seconds.
    pub session: bool,
    /// Replaces claims; null leaves one out.
    pub claims: Map<String, Value>,
    /// `HS256` (where left out), `ES256`, or `none`, which has no signature.
    pub algorithm: Option<String>,
    /// The secret to sign with by HS256, instead of Hub's.
    pub secret: Option<String>,
}

pub(crate) struct Sso {
    shared: HubSso,
    tokens: Rng,
}

static KEY: LazyLock<Option<EcdsaKeyPair>> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok());

impl Sso {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed, "one_stack_sso");
        Self {
            shared: HubSso {
                secret: rng.hex(48),
                client_secret: rng.hex(48),
                public_key: public_key().unwrap_or_default(),
            },
            tokens: Rng::new(seed, "one_stack_tokens"),
        }
    }

    pub(crate) fn shared(&self) -> HubSso {
        self.shared.clone()
    }

    /// Signs a token; `None` for an unknown algorithm.
    pub(crate) fn sign(&mut self, token: &HubToken, now: Timestamp) -> Option<String> {
        let algorithm = token.algorithm.as_deref().unwrap_or("HS256");
        let header = json!({"alg": algorithm, "typ": "JWT"}).to_string();
        let claims = Value::Object(self.claims(token, now)).to_string();
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let signature = match algorithm {
            "none" => Vec::new(),
            "HS256" => self.hs256(token, signed.as_bytes())?,
            "ES256" => {
                let signature = KEY.as_ref()?.sign(&SystemRandom::new(), signed.as_bytes());
                signature.ok()?.as_ref().to_vec()
            }
            _ => return None,
        };
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn hs256(&self, token: &HubToken, signed: &[u8]) -> Option<Vec<u8>> {
        let own = match token.client_id {
            Some(_) => &self.shared.client_secret,
            None => &self.shared.secret,
        };
        let secret = token.secret.as_ref().unwrap_or(own);
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
        mac.update(signed);
        Some(mac.finalize().into_bytes().to_vec())
    }

    fn claims(&mut self, token: &HubToken, now: Timestamp) -> Map<String, Value> {
        let email = token.email.as_deref().unwrap_or("alice@acme.example");
        let name = email.split('@').next().unwrap_or_default();
        let issued = now.as_second();
        let seconds = match (token.session, &token.client_id) {
            (true, _) => 8 * 60 * 60,
            (false, None) => 60,
            (false, Some(_)) => 70,
        };
        let mut claims = json!({
            "sub": format!("hub-{name}"),
            "email": email,
            "tenant_id": token.organisation,
            "iat": issued,
            "exp": issued + seconds,
            "jti": self.tokens.hex(24),
        });
        if let Some(client_id) = &token.client_id {
            claims["context"] = json!("client_portal");
            claims["tenant_slug"] = json!("acme");
            claims["client_id"] = json!(client_id);
            let level = token.access_level.as_deref().unwrap_or("company");
            claims["access_level"] = json!(level);
            claims["psa_contact_id"] = json!("contact-7");
        } else {
            claims["name"] = json!(name);
            claims["role"] = json!(token.role.as_deref().unwrap_or("admin"));
        }
        let mut claims = match claims {
            Value::Object(claims) => claims,
            _ => Map::new(),
        };
        for (name, value) in &token.claims {
            if value.is_null() {
                claims.remove(name);
            } else {
                claims.insert(name.clone(), value.clone());
            }
        }
        claims
    }
}

fn public_key() -> Option<String> {
    let mut der = P256_PREFIX.to_vec();
    der.extend_from_slice(KEY.as_ref()?.public_key().as_ref());
    let lines: Vec<String> = STANDARD
        .encode(der)
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    let body = lines.join("\n");
    Some(format!(
        "-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"
    ))
}
