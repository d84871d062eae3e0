//! Failed sign-ins, which matter where there are many. Google groups the failed attempts of one
//! session in its log, and of accounts with a SAML profile it tells of failed Google passwords that
//! nobody typed: so neither is held to be certain.

use std::collections::BTreeMap;
use std::time::Duration;

use protect_core::burst::{crossings, in_order};
use protect_core::connector::Detection;
use protect_core::model::{CheckId, Confidence, FindingKind, Observation, Severity, Signal};

use super::{details, fact, is_about_admin};
use crate::config::Options;
use crate::signals::{FAILURE_OF_ACCOUNT, FAILURE_OF_ANY};

/// Too much of something within a window.
pub(crate) struct Burst {
    pub(crate) check: &'static str,
    pub(crate) title: &'static str,
    pub(crate) severity: Severity,
    signal: &'static str,
    find: for<'s> fn(&Limits, &'s [Signal], &'s [Signal]) -> Vec<&'s Signal>,
    /// What is too much, in words.
    reason: fn(&Limits) -> String,
}

/// Every burst.
pub(crate) static BURSTS: [Burst; 2] = [
    Burst {
        check: "google.event.sign_in_failures",
        title: "Many failed sign-ins of one account within minutes",
        severity: Severity::Low,
        signal: FAILURE_OF_ACCOUNT,
        find: of_account,
        reason: |it| {
            format!(
                "{} failed sign-ins within {} seconds",
                it.failures, it.seconds
            )
        },
    },
    Burst {
        check: "google.event.sign_in_failures_from_address",
        title: "Failed sign-ins of many accounts from one address within minutes",
        severity: Severity::Medium,
        signal: FAILURE_OF_ANY,
        find: from_address,
        reason: |it| format!("{} accounts within {} seconds", it.accounts, it.seconds),
    },
];

/// A detection for each.
pub(super) fn all(options: &Options) -> Vec<Box<dyn Detection>> {
    let limits = Limits {
        failures: options.failures,
        accounts: options.sprayed_accounts,
        seconds: options.failure_window,
    };
    let runs = BURSTS.iter().filter_map(|burst| {
        let check = CheckId::new(burst.check).ok()?;
        Some(Box::new(Run {
            check,
            burst,
            limits,
        }) as Box<dyn Detection>)
    });
    runs.collect()
}

/// When it is too much.
#[derive(Clone, Copy, Debug)]
struct Limits {
    failures: u32,
    accounts: u32,
    seconds: u64,
}

fn of_account<'s>(limits: &Limits, new: &'s [Signal], history: &'s [Signal]) -> Vec<&'s Signal> {
    let (limit, seconds) = (limits.failures, limits.seconds);
    let signals = in_order(new, history);
    crossings(signals, limit, seconds, |signal| Some(signal.id.as_str()))
}

/// Different accounts, by the address that the attempts came from.
fn from_address<'s>(limits: &Limits, new: &'s [Signal], history: &'s [Signal]) -> Vec<&'s Signal> {
    let (limit, seconds) = (limits.accounts, limits.seconds);
    let mut by_address: BTreeMap<&str, Vec<(&Signal, bool)>> = BTreeMap::new();
    for (signal, is_new) in in_order(new, history) {
        if let Some(address) = fact(signal, "ip") {
            by_address
                .entry(address)
                .or_default()
                .push((signal, is_new));
        }
    }
    let bursts = by_address.into_values().flat_map(|signals| {
        let account = |signal| fact(signal, "account");
        crossings(signals.into_iter(), limit, seconds, account)
    });
    bursts.collect()
}

struct Run {
    check: CheckId,
    burst: &'static Burst,
    limits: Limits,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Run").field(&self.burst.check).finish()
    }
}

impl Detection for Run {
    fn check(&self) -> &CheckId {
        &self.check
    }

    fn signal_kinds(&self) -> &[&str] {
        std::slice::from_ref(&self.burst.signal)
    }

    fn window(&self) -> Duration {
        Duration::from_secs(self.limits.seconds)
    }

    fn evaluate(&self, new: &[Signal], history: &[Signal]) -> Vec<Observation> {
        let hits = (self.burst.find)(&self.limits, new, history);
        let reason = (self.burst.reason)(&self.limits);
        let observed = hits.into_iter().map(|trigger| Observation {
            check: self.check.clone(),
            kind: FindingKind::SuspiciousSignIn,
            subject: trigger.subject.clone(),
            discriminator: trigger.id.clone(),
            cause: None,
            severity: if is_about_admin(trigger) {
                self.burst.severity.max(Severity::Medium)
            } else {
                self.burst.severity
            },
            confidence: Confidence::Low,
            title: self.burst.title.to_owned(),
            reasons: vec![reason.clone()],
            attribution: None,
            references: Vec::new(),
            details: details(trigger),
            from_event: true,
        });
        observed.collect()
    }
}
