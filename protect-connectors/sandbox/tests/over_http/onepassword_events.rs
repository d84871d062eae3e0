//! 1Password's events over HTTP: each rule once.

use crate::support::{Got, Wire, send, wire};
use protect_sandbox::Sandbox;
use reqwest::Method;
use serde_json::{Value, json};

impl Wire {
    pub(crate) async fn events(&self, path: &str, body: Value) -> Got {
        let token = self.sandbox.credentials().events_token;
        let url = format!("{}{path}", self.sandbox.onepassword_events_url());
        let request = self.http.post(url).bearer_auth(token);
        send(
            request
                .header("content-type", "application/json")
                .body(body.to_string()),
        )
        .await
    }
}

#[tokio::test]
async fn events_are_read_by_cursor_and_the_last_cursor_is_the_checkpoint() {
    let wire = wire(Sandbox::builder()).await;
    let path = "/api/v2/signinattempts";
    let mut body = json!({"limit": 60});
    let mut seen = Vec::new();
    loop {
        let page = wire.events(path, body).await.json();
        seen.extend(page["items"].as_array().unwrap().clone());
        body = json!({"cursor": page["cursor"]});
        if page["has_more"] == false {
            break;
        }
    }
    let planted = wire.sandbox.planted();
    let of = |id: &str, category: &str| {
        let fits =
            |event: &&Value| event["target_user"]["uuid"] == id && event["category"] == category;
        seen.iter().filter(fits).cloned().collect::<Vec<Value>>()
    };
    let failed = of(&planted.suspicious.id, "credentials_failed");
    assert_eq!(failed.len(), planted.suspicious_failures);
    let success = of(&planted.suspicious.id, "success").pop().unwrap();
    assert_eq!(
        success["location"]["country"],
        json!(planted.success_country)
    );
    let times: Vec<&str> = seen
        .iter()
        .filter_map(|event| event["timestamp"].as_str())
        .collect();
    assert!(times.is_sorted());
    let mut event = serde_json::Map::new();
    event.insert("category".to_owned(), json!("mfa_failed"));
    wire.sandbox.append_sign_ins(vec![event]);
    let page = wire.events(path, body).await.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    assert_eq!(page["items"][0]["category"], "mfa_failed");
    assert_eq!(wire.rules(), Vec::<String>::new());
}

#[tokio::test]
async fn the_cursor_protocol_is_strict() {
    let wire = wire(Sandbox::builder()).await;
    let path = "/api/v2/itemusages";
    let page = wire
        .events(path, json!({"start_time": "2026-01-01T00:00:00Z"}))
        .await
        .json();
    let cursor = page["cursor"].clone();
    let bad = [
        (path, json!({"cursor": cursor, "limit": 10})),
        (path, json!({"limit": 1001})),
        (path, json!({"limit": 0})),
        (path, json!({"cursor": "nonsense"})),
        ("/api/v2/auditevents", json!({"cursor": cursor})),
        (path, json!({"start_time": "yesterday"})),
        (path, json!({"size": 5})),
        (path, json!([])),
    ];
    for (path, body) in bad {
        let got = wire.events(path, body.clone()).await;
        assert_eq!(
            (got.status, got.json()),
            (400, json!({"Error": {"Message": "Bad Request"}})),
            "{body}"
        );
    }
    assert_eq!(wire.rules().len(), 8);
}

#[tokio::test]
async fn version_one_lacks_accounts_and_introspection_tells_the_features() {
    let wire = wire(Sandbox::builder()).await;
    let old = wire
        .events("/api/v1/signinattempts", json!({}))
        .await
        .json();
    assert!(old["items"][0].get("account_uuid").is_none());
    assert!(old["items"][0]["target_user"].get("user_type").is_none());
    let own = wire.sandbox.credentials();
    let get = async |path: &str, token: &str| {
        let url = format!("{}{path}", wire.sandbox.onepassword_events_url());
        send(wire.http.get(url).bearer_auth(token)).await
    };
    let told = get("/api/v2/auth/introspect", &own.events_token)
        .await
        .json();
    assert_eq!(
        told["features"],
        json!(["signinattempts", "itemusages", "auditevents"])
    );
    assert_eq!(told["account_uuid"], json!(own.account_id));
    assert!(get("/api/auth/introspect", &own.events_token).await.json()["UUID"].is_string());
    let wrong = get("/api/v2/auth/introspect", "x.y.z").await;
    assert_eq!(
        (wrong.status, wrong.json()),
        (401, json!({"Error": {"Message": "Unauthorized"}}))
    );
    wire.control(Method::POST, "/onepassword/features", json!(["itemusages"]))
        .await;
    assert_eq!(
        wire.events("/api/v2/auditevents", json!({})).await.status,
        401
    );
    assert_eq!(wire.rules(), ["events_token", "feature_missing"]);
}

#[tokio::test]
async fn the_events_api_allows_600_requests_a_minute() {
    let wire = wire(Sandbox::builder()).await;
    for _ in 0..600 {
        assert_eq!(
            wire.events("/api/v2/auditevents", json!({"limit": 1}))
                .await
                .status,
            200
        );
    }
    assert_eq!(
        wire.events("/api/v2/auditevents", json!({"limit": 1}))
            .await
            .status,
        429
    );
    assert_eq!(wire.rules(), ["rate_limit_exceeded"]);
}
