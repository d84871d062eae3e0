//! The one recipe behind every stable id.

use sha2::{Digest, Sha256};

/// The first 128 bits of SHA-256 over `domain` and `fields`, in lower-case hexadecimal.
///
/// Each part is preceded by its length in bytes (64 bits, big-endian), so that no two different
/// lists of parts give the same input. Frozen: stored ids depend on it.
pub fn hash_fields(domain: &str, fields: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in std::iter::once(&domain).chain(fields) {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hex(&hasher.finalize()[..16])
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0x0f])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::hash_fields;

    #[test]
    fn moving_a_letter_between_fields_gives_another_hash() {
        assert_ne!(
            hash_fields("t", &["ab", "c"]),
            hash_fields("t", &["a", "bc"])
        );
    }

    #[test]
    fn the_recipe_does_not_move() {
        assert_eq!(
            hash_fields("finding", &["acme", "hibp.exposure.breach"]),
            "95039889a813b6c474dd425fca7ba1d9"
        );
    }
}
