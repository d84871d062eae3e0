//! A DKIM key record: RFC 6376 section 3.6.1, with RFC 8301 (key sizes) and RFC 8463 (Ed25519).

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::der;
use crate::tags::{NameCase, Problem, RecordIssue, Tag, Tags};

/// Base64 as zones have it: with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A DKIM key record, with everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DkimKey {
    /// As published.
    pub text: String,
    /// What `k` and `p` hold.
    #[serde(flatten)]
    pub material: KeyMaterial,
    /// SHA-256 of the key's bytes, in hexadecimal: the same key elsewhere has the same.
    pub fingerprint: Option<String>,
    /// `h`: the only hashes it may be used with; empty means all.
    pub hashes: Vec<String>,
    /// `s`: the services it is for; empty means all.
    pub services: Vec<String>,
    /// `t=y`: the owner is testing, and receivers treat the mail as unsigned.
    pub testing: bool,
    /// `t=s`: the identity must be of the very domain, not of a subdomain.
    pub strict: bool,
    /// `n`: notes for people.
    pub notes: Option<String>,
    /// What is wrong, in the order of the record.
    pub issues: Vec<RecordIssue>,
}

/// What `k` and `p` of a [`DkimKey`] hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "key", rename_all = "snake_case")]
pub enum KeyMaterial {
    /// An RSA key.
    Rsa {
        /// The bits of its modulus.
        bits: u32,
    },
    /// An Ed25519 key.
    Ed25519,
    /// `p` is empty: the key was withdrawn, and what it signed is unsigned.
    Revoked,
    /// Nothing that anybody could verify with.
    Unusable {
        /// Why, in one sentence.
        why: String,
    },
}

impl KeyMaterial {
    /// Whether something can be verified with it.
    pub const fn is_live(&self) -> bool {
        matches!(self, Self::Rsa { .. } | Self::Ed25519)
    }
}

impl DkimKey {
    /// Reads a TXT record found below `_domainkey`. Every text is one: what it says may be useless.
    pub fn parse(text: &str) -> Self {
        let mut tags = Tags::read(text, NameCase::Exact);
        let first = tags.tags.first().map(|tag| tag.name.clone());
        let version = take(&mut tags, "v");
        let wrong_version = version.as_ref().is_some_and(|tag| tag.value != "DKIM1");
        if version.is_some() && first.as_deref() != Some("v") {
            tags.issue(
                Problem::NoEffect,
                "v",
                0,
                "`v` must be the first tag where it is given",
            );
        }
        let (material, fingerprint) = if wrong_version {
            (unusable("the version is not DKIM1"), None)
        } else {
            material(&mut tags)
        };
        let flags = list(&mut tags, "t");
        let mut key = Self {
            text: text.to_owned(),
            material,
            fingerprint,
            hashes: list(&mut tags, "h"),
            services: list(&mut tags, "s")
                .into_iter()
                .filter(|service| service != "*")
                .collect(),
            testing: flags.iter().any(|flag| flag == "y"),
            strict: flags.iter().any(|flag| flag == "s"),
            notes: take(&mut tags, "n").map(|tag| tag.value),
            issues: Vec::new(),
        };
        // `g` is of RFC 4871: receivers pass over it as over any other.
        for tag in std::mem::take(&mut tags.tags) {
            let text = format!("verifiers pass over `{}`", tag.name);
            tags.issue(Problem::UnknownTag, &tag.name, tag.at, text);
        }
        tags.issues.sort_by_key(|issue| issue.at);
        key.issues = tags.issues;
        key
    }

    /// Whether mail can be verified with it: it is a key, and it is for mail.
    pub fn is_live(&self) -> bool {
        self.material.is_live()
            && (self.services.is_empty() || self.services.iter().any(|s| s == "email"))
    }

    /// Whether SHA-1, which RFC 8301 forbids, is all that it may be used with.
    pub fn is_sha1_only(&self) -> bool {
        !self.hashes.is_empty()
            && self
                .hashes
                .iter()
                .all(|hash| hash.eq_ignore_ascii_case("sha1"))
    }
}

fn take(tags: &mut Tags, name: &str) -> Option<Tag> {
    tags.take(name, NameCase::Exact)
}

fn list(tags: &mut Tags, name: &str) -> Vec<String> {
    let value = take(tags, name).map(|tag| tag.value).unwrap_or_default();
    let words = value.split(':').map(str::trim);
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn unusable(why: impl Into<String>) -> KeyMaterial {
    KeyMaterial::Unusable { why: why.into() }
}

fn material(tags: &mut Tags) -> (KeyMaterial, Option<String>) {
    let kind =
        take(tags, "k").map_or_else(|| "rsa".to_owned(), |tag| tag.value.to_ascii_lowercase());
    let Some(p) = take(tags, "p") else {
        return (unusable("there is no `p`, and so no key"), None);
    };
    // Blanks are allowed inside base64 (RFC 6376 section 3.2).
    let written: String = p
        .value
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    if written.is_empty() {
        return (KeyMaterial::Revoked, None);
    }
    let Ok(bytes) = BASE64.decode(&written) else {
        return (unusable("`p` is not base64"), None);
    };
    let material = match kind.as_str() {
        "rsa" => der::rsa_modulus_bits(&bytes).map_or_else(
            || unusable("`p` holds no RSA public key"),
            |bits| KeyMaterial::Rsa { bits },
        ),
        "ed25519" if bytes.len() == 32 => KeyMaterial::Ed25519,
        "ed25519" => unusable("an Ed25519 key has 32 bytes"),
        _ => unusable("`k` is neither `rsa` nor `ed25519`"),
    };
    let fingerprint = material
        .is_live()
        .then(|| hexadecimal(&Sha256::digest(&bytes)));
    (material, fingerprint)
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dkim::testing::{RSA_1024, RSA_2048, ed25519, rsa};

    #[test]
    fn sizes_are_those_of_the_modulus_in_both_forms() {
        for (p, bits) in [(RSA_1024, 1024), (RSA_2048, 2048)] {
            let key = DkimKey::parse(&format!("v=DKIM1; k=rsa; p={p}"));
            assert_eq!(key.material, KeyMaterial::Rsa { bits }, "{p}");
            assert_eq!(key.issues, []);
        }
        for bits in [512, 1023, 1024, 2048, 4096, 8192] {
            for bare in [false, true] {
                let key = DkimKey::parse(&format!("p={}", rsa(bits, bare)));
                assert_eq!(key.material, KeyMaterial::Rsa { bits }, "{bits} {bare}");
            }
        }
    }

    #[test]
    fn ed25519_is_32_bytes_and_revoked_is_empty() {
        let parse = |text: &str| DkimKey::parse(text).material;
        assert_eq!(
            parse(&format!("k=ed25519; p={}", ed25519())),
            KeyMaterial::Ed25519
        );
        assert!(!parse("k=ed25519; p=AAAA").is_live());
        assert_eq!(parse("v=DKIM1; p="), KeyMaterial::Revoked);
        assert_eq!(parse("v=DKIM1; p= ;"), KeyMaterial::Revoked);
    }

    #[test]
    fn what_nobody_can_verify_with_says_why() {
        for (text, why) in [
            ("v=DKIM1; k=rsa", "no `p`"),
            ("v=DKIM2; p=AAAA", "version"),
            ("p=*", "base64"),
            ("p=AAAA", "no RSA"),
            ("k=dsa; p=AAAA", "neither"),
            ("some text", "no `p`"),
        ] {
            match DkimKey::parse(text).material {
                KeyMaterial::Unusable { why: found } => {
                    assert!(found.contains(why), "{text}: {found}");
                }
                other => unreachable!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn flags_hashes_and_services_are_read_and_unpadded_base64_with_blanks_is_base64() {
        let p = ed25519();
        let p = p.trim_end_matches('=');
        let (a, b) = p.split_at(10);
        let key = DkimKey::parse(&format!(
            "v=DKIM1; k=ed25519; t=y:s; h=sha1; s=email:*; n=note; p={a} {b}"
        ));
        assert!(key.testing && key.strict && key.is_sha1_only() && key.is_live());
        assert_eq!(key.services, ["email"]);
        assert_eq!(key.notes.as_deref(), Some("note"));
        assert!(!DkimKey::parse("h=sha1:sha256; p=").is_sha1_only());
        let other = DkimKey::parse(&format!("s=tlsrpt; k=ed25519; p={p}"));
        assert!(!other.is_live(), "a key that is not for mail signs no mail");
    }

    #[test]
    fn the_same_key_has_the_same_fingerprint_wherever_it_stands() {
        let one = DkimKey::parse(&format!("v=DKIM1; p={RSA_2048}"));
        let two = DkimKey::parse(&format!("k=rsa;p={RSA_2048}; t=y"));
        assert!(one.fingerprint.is_some());
        assert_eq!(one.fingerprint, two.fingerprint);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd_to_read(text in "((v=DKIM1|k=rsa|k=ed25519);)?(p=)?.{0,200}") {
            let _ = DkimKey::parse(&text);
        }
    }
}
