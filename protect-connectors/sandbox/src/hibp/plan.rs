//! What a key may do (haveibeenpwned.com, pricing of March 2026).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A subscription of the simulated HIBP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// As `SubscriptionName` gives it, for example `Pro 2`.
    pub name: String,
    /// Requests in any one minute.
    pub rpm: u32,
    /// Largest domain that can be searched, in breached addresses; `None` means no limit.
    pub largest_domain: Option<u32>,
    /// Domains the key may have; `None` means no limit.
    pub domains: Option<u32>,
    /// Whether ranges by k-anonymity may be searched.
    pub k_anonymity: bool,
    /// Whether stealer logs may be searched.
    pub stealer_logs: bool,
    /// Whether domains may be verified by the API.
    pub bulk_domains: bool,
    /// Whether the key may serve its owner's customers.
    pub customer_domains: bool,
}

impl Default for Plan {
    /// `Pro 2`.
    fn default() -> Self {
        Self::of("Pro 2", 1000, None, Some(100))
    }
}

impl Plan {
    /// The plan with this name: `Core 1` to `Core 5`, `Pro 1` to `Pro 5`, `High RPM 4000`,
    /// `High RPM 8000`, `High RPM 12000`; `None` for another name.
    pub fn named(name: &str) -> Option<Self> {
        let (rpm, largest_domain, domains) = match name {
            "Core 1" => (10, Some(25), Some(1)),
            "Core 2" => (50, Some(100), Some(3)),
            "Core 3" => (100, Some(500), Some(5)),
            "Core 4" => (500, None, Some(10)),
            "Core 5" => (1000, None, Some(20)),
            "Pro 1" => (500, None, Some(50)),
            "Pro 2" => (1000, None, Some(100)),
            "Pro 3" => (2000, None, Some(200)),
            "Pro 4" => (4000, None, Some(400)),
            "Pro 5" => (8000, None, Some(800)),
            "High RPM 4000" => (4000, Some(0), Some(0)),
            "High RPM 8000" => (8000, Some(0), Some(0)),
            "High RPM 12000" => (12_000, Some(0), Some(0)),
            _ => return None,
        };
        Some(Self::of(name, rpm, largest_domain, domains))
    }

    fn of(name: &str, rpm: u32, largest_domain: Option<u32>, domains: Option<u32>) -> Self {
        let professional = name.starts_with("Pro");
        let above_core = !name.starts_with("Core");
        Self {
            name: name.to_owned(),
            rpm,
            largest_domain,
            domains,
            k_anonymity: above_core,
            stealer_logs: professional,
            bulk_domains: professional,
            customer_domains: above_core,
        }
    }

    pub(crate) fn status(&self, until: &str) -> Value {
        json!({
            "SubscriptionName": self.name,
            "Description": format!("{} requests per minute", self.rpm),
            "SubscribedUntil": until,
            "Rpm": self.rpm,
            "DomainSearchMaxBreachedAccounts": self.largest_domain,
            "MaxBreachedDomains": self.domains,
            "IncludesStealerLogs": self.stealer_logs,
            "IncludesBulkDomainAdd": self.bulk_domains,
            "IncludesAutoSubdomainVerification": self.bulk_domains,
            "IncludesCustomerDomains": self.customer_domains,
            "IncludesKAnon": self.k_anonymity,
        })
    }
}
