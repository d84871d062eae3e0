//! The key vault.

use super::Graph;
use crate::support::{Got, Wire, send, wire};
use protect_sandbox::Sandbox;

impl Wire {
    async fn secret(&self, token: Option<&str>, rest: &str) -> Got {
        let request = self
            .http
            .get(format!("{}/secrets/{rest}", self.sandbox.m365_vault_url()));
        send(match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
        .await
    }

    async fn vault_token(&self, id: &str, secret: &str) -> String {
        let got = self
            .entra_token(id, secret, "https://vault.azure.net/.default")
            .await;
        got.json()["access_token"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_secret_is_given_to_the_application_that_may_read_it() {
    let wire = wire(Sandbox::builder()).await;
    let own = wire.sandbox.credentials();
    let token = wire
        .vault_token(&own.m365_vault_client_id, &own.m365_vault_client_secret)
        .await;
    let got = wire
        .secret(Some(&token), "HIBP-API-KEY?api-version=7.4")
        .await;
    let body = got.json();
    assert_eq!(body["value"], own.hibp_api_key.as_str());
    assert_eq!(body["attributes"]["enabled"], true);
    assert!(
        body["id"]
            .as_str()
            .unwrap()
            .contains("/secrets/HIBP-API-KEY/")
    );
    let missing = wire.secret(Some(&token), "OTHER?api-version=7.4").await;
    assert_eq!(
        (missing.status, super::code(&missing)),
        (404, "SecretNotFound".to_owned())
    );
    assert!(wire.rules().is_empty());
    assert_eq!(wire.secret(Some(&token), "HIBP-API-KEY").await.status, 400);
    assert_eq!(wire.rules(), ["api_version"]);
}

#[tokio::test]
async fn without_a_token_the_vault_says_whom_to_ask() {
    let wire = wire(Sandbox::builder()).await;
    let url = format!(
        "{}/secrets/HIBP-API-KEY?api-version=7.4",
        wire.sandbox.m365_vault_url()
    );
    let response = wire.http.get(url).send().await.unwrap();
    assert_eq!(response.status(), 401);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.contains("authorization=\"") && challenge.contains("https://vault.azure.net")
    );
    assert!(wire.rules().is_empty());
}

#[tokio::test]
async fn another_application_and_a_token_for_graph_are_refused() {
    let graph = Graph::scan().await;
    let wire = &graph.wire;
    let own = wire.sandbox.credentials();
    let path = "HIBP-API-KEY?api-version=7.4";
    assert_eq!(wire.secret(Some(&graph.token), path).await.status, 401);
    let token = wire
        .vault_token(&own.m365_scan_client_id, &own.m365_scan_client_secret)
        .await;
    let got = wire.secret(Some(&token), path).await;
    assert_eq!(
        (got.status, super::code(&got)),
        (403, "Forbidden".to_owned())
    );
    let reader = wire
        .vault_token(&own.m365_vault_client_id, &own.m365_vault_client_secret)
        .await;
    let url = format!("{}/v1.0/users", wire.sandbox.m365_graph_url());
    assert_eq!(
        send(wire.http.get(url).bearer_auth(reader)).await.status,
        401
    );
    assert_eq!(
        graph.rules(),
        ["token_audience", "permission_missing", "token_audience"]
    );
}
