use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::{Address, PersonId};

/// Who is watched in a tenant: domains as a whole, and single addresses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WatchList {
    /// Domains of the tenant, in lower case.
    pub domains: Vec<String>,
    /// Addresses, each once, in order.
    pub addresses: Vec<WatchedAddress>,
}

/// One watched address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WatchedAddress {
    /// The address.
    pub address: Address,
    /// Whose it is, where known.
    pub person: Option<PersonId>,
    /// Whether an account behind it is known to be privileged: asked first.
    pub privileged: bool,
    /// How it came onto the list: `configuration`, `csv`, `directory:<connector>`, `added`.
    pub source: String,
}

/// How many addresses a tenant watches, by domain: all that a tenant's run learns of the others
/// that share its connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchCensus {
    /// Watched addresses by domain, in lower case.
    pub by_domain: BTreeMap<String, u64>,
}

impl WatchList {
    /// How many addresses it has, by domain.
    pub fn census(&self) -> WatchCensus {
        let mut census = WatchCensus::default();
        for watched in &self.addresses {
            let domain = watched.address.domain().to_owned();
            *census.by_domain.entry(domain).or_default() += 1;
        }
        census
    }
}
