//! What happened and what could not be looked at, line by line.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::super::Section;
use super::super::material::Material;
use super::{table, titled};
use crate::model::{FindingStatus, Intent, Verdict};

pub(super) fn incidents(material: &Material) -> Option<Section> {
    let opened = material.incidents.iter();
    let opened = opened.filter(|incident| material.month.contains(incident.opened_at));
    // Worst first; what differs only in whom it is about is one line.
    let mut alike: BTreeMap<_, (usize, usize)> = BTreeMap::new();
    for incident in opened {
        let line = (
            Reverse(incident.severity),
            incident.title.as_str(),
            incident.status.as_str(),
        );
        let counts = alike.entry(line).or_default();
        counts.0 += 1;
        counts.1 += incident.findings.len();
    }
    let rows = alike.into_iter().map(|(line, counts)| {
        let (Reverse(severity), title, status) = line;
        vec![
            severity.to_string(),
            title.to_owned(),
            counts.0.to_string(),
            counts.1.to_string(),
            status.to_owned(),
        ]
    });
    let columns = ["severity", "what", "incidents", "findings", "status"];
    of("incidents", "Incidents opened", &columns, rows.collect())
}

pub(super) fn actions(material: &Material) -> Option<Section> {
    let mut intents: Vec<&Intent> = material
        .intents
        .iter()
        .filter(|intent| material.month.contains(intent.created_at))
        .collect();
    intents.sort_by_key(|intent| intent.created_at);
    let rows = intents.into_iter().map(|intent| {
        let outcome = intent.outcome.as_ref();
        vec![
            intent.created_at.strftime("%Y-%m-%d %H:%M").to_string(),
            intent.action.kind.to_string(),
            intent.action.target.connector().to_string(),
            outcome
                .map_or("waits", |outcome| outcome.status.as_str())
                .to_owned(),
            why(intent),
        ]
    });
    let columns = ["approved (UTC)", "action", "at", "outcome", "why"];
    of("actions", "What was done", &columns, rows.collect())
}

/// Why it came out so, or why it waits.
fn why(intent: &Intent) -> String {
    let waits = intent.last_error.clone().unwrap_or_default();
    let outcome = intent.outcome.as_ref();
    outcome.map_or(waits, |outcome| outcome.reason.clone())
}

pub(super) fn exceptions(material: &Material) -> Option<Section> {
    let accepted = material.findings.iter();
    let accepted = accepted.filter(|finding| finding.status == FindingStatus::Accepted);
    let rows = accepted.filter_map(|finding| {
        let acceptance = finding.acceptance.as_ref()?;
        Some(vec![
            finding.observation.title.clone(),
            acceptance.until.strftime("%Y-%m-%d").to_string(),
            acceptance.author.clone(),
            acceptance.reason.clone(),
        ])
    });
    let columns = ["what", "until", "accepted by", "why"];
    of("exceptions", "Accepted for now", &columns, rows.collect())
}

pub(super) fn not_looked_at(material: &Material) -> Option<Section> {
    // One name server that does not answer keeps dozens of checks from looking.
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for verdict in &material.verdicts {
        let result = &verdict.result;
        if result.verdict == Verdict::NotEvaluated {
            let checks = by_reason.entry(&result.reason).or_default();
            checks.push(result.check.as_str());
        }
    }
    let mut reasons: Vec<_> = by_reason.into_iter().collect();
    reasons.sort_by_key(|(_, checks)| Reverse(checks.len()));
    let rows = reasons
        .into_iter()
        .map(|(reason, checks)| vec![reason.to_owned(), checks.join(", ")]);
    let columns = ["why", "checks"];
    of(
        "not_evaluated",
        "Could not be looked at",
        &columns,
        rows.collect(),
    )
}

fn of(id: &str, title: &str, columns: &[&str], rows: Vec<Vec<String>>) -> Option<Section> {
    table(columns, rows).map(|rows| titled(id, title, vec![rows]))
}
