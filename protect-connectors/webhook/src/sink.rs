use async_trait::async_trait;
use protect_core::Result;
use protect_core::connector::{
    Capability, Connector, ConnectorInfo, CredentialDiagnosis, Delivered, Delivery, Diagnosis,
    OpContext, Sink,
};
use protect_core::inbound::Inbound;
use protect_core::model::{ActionKind, EffectClass};
use protect_core::{Error, ErrorKind};
use serde_json::{Value, json};

use crate::client::Webhook;
use crate::inbound::Messages;

/// A webhook as a tenant's connector.
#[derive(Debug)]
pub(crate) struct WebhookConnector {
    info: ConnectorInfo,
    client: Webhook,
    pub(crate) messages: Option<Messages>,
}

impl WebhookConnector {
    pub(crate) fn new(info: ConnectorInfo, client: Webhook, messages: Option<Messages>) -> Self {
        Self {
            info,
            client,
            messages,
        }
    }
}

#[async_trait]
impl Connector for WebhookConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability {
            actions: [
                (ActionKind::OpenTicket, EffectClass::SearchBeforeCreate),
                (
                    ActionKind::OpenSecurityIncident,
                    EffectClass::SearchBeforeCreate,
                ),
                (ActionKind::Notify, EffectClass::KeyIdempotent),
                (ActionKind::EmitEvent, EffectClass::KeyIdempotent),
            ]
            .into(),
            ..Capability::default()
        }
    }

    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis> {
        let asked = self.client.items(cx, "protect:doctor").await;
        let (accepted, note) = match &asked {
            Ok(_) => (Some(true), None),
            Err(error) if error.kind() == ErrorKind::Unauthenticated => {
                let note = "the receiver does not accept the signature; compare the secrets";
                (Some(false), Some(note.to_owned()))
            }
            Err(error) => (None, Some(error.message().to_owned())),
        };
        let mut credentials = vec![CredentialDiagnosis {
            name: "respond".to_owned(),
            accepted,
            missing: Vec::new(),
            excess: Vec::new(),
            note,
        }];
        if let Some(messages) = &self.messages {
            credentials.push(messages.credential().await);
        }
        Ok(Diagnosis {
            reachable: asked.is_ok() || asked.as_ref().is_err_and(|e| e.http_status().is_some()),
            credentials,
            ..Diagnosis::default()
        })
    }

    fn as_sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }

    fn as_inbound(&self) -> Option<&dyn Inbound> {
        self.messages.is_some().then_some(self)
    }
}

#[async_trait]
impl Sink for WebhookConnector {
    async fn deliver(&self, cx: &OpContext, delivery: &Delivery) -> Result<Delivered> {
        let kind = message_type(delivery)?;
        let id = delivery.action_id.as_str();
        let reference = &delivery.source_reference;
        let id = self
            .client
            .post(cx, id, kind, reference, content(delivery))
            .await?;
        Ok(Delivered { id, status: None })
    }

    async fn find(
        &self,
        cx: &OpContext,
        kind: ActionKind,
        source_reference: &str,
    ) -> Result<Option<Delivered>> {
        let wanted = match kind {
            ActionKind::OpenTicket => "ticket",
            ActionKind::OpenSecurityIncident => "incident",
            _ => "event",
        };
        let items = self.client.items(cx, source_reference).await?;
        let open = items.into_iter().find(|item| {
            item.kind == wanted && item.is_open() && item.source_reference == source_reference
        });
        Ok(open.map(|item| Delivered {
            id: item.id,
            status: Some(item.status),
        }))
    }
}

fn message_type(delivery: &Delivery) -> Result<&'static str> {
    let is_note = delivery.note_to.is_some();
    match delivery.kind {
        ActionKind::OpenTicket if is_note => Ok("ticket.noted"),
        ActionKind::OpenTicket => Ok("ticket.created"),
        ActionKind::OpenSecurityIncident if is_note => Ok("incident.updated"),
        ActionKind::OpenSecurityIncident => Ok("incident.opened"),
        ActionKind::Notify | ActionKind::EmitEvent => Ok("event"),
        other => Err(Error::new(
            ErrorKind::Unsupported,
            format!("a webhook cannot be told to `{other}`"),
        )),
    }
}

fn content(delivery: &Delivery) -> Value {
    let mut content = delivery.data.clone();
    content.insert("title".to_owned(), json!(delivery.title));
    content.insert("body".to_owned(), json!(delivery.body));
    content.insert("severity".to_owned(), json!(delivery.severity));
    if let Some(id) = &delivery.note_to {
        content.insert("id".to_owned(), json!(id));
    }
    Value::Object(content)
}
