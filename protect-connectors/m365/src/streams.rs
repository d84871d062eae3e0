//! What happens and comes and goes, apart from the settings: users at risk, detections, sign-ins,
//! alerts and Microsoft's own score. One page of one of them at a time, each with its own place.

use jiff::Timestamp;
use protect_core::Result;
use protect_core::connector::OpContext;
use protect_core::model::{
    CheckId, Confidence, FindingKind, Observation, RejectedItem, Signal, Subject,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::KIND;
use crate::api::Graph;
use crate::detections::{USER_AT_RISK, severity};
use crate::model::{Page, RiskyUser};

/// What is read after the settings, in this order: what is acted on first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stream {
    RiskyUsers,
    RiskDetections,
    Alerts,
    SignIns,
    DirectoryAudits,
    SecureScore,
}

impl Stream {
    pub(crate) const ALL: [Self; 6] = [
        Self::RiskyUsers,
        Self::RiskDetections,
        Self::Alerts,
        Self::SignIns,
        Self::DirectoryAudits,
        Self::SecureScore,
    ];

    /// The name under which its place is kept.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::RiskyUsers => "risky_users",
            Self::RiskDetections => "risk_detections",
            Self::Alerts => "alerts",
            Self::SignIns => "sign_ins",
            Self::DirectoryAudits => "directory_audits",
            Self::SecureScore => "secure_score",
        }
    }

    /// What opens it: any one will do.
    pub(crate) const fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::RiskyUsers => &[
                "IdentityRiskyUser.Read.All",
                "IdentityRiskyUser.ReadWrite.All",
            ],
            Self::RiskDetections => &["IdentityRiskEvent.Read.All"],
            Self::Alerts => &["SecurityAlert.Read.All", "SecurityAlert.ReadWrite.All"],
            Self::SignIns | Self::DirectoryAudits => &["AuditLog.Read.All"],
            Self::SecureScore => &["SecurityEvents.Read.All"],
        }
    }

    /// The check that it feeds.
    pub(crate) const fn check(self) -> &'static str {
        match self {
            Self::RiskyUsers => USER_AT_RISK,
            Self::RiskDetections => "m365.event.risk_detection",
            Self::Alerts => "m365.event.alert",
            Self::SignIns => "m365.event.legacy_sign_in",
            Self::DirectoryAudits => "m365.event.sensitive_change",
            Self::SecureScore => "m365.event.secure_score_dropped",
        }
    }
}

/// Where a stream stands.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Place {
    /// From when on the page is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<Timestamp>,
    /// The link to the next page, while there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
    /// The latest event that was seen since: where the next poll begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latest: Option<Timestamp>,
    /// Of users at risk: whether those who are confirmed to be compromised come now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) confirmed: bool,
    /// Since when it is known that the tenant has no licence for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unlicensed: Option<Timestamp>,
}

impl Place {
    /// Notes a page. Whether the stream is read to its end.
    pub(crate) fn note(&mut self, stream: Stream, batch: &Batch) -> bool {
        let seen = batch.signals.iter().map(|signal| signal.at).max();
        self.latest = self.latest.max(seen);
        self.next.clone_from(&batch.next);
        if self.next.is_some() {
            return false;
        }
        self.since = self.latest.max(self.since);
        self.confirmed = stream == Stream::RiskyUsers && !self.confirmed;
        !self.confirmed
    }
}

/// A page of a stream.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) signals: Vec<Signal>,
    pub(crate) observations: Vec<Observation>,
    pub(crate) rejected: Vec<RejectedItem>,
    pub(crate) next: Option<String>,
}

/// Reads a page: behind the place's link, or else from its time on.
pub(crate) async fn read(
    graph: &Graph,
    cx: &OpContext,
    stream: Stream,
    place: &Place,
    earliest: Timestamp,
) -> Result<Batch> {
    let since = place.since.unwrap_or(earliest);
    let next = place.next.as_deref();
    Ok(match stream {
        Stream::RiskyUsers => risky(graph.risky_users(cx, place.confirmed, next).await?),
        Stream::RiskDetections => signals(graph.risk_detections(cx, since, next).await?),
        Stream::Alerts => signals(graph.alerts(cx, since, next).await?),
        Stream::SignIns => signals(graph.sign_ins(cx, since, next).await?),
        Stream::DirectoryAudits => signals(graph.directory_audits(cx, since, next).await?),
        Stream::SecureScore => Batch {
            signals: graph
                .secure_score(cx)
                .await?
                .into_iter()
                .map(Into::into)
                .collect(),
            ..Batch::default()
        },
    })
}

fn signals<T: Into<Signal>>(page: Page<T>) -> Batch {
    let mut signals: Vec<Signal> = page.items.into_iter().map(Into::into).collect();
    signals.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
    signals.dedup_by(|one, other| one.id == other.id);
    Batch {
        signals,
        observations: Vec::new(),
        rejected: page.rejected,
        next: page.next_page_token,
    }
}

/// Users at risk are a state: whoever is no longer among them is no longer at risk.
fn risky(page: Page<RiskyUser>) -> Batch {
    let observations = page.items.into_iter().filter_map(at_risk);
    Batch {
        observations: observations.collect(),
        signals: Vec::new(),
        rejected: page.rejected,
        next: page.next_page_token,
    }
}

fn at_risk(user: RiskyUser) -> Option<Observation> {
    let state = user.risk_state.unwrap_or_default();
    let is_open = matches!(state.as_str(), "atRisk" | "confirmedCompromised");
    if !is_open || user.is_deleted == Some(true) {
        return None;
    }
    let level = user.risk_level.unwrap_or_default();
    let mut details = protect_core::model::Attributes::new();
    let facts = [
        ("risk_level", Some(level.clone())),
        ("risk_state", Some(state.clone())),
        ("risk_detail", user.risk_detail),
    ];
    for (name, fact) in facts {
        details.extend(fact.map(|fact| (name.to_owned(), Value::String(fact))));
    }
    let is_confirmed = state == "confirmedCompromised";
    Some(Observation {
        check: CheckId::new(USER_AT_RISK).ok()?,
        kind: FindingKind::SuspiciousSignIn,
        subject: Subject::account(KIND, user.id.to_ascii_lowercase()),
        discriminator: String::new(),
        cause: None,
        severity: severity(if is_confirmed { "high" } else { &level }),
        confidence: if is_confirmed {
            Confidence::High
        } else {
            Confidence::Medium
        },
        title: "Identity Protection holds the account to be at risk".to_owned(),
        reasons: vec![
            if is_confirmed {
                "confirmed to be compromised"
            } else {
                "at risk"
            }
            .to_owned(),
        ],
        attribution: None,
        references: Vec::new(),
        details,
        from_event: false,
    })
}
