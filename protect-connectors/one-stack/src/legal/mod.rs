//! Legal: publishes policies, shows them for signing, and holds the record of who acknowledged them.

mod client;
mod connector;
mod operations;

use protect_core::config::KindSpec;
use protect_core::registry::ConnectorSetup;
use protect_core::{Context, Result};

pub use client::{
    AcknowledgementRecord, AcknowledgementRequest, Legal, LegalPolicy, LegalStanding, LegalText,
};
pub use operations::{CLASS, OPERATIONS, connect};

use crate::config::{self, Product};
use crate::hr::{self, KeyHolder};
use connector::LegalConnector;

/// The kind, as it stands in the configuration.
pub const KIND: &str = "legal";

pub(crate) const PRODUCT: Product = Product {
    kind: KIND,
    docs: "The One Legal: tells that somebody acknowledged a policy (`scan`), and is asked for policies and told of acknowledgements (`respond`).",
    api: "https://api.theonelegal.app",
    integration_key_variable: "LEGAL_INTEGRATION_KEY",
    is_internal: true,
};

pub(crate) fn spec() -> KindSpec {
    let mut spec = config::spec(&PRODUCT).by_choice();
    if let Some(respond) = &mut spec.respond {
        respond.required = false;
    }
    hr::with_keys(spec, PRODUCT.integration_key_variable, false)
}

/// With a `respond` credential Legal is asked and told; with the key of `scan` it may tell us.
pub(crate) fn build(setup: &ConnectorSetup, context: &Context) -> Result<LegalConnector> {
    let keys = KeyHolder::read(setup)?;
    let connection = setup.connection.as_ref();
    let has_respond = connection.is_some_and(|(_, connection)| connection.respond.is_some());
    if keys.is_none() && !has_respond {
        return Err(setup.error("scan", "give `scan`, `respond` or both"));
    }
    let client = if has_respond {
        let platform = config::platform(setup, &PRODUCT, false, context)?;
        Some(Legal::over(platform, &setup.info.tenant))
    } else {
        None
    };
    Ok(LegalConnector {
        info: setup.info.clone(),
        keys,
        client,
    })
}
