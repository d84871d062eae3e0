//! A configuration of the planted organisation, and what its secrets are.

use protect_sandbox::{Credentials, Sandbox};
use serde_json::{Map, Value, json};

fn secret(name: &str) -> Value {
    json!({ "provided": format!("sandbox.{name}") })
}

pub(super) fn secrets(credentials: &Credentials) -> Value {
    let named = [
        ("hibp_api_key", &credentials.hibp_api_key),
        ("scan_client_secret", &credentials.scan_client_secret),
        ("respond_client_secret", &credentials.respond_client_secret),
        ("events_token", &credentials.events_token),
        ("webhook_secret", &credentials.webhook_secret),
        (
            "m365_scan_client_secret",
            &credentials.m365_scan_client_secret,
        ),
        (
            "m365_respond_client_secret",
            &credentials.m365_respond_client_secret,
        ),
        (
            "m365_vault_client_secret",
            &credentials.m365_vault_client_secret,
        ),
        ("google_scan_key", &credentials.google_scan_key),
        ("google_respond_key", &credentials.google_respond_key),
    ];
    let secrets =
        named.map(|(name, value)| (format!("sandbox.{name}"), Value::from(value.clone())));
    Value::Object(Map::from_iter(secrets))
}

pub(super) fn config(sandbox: &Sandbox) -> Value {
    let credentials = sandbox.credentials();
    let planted = sandbox.planted();
    json!({
        "mode": "enforce",
        "connections": {
            "hibp": {
                "kind": "hibp",
                "endpoints": {
                    "api": sandbox.hibp_api_url(),
                    "passwords": sandbox.hibp_passwords_url(),
                },
                "scan": { "api_key": secret("hibp_api_key") },
                "tenants": ["acme"],
            },
            "acme-passwords": {
                "kind": "onepassword",
                "endpoints": {
                    "api": sandbox.onepassword_api_url(),
                    "events": sandbox.onepassword_events_url(),
                },
                "scan": {
                    "client_id": credentials.scan_client_id,
                    "client_secret": secret("scan_client_secret"),
                    "events_token": secret("events_token"),
                },
                "respond": {
                    "client_id": credentials.respond_client_id,
                    "client_secret": secret("respond_client_secret"),
                },
                "tenants": ["acme"],
            },
            "tickets": {
                "kind": "webhook",
                "endpoints": { "url": sandbox.webhook_url() },
                "respond": { "signing_secret": secret("webhook_secret") },
                "tenants": ["acme"],
            },
        },
        "tenants": {
            "acme": {
                "name": "Acme GmbH",
                "domains": [planted.domain],
                "protected": [planted.owner.email],
                "monitor": { "domains": true, "directories": ["passwords"] },
                "connectors": {
                    "breaches": { "connection": "hibp" },
                    "passwords": {
                        "connection": "acme-passwords",
                        "account_id": credentials.account_id,
                    },
                    "tickets": { "connection": "tickets" },
                },
                "rules": [{
                    "name": "leaked password",
                    "when": { "kind": "credential_exposure", "severity": ">=high" },
                    "then": ["suspend_account"],
                }, {
                    "name": "suspicious sign-in",
                    "when": { "kind": "suspicious_sign_in", "severity": ">=high" },
                    "then": ["suspend_account"],
                }],
            },
        },
    })
}

/// The connections that `config` leaves out, by kind.
pub(super) fn connections(sandbox: &Sandbox) -> Value {
    let credentials = sandbox.credentials();
    let google = sandbox.google_api_url();
    json!({
        "m365": {
            "connection": {
                "kind": "m365",
                "endpoints": {
                    "login": sandbox.m365_login_url(),
                    "graph": sandbox.m365_graph_url(),
                },
                "scan": {
                    "client_id": credentials.m365_scan_client_id,
                    "client_secret": secret("m365_scan_client_secret"),
                },
                "respond": {
                    "client_id": credentials.m365_respond_client_id,
                    "client_secret": secret("m365_respond_client_secret"),
                },
                "tenants": ["acme"],
            },
            "connector": { "tenant_id": credentials.m365_tenant_id },
        },
        "google": {
            "connection": {
                "kind": "google",
                "endpoints": {
                    "token": sandbox.google_token_url(),
                    "admin": google,
                    "reports": google,
                    "cloud_identity": google,
                    "alerts": google,
                },
                "scan": { "service_account": secret("google_scan_key") },
                "respond": { "service_account": secret("google_respond_key") },
                "tenants": ["acme"],
            },
            "connector": {
                "customer_id": credentials.google_customer_id,
                "subject": credentials.google_subject,
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use protect_core::config::Config;

    use super::*;

    #[test]
    fn its_configuration_is_one_that_this_build_takes() {
        let sandbox = Sandbox::builder().start_blocking().unwrap();
        let config = Config::from_value(&config(&sandbox), &crate::registry()).unwrap();
        assert_eq!(config.tenants.len(), 1);
    }

    #[cfg(feature = "m365")]
    #[test]
    fn a_connection_that_it_leaves_out_fits_into_it() {
        let sandbox = Sandbox::builder().start_blocking().unwrap();
        let (mut whole, mut more) = (config(&sandbox), connections(&sandbox));
        whole["connections"]["more"] = more["m365"]["connection"].take();
        let connector = &mut more["m365"]["connector"];
        connector["connection"] = "more".into();
        whole["tenants"]["acme"]["connectors"]["more"] = connector.take();
        let config = Config::from_value(&whole, &crate::registry()).unwrap();
        assert_eq!(config.connections.len(), 4);
    }
}
