use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Class, Head, Word, millis, severity};
use crate::model::{
    Confidence, Finding, FindingKind, FindingStatus, IncidentId, Observation, Subject, SubjectKind,
};

const COMPLIANCE: Class = Class {
    category: (2, "Findings"),
    uid: 2003,
    name: "Compliance Finding",
};

const DETECTION: Class = Class {
    category: (2, "Findings"),
    uid: 2004,
    name: "Detection Finding",
};

/// A finding as it stands.
pub(super) fn event(finding: &Finding) -> Value {
    let seen = &finding.observation;
    let class = class_of(seen.kind);
    let head = Head {
        class: &class,
        activity: activity(finding),
        severity: seen.severity,
        at: changed_at(finding),
        tenant: &finding.tenant,
        log: "findings",
        uid: format!(
            "{}#{}:{}",
            finding.id,
            finding.occurrence,
            finding.status.as_str()
        ),
        correlation: finding.incident.as_ref().map(IncidentId::as_str),
        message: seen.title.clone(),
    };
    let mut event = head.event();
    let Word(status, status_name) = status(finding.status);
    event.insert("status_id".to_owned(), json!(status));
    event.insert("status".to_owned(), json!(status_name));
    let Word(confidence, confidence_name) = confidence(seen.confidence);
    event.insert("confidence_id".to_owned(), json!(confidence));
    event.insert("confidence".to_owned(), json!(confidence_name));
    if let Some(acceptance) = &finding.acceptance {
        event.insert("status_detail".to_owned(), json!(acceptance.reason));
    }
    event.insert("finding_info".to_owned(), info(finding));
    event.insert("resources".to_owned(), json!([resource(&seen.subject)]));
    event.insert("observables".to_owned(), json!([observable(&seen.subject)]));
    if class.uid == COMPLIANCE.uid {
        event.insert("compliance".to_owned(), compliance(finding));
    } else if let Some(user) = user(&seen.subject) {
        event.insert("evidences".to_owned(), json!([{ "user": user }]));
    }
    event.insert("unmapped".to_owned(), unmapped(finding));
    Value::Object(event)
}

/// When it last changed: as far as is stored.
pub(super) fn changed_at(finding: &Finding) -> Timestamp {
    finding.resolved_at.unwrap_or(finding.last_seen)
}

fn class_of(kind: FindingKind) -> Class {
    match kind {
        FindingKind::Misconfiguration | FindingKind::EmailAuthentication => COMPLIANCE,
        FindingKind::CredentialExposure
        | FindingKind::SuspiciousSignIn
        | FindingKind::InsiderThreat
        | FindingKind::Drift
        | FindingKind::Operational => DETECTION,
    }
}

fn activity(finding: &Finding) -> Word {
    match finding.status {
        FindingStatus::Resolved | FindingStatus::FalsePositive => Word(3, "Close"),
        FindingStatus::New if finding.first_seen == finding.last_seen => Word(1, "Create"),
        FindingStatus::New | FindingStatus::Acknowledged | FindingStatus::Accepted => {
            Word(2, "Update")
        }
    }
}

const fn status(status: FindingStatus) -> Word {
    match status {
        FindingStatus::New => Word(1, "New"),
        FindingStatus::Acknowledged => Word(2, "In Progress"),
        FindingStatus::Accepted => Word(3, "Suppressed"),
        FindingStatus::Resolved => Word(4, "Resolved"),
        FindingStatus::FalsePositive => Word(99, "false_positive"),
    }
}

const fn confidence(confidence: Confidence) -> Word {
    match confidence {
        Confidence::Low => Word(1, "Low"),
        Confidence::Medium => Word(2, "Medium"),
        Confidence::High => Word(3, "High"),
    }
}

fn info(finding: &Finding) -> Value {
    let seen = &finding.observation;
    let mut info = json!({
        "uid": finding.id,
        "title": seen.title,
        "types": [seen.kind],
        "data_sources": [finding.source],
        "created_time": millis(finding.first_seen),
        "first_seen_time": millis(finding.first_seen),
        "last_seen_time": millis(finding.last_seen),
        "modified_time": millis(changed_at(finding)),
        "analytic": {
            "uid": seen.check,
            "name": seen.check,
            "type_id": 1,
            "type": "Rule",
        },
    });
    if !seen.reasons.is_empty() {
        info["desc"] = json!(seen.reasons.join("; "));
    }
    if let Some(credit) = &seen.attribution {
        info["src_url"] = json!(credit.url);
    }
    info
}

/// A finding is a check that failed; a resolved one passes now, and one that was never wrong always
/// did.
fn compliance(finding: &Finding) -> Value {
    let seen = &finding.observation;
    let Word(status, name) = match finding.status {
        FindingStatus::New | FindingStatus::Acknowledged => Word(3, "Fail"),
        FindingStatus::Accepted => Word(2, "Warning"),
        FindingStatus::Resolved | FindingStatus::FalsePositive => Word(1, "Pass"),
    };
    let Word(severity, severity_name) = severity(seen.severity);
    let standards: Vec<_> = seen
        .references
        .iter()
        .map(|reference| format!("{} {}", reference.framework, reference.version))
        .collect();
    let requirements: Vec<_> = seen.references.iter().map(|it| it.id.as_str()).collect();
    json!({
        "control": seen.check,
        "standards": standards,
        "requirements": requirements,
        "status_id": status,
        "status": name,
        "checks": [{
            "uid": seen.check,
            "name": seen.title,
            "standards": standards,
            "status_id": status,
            "status": name,
            "severity_id": severity,
            "severity": severity_name,
        }],
    })
}

fn resource(subject: &Subject) -> Value {
    let mut resource = json!({
        "uid": subject.id,
        "name": subject.id,
        "type": subject.kind,
    });
    if !subject.provider.is_empty() {
        resource["namespace"] = json!(subject.provider);
    }
    resource
}

fn observable(subject: &Subject) -> Value {
    let Word(kind, name) = match subject.kind {
        SubjectKind::Address => Word(5, "Email Address"),
        SubjectKind::Domain => Word(1, "Hostname"),
        SubjectKind::Account | SubjectKind::Setting => Word(10, "Resource UID"),
    };
    json!({
        "name": "resources[].uid",
        "type_id": kind,
        "type": name,
        "value": subject.id,
    })
}

fn user(subject: &Subject) -> Option<Value> {
    match subject.kind {
        SubjectKind::Account => Some(json!({ "uid": subject.id })),
        SubjectKind::Address => Some(json!({ "uid": subject.id, "email_addr": subject.id })),
        SubjectKind::Domain | SubjectKind::Setting => None,
    }
}

fn unmapped(finding: &Finding) -> Value {
    let Observation {
        kind,
        attribution,
        discriminator,
        ..
    } = &finding.observation;
    let mut more = Map::new();
    more.insert("kind".to_owned(), json!(kind));
    more.insert("status".to_owned(), json!(finding.status));
    more.insert("occurrence".to_owned(), json!(finding.occurrence));
    more.insert("baseline".to_owned(), json!(finding.baseline));
    if !discriminator.is_empty() {
        more.insert("discriminator".to_owned(), json!(discriminator));
    }
    if let Some(credit) = attribution {
        more.insert("attribution".to_owned(), json!(credit));
    }
    if let Some(acceptance) = &finding.acceptance {
        more.insert("acceptance".to_owned(), json!(acceptance));
    }
    Value::Object(more)
}
