//! Events that are found each for itself.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use protect_core::connector::Detection;
use protect_core::model::{CheckId, Confidence, Observation, Signal};

use super::table::BLOCKED;
use super::{DAY, SPECS, Spec, ToldBy, When, details, fact, is_about_admin};

/// A detection for each row of the table.
pub(super) fn all() -> Vec<Box<dyn Detection>> {
    let runs = SPECS.iter().filter_map(|spec| {
        let check = CheckId::new(spec.check).ok()?;
        let signal = spec.told_by.signal();
        Some(Box::new(Run {
            check,
            signal,
            spec,
        }) as Box<dyn Detection>)
    });
    runs.collect()
}

struct Run {
    check: CheckId,
    signal: &'static str,
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
        std::slice::from_ref(&self.signal)
    }

    fn window(&self) -> Duration {
        DAY
    }

    fn evaluate(&self, new: &[Signal], history: &[Signal]) -> Vec<Observation> {
        let before = |at: usize| history.iter().chain(new.iter().take(at));
        let hits = new.iter().enumerate().filter(|(at, signal)| {
            let mut all = history.iter().chain(new);
            let is_told = is_alert(signal) && all.any(|other| tells_of(other, signal));
            self.spec.is_hit(signal, before(*at)) && !is_told
        });
        hits.map(|(_, signal)| self.observation(signal)).collect()
    }
}

impl Run {
    fn observation(&self, signal: &Signal) -> Observation {
        let event = fact(signal, "event").unwrap_or_default();
        let severity = if is_about_admin(signal) {
            self.spec.of_admin
        } else {
            self.spec.severity
        };
        Observation {
            check: self.check.clone(),
            kind: self.spec.kind,
            subject: signal.subject.clone(),
            discriminator: self.spec.discriminator(signal),
            cause: None,
            severity,
            confidence: Confidence::High,
            title: self.spec.title.to_owned(),
            reasons: vec![format!("Google tells of `{event}`")],
            attribution: None,
            references: Vec::new(),
            details: details(signal),
            from_event: true,
        }
    }
}

impl Spec {
    /// What tells it from others of the same account.
    fn discriminator(&self, signal: &Signal) -> String {
        let event = fact(signal, "event").unwrap_or_default();
        let named = |name| fact(signal, name).unwrap_or_default();
        // Two logs tell of the same event, at times that differ by less than a second, and an alert
        // of the same sign-in.
        let second = nearest_second(happened_at(signal));
        match self.told_by {
            ToldBy::Accounts => format!("{event}@{second}"),
            ToldBy::Admin => {
                let what = ["role", "privilege", "client_id", "domain"]
                    .map(named)
                    .join("/");
                format!("{event}@{second}:{what}")
            }
            // One finding per account and application, however often it asks.
            ToldBy::Token => named("client_id").to_owned(),
        }
    }

    fn is_hit<'s>(&self, signal: &Signal, mut before: impl Iterator<Item = &'s Signal>) -> bool {
        let event = fact(signal, "event").unwrap_or_default();
        self.events.contains(&event)
            && match self.when {
                When::Always => true,
                When::Suspicious => is_suspicious(signal),
                When::FarReaching => signal.attributes.contains_key("far_reaching"),
                When::AfterSuspicion => before.any(|earlier| {
                    let age = signal.at.duration_since(earlier.at);
                    age.unsigned_abs() <= DAY && is_suspicion(earlier)
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

/// Whether the Alert Center tells of it.
fn is_alert(signal: &Signal) -> bool {
    signal.attributes.contains_key("alert")
}

/// Whether an event of the logs tells of what an alert tells of: the same, or a suspicious sign-in,
/// of the same account at the same time. Then it is the event that is found.
fn tells_of(other: &Signal, alert: &Signal) -> bool {
    let event = |signal| fact(signal, "event").unwrap_or_default();
    let apart = happened_at(other).duration_since(happened_at(alert));
    !is_alert(other)
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
