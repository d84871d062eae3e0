//! The settings of applications: how each stands, what is new, what was put right, what is left.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::super::material::Material;
use super::super::score::{DayScore, ScoreArea, ScoreMember};
use super::super::{Block, Line, Section};
use super::{shown, signed, table, text, titled};
use crate::model::{Finding, FindingKind};

/// How many of what is left are listed.
const TOP: usize = 10;

pub(super) fn section(material: &Material) -> Option<Section> {
    let part = material.score.part(ScoreArea::Saas)?;
    let mut blocks: Vec<Block> = Vec::new();
    let looked_at = |app: &&ScoreMember| app.passed + app.failed + app.not_evaluated > 0;
    let apps = part.members.iter().filter(looked_at);
    let rows = apps.map(|app| row(material, app)).collect();
    let columns = [
        "application",
        "score",
        "rating",
        "since last month",
        "passed",
        "failed",
        "new",
        "put right",
    ];
    blocks.extend(table(&columns, rows));
    blocks.extend(trend(material));
    if let Some(left) = left(material) {
        blocks.push(text("What is left, the worst first:"));
        blocks.push(left);
    }
    (!blocks.is_empty()).then(|| titled("saas", "Applications", blocks))
}

fn row(material: &Material, app: &ScoreMember) -> Vec<String> {
    let of_app = |finding: &&Finding| is_setting(finding) && finding.source.as_str() == app.name;
    let own = || material.findings.iter().filter(of_app);
    let before = material.score.month_before.as_ref();
    let before = before.and_then(|day| member_of(day, &app.name));
    let change = app.value.zip(before);
    let change = change.map(|(now, before)| signed(i64::from(now) - i64::from(before)));
    vec![
        app.name.clone(),
        shown(app.value),
        app.rating.map_or("–", |rating| rating.as_str()).to_owned(),
        shown(change),
        app.passed.to_string(),
        app.failed.to_string(),
        own().filter(|it| material.is_new(it)).count().to_string(),
        own()
            .filter(|it| material.is_remediated(it))
            .count()
            .to_string(),
    ]
}

fn member_of(day: &DayScore, name: &str) -> Option<u32> {
    day.members
        .get(ScoreArea::Saas.as_str())?
        .get(name)
        .copied()
}

/// A line an application, a point a day.
fn trend(material: &Material) -> Option<Block> {
    let days: Vec<_> = material
        .days
        .iter()
        .filter(|day| material.month.contains(day.at))
        .collect();
    let saas = ScoreArea::Saas.as_str();
    let names = days.iter().filter_map(|day| day.members.get(saas));
    let names: BTreeSet<&String> = names.flat_map(BTreeMap::keys).collect();
    let lines: Vec<Line> = names
        .into_iter()
        .map(|name| Line {
            label: name.clone(),
            percent: days
                .iter()
                .map(|day| member_of(day, name).map(f64::from))
                .collect(),
        })
        .collect();
    (days.len() > 1 && !lines.is_empty()).then(|| Block::Lines {
        title: format!("Score of each application by day in {}", material.month),
        along: days.iter().map(|day| day.day[8..].to_owned()).collect(),
        lines,
    })
}

fn left(material: &Material) -> Option<Block> {
    let mut alike: BTreeMap<_, usize> = BTreeMap::new();
    for finding in &material.findings {
        if is_setting(finding) && finding.status.is_open() {
            let seen = &finding.observation;
            let line = (Reverse(seen.severity), seen.title.as_str(), &finding.source);
            *alike.entry(line).or_default() += 1;
        }
    }
    let rows = alike.into_iter().take(TOP).map(|(line, count)| {
        let (Reverse(severity), title, app) = line;
        vec![
            severity.to_string(),
            title.to_owned(),
            app.to_string(),
            count.to_string(),
        ]
    });
    table(&["severity", "what", "where", "how often"], rows.collect())
}

fn is_setting(finding: &Finding) -> bool {
    matches!(
        finding.observation.kind,
        FindingKind::Misconfiguration | FindingKind::Drift
    )
}
