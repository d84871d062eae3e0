//! DNS, injected. "There is no such record" and "could not ask" are different answers.

use std::fmt::Debug;

use async_trait::async_trait;

/// What a lookup of TXT records gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TxtAnswer {
    /// The records, each with its strings joined (RFC 7208 section 3.3), in the order received.
    Records(Vec<String>),
    /// The name exists and has no TXT record.
    NoData,
    /// The name does not exist (NXDOMAIN).
    NoName,
    /// Nobody could say: SERVFAIL, a refusal or a time-out, with a word for it.
    Failed(String),
}

/// Where DNS answers come from.
#[async_trait]
pub trait DnsLookup: Debug + Send + Sync + 'static {
    /// The TXT records of a name.
    async fn txt(&self, name: &str) -> TxtAnswer;
}
