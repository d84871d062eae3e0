//! Whether a domain takes mail, and where (RFC 5321 section 5.1, RFC 7505).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::DomainName;
use crate::resolve::{Family, Lookup, LookupFailure, Resolver};

/// Whether a domain takes mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "takes_mail", rename_all = "snake_case")]
pub enum MailHosts {
    /// At these hosts.
    Mx {
        /// The hosts, the most preferred first.
        hosts: Vec<String>,
        /// A null MX stands beside them, which contradicts them.
        null_beside: bool,
    },
    /// It says that it takes none (a null MX).
    Null,
    /// It has no MX but an address, where senders try.
    AddressOnly,
    /// It has neither.
    Nowhere,
    /// There is no such domain.
    NoSuchDomain,
    /// Nobody could say.
    Unknown {
        /// Why.
        failure: LookupFailure,
    },
}

impl MailHosts {
    /// Asks.
    pub(crate) async fn of(resolver: &Resolver, domain: &DomainName) -> Self {
        match resolver.mx(domain).await {
            Lookup::Found(found) => {
                let hosts = found.iter().filter(|mx| !mx.is_null());
                let hosts: Vec<_> = hosts.map(|mx| mx.exchange.clone()).collect();
                if hosts.is_empty() {
                    return Self::Null;
                }
                let null_beside = hosts.len() < found.len();
                Self::Mx { hosts, null_beside }
            }
            Lookup::NoName => Self::NoSuchDomain,
            Lookup::Failed(failure) => Self::Unknown { failure },
            Lookup::NoData => Self::by_address(resolver, domain).await,
        }
    }

    async fn by_address(resolver: &Resolver, domain: &DomainName) -> Self {
        for family in [Family::V4, Family::V6] {
            match resolver.addresses(domain, family).await {
                Lookup::Found(_) => return Self::AddressOnly,
                Lookup::Failed(failure) => return Self::Unknown { failure },
                Lookup::NoData | Lookup::NoName => {}
            }
        }
        Self::Nowhere
    }

    /// The hosts.
    pub fn hosts(&self) -> &[String] {
        match self {
            Self::Mx { hosts, .. } => hosts,
            _ => &[],
        }
    }

    /// Whether it is there to take mail; `None` where nobody could say.
    pub const fn takes_mail(&self) -> Option<bool> {
        match self {
            Self::Mx { .. } | Self::AddressOnly => Some(true),
            Self::Null | Self::Nowhere | Self::NoSuchDomain => Some(false),
            Self::Unknown { .. } => None,
        }
    }

    /// Whether the domain has no use for mail by its own word: a null MX, or no MX at all (spec: a
    /// parked domain). `None` where nobody could say.
    pub const fn is_parked(&self) -> Option<bool> {
        match self {
            Self::Mx { .. } => Some(false),
            Self::AddressOnly | Self::Null | Self::Nowhere | Self::NoSuchDomain => Some(true),
            Self::Unknown { .. } => None,
        }
    }
}
