//! PSA: tickets, written from templates, found again by our reference.

mod client;
mod operations;
mod sink;
mod templates;
mod ticket;

use protect_core::config::{KindSpec, SettingSpec, SettingType};
use protect_core::inbound::News;
use protect_core::registry::ConnectorSetup;
use protect_core::{Context, Result};
use serde_json::Value;

pub use client::Psa;
pub use operations::{CLASS, OPERATIONS, connect};
pub use ticket::{NewTicket, Ticket};

use crate::config::{self, Common, Product};
use crate::events::Event;
use crate::webhooks::{self, Webhooks};
use sink::PsaConnector;
use templates::Templates;

/// The kind, as it stands in the configuration.
pub const KIND: &str = "psa";

pub(crate) const PRODUCT: Product = Product {
    kind: KIND,
    docs: "The One PSA: opens tickets from templates, adds notes to open ones and reads their status back.",
    api: "https://api.theonepsa.com",
    integration_key_variable: "PSA_SERVICE_KEY",
    is_internal: false,
};

pub(crate) fn spec() -> KindSpec {
    webhooks::add_to(config::spec(&PRODUCT))
        .setting(SettingSpec::new(
            "templates",
            SettingType::Table,
            "Tickets by name, each with what it replaces of the standard one: `enabled`, `board`, `type`, `priority`, `assignee`, `queue`, `title`, `body`, `min_severity`, `beside_incident`.",
        ))
        .setting(
            SettingSpec::new(
                "security_opens_tickets",
                SettingType::Boolean,
                "Whether Security opens the tickets for its critical and high incidents itself; no second one is then opened here.",
            )
            .default(true),
        )
}

pub(crate) fn build(setup: &ConnectorSetup, context: &Context) -> Result<PsaConnector> {
    let platform = config::platform(setup, &PRODUCT, false, context)?;
    let given = setup.settings.get("templates");
    let templates = Templates::parse(given).map_err(|problem| {
        let error = setup.error(problem.place, problem.message);
        match problem.line {
            Some(line) => error.with_context("line", line.to_string()),
            None => error,
        }
    })?;
    let elsewhere = setup.settings.get("security_opens_tickets");
    Ok(PsaConnector {
        info: setup.info.clone(),
        client: Psa::over(platform, &setup.info.tenant),
        common: Common::read(setup)?,
        templates,
        webhooks: Webhooks::read(setup, &PRODUCT, "psa.events", news, context)?,
        security_opens_tickets: elsewhere.and_then(Value::as_bool).unwrap_or(true),
    })
}

/// "`ticket.created`, `ticket.updated`, `ticket.deleted`, `ticket.note_added`"
/// (<https://docs.theonestack.com/docs/api-reference/webhooks>).
fn news(event: &Event) -> Result<Vec<News>> {
    webhooks::item(event, "ticket")
}
