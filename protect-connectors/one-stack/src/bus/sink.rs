use async_trait::async_trait;
use protect_core::Result;
use protect_core::connector::{
    Capability, Connector, ConnectorInfo, Delivered, Delivery, Diagnosis, OpContext, Sink,
};
use protect_core::model::{ActionKind, Attributes, EffectClass, Severity};
use serde_json::{Value, json};

use super::EVENTS;
use super::client::{Bus, BusEvent};
use crate::config::Common;
use crate::message::Message;

/// The bus as a tenant's connector.
#[derive(Debug)]
pub(crate) struct BusConnector {
    pub(super) info: ConnectorInfo,
    pub(super) client: Bus,
    pub(super) common: Common,
}

#[async_trait]
impl Connector for BusConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability {
            actions: [(ActionKind::EmitEvent, EffectClass::KeyIdempotent)].into(),
            ..Capability::default()
        }
    }

    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis> {
        Ok(self.client.diagnose(cx).await)
    }

    fn as_sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }
}

#[async_trait]
impl Sink for BusConnector {
    async fn deliver(&self, cx: &OpContext, delivery: &Delivery) -> Result<Delivered> {
        let message = Message::of(delivery);
        let event = delivery.data.get("event").and_then(Value::as_str);
        let event = BusEvent {
            event_id: delivery.action_id.to_string(),
            event_type: event.unwrap_or(EVENTS[0]).to_owned(),
            severity: severity_on_the_bus(delivery.severity).to_owned(),
            title: delivery.title.clone(),
            source: Some(self.common.source.clone()),
            detail: Some(delivery.body.clone()),
            entity_url: self.common.link(&message.incident),
            entity_id: Some(message.incident.clone()),
            actor_id: None,
            client_id: self.common.client_id.clone(),
            metadata: Some(metadata(&message)),
        };
        let emitted = self.client.within(cx).emit(event).await?;
        Ok(Delivered {
            id: emitted.id,
            status: None,
        })
    }

    /// Nothing can be looked up on a bus.
    async fn find(&self, _: &OpContext, _: ActionKind, _: &str) -> Result<Option<Delivered>> {
        Ok(None)
    }
}

/// The bus has three words; the exact one is in the metadata.
fn severity_on_the_bus(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High | Severity::Medium => "warning",
        Severity::Low | Severity::Info => "info",
    }
}

fn metadata(message: &Message<'_>) -> Attributes {
    let delivery = message.delivery;
    let findings: Vec<_> = message
        .findings
        .iter()
        .map(|seen| {
            json!({
                "id": seen.id, "check": seen.check, "kind": seen.kind, "severity": seen.severity,
            })
        })
        .collect();
    // What an event says of itself, such as whose last day it is, and then what is always said.
    let given = delivery.data.get("metadata").and_then(Value::as_object);
    let mut metadata: Attributes = given.into_iter().flatten().map(owned).collect();
    metadata.insert("severity".to_owned(), json!(delivery.severity));
    metadata.insert("source_ref".to_owned(), json!(delivery.source_reference));
    metadata.insert("findings".to_owned(), findings.into());
    metadata
}

fn owned((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}
