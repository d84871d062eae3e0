//! Which report it is, so that nothing is counted twice.

use std::collections::HashMap;
use std::hash::Hasher as _;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use siphasher::sip::SipHasher13;

use super::aggregate::{Head, Record};
use super::tls::TlsReport;

/// What makes a report this one: reporter, the reporter's id, domain, begin and end. A short hash, so
/// that very many can be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity([u8; 16]);

impl Identity {
    /// Of an aggregate report.
    pub fn of(head: &Head) -> Self {
        let metadata = &head.metadata;
        let moment = |moment: Option<jiff::Timestamp>| {
            moment.map_or_else(String::new, |moment| moment.as_second().to_string())
        };
        Self::over(&[
            "dmarc",
            &metadata.org_name.to_lowercase(),
            &metadata.report_id,
            &head.policy.domain,
            &moment(metadata.begin),
            &moment(metadata.end),
        ])
    }

    /// Of a TLS report.
    pub fn of_tls(report: &TlsReport) -> Self {
        let moment = |moment: Option<jiff::Timestamp>| {
            moment.map_or_else(String::new, |moment| moment.as_second().to_string())
        };
        Self::over(&[
            "tls",
            &report.organization_name.to_lowercase(),
            &report.report_id,
            &moment(report.date_range.start_datetime),
            &moment(report.date_range.end_datetime),
        ])
    }

    /// Every part is preceded by its length, so that no letter moves from one to the next.
    fn over(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut short = [0; 16];
        for (to, from) in short.iter_mut().zip(hash.finalize()) {
            *to = from;
        }
        Self(short)
    }
}

/// What a report's records say together, in whatever order they come. Stored, so the recipe is frozen:
/// the sum of `SipHash-1-3`, with a key of zeros, over source, count, outcome and author of each record.
///
/// It tells a report that was sent again from one that says something else. Whoever can make two reports
/// alike on purpose can as well send only one, so a cryptographic digest would only cost time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Adds a record.
    pub fn add(&mut self, record: &Record) {
        let source = match record.source_ip {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        let mut hash = SipHasher13::new();
        hash.write(&source.octets());
        hash.write(&record.count.to_be_bytes());
        hash.write(&[u8::from(record.passes())]);
        hash.write(record.header_from.as_bytes());
        self.0 = self.0.wrapping_add(hash.finish());
    }
}

/// Whether a report is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Novelty {
    /// Nothing like it was seen.
    New,
    /// The same was seen before.
    Repeated,
    /// The same reporter, id, domain and time were seen with other records: the first one holds.
    Contradicts,
}

/// The reports that were seen. Stored as a list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(
    from = "Vec<(Identity, Fingerprint)>",
    into = "Vec<(Identity, Fingerprint)>"
)]
pub struct Seen {
    reports: HashMap<Identity, Fingerprint>,
}

impl From<Vec<(Identity, Fingerprint)>> for Seen {
    fn from(reports: Vec<(Identity, Fingerprint)>) -> Self {
        Self {
            reports: reports.into_iter().collect(),
        }
    }
}

impl From<Seen> for Vec<(Identity, Fingerprint)> {
    fn from(seen: Seen) -> Self {
        let mut reports: Self = seen.reports.into_iter().collect();
        reports.sort_unstable_by_key(|(identity, _)| *identity);
        reports
    }
}

impl Seen {
    /// Whether a report with this identity was seen.
    pub fn contains(&self, identity: Identity) -> bool {
        self.reports.contains_key(&identity)
    }

    /// Remembers a report and says whether it is new.
    pub fn add(&mut self, identity: Identity, fingerprint: Fingerprint) -> Novelty {
        match self.reports.get(&identity) {
            None => {
                self.reports.insert(identity, fingerprint);
                Novelty::New
            }
            Some(first) if *first == fingerprint => Novelty::Repeated,
            Some(_) => Novelty::Contradicts,
        }
    }
}
