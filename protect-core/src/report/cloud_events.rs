//! What happened in a month as Cloud Events 1.0 in structured JSON, one event a line: every entry of the
//! ledger, in its order. `source` and `id` together name an event for good, so that a consumer who gets
//! it twice knows.
//!
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>

use serde_json::{Value, json};

use super::Month;
use crate::cloud_event::{CloudEvent, LARGEST};
use crate::engine::Tenant;
use crate::error::Result;
use crate::model::EvidenceEntry;
use crate::store::Query;

impl Tenant {
    /// What happened in a month as Cloud Events 1.0, one JSON document a line (media type
    /// `application/cloudevents+json` each). Facts name nobody: people stand in them by pseudonym.
    ///
    /// # Errors
    /// `store`.
    pub async fn cloud_events(&self, month: Month) -> Result<String> {
        let mut lines = String::new();
        let mut query = Query::ledger();
        loop {
            let page = self.store().query(self.id(), query.clone()).await?;
            for entry in page.entries.iter().filter(|entry| month.contains(entry.at)) {
                lines.push_str(&line(entry)?);
                lines.push('\n');
            }
            match page.next {
                Some(next) => query = query.after(next),
                None => return Ok(lines),
            }
        }
    }
}

/// What is larger than intermediaries forward goes without its facts, which the ledger has.
fn line(entry: &EvidenceEntry) -> Result<String> {
    let whole = event(entry, json!({ "actor": entry.actor, "facts": entry.data }))?;
    let text = whole.to_json()?;
    if text.len() <= LARGEST {
        return Ok(text);
    }
    let without = json!({ "actor": entry.actor, "facts_left_out": true });
    whole.data(without).to_json()
}

fn event(entry: &EvidenceEntry, data: Value) -> Result<CloudEvent> {
    let about = ["incident", "finding", "action", "plan", "connector"];
    let mut about = about.iter();
    let subject = about.find_map(|name| entry.data.get(*name)?.as_str());
    let source = CloudEvent::source_of(entry.tenant.as_str());
    let kind = CloudEvent::type_of(&entry.kind);
    CloudEvent::new(source, entry.hash.as_str(), kind, data)?
        .subject(subject.unwrap_or_default())
        .time(entry.at)
        .extension("sequence", format!("{:020}", entry.sequence))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{Attributes, TenantId};

    fn entry(facts: &Value) -> EvidenceEntry {
        EvidenceEntry {
            sequence: 7,
            tenant: TenantId::new("acme").unwrap(),
            at: "2026-11-05T10:00:00Z".parse().unwrap(),
            kind: "action.finished".to_owned(),
            actor: "engine".to_owned(),
            data: facts.as_object().cloned().unwrap_or_else(Attributes::new),
            previous: "0".repeat(64),
            hash: "a".repeat(64),
        }
    }

    /// The required attributes and their forms, and the names that attributes may have
    /// (Cloud Events 1.0.2, "Context Attributes").
    #[test]
    fn an_event_has_what_the_specification_asks_for() {
        let text = line(&entry(&json!({ "incident": "inc-1", "status": "applied" }))).unwrap();
        let event: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["id"], "a".repeat(64));
        assert_eq!(event["source"], "urn:protect:tenant:acme");
        assert_eq!(event["type"], "dev.protect.action.finished.v1");
        assert_eq!(event["subject"], "inc-1");
        assert_eq!(event["data"]["facts"]["status"], "applied");
        assert!(event["time"].as_str().unwrap().parse::<Timestamp>().is_ok());
        for name in event.as_object().unwrap().keys() {
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            assert!(name.len() <= 20 && name.bytes().all(fits), "{name}");
        }
    }

    #[test]
    fn what_is_too_large_to_be_forwarded_goes_without_its_facts() {
        let text = line(&entry(&json!({ "much": "x".repeat(LARGEST) }))).unwrap();
        assert!(text.len() < 1024);
        assert!(text.contains("facts_left_out"), "{text}");
    }
}
