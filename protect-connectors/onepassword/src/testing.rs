//! A client and a script for it.

use http::Method;
use protect_core::config::{ConnectionConfig, TenantScope};
use protect_core::connector::ConnectorInfo;
use protect_core::model::{ConnectionName, ConnectorName, TenantId};
use protect_core::registry::ConnectorSetup;
use protect_core::testing::{Expectation, TestContext, impatient_context};
use serde_json::{Map, Value, json};

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

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => panic!("an object"),
    }
}

/// What the configuration hands over: a connection as it stands there, and a tenant's settings.
pub(crate) fn setup(connection: Value, settings: Value) -> ConnectorSetup {
    let mut connection = map(connection);
    let endpoints = connection.remove("endpoints").unwrap_or(json!({}));
    ConnectorSetup {
        info: ConnectorInfo {
            kind: crate::KIND.to_owned(),
            name: ConnectorName::new("passwords").unwrap(),
            tenant: TenantId::new("acme").unwrap(),
        },
        connection: Some((
            ConnectionName::new("acme-passwords").unwrap(),
            ConnectionConfig {
                kind: crate::KIND.to_owned(),
                endpoints: serde_json::from_value(endpoints).unwrap(),
                scan: connection.remove("scan").map(map).unwrap_or_default(),
                respond: connection.remove("respond").map(map),
                tenants: TenantScope::Every,
                settings: connection,
            },
        )),
        settings: map(settings),
    }
}
