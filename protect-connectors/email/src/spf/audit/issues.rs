//! Mistakes and oddities of what was walked.

use std::collections::HashSet;
use std::sync::LazyLock;

use protect_core::dns::TxtRecord;

use super::model::{Misplaced, SpfFound, SpfIssue, SpfIssueKind};
use super::walk::{Walked, live_terms};
use crate::name::DomainName;
use crate::resolve::Resolver;
use crate::spf::network::Network;
use crate::spf::record::{Mechanism, Qualifier, Record, Term, TermKind};

/// Longer records need care to fit an answer of 512 bytes with everything else (RFC 7208 section
/// 3.4).
const LONGEST_RECORD: usize = 450;

/// Shorter prefixes stand for more addresses than a sender has.
const WIDEST: (u8, u8) = (16, 32);

/// Everything that is wrong or odd, node by node.
pub(super) fn issues(walked: &[Walked]) -> Vec<SpfIssue> {
    let mut all = Vec::new();
    for (index, node) in walked.iter().enumerate() {
        let at = At {
            domain: &node.node.domain,
            own: index == 0,
        };
        if let Some(record) = &node.record {
            syntax(&at, record, &mut all);
            terms(&at, node, record, &mut all);
            length(&at, node, &mut all);
        }
        leads(&at, node, walked, &mut all);
    }
    all
}

/// Whose record is looked at.
struct At<'a> {
    domain: &'a DomainName,
    own: bool,
}

impl At<'_> {
    fn issue(&self, kind: SpfIssueKind, term: &str, place: usize, text: String) -> SpfIssue {
        SpfIssue {
            kind,
            domain: self.domain.clone(),
            own: self.own,
            term: term.to_owned(),
            place,
            text,
        }
    }

    fn about(&self, kind: SpfIssueKind, term: &Term, text: &str) -> SpfIssue {
        let written = term.to_string();
        let text = format!("`{written}` {text}");
        self.issue(kind, &written, term.place, text)
    }
}

fn syntax(at: &At<'_>, record: &Record, all: &mut Vec<SpfIssue>) {
    for error in &record.errors {
        let text = format!("the record of {} cannot be read {error}", at.domain);
        all.push(at.issue(SpfIssueKind::Syntax, &error.term, error.place, text));
    }
}

fn terms(at: &At<'_>, node: &Walked, record: &Record, all: &mut Vec<SpfIssue>) {
    let mut before = HashSet::new();
    for (index, (term, live)) in live_terms(record).enumerate() {
        if !live {
            let text = "is never reached: `all` stands before it or beside it";
            all.push(at.about(SpfIssueKind::Dead, term, text));
            continue;
        }
        if !before.insert(&term.kind) {
            all.push(at.about(SpfIssueKind::Duplicate, term, "stands there twice"));
        }
        if node.crowded.contains(&index) {
            let text = "leads to more than ten mail hosts, which receivers refuse";
            all.push(at.about(SpfIssueKind::MxTooMany, term, text));
        }
        let dynamic = node.node.terms.get(index).is_some_and(|term| term.dynamic);
        if dynamic {
            let text = "depends on the message: its cost counts, its content cannot be checked";
            all.push(at.about(SpfIssueKind::Dynamic, term, text));
        }
        mechanism(at, term, all);
    }
    overlaps(at, record, all);
}

fn mechanism(at: &At<'_>, term: &Term, all: &mut Vec<SpfIssue>) {
    let TermKind::Directive(_, mechanism) = &term.kind else {
        return;
    };
    match mechanism {
        Mechanism::Ptr(_) => {
            let text = "is slow and unreliable, and should not be used (RFC 7208 section 5.5)";
            all.push(at.about(SpfIssueKind::Ptr, term, text));
        }
        Mechanism::Ip4(network) => {
            if network.bits() < WIDEST.0 {
                let text = "stands for more than 65,536 addresses";
                all.push(at.about(SpfIssueKind::WideRange, term, text));
            }
            private(at, term, Network::V4(*network), all);
        }
        Mechanism::Ip6(network) => {
            if network.bits() < WIDEST.1 {
                let text = "stands for more than a provider's whole network";
                all.push(at.about(SpfIssueKind::WideRange, term, text));
            }
            private(at, term, Network::V6(*network), all);
        }
        _ => {}
    }
}

/// RFC 1918, RFC 6598, loopback, link-local, documentation (RFC 5737, RFC 3849), unique local.
static PRIVATE: LazyLock<Vec<Network>> = LazyLock::new(|| {
    let ranges = [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "::1",
        "fe80::/10",
        "fc00::/7",
        "2001:db8::/32",
    ];
    ranges.into_iter().filter_map(Network::parse).collect()
});

fn private(at: &At<'_>, term: &Term, network: Network, all: &mut Vec<SpfIssue>) {
    if PRIVATE.iter().any(|range| range.covers(network)) {
        let text = "stands for addresses that no mail comes from over the Internet";
        all.push(at.about(SpfIssueKind::PrivateRange, term, text));
    }
}

/// Networks of a record that others of it cover, with the same consequence.
fn overlaps(at: &At<'_>, record: &Record, all: &mut Vec<SpfIssue>) {
    let mut networks: Vec<_> = live_terms(record)
        .filter(|(_, live)| *live)
        .filter_map(|(term, _)| Some((network(term)?, term)))
        .collect();
    // Each network behind the widest that holds its first address.
    networks.sort_by_key(|((qualifier, network), _)| (qualifier.sign(), *network));
    let mut widest: Option<(Qualifier, Network)> = None;
    let mut covered = Vec::new();
    for ((qualifier, network), term) in networks {
        match widest {
            Some((of, wide)) if of == qualifier && wide.covers(network) => {
                // The second of two that are the same is a duplicate already.
                if wide != network {
                    covered.push(term);
                }
            }
            _ => widest = Some((qualifier, network)),
        }
    }
    covered.sort_by_key(|term| term.place);
    let text = "stands for addresses that another term of the record covers";
    all.extend(
        covered
            .iter()
            .map(|term| at.about(SpfIssueKind::Overlap, term, text)),
    );
}

fn network(term: &Term) -> Option<(Qualifier, Network)> {
    match &term.kind {
        TermKind::Directive(qualifier, Mechanism::Ip4(network)) => {
            Some((*qualifier, Network::V4(*network)))
        }
        TermKind::Directive(qualifier, Mechanism::Ip6(network)) => {
            Some((*qualifier, Network::V6(*network)))
        }
        _ => None,
    }
}

fn length(at: &At<'_>, node: &Walked, all: &mut Vec<SpfIssue>) {
    let SpfFound::Record { text } = &node.node.found else {
        return;
    };
    if at.own && text.len() > LONGEST_RECORD {
        let length = text.len();
        let text = format!("the record has {length} bytes; more than {LONGEST_RECORD} fit badly");
        all.push(at.issue(SpfIssueKind::TooLong, "", 0, text));
    }
}

/// Terms that lead to a record that is none.
fn leads(at: &At<'_>, node: &Walked, walked: &[Walked], all: &mut Vec<SpfIssue>) {
    for term in &node.node.terms {
        let Some(target) = term.leads_to.and_then(|index| walked.get(index)) else {
            continue;
        };
        let name = &target.node.domain;
        let (kind, what) = match &target.node.found {
            SpfFound::Nothing => (SpfIssueKind::IncludeBroken, "which has no SPF record"),
            SpfFound::NoSuchName {
                can_be_registered: true,
            } => (
                SpfIssueKind::IncludeDangling,
                "which nobody owns: whoever registers it may send",
            ),
            SpfFound::NoSuchName { .. } => (SpfIssueKind::IncludeBroken, "which does not exist"),
            SpfFound::Several { .. } => {
                (SpfIssueKind::IncludeBroken, "which has several SPF records")
            }
            SpfFound::Loop => (SpfIssueKind::IncludeBroken, "which leads back here"),
            SpfFound::Record { .. } if has_mistake(target) => {
                (SpfIssueKind::IncludeBroken, "whose record cannot be read")
            }
            SpfFound::Record { .. } | SpfFound::NotWalked | SpfFound::Unknown { .. } => continue,
        };
        let text = format!("`{}` leads to {name}, {what}", term.text);
        all.push(at.issue(kind, &term.text, term.place, text));
    }
}

fn has_mistake(walked: &Walked) -> bool {
    let mut records = walked.record.iter();
    records.any(|record| !record.errors.is_empty())
}

/// SPF text that no receiver reads: next to the record, and at names where people put it.
pub(super) async fn misplaced(
    domain: &DomainName,
    texts: &[TxtRecord],
    dns: &Resolver,
) -> Vec<Misplaced> {
    let mut all: Vec<_> = texts
        .iter()
        .filter_map(|text| oddity(&text.joined()))
        .map(|text| Misplaced {
            name: domain.clone(),
            text: text.to_owned(),
        })
        .collect();
    let has_record = texts.iter().any(|text| Record::is_spf(&text.joined()));
    for (label, only_without) in [("_dmarc", false), ("_spf", true)] {
        let Ok(name) = domain.child(label) else {
            continue;
        };
        if only_without && has_record {
            continue;
        }
        let there = dns.txt(&name).await.known().ok().flatten();
        let there = there.unwrap_or_default();
        if there.iter().any(|text| Record::is_spf(&text.joined())) {
            let text =
                "an SPF record stands where no receiver looks; it belongs to the domain itself";
            all.push(Misplaced {
                name,
                text: text.to_owned(),
            });
        }
    }
    all
}

fn oddity(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("spf2.0/") {
        return Some("a record of Sender ID is left over, which nobody reads any more");
    }
    if Record::is_spf(text) {
        let curly = ['\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}'];
        return text
            .contains(curly)
            .then_some("the record has typographic quotes in it");
    }
    let quotes = [
        ' ', '\t', '"', '\'', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}',
    ];
    let bare = lower.trim_start_matches(quotes);
    (bare.len() < lower.len() && bare.starts_with("v=spf1"))
        .then_some("the record begins with a blank or a quote, so that receivers do not see it")
}

/// Header, question, and each record with its owner compressed (RFC 1035 section 4).
pub(super) fn answer_size(domain: &DomainName, texts: &[TxtRecord]) -> u64 {
    let strings = |text: &TxtRecord| -> usize { text.0.iter().map(|s| s.len() + 1).sum() };
    let records: usize = texts.iter().map(|text| 12 + strings(text)).sum();
    let size = 12 + domain.as_str().len() + 2 + 4 + records;
    u64::try_from(size).unwrap_or(u64::MAX)
}
