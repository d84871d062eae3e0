//! A client and a script for it.

use http::Method;
use protect_core::testing::{Expectation, TestContext, impatient_context};
use serde_json::json;

use crate::client::{OnePassword, OnePasswordBuilder};

pub(crate) const ACCOUNT: &str = "ABCDEFGHIJKLMNOPQRSTUVWXY2";
pub(crate) const USER: &str = "USERAAAAAAAAAAAAAAAAAAAAA2";

/// A context whose clock moves on by itself, and a builder that uses it.
pub(crate) fn begin() -> (TestContext, OnePasswordBuilder) {
    let test = impatient_context();
    let builder = OnePassword::builder()
        .context(test.context.clone())
        .account(ACCOUNT)
        .credentials("id", "secret")
        .events_token("events");
    (test, builder)
}

/// A client that nobody will ask to send anything.
pub(crate) fn client() -> OnePassword {
    begin().1.build().expect("a client")
}

/// The token request and its answer.
pub(crate) fn token(path: &str, token: &str) -> Expectation {
    Expectation::new(Method::POST, path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials")
        .answer(200, &json!({ "access_token": token, "expires_in": 900 }))
}
