//! On-Call: pages whoever is on call, once for an incident.

mod client;
mod operations;
mod sink;

use protect_core::config::{KindSpec, SettingSpec};
use protect_core::model::Severity;
use protect_core::registry::ConnectorSetup;
use protect_core::{Context, Error, Result};
use serde_json::Value;

pub use client::{NewPage, OnCall, Paged};
pub use operations::{CLASS, OPERATIONS, connect};

use crate::config::{self, Common, Product};
use sink::OnCallConnector;

/// The kind, as it stands in the configuration.
pub const KIND: &str = "oncall";

pub(crate) const PRODUCT: Product = Product {
    kind: KIND,
    docs: "The One On-Call: pages whoever is on call. A repeat about the same incident joins the page that is open.",
    api: "https://api.theoneoncall.app",
    integration_key_variable: "DEFEND_SERVICE_KEY",
    is_internal: true,
};

/// Which of the two documented ways in is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayIn {
    /// `POST /api/webhooks/ingest?key=...`, with a key for each service.
    Ingest,
    /// `POST /api/internal/escalations/create`, as other products of the platform do; critical and high
    /// only.
    Escalations,
}

impl WayIn {
    fn named(name: Option<&str>) -> Result<Self> {
        match name {
            None | Some("ingest") => Ok(Self::Ingest),
            Some("escalations") => Ok(Self::Escalations),
            Some(_) => Err(Error::config("api", "write `ingest` or `escalations`")),
        }
    }
}

pub(crate) fn spec() -> KindSpec {
    config::spec(&PRODUCT)
        .connection_setting(
            SettingSpec::one_of(
                "api",
                ["ingest", "escalations"],
                "Which way in: `ingest` has the key in the query, `escalations` in the header `X-Integration-Key`.",
            )
            .default("ingest"),
        )
        .setting(
            SettingSpec::one_of(
                "min_severity",
                ["low", "medium", "high", "critical"],
                "From which severity on somebody is paged.",
            )
            .default("high"),
        )
}

pub(crate) fn build(setup: &ConnectorSetup, context: &Context) -> Result<OnCallConnector> {
    let connection = setup.connection.as_ref();
    let api = connection.and_then(|(_, connection)| connection.settings.get("api"));
    let way_in = WayIn::named(api.and_then(Value::as_str)).map_err(setup.at("api"))?;
    let platform = config::platform(setup, &PRODUCT, way_in == WayIn::Ingest, context)?;
    let least = config::text(setup, "min_severity");
    let least = Severity::ALL
        .into_iter()
        .find(|severity| Some(severity.as_str()) == least.as_deref());
    Ok(OnCallConnector {
        info: setup.info.clone(),
        client: OnCall::over(platform, way_in, &setup.info.tenant),
        common: Common::read(setup)?,
        min_severity: least.unwrap_or(Severity::High),
        way_in,
    })
}
