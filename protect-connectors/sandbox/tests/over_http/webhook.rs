//! The webhook receiver and the control routes over HTTP.

use crate::support::{Got, Wire, send, wire};
use jiff::SignedDuration;
use protect_sandbox::Sandbox;
use reqwest::Method;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

impl Wire {
    async fn deliver(&self, id: &str, body: &Value) -> Got {
        let at = self.sandbox.now().as_second();
        self.signed(Method::POST, "", id, at, &body.to_string())
            .await
    }

    async fn items(&self, reference: &str) -> Vec<Value> {
        let at = self.sandbox.now().as_second();
        let path = format!("/items?source_reference={reference}");
        let got = self.signed(Method::GET, &path, "search", at, "").await;
        got.json()["items"].as_array().unwrap().clone()
    }

    async fn signed(&self, method: Method, path: &str, id: &str, at: i64, body: &str) -> Got {
        let secret = self.sandbox.credentials().webhook_secret;
        let signature = Webhook::new(&secret)
            .unwrap()
            .sign(id, at, body.as_bytes())
            .unwrap();
        let url = format!("{}{path}", self.sandbox.webhook_url());
        let request = self
            .http
            .request(method, url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at.to_string())
            .header("webhook-signature", format!("v1,b2xk {signature}"));
        send(request.body(body.to_owned())).await
    }
}

fn ticket(kind: &str, reference: &str) -> Value {
    json!({"type": kind, "source_reference": reference, "data": {"title": "Leaked password"}})
}

#[tokio::test]
async fn a_ticket_is_created_once_noted_and_found_by_its_reference() {
    let wire = wire(Sandbox::builder()).await;
    let first = wire.deliver("m1", &ticket("ticket.created", "inc-1")).await;
    let again = wire.deliver("m1", &ticket("ticket.created", "inc-1")).await;
    assert_eq!(
        (first.status, first.text.clone()),
        (again.status, again.text.clone())
    );
    assert_eq!(wire.sandbox.transitions().len(), 1);
    let noted = wire.deliver("m2", &ticket("ticket.noted", "inc-1")).await;
    assert_eq!(noted.text, first.text);
    let items = wire.items("inc-1").await;
    assert_eq!(items.len(), 1);
    assert_eq!(
        (&items[0]["type"], &items[0]["status"]),
        (&json!("ticket"), &json!("open"))
    );
    assert!(wire.items("inc-2").await.is_empty());
    assert_eq!(wire.rules(), Vec::<String>::new());
    assert_eq!(
        wire.sandbox.requests()[0].idempotency.as_deref(),
        Some("m1")
    );
}

#[tokio::test]
async fn a_second_ticket_for_an_open_reference_counts_as_a_duplicate_and_a_closed_one_does_not() {
    let wire = wire(Sandbox::builder()).await;
    let first = wire
        .deliver("m1", &ticket("ticket.created", "inc-1"))
        .await
        .json();
    let second = wire
        .deliver("m2", &ticket("ticket.created", "inc-1"))
        .await
        .json();
    assert_ne!(first["id"], second["id"]);
    assert_eq!(wire.rules(), ["duplicate_open"]);
    for id in [&first["id"], &second["id"]] {
        let path = format!("/webhook/items/{}", id.as_str().unwrap());
        wire.control(Method::PATCH, &path, json!({"status": "closed"}))
            .await;
    }
    wire.deliver("m3", &ticket("ticket.created", "inc-1")).await;
    assert_eq!(wire.rules(), ["duplicate_open"]);
}

#[tokio::test]
async fn incidents_are_updated_and_events_are_kept() {
    let wire = wire(Sandbox::builder()).await;
    wire.deliver("m1", &ticket("incident.opened", "inc-1"))
        .await;
    let update = json!({"type": "incident.updated", "source_reference": "inc-1", "data": {"status": "resolved"}});
    assert_eq!(wire.deliver("m2", &update).await.status, 200);
    wire.deliver("m3", &ticket("event", "inc-1")).await;
    let items = wire.items("inc-1").await;
    let states: Vec<&str> = items
        .iter()
        .filter_map(|item| item["status"].as_str())
        .collect();
    assert_eq!(states, ["resolved", "received"]);
    assert_eq!(
        wire.deliver("m4", &update).await.status,
        404,
        "it is resolved already"
    );
}

#[tokio::test]
async fn unsigned_late_reused_and_malformed_messages_are_refused() {
    let wire = wire(Sandbox::builder()).await;
    let body = ticket("ticket.created", "inc-1").to_string();
    let now = wire.sandbox.now().as_second();
    let bare = wire
        .http
        .post(wire.sandbox.webhook_url())
        .body(body.clone());
    assert_eq!(send(bare).await.status, 400);
    let forged = wire
        .http
        .post(wire.sandbox.webhook_url())
        .body(body.clone());
    let forged = forged
        .header("webhook-id", "m")
        .header("webhook-timestamp", now.to_string());
    assert_eq!(
        send(forged.header("webhook-signature", "v1,AAAA"))
            .await
            .status,
        401
    );
    assert_eq!(
        wire.signed(Method::POST, "", "m", now - 400, &body)
            .await
            .status,
        401
    );
    wire.deliver("m1", &ticket("ticket.created", "inc-1")).await;
    assert_eq!(
        wire.deliver("m1", &ticket("ticket.created", "inc-2"))
            .await
            .status,
        409
    );
    assert_eq!(
        wire.deliver("m2", &json!({"type": "ticket.created"}))
            .await
            .status,
        400
    );
    assert_eq!(
        wire.deliver("m3", &ticket("party", "inc-1")).await.status,
        400
    );
    assert_eq!(
        wire.deliver("m4", &ticket("ticket.noted", "inc-9"))
            .await
            .status,
        404
    );
    assert_eq!(
        wire.rules(),
        [
            "webhook_header_missing",
            "webhook_signature",
            "webhook_too_old",
            "webhook_id_reused",
            "webhook_body",
            "webhook_type",
            "nothing_open"
        ]
    );
}

#[tokio::test]
async fn the_tolerance_follows_the_clock_of_the_sandbox() {
    let wire = wire(Sandbox::builder()).await;
    let before = wire.sandbox.now().as_second();
    wire.sandbox.advance_clock(SignedDuration::from_hours(1));
    let body = ticket("event", "x").to_string();
    assert_eq!(
        wire.signed(Method::POST, "", "m1", before, &body)
            .await
            .status,
        401
    );
    assert_eq!(wire.deliver("m1", &ticket("event", "x")).await.status, 200);
}

#[tokio::test]
async fn everything_is_reachable_below_the_control_path() {
    let wire = wire(Sandbox::builder()).await;
    wire.deliver("m1", &ticket("event", "x")).await;
    let get = async |path: &str| wire.control(Method::GET, path, json!(null)).await.json();
    assert_eq!(get("/credentials").await, json!(wire.sandbox.credentials()));
    assert_eq!(get("/planted").await, json!(wire.sandbox.planted()));
    assert_eq!(get("/state").await, wire.sandbox.state());
    let journal = get("/journal").await;
    assert_eq!(journal["requests"][0]["changing"], true);
    assert_eq!(journal["transitions"][0]["to"], "received");
    assert_eq!(get("/violations").await, json!([]));
    assert_eq!(get("").await["webhook"], "/webhook");
    let before = wire.sandbox.now();
    wire.control(Method::POST, "/clock", json!({"advance_seconds": 3600}))
        .await;
    assert!(wire.sandbox.now().duration_since(before).as_secs() >= 3600);
    assert!(get("/clock").await["now"].is_string());
    let set = wire
        .control(Method::POST, "/faults", json!({"name": "suspend_fails"}))
        .await;
    assert_eq!(set.status, 200);
    assert_eq!(get("/faults").await[0]["kind"], "suspend_fails");
    assert_eq!(
        wire.control(Method::POST, "/faults", json!({"name": "no"}))
            .await
            .status,
        400
    );
    wire.control(Method::DELETE, "/faults", json!(null)).await;
    assert!(wire.sandbox.faults().is_empty());
    let secrets = wire.sandbox.credentials();
    assert!(!journal.to_string().contains(&secrets.webhook_secret));
}

#[tokio::test]
async fn only_loopback_addresses_are_served() {
    let open = Sandbox::builder().address("0.0.0.0:0".parse().unwrap());
    assert!(open.start().await.is_err());
}

#[test]
fn it_starts_and_stops_without_a_runtime() {
    let sandbox = Sandbox::builder().start_blocking().unwrap();
    let address = sandbox.base_url().replace("http://", "");
    assert!(std::net::TcpStream::connect(&address).is_ok());
    sandbox.shutdown_blocking();
    assert!(std::net::TcpStream::connect(&address).is_err());
}
