//! The resolver over real packets, against the sandbox's name server and everything it can do wrong.
#![expect(clippy::unwrap_used, reason = "helpers of tests may do as tests do")]

use std::sync::Arc;
use std::time::Duration;

use protect_email::name::DomainName;
use protect_email::resolve::{Family, Lookup, LookupFailure, Resolver};
use protect_http::SystemDns;
use protect_sandbox::DnsServer;

const ZONE: &str = r"
    ZONE  example
    a.example       TXT    'v=spf1 ' '-all'
    a.example       MX     20 mx.a.example.
    a.example       MX     10 .
    b.c.example     A      192.0.2.1
    *.w.example     A      192.0.2.2
    alias.example   CNAME  b.c.example
    loop.example    CNAME  pool.example
    pool.example    CNAME  loop.example
    odd\032%.example A     192.0.2.3
    silent.example  FAULT  timeout
    broken.example  FAULT  servfail
    closed.example  FAULT  refused
    other.example   FAULT  other_question
    huge.example    FAULT  oversize
    cut.example     FAULT  truncated
    half.example    FAULT  servfail MX
    half.example    TXT    there
";

fn name(text: &str) -> DomainName {
    DomainName::literal(text).unwrap()
}

async fn asked() -> (DnsServer, Resolver) {
    let zone = format!(
        "{}\n big.example TXT {}",
        ZONE.replace('\'', "\""),
        "x".repeat(255) + &" y".repeat(900)
    );
    let server = DnsServer::start(&zone).await.unwrap();
    let dns = SystemDns::with_server(server.address()).timeout(Duration::from_millis(150));
    (server, Resolver::new(Arc::new(dns)))
}

#[tokio::test]
async fn records_come_as_they_stand_in_the_zone() {
    let (_server, dns) = asked().await;
    let Lookup::Found(texts) = dns.txt(&name("A.example")).await else {
        panic!("there is a record");
    };
    assert_eq!(texts[0].0, [b"v=spf1 ".to_vec(), b"-all".to_vec()]);
    let Lookup::Found(hosts) = dns.mx(&name("a.example")).await else {
        panic!("there are hosts");
    };
    assert!(hosts[0].is_null());
    assert_eq!(hosts[1].exchange, "mx.a.example");
    let one = Lookup::Found(vec!["192.0.2.1".parse().unwrap()]);
    assert_eq!(dns.addresses(&name("alias.example"), Family::V4).await, one);
    assert_eq!(
        dns.cname(&name("alias.example")).await,
        Lookup::Found(name("b.c.example"))
    );
}

#[tokio::test]
async fn a_name_without_records_is_told_from_one_that_is_not_there() {
    let (_server, dns) = asked().await;
    let v4 = async |text: &str| dns.addresses(&name(text), Family::V4).await;
    assert_eq!(v4("a.example").await, Lookup::NoData);
    // Only because something stands below it.
    assert_eq!(v4("c.example").await, Lookup::NoData);
    assert_eq!(v4("d.example").await, Lookup::NoName);
    assert!(matches!(v4("x.y.w.example").await, Lookup::Found(_)));
    let v6 = dns.addresses(&name("x.w.example"), Family::V6).await;
    assert_eq!(v6, Lookup::NoData);
}

#[tokio::test]
async fn a_name_may_hold_what_no_host_may() {
    let (server, dns) = asked().await;
    let odd = dns.addresses(&name("odd %.example"), Family::V4).await;
    assert!(matches!(odd, Lookup::Found(_)));
    assert_eq!(server.questions().last().unwrap().name, r"odd\032%.example");
}

#[tokio::test]
async fn what_does_not_fit_a_packet_comes_over_tcp() {
    let (server, dns) = asked().await;
    let Lookup::Found(texts) = dns.txt(&name("big.example")).await else {
        panic!("there is a record");
    };
    assert_eq!(texts[0].0.len(), 901);
    assert!(server.questions().iter().any(|question| question.tcp));
}

#[tokio::test]
async fn whatever_goes_wrong_is_a_failure_and_never_nothing() {
    let (_server, dns) = asked().await;
    let failure = async |text: &str| dns.txt(&name(text)).await.failure();
    assert_eq!(
        failure("silent.example").await,
        Some(LookupFailure::Timeout)
    );
    assert_eq!(
        failure("broken.example").await,
        Some(LookupFailure::ServFail)
    );
    assert_eq!(
        failure("closed.example").await,
        Some(LookupFailure::Refused)
    );
    assert_eq!(
        failure("elsewhere.test").await,
        Some(LookupFailure::Refused)
    );
    for (text, what) in [
        ("other.example", "an answer to another question"),
        ("huge.example", "more than 64 KiB"),
        ("cut.example", "cut off, and no TCP"),
        ("loop.example", "a loop of aliases"),
    ] {
        assert!(failure(text).await.is_some(), "{what}");
    }
    // One type alone.
    let half = name("half.example");
    assert_eq!(dns.mx(&half).await.failure(), Some(LookupFailure::ServFail));
    assert!(matches!(dns.txt(&half).await, Lookup::Found(_)));
}
