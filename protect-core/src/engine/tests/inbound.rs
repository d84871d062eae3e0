use std::sync::Arc;
use std::time::Duration;

use ::http::header::ALLOW;
use ::http::{Method, Request, StatusCode};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::authenticate::{Authenticator, Browser, Shown, SignedIn, SingleUse};
use crate::config::Config;
use crate::connector::{Capability, Connector, ConnectorInfo, Diagnosis, OpContext};
use crate::engine::{Caller, Engine, Tenant, TenantRoutes};
use crate::error::{Error, ErrorKind, Result};
use crate::inbound::{Inbound, InboundAnswer, InboundRequest, Route, SignedMessage, TenantFrom};
use crate::model::{Actor, Authority, Permission, Role, TenantId};
use crate::registry::Registry;
use crate::secret::{ExposeSecret, SecretRef, SecretString};
use crate::store::{MemoryStore, Query, RecordKind};
use crate::testing::ManualClock;

/// Two tenants with an inbound connector each, and routes of the engine's own.
struct World {
    engine: Engine,
    clock: Arc<ManualClock>,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        let routes = vec![
            Route::get("fake.lookup", "/api/fake/people/{id}")
                .tenant(TenantFrom::query("tenantId"))
                .integration_key(),
            Route::post("fake.callback", "/api/fake/callback")
                .tenant(TenantFrom::body("tenant_id"))
                .integration_key()
                .body_limit(256),
            Route::post("fake.hook", "/hook").signed(),
            Route::get("fake.health", "/health").open(),
        ];
        let mut registry = Registry::new();
        registry.register("fake", move |setup, _| {
            let tenant = setup.info.tenant.as_str();
            Ok(Arc::new(Fake {
                alias: format!("org-{tenant}"),
                keys: vec![
                    SecretRef::env(format!("{tenant}_old")),
                    SecretRef::env(format!("{tenant}_new")),
                ],
                info: setup.info,
                routes: routes.clone(),
            }) as Arc<dyn Connector>)
        });
        let text = "[tenants.acme]\nname = \"Acme\"\n[tenants.acme.connectors.fake]\nkind = \"fake\"\n\
             [tenants.other]\nname = \"Other\"\n[tenants.other.connectors.fake]\nkind = \"fake\"\n";
        let config = Config::from_toml(text, &registry).unwrap();
        let outside = crate::testing::context();
        for (name, key) in [
            ("acme_old", "a1"),
            ("acme_new", "a2"),
            ("other_old", "o1"),
            ("other_new", ""),
        ] {
            outside.secrets.set(SecretRef::env(name), key);
        }
        let clock = Arc::clone(&outside.clock);
        let area = Arc::new(Area {
            routes: vec![
                Route::get("area.findings", "/api/findings").permission(Permission::FindingsView),
                Route::post("area.approve", "/api/plans/{id}/approve")
                    .permission(Permission::RemediationsApprove),
                Route::get("area.me", "/api/me"),
                Route::get("area.time_off", "/api/psa/time-off")
                    .tenant(TenantFrom::query("tenantId"))
                    .integration_key(),
            ],
        });
        let engine = Engine::builder(config, registry, outside.context)
            .routes(area)
            .build(Arc::new(MemoryStore::new()))
            .unwrap();
        let now = engine.context().clock.now();
        Self { engine, clock, now }
    }

    async fn ask(
        &self,
        method: Method,
        uri: &str,
        key: Option<&str>,
        body: &str,
        as_who: Option<&Caller>,
    ) -> InboundAnswer {
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(key) = key {
            request = request.header("X-Integration-Key", key);
        }
        let request = request
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap();
        self.engine
            .receive(InboundRequest::of(request), as_who)
            .await
    }

    async fn get(&self, uri: &str, key: Option<&str>) -> InboundAnswer {
        self.ask(Method::GET, uri, key, "", None).await
    }

    async fn hook(&self, id: &str, attempt: i64) -> StatusCode {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/in/acme/fake/hook")
            .header("signature", "good")
            .header("id", id)
            .header("at", (self.now.as_second() + attempt).to_string());
        let request = InboundRequest::of(request.body(Bytes::new()).unwrap());
        self.engine.receive(request, None).await.status
    }

    async fn handled(&self) -> usize {
        let tenant = self.engine.tenant("acme").unwrap();
        let query = Query::all(RecordKind::Once);
        self.engine
            .store()
            .query(tenant.id(), query)
            .await
            .unwrap()
            .records
            .len()
    }
}

fn caller(tenant: &str, role: Role) -> Caller {
    let authority = Authority::staff(role, [] as [&str; 0]);
    Caller {
        tenant: TenantId::new(tenant).unwrap(),
        actor: Actor::authenticated("test", "u-1", Some(authority)),
    }
}

fn body(answer: &InboundAnswer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

#[derive(Debug)]
struct Fake {
    info: ConnectorInfo,
    alias: String,
    keys: Vec<SecretRef>,
    routes: Vec<Route>,
}

#[async_trait]
impl Connector for Fake {
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

    fn as_authenticator(&self) -> Option<&dyn Authenticator> {
        Some(self)
    }
}

#[async_trait]
impl Inbound for Fake {
    fn routes(&self) -> &[Route] {
        &self.routes
    }

    fn tenant_alias(&self) -> &str {
        &self.alias
    }

    fn integration_keys(&self) -> &[SecretRef] {
        &self.keys
    }

    async fn verify(&self, _: &OpContext, request: &InboundRequest) -> Result<SignedMessage> {
        if request.header("signature") != Some("good") {
            return Err(Error::new(ErrorKind::Unauthenticated, "not signed"));
        }
        let at = request.header("at").and_then(|at| at.parse().ok());
        Ok(SignedMessage {
            id: request.header("id").unwrap_or_default().to_owned(),
            signed_at: at.and_then(|at| Timestamp::from_second(at).ok()),
            remember: Duration::from_mins(10),
        })
    }

    async fn handle(&self, cx: &OpContext, request: &InboundRequest) -> Result<InboundAnswer> {
        let by = format!("{} by {}", cx.actor.id, cx.actor.authenticated_by);
        InboundAnswer::json(
            &json!({ "tenant": self.info.tenant, "by": by, "id": request.parameters.get("id") }),
        )
    }
}

/// Accepts `tenant:name`, once each.
#[async_trait]
impl Authenticator for Fake {
    async fn authenticate(
        &self,
        _: &TenantId,
        credential: &SecretString,
        _: Shown,
    ) -> Result<SignedIn> {
        let name = credential.expose_secret().split(':').nth(1);
        let name = name.ok_or_else(|| Error::new(ErrorKind::Unauthenticated, "no"))?;
        let actor = Actor::authenticated("fake", name, None);
        Ok(SignedIn {
            single_use: Some(SingleUse {
                id: name.to_owned(),
                until: Timestamp::from_second(2_000_000_000).unwrap(),
            }),
            ..SignedIn::new(actor)
        })
    }

    fn concerns(&self, tenant: &TenantId, credential: &SecretString) -> bool {
        let named = credential.expose_secret().split(':').next();
        named == Some("*") || named == Some(tenant.as_str())
    }
}

#[derive(Debug)]
struct Area {
    routes: Vec<Route>,
}

#[async_trait]
impl TenantRoutes for Area {
    fn routes(&self) -> &[Route] {
        &self.routes
    }

    fn key_kind(&self) -> Option<&str> {
        Some("fake")
    }

    async fn handle(
        &self,
        tenant: &Tenant,
        cx: &OpContext,
        _: &InboundRequest,
    ) -> Result<InboundAnswer> {
        InboundAnswer::json(&json!({ "tenant": tenant.id(), "by": cx.actor.id }))
    }
}

#[tokio::test]
async fn a_key_opens_the_routes_of_the_tenant_that_the_request_names() {
    let world = World::new();
    for (path, by) in [
        ("/api/fake/people/7", "fake by integration_key"),
        ("/api/psa/time-off", "fake"),
    ] {
        for (query, key, tenant) in [
            ("org-acme", "a1", "acme"),
            ("org-acme", "a2", "acme"),
            ("org-other", "o1", "other"),
        ] {
            let answer = world
                .get(&format!("{path}?tenantId={query}"), Some(key))
                .await;
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(body(&answer)["tenant"], tenant);
            assert_eq!(body(&answer)["by"], by);
        }
    }
}

#[tokio::test]
async fn a_wrong_key_an_empty_one_another_tenants_and_an_unknown_tenant_look_the_same() {
    let world = World::new();
    let mut seen = Vec::new();
    for (tenant, key) in [
        ("org-acme", None),
        ("org-acme", Some("nonsense")),
        ("org-acme", Some("o1")),
        ("org-acme", Some("")),
        ("org-other", Some("")),
        ("org-nobody", Some("a1")),
        // Our own name of it is not the callers'.
        ("acme", Some("a1")),
    ] {
        let answer = world
            .get(&format!("/api/fake/people/7?tenantId={tenant}"), key)
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{tenant} {key:?}");
        seen.push(answer.body);
    }
    seen.dedup();
    assert_eq!(seen.len(), 1);
    let answer = world.get("/api/fake/people/7", Some("a1")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_body_may_name_the_tenant_and_has_its_limit() {
    let world = World::new();
    let uri = "/api/fake/callback";
    let named = r#"{"tenant_id":"org-other"}"#;
    let answer = world.ask(Method::POST, uri, Some("o1"), named, None).await;
    assert_eq!(body(&answer)["tenant"], "other");
    let large = format!(
        "{{\"tenant_id\":\"org-other\",\"x\":\"{}\"}}",
        "x".repeat(256)
    );
    let answer = world.ask(Method::POST, uri, Some("o1"), &large, None).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(world.engine.body_limit(&Method::POST, uri), Some(256));
    assert_eq!(world.engine.body_limit(&Method::POST, "/nowhere"), None);
}

#[tokio::test]
async fn a_session_sees_its_own_tenant_and_what_its_role_allows() {
    let world = World::new();
    let viewer = caller("other", Role::Viewer);
    let answer = world
        .ask(Method::GET, "/api/findings", None, "", Some(&viewer))
        .await;
    assert_eq!(body(&answer)["tenant"], "other");
    let answer = world
        .ask(
            Method::POST,
            "/api/plans/1/approve",
            None,
            "",
            Some(&viewer),
        )
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(
        body(&answer)["details"]["requiredPermission"],
        "protect.remediations.approve"
    );
    let admin = caller("acme", Role::Admin);
    let answer = world
        .ask(Method::POST, "/api/plans/1/approve", None, "", Some(&admin))
        .await;
    assert_eq!(body(&answer)["tenant"], "acme");
    for uri in ["/api/findings", "/api/me"] {
        assert_eq!(
            world.get(uri, Some("a1")).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    let nobody = caller("gone", Role::Owner);
    let answer = world
        .ask(Method::GET, "/api/me", None, "", Some(&nobody))
        .await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_another_method_says_which_there_is() {
    let world = World::new();
    for uri in [
        "/",
        "/in/acme",
        "/in/acme/fake",
        "/in/acme/other/health",
        "/in/nobody/fake/health",
        "/hook",
    ] {
        assert_eq!(
            world.get(uri, None).await.status,
            StatusCode::NOT_FOUND,
            "{uri}"
        );
    }
    let answer = world.get("/api/fake/callback", None).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers[ALLOW], "POST");
    assert_eq!(
        world.get("/in/acme/fake/health", None).await.status,
        StatusCode::OK
    );
    let head = world
        .ask(Method::HEAD, "/in/acme/fake/health", None, "", None)
        .await;
    assert_eq!(head.status, StatusCode::OK);
}

#[tokio::test]
async fn a_signed_message_is_handled_once_its_repeat_acknowledged_and_a_copy_refused() {
    let world = World::new();
    assert_eq!(world.hook("m1", 0).await, StatusCode::OK);
    assert_eq!(world.hook("m1", 0).await, StatusCode::CONFLICT);
    assert_eq!(world.hook("m1", 60).await, StatusCode::OK);
    assert_eq!(world.hook("m2", 0).await, StatusCode::OK);
    assert_eq!(world.handled().await, 2);
    let unsigned = world
        .ask(Method::POST, "/in/acme/fake/hook", None, "", None)
        .await;
    assert_eq!(unsigned.status, StatusCode::UNAUTHORIZED);
    // What nobody can repeat any more is forgotten.
    world.clock.advance(Duration::from_mins(11)).await;
    world.hook("m3", 660).await;
    assert_eq!(world.handled().await, 1);
}

#[tokio::test]
async fn a_sign_in_that_counts_once_counts_once() {
    let world = World::new();
    let sign_in = async |credential: &str| {
        let credential = SecretString::from(credential);
        world
            .engine
            .sign_in(&credential, Shown::Once, &Browser::default())
            .await
    };
    let signed_in = sign_in("acme:alice").await.unwrap();
    let names = signed_in
        .iter()
        .map(|(tenant, who)| (tenant.id().as_str(), who.name.as_str()));
    assert_eq!(names.collect::<Vec<_>>(), [("acme", "alice")]);
    for again in ["acme:alice", "nobody:alice", "acme"] {
        let error = sign_in(again).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{again}");
    }
    assert!(sign_in("acme:bob").await.is_ok());
}

#[tokio::test]
async fn who_looks_after_several_tenants_signs_in_to_each_of_them_once() {
    let world = World::new();
    let both = SecretString::from("*:carol");
    let signed_in = world
        .engine
        .sign_in(&both, Shown::Once, &Browser::default())
        .await
        .unwrap();
    assert_eq!(signed_in.len(), 2);
    assert!(
        world
            .engine
            .sign_in(&both, Shown::Once, &Browser::default())
            .await
            .is_err()
    );
    let other = world.engine.tenant("other").unwrap();
    assert!(other.sign_in(&both, Shown::Once).await.is_err());
}
