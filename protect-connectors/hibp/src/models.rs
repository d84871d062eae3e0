//! What Have I Been Pwned answers, as types: read leniently, written in snake case.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire;

/// The stable name of a breach (`Adobe`); its title may change, this does not.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct BreachName(pub String);

impl BreachName {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BreachName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for BreachName {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

/// One breach of the catalogue. Missing flags are false, missing texts empty: the API adds fields
/// without notice, and older captures lack the newer ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Breach {
    /// The stable name.
    #[serde(alias = "Name")]
    pub name: BreachName,
    /// What people call it; may change.
    #[serde(alias = "Title", deserialize_with = "wire::text")]
    pub title: String,
    /// The site's domain; may be empty.
    #[serde(alias = "Domain", deserialize_with = "wire::text")]
    pub domain: String,
    /// About when it happened.
    #[serde(alias = "BreachDate", deserialize_with = "wire::date")]
    pub breach_date: Option<Date>,
    /// When it was loaded.
    #[serde(alias = "AddedDate", deserialize_with = "wire::moment")]
    pub added_date: Option<Timestamp>,
    /// When its entry was last changed.
    #[serde(alias = "ModifiedDate", deserialize_with = "wire::moment")]
    pub modified_date: Option<Timestamp>,
    /// How many accounts it holds.
    #[serde(alias = "PwnCount", deserialize_with = "wire::count")]
    pub pwn_count: u64,
    /// What happened, in HTML: to be cleaned before it is shown.
    #[serde(alias = "Description", deserialize_with = "wire::text")]
    pub description: String,
    /// What was exposed (`Passwords`).
    #[serde(alias = "DataClasses", deserialize_with = "wire::texts")]
    pub data_classes: Vec<String>,
    /// Whether its legitimacy is beyond reasonable doubt.
    #[serde(alias = "IsVerified", deserialize_with = "wire::flag")]
    pub is_verified: bool,
    /// Whether it is unlikely to come from the site it names; the addresses are real.
    #[serde(alias = "IsFabricated", deserialize_with = "wire::flag")]
    pub is_fabricated: bool,
    /// Whether being in it is nobody else's business: shown to the security role only.
    #[serde(alias = "IsSensitive", deserialize_with = "wire::flag")]
    pub is_sensitive: bool,
    /// Whether it was withdrawn.
    #[serde(alias = "IsRetired", deserialize_with = "wire::flag")]
    pub is_retired: bool,
    /// Whether it is a list for sending spam.
    #[serde(alias = "IsSpamList", deserialize_with = "wire::flag")]
    pub is_spam_list: bool,
    /// Whether malware collected it.
    #[serde(alias = "IsMalware", deserialize_with = "wire::flag")]
    pub is_malware: bool,
    /// Whether it consists of information stealers' logs.
    #[serde(alias = "IsStealerLog", deserialize_with = "wire::flag")]
    pub is_stealer_log: bool,
    /// Whether domain searches show it whatever the plan.
    #[serde(alias = "IsSubscriptionFree", deserialize_with = "wire::flag")]
    pub is_subscription_free: bool,
    /// A picture's URL.
    #[serde(alias = "LogoPath", deserialize_with = "wire::text")]
    pub logo_path: String,
    /// Whom the provider of the data wants credited; to be shown with the breach where present.
    #[serde(alias = "Attribution")]
    pub attribution: Option<String>,
}

impl Breach {
    /// Whether it exposed a data class, whatever the case of its name.
    pub fn exposes(&self, class: &str) -> bool {
        self.data_classes
            .iter()
            .any(|exposed| exposed.eq_ignore_ascii_case(class))
    }
}

/// A breach by its name alone: join it with the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BreachRef {
    /// The stable name.
    #[serde(alias = "Name")]
    pub name: BreachName,
}

/// Every data class there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DataClasses {
    /// Their names, sorted.
    pub names: Vec<String>,
}

/// Websites at which information stealers saw an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Websites {
    /// Their domains.
    pub websites: Vec<String>,
}

/// Addresses that information stealers saw at a website: other people's, and to be kept so.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Addresses {
    /// The addresses.
    pub addresses: Vec<String>,
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Addresses({} of them)", self.addresses.len())
    }
}

/// One paste that holds an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Paste {
    /// Where it was pasted (`Pastebin`, `AdHocUrl`).
    #[serde(alias = "Source")]
    pub source: String,
    /// Its id there; a whole URL for some sources.
    #[serde(alias = "Id", deserialize_with = "wire::text")]
    pub id: String,
    /// Its title.
    #[serde(default, alias = "Title")]
    pub title: Option<String>,
    /// When it was pasted.
    #[serde(default, alias = "Date", deserialize_with = "wire::moment")]
    pub date: Option<Timestamp>,
    /// How many addresses it holds.
    #[serde(default, alias = "EmailCount", deserialize_with = "wire::count")]
    pub email_count: u64,
}

/// A domain that was verified for the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubscribedDomain {
    /// The domain.
    #[serde(alias = "DomainName")]
    pub domain_name: String,
    /// How many breached addresses it has; absent before the first search.
    #[serde(default, alias = "PwnCount")]
    pub pwn_count: Option<u64>,
    /// The same without those that are on spam lists only.
    #[serde(default, alias = "PwnCountExcludingSpamLists")]
    pub pwn_count_excluding_spam_lists: Option<u64>,
    /// The same at the last renewal, by which the plan is chosen.
    #[serde(default, alias = "PwnCountExcludingSpamListsAtLastSubscriptionRenewal")]
    pub pwn_count_excluding_spam_lists_at_last_subscription_renewal: Option<u64>,
    /// When the subscription renews.
    #[serde(
        default,
        alias = "NextSubscriptionRenewal",
        deserialize_with = "wire::moment"
    )]
    pub next_subscription_renewal: Option<Timestamp>,
}

/// What the key's plan gives. Older keys lack the newer fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SubscriptionStatus {
    /// The plan's name (`Pro 2`).
    #[serde(alias = "SubscriptionName", deserialize_with = "wire::text")]
    pub subscription_name: String,
    /// The plan in words.
    #[serde(alias = "Description", deserialize_with = "wire::text")]
    pub description: String,
    /// Until when it is paid.
    #[serde(alias = "SubscribedUntil", deserialize_with = "wire::moment")]
    pub subscribed_until: Option<Timestamp>,
    /// Searches a minute.
    #[serde(alias = "Rpm", deserialize_with = "wire::small_count")]
    pub rpm: u32,
    /// How many breached addresses a domain may have to be searched; absent means any number.
    #[serde(alias = "DomainSearchMaxBreachedAccounts")]
    pub domain_search_max_breached_accounts: Option<u64>,
    /// How many domains of more than ten breached addresses; absent means any number.
    #[serde(alias = "MaxBreachedDomains")]
    pub max_breached_domains: Option<u64>,
    /// Whether stealer logs may be searched.
    #[serde(alias = "IncludesStealerLogs", deserialize_with = "wire::flag")]
    pub includes_stealer_logs: bool,
    /// Whether domains may be added through the API.
    #[serde(alias = "IncludesBulkDomainAdd", deserialize_with = "wire::flag")]
    pub includes_bulk_domain_add: bool,
    /// Whether subdomains of a verified domain need no proof of their own.
    #[serde(
        alias = "IncludesAutoSubdomainVerification",
        deserialize_with = "wire::flag"
    )]
    pub includes_auto_subdomain_verification: bool,
    /// Whether the plan may serve other organisations, as a provider does.
    #[serde(alias = "IncludesCustomerDomains", deserialize_with = "wire::flag")]
    pub includes_customer_domains: bool,
    /// Whether addresses may be searched by the first digits of their hash.
    #[serde(alias = "IncludesKAnon", deserialize_with = "wire::flag")]
    pub includes_k_anon: bool,
}

/// Names by local part: what a search over a whole domain answers.
#[derive(Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DomainExposure {
    /// For each local part, the breaches or websites it was found in.
    pub aliases: BTreeMap<String, Vec<String>>,
}

impl fmt::Debug for DomainExposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DomainExposure({} aliases)", self.aliases.len())
    }
}

/// The record to be put into DNS to prove that a domain is one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DnsToken {
    /// The value of the TXT record.
    #[serde(alias = "txtRecordValue", alias = "TxtRecordValue")]
    pub txt_record_value: String,
}
