//! Defend: watches somebody more closely while they are leaving, and tells what it saw of people inside.

mod client;
mod operations;
mod remediate;

use std::sync::Arc;

use protect_core::config::{KindSpec, SettingSpec, SettingType};
use protect_core::registry::ConnectorSetup;
use protect_core::{Context, Result};
use serde_json::Value;

pub use client::{Defend, Elevation, NewElevation};
pub use operations::{CLASS, OPERATIONS, connect};

use crate::config::{self, Product, text};
use crate::hr::{self, KeyHolder};
use remediate::{DefendConnector, Watch};

/// The kind, as it stands in the configuration.
pub const KIND: &str = "defend";

pub(crate) const PRODUCT: Product = Product {
    kind: KIND,
    docs: "The One Defend: looks people up, tells insider-threat signals and asks for an emergency offboarding (`scan`), and watches more closely who is leaving (`respond`).",
    api: "https://api.theonedefend.app",
    integration_key_variable: "DEFEND_SERVICE_KEY",
    is_internal: true,
};

pub(crate) fn spec() -> KindSpec {
    let mut spec = config::spec(&PRODUCT)
        .by_choice()
        .setting(
            SettingSpec::new(
                "elevated_monitoring",
                SettingType::Boolean,
                "Whether who is leaving is watched more closely until they have left; needs `respond` and `enabled_by`.",
            )
            .default(false),
        )
        .setting(SettingSpec::text(
            "enabled_by",
            "Who decided that people are watched more closely: legal review and informing employees are needed before.",
        ));
    if let Some(respond) = &mut spec.respond {
        respond.required = false;
    }
    hr::with_keys(spec, PRODUCT.integration_key_variable, false)
}

/// With a `respond` credential, and somebody who answers for it, it watches; with the keys of `scan` it
/// may ask us.
pub(crate) fn build(setup: &ConnectorSetup, context: &Context) -> Result<DefendConnector> {
    let keys = KeyHolder::read(setup)?;
    let has_respond = setup
        .connection
        .as_ref()
        .is_some_and(|(_, connection)| connection.respond.is_some());
    if keys.is_none() && !has_respond {
        return Err(setup.error("scan", "give `scan`, `respond` or both"));
    }
    let is_on = setup.settings.get("elevated_monitoring");
    let is_on = is_on.and_then(Value::as_bool).unwrap_or(false);
    let enabled_by = match (is_on, text(setup, "enabled_by")) {
        (false, _) => None,
        (true, Some(_)) if !has_respond => {
            return Err(setup.error(
                "elevated_monitoring",
                "the connection needs a `respond` credential for it",
            ));
        }
        (true, Some(by)) if !by.trim().is_empty() => Some(by),
        (true, _) => {
            return Err(setup.error(
                "enabled_by",
                "`elevated_monitoring = true` says who decided so",
            ));
        }
    };
    let watch = if has_respond {
        let platform = config::platform(setup, &PRODUCT, false, context)?;
        Some(Watch {
            client: Defend::over(platform, &setup.info.tenant),
            enabled_by,
            clock: Arc::clone(&context.clock),
        })
    } else {
        None
    };
    Ok(DefendConnector {
        info: setup.info.clone(),
        keys,
        watch,
    })
}
