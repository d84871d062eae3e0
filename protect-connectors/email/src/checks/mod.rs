//! What is right and wrong about a domain's mail authentication: pure functions over what was found.
//!
//! A question that DNS did not answer makes a check `not_evaluated`; it is never read as "missing".

/// Unwraps what a rule needs, or gives back the decision that follows from its absence.
macro_rules! need {
    ($found:expr) => {
        match $found {
            Ok(found) => found,
            Err(decision) => return decision,
        }
    };
}

pub mod dkim;
pub mod dmarc;
mod dmarc_reporting;
pub mod spf;
#[cfg(test)]
mod spf_tests;
pub mod transport;

use std::collections::BTreeSet;

use jiff::Timestamp;
use protect_core::Result;
use protect_core::model::{
    Attributes, CheckId, CheckResult, Confidence, FindingKind, NotEvaluatedReason, Observation,
    Reference, Severity, Subject, Verdict,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dkim::DkimAudit;
use crate::dmarc::{DmarcAudit, ReportEvidence};
use crate::name::DomainName;
use crate::reports::rules;
use crate::spf::SpfAudit;
use crate::transport::{MailHosts, TransportAudit};

/// A rule.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Its id (`email.dmarc.missing`).
    pub id: &'static str,
    /// What it asks, as a sentence that is true of a domain that passes.
    pub title: &'static str,
    /// How bad a fail is at worst.
    pub severity: Severity,
    /// The id in CISA's `SCuBA` baseline for Exchange Online, where it has one.
    pub scuba: Option<&'static str>,
    /// Decides.
    pub decide: fn(&Facts<'_>) -> Decision,
}

/// What the rules go by.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The domain.
    pub domain: &'a DomainName,
    /// The time of the audit.
    pub at: Timestamp,
    /// Whether it takes mail.
    pub mail: &'a MailHosts,
    /// Its SPF.
    pub spf: &'a SpfAudit,
    /// Its DMARC.
    pub dmarc: &'a DmarcAudit,
    /// Its DKIM.
    pub dkim: &'a DkimAudit,
    /// Its transport records.
    pub transport: &'a TransportAudit,
    /// Texts at the domain itself.
    pub texts: &'a [String],
    /// What is known beside DNS.
    pub known: &'a Known,
}

/// What is known about a domain beside what DNS says today.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Known {
    /// The tenant's own mailboxes for aggregate reports, by their domains or as whole addresses.
    pub our_rua: Vec<String>,
    /// What reports show about its mail; `None` without reports.
    pub reports: Option<SeenInReports>,
    /// Since when the policy has been `none`.
    pub monitoring_since: Option<Timestamp>,
    /// Keys that were seen before, of this and of other domains.
    pub keys: Vec<KnownKey>,
}

/// What the aggregate reports of thirty days show about a domain's mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SeenInReports {
    /// For the next stage of the roll-out.
    pub evidence: ReportEvidence,
    /// Messages that passed by an aligned signature.
    pub by_dkim: u64,
    /// Messages that failed, and would have passed had alignment been relaxed.
    pub relaxed_only: u64,
    /// Selectors that signed mail which passed and was aligned.
    pub selectors: BTreeSet<String>,
}

/// A key that was seen at an earlier time or at another domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownKey {
    /// The domain.
    pub domain: DomainName,
    /// The selector.
    pub selector: String,
    /// As in [`DkimKey`](crate::dkim::DkimKey).
    pub fingerprint: String,
    /// Since when it has been seen there.
    pub since: Timestamp,
}

/// What a rule decided.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// As it should be, in one sentence.
    Pass(String),
    /// Not as it should be, in one way or several.
    Fail(Vec<Wrong>),
    /// The rule has no meaning for this domain.
    NotApplicable(String),
    /// DNS, or a host that was asked, did not answer.
    Unknown(String),
    /// Only reports could tell, and there are none.
    NoReports,
    /// Only the configuration could tell, and it says nothing.
    NotConfigured(String),
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Wrong {
    /// What tells it from others of the same rule: a selector, an address. Empty where there is just
    /// one.
    pub what: String,
    /// How bad it is.
    pub severity: Severity,
    /// How sure we are.
    pub confidence: Confidence,
    /// One sentence for people.
    pub text: String,
}

impl Wrong {
    pub(crate) fn new(severity: Severity, text: impl Into<String>) -> Self {
        Self {
            what: String::new(),
            severity,
            confidence: Confidence::High,
            text: text.into(),
        }
    }

    #[must_use]
    pub(crate) fn about(mut self, what: impl Into<String>) -> Self {
        self.what = what.into();
        self
    }

    #[must_use]
    pub(crate) fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }
}

impl Decision {
    pub(crate) fn pass(text: impl Into<String>) -> Self {
        Self::Pass(text.into())
    }

    pub(crate) fn fail(severity: Severity, text: impl Into<String>) -> Self {
        Self::Fail(vec![Wrong::new(severity, text)])
    }

    /// Fails where something is wrong, else passes.
    pub(crate) fn of(wrong: Vec<Wrong>, pass: impl Into<String>) -> Self {
        if wrong.is_empty() {
            Self::pass(pass)
        } else {
            Self::Fail(wrong)
        }
    }
}

/// A rule and what it decided.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The rule.
    pub check: &'static Check,
    /// What it decided.
    pub decision: Decision,
}

/// Every rule of this module.
pub fn all() -> impl Iterator<Item = &'static Check> + Clone {
    spf::CHECKS
        .iter()
        .chain(dmarc::CHECKS)
        .chain(dkim::CHECKS)
        .chain(transport::CHECKS)
}

/// The ids of everything that the connector decides.
pub(crate) fn ids() -> impl Iterator<Item = &'static str> {
    all()
        .map(|check| check.id)
        .chain(rules::ALL.map(|rule| rule.id))
}

/// Decides every rule.
pub fn decide(facts: &Facts<'_>) -> Vec<Decided> {
    all()
        .map(|check| Decided {
            check,
            decision: (check.decide)(facts),
        })
        .collect()
}

impl Decided {
    /// As a verdict about a domain.
    ///
    /// # Errors
    /// None but a defect: a rule's id is none.
    pub fn result(&self, domain: &DomainName) -> Result<CheckResult> {
        let (verdict, not_evaluated, reason) = match &self.decision {
            Decision::Pass(why) => (Verdict::Pass, None, why.clone()),
            Decision::Fail(wrong) => {
                let texts: Vec<_> = wrong.iter().map(|wrong| wrong.text.as_str()).collect();
                (Verdict::Fail, None, texts.join("; "))
            }
            Decision::NotApplicable(why) => (Verdict::NotApplicable, None, why.clone()),
            Decision::Unknown(why) => {
                let why = format!("could not be looked at: {why}");
                (
                    Verdict::NotEvaluated,
                    Some(NotEvaluatedReason::VendorError),
                    why,
                )
            }
            Decision::NoReports => (
                Verdict::NotEvaluated,
                Some(NotEvaluatedReason::NoObservation),
                "only aggregate reports can tell, and none were read".to_owned(),
            ),
            Decision::NotConfigured(why) => (
                Verdict::NotEvaluated,
                Some(NotEvaluatedReason::NotConfigured),
                why.clone(),
            ),
        };
        let wrong = self.wrong();
        let failed = verdict == Verdict::Fail;
        let what: Vec<_> = wrong.iter().map(|wrong| wrong.what.clone()).collect();
        let mut details = Attributes::new();
        if what.iter().any(|what| !what.is_empty()) {
            details.insert("what".to_owned(), what.into());
        }
        Ok(CheckResult {
            check: CheckId::new(self.check.id)?,
            verdict,
            not_evaluated,
            severity: worst(wrong).unwrap_or(self.check.severity),
            reason,
            affected: if failed {
                vec![domain.to_string()]
            } else {
                Vec::new()
            },
            source: "DNS".to_owned(),
            confidence: surest(wrong).unwrap_or(Confidence::High),
            references: self.references(),
            details,
        })
    }

    /// As findings about a domain.
    ///
    /// # Errors
    /// As for [`Decided::result`].
    pub fn observations(&self, domain: &DomainName) -> Result<Vec<Observation>> {
        let check = CheckId::new(self.check.id)?;
        let observation = |wrong: &Wrong| Observation {
            check: check.clone(),
            kind: FindingKind::EmailAuthentication,
            subject: Subject::domain(domain.as_str()),
            discriminator: wrong.what.clone(),
            cause: None,
            severity: wrong.severity,
            confidence: wrong.confidence,
            title: format!("{domain}: {}", wrong.text),
            reasons: vec![format!("not so: {}", self.check.title)],
            attribution: None,
            references: self.references(),
            details: Attributes::new(),
            from_event: false,
        };
        // Two wrongs of one name are one finding.
        let mut seen = BTreeSet::new();
        let wrong = self
            .wrong()
            .iter()
            .filter(|wrong| seen.insert(wrong.what.as_str()));
        Ok(wrong.map(observation).collect())
    }

    /// Whether the rule was decided, so that a finding it no longer makes is resolved.
    pub const fn is_evaluated(&self) -> bool {
        matches!(
            self.decision,
            Decision::Pass(_) | Decision::Fail(_) | Decision::NotApplicable(_)
        )
    }

    fn wrong(&self) -> &[Wrong] {
        match &self.decision {
            Decision::Fail(wrong) => wrong,
            _ => &[],
        }
    }

    fn references(&self) -> Vec<Reference> {
        let scuba = self.check.scuba.map(|id| Reference {
            framework: "CISA SCuBA Exchange Online".to_owned(),
            version: "1.5".to_owned(),
            id: id.to_owned(),
        });
        scuba.into_iter().collect()
    }
}

fn worst(wrong: &[Wrong]) -> Option<Severity> {
    wrong.iter().map(|wrong| wrong.severity).max()
}

fn surest(wrong: &[Wrong]) -> Option<Confidence> {
    wrong.iter().map(|wrong| wrong.confidence).max()
}
