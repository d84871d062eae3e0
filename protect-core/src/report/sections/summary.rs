//! Page one: how it stands, what changed, what to do first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::super::material::Material;
use super::super::{Block, Figure, Section};
use super::{counted, signed, table, text};
use crate::model::{Attribution, Finding, FindingKind, Severity};

/// How many things to do are listed.
const TO_DO: usize = 8;

pub(super) fn section(material: &Material) -> Section {
    let mut blocks = vec![text(standing(material)), text(changes(material))];
    blocks.push(figures(material));
    blocks.push(by_severity(material));
    if let Some(rows) = to_do(material) {
        blocks.push(text("What to do first, by what it does to the score:"));
        blocks.push(rows);
    }
    super::titled("summary", "Summary", blocks)
}

fn standing(material: &Material) -> String {
    let score = &material.score;
    let Some((total, rating)) = score.total.zip(score.rating) else {
        return "Nothing was looked at yet, so there is no score.".to_owned();
    };
    let compared = match (score.change, &score.month_before) {
        (Some(0), Some(_)) => "the same as a month before".to_owned(),
        (Some(change), Some(_)) => format!("{} since the month before", signed(change)),
        _ => "with no month before to compare it with".to_owned(),
    };
    format!(
        "The protection score is {total} of 100 ({}), {compared}.",
        rating.as_str()
    )
}

/// What happened in the month, in a sentence; exposures with whom they are known from.
fn changes(material: &Material) -> String {
    let of = |kind: FindingKind, holds: &dyn Fn(&Finding) -> bool| {
        let found = material.findings.iter();
        found
            .filter(|finding| finding.observation.kind == kind && holds(finding))
            .count()
    };
    let is_new = |finding: &Finding| material.is_new(finding);
    let is_over = |finding: &Finding| material.is_remediated(finding);
    let exposures = of(FindingKind::CredentialExposure, &is_new);
    let settings = of(FindingKind::Misconfiguration, &is_new) + of(FindingKind::Drift, &is_new);
    let mended = material.findings.iter().filter(|it| is_over(it)).count();
    let opened = material
        .incidents
        .iter()
        .filter(|incident| material.month.contains(incident.opened_at));
    let mut sentence = format!(
        "In {}: {}, {}, {}; {} put right.",
        material.month,
        counted(
            exposures,
            "new exposed credential",
            "new exposed credentials"
        ),
        counted(
            settings,
            "new setting that is wrong",
            "new settings that are wrong"
        ),
        counted(opened.count(), "incident opened", "incidents opened"),
        counted(mended, "finding", "findings"),
    );
    if exposures > 0 {
        sentence.push_str(&credit_of(material));
    }
    sentence
}

/// ` Exposed credentials are known from Have I Been Pwned (CC BY 4.0).`
fn credit_of(material: &Material) -> String {
    let names: Vec<String> = material.attributions().iter().map(credit).collect();
    if names.is_empty() {
        return String::new();
    }
    let all = material.findings.iter().all(|finding| {
        finding.observation.kind != FindingKind::CredentialExposure
            || finding.observation.attribution.is_some()
    });
    let part = if all { "" } else { "in part " };
    format!(
        " Exposed credentials are known {part}from {}.",
        names.join(", ")
    )
}

pub(super) fn credit(credit: &Attribution) -> String {
    format!("{} ({})", credit.source, credit.licence)
}

fn figures(material: &Material) -> Block {
    let count = |holds: &dyn Fn(&Finding) -> bool| {
        let found = material.findings.iter();
        found.filter(|finding| holds(finding)).count()
    };
    Block::Figures {
        figures: vec![
            Figure::new("new this month", count(&|f| material.is_new(f))),
            Figure::new("resolved this month", count(&|f| material.is_remediated(f))),
            Figure::new("open now", count(&|f| f.status.is_open())),
        ],
    }
}

fn by_severity(material: &Material) -> Block {
    let open = |severity: Severity| {
        let found = material.findings.iter();
        found
            .filter(|f| f.status.is_open() && f.observation.severity == severity)
            .count()
    };
    let bars = Severity::ALL.into_iter().rev();
    Block::Bars {
        bars: bars
            .map(|severity| Figure::new(severity.as_str(), open(severity)))
            .collect(),
    }
}

/// How many are alike, and whom one of them is known from.
type Alike<'a> = (usize, Option<&'a Attribution>);

/// What is open, alike ones together, by how much they weigh.
fn to_do(material: &Material) -> Option<Block> {
    let mut alike: BTreeMap<(&str, Severity, FindingKind), Alike<'_>> = BTreeMap::new();
    for finding in material.findings.iter().filter(|it| it.status.is_open()) {
        let seen = &finding.observation;
        let line = alike
            .entry((seen.title.as_str(), seen.severity, seen.kind))
            .or_default();
        line.0 += 1;
        line.1 = line.1.or(seen.attribution.as_ref());
    }
    let mut lines: Vec<_> = alike.into_iter().collect();
    lines.sort_by_key(|((title, severity, kind), (count, _))| {
        let weight = super::super::score::weight(*kind, *severity) as usize;
        (
            Reverse(weight.saturating_mul(*count)),
            Reverse(*severity),
            *title,
        )
    });
    lines.truncate(TO_DO);
    let is_credited = lines.iter().any(|(_, (_, from))| from.is_some());
    let rows = lines.into_iter().enumerate();
    let rows = rows.map(|(index, ((title, severity, _), (count, from)))| {
        let mut row = vec![
            (index + 1).to_string(),
            title.to_owned(),
            severity.to_string(),
            count.to_string(),
        ];
        row.extend(is_credited.then(|| from.map(credit).unwrap_or_default()));
        row
    });
    let columns = ["", "what", "severity", "how often", "source"];
    table(&columns[..if is_credited { 5 } else { 4 }], rows.collect())
}
