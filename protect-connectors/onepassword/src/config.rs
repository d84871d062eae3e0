//! What the connector is told: region, version of the API, credentials, thresholds.

use std::str::FromStr;
use std::time::Duration;

use protect_core::model::Attributes;
use protect_core::registry::ConnectorSetup;
use protect_core::secret::Credential;
use protect_core::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::network::Network;

/// Where the vendor keeps the account; accounts never move between regions
/// (<https://www.1password.dev/users-api/reference>, "Base URLs").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// `1password.com`.
    #[default]
    Com,
    /// `1password.ca`.
    Ca,
    /// `1password.eu`.
    Eu,
    /// `ent.1password.com`: documented for the Events API alone, so the Users API needs an
    /// endpoint of its own.
    Ent,
}

impl Region {
    /// Root of the Users API, where the vendor documents one.
    pub const fn api_base(self) -> Option<&'static str> {
        match self {
            Self::Com => Some("https://api.1password.com"),
            Self::Ca => Some("https://api.1password.ca"),
            Self::Eu => Some("https://api.1password.eu"),
            Self::Ent => None,
        }
    }

    /// Root of the Events API.
    pub const fn events_base(self) -> &'static str {
        match self {
            Self::Com => "https://events.1password.com",
            Self::Ca => "https://events.1password.ca",
            Self::Eu => "https://events.1password.eu",
            Self::Ent => "https://events.ent.1password.com",
        }
    }
}

impl FromStr for Region {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "com" => Ok(Self::Com),
            "ca" => Ok(Self::Ca),
            "eu" => Ok(Self::Eu),
            "ent" => Ok(Self::Ent),
            _ => Err(Error::invalid_input(
                "the region is one of com, ca, eu and ent",
            )),
        }
    }
}

/// Version of the Users API. It decides the resource and the token paths together and is never
/// switched by itself: a write sent to the wrong version could go unnoticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApiVersion {
    /// The public preview.
    #[default]
    V1Beta1,
    /// General availability.
    V1,
}

impl FromStr for ApiVersion {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "v1beta1" => Ok(Self::V1Beta1),
            "v1" => Ok(Self::V1),
            _ => Err(Error::invalid_input(
                "the version of the API is v1beta1 or v1",
            )),
        }
    }
}

/// Every path of the Users API in one version. The colon before a verb is literal.
#[derive(Debug)]
pub(crate) struct Paths {
    pub(crate) token: &'static str,
    pub(crate) revoke: &'static str,
    pub(crate) users: &'static str,
    pub(crate) user: &'static str,
    pub(crate) suspend: &'static str,
    pub(crate) reactivate: &'static str,
}

impl ApiVersion {
    pub(crate) const fn paths(self) -> &'static Paths {
        match self {
            Self::V1Beta1 => &Paths {
                token: "/v1beta1/users/oauth2/token",
                revoke: "/v1beta1/users/oauth2/revoke",
                users: "/v1beta1/accounts/{account}/users",
                user: "/v1beta1/accounts/{account}/users/{user}",
                suspend: "/v1beta1/accounts/{account}/users/{user}:suspend",
                reactivate: "/v1beta1/accounts/{account}/users/{user}:reactivate",
            },
            Self::V1 => &Paths {
                token: "/v1/oauth/token",
                revoke: "/v1/oauth/revoke",
                users: "/v1/accounts/{account}/users",
                user: "/v1/accounts/{account}/users/{user}",
                suspend: "/v1/accounts/{account}/users/{user}:suspend",
                reactivate: "/v1/accounts/{account}/users/{user}:reactivate",
            },
        }
    }
}

/// When an event is suspicious. Every field is a setting of the tenant's connector; spans of time
/// are in seconds here and written as `"10m"` there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// So many failed sign-ins of one user within [`Self::failure_window`] are an attack.
    pub failures: u32,
    /// The window for [`Self::failures`].
    pub failure_window: u64,
    /// A success this soon after such a burst belongs to it.
    pub success_window: u64,
    /// How far back the addresses and countries of a user count as known.
    pub known_window: u64,
    /// Countries that are never new, as the vendor writes them (ISO 3166-1 alpha-2). Where the list
    /// is given, every other country is reported the first time; where it is empty, a country is
    /// new when the user's own recent sign-ins came from others.
    pub countries: Vec<String>,
    /// Programs that are expected to sign in, by the vendor's `app_name`; empty means any.
    pub clients: Vec<String>,
    /// Addresses and networks (`192.0.2.0/24`) at which managed devices are seen. Where the list is
    /// given, a sign-in from anywhere else is one from a device that nobody manages.
    pub managed_networks: Vec<Network>,
    /// Programs whose sign-ins say nothing about a person's whereabouts.
    pub ignored_clients: Vec<String>,
    /// Faster than this between two sign-ins, in km/h, is not travel.
    pub travel_kmh: u32,
    /// Nearer than this, in km, two places are the same: locations of addresses are rough.
    pub travel_min_km: u32,
    /// So many different items revealed, copied or exported by one user within
    /// [`Self::bulk_window`] are a mass access.
    pub bulk_items: u32,
    /// The window for [`Self::bulk_items`].
    pub bulk_window: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            failures: 5,
            failure_window: 600,
            success_window: 1_800,
            known_window: 14 * 24 * 3_600,
            countries: Vec::new(),
            clients: Vec::new(),
            managed_networks: Vec::new(),
            ignored_clients: vec!["1Password SCIM Bridge".to_owned()],
            travel_kmh: 1_000,
            travel_min_km: 500,
            bulk_items: 30,
            bulk_window: 600,
        }
    }
}

/// An account's id: 26 capital letters and digits, as in the web application's address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct AccountId(String);

impl AccountId {
    pub(crate) fn new(text: &str) -> Result<Self> {
        if is_id(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::invalid_input(
                "an account id is 26 capital letters and digits: what stands between `/app#/` and `/AllItems` in the web application",
            ))
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the text has the form of every id of the vendor: 26 capital letters and digits
/// (<https://www.1password.dev/users-api/reference>).
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 26
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// An application's client id and secret.
#[derive(Clone, Debug)]
pub(crate) struct OAuthCredential {
    pub(crate) client_id: String,
    pub(crate) client_secret: Credential,
}

/// Everything that a connector was configured with, checked.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) account: AccountId,
    pub(crate) version: ApiVersion,
    pub(crate) api: Option<String>,
    pub(crate) events: String,
    pub(crate) scan: Option<OAuthCredential>,
    pub(crate) events_token: Option<Credential>,
    pub(crate) respond: Option<OAuthCredential>,
    pub(crate) lookback: Duration,
    pub(crate) thresholds: Thresholds,
}

/// The vendor keeps events for 120 days
/// (<https://developer.1password.com/docs/events-api/introduction>).
const MAX_LOOKBACK: Duration = Duration::from_hours(120 * 24);

impl Settings {
    /// Reads the configuration.
    ///
    /// # Errors
    /// `config_invalid` naming tenant, connector, connection and field.
    pub(crate) fn read(setup: &ConnectorSetup) -> Result<Self> {
        let Some((_, connection)) = &setup.connection else {
            return Err(setup.error("connection", "a onepassword connector needs a connection"));
        };
        let (region, extra) = read_region(&connection.settings)
            .map_err(|error| setup.error("region", error.message()))?;
        if let Some(key) = extra {
            return Err(setup.error(key, "unknown key of a onepassword connection"));
        }
        let mut endpoints = connection.endpoints.clone();
        let api = endpoints
            .remove("api")
            .or_else(|| region.api_base().map(ToOwned::to_owned));
        let events = endpoints
            .remove("events")
            .unwrap_or_else(|| region.events_base().to_owned());
        if let Some(name) = endpoints.keys().next() {
            return Err(setup.error(
                format!("endpoints.{name}"),
                "the endpoints are `api` and `events`",
            ));
        }
        let mut scan = connection.scan.clone();
        let events_token = scan
            .remove("events_token")
            .map(|value| Credential::from_config(&value))
            .transpose()
            .map_err(setup.at("scan.events_token"))?;
        let scan = read_oauth(setup, "scan", scan)?;
        let respond = match &connection.respond {
            Some(fields) => Some(
                read_oauth(setup, "respond", fields.clone())?
                    .ok_or_else(|| setup.error("respond.client_id", "missing"))?,
            ),
            None => None,
        };
        if scan.is_none() && events_token.is_none() && respond.is_none() {
            return Err(setup.error(
                "scan",
                "give `client_id` and `client_secret`, or `events_token`, or both",
            ));
        }
        if api.is_none() && (scan.is_some() || respond.is_some()) {
            return Err(setup.error(
                "endpoints.api",
                "the vendor documents no Users API for region `ent`; give its root here",
            ));
        }
        let mut fields = setup.settings.clone();
        let account = take_text(&mut fields, "account_id")
            .and_then(|text| AccountId::new(text.as_deref().unwrap_or_default()))
            .map_err(setup.at("account_id"))?;
        let version = take_text(&mut fields, "api_version")
            .and_then(|text| text.map_or(Ok(ApiVersion::default()), |text| text.parse()))
            .map_err(setup.at("api_version"))?;
        let lookback = take_lookback(&mut fields).map_err(setup.at("lookback"))?;
        Ok(Self {
            account,
            version,
            api,
            events,
            scan,
            events_token,
            respond,
            lookback,
            thresholds: setup.read_rest(fields)?,
        })
    }
}

fn take_text(fields: &mut Attributes, name: &str) -> Result<Option<String>> {
    match fields.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::invalid_input("write it as text")),
    }
}

/// How far back the very first poll begins: by default as far as a user's habits count.
fn take_lookback(fields: &mut Attributes) -> Result<Duration> {
    let seconds = match fields.remove("lookback") {
        None => Some(Thresholds::default().known_window),
        Some(value) => value.as_u64(),
    };
    seconds
        .map(Duration::from_secs)
        .filter(|lookback| *lookback <= MAX_LOOKBACK)
        .ok_or_else(|| Error::invalid_input("a span of time; the vendor keeps events for 120 days"))
}

/// The region, and a key that does not belong here.
fn read_region(settings: &Attributes) -> Result<(Region, Option<String>)> {
    let region = match settings.get("region") {
        None => Region::default(),
        Some(Value::String(text)) => text.parse()?,
        Some(_) => return Err(Error::invalid_input("the region is a text")),
    };
    let extra = settings.keys().find(|key| *key != "region").cloned();
    Ok((region, extra))
}

fn read_oauth(
    setup: &ConnectorSetup,
    section: &str,
    mut fields: Attributes,
) -> Result<Option<OAuthCredential>> {
    let at = |field: &str| format!("{section}.{field}");
    let client_id = fields.remove("client_id");
    let client_secret = fields.remove("client_secret");
    if let Some(key) = fields.keys().next() {
        return Err(setup.error(at(key), "unknown key of a onepassword credential"));
    }
    match (client_id, client_secret) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(setup.error(at("client_id"), "missing")),
        (Some(_), None) => Err(setup.error(at("client_secret"), "missing")),
        (Some(id), Some(secret)) => Ok(Some(OAuthCredential {
            client_id: id
                .as_str()
                .ok_or_else(|| setup.error(at("client_id"), "write it as text"))?
                .to_owned(),
            client_secret: Credential::from_config(&secret)
                .map_err(|error| setup.error(at("client_secret"), error.message()))?,
        })),
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
