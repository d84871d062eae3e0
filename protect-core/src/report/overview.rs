//! Where a tenant stands, at one look: what a dashboard shows.
//!
//! It is reckoned over every finding, so it is kept until the ledger has grown: each change that could
//! alter it appends an entry, and asking for the last entry is one row.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::score::{Counted, DayScore, Score};
use crate::engine::Tenant;
use crate::error::Result;
use crate::model::{Finding, FindingKind, Incident, IncidentStatus, Month, Severity, TenantId};
use crate::store::{Query, RecordKind};

/// How many of the worst findings are shown.
const WORST: usize = 10;

/// Where a tenant stands, at one look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Overview {
    /// When it was reckoned; nothing has changed since.
    pub as_of: Timestamp,
    /// The score, with its parts.
    pub score: Score,
    /// The scores of the days of this month and the one before, the earliest first.
    pub days: Vec<DayScore>,
    /// Open findings, by severity.
    pub open: BTreeMap<Severity, u64>,
    /// Open findings, by kind.
    pub kinds: BTreeMap<FindingKind, u64>,
    /// Incidents that still need somebody.
    pub open_incidents: u64,
    /// Plans that wait for somebody's consent.
    pub plans_waiting: u64,
    /// The worst open findings, of which the latest come first.
    pub worst: Vec<Finding>,
}

/// What was reckoned, by tenant, with what it was reckoned from.
#[derive(Debug, Default)]
pub(crate) struct Overviews(Mutex<BTreeMap<TenantId, (Basis, Arc<Overview>)>>);

/// The last entry of the ledger, and the hour: scores of days belong to a month.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Basis {
    hash: Option<String>,
    hour: i64,
}

impl Tenant {
    /// Where the tenant stands, at one look. Calls no vendor.
    ///
    /// # Errors
    /// `store`.
    pub async fn overview(&self) -> Result<Arc<Overview>> {
        let basis = self.basis().await?;
        if let Some(kept) = self.overviews().get(self.id(), &basis) {
            return Ok(kept);
        }
        let reckoned = Arc::new(self.reckon().await?);
        self.overviews().keep(self.id(), basis, &reckoned);
        Ok(reckoned)
    }

    async fn basis(&self) -> Result<Basis> {
        Ok(Basis {
            hash: self.ledger_head().await?.map(|entry| entry.hash),
            hour: self.context().clock.now().as_second() / 3_600,
        })
    }

    async fn reckon(&self) -> Result<Overview> {
        let mut findings = self.counted().await?;
        let score = self.score_of(&findings).await?;
        findings.retain(|finding| finding.status.is_open());
        let mut open = BTreeMap::new();
        let mut kinds = BTreeMap::new();
        for finding in &findings {
            *open.entry(finding.severity).or_default() += 1;
            *kinds.entry(finding.kind).or_default() += 1;
        }
        Ok(Overview {
            as_of: self.context().clock.now(),
            score,
            days: self.recent_days().await?,
            open,
            kinds,
            open_incidents: self.count_open_incidents().await?,
            plans_waiting: self.plans_waiting().await?.len() as u64,
            worst: self.worst(findings).await?,
        })
    }

    /// The worst of these, read whole; the latest come first.
    async fn worst(&self, mut findings: Vec<Counted>) -> Result<Vec<Finding>> {
        findings.sort_unstable_by(|a, b| {
            let key = |finding: &Counted| (finding.severity, finding.first_seen);
            key(b).cmp(&key(a)).then_with(|| a.id.cmp(&b.id))
        });
        findings.truncate(WORST);
        let mut worst = Vec::new();
        for finding in findings {
            let found = self.read(RecordKind::Finding, finding.id.as_str()).await?;
            worst.extend(found.map(|found| found.value));
        }
        Ok(worst)
    }

    async fn recent_days(&self) -> Result<Vec<DayScore>> {
        let this = Month::of(self.context().clock.now());
        let before = this
            .start()
            .checked_sub(jiff::SignedDuration::from_hours(1));
        let last = before.unwrap_or_else(|_| this.start());
        let mut days = self.score_history(Month::of(last)).await?;
        days.extend(self.score_history(this).await?);
        Ok(days)
    }

    async fn count_open_incidents(&self) -> Result<u64> {
        let open = [
            IncidentStatus::New,
            IncidentStatus::Open,
            IncidentStatus::Investigating,
            IncidentStatus::Contained,
        ];
        let query = Query::all(RecordKind::Incident).in_states(&open.map(IncidentStatus::as_str));
        Ok(self.read_all::<Incident>(query).await?.len() as u64)
    }
}

impl Overviews {
    fn get(&self, tenant: &TenantId, basis: &Basis) -> Option<Arc<Overview>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (from, overview) = kept.get(tenant)?;
        (from == basis).then(|| Arc::clone(overview))
    }

    fn keep(&self, tenant: &TenantId, basis: Basis, overview: &Arc<Overview>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(tenant.clone(), (basis, Arc::clone(overview)));
    }
}
