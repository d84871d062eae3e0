//! The Cloud Identity Policy API and the Alert Center.

use super::{Assertion, Google};
use crate::support::{encoded, wire};
use protect_sandbox::{Fault, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

const POLICIES: &str = "/v1/policies";
const ALERTS: &str = "/v1beta1/alerts";
const SCOPES: [&str; 2] = ["cloud-identity.policies.readonly", "apps.alerts"];

async fn reading() -> Google {
    let wire = wire(Sandbox::builder().rate_limits(false)).await;
    Google::reading(wire, &SCOPES).await
}

/// Code and status of an error in the newer form.
fn state(got: &crate::support::Got) -> (u16, String) {
    let error = got.json()["error"].clone();
    assert!(error.get("errors").is_none());
    (got.status, error["status"].as_str().unwrap().to_owned())
}

fn kinds(policies: &[Value]) -> Vec<&str> {
    policies
        .iter()
        .map(|it| it["setting"]["type"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn policies_come_page_by_page_with_all_that_is_odd_about_them() {
    let google = reading().await;
    let all = google
        .all(&format!("{POLICIES}?pageSize=9"), "policies")
        .await;
    assert!(all.len() > 50);
    let some = |is: &dyn Fn(&Value) -> bool| all.iter().any(is);
    assert!(some(&|it| it["type"] == "SYSTEM") && some(&|it| it["type"] == "ADMIN"));
    assert!(some(&|it| it["policyQuery"].get("orgUnit").is_none()));
    assert!(some(
        &|it| it["policyQuery"]["group"] == "WORKSPACE_ALL_ADMIN_GROUP"
    ));
    assert!(some(
        &|it| it["setting"]["value"]["enforcedFrom"] == "1970-01-01T00:00:00Z"
    ));
    assert!(kinds(&all).contains(&"settings/rule.system_defined_alerts"));
    assert_eq!(
        google.get(&format!("{POLICIES}?pageSize=101")).await.status,
        400
    );
    assert_eq!(google.rules(), ["invalid_request"]);
}

#[tokio::test]
async fn a_filter_leaves_pages_empty_though_more_come() {
    let google = reading().await;
    let filter = encoded(r"setting.type.matches('^settings/gmail\\..*$')");
    let path = format!("{POLICIES}?pageSize=10&filter={filter}");
    let first = google.get(&path).await.json();
    assert!(first.get("policies").is_none());
    assert!(first["nextPageToken"].is_string());
    let found = google.all(&path, "policies").await;
    assert!(found.len() > 8);
    assert!(
        kinds(&found)
            .iter()
            .all(|it| it.starts_with("settings/gmail."))
    );
    let both =
        r#"customer == "customers/my_customer" && setting.type == "settings/security.password""#;
    let found = google
        .all(&format!("{POLICIES}?filter={}", encoded(both)), "policies")
        .await;
    assert_eq!(found.len(), 2);
    let other = encoded(r#"customer == "customers/C0other""#);
    assert_eq!(
        google
            .get(&format!("{POLICIES}?filter={other}"))
            .await
            .status,
        403
    );
    let wrong = encoded("setting.value.size() > 3");
    assert_eq!(
        state(&google.get(&format!("{POLICIES}?filter={wrong}")).await),
        (400, "INVALID_ARGUMENT".to_owned())
    );
    assert_eq!(google.rules(), ["invalid_request"]);
}

#[tokio::test]
async fn policies_are_for_super_administrators_once_a_second() {
    let wire = wire(Sandbox::builder()).await;
    let own = wire.sandbox.credentials();
    let helper = wire.sandbox.planted().google.delegated_administrator.email;
    let assertion = Assertion::of(&wire, &own.google_scan_key, &SCOPES);
    let google = Google::with(wire, &assertion.clone().claim("sub", helper)).await;
    let refused = (403, "PERMISSION_DENIED".to_owned());
    assert_eq!(state(&google.get(POLICIES).await), refused);
    let google = Google::with(google.wire, &assertion).await;
    assert_eq!(google.get(POLICIES).await.status, 200);
    let got = google.get(POLICIES).await;
    assert_eq!(state(&got), (429, "RESOURCE_EXHAUSTED".to_owned()));
    assert!(got.text.contains("Quota exceeded") && got.text.contains("read requests per minute"));
    google
        .wire
        .sandbox
        .advance_clock(jiff::SignedDuration::from_secs(1));
    assert_eq!(google.get(POLICIES).await.status, 200);
    assert_eq!(google.rules(), ["rate_limit_exceeded"]);
}

#[tokio::test]
async fn alerts_are_filtered_ordered_and_know_the_customer_without_its_letter() {
    let google = reading().await;
    let all = google.all(&format!("{ALERTS}?pageSize=2"), "alerts").await;
    let times: Vec<&str> = all
        .iter()
        .map(|it| it["createTime"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted_by(|a, b| a >= b) && times.len() == 4);
    let oldest = google
        .all(&format!("{ALERTS}?orderBy=create_time%20asc"), "alerts")
        .await;
    assert_eq!(oldest[0], all[3]);
    let since = encoded(&format!(
        "createTime >= \"{}\" AND type = \"Suspicious login\"",
        times[3]
    ));
    let found = google
        .all(&format!("{ALERTS}?filter={since}"), "alerts")
        .await;
    assert_eq!(found.len(), 1);
    let planted = google.wire.sandbox.planted().google;
    assert_eq!(found[0]["data"]["email"], planted.suspicious.email);
    assert_eq!(
        format!("C{}", found[0]["customerId"].as_str().unwrap()),
        planted.customer_id
    );
    let with = format!("{ALERTS}?customerId={}", planted.customer_id);
    assert_eq!(google.get(&with).await.status, 403);
    let without = format!("{ALERTS}?customerId={}", &planted.customer_id[1..]);
    assert_eq!(google.get(&without).await.status, 200);
    assert_eq!(google.get(&format!("{ALERTS}?filter=no")).await.status, 400);
    assert_eq!(google.rules(), ["invalid_request"]);
}

#[tokio::test]
async fn each_service_is_switched_on_by_itself() {
    let google = reading().await;
    let off = json!({"apis_off": ["cloudidentity.googleapis.com"]});
    assert!(google.wire.sandbox.edit_google_domain(off));
    let got = google.get(POLICIES).await;
    assert_eq!(state(&got), (403, "PERMISSION_DENIED".to_owned()));
    assert_eq!(
        got.json()["error"]["details"][0]["metadata"]["service"],
        "cloudidentity.googleapis.com"
    );
    assert_eq!(google.get(ALERTS).await.status, 200);
    let fault = Fault::named("api_switched_off")
        .unwrap()
        .on("/v1beta1/alerts");
    google.wire.sandbox.set_fault(fault);
    assert!(google.get(ALERTS).await.text.contains("SERVICE_DISABLED"));
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn another_process_can_change_the_domain_over_http() {
    let google = reading().await;
    let control =
        async |method, path: &str, body| google.wire.control(method, path, body).await.status;
    let policy = json!({"name": "policies/x", "setting": {"type": "settings/x.y", "value": {}}});
    let page = json!({"policies": [policy]});
    assert_eq!(
        control(Method::PUT, "/google/documents/policies", page).await,
        200
    );
    assert_eq!(google.all(POLICIES, "policies").await.len(), 1);
    assert_eq!(
        control(Method::PUT, "/google/documents/alerts", json!([])).await,
        200
    );
    assert!(google.get(ALERTS).await.json().get("alerts").is_none());
    assert_eq!(
        control(Method::PUT, "/google/documents/none", json!([])).await,
        404
    );
    let leaked = google.wire.sandbox.planted().google.leaked.id;
    let path = format!("/google/users/{leaked}");
    let change = json!({"suspended": true, "super_admin": true});
    assert_eq!(control(Method::PATCH, &path, change).await, 200);
    let suspicious = google.wire.sandbox.planted().google.suspicious.id;
    let login = json!({"user": suspicious, "minutes_ago": 4});
    assert_eq!(control(Method::POST, "/google/logins", login).await, 200);
    let event = json!({"events": [{"type": "x", "name": "y"}]});
    let added = json!({"application": "drive", "items": [event]});
    assert_eq!(
        control(Method::POST, "/google/activities", added).await,
        200
    );
    let unit = json!({"path": "/Finance", "name": "Money"});
    assert_eq!(control(Method::POST, "/google/org_units", unit).await, 200);
    let scopes = json!({"scopes": ["apps.alerts"]});
    assert_eq!(
        control(Method::PATCH, "/google/service_accounts/scan", scopes).await,
        200
    );
    let off = json!({"apis_off": ["alertcenter.googleapis.com"]});
    assert_eq!(control(Method::POST, "/google/settings", off).await, 200);
    assert_eq!(google.get(ALERTS).await.status, 403);
    assert_eq!(google.wire.sandbox.transitions().len(), 1);
    google.wire.sandbox.reset();
    assert_eq!(
        google.wire.sandbox.state()["google"]["changed_users"],
        json!([])
    );
}
