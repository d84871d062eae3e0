//! The walk over everything a record leads to: level by level, so that the order, and with it where
//! a limit cuts, does not depend on who answers first.

use std::net::{IpAddr, Ipv4Addr};

use futures::future::join_all;

use super::model::{SpfCount, SpfFound, SpfNode, SpfTerm};
use crate::name::DomainName;
use crate::resolve::{Family, Lookup, LookupFailure, Mx, Resolver};
use crate::spf::lookup::{NAME_LIMIT, Published, published};
use crate::spf::macros::{MacroString, Values};
use crate::spf::network::Network;
use crate::spf::record::{Mechanism, Modifier, Prefixes, Qualifier, Record, Term, TermKind};

/// How far away from the domain the walk goes.
const DEEPEST: u32 = 20;

/// How many records it looks at.
const MOST_NODES: usize = 60;

/// A node in the making.
pub(super) struct Walked {
    pub(super) node: SpfNode,
    pub(super) record: Option<Record>,
    /// What each term stands for itself, term by term.
    pub(super) networks: Vec<Vec<Network>>,
    /// Terms whose `mx` leads to too many hosts.
    pub(super) crowded: Vec<usize>,
    /// Nothing at all was found here.
    void: bool,
    /// The node before it, and the term of that node.
    pub(super) from: Option<(usize, usize)>,
}

/// Walks from a domain.
pub(super) async fn walk(domain: &DomainName, dns: &Resolver) -> Vec<Walked> {
    let mut nodes = vec![Walked::new(domain.clone(), 0, true, None)];
    let mut level = 0..1;
    while !level.is_empty() {
        let end = nodes.len();
        let found = nodes.get(level.clone()).unwrap_or_default();
        let found = join_all(found.iter().map(|node| node.look(dns))).await;
        for (index, found) in level.zip(found) {
            let children = match nodes.get_mut(index) {
                Some(node) => node.take(found),
                None => Vec::new(),
            };
            for child in children {
                append(&mut nodes, index, child);
            }
        }
        level = end..nodes.len();
    }
    sum(&mut nodes);
    nodes
}

/// What a term leads to.
struct Child {
    term: usize,
    domain: DomainName,
    authorises: bool,
}

/// What was found at a node.
struct Look {
    found: SpfFound,
    record: Option<Record>,
    /// Nothing at all was found: whoever leads here asked in vain.
    void: bool,
    terms: Vec<Priced>,
}

/// What a term costs and means by itself.
#[derive(Default)]
struct Priced {
    void_ip4: u32,
    void_ip6: u32,
    networks: Vec<Network>,
    failure: Option<LookupFailure>,
    crowded: bool,
}

fn append(nodes: &mut Vec<Walked>, from: usize, child: Child) {
    let Some(parent) = nodes.get(from) else {
        return;
    };
    let depth = parent.node.depth + 1;
    let authorises = parent.node.authorises && child.authorises;
    let mut walked = Walked::new(child.domain, depth, authorises, Some((from, child.term)));
    if on_the_way(nodes, from, &walked.node.domain) {
        walked.node.found = SpfFound::Loop;
    } else if depth > DEEPEST || nodes.len() >= MOST_NODES {
        walked.node.found = SpfFound::NotWalked;
        walked.node.lookups.at_least = true;
    }
    let index = nodes.len();
    if let Some(term) = nodes
        .get_mut(from)
        .and_then(|parent| parent.node.terms.get_mut(child.term))
    {
        term.leads_to = Some(index);
    }
    nodes.push(walked);
}

fn on_the_way(nodes: &[Walked], from: usize, domain: &DomainName) -> bool {
    let mut at = nodes.get(from);
    while let Some(node) = at {
        if node.node.domain == *domain {
            return true;
        }
        at = node.from.and_then(|(before, _)| nodes.get(before));
    }
    false
}

/// Adds up from the far end: a node stands behind the one that leads to it.
fn sum(nodes: &mut [Walked]) {
    for index in (0..nodes.len()).rev() {
        let (before, rest) = nodes.split_at_mut(index);
        let Some(walked) = rest.first_mut() else {
            continue;
        };
        let (mut lookups, mut ip4, mut ip6) = (walked.node.lookups, 0, 0);
        for term in &walked.node.terms {
            lookups = lookups.and(term.lookups);
            ip4 += term.void_ip4;
            ip6 += term.void_ip6;
        }
        walked.node.lookups = lookups;
        walked.node.void_lookups = SpfCount {
            count: ip4.max(ip6),
            at_least: lookups.at_least,
        };
        let term = walked.from.and_then(|(node, term)| {
            let terms = &mut before.get_mut(node)?.node.terms;
            terms.get_mut(term)
        });
        if let Some(term) = term {
            term.lookups = term.lookups.and(lookups);
            // A term that leads to nothing is void, for both families alike.
            term.void_ip4 += ip4 + u32::from(walked.void);
            term.void_ip6 += ip6 + u32::from(walked.void);
        }
    }
}

impl Walked {
    fn new(domain: DomainName, depth: u32, authorises: bool, from: Option<(usize, usize)>) -> Self {
        Self {
            node: SpfNode {
                domain,
                depth,
                // Until it is looked at.
                found: SpfFound::Nothing,
                terms: Vec::new(),
                lookups: SpfCount::default(),
                void_lookups: SpfCount::default(),
                authorises,
            },
            record: None,
            networks: Vec::new(),
            crowded: Vec::new(),
            void: false,
            from,
        }
    }

    /// Asks for the record and for what its terms need; `None` where it is not to be walked.
    async fn look(&self, dns: &Resolver) -> Option<Look> {
        let domain = &self.node.domain;
        if matches!(self.node.found, SpfFound::Loop | SpfFound::NotWalked) {
            return None;
        }
        let mut look = Look {
            found: SpfFound::Nothing,
            record: None,
            void: false,
            terms: Vec::new(),
        };
        match published(domain, dns).await {
            Published::One(text, record) => {
                let priced = live_terms(&record).map(|(term, live)| async move {
                    if live {
                        price(domain, term, dns).await
                    } else {
                        Priced::default()
                    }
                });
                look.terms = join_all(priced).await;
                look.found = SpfFound::Record { text };
                look.record = Some(record);
            }
            Published::Nothing { void, no_name } => {
                look.void = void;
                if no_name {
                    let can_be_registered = is_free(domain, dns).await;
                    look.found = SpfFound::NoSuchName { can_be_registered };
                }
            }
            Published::Several(texts) => look.found = SpfFound::Several { texts },
            Published::Failed(failure) => look.found = SpfFound::Unknown { failure },
        }
        Some(look)
    }

    /// Keeps what was found; what the record leads to.
    fn take(&mut self, look: Option<Look>) -> Vec<Child> {
        let Some(look) = look else {
            return Vec::new();
        };
        let unknown = matches!(look.found, SpfFound::Unknown { .. });
        self.node.lookups.at_least |= unknown;
        self.node.found = look.found;
        let Some(record) = look.record else {
            self.void = look.void;
            return Vec::new();
        };
        let mut children = Vec::new();
        let domain = self.node.domain.clone();
        let mut priced = look.terms.into_iter();
        for (index, (term, live)) in live_terms(&record).enumerate() {
            let priced = priced.next().unwrap_or_default();
            self.networks.push(priced.networks.clone());
            if priced.crowded {
                self.crowded.push(index);
            }
            let target = leads_to(term).filter(|_| live);
            let dynamic = names(term).is_some_and(MacroString::is_dynamic);
            if let Some((name, authorises)) = target
                && !dynamic
                && let Some(domain) = fixed_name(&domain, name)
            {
                children.push(Child {
                    term: index,
                    domain,
                    authorises,
                });
            }
            self.node.terms.push(SpfTerm {
                text: term.to_string(),
                place: term.place,
                dead: !live,
                dynamic,
                lookups: SpfCount {
                    count: u32::from(live && asks_dns(term)),
                    // Who knows what stands there.
                    at_least: priced.failure.is_some() || (dynamic && target.is_some()),
                },
                void_ip4: priced.void_ip4,
                void_ip6: priced.void_ip6,
                networks: priced.networks.iter().map(ToString::to_string).collect(),
                leads_to: None,
                failure: priced.failure,
            });
        }
        self.record = Some(record);
        children
    }
}

/// Every term, and whether it can be reached: nothing behind `all` can, and no `redirect` beside it
/// (RFC 7208 sections 5.1 and 6.1).
pub(super) fn live_terms(record: &Record) -> impl Iterator<Item = (&Term, bool)> {
    let all = record.all().is_some();
    let mut ended = false;
    record.terms.iter().map(move |term| {
        let live = match &term.kind {
            TermKind::Directive(..) => !ended,
            TermKind::Modifier(Modifier::Redirect(_)) => !all,
            TermKind::Modifier(_) => true,
        };
        ended |= matches!(&term.kind, TermKind::Directive(_, Mechanism::All));
        (term, live)
    })
}

fn asks_dns(term: &Term) -> bool {
    match &term.kind {
        TermKind::Directive(_, mechanism) => mechanism.asks_dns(),
        TermKind::Modifier(modifier) => matches!(modifier, Modifier::Redirect(_)),
    }
}

/// The record that a term leads to, and whether a match there lets mail pass.
fn leads_to(term: &Term) -> Option<(&MacroString, bool)> {
    match &term.kind {
        TermKind::Directive(qualifier, Mechanism::Include(name)) => {
            Some((name, *qualifier == Qualifier::Pass))
        }
        TermKind::Modifier(Modifier::Redirect(name)) => Some((name, true)),
        _ => None,
    }
}

fn names(term: &Term) -> Option<&MacroString> {
    match &term.kind {
        TermKind::Directive(_, mechanism) => match mechanism {
            Mechanism::Include(name) | Mechanism::Exists(name) => Some(name),
            Mechanism::A(name, _) | Mechanism::Mx(name, _) | Mechanism::Ptr(name) => name.as_ref(),
            Mechanism::All | Mechanism::Ip4(_) | Mechanism::Ip6(_) => None,
        },
        TermKind::Modifier(Modifier::Redirect(name)) => Some(name),
        TermKind::Modifier(_) => None,
    }
}

/// What a text says that depends on the domain alone.
fn fixed_name(domain: &DomainName, text: &MacroString) -> Option<DomainName> {
    let nobody = Values {
        local: "",
        sender_domain: "",
        domain,
        ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        helo: "",
        validated: None,
        receiver: "",
        time: 0,
    };
    text.expand_name(&nobody).ok()
}

/// Asks what a term would ask, for both families of addresses.
async fn price(domain: &DomainName, term: &Term, dns: &Resolver) -> Priced {
    let TermKind::Directive(_, mechanism) = &term.kind else {
        return Priced::default();
    };
    if names(term).is_some_and(MacroString::is_dynamic) {
        return Priced::default();
    }
    let host = match names(term) {
        Some(text) => fixed_name(domain, text),
        None => Some(domain.clone()),
    };
    match (mechanism, host) {
        (Mechanism::Ip4(network), _) => Priced::of(Network::V4(*network)),
        (Mechanism::Ip6(network), _) => Priced::of(Network::V6(*network)),
        (Mechanism::A(_, prefixes), Some(host)) => host_price(&[host], *prefixes, dns).await,
        (Mechanism::Mx(_, prefixes), Some(host)) => mail_price(&host, *prefixes, dns).await,
        (Mechanism::Exists(_), Some(host)) => exists_price(&host, dns).await,
        _ => Priced::default(),
    }
}

/// The addresses of hosts. A family in which none of them has one is void, once for the term.
async fn host_price(hosts: &[DomainName], prefixes: Prefixes, dns: &Resolver) -> Priced {
    let mut priced = Priced::default();
    for family in [Family::V4, Family::V6] {
        let asked = hosts.iter().map(|host| dns.addresses(host, family));
        let mut void = true;
        for answer in join_all(asked).await {
            void &= answer.is_void();
            match answer.known() {
                Ok(addresses) => {
                    let addresses = addresses.unwrap_or_default().into_iter();
                    let around = |ip| Network::around(ip, prefixes.v4, prefixes.v6);
                    priced.networks.extend(addresses.map(around));
                }
                Err(failure) => priced.failure = Some(failure),
            }
        }
        match family {
            Family::V4 => priced.void_ip4 = u32::from(void),
            Family::V6 => priced.void_ip6 = u32::from(void),
        }
    }
    priced
}

async fn mail_price(domain: &DomainName, prefixes: Prefixes, dns: &Resolver) -> Priced {
    let answer = dns.mx(domain).await;
    let void = answer.is_void();
    let hosts = match answer.known() {
        Ok(hosts) => hosts.unwrap_or_default(),
        Err(failure) => {
            return Priced {
                failure: Some(failure),
                ..Priced::default()
            };
        }
    };
    let crowded = hosts.len() > NAME_LIMIT;
    // A receiver does not look further than ten; nor does this.
    let names: Vec<_> = hosts.iter().filter_map(Mx::host).take(NAME_LIMIT).collect();
    if names.is_empty() {
        return Priced {
            void_ip4: u32::from(void),
            void_ip6: u32::from(void),
            ..Priced::default()
        };
    }
    Priced {
        crowded,
        ..host_price(&names, prefixes, dns).await
    }
}

async fn exists_price(host: &DomainName, dns: &Resolver) -> Priced {
    let answer = dns.addresses(host, Family::V4).await;
    let void = u32::from(answer.is_void());
    Priced {
        void_ip4: void,
        void_ip6: void,
        failure: answer.failure(),
        ..Priced::default()
    }
}

impl Priced {
    fn of(network: Network) -> Self {
        Self {
            networks: vec![network],
            ..Self::default()
        }
    }
}

/// Whether the organisation's domain of a name does not exist.
async fn is_free(name: &DomainName, dns: &Resolver) -> bool {
    let Some(organisation) = psl::domain_str(name.as_str()) else {
        return false;
    };
    match DomainName::literal(organisation) {
        Ok(organisation) => matches!(dns.txt(&organisation).await, Lookup::NoName),
        Err(_) => false,
    }
}
