//! Keys for tests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A 1024-bit key that OpenSSL made.
pub(crate) const RSA_1024: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDKS4EVy8Ayv15aEA0edp+eLpejncLdm2csnkLHyXWDHsq7ZdF7xLLjJeW+VxVWPfbwtNyRNTtJIo269pSs5g4XIbqCCrjaEzt5mwusmpPKACyFkOZiPAyvUjog8x3LwNuiUvFtC0qL4CFL3MBOlKbno6IsyTgjK55tYaK7O0cArQIDAQAB";

/// A 2048-bit key that OpenSSL made.
pub(crate) const RSA_2048: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxoFvjfm8KdHliQ+XLP5fx74snVSjOyFFHm5D/z7PQmyEWYBXvsjaDxzRkrlhD58rDUZPW71QuCQ+EEynV6svPRTBdg+6Rwyt3cbSLXT1luDCSmAmJHW3veL9jr9cH9pfdTuZetbToyyWvwqZGeN/xfK3F9+5Yy7k36Tkiu7gIJEmjMNW1C9kHl9NrXfzHH9wZhQA/gd6Xsdd2yAyJ3FHoeFMk8AOFs6JVk+0aKVSZi34wuD+etIhwVoUvVPAhEU+FfgoXo1B5fQ23mkvkoYhKIz0+jQHCTsr5jPyh5Ga2kvn/XjkGacrH4A72gGGoWfBho65aWCdOIhkTqdHhCSV5wIDAQAB";

/// The base64 of an Ed25519 key (RFC 8463 appendix A.2).
pub(crate) fn ed25519() -> String {
    "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".to_owned()
}

/// The base64 of something with the shape of an RSA key of so many bits.
pub(crate) fn rsa(bits: u32, bare: bool) -> String {
    STANDARD.encode(rsa_der(bits, bare))
}

/// The same as DER.
pub(crate) fn rsa_der(bits: u32, bare: bool) -> Vec<u8> {
    let bytes = bits.div_ceil(8);
    let mut modulus = vec![0xa5; bytes as usize];
    let unused = bytes * 8 - bits;
    modulus[0] = 0xff >> unused;
    if unused == 0 {
        // A number whose first bit is set is written with a zero before it.
        modulus.insert(0, 0);
    }
    let key = element(
        0x30,
        &[element(0x02, &modulus), element(0x02, &[1, 0, 1])].concat(),
    );
    if bare {
        return key;
    }
    let algorithm = [
        0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 0x05, 0,
    ];
    let bits = [&[0], &key[..]].concat();
    element(
        0x30,
        &[element(0x30, &algorithm), element(0x03, &bits)].concat(),
    )
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let length = match content.len() {
        0..=0x7f => vec![length[1]],
        0x80..=0xff => vec![0x81, length[1]],
        _ => vec![0x82, length[0], length[1]],
    };
    [&[tag], &length[..], content].concat()
}
