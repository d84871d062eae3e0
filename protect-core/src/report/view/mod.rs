//! What a client may see of its protection: one view for a portal and for our own pages, so that both
//! leave out the same.
//!
//! Never in it: internal notes, tickets, security incidents, who approved what, and where a dump of
//! stolen data lies. Addresses stand in full for whoever administers the company and for one's own.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Month, Rating};
use crate::engine::Tenant;
use crate::error::Result;
use crate::model::{
    AccessLevel, Address, Attribution, Finding, FindingKind, FindingStatus, Severity, SubjectKind,
};
use crate::store::{Query, RecordKind};

/// So many alerts are shown, the latest first.
const MOST_ALERTS: usize = 200;

/// How many months of scores are shown.
const TREND: usize = 12;

/// Who looks at a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// How much they may see.
    pub level: AccessLevel,
    /// Their own address, where they have one.
    pub address: Option<Address>,
}

/// What a client may see. A part is `None` where the tenant's `client_view` switches it off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientView {
    /// When it was made.
    pub generated_at: Timestamp,
    /// How well protected the client is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<ViewScore>,
    /// Exposed credentials, the latest first; for reading alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerts: Option<Vec<ViewAlert>>,
    /// How each domain's mail is authenticated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domains: Option<Vec<ViewDomain>>,
    /// The monthly reports, the latest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reports: Option<Vec<ViewReport>>,
    /// Whom to credit for the alerts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<Attribution>,
}

/// How well protected a client is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ViewScore {
    /// From 0 to 100; `None` where nothing was looked at.
    pub value: Option<u32>,
    /// The same as a word.
    pub rating: Option<Rating>,
    /// The last score of each month, the earliest first.
    pub trend: Vec<ViewMonth>,
}

/// The last score of a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ViewMonth {
    /// Which month (`2026-11`).
    pub month: Month,
    /// From 0 to 100.
    pub value: u32,
}

/// An exposed credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ViewAlert {
    /// A stable name.
    pub id: String,
    /// Whose; masked (`j***@acme.example`) where the viewer may not see it.
    pub account: String,
    /// By what.
    pub breach_name: String,
    /// When that was, where known.
    pub breach_date: Option<String>,
    /// What was exposed.
    pub data_types: Vec<String>,
    /// How bad it is.
    pub severity: Severity,
    /// Where it stands.
    pub status: FindingStatus,
    /// When it was first seen.
    pub detected_at: Timestamp,
}

/// How a domain's mail is authenticated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ViewDomain {
    /// The domain.
    pub domain: String,
    /// `right`, `weak`, `missing`, or `None` where nobody could say.
    pub spf: Option<String>,
    /// The same.
    pub dkim: Option<String>,
    /// `none`, `quarantine` or `reject`; `missing` without a record; `None` where nobody could say.
    pub dmarc_policy: Option<String>,
    /// From 0 to 100.
    pub email_auth_score: Option<u32>,
}

/// A report that can be downloaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ViewReport {
    /// A stable name.
    pub id: String,
    /// Which month.
    pub period: Month,
    /// What people call it.
    pub title: String,
    /// Where it is found, where the publisher says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Tenant {
    /// What somebody may see of the tenant as its client. Calls no vendor.
    ///
    /// # Errors
    /// `store`.
    pub async fn client_view(&self, viewer: &Viewer) -> Result<ClientView> {
        let shown = self.config().client_view;
        let mut view = ClientView {
            generated_at: self.context().clock.now(),
            score: None,
            alerts: None,
            domains: None,
            reports: None,
            credits: Vec::new(),
        };
        if shown.protection_dashboard {
            view.score = Some(self.view_score().await?);
        }
        if shown.active_alerts {
            let query = Query::all(RecordKind::Finding);
            let findings = self.read_all::<Finding>(query).await?;
            let findings = findings.into_iter().map(|found| found.value).collect();
            let (alerts, credits) = alerts(findings, viewer);
            view.alerts = Some(alerts);
            view.credits = credits;
        }
        if shown.dmarc_status {
            view.domains = Some(self.view_domains().await?);
        }
        if shown.reports {
            view.reports = Some(self.view_reports(viewer).await?);
        }
        Ok(view)
    }

    async fn view_score(&self) -> Result<ViewScore> {
        let score = self.score().await?;
        let mut months = BTreeMap::new();
        for day in self.score_days().await? {
            if let Some(value) = day.total {
                months.insert(Month::of(day.at), value);
            }
        }
        let first = months.len().saturating_sub(TREND);
        let trend = months.into_iter().skip(first);
        Ok(ViewScore {
            value: score.total,
            rating: score.rating,
            trend: trend
                .map(|(month, value)| ViewMonth { month, value })
                .collect(),
        })
    }

    async fn view_domains(&self) -> Result<Vec<ViewDomain>> {
        let scores = self.domain_scores().await?.into_iter();
        let shown = scores.map(|(domain, score)| ViewDomain {
            domain,
            spf: score.spf,
            dkim: score.dkim,
            dmarc_policy: score.dmarc_policy,
            email_auth_score: score.total,
        });
        Ok(shown.collect())
    }

    /// A report tells of everybody, so that who may see only what is their own gets none.
    async fn view_reports(&self, viewer: &Viewer) -> Result<Vec<ViewReport>> {
        if viewer.level == AccessLevel::Own {
            return Ok(Vec::new());
        }
        let mut kept = self.kept_reports().await?;
        kept.reverse();
        let shown = kept.into_iter().map(|report| ViewReport {
            id: report.month.to_string(),
            period: report.month,
            title: format!("{}: {}", report.name, report.month),
            url: None,
            created_at: report.made_at,
        });
        Ok(shown.collect())
    }
}

/// Exposures as a viewer may see them, and whom to credit for them.
fn alerts(mut findings: Vec<Finding>, viewer: &Viewer) -> (Vec<ViewAlert>, Vec<Attribution>) {
    findings.retain(|finding| {
        finding.observation.kind == FindingKind::CredentialExposure
            && finding.status != FindingStatus::FalsePositive
    });
    findings.sort_by(|a, b| (b.first_seen, &a.id).cmp(&(a.first_seen, &b.id)));
    let mut credits = Vec::new();
    let mut alerts = Vec::new();
    for finding in &findings {
        let Some(account) = shown_account(finding, viewer) else {
            continue;
        };
        if alerts.len() == MOST_ALERTS {
            break;
        }
        alerts.push(alert(finding, account));
        if let Some(credit) = &finding.observation.attribution
            && !credits.contains(credit)
        {
            credits.push(credit.clone());
        }
    }
    (alerts, credits)
}

/// Whose credential it is, as far as the viewer may see that; `None` where the whole alert is not for
/// them.
fn shown_account(finding: &Finding, viewer: &Viewer) -> Option<String> {
    let subject = &finding.observation.subject;
    let address = (subject.kind == SubjectKind::Address)
        .then(|| Address::new(&subject.id).ok())
        .flatten();
    let is_own = address.is_some() && address == viewer.address;
    match (viewer.level, address) {
        (AccessLevel::Own, _) if !is_own => None,
        (AccessLevel::CompanyAdmin, Some(address)) => Some(address.to_string()),
        (_, Some(address)) if is_own => Some(address.to_string()),
        (_, Some(address)) => Some(masked(&address)),
        (_, None) if subject.kind == SubjectKind::Domain => Some(subject.id.clone()),
        // A vendor's id of an account says nothing to a client.
        (_, None) => Some("an account".to_owned()),
    }
}

/// `j***@acme.example`.
pub fn masked(address: &Address) -> String {
    let first: String = address.local_part().chars().take(1).collect();
    format!("{first}***@{}", address.domain())
}

fn alert(finding: &Finding, account: String) -> ViewAlert {
    let seen = &finding.observation;
    // Only a breach has a name that is no reference to where the data lies.
    let cause = seen.cause.as_deref();
    let breach = cause.and_then(|cause| cause.strip_prefix("breach:"));
    let types = seen.details.get("data_classes").and_then(Value::as_array);
    let types = types.into_iter().flatten().filter_map(Value::as_str);
    let date = seen.details.get("breach_date").and_then(Value::as_str);
    ViewAlert {
        id: finding.id.to_string(),
        account,
        breach_name: breach.unwrap_or(&seen.title).to_owned(),
        breach_date: date.map(str::to_owned),
        data_types: types.map(str::to_owned).collect(),
        severity: seen.severity,
        status: finding.status,
        detected_at: finding.first_seen,
    }
}
