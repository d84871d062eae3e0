use ::http::Method;
use serde_json::json;

use super::*;
use crate::error::ErrorKind;
use crate::http::UrlPolicy;
use crate::testing::{Expectation, TestContext, impatient_context, op};

fn client(test: &TestContext, base: &str) -> HttpClient {
    HttpClient::builder(&test.context, base).unwrap().build()
}

#[tokio::test]
async fn path_query_headers_and_body_arrive_as_given() {
    let test = impatient_context();
    test.transport.expect(
        Expectation::new(
            Method::POST,
            "/api/v3/a/x%2By%40b.example/u%2F..%2Fv:suspend",
        )
        .query("filter", "a b&c=d+é")
        .query("filter", "2")
        .header("user-agent", "protect-test/0")
        .header("accept", "application/json")
        .header("content-type", "application/json")
        .header("x-key", "s3cret")
        .json(json!({"a": 1})),
    );
    client(&test, "https://vendor.example/api/v3")
        .request(Method::POST, "vendor.call", "/a/{account}/{user}:suspend")
        .path("user", "u/../v")
        .path("account", "x+y@b.example")
        .query("filter", "a b&c=d+é")
        .query("filter", "2")
        .secret_header("x-key", &SecretString::from("s3cret"))
        .json(&json!({"a": 1}))
        .unwrap()
        .send(&op())
        .await
        .unwrap();
    test.transport.assert_done();
}

#[tokio::test]
async fn a_form_is_form_encoded() {
    let test = impatient_context();
    test.transport.expect(
        Expectation::new(Method::POST, "/f")
            .header("content-type", "application/x-www-form-urlencoded")
            .body("a=b+c&d=%26"),
    );
    client(&test, "https://vendor.example")
        .request(Method::POST, "vendor.form", "/f")
        .form(&[("a", "b c"), ("d", "&")])
        .send(&op())
        .await
        .unwrap();
    test.transport.assert_done();
}

#[tokio::test]
async fn values_that_would_name_another_path_are_refused_before_sending() {
    let test = impatient_context();
    for value in ["", ".", ".."] {
        let error = client(&test, "https://vendor.example")
            .request(Method::GET, "vendor.get", "/users/{user}/keys")
            .path("user", value)
            .send(&op())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.operation(), "vendor.get");
    }
    assert!(test.transport.requests().is_empty());
}

#[tokio::test]
async fn a_template_and_its_values_must_agree() {
    let test = impatient_context();
    let client = client(&test, "https://vendor.example");
    let missing = client
        .request(Method::GET, "vendor.get", "/{a}/{b}")
        .path("a", "1");
    let extra = client
        .request(Method::GET, "vendor.get", "/{a}")
        .path("a", "1")
        .path("b", "2");
    for request in [missing, extra] {
        assert_eq!(
            request.send(&op()).await.unwrap_err().kind(),
            ErrorKind::Unexpected
        );
    }
}

#[tokio::test]
async fn a_header_that_would_smuggle_another_is_refused_without_showing_it() {
    let test = impatient_context();
    let error = client(&test, "https://vendor.example")
        .request(Method::GET, "vendor.get", "/")
        .secret_header("x-key", &SecretString::from("canary\r\nx-evil: 1"))
        .send(&op())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(!format!("{error:?}").contains("canary"));
}

#[test]
fn a_base_url_is_https_or_loopback_and_bare() {
    let test = impatient_context();
    for good in [
        "https://api.vendor.example",
        "https://vendor.example:8443/api/v3",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://localhost:8080/api",
    ] {
        assert!(HttpClient::builder(&test.context, good).is_ok(), "{good}");
    }
    for bad in [
        "http://vendor.example",
        "http://127.0.0.1.vendor.example",
        "https://vendor.example/",
        "https://vendor.example/api/",
        "https://me:canary@vendor.example",
        "https://vendor.example?key=canary",
        "https://vendor.example#canary",
        "ftp://vendor.example",
        "vendor.example",
        "",
    ] {
        let error = HttpClient::builder(&test.context, bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{bad}");
        assert!(!format!("{error:?}").contains("canary"), "{bad}");
    }
}

#[tokio::test]
async fn the_transport_is_told_the_cap_and_the_policy() {
    let test = impatient_context();
    test.transport.expect(Expectation::new(Method::GET, "/"));
    let policy = UrlPolicy {
        allow_loopback: true,
        ..UrlPolicy::default()
    };
    HttpClient::builder(&test.context, "https://vendor.example")
        .unwrap()
        .max_body(7)
        .url_policy(policy.clone())
        .build()
        .request(Method::GET, "vendor.get", "/")
        .send(&op())
        .await
        .unwrap();
    let request = &test.transport.requests()[0];
    assert_eq!(request.extensions().get(), Some(&crate::http::MaxBody(7)));
    assert_eq!(request.extensions().get(), Some(&policy));
}

#[test]
fn debug_shows_nothing_that_was_filled_in() {
    let test = impatient_context();
    let request = client(&test, "https://vendor.example")
        .request(Method::GET, "vendor.get", "/{a}")
        .path("a", "canary")
        .query("q", "canary")
        .secret_header("x-key", &SecretString::from("canary"))
        .form(&[("f", "canary")]);
    assert!(!format!("{request:?}").contains("canary"));
}

#[tokio::test]
async fn a_link_of_the_vendor_is_followed_as_it_stands_and_only_below_the_base() {
    let test = impatient_context();
    test.transport
        .expect(Expectation::new(Method::GET, "/v1.0/users").query("$skiptoken", "A b"));
    let client = client(&test, "https://vendor.example/v1.0");
    let follow = |link: &str| client.follow("vendor.users", "/users", link);
    let link = "https://VENDOR.example:443/v1.0/users?$skiptoken=A%20b";
    follow(link).unwrap().send(&op()).await.unwrap();
    for elsewhere in [
        "https://vendor.example.evil.example/v1.0/users",
        "http://vendor.example/v1.0/users",
        "https://vendor.example:8443/v1.0/users",
        "https://me@vendor.example/v1.0/users",
        "https://vendor.example/beta/users",
        "https://vendor.example/v1.0/../beta/users",
        "https://vendor.example/v1.0users",
        "/v1.0/users",
        "users",
    ] {
        let error = follow(elsewhere).err().expect(elsewhere);
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{elsewhere}");
        assert!(!error.to_string().contains("evil"), "{error}");
    }
    test.transport.assert_done();
}
