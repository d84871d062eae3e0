//! How the products' own clients are made from Python and Node: the same parameters for each.

use protect_core::model::TenantId;
use protect_core::operation::{Parameter, ParameterKind};
use protect_core::secret::SecretRef;
use protect_core::{Context, Error, Result};
use serde::Deserialize;

use crate::client::{Access, Platform};
use crate::config::{self, Product};
use crate::conventions::Conventions;

/// The parameters that every class has.
pub(crate) const ORGANISATION: Parameter = Parameter::required(
    "organisation_id",
    ParameterKind::Text,
    "The Hub organisation id, which the products call tenant id.",
);
pub(crate) const API_KEY: Parameter = Parameter::optional(
    "api_key",
    ParameterKind::Secret,
    "An API key of Hub, Settings, API Keys: begins with `tos_`.",
);
pub(crate) const INTEGRATION_KEY: Parameter = Parameter::optional(
    "integration_key",
    ParameterKind::Secret,
    "An integration key of the product, instead of an API key.",
);
pub(crate) const BASE_URL: Parameter = Parameter::optional(
    "base_url",
    ParameterKind::Text,
    "Root of the product's API, where it is not the usual one.",
);
pub(crate) const CONVENTIONS: Parameter = Parameter::optional(
    "conventions",
    ParameterKind::Object,
    "Replaces paths, headers and names that the vendor does not document.",
);

/// The arguments of every constructor.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Construct {
    organisation_id: String,
    api_key: Option<SecretRef>,
    integration_key: Option<SecretRef>,
    base_url: Option<String>,
    conventions: Option<serde_json::Value>,
}

impl Construct {
    /// The product's client. No I/O.
    ///
    /// # Errors
    /// `config_invalid` naming the argument.
    pub(crate) fn platform(
        self,
        product: &Product,
        key_in_query: bool,
        context: &Context,
    ) -> Result<Platform> {
        let credential = config::credential(self.api_key, self.integration_key)
            .map_err(|message| Error::config("api_key", message))?;
        let conventions = match &self.conventions {
            Some(replaced) => Conventions::parse(product.kind, replaced)?,
            None => Conventions::default(),
        };
        let access = Access::new(self.organisation_id, credential).conventions(conventions);
        let access = match self.base_url {
            Some(url) => access.base_url(url),
            None => access,
        };
        Platform::new(access, product, key_in_query, context)
    }
}

/// Whose work it is, where no engine says so.
///
/// # Errors
/// Never: the text is a valid id.
pub(crate) fn nobody() -> Result<TenantId> {
    TenantId::new("caller")
}

/// Takes a word out of a constructor's arguments.
pub(crate) fn take_word(given: &mut serde_json::Value, name: &str) -> Option<String> {
    let word = given.as_object_mut()?.remove(name)?;
    Some(word.as_str().unwrap_or_default().to_owned())
}

/// Asserts that a class's table, the gate behind it and its constructor know the same names.
#[cfg(test)]
pub(crate) async fn agree<C>(class: &'static protect_core::operation::Class, connect: C)
where
    C: Fn(
        serde_json::Value,
        &Context,
    ) -> Result<std::sync::Arc<dyn protect_core::operation::Callable>>,
{
    use serde_json::{Map, Value, json};

    let context = protect_core::testing::context().context;
    let key = json!({ "env": "KEY" });
    let client = connect(
        json!({ "organisation_id": "org", "api_key": key }),
        &context,
    );
    let checked = protect_core::operation::check_table(client.unwrap()).await;
    assert_eq!(checked, Ok(()));
    let mut everything = Map::new();
    for parameter in class.constructor {
        let value = match parameter.kind {
            ParameterKind::Secret => key.clone(),
            _ => json!("x"),
        };
        everything.insert(parameter.name.to_owned(), value);
    }
    let refused = connect(Value::Object(everything), &context).err().unwrap();
    assert!(
        !refused.to_string().contains("no such argument"),
        "{refused}"
    );
    assert!(connect(json!({ "organisation": "org" }), &context).is_err());
}
