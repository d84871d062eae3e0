//! The client's operations as data, and the gate through which other languages call them.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use protect_core::operation::{
    Callable, Class, Effect, Model, Operation, Parameter, ParameterKind, ResultType, answer,
    arguments, unknown,
};
use protect_core::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use super::{KIND, NewTicket, PRODUCT, Psa, Ticket};
use crate::direct::{
    API_KEY, BASE_URL, CONVENTIONS, Construct, INTEGRATION_KEY, ORGANISATION, nobody,
};

/// The class `Psa`.
pub static CLASS: Class = Class {
    name: "Psa",
    kind: KIND,
    docs: "Acts at once at The One PSA: without plan, guards, store or ledger. For those, use the engine.\n\nRetries, the limit of the organisation and typed errors are inside.",
    constructor: &[
        ORGANISATION,
        API_KEY,
        INTEGRATION_KEY,
        BASE_URL,
        CONVENTIONS,
    ],
    operations: OPERATIONS,
};

const TICKET: Model = Model::of::<Ticket>("Ticket");
const TICKET_ID: Parameter =
    Parameter::required("ticket_id", ParameterKind::Text, "PSA's id of the ticket.");

/// Every operation, in the order of the reference page.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        name: "create_ticket",
        parameters: &[Parameter::required(
            "ticket",
            ParameterKind::One(Model::of::<NewTicket>("NewTicket")),
            "What to open.",
        )],
        result: ResultType::One(TICKET),
        effect: Effect::Change,
        permission: "tickets.write",
        docs: "Opens a ticket. Look with `find_tickets` first: whether PSA acts once for a repeated key is not documented.",
    },
    Operation {
        name: "find_tickets",
        parameters: &[Parameter::required(
            "source_ref",
            ParameterKind::Text,
            "The reference that the ticket was opened with.",
        )],
        result: ResultType::List(TICKET),
        effect: Effect::Read,
        permission: "",
        docs: "The tickets under one reference, whatever their status.",
    },
    Operation {
        name: "get_ticket",
        parameters: &[TICKET_ID],
        result: ResultType::One(TICKET),
        effect: Effect::Read,
        permission: "",
        docs: "One ticket, with its status.",
    },
    Operation {
        name: "get_tickets",
        parameters: &[Parameter::required(
            "ticket_ids",
            ParameterKind::Texts,
            "PSA's ids of the tickets.",
        )],
        result: ResultType::List(TICKET),
        effect: Effect::Read,
        permission: "",
        docs: "Several tickets, a hundred with each request; one that is not there is left out.",
    },
    Operation {
        name: "add_note",
        parameters: &[
            TICKET_ID,
            Parameter::required("body", ParameterKind::Text, "What the note says."),
            Parameter::optional(
                "internal",
                ParameterKind::Boolean,
                "Whether the client does not see it: so it is unless this says otherwise.",
            ),
        ],
        result: ResultType::Nothing,
        effect: Effect::Change,
        permission: "tickets.write",
        docs: "Adds a note to a ticket. Sent twice, it stands there twice.",
    },
];

/// A client from the constructor's arguments. No I/O.
///
/// # Errors
/// `invalid_input` or `config_invalid` naming the argument.
pub fn connect(given: Value, context: &Context) -> Result<Arc<dyn Callable>> {
    let given: Construct = arguments(given)?;
    let platform = given.platform(&PRODUCT, false, context)?;
    Ok(Arc::new(Psa::over(platform, &nobody()?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTicketArgument {
    ticket: NewTicket,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReferenceArgument {
    source_ref: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TicketArgument {
    ticket_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TicketsArgument {
    ticket_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoteArguments {
    ticket_id: String,
    body: String,
    internal: Option<bool>,
}

impl Callable for Psa {
    fn class(&self) -> &'static Class {
        &CLASS
    }

    fn call(self: Arc<Self>, operation: &str, given: Value) -> BoxFuture<'static, Result<Value>> {
        let operation = operation.to_owned();
        Box::pin(async move { self.dispatch(&operation, given).await })
    }

    fn within(&self, timeout: Duration) -> Option<Arc<dyn Callable>> {
        Some(Arc::new(self.with_timeout(timeout)))
    }
}

impl Psa {
    async fn dispatch(&self, operation: &str, given: Value) -> Result<Value> {
        match operation {
            "create_ticket" => {
                let NewTicketArgument { ticket } = arguments(given)?;
                answer(&self.create_ticket(ticket).await?)
            }
            "find_tickets" => {
                let ReferenceArgument { source_ref } = arguments(given)?;
                answer(&self.find_tickets(&source_ref).await?)
            }
            "get_ticket" => {
                let TicketArgument { ticket_id } = arguments(given)?;
                answer(&self.get_ticket(&ticket_id).await?)
            }
            "get_tickets" => {
                let TicketsArgument { ticket_ids } = arguments(given)?;
                answer(&self.get_tickets(&ticket_ids).await?)
            }
            "add_note" => {
                let given: NoteArguments = arguments(given)?;
                self.add_note(&given.ticket_id, &given.body, given.internal)
                    .await?;
                Ok(Value::Null)
            }
            _ => Err(unknown(&CLASS, operation)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_table_the_gate_and_the_constructor_agree() {
        crate::direct::agree(&CLASS, connect).await;
    }
}
