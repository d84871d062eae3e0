//! Findings, incidents and actions as events of the Open Cybersecurity Schema Framework 1.8.0
//! (<https://schema.ocsf.io/1.8.0>), which SIEMs read.
//!
//! | What | Class |
//! |---|---|
//! | misconfiguration, mail authentication | Compliance Finding (2003) |
//! | every other finding | Detection Finding (2004) |
//! | incident | Incident Finding (2005) |
//! | action | Remediation Activity (7001) |
//!
//! Times are milliseconds since 1970 (`timestamp_t`). `metadata.uid` is the same whenever the same
//! thing in the same state is exported, so that a receiver can drop repeats. Words of ours that OCSF
//! has no number for stand beside 99 (Other); what else there is, such as credits, stands in
//! `unmapped`.

mod action;
mod finding;
mod incident;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Month;
use crate::engine::Tenant;
use crate::error::Result;
use crate::model::{ActionKind, Finding, Incident, Intent, Severity, TenantId};
use crate::store::{Query, RecordKind};

/// The version of the schema.
pub(super) const VERSION: &str = "1.8.0";

impl Tenant {
    /// What stood open at some time of a month, or changed in it, as OCSF events: findings,
    /// incidents, actions, each in the order of their ids.
    ///
    /// # Errors
    /// `store`.
    pub async fn ocsf(&self, month: Month) -> Result<Vec<Value>> {
        let findings: Vec<Finding> = self.stored(RecordKind::Finding).await?;
        let incidents: Vec<Incident> = self.stored(RecordKind::Incident).await?;
        let intents: Vec<Intent> = self.stored(RecordKind::Intent).await?;
        let in_month = |from: Timestamp, to: Option<Timestamp>| {
            from < month.end() && to.is_none_or(|to| to >= month.start())
        };
        let mut events = Vec::new();
        for found in &findings {
            let ended = (!found.status.is_open()).then(|| finding::changed_at(found));
            if in_month(found.first_seen, ended) {
                events.push(finding::event(found));
            }
        }
        for incident in &incidents {
            let ended = (!incident.status.is_open()).then_some(incident.updated_at);
            if in_month(incident.opened_at, ended) {
                let about = intents.iter().filter(|intent| {
                    intent.action.incident.as_ref() == Some(&incident.id)
                        && intent.action.kind == ActionKind::OpenTicket
                });
                let tickets = about.filter_map(|intent| {
                    let outcome = intent.outcome.as_ref()?;
                    outcome.vendor_reference.as_deref()
                });
                let name = &self.config().name;
                events.push(incident::event(incident, name, tickets));
            }
        }
        for intent in &intents {
            let ended = intent.outcome.as_ref().map(|outcome| outcome.at);
            if in_month(intent.created_at, ended) {
                events.push(action::event(intent, self.id()));
            }
        }
        Ok(events)
    }

    async fn stored<T: serde::de::DeserializeOwned>(&self, kind: RecordKind) -> Result<Vec<T>> {
        let found = self.read_all(Query::all(kind)).await?;
        Ok(found.into_iter().map(|found| found.value).collect())
    }
}

/// One event a line.
pub(super) fn lines(events: &[Value]) -> String {
    let mut lines = String::new();
    for event in events {
        lines.push_str(&event.to_string());
        lines.push('\n');
    }
    lines
}

/// A class of the schema.
struct Class {
    category: (u32, &'static str),
    uid: u32,
    name: &'static str,
}

/// A number of the schema with its caption; 99 with a word of ours where it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Word(u32, &'static str);

/// What every event has.
struct Head<'a> {
    class: &'a Class,
    activity: Word,
    severity: Severity,
    at: Timestamp,
    tenant: &'a TenantId,
    /// The list it comes from (`findings`).
    log: &'static str,
    /// What it is about, and how often that changed.
    uid: String,
    /// What ties events together: the incident.
    correlation: Option<&'a str>,
    message: String,
}

impl Head<'_> {
    fn event(self) -> Map<String, Value> {
        let Word(activity, activity_name) = self.activity;
        let Word(severity, severity_name) = severity(self.severity);
        let mut metadata = json!({
            "version": VERSION,
            "product": {
                "name": "protect",
                "vendor_name": "protect",
                "version": env!("CARGO_PKG_VERSION"),
            },
            "tenant_uid": self.tenant,
            "log_name": self.log,
            "uid": self.uid,
        });
        if let Some(correlation) = self.correlation {
            metadata["correlation_uid"] = json!(correlation);
        }
        object(json!({
            "activity_id": activity,
            "activity_name": activity_name,
            "category_uid": self.class.category.0,
            "category_name": self.class.category.1,
            "class_uid": self.class.uid,
            "class_name": self.class.name,
            "type_uid": self.class.uid * 100 + activity,
            "severity_id": severity,
            "severity": severity_name,
            "time": millis(self.at),
            "message": self.message,
            "metadata": metadata,
        }))
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

const fn severity(severity: Severity) -> Word {
    match severity {
        Severity::Info => Word(1, "Informational"),
        Severity::Low => Word(2, "Low"),
        Severity::Medium => Word(3, "Medium"),
        Severity::High => Word(4, "High"),
        Severity::Critical => Word(5, "Critical"),
    }
}
