//! What comes in from outside: how many messages, and how many tokens, a second one thread can tell to be
//! good.

use std::time::Instant;

use jiff::Timestamp;
use protect_connectors::core::engine::{Browser, Shown};
use protect_connectors::core::secret::SecretString;
use protect_connectors::{Protect, webhook};
use protect_sandbox::{HubToken, Sandbox};
use serde_json::json;

use crate::measure::{RUNS, median, rate};
use crate::table::{Row, Table};

/// A key as anybody may have.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const MESSAGES: usize = 100_000;
const TOKENS: usize = 10_000;
const BODY_BYTES: usize = 2_048;

pub(crate) async fn measure(table: &mut Table) {
    messages(table);
    tokens(table).await;
}

/// Tokens of a session, signed by a key pair; the key is read once and kept for a minute.
async fn tokens(table: &mut Table) {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("hub.pem");
    std::fs::write(&key, sandbox.hub_sso().public_key).unwrap();
    let config = json!({
        "store": { "kind": "memory" },
        "connections": { "hub": { "kind": "hub", "scan": { "sso_public_key": { "file": key } }, "tenants": ["*"] } },
        "tenants": { "acme": { "name": "Acme", "connectors": { "hub": { "connection": "hub", "organisation_id": "org-1" } } } },
    });
    let protect = Protect::open_config(&config).await.unwrap();
    let token = HubToken {
        organisation: "org-1".to_owned(),
        session: true,
        algorithm: Some("ES256".to_owned()),
        ..HubToken::default()
    };
    let token = SecretString::from(sandbox.hub_token(&token).unwrap());
    let unsaid = Browser::default();
    let mut ours = Vec::new();
    for _ in 0..RUNS {
        let began = Instant::now();
        for _ in 0..TOKENS {
            protect
                .sign_in(&token, Shown::Always, &unsaid)
                .await
                .unwrap();
        }
        ours.push(rate(TOKENS, began.elapsed()));
    }
    table.row(Row {
        name: "tokens of Hub verified (ES256, key kept), one thread".to_owned(),
        unit: "/s".to_owned(),
        figure: median(ours),
        bare: None,
        target: "≥ 5,000".to_owned(),
    });
}

/// Messages of two kibibytes, all good; the bare one is the keyed digest of the same bytes.
fn messages(table: &mut Table) {
    let body = vec![b'x'; BODY_BYTES];
    let now = Timestamp::now();
    let seconds = now.as_second();
    let time = seconds.to_string();
    let signer = standardwebhooks::Webhook::new(SECRET).unwrap();
    let signature = signer.sign("msg_1", seconds, &body).unwrap();
    let secrets = [SecretString::from(SECRET)];
    let header = |name: &str| match name {
        "webhook-id" => Some("msg_1"),
        "webhook-timestamp" => Some(&*time),
        "webhook-signature" => Some(&*signature),
        _ => None,
    };
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let began = Instant::now();
        for _ in 0..MESSAGES {
            webhook::verify(header, &body, &secrets, now).unwrap();
        }
        ours.push(rate(MESSAGES, began.elapsed()));
        let began = Instant::now();
        for _ in 0..MESSAGES {
            std::hint::black_box(signer.sign("msg_1", seconds, std::hint::black_box(&body)))
                .unwrap();
        }
        bare.push(rate(MESSAGES, began.elapsed()));
    }
    table.row(Row {
        name: "signed messages of 2 KiB verified, one thread; bare: their signature alone"
            .to_owned(),
        unit: "/s".to_owned(),
        figure: median(ours),
        bare: Some(median(bare)),
        target: "≥ 100,000".to_owned(),
    });
}
