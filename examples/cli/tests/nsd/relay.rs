//! A relay in front of a name server: what it passes on it passes on as it is, and questions about
//! some names, and below them, it drops.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

pub(crate) struct Relay {
    address: SocketAddr,
}

impl Relay {
    /// Listens on loopback until the test ends.
    pub(crate) fn start(server: SocketAddr, silent: &[&str]) -> Self {
        let silent: Vec<_> = silent.iter().map(|name| wire(name)).collect();
        let silent: Arc<[Vec<u8>]> = silent.into();
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = udp.local_addr().unwrap();
        let tcp = TcpListener::bind(address).unwrap();
        let dropped = Arc::clone(&silent);
        thread::spawn(move || {
            let mut packet = [0; 4_096];
            while let Ok((length, from)) = udp.recv_from(&mut packet) {
                let question = packet[..length].to_vec();
                if is_silent(&question, &dropped) {
                    continue;
                }
                let udp = udp.try_clone().unwrap();
                thread::spawn(move || pass_on(&udp, &question, from, server));
            }
        });
        thread::spawn(move || {
            for client in tcp.incoming().flatten() {
                let silent = Arc::clone(&silent);
                thread::spawn(move || pass_stream(client, server, &silent));
            }
        });
        Self { address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

fn pass_on(udp: &UdpSocket, question: &[u8], from: SocketAddr, server: SocketAddr) {
    let own = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    own.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    own.send_to(question, server).unwrap();
    let mut answer = [0; 4_096];
    if let Ok(length) = own.recv(&mut answer) {
        // Whoever asked may be gone.
        drop(udp.send_to(&answer[..length], from));
    }
}

/// One question and its answer over TCP, each behind its length.
fn pass_stream(mut client: TcpStream, server: SocketAddr, silent: &[Vec<u8>]) {
    let read = |stream: &mut TcpStream| -> Option<Vec<u8>> {
        let mut length = [0; 2];
        stream.read_exact(&mut length).ok()?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut message).ok()?;
        Some([&length[..], &message].concat())
    };
    while let Some(question) = read(&mut client) {
        if is_silent(&question, silent) {
            // The connection stays open, and nothing comes.
            continue;
        }
        let mut server = TcpStream::connect(server).unwrap();
        server.write_all(&question).unwrap();
        let Some(answer) = read(&mut server) else {
            return;
        };
        if client.write_all(&answer).is_err() {
            return;
        }
    }
}

/// A name as its labels stand in a message, each behind its length.
fn wire(name: &str) -> Vec<u8> {
    let label = |label: &str| {
        let length = u8::try_from(label.len()).unwrap();
        [&[length], label.as_bytes()].concat()
    };
    name.split('.').flat_map(label).collect()
}

fn is_silent(message: &[u8], silent: &[Vec<u8>]) -> bool {
    let message = message.to_ascii_lowercase();
    let asks_for = |name: &Vec<u8>| message.windows(name.len()).any(|part| part == *name);
    silent.iter().any(asks_for)
}
