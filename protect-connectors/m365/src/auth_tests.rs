use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method, StatusCode};
use protect_core::clock::Clock as _;
use protect_core::testing::{Expectation, TestContext, impatient_context, op};
use serde_json::Value;

use super::*;
use crate::config::{Cloud, TenantName};

const APP: &str = "11111111-2222-4333-8444-555555555555";
const TENANT: &str = "99999999-2222-4333-8444-555555555555";

fn place() -> Place {
    Place::of(TenantName::new(TENANT).unwrap(), Cloud::Global)
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

fn refusal(status: u16, body: &Value) -> Error {
    sign_in_error(&ErrorAnswer {
        operation: TOKEN,
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: body.to_string().into(),
    })
}

async fn with_certificate(
    test: &TestContext,
    certificate: &str,
    key: &str,
) -> Result<SecretString> {
    let proof = Proof::Certificate {
        certificate: certificate.into(),
        private_key: key.into(),
    };
    let credential = AppCredential::new(APP, proof).unwrap();
    let tokens = tokens(
        &test.context,
        &place(),
        credential,
        "https://graph.microsoft.com",
    )
    .unwrap();
    tokens.token(&op()).await
}

#[tokio::test]
async fn a_secret_is_sent_in_the_form_for_one_resource_at_the_tenants_endpoint() {
    let test = impatient_context();
    let asked = Expectation::new(Method::POST, &format!("/{TENANT}/oauth2/v2.0/token")).body(format!(
        "grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&client_id={APP}&client_secret=s%2B%26"
    ));
    let answer = json!({"token_type": "Bearer", "expires_in": 3599, "access_token": "t"});
    test.transport.expect(asked.answer(200, &answer));
    let credential = AppCredential::new(APP, Proof::Secret("s+&".into())).unwrap();
    let tokens = tokens(&test.context, &place(), credential, Cloud::Global.graph()).unwrap();
    tokens.token(&op()).await.unwrap();
    assert_eq!(
        test.transport.requests()[0].uri().host(),
        Some("login.microsoftonline.com")
    );
    test.transport.assert_done();
}

#[tokio::test]
async fn a_certificate_signs_a_statement_that_its_key_verifies_and_that_names_it() {
    let test = impatient_context();
    let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).unwrap();
    let certificate = b"any bytes stand for a certificate here";
    let answer = json!({"token_type": "Bearer", "expires_in": 3599, "access_token": "t"});
    let asked = Expectation::new(Method::POST, &format!("/{TENANT}/oauth2/v2.0/token"));
    test.transport.expect(asked.any_body().answer(200, &answer));
    let (certificate_pem, key_pem) = (
        pem("CERTIFICATE", certificate),
        pem("PRIVATE KEY", pkcs8.as_ref()),
    );
    with_certificate(&test, &certificate_pem, &key_pem)
        .await
        .unwrap();

    let body = test.transport.requests()[0].body().clone();
    let form: std::collections::BTreeMap<_, _> =
        url::form_urlencoded::parse(&body).into_owned().collect();
    let statement = &form["client_assertion"];
    let (signed, signature) = statement.rsplit_once('.').unwrap();
    let public = AsDer::<PublicKeyX509Der<'_>>::as_der(key.public_key()).unwrap();
    UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public.as_ref())
        .verify(
            signed.as_bytes(),
            &URL_SAFE_NO_PAD.decode(signature).unwrap(),
        )
        .unwrap();
    let part = |at: usize| -> Value {
        let text = statement.split('.').nth(at).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    assert_eq!(part(0)["alg"], "PS256");
    let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(certificate));
    assert_eq!(part(0)["x5t#S256"], Value::from(thumbprint));
    let claims = part(1);
    assert_eq!(
        claims["aud"],
        format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token")
    );
    assert_eq!((&claims["iss"], &claims["sub"]), (&APP.into(), &APP.into()));
    let now = test.clock.now().as_second();
    assert_eq!(claims["nbf"], now);
    assert!(
        Duration::from_secs(claims["exp"].as_u64().unwrap())
            > Duration::from_secs(now.unsigned_abs())
    );
}

#[tokio::test]
async fn a_key_that_is_none_is_an_error_of_the_configuration_that_shows_nothing_of_it() {
    let test = impatient_context();
    let certificate = pem("CERTIFICATE", b"x");
    for key in ["canary-key", &pem("PRIVATE KEY", b"canary-key"), ""] {
        let error = with_certificate(&test, &certificate, key)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{error}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
    let error = with_certificate(&test, "no certificate", "")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[test]
fn the_refusals_of_the_sign_in_service_are_told_apart_and_say_what_to_do_next() {
    use ErrorKind as Kind;
    let table = [
        (7_000_215, Kind::Unauthenticated, "secret's value"),
        (7_000_222, Kind::Unauthenticated, "expired"),
        (700_016, Kind::ConfigInvalid, "consent"),
        (65_001, Kind::PermissionDenied, "consented"),
        (7_000_112, Kind::ConfigInvalid, "disabled"),
        (90_002, Kind::ConfigInvalid, "`tenant_id`"),
        (90_038, Kind::ConfigInvalid, "`cloud`"),
        (700_024, Kind::Unauthenticated, "clock"),
        (700_027, Kind::Unauthenticated, "upload"),
        (53_003, Kind::PermissionDenied, "Conditional Access"),
        (90_033, Kind::Unavailable, "trouble"),
    ];
    for (code, kind, words) in table {
        let error = refusal(
            401,
            &json!({"error": "invalid_client", "error_codes": [code], "error_description": "AADSTS: canary",
                    "correlation_id": APP, "trace_id": "t"}),
        );
        assert_eq!(error.kind(), kind, "{code}");
        assert!(error.message().contains(words), "{code}: {error}");
        assert_eq!(error.is_retryable(), kind == Kind::Unavailable, "{code}");
        let shown = format!("{error:?}");
        assert!(
            shown.contains(&code.to_string()) && shown.contains(APP),
            "{shown}"
        );
        assert!(!shown.contains("canary"), "{shown}");
    }
}

#[test]
fn an_unknown_refusal_is_told_by_its_word_and_then_by_its_status() {
    use ErrorKind as Kind;
    let of = |status, body: Value| refusal(status, &body).kind();
    assert_eq!(
        of(400, json!({"error": "invalid_client", "error_codes": [1]})),
        Kind::Unauthenticated
    );
    assert_eq!(
        of(400, json!({"error": "unauthorized_client"})),
        Kind::PermissionDenied
    );
    assert_eq!(
        of(400, json!({"error": "invalid_scope"})),
        Kind::ConfigInvalid
    );
    assert!(refusal(503, &json!({"error": "temporarily_unavailable"})).is_retryable());
    assert!(refusal(503, &json!("no object")).is_retryable());
    assert_eq!(
        of(401, json!({"error_codes": "no list"})),
        Kind::Unauthenticated
    );
}

#[test]
fn the_permissions_of_a_token_are_read_where_it_can_be_read() {
    let token =
        |claims: &str| SecretString::from(format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims)));
    let read = roles(&token(
        r#"{"roles":["Policy.Read.All","Directory.Read.All"]}"#,
    ))
    .unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(roles(&token("{}")), Some(BTreeSet::new()));
    assert_eq!(roles(&token("no JSON")), None);
    assert_eq!(roles(&"opaque".into()), None);
}
