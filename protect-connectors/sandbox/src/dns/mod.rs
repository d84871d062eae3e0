//! A name server on loopback: real packets over UDP and TCP, from zones given as text.
//!
//! Packets are read and written here, by RFC 1035, and not by the library that the clients under
//! test use: what both sides misread in the same way, no test would see.

mod message;
mod scenario;
mod serve;
mod text;
mod zone;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

pub(crate) use self::scenario::ZONES as SCENARIO;
use self::serve::Server;
pub use self::text::ZoneError;
use self::zone::Zones;

/// What kept a name server from starting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DnsServerError {
    /// The zones cannot be read.
    #[error("the zones cannot be read: {0}")]
    Zone(#[from] ZoneError),
    /// The address is not a loopback address; a sandbox serves nobody else.
    #[error("a sandbox listens on loopback addresses only")]
    NotLoopback,
    /// The address could not be bound.
    #[error("the name server could not start to listen")]
    Listen(#[source] io::Error),
}

/// A question that reached the name server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DnsQuestion {
    /// The name, in the case it was asked in, without the final dot.
    pub name: String,
    /// The type by its name in a zone file, or `TYPE` and its number.
    pub kind: String,
    /// Whether it came over TCP.
    pub tcp: bool,
}

/// A name server under way; it stops when it is dropped.
///
/// It answers as a recursive resolver would that knows its zones and nothing else: aliases are
/// followed, and what no zone holds is refused.
///
/// # Zones
/// One record a line: name, type, data; names are absolute, with or without the final dot. Text in
/// quotes or bare, `\DDD` and `\X` as in RFC 1035 section 5.1, comments after `;`.
///
/// ```text
/// ZONE  example                      ; without any, the root is one
/// a.example      TXT   "v=spf1 " "-all"
/// a.example      MX    10 mail.example
/// *.w.example    A     192.0.2.1
/// b.example      CNAME a.example
/// c.example      FAULT timeout       ; every type
/// d.example      FAULT servfail TXT  ; one type
/// ```
///
/// Types are `A`, `AAAA`, `CNAME`, `MX`, `NS`, `PTR`, `TXT`, `SPF` and, with what follows of its data
/// as text, none else. Faults are `timeout`, `servfail`, `refused`, `other_question` (an answer to
/// something that was not asked), `oversize` (more than a message can hold, cut off over TCP too)
/// and `truncated` (cut off, and no TCP).
#[derive(Debug)]
pub struct DnsServer {
    address: SocketAddr,
    journal: Journal,
    /// Whoever holds the other end stops when this is gone.
    _running: watch::Sender<()>,
}

/// The questions, in order of arrival.
#[derive(Debug, Clone, Default)]
struct Journal(Arc<Mutex<Vec<DnsQuestion>>>);

impl Journal {
    fn note(&self, question: DnsQuestion) {
        let mut questions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        questions.push(question);
    }

    fn questions(&self) -> Vec<DnsQuestion> {
        let questions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        questions.clone()
    }
}

impl DnsServer {
    /// Starts at a free port of 127.0.0.1, the same for UDP and TCP.
    ///
    /// # Errors
    /// Zones that cannot be read; no port.
    pub async fn start(zones: &str) -> Result<Self, DnsServerError> {
        Self::start_at(zones, SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Starts at a loopback address.
    ///
    /// # Errors
    /// Zones that cannot be read; an address that is not loopback or not free.
    pub async fn start_at(zones: &str, address: SocketAddr) -> Result<Self, DnsServerError> {
        if !address.ip().is_loopback() {
            return Err(DnsServerError::NotLoopback);
        }
        let zones: Zones = zones.parse()?;
        let journal = Journal::default();
        let server = Server::bind(address, zones, journal.clone())
            .await
            .map_err(DnsServerError::Listen)?;
        let address = server.address();
        let (running, stopped) = watch::channel(());
        tokio::spawn(server.run(stopped));
        Ok(Self {
            address,
            journal,
            _running: running,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The questions that reached it, in order.
    pub fn questions(&self) -> Vec<DnsQuestion> {
        self.journal.questions()
    }
}
