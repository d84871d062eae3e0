//! What Graph says happened, as signals: which facts a detection finds under which name.

use jiff::Timestamp;
use protect_core::model::{Attributes, Signal, Subject};
use serde_json::{Value, json};

use crate::KIND;
use crate::model::{Alert, DirectoryAudit, RiskDetection, SecureScore, SignIn, TargetResource};

/// Identity Protection noticed something; the subject is whose sign-in or credential it was.
pub(crate) const RISK_DETECTION: &str = "m365.risk_detection";
/// Somebody signed in, or tried to.
pub(crate) const SIGN_IN: &str = "m365.sign_in";
/// Somebody changed something in the directory; the subject is what was changed.
pub(crate) const DIRECTORY_AUDIT: &str = "m365.directory_audit";
/// One of Microsoft's security products raised an alert.
pub(crate) const ALERT: &str = "m365.alert";
/// Microsoft scored the tenant; the subject is the score.
pub(crate) const SECURE_SCORE: &str = "m365.secure_score";

/// Where the score lies in Graph.
pub(crate) const SECURE_SCORES: &str = "/security/secureScores";

/// Where what Identity Protection noticed lies in Graph.
pub(crate) const RISK_DETECTIONS: &str = "/identityProtection/riskDetections";

/// Where sign-ins lie in Graph.
pub(crate) const SIGN_INS: &str = "/auditLogs/signIns";

/// Where changes of the directory lie in Graph.
pub(crate) const DIRECTORY_AUDITS: &str = "/auditLogs/directoryAudits";

/// Where alerts lie in Graph.
pub(crate) const ALERTS: &str = "/security/alerts_v2";

impl From<RiskDetection> for Signal {
    fn from(event: RiskDetection) -> Self {
        let mut facts = Facts::default();
        facts.put("risk_event_type", event.risk_event_type);
        facts.put("risk_level", event.risk_level);
        facts.put("risk_state", event.risk_state);
        facts.put("ip", event.ip_address);
        facts.put("source", event.source);
        signal(
            event.id,
            RISK_DETECTION,
            event.detected_date_time,
            account(event.user_id, RISK_DETECTIONS),
            facts,
        )
    }
}

impl From<SignIn> for Signal {
    fn from(event: SignIn) -> Self {
        let place = event.location.unwrap_or_default();
        let mut facts = Facts::default();
        facts.put("client", event.client_app_used);
        facts.put("app", event.app_id);
        facts.put("ip", event.ip_address);
        facts.put("country", place.country_or_region);
        facts.put("city", place.city);
        facts.put("conditional_access", event.conditional_access_status);
        facts.put("risk_level", event.risk_level_during_sign_in);
        if let Some(code) = event.status.and_then(|status| status.error_code) {
            facts.0.insert("error_code".to_owned(), code.into());
        }
        signal(
            event.id,
            SIGN_IN,
            event.created_date_time,
            account(event.user_id, SIGN_INS),
            facts,
        )
    }
}

impl From<DirectoryAudit> for Signal {
    fn from(event: DirectoryAudit) -> Self {
        let initiator = event.initiated_by.unwrap_or_default();
        let (user, app) = (
            initiator.user.unwrap_or_default(),
            initiator.app.unwrap_or_default(),
        );
        let mut facts = Facts::default();
        facts.put("activity", event.activity_display_name);
        facts.put("category", event.category);
        facts.put("result", event.result);
        facts.put("by_user", user.id);
        facts.put("by_app", app.app_id.or(app.service_principal_id));
        facts.put("ip", user.ip_address);
        let targets = event.target_resources.unwrap_or_default();
        signal(
            event.id,
            DIRECTORY_AUDIT,
            event.activity_date_time,
            changed(&targets),
            facts,
        )
    }
}

/// What was changed: a user before anything else, since it is a user who got a role.
fn changed(targets: &[TargetResource]) -> Subject {
    let named = |target: &&TargetResource| target.id.as_deref().is_some_and(|id| !id.is_empty());
    let is_user = |target: &&TargetResource| target.kind.as_deref() == Some("User");
    let mut named = targets.iter().filter(named);
    let first = named.clone().next();
    if let Some(user) = named.find(is_user) {
        return account(user.id.clone(), DIRECTORY_AUDITS);
    }
    let path = first.and_then(|target| {
        let kind = target.kind.as_deref().unwrap_or("unknown");
        Some(format!("{kind}/{}", target.id.as_deref()?))
    });
    Subject::setting(KIND, path.unwrap_or_else(|| DIRECTORY_AUDITS.to_owned()))
}

impl From<Alert> for Signal {
    fn from(event: Alert) -> Self {
        let mut facts = Facts::default();
        facts.put("title", event.title);
        facts.put("severity", event.severity);
        facts.put("status", event.status);
        facts.put("source", event.service_source);
        facts.put("category", event.category);
        facts.put("alert", Some(event.id.clone()));
        if !event.user_ids.is_empty() {
            facts.0.insert("users".to_owned(), json!(event.user_ids));
        }
        let first = event.user_ids.into_iter().next();
        // An alert changes: each change is a signal of its own, and one finding by its alert.
        let at = event
            .last_update_date_time
            .unwrap_or(event.created_date_time);
        let id = format!("{}@{at}", event.id);
        signal(id, ALERT, at, account(first, ALERTS), facts)
    }
}

impl From<SecureScore> for Signal {
    fn from(score: SecureScore) -> Self {
        let mut facts = Facts::default();
        facts
            .0
            .insert("current".to_owned(), json!(score.current_score));
        facts.0.insert("max".to_owned(), json!(score.max_score));
        let subject = Subject::setting(KIND, SECURE_SCORES);
        signal(
            score.id,
            SECURE_SCORE,
            score.created_date_time,
            subject,
            facts,
        )
    }
}

fn signal(id: String, kind: &str, at: Timestamp, subject: Subject, facts: Facts) -> Signal {
    Signal {
        id,
        kind: kind.to_owned(),
        at,
        subject,
        attributes: facts.0,
    }
}

/// Whose it is, or where it was seen.
fn account(id: Option<String>, path: &str) -> Subject {
    match id.filter(|id| !id.is_empty()) {
        Some(id) => Subject::account(KIND, id.to_ascii_lowercase()),
        None => Subject::setting(KIND, path),
    }
}

#[derive(Default)]
struct Facts(Attributes);

impl Facts {
    fn put(&mut self, name: &str, text: Option<String>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.0.insert(name.to_owned(), Value::String(text));
        }
    }
}

/// A fact of a signal, where the event had it.
pub(crate) fn fact<'a>(signal: &'a Signal, name: &str) -> Option<&'a str> {
    signal.attributes.get(name).and_then(Value::as_str)
}
