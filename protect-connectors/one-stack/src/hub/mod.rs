//! Hub: takes the access to every product away, and gives it back.

mod access;
mod operations;
mod revoke;

use protect_core::config::{KindSpec, SettingSpec, SettingType};
use protect_core::registry::ConnectorSetup;
use protect_core::{Context, Result};

pub use access::{AccessChange, Hub, NewRestoration, NewRevocation, ProductAccess};
pub use operations::{CLASS, OPERATIONS, connect};

use crate::config::{self, Common, Product};
use revoke::HubConnector;

/// The kind, as it stands in the configuration.
pub const KIND: &str = "hub";

pub(crate) const PRODUCT: Product = Product {
    kind: KIND,
    docs: "The One Hub: takes the access to every product away from somebody, at once or on a day, and gives it back.",
    api: "https://my.theonestack.com",
    integration_key_variable: "ONESTACK_INTEGRATION_KEY",
    is_internal: true,
};

pub(crate) fn spec() -> KindSpec {
    config::spec(&PRODUCT).setting(
        SettingSpec::new(
            "owners",
            SettingType::TextList,
            "The addresses of the organisation's owners, who are never touched; `[]` where there are none to name.",
        )
        .required(),
    )
}

pub(crate) fn build(setup: &ConnectorSetup, context: &Context) -> Result<HubConnector> {
    let platform = config::platform(setup, &PRODUCT, false, context)?;
    Ok(HubConnector {
        info: setup.info.clone(),
        client: Hub::over(platform, &setup.info.tenant),
        common: Common::read(setup)?,
        owners: config::owners(setup)?,
    })
}
