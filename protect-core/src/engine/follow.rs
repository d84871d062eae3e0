//! Where an incident stands, here and at a receiver that keeps statuses of its own: whoever moves it
//! moves the other. And where a ticket stands, which only its receiver moves.

use std::collections::BTreeMap;

use serde_json::json;

use super::Tenant;
use super::deliver::{Ticket, TicketSeen, as_sink, ticket_key};
use super::observe::{CONFLICT_RETRIES, too_busy};
use super::records::Versioned;
use crate::connector::Delivered;
use crate::error::{Error, ErrorKind, Result};
use crate::inbound::News;
use crate::model::{
    Action, ActionKind, Actor, ActorKind, Attributes, ConnectorName, Incident, IncidentId,
    IncidentStatus, Intent, Mode,
};
use crate::store::{Commit, Query, RecordKind};

/// How many of a receiver's items are asked for together.
const TOGETHER: usize = 100;

/// Something that stands open at a receiver, and the action that opened it.
type Followed = (Versioned<Ticket>, Action);

impl Tenant {
    /// Compares every incident that was opened at a receiver with where it stands there, and looks up the
    /// tickets that were open when they were last looked up. What a receiver cannot say stays as it is.
    /// Tells receivers nothing in `dry_run` and while paused.
    ///
    /// # Errors
    /// `store`; of several receivers' errors the first, after all were asked.
    pub async fn follow_incidents(&self) -> Result<()> {
        let tickets = self
            .read_all::<Ticket>(Query::all(RecordKind::Ticket))
            .await?;
        let mut failed = None;
        let mut together: BTreeMap<ConnectorName, Vec<Followed>> = BTreeMap::new();
        for ticket in tickets {
            let seen = ticket.value.seen.as_ref();
            if seen.is_some_and(|seen| !seen.open) {
                continue;
            }
            match self.action_of(&ticket).await? {
                Some(action) if action.kind == ActionKind::OpenTicket => {
                    let receiver = action.target.connector().clone();
                    together.entry(receiver).or_default().push((ticket, action));
                }
                Some(action) => bear(&mut failed, self.follow_one((ticket, action)).await)?,
                None => {}
            }
        }
        for (receiver, tickets) in together {
            bear(&mut failed, self.follow_tickets(&receiver, tickets).await)?;
        }
        failed.map_or(Ok(()), Err)
    }

    /// Looks up a receiver's tickets, as many together as it answers for.
    async fn follow_tickets(&self, receiver: &ConnectorName, all: Vec<Followed>) -> Result<()> {
        let sink = as_sink(&**self.connector(receiver)?)?;
        let mut failed = None;
        let mut waiting = all.into_iter();
        loop {
            let some: Vec<_> = waiting.by_ref().take(TOGETHER).collect();
            if some.is_empty() {
                return failed.map_or(Ok(()), Err);
            }
            let ids: Vec<_> = some.iter().map(|(it, _)| it.value.id.clone()).collect();
            let cx = self.op(Actor::engine(), self.vendor_budget());
            let standing = sink.standing(&cx, ActionKind::OpenTicket, &ids).await?;
            for (ticket, action) in some {
                let done = match standing.get(&ticket.value.id) {
                    Some(open) => self.keep_seen(ticket, &action, open.clone()).await,
                    None => self.follow_one((ticket, action)).await,
                };
                bear(&mut failed, done)?;
            }
        }
    }

    /// Looks up what a receiver says has moved.
    pub(super) async fn look_again(&self, at: &ConnectorName, news: News) -> Result<()> {
        match news {
            News::Requests => self.ask_again(at).await,
            News::Item(id) => self.follow_item(at, &id).await,
        }
    }

    /// Looks up a receiver's item, also one that was closed. One that is not ours is nobody's concern.
    async fn follow_item(&self, at: &ConnectorName, id: &str) -> Result<()> {
        let prefix = format!("{at}/");
        for _ in 0..CONFLICT_RETRIES {
            let query = Query::prefix(RecordKind::Ticket, &prefix).in_states(&[id]);
            let mut is_overtaken = false;
            for ticket in self.read_all::<Ticket>(query).await? {
                let Some(action) = self.action_of(&ticket).await? else {
                    continue;
                };
                match self.follow_one((ticket, action)).await {
                    // Somebody else looked it up meanwhile, maybe earlier than we did.
                    Err(error) if error.kind() == ErrorKind::Conflict => is_overtaken = true,
                    followed => followed?,
                }
            }
            if !is_overtaken {
                return Ok(());
            }
        }
        Err(too_busy())
    }

    /// The action that opened something.
    async fn action_of(&self, found: &Versioned<Ticket>) -> Result<Option<Action>> {
        let opened_by = found.value.opened_by.as_str();
        let opened = self.read::<Intent>(RecordKind::Intent, opened_by).await?;
        Ok(opened.map(|opened| opened.value.action))
    }

    async fn follow_one(&self, (found, action): Followed) -> Result<()> {
        match (action.kind, action.incident.clone()) {
            (ActionKind::OpenSecurityIncident, Some(incident)) => {
                self.follow_incident(found, &action, &incident).await
            }
            (ActionKind::OpenTicket, _) => {
                let open = self
                    .look_up(&action, &found.value.source_reference)
                    .await?
                    .filter(|open| open.id == found.value.id);
                self.keep_seen(found, &action, open).await
            }
            _ => Ok(()),
        }
    }

    async fn follow_incident(
        &self,
        found: Versioned<Ticket>,
        action: &Action,
        id: &IncidentId,
    ) -> Result<()> {
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
            self.set_incident_status(id, now, &receiver_as_actor(receiver))
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
        self.agree((action, found), now, (theirs, receiver)).await
    }

    async fn agree(
        &self,
        (action, found): (&Action, Versioned<Ticket>),
        now: IncidentStatus,
        (theirs, receiver): (IncidentStatus, &ConnectorName),
    ) -> Result<()> {
        let expect = found.expect();
        let mut ticket = found.value;
        ticket.agreed = Some(now);
        let key = ticket_key(action, &ticket.source_reference);
        let mut commit = Commit::default().put(ticket.put(key)?.expect(expect));
        if theirs != now {
            let mut facts = Attributes::new();
            facts.insert("connector".to_owned(), json!(receiver));
            facts.insert("to".to_owned(), json!(now));
            commit = commit.append(self.entry("incident.status_told", &Actor::engine(), facts));
        }
        self.store().commit(self.id(), commit).await.map(drop)
    }

    /// Keeps how a ticket stands. Only news is worth an entry.
    async fn keep_seen(
        &self,
        found: Versioned<Ticket>,
        action: &Action,
        open: Option<Delivered>,
    ) -> Result<()> {
        let receiver = action.target.connector();
        let seen = TicketSeen {
            open: open.is_some(),
            status: open.and_then(|open| open.status),
        };
        if found.value.seen.as_ref() == Some(&seen) {
            return Ok(());
        }
        let expect = found.expect();
        let mut ticket = found.value;
        let mut facts = Attributes::new();
        facts.insert("connector".to_owned(), json!(receiver));
        facts.insert("incident".to_owned(), json!(action.incident));
        facts.insert("open".to_owned(), json!(seen.open));
        ticket.seen = Some(seen);
        let key = ticket_key(action, &ticket.source_reference);
        let commit = Commit::default()
            .put(ticket.put(key)?.expect(expect))
            .append(self.entry("ticket.moved", &receiver_as_actor(receiver), facts));
        self.store().commit(self.id(), commit).await.map(drop)
    }
}

/// Remembers the first error of several, and gives up for one of the store's.
fn bear(failed: &mut Option<Error>, done: Result<()>) -> Result<()> {
    match done {
        Err(error) if error.kind() == ErrorKind::Store => Err(error),
        Err(error) => {
            failed.get_or_insert(error);
            Ok(())
        }
        Ok(()) => Ok(()),
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
