//! Legal's own callbacks, over HTTP from a sandbox in which policies are signed: each counts once, for its own
//! tenant, whenever it comes, and the record says what was signed, from where and with which program.

use std::sync::Arc;

use http::StatusCode;
use protect_connectors::core::Context;
use protect_connectors::core::config::Config;
use protect_connectors::core::engine::{Engine, Tenant};
use protect_connectors::core::model::{
    Acknowledgement, AcknowledgementStatus, Actor, Employee, PolicyStanding,
};
use protect_connectors::core::people::{EmployeeInput, PolicySignature};
use protect_connectors::core::store::{MemoryStore, Query, RecordKind, Store};
use protect_connectors::core::testing::MapSecrets;
use protect_sandbox::{Fault, FaultKind, LegalSignature, NewHubWebhook, Sandbox, Vendor};
use protect_web::{Web, serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::platform::send;

const POLICY: &str = "pol-use";
const PATH: &str = "/api/internal/legal/acknowledgments";

/// Two organisations, each a tenant, and what is served for both.
struct World {
    sandbox: Sandbox,
    store: Arc<MemoryStore>,
    engine: Engine,
    url: String,
    _stop: oneshot::Sender<()>,
}

impl World {
    async fn new() -> Self {
        let sandbox = Sandbox::builder().seed(9).start().await.unwrap();
        let store = Arc::new(MemoryStore::new());
        let engine = engine(&sandbox, Arc::clone(&store) as Arc<dyn Store>);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(serve(Web::new(&engine), listener, async move {
            let _ = stopped.await;
        }));
        let world = Self {
            sandbox,
            store,
            engine,
            url,
            _stop: stop,
        };
        for place in [0, 1] {
            let own = &world.sandbox.credentials().one_stack[place];
            world.calls_back(&own.id, &own.integration_key);
        }
        world
    }

    /// Legal is told where to call, and with which key.
    fn calls_back(&self, organisation: &str, key: &str) {
        let webhook = NewHubWebhook {
            organisation: organisation.to_owned(),
            product: "legal".to_owned(),
            url: self.url.clone(),
            secret: key.to_owned(),
        };
        assert!(self.sandbox.subscribe_one_stack(webhook));
    }

    fn organisation(&self, tenant: &str) -> String {
        let all = self.sandbox.credentials().one_stack;
        all[usize::from(tenant == "beta")].id.clone()
    }

    fn tenant(&self, id: &str) -> Tenant {
        self.engine.tenant(id).unwrap()
    }

    async fn hired(&self, tenant: &str, name: &str) -> Employee {
        let input = EmployeeInput {
            last_name: Some(name.to_owned()),
            work_email: Some(format!("{name}@{tenant}.example").parse().unwrap()),
            ..EmployeeInput::default()
        };
        self.tenant(tenant)
            .hire(&input, false, &hr())
            .await
            .unwrap()
    }

    /// Somebody signs at Legal itself; the id of what it recorded.
    fn signs(&self, tenant: &str, employee: &Employee, version: &str) -> String {
        let signature = LegalSignature {
            organisation: self.organisation(tenant),
            employee_id: employee.id.to_string(),
            policy_id: POLICY.to_owned(),
            policy_version: version.to_owned(),
            ip_address: Some("192.0.2.44".to_owned()),
            user_agent: Some("Legal's own page".to_owned()),
        };
        self.sandbox.sign_policy(signature).unwrap()
    }

    /// What is kept of acknowledgements.
    async fn kept(&self, tenant: &str) -> Vec<Acknowledgement> {
        let query = Query::all(RecordKind::Acknowledgement);
        let page = self.store.query(&tenant.parse().unwrap(), query).await;
        let records = page.unwrap().records;
        records.iter().map(|it| it.read().unwrap()).collect()
    }

    async fn standing(&self, tenant: &str) -> PolicyStanding {
        self.tenant(tenant).policies().await.unwrap().remove(0)
    }

    /// Legal publishes this version in the place of every other policy.
    fn publish(&self, version: &str) {
        let policy = json!({
            "id": POLICY, "title": "Acceptable use", "version": version, "status": "published",
            "effective_date": "2026-01-01", "requires_acknowledgment": true, "due_date": null,
            "content_html": "<p>Keep to it.</p>",
        });
        assert!(self.sandbox.edit_one_stack(json!({ "policies": [policy] })));
    }
}

impl World {
    /// A callback as Legal would send it, made by hand.
    fn callback(&self, tenant: &str, employee: &Employee) -> Value {
        json!({
            "tenant_id": self.organisation(tenant), "acknowledgment_id": "ack-by-hand",
            "employee_id": employee.id, "policy_id": POLICY, "policy_version": "1.0",
            "acknowledged_at": "2026-01-01T00:00:00Z",
        })
    }

    /// Posts with the key of a tenant.
    async fn post(&self, key_of: &str, body: &Value) -> StatusCode {
        let own = self.sandbox.credentials().one_stack;
        let key = &own[usize::from(key_of == "beta")].integration_key;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.post(&self.url).header("x-integration-key", key);
        let answer = request.body(body.to_string()).send().await.unwrap();
        answer.status()
    }
}

fn engine(sandbox: &Sandbox, store: Arc<dyn Store>) -> Engine {
    let secrets = Arc::new(MapSecrets::default());
    let mut config = json!({ "mode": "enforce", "connections": {}, "tenants": {} });
    let organisations = sandbox.credentials().one_stack;
    for (tenant, own) in ["acme", "beta"].iter().zip(&organisations) {
        secrets.set_env(tenant, &own.integration_key);
        let key = json!({ "env": tenant });
        config["connections"][tenant] = json!({
            "kind": "legal",
            "endpoints": { "api": sandbox.one_stack_url("legal") },
            "scan": { "inbound_key": key },
            "respond": { "integration_key": key },
            "tenants": [tenant],
        });
        config["tenants"][tenant] = json!({
            "name": tenant, "domains": [format!("{tenant}.example")],
            "connectors": { "legal": { "connection": tenant, "organisation_id": own.id } },
        });
    }
    let registry = protect_connectors::registry();
    let config = Config::from_json(&config.to_string(), &registry).unwrap();
    let (context, _) = protect_connectors::context().unwrap();
    let context = Context {
        secrets: secrets as _,
        ..context
    };
    let mut engine = Engine::builder(config, registry, context);
    for area in protect_connectors::core::people::routes() {
        engine = engine.routes(area);
    }
    engine.build(store).unwrap()
}

fn hr() -> Actor {
    Actor::unverified("hr")
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_at_legal_is_on_record_with_version_address_and_program_once() {
    let world = World::new().await;
    let (ann, bob) = (
        world.hired("acme", "ann").await,
        world.hired("acme", "bob").await,
    );
    world.tenant("acme").sync_policies(&hr()).await.unwrap();
    let id = world.signs("acme", &ann, "1.0");
    let told = world.sandbox.take_one_stack_webhooks();
    assert_eq!(told.len(), 1);
    for _ in 0..2 {
        let (status, said) = send(&told[0]).await;
        assert_eq!((status, said.as_str()), (StatusCode::NO_CONTENT, ""));
    }
    let kept = world.kept("acme").await;
    assert_eq!(kept.len(), 1);
    assert_eq!((&kept[0].id, &kept[0].employee), (&id, &ann.id));
    assert_eq!(
        (kept[0].policy_id.as_str(), kept[0].version.as_str()),
        (POLICY, "1.0")
    );
    assert_eq!(kept[0].ip_address.as_deref(), Some("192.0.2.44"));
    assert_eq!(kept[0].user_agent.as_deref(), Some("Legal's own page"));
    let standing = world.standing("acme").await;
    assert_eq!((standing.required, standing.acknowledged), (2, 1));
    assert_eq!(standing.pending, std::slice::from_ref(&bob.id));

    // The same id for another is no repeat.
    let mut stolen = told[0].clone();
    stolen.body = stolen.body.replace(ann.id.as_str(), bob.id.as_str());
    assert_eq!(send(&stolen).await.0, StatusCode::CONFLICT);
    assert_eq!(world.kept("acme").await, kept);
    assert_eq!(world.sandbox.violations(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_with_us_is_called_back_too_and_stays_one_record() {
    let world = World::new().await;
    let ann = world.hired("acme", "ann").await;
    let acme = world.tenant("acme");
    acme.sync_policies(&hr()).await.unwrap();
    let signature = PolicySignature {
        policy_id: POLICY.to_owned(),
        version: "1.0".to_owned(),
        ip_address: "2001:db8::7".to_owned(),
        user_agent: "Mozilla/5.0".to_owned(),
        typed_name: None,
    };
    let signed = acme.acknowledge_policy(&ann.id, &signature, &hr()).await;
    let signed = signed.unwrap();
    assert_eq!(world.sandbox.send_one_stack_webhooks().await, [204]);
    assert_eq!(world.sandbox.send_one_stack_webhooks().await, [0_u16; 0]);
    assert_eq!(world.kept("acme").await, [signed]);
    assert_eq!(world.sandbox.violations(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_in_another_order_count_for_the_version_that_each_is_about() {
    let world = World::new().await;
    let (ann, bob) = (
        world.hired("acme", "ann").await,
        world.hired("acme", "bob").await,
    );
    // Before its policy was ever seen here, and the later version before the earlier one.
    world.signs("acme", &ann, "1.0");
    world.publish("2.0");
    world.signs("acme", &ann, "2.0");
    world.signs("acme", &bob, "2.0");
    for message in world.sandbox.take_one_stack_webhooks().iter().rev() {
        assert_eq!(send(message).await.0, StatusCode::NO_CONTENT);
    }
    assert!(world.tenant("acme").policies().await.unwrap().is_empty());
    let acme = world.tenant("acme");
    acme.sync_policies(&hr()).await.unwrap();
    let standing = world.standing("acme").await;
    assert_eq!(standing.policy.version, "2.0");
    assert_eq!(standing.acknowledged, 2);
    assert!(standing.compliant);
    assert_eq!(world.kept("acme").await.len(), 3);
    // A document that nobody publishes is on record, and counts for nothing.
    let mut unknown = world.callback("acme", &ann);
    unknown["policy_id"] = json!("pol-unknown");
    let sent = world.post("acme", &unknown).await;
    assert_eq!(sent, StatusCode::NO_CONTENT);
    let after = acme.policies().await.unwrap();
    assert_eq!(after.len(), 1);
    assert_eq!(after[0].acknowledged, 2);
    assert_eq!(world.kept("acme").await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_refused_and_the_callback_comes_again_once_the_key_is_right() {
    let world = World::new().await;
    let ann = world.hired("acme", "ann").await;
    let id = world.signs("acme", &ann, "1.0");
    let [right] = &world.sandbox.take_one_stack_webhooks()[..] else {
        panic!("one callback");
    };
    let beta = &world.sandbox.credentials().one_stack[1];
    for key in ["", "another key", &beta.integration_key] {
        let mut wrong = right.clone();
        key.clone_into(&mut wrong.signature);
        let (status, said) = send(&wrong).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(
            !said.contains(&right.signature) && !said.contains(&id),
            "{said}"
        );
    }
    let mut unkeyed = right.clone();
    "X-Other".clone_into(&mut unkeyed.header);
    assert_eq!(send(&unkeyed).await.0, StatusCode::UNAUTHORIZED);
    assert!(world.kept("acme").await.is_empty());

    // What Legal could not deliver waits on there.
    let bob = world.hired("acme", "bob").await;
    let organisation = world.organisation("acme");
    world.calls_back(&organisation, "a key that was replaced");
    world.signs("acme", &bob, "1.0");
    assert_eq!(world.sandbox.send_one_stack_webhooks().await, [204, 401]);
    assert_eq!(world.sandbox.send_one_stack_webhooks().await, [401]);
    assert_eq!(world.kept("acme").await.len(), 1);
    assert_eq!(send(right).await.0, StatusCode::NO_CONTENT);
    assert_eq!(world.kept("acme").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_of_another_tenant_is_not_there_and_a_foreign_tenant_has_no_key() {
    let world = World::new().await;
    let ann = world.hired("acme", "ann").await;
    let stranger = world.hired("beta", "stranger").await;
    let about_a_stranger = world.callback("acme", &stranger);
    let status = world.post("acme", &about_a_stranger).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let of_another = world.callback("beta", &stranger);
    let status = world.post("acme", &of_another).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let mut of_nobody = world.callback("acme", &ann);
    of_nobody["tenant_id"] = json!("an organisation that is not here");
    let status = world.post("acme", &of_nobody).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    for (field, value) in [
        ("policy_version", json!("")),
        ("acknowledgment_id", json!("")),
        ("acknowledged_at", json!("yesterday")),
        ("tenant_id", json!(7)),
    ] {
        let mut wrong = world.callback("acme", &ann);
        wrong[field] = value;
        let status = world.post("acme", &wrong).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{field}");
    }
    for tenant in ["acme", "beta"] {
        assert!(world.kept(tenant).await.is_empty());
    }
    // At Legal, each organisation's callback goes with its own key.
    world.signs("beta", &stranger, "1.0");
    assert_eq!(world.sandbox.send_one_stack_webhooks().await, [204]);
    assert!(world.kept("acme").await.is_empty());
    assert_eq!(world.kept("beta").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_legal_is_away_nobody_complies_and_what_it_tells_afterwards_completes_the_record() {
    let world = World::new().await;
    let ann = world.hired("acme", "ann").await;
    let acme = world.tenant("acme");
    acme.sync_policies(&hr()).await.unwrap();
    let id = world.signs("acme", &ann, "1.0");
    let away = Fault::new(FaultKind::Unavailable).at(Vendor::OneStack);
    world.sandbox.set_fault(away);
    assert!(acme.sync_policies(&hr()).await.is_err());
    let own = &acme.policies_of(&ann.id, &hr()).await.unwrap()[0];
    assert_eq!(own.status, AcknowledgementStatus::Pending);
    assert!(own.stale && !own.compliant);
    let standing = world.standing("acme").await;
    assert!(standing.stale && !standing.compliant);

    // It answers again before its callback comes: the signature is seen there, without its id.
    world.sandbox.clear_faults();
    acme.sync_policies(&hr()).await.unwrap();
    let own = &acme.policies_of(&ann.id, &hr()).await.unwrap()[0];
    assert!(own.compliant && !own.stale);
    let seen = world.kept("acme").await;
    assert_eq!(seen.len(), 1);
    assert!(seen[0].id != id && seen[0].ip_address.is_none());
    assert_eq!(world.sandbox.send_one_stack_webhooks().await, [204]);
    let kept = world.kept("acme").await;
    assert_eq!(kept.len(), 1, "one signature is one record: {kept:?}");
    assert_eq!(kept[0].id, id);
    assert_eq!(kept[0].acknowledged_at, seen[0].acknowledged_at);
    assert_eq!(kept[0].ip_address.as_deref(), Some("192.0.2.44"));
    assert_eq!(kept[0].user_agent.as_deref(), Some("Legal's own page"));
    assert!(world.standing("acme").await.compliant);
    assert_eq!(acme.policies_of(&ann.id, &hr()).await.unwrap().len(), 1);
    assert_eq!(world.kept("acme").await, kept);
}
