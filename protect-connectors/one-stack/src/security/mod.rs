//! Security: incidents, opened once, noted on a repeat, their status read back.

mod alert;
mod client;
mod incident;
mod operations;
mod sink;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use protect_core::config::{KindSpec, SettingSpec, SettingType};
use protect_core::inbound::News;
use protect_core::model::{FindingKind, Severity};
use protect_core::registry::ConnectorSetup;
use protect_core::{Context, Result};
use serde_json::Value;

pub use alert::SecurityAlert;
pub use client::Security;
pub use incident::{NewSecurityIncident, SecurityIncident};
pub use operations::{CLASS, OPERATIONS, connect};

use crate::config::{self, Common, Product};
use crate::events::Event;
use crate::webhooks::{self, Webhooks};
use sink::SecurityConnector;

/// The kind, as it stands in the configuration.
pub const KIND: &str = "security";

pub(crate) const PRODUCT: Product = Product {
    kind: KIND,
    docs: "The One Security: opens incidents, adds notes to open ones and reads their status back.",
    api: "https://api.theonesecurity.app",
    integration_key_variable: "ONESTACK_INTEGRATION_KEY",
    is_internal: false,
};

/// From which severity on a finding makes an incident: as the product's own switches are set. Of the
/// other kinds it says nothing, and the rule decides.
const THRESHOLDS: [(FindingKind, Severity); 2] = [
    (FindingKind::CredentialExposure, Severity::High),
    (FindingKind::Misconfiguration, Severity::Critical),
];

/// Alerts of the same account "in a 72 h window".
const WINDOW: SignedDuration = SignedDuration::from_hours(72);

/// What a threshold says that lets nothing through.
const OFF: &str = "off";

pub(crate) fn spec() -> KindSpec {
    webhooks::add_to(config::spec(&PRODUCT))
        .setting(SettingSpec::new(
            "thresholds",
            SettingType::TextTable,
            "From which severity on a kind of finding makes an incident, or `off`; `credential_exposure = \"high\"` and `misconfiguration = \"critical\"` where nobody says.",
        ))
        .setting(
            SettingSpec::new(
                "correlate",
                SettingType::Boolean,
                "Whether an incident is opened with Security's alerts about the same account; alerts by themselves open none.",
            )
            .default(true),
        )
        .setting(
            SettingSpec::new(
                "correlation_window",
                SettingType::Duration,
                "How far back those alerts may lie.",
            )
            .default("72h"),
        )
        .setting(SettingSpec::new(
            "attack_categories",
            SettingType::TextList,
            "Which categories of Security's alerts mean that a login is under attack (`[\"credential_stuffing\", \"intrusion\"]`); all where nobody says.",
        ))
}

pub(crate) fn build(setup: &ConnectorSetup, context: &Context) -> Result<SecurityConnector> {
    let platform = config::platform(setup, &PRODUCT, false, context)?;
    Ok(SecurityConnector {
        info: setup.info.clone(),
        client: Security::over(platform, &setup.info.tenant),
        common: Common::read(setup)?,
        webhooks: Webhooks::read(setup, &PRODUCT, "security.events", news, context)?,
        thresholds: thresholds(setup)?,
        correlation_window: window(setup),
        attack_categories: categories(setup),
    })
}

/// The names of Security's events are not among those that the public page shows: `incident.*` is ours.
fn news(event: &Event) -> Result<Vec<News>> {
    webhooks::item(event, "incident")
}

/// How far back alerts are looked for; `None` where none are.
fn window(setup: &ConnectorSetup) -> Option<SignedDuration> {
    let correlates = setup.settings.get("correlate").and_then(Value::as_bool);
    let seconds = setup.settings.get("correlation_window");
    let window = seconds
        .and_then(Value::as_i64)
        .map(SignedDuration::from_secs);
    correlates.unwrap_or(true).then(|| window.unwrap_or(WINDOW))
}

/// `None` for all.
fn categories(setup: &ConnectorSetup) -> Option<Vec<String>> {
    let given = setup.settings.get("attack_categories")?.as_array()?;
    let words = given.iter().filter_map(Value::as_str);
    Some(words.map(str::to_lowercase).collect())
}

/// The least severity for each kind; `None` lets nothing through.
fn thresholds(setup: &ConnectorSetup) -> Result<BTreeMap<FindingKind, Option<Severity>>> {
    let mut all: BTreeMap<_, _> = THRESHOLDS
        .map(|(kind, severity)| (kind, Some(severity)))
        .into();
    let given = setup.settings.get("thresholds").and_then(Value::as_object);
    for (name, word) in given.into_iter().flatten() {
        let place = format!("thresholds.{name}");
        let kind = FindingKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name);
        let kind = kind.ok_or_else(|| setup.error(&place, "not a kind of finding"))?;
        let word = word.as_str().unwrap_or_default();
        let severity = Severity::ALL
            .into_iter()
            .find(|severity| severity.as_str() == word);
        if severity.is_none() && word != OFF {
            return Err(setup.error(&place, "write a severity, or `off`"));
        }
        all.insert(kind, severity);
    }
    Ok(all)
}
