use std::collections::BTreeSet;

/// A request extension: the address came from a user (a webhook, a SCIM base), so the transport
/// must not let it reach the inside of our own network.
///
/// With it, a transport that reaches the network takes `https` only, resolves the name once,
/// connects to what it resolved, and refuses private, loopback, link-local and metadata addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UrlPolicy {
    /// Hosts (lower case, without port) that may be inside all the same.
    pub allowed_hosts: BTreeSet<String>,
    /// Whether a loopback address may be named, also over plain `http`: for sandboxes and tests.
    pub allow_loopback: bool,
}
