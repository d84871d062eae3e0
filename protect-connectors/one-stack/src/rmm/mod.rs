//! RMM: resets passwords, locks accounts out for a time, has second factors enrolled.

mod auto;
mod client;
mod operations;
mod remediate;
mod remediation;
mod standing;

use std::time::Duration;

use protect_core::config::{KindSpec, SettingSpec, SettingType};
use protect_core::inbound::News;
use protect_core::registry::ConnectorSetup;
use protect_core::{Context, Result};
use serde_json::Value;

pub use client::Rmm;
pub use operations::{CLASS, OPERATIONS, connect};
pub use remediation::{NewRemediation, Remediation};

use crate::config::{self, Common, Product};
use crate::events::Event;
use crate::webhooks::{self, Webhooks};
use auto::AutoActions;
use remediate::RmmConnector;

/// The kind, as it stands in the configuration.
pub const KIND: &str = "rmm";

pub(crate) const PRODUCT: Product = Product {
    kind: KIND,
    docs: "The One RMM: resets passwords, locks accounts out for a time and has second factors enrolled, and follows what comes of it.",
    api: "https://api.theonermm.app",
    integration_key_variable: "ONESTACK_INTEGRATION_KEY",
    is_internal: true,
};

/// How many remediations an hour are asked for at most, where nobody says.
const MAX_PER_HOUR: i64 = 20;

/// "Temporary disable": how long a lockout lasts where nobody says.
const LOCKOUT: Duration = Duration::from_hours(24);

pub(crate) fn spec() -> KindSpec {
    webhooks::add_to(config::spec(&PRODUCT))
        .setting(
            SettingSpec::new(
                "owners",
                SettingType::TextList,
                "The addresses of the Hub organisation's owners, who are never touched; `[]` where there are none to name.",
            )
            .required(),
        )
        .setting(
            SettingSpec::one_of(
                "directory",
                ["entra", "google", "local_ad"],
                "Which directory RMM changes.",
            )
            .default("entra"),
        )
        .setting(
            SettingSpec::new(
                "max_per_hour",
                SettingType::Integer { min: 1, max: 1000 },
                "How many remediations an hour are asked for at most; more wait.",
            )
            .default(MAX_PER_HOUR),
        )
        .setting(
            SettingSpec::new(
                "lockout",
                SettingType::Duration,
                "How long an account is locked out where the action does not say.",
            )
            .default("24h"),
        )
        .setting(
            SettingSpec::new(
                "revoke_sessions",
                SettingType::Boolean,
                "Whether RMM also ends the sessions of whom it resets or locks out.",
            )
            .default(true),
        )
        .setting(SettingSpec::new(
            "auto_actions",
            SettingType::Table,
            "What is done about exposed credentials without a rule, by action (`force_password_reset`, `suspend_account`, `enroll_mfa`); all off: `{ force_password_reset = { enabled = true, min_severity = \"high\", enabled_by = \"...\" } }`, also `require_approval` (true for `suspend_account` where nobody says, which moreover needs an alert at `security` about the same login), `exclude_accounts`, `max_per_hour`, `dry_run`.",
        ))
}

pub(crate) fn build(setup: &ConnectorSetup, context: &Context) -> Result<RmmConnector> {
    let platform = config::platform(setup, &PRODUCT, false, context)?;
    let number = |name: &str| setup.settings.get(name).and_then(Value::as_i64);
    let max_per_hour = number("max_per_hour").unwrap_or(MAX_PER_HOUR);
    let lockout = setup.settings.get("lockout").and_then(Value::as_u64);
    let sessions = setup.settings.get("revoke_sessions");
    Ok(RmmConnector {
        info: setup.info.clone(),
        client: Rmm::over(platform, &setup.info.tenant),
        common: Common::read(setup)?,
        webhooks: Webhooks::read(setup, &PRODUCT, "rmm.events", news, context)?,
        owners: config::owners(setup)?,
        directory: config::text(setup, "directory").unwrap_or_else(|| "entra".to_owned()),
        max_per_hour: usize::try_from(max_per_hour).unwrap_or(usize::MAX),
        lockout: lockout.map_or(LOCKOUT, Duration::from_secs),
        revoke_sessions: sessions.and_then(Value::as_bool).unwrap_or(true),
        auto_actions: AutoActions::parse(setup)?,
    })
}

/// `script.completed` is documented (<https://docs.theonestack.com/docs/api-reference/webhooks>), and may be
/// what carried a remediation out; `remediation.*` is ours. Neither need say which one it was.
#[expect(
    clippy::unnecessary_wraps,
    reason = "one reader of several, of which the others can fail"
)]
fn news(event: &Event) -> Result<Vec<News>> {
    let is_over = event.event == "script.completed" || event.event.starts_with("remediation.");
    Ok(is_over.then_some(News::Requests).into_iter().collect())
}
