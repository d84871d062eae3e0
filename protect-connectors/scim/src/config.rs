//! What the connector is told: where the service provider is, its tokens, and how it takes a change.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use protect_core::config::{CredentialSpec, EndpointSpec, KindSpec, SettingSpec, SettingType};
use protect_core::connector::Connector;
use protect_core::registry::{ConnectorSetup, Registry};
use protect_core::{Context, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::connector::ScimConnector;

/// How a service provider takes `active`. It is a JSON boolean (RFC 7643 section 4.1.1); some service
/// providers were built for clients that send text and change nothing for a boolean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActiveAs {
    /// `false`, as the standard says.
    #[default]
    Boolean,
    /// `"False"`.
    Text,
}

/// Where a change names the attribute: the standard has both (RFC 7644 section 3.5.2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PatchStyle {
    /// In `path`.
    #[default]
    Path,
    /// In `value`, without a path.
    Value,
}

impl FromStr for ActiveAs {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "boolean" => Ok(Self::Boolean),
            "text" => Ok(Self::Text),
            _ => Err(Error::invalid_input("`active_as` is `boolean` or `text`")),
        }
    }
}

impl FromStr for PatchStyle {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "path" => Ok(Self::Path),
            "value" => Ok(Self::Value),
            _ => Err(Error::invalid_input("`patch_style` is `path` or `value`")),
        }
    }
}

/// How a service provider is to be spoken to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Options {
    pub(crate) active_as: ActiveAs,
    pub(crate) patch_style: PatchStyle,
    /// Hosts that may be inside of our own network.
    pub(crate) allowed_hosts: BTreeSet<String>,
    pub(crate) requests_per_second: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            active_as: ActiveAs::default(),
            patch_style: PatchStyle::default(),
            allowed_hosts: BTreeSet::new(),
            requests_per_second: REQUESTS_PER_SECOND,
        }
    }
}

/// No limit is common to all service providers; this one is low enough for most.
const REQUESTS_PER_SECOND: u32 = 5;

/// Teaches a registry this kind of connector.
pub fn register(registry: &mut Registry) {
    registry.register(spec(), |setup, context| {
        let connector = connector(&setup, context)?;
        Ok(Arc::new(connector) as Arc<dyn Connector>)
    });
}

fn spec() -> KindSpec {
    KindSpec::new(
        crate::KIND,
        "SCIM 2.0: lists, suspends and reactivates the users of any application that speaks it.",
    )
    .endpoint(
        EndpointSpec::new(
            "base",
            "Where the service provider's resources are: what stands before `/Users`.",
        )
        .required(),
    )
    .scan(CredentialSpec::new().secret("token", "A token that may read users."))
    .respond(CredentialSpec::new().secret(
        "token",
        "A token that may read and change users; many applications have but one token for both.",
    ))
    .connection_setting(
        SettingSpec::one_of(
            "active_as",
            ["boolean", "text"],
            "How the service provider takes `active`: as a JSON boolean, or as the text `\"False\"`.",
        )
        .default("boolean"),
    )
    .connection_setting(
        SettingSpec::one_of(
            "patch_style",
            ["path", "value"],
            "Whether a change names the attribute in `path`, or in `value` alone.",
        )
        .default("path"),
    )
    .connection_setting(SettingSpec::new(
        "allowed_hosts",
        SettingType::TextList,
        "Hosts of a self-hosted service provider that may have a private address.",
    ))
    .connection_setting(
        SettingSpec::new(
            "requests_per_second",
            SettingType::Integer { min: 1, max: 1_000 },
            "How many requests a second the service provider allows.",
        )
        .default(REQUESTS_PER_SECOND),
    )
    // Where a service provider leaves `active` out; rules may name it.
    .account_state("unspecified")
}

fn connector(setup: &ConnectorSetup, context: &Context) -> Result<ScimConnector> {
    let Some((_, connection)) = &setup.connection else {
        return Err(setup.error("connection", "a scim connector needs a connection"));
    };
    let base = connection
        .endpoints
        .get("base")
        .ok_or_else(|| setup.error("endpoints.base", "missing"))?;
    let token = connection
        .scan_secret("token")
        .ok_or_else(|| setup.error("scan.token", "missing"))?;
    let mut options: Options = setup.read_rest(connection.settings.clone())?;
    options.allowed_hosts = options
        .allowed_hosts
        .into_iter()
        .map(|host| host.to_lowercase())
        .collect();
    let respond = connection.respond_secret("token");
    ScimConnector::new(
        setup.info.clone(),
        base,
        (token, respond),
        &options,
        context,
    )
    .map_err(setup.at("endpoints.base"))
}

#[cfg(test)]
mod tests {
    use protect_core::ErrorKind;
    use protect_core::config::Config;
    use protect_core::engine::Engine;
    use protect_core::store::MemoryStore;

    use super::*;

    /// The example of the documentation, with one text in it replaced.
    fn example(text: &str, by: &str) -> Result<()> {
        let docs = include_str!("docs.md");
        let (_, rest) = docs.split_once("```toml").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        assert!(example.contains(text), "{text}");
        let mut registry = Registry::new();
        register(&mut registry);
        let config = Config::from_toml(&example.replace(text, by), &registry)?;
        let context = protect_core::testing::context().context;
        Engine::builder(config, registry, context).build(Arc::new(MemoryStore::new()))?;
        Ok(())
    }

    #[test]
    fn the_documented_configuration_makes_a_connector() {
        example("kind = \"scim\"", "kind = \"scim\"").unwrap();
        let more = "kind = \"scim\"\nactive_as = \"text\"\npatch_style = \"value\"\nallowed_hosts = [\"Bridge.acme.example\"]\nrequests_per_second = 20";
        example("kind = \"scim\"", more).unwrap();
    }

    #[test]
    fn a_configuration_that_cannot_be_right_makes_none() {
        for (text, by) in [
            ("kind = \"scim\"", "kind = \"scim\"\nactive_as = \"number\""),
            (
                "kind = \"scim\"",
                "kind = \"scim\"\nrequests_per_second = 0",
            ),
            ("https://", "http://"),
            ("base = ", "api = "),
            ("{ env = \"WIKI_SCAN_TOKEN\" }", "\"in clear\""),
        ] {
            let error = example(text, by).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{by}: {error}");
        }
    }
}
