//! UDP sockets that are used again.
//!
//! `hickory` opens a socket for every question, which costs more than the question itself. Here a
//! socket waits for the next question once it has brought an answer. No two questions are ever on
//! one socket, and each port is given up after some of them: who wants to forge an answer still has
//! to guess the port as well as the number of the question (RFC 5452 section 9.2).

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hickory_resolver::net::runtime::{
    DnsUdpSocket, RuntimeProvider, TokioHandle, TokioRuntimeProvider, TokioTime,
};
use tokio::net::UdpSocket;

/// Sockets that may wait.
const MOST_IDLE: usize = 128;

/// Questions that one port asks.
const QUESTIONS: u32 = 32;

/// How long one port is used.
const AGE: Duration = Duration::from_secs(30);

/// tokio, with sockets that are used again.
#[derive(Clone, Default)]
pub(super) struct Sockets {
    runtime: TokioRuntimeProvider,
    idle: Idle,
}

impl RuntimeProvider for Sockets {
    type Handle = TokioHandle;
    type Timer = TokioTime;
    type Udp = Lease;
    type Tcp = <TokioRuntimeProvider as RuntimeProvider>::Tcp;

    fn create_handle(&self) -> Self::Handle {
        self.runtime.create_handle()
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        local: Option<SocketAddr>,
        timeout: Option<Duration>,
    ) -> Pin<Box<dyn Send + Future<Output = io::Result<Self::Tcp>>>> {
        self.runtime.connect_tcp(server, local, timeout)
    }

    fn bind_udp(
        &self,
        local: SocketAddr,
        server: SocketAddr,
    ) -> Pin<Box<dyn Send + Future<Output = io::Result<Lease>>>> {
        let idle = self.idle.clone();
        if let Some(port) = idle.take(server) {
            return Box::pin(std::future::ready(Ok(Lease::new(port, idle))));
        }
        let bound = self.runtime.bind_udp(local, server);
        Box::pin(async move {
            let port = Port {
                socket: Arc::new(bound.await?),
                server,
                asked: 0,
                since: Instant::now(),
            };
            Ok(Lease::new(port, idle))
        })
    }
}

/// A socket with what it did.
#[derive(Clone)]
struct Port {
    socket: Arc<UdpSocket>,
    server: SocketAddr,
    asked: u32,
    since: Instant,
}

impl Port {
    fn is_fresh(&self) -> bool {
        self.asked < QUESTIONS && self.since.elapsed() < AGE
    }
}

#[derive(Clone, Default)]
struct Idle(Arc<Mutex<Vec<Port>>>);

impl Idle {
    fn take(&self, server: SocketAddr) -> Option<Port> {
        let mut ports = self.lock();
        loop {
            let at = ports.iter().rposition(|port| port.server == server)?;
            let port = ports.swap_remove(at);
            if port.is_fresh() {
                return Some(port);
            }
        }
    }

    fn give(&self, port: Port) {
        let mut ports = self.lock();
        if ports.len() < MOST_IDLE && port.is_fresh() {
            ports.push(port);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Port>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket for one question.
pub(super) struct Lease {
    port: Port,
    idle: Idle,
    /// Whether something came back. Else an answer may still be on its way, and the socket is closed
    /// rather than used again.
    answered: AtomicBool,
}

impl Lease {
    fn new(mut port: Port, idle: Idle) -> Self {
        port.asked += 1;
        Self {
            port,
            idle,
            answered: AtomicBool::new(false),
        }
    }
}

impl DnsUdpSocket for Lease {
    type Time = TokioTime;

    fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let polled = DnsUdpSocket::poll_recv_from(&*self.port.socket, cx, buffer);
        if matches!(polled, Poll::Ready(Ok(_))) {
            self.answered.store(true, Ordering::Relaxed);
        }
        polled
    }

    fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        server: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        DnsUdpSocket::poll_send_to(&*self.port.socket, cx, bytes, server)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if *self.answered.get_mut() {
            self.idle.give(self.port.clone());
        }
    }
}
