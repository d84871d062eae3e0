use std::sync::Arc;

use proptest::prelude::*;
use protect_core::clock::SystemClock;
use protect_core::dns::{DnsAnswer, DnsFailure, DnsRecord, RecordType};
use protect_core::testing::MapDns;

use super::*;
use crate::resolve::{LookupFailure, Resolver};

/// Checks a message from `192.0.2.1` in the name of `a.example`.
async fn decided(dns: MapDns) -> Decision {
    let message = Message {
        ip: "192.0.2.1".parse().unwrap(),
        sender: "user@a.example",
        domain: None,
        helo: "mail.a.example",
        receiver: "receiver.example",
    };
    let resolver = Resolver::new(Arc::new(dns));
    check_host(&message, &resolver, &SystemClock::new()).await
}

fn dns(records: &[(&str, &str)]) -> MapDns {
    let dns = MapDns::default();
    for (name, text) in records {
        dns.add(name, DnsRecord::Txt((*text).into()));
    }
    dns
}

#[tokio::test]
async fn the_term_that_decided_is_named_with_its_place() {
    let zone = dns(&[
        ("a.example", "v=spf1 redirect=b.example"),
        ("b.example", "v=spf1 ip4:198.51.100.1  ~ip4:192.0.2.0/24"),
    ]);
    let decision = decided(zone).await;
    assert_eq!(decision.result, SpfResult::SoftFail);
    let matched = decision.matched.unwrap();
    assert_eq!(matched.domain.as_str(), "b.example");
    assert_eq!(
        (matched.term.as_str(), matched.place),
        ("~ip4:192.0.2.0/24", 25)
    );
    assert_eq!((decision.lookups, decision.void_lookups), (1, 0));
}

#[tokio::test]
async fn an_included_domain_without_a_record_is_an_error_that_names_the_term() {
    let zone = dns(&[("a.example", "v=spf1 include:b.example -all")]);
    let decision = decided(zone).await;
    assert_eq!(decision.result, SpfResult::PermError);
    assert!(matches!(
        decision.problem,
        Some(Problem::NoRecord { term, .. }) if term == "include:b.example"
    ));
}

#[tokio::test]
async fn a_question_that_fails_is_a_temporary_error_and_never_no_match() {
    let zone = dns(&[("a.example", "v=spf1 a:b.example -all")]);
    let failed = DnsAnswer::Failed(DnsFailure::ServFail);
    zone.set("b.example", RecordType::A, failed);
    let decision = decided(zone).await;
    assert_eq!(decision.result, SpfResult::TempError);
    assert!(matches!(
        decision.problem,
        Some(Problem::Dns {
            failure: LookupFailure::ServFail,
            ..
        })
    ));
}

#[tokio::test]
async fn a_check_that_lasts_too_long_is_a_temporary_error() {
    let decision = {
        let zone = dns(&[("a.example", "v=spf1 -all")]);
        let clock = protect_core::testing::ManualClock::default();
        let message = Message {
            ip: "192.0.2.1".parse().unwrap(),
            sender: "user@a.example",
            domain: None,
            helo: "mail.a.example",
            receiver: "receiver.example",
        };
        let resolver = Resolver::new(Arc::new(Silent(zone)));
        let checked = check_host(&message, &resolver, &clock);
        let turned = async {
            tokio::task::yield_now().await;
            clock.advance(TIME_LIMIT).await;
        };
        futures::join!(checked, turned).0
    };
    assert_eq!(decision.result, SpfResult::TempError);
    assert_eq!(decision.problem, Some(Problem::TimeLimit));
}

/// Never answers.
#[derive(Debug)]
struct Silent(#[expect(dead_code, reason = "a zone that nobody gets to see")] MapDns);

#[async_trait::async_trait]
impl protect_core::dns::DnsLookup for Silent {
    async fn query(&self, _: &str, _: RecordType) -> DnsAnswer {
        futures::future::pending().await
    }
}

#[test]
fn every_mistake_of_a_record_is_kept_with_its_place() {
    let record =
        Record::parse("V=SPF1 ip4:1.2.3 a moo redirect=b.example redirect=c.example").unwrap();
    let errors: Vec<_> = record
        .errors
        .iter()
        .map(|error| (error.place, error.kind))
        .collect();
    assert_eq!(
        errors,
        [
            (11, SyntaxErrorKind::Ip4),
            (19, SyntaxErrorKind::UnknownMechanism),
            (42, SyntaxErrorKind::SecondRedirect),
        ]
    );
    assert_eq!(record.to_string(), "v=spf1 a redirect=b.example");
}

#[test]
fn a_blank_before_the_version_or_a_letter_behind_it_makes_it_another_text() {
    for text in [
        "",
        " v=spf1",
        "v=spf10",
        "v=spf1\t-all",
        "spf2.0/pra",
        "v=spf",
    ] {
        assert!(!Record::is_spf(text), "{text}");
    }
    assert!(Record::is_spf("V=sPf1"));
}

fn term() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just(String::new()),
        Just(":b.example".to_owned()),
        Just(":%{i}._spf.%{d2r-}".to_owned()),
        Just(":a%%b%_c%-.example.".to_owned()),
        Just(":%{L99+/}".to_owned()),
    ];
    let sign = prop_oneof![Just(""), Just("+"), Just("-"), Just("~"), Just("?")];
    let mechanism = prop_oneof![
        Just("all"),
        Just("a"),
        Just("MX"),
        Just("ptr"),
        Just("include"),
        Just("exists")
    ];
    let cidr = prop_oneof![
        Just(""),
        Just("/24"),
        Just("//64"),
        Just("/0//128"),
        Just("/33")
    ];
    prop_oneof![
        (sign, mechanism, name, cidr).prop_map(|(s, m, n, c)| format!("{s}{m}{n}{c}")),
        any::<([u8; 4], u8)>().prop_map(|(ip, bits)| {
            format!("ip4:{}/{}", std::net::Ipv4Addr::from(ip), bits % 34)
        }),
        any::<([u8; 16], u8)>()
            .prop_map(|(ip, bits)| { format!("-ip6:{}/{bits}", std::net::Ipv6Addr::from(ip)) }),
        "redirect=[a-z]{1,3}\\.[a-z]{0,3}",
        "exp=%\\{[a-z][0-9]{0,2}r?\\}",
        "[a-z.-]{1,4}=[ -~]{0,6}",
    ]
}

proptest! {
    #[test]
    fn no_text_panics(text in "(v=spf1)?\\PC{0,80}") {
        let _ = Record::parse(&text);
    }

    #[test]
    fn what_is_printed_parses_to_the_same_terms(terms in prop::collection::vec(term(), 0..8)) {
        let record = Record::parse(&format!("v=spf1 {}", terms.join(" "))).unwrap();
        let printed = record.to_string();
        let again = Record::parse(&printed).unwrap();
        prop_assert_eq!(&again.errors, &[]);
        let kinds = |record: &Record| record.terms.iter().map(|term| term.kind.clone()).collect::<Vec<_>>();
        prop_assert_eq!(kinds(&again), kinds(&record));
        prop_assert_eq!(again.to_string(), printed);
    }
}
