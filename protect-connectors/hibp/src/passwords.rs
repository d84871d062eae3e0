//! The password check: hashed here, five hexadecimal digits leave, a count comes back.
//!
//! <https://haveibeenpwned.com/API/v3#PwnedPasswords>. Not linkable to an account, no key, no
//! attribution duty. Never call it while somebody is still typing.

use std::fmt;

use md4::Md4;
use protect_core::{Error, ErrorKind, Result};
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

/// A password on its way to being checked: wiped when dropped, shown by nothing, kept by nothing.
pub struct Password(Zeroizing<String>);

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Which hash the service is asked with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PasswordHash {
    /// SHA-1 over UTF-8.
    #[default]
    Sha1,
    /// NTLM: MD4 over UTF-16, as Windows domains store it.
    Ntlm,
}

/// The part of the hash that leaves, and the part that stays.
pub(crate) struct SplitHash {
    hex: Zeroizing<String>,
}

impl SplitHash {
    const PREFIX: usize = 5;

    pub(crate) fn of(password: &Password, hash: PasswordHash) -> Self {
        let hex = match hash {
            PasswordHash::Sha1 => upper_hex(&Sha1::digest(password.0.as_bytes())),
            PasswordHash::Ntlm => {
                // Sized beforehand, so that no copy is left behind by growing.
                let mut wide = Zeroizing::new(Vec::with_capacity(password.0.len() * 2));
                wide.extend(password.0.encode_utf16().flat_map(u16::to_le_bytes));
                upper_hex(&Md4::digest(&wide))
            }
        };
        Self { hex }
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.hex[..Self::PREFIX]
    }

    /// How often the password was seen. Padding rows count 0; a body that is not rows is no zero.
    ///
    /// # Errors
    /// `invalid_response`, without the rows.
    pub(crate) fn count(&self, body: &[u8]) -> Result<u64> {
        let suffix = &self.hex[Self::PREFIX..];
        let text = std::str::from_utf8(body).map_err(|_| not_rows())?;
        let mut found = 0;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (row, count) = line.split_once(':').ok_or_else(not_rows)?;
            let is_suffix =
                row.len() == suffix.len() && row.bytes().all(|byte| byte.is_ascii_hexdigit());
            let count: u64 = count.trim().parse().map_err(|_| not_rows())?;
            if !is_suffix {
                return Err(not_rows());
            }
            if row.eq_ignore_ascii_case(suffix) {
                found = count;
            }
        }
        Ok(found)
    }
}

/// SHA-1 of an address as the range search wants it: trimmed, lower case, in upper-case digits.
/// Not anonymous by itself, so it is kept in memory only.
pub(crate) fn address_hash(address: &str) -> Zeroizing<String> {
    upper_hex(&Sha1::digest(address.trim().to_lowercase().as_bytes()))
}

fn upper_hex(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    for byte in bytes {
        for nibble in [byte >> 4, byte & 0x0f] {
            text.extend(char::from_digit(u32::from(nibble), 16).map(|c| c.to_ascii_uppercase()));
        }
    }
    text
}

fn not_rows() -> Error {
    Error::new(
        ErrorKind::InvalidResponse,
        "the answer is not the list of hash suffixes that the documentation promises",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hashes_agree_with_published_values() {
        let sha1 = SplitHash::of(&Password::from("password"), PasswordHash::Sha1);
        assert_eq!(
            sha1.hex.as_str(),
            "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8"
        );
        let ntlm = SplitHash::of(&Password::from("password"), PasswordHash::Ntlm);
        assert_eq!(ntlm.hex.as_str(), "8846F7EAEE8FB117AD06BDD830B7586C");
        assert_eq!(
            address_hash(" Test@Example.com ").as_str(),
            "567159D622FFBB50B11B0EFD307BE358624A26EE"
        );
    }

    #[test]
    fn padding_rows_count_nothing_and_line_ends_may_be_crlf() {
        let hash = SplitHash::of(&Password::from("password"), PasswordHash::Sha1);
        let suffix = &hash.hex[5..];
        let other = "0".repeat(35);
        let rows = format!("{other}:0\r\n{suffix}:42\r\n");
        assert_eq!(hash.count(rows.as_bytes()).unwrap(), 42);
        let padding = format!("{suffix}:0\r\n{other}:7");
        assert_eq!(hash.count(padding.as_bytes()).unwrap(), 0);
        assert_eq!(hash.count(b"").unwrap(), 0);
    }

    #[test]
    fn a_page_of_html_is_not_a_password_nobody_has_seen() {
        let hash = SplitHash::of(&Password::from("x"), PasswordHash::Sha1);
        for body in ["<html>blocked</html>", "ABC:1", "no rows"] {
            let error = hash.count(body.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{body}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let password = Password::from("hunter2");
        assert_eq!(format!("{password:?}"), "Password(…)");
    }

    proptest! {
        #[test]
        fn no_body_makes_the_reader_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let hash = SplitHash::of(&Password::from("x"), PasswordHash::Ntlm);
            let _ = hash.count(&body);
        }
    }
}
