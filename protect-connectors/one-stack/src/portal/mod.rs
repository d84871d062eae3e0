//! Portal: signs the users of a client in, and publishes what they may see, as a whole where it changed.

mod client;
mod operations;
mod sink;

use std::sync::Arc;

use protect_core::config::{KindSpec, SettingSpec, SettingType};
use protect_core::connector::Connector;
use protect_core::registry::ConnectorSetup;
use protect_core::{Context, Result};

pub use client::{NewSnapshot, Portal, PublishedSnapshot};
pub use operations::{CLASS, OPERATIONS, connect};

use crate::config::{self, Common, Product};
use crate::sso::{self, SignIn, SignInConnector, Users};
use sink::PortalConnector;

/// The kind, as it stands in the configuration.
pub const KIND: &str = "portal";

pub(crate) const PRODUCT: Product = Product {
    kind: KIND,
    docs: "The One Portal: signs the users of a client in, by the tokens that Hub hands over (`scan`), and publishes what the tenant's `client_view` lets them see, when it changed (`respond`).",
    api: "https://api.theoneportal.app",
    integration_key_variable: "ONESTACK_INTEGRATION_KEY",
    is_internal: true,
};

/// The product's own name for the environment variable of the shared secret.
const SECRET_VARIABLE: &str = "PORTAL_CLIENT_SSO_SECRET";

pub(crate) fn spec() -> KindSpec {
    let mut spec = config::with_standing_consent(config::spec(&PRODUCT))
        .setting(
            SettingSpec::one_of(
                "access_level",
                ["company", "company_admin"],
                "For whom the published view is: with `company` addresses are masked.",
            )
            .default("company"),
        )
        .setting(
            SettingSpec::new(
                "publish_every",
                SettingType::Duration,
                "How often it is looked whether the view changed; it is published at most so often.",
            )
            .default("1h"),
        )
        .setting(SettingSpec::text(
            "report_link",
            "Where clients find a month's report: a URL with `{month}` in it.",
        ));
    // Whose view it is, and whose users sign in, cannot be left open here.
    for setting in &mut spec.settings {
        setting.required |= setting.name == "client_id";
    }
    if let Some(respond) = &mut spec.respond {
        respond.required = false;
    }
    sso::add_to(spec, SECRET_VARIABLE)
}

/// With a `respond` credential it publishes; without, it signs people in and does nothing else.
pub(crate) fn build(setup: &ConnectorSetup, context: &Context) -> Result<Arc<dyn Connector>> {
    let sign_in = SignIn::read(setup, Users::Clients, context)?;
    let connection = setup.connection.as_ref();
    if connection.is_none_or(|(_, connection)| connection.respond.is_none()) {
        let info = setup.info.clone();
        return Ok(Arc::new(SignInConnector { info, sign_in }));
    }
    let platform = config::platform(setup, &PRODUCT, false, context)?;
    let common = Common::read(setup)?;
    let client_id = common.client_id.clone().ok_or_else(|| {
        setup.error(
            "client_id",
            "say which client company of the portal this tenant is",
        )
    })?;
    let report_link = config::text(setup, "report_link");
    if report_link
        .as_ref()
        .is_some_and(|link| !link.contains("{month}"))
    {
        return Err(setup.error("report_link", "write `{month}` where the month goes"));
    }
    config::check_standing_consent(setup)?;
    Ok(Arc::new(PortalConnector {
        info: setup.info.clone(),
        client: Portal::over(platform, &setup.info.tenant),
        client_id,
        report_link,
        sign_in,
    }))
}
