//! What was opened at receivers, as it stands there now.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tenant;
use super::deliver::{Ticket, as_sink};
use crate::connector::Delivered;
use crate::error::Result;
use crate::model::{Action, ActionKind, Actor, ConnectorName, IncidentId, Intent};
use crate::store::{Query, RecordKind};

/// A ticket or an incident that was opened at a receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketStanding {
    /// The connector it was opened through.
    pub connector: ConnectorName,
    /// As what: `open_ticket` or `open_security_incident`.
    pub action: ActionKind,
    /// Our incident, where it is about one.
    pub incident: Option<IncidentId>,
    /// The receiver's id.
    pub id: String,
    /// Whether somebody may still work on it there; `None` where the receiver could not be asked.
    pub open: Option<bool>,
    /// The receiver's word for where it stands, while it is open and where it says so.
    pub status: Option<String>,
    /// Why the receiver could not be asked.
    pub note: Option<String>,
}

impl Tenant {
    /// The tickets and incidents that were opened at receivers, the latest of each incident, with where
    /// they stand there now. Asks each receiver and changes nothing; one that cannot be asked is said to
    /// be so and stops nothing.
    ///
    /// # Errors
    /// `store`.
    pub async fn tickets(&self) -> Result<Vec<TicketStanding>> {
        let tickets = self
            .read_all::<Ticket>(Query::all(RecordKind::Ticket))
            .await?;
        let mut standings = Vec::new();
        for ticket in tickets {
            let ticket = ticket.value;
            let opened_by = ticket.opened_by.as_str();
            let opened = self.read::<Intent>(RecordKind::Intent, opened_by).await?;
            if let Some(opened) = opened {
                standings.push(self.standing(&ticket, opened.value.action).await);
            }
        }
        Ok(standings)
    }

    async fn standing(&self, ticket: &Ticket, action: Action) -> TicketStanding {
        let found = self.look_up(&action, &ticket.source_reference).await;
        let (open, status, note) = match found {
            Ok(Some(item)) if item.id == ticket.id => (Some(true), item.status, None),
            Ok(_) => (Some(false), None, None),
            Err(error) => (None, None, Some(error.message().to_owned())),
        };
        TicketStanding {
            connector: action.target.connector().clone(),
            action: action.kind,
            incident: action.incident,
            id: ticket.id.clone(),
            open,
            status,
            note,
        }
    }

    /// What is open at a receiver under a reference.
    pub(super) async fn look_up(
        &self,
        action: &Action,
        reference: &str,
    ) -> Result<Option<Delivered>> {
        let connector = self.connector(action.target.connector())?;
        let cx = self.op(Actor::engine(), self.vendor_budget());
        as_sink(&**connector)?
            .find(&cx, action.kind, reference)
            .await
    }
}
