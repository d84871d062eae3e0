//! What goes over the line, byte for byte, against a transport that plays a script.

use protect_core::ErrorKind;
use protect_core::http::Method;
use protect_core::testing::{Expectation, TestContext, impatient_context};
use protect_hibp::{Hibp, Password};
use serde_json::json;

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn client(test: &TestContext) -> Hibp {
    Hibp::builder()
        .api_key(KEY)
        .user_agent("acme-soar/2.1")
        .requests_per_minute(60)
        .build(&test.context)
        .unwrap()
}

fn keyed(method: Method, path: &str) -> Expectation {
    Expectation::new(method, path)
        .header("hibp-api-key", KEY)
        .header("user-agent", "acme-soar/2.1")
}

#[tokio::test]
async fn an_address_is_one_encoded_segment_and_the_answer_is_asked_for_truncated() {
    let test = impatient_context();
    test.transport.expect(
        keyed(
            Method::GET,
            "/api/v3/breachedaccount/user%2Btag%40example.com",
        )
        .query("truncateResponse", "true")
        .answer(200, &json!([{"Name": "Adobe", "Later": 1}])),
    );
    let found = client(&test)
        .breached_account(" user+tag@example.com ")
        .await
        .unwrap();
    assert_eq!(found[0].name.as_str(), "Adobe");
    test.transport.assert_done();
}

#[tokio::test]
async fn a_range_search_sends_six_digits_and_no_more() {
    let test = impatient_context();
    let status = json!({"SubscriptionName": "Pro 1", "Rpm": 500, "IncludesKAnon": true});
    test.transport
        .expect(keyed(Method::GET, "/api/v3/subscription/status").answer(200, &status));
    test.transport.expect(
        keyed(Method::GET, "/api/v3/breachedaccount/range/567159").answer(
            200,
            &json!([
                {"hashSuffix": "D622FFBB50B11B0EFD307BE358624A26EE", "websites": ["Adobe"]},
                {"hashSuffix": "D622FFBB50B11B0EFD307BE358624A26EF", "websites": ["Other"]},
            ]),
        ),
    );
    let found = client(&test)
        .breached_account_range("Test@Example.com")
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].name.as_str(), "Adobe");
    test.transport.assert_done();
}

#[tokio::test]
async fn the_catalogue_is_asked_for_without_the_key() {
    let test = impatient_context();
    test.transport.expect(
        Expectation::new(Method::GET, "/api/v3/breaches")
            .without_header("hibp-api-key")
            .query("Domain", "adobe.com")
            .query("IsSpamList", "false")
            .answer(200, &json!([])),
    );
    test.transport.expect(
        Expectation::new(Method::GET, "/api/v3/breach/db8151dd")
            .without_header("hibp-api-key")
            .answer(404, &json!(null)),
    );
    let client = client(&test);
    let found = client.breaches(Some("adobe.com"), Some(false)).await;
    assert_eq!(found.unwrap(), []);
    assert_eq!(client.breach("db8151dd").await.unwrap(), None);
    test.transport.assert_done();
}

#[tokio::test]
async fn a_password_check_sends_five_digits_asks_for_padding_and_carries_no_key() {
    let test = impatient_context();
    test.transport.expect(
        Expectation::new(Method::GET, "/range/5BAA6")
            .without_header("hibp-api-key")
            .header("add-padding", "true")
            .answer_bytes(
                200,
                "text/plain",
                "1E4C9B93F3F0682250B6CF8331B7EE68FD8:7\r\n",
            ),
    );
    test.transport.expect(
        Expectation::new(Method::GET, "/range/8846F")
            .query("mode", "ntlm")
            .header("add-padding", "true")
            .answer_bytes(200, "text/plain", "7EAEE8FB117AD06BDD830B7586C:0\r\n"),
    );
    let client = client(&test);
    let sha1 = client.check_password(Password::from("password")).await;
    assert_eq!(sha1.unwrap(), 7);
    let ntlm = client.check_password_ntlm(Password::from("password")).await;
    assert_eq!(ntlm.unwrap(), 0, "a padding row counts nothing");
    test.transport.assert_done();
}

#[tokio::test]
async fn verification_posts_the_vendors_field_names() {
    let test = impatient_context();
    let status = json!({"Rpm": 500, "IncludesBulkDomainAdd": true});
    test.transport
        .expect(keyed(Method::GET, "/api/v3/subscription/status").answer(200, &status));
    test.transport.expect(
        keyed(Method::POST, "/api/v3/domainverification/generatednstoken")
            .json(json!({"DomainName": "a.example"}))
            .answer(200, &json!({"txtRecordValue": "hibp-verify=dweb_1"})),
    );
    test.transport.expect(
        keyed(Method::POST, "/api/v3/domainverification/sendemail")
            .json(json!({"DomainName": "a.example", "EmailAlias": "security"}))
            .answer_bytes(200, "application/json", ""),
    );
    let client = client(&test);
    let token = client.generate_dns_token("a.example").await.unwrap();
    assert_eq!(token.txt_record_value, "hibp-verify=dweb_1");
    client
        .send_verification_email("a.example", "security")
        .await
        .unwrap();
    test.transport.assert_done();
}

#[tokio::test]
async fn a_call_that_needs_a_key_says_so_without_one() {
    let test = impatient_context();
    let client = Hibp::builder()
        .requests_per_minute(10)
        .build(&test.context)
        .unwrap();
    let error = client.breached_account("a@b.example").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    assert_eq!(test.transport.requests().len(), 0);
}

#[tokio::test]
async fn an_endpoint_that_is_neither_https_nor_loopback_is_refused() {
    let test = impatient_context();
    let error = Hibp::builder()
        .api_url("http://hibp.example/api/v3")
        .build(&test.context)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
}
