//! Whole reports at once, for callers that have a file's bytes and want what it says.

use protect_core::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::aggregate::{Head, Record};
use super::failure::FailureReport;
use super::input::{self, Document, Found, Shape, Source};
use super::issue::Issues;
use super::opening::Opening;
use super::tls::{self, TlsReport};

/// Records that are held at once. Who needs more reads them one by one with
/// [`AggregateReader`](super::aggregate::AggregateReader).
pub const HELD: usize = 100_000;

/// A report of any of the three kinds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Report {
    /// Counts of messages by source (RFC 9990, RFC 7489).
    Aggregate(AggregateReport),
    /// One message that failed (RFC 9991, RFC 6591).
    Failure(FailureReport),
    /// Counts of encrypted sessions (RFC 8460).
    Tls(TlsReport),
}

/// An aggregate report with all its records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AggregateReport {
    /// Who reports, and which policy.
    #[serde(flatten)]
    pub head: Head,
    /// The records that could be used, in the report's order.
    pub records: Vec<Record>,
    /// What could not be used.
    #[serde(default, skip_serializing_if = "Issues::is_empty")]
    pub issues: Issues,
    /// Whether some bytes were not text in the report's character set.
    #[serde(default)]
    pub lossy: bool,
    /// Whether the message that carried the report passed DMARC; `None` where nobody checked. A
    /// report is a claim, and only this tells whose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticated: Option<bool>,
}

/// Reads one report: XML, JSON, gzip, a zip archive or a whole message; of several the first.
///
/// # Errors
/// `invalid_input` where there is none, with the place and the part that was looked at. A record that
/// cannot be used is no error but an issue of the report.
pub fn parse_report(bytes: &[u8]) -> Result<Report> {
    parse_reports(bytes)?
        .into_iter()
        .next()
        .unwrap_or_else(|| Err(Error::invalid_input("it holds no report")))
}

/// Reads every report in a file's bytes. One that cannot be read does not hide the others.
///
/// # Errors
/// As for [`parse_report`], where not a single one is there to be read.
pub fn parse_reports(bytes: &[u8]) -> Result<Vec<Result<Report>>> {
    let mut reports = Vec::new();
    input::documents(Source::Bytes(bytes), &mut |found| {
        reports.push(match found {
            Found::Document(document) => {
                parse_document(document).map_err(|error| named(error, document.part))
            }
            Found::Failure(_, report) => Ok(Report::Failure(*report)),
            Found::Broken(part, error) => Err(named(error, part)),
        });
    })?;
    Ok(reports)
}

fn parse_document(document: &Document<'_>) -> Result<Report> {
    match document.shape {
        Shape::Json => Ok(Report::Tls(tls::read(document.open()?)?)),
        Shape::Xml => {
            let mut buffer = Vec::new();
            let opening = Opening::new(document, &mut buffer)?;
            let mut reader = opening.reader()?;
            let mut records = Vec::new();
            while let Some(record) = reader.next_record()? {
                if records.len() == HELD {
                    return Err(Error::invalid_input(format!(
                        "it has more than {HELD} records; read it record by record"
                    )));
                }
                records.push(record);
            }
            let lossy = reader.is_lossy();
            let (head, issues) = reader.finish()?;
            Ok(Report::Aggregate(AggregateReport {
                head,
                records,
                issues,
                lossy,
                authenticated: None,
            }))
        }
    }
}

fn named(error: Error, part: &str) -> Error {
    if part.is_empty() {
        error
    } else {
        error.with_context("part", part)
    }
}
