//! A Hub that signs tokens, two organisations with a tenant each, a client of the first, and somebody who
//! holds a browser.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{Method, Request, Response, StatusCode};
use protect_connectors::core::config::Config;
use protect_connectors::core::connector::{
    Applied, AppliedStatus, Directory, DirectoryPage, Probe,
};
use protect_connectors::core::connector::{
    Capability, Connector, ConnectorInfo, Diagnosis, Evaluated, OpContext, Remediator, ScanPage,
    ScanRequest, Scanner,
};
use protect_connectors::core::engine::{Engine, Request as Wanted, Tenant};
use protect_connectors::core::inbound::ClientAddress;
use protect_connectors::core::model::{
    Account, AccountRef, AccountState, Action, ActionKind, Actor, Address, Attributes, CheckId,
    CheckResult, Confidence, EffectClass, FindingKind, Observation, Plan, Preview, Severity,
    Subject, Verdict,
};
use protect_connectors::core::store::{MemoryStore, Store};
use protect_connectors::core::testing::TestContext;
use protect_connectors::core::{Result, testing};
use protect_sandbox::{HubToken, Sandbox};
use protect_web::Web;
use serde_json::{Value, json};

/// A name that a page must not believe.
pub(crate) const EVIL: &str = "<script>alert(1)</script>\"'&";

/// What Defend calls us with.
pub(crate) const DEFEND_KEY: &str = "a-key-that-defend-and-we-hold";

/// What both tenants are configured with.
pub(crate) fn config() -> &'static str {
    CONFIG
}

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) outside: TestContext,
    pub(crate) engine: Engine,
    pub(crate) web: Web,
    /// From where requests come, where the host says so.
    pub(crate) peer: Option<IpAddr>,
}

/// From where requests come here.
pub(crate) const PEER: &str = "198.51.100.7";

const CONFIG: &str = r#"
mode = "enforce"
[connections.hub]
kind = "hub"
scan = { sso_secret = { env = "PORTAL_SSO_SECRET" } }
tenants = ["*"]
[connections.portal]
kind = "portal"
scan = { sso_secret = { env = "PORTAL_CLIENT_SSO_SECRET" } }
tenants = ["*"]
[connections.defend]
kind = "defend"
scan = { inbound_key = { env = "DEFEND_SERVICE_KEY" } }
tenants = ["acme"]

[tenants.acme]
name = "Acme GmbH"
domains = ["acme.example"]
[tenants.acme.connectors.hub]
connection = "hub"
organisation_id = "org-1"
[tenants.acme.connectors.fake]
kind = "fake"
[tenants.acme.connectors.defend]
connection = "defend"
organisation_id = "org-1"
[tenants.acme.people.insider_threat]
enabled_by = "the board, 2026-01-05"
only_offboarding = false

[tenants.beta]
name = "Beta AG"
domains = ["beta.example"]
[tenants.beta.connectors.hub]
connection = "hub"
organisation_id = "org-2"
[tenants.beta.connectors.portal]
connection = "portal"
organisation_id = "org-2"
client_id = "2107"
[tenants.beta.connectors.fake]
kind = "fake"
"#;

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(CONFIG, Arc::new(MemoryStore::new())).await
    }

    /// Two tenants of one organisation: its staff looks after both.
    pub(crate) async fn of_one_organisation() -> Self {
        let config = CONFIG.replace("org-2", "org-1");
        Self::with(&config, Arc::new(MemoryStore::new())).await
    }

    pub(crate) async fn with(config: &str, store: Arc<dyn Store>) -> Self {
        let sandbox = Sandbox::builder().seed(5).start().await.unwrap();
        Self::over(sandbox, testing::context(), config, store)
    }

    /// Over a sandbox, with what else comes from outside.
    pub(crate) fn over(
        sandbox: Sandbox,
        outside: TestContext,
        config: &str,
        store: Arc<dyn Store>,
    ) -> Self {
        let shared = sandbox.hub_sso();
        for (name, secret) in [
            ("PORTAL_SSO_SECRET", &shared.secret),
            ("PORTAL_CLIENT_SSO_SECRET", &shared.client_secret),
            ("DEFEND_SERVICE_KEY", &DEFEND_KEY.to_owned()),
        ] {
            outside.secrets.set_env(name, secret);
        }
        let mut registry = protect_connectors::registry();
        registry.register("fake", |setup, _| {
            Ok(Arc::new(Fake { info: setup.info }) as Arc<dyn Connector>)
        });
        registry.register("hooked", |setup, context| {
            Ok(crate::inbound::hooked(setup.info, context))
        });
        let config = Config::from_toml(config, &registry).unwrap();
        let mut engine = Engine::builder(config, registry, outside.context.clone());
        for area in protect_connectors::core::people::routes() {
            engine = engine.routes(area);
        }
        let engine = engine.build(store).unwrap();
        let web = Web::new(&engine);
        let world = Self {
            sandbox,
            outside,
            engine,
            web,
            peer: PEER.parse().ok(),
        };
        world.agree_on_the_time();
        world
    }

    /// Sets our clock, which stands, by that of Hub, which runs.
    pub(crate) fn agree_on_the_time(&self) {
        let now = self.outside.context.clock.now();
        let skew = self.sandbox.now().duration_since(now);
        self.outside.clock.jump_wall(skew);
    }

    pub(crate) fn tenant(&self, id: &str) -> Tenant {
        self.engine.tenant(id).unwrap()
    }

    /// Both tenants were scanned: each has findings of its own.
    pub(crate) async fn scanned(self) -> Self {
        for tenant in self.engine.tenants() {
            tenant.scan().await.unwrap();
        }
        self
    }

    pub(crate) async fn request(&self, tenant: &str, by: &Actor) -> Plan {
        let wanted = Wanted {
            kind: ActionKind::SuspendAccount,
            account: format!("jane@{tenant}.example"),
            reason: "reported by phone".to_owned(),
            by: by.clone(),
            lasts: None,
            parameters: Attributes::new(),
        };
        self.tenant(tenant).request(wanted).await.unwrap()
    }

    pub(crate) fn token(&self, token: &HubToken) -> String {
        self.sandbox.hub_token(token).unwrap()
    }

    pub(crate) async fn send(
        &self,
        request: http::request::Builder,
        body: &str,
    ) -> Response<Bytes> {
        let mut request = request
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap();
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(ClientAddress(peer));
        }
        self.web.handle(request).await
    }

    /// A browser with the session of whom Hub hands over.
    pub(crate) async fn browser(&self, token: &HubToken) -> Browser<'_> {
        let path = match token.client_id {
            Some(_) => "/api/auth/client-hub-sso",
            None => "/auth/hub-sso",
        };
        let uri = format!("{path}?token={}", self.token(token));
        let landed = self.send(Request::get(uri), "").await;
        assert_eq!(landed.status(), StatusCode::SEE_OTHER, "{}", text(&landed));
        let cookie = landed.headers()[SET_COOKIE].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Browser {
            world: self,
            cookie,
        }
    }

    pub(crate) async fn staff(&self, tenant: &str, role: &str) -> Browser<'_> {
        self.browser(&staff(tenant, role)).await
    }
}

pub(crate) fn staff(tenant: &str, role: &str) -> HubToken {
    HubToken {
        organisation: if tenant == "beta" { "org-2" } else { "org-1" }.to_owned(),
        email: Some(format!("{role}@{tenant}.example")),
        role: Some(role.to_owned()),
        ..HubToken::default()
    }
}

/// Somebody of the organisation with a role in the workforce, who signs in with this address.
pub(crate) fn worker(role: &str, email: &str) -> HubToken {
    HubToken {
        organisation: "org-1".to_owned(),
        email: Some(email.to_owned()),
        role: Some("member".to_owned()),
        claims: json!({ "products": { "people": role } })
            .as_object()
            .unwrap()
            .clone(),
        ..HubToken::default()
    }
}

pub(crate) fn client(level: &str, email: &str) -> HubToken {
    HubToken {
        organisation: "org-2".to_owned(),
        client_id: Some("2107".to_owned()),
        access_level: Some(level.to_owned()),
        email: Some(email.to_owned()),
        ..HubToken::default()
    }
}

/// What a browser does of itself: it sends its cookie, and says where a request comes from.
pub(crate) struct Browser<'a> {
    world: &'a World,
    pub(crate) cookie: String,
}

impl Browser<'_> {
    pub(crate) async fn get(&self, path: &str) -> Response<Bytes> {
        let request = Request::get(path).header("accept", "text/html");
        self.world
            .send(request.header(COOKIE, &self.cookie), "")
            .await
    }

    pub(crate) async fn page(&self, path: &str) -> String {
        let response = self.get(path).await;
        assert_eq!(
            response.status(),
            StatusCode::OK,
            "{path}: {}",
            text(&response)
        );
        text(&response)
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(
            response.status(),
            StatusCode::OK,
            "{path}: {}",
            text(&response)
        );
        serde_json::from_slice(response.body()).unwrap()
    }

    /// The token that a page of ours holds.
    pub(crate) async fn csrf(&self, page: &str) -> String {
        let page = self.page(page).await;
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    /// Sends a form of a page of ours.
    pub(crate) async fn submit(&self, path: &str, fields: &str) -> Response<Bytes> {
        let mut home = self.get("/").await;
        let mut page = "/".to_owned();
        while home.status() == StatusCode::SEE_OTHER {
            location(&home).clone_into(&mut page);
            home = self.get(&page).await;
        }
        let csrf = self.csrf(&page).await;
        self.post(
            path,
            &format!("csrf={csrf}&{fields}"),
            &[("sec-fetch-site", "same-origin")],
        )
        .await
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Response<Bytes> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("accept", "text/html")
            .header("host", "protect.example")
            .header("user-agent", "test browser")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(COOKIE, &self.cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.world.send(request, body).await
    }
}

pub(crate) fn text(response: &Response<Bytes>) -> String {
    String::from_utf8_lossy(response.body()).into_owned()
}

pub(crate) fn location(response: &Response<Bytes>) -> &str {
    response.headers()[LOCATION].to_str().unwrap()
}

/// Sees, in each tenant, an exposed password, a weak domain and a wrong setting; suspends accounts.
#[derive(Debug)]
struct Fake {
    info: ConnectorInfo,
}

impl Fake {
    fn observations(&self) -> Vec<Observation> {
        let tenant = self.info.tenant.as_str();
        let of = |check: &str, kind, subject, severity, title: &str, details: Value| Observation {
            check: CheckId::new(check).unwrap(),
            kind,
            subject,
            discriminator: title.to_owned(),
            cause: Some(format!("breach:{title}")),
            severity,
            confidence: Confidence::High,
            title: title.to_owned(),
            reasons: vec!["the password stands in clear".to_owned()],
            attribution: None,
            references: Vec::new(),
            details: details.as_object().unwrap().clone(),
            from_event: false,
        };
        let jane = Address::new(format!("jane@{tenant}.example")).unwrap();
        let john = Address::new(format!("john@{tenant}.example")).unwrap();
        let exposed = FindingKind::CredentialExposure;
        let breach = |name: &str, subject: Subject, severity| {
            let details =
                json!({ "breach_date": "2026-01-02", "data_classes": ["Passwords"], "note": EVIL });
            of(
                "hibp.exposure.breach",
                exposed,
                subject,
                severity,
                name,
                details,
            )
        };
        vec![
            breach(
                &format!("Leak of {tenant}"),
                Subject::address(&jane),
                Severity::Critical,
            ),
            breach(EVIL, Subject::address(&john), Severity::High),
            of(
                "m365.ca.legacy_auth_blocked",
                FindingKind::Misconfiguration,
                Subject::setting("m365", format!("policies/{tenant}")),
                Severity::Medium,
                "Old protocols are let in",
                json!({}),
            ),
        ]
    }
}

#[async_trait]
impl Connector for Fake {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability {
            actions: [
                (ActionKind::SuspendAccount, EffectClass::StateIdempotent),
                (ActionKind::ReactivateAccount, EffectClass::StateIdempotent),
            ]
            .into(),
            ..Capability::default()
        }
    }

    async fn diagnose(&self, _: &OpContext) -> Result<Diagnosis> {
        Ok(Diagnosis::default())
    }

    fn as_scanner(&self) -> Option<&dyn Scanner> {
        Some(self)
    }

    fn as_directory(&self) -> Option<&dyn Directory> {
        Some(self)
    }

    fn as_remediator(&self) -> Option<&dyn Remediator> {
        Some(self)
    }
}

#[async_trait]
impl Scanner for Fake {
    async fn scan(&self, _: &OpContext, _: ScanRequest<'_>) -> Result<ScanPage> {
        let observations = self.observations();
        let checks = observations.iter().map(|seen| seen.check.clone());
        let evaluated = checks.map(|check| Evaluated {
            check,
            subject: None,
        });
        let verdict = |seen: &Observation| CheckResult {
            check: seen.check.clone(),
            verdict: Verdict::Fail,
            severity: seen.severity,
            not_evaluated: None,
            reason: String::new(),
            affected: Vec::new(),
            source: String::new(),
            confidence: Confidence::High,
            references: Vec::new(),
            details: Attributes::new(),
        };
        Ok(ScanPage {
            verdicts: observations.iter().map(verdict).collect(),
            evaluated: evaluated.collect(),
            observations,
            ..ScanPage::default()
        })
    }
}

#[async_trait]
impl Directory for Fake {
    async fn list(
        &self,
        _: &OpContext,
        _: Option<&protect_connectors::core::connector::Cursor>,
    ) -> Result<DirectoryPage> {
        Ok(DirectoryPage {
            accounts: vec![self.jane()],
            ..DirectoryPage::default()
        })
    }

    async fn get(&self, _: &OpContext, id: &str) -> Result<Option<Account>> {
        Ok(Some(self.jane()).filter(|jane| jane.reference.id == id))
    }
}

impl Fake {
    fn jane(&self) -> Account {
        Account {
            reference: AccountRef {
                connector: self.info.name.clone(),
                id: "U1".to_owned(),
            },
            provider: "fake".to_owned(),
            address: Address::new(format!("jane@{}.example", self.info.tenant)).ok(),
            display_name: "Jane".to_owned(),
            state: AccountState::Active,
            privileged: Some(false),
            protection: None,
            created_at: None,
            attributes: Attributes::new(),
        }
    }
}

fn state(word: &str) -> Attributes {
    json!({ "state": word }).as_object().unwrap().clone()
}

#[async_trait]
impl Remediator for Fake {
    async fn preview(&self, _: &OpContext, _: &Action) -> Result<Preview> {
        Ok(Preview {
            before: state("active"),
            after: state("suspended"),
            ..Preview::default()
        })
    }

    async fn apply(&self, _: &OpContext, _: &Action) -> Result<Applied> {
        Ok(Applied {
            status: AppliedStatus::Applied,
            reason: String::new(),
            before: state("active"),
            after: state("suspended"),
        })
    }

    async fn probe(&self, _: &OpContext, _: &Action) -> Result<Probe> {
        Ok(Probe::CannotTell)
    }
}
