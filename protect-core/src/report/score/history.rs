//! The scores of days gone by: the last one of each day is kept.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Score, ScoreArea};
use crate::clock::later;
use crate::engine::Tenant;
use crate::error::Result;
use crate::model::Month;
use crate::report::{Block, Line, ReportSection, Section};
use crate::store::{Commit, Put, Query, RecordKind};

/// A score that is younger than this is not taken anew after a scan.
const FRESH: Duration = Duration::from_hours(1);

/// The section of the report that shows how the score went.
pub(in super::super) const HISTORY: &dyn ReportSection = &History;

/// The score of one day, as it was last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DayScore {
    /// The day, in UTC (`2026-11-26`).
    pub day: String,
    /// When it was taken.
    pub at: Timestamp,
    /// The total.
    pub total: Option<u32>,
    /// The parts that had a value, by area.
    pub parts: BTreeMap<String, u32>,
}

impl Tenant {
    /// Keeps the score of today, unless it was taken within the hour. A scan does it by itself.
    pub(crate) async fn keep_score(&self) -> Result<()> {
        let now = self.context().clock.now();
        let day = day_of(now);
        let known = self.read::<DayScore>(RecordKind::Score, &day).await?;
        if known.is_some_and(|known| now < later(known.value.at, FRESH)) {
            return Ok(());
        }
        let taken = of_day(&self.score().await?, day, now);
        let put = Put::new(RecordKind::Score, taken.day.as_str(), &taken)?;
        let commit = Commit::default().put(put);
        self.store().commit(self.id(), commit).await.map(drop)
    }

    /// The scores of a month, one for each day on which something was scanned.
    ///
    /// # Errors
    /// `store`.
    pub async fn score_history(&self, month: Month) -> Result<Vec<DayScore>> {
        let query = Query::prefix(RecordKind::Score, format!("{month}-"));
        let days = self.read_all::<DayScore>(query).await?;
        Ok(days.into_iter().map(|found| found.value).collect())
    }

    /// The scores of every day that is known, the earliest first.
    pub(in crate::report) async fn score_days(&self) -> Result<Vec<DayScore>> {
        let days = self
            .read_all::<DayScore>(Query::all(RecordKind::Score))
            .await?;
        let mut days: Vec<DayScore> = days.into_iter().map(|found| found.value).collect();
        days.sort_by_key(|day| day.at);
        Ok(days)
    }

    /// The last score of the month before this one.
    pub(super) async fn score_before_this_month(&self) -> Result<Option<DayScore>> {
        let this = Month::of(self.context().clock.now());
        let before = this
            .start()
            .checked_sub(jiff::SignedDuration::from_hours(1));
        let Ok(before) = before else { return Ok(None) };
        Ok(self.score_history(Month::of(before)).await?.pop())
    }
}

fn day_of(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).date().to_string()
}

fn of_day(score: &Score, day: String, at: Timestamp) -> DayScore {
    let parts = score.parts.iter();
    DayScore {
        day,
        at,
        total: score.total,
        parts: parts
            .filter_map(|part| Some((part.area.as_str().to_owned(), part.value?)))
            .collect(),
    }
}

#[derive(Debug)]
struct History;

#[async_trait]
impl ReportSection for History {
    async fn write(&self, tenant: &Tenant, month: Month) -> Result<Option<Section>> {
        let days = tenant.score_history(month).await?;
        if days.is_empty() {
            return Ok(None);
        }
        let percent = |of: &dyn Fn(&DayScore) -> Option<u32>| {
            days.iter().map(|day| of(day).map(f64::from)).collect()
        };
        let mut lines = vec![Line {
            label: "protection score".to_owned(),
            percent: percent(&|day| day.total),
        }];
        for area in ScoreArea::ALL {
            let of = |day: &DayScore| day.parts.get(area.as_str()).copied();
            if days.iter().any(|day| of(day).is_some()) {
                lines.push(Line {
                    label: area.title().to_owned(),
                    percent: percent(&of),
                });
            }
        }
        Ok(Some(Section {
            id: "score".to_owned(),
            title: "How the score went".to_owned(),
            blocks: vec![Block::Lines {
                title: format!("Protection score by day in {month}, from 0 to 100"),
                along: days.iter().map(|day| day.day[8..].to_owned()).collect(),
                lines,
            }],
        }))
    }
}
