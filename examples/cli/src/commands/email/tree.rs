//! The include tree of SPF, for people.

use protect_connectors::email::SpfAudit;
use protect_connectors::email::spf::{LOOKUP_LIMIT, SpfFound, SpfNode, SpfTerm};

use crate::page::{Page, Table, Text, Tone};

/// Who is authorised, and what it costs.
pub(super) fn spf(page: &mut Page, spf: &SpfAudit) {
    let Some(own) = spf.own().filter(|own| !own.terms.is_empty()) else {
        return;
    };
    page.heading(format!(
        "SPF: {} of {LOOKUP_LIMIT} lookups, {} networks",
        spf.lookups,
        spf.networks.len()
    ));
    let mut table = Table::new(["lookups", "term", "addresses"]).indent(2);
    terms(&mut table, spf, own);
    page.table(table);
}

/// The terms of a record, each with those that it leads to below it. A record stands behind the one
/// that leads to it, so this ends.
fn terms(table: &mut Table, spf: &SpfAudit, node: &SpfNode) {
    let indent = "  ".repeat(node.depth.try_into().unwrap_or(usize::MAX).min(20));
    for term in &node.terms {
        let cost = match term.lookups.count {
            0 => String::new(),
            _ => term.lookups.to_string(),
        };
        let target = term.leads_to.and_then(|index| spf.nodes.get(index));
        table.row([
            cost.into(),
            Text::new(format!("{indent}{}", term.text), tone(term, target)),
            Text::faint(addresses(term, target)),
        ]);
        if let Some(target) = target {
            terms(table, spf, target);
        }
    }
}

fn tone(term: &SpfTerm, target: Option<&SpfNode>) -> Tone {
    let broken = target.is_some_and(|node| !matches!(node.found, SpfFound::Record { .. }));
    if broken || term.failure.is_some() {
        Tone::Bad
    } else if term.dead || term.finds_nothing() {
        Tone::Warn
    } else {
        Tone::Plain
    }
}

fn addresses(term: &SpfTerm, target: Option<&SpfNode>) -> String {
    if let Some(failure) = term.failure {
        return failure.to_string();
    }
    match target.map(|node| &node.found) {
        Some(SpfFound::Nothing) => "no record".to_owned(),
        Some(SpfFound::NoSuchName { .. }) => "no such name".to_owned(),
        Some(SpfFound::Several { .. }) => "several records".to_owned(),
        Some(SpfFound::Loop) => "leads back".to_owned(),
        Some(SpfFound::NotWalked) => "not looked at".to_owned(),
        Some(SpfFound::Unknown { failure }) => failure.to_string(),
        Some(SpfFound::Record { .. }) => String::new(),
        None if term.dead => "never reached".to_owned(),
        None if term.dynamic => "depends on the message".to_owned(),
        // An address literal says it all.
        None if term.text.contains("ip4:") || term.text.contains("ip6:") => String::new(),
        None => term.networks.join(" "),
    }
}
