//! The audit: everything a record leads to, without stopping (RFC 7208 seen from the publisher's
//! side).

mod issues;
mod model;
#[cfg(test)]
mod tests;
mod walk;

pub use model::{
    Misplaced, SpfAudit, SpfCount, SpfFound, SpfIssue, SpfIssueKind, SpfNode, SpfTerm,
};

use self::walk::Walked;
use super::network::{Network, merged};
use super::record::{Qualifier, Record, TermKind};
use crate::name::DomainName;
use crate::resolve::Resolver;

/// Audits a domain's SPF. What DNS does not answer is part of the audit.
pub async fn audit(domain: &DomainName, dns: &Resolver) -> SpfAudit {
    let walked = walk::walk(domain, dns).await;
    let texts = dns.txt(domain).await.known().ok().flatten();
    let texts = texts.unwrap_or_default();
    let networks = merged(authorised(&walked));
    let own = walked.first();
    let lookups = own.map(|own| own.node.lookups).unwrap_or_default();
    SpfAudit {
        domain: domain.clone(),
        lookups,
        void_lookups: own.map(|own| own.node.void_lookups).unwrap_or_default(),
        complete: walked.iter().all(is_known),
        ip4_addresses: networks.iter().map(|network| network.ip4_size()).sum(),
        networks: networks.iter().map(ToString::to_string).collect(),
        all: effective_all(&walked),
        everybody: walked
            .iter()
            .any(|walked| walked.node.authorises && says(walked, Qualifier::Pass)),
        issues: issues::issues(&walked),
        misplaced: issues::misplaced(domain, &texts, dns).await,
        answer_size: issues::answer_size(domain, &texts),
        nodes: walked.into_iter().map(|walked| walked.node).collect(),
    }
}

/// Whether everything here could be looked at.
fn is_known(walked: &Walked) -> bool {
    let unknown = matches!(
        walked.node.found,
        SpfFound::Unknown { .. } | SpfFound::NotWalked
    );
    !unknown && walked.node.terms.iter().all(|term| term.failure.is_none())
}

/// What terms stand for that let mail pass.
fn authorised(walked: &[Walked]) -> impl Iterator<Item = Network> {
    let authorising = walked.iter().filter(|walked| walked.node.authorises);
    authorising.flat_map(|walked| {
        let terms = walked.record.iter().flat_map(|record| &record.terms);
        let passing = terms
            .zip(&walked.networks)
            .filter(|(term, _)| matches!(&term.kind, TermKind::Directive(Qualifier::Pass, _)));
        passing.flat_map(|(_, networks)| networks.iter().copied())
    })
}

fn says(walked: &Walked, qualifier: Qualifier) -> bool {
    let all = walked.record.as_ref().and_then(Record::all);
    all == Some(qualifier)
}

/// What `all` says at the domain, or where its `redirect` ends.
fn effective_all(walked: &[Walked]) -> Option<Qualifier> {
    let mut at = walked.first();
    let mut otherwise = None;
    while let Some(node) = at {
        let record = node.record.as_ref()?;
        if let Some(all) = record.all() {
            return Some(all);
        }
        let Some((redirect, _)) = record.redirect() else {
            return otherwise;
        };
        // Whoever is redirected to a record without an end has said what that says: nothing.
        otherwise = Some(Qualifier::Neutral);
        let mut terms = node.node.terms.iter();
        let term = terms.find(|term| term.place == redirect.place)?;
        // A node stands behind the one that leads to it, so this ends.
        at = walked.get(term.leads_to?);
    }
    None
}
