//! Many reports, one after another, each counted once.

use std::io::Read;

use protect_core::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::aggregate::{AggregateReader, Head, Record};
use super::failure::FailureReport;
use super::identity::{Fingerprint, Identity, Novelty, Seen};
use super::input::{self, Document, Found, Shape, Source};
use super::issue::Issues;
use super::opening::{Opened, Opening};
use super::tls::{self, TlsReport};
use super::volumes::Volumes;

/// How much was read, and what of it counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReportTally")]
pub struct Tally {
    /// Files, and other sources.
    pub files: u64,
    /// Aggregate reports that were read, with those that came twice.
    pub reports_read: u64,
    /// Their records.
    pub records_read: u64,
    /// Aggregate reports, each once.
    pub reports: u64,
    /// Their records.
    pub records: u64,
    /// Their messages.
    pub messages: u64,
    /// Reports that came again and were left out.
    pub duplicates: u64,
    /// Those of them that say something else than the first did.
    pub contradictions: u64,
    /// TLS reports, each once.
    pub tls_reports: u64,
    /// Failure reports.
    pub failure_reports: u64,
    /// Files, or parts of one, that could not be read.
    pub broken: u64,
    /// Values and records that could not be used.
    pub issues: u64,
    /// Records that were skipped.
    pub records_lost: u64,
    /// Reports of which a part was not read.
    pub incomplete: u64,
}

impl Tally {
    /// Whether all that was there was read.
    pub const fn is_complete(&self) -> bool {
        self.broken == 0 && self.records_lost == 0 && self.incomplete == 0
    }
}

/// What happens while reading. `part` is the place within a file, empty for the file itself.
#[derive(Debug)]
pub enum Told<'a> {
    /// A new aggregate report begins; its records follow.
    Begin {
        /// The place within the file.
        part: &'a str,
    },
    /// A record of it.
    Record(&'a Record),
    /// It ended.
    End {
        /// What it says beside its records.
        head: &'a Head,
        /// What could not be used.
        issues: &'a Issues,
        /// Whether some bytes were not text in its character set.
        lossy: bool,
    },
    /// A new TLS report.
    Tls {
        /// The place within the file.
        part: &'a str,
        /// The report.
        report: &'a TlsReport,
    },
    /// A failure report.
    Failure {
        /// The place within the file.
        part: &'a str,
        /// The report.
        report: &'a FailureReport,
    },
    /// A report that was read before: left out.
    Duplicate {
        /// The place within the file.
        part: &'a str,
        /// Whether its records are others than before.
        contradicts: bool,
    },
    /// Something that could not be read.
    Broken {
        /// The place within the file.
        part: &'a str,
        /// Why, and where in it.
        error: &'a Error,
    },
}

/// Reads files of reports and keeps what they say together. Memory does not grow with records, and
/// with reports by the few bytes that tell one from another.
#[derive(Debug, Default)]
pub struct Reading {
    seen: Seen,
    volumes: Volumes,
    tally: Tally,
    /// Where small documents are held; empty between them.
    buffer: Vec<u8>,
}

type Tell<'t> = &'t mut dyn FnMut(Told<'_>) -> Result<()>;

impl Reading {
    /// Goes on where reports were read before: those are not counted again.
    pub fn after(seen: Seen) -> Self {
        Self {
            seen,
            ..Self::default()
        }
    }

    /// The reports that were read, now and before.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Reads one source and tells what is in it. What cannot be read is told, not an error.
    ///
    /// # Errors
    /// Only what `tell` gives.
    pub fn read(&mut self, source: Source<'_>, tell: Tell<'_>) -> Result<()> {
        self.tally.files += 1;
        let mut told = Ok(());
        let walked = input::documents(source, &mut |found| {
            if told.is_ok() {
                told = self.found(found, tell);
            }
        });
        told?;
        match walked {
            Ok(()) => Ok(()),
            Err(error) => self.broken("", &error, tell),
        }
    }

    /// Counts a file that could not even be opened.
    ///
    /// # Errors
    /// Only what `tell` gives.
    pub fn broken(&mut self, part: &str, error: &Error, tell: Tell<'_>) -> Result<()> {
        self.tally.broken += 1;
        tell(Told::Broken { part, error })
    }

    /// How much was read so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// What the reports say together so far.
    pub fn volumes(&self) -> &Volumes {
        &self.volumes
    }

    /// The same, to be stored.
    pub fn into_volumes(self) -> Volumes {
        self.volumes
    }

    fn found(&mut self, found: Found<'_, '_>, tell: Tell<'_>) -> Result<()> {
        match found {
            Found::Broken(part, error) => self.broken(part, &error, tell),
            Found::Failure(part, report) => {
                self.tally.failure_reports += 1;
                tell(Told::Failure {
                    part,
                    report: &report,
                })
            }
            Found::Document(document) => {
                let part = document.part;
                match document.shape {
                    Shape::Xml => {
                        let mut buffer = std::mem::take(&mut self.buffer);
                        let read = self.xml(document, &mut buffer, tell);
                        self.buffer = buffer;
                        read
                    }
                    Shape::Json => match document.open().and_then(tls::read) {
                        Ok(report) => self.tls(part, &report, tell),
                        Err(error) => self.broken(part, &error, tell),
                    },
                }
            }
        }
    }

    fn xml(&mut self, document: &Document<'_>, buffer: &mut Vec<u8>, tell: Tell<'_>) -> Result<()> {
        let part = document.part;
        let opening = match Opening::new(document, buffer) {
            Ok(opening) => opening,
            Err(error) => return self.broken(part, &error, tell),
        };
        match begin(&opening) {
            Ok((reader, first)) => self.aggregate(part, reader, first, tell),
            Err(error) => self.broken(part, &error, tell),
        }
    }

    fn aggregate<R: Read>(
        &mut self,
        part: &str,
        mut reader: AggregateReader<'_, R>,
        first: Option<Record>,
        tell: Tell<'_>,
    ) -> Result<()> {
        let identity = Identity::of(reader.head());
        let is_new = !self.seen.contains(identity);
        let mut volumes = None;
        if is_new {
            volumes = self.volumes.report(reader.head());
            tell(Told::Begin { part })?;
        }
        let mut fingerprint = Fingerprint::default();
        let (mut records, mut messages) = (0_u64, 0_u64);
        let mut next = first;
        while let Some(record) = next {
            records += 1;
            messages = messages.saturating_add(record.count);
            fingerprint.add(&record);
            if let Some(volumes) = &mut volumes {
                volumes.add(&record);
            }
            if is_new {
                tell(Told::Record(&record))?;
            }
            next = reader.next_record()?;
        }
        let issues = reader.issues();
        self.tally.reports_read += 1;
        self.tally.records_read += records;
        let novelty = self.seen.add(identity, fingerprint);
        if novelty != Novelty::New {
            let contradicts = novelty == Novelty::Contradicts;
            self.tally.duplicates += 1;
            self.tally.contradictions += u64::from(contradicts);
            return tell(Told::Duplicate { part, contradicts });
        }
        self.tally.reports += 1;
        self.tally.records += records;
        self.tally.messages = self.tally.messages.saturating_add(messages);
        self.tally.issues += issues.listed.len() as u64 + issues.omitted;
        self.tally.records_lost += issues.records_lost;
        self.tally.incomplete += u64::from(issues.incomplete);
        tell(Told::End {
            head: reader.head(),
            issues,
            lossy: reader.is_lossy(),
        })
    }

    fn tls(&mut self, part: &str, report: &TlsReport, tell: Tell<'_>) -> Result<()> {
        let identity = Identity::of_tls(report);
        if self.seen.add(identity, Fingerprint::default()) == Novelty::New {
            self.tally.tls_reports += 1;
            return tell(Told::Tls { part, report });
        }
        self.tally.duplicates += 1;
        tell(Told::Duplicate {
            part,
            contradicts: false,
        })
    }
}

/// A reader at its first record, knowing which report it reads. Where that stands behind the
/// records, the document is read twice.
fn begin<'o, 'b>(opening: &'o Opening<'b, '_>) -> Result<(Opened<'o, 'b>, Option<Record>)> {
    let mut reader = opening.reader()?;
    let first = reader.next_record()?;
    if first.is_none() || reader.is_identified() {
        return Ok((reader, first));
    }
    let (head, _) = reader.finish()?;
    let mut reader = opening.reader()?.knowing(head);
    let first = reader.next_record()?;
    Ok((reader, first))
}
