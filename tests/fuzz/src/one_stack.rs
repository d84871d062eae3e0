//! The One Stack: the bytes are the body of an answer.

use http::StatusCode;
use protect_core::Context;
use protect_core::secret::SecretRef;
use protect_core::testing::MapSecrets;
use protect_one_stack::compliance::NewEvidence;
use protect_one_stack::oncall::{NewPage, WayIn};
use protect_one_stack::psa::NewTicket;
use protect_one_stack::security::NewSecurityIncident;
use protect_one_stack::{Access, Compliance, Credential, OnCall, Psa, Security};

use crate::vendor::{Said, block_on, context};

pub(crate) fn answers(data: &[u8]) {
    ask(&Said::ok(data));
}

pub(crate) fn errors(data: &[u8]) {
    for status in [
        StatusCode::BAD_REQUEST,
        StatusCode::FORBIDDEN,
        StatusCode::TOO_MANY_REQUESTS,
    ] {
        ask(&Said::with(status, data));
    }
}

#[expect(clippy::expect_used, reason = "the settings are constant")]
fn ask(said: &Said) {
    let context = with_key(said);
    let psa = Psa::new(access(), &context).expect("constant settings");
    let _ = block_on(psa.create_ticket(NewTicket {
        title: "A leak".to_owned(),
        source_ref: "r".to_owned(),
        ..NewTicket::default()
    }));
    let _ = block_on(psa.find_tickets("r"));
    let security = Security::new(access(), &context).expect("constant settings");
    let _ = block_on(security.create_incident(NewSecurityIncident {
        title: "A leak".to_owned(),
        source_ref: "r".to_owned(),
        ..NewSecurityIncident::default()
    }));
    let oncall = OnCall::new(access(), WayIn::Ingest, &context).expect("constant settings");
    let _ = block_on(oncall.page(NewPage {
        title: "A leak".to_owned(),
        dedup_key: "k".to_owned(),
        ..NewPage::default()
    }));
    let compliance = Compliance::new(access(), &context).expect("constant settings");
    let _ = block_on(compliance.submit_evidence(NewEvidence {
        effective_date: "2026-01-01".to_owned(),
        expiration_date: "2026-02-01".to_owned(),
        ..NewEvidence::default()
    }));
}

fn access() -> Access {
    Access::new("org", Credential::IntegrationKey(key()))
}

fn key() -> SecretRef {
    SecretRef::provided("key")
}

fn with_key(said: &Said) -> Context {
    let secrets = MapSecrets::default();
    secrets.set(key(), "secret");
    Context {
        secrets: std::sync::Arc::new(secrets),
        ..context(&[], said.clone())
    }
}
