//! What of a finding counts in a score.

use jiff::Timestamp;
use serde::Deserialize;

use crate::engine::Tenant;
use crate::error::Result;
use crate::model::{
    CheckId, ConnectorName, Finding, FindingId, FindingKind, FindingStatus, Severity,
};
use crate::store::{Query, RecordKind};

/// A finding without what it says: where a hundred thousand are counted, most of the time would go into the
/// texts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(in crate::report) struct Counted {
    pub(in crate::report) id: FindingId,
    pub(in crate::report) source: ConnectorName,
    pub(in crate::report) check: CheckId,
    pub(in crate::report) kind: FindingKind,
    pub(in crate::report) severity: Severity,
    pub(in crate::report) status: FindingStatus,
    pub(in crate::report) first_seen: Timestamp,
}

impl Counted {
    /// Open, or left as it is for a while: an accepted risk is still a risk.
    pub(super) fn is_standing(&self) -> bool {
        self.status.is_open() || self.status == FindingStatus::Accepted
    }
}

impl From<&Finding> for Counted {
    fn from(finding: &Finding) -> Self {
        let seen = &finding.observation;
        Self {
            id: finding.id.clone(),
            source: finding.source.clone(),
            check: seen.check.clone(),
            kind: seen.kind,
            severity: seen.severity,
            status: finding.status,
            first_seen: finding.first_seen,
        }
    }
}

impl Tenant {
    /// Every finding, as it counts.
    pub(in crate::report) async fn counted(&self) -> Result<Vec<Counted>> {
        let counted = self.read_all(Query::all(RecordKind::Finding)).await?;
        Ok(counted.into_iter().map(|found| found.value).collect())
    }
}
