use std::sync::Arc;

use protect_core::dns::{DnsAnswer, DnsFailure, DnsRecord, RecordType};
use protect_core::testing::MapDns;

use super::*;
use crate::spf::{LOOKUP_LIMIT, propose};

fn dns(records: &[(&str, &str)]) -> MapDns {
    let dns = MapDns::default();
    for (name, text) in records {
        dns.add(name, DnsRecord::Txt((*text).into()));
    }
    dns
}

fn address(dns: &MapDns, name: &str, address: [u8; 4]) {
    dns.add(name, DnsRecord::A(address.into()));
}

async fn audited(dns: MapDns) -> SpfAudit {
    let domain = DomainName::parse("a.example").unwrap();
    audit(&domain, &Resolver::new(Arc::new(dns))).await
}

fn kinds(audit: &SpfAudit) -> Vec<SpfIssueKind> {
    let mut kinds: Vec<_> = audit.issues.iter().map(|issue| issue.kind).collect();
    kinds.sort_unstable();
    kinds
}

#[tokio::test]
async fn lookups_are_counted_past_ten_and_repeated_includes_every_time() {
    let four = "v=spf1 a:h.example mx:h.example exists:h.example include:c.example";
    let zone = dns(&[
        (
            "a.example",
            "v=spf1 include:b.example include:b.example include:b.example -all",
        ),
        ("b.example", four),
        ("c.example", "v=spf1 ip4:203.0.113.0/24"),
    ]);
    address(&zone, "h.example", [198, 51, 100, 1]);
    let mail = DnsRecord::Mx {
        preference: 1,
        exchange: "h.example".to_owned(),
    };
    zone.add("h.example", mail);
    let audit = audited(zone).await;
    assert_eq!(
        audit.lookups,
        SpfCount {
            count: 15,
            at_least: false
        }
    );
    assert_eq!(audit.nodes.len(), 7);
    let own: Vec<_> = audit.nodes[0]
        .terms
        .iter()
        .map(|term| term.lookups.count)
        .collect();
    assert_eq!(own, [5, 5, 5, 0]);
    assert_eq!(audit.networks, ["198.51.100.1", "203.0.113.0/24"]);
    assert_eq!(audit.ip4_addresses, 257);
    // The hosts have no IPv6 address: two void terms each time, and the worse family counts.
    assert_eq!(audit.void_lookups.count, 6);
    assert!(audit.complete);
}

#[tokio::test]
async fn what_could_not_be_asked_makes_the_total_at_least() {
    let zone = dns(&[("a.example", "v=spf1 include:b.example a:c.example -all")]);
    let failed = DnsAnswer::Failed(DnsFailure::Timeout);
    zone.set("b.example", RecordType::Txt, failed);
    address(&zone, "c.example", [198, 51, 100, 1]);
    let audit = audited(zone).await;
    assert_eq!(audit.lookups.to_string(), "at least 2");
    assert!(!audit.complete);
    assert_eq!(kinds(&audit), []);
}

#[tokio::test]
async fn a_loop_ends_and_is_a_mistake() {
    let zone = dns(&[
        ("a.example", "v=spf1 include:b.example -all"),
        ("b.example", "v=spf1 redirect=a.example"),
    ]);
    let audit = audited(zone).await;
    assert_eq!(audit.nodes[2].found, SpfFound::Loop);
    assert_eq!(kinds(&audit), [SpfIssueKind::IncludeBroken]);
}

#[tokio::test]
async fn a_tree_without_end_is_cut_and_says_so() {
    let zone = MapDns::default();
    for n in 0..80 {
        let text = format!("v=spf1 include:d{}.a.example include:e{n}.a.example", n + 1);
        zone.set_txt(&format!("d{n}.a.example"), &[&text]);
        zone.set_txt(&format!("e{n}.a.example"), &["v=spf1 ip4:203.0.113.1"]);
    }
    zone.set_txt("a.example", &["v=spf1 include:d0.a.example -all"]);
    let audit = audited(zone).await;
    assert!(audit.nodes.iter().all(|node| node.depth <= 21));
    assert!(audit.lookups.at_least && !audit.complete);
    assert!(audit.lookups.count > 40);
}

#[tokio::test]
async fn every_oddity_is_named_once() {
    let zone = dns(&[
        (
            "a.example",
            "v=spf1 ip4:10.0.0.0/8 ip4:10.1.0.0/16 ip4:8.0.0.0/8 ptr ptr a:%{i}.b.example include:b.example include:c.test include:d.example moo all a redirect=b.example",
        ),
        ("b.example", "v=spf1 ?all"),
        ("d.example", "v=spf1 ip4:1.2.3"),
        ("d.example", "other"),
        ("_dmarc.a.example", "v=spf1 -all"),
        ("a.example", " v=spf1 -all"),
    ]);
    let audit = audited(zone).await;
    let mut expected = vec![
        SpfIssueKind::Syntax,
        SpfIssueKind::Syntax,
        SpfIssueKind::IncludeBroken,
        SpfIssueKind::IncludeDangling,
        SpfIssueKind::Ptr,
        SpfIssueKind::Ptr,
        SpfIssueKind::Dead,
        SpfIssueKind::Dead,
        SpfIssueKind::Duplicate,
        SpfIssueKind::Overlap,
        SpfIssueKind::WideRange,
        SpfIssueKind::WideRange,
        SpfIssueKind::PrivateRange,
        SpfIssueKind::PrivateRange,
        SpfIssueKind::Dynamic,
    ];
    expected.sort_unstable();
    assert_eq!(kinds(&audit), expected);
    assert_eq!(audit.misplaced.len(), 2);
    assert!(audit.everybody && audit.is_broken());
}

#[tokio::test]
async fn a_redirect_to_plus_all_lets_everybody_send_and_an_include_of_it_too() {
    for record in ["v=spf1 redirect=b.example", "v=spf1 include:b.example -all"] {
        let zone = dns(&[("a.example", record), ("b.example", "v=spf1 +all")]);
        assert!(audited(zone).await.everybody, "{record}");
    }
    let zone = dns(&[
        ("a.example", "v=spf1 -include:b.example ~all"),
        ("b.example", "v=spf1 ip4:203.0.113.1 +all"),
    ]);
    let audit = audited(zone).await;
    assert!(!audit.everybody);
    assert_eq!(audit.networks, [] as [&str; 0]);
}

#[tokio::test]
async fn the_proposed_record_means_the_same_and_is_as_short_as_can_be() {
    let zone = dns(&[
        (
            "a.example",
            "v=spf1 include:b.example ip4:203.0.113.0/25 a:gone.example ip4:203.0.113.128/25 ptr include:b.example foo=bar ?all ip4:198.51.100.9",
        ),
        ("b.example", "v=spf1 ip4:198.51.100.0/24 -all"),
    ]);
    let proposal = propose(&audited(zone).await, Some(false)).unwrap();
    assert_eq!(
        proposal.record,
        "v=spf1 ip4:203.0.113.0/24 include:b.example ~all"
    );
    assert_eq!(proposal.lookups.count, 1);
    assert_eq!(proposal.steps.len(), 7);
    assert!(proposal.flatten.is_empty());
}

#[tokio::test]
async fn a_record_that_is_right_is_left_alone_and_a_parked_domain_is_locked() {
    let zone = || dns(&[("a.example", "v=spf1 ip4:203.0.113.0/24 -all")]);
    assert_eq!(propose(&audited(zone()).await, Some(false)), None);
    let parked = propose(&audited(zone()).await, Some(true)).unwrap();
    assert_eq!(parked.record, "v=spf1 -all");
    let failed = DnsAnswer::Failed(DnsFailure::ServFail);
    let unknown = MapDns::default();
    unknown.set("a.example", RecordType::Txt, failed);
    assert_eq!(propose(&audited(unknown).await, Some(true)), None);
}

#[tokio::test]
async fn beyond_ten_lookups_it_says_what_to_flatten_and_what_to_drop() {
    let zone = dns(&[
        (
            "a.example",
            "v=spf1 a include:b.example include:c.example -all",
        ),
        (
            "b.example",
            "v=spf1 include:d.example include:d.example include:d.example include:d.example include:d.example -all",
        ),
        (
            "c.example",
            "v=spf1 include:d.example include:d.example include:d.example include:d.example a:%{i}.c.example -all",
        ),
        ("d.example", "v=spf1 ip4:203.0.113.7"),
    ]);
    address(&zone, "a.example", [198, 51, 100, 1]);
    let audit = audited(zone).await;
    assert_eq!(audit.lookups.count, 13);
    let proposal = propose(&audit, Some(false)).unwrap();
    assert_eq!(
        proposal.record,
        "v=spf1 ip4:198.51.100.1 include:b.example include:c.example -all"
    );
    assert!(proposal.lookups.count > LOOKUP_LIMIT);
    let terms = |savings: &[crate::spf::SpfSaving]| -> Vec<_> {
        savings
            .iter()
            .map(|saving| (saving.term.clone(), saving.saves))
            .collect()
    };
    let b = ("include:b.example".to_owned(), 6);
    let c = ("include:c.example".to_owned(), 6);
    // Both save enough; what depends on the message cannot be written out.
    assert_eq!(terms(&proposal.remove), [b.clone(), c]);
    assert_eq!(terms(&proposal.flatten)[0], b);
    assert_eq!(proposal.flatten[0].networks, ["203.0.113.7"]);
}
