//! Reports about mail, for callers that have their bytes or their folder.

use std::path::Path;

use protect_core::operation::Model;
use protect_core::{Error, Result};
use protect_email::reports::failure::FailureReport;
use protect_email::reports::tls::TlsReport;
use protect_email::reports::{
    AggregateReport, Report, ReportsOverview, parse_report, read_reports,
};
use serde::Serialize;

/// What the functions of this module give.
pub(super) const MODELS: &[Model] = &[
    Model::of::<AggregateReport>("AggregateReport"),
    Model::of::<FailureReport>("FailureReport"),
    Model::of::<TlsReport>("TlsReport"),
    Model::of::<ReportsOverview>("ReportsOverview"),
];

/// A report as JSON, in pieces: a caller makes of the records only what it looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainReport {
    /// `aggregate`, `failure` or `tls`.
    pub kind: &'static str,
    /// The report, without its records.
    pub head: String,
    /// Each record of an aggregate report.
    pub records: Vec<String>,
}

/// Reads one report: XML, JSON, gzip, a zip archive or a whole message; of several the first.
///
/// # Errors
/// `invalid_input` where there is none, with the place.
pub fn email_parse_report(bytes: &[u8]) -> Result<PlainReport> {
    let (kind, head, records) = match parse_report(bytes)? {
        Report::Aggregate(mut report) => {
            let records = std::mem::take(&mut report.records);
            let records: Result<_> = records.iter().map(json).collect();
            ("aggregate", json(&report)?, records?)
        }
        Report::Failure(report) => ("failure", json(&report)?, Vec::new()),
        Report::Tls(report) => ("tls", json(&report)?, Vec::new()),
    };
    Ok(PlainReport {
        kind,
        head,
        records,
    })
}

/// Reads a file of reports, or every file below a folder; gives JSON of what they say together.
///
/// # Errors
/// `not_found` or `unavailable` for the path itself. What else cannot be read is in the answer.
pub fn email_read_reports(path: &str) -> Result<String> {
    json(&read_reports(Path::new(path))?)
}

fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| Error::unexpected("a report is not JSON"))
}
