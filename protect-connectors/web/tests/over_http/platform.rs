//! What the products of The One Stack tell by webhook, over HTTP from a sandbox that signs it: a reason to
//! look, and never what is to be seen.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::StatusCode;
use protect_connectors::core::config::Config;
use protect_connectors::core::engine::{Engine, IncidentFilter, Step, Tenant};
use protect_connectors::core::ledger::export;
use protect_connectors::core::model::{
    Actor, Address, Attributes, CheckId, Confidence, EvidenceEntry, FindingKind, IncidentStatus,
    Observation, OutcomeStatus, Severity, Subject,
};
use protect_connectors::core::store::{SqliteOptions, SqliteStore};
use protect_sandbox::{Fault, HubMessage, NewHubWebhook, Sandbox, Vendor};
use protect_web::{Web, serve};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

const PRODUCTS: [&str; 3] = ["psa", "security", "rmm"];

/// Two organisations, each a tenant, and what is served for both.
struct Platform {
    sandbox: Sandbox,
    folder: TempDir,
    engine: Engine,
    address: String,
    stop: Option<oneshot::Sender<()>>,
}

impl Platform {
    async fn new() -> Self {
        let sandbox = Sandbox::builder().seed(7).start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("protect.json"),
            config(&sandbox, folder.path()).to_string(),
        )
        .unwrap();
        let engine = open(folder.path()).await;
        let mut platform = Self {
            sandbox,
            folder,
            engine,
            address: String::new(),
            stop: None,
        };
        platform.serve().await;
        for tenant in ["acme", "beta"] {
            for product in PRODUCTS {
                let webhook = NewHubWebhook {
                    organisation: platform.organisation(tenant),
                    product: product.to_owned(),
                    url: platform.url(tenant, product),
                    secret: secret(tenant, product),
                };
                assert!(platform.sandbox.subscribe_one_stack(webhook));
            }
        }
        platform
    }

    async fn serve(&mut self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(serve(Web::new(&self.engine), listener, async move {
            let _ = stopped.await;
        }));
        self.stop = Some(stop);
    }

    /// The process ends, and another one begins over the same store.
    async fn restart(&mut self) {
        self.stop.take();
        self.engine = open(self.folder.path()).await;
        self.serve().await;
    }

    fn organisation(&self, tenant: &str) -> String {
        let all = self.sandbox.credentials().one_stack;
        all[usize::from(tenant == "beta")].id.clone()
    }

    fn url(&self, tenant: &str, product: &str) -> String {
        format!("http://{}/in/{tenant}/{product}/events", self.address)
    }

    fn tenant(&self, id: &str) -> Tenant {
        self.engine.tenant(id).unwrap()
    }

    /// Somebody of the tenant is in a breach, and what the rule says is done about it.
    async fn leak(&self, tenant: &str) -> Vec<Step> {
        let tenant = self.tenant(tenant);
        let address = Address::new(format!("jane@{}.example", tenant.id())).unwrap();
        let seen = vec![exposure(&address)];
        tenant.observe(&"psa".parse().unwrap(), seen).await.unwrap();
        tenant.triage().await.unwrap();
        let plan = tenant.plan().await.unwrap();
        let approved = tenant.approve(plan, &Actor::unverified("alice")).await;
        tenant.apply(approved.unwrap()).await.unwrap()
    }

    /// The only thing of one sort that an organisation has.
    fn made(&self, tenant: &str, object: &str) -> String {
        let own = self.organisation(tenant);
        let items = self.sandbox.one_stack_items();
        let mut ids = items
            .iter()
            .filter(|item| item["object"] == object && item["organisation"] == own.as_str())
            .map(|item| item["id"].as_str().unwrap().to_owned());
        let id = ids.next().unwrap();
        assert_eq!(ids.next(), None, "one {object}");
        id
    }

    /// A thing moves at its product, which says so.
    fn moves(&self, id: &str, status: &str) -> HubMessage {
        self.sandbox.take_one_stack_webhooks();
        assert!(self.sandbox.set_one_stack_status(id, status));
        let mut told = self.sandbox.take_one_stack_webhooks();
        assert_eq!(told.len(), 1);
        told.remove(0)
    }

    async fn incident_status(&self, tenant: &str) -> IncidentStatus {
        let filter = IncidentFilter::default();
        let incidents = self.tenant(tenant).incidents(&filter).await.unwrap();
        assert_eq!(incidents.len(), 1);
        incidents[0].status
    }

    /// How the ledger says that tickets moved: whether each was open.
    async fn ticket_moves(&self, tenant: &str) -> Vec<bool> {
        let mut file = Vec::new();
        let tenant = self.tenant(tenant);
        export(&**self.engine.store(), tenant.id(), &mut file)
            .await
            .unwrap();
        let lines = file.split(|byte| *byte == b'\n');
        lines
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice::<EvidenceEntry>(line).unwrap())
            .filter(|entry| entry.kind == "ticket.moved")
            .map(|entry| entry.data["open"].as_bool().unwrap())
            .collect()
    }
}

async fn open(folder: &Path) -> Engine {
    let registry = protect_connectors::registry();
    let config = Config::load(&folder.join("protect.json"), &registry).unwrap();
    let (context, _) = protect_connectors::context().unwrap();
    let store = SqliteStore::open(SqliteOptions::new(folder.join("protect.db")));
    Engine::builder(config, registry, context)
        .build(Arc::new(store.await.unwrap()))
        .unwrap()
}

fn secret(tenant: &str, product: &str) -> String {
    format!("what-{tenant}-and-{product}-share")
}

fn config(sandbox: &Sandbox, folder: &Path) -> Value {
    let kept = |name: String, value: &str| {
        let file: PathBuf = folder.join(name);
        std::fs::write(&file, value).unwrap();
        json!({ "file": file })
    };
    let mut config = json!({ "mode": "enforce", "connections": {}, "tenants": {} });
    let organisations = sandbox.credentials().one_stack;
    for (tenant, own) in ["acme", "beta"].iter().zip(&organisations) {
        let mut connectors = json!({});
        for product in PRODUCTS {
            let connection = format!("{tenant}-{product}");
            let (form, key) = match product {
                "rmm" => ("integration_key", &own.integration_key),
                _ => ("api_key", &own.api_key),
            };
            config["connections"][&connection] = json!({
                "kind": product,
                "endpoints": { "api": sandbox.one_stack_url(product) },
                "scan": {
                    "webhook_secret": kept(format!("{connection}.hook"), &secret(tenant, product)),
                },
                "respond": { form: kept(format!("{connection}.key"), key) },
                "tenants": [tenant],
            });
            connectors[product] = json!({ "connection": connection, "organisation_id": own.id });
        }
        connectors["rmm"]["owners"] = json!([]);
        config["tenants"][tenant] = json!({
            "name": tenant, "domains": [format!("{tenant}.example")], "connectors": connectors,
            "rules": [{
                "name": "leaked", "when": { "kind": "credential_exposure" },
                "then": ["open_security_incident", "open_ticket", "force_password_reset"],
            }],
        });
        config["tenants"][tenant]["connectors"]["psa"]["security_opens_tickets"] = json!(false);
    }
    config
}

fn exposure(address: &Address) -> Observation {
    Observation {
        check: CheckId::new("planted.exposure.breach").unwrap(),
        kind: FindingKind::CredentialExposure,
        subject: Subject::address(address),
        discriminator: "Adobe".to_owned(),
        cause: None,
        severity: Severity::High,
        confidence: Confidence::High,
        title: "A leaked password".to_owned(),
        reasons: Vec::new(),
        attribution: None,
        references: Vec::new(),
        details: Attributes::new(),
        from_event: true,
    }
}

fn signed(url: String, product: &str, secret: &str, body: &Value) -> HubMessage {
    let body = body.to_string();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let mut signature = String::new();
    for byte in mac.finalize().into_bytes() {
        write!(signature, "{byte:02x}").unwrap();
    }
    HubMessage {
        url,
        id: String::new(),
        event: String::new(),
        header: format!("X-{product}-Signature"),
        signature,
        body,
    }
}

pub(crate) async fn send(message: &HubMessage) -> (StatusCode, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client
        .post(&message.url)
        .header(&message.header, &message.signature)
        .body(message.body.clone())
        .send()
        .await
        .unwrap();
    (answer.status(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_do_at_psa_and_security_is_read_back_as_soon_as_the_product_says_so() {
    let platform = Platform::new().await;
    platform.leak("acme").await;
    let (ticket, incident) = (
        platform.made("acme", "ticket"),
        platform.made("acme", "incident"),
    );
    platform.sandbox.take_one_stack_webhooks();
    for (id, status) in [
        (&ticket, "waiting_on_client"),
        (&ticket, "closed"),
        (&incident, "resolved"),
    ] {
        assert!(platform.sandbox.set_one_stack_status(id, status));
        assert_eq!(platform.sandbox.send_one_stack_webhooks().await, [204]);
    }
    assert_eq!(platform.ticket_moves("acme").await, [true, false]);
    assert_eq!(
        platform.incident_status("acme").await,
        IncidentStatus::Resolved
    );
    assert_eq!(platform.sandbox.violations(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remediation_is_over_when_rmm_says_so_and_not_an_hour_later() {
    let platform = Platform::new().await;
    let always = json!({ "rmm_approval": true });
    assert!(platform.sandbox.edit_one_stack(always));
    let steps = platform.leak("acme").await;
    let waits = steps
        .iter()
        .find(|step| step.status() == Some(OutcomeStatus::Unknown));
    let waits = waits.unwrap().action.id.clone();
    let remediation = platform.made("acme", "remediation");
    let told = platform.moves(&remediation, "completed");
    assert_eq!(send(&told).await.0, StatusCode::NO_CONTENT);
    let acme = platform.tenant("acme");
    let settled = acme
        .settle(&waits, OutcomeStatus::Failed, &Actor::unverified("bob"), "")
        .await;
    assert_eq!(
        settled.unwrap_err().message(),
        "only an unknown outcome is settled by hand"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_in_another_order_and_messages_that_lie_turn_nothing_back() {
    let platform = Platform::new().await;
    platform.leak("acme").await;
    let (ticket, incident) = (
        platform.made("acme", "ticket"),
        platform.made("acme", "incident"),
    );
    let messages = [
        platform.moves(&ticket, "in_progress"),
        platform.moves(&incident, "investigating"),
        platform.moves(&ticket, "closed"),
        platform.moves(&incident, "resolved"),
    ];
    for message in messages.iter().rev() {
        assert_eq!(send(message).await.0, StatusCode::NO_CONTENT);
    }
    assert_eq!(platform.ticket_moves("acme").await, [false]);
    let status = platform.incident_status("acme").await;
    assert_eq!(status, IncidentStatus::Resolved);

    platform.leak("beta").await;
    let incident = platform.made("beta", "incident");
    let lie = json!({
        "id": "evt-lie", "event": "incident.updated", "timestamp": platform.sandbox.now(),
        "tenant_id": platform.organisation("beta"),
        "data": { "incident_id": incident, "status": "closed" },
    });
    let url = platform.url("beta", "security");
    let lie = signed(url, "SECURITY", &secret("beta", "security"), &lie);
    assert_eq!(send(&lie).await.0, StatusCode::NO_CONTENT);
    assert!(platform.incident_status("beta").await.is_open());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_counts_once_also_after_a_restart() {
    let mut platform = Platform::new().await;
    platform.leak("acme").await;
    let mut told = platform.moves(&platform.made("acme", "ticket"), "in_progress");
    assert_eq!(send(&told).await.0, StatusCode::NO_CONTENT);
    assert_eq!(send(&told).await.0, StatusCode::CONFLICT);
    platform.restart().await;
    told.url = platform.url("acme", "psa");
    assert_eq!(send(&told).await.0, StatusCode::CONFLICT);
    assert_eq!(platform.ticket_moves("acme").await, [true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unsigned_wrongly_signed_foreign_old_or_no_event_is_refused_and_has_us_ask_nobody()
{
    let platform = Platform::new().await;
    platform.leak("acme").await;
    let ticket = platform.made("acme", "ticket");
    let asked = platform.sandbox.requests().len();
    let url = platform.url("acme", "psa");
    let now = platform.sandbox.now();
    let event = |organisation: &str, at: Value| {
        json!({
            "id": "evt-1", "event": "ticket.updated", "timestamp": at,
            "tenant_id": platform.organisation(organisation), "data": { "ticket_id": ticket },
        })
    };
    let good = event("acme", json!(now));
    let own = secret("acme", "psa");
    let mut unsigned = signed(url.clone(), "PSA", &own, &good);
    unsigned.header = "X-Other".to_owned();
    let mut changed = signed(url.clone(), "PSA", &own, &good);
    changed.body = changed.body.replace("ticket.updated", "ticket.deleted");
    let days = |days: i64| json!(now - jiff::SignedDuration::from_hours(days * 24));
    for refused in [
        unsigned,
        changed,
        signed(url.clone(), "PSA", "another", &good),
        // Of another product, and of another tenant.
        signed(url.clone(), "PSA", &secret("acme", "security"), &good),
        signed(
            url.clone(),
            "PSA",
            &secret("beta", "psa"),
            &event("beta", json!(now)),
        ),
        signed(url.clone(), "PSA", &own, &event("beta", json!(now))),
        signed(url.clone(), "PSA", &own, &event("acme", days(5))),
        signed(url.clone(), "PSA", &own, &event("acme", days(-1))),
    ] {
        let (status, said) = send(&refused).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{said}");
        assert!(!said.contains(&own) && !said.contains(&ticket), "{said}");
    }
    for nothing in [json!([]), json!({ "event": "ticket.updated", "data": {} })] {
        let refused = signed(url.clone(), "PSA", &own, &nothing);
        assert_eq!(send(&refused).await.0, StatusCode::BAD_REQUEST);
    }
    // Of no concern to us, or about nothing of ours: taken, and nobody is asked.
    for (number, (event, id)) in [("sla.breached", "x"), ("ticket.updated", "tic-unknown")]
        .into_iter()
        .enumerate()
    {
        let other = json!({ "id": format!("o-{number}"), "event": event, "data": { "id": id } });
        let taken = signed(url.clone(), "PSA", &own, &other);
        assert_eq!(send(&taken).await.0, StatusCode::NO_CONTENT);
    }
    assert_eq!(platform.sandbox.requests().len(), asked);
    assert_eq!(platform.ticket_moves("acme").await, [false; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_megabytes_are_refused_before_they_are_verified() {
    let platform = Platform::new().await;
    let body = json!({ "event": "ticket.updated", "x": "x".repeat(2 * 1024 * 1024) });
    let large = signed(
        platform.url("acme", "psa"),
        "PSA",
        &secret("acme", "psa"),
        &body,
    );
    assert_eq!(send(&large).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let hundred = client
        .post(platform.url("acme", "psa"))
        .header("x-psa-signature", "00")
        .body(vec![b' '; 100 * 1024 * 1024])
        .send()
        .await;
    // The connection may break while the rest is still being sent.
    if let Ok(answer) = hundred {
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    let looked = client.get(platform.url("acme", "psa")).send().await;
    assert_eq!(
        looked.unwrap().status(),
        StatusCode::METHOD_NOT_ALLOWED,
        "it is still served"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_product_cannot_be_asked_a_message_is_not_taken_and_comes_again() {
    let platform = Platform::new().await;
    platform.leak("acme").await;
    let ticket = platform.made("acme", "ticket");
    platform.sandbox.take_one_stack_webhooks();
    let away = Fault::named("unauthorized").unwrap();
    platform
        .sandbox
        .set_fault(away.at(Vendor::OneStack).times(1));
    assert!(platform.sandbox.set_one_stack_status(&ticket, "closed"));
    assert_eq!(platform.sandbox.send_one_stack_webhooks().await, [502]);
    assert_eq!(platform.sandbox.send_one_stack_webhooks().await, [204]);
    assert_eq!(platform.ticket_moves("acme").await, [false]);
    assert_eq!(platform.sandbox.send_one_stack_webhooks().await, [0_u16; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_tenant_is_told_moves_nothing_of_the_other() {
    let platform = Platform::new().await;
    platform.leak("acme").await;
    platform.leak("beta").await;
    platform.sandbox.take_one_stack_webhooks();
    for object in ["ticket", "incident"] {
        let id = platform.made("acme", object);
        assert!(platform.sandbox.set_one_stack_status(&id, "resolved"));
    }
    assert_eq!(platform.sandbox.send_one_stack_webhooks().await, [204, 204]);
    assert_eq!(platform.ticket_moves("acme").await, [false]);
    assert_eq!(
        platform.incident_status("acme").await,
        IncidentStatus::Resolved
    );
    assert_eq!(platform.ticket_moves("beta").await, [false; 0]);
    assert!(platform.incident_status("beta").await.is_open());
    let (status, _) = send(&HubMessage {
        url: platform.url("acme", "psa").replace("acme", "gamma"),
        ..signed(String::new(), "PSA", "x", &json!({}))
    })
    .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
