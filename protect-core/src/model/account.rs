use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Attributes;
use super::id::{Address, ConnectorName, PersonId};

/// One login at one vendor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// Where it is and its vendor-stable id.
    #[serde(flatten)]
    pub reference: AccountRef,
    /// The kind of the connector (`onepassword`).
    pub provider: String,
    /// Its address, where the vendor gave a readable one.
    pub address: Option<Address>,
    /// What people call it.
    pub display_name: String,
    /// Whether it can be used.
    pub state: AccountState,
    /// Whether it can change other accounts or settings; `None` where the vendor does not say.
    pub privileged: Option<bool>,
    /// Why nothing may change it, where the vendor says so.
    pub protection: Option<Protection>,
    /// When it was made, where known.
    pub created_at: Option<Timestamp>,
    /// What else the vendor said.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// Where an account is: the tenant's connector and the vendor's id.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct AccountRef {
    /// The tenant's connector.
    pub connector: ConnectorName,
    /// The vendor's id of the account.
    pub id: String,
}

/// Whether an account can be used. A value the vendor invented later is kept as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// Can sign in.
    Active,
    /// Cannot sign in until reactivated.
    Suspended,
    /// Is gone.
    Deleted,
    /// The vendor's own word, unknown to this version.
    #[serde(untagged)]
    Other(String),
}

impl AccountState {
    /// The stable name, or the vendor's own word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
            Self::Other(word) => word,
        }
    }
}

/// Why an account must not be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Protection {
    /// Named in the tenant's `protected` list.
    BreakGlass,
    /// The identity this library itself acts as.
    OwnPrincipal,
    /// The last administrator or owner.
    LastOwner,
    /// Holds the highest role, and the connector was not told to act on such accounts.
    Administrator,
    /// Managed outside this vendor, who refuses to change it.
    ExternallyManaged,
    /// A service account.
    ServiceAccount,
}

/// The human behind several accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    /// The id within the tenant.
    pub id: PersonId,
    /// What people call them.
    pub display_name: String,
    /// Every address known to be theirs.
    pub addresses: Vec<Address>,
    /// Every account known to be theirs.
    pub accounts: Vec<AccountRef>,
}
