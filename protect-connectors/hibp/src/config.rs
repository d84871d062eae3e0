//! What the connector is told: endpoints, key, limits, cadence, severity.

use std::collections::BTreeMap;
use std::time::Duration;

use protect_core::config::{
    ConnectionConfig, CredentialSpec, EndpointSpec, KindSpec, SettingSpec, SettingType, TenantScope,
};
use protect_core::model::Severity;
use protect_core::registry::ConnectorSetup;
use protect_core::secret::SecretRef;
use protect_core::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::models::BreachName;
use crate::severity::{CredentialForm, Policy, SeverityProfile};

/// Root of the API (<https://haveibeenpwned.com/API/v3>).
pub(crate) const API: &str = "https://haveibeenpwned.com/api/v3";
/// Root of the password ranges.
pub(crate) const PASSWORDS: &str = "https://api.pwnedpasswords.com";

/// Twelve hours.
const WINDOW_SECONDS: u64 = 12 * 3_600;

/// How often every address is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    /// Every address in every window of twelve hours.
    EveryWindow,
    /// Every address when the catalogue gained or changed a breach, and after the maximum age.
    CatalogueGated,
}

impl Cadence {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EveryWindow => "every_window",
            Self::CatalogueGated => "catalogue_gated",
        }
    }
}

/// Whose pastes are looked for. Pastes are found by single addresses alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pastes {
    /// Nobody's.
    Off,
    /// Those of addresses that no verified domain covers.
    #[default]
    Residual,
    /// Those of every watched address, also where a domain search covers it.
    All,
}

/// Everything that a connector was configured with, checked.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) api: String,
    pub(crate) passwords: String,
    pub(crate) api_key: SecretRef,
    /// Lowers the plan's rate, never raises it.
    pub(crate) requests_per_minute: Option<u32>,
    pub(crate) kanon_weight: u32,
    pub(crate) serves_several: bool,
    pub(crate) cadence: Option<Cadence>,
    pub(crate) max_age: Duration,
    pub(crate) k_anonymity: bool,
    pub(crate) pastes: Pastes,
    pub(crate) policy: Policy,
}

impl Settings {
    /// Reads the configuration.
    ///
    /// # Errors
    /// `config_invalid` naming tenant, connector, connection and field.
    pub(crate) fn read(setup: &ConnectorSetup) -> Result<Self> {
        let Some((_, connection)) = &setup.connection else {
            return Err(setup.error("connection", "a hibp connector needs a connection"));
        };
        if connection.respond.is_some() {
            return Err(setup.error("respond", "Have I Been Pwned has nothing to change"));
        }
        let (api, passwords) = read_endpoints(setup, connection)?;
        let api_key = read_key(setup, &connection.scan)?;
        let shared: ConnectionSettings = read_struct(setup, &connection.settings)?;
        let own: TenantSettings = read_struct(setup, &setup.settings)?;
        if shared.kanon_weight == 0 {
            return Err(setup.error("kanon_weight", "at least 1"));
        }
        if shared.requests_per_minute == Some(0) {
            return Err(setup.error("requests_per_minute", "at least 1"));
        }
        if own.max_age < WINDOW_SECONDS {
            return Err(setup.error("max_age", "at least 12h, one window"));
        }
        Ok(Self {
            api,
            passwords,
            api_key,
            requests_per_minute: shared.requests_per_minute,
            kanon_weight: shared.kanon_weight,
            serves_several: match &connection.tenants {
                TenantScope::Every => true,
                TenantScope::Only(tenants) => tenants.len() > 1,
            },
            cadence: own.cadence,
            max_age: Duration::from_secs(own.max_age),
            k_anonymity: own.k_anonymity,
            pastes: own.pastes,
            policy: Policy {
                profile: own.severity_profile,
                unknown_form_is_critical: own.unknown_form == UnknownForm::Critical,
                overrides: own.overrides,
            },
        })
    }
}

/// What the configuration may say.
pub(crate) fn spec() -> KindSpec {
    KindSpec::new(
        crate::KIND,
        "Have I Been Pwned: which watched addresses stand in known breaches, pastes and stealer logs.",
    )
    .endpoint(EndpointSpec::new("api", "The API, with `/api/v3`.").default(API))
    .endpoint(EndpointSpec::new("passwords", "The password ranges.").default(PASSWORDS))
    .scan(CredentialSpec::new().secret(
        "api_key",
        "The key: 32 hexadecimal digits from the vendor's dashboard.",
    ))
    .connection_setting(SettingSpec::new(
        "requests_per_minute",
        SettingType::Integer {
            min: 1,
            max: i64::from(u32::MAX),
        },
        "Searches a minute, where they shall be fewer than the plan gives; never more.",
    ))
    .connection_setting(
        SettingSpec::new(
            "kanon_weight",
            SettingType::Integer { min: 1, max: 10 },
            "How many searches one range search counts for.",
        )
        .default(default_kanon_weight()),
    )
    .setting(SettingSpec::one_of(
        "cadence",
        ["every_window", "catalogue_gated"],
        "Every address every twelve hours, or when the catalogue changed; left out, the first while the plan's rate allows.",
    ))
    .setting(
        SettingSpec::new(
            "max_age",
            SettingType::Duration,
            "After which time an address is asked about again although the catalogue did not change.",
        )
        .default("7d"),
    )
    .setting(
        SettingSpec::new(
            "k_anonymity",
            SettingType::Boolean,
            "Whether to search by the first digits of an address's hash where the plan has it.",
        )
        .default(true),
    )
    .setting(
        SettingSpec::one_of(
            "pastes",
            ["off", "residual", "all"],
            "Whose pastes are looked for every seven days: nobody's, those of addresses that no verified domain covers, everybody's.",
        )
        .default("residual"),
    )
    .setting(
        SettingSpec::one_of(
            "severity_profile",
            ["default", "one_protect"],
            "Four levels, or the three of The One Protect, where an address alone is medium.",
        )
        .default("default"),
    )
    .setting(
        SettingSpec::one_of(
            "unknown_form",
            ["high", "critical"],
            "How bad exposed passwords are whose storage nobody states.",
        )
        .default("high"),
    )
    .setting(SettingSpec::new(
        "overrides",
        SettingType::TextTable,
        "What somebody knows better than a breach's description: the form, by the breach's name.",
    ))
    .check(
        "hibp.exposure.breach",
        Severity::Critical,
        "A watched address stands in a breach",
    )
    .check(
        "hibp.exposure.stealer_log",
        Severity::Critical,
        "Malware recorded a watched address being typed at a website",
    )
    .check(
        "hibp.exposure.paste",
        Severity::Low,
        "A watched address stands in a paste",
    )
    .check(
        "hibp.connection.credential",
        Severity::High,
        "Have I Been Pwned does not accept the key",
    )
    .check(
        "hibp.connection.plan",
        Severity::High,
        "Have I Been Pwned refuses searches that the plan or the key does not include",
    )
    .check(
        "hibp.connection.capacity",
        Severity::Medium,
        "The plan cannot keep up with the watched addresses",
    )
}

/// What belongs to the key, and so to every tenant that shares it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectionSettings {
    requests_per_minute: Option<u32>,
    #[serde(default = "default_kanon_weight")]
    kanon_weight: u32,
}

/// The plans' page says half the rate, a later article says the same rate: 2 is right in any case.
const fn default_kanon_weight() -> u32 {
    2
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantSettings {
    cadence: Option<Cadence>,
    /// The configuration hands spans of time over in seconds.
    #[serde(default = "default_max_age")]
    max_age: u64,
    #[serde(default = "yes")]
    k_anonymity: bool,
    #[serde(default)]
    pastes: Pastes,
    #[serde(default)]
    severity_profile: SeverityProfile,
    #[serde(default)]
    unknown_form: UnknownForm,
    #[serde(default)]
    overrides: BTreeMap<BreachName, CredentialForm>,
}

#[derive(Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum UnknownForm {
    #[default]
    High,
    Critical,
}

const fn default_max_age() -> u64 {
    14 * WINDOW_SECONDS
}

const fn yes() -> bool {
    true
}

fn read_endpoints(
    setup: &ConnectorSetup,
    connection: &ConnectionConfig,
) -> Result<(String, String)> {
    let mut endpoints = connection.endpoints.clone();
    let api = endpoints.remove("api").unwrap_or_else(|| API.to_owned());
    let passwords = endpoints
        .remove("passwords")
        .unwrap_or_else(|| PASSWORDS.to_owned());
    match endpoints.keys().next() {
        None => Ok((api, passwords)),
        Some(name) => Err(setup.error(
            format!("endpoints.{name}"),
            "the endpoints are `api` (with `/api/v3`) and `passwords`",
        )),
    }
}

/// Secrets stand nowhere in clear, so text is refused; the value is not repeated.
fn read_key(setup: &ConnectorSetup, scan: &Map<String, Value>) -> Result<SecretRef> {
    if let Some(other) = scan.keys().find(|key| *key != "api_key") {
        return Err(setup.error(
            format!("scan.{other}"),
            "the credential has one field, `api_key`",
        ));
    }
    let value = scan
        .get("api_key")
        .ok_or_else(|| setup.error("scan.api_key", "missing"))?;
    serde_json::from_value(value.clone()).map_err(|_| {
        setup.error(
            "scan.api_key",
            "a secret is a reference: { env = \"NAME\" }, { file = \"PATH\" }, { command = [\"op\", \"read\", \"...\"] } or { key_vault = \"...\", name = \"...\" }",
        )
    })
}

fn read_struct<T: DeserializeOwned>(
    setup: &ConnectorSetup,
    fields: &Map<String, Value>,
) -> Result<T, Error> {
    serde_path_to_error::deserialize(Value::Object(fields.clone())).map_err(|error| {
        let path = error.path().to_string();
        setup.error(path, error.into_inner().to_string())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use protect_core::connector::ConnectorInfo;
    use protect_core::model::{ConnectionName, ConnectorName, TenantId};
    use serde_json::json;

    use super::*;

    impl Settings {
        /// The defaults.
        pub(crate) fn for_tests() -> Self {
            Self::read(&setup(&json!({}), &json!({}))).unwrap()
        }
    }

    fn setup(connection: &Value, settings: &Value) -> ConnectorSetup {
        let map = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let endpoints = connection.get("endpoints").cloned().unwrap_or(json!({}));
        let scan = json!({"api_key": {"env": "HIBP_API_KEY"}});
        ConnectorSetup {
            info: ConnectorInfo {
                kind: crate::KIND.into(),
                name: ConnectorName::new("breaches").unwrap(),
                tenant: TenantId::new("acme").unwrap(),
            },
            connection: Some((
                ConnectionName::new("hibp").unwrap(),
                ConnectionConfig {
                    kind: crate::KIND.into(),
                    endpoints: serde_json::from_value(endpoints).unwrap(),
                    scan: map(connection.get("scan").unwrap_or(&scan)),
                    respond: connection.get("respond").map(map),
                    tenants: TenantScope::Every,
                    settings: map(connection.get("settings").unwrap_or(&json!({}))),
                },
            )),
            settings: map(settings),
        }
    }

    #[test]
    fn defaults_are_the_vendors_hosts_ranges_and_a_week() {
        let settings = Settings::for_tests();
        assert_eq!(settings.api, "https://haveibeenpwned.com/api/v3");
        assert_eq!(settings.passwords, "https://api.pwnedpasswords.com");
        assert_eq!(settings.kanon_weight, 2);
        assert_eq!(settings.max_age, Duration::from_hours(7 * 24));
        assert_eq!(settings.cadence, None);
        assert!(settings.k_anonymity);
    }

    #[test]
    fn the_declared_checks_are_those_that_are_decided() {
        let declared: BTreeSet<String> = spec().checks.into_iter().map(|check| check.id).collect();
        let checks = crate::observe::Checks::new().unwrap();
        let decided = checks.all().map(ToString::to_string);
        assert_eq!(declared, BTreeSet::from(decided));
    }

    #[test]
    fn every_setting_is_read() {
        let settings = Settings::read(&setup(
            &json!({"settings": {"requests_per_minute": 7, "kanon_weight": 1}}),
            &json!({
                "cadence": "catalogue_gated", "max_age": 86_400, "k_anonymity": false,
                "pastes": "all", "severity_profile": "one_protect", "unknown_form": "critical",
                "overrides": {"Adobe": "plaintext"},
            }),
        ))
        .unwrap();
        assert_eq!(settings.cadence, Some(Cadence::CatalogueGated));
        assert_eq!(settings.requests_per_minute, Some(7));
        assert_eq!(settings.max_age, Duration::from_hours(24));
        assert_eq!(settings.pastes, Pastes::All);
        assert!(settings.policy.unknown_form_is_critical);
        assert_eq!(
            settings.policy.overrides[&BreachName::from("Adobe")],
            CredentialForm::Plaintext
        );
    }

    #[test]
    fn a_mistake_names_tenant_connection_and_field() {
        for (connection, own, field) in [
            (json!({"scan": {}}), json!({}), "scan.api_key"),
            (
                json!({"scan": {"api_key": "0123"}}),
                json!({}),
                "scan.api_key",
            ),
            (
                json!({"scan": {"api_key": {"env": "A"}, "user": "x"}}),
                json!({}),
                "scan.user",
            ),
            (json!({"respond": {}}), json!({}), "respond"),
            (
                json!({"endpoints": {"web": "https://x"}}),
                json!({}),
                "endpoints.web",
            ),
            (
                json!({"settings": {"kanon_weight": 0}}),
                json!({}),
                "kanon_weight",
            ),
            (json!({}), json!({"cadence": "hourly"}), "cadence"),
            (json!({}), json!({"max_age": 60}), "max_age"),
            (
                json!({}),
                json!({"overrides": {"Adobe": "clear"}}),
                "overrides.Adobe",
            ),
        ] {
            let error = Settings::read(&setup(&connection, &own)).unwrap_err();
            let facts = error.context();
            assert!(
                facts.contains(&("field", field.to_owned())),
                "{field}: {error}"
            );
            assert!(facts.contains(&("tenant", "acme".to_owned())), "{error}");
            assert!(
                facts.contains(&("connection", "hibp".to_owned())),
                "{error}"
            );
            assert!(!error.to_string().contains("0123"), "{error}");
        }
    }
}
