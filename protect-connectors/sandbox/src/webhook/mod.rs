//! A receiver of signed webhooks, standing in for a ticket system. The contract, which is ours, is in
//! `docs.md`.

use std::collections::HashMap;

use axum::http::Method;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use standardwebhooks::Webhook as Signer;

use crate::{
    cloud_event,
    faults::FaultKind,
    request::{Call, Context, Reply, Route, changes, reads},
    rng::Rng,
};

const TOLERANCE_SECONDS: i64 = 5 * 60;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Endpoint {
    Receive,
    Items,
}

pub(crate) struct Webhook {
    pub(crate) secret: String,
    signer: Signer,
    items: Vec<Item>,
    answered: HashMap<String, (Bytes, String)>,
    rng: Rng,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Item {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) status: String,
    pub(crate) source_reference: String,
    pub(crate) notes: u32,
    /// The form of the message that made it.
    pub(crate) format: &'static str,
    #[serde(skip)]
    hidden_reads: u32,
}

struct Message {
    kind: String,
    source_reference: String,
    status: Option<String>,
    format: &'static str,
}

impl Webhook {
    #[expect(
        clippy::expect_used,
        reason = "the secret was encoded as base64 two lines above"
    )]
    pub(crate) fn new(seed: u64) -> Self {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let mut rng = Rng::new(seed, "webhook");
        let secret = format!("whsec_{}", STANDARD.encode(rng.hex(32)));
        Self {
            signer: Signer::new(&secret).expect("valid base64"),
            secret,
            items: Vec::new(),
            answered: HashMap::new(),
            rng,
        }
    }

    pub(crate) fn route(call: &Call) -> Option<Route<Endpoint>> {
        match (&call.method, &call.path()[..]) {
            (&Method::POST, []) => changes(Endpoint::Receive, "/webhook"),
            (&Method::GET, ["items"]) => reads(Endpoint::Items, "/webhook/items"),
            _ => None,
        }
    }

    pub(crate) fn handle(&mut self, endpoint: Endpoint, call: &Call, cx: &mut Context) -> Reply {
        cx.idempotency = call.header("webhook-id").map(str::to_owned);
        if let Err((status, rule, detail)) = self.verify(call, cx.now) {
            cx.violate(rule, detail);
            return Self::error(status, rule);
        }
        match endpoint {
            Endpoint::Receive => self.receive(call, cx),
            Endpoint::Items => self.list(call, cx),
        }
    }

    pub(crate) fn error(status: u16, message: &str) -> Reply {
        Reply::json(status, &json!({"error": message}))
    }

    pub(crate) fn items(&self) -> &[Item] {
        &self.items
    }

    /// What a person in the ticket system does; returns the status before.
    pub(crate) fn set_status(&mut self, id: &str, status: &str) -> Option<String> {
        let item = self.items.iter_mut().find(|item| item.id == id)?;
        Some(std::mem::replace(&mut item.status, status.to_owned()))
    }

    fn verify(&self, call: &Call, now: Timestamp) -> Result<(), (u16, &'static str, &'static str)> {
        let headers = (
            call.header("webhook-id"),
            call.header("webhook-timestamp"),
            call.header("webhook-signature"),
        );
        let (Some(id), Some(at), Some(signatures)) = headers else {
            return Err((400, "webhook_header_missing", "three headers are needed"));
        };
        let Ok(at) = at.parse::<i64>() else {
            return Err((400, "webhook_timestamp", "whole seconds are needed"));
        };
        // The crate's own verify reads the wall clock, which is not this sandbox's.
        let signature = self.signer.sign(id, at, &call.body).unwrap_or_default();
        if !signatures.split(' ').any(|given| same(given, &signature)) {
            return Err((401, "webhook_signature", "no signature fits"));
        }
        if (now.as_second() - at).abs() > TOLERANCE_SECONDS {
            return Err((401, "webhook_too_old", "more than five minutes away"));
        }
        Ok(())
    }

    fn receive(&mut self, call: &Call, cx: &mut Context) -> Reply {
        let webhook_id = call.header("webhook-id").unwrap_or_default().to_owned();
        if let Some((body, id)) = self.answered.get(&webhook_id) {
            if *body == call.body {
                return Reply::json(200, &json!({"id": id}));
            }
            cx.violate("webhook_id_reused", "one id, two different bodies");
            return Self::error(409, "webhook_id_reused");
        }
        let message = match parse(call) {
            Ok(message) => message,
            Err(why) => {
                cx.violate("webhook_body", why);
                return Self::error(400, "webhook_body");
            }
        };
        let id = match message.kind.as_str() {
            "ticket.created" => Some(self.open("ticket", &message, cx)),
            "incident.opened" => Some(self.open("incident", &message, cx)),
            "event" => Some(self.add("event", "received", &message, cx)),
            "ticket.noted" => self.note("ticket", &message, cx),
            "incident.updated" => self.note("incident", &message, cx),
            _ => {
                cx.violate("webhook_type", "an unknown type");
                return Self::error(400, "webhook_type");
            }
        };
        let Some(id) = id else {
            cx.violate("nothing_open", "nothing was opened for this reference");
            return Self::error(404, "nothing_open");
        };
        let answer = Reply::json(200, &json!({"id": id}));
        self.answered.insert(webhook_id, (call.body.clone(), id));
        answer
    }

    fn list(&mut self, call: &Call, cx: &mut Context) -> Reply {
        let mut wanted = None;
        for (name, value) in &call.query {
            if name != "source_reference" {
                cx.violate("unknown_query", "only source_reference is known");
                return Self::error(400, "unknown_query");
            }
            wanted = Some(value.as_str());
        }
        let mut shown = Vec::new();
        for item in &mut self.items {
            if wanted.is_some_and(|wanted| wanted != item.source_reference) {
                continue;
            }
            if item.hidden_reads > 0 {
                item.hidden_reads -= 1;
                continue;
            }
            shown.push(json!({
                "id": item.id,
                "type": item.kind,
                "status": item.status,
                "source_reference": item.source_reference,
            }));
        }
        Reply::json(200, &json!({"items": shown}))
    }

    fn open(&mut self, kind: &'static str, message: &Message, cx: &mut Context) -> String {
        if self.still_open(kind, &message.source_reference).is_some() {
            cx.violate("duplicate_open", "this reference is open already");
        }
        self.add(kind, "open", message, cx)
    }

    fn add(
        &mut self,
        kind: &'static str,
        status: &str,
        message: &Message,
        cx: &mut Context,
    ) -> String {
        let id = format!("{}-{}", &kind[..3], self.rng.hex(12));
        cx.change(kind, &id, "", status);
        let stale = cx.struck.get(FaultKind::StaleReads);
        self.items.push(Item {
            id: id.clone(),
            kind,
            status: status.to_owned(),
            source_reference: message.source_reference.clone(),
            notes: 0,
            format: message.format,
            hidden_reads: stale.map_or(0, |fault| fault.reads),
        });
        id
    }

    fn note(&mut self, kind: &str, message: &Message, cx: &mut Context) -> Option<String> {
        let place = self.still_open(kind, &message.source_reference)?;
        let item = &mut self.items[place];
        item.notes += 1;
        if let Some(status) = &message.status
            && *status != item.status
        {
            cx.change(item.kind, &item.id, &item.status, status);
            item.status.clone_from(status);
        }
        Some(item.id.clone())
    }

    fn still_open(&self, kind: &str, source_reference: &str) -> Option<usize> {
        self.items.iter().rposition(|item| {
            item.kind == kind
                && item.source_reference == source_reference
                && !matches!(item.status.as_str(), "closed" | "resolved")
        })
    }
}

/// A message in either form.
fn parse(call: &Call) -> Result<Message, &'static str> {
    if cloud_event::is_one(call) {
        return wrapped(cloud_event::read(call)?, call);
    }
    let is_json = call.content_type_is("application/json");
    let message = is_json.then(|| plain(call)).flatten();
    message.ok_or("not the body this receiver takes")
}

/// The type is ours with a prefix and a version, the reference is the subject.
fn wrapped(event: cloud_event::Event, call: &Call) -> Result<Message, &'static str> {
    if call.header("webhook-id") != Some(event.id.as_str()) {
        return Err("the event and the message have different ids");
    }
    let kind = event.kind.strip_prefix("dev.protect.");
    let kind = kind.and_then(|kind| kind.strip_suffix(".v1"));
    let status = event.data.get("status").and_then(Value::as_str);
    Ok(Message {
        kind: kind.ok_or("the type is none of ours")?.to_owned(),
        status: status.map(str::to_owned),
        source_reference: event.subject.ok_or("the event has no subject")?,
        format: "cloudevents",
    })
}

fn plain(call: &Call) -> Option<Message> {
    let body = call.json()?;
    let text = |name: &str| body.get(name)?.as_str().map(str::to_owned);
    let status = body.get("data")?.get("status").and_then(Value::as_str);
    Some(Message {
        kind: text("type")?,
        source_reference: text("source_reference").filter(|text| !text.is_empty())?,
        status: status.map(str::to_owned),
        format: "plain",
    })
}

/// Compares without telling by its duration where two signatures differ.
fn same(given: &str, expected: &str) -> bool {
    let differing = given
        .bytes()
        .zip(expected.bytes())
        .fold(0, |differing, (a, b)| differing | (a ^ b));
    given.len() == expected.len() && !expected.is_empty() && differing == 0
}
