use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;

use protect_core::dns::DnsRecord;
use protect_sandbox::DnsServer;
use tempfile::TempDir;

use crate::openspf::{self, Entry, Scenario, Test};
use crate::support::{Ran, protect};

/// Runs at the same time; most of the time is spent waiting for silence to end.
const AT_ONCE: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn every_test_of_the_openspf_suite_passes_through_the_command_over_real_packets() {
    let Some(suite) = openspf::suite() else {
        return;
    };
    let mut left = Vec::new();
    let mut servers = Vec::new();
    for scenario in &suite {
        let server = DnsServer::start(&zone(scenario)).await.unwrap();
        let tests = scenario.tests.iter();
        left.extend(tests.map(|test| (server.address(), &scenario.description, test)));
        servers.push(server);
    }
    assert_eq!(left.len(), 203);
    let (left, wrong) = (Mutex::new(left), Mutex::new(Vec::new()));
    let folder = TempDir::new().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = left.lock().unwrap().pop();
                    let Some((server, scenario, test)) = next else {
                        break;
                    };
                    let ran = check(folder.path(), server, test);
                    wrong.lock().unwrap().extend(mistake(scenario, test, &ran));
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    // The questions came as packets, and an answer that does not fit one came over TCP or not at
    // all.
    assert!(servers.iter().all(|server| !server.questions().is_empty()));
}

fn check(folder: &Path, server: SocketAddr, test: &Test) -> Ran {
    let words = [
        "email".to_owned(),
        "spf".to_owned(),
        format!("--ip={}", test.ip),
        format!("--helo={}", test.helo),
        format!("--sender={}", test.sender),
        format!("--resolver={server}"),
        "--json".to_owned(),
    ];
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    protect(folder, &words)
}

fn mistake(scenario: &str, test: &Test, ran: &Ran) -> Option<String> {
    let document = ran.json();
    let result = document["result"].as_str().unwrap_or_default();
    let said = document["explanation"].as_str().unwrap_or("DEFAULT");
    let expected = test.explanation.as_deref();
    // Only what could not be found out is trouble.
    let status = if result == "temperror" { 3 } else { 0 };
    let right = test.results.iter().any(|accepted| accepted == result)
        && expected.is_none_or(|expected| expected == said)
        && ran.status == status;
    (!right).then(|| {
        format!(
            "{scenario} / {}: not {:?} {expected:?}: {ran:?}",
            test.name, test.results
        )
    })
}

/// The scenario's zone as the sandbox reads it.
fn zone(scenario: &Scenario) -> String {
    let mut text = String::new();
    for (name, entries) in &scenario.zone {
        let name = escaped(name);
        for entry in entries {
            match entry {
                Entry::Record(record) => {
                    let kind = record.kind().as_str();
                    writeln!(text, "{name} {kind} {}", data(record)).unwrap();
                }
                Entry::Timeout => {
                    for kind in openspf::missing(entries) {
                        writeln!(text, "{name} FAULT timeout {}", kind.as_str()).unwrap();
                    }
                }
            }
        }
    }
    text
}

fn data(record: &DnsRecord) -> String {
    match record {
        DnsRecord::A(address) => address.to_string(),
        DnsRecord::Aaaa(address) => address.to_string(),
        DnsRecord::Cname(name) | DnsRecord::Ns(name) | DnsRecord::Ptr(name) => escaped(name),
        DnsRecord::Mx {
            preference,
            exchange,
        } => format!("{preference} {}.", escaped(exchange)),
        // A packet cannot hold a text record of no string at all.
        DnsRecord::Txt(text) if text.0.is_empty() => "\"\"".to_owned(),
        DnsRecord::Txt(text) => {
            let strings: Vec<_> = text.0.iter().map(|string| quoted(string)).collect();
            strings.join(" ")
        }
    }
}

/// A name whose dots part labels.
fn escaped(name: &str) -> String {
    let labels: Vec<_> = name.trim_end_matches('.').split('.').map(bare).collect();
    labels.join(".")
}

fn bare(label: &str) -> String {
    label.bytes().map(byte).collect()
}

fn quoted(string: &[u8]) -> String {
    // A string may be longer than a packet's strings are.
    let strings = string.chunks(255).map(|chunk| {
        let bytes: String = chunk.iter().map(|byte| self::byte(*byte)).collect();
        format!("\"{bytes}\"")
    });
    let strings: Vec<_> = strings.collect();
    strings.join(" ")
}

fn byte(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
        char::from(byte).to_string()
    } else {
        format!("\\{byte:03}")
    }
}

#[test]
fn without_an_answer_the_result_is_a_temporary_error_and_trouble() {
    let folder = TempDir::new().unwrap();
    // Nobody listens at the discard port.
    let words = [
        "email",
        "spf",
        "a.example",
        "--ip=192.0.2.1",
        "--resolver=127.0.0.1:9",
    ];
    let ran = protect(folder.path(), &words);
    assert_eq!(ran.status, 3, "{ran:?}");
    assert!(ran.out.starts_with("temperror"), "{ran:?}");
}
