//! Networks of addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 addresses with the same first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ip4Network {
    address: Ipv4Addr,
    bits: u8,
}

/// IPv6 addresses with the same first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ip6Network {
    address: Ipv6Addr,
    bits: u8,
}

/// Addresses of either family with the same first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Network {
    /// IPv4.
    V4(Ip4Network),
    /// IPv6.
    V6(Ip6Network),
}

impl Ip4Network {
    /// The network that holds an address; bits beyond 32 count as 32, address bits beyond them go.
    pub fn new(address: Ipv4Addr, bits: u8) -> Self {
        let bits = bits.min(32);
        let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
        Self {
            address: Ipv4Addr::from(u32::from(address) & mask),
            bits,
        }
    }

    /// How many bits agree.
    pub const fn bits(self) -> u8 {
        self.bits
    }

    /// Its first and its last address.
    pub fn ends(self) -> (Ipv4Addr, Ipv4Addr) {
        let rest = u32::MAX.checked_shr(u32::from(self.bits)).unwrap_or(0);
        (self.address, Ipv4Addr::from(u32::from(self.address) | rest))
    }
}

impl Ip6Network {
    /// The network that holds an address; bits beyond 128 count as 128, address bits beyond them go.
    pub fn new(address: Ipv6Addr, bits: u8) -> Self {
        let bits = bits.min(128);
        let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
        Self {
            address: Ipv6Addr::from(u128::from(address) & mask),
            bits,
        }
    }

    /// How many bits agree.
    pub const fn bits(self) -> u8 {
        self.bits
    }

    /// Its first and its last address.
    pub fn ends(self) -> (Ipv6Addr, Ipv6Addr) {
        let rest = u128::MAX.checked_shr(u32::from(self.bits)).unwrap_or(0);
        (
            self.address,
            Ipv6Addr::from(u128::from(self.address) | rest),
        )
    }
}

impl Network {
    /// The network that holds an address, with so many bits of its family.
    pub fn around(address: IpAddr, v4: u8, v6: u8) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(Ip4Network::new(address, v4)),
            IpAddr::V6(address) => Self::V6(Ip6Network::new(address, v6)),
        }
    }

    /// Reads what [`Network`] prints.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then(|| Self::around(address, bits, bits))
    }

    /// How many IPv4 addresses it holds.
    pub fn ip4_size(self) -> u64 {
        match self {
            Self::V4(network) => 1 << (32 - u32::from(network.bits)),
            Self::V6(_) => 0,
        }
    }

    /// Whether an address lies in it. An IPv4 address written as IPv6 is another address.
    pub fn holds(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4(network), IpAddr::V4(address)) => {
                Ip4Network::new(address, network.bits) == network
            }
            (Self::V6(network), IpAddr::V6(address)) => {
                Ip6Network::new(address, network.bits) == network
            }
            _ => false,
        }
    }

    /// Whether all of another network lies in it.
    pub fn covers(self, other: Self) -> bool {
        match (self, other) {
            (Self::V4(wide), Self::V4(narrow)) => {
                wide.bits <= narrow.bits && self.holds(narrow.address.into())
            }
            (Self::V6(wide), Self::V6(narrow)) => {
                wide.bits <= narrow.bits && self.holds(narrow.address.into())
            }
            _ => false,
        }
    }

    /// The network of which this is one half, and the other half.
    fn halves(self) -> Option<(Self, Self)> {
        match self {
            Self::V4(Ip4Network { bits: 0, .. }) | Self::V6(Ip6Network { bits: 0, .. }) => None,
            Self::V4(Ip4Network { address, bits }) => {
                let other = u32::from(address) ^ (1 << (32 - u32::from(bits)));
                Some((
                    Self::V4(Ip4Network::new(address, bits - 1)),
                    Self::V4(Ip4Network::new(other.into(), bits)),
                ))
            }
            Self::V6(Ip6Network { address, bits }) => {
                let other = u128::from(address) ^ (1 << (128 - u32::from(bits)));
                Some((
                    Self::V6(Ip6Network::new(address, bits - 1)),
                    Self::V6(Ip6Network::new(other.into(), bits)),
                ))
            }
        }
    }
}

/// The same addresses in as few networks as possible, in order.
pub fn merged(networks: impl IntoIterator<Item = Network>) -> Vec<Network> {
    let mut sorted: Vec<Network> = networks.into_iter().collect();
    // Wider ones first where they begin at the same address, so that each comes before its parts.
    sorted.sort_unstable();
    let mut merged: Vec<Network> = Vec::new();
    for mut network in sorted {
        if merged.last().is_some_and(|last| last.covers(network)) {
            continue;
        }
        // The other half may complete a network, which may complete a wider one.
        while let Some((whole, other)) = network.halves()
            && merged.last() == Some(&other)
        {
            merged.pop();
            network = whole;
        }
        merged.push(network);
    }
    merged
}

impl fmt::Display for Ip4Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bits {
            32 => write!(f, "{}", self.address),
            bits => write!(f, "{}/{bits}", self.address),
        }
    }
}

impl fmt::Display for Ip6Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bits {
            128 => write!(f, "{}", self.address),
            bits => write!(f, "{}/{bits}", self.address),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(network) => write!(f, "{network}"),
            Self::V6(network) => write!(f, "{network}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn v4(text: &str) -> Network {
        let (address, bits) = text.split_once('/').unwrap();
        let address = address.parse().unwrap();
        Network::V4(Ip4Network::new(address, bits.parse().unwrap()))
    }

    #[test]
    fn what_overlaps_or_completes_another_becomes_one() {
        let networks = [
            "10.0.0.0/24",
            "10.0.1.0/24",
            "10.0.0.7/32",
            "10.0.2.0/23",
            "192.0.2.1/32",
        ];
        let merged = merged(networks.map(v4));
        assert_eq!(merged, [v4("10.0.0.0/22"), v4("192.0.2.1/32")]);
    }

    #[test]
    fn all_addresses_are_one_network_of_no_bits() {
        let halves = ["0.0.0.0/1", "128.0.0.0/1"].map(v4);
        assert_eq!(merged(halves), [v4("1.2.3.4/0")]);
        assert!(v4("0.0.0.0/0").holds("255.255.255.255".parse().unwrap()));
        assert!(!v4("0.0.0.0/0").holds("::ffff:1.2.3.4".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn merging_keeps_exactly_the_same_addresses(
            networks in prop::collection::vec((0u32..64, 26u8..=32), 0..20),
            address in 0u32..64,
        ) {
            let networks: Vec<_> = networks
                .into_iter()
                .map(|(address, bits)| Network::V4(Ip4Network::new(address.into(), bits)))
                .collect();
            let merged = merged(networks.iter().copied());
            let address = IpAddr::V4(address.into());
            let before = networks.iter().any(|network| network.holds(address));
            let after: Vec<_> = merged.iter().filter(|network| network.holds(address)).collect();
            prop_assert_eq!(after.len(), usize::from(before));
        }
    }
}
