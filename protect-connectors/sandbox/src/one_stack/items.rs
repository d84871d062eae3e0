//! What was made at the products, and by which key.

use std::collections::HashMap;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Refusal;
use crate::{
    faults::FaultKind,
    request::{Call, Context, Reply},
    rng::Rng,
};

/// A ticket, an incident, a page or an event.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) object: &'static str,
    pub(crate) organisation: String,
    pub(crate) status: String,
    /// As it was sent.
    pub(crate) fields: Map<String, Value>,
    pub(crate) notes: Vec<String>,
    pub(super) number: u32,
    pub(super) created_at: Timestamp,
    /// When a remediation or a revocation came to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) finished_at: Option<Timestamp>,
    #[serde(skip)]
    pub(super) hidden_reads: u32,
}

pub(crate) struct Items {
    all: Vec<Item>,
    /// By organisation, product and `Idempotency-Key`: what was sent with it, and what was answered.
    answered: HashMap<[String; 3], (Bytes, Reply)>,
    rng: Rng,
}

impl Items {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            all: Vec::new(),
            answered: HashMap::new(),
            rng: Rng::new(seed, "one_stack items"),
        }
    }

    pub(crate) fn all(&self) -> &[Item] {
        &self.all
    }

    pub(super) fn all_mut(&mut self) -> &mut [Item] {
        &mut self.all
    }

    /// What a person does in a product; returns the status before.
    pub(crate) fn set_status(
        &mut self,
        id: &str,
        status: &str,
        now: Timestamp,
    ) -> Option<(&'static str, String)> {
        let item = self.all.iter_mut().find(|item| item.id == id)?;
        let before = item.move_to(status, now);
        Some((item.object, before))
    }

    pub(super) fn add(
        &mut self,
        object: &'static str,
        organisation: &str,
        status: &str,
        fields: Map<String, Value>,
        cx: &mut Context,
    ) -> &Item {
        let id = format!("{}-{}", &object[..3], self.rng.hex(12));
        cx.change(object, &id, "", status);
        let stale = cx.struck.get(FaultKind::StaleReads);
        let number = u32::try_from(self.all.len()).unwrap_or_default() + 1001;
        let place = self.all.len();
        self.all.push(Item {
            id,
            object,
            organisation: organisation.to_owned(),
            status: status.to_owned(),
            fields,
            notes: Vec::new(),
            number,
            created_at: cx.now,
            finished_at: None,
            hidden_reads: stale.map_or(0, |fault| fault.reads),
        });
        &self.all[place]
    }

    /// One of the organisation's own.
    pub(super) fn own(
        &mut self,
        object: &str,
        organisation: &str,
        id: &str,
    ) -> Result<&mut Item, Refusal> {
        let is_it = |item: &&mut Item| {
            item.object == object && item.organisation == organisation && item.id == id
        };
        let found = self.all.iter_mut().find(is_it);
        found.ok_or_else(|| Refusal::plain(404))
    }

    /// The open one with this text in this field.
    pub(super) fn open(
        &mut self,
        object: &str,
        organisation: &str,
        (field, text): (&str, &str),
    ) -> Option<&mut Item> {
        self.all.iter_mut().find(|item| {
            item.object == object
                && item.organisation == organisation
                && item.fields.get(field).is_some_and(|value| value == text)
                && !item.is_closed()
        })
    }

    /// What was answered to the same key before.
    pub(super) fn repeated(
        &self,
        organisation: &str,
        call: &Call,
    ) -> Result<Option<Reply>, Refusal> {
        let Some(key) = key(organisation, call) else {
            return Ok(None);
        };
        match self.answered.get(&key) {
            None => Ok(None),
            Some((body, reply)) if *body == call.body => Ok(Some(reply.clone())),
            Some(_) => Err(Refusal::violation(
                409,
                "key_reused",
                "one key, two different bodies",
            )),
        }
    }

    pub(super) fn remember(&mut self, organisation: &str, call: &Call, reply: &Reply) {
        if let Some(key) = key(organisation, call) {
            let answer = (call.body.clone(), reply.clone());
            self.answered.insert(key, answer);
        }
    }
}

impl Item {
    /// Returns the status before.
    pub(super) fn move_to(&mut self, status: &str, now: Timestamp) -> String {
        if matches!(status, "completed" | "failed" | "cancelled") {
            self.finished_at = Some(now);
        }
        std::mem::replace(&mut self.status, status.to_owned())
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.status.as_str(), "resolved" | "closed")
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.fields
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Whose login it is about.
    pub(super) fn address(&self) -> &str {
        let target = self.fields.get("target").and_then(|it| it.get("email"));
        let target = target.or_else(|| self.fields.get("email"));
        let address = target.and_then(Value::as_str);
        address.unwrap_or_else(|| self.text("affected_account"))
    }

    /// As the product shows it.
    pub(super) fn shown(&self, without_reference: bool) -> Value {
        let mut shown = json!({
            "id": self.id,
            "status": self.status,
            "title": self.text("title"),
            "source": self.text("source"),
            "source_ref": self.text("source_ref"),
            "created_at": self.created_at,
            "undocumented": {"since": 1},
        });
        for name in [
            "priority",
            "severity",
            "affected_account",
            "category",
            "action",
            "target",
            "params",
        ] {
            if let Some(value) = self.fields.get(name) {
                shown[name] = value.clone();
            }
        }
        if self.object == "ticket" {
            shown["number"] = json!(format!("ABC-{}", self.number));
        }
        if let Some(at) = self.finished_at {
            shown["finished_at"] = json!(at);
        }
        if without_reference && let Some(shown) = shown.as_object_mut() {
            shown.remove("source_ref");
        }
        shown
    }
}

fn key(organisation: &str, call: &Call) -> Option<[String; 3]> {
    let key = call.header("idempotency-key")?;
    let product = call.segments.first()?;
    Some([organisation, product, key].map(str::to_owned))
}
