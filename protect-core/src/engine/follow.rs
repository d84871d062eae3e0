//! Where an incident stands, here and at a receiver that keeps statuses of its own: whoever moves it
//! moves the other.

use serde_json::json;

use super::Tenant;
use super::deliver::{Ticket, as_sink, ticket_key};
use super::records::Versioned;
use crate::error::{ErrorKind, Result};
use crate::model::{
    ActionKind, Actor, ActorKind, Attributes, ConnectorName, Incident, IncidentStatus, Intent, Mode,
};
use crate::store::{Commit, Put, Query, RecordKind};

impl Tenant {
    /// Compares every incident that was opened at a receiver with where it stands there. What a receiver
    /// cannot say stays as it is. Tells receivers nothing in `dry_run` and while paused.
    ///
    /// # Errors
    /// `store`; of several receivers' errors the first, after all were asked.
    pub async fn follow_incidents(&self) -> Result<()> {
        let tickets = self
            .read_all::<Ticket>(Query::all(RecordKind::Ticket))
            .await?;
        let mut failed = None;
        for ticket in tickets {
            match self.follow_one(ticket).await {
                Err(error) if error.kind() == ErrorKind::Store => return Err(error),
                Err(error) => failed = failed.or(Some(error)),
                Ok(()) => {}
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn follow_one(&self, found: Versioned<Ticket>) -> Result<()> {
        let opened_by = found.value.opened_by.as_str();
        let opened = self.read::<Intent>(RecordKind::Intent, opened_by).await?;
        let action = opened.map(|opened| opened.value.action);
        let action = action.filter(|it| it.kind == ActionKind::OpenSecurityIncident);
        let Some((action, id)) = action.and_then(|it| Some((it.clone(), it.incident?))) else {
            return Ok(());
        };
        let ours = self
            .read::<Incident>(RecordKind::Incident, id.as_str())
            .await?;
        let Some(ours) = ours.map(|ours| ours.value) else {
            return Ok(());
        };
        let receiver = action.target.connector();
        let sink = as_sink(&**self.connector(receiver)?)?;
        let cx = self.op(Actor::engine(), self.vendor_budget());
        let Some(theirs) = sink.incident_status(&cx, &found.value.id).await? else {
            return Ok(());
        };
        let agreed = found.value.agreed.unwrap_or(IncidentStatus::New);
        // Whoever moved it counts; where both did, whoever moved it further.
        let moved = [ours.status, theirs]
            .into_iter()
            .filter(|status| *status != agreed);
        let Some(now) = moved.max() else {
            return Ok(());
        };
        if ours.status != now && (ours.status.is_open() || now == IncidentStatus::Closed) {
            self.set_incident_status(&id, now, &receiver_as_actor(receiver))
                .await?;
        }
        if theirs != now {
            if self.mode() != Mode::Enforce || self.paused().await?.is_some() {
                return Ok(());
            }
            if !sink.tell_status(&cx, &found.value.id, now).await? {
                return Ok(());
            }
        }
        let key = ticket_key(&action, &found.value.source_reference);
        self.agree((key, found), now, (theirs, receiver)).await
    }

    async fn agree(
        &self,
        (key, found): (String, Versioned<Ticket>),
        now: IncidentStatus,
        (theirs, receiver): (IncidentStatus, &ConnectorName),
    ) -> Result<()> {
        let expect = found.expect();
        let mut ticket = found.value;
        ticket.agreed = Some(now);
        let put = Put::new(RecordKind::Ticket, key, &ticket)?
            .group(ticket.source_reference.as_str())
            .expect(expect);
        let mut commit = Commit::default().put(put);
        if theirs != now {
            let mut facts = Attributes::new();
            facts.insert("connector".to_owned(), json!(receiver));
            facts.insert("to".to_owned(), json!(now));
            commit = commit.append(self.entry("incident.status_told", &Actor::engine(), facts));
        }
        self.store().commit(self.id(), commit).await.map(drop)
    }
}

/// Who moved an incident at a receiver is the receiver's to know.
fn receiver_as_actor(receiver: &ConnectorName) -> Actor {
    Actor {
        kind: ActorKind::Engine,
        id: format!("connector:{receiver}"),
        authenticated_by: "connector".to_owned(),
        authority: None,
    }
}
