//! Webhooks: what the platform tells of tickets, incidents and remediations, signed. That there are events,
//! their names and that each webhook has a secret is documented; the envelope and the signature are those
//! of our conventions, after the one relative that is (PSA to Books: HMAC-SHA-256 in `X-PSA-Signature`).
//!
//! Legal's callback is sent from the same queue, but is a call between products: with the integration key,
//! unsigned, and without an envelope.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::Sha256;

use super::items::{Item, Items};
use super::legal;
use crate::post::post;
use crate::rng::Rng;
use crate::world::World;

/// Which things have events, at which product.
const OBJECTS: [(&str, &str); 4] = [
    ("ticket", "psa"),
    ("incident", "security"),
    ("remediation", "rmm"),
    ("acknowledgment", "legal"),
];

/// An address that is told; `POST /_sandbox/one_stack/webhooks`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewHubWebhook {
    /// The organisation's id.
    pub organisation: String,
    /// `psa`, `security`, `rmm`, or `legal` for its callback.
    pub product: String,
    /// Where to: on loopback, and without TLS, as all of the sandbox.
    pub url: String,
    /// What messages are signed with; of `legal`, the key that both hold.
    pub secret: String,
}

/// A message that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubMessage {
    /// Where to.
    pub url: String,
    /// What tells it from every other one.
    pub id: String,
    /// What happened (`ticket.updated`).
    pub event: String,
    /// The name of the header that holds the signature, or the key.
    pub header: String,
    /// The signature; of Legal's callback, which has none, the key.
    pub signature: String,
    /// The body, as it is signed.
    pub body: String,
}

/// What was known of a thing when it was last told: its status and how many notes it has.
type Known = (String, usize);

pub(crate) struct Hooks {
    subscribed: Vec<NewHubWebhook>,
    known: BTreeMap<String, Known>,
    waiting: Vec<HubMessage>,
    rng: Rng,
}

impl Hooks {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            subscribed: Vec::new(),
            known: BTreeMap::new(),
            waiting: Vec::new(),
            rng: Rng::new(seed, "one_stack hooks"),
        }
    }

    /// False for a product that has no events.
    pub(crate) fn subscribe(&mut self, webhook: NewHubWebhook, items: &Items) -> bool {
        let is_known = OBJECTS
            .iter()
            .any(|(_, product)| *product == webhook.product);
        if is_known {
            // What happened before nobody is told.
            self.note(items);
            self.subscribed.push(webhook);
        }
        is_known
    }

    /// The messages that wait, in their order; whoever takes them sends them.
    pub(crate) fn take(&mut self) -> Vec<HubMessage> {
        std::mem::take(&mut self.waiting)
    }

    /// Messages that were not taken are sent again, before the newer ones.
    pub(crate) fn give_back(&mut self, mut messages: Vec<HubMessage>) {
        messages.append(&mut self.waiting);
        self.waiting = messages;
    }

    fn note(&mut self, items: &Items) {
        let all = items.all().iter();
        self.known = all.map(|item| (item.id.clone(), state_of(item))).collect();
    }

    /// Makes messages of what happened since the last time.
    pub(crate) fn notice(&mut self, items: &Items, now: Timestamp) {
        if self.subscribed.is_empty() {
            return;
        }
        for item in items.all() {
            let state = state_of(item);
            let what = match self.known.get(&item.id) {
                None => "created",
                Some(known) if *known == state => continue,
                Some((_, notes)) if state.1 > *notes && item.object == "ticket" => "note_added",
                Some(_) => "updated",
            };
            self.known.insert(item.id.clone(), state);
            self.tell(item, what, now);
        }
    }

    fn tell(&mut self, item: &Item, what: &str, now: Timestamp) {
        let Some((object, product)) = OBJECTS.iter().find(|(object, _)| *object == item.object)
        else {
            return;
        };
        let told = self
            .subscribed
            .iter()
            .filter(|hook| hook.product == *product && hook.organisation == item.organisation);
        for hook in told {
            let event = format!("{object}.{what}");
            if *product == "legal" {
                // What was signed does not change: there is nothing else to call back about.
                if what == "created" {
                    self.waiting.push(callback(hook, item, event));
                }
                continue;
            }
            let id = format!("evt-{}", self.rng.hex(16));
            let body = json!({
                "id": id,
                "event": event,
                "timestamp": now,
                "tenant_id": item.organisation,
                "data": { format!("{object}_id"): item.id, "status": item.status },
            })
            .to_string();
            self.waiting.push(HubMessage {
                url: hook.url.clone(),
                id,
                event,
                header: format!("X-{}-Signature", product.to_uppercase()),
                signature: sign(&hook.secret, &body),
                body,
            });
        }
    }
}

/// What Legal calls People with when somebody acknowledged a policy.
fn callback(hook: &NewHubWebhook, item: &Item, event: String) -> HubMessage {
    HubMessage {
        url: hook.url.clone(),
        id: item.id.clone(),
        event,
        header: "X-Integration-Key".to_owned(),
        signature: hook.secret.clone(),
        body: legal::callback(item).to_string(),
    }
}

impl World {
    /// Sends the webhooks that wait, in their order, and gives the status of each answer; 0 for none. What
    /// was not taken waits on.
    pub(crate) async fn send_webhooks(&self) -> Vec<u16> {
        let messages = self.state().one_stack.hooks.take();
        let (mut statuses, mut left) = (Vec::new(), Vec::new());
        for message in messages {
            let signed = (message.header.as_str(), message.signature.as_str());
            let status = post(&message.url, signed, &message.body).await;
            let status = status.unwrap_or_default();
            statuses.push(status);
            if !(200..300).contains(&status) {
                left.push(message);
            }
        }
        self.state().one_stack.hooks.give_back(left);
        statuses
    }
}

fn state_of(item: &Item) -> Known {
    (item.status.clone(), item.notes.len())
}

fn sign(secret: &str, body: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(body.as_bytes());
    let mut text = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
