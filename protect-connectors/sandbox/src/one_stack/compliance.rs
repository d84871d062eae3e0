//! Evidence: its bytes must have the digest that it says.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::body::{self, Rule};
use super::{OneStack, Refusal};
use crate::request::{Call, Context, Reply};

const TYPES: &[&str] = &["policy", "screenshot", "report", "log", "attestation"];
const LARGEST: usize = 50_000_000;

impl OneStack {
    pub(super) fn submit(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let texts = [
            "tenant_id",
            "source",
            "source_ref",
            "kind",
            "title",
            "effective_date",
            "expiration_date",
            "content_type",
            "sha256",
            "content_base64",
        ];
        let required: Vec<_> = texts
            .into_iter()
            .map(|name| (name, Rule::Text))
            .chain([
                ("evidence_type", Rule::Word(TYPES)),
                ("controls", Rule::Any),
            ])
            .collect();
        let optional = [("client_id", Rule::Text), ("description", Rule::Text)];
        let mut fields = body::read(call, organisation, &required, &optional)?;
        if let Some(reply) = self.items.repeated(organisation, call)? {
            return Ok(reply);
        }
        let content = judge(&fields)?;
        fields.remove("content_base64");
        fields.insert("content".to_owned(), content);
        let linked: Vec<_> = controls(&fields);
        let item = self
            .items
            .add("evidence", organisation, "stored", fields, cx);
        let reply = Reply::json(201, &json!({"id": item.id, "linked_controls": linked}));
        self.items.remember(organisation, call, &reply);
        Ok(reply)
    }
}

fn judge(fields: &Map<String, Value>) -> Result<Value, Refusal> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let bytes = STANDARD.decode(text("content_base64"));
    let bytes = bytes.map_err(|_| Refusal::field("content_base64", "Must be base64"))?;
    if bytes.len() > LARGEST {
        return Err(Refusal::field("content_base64", "Too large"));
    }
    let digest = Sha256::digest(&bytes);
    if !is_hex_of(&digest, text("sha256")) {
        return Err(Refusal::field("sha256", "Not the digest of the content"));
    }
    if text("expiration_date") <= text("effective_date") {
        return Err(Refusal::field("expiration_date", "Must be later"));
    }
    serde_json::from_slice(&bytes).map_err(|_| Refusal::field("content_type", "Not JSON"))
}

/// Whether the text is the bytes in lower-case hexadecimal.
fn is_hex_of(bytes: &[u8], text: &str) -> bool {
    text.len() == 2 * bytes.len()
        && text
            .as_bytes()
            .chunks(2)
            .zip(bytes)
            .all(|(pair, byte)| pair == format!("{byte:02x}").as_bytes())
}

fn controls(fields: &Map<String, Value>) -> Vec<Value> {
    let controls = fields.get("controls").and_then(Value::as_array);
    let controls = controls.into_iter().flatten();
    controls
        .filter_map(|control| control.get("control_id").cloned())
        .collect()
}
