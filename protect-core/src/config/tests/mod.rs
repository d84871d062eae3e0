//! How a configuration is read, and what is said of one that is wrong.

mod errors;
mod parsing;
mod rules;
mod written;

use serde_json::Value;

use super::{
    Config, ConfigErrors, CredentialSpec, EndpointSpec, KindSpec, SettingSpec, SettingType,
};
use crate::error::{Error, ErrorKind};
use crate::registry::Registry;

/// The example of the design.
pub(super) const EXAMPLE: &str = include_str!("example.toml");

/// Kinds as the built-in connectors declare them.
pub(super) fn registry() -> Registry {
    let mut registry = Registry::new();
    for spec in [hibp(), onepassword(), email(), webhook()] {
        registry.register(spec, |_, _| {
            Err(Error::new(ErrorKind::Unsupported, "only its keys matter"))
        });
    }
    registry
}

fn hibp() -> KindSpec {
    KindSpec::new("hibp", "Have I Been Pwned.")
        .endpoint(
            EndpointSpec::new("api", "The API, with its version.")
                .default("https://haveibeenpwned.com/api/v3"),
        )
        .endpoint(EndpointSpec::new(
            "passwords",
            "The range search of passwords.",
        ))
        .scan(CredentialSpec::new().secret("api_key", "The API key."))
        .setting(
            SettingSpec::one_of("cadence", ["every_window", "by_catalogue"], "How often.")
                .default("every_window"),
        )
        .setting(SettingSpec::one_of(
            "severity_profile",
            ["default", "one_protect"],
            "Which reading of a breach's severity.",
        ))
}

fn onepassword() -> KindSpec {
    let user = || {
        CredentialSpec::new()
            .plain("client_id", "The OAuth application's id.")
            .secret("client_secret", "The OAuth application's secret.")
    };
    KindSpec::new("onepassword", "1Password.")
        .endpoint(EndpointSpec::new("api", "The Users API."))
        .endpoint(EndpointSpec::new("events", "The Events API."))
        .connection_setting(SettingSpec::one_of(
            "region",
            ["com", "ca", "eu"],
            "Where the account lives.",
        ))
        .scan(
            user()
                .secret("events_token", "The token of the Events API.")
                .alternative(["client_id", "client_secret"])
                .alternative(["events_token"]),
        )
        .respond(user())
        .setting(SettingSpec::text("account_id", "The account's id.").required())
        .account_state("transfer_started")
}

fn email() -> KindSpec {
    KindSpec::new("email", "Mail authentication.")
        .setting(SettingSpec::new(
            "selectors",
            SettingType::TextList,
            "DKIM selectors to look at.",
        ))
        .setting(SettingSpec::new(
            "reports",
            SettingType::Path,
            "The folder of received reports.",
        ))
        .setting(SettingSpec::new(
            "every",
            SettingType::Duration,
            "How often.",
        ))
        .setting(SettingSpec::new(
            "max_lookups",
            SettingType::Integer { min: 1, max: 10 },
            "How many lookups.",
        ))
        .setting(SettingSpec::new("strict", SettingType::Boolean, "Whether."))
}

fn webhook() -> KindSpec {
    KindSpec::new("webhook", "A signed webhook.")
        .endpoint(
            EndpointSpec::new("url", "Where to deliver.")
                .required()
                .whole_url(),
        )
        .required_respond(CredentialSpec::new().secret("signing_secret", "The signing secret."))
        .setting(SettingSpec::new(
            "templates",
            SettingType::TextTable,
            "Texts by name.",
        ))
}

pub(super) fn parse(text: &str) -> Result<Config, Error> {
    Config::from_toml(text, &registry())
}

/// What is said of a wrong configuration, a line for each problem.
pub(super) fn problems(text: &str) -> Vec<String> {
    lines(&parse(text).unwrap_err())
}

fn lines(error: &Error) -> Vec<String> {
    let errors = ConfigErrors::of(error).expect("the problems are kept as items");
    errors.problems().iter().map(ToString::to_string).collect()
}

/// The example as a value, to be changed at one place.
fn example_with(pointer: &str, key: &str, new: Value) -> Value {
    let table: toml::Table = toml::from_str(EXAMPLE).unwrap();
    let mut value = serde_json::to_value(table).unwrap();
    let parent = value.pointer_mut(pointer).unwrap();
    parent[key] = new;
    value
}
