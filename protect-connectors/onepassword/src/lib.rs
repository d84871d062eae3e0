#![doc = include_str!("docs.md")]

mod api;
mod client;
mod config;
mod connector;
mod detections;
mod directory;
mod error;
mod model;
mod network;
mod operations;
mod remediate;
mod scan;
mod signals;
#[cfg(test)]
mod testing;
mod wire;

use std::sync::Arc;

use protect_core::config::{CredentialSpec, EndpointSpec, KindSpec, SettingSpec, SettingType};
use protect_core::connector::Connector;
use protect_core::registry::Registry;

pub use client::{OnePassword, OnePasswordBuilder};
pub use config::{ApiVersion, Region, Thresholds};
pub use connector::OnePasswordConnector;
pub use model::{
    AuditEvent, ClientInfo, EventPage, Introspection, ItemUsage, Location, Session, SignInAttempt,
    SignInDetails, User, UserFilter, UserInfo, UserPage, UserState,
};
pub use network::Network;
pub use operations::{CLASS, OPERATIONS, connect};

/// The kind's name in the configuration, and the provider's in subjects and accounts.
pub const KIND: &str = "onepassword";

/// Adds the kind to a registry.
pub fn register(registry: &mut Registry) {
    registry.register(spec(), |setup, context| {
        let connector = OnePasswordConnector::new(&setup, context)?;
        Ok(Arc::new(connector) as Arc<dyn Connector>)
    });
}

/// What the configuration may say.
fn spec() -> KindSpec {
    let defaults = Thresholds::default();
    let spec = KindSpec::new(
        KIND,
        "1Password: lists users, suspends and reactivates them, and reads sign-ins, uses of items and audit events.",
    )
    .endpoint(EndpointSpec::new("api", "Root of the Users API instead of the region's."))
    .endpoint(EndpointSpec::new("events", "Root of the Events API instead of the region's."))
    .optional_scan(
        CredentialSpec::new()
            .optional_plain("client_id", "Client id of an OAuth application that may list and get users.")
            .optional_secret("client_secret", "Its client secret.")
            .optional_secret("events_token", "Token of an Events Reporting integration."),
    )
    .respond(
        CredentialSpec::new()
            .plain("client_id", "Client id of an OAuth application that may get, suspend and reactivate users.")
            .secret("client_secret", "Its client secret."),
    )
    .connection_setting(
        SettingSpec::one_of("region", ["com", "ca", "eu", "ent"], "Where the account is.").default("com"),
    )
    .setting(
        SettingSpec::text(
            "account_id",
            "The account's id: what stands between `/app#/` and `/AllItems` in the web application.",
        )
        .required(),
    )
    .setting(
        SettingSpec::one_of("api_version", ["v1beta1", "v1"], "The version of the Users API.").default("v1beta1"),
    )
    .setting(
        SettingSpec::new("lookback", SettingType::Duration, "How far back the first poll of events begins; at most 120 days.")
            .default("14d"),
    );
    // The vendor's word where it does not say; rules may name it.
    let spec = spec
        .account_state("unspecified")
        .signal(signals::SIGN_IN, "Somebody signed in, or tried to.")
        .signal(signals::ITEM_USAGE, "Somebody used an item of a vault.")
        .signal(signals::AUDIT, "Somebody changed something in the account.");
    let spec = detections::SPECS.iter().fold(spec, |spec, detection| {
        spec.check(detection.check, detection.severity, detection.title)
    });
    thresholds(&defaults)
        .into_iter()
        .fold(spec, KindSpec::setting)
}

/// The settings of the detections, one for each field of [`Thresholds`].
fn thresholds(defaults: &Thresholds) -> Vec<SettingSpec> {
    let count = SettingType::Integer {
        min: 1,
        max: i64::from(u32::MAX),
    };
    let number =
        |name, default: u32, docs| SettingSpec::new(name, count.clone(), docs).default(default);
    let span = |name, seconds: u64, docs| {
        SettingSpec::new(name, SettingType::Duration, docs).default(format!("{}m", seconds / 60))
    };
    let list = |name, default: &[String], docs| {
        SettingSpec::new(name, SettingType::TextList, docs).default(default.to_vec())
    };
    vec![
        number(
            "failures",
            defaults.failures,
            "So many failed sign-ins of one user within `failure_window` are an attack.",
        ),
        span(
            "failure_window",
            defaults.failure_window,
            "The window for `failures`.",
        ),
        span(
            "success_window",
            defaults.success_window,
            "A success this soon after such a burst belongs to it.",
        ),
        span(
            "known_window",
            defaults.known_window,
            "How far back a user's addresses and countries count as known.",
        ),
        list(
            "countries",
            &defaults.countries,
            "Countries that are never new (ISO codes); where given, every other one is reported.",
        ),
        list(
            "clients",
            &defaults.clients,
            "Programs that are expected to sign in; empty means any.",
        ),
        list(
            "managed_networks",
            &[],
            "Addresses and networks (`192.0.2.0/24`) at which managed devices are seen; where given, a sign-in from elsewhere is reported.",
        ),
        list(
            "ignored_clients",
            &defaults.ignored_clients,
            "Programs whose sign-ins say nothing about a person's whereabouts.",
        ),
        number(
            "travel_kmh",
            defaults.travel_kmh,
            "Faster than this between two sign-ins, in km/h, is not travel.",
        ),
        number(
            "travel_min_km",
            defaults.travel_min_km,
            "Nearer than this, in km, two places are the same.",
        ),
        number(
            "bulk_items",
            defaults.bulk_items,
            "So many items revealed, copied or exported by one user within `bulk_window` are a mass access.",
        ),
        span(
            "bulk_window",
            defaults.bulk_window,
            "The window for `bulk_items`.",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use protect_core::config::Config;
    use protect_core::connector::ConnectorInfo;
    use protect_core::model::{ConnectorName, TenantId};
    use protect_core::registry::ConnectorSetup;
    use protect_core::{ErrorKind, Result};
    use serde_json::json;

    use super::*;

    /// The example of the documentation, with one text in it replaced.
    fn example(text: &str, by: &str) -> Result<Config> {
        let docs = include_str!("docs.md");
        let (_, rest) = docs.split_once("```toml").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        assert!(example.contains(text), "{text}");
        let mut registry = Registry::new();
        register(&mut registry);
        let config = Config::from_toml(&example.replace(text, by), &registry)?;
        let tenant = TenantId::new("acme")?;
        let name = ConnectorName::new("passwords")?;
        let connector = config.tenants[&tenant].connectors[&name].clone();
        let connection = connector.connection.unwrap();
        let setup = ConnectorSetup {
            info: ConnectorInfo {
                kind: connector.kind,
                name,
                tenant,
            },
            connection: Some((connection.clone(), config.connections[&connection].clone())),
            settings: connector.settings,
        };
        registry.build(setup, &protect_core::testing::context().context)?;
        Ok(config)
    }

    #[test]
    fn the_documented_configuration_makes_a_connector() {
        example("account_id", "account_id").unwrap();
        let more = "lookback = \"30d\"\nfailure_window = \"5m\"\ncountries = [\"DE\"]\ntravel_kmh = 900\naccount_id";
        example("account_id", more).unwrap();
    }

    #[test]
    fn a_configuration_that_cannot_be_right_makes_none() {
        for (text, by) in [
            ("account_id", "account"),
            ("region = \"eu\"", "region = \"us\""),
            ("{ env = \"OP_SCAN_SECRET\" }", "\"in clear\""),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abc"),
            ("account_id", "failures = 0\naccount_id"),
            ("account_id", "lookback = \"200d\"\naccount_id"),
            (
                "account_id",
                "managed_networks = [\"the office\"]\naccount_id",
            ),
        ] {
            let error = example(text, by).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{by}: {error}");
        }
    }

    #[test]
    fn every_threshold_is_a_setting_and_every_setting_has_a_field() {
        let thresholds = json!(Thresholds::default());
        let mut fields: BTreeSet<_> = thresholds.as_object().unwrap().keys().cloned().collect();
        fields.extend(["account_id", "api_version", "lookback"].map(str::to_owned));
        let settings: BTreeSet<_> = spec()
            .settings
            .into_iter()
            .map(|setting| setting.name)
            .collect();
        assert_eq!(settings, fields);
    }
}
