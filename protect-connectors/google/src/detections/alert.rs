//! What the Alert Center alone tells of.

use std::time::Duration;

use protect_core::connector::Detection;
use protect_core::model::{
    CheckId, Confidence, FindingKind, Observation, Severity, Signal, SubjectKind,
};

use super::{DAY, details, fact};
use crate::signals::ALERT;

/// An alert that none of the events of accounts stands for.
pub(crate) const CHECK: &str = "google.event.alert";

/// One line for people.
pub(crate) const TITLE: &str = "Google's Alert Center raised an alert";

/// The detection of such alerts.
pub(super) fn detection() -> Option<Box<dyn Detection>> {
    let check = CheckId::new(CHECK).ok()?;
    Some(Box::new(AlertRun { check }))
}

#[derive(Debug)]
struct AlertRun {
    check: CheckId,
}

impl Detection for AlertRun {
    fn check(&self) -> &CheckId {
        &self.check
    }

    fn signal_kinds(&self) -> &[&str] {
        &[ALERT]
    }

    fn window(&self) -> Duration {
        DAY
    }

    fn evaluate(&self, new: &[Signal], _history: &[Signal]) -> Vec<Observation> {
        let alerts = new.iter().filter(|signal| signal.kind == ALERT);
        let observed = alerts.map(|signal| Observation {
            check: self.check.clone(),
            kind: if signal.subject.kind == SubjectKind::Setting {
                FindingKind::Operational
            } else {
                FindingKind::SuspiciousSignIn
            },
            subject: signal.subject.clone(),
            discriminator: fact(signal, "alert").unwrap_or(&signal.id).to_owned(),
            cause: None,
            severity: match fact(signal, "severity") {
                Some("high") => Severity::High,
                Some("low") => Severity::Low,
                _ => Severity::Medium,
            },
            confidence: Confidence::Medium,
            title: TITLE.to_owned(),
            reasons: vec![format!(
                "Google calls it `{}`",
                fact(signal, "alert_type").unwrap_or_default()
            )],
            attribution: None,
            references: Vec::new(),
            details: details(signal),
            from_event: true,
        });
        observed.collect()
    }
}
