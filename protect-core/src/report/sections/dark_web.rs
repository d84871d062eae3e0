//! Credentials in somebody else's hands: what is watched, what is new, what was done, what is left. Each
//! breach is shown with whom it is known from.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::material::Material;
use super::super::{Block, Figure, Month, Section};
use super::summary::credit;
use super::{table, titled};
use crate::model::{ActionKind, Finding, FindingKind, IncidentId, OutcomeStatus};

/// How many breaches are listed.
const BREACHES: usize = 15;

/// How many months the history goes back.
const MONTHS: usize = 12;

pub(super) fn section(material: &Material) -> Option<Section> {
    let exposures: Vec<&Finding> = material
        .findings
        .iter()
        .filter(|finding| finding.observation.kind == FindingKind::CredentialExposure)
        .collect();
    let watched = material.watched_domains + material.watched_addresses;
    if exposures.is_empty() && watched == 0 {
        return None;
    }
    let mut blocks = vec![figures(material, &exposures)];
    blocks.extend(done(material));
    blocks.extend(breaches(&exposures));
    blocks.extend(history(&exposures));
    Some(titled("dark_web", "Dark web", blocks))
}

fn figures(material: &Material, exposures: &[&Finding]) -> Block {
    let count = |holds: &dyn Fn(&Finding) -> bool| exposures.iter().filter(|f| holds(f)).count();
    Block::Figures {
        figures: vec![
            Figure::new("domains watched", material.watched_domains),
            Figure::new("addresses watched", material.watched_addresses),
            Figure::new("new this month", count(&|f| material.is_new(f))),
            Figure::new(
                "put right this month",
                count(&|f| material.is_remediated(f)),
            ),
            Figure::new("outstanding", count(&|f| f.status.is_open())),
        ],
    }
}

/// What was done about exposures in the month: passwords reset, second factors enrolled.
fn done(material: &Material) -> Option<Block> {
    let incidents: BTreeSet<&IncidentId> = material
        .incidents
        .iter()
        .filter(|incident| incident.kind == FindingKind::CredentialExposure)
        .map(|incident| &incident.id)
        .collect();
    let mut counts: BTreeMap<ActionKind, usize> = BTreeMap::new();
    for intent in &material.intents {
        let action = &intent.action;
        let is_about = action
            .incident
            .as_ref()
            .is_some_and(|id| incidents.contains(id));
        let applied = intent.outcome.as_ref().filter(|outcome| {
            outcome.status == OutcomeStatus::Applied && material.month.contains(outcome.at)
        });
        if is_about && applied.is_some() && action.kind.changes_an_account() {
            *counts.entry(action.kind).or_default() += 1;
        }
    }
    let rows = counts
        .into_iter()
        .map(|(kind, count)| vec![words(kind), count.to_string()]);
    table(&["done about it", "how often"], rows.collect())
}

fn words(kind: ActionKind) -> String {
    match kind {
        ActionKind::ForcePasswordReset => "passwords reset".to_owned(),
        ActionKind::EnrollMfa => "second factors enrolled".to_owned(),
        ActionKind::SuspendAccount => "accounts locked".to_owned(),
        ActionKind::RevokeSessions => "sessions ended".to_owned(),
        other => other.as_str().replace('_', " "),
    }
}

/// By breach, the latest first.
fn breaches(exposures: &[&Finding]) -> Option<Block> {
    struct Breach<'a> {
        date: &'a str,
        data: Vec<&'a str>,
        accounts: usize,
        open: usize,
        source: String,
    }
    let mut all: BTreeMap<&str, Breach<'_>> = BTreeMap::new();
    for finding in exposures {
        let seen = &finding.observation;
        let cause = seen.cause.as_deref();
        let name = cause.and_then(|cause| cause.strip_prefix("breach:"));
        let breach = all.entry(name.unwrap_or(&seen.title)).or_insert_with(|| {
            let date = seen.details.get("breach_date").and_then(Value::as_str);
            let data = seen.details.get("data_classes").and_then(Value::as_array);
            let data = data.into_iter().flatten().filter_map(Value::as_str);
            Breach {
                date: date.unwrap_or("–"),
                data: data.collect(),
                accounts: 0,
                open: 0,
                source: seen.attribution.as_ref().map(credit).unwrap_or_default(),
            }
        });
        breach.accounts += 1;
        breach.open += usize::from(finding.status.is_open());
    }
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|(name, breach)| (Reverse(breach.open), Reverse(breach.date), *name));
    let rows = all.into_iter().take(BREACHES).map(|(name, breach)| {
        vec![
            name.to_owned(),
            breach.date.to_owned(),
            breach.data.join(", "),
            breach.accounts.to_string(),
            breach.open.to_string(),
            breach.source,
        ]
    });
    let columns = [
        "breach",
        "when",
        "data",
        "accounts",
        "outstanding",
        "source",
    ];
    table(&columns, rows.collect())
}

fn history(exposures: &[&Finding]) -> Option<Block> {
    let mut months: BTreeMap<Month, usize> = BTreeMap::new();
    for finding in exposures {
        *months.entry(Month::of(finding.first_seen)).or_default() += 1;
    }
    let first = months.len().saturating_sub(MONTHS);
    let bars = months.into_iter().skip(first);
    let bars: Vec<_> = bars
        .map(|(month, count)| Figure::new(format!("new in {month}"), count))
        .collect();
    (bars.len() > 1).then_some(Block::Bars { bars })
}
