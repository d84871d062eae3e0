//! What a file or a folder of reports says, as one value.

use std::path::Path;

use protect_core::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::input::Source;
use super::reading::{Reading, Tally, Told};
use super::summary::{DomainSummary, summarise};
use super::{folder, limits};

/// What many reports say together. Bounded whatever their number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportsOverview {
    /// How much was read, and what of it counts.
    pub tally: Tally,
    /// The mail by domain.
    pub domains: Vec<DomainSummary>,
    /// What could not be read: the first hundred.
    pub broken: Vec<BrokenReport>,
    /// Whether all that was there was read.
    pub complete: bool,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BrokenReport {
    /// The file.
    pub file: String,
    /// The place within the file; empty for the file itself.
    pub part: String,
    /// The place within the document, where there is one.
    pub place: Option<String>,
    /// Why.
    pub message: String,
}

impl BrokenReport {
    /// From what was told of a file.
    pub fn new(file: &str, part: &str, error: &Error) -> Self {
        let mut facts = error.context().iter();
        let place = facts.find(|(name, _)| *name == "place");
        Self {
            file: file.to_owned(),
            part: part.to_owned(),
            place: place.map(|(_, place)| place.clone()),
            message: error.message().to_owned(),
        }
    }
}

/// Reads a file of reports, or every file below a folder.
///
/// # Errors
/// `not_found` or `unavailable` for the path itself. What else cannot be read is in the answer.
pub fn read_reports(path: &Path) -> Result<ReportsOverview> {
    let mut reading = Reading::default();
    let mut broken = Vec::new();
    let mut read = |path: &Path| {
        let file = path.display().to_string();
        reading.read(Source::File(path), &mut |told| {
            if let Told::Broken { part, error } = told
                && broken.len() < limits::ISSUES
            {
                broken.push(BrokenReport::new(&file, part, error));
            }
            Ok(())
        })
    };
    if path.is_dir() {
        for file in folder::files(path)? {
            read(&file?.path)?;
        }
    } else {
        path.metadata().map_err(|error| {
            Error::new(protect_core::ErrorKind::NotFound, "it cannot be read")
                .with_context("file", path.display().to_string())
                .with_source(error)
        })?;
        read(path)?;
    }
    let tally = reading.tally();
    Ok(ReportsOverview {
        tally,
        domains: summarise(reading.volumes()),
        broken,
        complete: tally.is_complete(),
    })
}
