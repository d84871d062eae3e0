//! What is remembered of earlier runs, by the scanner's own keys.

use protect_core::model::{Address, TenantId, hash_fields};
use serde::{Deserialize, Serialize};

/// The answer to the last question about one address. The key is a hash: whoever reads the state
/// alone learns no address from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AddressMemory {
    /// The fingerprint of the catalogue's answers at the last 200 or 404.
    #[serde(rename = "s", default)]
    pub(crate) answers: String,
    /// The fingerprint of the wording by which it was judged.
    #[serde(rename = "x", default)]
    pub(crate) wording: String,
    /// When the last 200 or 404 came, in seconds since 1970.
    #[serde(rename = "t", default)]
    pub(crate) at: i64,
    /// Names of the breaches.
    #[serde(rename = "n", default)]
    pub(crate) names: Vec<String>,
    /// When pastes were last looked for.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(crate) pastes_at: Option<i64>,
}

/// The answer to the last search over one domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DomainMemory {
    /// As [`AddressMemory::answers`].
    #[serde(rename = "s", default)]
    pub(crate) answers: String,
    /// As [`AddressMemory::wording`].
    #[serde(rename = "x", default)]
    pub(crate) wording: String,
    /// The fingerprint of the stealer breaches when stealer logs were last asked for.
    #[serde(rename = "l", default)]
    pub(crate) stealers: String,
    /// As [`AddressMemory::at`].
    #[serde(rename = "t", default)]
    pub(crate) at: i64,
    /// When the vendor refused the domain; its addresses are then asked about one by one.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub(crate) refused_at: Option<i64>,
    /// Which lists of exposed aliases count.
    #[serde(rename = "g", default)]
    pub(crate) generation: u32,
    /// How many lists there are.
    #[serde(rename = "c", default)]
    pub(crate) lists: u32,
}

/// Where an address's memory lies.
pub(crate) fn address_key(tenant: &TenantId, address: &Address) -> String {
    let hash = hash_fields("hibp.address", &[tenant.as_str(), address.as_str()]);
    format!("a/{hash}")
}

/// Where a domain's memory lies.
pub(crate) fn domain_key(domain: &str) -> String {
    format!("d/{domain}")
}

/// Where a list of exposed aliases lies that nobody watches one by one: without it, nobody could
/// tell later that one of them is gone.
pub(crate) fn aliases_key(domain: &str, generation: u32, list: u32) -> String {
    format!("k/{domain}/{generation}/{list}")
}
