//! The one document for programs, written as it comes.

use protect_connectors::core::Result;
use protect_connectors::email::reports::summary::DomainSummary;
use protect_connectors::email::reports::{Tally, Told};
use serde::Serialize;

use super::notes::Notes;
use crate::output::Stream;

/// `{"reports": [...], "duplicates", "errors", "summary", "complete"}`. Within a report the records
/// come first, since what else it says may stand behind them.
pub(super) struct Document {
    out: Stream,
    first_report: bool,
    first_record: bool,
}

#[derive(Serialize)]
struct Summary<'a> {
    #[serde(flatten)]
    tally: Tally,
    domains: &'a [DomainSummary],
}

impl Document {
    pub(super) fn begin(mut out: Stream) -> Result<Self> {
        out.text("{\"reports\":[")?;
        Ok(Self {
            out,
            first_report: true,
            first_record: true,
        })
    }

    pub(super) fn take(&mut self, file: &str, told: &Told<'_>) -> Result<()> {
        match told {
            Told::Begin { part } => {
                self.report(file, part, "aggregate")?;
                self.first_record = true;
                self.out.text(",\"records\":[")
            }
            Told::Record(record) => {
                let comma = if self.first_record { "\n" } else { ",\n" };
                self.first_record = false;
                self.out.text(comma)?;
                self.out.value(record)
            }
            Told::End {
                head,
                issues,
                lossy,
            } => {
                self.out.text("]")?;
                self.field("metadata", &head.metadata)?;
                self.field("policy", &head.policy)?;
                self.field("issues", issues)?;
                self.field("lossy", lossy)?;
                self.out.text("}")
            }
            Told::Tls { part, report } => self.whole(file, part, "tls", report),
            Told::Failure { part, report } => self.whole(file, part, "failure", report),
            Told::Duplicate { .. } | Told::Broken { .. } => Ok(()),
        }
    }

    pub(super) fn end(
        mut self,
        domains: &[DomainSummary],
        tally: Tally,
        notes: &Notes,
    ) -> Result<()> {
        self.out.text("\n]")?;
        self.field("duplicates", &notes.duplicates)?;
        self.field("errors", &notes.errors)?;
        self.field("summary", &Summary { tally, domains })?;
        self.field("complete", &tally.is_complete())?;
        self.out.text("}\n")?;
        self.out.end()
    }

    fn whole(&mut self, file: &str, part: &str, kind: &str, report: &impl Serialize) -> Result<()> {
        self.report(file, part, kind)?;
        self.field("report", report)?;
        self.out.text("}")
    }

    fn report(&mut self, file: &str, part: &str, kind: &str) -> Result<()> {
        self.out
            .text(if self.first_report { "\n{" } else { ",\n{" })?;
        self.first_report = false;
        self.out.text("\"kind\":")?;
        self.out.value(kind)?;
        self.field("file", file)?;
        if part.is_empty() {
            return Ok(());
        }
        self.field("part", part)
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<()> {
        self.out.text(",")?;
        self.out.value(name)?;
        self.out.text(":")?;
        self.out.value(value)
    }
}
