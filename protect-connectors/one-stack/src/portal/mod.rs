//! Portal: what a client may see, published as a whole where it changed.

mod client;
mod operations;
mod sink;

use protect_core::config::{KindSpec, SettingSpec, SettingType};
use protect_core::registry::ConnectorSetup;
use protect_core::{Context, Result};

pub use client::{NewSnapshot, Portal, PublishedSnapshot};
pub use operations::{CLASS, OPERATIONS, connect};

use crate::config::{self, Common, Product};
use sink::PortalConnector;

/// The kind, as it stands in the configuration.
pub const KIND: &str = "portal";

pub(crate) const PRODUCT: Product = Product {
    kind: KIND,
    docs: "The One Portal: publishes what the tenant's `client_view` lets a client see, when it changed.",
    api: "https://api.theoneportal.app",
    integration_key_variable: "ONESTACK_INTEGRATION_KEY",
    is_internal: true,
};

pub(crate) fn spec() -> KindSpec {
    let mut spec = config::spec(&PRODUCT);
    // Whose view it is cannot be left open here.
    for setting in &mut spec.settings {
        setting.required |= setting.name == "client_id";
    }
    config::with_standing_consent(spec)
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
        ))
}

pub(crate) fn build(setup: &ConnectorSetup, context: &Context) -> Result<PortalConnector> {
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
    Ok(PortalConnector {
        info: setup.info.clone(),
        client: Portal::over(platform, &setup.info.tenant),
        client_id,
        report_link,
    })
}
