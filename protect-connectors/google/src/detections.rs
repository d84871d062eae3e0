//! What turns signals into observations: one table of the events that matter, and one pure function.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use protect_core::connector::Detection;
use protect_core::model::{
    CheckId, Confidence, FindingKind, Observation, Severity, Signal, SubjectKind,
};
use serde_json::Value;

use crate::signals::{ACCOUNT_EVENT, ALERT};
use crate::wire::Event;

/// One row of the table.
pub(crate) struct Spec {
    pub(crate) check: &'static str,
    pub(crate) title: &'static str,
    /// The events that it is made of.
    events: &'static [&'static str],
    kind: FindingKind,
    pub(crate) severity: Severity,
    /// How bad it is for an administrator.
    of_admin: Severity,
    /// What else must be so.
    when: When,
}

/// What must be so besides the event itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Always,
    /// Google holds the sign-in to be suspicious.
    Suspicious,
    /// Something suspicious happened to the account within the day before.
    AfterSuspicion,
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Attempts to sign in that Google stopped.
const BLOCKED: &[&str] = &[
    "suspicious_login",
    "suspicious_login_less_secure_app",
    "suspicious_programmatic_login",
];

const SIGN_IN: Spec = Spec {
    check: "",
    title: "",
    events: &[],
    kind: FindingKind::SuspiciousSignIn,
    severity: Severity::High,
    of_admin: Severity::High,
    when: When::Always,
};

/// Every detection.
pub(crate) static SPECS: [Spec; 13] = [
    Spec {
        check: "google.event.password_leaked",
        title: "Google stopped an account whose password is known to others",
        events: &["account_disabled_password_leak"],
        kind: FindingKind::CredentialExposure,
        severity: Severity::Critical,
        of_admin: Severity::Critical,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.account_hijacked",
        title: "Google stopped an account that somebody else took over",
        events: &["account_disabled_hijacked"],
        severity: Severity::Critical,
        of_admin: Severity::Critical,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.account_disabled",
        title: "Google stopped an account",
        events: &[
            "account_disabled_generic",
            "account_disabled_spamming",
            "account_disabled_spamming_through_relay",
        ],
        ..SIGN_IN
    },
    Spec {
        check: "google.event.suspicious_login_blocked",
        title: "Google stopped a suspicious attempt to sign in",
        events: BLOCKED,
        severity: Severity::Medium,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.suspicious_login_success",
        title: "A suspicious sign-in succeeded",
        events: &["login_success"],
        when: When::Suspicious,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.government_attack",
        title: "Google believes that a government attacks the account",
        events: &["gov_attack_warning"],
        severity: Severity::Critical,
        of_admin: Severity::Critical,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.session_stolen",
        title: "Google ended a session whose cookie somebody else used",
        events: &["user_signed_out_due_to_suspicious_session_cookie"],
        ..SIGN_IN
    },
    Spec {
        check: "google.event.second_factor_removed",
        title: "An account no longer has a second factor",
        events: &["2sv_disable"],
        of_admin: Severity::Critical,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.advanced_protection_left",
        title: "An account left the Advanced Protection Program",
        events: &["titanium_unenroll"],
        severity: Severity::Medium,
        of_admin: Severity::Medium,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.forwarding_outside",
        title: "Mail is forwarded to another domain",
        events: &["email_forwarding_out_of_domain"],
        kind: FindingKind::InsiderThreat,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.credentials_changed_after_suspicion",
        title: "A password or recovery contact was changed within a day of something suspicious",
        events: &[
            "recovery_email_edit",
            "recovery_phone_edit",
            "password_edit",
        ],
        when: When::AfterSuspicion,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.sensitive_action_blocked",
        title: "Google stopped a sensitive action",
        events: &["risky_sensitive_action_blocked"],
        severity: Severity::Medium,
        of_admin: Severity::Medium,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.sensitive_action_allowed",
        title: "A sensitive action was allowed though it was suspicious",
        events: &["risky_sensitive_action_allowed"],
        ..SIGN_IN
    },
];

/// Every detection, as the engine runs it, over what [`signals`](crate::signals()) makes.
pub fn all() -> Vec<Box<dyn Detection>> {
    let runs = SPECS.iter().filter_map(|spec| {
        let check = CheckId::new(spec.check).ok()?;
        Some(Box::new(Run { check, spec }) as Box<dyn Detection>)
    });
    let alert = CheckId::new(OTHER_ALERT).ok();
    let alert = alert.map(|check| Box::new(AlertRun { check }) as Box<dyn Detection>);
    runs.chain(alert).collect()
}

/// Whether a detection looks at an event. Most events are sign-ins that are as they should be, and are
/// let go.
pub(crate) fn is_wanted(name: &str, event: &Event) -> bool {
    SPECS.iter().any(|spec| {
        let is_suspicious = || event.text("is_suspicious").as_deref() == Some("true");
        spec.events.contains(&name) && (spec.when != When::Suspicious || is_suspicious())
    })
}

/// An alert that none of the events of accounts stands for.
pub(crate) const OTHER_ALERT: &str = "google.event.alert";

/// One line for people.
pub(crate) const OTHER_ALERT_TITLE: &str = "Google's Alert Center raised an alert";

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
        DAY.unsigned_abs()
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
            title: OTHER_ALERT_TITLE.to_owned(),
            reasons: vec![format!(
                "Google calls it `{}`",
                fact(signal, "alert_type").unwrap_or_default()
            )],
            attribution: None,
            references: Vec::new(),
            details: signal.attributes.clone(),
            from_event: true,
        });
        observed.collect()
    }
}

struct Run {
    check: CheckId,
    spec: &'static Spec,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Run").field(&self.spec.check).finish()
    }
}

impl Detection for Run {
    fn check(&self) -> &CheckId {
        &self.check
    }

    fn signal_kinds(&self) -> &[&str] {
        &[ACCOUNT_EVENT]
    }

    fn window(&self) -> Duration {
        DAY.unsigned_abs()
    }

    fn evaluate(&self, new: &[Signal], history: &[Signal]) -> Vec<Observation> {
        let before = |at: usize| history.iter().chain(new.iter().take(at));
        let hits = new.iter().enumerate().filter(|(at, signal)| {
            let mut all = history.iter().chain(new);
            self.spec.is_hit(signal, before(*at)) && !all.any(|other| tells_of(other, signal))
        });
        hits.map(|(_, signal)| self.observation(signal)).collect()
    }
}

impl Run {
    fn observation(&self, signal: &Signal) -> Observation {
        let event = fact(signal, "event").unwrap_or_default();
        let is_admin = signal.attributes.get("admin") == Some(&Value::Bool(true));
        let severity = if is_admin {
            self.spec.of_admin
        } else {
            self.spec.severity
        };
        Observation {
            check: self.check.clone(),
            kind: self.spec.kind,
            subject: signal.subject.clone(),
            // Two logs tell of the same event, at times that differ by less than a second, and an alert
            // of the same sign-in.
            discriminator: format!("{event}@{}", nearest_second(happened_at(signal))),
            cause: None,
            severity,
            confidence: Confidence::High,
            title: self.spec.title.to_owned(),
            reasons: vec![format!("Google tells of `{event}`")],
            attribution: None,
            references: Vec::new(),
            details: signal.attributes.clone(),
            from_event: true,
        }
    }
}

impl Spec {
    fn is_hit<'s>(&self, signal: &Signal, mut before: impl Iterator<Item = &'s Signal>) -> bool {
        let event = fact(signal, "event").unwrap_or_default();
        self.events.contains(&event)
            && match self.when {
                When::Always => true,
                When::Suspicious => is_suspicious(signal),
                When::AfterSuspicion => before.any(|earlier| {
                    let age = signal.at.duration_since(earlier.at);
                    age <= DAY && is_suspicion(earlier)
                }),
            }
    }
}

/// Whether Google holds it to be suspicious.
fn is_suspicious(signal: &Signal) -> bool {
    fact(signal, "is_suspicious") == Some("true")
}

/// Whether somebody else may have got at the account, or tried to.
fn is_suspicion(signal: &Signal) -> bool {
    let event = fact(signal, "event").unwrap_or_default();
    BLOCKED.contains(&event) || (event == "login_success" && is_suspicious(signal))
}

/// Whether an event of the logs tells of what an alert tells of: the same, or a suspicious sign-in,
/// of the same account at the same time. Then it is the event that is found.
fn tells_of(other: &Signal, alert: &Signal) -> bool {
    let is_alert = |signal: &Signal| signal.attributes.contains_key("alert");
    let event = |signal| fact(signal, "event").unwrap_or_default();
    let apart = happened_at(other).duration_since(happened_at(alert));
    is_alert(alert)
        && !is_alert(other)
        && apart.abs() <= APART
        && (event(other) == event(alert) || (is_suspicion(alert) && is_suspicion(other)))
}

/// How far apart the times are that the logs and an alert say of one thing.
const APART: SignedDuration = SignedDuration::from_mins(5);

/// When the sign-in was that it is about, or else when it was logged.
fn happened_at(signal: &Signal) -> Timestamp {
    let login = fact(signal, "login_time").and_then(|time| time.parse().ok());
    login.unwrap_or(signal.at)
}

fn nearest_second(at: Timestamp) -> i64 {
    at.as_millisecond().saturating_add(500).div_euclid(1_000)
}

/// A fact of a signal, where the event had it.
fn fact<'s>(signal: &'s Signal, name: &str) -> Option<&'s str> {
    signal.attributes.get(name).and_then(Value::as_str)
}
