//! Hub: signs the organisation's people in, takes the access to every product away, and gives it back.

mod access;
mod operations;
mod revoke;
mod scan;
mod users;

use std::sync::Arc;

use protect_core::config::{KindSpec, SettingSpec, SettingType};
use protect_core::connector::Connector;
use protect_core::model::Severity;
use protect_core::registry::ConnectorSetup;
use protect_core::{Context, Result};
use serde_json::Value;

pub use access::{AccessChange, Hub, NewRestoration, NewRevocation, ProductAccess};
pub use operations::{CLASS, OPERATIONS, connect};

use crate::config::{self, Common, Product};
use crate::sso::{self, SignIn, SignInConnector, Users};
use revoke::HubConnector;

/// The kind, as it stands in the configuration.
pub const KIND: &str = "hub";

pub(crate) const PRODUCT: Product = Product {
    kind: KIND,
    docs: "The One Hub: signs the organisation's people in (`scan`), takes the access to every product away from somebody, at once or on a day, and gives it back (`respond`).",
    api: "https://my.theonestack.com",
    integration_key_variable: "ONESTACK_INTEGRATION_KEY",
    is_internal: true,
};

/// The product's own name for the environment variable of the shared secret.
const SECRET_VARIABLE: &str = "PORTAL_SSO_SECRET";

pub(crate) fn spec() -> KindSpec {
    let mut spec = config::spec(&PRODUCT).setting(SettingSpec::new(
        "owners",
        SettingType::TextList,
        "The addresses of the organisation's owners, who are never touched; `[]` where there are none to name. Needed with `respond`.",
    ));
    if let Some(respond) = &mut spec.respond {
        respond.required = false;
    }
    let spec = spec
        .setting(
            SettingSpec::new(
                "watch_access",
                SettingType::Boolean,
                "Whether it is looked every six hours, with `respond`, who is gone and still has access.",
            )
            .default(true),
        )
        .check(
            scan::NOT_REVOKED,
            Severity::Critical,
            "Somebody who left, or is suspended, still has access at Hub",
        );
    sso::add_to(spec, SECRET_VARIABLE)
}

/// With a `respond` credential it can take access away; without, it signs people in and does nothing else.
pub(crate) fn build(setup: &ConnectorSetup, context: &Context) -> Result<Arc<dyn Connector>> {
    let sign_in = SignIn::read(setup, Users::Staff, context)?;
    let connection = setup.connection.as_ref();
    if connection.is_none_or(|(_, connection)| connection.respond.is_none()) {
        let info = setup.info.clone();
        return Ok(Arc::new(SignInConnector { info, sign_in }));
    }
    let platform = config::platform(setup, &PRODUCT, false, context)?;
    let watches = setup.settings.get("watch_access");
    Ok(Arc::new(HubConnector {
        info: setup.info.clone(),
        client: Hub::over(platform, &setup.info.tenant),
        common: Common::read(setup)?,
        owners: config::owners(setup)?,
        watches: watches.and_then(Value::as_bool).unwrap_or(true),
        sign_in,
    }))
}
