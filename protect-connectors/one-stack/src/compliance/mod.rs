//! Compliance: hands evidence in, with the controls that it speaks for.

mod client;
mod controls;
mod operations;
mod sink;

use protect_core::config::{KindSpec, SettingSpec, SettingType};
use protect_core::model::ArtifactKind;
use protect_core::registry::ConnectorSetup;
use protect_core::{Context, Result};
use serde_json::Value;

pub use client::{Compliance, NewEvidence, SubmittedEvidence};
pub use controls::Control;
pub use operations::{CLASS, OPERATIONS, connect};

use crate::config::{self, Common, Product};
use controls::Controls;
use sink::ComplianceConnector;

/// The kind, as it stands in the configuration.
pub const KIND: &str = "compliance";

pub(crate) const PRODUCT: Product = Product {
    kind: KIND,
    docs: "The One Compliance: hands in evidence about settings, mail authentication, monitoring and responses, when it changed.",
    api: "https://api.theonecompliance.app",
    integration_key_variable: "ONESTACK_INTEGRATION_KEY",
    is_internal: true,
};

pub(crate) fn spec() -> KindSpec {
    config::with_standing_consent(config::spec(&PRODUCT))
        .setting(
            SettingSpec::new(
                "auto_collection",
                SettingType::Boolean,
                "Whether the scheduler looks once a day for evidence to hand in.",
            )
            .default(false),
        )
        .setting(
            SettingSpec::new(
                "evidence",
                SettingType::TextList,
                "Which kinds are handed in; all four where nobody says.",
            )
            .default(ArtifactKind::ALL.map(|kind| kind.as_str().to_owned()).to_vec()),
        )
        .setting(SettingSpec::new(
            "controls",
            SettingType::Table,
            "Replaces, by kind of evidence, the controls it speaks for: `{ sspm_scan_result = [{ framework = \"SOC 2\", control_id = \"CC6.1\" }] }`.",
        ))
}

pub(crate) fn build(setup: &ConnectorSetup, context: &Context) -> Result<ComplianceConnector> {
    let platform = config::platform(setup, &PRODUCT, false, context)?;
    config::check_standing_consent(setup)?;
    let controls = Controls::parse(setup.settings.get("controls"))
        .map_err(|message| setup.error("controls", message))?;
    Ok(ComplianceConnector {
        info: setup.info.clone(),
        client: Compliance::over(platform, &setup.info.tenant),
        common: Common::read(setup)?,
        evidence: evidence(setup)?,
        controls,
    })
}

fn evidence(setup: &ConnectorSetup) -> Result<Vec<ArtifactKind>> {
    let Some(names) = setup.settings.get("evidence").and_then(Value::as_array) else {
        return Ok(ArtifactKind::ALL.to_vec());
    };
    let named = |name: &Value| {
        let kind = ArtifactKind::ALL
            .into_iter()
            .find(|kind| *name == kind.as_str());
        kind.ok_or_else(|| setup.error("evidence", "not a kind of evidence"))
    };
    names.iter().map(named).collect()
}
