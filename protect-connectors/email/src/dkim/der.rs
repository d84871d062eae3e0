//! The little DER that tells the size of an RSA key: no cryptography, so no library for it.

/// Tags of X.690 section 8.
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// `rsaEncryption`, 1.2.840.113549.1.1.1 (RFC 8017 appendix C).
const RSA_ENCRYPTION: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// The bits of the modulus of an RSA public key: a `SubjectPublicKeyInfo` (RFC 5280 section 4.1), as
/// RFC 6376 means, or the bare `RSAPublicKey` (RFC 8017 appendix A.1.1), as its text can be read.
/// `None` for anything else.
pub(super) fn rsa_modulus_bits(bytes: &[u8]) -> Option<u32> {
    let (content, rest) = element(bytes, SEQUENCE)?;
    if !rest.is_empty() {
        return None;
    }
    bare(content).or_else(|| {
        let (algorithm, after) = element(content, SEQUENCE)?;
        let (identifier, _) = element(algorithm, OBJECT_IDENTIFIER)?;
        let (key, _) = element(after, BIT_STRING)?;
        // The first byte of a bit string counts the bits that its last byte does not use.
        let key = key.strip_prefix(&[0])?;
        let (content, _) = element(key, SEQUENCE)?;
        (identifier == RSA_ENCRYPTION).then(|| bare(content))?
    })
}

/// Modulus and exponent.
fn bare(content: &[u8]) -> Option<u32> {
    let (modulus, rest) = element(content, INTEGER)?;
    let (_exponent, _) = element(rest, INTEGER)?;
    let first = modulus.iter().position(|byte| *byte != 0)?;
    let significant = modulus.get(first..)?;
    let unused = significant.first()?.leading_zeros();
    let bits = u32::try_from(significant.len()).ok()?.checked_mul(8)?;
    Some(bits - unused)
}

/// The content of the element that the bytes begin with, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    if *found != tag {
        return None;
    }
    let (length, rest) = length(rest)?;
    rest.split_at_checked(length)
}

/// A length, and what follows it (X.690 section 8.1.3).
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if *first < 0x80 {
        return Some((usize::from(*first), rest));
    }
    let count = usize::from(first & 0x7f);
    // Nothing in DNS is longer than two bytes can count.
    if !(1..=2).contains(&count) {
        return None;
    }
    let (digits, rest) = rest.split_at_checked(count)?;
    let length = digits
        .iter()
        .fold(0, |length, digit| length << 8 | usize::from(*digit));
    Some((length, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_cut_off_or_goes_on_is_no_key() {
        let key = crate::dkim::testing::rsa_der(1024, false);
        assert_eq!(rsa_modulus_bits(&key), Some(1024));
        for end in 0..key.len() {
            assert_eq!(rsa_modulus_bits(&key[..end]), None, "{end}");
        }
        assert_eq!(rsa_modulus_bits(&[&key[..], &[0]].concat()), None);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd_to_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = rsa_modulus_bits(&bytes);
        }

        #[test]
        fn a_key_with_one_byte_changed_is_read_or_refused(at in 0_usize..160, to in any::<u8>()) {
            let mut key = crate::dkim::testing::rsa_der(1024, false);
            key[at] = to;
            let _ = rsa_modulus_bits(&key);
        }
    }
}
