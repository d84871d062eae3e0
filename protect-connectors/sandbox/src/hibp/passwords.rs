//! Pwned Passwords: ranges of SHA-1 or NTLM hashes, as CRLF lines.

use std::{collections::BTreeMap, fmt::Write as _};

use md4::Md4;
use sha1::{Digest, Sha1};

use super::hibp_error;
use crate::{
    request::{Call, Context, Reply},
    rng::Rng,
};

const PREFIX: usize = 5;
/// With padding an answer has 800 to 1,000 lines.
const PADDED: (usize, usize) = (800, 1000);

/// Passwords that are in every list of common ones.
const KNOWN: [(&str, u32); 8] = [
    ("123456", 42_542_807),
    ("password", 10_434_004),
    ("qwerty", 10_713_794),
    ("letmein", 430_174),
    ("Summer2024!", 1_204),
    ("P@ssw0rd", 132_093),
    ("iloveyou", 3_093_219),
    ("dragon", 1_118_451),
];

pub(crate) fn range(seed: u64, call: &Call, cx: &mut Context) -> Reply {
    if call.headers.contains_key("hibp-api-key") {
        cx.violate("key_sent_to_passwords", "this host takes no key");
    }
    let prefix = call.segments.last().map_or("", String::as_str);
    if prefix.len() != PREFIX || !prefix.bytes().all(|b| b.is_ascii_hexdigit()) {
        cx.violate("hash_prefix", "five hexadecimal digits");
        return hibp_error(400, "The hash prefix was not in a valid format");
    }
    let prefix = prefix.to_uppercase();
    let ntlm = match call.query.as_slice() {
        [] => false,
        [(name, mode)] if name == "mode" && (mode == "ntlm" || mode == "sha1") => mode == "ntlm",
        _ => {
            cx.violate("unknown_query", "only mode=ntlm or mode=sha1 is known");
            return hibp_error(400, "The mode is not known");
        }
    };
    let padded = call
        .header("add-padding")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    Reply::text(200, body(&rows(seed, &prefix, ntlm, padded)))
}

fn rows(seed: u64, prefix: &str, ntlm: bool, padded: bool) -> BTreeMap<String, u32> {
    let length = if ntlm { 32 } else { 40 } - PREFIX;
    let mut rng = Rng::new(seed, &format!("passwords {prefix} {ntlm}"));
    let mut rows = BTreeMap::new();
    for _ in 0..rng.between(750, 850) {
        let suffix = rng.hex(length).to_uppercase();
        let count = u32::try_from(rng.between(1, 900)).unwrap_or(1);
        rows.insert(suffix, count);
    }
    for (password, count) in KNOWN {
        let hash = if ntlm {
            ntlm_hash(password)
        } else {
            sha1_hash(password)
        };
        if let Some(suffix) = hash.strip_prefix(prefix) {
            rows.insert(suffix.to_owned(), count);
        }
    }
    let wanted = if padded {
        rng.between(PADDED.0, PADDED.1)
    } else {
        0
    };
    while rows.len() < wanted {
        rows.insert(rng.hex(length).to_uppercase(), 0);
    }
    rows
}

fn body(rows: &BTreeMap<String, u32>) -> String {
    let lines: Vec<String> = rows
        .iter()
        .map(|(suffix, count)| format!("{suffix}:{count}"))
        .collect();
    lines.join("\r\n")
}

pub(crate) fn sha1_hash(text: &str) -> String {
    upper_hex(&Sha1::digest(text.as_bytes()))
}

fn ntlm_hash(text: &str) -> String {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    upper_hex(&Md4::digest(&wide))
}

fn upper_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02X}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_agree_with_published_values() {
        assert_eq!(
            sha1_hash("test@example.com"),
            "567159D622FFBB50B11B0EFD307BE358624A26EE"
        );
        assert_eq!(ntlm_hash("password"), "8846F7EAEE8FB117AD06BDD830B7586C");
    }
}
