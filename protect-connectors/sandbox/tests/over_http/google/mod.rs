//! Google Workspace over HTTP: each rule once.

mod faults;
mod login;
mod logs;
mod policies;
mod reading;
mod writing;

use crate::support::{Got, Wire, encoded, form, send, signed, wire};
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use protect_sandbox::{Sandbox, SandboxBuilder};
use reqwest::Method;
use serde_json::{Value, json};

pub(crate) const SCOPE: &str = "https://www.googleapis.com/auth/";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A sandbox with a token of one of its service accounts.
pub(crate) struct Google {
    pub(crate) wire: Wire,
    pub(crate) token: String,
}

/// An assertion as a client would make it, and the means to make it wrongly.
#[derive(Clone)]
pub(crate) struct Assertion {
    pub(crate) key: Value,
    pub(crate) header: Value,
    pub(crate) claims: Value,
}

impl Assertion {
    pub(crate) fn of(wire: &Wire, key: &str, scopes: &[&str]) -> Self {
        let key: Value = serde_json::from_str(key).unwrap();
        let now = wire.sandbox.now().as_second();
        let scopes: Vec<String> = scopes.iter().map(|it| format!("{SCOPE}{it}")).collect();
        Self {
            header: json!({"alg": "RS256", "typ": "JWT", "kid": key["private_key_id"]}),
            claims: json!({
                "iss": key["client_email"],
                "sub": wire.sandbox.credentials().google_subject,
                "scope": scopes.join(" "),
                "aud": key["token_uri"],
                "iat": now,
                "exp": now + 3600,
            }),
            key,
        }
    }

    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    pub(crate) fn text(&self) -> String {
        let key = self.key["private_key"].as_str().unwrap();
        signed(key, &RSA_PKCS1_SHA256, &self.header, &self.claims)
    }
}

impl Wire {
    pub(crate) async fn google_token(&self, assertion: &Assertion) -> Got {
        let jwt = assertion.text();
        let fields = [("grant_type", GRANT), ("assertion", jwt.as_str())];
        let request = self.http.post(self.sandbox.google_token_url());
        send(form(request, &fields)).await
    }
}

impl Google {
    /// With everything that reads.
    pub(crate) async fn scan() -> Self {
        Self::scanning(Sandbox::builder()).await
    }

    pub(crate) async fn scanning(builder: SandboxBuilder) -> Self {
        let wire = wire(builder).await;
        Self::reading(
            wire,
            &[
                "admin.directory.user.readonly",
                "admin.directory.domain.readonly",
                "admin.directory.customer.readonly",
                "admin.directory.group.readonly",
                "admin.directory.orgunit.readonly",
                "admin.directory.rolemanagement.readonly",
                "admin.reports.audit.readonly",
            ],
        )
        .await
    }

    pub(crate) async fn reading(wire: Wire, scopes: &[&str]) -> Self {
        let key = wire.sandbox.credentials().google_scan_key;
        let assertion = Assertion::of(&wire, &key, scopes);
        Self::with(wire, &assertion).await
    }

    /// With everything that changes.
    pub(crate) async fn respond() -> Self {
        let wire = wire(Sandbox::builder()).await;
        let key = wire.sandbox.credentials().google_respond_key;
        let scopes = [
            "admin.directory.user",
            "admin.directory.user.security",
            "admin.directory.rolemanagement",
        ];
        let assertion = Assertion::of(&wire, &key, &scopes);
        Self::with(wire, &assertion).await
    }

    pub(crate) async fn with(wire: Wire, assertion: &Assertion) -> Self {
        let got = wire.google_token(assertion).await;
        assert_eq!(got.status, 200, "{}", got.text);
        let token = got.json()["access_token"].as_str().unwrap().to_owned();
        Self { wire, token }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.wire.sandbox.google_api_url());
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

    /// Every row of a list, page by page.
    pub(crate) async fn all(&self, path: &str, list: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(page) = next {
            let got = self.get(&page).await;
            assert_eq!(got.status, 200, "{}", got.text);
            let body = got.json();
            rows.extend(body[list].as_array().into_iter().flatten().cloned());
            next = body["nextPageToken"]
                .as_str()
                .map(|token| following(path, token));
        }
        rows
    }

    pub(crate) fn rules(&self) -> Vec<String> {
        self.wire.rules()
    }
}

/// The request for the page of this token.
pub(crate) fn following(path: &str, token: &str) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    format!("{path}{joint}pageToken={}", encoded(token))
}

/// Status and reason of an error in the older form.
pub(crate) fn reason(got: &Got) -> (u16, String) {
    let body = got.json();
    let reason = body["error"]["errors"][0]["reason"].as_str();
    assert_eq!(body["error"]["code"], got.status);
    (got.status, reason.unwrap_or_default().to_owned())
}
