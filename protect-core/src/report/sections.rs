//! The sections that every report has.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{Block, Figure, Month, ReportSection, Section};
use crate::engine::Tenant;
use crate::error::Result;
use crate::model::{
    Attribution, CheckResult, Finding, FindingStatus, Incident, Intent, Severity, Verdict,
};
use crate::store::{Query, RecordKind};

/// The library's own sections, in order.
pub(super) fn built_in() -> Vec<&'static dyn ReportSection> {
    vec![
        super::score::HISTORY,
        &Summary,
        &Incidents,
        &Actions,
        &Exceptions,
        &NotLookedAt,
    ]
}

/// Whom to credit for the stored findings, each once.
pub(super) async fn attributions(tenant: &Tenant) -> Result<Vec<Attribution>> {
    let mut credits: Vec<Attribution> = Vec::new();
    for finding in read::<Finding>(tenant, RecordKind::Finding).await? {
        if let Some(credit) = finding.observation.attribution
            && !credits.contains(&credit)
        {
            credits.push(credit);
        }
    }
    Ok(credits)
}

#[derive(Debug)]
struct Summary;

#[async_trait]
impl ReportSection for Summary {
    async fn write(&self, tenant: &Tenant, month: Month) -> Result<Option<Section>> {
        let findings = read::<Finding>(tenant, RecordKind::Finding).await?;
        let count = |holds: &dyn Fn(&Finding) -> bool| findings.iter().filter(|f| holds(f)).count();
        let open = |severity| count(&|f| f.status.is_open() && f.observation.severity == severity);
        let figures = vec![
            Figure::new("new this month", count(&|f| month.contains(f.first_seen))),
            Figure::new(
                "resolved this month",
                count(&|f| f.resolved_at.is_some_and(|at| month.contains(at))),
            ),
            Figure::new("open now", count(&|f| f.status.is_open())),
        ];
        let bars = Severity::ALL.into_iter().rev();
        let bars = bars.map(|severity| Figure::new(severity.as_str(), open(severity)));
        Ok(Some(Section {
            id: "summary".to_owned(),
            title: "Findings".to_owned(),
            blocks: vec![
                Block::Figures { figures },
                Block::Bars {
                    bars: bars.collect(),
                },
            ],
        }))
    }
}

#[derive(Debug)]
struct Incidents;

#[async_trait]
impl ReportSection for Incidents {
    async fn write(&self, tenant: &Tenant, month: Month) -> Result<Option<Section>> {
        let mut incidents = read::<Incident>(tenant, RecordKind::Incident).await?;
        incidents.retain(|incident| month.contains(incident.opened_at));
        // Worst first; what differs only in whom it is about is one line.
        let mut alike: BTreeMap<_, (usize, usize)> = BTreeMap::new();
        for incident in &incidents {
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
        Ok(table(
            "incidents",
            "Incidents opened",
            &columns,
            rows.collect(),
        ))
    }
}

#[derive(Debug)]
struct Actions;

#[async_trait]
impl ReportSection for Actions {
    async fn write(&self, tenant: &Tenant, month: Month) -> Result<Option<Section>> {
        let mut intents = read::<Intent>(tenant, RecordKind::Intent).await?;
        intents.retain(|intent| month.contains(intent.created_at));
        intents.sort_by_key(|intent| intent.created_at);
        let rows = intents.iter().map(|intent| {
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
        Ok(table("actions", "What was done", &columns, rows.collect()))
    }
}

/// Why it came out so, or why it waits.
fn why(intent: &Intent) -> String {
    let waits = intent.last_error.clone().unwrap_or_default();
    let outcome = intent.outcome.as_ref();
    outcome.map_or(waits, |outcome| outcome.reason.clone())
}

#[derive(Debug)]
struct Exceptions;

#[async_trait]
impl ReportSection for Exceptions {
    async fn write(&self, tenant: &Tenant, _: Month) -> Result<Option<Section>> {
        let mut findings = read::<Finding>(tenant, RecordKind::Finding).await?;
        findings.retain(|finding| finding.status == FindingStatus::Accepted);
        let rows = findings.iter().filter_map(|finding| {
            let acceptance = finding.acceptance.as_ref()?;
            Some(vec![
                finding.observation.title.clone(),
                acceptance.until.strftime("%Y-%m-%d").to_string(),
                acceptance.author.clone(),
                acceptance.reason.clone(),
            ])
        });
        let columns = ["what", "until", "accepted by", "why"];
        Ok(table(
            "exceptions",
            "Accepted for now",
            &columns,
            rows.collect(),
        ))
    }
}

#[derive(Debug)]
struct NotLookedAt;

#[async_trait]
impl ReportSection for NotLookedAt {
    async fn write(&self, tenant: &Tenant, _: Month) -> Result<Option<Section>> {
        let mut verdicts = read::<CheckResult>(tenant, RecordKind::Verdict).await?;
        verdicts.retain(|result| result.verdict == Verdict::NotEvaluated);
        // One name server that does not answer keeps dozens of checks from looking.
        let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for result in &verdicts {
            let checks = by_reason.entry(&result.reason).or_default();
            checks.push(result.check.as_str());
        }
        let mut reasons: Vec<_> = by_reason.into_iter().collect();
        reasons.sort_by_key(|(_, checks)| Reverse(checks.len()));
        let rows = reasons
            .into_iter()
            .map(|(reason, checks)| vec![reason.to_owned(), checks.join(", ")]);
        Ok(table(
            "not_evaluated",
            "Could not be looked at",
            &["why", "checks"],
            rows.collect(),
        ))
    }
}

fn table(id: &str, title: &str, columns: &[&str], rows: Vec<Vec<String>>) -> Option<Section> {
    if rows.is_empty() {
        return None;
    }
    let columns = columns.iter().map(|column| (*column).to_owned()).collect();
    Some(Section {
        id: id.to_owned(),
        title: title.to_owned(),
        blocks: vec![Block::Table { columns, rows }],
    })
}

async fn read<T: serde::de::DeserializeOwned>(tenant: &Tenant, kind: RecordKind) -> Result<Vec<T>> {
    let read = tenant.read_all(Query::all(kind)).await?;
    Ok(read.into_iter().map(|versioned| versioned.value).collect())
}
