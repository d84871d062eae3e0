//! From sockets to zones and back.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;

use super::message::{LARGEST_TCP, Query, Unreadable, refusal};
use super::text::Printed;
use super::zone::{Answer, DnsFault, Name, Rcode, Rr, TXT, TYPES, Zones};
use super::{DnsQuestion, Journal};

/// How often a free port of UDP is looked for that is free for TCP too.
const TRIES: usize = 20;

pub(super) struct Server {
    udp: UdpSocket,
    tcp: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    zones: Zones,
    journal: Journal,
}

/// What goes back.
enum Reply {
    Packet(Vec<u8>),
    Silence,
    /// Over TCP: the connection ends.
    HangUp,
}

impl Server {
    pub(super) async fn bind(
        address: SocketAddr,
        zones: Zones,
        journal: Journal,
    ) -> io::Result<Self> {
        let mut tries = TRIES;
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind(address).await?;
            match TcpListener::bind(udp.local_addr()?).await {
                Ok(tcp) => break (udp, tcp),
                Err(error) if address.port() != 0 || tries == 0 => return Err(error),
                Err(_) => tries -= 1,
            }
        };
        Ok(Self {
            address: udp.local_addr()?,
            udp,
            tcp,
            shared: Arc::new(Shared { zones, journal }),
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the other end of `stopped` is gone.
    pub(super) async fn run(self, mut stopped: watch::Receiver<()>) {
        let mut packet = vec![0; LARGEST_TCP];
        loop {
            tokio::select! {
                _ = stopped.changed() => return,
                received = self.udp.recv_from(&mut packet) => {
                    let Ok((length, from)) = received else { continue };
                    let wire = packet.get(..length).unwrap_or_default();
                    if let Reply::Packet(answer) = self.shared.reply(wire, false) {
                        // Who asked may be gone; that is their business.
                        let _ = self.udp.send_to(&answer, from).await;
                    }
                }
                accepted = self.tcp.accept() => {
                    let Ok((stream, _)) = accepted else { continue };
                    let (shared, stopped) = (Arc::clone(&self.shared), stopped.clone());
                    tokio::spawn(serve_stream(stream, shared, stopped));
                }
            }
        }
    }
}

async fn serve_stream(stream: TcpStream, shared: Arc<Shared>, mut stopped: watch::Receiver<()>) {
    tokio::select! {
        _ = stopped.changed() => {}
        // A connection that breaks is over; the client sees it too.
        _ = answer_stream(stream, &shared) => {}
    }
}

async fn answer_stream(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    loop {
        let length = stream.read_u16().await?;
        let mut wire = vec![0; usize::from(length)];
        stream.read_exact(&mut wire).await?;
        match shared.reply(&wire, true) {
            Reply::Packet(answer) => {
                let length = u16::try_from(answer.len()).map_err(io::Error::other)?;
                let mut framed = length.to_be_bytes().to_vec();
                framed.extend(answer);
                stream.write_all(&framed).await?;
            }
            Reply::Silence => {}
            Reply::HangUp => return Ok(()),
        }
    }
}

impl Shared {
    fn reply(&self, wire: &[u8], tcp: bool) -> Reply {
        let query = match Query::parse(wire) {
            Ok(query) => query,
            Err(Unreadable::NoQuery) => return Reply::Silence,
            Err(Unreadable::Refusal(id, rcode)) => return Reply::Packet(refusal(id, rcode)),
        };
        self.journal.note(DnsQuestion {
            name: Printed(&query.name).to_string(),
            kind: kind_name(query.kind),
            tcp,
        });
        let size = if tcp { LARGEST_TCP } else { query.udp_size() };
        let packet = match self.zones.fault(&query.name, query.kind) {
            None => query.reply(&self.zones.answer(&query.name, query.kind), size),
            Some(DnsFault::Timeout) => return Reply::Silence,
            Some(DnsFault::ServFail) => query.reply(&Answer::of(Rcode::ServFail), size),
            Some(DnsFault::Refused) => query.reply(&Answer::of(Rcode::Refused), size),
            Some(DnsFault::OtherQuestion) => {
                let other = vec![b"nobody-asked".to_vec(), b"invalid".to_vec()];
                query.reply_about(&other, &made_up(&other, 1))
            }
            Some(DnsFault::Oversize) => query.reply(&made_up(&query.name, 300), size),
            Some(DnsFault::Truncated) if tcp => return Reply::HangUp,
            Some(DnsFault::Truncated) => query.cut_off(),
        };
        Reply::Packet(packet)
    }
}

/// Records of a made-up answer, 255 bytes and a little each.
fn made_up(name: &Name, count: usize) -> Answer {
    let mut data = vec![255];
    data.extend([b'x'; 255]);
    let record = Rr {
        owner: name.clone(),
        kind: TXT,
        data,
    };
    Answer {
        records: vec![record; count],
        ..Answer::of(Rcode::NoError)
    }
}

fn kind_name(kind: u16) -> String {
    let known = TYPES.iter().find(|(_, known)| *known == kind);
    known.map_or_else(|| format!("TYPE{kind}"), |(name, _)| (*name).to_owned())
}
