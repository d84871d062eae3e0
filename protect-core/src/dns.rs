//! DNS, injected. "There is no such record" and "could not ask" are different answers.

use std::fmt::{self, Debug};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;

/// Where DNS answers come from.
#[async_trait]
pub trait DnsLookup: Debug + Send + Sync + 'static {
    /// What a name has of one type. `name` is in A-labels; the final dot may be left out, and no
    /// search domain is ever added. Aliases (CNAME) are followed, unless they are what is asked for.
    async fn query(&self, name: &str, kind: RecordType) -> DnsAnswer;

    /// The same by another name server; `None` where it has no choice of servers.
    fn by_server(&self, server: SocketAddr) -> Option<Arc<dyn DnsLookup>> {
        let _ = server;
        None
    }
}

/// A type of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordType {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// What the name is an alias of.
    Cname,
    /// Where its mail goes.
    Mx,
    /// Which name servers have it.
    Ns,
    /// The name of an address.
    Ptr,
    /// Text.
    Txt,
}

impl RecordType {
    /// Its name in a zone file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Ptr => "PTR",
            Self::Txt => "TXT",
        }
    }
}

/// What a question gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsAnswer {
    /// The records of the type asked for, in the order received; at least one.
    Records(Vec<DnsRecord>),
    /// The name exists and has no record of this type.
    NoData,
    /// The name does not exist (NXDOMAIN), or it is an alias of one that does not.
    NoName,
    /// Nobody could say.
    Failed(DnsFailure),
}

/// One record. Names are in A-labels, as received, without the final dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DnsRecord {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// What the name is an alias of.
    Cname(String),
    /// Where its mail goes; an empty exchange is a null MX (RFC 7505).
    Mx {
        /// The lower, the sooner.
        preference: u16,
        /// The host.
        exchange: String,
    },
    /// A name server.
    Ns(String),
    /// The name of an address.
    Ptr(String),
    /// Text.
    Txt(TxtRecord),
}

impl DnsRecord {
    /// Its type.
    pub const fn kind(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Aaaa(_) => RecordType::Aaaa,
            Self::Cname(_) => RecordType::Cname,
            Self::Mx { .. } => RecordType::Mx,
            Self::Ns(_) => RecordType::Ns,
            Self::Ptr(_) => RecordType::Ptr,
            Self::Txt(_) => RecordType::Txt,
        }
    }
}

/// A TXT record as it stands in the zone: strings of at most 255 bytes each (RFC 1035 section 3.3.14).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxtRecord(pub Vec<Vec<u8>>);

impl TxtRecord {
    /// The strings joined without anything between, as every record that we read wants it (RFC 7208
    /// section 3.3). Bytes that are not UTF-8 become replacement characters.
    pub fn joined(&self) -> String {
        String::from_utf8_lossy(&self.0.concat()).into_owned()
    }
}

impl From<&str> for TxtRecord {
    /// One string, cut where a string in a zone must end.
    fn from(text: &str) -> Self {
        Self(text.as_bytes().chunks(255).map(<[u8]>::to_vec).collect())
    }
}

/// Why nobody could say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DnsFailure {
    /// No answer came in time.
    Timeout,
    /// The name server failed (SERVFAIL), as it also does where DNSSEC validation fails.
    ServFail,
    /// The name server answers, and does not want to (REFUSED, NOTIMP, FORMERR).
    Refused,
    /// No name server could be reached.
    Network,
    /// What came is not an answer to the question.
    Unreadable,
    /// The question was not asked: it is no name, or the caller's budget is used up.
    NotAsked,
}

impl DnsFailure {
    /// A word for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::ServFail => "SERVFAIL",
            Self::Refused => "refused",
            Self::Network => "name server unreachable",
            Self::Unreadable => "unreadable answer",
            Self::NotAsked => "not asked",
        }
    }
}

impl fmt::Display for DnsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
