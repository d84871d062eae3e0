//! The include tree of SPF, for people.

use protect_connectors::email::spf::{LOOKUP_LIMIT, SpfAudit, SpfFound, SpfNode};

use crate::page::{Page, Table, Text, Tone};

/// Networks that are listed; the rest is counted.
const NETWORKS: usize = 8;

/// Who is authorised, and what it costs.
pub(super) fn spf(page: &mut Page, spf: &SpfAudit) {
    page.heading("SPF");
    let tone = if spf.lookups.count > LOOKUP_LIMIT {
        Tone::Bad
    } else {
        Tone::Plain
    };
    page.mixed([
        "  ".into(),
        Text::new(format!("{}/{LOOKUP_LIMIT} lookups", spf.lookups), tone),
        Text::faint(format!(", {} of them void", spf.void_lookups)),
    ]);
    let mut tree = Table::new(["lookups", "record of", "says"]).indent(2);
    for node in &spf.nodes {
        let indent = "  ".repeat(usize::try_from(node.depth).unwrap_or_default());
        tree.row([
            Text::faint(node.lookups.to_string()),
            format!("{indent}{}", node.domain).into(),
            said(node),
        ]);
    }
    page.table(tree);
    if !spf.networks.is_empty() {
        let shown = spf.networks.iter().take(NETWORKS).map(String::as_str);
        let mut shown: Vec<_> = shown.collect();
        let more = spf.networks.len().saturating_sub(NETWORKS);
        let more = format!("and {more} more");
        if spf.networks.len() > NETWORKS {
            shown.push(&more);
        }
        let count = spf.ip4_addresses;
        page.line(Text::faint(format!(
            "  {count} IPv4 addresses may send: {}",
            shown.join(", ")
        )));
    }
}

fn said(node: &SpfNode) -> Text {
    match &node.found {
        SpfFound::Record { text } => Text::faint(text),
        SpfFound::Nothing => Text::new("no record", Tone::Bad),
        SpfFound::NoSuchName { .. } => Text::new("no such name", Tone::Bad),
        SpfFound::Several { texts } => Text::new(format!("{} records", texts.len()), Tone::Bad),
        SpfFound::Loop => Text::new("leads through itself", Tone::Bad),
        SpfFound::NotWalked => Text::new("not walked: too deep or too many", Tone::Warn),
        SpfFound::Unknown { failure } => Text::new(failure.as_str(), Tone::Warn),
    }
}
