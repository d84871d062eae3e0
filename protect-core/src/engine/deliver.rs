//! What sinks are told: at most one open ticket per incident; a repeat becomes a note.

use serde::{Deserialize, Serialize};

use super::Tenant;
use super::records::message_group;
use crate::connector::{Connector, Delivered, Delivery, OpContext, Probe, Sink};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Action, ActionId, ActionKind, Artifact, Attributes, EffectClass, Finding, Incident,
    IncidentStatus, Intent, Outcome, OutcomeStatus, Severity,
};
use crate::store::{Commit, Put, Query, RecordKind};

/// Which open item at a receiver stands for which incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Ticket {
    pub(super) id: String,
    pub(super) source_reference: String,
    /// The action that opened it; every later one is a note.
    pub(super) opened_by: ActionId,
    /// Where our incident and the receiver's stood when both were the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) agreed: Option<IncidentStatus>,
    /// How a ticket stood when it was last looked up; `None` before that, and for an incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seen: Option<TicketSeen>,
}

/// How a ticket stood at its receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TicketSeen {
    /// Whether somebody may still work on it.
    pub(super) open: bool,
    /// The receiver's word, while it is open and where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<String>,
}

impl Ticket {
    /// As it is stored: found by our reference, which is its group, and by the receiver's id, which is
    /// its state.
    pub(super) fn put(&self, key: String) -> Result<Put> {
        Ok(Put::new(RecordKind::Ticket, key, self)?
            .group(self.source_reference.as_str())
            .state(self.id.as_str()))
    }
}

impl Tenant {
    /// Delivers an action to a sink, searching first where the sink asks for that.
    pub(crate) async fn deliver(
        &self,
        connector: &std::sync::Arc<dyn Connector>,
        cx: &OpContext,
        action: &Action,
    ) -> Result<Outcome> {
        let sink = as_sink(&**connector)?;
        let artifact = match action.kind {
            ActionKind::SubmitEvidence => Some(self.submitted(action).await?),
            _ => None,
        };
        let mut delivery = self.delivery(action, artifact.as_ref()).await?;
        if let Some(reason) = sink.declines(&delivery)? {
            return Ok(self.outcome(OutcomeStatus::Refused, &reason));
        }
        let class = connector.capability().actions.get(&action.kind).copied();
        if class == Some(EffectClass::SearchBeforeCreate) {
            let open = sink
                .find(cx, action.kind, &delivery.source_reference)
                .await?;
            delivery.note_to = open.map(|item| item.id);
        }
        if let Some(known) = &delivery.note_to
            && action.kind == ActionKind::ReportUsage
        {
            // A month is told once; nothing is added to it.
            return Ok(Outcome {
                vendor_reference: Some(known.clone()),
                ..self.outcome(OutcomeStatus::AlreadySo, "the receiver has it already")
            });
        }
        let is_note = delivery.note_to.is_some();
        let delivered = sink.deliver(cx, &delivery).await?;
        if class == Some(EffectClass::SearchBeforeCreate) {
            let reference = &delivery.source_reference;
            self.remember_ticket(action, reference, &delivered).await?;
        }
        let reason = if is_note {
            "added as a note to the open item"
        } else {
            ""
        };
        let status = delivered.status.into_iter();
        Ok(Outcome {
            after: status
                .map(|word| ("status".to_owned(), word.into()))
                .collect(),
            vendor_reference: Some(delivered.id),
            ..self.outcome(OutcomeStatus::Applied, reason)
        })
    }

    /// Whether the receiver has what an interrupted delivery was to make.
    pub(crate) async fn probe_delivery(
        &self,
        connector: &std::sync::Arc<dyn Connector>,
        cx: &OpContext,
        action: &Action,
    ) -> Result<Probe> {
        let sink = as_sink(&**connector)?;
        let class = connector.capability().actions.get(&action.kind).copied();
        match class {
            // The receiver knows our key: sending it again is how to find out.
            Some(EffectClass::KeyIdempotent) => Ok(Probe::DidNotHappen(Attributes::new())),
            Some(EffectClass::SearchBeforeCreate) => {
                let reference = source_reference(self, action);
                let key = ticket_key(action, &reference);
                let known = self.read::<Ticket>(RecordKind::Ticket, &key).await?;
                if known.is_some_and(|ticket| ticket.value.opened_by != action.id) {
                    // It was to be a note, and that an item is open does not tell whether the
                    // note arrived: a note twice is better than a note lost.
                    return Ok(Probe::DidNotHappen(Attributes::new()));
                }
                let found = sink.find(cx, action.kind, &reference).await?;
                Ok(match found {
                    Some(item) => {
                        self.remember_ticket(action, &reference, &item).await?;
                        let mut state = Attributes::new();
                        state.insert("id".to_owned(), item.id.into());
                        Probe::Happened(state)
                    }
                    None => Probe::DidNotHappen(Attributes::new()),
                })
            }
            _ => Ok(Probe::CannotTell),
        }
    }

    /// The receiver's id of the open item for an incident, where one was made.
    ///
    /// # Errors
    /// `store`.
    pub async fn ticket_of(&self, incident: &crate::model::IncidentId) -> Result<Option<String>> {
        let reference = reference_of(self, incident.as_str());
        let query = Query::all(RecordKind::Ticket).in_groups(vec![reference]);
        let tickets = self.read_all::<Ticket>(query).await?;
        Ok(tickets.into_iter().next().map(|ticket| ticket.value.id))
    }

    /// What a sink is told of an action.
    pub(super) async fn delivery(
        &self,
        action: &Action,
        artifact: Option<&Artifact>,
    ) -> Result<Delivery> {
        let incident = match &action.incident {
            Some(id) => {
                self.read::<Incident>(RecordKind::Incident, id.as_str())
                    .await?
            }
            None => None,
        };
        let incident = incident.map(|incident| incident.value);
        let findings: Vec<Finding> = match &incident {
            Some(incident) => {
                let keys = incident.findings.iter().map(ToString::to_string).collect();
                let found = self
                    .read_all(Query::keys(RecordKind::Finding, keys))
                    .await?;
                found.into_iter().map(|finding| finding.value).collect()
            }
            None => Vec::new(),
        };
        let mut data = action.parameters.clone();
        data.insert("incident".to_owned(), serde_json::json!(incident));
        data.insert("findings".to_owned(), serde_json::json!(findings));
        data.insert("action".to_owned(), serde_json::json!(action.kind));
        if action.kind == ActionKind::OpenTicket {
            let elsewhere = self.security_incidents(action).await?;
            data.insert("security_incidents".to_owned(), elsewhere.into());
        }
        #[cfg(feature = "report")]
        if action.kind == ActionKind::PublishView {
            let view = self.published_view(action.target.connector()).await?;
            data.insert("view".to_owned(), view);
        }
        if let Some(artifact) = artifact {
            data.insert("artifact".to_owned(), serde_json::json!(artifact));
        }
        let own_text = action.parameters.get("text").and_then(|it| it.as_str());
        let mut body = own_text.map_or_else(|| body(action, &findings), str::to_owned);
        if action.kind == ActionKind::Notify {
            self.name_recipients(&mut data, &mut body, &findings)
                .await?;
        }
        Ok(Delivery {
            action_id: action.id.clone(),
            kind: action.kind,
            source_reference: source_reference(self, action),
            note_to: None,
            title: match (artifact, &incident) {
                (Some(artifact), _) => artifact.title.clone(),
                (None, Some(incident)) => incident.title.clone(),
                (None, None) => action.reason.clone(),
            },
            body,
            severity: own_severity(action)
                .or(incident.as_ref().map(|incident| incident.severity))
                .unwrap_or(Severity::Medium),
            data,
        })
    }

    /// Where an incident was opened, or is to be opened, about what a ticket is about.
    async fn security_incidents(&self, action: &Action) -> Result<Vec<serde_json::Value>> {
        let mut places = Vec::new();
        for connector in self.connectors() {
            let info = connector.info();
            let group = message_group(&info.name, action.about());
            let query = Query::all(RecordKind::Intent).in_groups(vec![group]);
            let mut states: Vec<_> = self
                .read_all::<Intent>(query)
                .await?
                .iter()
                .filter(|intent| intent.value.action.kind == ActionKind::OpenSecurityIncident)
                .filter_map(|intent| Some((standing(&intent.value)?, intent.value.created_at)))
                .collect();
            // A note that waits does not make an incident that stands uncertain.
            states.sort();
            if let Some((state, since)) = states.first() {
                places.push(serde_json::json!({
                    "connector": info.name, "kind": info.kind, "state": state, "since": since,
                }));
            }
        }
        Ok(places)
    }

    async fn remember_ticket(
        &self,
        action: &Action,
        reference: &str,
        delivered: &Delivered,
    ) -> Result<()> {
        let key = ticket_key(action, reference);
        let known = self.read::<Ticket>(RecordKind::Ticket, &key).await?;
        let known = known.filter(|ticket| ticket.value.id == delivered.id);
        let ticket = Ticket {
            id: delivered.id.clone(),
            source_reference: reference.to_owned(),
            agreed: known.as_ref().and_then(|known| known.value.agreed),
            seen: known.as_ref().and_then(|known| known.value.seen.clone()),
            opened_by: known.map_or_else(|| action.id.clone(), |known| known.value.opened_by),
        };
        self.store()
            .commit(self.id(), Commit::default().put(ticket.put(key)?))
            .await
            .map(drop)
    }
}

/// What an action says itself of how urgent it is.
fn own_severity(action: &Action) -> Option<Severity> {
    let named = action.parameters.get("severity")?;
    serde_json::from_value(named.clone()).ok()
}

/// `applied`, `waiting`, or nothing where it came to nothing.
fn standing(intent: &Intent) -> Option<&'static str> {
    match intent.outcome.as_ref().map(|outcome| outcome.status) {
        Some(OutcomeStatus::Applied | OutcomeStatus::AlreadySo) => Some("applied"),
        None | Some(OutcomeStatus::Unknown) => Some("waiting"),
        Some(_) => None,
    }
}

pub(super) fn ticket_key(action: &Action, source_reference: &str) -> String {
    format!(
        "{}/{}/{source_reference}",
        action.target.connector(),
        action.kind
    )
}

pub(super) fn as_sink(connector: &dyn Connector) -> Result<&dyn Sink> {
    connector.as_sink().ok_or_else(|| {
        Error::new(ErrorKind::Unsupported, "this connector receives nothing")
            .with_context("connector", connector.info().name.as_str())
    })
}

/// What an incident, or a month's usage, is found by again at every receiver.
fn source_reference(tenant: &Tenant, action: &Action) -> String {
    if let (ActionKind::ReportUsage, Some(month)) = (action.kind, action.parameters.get("month")) {
        let month = month.as_str().unwrap_or_default();
        return format!("protect-users:{}:{month}", tenant.id());
    }
    let about = action
        .incident
        .as_ref()
        .map_or(action.id.as_str(), |id| id.as_str());
    let reference = reference_of(tenant, about);
    match action.kind {
        // Each event is its own; a ticket or an incident stands for all that happens in it.
        ActionKind::EmitEvent => format!("{reference}:{}", action.id),
        ActionKind::PublishView => reference_of(tenant, "view"),
        ActionKind::SubmitEvidence => reference_of(tenant, &super::submit::reference(action)),
        _ => reference,
    }
}

fn reference_of(tenant: &Tenant, about: &str) -> String {
    format!("protect:{}:{about}", tenant.id())
}

/// The text of a ticket: what was found, how sure we are, and whom to credit.
fn body(action: &Action, findings: &[Finding]) -> String {
    let mut lines = vec![format!("{}.", action.reason), String::new()];
    for finding in findings {
        let seen = &finding.observation;
        let subject = &seen.subject.id;
        lines.push(format!(
            "- **{}** ({}, confidence {}): {subject}",
            seen.title,
            seen.severity,
            seen.confidence.as_str(),
        ));
        lines.extend(seen.reasons.iter().map(|reason| format!("  - {reason}")));
    }
    let mut credits: Vec<_> = findings
        .iter()
        .filter_map(|f| f.observation.attribution.as_ref())
        .collect();
    credits.dedup();
    for credit in credits {
        lines.push(String::new());
        lines.push(format!(
            "Source: [{}]({}), {}.",
            credit.source, credit.url, credit.licence
        ));
    }
    lines.join("\n")
}
