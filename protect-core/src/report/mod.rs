//! Scores and the monthly report: a shell that sections plug into.
//!
//! A section reads the store and gives blocks of plain data; one renderer per format turns every
//! section into JSON, Markdown or HTML, so that a new section needs no new template.

mod html;
mod kept;
mod lines;
mod markdown;
mod ocsf;
mod overview;
mod score;
mod sections;
#[cfg(test)]
mod tests;
mod view;

use async_trait::async_trait;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::model::{AccessLevel, Month};
pub use kept::KeptReport;
pub use lines::drawing as line_chart;
pub use overview::Overview;
pub(crate) use overview::Overviews;
pub use score::{DayScore, Rating, Score, ScoreArea, ScoreMember, ScorePart, ScoreWeights};
pub use view::{
    ClientView, ViewAlert, ViewDomain, ViewMonth, ViewReport, ViewScore, Viewer, masked,
};

use crate::engine::Tenant;
use crate::error::{Error, Result};
use crate::model::{Attribution, TenantId};

/// What a tenant is told about one month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Whose report it is.
    pub tenant: TenantId,
    /// What people call the tenant.
    pub name: String,
    /// Which month (`2026-11`).
    pub month: Month,
    /// When it was made.
    pub made_at: Timestamp,
    /// The score at that time, with its parts.
    pub score: Score,
    /// What it says.
    pub sections: Vec<Section>,
    /// Whom to credit for the data in it.
    pub attributions: Vec<Attribution>,
}

/// How a month is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportFormat {
    /// One page that needs nothing else.
    Html,
    /// Markdown.
    Md,
    /// The report as one JSON document.
    Json,
    /// Findings, incidents and actions as OCSF 1.8.0 events, one JSON document a line.
    Ocsf,
}

/// One part of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Section {
    /// A stable name (`actions`).
    pub id: String,
    /// What people read above it.
    pub title: String,
    /// What it says, in order.
    pub blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    /// A paragraph.
    Text {
        /// The words.
        text: String,
    },
    /// Single figures side by side.
    Figures {
        /// Each with its label.
        figures: Vec<Figure>,
    },
    /// Rows under columns.
    Table {
        /// What stands above each column.
        columns: Vec<String>,
        /// The rows, each as long as `columns`.
        rows: Vec<Vec<String>>,
    },
    /// Counts drawn as bars.
    Bars {
        /// Each with its label.
        bars: Vec<Figure>,
    },
    /// Shares over time, drawn as lines.
    Lines {
        /// What the lines show, in a sentence for who cannot see them.
        title: String,
        /// What stands along the bottom, in order.
        along: Vec<String>,
        /// Each as long as `along`.
        lines: Vec<Line>,
    },
}

/// One line of a chart of shares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// What it shows.
    pub label: String,
    /// From 0 to 100 percent; `None` where nothing is known, which leaves a gap.
    pub percent: Vec<Option<f64>>,
}

/// A number and what it counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figure {
    /// What it counts.
    pub label: String,
    /// How many.
    pub value: u64,
}

impl Figure {
    /// A labelled count.
    pub fn new(label: impl Into<String>, value: usize) -> Self {
        Self {
            label: label.into(),
            value: value as u64,
        }
    }
}

/// Something that writes a section.
#[async_trait]
pub trait ReportSection: std::fmt::Debug + Send + Sync {
    /// The section for a month; `None` where there is nothing to say.
    ///
    /// # Errors
    /// `store`: a report is complete or is not made.
    async fn write(&self, tenant: &Tenant, month: Month) -> Result<Option<Section>>;
}

impl Tenant {
    /// The report of a month, with the library's own sections, those that the program registered, and
    /// then `more`; a section whose name is there already is left out.
    ///
    /// # Errors
    /// `store`.
    pub async fn report(&self, month: Month, more: &[&dyn ReportSection]) -> Result<Report> {
        let mut written = Vec::new();
        let own = sections::built_in().into_iter();
        let registered = self.report_sections().iter().copied();
        for section in own.chain(registered).chain(more.iter().copied()) {
            let Some(section) = section.write(self, month).await? else {
                continue;
            };
            if written.iter().all(|known: &Section| known.id != section.id) {
                written.push(section);
            }
        }
        Ok(Report {
            tenant: self.id().clone(),
            name: self.config().name.clone(),
            month,
            made_at: self.context().clock.now(),
            score: self.score().await?,
            sections: written,
            attributions: sections::attributions(self).await?,
        })
    }
}

impl Tenant {
    /// A month as text, in the format that is asked for.
    ///
    /// # Errors
    /// As for [`Tenant::report`] and [`Tenant::ocsf`].
    pub async fn report_as(
        &self,
        month: Month,
        format: ReportFormat,
        more: &[&dyn ReportSection],
    ) -> Result<String> {
        match format {
            ReportFormat::Html => self.report(month, more).await?.to_html(),
            ReportFormat::Md => Ok(self.report(month, more).await?.to_markdown()),
            ReportFormat::Json => self.report(month, more).await?.to_json(),
            ReportFormat::Ocsf => Ok(ocsf::lines(&self.ocsf(month).await?)),
        }
    }
}

impl Report {
    /// The report as one JSON document.
    ///
    /// # Errors
    /// `unexpected`, which only a defect causes.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map_err(|error| Error::unexpected("a report has no JSON form").with_source(error))
    }

    /// The report as Markdown.
    pub fn to_markdown(&self) -> String {
        markdown::render(self)
    }

    /// The report as one HTML page that needs nothing else: no script, no other file.
    ///
    /// # Errors
    /// `unexpected`, which only a defect causes.
    pub fn to_html(&self) -> Result<String> {
        html::render(self)
    }
}
