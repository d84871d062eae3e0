use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{RData, RecordType};
use protect_core::dns::{DnsLookup, TxtAnswer};
use tokio::sync::OnceCell;

/// DNS by the machine's name servers, or by one that is named. Answers are kept for their TTL.
pub struct SystemDns {
    server: Option<SocketAddr>,
    timeout: Option<Duration>,
    resolver: OnceCell<TokioResolver>,
}

impl SystemDns {
    /// The machine's name servers.
    pub fn new() -> Self {
        Self {
            server: None,
            timeout: None,
            resolver: OnceCell::new(),
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
    async fn resolver(&self) -> Result<&TokioResolver, NetError> {
        self.resolver
            .get_or_try_init(async || {
                let mut builder = match self.server {
                    None => TokioResolver::builder_tokio()?,
                    Some(server) => TokioResolver::builder_with_config(
                        only(server),
                        TokioRuntimeProvider::default(),
                    ),
                };
                if let Some(limit) = self.timeout {
                    builder.options_mut().timeout = limit;
                }
                builder.build()
            })
            .await
    }
}

impl Default for SystemDns {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl DnsLookup for SystemDns {
    async fn txt(&self, name: &str) -> TxtAnswer {
        let resolver = match self.resolver().await {
            Ok(resolver) => resolver,
            Err(error) => return failed(&error),
        };
        // With the final dot, the machine's search domains stay out of it.
        let name = format!("{}.", name.trim_end_matches('.'));
        match resolver.lookup(name, RecordType::TXT).await {
            Ok(lookup) => {
                let records: Vec<String> = lookup
                    .answers()
                    .iter()
                    .filter_map(|record| match &record.data {
                        RData::TXT(txt) => Some(joined(&txt.txt_data)),
                        _ => None,
                    })
                    .collect();
                if records.is_empty() {
                    TxtAnswer::NoData
                } else {
                    TxtAnswer::Records(records)
                }
            }
            Err(error) => negative(&error),
        }
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

/// The strings of one record, joined without anything between (RFC 7208 section 3.3). Bytes that
/// are not UTF-8 become replacement characters, which no record that we look for contains.
fn joined(strings: &[Box<[u8]>]) -> String {
    String::from_utf8_lossy(&strings.concat()).into_owned()
}

fn negative(error: &NetError) -> TxtAnswer {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => TxtAnswer::NoName,
            ResponseCode::NoError => TxtAnswer::NoData,
            code => TxtAnswer::Failed(word(code).to_owned()),
        },
        _ => failed(error),
    }
}

fn failed(error: &NetError) -> TxtAnswer {
    let word = match error {
        NetError::Timeout => "timeout",
        NetError::Dns(DnsError::ResponseCode(code)) => word(*code),
        NetError::Dns(_) => "refused answer",
        NetError::Io(_) | NetError::NoConnections | NetError::Busy => "unreachable",
        _ => "unreadable answer",
    };
    TxtAnswer::Failed(word.to_owned())
}

fn word(code: ResponseCode) -> &'static str {
    match code {
        ResponseCode::ServFail => "SERVFAIL",
        ResponseCode::Refused => "REFUSED",
        ResponseCode::FormErr => "FORMERR",
        ResponseCode::NotImp => "NOTIMP",
        _ => "refused answer",
    }
}

impl fmt::Debug for SystemDns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemDns")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}
