mod answers;
mod sockets;

use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use answers::Answers;
use async_trait::async_trait;
use hickory_resolver::Resolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{self, Name, RData, Record};
use protect_core::dns::{DnsAnswer, DnsFailure, DnsLookup, DnsRecord, RecordType, TxtRecord};
use sockets::Sockets;
use tokio::sync::OnceCell;

/// How many questions may be on their way to a name server at the same time.
const MOST_AT_ONCE: usize = 512;

/// DNS by the machine's name servers, or by one that is named. Answers are kept for their TTL.
pub struct SystemDns {
    server: Option<SocketAddr>,
    timeout: Option<Duration>,
    resolver: OnceCell<Resolver<Sockets>>,
    answers: Answers,
}

impl SystemDns {
    /// The machine's name servers.
    pub fn new() -> Self {
        Self {
            server: None,
            timeout: None,
            resolver: OnceCell::new(),
            answers: Answers::new(),
        }
    }

    /// One name server.
    pub fn with_server(server: SocketAddr) -> Self {
        Self {
            server: Some(server),
            ..Self::new()
        }
    }

    /// How long to wait for each of the three tries; by default what the machine is set to, or
    /// five seconds.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Made at the first question, so that a machine without DNS fails there and not at the start.
    async fn resolver(&self) -> Result<&Resolver<Sockets>, NetError> {
        self.resolver
            .get_or_try_init(async || {
                let mut builder = match self.server {
                    None => Resolver::builder(Sockets::default())?,
                    Some(server) => Resolver::builder_with_config(only(server), Sockets::default()),
                };
                let options = builder.options_mut();
                if let Some(limit) = self.timeout {
                    options.timeout = limit;
                }
                // A name means what DNS says, not what this machine's hosts file says.
                options.use_hosts_file = ResolveHosts::Never;
                // An answer that does not fit a packet is asked for again over TCP, also where the
                // cut-off packet cannot be read.
                options.try_tcp_on_error = true;
                options.max_active_requests = MOST_AT_ONCE;
                // It keeps whole messages, which costs as much as asking; we keep what they say.
                options.cache_size = 0;
                builder.build()
            })
            .await
    }

    /// The answer, and how many seconds it holds.
    async fn ask(&self, name: &str, kind: RecordType) -> (DnsAnswer, u32) {
        // Labels are bytes: a name with an underscore or an odd character is asked for as it is, and
        // what cannot be a name is not asked. With the root at its end, as a name of labels has it,
        // the machine's search domains stay out of it.
        let Ok(name) = Name::from_labels(name.split('.').map(str::as_bytes)) else {
            return (DnsAnswer::Failed(DnsFailure::NotAsked), 0);
        };
        let resolver = match self.resolver().await {
            Ok(resolver) => resolver,
            Err(error) => return (DnsAnswer::Failed(failure(&error)), 0),
        };
        match resolver.lookup(name, asked(kind)).await {
            Ok(lookup) => positive(lookup.answers(), kind),
            Err(error) => negative(&error),
        }
    }
}

impl Default for SystemDns {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl DnsLookup for SystemDns {
    async fn query(&self, name: &str, kind: RecordType) -> DnsAnswer {
        let name = name.strip_suffix('.').unwrap_or(name);
        if let Some(answer) = self.answers.get(name, kind) {
            return answer;
        }
        let (answer, ttl) = self.ask(name, kind).await;
        self.answers.keep(name, kind, &answer, ttl);
        answer
    }

    fn by_server(&self, server: SocketAddr) -> Option<Arc<dyn DnsLookup>> {
        Some(Arc::new(Self {
            timeout: self.timeout,
            ..Self::with_server(server)
        }))
    }
}

fn only(server: SocketAddr) -> ResolverConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
    let connections = connections.map(|mut connection| {
        connection.port = server.port();
        connection
    });
    let server = NameServerConfig::new(server.ip(), true, connections.to_vec());
    ResolverConfig::from_name_servers(vec![server])
}

const fn asked(kind: RecordType) -> rr::RecordType {
    match kind {
        RecordType::A => rr::RecordType::A,
        RecordType::Aaaa => rr::RecordType::AAAA,
        RecordType::Cname => rr::RecordType::CNAME,
        RecordType::Mx => rr::RecordType::MX,
        RecordType::Ns => rr::RecordType::NS,
        RecordType::Ptr => rr::RecordType::PTR,
        RecordType::Txt => rr::RecordType::TXT,
    }
}

fn read(data: &RData) -> Option<DnsRecord> {
    Some(match data {
        RData::A(address) => DnsRecord::A(address.0),
        RData::AAAA(address) => DnsRecord::Aaaa(address.0),
        RData::CNAME(target) => DnsRecord::Cname(written(&target.0)),
        RData::MX(mx) => DnsRecord::Mx {
            preference: mx.preference,
            exchange: written(&mx.exchange),
        },
        RData::NS(server) => DnsRecord::Ns(written(&server.0)),
        RData::PTR(name) => DnsRecord::Ptr(written(&name.0)),
        RData::TXT(txt) => {
            let strings = txt.txt_data.iter().map(|string| string.to_vec());
            DnsRecord::Txt(TxtRecord(strings.collect()))
        }
        _ => return None,
    })
}

/// A name without its final dot; the root is empty. Characters that print stand for themselves, a
/// dot or a backslash within a label and all else as `\DDD` (RFC 1035 section 5.1).
fn written(name: &Name) -> String {
    let labels: Vec<String> = name.iter().map(label).collect();
    labels.join(".")
}

fn label(bytes: &[u8]) -> String {
    let mut label = String::new();
    for byte in bytes {
        if matches!(byte, b' '..=b'~') && !matches!(byte, b'.' | b'\\') {
            label.push(char::from(*byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(label, "\\{byte:03}");
        }
    }
    label
}

/// The records of a type. Those of an alias on the way bound how long the answer holds.
fn positive(records: &[Record], kind: RecordType) -> (DnsAnswer, u32) {
    let ttl = records.iter().map(|record| record.ttl).min().unwrap_or(0);
    let records = records.iter().filter_map(|record| read(&record.data));
    let records: Vec<_> = records.filter(|record| record.kind() == kind).collect();
    if records.is_empty() {
        (DnsAnswer::NoData, ttl)
    } else {
        (DnsAnswer::Records(records), ttl)
    }
}

/// What is not there; how long that holds is said by the zone's SOA (RFC 2308 section 5).
fn negative(error: &NetError) -> (DnsAnswer, u32) {
    let NetError::Dns(DnsError::NoRecordsFound(none)) = error else {
        return (DnsAnswer::Failed(failure(error)), 0);
    };
    let answer = match none.response_code {
        ResponseCode::NXDomain => DnsAnswer::NoName,
        ResponseCode::NoError => DnsAnswer::NoData,
        code => DnsAnswer::Failed(refusal(code)),
    };
    (answer, none.negative_ttl.unwrap_or(0))
}

fn failure(error: &NetError) -> DnsFailure {
    match error {
        NetError::Timeout => DnsFailure::Timeout,
        NetError::Dns(DnsError::ResponseCode(code)) => refusal(*code),
        NetError::Dns(_) => DnsFailure::Refused,
        NetError::Io(_) | NetError::NoConnections | NetError::Busy => DnsFailure::Network,
        _ => DnsFailure::Unreadable,
    }
}

const fn refusal(code: ResponseCode) -> DnsFailure {
    match code {
        ResponseCode::ServFail => DnsFailure::ServFail,
        _ => DnsFailure::Refused,
    }
}

impl fmt::Debug for SystemDns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemDns")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}
