use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::*;
use crate::clock::Clock as _;
use crate::error::{ErrorKind, Retry};
use crate::http::HttpClient;
use crate::secret::{ExposeSecret as _, SecretRef};
use crate::testing::{Expectation, TestContext, context, impatient_context, op};

const BASE: &str = "https://vendor.example";

fn bare(test: &TestContext) -> HttpClient {
    HttpClient::builder(&test.context, BASE).unwrap().build()
}

fn credentials(test: &TestContext) -> ClientCredentials {
    test.secrets.set_env("SECRET", "canary-secret");
    let secret = SecretRef::env("SECRET");
    ClientCredentials::new(bare(test), "vendor.token", "/token", "id", secret)
}

fn client(test: &TestContext, source: impl TokenSource) -> HttpClient {
    let builder = HttpClient::builder(&test.context, BASE).unwrap();
    builder.auth(Arc::new(source)).build()
}

fn token_request() -> Expectation {
    Expectation::new(Method::POST, "/token").body("grant_type=client_credentials")
}

fn token(name: &str) -> Value {
    json!({"access_token": name, "token_type": "bearer", "expires_in": 900})
}

fn with_token(name: &str) -> Expectation {
    Expectation::new(Method::GET, "/x").header("authorization", &format!("Bearer {name}"))
}

async fn get(client: &HttpClient) -> Result<crate::http::Answer> {
    client
        .request(Method::GET, "vendor.get", "/x")
        .send(&op())
        .await
}

#[tokio::test]
async fn a_token_is_asked_for_with_basic_and_used_until_four_fifths_of_its_life() {
    let test = impatient_context();
    let basic = format!("Basic {}", STANDARD.encode("id:canary-secret"));
    let asked = token_request().header("authorization", &basic);
    test.transport
        .expect(asked.clone().answer(200, &token("t1")));
    test.transport.expect(with_token("t1").times(2));
    test.transport.expect(asked.answer(200, &token("t2")));
    test.transport.expect(with_token("t2"));
    let client = client(&test, credentials(&test));
    get(&client).await.unwrap();
    test.clock.sleep(Duration::from_secs(719)).await;
    get(&client).await.unwrap();
    test.clock.sleep(Duration::from_secs(1)).await;
    get(&client).await.unwrap();
    test.transport.assert_done();
}

/// Signs without a key.
#[derive(Debug)]
struct Statement;

#[async_trait]
impl Assertion for Statement {
    async fn sign(&self) -> Result<crate::secret::SecretString> {
        Ok("signed".into())
    }
}

#[tokio::test]
async fn a_statement_that_is_the_grant_itself_stands_alone_in_the_form() {
    let test = impatient_context();
    test.transport.expect(
        Expectation::new(Method::POST, "/token")
            .body(
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=signed",
            )
            .answer(200, &token("t")),
    );
    test.transport.expect(with_token("t"));
    let proof = ClientProof::Grant(Arc::new(Statement));
    let source = ClientCredentials::with_proof(bare(&test), "vendor.token", "/token", "id", proof);
    get(&client(&test, source.scope("ignored"))).await.unwrap();
    test.transport.assert_done();
}

#[tokio::test]
async fn the_scope_is_sent_where_one_is_set() {
    let test = impatient_context();
    test.transport.expect(
        Expectation::new(Method::POST, "/token")
            .body("grant_type=client_credentials&scope=openid")
            .answer(200, &token("t")),
    );
    test.transport.expect(with_token("t"));
    get(&client(&test, credentials(&test).scope("openid")))
        .await
        .unwrap();
}

#[tokio::test]
async fn id_and_secret_are_form_encoded_so_that_colons_and_umlauts_arrive() {
    for (encoding, id, pair) in [
        (
            CredentialEncoding::FormEncoded,
            "a:b",
            "a%3Ab:p%C3%A4+s%25%2B",
        ),
        (CredentialEncoding::Plain, "a-b", "a-b:pä s%+"),
    ] {
        let test = impatient_context();
        test.secrets.set_env("SECRET", "pä s%+");
        let secret = SecretRef::env("SECRET");
        let source = ClientCredentials::new(bare(&test), "vendor.token", "/token", id, secret);
        let basic = source.encoding(encoding).basic().await.unwrap();
        let expected = format!("Basic {}", STANDARD.encode(pair));
        assert_eq!(basic.expose_secret(), expected);
    }
}

#[tokio::test]
async fn a_plain_id_with_a_colon_is_a_wrong_configuration() {
    let test = impatient_context();
    test.secrets.set_env("SECRET", "s");
    let secret = SecretRef::env("SECRET");
    let source = ClientCredentials::new(bare(&test), "vendor.token", "/token", "a:b", secret);
    let error = source
        .encoding(CredentialEncoding::Plain)
        .basic()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
}

#[tokio::test]
async fn fifty_callers_share_one_token_request() {
    let test = context();
    test.transport.expect(
        token_request()
            .after(Duration::from_secs(2))
            .answer(200, &token("t")),
    );
    test.transport.expect(with_token("t").times(50));
    let client = client(&test, credentials(&test));
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { get(&client).await })
        })
        .collect();
    test.clock.advance(Duration::from_secs(3)).await;
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    test.transport.assert_done();
}

#[tokio::test]
async fn f14_fifty_callers_with_a_revoked_token_share_one_refresh_and_each_tries_once_more() {
    let test = context();
    test.transport
        .expect(token_request().answer(200, &token("old")));
    test.transport
        .expect(with_token("old").times(50).answer(401, &Value::Null));
    test.transport.expect(
        token_request()
            .after(Duration::from_secs(1))
            .answer(200, &token("new")),
    );
    test.transport.expect(with_token("new").times(50));
    let client = client(&test, credentials(&test));
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { get(&client).await })
        })
        .collect();
    test.clock.advance(Duration::from_secs(2)).await;
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    test.transport.assert_done();
}

#[tokio::test]
async fn a_second_401_is_final() {
    let test = impatient_context();
    test.transport
        .expect(token_request().times(2).answer(200, &token("t")));
    test.transport
        .expect(with_token("t").times(2).answer(401, &Value::Null));
    let error = get(&client(&test, credentials(&test))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert_eq!(error.retry(), Retry::Permanent);
    test.transport.assert_done();
}

#[tokio::test]
async fn f15_a_403_asks_for_no_new_token() {
    let test = impatient_context();
    test.transport
        .expect(token_request().answer(200, &token("t")));
    test.transport
        .expect(with_token("t").answer(403, &Value::Null));
    let error = get(&client(&test, credentials(&test))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    test.transport.assert_done();
}

#[tokio::test]
async fn f16_a_token_that_ends_between_two_pages_is_replaced_unseen() {
    let test = impatient_context();
    test.transport
        .expect(token_request().answer(200, &token("t1")));
    test.transport.expect(with_token("t1"));
    test.transport
        .expect(token_request().answer(200, &token("t2")));
    test.transport.expect(with_token("t2"));
    let client = client(&test, credentials(&test));
    get(&client).await.unwrap();
    test.clock.sleep(Duration::from_hours(1)).await;
    get(&client).await.unwrap();
    test.transport.assert_done();
}

#[tokio::test]
async fn callers_with_a_wrong_secret_ask_the_vendor_once() {
    let test = context();
    test.transport
        .expect(token_request().after(Duration::from_secs(1)).answer(
            401,
            &json!({"error": "invalid_client", "error_description": "canary"}),
        ));
    let client = client(&test, credentials(&test));
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { get(&client).await })
        })
        .collect();
    test.clock.advance(Duration::from_secs(2)).await;
    for task in tasks {
        let error = task.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        assert_eq!(error.operation(), "vendor.token");
        assert!(error.to_string().contains("invalid_client"));
        assert!(!format!("{error:?}").contains("canary"));
    }
    assert_eq!(test.transport.requests().len(), 1);
}

#[tokio::test]
async fn a_failing_early_renewal_leaves_the_old_token_in_use() {
    let test = impatient_context();
    test.transport
        .expect(token_request().answer(200, &token("t")));
    test.transport.expect(with_token("t").times(2));
    test.transport
        .expect(token_request().times(4).answer(503, &Value::Null));
    let client = client(&test, credentials(&test));
    get(&client).await.unwrap();
    test.clock.sleep(Duration::from_secs(800)).await;
    get(&client).await.unwrap();
    test.transport.assert_done();
}

#[tokio::test]
async fn a_caller_who_gives_up_while_fetching_lets_the_next_one_fetch() {
    let test = context();
    test.transport.expect(token_request().never());
    test.transport
        .expect(token_request().answer(200, &token("t")));
    test.transport.expect(with_token("t"));
    let client = client(&test, credentials(&test));
    let spawn = || {
        let client = client.clone();
        tokio::spawn(async move { get(&client).await })
    };
    let first = spawn();
    let second = spawn();
    test.clock.advance(Duration::ZERO).await;
    first.abort();
    test.clock.advance(Duration::ZERO).await;
    second.await.unwrap().unwrap();
    test.transport.assert_done();
}

#[tokio::test]
async fn a_caller_waits_for_somebody_elses_token_only_until_its_deadline() {
    let test = context();
    test.transport.expect(token_request().never());
    let client = client(&test, credentials(&test));
    let first = client.clone();
    let first = tokio::spawn(async move { get(&first).await });
    test.clock.advance(Duration::ZERO).await;
    let second = tokio::spawn(async move {
        let cx = op().with_deadline(Duration::from_secs(3));
        client
            .request(Method::GET, "vendor.get", "/x")
            .send(&cx)
            .await
    });
    test.clock.advance(Duration::from_secs(3)).await;
    assert_eq!(
        second.await.unwrap().unwrap_err().kind(),
        ErrorKind::Timeout
    );
    first.abort();
}

#[tokio::test]
async fn token_answers_are_read_leniently_and_checked() {
    for (answer, good) in [
        (json!({"access_token": "t"}), true),
        (
            json!({"access_token": "t", "expires_in": "900", "token_type": "BEARER"}),
            true,
        ),
        (json!({"access_token": "t", "expires_in": null}), true),
        (json!({"access_token": ""}), false),
        (json!({"access_token": "canary\r\nx: y"}), false),
        (
            json!({"access_token": "canary", "token_type": "mac"}),
            false,
        ),
        (json!({"access_token": 7}), false),
        (json!({"token": "canary"}), false),
    ] {
        let test = impatient_context();
        test.transport.expect(token_request().answer(200, &answer));
        test.transport.expect(with_token("t"));
        match get(&client(&test, credentials(&test))).await {
            Ok(_) => assert!(good, "{answer}"),
            Err(error) => {
                assert!(!good, "{answer}: {error}");
                assert!(!format!("{error:?}").contains("canary"), "{error:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_static_header_is_read_when_used_and_again_after_five_minutes() {
    let test = impatient_context();
    let name = http::HeaderName::from_static("hibp-api-key");
    let source = StaticHeader::new(&test.context, name, SecretRef::env("KEY"));
    let client = client(&test, source);
    let error = get(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    for key in ["k1", "k2"] {
        test.secrets.set_env("KEY", key);
        let expected = Expectation::new(Method::GET, "/x").header("hibp-api-key", key);
        test.transport.expect(expected);
        get(&client).await.unwrap();
        test.clock.sleep(Duration::from_mins(5)).await;
    }
    test.transport.assert_done();
}

#[tokio::test]
async fn a_rejected_static_secret_is_read_again_and_tried_again_only_where_it_changed() {
    let test = impatient_context();
    test.secrets.set_env("KEY", "old");
    let client = client(&test, Bearer::new(&test.context, SecretRef::env("KEY")));
    test.transport
        .expect(with_token("old").times(2).answer(401, &Value::Null));
    let error = get(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert_eq!(test.transport.requests().len(), 1);
    test.secrets.set_env("KEY", "new");
    test.transport.expect(with_token("new"));
    get(&client).await.unwrap();
    test.transport.assert_done();
}

#[tokio::test]
async fn an_unauthenticated_request_carries_nothing() {
    let test = impatient_context();
    test.transport
        .expect(Expectation::new(Method::GET, "/x").without_header("authorization"));
    let client = client(&test, Bearer::new(&test.context, SecretRef::env("KEY")));
    let call = client.request(Method::GET, "vendor.get", "/x");
    call.unauthenticated().send(&op()).await.unwrap();
    test.transport.assert_done();
}

#[tokio::test]
async fn debug_shows_no_secret_and_no_token() {
    let test = impatient_context();
    test.transport
        .expect(token_request().answer(200, &token("canary-token")));
    let source = credentials(&test);
    let mut request = http::Request::new(Bytes::new());
    source.authorize(&op(), &mut request).await.unwrap();
    assert_eq!(source.held_token().unwrap().expose_secret(), "canary-token");
    let shown = format!("{source:?} {request:?} {:?}", test.context);
    assert!(!shown.contains("canary"), "{shown}");
}

/// Gives the same statement each time.
#[derive(Debug)]
struct Signed(&'static str);

#[async_trait]
impl Assertion for Signed {
    async fn sign(&self) -> Result<crate::secret::SecretString> {
        Ok(self.0.into())
    }
}

#[tokio::test]
async fn a_secret_may_stand_in_the_form_instead_of_the_header() {
    let test = impatient_context();
    let form = "grant_type=client_credentials&scope=s&client_id=id&client_secret=canary-secret";
    let asked = Expectation::new(Method::POST, "/token").without_header("authorization");
    test.transport
        .expect(asked.body(form).answer(200, &token("t")));
    test.secrets.set_env("SECRET", "canary-secret");
    let proof = ClientProof::Form(SecretRef::env("SECRET"));
    let source = ClientCredentials::with_proof(bare(&test), "vendor.token", "/token", "id", proof);
    let source = source.scope("s");
    let token = source.token(&op()).await.unwrap();
    assert_eq!(token.expose_secret(), "t");
    test.transport.assert_done();
}

#[tokio::test]
async fn a_signed_statement_stands_in_the_form_with_its_type() {
    let test = impatient_context();
    let form = "grant_type=client_credentials&client_id=id&client_assertion=a.b.c&client_assertion_type=\
                urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    let asked = Expectation::new(Method::POST, "/token").without_header("authorization");
    test.transport
        .expect(asked.body(form).answer(200, &token("t")));
    let proof = ClientProof::Assertion(Arc::new(Signed("a.b.c")));
    let source = ClientCredentials::with_proof(bare(&test), "vendor.token", "/token", "id", proof);
    source.token(&op()).await.unwrap();
    assert!(source.basic().await.is_err());
    test.transport.assert_done();
}
