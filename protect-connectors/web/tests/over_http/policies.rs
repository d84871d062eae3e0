//! An employee reads and signs a policy: recorded by Legal with version, address and program, or not at all.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::header::{AUTHORIZATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use protect_connectors::core::clock::Clock;
use protect_connectors::core::model::{Actor, Employee};
use protect_connectors::core::people::{EmployeeInput, PolicyInput, PolicyOfEmployee};
use protect_connectors::core::store::MemoryStore;
use protect_connectors::core::testing::{self, ManualClock};
use protect_sandbox::{Fault, FaultKind, HubToken, Sandbox, Vendor};
use serde_json::{Value, json};

use crate::browsing::{land, tab_to};
use crate::chrome::Chrome;
use crate::served::Served;
use crate::world::{PEER, World, config, text, worker};

const PAGE: &str = "/t/acme/me/documents/policy?id=pol-use";
const SIGN: &str = "/t/acme/me/documents/policy";
const SIGNED: &str = "id=pol-use&version=1.0&read=yes&typed_name=Ann+Adler";

/// The clock that stands, but for whoever waits between two attempts, which costs no time; an attempt itself is as
/// long as it takes.
#[derive(Debug)]
struct Standing(Arc<ManualClock>);

#[async_trait]
impl Clock for Standing {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    async fn sleep(&self, wait: Duration) {
        if wait > Duration::from_secs(20) {
            tokio::time::sleep(wait).await;
        } else {
            // What Legal is told has happened must not lie ahead of its own clock.
            self.0.advance(wait).await;
            self.0.jump_wall(-SignedDuration::try_from(wait).unwrap());
        }
    }
}

/// Acme's policies are published by Legal, which is really asked.
async fn with_legal() -> World {
    let sandbox = Sandbox::builder().seed(5).start().await.unwrap();
    let mut outside = testing::context();
    let real = protect_connectors::http::system_context("protect-test/0");
    outside.context.transport = real.unwrap().transport;
    outside.context.clock = Arc::new(Standing(Arc::clone(&outside.clock)));
    let own = sandbox.credentials().one_stack.remove(0);
    outside.secrets.set_env("LEGAL_KEY", &own.integration_key);
    let config = format!(
        "{}\n[connections.legal]\nkind = \"legal\"\nendpoints = {{ api = \"{}\" }}\n\
         respond = {{ integration_key = {{ env = \"LEGAL_KEY\" }} }}\ntenants = [\"acme\"]\n\
         [tenants.acme.connectors.legal]\nconnection = \"legal\"\norganisation_id = \"{}\"\n",
        config(),
        sandbox.one_stack_url("legal"),
        own.id
    );
    World::over(sandbox, outside, &config, Arc::new(MemoryStore::new()))
}

/// Legal was asked for its policies, and Ann works here.
async fn office() -> World {
    let world = with_legal().await;
    hire(&world).await;
    let acme = world.tenant("acme");
    acme.sync_policies(&Actor::engine()).await.unwrap();
    world
}

async fn hire(world: &World) -> Employee {
    let input = EmployeeInput {
        first_name: Some("Ann".to_owned()),
        last_name: Some("Adler".to_owned()),
        work_email: Some("ann@acme.example".parse().unwrap()),
        ..EmployeeInput::default()
    };
    let hr = Actor::unverified("hr");
    world.tenant("acme").hire(&input, false, &hr).await.unwrap()
}

fn ann() -> HubToken {
    worker("employee", "ann@acme.example")
}

async fn own(world: &World) -> PolicyOfEmployee {
    let acme = world.tenant("acme");
    let ann = acme.find_employee("ann@acme.example").await.unwrap();
    let mut own = acme.policies_of(&ann.id, &Actor::engine()).await.unwrap();
    own.remove(0)
}

/// What Legal recorded.
fn recorded(world: &World) -> Vec<Value> {
    let made = world.sandbox.one_stack_items().into_iter();
    made.filter(|it| it["object"] == "acknowledgment").collect()
}

#[tokio::test]
async fn a_policy_is_read_and_signed_with_version_name_address_and_program() {
    let world = office().await;
    let browser = world.browser(&ann()).await;
    let documents = browser.page("/t/acme/me/documents").await;
    assert!(documents.contains("Read and acknowledge Acceptable use"));
    let page = browser.page(PAGE).await;
    assert!(page.contains("Acknowledge version 1.0"), "{page}");
    assert!(page.contains("SHA-256"), "{page}");
    let read = browser
        .get("/t/acme/me/documents/text?id=pol-use&version=1.0")
        .await;
    assert!(text(&read).contains("Keep to it."));
    let policy = read.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"));
    assert!(!policy.contains("script-src"), "{policy}");

    let signed = browser.submit(SIGN, SIGNED).await;
    assert_eq!(signed.status(), StatusCode::SEE_OTHER, "{}", text(&signed));
    let told = browser.page("/t/acme/me/documents?done=acknowledged").await;
    assert!(told.contains("It is recorded"), "{told}");
    assert!(!told.contains("Read and acknowledge Acceptable use"));
    let recorded = recorded(&world);
    assert_eq!(recorded.len(), 1);
    let sent = &recorded[0]["fields"];
    assert_eq!(sent["policy_version"], "1.0");
    assert_eq!(sent["ip_address"], PEER);
    assert_eq!(sent["typed_name"], "Ann Adler");
    assert_eq!(sent["user_agent"], "test browser");
    assert!(own(&world).await.compliant);
    let page = browser.page(PAGE).await;
    assert!(page.contains("You acknowledged version 1.0"), "{page}");
    assert!(!page.contains("<form class=\"fields\""), "{page}");
}

#[tokio::test]
async fn what_legal_did_not_record_is_not_signed_and_can_be_tried_again() {
    let world = office().await;
    let browser = world.browser(&ann()).await;
    let down = Fault::new(FaultKind::Unavailable).at(Vendor::OneStack);
    world.sandbox.set_fault(down);
    let page = browser.page(PAGE).await;
    assert!(page.contains("nothing can be signed"), "{page}");
    assert!(!page.contains("You acknowledged"), "{page}");
    let signed = browser.submit(SIGN, SIGNED).await;
    assert_eq!(signed.status(), StatusCode::SERVICE_UNAVAILABLE);
    let page = text(&signed);
    assert!(page.contains("was not recorded"), "{page}");
    assert!(page.contains("value=\"Ann Adler\""), "what was typed stays");
    assert!(recorded(&world).is_empty());
    let documents = browser.page("/t/acme/me/documents").await;
    assert!(documents.contains("pending") && !documents.contains("acknowledged</span>"));
    assert!(!own(&world).await.compliant);

    world.sandbox.clear_faults();
    let signed = browser.submit(SIGN, SIGNED).await;
    assert_eq!(signed.status(), StatusCode::SEE_OTHER, "{}", text(&signed));
    let again = browser.submit(SIGN, SIGNED).await;
    assert_eq!(again.status(), StatusCode::SEE_OTHER, "twice is once");
    assert_eq!(recorded(&world).len(), 1);
    assert!(own(&world).await.compliant);
}

#[tokio::test]
async fn nothing_is_signed_that_was_not_read_named_and_asked_for_on_our_page() {
    let mut world = office().await;
    world.peer = None;
    let browser = world.browser(&ann()).await;
    for (fields, status, says) in [
        (
            "id=pol-use&version=1.0&typed_name=Ann",
            StatusCode::BAD_REQUEST,
            "read this version",
        ),
        (
            "id=pol-use&version=1.0&read=yes&typed_name=+",
            StatusCode::BAD_REQUEST,
            "write your name",
        ),
        (SIGNED, StatusCode::FORBIDDEN, "network address"),
        (
            "id=pol-none&version=1.0&read=yes&typed_name=+",
            StatusCode::NOT_FOUND,
            "",
        ),
    ] {
        let refused = browser.submit(SIGN, fields).await;
        let page = text(&refused);
        assert_eq!(refused.status(), status, "{fields}: {page}");
        assert!(page.contains(says), "{fields}: {page}");
    }
    let elsewhere = browser
        .post(SIGN, SIGNED, &[("sec-fetch-site", "cross-site")])
        .await;
    assert_eq!(elsewhere.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        browser
            .get("/t/acme/me/documents/policy?id=pol-none")
            .await
            .status(),
        StatusCode::NOT_FOUND
    );
    assert!(recorded(&world).is_empty());
}

#[tokio::test]
async fn a_version_that_no_longer_counts_is_not_signed() {
    let world = office().await;
    let browser = world.browser(&ann()).await;
    let policy = json!({
        "id": "pol-use", "title": "Acceptable use", "version": "2.0", "status": "published",
        "effective_date": "2026-01-01", "requires_acknowledgment": true, "due_date": null,
        "content_html": "<p>Keep to it, always.</p>",
    });
    let edited = json!({ "policies": [policy] });
    assert!(world.sandbox.edit_one_stack(edited));
    let page = browser.page(PAGE).await;
    assert!(page.contains("nothing can be signed"), "{page}");
    let old = browser.submit(SIGN, SIGNED).await;
    assert_eq!(old.status(), StatusCode::CONFLICT);
    assert!(text(&old).contains("another version"), "{}", text(&old));
    assert!(recorded(&world).is_empty());
    let acme = world.tenant("acme");
    acme.sync_policies(&Actor::engine()).await.unwrap();
    let page = browser.page(PAGE).await;
    assert!(page.contains("Acknowledge version 2.0"), "{page}");
}

#[tokio::test]
async fn where_nobody_publishes_policies_none_can_be_signed() {
    let world = World::new().await;
    hire(&world).await;
    let policy = PolicyInput {
        id: "pol-use".to_owned(),
        title: "Acceptable use".to_owned(),
        version: "1.0".to_owned(),
        effective_date: None,
        requires_acknowledgment: true,
        due_date: None,
    };
    let hr = Actor::unverified("hr");
    let acme = world.tenant("acme");
    acme.take_policies(&[policy], &hr).await.unwrap();
    let browser = world.browser(&ann()).await;
    assert!(browser.page(PAGE).await.contains("nothing can be signed"));
    let signed = browser.submit(SIGN, SIGNED).await;
    assert_eq!(signed.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(!own(&world).await.compliant);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_signed_by_keyboard_alone_once_legal_is_back() {
    let Some(mut chrome) = Chrome::start().await else {
        return;
    };
    let served = Served::of(office().await).await;
    land(&mut chrome, &served, &ann()).await;
    chrome.open(&served.url("/t/acme/me/documents")).await;
    tab_to(&mut chrome, "Read and acknowledge Acceptable use").await;
    chrome.enter().await;
    chrome.pictures("me_policy").await;
    let way = tab_to(&mut chrome, "read").await;
    assert!(
        way.iter().any(|it| it.starts_with("Read version 1.0")),
        "{way:?}"
    );
    chrome.press(" ").await;
    assert_eq!(tab_to(&mut chrome, "typed_name").await, ["typed_name"]);
    chrome.types("Ann Adler").await;
    assert_eq!(
        tab_to(&mut chrome, "Acknowledge version 1.0").await,
        ["Acknowledge version 1.0"]
    );
    let down = Fault::new(FaultKind::Unavailable).at(Vendor::OneStack);
    served.world.sandbox.set_fault(down);
    chrome.enter().await;
    let told = chrome.text().await;
    assert!(told.contains("was not recorded"), "{told}");
    chrome.pictures("me_policy_not_recorded").await;
    assert!(recorded(&served.world).is_empty());

    served.world.sandbox.clear_faults();
    tab_to(&mut chrome, "read").await;
    chrome.press(" ").await;
    tab_to(&mut chrome, "Acknowledge version 1.0").await;
    chrome.enter().await;
    assert!(chrome.text().await.contains("It is recorded"));
    chrome.pictures("me_documents_recorded").await;
    let recorded = recorded(&served.world);
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0]["fields"]["ip_address"], "127.0.0.1");
    // A browser notes the answer 503 as a complaint of the network, and nothing else.
    let complaints = chrome.complaints().iter();
    let others: Vec<_> = complaints.filter(|it| !it.contains("503")).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[tokio::test]
async fn a_signature_sent_as_json_holds_what_was_seen_of_its_sender_and_not_what_they_say() {
    let world = office().await;
    let person = world
        .tenant("acme")
        .find_employee("ann@acme.example")
        .await
        .unwrap();
    let path = format!(
        "/t/acme/api/people/employees/{}/policies/acknowledge",
        person.id
    );
    let send = async |body: Value| {
        world.agree_on_the_time();
        let mut token = ann();
        token.session = true;
        let request = Request::post(&path)
            .header(AUTHORIZATION, format!("Bearer {}", world.token(&token)))
            .header("user-agent", "a program")
            .header(CONTENT_TYPE, "application/json");
        world.send(request, &body.to_string()).await
    };
    let mut body = json!({ "policy_id": "pol-use", "version": "1.0", "ip_address": "192.0.2.66" });
    let refused = send(body.clone()).await;
    assert_eq!(
        refused.status(),
        StatusCode::BAD_REQUEST,
        "{}",
        text(&refused)
    );
    assert!(recorded(&world).is_empty());
    body.as_object_mut().unwrap().remove("ip_address");
    let signed = send(body).await;
    assert_eq!(signed.status(), StatusCode::CREATED, "{}", text(&signed));
    let sent = &recorded(&world)[0]["fields"];
    assert_eq!(sent["ip_address"], PEER);
    assert_eq!(sent["user_agent"], "a program");
}
