//! `$batch`.

use super::{Graph, code};
use reqwest::Method;
use serde_json::{Value, json};

impl Graph {
    /// The responses of a batch by their ids.
    async fn batch(&self, requests: Value) -> serde_json::Map<String, Value> {
        let got = self
            .send(Method::POST, "/$batch", json!({"requests": requests}))
            .await;
        assert_eq!(got.status, 200, "{}", got.text);
        let responses = got.json()["responses"].as_array().unwrap().clone();
        let named = responses.into_iter();
        named
            .map(|it| (it["id"].as_str().unwrap().to_owned(), it))
            .collect()
    }
}

#[tokio::test]
async fn each_member_has_its_own_status_headers_and_record() {
    let graph = Graph::respond().await;
    let planted = graph.wire.sandbox.planted().m365;
    let user = format!("/users/{}", planted.leaked.id);
    let got = graph
        .batch(json!([
            {"id": "a", "method": "GET", "url": format!("{user}?$select=id")},
            {"id": "b", "method": "GET", "url": "/users/7f0c1f6e-0000-4000-8000-000000000000"},
            {"id": "c", "method": "PATCH", "url": user, "headers": {"Content-Type": "application/json"}, "body": {"accountEnabled": false}},
        ]))
        .await;
    assert_eq!(got["a"]["status"], 200);
    assert_eq!(got["a"]["body"]["id"], planted.leaked.id.as_str());
    assert!(got["a"]["headers"]["Request-Id"].is_string());
    assert_eq!(
        got["b"]["body"]["error"]["code"],
        "Request_ResourceNotFound"
    );
    assert_eq!(
        (&got["c"]["status"], got["c"].get("body")),
        (&json!(204), None)
    );
    let routes: Vec<String> = graph
        .wire
        .sandbox
        .requests()
        .into_iter()
        .map(|it| it.route)
        .collect();
    assert_eq!(
        routes[1..],
        ["/users/{id}", "/users/{id}", "/users/{id}", "/$batch"]
    );
    assert_eq!(graph.wire.sandbox.transitions().len(), 1);
    assert!(graph.rules().is_empty());
}

#[tokio::test]
async fn members_are_throttled_one_by_one() {
    let graph = Graph::scan().await;
    let got = graph
        .batch(json!([
            {"id": "1", "method": "GET", "url": "/identityProtection/riskyUsers"},
            {"id": "2", "method": "GET", "url": "/identity/conditionalAccess/policies"},
            {"id": "3", "method": "GET", "url": "/users?$top=1&$select=id"},
        ]))
        .await;
    let statuses: Vec<&Value> = ["1", "2", "3"]
        .iter()
        .map(|id| &got[*id]["status"])
        .collect();
    assert_eq!(statuses, [&json!(200), &json!(429), &json!(200)]);
    assert!(got["2"]["headers"].get("Retry-After").is_none());
    assert_eq!(graph.rules(), ["rate_limit_exceeded"]);
}

#[tokio::test]
async fn a_member_waits_for_what_it_depends_on() {
    let graph = Graph::scan().await;
    let got = graph
        .batch(json!([
            {"id": "1", "method": "GET", "url": "/users/nobody@acme.example"},
            {"id": "2", "method": "GET", "url": "/organization", "dependsOn": ["1"]},
            {"id": "3", "method": "GET", "url": "/organization", "dependsOn": ["2"]},
            {"id": "4", "method": "GET", "url": "/organization"},
        ]))
        .await;
    let statuses: Vec<&Value> = ["1", "2", "3", "4"]
        .iter()
        .map(|id| &got[*id]["status"])
        .collect();
    assert_eq!(
        statuses,
        [&json!(404), &json!(424), &json!(424), &json!(200)]
    );
}

#[tokio::test]
async fn a_malformed_batch_is_refused_as_a_whole() {
    let graph = Graph::scan().await;
    let one = json!({"id": "1", "method": "GET", "url": "/organization"});
    let many: Vec<Value> = (0..21)
        .map(|id| json!({"id": id.to_string(), "method": "GET", "url": "/organization"}))
        .collect();
    let cases = [
        json!([]),
        json!(many),
        json!([one, {"id": "1", "method": "GET", "url": "/users"}]),
        json!([{"id": "1", "method": "GET", "url": "https://elsewhere.example/users"}]),
        json!([{"id": "1", "method": "PATCH", "url": "/users/x", "body": {}}]),
        json!([{"id": "1", "method": "GET", "url": "/users", "dependsOn": ["9"]}]),
    ];
    for requests in cases {
        let got = graph
            .send(Method::POST, "/$batch", json!({"requests": requests}))
            .await;
        assert_eq!((got.status, code(&got)), (400, "BadRequest".to_owned()));
    }
    assert_eq!(graph.rules(), ["batch_malformed"; 6]);
}
