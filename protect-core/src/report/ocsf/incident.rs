use serde_json::{Value, json};

use super::{Class, Head, Word, millis};
use crate::model::{Incident, IncidentStatus};

const INCIDENT: Class = Class {
    category: (2, "Findings"),
    uid: 2005,
    name: "Incident Finding",
};

/// An incident as it stands. Nobody in particular is assigned, so the tenant itself is.
pub(super) fn event<'a>(
    incident: &Incident,
    tenant_name: &str,
    tickets: impl Iterator<Item = &'a str>,
) -> Value {
    let status_word = incident.status.as_str();
    let head = Head {
        class: &INCIDENT,
        activity: activity(incident.status),
        severity: incident.severity,
        at: incident.updated_at,
        tenant: &incident.tenant,
        log: "incidents",
        uid: format!(
            "{}:{}:{status_word}",
            incident.id,
            millis(incident.updated_at)
        ),
        correlation: Some(incident.id.as_str()),
        message: incident.title.clone(),
    };
    let mut event = head.event();
    let Word(status, status_name) = status(incident.status);
    let findings: Vec<_> = incident
        .findings
        .iter()
        .map(|id| json!({ "uid": id, "title": incident.title }))
        .collect();
    let tickets: Vec<_> = tickets
        .map(|uid| json!({ "uid": uid, "type_id": 2, "type": "External" }))
        .collect();
    event.insert("status_id".to_owned(), json!(status));
    event.insert("status".to_owned(), json!(status_name));
    event.insert("status_detail".to_owned(), json!(status_word));
    event.insert("start_time".to_owned(), json!(millis(incident.opened_at)));
    if !incident.status.is_open() {
        event.insert("end_time".to_owned(), json!(millis(incident.updated_at)));
    }
    event.insert("desc".to_owned(), json!(incident.title));
    event.insert("finding_info_list".to_owned(), json!(findings));
    event.insert(
        "assignee_group".to_owned(),
        json!({ "uid": incident.tenant, "name": tenant_name, "type": "tenant" }),
    );
    if !tickets.is_empty() {
        event.insert("tickets".to_owned(), json!(tickets));
    }
    event.insert(
        "unmapped".to_owned(),
        json!({
            "kind": incident.kind,
            "generation": incident.generation,
            "person": incident.person,
        }),
    );
    Value::Object(event)
}

const fn activity(status: IncidentStatus) -> Word {
    match status {
        IncidentStatus::New => Word(1, "Create"),
        IncidentStatus::Open | IncidentStatus::Investigating | IncidentStatus::Contained => {
            Word(2, "Update")
        }
        IncidentStatus::Resolved | IncidentStatus::Closed => Word(3, "Close"),
    }
}

/// A contained one is still worked on; our own word stands in `status_detail`.
const fn status(status: IncidentStatus) -> Word {
    match status {
        IncidentStatus::New => Word(1, "New"),
        IncidentStatus::Open | IncidentStatus::Investigating | IncidentStatus::Contained => {
            Word(2, "In Progress")
        }
        IncidentStatus::Resolved => Word(4, "Resolved"),
        IncidentStatus::Closed => Word(5, "Closed"),
    }
}
