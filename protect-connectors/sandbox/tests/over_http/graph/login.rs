//! The Entra token endpoint.

use super::{FORM, Graph, code};
use crate::support::{Got, Wire, send, signed, wire};
use aws_lc_rs::signature;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use protect_sandbox::{ClientCertificate, Sandbox};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn aadsts(got: &Got) -> (u16, u64, String) {
    let body = got.json();
    let code = body["error_codes"][0].as_u64().unwrap();
    assert!(
        body["error_description"]
            .as_str()
            .unwrap()
            .starts_with(&format!("AADSTS{code}: "))
    );
    for name in ["timestamp", "trace_id", "correlation_id"] {
        assert!(body[name].is_string(), "{name}");
    }
    (got.status, code, body["error"].as_str().unwrap().to_owned())
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_names_tenant_application_and_what_was_granted() {
    let graph = Graph::scan().await;
    let own = graph.wire.sandbox.credentials();
    let claims = claims(&graph.token);
    assert_eq!(claims["tid"], own.m365_tenant_id.as_str());
    assert_eq!(claims["appid"], own.m365_scan_client_id.as_str());
    assert!(claims["oid"].is_string());
    let roles = claims["roles"].as_array().unwrap();
    assert!(roles.contains(&json!("Directory.Read.All")));
    assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() == 3599);
    assert!(graph.rules().is_empty());
}

#[tokio::test]
async fn the_tenant_may_be_named_by_domain_and_the_client_by_basic() {
    let wire = wire(Sandbox::builder()).await;
    let own = wire.sandbox.credentials();
    let url = format!(
        "{}/acme.example/oauth2/v2.0/token",
        wire.sandbox.m365_login_url()
    );
    let form = "grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default";
    let secret = super::encoded(&own.m365_scan_client_secret);
    let request = wire
        .http
        .post(url)
        .basic_auth(own.m365_scan_client_id, Some(secret))
        .header("content-type", FORM);
    assert_eq!(send(request.body(form)).await.status, 200);
    assert!(wire.rules().is_empty());
}

#[tokio::test]
async fn each_mistake_has_its_code_of_aadsts() {
    let wire = wire(Sandbox::builder()).await;
    let own = wire.sandbox.credentials();
    let scope = wire.graph_scope();
    let (id, secret) = (
        own.m365_scan_client_id.as_str(),
        own.m365_scan_client_secret.as_str(),
    );
    let many = format!("{scope} https://vault.azure.net/.default");
    let unknown = "7f0c1f6e-0000-4000-8000-000000000000";
    let cases = [
        (
            (id, "wrong", scope.as_str()),
            (401, 7_000_215, "invalid_client"),
        ),
        (
            (unknown, secret, &scope),
            (400, 700_016, "unauthorized_client"),
        ),
        ((id, secret, "User.Read"), (400, 70_011, "invalid_scope")),
        ((id, secret, &many), (400, 700_022, "invalid_scope")),
        (
            (id, secret, "https://other.example/.default"),
            (400, 500_011, "invalid_resource"),
        ),
    ];
    for ((id, secret, scope), (status, code, error)) in cases {
        let got = wire.entra_token(id, secret, scope).await;
        assert_eq!(aadsts(&got), (status, code, error.to_owned()));
    }
    assert_eq!(wire.rules().len(), 5);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", id),
        ("client_secret", secret),
        ("scope", scope.as_str()),
    ];
    for (tenant, code) in [("nobody.example", 90_002), ("common", 9_001_023)] {
        assert_eq!(aadsts(&wire.entra(tenant, &form).await).1, code);
    }
    let bare = [
        ("grant_type", "client_credentials"),
        ("client_id", id),
        ("scope", &scope),
    ];
    assert_eq!(
        aadsts(&wire.entra(&own.m365_tenant_id, &bare).await).1,
        7_000_218
    );
    let password = [
        ("grant_type", "password"),
        ("client_id", id),
        ("scope", &scope),
    ];
    let got = wire.entra(&own.m365_tenant_id, &password).await;
    assert_eq!(
        aadsts(&got),
        (400, 70_003, "unsupported_grant_type".to_owned())
    );
}

#[tokio::test]
async fn what_a_client_cannot_know_is_refused_without_a_violation() {
    let wire = wire(Sandbox::builder()).await;
    let own = wire.sandbox.credentials();
    let cases = [
        ("no_consent", (400, 700_016, "unauthorized_client")),
        ("disabled", (400, 7_000_112, "unauthorized_client")),
        ("secret_expired", (401, 7_000_222, "invalid_client")),
        ("blocked", (400, 53_003, "invalid_grant")),
    ];
    for (standing, (status, code, error)) in cases {
        let change = json!({"standing": standing});
        assert!(wire.sandbox.edit_m365_application("scan", change));
        let got = wire
            .entra_token(
                &own.m365_scan_client_id,
                &own.m365_scan_client_secret,
                &wire.graph_scope(),
            )
            .await;
        assert_eq!(aadsts(&got), (status, code, error.to_owned()));
    }
    assert!(wire.rules().is_empty());
}

#[tokio::test]
async fn a_token_ends_and_a_foreign_one_never_begins() {
    let graph = Graph::scan().await;
    graph
        .wire
        .sandbox
        .advance_clock(SignedDuration::from_secs(3599));
    let got = graph.get("/organization").await;
    assert_eq!(
        (got.status, code(&got)),
        (401, "InvalidAuthenticationToken".to_owned())
    );
    assert!(graph.rules().is_empty());
    let url = format!("{}/v1.0/organization", graph.wire.sandbox.m365_graph_url());
    assert_eq!(
        send(graph.wire.http.get(&url).bearer_auth("x"))
            .await
            .status,
        401
    );
    assert_eq!(send(graph.wire.http.get(&url)).await.status, 401);
    assert_eq!(graph.rules(), ["bearer_unknown", "bearer_missing"]);
}

/// An assertion as a client would make it, and the means to make it wrongly.
struct Assertion {
    pair: ClientCertificate,
    header: Value,
    claims: Value,
    padding: &'static dyn signature::RsaEncoding,
}

impl Assertion {
    fn of(wire: &Wire) -> Self {
        let own = wire.sandbox.credentials();
        let pair = wire.sandbox.m365_certificate();
        let der = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
        let now = wire.sandbox.now().as_second();
        let audience = format!(
            "{}/{}/oauth2/v2.0/token",
            wire.sandbox.m365_login_url(),
            own.m365_tenant_id
        );
        Self {
            header: json!({
                "alg": "PS256", "typ": "JWT",
                "x5t#S256": URL_SAFE_NO_PAD.encode(Sha256::digest(&der)),
            }),
            claims: json!({
                "aud": audience, "iss": own.m365_scan_client_id, "sub": own.m365_scan_client_id,
                "jti": format!("jti-{now}-{}", rand()), "nbf": now, "iat": now, "exp": now + 300,
            }),
            padding: &signature::RSA_PSS_SHA256,
            pair,
        }
    }

    fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    fn text(&self) -> String {
        signed(
            &self.pair.private_key,
            self.padding,
            &self.header,
            &self.claims,
        )
    }
}

fn rand() -> u64 {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    u64::from_be_bytes(bytes)
}

impl Wire {
    async fn assert(&self, jwt: &str) -> Got {
        let own = self.sandbox.credentials();
        let scope = self.graph_scope();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", own.m365_scan_client_id.as_str()),
            ("client_assertion_type", ASSERTION),
            ("client_assertion", jwt),
            ("scope", &scope),
        ];
        self.entra(&own.m365_tenant_id, &form).await
    }
}

#[tokio::test]
async fn an_assertion_signed_with_the_registered_certificate_opens_in_both_forms() {
    let wire = wire(Sandbox::builder()).await;
    let new = Assertion::of(&wire);
    assert_eq!(wire.assert(&new.text()).await.status, 200);
    let mut old = Assertion::of(&wire);
    let der = CertificateDer::from_pem_slice(old.pair.certificate.as_bytes()).unwrap();
    old.header = json!({
        "alg": "RS256", "typ": "JWT", "x5t": URL_SAFE_NO_PAD.encode(Sha1::digest(&der)),
    });
    old.padding = &signature::RSA_PKCS1_SHA256;
    assert_eq!(wire.assert(&old.text()).await.status, 200);
    assert!(wire.rules().is_empty());
    let again = wire.assert(&new.text()).await;
    assert_eq!(aadsts(&again).1, 50_013);
}

#[tokio::test]
async fn a_wrong_assertion_is_refused_with_what_is_wrong() {
    let wire = wire(Sandbox::builder()).await;
    let now = wire.sandbox.now().as_second();
    let cases = [
        (
            Assertion::of(&wire).claim("aud", "https://elsewhere.example"),
            50_013,
        ),
        (Assertion::of(&wire).claim("sub", "somebody"), 50_013),
        (Assertion::of(&wire).claim("jti", Value::Null), 50_013),
        (Assertion::of(&wire).header("x5t#S256", "AAAA"), 700_027),
        (Assertion::of(&wire).header("alg", "RS256"), 700_027),
        (Assertion::of(&wire).header("alg", "none"), 700_027),
        (
            Assertion::of(&wire)
                .claim("exp", now - 301)
                .claim("nbf", now - 700),
            700_024,
        ),
        (
            Assertion::of(&wire)
                .claim("nbf", now + 400)
                .claim("exp", now + 700),
            700_024,
        ),
    ];
    for (assertion, code) in cases {
        let got = wire.assert(&assertion.text()).await;
        let found = aadsts(&got);
        assert_eq!((found.0, found.1), (401, code), "{}", assertion.claims);
    }
    // Clocks differ through nobody's fault; the other six were mistakes.
    assert_eq!(wire.rules(), ["client_assertion"; 6]);
    assert_eq!(aadsts(&wire.assert("a.b").await).1, 50_013);
}

#[tokio::test]
async fn an_uploaded_certificate_takes_the_place_of_the_built_in_one() {
    let wire = wire(Sandbox::builder()).await;
    assert!(
        !wire
            .sandbox
            .edit_m365_application("scan", json!({"certificates": ["no pem"]}))
    );
    assert!(
        wire.sandbox
            .edit_m365_application("scan", json!({"certificates": []}))
    );
    let jwt = Assertion::of(&wire).text();
    assert_eq!(aadsts(&wire.assert(&jwt).await).1, 700_027);
    let pem = wire.sandbox.m365_certificate().certificate;
    assert!(
        wire.sandbox
            .edit_m365_application("scan", json!({"certificates": [pem]}))
    );
    let jwt = Assertion::of(&wire).text();
    assert_eq!(wire.assert(&jwt).await.status, 200);
}
