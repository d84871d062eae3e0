//! From a finding to the vendor's journal, with consent given on a page by who came from Hub's menu.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protect_connectors::Protect;
use protect_connectors::core::operation::Callable;
use protect_sandbox::{HubToken, Vendor};
use serde_json::{Value, json};

use crate::support::World;

/// One request to the pages.
async fn exchange(
    protect: &Protect,
    method: &str,
    path: &str,
    headers: Value,
    body: &str,
) -> Value {
    let protect: Arc<dyn Callable> = Arc::new(protect.clone());
    let given = json!({
        "method": method, "path": path, "headers": headers, "body": STANDARD.encode(body),
    });
    protect.call("exchange", given).await.unwrap()
}

fn text(answer: &Value) -> String {
    let body = STANDARD.decode(answer["body"].as_str().unwrap());
    String::from_utf8(body.unwrap()).unwrap()
}

/// The cookie of somebody of the organisation who came from Hub's menu.
async fn landed(world: &World, protect: &Protect, role: &str) -> String {
    let token = HubToken {
        organisation: world.sandbox.credentials().one_stack[0].id.clone(),
        role: Some(role.to_owned()),
        ..HubToken::default()
    };
    let token = world.sandbox.hub_token(&token).unwrap();
    let path = format!("/auth/hub-sso?token={token}");
    let answer = exchange(protect, "GET", &path, json!({}), "").await;
    assert_eq!(answer["status"], 303);
    let again = exchange(protect, "GET", &path, json!({}), "").await;
    assert_eq!(again["status"], 401, "a token lands once");
    let headers = answer["headers"].as_array().unwrap();
    let set = headers.iter().find(|it| it["name"] == "set-cookie");
    let cookie = set.unwrap()["value"].as_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn approve(world: &World, protect: &Protect, path: &str, role: &str) -> Value {
    let cookie = landed(world, protect, role).await;
    let headers = json!({ "cookie": cookie, "accept": "text/html" });
    let page = text(&exchange(protect, "GET", path, headers, "").await);
    assert!(
        page.contains(&world.sandbox.planted().leaked.email),
        "{page}"
    );
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
    let (proof, _) = rest.split_once('"').unwrap();
    let headers = json!({
        "cookie": cookie, "content-type": "application/x-www-form-urlencoded",
    });
    let path = format!("{path}/approve");
    exchange(protect, "POST", &path, headers, &format!("csrf={proof}")).await["status"].take()
}

#[tokio::test]
async fn what_a_scan_finds_is_approved_by_who_came_from_hub_and_done_at_the_vendor() {
    let mut world = World::new().await;
    let secret = world.folder.path().join("sso.secret");
    std::fs::write(&secret, world.sandbox.hub_sso().secret).unwrap();
    let organisation = world.sandbox.credentials().one_stack[0].id.clone();
    world.set(
        "/connections/hub",
        json!({ "kind": "hub", "scan": { "sso_secret": { "file": secret } }, "tenants": ["acme"] }),
    );
    world.set(
        "/tenants/acme/connectors/hub",
        json!({ "connection": "hub", "organisation_id": organisation }),
    );
    let opening = Protect::builder().context(world.context());
    let protect = opening.open(world.path()).await.unwrap();
    let acme = protect.tenant("acme").unwrap();
    acme.scan().await.unwrap();
    let path = format!("/t/acme/plans/{}", acme.plan().await.unwrap().id);
    assert_eq!(approve(&world, &protect, &path, "viewer").await, 403);
    acme.apply_waiting().await.unwrap();
    assert_eq!(world.transitions("user"), []);
    assert_eq!(approve(&world, &protect, &path, "admin").await, 303);
    acme.apply_waiting().await.unwrap();
    let done = world.transitions("user");
    assert!(
        done.iter()
            .all(|it| it.vendor == Vendor::OnePassword && it.to == "SUSPENDED")
    );
    assert_eq!(done.len(), 2);
    world.assert_no_violations();
}
