use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Tenant;
use crate::error::Result;
use crate::model::{Finding, FindingKind, FindingStatus, Severity};
use crate::store::{Query, RecordKind};

/// How well protected a tenant is, from 0 to 100, with everything that made the number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// The lowest of the parts: a chain is as strong as its weakest link. `None` while nothing was
    /// looked at.
    pub total: Option<u32>,
    /// One part per kind of finding that was looked for.
    pub parts: Vec<ScorePart>,
    /// What one open finding of a severity takes away.
    pub weights: BTreeMap<String, u32>,
}

/// One part of a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScorePart {
    /// The kind of finding.
    pub kind: FindingKind,
    /// 100 less what open findings take away, not below 0.
    pub value: u32,
    /// How many open findings of each severity there are.
    pub open: BTreeMap<String, u32>,
}

/// What one open finding takes away, by severity.
const fn weight(severity: Severity) -> u32 {
    match severity {
        Severity::Critical => 25,
        Severity::High => 10,
        Severity::Medium => 3,
        Severity::Low => 1,
        Severity::Info => 0,
    }
}

impl Tenant {
    /// The score now, from the stored findings. A kind nobody ever looked for has no part.
    ///
    /// # Errors
    /// `store`.
    pub async fn score(&self) -> Result<Score> {
        let findings = self
            .read_all::<Finding>(Query::all(RecordKind::Finding))
            .await?;
        let findings = findings.iter().map(|finding| &finding.value);
        Ok(score_of(findings))
    }
}

fn score_of<'a>(findings: impl Iterator<Item = &'a Finding>) -> Score {
    let mut kinds: BTreeMap<FindingKind, BTreeMap<Severity, u32>> = BTreeMap::new();
    for finding in findings {
        let open = kinds.entry(finding.observation.kind).or_default();
        let counts = finding.status.is_open() || finding.status == FindingStatus::Accepted;
        if counts {
            *open.entry(finding.observation.severity).or_default() += 1;
        }
    }
    let parts: Vec<_> = kinds
        .into_iter()
        .map(|(kind, open)| part(kind, &open))
        .collect();
    Score {
        total: parts.iter().map(|part| part.value).min(),
        parts,
        weights: Severity::ALL
            .into_iter()
            .map(|s| (s.to_string(), weight(s)))
            .collect(),
    }
}

fn part(kind: FindingKind, open: &BTreeMap<Severity, u32>) -> ScorePart {
    let taken = open.iter().fold(0_u32, |taken, (severity, count)| {
        taken.saturating_add(weight(*severity).saturating_mul(*count))
    });
    ScorePart {
        kind,
        value: 100_u32.saturating_sub(taken),
        open: open
            .iter()
            .map(|(severity, count)| (severity.to_string(), *count))
            .collect(),
    }
}
