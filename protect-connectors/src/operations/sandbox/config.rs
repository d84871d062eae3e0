//! A configuration of the planted organisation, and what its secrets are.

use protect_sandbox::{Credentials, Sandbox};
use serde_json::{Map, Value, json};

fn secret(name: &str) -> Value {
    json!({ "provided": format!("sandbox.{name}") })
}

pub(super) fn secrets(sandbox: &Sandbox) -> Value {
    let credentials = &sandbox.credentials();
    let shared = sandbox.hub_sso();
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
        ("stripe_key", &credentials.stripe_restricted_key),
        ("smtp_password", &credentials.smtp_password),
        ("slack_webhook_url", &credentials.slack_webhook_url),
        ("teams_webhook_url", &credentials.teams_webhook_url),
        ("sso_secret", &shared.secret),
        ("client_sso_secret", &shared.client_secret),
    ];
    let mut secrets = Map::new();
    for (name, value) in named {
        secrets.insert(format!("sandbox.{name}"), value.clone().into());
    }
    for (prefix, own) in ORGANISATIONS.iter().zip(&credentials.one_stack) {
        for (name, value) in [("api", &own.api_key), ("integration", &own.integration_key)] {
            secrets.insert(format!("sandbox.{prefix}{name}_key"), value.clone().into());
        }
    }
    Value::Object(secrets)
}

/// What begins the names of the organisations' connections and secrets, in their order.
const ORGANISATIONS: [&str; 2] = ["", "beta-"];

/// The products of The One Stack, and whether each is for other products alone.
const PRODUCTS: [(&str, bool); 9] = [
    ("psa", false),
    ("security", false),
    ("rmm", true),
    ("hub", true),
    ("portal", true),
    ("oncall", true),
    ("bus", true),
    ("compliance", true),
    ("legal", true),
];

fn one_stack(sandbox: &Sandbox, credentials: &Credentials) -> Map<String, Value> {
    let mut all = Map::new();
    for (prefix, own) in ORGANISATIONS.iter().zip(&credentials.one_stack) {
        for (kind, is_internal) in PRODUCTS {
            let form = if is_internal {
                "integration_key"
            } else {
                "api_key"
            };
            let key = json!({ form: secret(&format!("{prefix}{form}")) });
            let mut connector = json!({ "organisation_id": own.id });
            match kind {
                "rmm" | "hub" => connector["owners"] = json!([]),
                "portal" => connector["client_id"] = CLIENT.into(),
                _ => {}
            }
            let mut connection = json!({
                "kind": kind,
                "endpoints": { "api": sandbox.one_stack_url(kind) },
                "respond": key,
                "tenants": ["*"],
            });
            let signs_in = match kind {
                "hub" => Some("sso_secret"),
                "portal" => Some("client_sso_secret"),
                _ => None,
            };
            if let Some(name) = signs_in {
                connection["scan"] = json!({ "sso_secret": secret(name) });
            }
            let both = json!({ "connection": connection, "connector": connector });
            all.insert(format!("{prefix}{kind}"), both);
        }
    }
    all
}

fn chat(format: &str) -> Value {
    let address = secret(&format!("{format}_webhook_url"));
    json!({
        "connection": {
            "kind": "notify",
            "format": format,
            "respond": { "webhook_url": address },
            "tenants": ["*"],
        },
        "connector": {},
    })
}

/// The client company that the portal shows the view to.
const CLIENT: &str = "1001";

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
    let mut all = one_stack(sandbox, &credentials);
    let others = json!({
        "stripe": {
            "connection": {
                "kind": "stripe",
                "endpoints": { "api": sandbox.stripe_api_url() },
                "respond": { "secret_key": secret("stripe_key") },
                "tenants": ["*"],
            },
            "connector": { "customer_id": credentials.stripe_customer_id },
        },
        "mail": {
            "connection": {
                "kind": "notify",
                "endpoints": { "smtp": sandbox.smtp_url() },
                "respond": {
                    "username": credentials.smtp_username,
                    "password": secret("smtp_password"),
                },
                "tenants": ["*"],
            },
            "connector": { "to": [format!("security@{}", sandbox.planted().domain)] },
        },
        "slack": chat("slack"),
        "teams": chat("teams"),
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
    });
    if let Value::Object(others) = others {
        all.extend(others);
    }
    Value::Object(all)
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

    #[test]
    fn every_connection_that_it_leaves_out_fits_into_it() {
        let sandbox = Sandbox::builder().start_blocking().unwrap();
        let more = connections(&sandbox);
        let registry = crate::registry();
        for (name, more) in more.as_object().unwrap() {
            let kind = more["connection"]["kind"].as_str().unwrap();
            if !registry.kinds().any(|known| known == kind) {
                continue;
            }
            let mut whole = config(&sandbox);
            whole["connections"][name] = more["connection"].clone();
            whole["tenants"]["acme"]["connectors"][name] = more["connector"].clone();
            whole["tenants"]["acme"]["connectors"][name]["connection"] = name.as_str().into();
            let config = Config::from_value(&whole, &registry).unwrap();
            assert_eq!(config.connections.len(), 4, "{name}");
        }
        assert!(more.as_object().unwrap().len() > 21);
    }
}
