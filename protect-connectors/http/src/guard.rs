//! Keeps addresses that came from users out of our own network.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use protect_core::http::{UrlPolicy, is_loopback};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Why a URL from a user may not be called, before anything is resolved.
///
/// # Errors
/// The reason, without the URL.
pub fn check_url(url: &Url, policy: &UrlPolicy) -> Result<Destination, &'static str> {
    let Some(host) = url.host() else {
        return Err("the address has no host");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the address holds user information");
    }
    if is_loopback(url) {
        return match (policy.allow_loopback, url.scheme()) {
            (true, "http" | "https") => Ok(Destination::Trusted),
            _ => Err("the address is this machine"),
        };
    }
    if url.scheme() != "https" {
        return Err("the scheme must be `https`");
    }
    let name = host.to_string();
    let name = name.trim_end_matches('.');
    if policy.allowed_hosts.contains(name) {
        return Ok(Destination::Trusted);
    }
    match host {
        Host::Domain(_) => Ok(Destination::Guarded),
        Host::Ipv4(address) => literal(IpAddr::V4(address)),
        Host::Ipv6(address) => literal(IpAddr::V6(address)),
    }
}

/// How a URL from a user may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// As any other: the policy names it.
    Trusted,
    /// With every resolved address checked.
    Guarded,
}

fn literal(address: IpAddr) -> Result<Destination, &'static str> {
    match forbidden(address) {
        Some(reason) => Err(reason),
        None => Ok(Destination::Guarded),
    }
}

/// Why an address is not one of the public internet (IANA special-purpose registries; the metadata
/// services of the clouds).
pub fn forbidden(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => forbidden_v4(address),
        IpAddr::V6(address) => forbidden_v6(address),
    }
}

fn forbidden_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (127, ..) => Some("a loopback address"),
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => Some("a private address"),
        (100, 64..=127, _) => Some("a carrier's shared address"),
        (169, 254, _) => Some("a link-local or metadata address"),
        // Azure's platform service, reachable from inside every virtual machine.
        (168, 63, 129) if address == Ipv4Addr::new(168, 63, 129, 16) => Some("a metadata address"),
        (0 | 224.., ..)
        | (192, 0, 0 | 2)
        | (192, 88, 99)
        | (198, 18 | 19, _)
        | (198, 51, 100)
        | (203, 0, 113) => Some("a reserved address"),
        _ => None,
    }
}

fn forbidden_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_loopback() {
        return Some("a loopback address");
    }
    let segments = address.segments();
    match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            forbidden_v4(Ipv4Addr::new(a, b, c, d))
        }
        [0xfc00..=0xfdff, ..] => Some("a private address"),
        [0xfe80..=0xfebf, ..] => Some("a link-local address"),
        [0, 0, 0, 0, 0, 0xffff, ..] => Some("an IPv4 address in disguise"),
        [0x2002, ..] | [0x2001, 0, ..] => Some("a tunnel's address"),
        [0x2001, 0xdb8 | 0x0001..=0x01ff, ..] => Some("a reserved address"),
        [0x2000..=0x3fff, ..] => None,
        _ => Some("a reserved address"),
    }
}

/// Resolves for the guarded client: what passes is what is connected to, so a name that answers
/// differently the second time gains nothing.
#[derive(Debug)]
pub(crate) struct GuardedResolver;

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Vec<SocketAddr> = found.collect();
            // One inside address spoils the name: whoever mixes them in is probing.
            if let Some(reason) = addresses.iter().find_map(|address| forbidden(address.ip())) {
                return Err(Forbidden(reason).into());
            }
            if addresses.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The name resolves to an address that is not allowed.
#[derive(Debug)]
pub(crate) struct Forbidden(&'static str);

impl std::fmt::Display for Forbidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the host resolves to {}", self.0)
    }
}

impl std::error::Error for Forbidden {}

#[cfg(test)]
mod tests;
