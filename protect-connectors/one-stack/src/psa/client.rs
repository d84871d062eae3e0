use http::Method;
use jiff::Timestamp;
use protect_core::connector::{Diagnosis, OpContext};
use protect_core::model::{Actor, TenantId};
use protect_core::{Context, Error, Result};
use serde_json::{Map, json};

use super::PRODUCT;
use super::ticket::{NewTicket, Ticket};
use crate::client::{Access, Platform, per_call};
use crate::config::SOURCE;
use crate::conventions::Path;
use crate::direct::nobody;
use crate::message::put;

/// Acts at once at The One PSA: without plan, guards, store or ledger. For those, use the engine.
///
/// Retries, the limit of the organisation and typed errors are inside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Psa {
    platform: Platform,
    cx: OpContext,
}

per_call!(Psa);

/// How many tickets are asked for with one request.
const BATCH: usize = 100;

impl Psa {
    /// A client for one organisation. No I/O.
    ///
    /// # Errors
    /// `config_invalid` for a base URL that is none, or an empty organisation.
    pub fn new(access: Access, context: &Context) -> Result<Self> {
        let platform = Platform::new(access, &PRODUCT, false, context)?;
        Ok(Self::over(platform, &nobody()?))
    }

    pub(crate) fn over(platform: Platform, tenant: &TenantId) -> Self {
        let cx = OpContext::new(tenant.clone(), "psa", Actor::engine());
        Self { platform, cx }
    }

    /// Opens a ticket. Looks for nothing first: [`Psa::find_tickets`] does.
    ///
    /// # Errors
    /// `invalid_input` naming the refused fields; `permission_denied` naming the missing permission
    /// (`tickets.write`); `conflict` where PSA has it already; otherwise as for every call.
    pub async fn create_ticket(&self, ticket: NewTicket) -> Result<Ticket> {
        let source = ticket.source.clone().unwrap_or_else(|| SOURCE.to_owned());
        let key = format!("{source}:{}:create", ticket.source_ref);
        self.open(ticket, &key).await
    }

    /// The tickets under one of our references, whatever their status.
    ///
    /// # Errors
    /// `invalid_response` where PSA's tickets show no reference; otherwise as for every call.
    pub async fn find_tickets(&self, source_ref: &str) -> Result<Vec<Ticket>> {
        self.tickets_of(SOURCE, source_ref).await
    }

    /// One ticket by PSA's id.
    ///
    /// # Errors
    /// `not_found`; otherwise as for every call.
    pub async fn get_ticket(&self, ticket_id: &str) -> Result<Ticket> {
        let request = self
            .platform
            .request(Method::GET, "psa.get_ticket", Path::Ticket)
            .path("id", ticket_id);
        self.platform.one(&self.cx, request).await.map(Ticket::of)
    }

    /// Several tickets by PSA's ids, a hundred with each request. One that PSA does not show is left out.
    ///
    /// # Errors
    /// `not_found` where PSA has no such call; otherwise as for every call.
    pub async fn get_tickets(&self, ticket_ids: &[String]) -> Result<Vec<Ticket>> {
        let mut found = Vec::new();
        for ids in ticket_ids.chunks(BATCH) {
            let body = Map::from_iter([("ids".to_owned(), json!(ids))]);
            let request = self
                .platform
                .request(Method::POST, "psa.get_tickets", Path::TicketBatch)
                .idempotent(true)
                .json(&self.platform.conventions().write(body))?;
            let items = self.platform.listed(&self.cx, request, "tickets").await?;
            let tickets = items.into_iter().map(Ticket::of);
            // Whether PSA heeds the ids is not known.
            found.extend(tickets.filter(|ticket| ids.contains(&ticket.id)));
        }
        Ok(found)
    }

    /// Adds a note to a ticket; internal unless said otherwise.
    ///
    /// # Errors
    /// `not_found`; otherwise as for every call.
    pub async fn add_note(
        &self,
        ticket_id: &str,
        body: &str,
        internal: Option<bool>,
    ) -> Result<()> {
        self.note(ticket_id, body, internal.unwrap_or(true), None)
            .await
    }
}

impl Psa {
    pub(super) async fn open(&self, ticket: NewTicket, key: &str) -> Result<Ticket> {
        if ticket.title.trim().is_empty() || ticket.source_ref.is_empty() {
            return Err(Error::invalid_input(
                "a ticket needs a title and a reference",
            ));
        }
        let source = ticket.source.clone().unwrap_or_else(|| SOURCE.to_owned());
        let request = self
            .platform
            .request(Method::POST, "psa.create_ticket", Path::Tickets);
        let body = ticket.body(&source);
        let answer = self
            .platform
            .post(&self.cx, request, body, Some(key))
            .await?;
        self.platform.item(answer.json()?).map(Ticket::of)
    }

    pub(super) async fn tickets_of(&self, source: &str, source_ref: &str) -> Result<Vec<Ticket>> {
        let of = (source, source_ref);
        let items = self
            .platform
            .under(&self.cx, "psa.find_tickets", Path::Tickets, "tickets", of)
            .await?;
        Ok(items.into_iter().map(Ticket::of).collect())
    }

    /// The open one of them; where there are several, the first that PSA lists.
    pub(super) async fn open_ticket(
        &self,
        source: &str,
        source_ref: &str,
    ) -> Result<Option<Ticket>> {
        let tickets = self.tickets_of(source, source_ref).await?;
        let mut open = tickets.into_iter().filter(|it| !self.is_closed(it));
        Ok(open.next())
    }

    /// Whether nobody works on it any more.
    pub(super) fn is_closed(&self, ticket: &Ticket) -> bool {
        let status = ticket.status.as_deref().unwrap_or_default();
        self.platform.conventions().is_closed(status)
    }

    pub(super) async fn note(
        &self,
        ticket_id: &str,
        text: &str,
        internal: bool,
        key: Option<&str>,
    ) -> Result<()> {
        let mut body = Map::new();
        put(&mut body, "body", text.to_owned());
        body.insert("internal".to_owned(), json!(internal));
        let request = self
            .platform
            .request(Method::POST, "psa.add_note", Path::TicketNotes)
            .path("id", ticket_id);
        self.platform
            .post(&self.cx, request, body, key)
            .await
            .map(drop)
    }

    /// The time by which a ticket's patience is reckoned.
    pub(super) fn now(&self) -> Timestamp {
        self.platform.context().clock.now()
    }

    pub(super) async fn diagnose(&self, cx: &OpContext) -> Diagnosis {
        self.platform.diagnose(cx, Path::Tickets).await
    }
}
