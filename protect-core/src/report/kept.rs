//! Reports of months that are over: each is made once, when its month has ended, and kept as it was.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Month, Report};
use crate::engine::Tenant;
use crate::error::{ErrorKind, Result};
use crate::model::{Actor, Attributes};
use crate::store::{Commit, Expect, Put, Query, RecordKind};

/// A report that was made when its month was over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeptReport {
    /// Which month.
    pub month: Month,
    /// What people call the tenant.
    pub name: String,
    /// When it was made.
    pub made_at: jiff::Timestamp,
}

impl Tenant {
    /// The reports that were kept, the earliest first.
    ///
    /// # Errors
    /// `store`.
    pub async fn kept_reports(&self) -> Result<Vec<KeptReport>> {
        let found = self.read_all(Query::all(RecordKind::Report)).await?;
        let mut kept: Vec<KeptReport> = found.into_iter().map(|found| found.value).collect();
        kept.sort_by_key(|report| report.month);
        Ok(kept)
    }

    /// The report of a month as it was when the month had ended; `None` where none was kept.
    ///
    /// # Errors
    /// `store`.
    pub async fn kept_report(&self, month: Month) -> Result<Option<Report>> {
        let key = month.to_string();
        let found = self.read::<Report>(RecordKind::Report, &key).await?;
        Ok(found.map(|found| found.value))
    }

    /// Makes the report of a month and keeps it, unless it was kept before: what was told of a month
    /// does not change afterwards.
    ///
    /// # Errors
    /// As [`Tenant::report`].
    pub async fn keep_report(&self, month: Month) -> Result<Report> {
        if let Some(kept) = self.kept_report(month).await? {
            return Ok(kept);
        }
        let report = self.report(month, &[]).await?;
        let put = Put::new(RecordKind::Report, month.to_string(), &report)?.expect(Expect::Absent);
        let mut facts = Attributes::new();
        facts.insert("month".to_owned(), month.to_string().into());
        let entry = self.entry("report.made", &Actor::engine(), facts);
        let commit = Commit::default().put(put).append(entry);
        match self.store().commit(self.id(), commit).await {
            // Somebody else was faster: theirs is the one that counts.
            Err(error) if error.kind() == ErrorKind::Conflict => {
                Ok(self.kept_report(month).await?.unwrap_or(report))
            }
            result => result.map(|_| report),
        }
    }
}
