//! What a report is written from: read once, so that every section says the same of the same moment.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Month;
use super::score::{Counted, DayScore, DomainScore, Score};
use crate::connector::Watches;
use crate::engine::{StoredVerdict, Tenant};
use crate::error::Result;
use crate::model::{Attribution, ConnectorName, Finding, Incident, Intent};
use crate::store::{Query, RecordKind};

/// Everything that the library's own sections look at.
#[derive(Debug)]
pub(super) struct Material {
    pub(super) month: Month,
    pub(super) findings: Vec<Finding>,
    pub(super) verdicts: Vec<StoredVerdict>,
    pub(super) incidents: Vec<Incident>,
    pub(super) intents: Vec<Intent>,
    /// Every day with a score, the earliest first.
    pub(super) days: Vec<DayScore>,
    pub(super) domains: BTreeMap<String, DomainScore>,
    /// What to publish for a domain's mail.
    pub(super) changes: Vec<(String, DnsChange)>,
    pub(super) watched_domains: usize,
    pub(super) watched_addresses: usize,
    pub(super) score: Score,
}

/// A record to publish, as a scanner remembers it below `dns:`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct DnsChange {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) value: String,
    pub(super) reason: String,
}

impl Tenant {
    pub(super) async fn material(&self, month: Month) -> Result<Material> {
        let findings = everything::<Finding>(self, RecordKind::Finding).await?;
        let verdicts = self.verdicts().await?;
        let domains = self.domain_scores().await?;
        let days = self.score_days().await?;
        let now = self.context().clock.now();
        let counted: Vec<Counted> = findings.iter().map(Counted::from).collect();
        let score = self.score_from(&verdicts, &counted, &domains);
        let score = score.of_month(month, &days, now);
        let watched = self.watch_list().await?;
        Ok(Material {
            month,
            incidents: everything(self, RecordKind::Incident).await?,
            intents: everything(self, RecordKind::Intent).await?,
            changes: self.dns_changes().await?,
            watched_domains: watched.domains.len(),
            watched_addresses: watched.addresses.len(),
            findings,
            verdicts,
            days,
            domains,
            score,
        })
    }

    async fn dns_changes(&self) -> Result<Vec<(String, DnsChange)>> {
        let mut changes = Vec::new();
        for connector in self.watching(Watches::Mail) {
            for (key, value) in self.scanner_state(&connector, "dns:").await? {
                let domain = key.strip_prefix("dns:").unwrap_or(&key);
                // What an older version stored and this one cannot read is left out.
                let known: Vec<DnsChange> = serde_json::from_value(value).unwrap_or_default();
                if self.config().domains.iter().any(|own| own == domain) {
                    changes.extend(known.into_iter().map(|change| (domain.to_owned(), change)));
                }
            }
        }
        Ok(changes)
    }

    /// The connectors whose checks are about this.
    pub(super) fn watching(&self, what: Watches) -> Vec<ConnectorName> {
        let all = self.connectors().iter();
        let those = all.filter(|connector| connector.capability().watches == what);
        those.map(|it| it.info().name.clone()).collect()
    }
}

impl Material {
    /// Whom to credit for the findings, each once.
    pub(super) fn attributions(&self) -> Vec<Attribution> {
        let mut credits: Vec<Attribution> = Vec::new();
        for finding in &self.findings {
            if let Some(credit) = &finding.observation.attribution
                && !credits.contains(credit)
            {
                credits.push(credit.clone());
            }
        }
        credits
    }

    /// Seen first in the month.
    pub(super) fn is_new(&self, finding: &Finding) -> bool {
        self.month.contains(finding.first_seen)
    }

    /// Over in the month.
    pub(super) fn is_remediated(&self, finding: &Finding) -> bool {
        finding
            .resolved_at
            .is_some_and(|at| self.month.contains(at))
    }
}

async fn everything<T: DeserializeOwned>(tenant: &Tenant, kind: RecordKind) -> Result<Vec<T>> {
    let read = tenant.read_all(Query::all(kind)).await?;
    Ok(read.into_iter().map(|versioned| versioned.value).collect())
}
