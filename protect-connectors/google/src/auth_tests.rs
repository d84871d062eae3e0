use http::{HeaderMap, StatusCode};

use super::*;

fn error(status: u16, body: &str) -> Error {
    sign_in_error(&ErrorAnswer {
        operation: TOKEN,
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    })
}

#[test]
fn every_documented_refusal_says_what_to_do_next() {
    use ErrorKind as Kind;
    for (word, said, kind, next) in [
        (
            "unauthorized_client",
            "Unauthorized client or scope in request.",
            Kind::PermissionDenied,
            "not delegated in the domain",
        ),
        (
            "unauthorized_client",
            "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.",
            Kind::PermissionDenied,
            "numeric client id",
        ),
        (
            "access_denied",
            "Requested client not authorized.",
            Kind::PermissionDenied,
            "Domain-wide delegation",
        ),
        (
            "admin_policy_enforced",
            "",
            Kind::PermissionDenied,
            "App access control",
        ),
        ("org_internal", "", Kind::PermissionDenied, "project"),
        (
            "invalid_grant",
            "Not a valid email",
            Kind::ConfigInvalid,
            "`subject`",
        ),
        (
            "invalid_grant",
            "Invalid email or User ID",
            Kind::ConfigInvalid,
            "`subject`",
        ),
        (
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
            Kind::Unauthenticated,
            "clock",
        ),
        (
            "invalid_grant",
            "Invalid JWT Signature.",
            Kind::Unauthenticated,
            "make a new one",
        ),
        (
            "invalid_grant",
            "",
            Kind::Unauthenticated,
            "`service_account`",
        ),
        (
            "invalid_scope",
            "Invalid OAuth scope or ID token audience provided.",
            Kind::ConfigInvalid,
            "scope",
        ),
        (
            "invalid_client",
            "",
            Kind::Unauthenticated,
            "`service_account`",
        ),
        ("deleted_client", "", Kind::Unauthenticated, "make another"),
        (
            "disabled_client",
            "The OAuth client was disabled.",
            Kind::Unauthenticated,
            "enable it",
        ),
    ] {
        let body = json!({ "error": word, "error_description": said }).to_string();
        for status in [400, 401] {
            let error = error(status, &body);
            assert_eq!(error.kind(), kind, "{word} {said}");
            assert!(error.message().contains(next), "{error}");
            assert!(!error.is_retryable(), "{error}");
        }
    }
}

#[test]
fn trouble_at_the_token_endpoint_is_tried_again_and_nothing_that_it_said_is_shown() {
    for word in [
        "internal_failure",
        "server_error",
        "temporarily_unavailable",
    ] {
        let body = json!({ "error": word, "error_description": "canary" }).to_string();
        let error = error(400, &body);
        assert_eq!(
            (error.kind(), error.is_retryable()),
            (ErrorKind::Unavailable, true)
        );
        assert!(!format!("{error:?}").contains("canary"));
    }
    assert!(error(503, "<html>").is_retryable());
    let odd = error(
        400,
        r#"{"error":"user a@acme.example","error_description":"canary"}"#,
    );
    assert!(!format!("{odd:?}").contains("acme"), "{odd:?}");
}
