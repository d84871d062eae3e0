//! Mail domains: how each is protected, and which records to publish. What receivers saw is told by the
//! section of the connector that reads their reports.

use super::super::material::Material;
use super::super::score::Rating;
use super::super::{Block, Section};
use super::{shown, table, text, titled};

pub(super) fn section(material: &Material) -> Option<Section> {
    let rows = material.domains.iter().map(|(domain, score)| {
        let rating = score.total.map(|total| Rating::of(total).as_str());
        vec![
            domain.clone(),
            shown(score.dmarc_policy.as_ref()),
            shown(score.spf.as_ref()),
            shown(score.dkim.as_ref()),
            shown(score.total),
            shown(rating.or(score.reason.as_deref())),
        ]
    });
    let columns = ["domain", "DMARC policy", "SPF", "DKIM", "score", "rating"];
    let mut blocks: Vec<Block> = table(&columns, rows.collect()).into_iter().collect();
    if blocks.is_empty() {
        return None;
    }
    let rows = material.changes.iter().map(|(domain, change)| {
        vec![
            domain.clone(),
            change.name.clone(),
            change.kind.clone(),
            change.value.clone(),
            change.reason.clone(),
        ]
    });
    let columns = ["domain", "name", "type", "record", "why"];
    if let Some(changes) = table(&columns, rows.collect()) {
        blocks.push(text("Records to publish:"));
        blocks.push(changes);
    }
    Some(titled("domains", "Mail domains", blocks))
}
