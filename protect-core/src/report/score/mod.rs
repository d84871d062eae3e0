//! The protection score: how well protected a tenant is, from 0 to 100, with everything that made the
//! number. The product combines its applications, its mail domains and what the dark web has of it;
//! how it weighs them is unpublished, so the weights are ours and stand in every score.
//!
//! What nobody looked at has no value and takes no part; it is never a good score and never a bad
//! one.

mod counted;
mod history;
mod parts;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use counted::Counted;
pub use history::DayScore;
pub(super) use history::section as history;
pub(super) use parts::DomainScore;

use crate::engine::{StoredVerdict, Tenant};
use crate::error::Result;
use crate::model::{ConnectorName, FindingKind, Month, Severity};

/// The way of counting; another way will have another name.
const VERSION: &str = "protection_v1";

/// How well protected a tenant is, with everything that made the number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// The way of counting.
    pub version: String,
    /// The weighted mean of the parts that have a value; `None` while none has.
    pub total: Option<u32>,
    /// The same as a word.
    pub rating: Option<Rating>,
    /// What it is made of: always the three areas, whether or not they have a value.
    pub parts: Vec<ScorePart>,
    /// What everything counts.
    pub weights: ScoreWeights,
    /// The last score of the month before, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month_before: Option<DayScore>,
    /// By how much it went up since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<i64>,
}

/// One part of a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScorePart {
    /// What it is about.
    pub area: ScoreArea,
    /// From 0 to 100; `None` where nothing was looked at.
    pub value: Option<u32>,
    /// The same as a word.
    pub rating: Option<Rating>,
    /// What it counts in the total, in percent, now that parts without a value are left out.
    pub percent: u32,
    /// Why there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Each application, or each domain.
    pub members: Vec<ScoreMember>,
    /// How many findings of each severity take something away.
    pub open: BTreeMap<String, u32>,
}

/// What a part of a score is about.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ScoreArea {
    /// The settings of applications: the mean of those that have a value.
    Saas,
    /// The mail authentication of domains: the mean of those that have a value.
    Email,
    /// Credentials in somebody else's hands.
    DarkWeb,
}

impl ScoreArea {
    /// Every area, in order.
    pub const ALL: [Self; 3] = [Self::Saas, Self::Email, Self::DarkWeb];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Saas => "saas",
            Self::Email => "email",
            Self::DarkWeb => "dark_web",
        }
    }

    /// What people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Saas => "applications",
            Self::Email => "mail domains",
            Self::DarkWeb => "dark web",
        }
    }
}

/// One application, or one domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreMember {
    /// The connector's name, or the domain.
    pub name: String,
    /// From 0 to 100; `None` where it could not be looked at.
    pub value: Option<u32>,
    /// The same as a word.
    pub rating: Option<Rating>,
    /// Why there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many checks passed.
    pub passed: u32,
    /// How many failed.
    pub failed: u32,
    /// How many could not look.
    pub not_evaluated: u32,
}

/// A score in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rating {
    /// 90 and more.
    Excellent,
    /// 70 and more.
    Good,
    /// 50 and more.
    Fair,
    /// Less.
    Poor,
}

impl Rating {
    /// The rating of a score.
    pub const fn of(score: u32) -> Self {
        match score {
            90.. => Self::Excellent,
            70.. => Self::Good,
            50.. => Self::Fair,
            _ => Self::Poor,
        }
    }

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Excellent => "excellent",
            Self::Good => "good",
            Self::Fair => "fair",
            Self::Poor => "poor",
        }
    }
}

/// What everything counts in a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreWeights {
    /// What each area counts in the total, in percent, where all have a value.
    pub areas: BTreeMap<String, u32>,
    /// What a check of a severity counts in its application's score.
    pub checks: BTreeMap<String, u32>,
    /// What an exposure of a severity takes away from the dark web's 100.
    pub exposures: BTreeMap<String, u32>,
}

/// What an area counts in the total, in percent.
const fn area_weight(area: ScoreArea) -> u32 {
    match area {
        ScoreArea::Saas => 40,
        ScoreArea::Email | ScoreArea::DarkWeb => 30,
    }
}

/// What a check counts in its application's score.
const fn check_weight(severity: Severity) -> u32 {
    match severity {
        Severity::Critical => 10,
        Severity::High => 6,
        Severity::Medium => 3,
        Severity::Low => 1,
        Severity::Info => 0,
    }
}

/// What an exposure takes away.
const fn exposure_weight(severity: Severity) -> u32 {
    match severity {
        Severity::Critical => 25,
        Severity::High => 15,
        Severity::Medium => 5,
        Severity::Low | Severity::Info => 0,
    }
}

impl ScoreWeights {
    fn ours() -> Self {
        let by_severity = |weight: fn(Severity) -> u32| {
            let pairs = Severity::ALL.into_iter();
            pairs.map(|it| (it.to_string(), weight(it))).collect()
        };
        Self {
            areas: ScoreArea::ALL
                .into_iter()
                .map(|area| (area.as_str().to_owned(), area_weight(area)))
                .collect(),
            checks: by_severity(check_weight),
            exposures: by_severity(exposure_weight),
        }
    }
}

impl Tenant {
    /// The score now, from what is stored. Calls no vendor.
    ///
    /// # Errors
    /// `store`.
    pub async fn score(&self) -> Result<Score> {
        self.score_of(&self.counted().await?).await
    }

    /// The score, for who has read the findings already.
    pub(super) async fn score_of(&self, findings: &[Counted]) -> Result<Score> {
        let (verdicts, domains) = (self.verdicts().await?, self.domain_scores().await?);
        let mut score = self.score_from(&verdicts, findings, &domains);
        score.compare_with(self.score_before_this_month().await?);
        Ok(score)
    }

    /// The score of what was read, not compared with anything.
    pub(super) fn score_from(
        &self,
        verdicts: &[StoredVerdict],
        findings: &[Counted],
        domains: &BTreeMap<String, DomainScore>,
    ) -> Score {
        let watches = |connector: &ConnectorName| {
            let connector = self.connector(connector).ok();
            connector
                .map(|it| it.capability().watches)
                .unwrap_or_default()
        };
        combine(vec![
            parts::saas(verdicts, findings, watches),
            parts::email(domains, findings),
            parts::dark_web(verdicts, findings),
        ])
    }
}

impl Score {
    /// One part.
    pub fn part(&self, area: ScoreArea) -> Option<&ScorePart> {
        self.parts.iter().find(|part| part.area == area)
    }

    /// The score that a month's report shows: of a month that is over the last one of its days, compared
    /// with the last one of the month before it.
    pub(super) fn of_month(mut self, month: Month, days: &[DayScore], now: Timestamp) -> Self {
        let last = |month: Month| days.iter().rfind(|day| month.contains(day.at));
        if now >= month.end()
            && let Some(day) = last(month)
        {
            self.total = day.total;
            self.rating = day.total.map(Rating::of);
            for part in &mut self.parts {
                part.value = day.parts.get(part.area.as_str()).copied();
                part.rating = part.value.map(Rating::of);
            }
        }
        let hour = jiff::SignedDuration::from_hours(1);
        let before = month.start().checked_sub(hour).ok();
        self.compare_with(before.and_then(|at| last(Month::of(at))).cloned());
        self
    }

    fn compare_with(&mut self, before: Option<DayScore>) {
        self.change = change(self.total, before.as_ref());
        self.month_before = before;
    }
}

/// What an open finding weighs where they are put in an order: what it counts in its part of the score.
pub(super) const fn weight(kind: FindingKind, severity: Severity) -> u32 {
    match kind {
        FindingKind::CredentialExposure => exposure_weight(severity),
        _ => check_weight(severity),
    }
}

/// The weighted mean of what has a value.
fn combine(mut parts: Vec<ScorePart>) -> Score {
    let weigh = |part: &ScorePart| part.value.map_or(0, |_| area_weight(part.area));
    let whole: u32 = parts.iter().map(weigh).sum();
    let sum: u32 = parts
        .iter()
        .map(|part| weigh(part) * part.value.unwrap_or_default())
        .sum();
    for part in &mut parts {
        part.percent = rounded(weigh(part) * 100, whole).unwrap_or_default();
    }
    let total = rounded(sum, whole);
    Score {
        version: VERSION.to_owned(),
        total,
        rating: total.map(Rating::of),
        parts,
        weights: ScoreWeights::ours(),
        month_before: None,
        change: None,
    }
}

fn change(total: Option<u32>, before: Option<&DayScore>) -> Option<i64> {
    Some(i64::from(total?) - i64::from(before?.total?))
}

/// A share, rounded half up; `None` of nothing.
fn rounded(part: u32, whole: u32) -> Option<u32> {
    (part.saturating_mul(2).saturating_add(whole)).checked_div(whole.saturating_mul(2))
}
