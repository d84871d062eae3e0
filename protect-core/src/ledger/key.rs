//! The Ed25519 key that signs checkpoints, and its public half.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64_BARE;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::context::Random;
use crate::error::{Error, Result};
use crate::model::hex;
use crate::secret::{ExposeSecret as _, SecretString};

/// The name of every key of ours in a signed note (C2SP `signed-note`, "Signatures").
pub(super) const KEY_NAME: &str = "protect-evidence";

/// The signature type Ed25519 (C2SP `signed-note`, "Signature types").
const ED25519: u8 = 0x01;

/// The key that signs checkpoints.
pub struct LedgerKey(SigningKey);

impl LedgerKey {
    /// A new key.
    pub fn generate(random: &dyn Random) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        random.fill(&mut *seed);
        Self(SigningKey::from_bytes(&seed))
    }

    /// Reads a key: PKCS#8 in PEM (what `openssl genpkey -algorithm ed25519` writes, RFC 8410), or
    /// the 32 bytes of the seed in base64 or hexadecimal. White space around it does not count.
    ///
    /// # Errors
    /// `config_invalid`, without repeating the key.
    pub fn parse(secret: &SecretString) -> Result<Self> {
        let text = secret.expose_secret().trim();
        let key = if text.starts_with("-----BEGIN") {
            SigningKey::from_pkcs8_pem(text).ok()
        } else {
            seed(text).map(|seed| SigningKey::from_bytes(&seed))
        };
        key.map(Self).ok_or_else(|| {
            Error::config(
                "ledger.key",
                "not an Ed25519 key: give PKCS#8 in PEM, or the 32-byte seed in base64 or hexadecimal",
            )
        })
    }

    /// The key as PKCS#8 in PEM, to be kept where secrets are kept.
    ///
    /// # Errors
    /// `unexpected` where it has no such form.
    pub fn to_pem(&self) -> Result<SecretString> {
        let pem = self
            .0
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|_| Error::unexpected("a ledger key has no PEM form"))?;
        Ok(SecretString::from(pem.as_str()))
    }

    /// The half that may be known to everybody.
    pub fn public(&self) -> LedgerPublicKey {
        LedgerPublicKey(self.0.verifying_key())
    }

    /// Key id and signature, as they stand in a signed note.
    pub(super) fn sign(&self, text: &str) -> String {
        let signature = self.0.sign(text.as_bytes());
        let bytes = [self.public().id().as_slice(), &signature.to_bytes()].concat();
        BASE64.encode(bytes)
    }
}

impl fmt::Debug for LedgerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LedgerKey(of {})", self.public())
    }
}

/// Checks what a [`LedgerKey`] signed.
///
/// Its text is a verifier key of C2SP `signed-note`: `protect-evidence+<key id>+<base64>`.
#[derive(Clone, PartialEq, Eq)]
pub struct LedgerPublicKey(VerifyingKey);

impl LedgerPublicKey {
    /// The first four bytes of SHA-256 over the name, a line feed, the type and the key.
    fn id(&self) -> [u8; 4] {
        let mut hasher = Sha256::new();
        hasher.update(KEY_NAME);
        hasher.update([b'\n', ED25519]);
        hasher.update(self.0.as_bytes());
        let digest = hasher.finalize();
        [digest[0], digest[1], digest[2], digest[3]]
    }

    /// Whether one of the signatures, as they stand in a signed note, is this key's over `text`.
    pub(super) fn has_signed(&self, text: &str, signature: &str) -> bool {
        let Ok(bytes) = BASE64.decode(signature) else {
            return false;
        };
        let Some((id, signature)) = bytes.split_first_chunk::<4>() else {
            return false;
        };
        let Ok(signature) = Signature::from_slice(signature) else {
            return false;
        };
        *id == self.id() && self.0.verify_strict(text.as_bytes(), &signature).is_ok()
    }
}

impl fmt::Display for LedgerPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = [[ED25519].as_slice(), self.0.as_bytes()].concat();
        write!(f, "{KEY_NAME}+{}+{}", hex(&self.id()), BASE64.encode(typed))
    }
}

impl fmt::Debug for LedgerPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for LedgerPublicKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let key = text
            .trim()
            .splitn(3, '+')
            .nth(2)
            .and_then(|typed| BASE64.decode(typed).ok())
            .and_then(|typed| <[u8; 33]>::try_from(typed).ok())
            .filter(|typed| typed[0] == ED25519)
            .and_then(|typed| <[u8; 32]>::try_from(&typed[1..]).ok())
            .and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok())
            .map(Self);
        // The name and the id are computed: a slip of the pen in either is found here.
        key.filter(|key| key.to_string() == text.trim())
            .ok_or_else(|| {
                Error::invalid_input("not the public key of a ledger: protect-evidence+ID+BASE64")
            })
    }
}

fn seed(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let bytes = if text.len() == 64 {
        from_hex(text)?
    } else {
        let bare = text.trim_end_matches('=');
        Zeroizing::new(BASE64_BARE.decode(bare).ok()?)
    };
    let seed = <[u8; 32]>::try_from(bytes.as_slice()).ok()?;
    Some(Zeroizing::new(seed))
}

fn from_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect();
    let digits = Zeroizing::new(digits?);
    let bytes = digits
        .chunks_exact(2)
        .map(|pair| (pair[0] << 4) | pair[1])
        .collect();
    Some(Zeroizing::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032 section 7.1, test 1.
    const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    fn parse(text: &str) -> Result<LedgerKey> {
        LedgerKey::parse(&SecretString::from(text))
    }

    #[test]
    fn a_key_reads_the_same_from_every_form() {
        let from_hex = parse(SEED).unwrap();
        assert_eq!(hex(from_hex.public().0.as_bytes()), PUBLIC);
        let base64 = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
        let pem = from_hex.to_pem().unwrap();
        for text in [
            base64,
            base64.trim_end_matches('='),
            &format!("  {}\n", SEED.to_uppercase()),
            pem.expose_secret(),
        ] {
            assert_eq!(parse(text).unwrap().public(), from_hex.public());
        }
    }

    #[test]
    fn what_openssl_writes_is_read() {
        // RFC 8410 section 10.3, the first example.
        let pem = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                   -----END PRIVATE KEY-----\n";
        let public = parse(pem).unwrap().public();
        assert_eq!(
            BASE64.encode(public.0.as_bytes()),
            "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
        );
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_repeated() {
        for text in [
            "",
            "hunter2",
            &SEED[1..],
            "-----BEGIN PRIVATE KEY-----\nx",
            "ä",
        ] {
            let error = parse(text).unwrap_err();
            assert!(text.is_empty() || !format!("{error:?}").contains(text));
        }
        let debug = format!("{:?}", parse(SEED).unwrap());
        assert!(!debug.contains("9d61") && debug.starts_with("LedgerKey(of protect-evidence+"));
    }

    #[test]
    fn a_public_key_reads_back_from_its_text_and_from_no_other() {
        let public = parse(SEED).unwrap().public();
        let text = public.to_string();
        assert_eq!(text.parse::<LedgerPublicKey>().unwrap(), public);
        for wrong in [
            text.replace("protect", "Protect"),
            text.replacen(&text[17..19], "zz", 1),
            text[..text.len() - 4].to_owned(),
            String::new(),
        ] {
            assert!(wrong.parse::<LedgerPublicKey>().is_err(), "{wrong}");
        }
    }
}
