//! The token endpoint.

use super::{Assertion, GRANT, Google, reason};
use crate::support::{Got, Wire, form, send, wire};
use jiff::SignedDuration;
use protect_sandbox::{Fault, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

const READ: &str = "admin.directory.user.readonly";

fn error(got: &Got) -> (u16, String, String) {
    let body = got.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (got.status, text("error"), text("error_description"))
}

fn scan(wire: &Wire) -> Assertion {
    let key = wire.sandbox.credentials().google_scan_key;
    Assertion::of(wire, &key, &[READ])
}

#[tokio::test]
async fn a_signed_assertion_becomes_a_token_that_ends() {
    let wire = wire(Sandbox::builder()).await;
    let got = wire.google_token(&scan(&wire)).await.json();
    assert_eq!(
        (&got["expires_in"], &got["token_type"]),
        (&json!(3599), &json!("Bearer"))
    );
    assert!(got.get("refresh_token").is_none());
    let google = Google {
        token: got["access_token"].as_str().unwrap().to_owned(),
        wire,
    };
    let path = "/admin/directory/v1/users?customer=my_customer";
    assert_eq!(google.get(path).await.status, 200);
    google
        .wire
        .sandbox
        .advance_clock(SignedDuration::from_secs(3599));
    assert_eq!(
        reason(&google.get(path).await),
        (401, "authError".to_owned())
    );
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn the_key_file_has_what_google_hands_out() {
    let wire = wire(Sandbox::builder()).await;
    let own = wire.sandbox.credentials();
    let key: Value = serde_json::from_str(&own.google_scan_key).unwrap();
    for name in ["project_id", "private_key_id", "client_email", "client_id"] {
        assert!(key[name].is_string(), "{name}");
    }
    assert_eq!(key["type"], "service_account");
    assert_eq!(key["token_uri"], wire.sandbox.google_token_url());
    let other: Value = serde_json::from_str(&own.google_respond_key).unwrap();
    assert_ne!(key["client_id"], other["client_id"]);
    let public = scan(&wire).claim("aud", "https://oauth2.googleapis.com/token");
    assert_eq!(wire.google_token(&public).await.status, 200);
}

#[tokio::test]
async fn each_mistake_of_an_assertion_has_its_error() {
    let wire = wire(Sandbox::builder()).await;
    let now = wire.sandbox.now().as_second();
    let good = || scan(&wire);
    let mut key_of_another = good();
    key_of_another.header["kid"] = json!("0123456789abcdef");
    let mut unsigned = good();
    unsigned.header["alg"] = json!("PS256");
    let cases = [
        (
            good().claim("iss", "nobody@x.iam.gserviceaccount.com"),
            "invalid_grant",
        ),
        (
            good().claim("aud", "https://elsewhere.example/token"),
            "invalid_grant",
        ),
        (good().claim("exp", now + 4000), "invalid_grant"),
        (
            good().claim("exp", now - 1).claim("iat", now),
            "invalid_grant",
        ),
        (key_of_another, "invalid_grant"),
        (unsigned, "invalid_grant"),
        (good().claim("scope", ""), "invalid_scope"),
        (
            good().claim("scope", "https://www.googleapis.com/auth/no.such"),
            "invalid_scope",
        ),
        (
            good().claim(
                "scope",
                "https://www.googleapis.com/auth/admin.directory.user.readonly,\
                 https://www.googleapis.com/auth/apps.alerts",
            ),
            "invalid_scope",
        ),
    ];
    let mut asked = 0;
    for (assertion, wanted) in cases {
        let got = error(&wire.google_token(&assertion).await);
        assert_eq!(
            (got.0, got.1.as_str()),
            (400, wanted),
            "{}",
            assertion.claims
        );
        asked += 1;
    }
    assert_eq!(wire.rules(), vec!["token_request"; asked]);
    assert_eq!(
        wire.google_token(&good().claim("exp", now + 3700))
            .await
            .status,
        200
    );
    assert_eq!(wire.rules().last().unwrap(), "assertion_long_lived");
}

#[tokio::test]
async fn a_form_without_grant_or_assertion_is_refused() {
    let wire = wire(Sandbox::builder()).await;
    let cases: [(&[(&str, &str)], &str); 3] = [
        (&[("assertion", "a.b.c")], "invalid_request"),
        (&[("grant_type", GRANT)], "invalid_request"),
        (
            &[("grant_type", "client_credentials"), ("assertion", "a.b.c")],
            "unsupported_grant_type",
        ),
    ];
    for (fields, wanted) in cases {
        let request = wire.http.post(wire.sandbox.google_token_url());
        assert_eq!(error(&send(form(request, fields)).await).1, wanted);
    }
}

#[tokio::test]
async fn a_clock_ten_minutes_off_is_an_invalid_grant_and_nobodys_fault() {
    let wire = wire(Sandbox::builder()).await;
    let now = wire.sandbox.now().as_second();
    for off in [-600, 600] {
        let assertion = scan(&wire)
            .claim("iat", now + off)
            .claim("exp", now + off + 3600);
        let (status, error, description) = error(&wire.google_token(&assertion).await);
        assert_eq!((status, error.as_str()), (400, "invalid_grant"));
        assert!(description.starts_with("Invalid JWT: Token must be a short-lived token"));
    }
    // The same is seen where it is the vendor's clock that is off.
    wire.sandbox.set_fault(Fault::named("clock_skew").unwrap());
    assert_eq!(
        error(&wire.google_token(&scan(&wire)).await).1,
        "invalid_grant"
    );
    assert!(wire.rules().is_empty());
}

#[tokio::test]
async fn one_scope_that_was_not_delegated_spoils_the_request() {
    let wire = wire(Sandbox::builder()).await;
    let key = wire.sandbox.credentials().google_scan_key;
    let both = Assertion::of(&wire, &key, &[READ, "admin.directory.user.security"]);
    assert_eq!(error(&wire.google_token(&both).await).1, "access_denied");
    let none = Assertion::of(&wire, &key, &["admin.directory.user.security"]);
    let (status, error_name, description) = error(&wire.google_token(&none).await);
    assert_eq!((status, error_name.as_str()), (401, "unauthorized_client"));
    assert!(description.starts_with("Client is unauthorized to retrieve access tokens"));
    let change = json!({"scopes": [READ, format!("{}apps.alerts", super::SCOPE)]});
    assert!(wire.sandbox.edit_google_service_account("scan", change));
    let alerts = Assertion::of(&wire, &key, &[READ, "apps.alerts"]);
    assert_eq!(wire.google_token(&alerts).await.status, 200);
    let domains = Assertion::of(&wire, &key, &[READ, "admin.directory.domain.readonly"]);
    assert_eq!(error(&wire.google_token(&domains).await).1, "access_denied");
    wire.sandbox
        .set_fault(Fault::named("scope_not_delegated").unwrap());
    assert_eq!(error(&wire.google_token(&alerts).await).1, "access_denied");
    assert!(wire.rules().is_empty());
}

#[tokio::test]
async fn what_stands_between_an_assertion_and_a_token_is_told_apart() {
    let wire = wire(Sandbox::builder()).await;
    let cases = [
        (
            "not_delegated",
            "unauthorized_client",
            "Unauthorized client or scope in request.",
        ),
        (
            "registered_by_email",
            "unauthorized_client",
            "Client is unauthorized",
        ),
        ("blocked_by_policy", "admin_policy_enforced", ""),
        ("key_disabled", "invalid_grant", "Invalid JWT Signature."),
        (
            "client_disabled",
            "disabled_client",
            "The OAuth client was disabled.",
        ),
    ];
    for (standing, wanted, begins) in cases {
        let change = json!({"standing": standing});
        assert!(wire.sandbox.edit_google_service_account("scan", change));
        let (_, error, description) = error(&wire.google_token(&scan(&wire)).await);
        assert_eq!(error, wanted);
        assert!(description.starts_with(begins), "{description}");
    }
    assert!(
        !wire
            .sandbox
            .edit_google_service_account("nobody", json!({}))
    );
    assert!(
        !wire
            .sandbox
            .edit_google_service_account("scan", json!({"scopes": ["no.such"]}))
    );
    assert!(wire.rules().is_empty());
}

#[tokio::test]
async fn the_subject_must_be_somebody_who_may_sign_in() {
    let wire = wire(Sandbox::builder()).await;
    let planted = wire.sandbox.planted().google;
    let cases = [
        ("nobody@acme.example", "invalid_grant"),
        ("nobody", "invalid_grant"),
        ("somebody@elsewhere.example", "unauthorized_client"),
        (planted.leaver.email.as_str(), "invalid_grant"),
    ];
    for (subject, wanted) in cases {
        let got = wire.google_token(&scan(&wire).claim("sub", subject)).await;
        assert_eq!(error(&got).1, wanted, "{subject}");
    }
    assert!(wire.rules().is_empty());
}

#[tokio::test]
async fn only_an_administrator_has_rights_to_lend() {
    let path = "/admin/directory/v1/users?customer=my_customer";
    let wire = wire(Sandbox::builder()).await;
    let plain = wire.sandbox.planted().google.forgotten.email;
    let assertion = scan(&wire).claim("sub", plain);
    let google = Google::with(wire, &assertion).await;
    assert_eq!(
        reason(&google.get(path).await),
        (403, "forbidden".to_owned())
    );
    let itself = scan(&google.wire).claim("sub", Value::Null);
    let google = Google::with(google.wire, &itself).await;
    assert_eq!(
        reason(&google.get(path).await),
        (403, "forbidden".to_owned())
    );
    let helper = google
        .wire
        .sandbox
        .planted()
        .google
        .delegated_administrator
        .email;
    let assertion = scan(&google.wire).claim("sub", helper);
    let google = Google::with(google.wire, &assertion).await;
    assert_eq!(google.get(path).await.status, 200);
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn a_suspended_subject_can_lend_nothing_any_more() {
    let wire = wire(Sandbox::builder()).await;
    let owner = wire.sandbox.planted().google.super_administrator.email;
    let assertion = scan(&wire).claim("sub", owner.as_str());
    let google = Google::with(wire, &assertion).await;
    let path = "/admin/directory/v1/users?customer=my_customer";
    assert_eq!(google.get(path).await.status, 200);
    let sandbox = &google.wire.sandbox;
    assert!(sandbox.edit_google_user(&owner, json!({"suspended": true})));
    assert_eq!(google.get(path).await.status, 401);
    let got = google.wire.google_token(&assertion).await;
    assert_eq!(error(&got).1, "invalid_grant");
    let [moved] = &sandbox.transitions()[..] else {
        panic!("one transition");
    };
    assert_eq!(
        (moved.from.as_str(), moved.to.as_str()),
        ("active", "suspended")
    );
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn each_method_asks_for_its_scope_and_each_api_must_be_on() {
    let google = Google::reading(wire(Sandbox::builder()).await, &[READ]).await;
    let users = "/admin/directory/v1/users?customer=my_customer";
    let domains = "/admin/directory/v1/customer/my_customer/domains";
    let got = google.get(domains).await;
    assert_eq!(reason(&got), (403, "insufficientPermissions".to_owned()));
    let details = got.json()["error"]["details"][0].clone();
    assert_eq!(details["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
    assert_eq!(google.get(users).await.status, 200);
    let got = google
        .send(Method::PUT, "/admin/directory/v1/users/x", json!({}))
        .await;
    assert_eq!(reason(&got), (403, "insufficientPermissions".to_owned()));
    let sandbox = &google.wire.sandbox;
    assert!(sandbox.edit_google_domain(json!({"apis_off": ["admin.googleapis.com"]})));
    let got = google.get(users).await;
    assert_eq!(reason(&got), (403, "accessNotConfigured".to_owned()));
    let error = got.json()["error"].clone();
    assert_eq!(error["details"][0]["reason"], "SERVICE_DISABLED");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .starts_with("Admin SDK API has not been used")
    );
    assert!(!sandbox.edit_google_domain(json!({"apis_off": ["no.such.service"]})));
    assert!(sandbox.edit_google_domain(json!({"apis_off": []})));
    assert_eq!(google.get(users).await.status, 200);
    sandbox.set_fault(Fault::named("api_switched_off").unwrap());
    assert_eq!(reason(&google.get(users).await).1, "accessNotConfigured");
    assert!(google.rules().is_empty());
}
