//! Tenants that know nothing of one another: what each one's program and staff see has no word of another's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protect_connectors::core::model::TenantId;
use protect_connectors::core::operation::Callable;
use protect_connectors::log::LogLine;
use serde_json::{Value, json};

use super::{Played, ask};

/// What a tenant's own program reads of it.
const LISTS: [&str; 8] = [
    "findings",
    "incidents",
    "plans",
    "actions",
    "tickets",
    "accounts",
    "verdicts",
    "monitor_list",
];

/// Where a look around begins: the first page, and what none links to.
const PAGES: [&str; 7] = [
    "",
    "api/me",
    "api/overview",
    "api/findings",
    "api/incidents",
    "api/plans",
    "api/evidence",
];

/// Everything that each tenant's own program and staff see, and what they get for the others' addresses.
pub(super) async fn look_around(sandbox: &Arc<dyn Callable>, played: &Played, apart: &Value) {
    let tenants = apart.as_object().unwrap();
    let mut looked = BTreeMap::new();
    for (tenant, own) in tenants {
        let engine = played.engine.as_ref().unwrap();
        let calls = engine.open("tenant", json!({ "id": tenant })).unwrap();
        for list in LISTS {
            let rows = ask(&calls, list, json!({})).await.unwrap();
            assert_apart(&rows.to_string(), tenant, apart, list);
        }
        let cookie = sign_in(sandbox, engine, tenant, own).await;
        let seen = crawl(engine, tenant, &cookie, apart).await;
        let together: String = seen.values().map(String::as_str).collect();
        for word in words(&own["shown"]) {
            assert!(together.contains(word), "{tenant} is not shown {word}");
        }
        looked.insert(tenant.clone(), seen);
    }
    for (tenant, own) in tenants {
        let engine = played.engine.as_ref().unwrap();
        let cookie = sign_in(sandbox, engine, tenant, own).await;
        let others = looked.iter().filter(|(other, _)| *other != tenant);
        for path in others.flat_map(|(_, seen)| seen.keys()) {
            let (status, _, text) = get(engine, path, &json!({ "cookie": cookie })).await;
            assert!(matches!(status, 403 | 404), "{path}: {status}");
            assert_apart(&text, tenant, apart, path);
        }
    }
}

/// A line has words of one tenant at most, and of none but the one that it is about.
pub(super) fn assert_of_one(line: &LogLine, apart: &Value) {
    let text = json!(line).to_string();
    let tenants = apart.as_object().unwrap().iter();
    let named = tenants.filter(|(_, own)| words(&own["words"]).any(|word| text.contains(word)));
    let mut named: BTreeSet<&str> = named.map(|(tenant, _)| tenant.as_str()).collect();
    if !apart.as_object().unwrap().is_empty() {
        named.extend(line.tenant.as_ref().map(TenantId::as_str));
    }
    assert!(named.len() <= 1, "{text}");
}

async fn crawl(
    engine: &Arc<dyn Callable>,
    tenant: &str,
    cookie: &str,
    apart: &Value,
) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    let mut waiting: Vec<_> = PAGES.map(|page| format!("/t/{tenant}/{page}")).into();
    while let Some(path) = waiting.pop() {
        if seen.contains_key(&path) {
            continue;
        }
        let headers = json!({ "cookie": cookie, "accept": "text/html" });
        let (status, _, text) = get(engine, &path, &headers).await;
        assert_eq!(status, 200, "{path}: {text}");
        assert_apart(&text, tenant, apart, &path);
        for link in text.split("href=\"").skip(1) {
            let link = link.split('"').next().unwrap();
            let link = link.replace("&#x2f;", "/").replace("&amp;", "&");
            if link.starts_with("/t/") {
                waiting.push(link.split('#').next().unwrap().to_owned());
            }
        }
        seen.insert(path, text);
    }
    seen
}

async fn sign_in(
    sandbox: &Arc<dyn Callable>,
    engine: &Arc<dyn Callable>,
    tenant: &str,
    own: &Value,
) -> String {
    let asked = json!({
        "organisation_id": own["organisation"], "email": format!("staff@{tenant}.example"),
    });
    let token = ask(sandbox, "hub_token", asked).await.unwrap();
    let path = format!("/auth/hub-sso?token={}", token.as_str().unwrap());
    let (status, headers, text) = get(engine, &path, &json!({})).await;
    assert_eq!(status, 303, "{text}");
    let headers = headers.as_array().unwrap();
    let set = headers
        .iter()
        .find(|it| it["name"] == "set-cookie")
        .unwrap();
    let cookie = set["value"].as_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn get(engine: &Arc<dyn Callable>, path: &str, headers: &Value) -> (u64, Value, String) {
    let asked = json!({ "method": "GET", "path": path, "headers": headers });
    let mut answer = ask(engine, "exchange", asked).await.unwrap();
    let body = STANDARD.decode(answer["body"].as_str().unwrap()).unwrap();
    let text = String::from_utf8(body).unwrap();
    (
        answer["status"].as_u64().unwrap(),
        answer["headers"].take(),
        text,
    )
}

fn assert_apart(text: &str, tenant: &str, apart: &Value, place: &str) {
    let others = apart.as_object().unwrap().iter();
    for (other, theirs) in others.filter(|(other, _)| *other != tenant) {
        for word in words(&theirs["words"]) {
            assert!(
                !text.contains(word),
                "{tenant}, {place}: {word} of {other} in {text}"
            );
        }
    }
}

fn words(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}
