//! Sends a message to an address on loopback: as much of HTTP/1.1 as that takes.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use http::Uri;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long somebody may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most of an answer that is read: its first line is all that counts.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Posts JSON and gives the status of the answer.
#[expect(
    clippy::disallowed_methods,
    reason = "the sandbox's own clock is moved by tests, and somebody who does not answer takes real time"
)]
pub(crate) async fn post(url: &str, header: (&str, &str), body: &str) -> io::Result<u16> {
    let uri: Uri = url.parse().map_err(|_| unfit("not a URL"))?;
    let place = place(&uri).ok_or_else(|| unfit("not an address on loopback"))?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {}:{}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n{}: {}\r\nconnection: close\r\n\r\n",
        place.0,
        place.1,
        body.len(),
        header.0,
        header.1,
    );
    let exchange = async {
        let mut stream = TcpStream::connect(place).await?;
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(LONGEST_ANSWER).read_to_end(&mut answer).await?;
        io::Result::Ok(answer)
    };
    let answer = tokio::time::timeout(PATIENCE, exchange).await;
    let answer = answer.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let first = String::from_utf8_lossy(&answer);
    let status = first.split_whitespace().nth(1);
    let status = status.and_then(|status| status.parse().ok());
    status.ok_or_else(|| unfit("no answer of HTTP"))
}

fn place(uri: &Uri) -> Option<(IpAddr, u16)> {
    if uri.scheme_str() != Some("http") {
        return None;
    }
    let host = uri.host()?;
    let address = match host {
        "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        other => other.trim_matches(['[', ']']).parse().ok()?,
    };
    address
        .is_loopback()
        .then(|| (address, uri.port_u16().unwrap_or(80)))
}

fn unfit(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
