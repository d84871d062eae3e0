use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::testing::{ACCOUNT, setup};

fn oauth() -> Value {
    json!({"client_id": "id", "client_secret": {"env": "SECRET"}})
}

fn field_of(connection: Value, settings: Value) -> String {
    let error = Settings::read(&setup(connection, settings)).unwrap_err();
    let context: BTreeMap<_, _> = error.context().iter().cloned().collect();
    assert_eq!(context["tenant"], "acme");
    assert_eq!(context["connection"], "acme-passwords");
    context["field"].clone()
}

#[test]
fn a_region_gives_both_roots_and_an_endpoint_replaces_one() {
    let settings = Settings::read(&setup(
        json!({"region": "eu", "scan": oauth(), "endpoints": {"events": "http://127.0.0.1:1"}}),
        json!({"account_id": ACCOUNT}),
    ))
    .unwrap();
    assert_eq!(settings.api.as_deref(), Some("https://api.1password.eu"));
    assert_eq!(settings.events, "http://127.0.0.1:1");
    assert_eq!(settings.version, ApiVersion::V1Beta1);
}

#[test]
fn every_region_has_its_hosts() {
    let hosts = [Region::Com, Region::Ca, Region::Eu, Region::Ent]
        .map(|region| (region.api_base(), region.events_base()));
    assert_eq!(
        hosts[0],
        (
            Some("https://api.1password.com"),
            "https://events.1password.com"
        )
    );
    assert_eq!(
        hosts[1],
        (
            Some("https://api.1password.ca"),
            "https://events.1password.ca"
        )
    );
    assert_eq!(
        hosts[2],
        (
            Some("https://api.1password.eu"),
            "https://events.1password.eu"
        )
    );
    assert_eq!(hosts[3], (None, "https://events.ent.1password.com"));
}

#[test]
fn the_version_decides_resource_and_token_paths_together() {
    assert_eq!(
        ApiVersion::V1Beta1.paths().token,
        "/v1beta1/users/oauth2/token"
    );
    assert_eq!(ApiVersion::V1.paths().token, "/v1/oauth/token");
    for (version, prefix) in [(ApiVersion::V1Beta1, "/v1beta1/"), (ApiVersion::V1, "/v1/")] {
        let paths = version.paths();
        for path in [
            paths.token,
            paths.revoke,
            paths.users,
            paths.user,
            paths.suspend,
            paths.reactivate,
        ] {
            assert!(path.starts_with(prefix), "{path}");
        }
        assert!(paths.suspend.ends_with("{user}:suspend"));
        assert!(paths.reactivate.ends_with("{user}:reactivate"));
    }
}

#[test]
fn what_is_wrong_is_named_by_its_field() {
    let good = || json!({"account_id": ACCOUNT});
    let scan = || json!({"scan": oauth()});
    let cases = [
        (json!({"region": "us", "scan": oauth()}), good(), "region"),
        (json!({"regoin": "eu", "scan": oauth()}), good(), "regoin"),
        (
            json!({"region": "ent", "scan": oauth()}),
            good(),
            "endpoints.api",
        ),
        (
            json!({"scan": oauth(), "endpoints": {"apis": "https://x"}}),
            good(),
            "endpoints.apis",
        ),
        (json!({}), good(), "scan"),
        (
            json!({"scan": {"client_id": "id"}}),
            good(),
            "scan.client_secret",
        ),
        (
            json!({"scan": oauth(), "respond": {}}),
            good(),
            "respond.client_id",
        ),
        (
            json!({"scan": oauth(), "respond": {"events_token": {"env": "T"}}}),
            good(),
            "respond.events_token",
        ),
        (
            json!({"scan": {"events_token": "clear"}}),
            good(),
            "scan.events_token",
        ),
        (scan(), json!({}), "account_id"),
        (scan(), json!({"account_id": "short"}), "account_id"),
        (
            scan(),
            json!({"account_id": ACCOUNT, "api_version": "v2"}),
            "api_version",
        ),
        (
            scan(),
            json!({"account_id": ACCOUNT, "lookback": 99_999_999}),
            "lookback",
        ),
        (
            scan(),
            json!({"account_id": ACCOUNT, "failure": 3}),
            "failure",
        ),
        (
            scan(),
            json!({"account_id": ACCOUNT, "failures": "3"}),
            "failures",
        ),
    ];
    for (connection, settings, field) in cases {
        assert_eq!(field_of(connection, settings), field);
    }
}

#[test]
fn a_secret_written_in_clear_is_refused_and_not_repeated() {
    let connection = json!({"scan": {"client_id": "id", "client_secret": "canary"}});
    let error = Settings::read(&setup(connection, json!({"account_id": ACCOUNT}))).unwrap_err();
    assert!(!format!("{error:?}").contains("canary"));
}

#[test]
fn an_account_id_is_26_capital_letters_and_digits() {
    for wrong in [
        "",
        "abcdefghijklmnopqrstuvwxyz",
        "ABCDEFGHIJKLMNOPQRSTUVWXY",
        "ABCDEFGHIJKLMNOPQRSTUVWXY/",
    ] {
        assert!(AccountId::new(wrong).is_err(), "{wrong}");
    }
    assert!(AccountId::new(ACCOUNT).is_ok());
}
