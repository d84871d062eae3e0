use protect_core::model::Attributes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::item::Item;
use crate::message::put;

/// A ticket to be opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTicket {
    /// One line.
    pub title: String,
    /// Text for people.
    #[serde(default)]
    pub description: Option<String>,
    /// `low`, `medium`, `high` or `critical`.
    #[serde(default)]
    pub priority: Option<String>,
    /// `incident`, `service_request`, `problem` or `change_request`.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// The board it goes to.
    #[serde(default)]
    pub board: Option<String>,
    /// The service desk's queue.
    #[serde(default)]
    pub queue: Option<String>,
    /// The technician's id.
    #[serde(default)]
    pub assignee_id: Option<String>,
    /// The client company's id.
    #[serde(default)]
    pub client_id: Option<String>,
    /// What we call ourselves there; `protect` where nobody says.
    #[serde(default)]
    pub source: Option<String>,
    /// What the ticket is found by again.
    pub source_ref: String,
    /// Where people look it up at our side.
    #[serde(default)]
    pub source_url: Option<String>,
}

/// A ticket as PSA shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ticket {
    /// PSA's id.
    pub id: String,
    /// The number for people (`ABC-1234`).
    pub number: Option<String>,
    /// One line.
    pub title: Option<String>,
    /// PSA's word: `open`, `in_progress`, `waiting_on_client`, `waiting_on_vendor`, `resolved`,
    /// `closed`, or another.
    pub status: Option<String>,
    /// `low`, `medium`, `high`, `critical`, or another word.
    pub priority: Option<String>,
    /// Our reference.
    pub source_ref: Option<String>,
    /// Everything else, as it came.
    pub attributes: Attributes,
}

impl NewTicket {
    pub(super) fn body(self, source: &str) -> Map<String, Value> {
        let mut body = Map::new();
        put(&mut body, "title", self.title);
        put(&mut body, "description", self.description);
        put(&mut body, "priority", self.priority);
        put(&mut body, "type", self.kind);
        put(&mut body, "board", self.board);
        put(&mut body, "queue", self.queue);
        put(&mut body, "assignee_id", self.assignee_id);
        put(&mut body, "client_id", self.client_id);
        put(&mut body, "source", source.to_owned());
        put(&mut body, "source_ref", self.source_ref);
        put(&mut body, "source_url", self.source_url);
        body
    }
}

impl Ticket {
    pub(super) fn of(mut item: Item) -> Self {
        Self {
            number: item.take("number"),
            title: item.take("title"),
            status: item.take("status"),
            priority: item.take("priority"),
            source_ref: item.take("source_ref"),
            id: item.id.clone(),
            attributes: item.rest(),
        }
    }
}
