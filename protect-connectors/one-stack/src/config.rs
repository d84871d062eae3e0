//! What the kinds of The One Stack have in common in the configuration.

use protect_core::config::{
    ConnectionConfig, CredentialSpec, EndpointSpec, KindSpec, SettingSpec, SettingType,
};
use protect_core::model::Address;
use protect_core::registry::ConnectorSetup;
use protect_core::secret::SecretRef;
use protect_core::{Context, Result};
use serde_json::Value;

use crate::client::{Access, Credential, Platform};
use crate::conventions::Conventions;

/// What tells one product from another.
pub(crate) struct Product {
    pub(crate) kind: &'static str,
    pub(crate) docs: &'static str,
    /// Root of its API, as far as anybody knows.
    pub(crate) api: &'static str,
    /// The product's own name for the environment variable of its integration key.
    pub(crate) integration_key_variable: &'static str,
    /// Whether it is called by other products rather than from outside.
    pub(crate) is_internal: bool,
}

/// The keys every kind has.
pub(crate) fn spec(product: &Product) -> KindSpec {
    let credential = CredentialSpec::new()
        .secret(
            "api_key",
            "An API key of Hub, Settings, API Keys: begins with `tos_`.",
        )
        .variable("ONESTACK_API_KEY")
        .secret(
            "integration_key",
            "An integration key of the product, Settings, Integrations, instead of an API key.",
        )
        .variable(product.integration_key_variable);
    let credential = if product.is_internal {
        credential
            .alternative(["integration_key"])
            .alternative(["api_key"])
    } else {
        credential
            .alternative(["api_key"])
            .alternative(["integration_key"])
    };
    KindSpec::new(product.kind, product.docs)
        .endpoint(EndpointSpec::new("api", "Root of the product's API.").default(product.api))
        .required_respond(credential)
        .connection_setting(SettingSpec::new(
            "conventions",
            SettingType::Table,
            "Replaces paths, headers and names that the vendor does not document: `paths`, `headers`, `members`, `values`, `closed`.",
        ))
        .connection_setting(
            SettingSpec::new(
                "private_network",
                SettingType::Boolean,
                "Whether the API may be inside our own network.",
            )
            .default(false),
        )
        .setting(
            SettingSpec::text(
                "organisation_id",
                "The Hub organisation id, which the products call tenant id. Requests of one organisation share one limit.",
            )
            .required(),
        )
        .setting(SettingSpec::text(
            "client_id",
            "The client company's id in PSA, where the tenant is a client of the organisation.",
        ))
        .setting(
            SettingSpec::text("source", "What we call ourselves there.").default(SOURCE),
        )
        .setting(SettingSpec::text(
            "link",
            "Where people look an incident up: a URL with `{incident}` in it.",
        ))
}

/// What we call ourselves.
pub(crate) const SOURCE: &str = "protect";

/// What every connector is told besides its own settings.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    pub(crate) client_id: Option<String>,
    pub(crate) source: String,
    link: Option<String>,
}

impl Common {
    pub(crate) fn read(setup: &ConnectorSetup) -> Result<Self> {
        let link = text(setup, "link");
        if link
            .as_ref()
            .is_some_and(|link| !link.contains("{incident}"))
        {
            return Err(setup.error("link", "write `{incident}` where the incident's id goes"));
        }
        Ok(Self {
            client_id: text(setup, "client_id"),
            source: text(setup, "source").unwrap_or_else(|| SOURCE.to_owned()),
            link,
        })
    }

    /// Where people look an incident up.
    pub(crate) fn link(&self, incident: &str) -> Option<String> {
        self.link
            .as_ref()
            .map(|link| link.replace("{incident}", incident))
    }
}

/// A setting of the tenant's connector that is text.
pub(crate) fn text(setup: &ConnectorSetup, name: &str) -> Option<String> {
    setup.settings.get(name)?.as_str().map(str::to_owned)
}

/// The owners of the Hub organisation, whom nothing changes.
///
/// # Errors
/// `config_invalid` where they are missing, or one is no address.
pub(crate) fn owners(setup: &ConnectorSetup) -> Result<Vec<Address>> {
    let given = setup.settings.get("owners").and_then(Value::as_array);
    let given = given.ok_or_else(|| setup.error("owners", "name the owners, or write `[]`"))?;
    let address = |owner: &Value| {
        Address::new(owner.as_str().unwrap_or_default()).map_err(setup.at("owners"))
    };
    given.iter().map(address).collect()
}

/// The product's client, as the configuration has it.
pub(crate) fn platform(
    setup: &ConnectorSetup,
    product: &Product,
    key_in_query: bool,
    context: &Context,
) -> Result<Platform> {
    let missing = |field: &str| setup.error(field, "this kind needs it");
    let connection = setup.connection.as_ref();
    let (_, connection) = connection.ok_or_else(|| missing("connection"))?;
    let key = |field| connection.respond_secret(field);
    let credential = credential(key("api_key"), key("integration_key"))
        .map_err(|message| setup.error("respond", message))?;
    let conventions = conventions(setup, connection)?;
    let is_private = connection.settings.get("private_network");
    let organisation = text(setup, "organisation_id").ok_or_else(|| missing("organisation_id"))?;
    let access = Access::new(organisation, credential)
        .conventions(conventions)
        .private_network(is_private.and_then(Value::as_bool).unwrap_or(false));
    let access = match connection.endpoints.get("api") {
        Some(url) => access.base_url(url),
        None => access,
    };
    Platform::new(access, product, key_in_query, context).map_err(setup.at("endpoints.api"))
}

/// What the connection replaces of what the vendor does not document.
pub(crate) fn conventions(
    setup: &ConnectorSetup,
    connection: &ConnectionConfig,
) -> Result<Conventions> {
    match connection.settings.get("conventions") {
        Some(replaced) => Conventions::parse(&connection.kind, replaced)
            .map_err(|error| setup.error(place(&error), error.message())),
        None => Ok(Conventions::default()),
    }
}

/// Just one of the two forms.
///
/// # Errors
/// What to write instead.
pub(crate) fn credential(
    api_key: Option<SecretRef>,
    integration_key: Option<SecretRef>,
) -> std::result::Result<Credential, &'static str> {
    match (api_key, integration_key) {
        (Some(key), None) => Ok(Credential::ApiKey(key)),
        (None, Some(key)) => Ok(Credential::IntegrationKey(key)),
        _ => Err("give one of `api_key` and `integration_key`"),
    }
}

fn place(error: &protect_core::Error) -> &str {
    let field = error.context().iter().find(|(key, _)| *key == "field");
    field.map_or("conventions", |(_, place)| place)
}
