//! Addresses by network.

use std::net::IpAddr;
use std::str::FromStr;

use protect_core::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An address, or all that begin with the same bits (`192.0.2.0/24`, `2001:db8::/32`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    #[schemars(with = "String")]
    base: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether the text is an address of it. An IPv4 address in IPv6 clothes counts as itself.
    pub fn contains(&self, address: &str) -> bool {
        let Ok(address) = address.trim().parse::<IpAddr>() else {
            return false;
        };
        prefix(address, self.bits)
            .is_some_and(|theirs| Some(theirs) == prefix(self.base, self.bits))
    }
}

/// The family and the leading bits.
fn prefix(address: IpAddr, bits: u8) -> Option<(bool, u128)> {
    let bits = u32::from(bits);
    match address.to_canonical() {
        IpAddr::V4(four) => {
            let shift = 32_u32.checked_sub(bits)?;
            let all = u128::from(u32::from(four));
            Some((true, all >> shift))
        }
        IpAddr::V6(six) => {
            let shift = 128_u32.checked_sub(bits)?;
            Some((false, u128::from(six).checked_shr(shift).unwrap_or(0)))
        }
    }
}

impl FromStr for Network {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::invalid_input(
                "write an address or a network: 192.0.2.7, 192.0.2.0/24, 2001:db8::/32",
            )
        };
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let base: IpAddr = address.trim().parse().map_err(|_| wrong())?;
        let base = base.to_canonical();
        let longest = if base.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => longest,
            Some(bits) => bits.trim().parse().map_err(|_| wrong())?,
        };
        if bits > longest {
            return Err(wrong());
        }
        Ok(Self { base, bits })
    }
}

impl TryFrom<String> for Network {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        format!("{}/{}", network.base, network.bits)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_in_its_networks_and_in_no_other() {
        for (network, inside, outside) in [
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.99/24", "192.0.2.1", "198.51.100.1"),
            ("0.0.0.0/0", "203.0.113.1", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("::/0", "2001:db8::1", "192.0.2.1"),
            ("192.0.2.0/24", "::ffff:192.0.2.1", "no address"),
        ] {
            let parsed: Network = network.parse().unwrap();
            assert!(parsed.contains(inside), "{inside} in {network}");
            assert!(!parsed.contains(outside), "{outside} in {network}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "office",
            "192.0.2.0/33",
            "2001:db8::/129",
            "192.0.2.0/",
            "1.2.3",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}", address in ".{0,40}") {
            if let Ok(network) = text.parse::<Network>() {
                network.contains(&address);
                let again: Network = String::from(network.clone()).parse().unwrap();
                prop_assert_eq!(again, network);
            }
        }
    }
}
