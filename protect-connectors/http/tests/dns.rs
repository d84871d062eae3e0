//! The resolver against a name server on loopback.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::net::SocketAddr;
use std::time::Duration;

use protect_core::dns::{DnsAnswer, DnsFailure, DnsLookup, DnsRecord, RecordType, TxtRecord};
use protect_http::SystemDns;
use tokio::net::UdpSocket;

const NO_ERROR: u8 = 0;
const SERVFAIL: u8 = 2;
const NXDOMAIN: u8 = 3;
const REFUSED: u8 = 5;

/// Answers every question with this code and these TXT records, each a list of strings.
async fn name_server(code: u8, records: &'static [&'static [&'static str]]) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let answer = answer(&buffer[..length], code, records);
            let _ = socket.send_to(&answer, from).await;
        }
    });
    address
}

/// RFC 1035 section 4: header, the question again, the answers.
fn answer(question: &[u8], code: u8, records: &[&[&str]]) -> Vec<u8> {
    let name_end = 12 + question[12..].iter().position(|byte| *byte == 0).unwrap();
    let mut message = question[..2].to_vec();
    let count = u8::try_from(records.len()).unwrap();
    message.extend([0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0]);
    message.extend(&question[12..=name_end + 4]);
    for strings in records {
        let data: Vec<u8> = strings
            .iter()
            .flat_map(|text| {
                let length = u8::try_from(text.len()).unwrap();
                std::iter::once(length).chain(text.bytes())
            })
            .collect();
        message.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60]);
        message.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        message.extend(data);
    }
    message
}

async fn ask(server: SocketAddr) -> DnsAnswer {
    SystemDns::with_server(server)
        .timeout(Duration::from_millis(200))
        .query("_dmarc.a.example", RecordType::Txt)
        .await
}

#[tokio::test]
async fn a_record_comes_string_by_string_and_reads_joined() {
    let server = name_server(NO_ERROR, &[&["v=DMARC1;", " p=none"], &["other"]]).await;
    let DnsAnswer::Records(mut records) = ask(server).await else {
        panic!("there are records");
    };
    records.sort();
    let strings =
        |texts: &[&str]| TxtRecord(texts.iter().map(|text| text.as_bytes().to_vec()).collect());
    let policy = strings(&["v=DMARC1;", " p=none"]);
    assert_eq!(policy.joined(), "v=DMARC1; p=none");
    assert_eq!(
        records,
        [DnsRecord::Txt(strings(&["other"])), DnsRecord::Txt(policy)]
    );
}

#[tokio::test]
async fn no_name_no_data_and_no_answer_are_told_apart() {
    let no_data = name_server(NO_ERROR, &[]).await;
    assert_eq!(ask(no_data).await, DnsAnswer::NoData);
    let no_name = name_server(NXDOMAIN, &[]).await;
    assert_eq!(ask(no_name).await, DnsAnswer::NoName);
    for (code, failure) in [
        (SERVFAIL, DnsFailure::ServFail),
        (REFUSED, DnsFailure::Refused),
    ] {
        let server = name_server(code, &[]).await;
        assert_eq!(ask(server).await, DnsAnswer::Failed(failure));
    }
}

#[tokio::test]
async fn a_silent_name_server_is_a_timeout() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let answer = ask(silent.local_addr().unwrap()).await;
    assert_eq!(answer, DnsAnswer::Failed(DnsFailure::Timeout));
}
