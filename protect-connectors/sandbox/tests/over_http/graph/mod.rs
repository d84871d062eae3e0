//! Microsoft 365 over HTTP: each rule once.

mod batch;
mod faults;
mod login;
mod reading;
mod throttling;
mod vault;
mod writing;

use crate::support::{FORM, Got, Wire, encoded, form, send, wire};
use protect_sandbox::{Sandbox, SandboxBuilder};
use reqwest::Method;
use serde_json::{Value, json};

/// A sandbox with a token of one of its applications.
pub(crate) struct Graph {
    pub(crate) wire: Wire,
    pub(crate) token: String,
}

impl Wire {
    pub(crate) async fn entra(&self, tenant: &str, fields: &[(&str, &str)]) -> Got {
        let url = format!(
            "{}/{tenant}/oauth2/v2.0/token",
            self.sandbox.m365_login_url()
        );
        send(form(self.http.post(url), fields)).await
    }

    pub(crate) async fn entra_token(&self, id: &str, secret: &str, scope: &str) -> Got {
        let tenant = self.sandbox.credentials().m365_tenant_id;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret),
            ("scope", scope),
        ];
        self.entra(&tenant, &form).await
    }

    pub(crate) fn graph_scope(&self) -> String {
        format!("{}/.default", self.sandbox.m365_graph_url())
    }
}

impl Graph {
    /// With a token of the application that reads.
    pub(crate) async fn scan() -> Self {
        Self::scanning(Sandbox::builder()).await
    }

    pub(crate) async fn scanning(builder: SandboxBuilder) -> Self {
        let wire = wire(builder).await;
        let own = wire.sandbox.credentials();
        Self::with(wire, &own.m365_scan_client_id, &own.m365_scan_client_secret).await
    }

    /// With a token of the application that changes.
    pub(crate) async fn respond() -> Self {
        let wire = wire(Sandbox::builder()).await;
        let own = wire.sandbox.credentials();
        let (id, secret) = (own.m365_respond_client_id, own.m365_respond_client_secret);
        Self::with(wire, &id, &secret).await
    }

    /// With a token of the application that reads, after its permissions were set.
    pub(crate) async fn with_only(permissions: &[&str]) -> Self {
        let wire = wire(Sandbox::builder()).await;
        let change = json!({"permissions": permissions});
        assert!(wire.sandbox.edit_m365_application("scan", change));
        let own = wire.sandbox.credentials();
        Self::with(wire, &own.m365_scan_client_id, &own.m365_scan_client_secret).await
    }

    async fn with(wire: Wire, id: &str, secret: &str) -> Self {
        let got = wire.entra_token(id, secret, &wire.graph_scope()).await;
        assert_eq!(got.status, 200, "{}", got.text);
        let token = got.json()["access_token"].as_str().unwrap().to_owned();
        Self { wire, token }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}/v1.0{path}", self.wire.sandbox.m365_graph_url())
        };
        self.wire.http.request(method, url).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Value) -> Got {
        let request = self
            .request(method, path)
            .header("content-type", "application/json");
        send(request.body(body.to_string())).await
    }

    /// Every row of a collection, page by page.
    pub(crate) async fn all(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let got = self.get(&path).await;
            assert_eq!(got.status, 200, "{}", got.text);
            let page = got.json();
            rows.extend(page["value"].as_array().unwrap().iter().cloned());
            next = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        rows
    }

    pub(crate) fn rules(&self) -> Vec<String> {
        self.wire.rules()
    }
}

pub(crate) fn code(got: &Got) -> String {
    got.json()["error"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn another_process_can_change_the_tenant_over_http() {
    let graph = Graph::scan().await;
    let control =
        async |method, path: &str, body| graph.wire.control(method, path, body).await.status;
    let change = json!({"permissions": ["Policy.Read.All"], "standing": "disabled"});
    assert_eq!(
        control(Method::PATCH, "/m365/applications/scan", change).await,
        200
    );
    assert_eq!(
        control(Method::PATCH, "/m365/applications/none", json!({})).await,
        404
    );
    let leaked = graph.wire.sandbox.planted().m365.leaked.id;
    let path = format!("/m365/users/{leaked}");
    assert_eq!(
        control(Method::PATCH, &path, json!({"enabled": false})).await,
        200
    );
    assert_eq!(
        control(Method::PUT, "/m365/documents/riskyUsers", json!([])).await,
        200
    );
    assert_eq!(
        control(Method::PUT, "/m365/documents/riskyUsers", json!({})).await,
        404
    );
    assert_eq!(
        control(Method::POST, "/m365/settings", json!({"plans": []})).await,
        200
    );
    let pair = graph
        .wire
        .control(Method::GET, "/m365/certificate", json!({}))
        .await
        .json();
    assert!(
        pair["private_key"]
            .as_str()
            .unwrap()
            .starts_with("-----BEGIN PRIVATE KEY-----")
    );
    assert_eq!(
        graph.get("/identityProtection/riskyUsers").await.status,
        403
    );
    assert_eq!(graph.wire.sandbox.transitions().len(), 1);
    graph.wire.sandbox.reset();
    assert!(graph.wire.sandbox.transitions().is_empty());
}
