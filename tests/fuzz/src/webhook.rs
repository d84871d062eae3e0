//! The receiver of webhooks: its answers, and the secret that it shares with us.

use std::sync::Arc;

use protect_core::secret::SecretRef;
use protect_core::testing::{MapSecrets, op};
use protect_webhook::Webhook;
use serde_json::json;

use crate::vendor::{Said, block_on, context};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub(crate) fn items(data: &[u8]) {
    call(SECRET, data);
}

pub(crate) fn secret(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        call(text, br#"{"id":"1","items":[]}"#);
    }
}

#[expect(clippy::expect_used, reason = "the settings are constant")]
fn call(secret: &str, answer: &[u8]) {
    let reference = SecretRef::Provided {
        provided: "signing".to_owned(),
    };
    let secrets = MapSecrets::default();
    secrets.set(reference.clone(), secret);
    let mut context = context(&[], Said::ok(answer));
    context.secrets = Arc::new(secrets);
    let webhook = Webhook::new("https://desk.example/hook", reference, &context);
    let webhook = webhook.expect("constant settings");
    let _ = block_on(webhook.post(&op(), "id", "ticket", "incident", json!({})));
    let _ = block_on(webhook.items(&op(), "incident"));
}
