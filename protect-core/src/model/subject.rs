use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::Address;

/// What a finding is about, by its vendor-stable name.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Subject {
    /// Which sort of thing it is.
    pub kind: SubjectKind,
    /// The kind of connector whose names these are (`onepassword`); empty for addresses and domains,
    /// which mean the same everywhere.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub provider: String,
    /// The name that the vendor does not change: a user id, an address, a domain, a setting's path.
    pub id: String,
}

impl Subject {
    /// A login at one vendor.
    pub fn account(provider: impl Into<String>, id: impl Into<String>) -> Self {
        Self::new(SubjectKind::Account, provider, id)
    }

    /// An e-mail address.
    pub fn address(address: &Address) -> Self {
        Self::new(SubjectKind::Address, "", address.as_str())
    }

    /// A domain, in lower case without the trailing dot.
    pub fn domain(domain: &str) -> Self {
        Self::new(
            SubjectKind::Domain,
            "",
            domain.trim().trim_end_matches('.').to_lowercase(),
        )
    }

    /// A setting of a vendor's tenant.
    pub fn setting(provider: impl Into<String>, path: impl Into<String>) -> Self {
        Self::new(SubjectKind::Setting, provider, path)
    }

    fn new(kind: SubjectKind, provider: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            kind,
            provider: provider.into(),
            id: id.into(),
        }
    }
}

/// Which sort of thing a [`Subject`] is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// One login at one vendor.
    Account,
    /// An e-mail address.
    Address,
    /// A domain.
    Domain,
    /// A setting of a vendor's tenant, or of this installation.
    Setting,
}

impl SubjectKind {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Address => "address",
            Self::Domain => "domain",
            Self::Setting => "setting",
        }
    }
}
