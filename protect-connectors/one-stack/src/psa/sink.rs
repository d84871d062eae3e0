use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use protect_core::connector::{
    Capability, Connector, ConnectorInfo, Delivered, Delivery, Diagnosis, OpContext, Sink,
};
use protect_core::inbound::Inbound;
use protect_core::model::{ActionKind, EffectClass, Severity};
use protect_core::{Error, ErrorKind, Result};
use serde::Deserialize as _;
use serde_json::Value;

use super::client::Psa;
use super::templates::{Template, Templates};
use super::ticket::{NewTicket, Ticket};
use crate::config::Common;
use crate::error::is_there_already;
use crate::message::Message;
use crate::webhooks::Webhooks;

/// How long a ticket waits for an incident that is to be opened at Security.
const PATIENCE: SignedDuration = SignedDuration::from_hours(1);

/// PSA as a tenant's connector.
#[derive(Debug)]
pub(crate) struct PsaConnector {
    pub(super) info: ConnectorInfo,
    pub(super) client: Psa,
    pub(super) common: Common,
    pub(super) webhooks: Option<Webhooks>,
    pub(super) templates: Templates,
    pub(super) security_opens_tickets: bool,
}

#[async_trait]
impl Connector for PsaConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability {
            actions: [(ActionKind::OpenTicket, EffectClass::SearchBeforeCreate)].into(),
            ..Capability::default()
        }
    }

    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis> {
        let mut diagnosis = self.client.diagnose(cx).await;
        if let Some(webhooks) = &self.webhooks {
            diagnosis.credentials.push(webhooks.credential().await);
        }
        Ok(diagnosis)
    }

    fn as_sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }

    fn as_inbound(&self) -> Option<&dyn Inbound> {
        self.webhooks.as_ref()?.as_inbound()
    }
}

#[async_trait]
impl Sink for PsaConnector {
    async fn deliver(&self, cx: &OpContext, delivery: &Delivery) -> Result<Delivered> {
        let client = self.client.within(cx);
        let message = Message::of(delivery);
        let text = self.template(&message)?.render(&message, &self.common)?;
        if let Some(id) = &delivery.note_to {
            client
                .note(id, &text.body, true, Some(&message.key()))
                .await?;
            return Ok(Delivered {
                id: id.clone(),
                status: None,
            });
        }
        let ticket = self.ticket(&message, text.title, text.body)?;
        let opened = match client.open(ticket, &message.key()).await {
            Err(error) if is_there_already(&error) => {
                let open = self
                    .open_ticket(&client, &delivery.source_reference)
                    .await?;
                open.ok_or(error)?
            }
            opened => opened?,
        };
        Ok(delivered(opened))
    }

    fn declines(&self, delivery: &Delivery) -> Result<Option<String>> {
        let message = Message::of(delivery);
        let (name, template) = self.named(&message)?;
        if !template.enabled {
            return Ok(Some(format!("the template `{name}` is switched off")));
        }
        if delivery.severity < template.min_severity {
            let least = template.min_severity;
            return Ok(Some(format!(
                "below the template's `min_severity`, {least}"
            )));
        }
        if template.beside_incident || !self.security_opens_tickets {
            return Ok(None);
        }
        security_opens_it(delivery, self.client.now())
    }

    fn templates(&self) -> Option<Vec<String>> {
        Some(self.templates.names())
    }

    async fn standing(
        &self,
        cx: &OpContext,
        _: ActionKind,
        ids: &[String],
    ) -> Result<BTreeMap<String, Option<Delivered>>> {
        let tickets = match self.client.within(cx).get_tickets(ids).await {
            Err(error) if has_no_batch(&error) => {
                tracing::warn!(
                    tenant = %cx.tenant, connector = %self.info.name, kind = %error.kind(),
                    "PSA does not answer for several tickets together; each is looked up by itself"
                );
                return Ok(BTreeMap::new());
            }
            tickets => tickets?,
        };
        let standing = tickets.into_iter().map(|ticket| {
            let open = (!self.client.is_closed(&ticket)).then(|| delivered(ticket.clone()));
            (ticket.id, open)
        });
        Ok(standing.collect())
    }

    async fn find(
        &self,
        cx: &OpContext,
        _: ActionKind,
        source_reference: &str,
    ) -> Result<Option<Delivered>> {
        let client = self.client.within(cx);
        let open = self.open_ticket(&client, source_reference).await?;
        Ok(open.map(delivered))
    }
}

impl PsaConnector {
    async fn open_ticket(&self, client: &Psa, reference: &str) -> Result<Option<Ticket>> {
        client.open_ticket(&self.common.source, reference).await
    }

    fn template(&self, message: &Message<'_>) -> Result<&Template> {
        self.named(message).map(|(_, template)| template)
    }

    fn named(&self, message: &Message<'_>) -> Result<(&str, &Template)> {
        let named = message
            .delivery
            .data
            .get("template")
            .and_then(Value::as_str);
        let name = named.unwrap_or_else(|| Templates::standard_for(message.kind()));
        self.templates.get(name).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "there is no such template any more")
                .with_context("template", name)
        })
    }

    fn ticket(&self, message: &Message<'_>, title: String, body: String) -> Result<NewTicket> {
        let template = self.template(message)?;
        let severity = message.delivery.severity;
        Ok(NewTicket {
            title,
            description: Some(body),
            priority: Some(template.priority(severity).to_owned()),
            kind: Some(template.kind.clone()),
            board: template.board.clone(),
            queue: template.queue.clone(),
            assignee_id: template.assignee.clone(),
            client_id: self.common.client_id.clone(),
            source: Some(self.common.source.clone()),
            source_ref: message.delivery.source_reference.clone(),
            source_url: self.common.link(&message.incident),
        })
    }
}

/// "Critical and High incidents can open PSA tickets by themselves"
/// (<https://docs.theonestack.com/docs/security/incidents>): where one was opened at Security about the
/// same, a ticket of ours would be the second.
///
/// # Errors
/// One is still to be opened there: whether it will be is not known yet. After an hour nobody waits for
/// that any more, since two tickets do less harm than none.
fn security_opens_it(delivery: &Delivery, now: Timestamp) -> Result<Option<String>> {
    if delivery.severity < Severity::High {
        return Ok(None);
    }
    let places = delivery
        .data
        .get("security_incidents")
        .and_then(Value::as_array);
    let at_security = |place: &&Value| {
        place
            .get("kind")
            .is_some_and(|kind| kind == crate::security::KIND)
    };
    let Some(place) = places.into_iter().flatten().find(at_security) else {
        return Ok(None);
    };
    if place.get("state").is_some_and(|state| state == "applied") {
        return Ok(Some(
            "Security opens the ticket of this incident itself".to_owned(),
        ));
    }
    let since = place
        .get("since")
        .and_then(|since| Timestamp::deserialize(since).ok());
    if since.is_some_and(|since| now.duration_since(since) > PATIENCE) {
        return Ok(None);
    }
    Err(Error::new(
        ErrorKind::Unavailable,
        "waits until the incident is open at Security, which then opens the ticket",
    )
    .temporary()
    .persistent())
}

/// Whether PSA refuses the call, and not this once: it is documented by an example alone.
fn has_no_batch(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound
            | ErrorKind::Unsupported
            | ErrorKind::InvalidInput
            | ErrorKind::InvalidResponse
            | ErrorKind::PermissionDenied
    )
}

fn delivered(ticket: Ticket) -> Delivered {
    Delivered {
        id: ticket.id,
        status: ticket.status,
    }
}
