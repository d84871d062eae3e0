//! What turns events into observations: one pure function per detection, and one table of them.

mod audit;
mod burst;
mod firewall;
mod place;
mod travel;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use protect_core::connector::Detection;
use protect_core::model::{
    Attributes, CheckId, Confidence, FindingKind, Observation, Severity, Signal,
};

use crate::config::Thresholds;
use crate::signals::{AUDIT, ITEM_USAGE, SIGN_IN};

/// One row of the table.
pub(crate) struct Spec {
    /// The check.
    pub(crate) check: &'static str,
    /// The stream whose events it looks at.
    pub(crate) signals: &'static [&'static str],
    kind: FindingKind,
    /// The worst that it finds.
    pub(crate) severity: Severity,
    /// One line for people.
    pub(crate) title: &'static str,
    /// Whether the configuration wants it.
    enabled: fn(&Thresholds) -> bool,
    /// How far back it looks, in seconds.
    window: fn(&Thresholds) -> u64,
    find: for<'a> fn(&Case<'a>) -> Vec<Hit<'a>>,
}

/// Every detection. The conditions are those that public detections for 1Password use.
pub(crate) static SPECS: [Spec; 13] = [
    Spec {
        check: "onepassword.sign_in.brute_force",
        severity: Severity::Medium,
        signals: &[SIGN_IN],
        kind: FindingKind::SuspiciousSignIn,
        title: "Many failed sign-ins within minutes",
        enabled: always,
        window: |t| t.failure_window.saturating_mul(2),
        find: burst::brute_force,
    },
    Spec {
        check: "onepassword.sign_in.failures_then_success",
        severity: Severity::High,
        signals: &[SIGN_IN],
        kind: FindingKind::SuspiciousSignIn,
        title: "A sign-in succeeded from elsewhere after many failures",
        enabled: always,
        window: |t| {
            t.known_window
                .max(t.failure_window.saturating_add(t.success_window))
        },
        find: burst::failures_then_success,
    },
    Spec {
        check: "onepassword.sign_in.new_country",
        severity: Severity::Medium,
        signals: &[SIGN_IN],
        kind: FindingKind::SuspiciousSignIn,
        title: "A sign-in from a country that is not usual",
        enabled: always,
        window: |t| t.known_window,
        find: place::new_country,
    },
    Spec {
        check: "onepassword.sign_in.new_address",
        severity: Severity::Low,
        signals: &[SIGN_IN],
        kind: FindingKind::SuspiciousSignIn,
        title: "A sign-in from a network address not seen before",
        enabled: always,
        window: |t| t.known_window,
        find: place::new_address,
    },
    Spec {
        check: "onepassword.sign_in.unusual_client",
        severity: Severity::Medium,
        signals: &[SIGN_IN],
        kind: FindingKind::SuspiciousSignIn,
        title: "A sign-in with a program that is not expected",
        enabled: |t| !t.clients.is_empty(),
        window: |t| t.known_window,
        find: place::unusual_client,
    },
    Spec {
        check: "onepassword.sign_in.unmanaged_device",
        severity: Severity::Medium,
        signals: &[SIGN_IN],
        kind: FindingKind::SuspiciousSignIn,
        title: "A sign-in from an address that no managed device uses",
        enabled: |t| !t.managed_networks.is_empty(),
        window: |t| t.known_window,
        find: place::unmanaged_device,
    },
    Spec {
        check: "onepassword.sign_in.impossible_travel",
        severity: Severity::High,
        signals: &[SIGN_IN],
        kind: FindingKind::SuspiciousSignIn,
        title: "Two sign-ins too far apart for the time between them",
        enabled: always,
        window: |_| travel::WINDOW_SECONDS,
        find: travel::impossible_travel,
    },
    Spec {
        check: "onepassword.sign_in.firewall_reported",
        severity: Severity::Medium,
        signals: &[SIGN_IN],
        kind: FindingKind::SuspiciousSignIn,
        title: "A sign-in that a firewall rule reports was let in",
        enabled: always,
        window: |_| firewall::REPEAT_SECONDS,
        find: firewall::reported,
    },
    Spec {
        check: "onepassword.sign_in.firewall_blocked",
        severity: Severity::Low,
        signals: &[SIGN_IN],
        kind: FindingKind::SuspiciousSignIn,
        title: "A firewall rule blocked a sign-in",
        enabled: always,
        window: |_| firewall::REPEAT_SECONDS,
        find: firewall::blocked,
    },
    Spec {
        check: "onepassword.items.bulk_access",
        severity: Severity::High,
        signals: &[ITEM_USAGE],
        kind: FindingKind::InsiderThreat,
        title: "Many items revealed, copied or exported within minutes",
        enabled: always,
        window: |t| t.bulk_window.saturating_mul(2),
        find: burst::bulk_access,
    },
    Spec {
        check: "onepassword.audit.data_exported",
        severity: Severity::High,
        signals: &[AUDIT],
        kind: FindingKind::InsiderThreat,
        title: "Data of the account was exported",
        enabled: always,
        window: |_| 0,
        find: audit::data_exported,
    },
    Spec {
        check: "onepassword.audit.protection_weakened",
        severity: Severity::High,
        signals: &[AUDIT],
        kind: FindingKind::Drift,
        title: "A protection of the account was switched off or changed",
        enabled: always,
        window: |_| 0,
        find: audit::protection_weakened,
    },
    Spec {
        check: "onepassword.audit.privilege_granted",
        severity: Severity::Low,
        signals: &[AUDIT],
        kind: FindingKind::Drift,
        title: "Access to a vault was granted",
        enabled: always,
        window: |_| 0,
        find: audit::privilege_granted,
    },
];

fn always(_: &Thresholds) -> bool {
    true
}

impl Spec {
    /// The check's id.
    pub(crate) fn id(&self) -> CheckId {
        #[expect(
            clippy::expect_used,
            reason = "the ids of the table above are literals, and a test reads each"
        )]
        CheckId::new(self.check).expect("a check id of the table")
    }
}

/// The rows that the configuration wants.
pub(crate) fn enabled(thresholds: &Thresholds) -> impl Iterator<Item = &'static Spec> {
    SPECS.iter().filter(|spec| (spec.enabled)(thresholds))
}

/// The detections that the configuration wants, for the engine.
pub(crate) fn all(thresholds: &Thresholds) -> Vec<Box<dyn Detection>> {
    let shared = Arc::new(thresholds.clone());
    enabled(thresholds)
        .map(|spec| -> Box<dyn Detection> {
            Box::new(TableDetection {
                check: spec.id(),
                spec,
                thresholds: Arc::clone(&shared),
            })
        })
        .collect()
}

struct TableDetection {
    check: CheckId,
    spec: &'static Spec,
    thresholds: Arc<Thresholds>,
}

impl std::fmt::Debug for TableDetection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Detection").field(&self.check).finish()
    }
}

impl Detection for TableDetection {
    fn check(&self) -> &CheckId {
        &self.check
    }

    fn signal_kinds(&self) -> &[&str] {
        self.spec.signals
    }

    fn window(&self) -> Duration {
        Duration::from_secs((self.spec.window)(&self.thresholds))
    }

    fn evaluate(&self, new: &[Signal], history: &[Signal]) -> Vec<Observation> {
        let case = Case {
            thresholds: &self.thresholds,
            new,
            history,
        };
        let hits = (self.spec.find)(&case);
        hits.into_iter().map(|hit| self.observation(hit)).collect()
    }
}

impl TableDetection {
    fn observation(&self, hit: Hit<'_>) -> Observation {
        let mut details = hit.trigger.attributes.clone();
        details.insert("at".to_owned(), hit.trigger.at.to_string().into());
        details.extend(hit.details);
        Observation {
            check: self.check.clone(),
            kind: self.spec.kind,
            subject: hit.trigger.subject.clone(),
            discriminator: hit.trigger.id.clone(),
            cause: None,
            severity: hit.severity,
            confidence: hit.confidence,
            title: self.spec.title.to_owned(),
            reasons: vec![hit.reason],
            attribution: None,
            references: Vec::new(),
            details,
            from_event: true,
        }
    }
}

/// The signals of one subject: those to judge, and those before them.
pub(crate) struct Case<'a> {
    pub(crate) thresholds: &'a Thresholds,
    pub(crate) new: &'a [Signal],
    pub(crate) history: &'a [Signal],
}

impl<'a> Case<'a> {
    /// Each new signal with everything before it, the latest last. What comes earlier in `new` is
    /// before it, but no signal is before itself.
    fn each(
        &self,
    ) -> impl Iterator<
        Item = (
            &'a Signal,
            impl DoubleEndedIterator<Item = &'a Signal> + Clone,
        ),
    > {
        let (new, history) = (self.new, self.history);
        new.iter()
            .enumerate()
            .map(move |(index, signal)| (signal, history.iter().chain(&new[..index])))
    }

    /// Every signal in the order of time, and whether it is to be judged.
    fn in_order(&self) -> impl Iterator<Item = (&'a Signal, bool)> {
        protect_core::burst::in_order(self.new, self.history)
    }
}

/// One thing found.
pub(crate) struct Hit<'a> {
    /// The event that completes the condition; its id tells the finding from others.
    pub(crate) trigger: &'a Signal,
    pub(crate) severity: Severity,
    pub(crate) confidence: Confidence,
    pub(crate) reason: String,
    pub(crate) details: Attributes,
}

impl<'a> Hit<'a> {
    fn new(
        trigger: &'a Signal,
        severity: Severity,
        confidence: Confidence,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            trigger,
            severity,
            confidence,
            reason: reason.into(),
            details: Attributes::new(),
        }
    }

    fn with(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

/// Whether `then` is at most `seconds` before `now`.
fn within(now: Timestamp, then: Timestamp, seconds: u64) -> bool {
    seconds_between(then, now) <= seconds
}

/// Whole seconds from one time to a later one; 0 where it is not later.
fn seconds_between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_secs()).unwrap_or(0)
}

#[cfg(test)]
#[path = "../detection_tests.rs"]
mod tests;
