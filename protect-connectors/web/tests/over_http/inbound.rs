//! Webhooks that come in: verified, handled once, and turned into findings of the right tenant.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use protect_connectors::core::connector::{
    Capability, Connector, ConnectorInfo, Diagnosis, OpContext,
};
use protect_connectors::core::engine::{FindingFilter, IncidentFilter};
use protect_connectors::core::inbound::{
    Inbound, InboundAnswer, InboundRequest, Route, SignedMessage,
};
use protect_connectors::core::model::{
    Attributes, CheckId, Confidence, FindingKind, Observation, Severity, Subject,
};
use protect_connectors::core::secret::SecretString;
use protect_connectors::core::{Context, Result};
use protect_connectors::one_stack::events::{self, EventHeaders};
use protect_connectors::webhook;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::world::{World, text};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const CONFIG: &str = "[tenants.acme]\nname = \"Acme\"\n[tenants.acme.connectors.hooked]\nkind = \"hooked\"\n\
                      [tenants.beta]\nname = \"Beta\"\n[tenants.beta.connectors.hooked]\nkind = \"hooked\"\n";

/// Takes messages of both forms; each becomes a finding.
#[derive(Debug)]
struct Hooked {
    info: ConnectorInfo,
    context: Context,
    routes: Vec<Route>,
}

pub(crate) fn hooked(info: ConnectorInfo, context: &Context) -> Arc<dyn Connector> {
    Arc::new(Hooked {
        info,
        context: context.clone(),
        routes: vec![
            Route::post("hooked.standard", "/standard").signed(),
            Route::post("hooked.platform", "/platform").signed(),
        ],
    })
}

#[async_trait]
impl Connector for Hooked {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability::default()
    }

    async fn diagnose(&self, _: &OpContext) -> Result<Diagnosis> {
        Ok(Diagnosis::default())
    }

    fn as_inbound(&self) -> Option<&dyn Inbound> {
        Some(self)
    }
}

impl Hooked {
    fn event(&self, request: &InboundRequest) -> Result<events::Event> {
        let secrets = [SecretString::from(format!(
            "shared-with-{}",
            self.info.tenant
        ))];
        let now = self.context.clock.now();
        let headers = EventHeaders::of_product("psa");
        events::verify(
            |name| request.header(name),
            &request.body,
            &secrets,
            &headers,
            now,
        )
    }
}

#[async_trait]
impl Inbound for Hooked {
    fn routes(&self) -> &[Route] {
        &self.routes
    }

    async fn verify(&self, _: &OpContext, request: &InboundRequest) -> Result<SignedMessage> {
        let remember = Duration::from_mins(10);
        if request.path.ends_with("/platform") {
            let event = self.event(request)?;
            let (id, signed_at) = (event.id, None);
            return Ok(SignedMessage {
                id,
                signed_at,
                remember,
            });
        }
        let now = self.context.clock.now();
        let secrets = [SecretString::from(SECRET)];
        let message = webhook::verify(|name| request.header(name), &request.body, &secrets, now)?;
        Ok(SignedMessage {
            id: message.id,
            signed_at: Some(message.sent_at),
            remember,
        })
    }

    async fn handle(&self, _: &OpContext, request: &InboundRequest) -> Result<InboundAnswer> {
        let body: Value = request.json()?;
        let about = body["data"]["about"].as_str().unwrap_or_default();
        let observation = Observation {
            check: CheckId::new("hooked.event.reported")?,
            kind: FindingKind::SuspiciousSignIn,
            subject: Subject::account("hooked", about),
            discriminator: about.to_owned(),
            cause: None,
            severity: Severity::High,
            confidence: Confidence::High,
            title: "Somebody reported a sign-in".to_owned(),
            reasons: Vec::new(),
            attribution: None,
            references: Vec::new(),
            details: Attributes::new(),
            from_event: true,
        };
        Ok(InboundAnswer::no_content().with_observations(vec![observation]))
    }
}

fn standard(tenant: &str, id: &str, at: Timestamp, about: &str) -> Request<Bytes> {
    let body = json!({ "event": "sign_in.reported", "data": { "about": about } }).to_string();
    let signer = Webhook::new(SECRET).unwrap();
    let signature = signer.sign(id, at.as_second(), body.as_bytes()).unwrap();
    Request::builder()
        .method(Method::POST)
        .uri(format!("/in/{tenant}/hooked/standard"))
        .header("webhook-id", id)
        .header("webhook-timestamp", at.as_second())
        .header("webhook-signature", signature)
        .body(Bytes::from(body))
        .unwrap()
}

fn platform(tenant: &str, signed_for: &str, id: &str, about: &str) -> Request<Bytes> {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let body =
        json!({ "id": id, "event": "ticket.created", "data": { "about": about } }).to_string();
    let secret = format!("shared-with-{signed_for}");
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let mut signature = String::new();
    for byte in mac.finalize().into_bytes() {
        write!(signature, "{byte:02x}").unwrap();
    }
    Request::builder()
        .method(Method::POST)
        .uri(format!("/in/{tenant}/hooked/platform"))
        .header("x-psa-signature", format!("sha256={signature}"))
        .body(Bytes::from(body))
        .unwrap()
}

async fn world() -> World {
    World::with(
        CONFIG,
        Arc::new(protect_connectors::core::store::MemoryStore::new()),
    )
    .await
}

async fn reported(world: &World, tenant: &str) -> Vec<String> {
    let filter = FindingFilter::default();
    let found = world.tenant(tenant).findings(&filter).await.unwrap();
    let mut ids: Vec<_> = found
        .findings
        .into_iter()
        .map(|it| it.observation.subject.id)
        .collect();
    ids.sort();
    ids
}

fn code(response: &Response<Bytes>) -> String {
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    body["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_signed_message_becomes_a_finding_and_an_incident_of_its_tenant_alone() {
    let world = world().await;
    let now = world.outside.context.clock.now();
    let taken = world.web.handle(standard("acme", "m-1", now, "U1")).await;
    assert_eq!(taken.status(), StatusCode::NO_CONTENT, "{}", text(&taken));
    let taken = world
        .web
        .handle(platform("beta", "beta", "e-1", "U2"))
        .await;
    assert_eq!(taken.status(), StatusCode::NO_CONTENT, "{}", text(&taken));
    assert_eq!(reported(&world, "acme").await, ["U1"]);
    assert_eq!(reported(&world, "beta").await, ["U2"]);
    let incidents = world
        .tenant("acme")
        .incidents(&IncidentFilter::default())
        .await
        .unwrap();
    assert_eq!(incidents.len(), 1);
}

#[tokio::test]
async fn what_is_unsigned_foreign_changed_old_or_a_copy_is_refused_and_makes_nothing() {
    let world = world().await;
    let now = world.outside.context.clock.now();
    let old = now - Duration::from_secs(301);
    let mut unsigned = standard("acme", "m-2", now, "U9");
    unsigned.headers_mut().remove("webhook-signature");
    let mut changed = standard("acme", "m-2", now, "U9");
    *changed.body_mut() = Bytes::from_static(br#"{"data":{"about":"U8"}}"#);
    let mut renamed = standard("acme", "m-2", now, "U9");
    renamed
        .headers_mut()
        .insert("webhook-id", "m-3".parse().unwrap());
    for request in [
        unsigned,
        changed,
        renamed,
        standard("acme", "m-2", old, "U9"),
        platform("acme", "beta", "e-2", "U9"),
    ] {
        let refused = world.web.handle(request).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(code(&refused), "UNAUTHORIZED");
        assert!(!text(&refused).contains("U9") && !text(&refused).contains("whsec"));
    }
    assert!(reported(&world, "acme").await.is_empty());
    for (request, copy) in [
        (
            standard("acme", "m-4", now, "U1"),
            standard("acme", "m-4", now, "U1"),
        ),
        (
            platform("acme", "acme", "e-4", "U2"),
            platform("acme", "acme", "e-4", "U2"),
        ),
    ] {
        assert_eq!(
            world.web.handle(request).await.status(),
            StatusCode::NO_CONTENT
        );
        let refused = world.web.handle(copy).await;
        assert_eq!(
            (refused.status(), code(&refused).as_str()),
            (StatusCode::CONFLICT, "CONFLICT")
        );
    }
    // Sent again by its sender, who did not hear our answer: taken for what it is.
    let later = now + Duration::from_mins(1);
    let again = world.web.handle(standard("acme", "m-4", later, "U1")).await;
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(reported(&world, "acme").await, ["U1", "U2"]);
}

#[tokio::test]
async fn what_is_too_large_or_not_there_is_refused_before_it_is_looked_at() {
    let world = world().await;
    let mut large = platform("acme", "acme", "e-1", "U1");
    *large.body_mut() = Bytes::from(vec![b'x'; 1024 * 1024 + 1]);
    let refused = world.web.handle(large).await;
    assert_eq!(
        (refused.status(), code(&refused).as_str()),
        (StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE")
    );
    for path in [
        "/in/acme/hooked/other",
        "/in/acme/hooked",
        "/in/gamma/hooked/standard",
        "/in/",
    ] {
        let request = Request::post(path).body(Bytes::new()).unwrap();
        assert_eq!(
            world.web.handle(request).await.status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let looked = Request::get("/in/acme/hooked/standard")
        .body(Bytes::new())
        .unwrap();
    assert_eq!(
        world.web.handle(looked).await.status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
}
