use serde_json::{Value, json};

use super::{Class, Head, Word, millis};
use crate::model::{
    ActionKind, ActionTarget, IncidentId, Intent, OutcomeStatus, Severity, TenantId,
};

const REMEDIATION: Class = Class {
    category: (7, "Remediation"),
    uid: 7001,
    name: "Remediation Activity",
};

/// A technique of MITRE D3FEND 1.2.0 (<https://d3fend.mitre.org>).
type Technique = Option<(&'static str, &'static str)>;

/// An approved action and what came of it.
pub(super) fn event(intent: &Intent, tenant: &TenantId) -> Value {
    let action = &intent.action;
    let outcome = intent.outcome.as_ref();
    let (activity, technique) = purpose(action.kind);
    let Word(status, status_name) = status(outcome.map(|outcome| outcome.status));
    let word = outcome.map_or("waits", |outcome| outcome.status.as_str());
    let at = outcome.map_or(intent.created_at, |outcome| outcome.at);
    let head = Head {
        class: &REMEDIATION,
        activity,
        severity: Severity::Info,
        at,
        tenant,
        log: "actions",
        uid: format!("{}:{word}", action.id),
        correlation: action.incident.as_ref().map(IncidentId::as_str),
        message: format!("{}: {word}", action.kind),
    };
    let mut event = head.event();
    event.insert("command_uid".to_owned(), json!(action.id));
    event.insert("status_id".to_owned(), json!(status));
    event.insert("status".to_owned(), json!(status_name));
    event.insert("status_code".to_owned(), json!(word));
    let why = outcome.map(|outcome| &outcome.reason);
    if let Some(why) = why
        .or(intent.last_error.as_ref())
        .filter(|why| !why.is_empty())
    {
        event.insert("status_detail".to_owned(), json!(why));
    }
    event.insert("start_time".to_owned(), json!(millis(intent.created_at)));
    if let Some(outcome) = outcome {
        event.insert("end_time".to_owned(), json!(millis(outcome.at)));
    }
    event.insert("remediation".to_owned(), json!({ "desc": action.reason }));
    if let Some((uid, name)) = technique {
        let technique = json!({ "uid": uid, "name": name });
        event.insert(
            "countermeasures".to_owned(),
            json!([{ "d3f_technique": technique, "version": "1.2.0" }]),
        );
    }
    if let ActionTarget::Account(account) = &action.target {
        let target = json!({
            "name": "unmapped.target",
            "type_id": 10,
            "type": "Resource UID",
            "value": account.id,
        });
        event.insert("observables".to_owned(), json!([target]));
    }
    event.insert(
        "unmapped".to_owned(),
        json!({
            "action": action.kind,
            "connector": action.target.connector(),
            "target": match &action.target {
                ActionTarget::Account(account) => Some(&account.id),
                ActionTarget::Setting { .. } | ActionTarget::Sink { .. } => None,
            },
            "attempts": intent.attempts,
            "plan": intent.plan,
            "undoes": action.undoes,
            "vendor_reference": outcome.and_then(|outcome| outcome.vendor_reference.as_ref()),
        }),
    );
    Value::Object(event)
}

/// What an action is for, by the tactics of D3FEND that OCSF 1.8.0 has, and by which technique. What
/// only tells somebody something is none of them.
fn purpose(kind: ActionKind) -> (Word, Technique) {
    const EVICT: Word = Word(2, "Evict");
    const RESTORE: Word = Word(3, "Restore");
    const HARDEN: Word = Word(4, "Harden");
    const DETECT: Word = Word(5, "Detect");
    match kind {
        ActionKind::SuspendAccount | ActionKind::RevokeAccess => {
            (EVICT, Some(("D3-AL", "Account Locking")))
        }
        ActionKind::RevokeSessions => (EVICT, Some(("D3-ST", "Session Termination"))),
        ActionKind::RevokeGrants | ActionKind::RemoveMfaMethods => {
            (EVICT, Some(("D3-CR", "Credential Revocation")))
        }
        ActionKind::ReactivateAccount | ActionKind::RestoreAccess => {
            (RESTORE, Some(("D3-RUAA", "Restore User Account Access")))
        }
        ActionKind::RestoreRoles | ActionKind::RestoreAppConsent => (RESTORE, None),
        ActionKind::ForcePasswordReset => (HARDEN, Some(("D3-PR", "Password Rotation"))),
        ActionKind::EnrollMfa => (HARDEN, Some(("D3-MFA", "Multi-factor Authentication"))),
        ActionKind::RemoveRoles | ActionKind::BlockAppConsent => (HARDEN, None),
        ActionKind::ElevateMonitoring => (DETECT, None),
        other => (Word(99, other.as_str()), None),
    }
}

const fn status(status: Option<OutcomeStatus>) -> Word {
    match status {
        Some(OutcomeStatus::Applied | OutcomeStatus::AlreadySo) => Word(1, "Success"),
        Some(OutcomeStatus::Refused | OutcomeStatus::Failed) => Word(2, "Failure"),
        Some(OutcomeStatus::Unknown) => Word(0, "Unknown"),
        Some(OutcomeStatus::Cancelled) => Word(99, "cancelled"),
        Some(OutcomeStatus::Expired) => Word(99, "expired"),
        None => Word(99, "waits"),
    }
}
