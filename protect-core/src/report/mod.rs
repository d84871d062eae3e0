//! Scores and the monthly report: a shell that sections plug into.
//!
//! A section reads the store and gives blocks of plain data; one renderer per format turns every
//! section into JSON, Markdown or HTML, so that a new section needs no new template.

mod cloud_events;
mod html;
mod kept;
#[cfg(feature = "people")]
mod leaving;
mod lines;
mod markdown;
mod material;
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

use crate::config::{BrandingConfig, Colour};
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
    /// How it looks.
    #[serde(default)]
    pub branding: Branding,
    /// The score at that time, with its parts; of a month that is over, the last one of its days.
    pub score: Score,
    /// What it says.
    pub sections: Vec<Section>,
    /// Whom to credit for the data in it.
    pub attributions: Vec<Attribution>,
}

/// How a report looks; what is left out looks like ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Branding {
    /// A picture as `data:` URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// The colour of the band on top, and of what is written on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band: Option<[String; 2]>,
    /// The colour of charts in daylight and in the dark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accent: Option<[String; 2]>,
    /// What stands at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
}

impl Branding {
    fn of(config: &BrandingConfig) -> Self {
        let band = |colour: Colour| [colour.to_string(), colour.ink().to_string()];
        let accent = |colour: Colour| [colour.to_string(), colour.in_the_dark().to_string()];
        Self {
            logo: config.logo.clone(),
            band: config.primary.map(band),
            accent: config.accent.map(accent),
            footer: config.footer.clone(),
        }
    }
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
    /// What happened, entry by entry of the ledger, as Cloud Events 1.0, one JSON document a line.
    #[serde(rename = "cloudevents")]
    CloudEvents,
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
    /// then `more`; a section whose name is there already is left out. Of a month whose report was kept
    /// it is that one, as it was.
    ///
    /// # Errors
    /// `store`.
    pub async fn report(&self, month: Month, more: &[&dyn ReportSection]) -> Result<Report> {
        if let Some(kept) = self.kept_report(month).await? {
            return Ok(kept);
        }
        let material = self.material(month).await?;
        let mut written = sections::leading(&material);
        let registered = self.report_sections().iter().copied();
        for section in registered.chain(more.iter().copied()) {
            let Some(section) = section.write(self, month).await? else {
                continue;
            };
            if written.iter().all(|known| known.id != section.id) {
                written.push(section);
            }
        }
        written.extend(sections::trailing(&material));
        Ok(Report {
            tenant: self.id().clone(),
            name: self.config().name.clone(),
            month,
            made_at: self.context().clock.now(),
            branding: Branding::of(&self.config().branding),
            attributions: material.attributions(),
            score: material.score,
            sections: written,
        })
    }
}

impl Tenant {
    /// A month as text, in the format that is asked for.
    ///
    /// # Errors
    /// As for [`Tenant::report`], [`Tenant::ocsf`] and [`Tenant::cloud_events`].
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
            ReportFormat::CloudEvents => self.cloud_events(month).await,
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
