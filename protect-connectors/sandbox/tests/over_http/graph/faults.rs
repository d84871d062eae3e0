//! Faults as a client of Graph meets them.

use super::{Graph, code};
use protect_sandbox::{Fault, FaultKind, Sandbox, Vendor};
use reqwest::Method;
use serde_json::{Value, json};

impl Graph {
    fn fault(&self, fault: Fault) {
        self.wire.sandbox.clear_faults();
        self.wire.sandbox.set_fault(fault.at(Vendor::M365));
    }
}

#[tokio::test]
async fn one_endpoint_can_be_forbidden_gone_unlicensed_or_overrun() {
    let graph = Graph::scanning(Sandbox::builder().rate_limits(false)).await;
    let cases = [
        (FaultKind::ScopeRemoved, 403, "Authorization_RequestDenied"),
        (FaultKind::NotFound, 404, "Request_ResourceNotFound"),
        (FaultKind::RateLimitedBare, 429, "TooManyRequests"),
        (FaultKind::Unavailable, 503, "serviceNotAvailable"),
    ];
    for (kind, status, wanted) in cases {
        graph.fault(Fault::new(kind).on("/identity/conditionalAccess/policies"));
        let got = graph.get("/identity/conditionalAccess/policies").await;
        assert_eq!((got.status, code(&got)), (status, wanted.to_owned()));
        assert!(got.json()["error"]["innerError"]["request-id"].is_string());
        assert_eq!(graph.get("/users").await.status, 200);
    }
    graph.fault(Fault::named("licence_missing").unwrap());
    let got = graph.get("/identityProtection/riskyUsers").await;
    assert_eq!((got.status, code(&got)), (403, "Forbidden".to_owned()));
    let got = graph
        .get("/roleManagement/directory/roleAssignmentScheduleInstances")
        .await;
    assert_eq!(
        (got.status, code(&got)),
        (400, "AadPremiumLicenseRequired".to_owned())
    );
    assert!(graph.rules().is_empty());
}

#[tokio::test]
async fn links_of_pages_can_lead_astray() {
    let graph = Graph::scan().await;
    let first = graph.get("/users?$top=10").await.json();
    let ids = |page: &Value| page["value"].clone();
    graph.fault(Fault::named("next_link_elsewhere").unwrap());
    let page = graph.get("/users?$top=10").await.json();
    assert!(
        page["@odata.nextLink"]
            .as_str()
            .unwrap()
            .starts_with("https://elsewhere.invalid/")
    );
    graph.fault(Fault::named("repeated_page").unwrap());
    let page = graph.get("/users?$top=10").await.json();
    let again = graph
        .get(page["@odata.nextLink"].as_str().unwrap())
        .await
        .json();
    assert_eq!(ids(&again), ids(&first));
    graph.fault(Fault::named("empty_page").unwrap());
    let page = graph.get("/users?$top=10").await.json();
    assert_eq!(page["value"], json!([]));
    let next = graph
        .get(page["@odata.nextLink"].as_str().unwrap())
        .await
        .json();
    assert_eq!(ids(&next), ids(&first));
    graph.fault(Fault::named("page_token_expired").unwrap());
    let got = graph.get(first["@odata.nextLink"].as_str().unwrap()).await;
    assert_eq!(
        (got.status, code(&got)),
        (400, "Directory_ExpiredPageToken".to_owned())
    );
    assert!(graph.rules().is_empty());
}

#[tokio::test]
async fn contents_can_be_null_missing_or_unheard_of() {
    let graph = Graph::scanning(Sandbox::builder().rate_limits(false)).await;
    let policies = "/identity/conditionalAccess/policies";
    graph.fault(Fault::named("null_objects").unwrap());
    let page = graph.get(policies).await.json();
    assert!(
        page["value"]
            .as_array()
            .unwrap()
            .iter()
            .all(|it| it["grantControls"].is_null() && it["conditions"].is_null())
    );
    graph.fault(Fault::named("missing_lists").unwrap());
    let page = graph.get(policies).await.json();
    assert!(
        page["value"][0]["conditions"]
            .get("clientAppTypes")
            .is_none()
    );
    graph.fault(Fault::named("unknown_enum").unwrap());
    let page = graph.get(policies).await.json();
    assert_eq!(page["value"][0]["state"], "not_yet_documented");
    graph.fault(Fault::named("truncated_json").unwrap());
    assert!(serde_json::from_str::<Value>(&graph.get(policies).await.text).is_err());
    graph.fault(Fault::named("html200").unwrap());
    assert!(graph.get(policies).await.text.starts_with("<!DOCTYPE"));
    assert!(graph.rules().is_empty());
}

#[tokio::test]
async fn revoked_tokens_are_refused_until_a_new_one_is_fetched() {
    let graph = Graph::scan().await;
    graph.fault(Fault::named("unauthorized").unwrap());
    assert_eq!(graph.get("/users").await.status, 401);
    assert_eq!(graph.get("/users").await.status, 401);
    let own = graph.wire.sandbox.credentials();
    let (id, secret) = (own.m365_scan_client_id, own.m365_scan_client_secret);
    let graph = Graph::with(graph.wire, &id, &secret).await;
    assert_eq!(graph.get("/users").await.status, 200);
    assert!(graph.rules().is_empty());
}

#[tokio::test]
async fn the_token_endpoint_has_errors_of_its_own_form() {
    let graph = Graph::scan().await;
    let own = graph.wire.sandbox.credentials();
    graph.fault(Fault::named("unavailable").unwrap().on("/oauth2/"));
    let scope = graph.wire.graph_scope();
    let got = graph
        .wire
        .entra_token(
            &own.m365_scan_client_id,
            &own.m365_scan_client_secret,
            &scope,
        )
        .await;
    assert_eq!(
        (got.status, got.json()["error"].clone()),
        (503, json!("temporarily_unavailable"))
    );
}

#[tokio::test]
async fn disabling_can_fail_be_refused_or_show_late() {
    let graph = Graph::respond().await;
    let path = format!("/users/{}", graph.wire.sandbox.planted().m365.leaked.id);
    let off = json!({"accountEnabled": false});
    for (name, status) in [("suspend_fails", 500), ("suspend_refused", 403)] {
        graph.fault(Fault::named(name).unwrap());
        assert_eq!(
            graph.send(Method::PATCH, &path, off.clone()).await.status,
            status
        );
        assert_eq!(graph.get(&path).await.status, 200);
    }
    assert!(graph.wire.sandbox.transitions().is_empty());
    graph.fault(Fault::named("stale_reads").unwrap());
    assert_eq!(graph.send(Method::PATCH, &path, off).await.status, 204);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let got = graph.get(&format!("{path}?$select=accountEnabled")).await;
        seen.push(got.json()["accountEnabled"].as_bool().unwrap());
    }
    assert_eq!(seen, [true, true, false]);
    assert!(graph.rules().is_empty());
}

#[tokio::test]
async fn a_member_of_a_batch_has_its_faults_too() {
    let graph = Graph::scan().await;
    graph.fault(
        Fault::new(FaultKind::RateLimitedSeconds)
            .seconds(3)
            .on("/organization"),
    );
    let body = json!({"requests": [
        {"id": "1", "method": "GET", "url": "/organization"},
        {"id": "2", "method": "GET", "url": "/domains"},
    ]});
    let got = graph.send(Method::POST, "/$batch", body).await.json();
    let responses = got["responses"].as_array().unwrap();
    let first = responses.iter().find(|it| it["id"] == "1").unwrap();
    assert_eq!(
        (&first["status"], &first["headers"]["Retry-After"]),
        (&json!(429), &json!("3"))
    );
    assert!(responses.iter().any(|it| it["status"] == 200));
}
