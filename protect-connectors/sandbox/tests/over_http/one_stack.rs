//! The One Stack over HTTP.

use crate::support::{Got, Wire, send, wire};
use jiff::SignedDuration;
use protect_sandbox::{OneStackOrganisation, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

impl Wire {
    fn organisation(&self, place: usize) -> OneStackOrganisation {
        self.sandbox.credentials().one_stack.remove(place)
    }

    /// With the API key, or the integration key, of the first organisation.
    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Got {
        let own = self.organisation(0);
        let internal = path.starts_with("/bus") || path.contains("/internal/");
        let url = format!("{}{path}", self.sandbox.one_stack_root());
        let mut request = self.http.request(method, url);
        if internal {
            request = request.header("x-integration-key", own.integration_key);
        } else if !path.contains("ingest") {
            request = request.header("authorization", format!("Bearer {}", own.api_key));
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        send(request).await
    }

    async fn post(&self, path: &str, body: &Value) -> Got {
        self.ask(Method::POST, path, Some(body)).await
    }
}

fn ticket(reference: &str) -> Value {
    json!({"title": "A leak", "priority": "high", "source": "protect", "source_ref": reference})
}

#[tokio::test]
async fn a_ticket_is_made_found_noted_and_counted_when_it_is_doubled() {
    let wire = wire(Sandbox::builder()).await;
    let made = wire.post("/psa/api/tickets", &ticket("r-1")).await;
    assert_eq!((made.status, &made.json()["status"]), (201, &json!("open")));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let found = wire
        .ask(Method::GET, "/psa/api/tickets?source_ref=r-1", None)
        .await
        .json();
    assert_eq!(
        (&found["total"], &found["tickets"][0]["id"]),
        (&json!(1), &json!(id))
    );
    let other = wire
        .ask(Method::GET, "/psa/api/tickets?source_ref=r-2", None)
        .await
        .json();
    assert_eq!(other["total"], 0);
    let note = json!({"body": "again", "internal": true});
    assert_eq!(
        wire.post(&format!("/psa/api/tickets/{id}/notes"), &note)
            .await
            .status,
        201
    );
    assert_eq!(
        wire.post("/psa/api/tickets/nobody/notes", &note)
            .await
            .status,
        404
    );
    assert_eq!(wire.rules(), [""; 0]);
    wire.post("/psa/api/tickets", &ticket("r-1")).await;
    assert_eq!(wire.rules(), ["duplicate_open"]);
    wire.control(
        Method::PATCH,
        &format!("/one_stack/items/{id}"),
        json!({"status": "closed"}),
    )
    .await;
    let shown = wire
        .ask(Method::GET, &format!("/psa/api/tickets/{id}"), None)
        .await
        .json();
    assert_eq!(shown["status"], "closed");
}

#[tokio::test]
async fn wrong_bodies_are_refused_field_by_field() {
    let wire = wire(Sandbox::builder()).await;
    for (change, field) in [
        (json!({"priority": "P1"}), "priority"),
        (json!({"summary": "x"}), "summary"),
        (json!({"title": ""}), "title"),
        (json!({"type": "task"}), "type"),
    ] {
        let mut body = ticket("r");
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let got = wire.post("/psa/api/tickets", &body).await;
        assert_eq!(
            (got.status, &got.json()["code"]),
            (400, &json!("VALIDATION_ERROR"))
        );
        assert!(
            got.json()["details"]["fields"][field].is_string(),
            "{}",
            got.text
        );
    }
    assert_eq!(wire.rules(), ["field"; 4]);
    assert!(wire.sandbox.transitions().is_empty());
}

#[tokio::test]
async fn a_hundred_requests_a_minute_pass_over_all_products_and_no_more() {
    let wire = wire(Sandbox::builder()).await;
    for number in 0..100 {
        let path = ["/psa/api/tickets", "/security/api/incidents"][number % 2];
        assert_eq!(wire.ask(Method::GET, path, None).await.status, 200);
    }
    let over = wire.ask(Method::GET, "/psa/api/tickets", None).await;
    assert_eq!(
        (over.status, &over.json()["code"]),
        (429, &json!("RATE_LIMIT_EXCEEDED"))
    );
    let wait = over.retry_after.unwrap().parse::<i64>().unwrap();
    assert_eq!(over_wait(&over.text), wait);
    assert_eq!(wire.rules(), ["rate_limit_exceeded"]);
    wire.sandbox.advance_clock(SignedDuration::from_secs(wait));
    assert_eq!(
        wire.ask(Method::GET, "/psa/api/tickets", None).await.status,
        200
    );
}

fn over_wait(text: &str) -> i64 {
    let body: Value = serde_json::from_str(text).unwrap();
    body["details"]["retryAfter"].as_i64().unwrap()
}

#[tokio::test]
async fn keys_of_the_wrong_form_place_or_organisation_open_nothing() {
    let wire = wire(Sandbox::builder()).await;
    let own = wire.organisation(0);
    let root = wire.sandbox.one_stack_root();
    let get = |path: &str| wire.http.get(format!("{root}{path}"));
    assert_eq!(send(get("/psa/api/tickets")).await.status, 401);
    assert_eq!(
        send(get("/psa/api/tickets").bearer_auth("tos_nobody"))
            .await
            .status,
        401
    );
    let query = format!("/psa/api/tickets?key={}", own.integration_key);
    assert_eq!(send(get(&query)).await.status, 401);
    let event = json!({"event_type": "a.b", "source": "protect", "tenant_id": own.id, "severity": "info", "title": "x"});
    let emit = wire.http.post(format!("{root}/bus/api/bus/events"));
    let emit = emit
        .bearer_auth(&own.api_key)
        .header("content-type", "application/json");
    assert_eq!(
        send(emit.body(event.to_string())).await.status,
        401,
        "an integration key is taken"
    );
    let mut foreign = event.clone();
    foreign["tenant_id"] = json!(wire.organisation(1).id);
    assert_eq!(wire.post("/bus/api/bus/events", &foreign).await.status, 403);
    let rules = [
        "credential_missing",
        "key_unknown",
        "key_in_query",
        "credential_missing",
        "foreign_organisation",
    ];
    assert_eq!(wire.rules(), rules);
    assert!(wire.sandbox.transitions().is_empty());
}

#[tokio::test]
async fn a_page_joins_the_open_one_and_events_go_the_one_way_that_is_switched_on() {
    let wire = wire(Sandbox::builder()).await;
    let own = wire.organisation(0);
    let page = json!({"title": "x", "severity": "high", "dedup_key": "k"});
    let path = format!("/oncall/api/webhooks/ingest?key={}", own.integration_key);
    let first = wire.post(&path, &page).await;
    let again = wire.post(&path, &page).await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.json()["id"], again.json()["id"]);
    let event = json!({"type": "a.b", "source": "protect", "tenant_id": own.id, "severity": "info", "title": "x"});
    assert_eq!(wire.post("/bus/api/events", &event).await.status, 404);
    wire.control(Method::POST, "/one_stack/settings", json!({"style": "b"}))
        .await;
    assert_eq!(wire.post("/bus/api/events", &event).await.status, 201);
    assert_eq!(wire.rules(), [""; 0]);
}
