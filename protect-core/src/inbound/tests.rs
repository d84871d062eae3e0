use ::http::header::RETRY_AFTER;
use ::http::{Request, StatusCode};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

use super::*;

fn request(uri: &str, body: &str) -> InboundRequest {
    let request = Request::builder()
        .uri(uri)
        .header("x-integration-key", "secret-key");
    InboundRequest::of(
        request
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap(),
    )
}

fn body(answer: &InboundAnswer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

#[test]
fn a_path_matches_segment_by_segment_and_decodes_its_parameters() {
    let route = Route::get("people.policy", "/api/people/policies/{id}");
    let matched = route.matches("/api/people/policies/a%2Fb%20c").unwrap();
    assert_eq!(matched["id"], "a/b c");
    for other in [
        "/api/people/policies",
        "/api/people/policies/",
        "/api/people/policies/1/2",
        "/api/people/policies/%ff",
        "/API/people/policies/1",
        "api/people/policies/1",
        "",
    ] {
        assert_eq!(route.matches(other), None, "{other}");
    }
}

#[test]
fn the_query_gives_text_numbers_and_lists() {
    let asked = request(
        "/x?tenantId=a%20b&limit=5&status=approved,%20pending,&from=",
        "",
    );
    assert_eq!(asked.query("tenantId"), Some("a b"));
    assert_eq!(asked.query_as::<u32>("limit").unwrap(), Some(5));
    assert_eq!(asked.query_as::<u32>("from").unwrap(), None);
    assert_eq!(asked.list("status"), ["approved", "pending"]);
    let error = request("/x?limit=many", "")
        .query_as::<u32>("limit")
        .unwrap_err();
    assert_eq!(
        body(&refusal(&error))["details"]["fields"]["limit"],
        error.message()
    );
}

#[test]
fn a_body_that_is_wrong_is_refused_by_member_and_without_its_value() {
    #[derive(Debug, Deserialize)]
    struct Wanted {
        #[expect(dead_code, reason = "only read")]
        acknowledged_at: jiff::Timestamp,
    }
    for (text, field, message) in [
        (
            r#"{"acknowledged_at":"hunter2"}"#,
            "acknowledged_at",
            "is not what it must be",
        ),
        (
            r#"{"acknowledged_at":{"x":"hunter2"}}"#,
            "acknowledged_at",
            "is not what it must be",
        ),
        ("{}", ".", "missing field `acknowledged_at`"),
    ] {
        let error = request("/x", text).json::<Wanted>().unwrap_err();
        let answer = refusal(&error);
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(body(&answer)["code"], "VALIDATION_ERROR");
        assert_eq!(body(&answer)["details"]["fields"][field], message);
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let error = request("/x", "hunter2").json::<Wanted>().unwrap_err();
    assert_eq!(
        body(&refusal(&error)),
        json!({ "error": "the body is not JSON", "code": "VALIDATION_ERROR" })
    );
}

#[test]
fn every_kind_of_error_has_its_status_and_the_platforms_body() {
    for (kind, status, code) in [
        (ErrorKind::Unauthenticated, 401, "UNAUTHORIZED"),
        (ErrorKind::PermissionDenied, 403, "FORBIDDEN"),
        (ErrorKind::Refused, 403, "REFUSED"),
        (ErrorKind::NotFound, 404, "NOT_FOUND"),
        (ErrorKind::Conflict, 409, "CONFLICT"),
        (ErrorKind::InvalidInput, 400, "VALIDATION_ERROR"),
        (ErrorKind::RateLimited, 429, "RATE_LIMIT_EXCEEDED"),
        (ErrorKind::Unsupported, 501, "NOT_SUPPORTED"),
        (ErrorKind::ConfigInvalid, 503, "UNAVAILABLE"),
        (ErrorKind::Store, 500, "INTERNAL_ERROR"),
        (ErrorKind::Unexpected, 500, "INTERNAL_ERROR"),
    ] {
        let answer = refusal(&Error::new(kind, "what is wrong"));
        assert_eq!(answer.status.as_u16(), status, "{kind}");
        assert_eq!(body(&answer)["code"], code);
        // What is not the caller's fault is not the caller's to know.
        assert_eq!(
            body(&answer)["error"] == "what is wrong",
            status < 500,
            "{kind}"
        );
    }
}

#[test]
fn a_refusal_says_which_permission_is_missing_when_to_come_back_and_how_much_is_too_much() {
    let error = Error::new(ErrorKind::PermissionDenied, "no")
        .with_context("permission", "protect.findings.view");
    assert_eq!(
        body(&refusal(&error))["details"],
        json!({ "requiredProduct": "protect", "requiredPermission": "protect.findings.view" })
    );
    let error =
        Error::new(ErrorKind::RateLimited, "wait").with_retry_after(Duration::from_millis(1500));
    assert_eq!(refusal(&error).headers[RETRY_AFTER], "2");
    assert_eq!(
        body(&refusal(&error))["details"],
        json!({ "retryAfter": 2 })
    );
    let answer = refusal(&body_too_large(1024));
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(body(&answer)["details"], json!({ "limit": "1024" }));
}

#[test]
fn a_vendor_that_refuses_us_is_not_the_callers_fault() {
    for status in [401, 404, 429] {
        let error =
            Error::new(ErrorKind::Unauthenticated, "the vendor's word").with_http_status(status);
        let answer = refusal(&error);
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
        assert!(!body(&answer).to_string().contains("vendor"));
    }
}

#[test]
fn a_request_shows_neither_headers_nor_query_nor_body() {
    let shown = format!("{:?}", request("/x?token=hunter2", "hunter2"));
    assert!(
        !shown.contains("hunter2") && !shown.contains("secret-key"),
        "{shown}"
    );
}
