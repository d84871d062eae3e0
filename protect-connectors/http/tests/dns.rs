//! The resolver against a name server on loopback.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
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

/// A name server that notes where each question comes from, and answers late where the name says
/// so.
async fn noting() -> (SocketAddr, Arc<Mutex<Vec<u16>>>) {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let address = socket.local_addr().unwrap();
    let ports = Arc::<Mutex<Vec<u16>>>::default();
    let noted = Arc::clone(&ports);
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            noted.lock().unwrap().push(from.port());
            let question = buffer[..length].to_vec();
            let socket = Arc::clone(&socket);
            tokio::spawn(async move {
                if question.windows(4).any(|part| part == b"late") {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                let answer = answer(&question, NO_ERROR, &[&["text"]]);
                let _ = socket.send_to(&answer, from).await;
            });
        }
    });
    (address, ports)
}

#[tokio::test]
async fn an_answer_is_kept_for_its_ttl_whatever_the_case_of_the_name() {
    let (server, ports) = noting().await;
    let dns = SystemDns::with_server(server);
    for name in ["a.example", "A.Example", "a.example."] {
        let answer = dns.query(name, RecordType::Txt).await;
        assert!(matches!(answer, DnsAnswer::Records(_)), "{answer:?}");
    }
    assert_eq!(ports.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_port_asks_again_once_answered_and_is_given_up_after_a_while() {
    let (server, ports) = noting().await;
    let dns = SystemDns::with_server(server);
    for number in 0..40 {
        let name = format!("a{number}.example");
        let answer = dns.query(&name, RecordType::Txt).await;
        assert!(matches!(answer, DnsAnswer::Records(_)), "{answer:?}");
    }
    let mut ports = ports.lock().unwrap().clone();
    assert_eq!(ports.len(), 40);
    ports.dedup();
    assert_eq!(
        ports.len(),
        2,
        "one port for 32 questions, another for the rest"
    );
}

#[tokio::test]
async fn questions_at_the_same_time_come_from_ports_of_their_own() {
    let (server, ports) = noting().await;
    let dns = SystemDns::with_server(server);
    let names: Vec<_> = (0..20)
        .map(|number| format!("late{number}.example"))
        .collect();
    let asked = names.iter().map(|name| dns.query(name, RecordType::Txt));
    for answer in futures::future::join_all(asked).await {
        assert!(matches!(answer, DnsAnswer::Records(_)), "{answer:?}");
    }
    let different: HashSet<_> = ports.lock().unwrap().iter().copied().collect();
    assert_eq!(different.len(), 20);
}

#[tokio::test]
async fn a_port_whose_answer_did_not_come_in_time_is_not_used_again() {
    let (server, ports) = noting().await;
    let dns = SystemDns::with_server(server).timeout(Duration::from_millis(50));
    let late = dns.query("late.example", RecordType::Txt).await;
    assert_eq!(late, DnsAnswer::Failed(DnsFailure::Timeout));
    let unanswered: HashSet<_> = ports.lock().unwrap().drain(..).collect();
    let answer = dns.query("soon.example", RecordType::Txt).await;
    assert!(matches!(answer, DnsAnswer::Records(_)), "{answer:?}");
    assert!(!unanswered.contains(&ports.lock().unwrap()[0]));
}
