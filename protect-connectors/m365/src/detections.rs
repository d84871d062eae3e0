//! What turns signals into observations: one pure function per detection, and one table of them.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use protect_core::connector::Detection;
use protect_core::model::{
    Attributes, CheckId, Confidence, FindingKind, Observation, Severity, Signal, SubjectKind,
};
use serde_json::Value;

use crate::config::Options;
use crate::signals::{ALERT, DIRECTORY_AUDIT, RISK_DETECTION, SECURE_SCORE, SIGN_IN, fact};

/// One row of the table.
pub(crate) struct Spec {
    pub(crate) check: &'static str,
    /// The signals that it looks at.
    pub(crate) signal: &'static str,
    /// The worst that it finds.
    pub(crate) severity: Severity,
    /// One line for people.
    pub(crate) title: &'static str,
    window: Duration,
    find: fn(&Options, &[Signal], &[Signal]) -> Vec<Hit>,
}

/// Users at risk: no detection, since it is a state that comes and goes.
pub(crate) const USER_AT_RISK: &str = "m365.risk.user_at_risk";

const DAY: Duration = Duration::from_hours(24);

/// Every detection.
pub(crate) static SPECS: [Spec; 5] = [
    Spec {
        check: "m365.event.risk_detection",
        signal: RISK_DETECTION,
        severity: Severity::High,
        title: "Identity Protection noticed a risk",
        window: DAY,
        find: |_, new, _| new.iter().filter_map(risk).collect(),
    },
    Spec {
        check: "m365.event.legacy_sign_in",
        signal: SIGN_IN,
        severity: Severity::Medium,
        title: "A sign-in with a protocol that knows no second factor succeeded",
        window: DAY,
        find: |_, new, _| new.iter().filter_map(legacy).collect(),
    },
    Spec {
        check: "m365.event.sensitive_change",
        signal: DIRECTORY_AUDIT,
        severity: Severity::Critical,
        title: "Who may do what was changed in the directory",
        window: DAY,
        find: |_, new, _| new.iter().filter_map(sensitive).collect(),
    },
    Spec {
        check: "m365.event.alert",
        signal: ALERT,
        severity: Severity::High,
        title: "A security product of Microsoft raised an alert",
        window: DAY,
        find: |_, new, _| new.iter().filter_map(alert).collect(),
    },
    Spec {
        check: "m365.event.secure_score_dropped",
        signal: SECURE_SCORE,
        severity: Severity::Medium,
        title: "Microsoft's own score of the tenant fell",
        window: Duration::from_hours(14 * 24),
        find: dropped,
    },
];

/// Every detection, as the engine runs it.
pub(crate) fn all(options: &Options) -> Vec<Box<dyn Detection>> {
    let options = Arc::new(options.clone());
    let runs = SPECS.iter().filter_map(|spec| {
        let run = Run {
            check: CheckId::new(spec.check).ok()?,
            signal: [spec.signal],
            spec,
            options: Arc::clone(&options),
        };
        Some(Box::new(run) as Box<dyn Detection>)
    });
    runs.collect()
}

/// What a detection found.
struct Hit {
    signal: Signal,
    kind: FindingKind,
    severity: Severity,
    confidence: Confidence,
    reason: String,
    /// What tells it from others of the same subject.
    discriminator: String,
}

impl Hit {
    fn new(signal: &Signal, severity: Severity, reason: impl Into<String>) -> Self {
        Self {
            signal: signal.clone(),
            kind: FindingKind::SuspiciousSignIn,
            severity,
            confidence: Confidence::Medium,
            reason: reason.into(),
            discriminator: signal.id.clone(),
        }
    }
}

/// What is still a risk. A leaked credential is one in somebody else's hands
/// (<https://learn.microsoft.com/entra/id-protection/concept-identity-protection-risks>).
fn risk(signal: &Signal) -> Option<Hit> {
    let state = fact(signal, "risk_state").unwrap_or_default();
    if !matches!(state, "atRisk" | "confirmedCompromised") {
        return None;
    }
    let what = fact(signal, "risk_event_type").unwrap_or("unknown");
    let level = fact(signal, "risk_level").unwrap_or_default();
    let mut hit = Hit::new(signal, severity(level), word(what));
    if what == "leakedCredentials" {
        hit.kind = FindingKind::CredentialExposure;
        hit.severity = Severity::High;
        hit.confidence = Confidence::High;
    }
    Some(hit)
}

/// Programs that can be asked for a second factor.
const MODERN: [&str; 2] = ["Browser", "Mobile Apps and Desktop clients"];

fn legacy(signal: &Signal) -> Option<Hit> {
    let client = fact(signal, "client")?;
    let worked = signal.attributes.get("error_code").and_then(Value::as_i64) == Some(0);
    if !worked
        || MODERN
            .iter()
            .any(|modern| modern.eq_ignore_ascii_case(client))
    {
        return None;
    }
    Some(Hit {
        // One finding per user and protocol, however often it is used.
        discriminator: client.to_ascii_lowercase(),
        ..Hit::new(signal, Severity::Medium, word(client))
    })
}

/// Changes that give somebody more than before or take a barrier away, by how Microsoft's words for
/// them begin, in lower case
/// (<https://learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities>).
const SENSITIVE: &[(&str, Severity)] = &[
    ("set federation settings on domain", Severity::Critical),
    ("set domain authentication", Severity::Critical),
    ("add member to role", Severity::High),
    ("add eligible member to role", Severity::High),
    (
        "add app role assignment to service principal",
        Severity::High,
    ),
    ("add service principal credentials", Severity::High),
    ("disable strong authentication", Severity::High),
    ("delete conditional access policy", Severity::High),
    ("update conditional access policy", Severity::Medium),
    ("add delegated permission grant", Severity::Medium),
    ("consent to application", Severity::Medium),
];

fn sensitive(signal: &Signal) -> Option<Hit> {
    if fact(signal, "result") != Some("success") {
        return None;
    }
    let activity = fact(signal, "activity")?.to_lowercase();
    // Its words are joined by a dash that is not always the same.
    let is_secret = activity.starts_with("update application")
        && activity.contains("certificates and secrets management");
    let known = SENSITIVE
        .iter()
        .find(|(begins, _)| activity.starts_with(begins));
    let severity = known.map(|(_, severity)| *severity);
    let severity = severity.or(is_secret.then_some(Severity::High))?;
    Some(Hit {
        kind: FindingKind::Drift,
        confidence: Confidence::High,
        ..Hit::new(signal, severity, word(fact(signal, "activity")?))
    })
}

fn alert(signal: &Signal) -> Option<Hit> {
    if fact(signal, "status") == Some("resolved") {
        return None;
    }
    let level = fact(signal, "severity").unwrap_or_default();
    let what = fact(signal, "category").unwrap_or("no category");
    let mut hit = Hit::new(signal, severity(level), word(what));
    if let Some(alert) = fact(signal, "alert") {
        alert.clone_into(&mut hit.discriminator);
    }
    if signal.subject.kind != SubjectKind::Account {
        hit.kind = FindingKind::Operational;
    }
    Some(hit)
}

/// The score against the one before.
fn dropped(options: &Options, new: &[Signal], history: &[Signal]) -> Vec<Hit> {
    let mut before = history.last().and_then(percent);
    let mut hits = Vec::new();
    for signal in new {
        let now = percent(signal);
        if let (Some(before), Some(now)) = (before, now)
            && before - now > f64::from(options.score_drop)
        {
            let reason = format!("from {before:.0} to {now:.0} percent");
            hits.push(Hit {
                kind: FindingKind::Drift,
                ..Hit::new(signal, Severity::Medium, reason)
            });
        }
        before = now.or(before);
    }
    hits
}

fn percent(signal: &Signal) -> Option<f64> {
    let number = |name| signal.attributes.get(name).and_then(Value::as_f64);
    let (current, max) = (number("current")?, number("max")?);
    (max > 0.0).then(|| current / max * 100.0)
}

/// Microsoft's word for how bad it is. One that this version does not know is not played down.
pub(crate) fn severity(level: &str) -> Severity {
    match level {
        "high" => Severity::High,
        "low" | "hidden" => Severity::Low,
        "none" | "informational" => Severity::Info,
        _ => Severity::Medium,
    }
}

/// A word of Microsoft's as it may stand in a finding: no address, no markup.
fn word(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-'))
        .take(80)
        .collect()
}

struct Run {
    check: CheckId,
    signal: [&'static str; 1],
    spec: &'static Spec,
    options: Arc<Options>,
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
        &self.signal
    }

    fn window(&self) -> Duration {
        self.spec.window
    }

    fn evaluate(&self, new: &[Signal], history: &[Signal]) -> Vec<Observation> {
        let hits = (self.spec.find)(&self.options, new, history);
        let observed = hits.into_iter().map(|hit| Observation {
            check: self.check.clone(),
            kind: hit.kind,
            subject: hit.signal.subject,
            discriminator: hit.discriminator,
            cause: None,
            severity: hit.severity,
            confidence: hit.confidence,
            title: self.spec.title.to_owned(),
            reasons: vec![hit.reason],
            attribution: None,
            references: Vec::new(),
            details: shown(hit.signal.at, hit.signal.attributes),
            from_event: true,
        });
        observed.collect()
    }
}

/// The facts, and when it was. The title of an alert may name people, so it stays with the signal.
fn shown(at: Timestamp, mut facts: Attributes) -> Attributes {
    facts.remove("title");
    facts.insert("at".to_owned(), at.to_string().into());
    facts
}

#[cfg(test)]
mod tests {
    use protect_core::model::Subject;
    use serde_json::json;

    use super::*;

    fn signal(kind: &str, facts: &Value) -> Signal {
        Signal {
            id: "1".to_owned(),
            kind: kind.to_owned(),
            at: "2026-11-01T00:00:00Z".parse().unwrap(),
            subject: Subject::account("m365", "u"),
            attributes: facts.as_object().unwrap().clone(),
        }
    }

    fn found(check: &str, new: &[Signal], history: &[Signal]) -> Vec<Observation> {
        let all = all(&Options::default());
        let detection = all.iter().find(|it| it.check().as_str() == check).unwrap();
        detection.evaluate(new, history)
    }

    #[test]
    fn a_leaked_credential_is_an_exposure_and_what_is_settled_is_nothing() {
        let leaked = json!({"risk_event_type": "leakedCredentials", "risk_level": "low", "risk_state": "atRisk"});
        let hits = found(
            "m365.event.risk_detection",
            &[signal(RISK_DETECTION, &leaked)],
            &[],
        );
        assert_eq!(hits[0].kind, FindingKind::CredentialExposure);
        assert_eq!(hits[0].severity, Severity::High);
        let settled = json!({"risk_event_type": "anonymizedIPAddress", "risk_level": "high", "risk_state": "remediated"});
        assert!(
            found(
                "m365.event.risk_detection",
                &[signal(RISK_DETECTION, &settled)],
                &[]
            )
            .is_empty()
        );
        let newer =
            &json!({"risk_event_type": "x", "risk_level": "extreme", "risk_state": "atRisk"});
        let hits = found(
            "m365.event.risk_detection",
            &[signal(RISK_DETECTION, newer)],
            &[],
        );
        assert_eq!(hits[0].severity, Severity::Medium);
    }

    #[test]
    fn an_old_protocol_counts_where_it_worked_and_once_per_user() {
        let of = |client: &str, code: i64| {
            signal(SIGN_IN, &json!({"client": client, "error_code": code}))
        };
        let signals = [
            of("IMAP4", 0),
            of("imap4", 0),
            of("POP3", 50126),
            of("Browser", 0),
        ];
        let hits = found("m365.event.legacy_sign_in", &signals, &[]);
        let names: Vec<_> = hits.iter().map(|it| it.discriminator.as_str()).collect();
        assert_eq!(names, ["imap4", "imap4"]);
    }

    #[test]
    fn an_alert_is_one_finding_however_often_it_changes_and_shows_no_title() {
        let of = |status: &str| {
            signal(
                ALERT,
                &json!({"title": "a@acme.example", "severity": "high", "status": status, "alert": "a1", "category": "InitialAccess"}),
            )
        };
        let hits = found(
            "m365.event.alert",
            &[of("new"), of("inProgress"), of("resolved")],
            &[],
        );
        assert_eq!(hits.len(), 2);
        assert!(hits.iter().all(|it| it.discriminator == "a1"));
        assert!(!format!("{hits:?}").contains("acme"));
    }

    #[test]
    fn a_score_that_fell_is_told_with_both_and_a_small_step_is_not() {
        let of = |current: f64| signal(SECURE_SCORE, &json!({"current": current, "max": 200.0}));
        let check = "m365.event.secure_score_dropped";
        assert_eq!(
            found(check, &[of(120.0)], &[of(140.0)])[0].reasons,
            ["from 70 to 60 percent"]
        );
        assert!(found(check, &[of(132.0)], &[of(140.0)]).is_empty());
        assert!(found(check, &[of(100.0)], &[]).is_empty());
        assert_eq!(found(check, &[of(140.0), of(100.0)], &[]).len(), 1);
    }
}
