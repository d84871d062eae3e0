//! What the connector is told: customer, administrator, keys, profile and what a tenant tuned.

use std::collections::BTreeMap;
use std::path::PathBuf;

use protect_core::model::Attributes;
use protect_core::posture::EvaluateConfig;
use protect_core::registry::ConnectorSetup;
use protect_core::secret::Credential;
use protect_core::{Error, Result};
use serde::Deserialize;

use crate::auth::Signing;
use crate::scope::Api;

/// The customer of the administrator we act as.
pub(crate) const MY_CUSTOMER: &str = "my_customer";

/// Where Google's token endpoint is.
pub(crate) const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";

/// Which customer it is, as whom we act there, and how to get there.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) customer: String,
    pub(crate) subject: String,
    /// The whole address of the token endpoint.
    pub(crate) token: String,
    /// Roots, where they are not Google's own.
    roots: BTreeMap<Api, String>,
    /// What Google's limits are counted by: the service account's project and the administrator, for
    /// both of which the connection's name stands.
    pub(crate) budget: String,
}

impl Place {
    /// Google's own roots.
    ///
    /// # Errors
    /// `config_invalid` naming `customer_id` or `subject`.
    pub(crate) fn of(customer: &str, subject: &str, budget: impl Into<String>) -> Result<Self> {
        let is_word = |text: &str| {
            (1..=64).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if !is_word(customer) {
            return Err(Error::config(
                "customer_id",
                "the customer is `my_customer`, or its id: `C` and letters, under `Account settings` in the Admin console",
            ));
        }
        let subject = subject.trim();
        let is_address = subject
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
            && !subject.contains(char::is_whitespace);
        if !is_address {
            return Err(Error::config(
                "subject",
                "the address of the administrator to act as",
            ));
        }
        Ok(Self {
            customer: customer.to_owned(),
            subject: subject.to_owned(),
            token: TOKEN_URL.to_owned(),
            roots: BTreeMap::new(),
            budget: budget.into(),
        })
    }

    /// The root of an interface.
    pub(crate) fn root(&self, api: Api) -> &str {
        self.roots.get(&api).map_or(api.root(), String::as_str)
    }

    /// Another root of an interface.
    pub(crate) fn set_root(&mut self, api: Api, url: impl Into<String>) {
        self.roots.insert(api, url.into());
    }
}

impl std::fmt::Debug for Place {
    /// Without the administrator's address.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place")
            .field("customer", &self.customer)
            .finish_non_exhaustive()
    }
}

/// Everything that a connector was configured with, checked.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) place: Place,
    pub(crate) scan: Option<Signing>,
    pub(crate) respond: Option<Signing>,
    pub(crate) evaluate: EvaluateConfig,
    pub(crate) options: Options,
}

/// The tenant's own settings besides those of the checks.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    /// Where collected answers lie; a private temporary folder where nobody says.
    pub(crate) snapshots: Option<PathBuf>,
    /// How old what is known of the settings may be before they are collected again, in seconds.
    pub(crate) posture_every: u64,
    /// How far back the first poll of the logs and alerts begins, in seconds.
    pub(crate) lookback: u64,
    /// Whether accounts of super administrators may be acted on.
    pub(crate) act_on_administrators: bool,
    /// Accounts that are never acted on, by id or address.
    pub(crate) break_glass: Vec<String>,
    /// The org unit whose members have to use 2-step verification: `enroll_mfa` moves accounts there.
    pub(crate) enforced_org_unit: Option<String>,
    /// So many failed sign-ins of one account within the window are too many.
    pub(crate) failures: u32,
    /// Failed sign-ins of so many accounts from one address within the window are too many.
    pub(crate) sprayed_accounts: u32,
    /// The window for both, in seconds.
    pub(crate) failure_window: u64,
    /// Folder for what only the owner of an account may see, such as a new password.
    pub(crate) handover: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            snapshots: None,
            posture_every: 24 * 3_600,
            lookback: 7 * 24 * 3_600,
            act_on_administrators: false,
            break_glass: Vec::new(),
            enforced_org_unit: None,
            failures: 10,
            sprayed_accounts: 10,
            failure_window: 600,
            handover: None,
        }
    }
}

impl std::fmt::Debug for Options {
    /// Without the addresses.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("posture_every", &self.posture_every)
            .field("lookback", &self.lookback)
            .finish_non_exhaustive()
    }
}

/// Google keeps these logs for 180 days.
const MAX_LOOKBACK: u64 = 179 * 24 * 3_600;

impl Settings {
    /// # Errors
    /// `config_invalid` naming the place and what would be right.
    pub(crate) fn read(setup: &ConnectorSetup) -> Result<Self> {
        let Some((name, connection)) = &setup.connection else {
            return Err(setup.error("connection", "missing"));
        };
        if let Some(key) = connection.settings.keys().next() {
            return Err(setup.error(key, "unknown key of a google connection"));
        }
        let scan = read_key(setup, "scan", connection.scan.clone())?;
        let respond = connection.respond.clone();
        let respond = respond.map(|fields| read_key(setup, "respond", fields));
        let respond = respond.transpose()?.flatten();
        if scan.is_none() && respond.is_none() {
            return Err(setup.error(
                "scan",
                "give `service_account`: the JSON file of a service account",
            ));
        }
        let mut fields = setup.settings.clone();
        let customer = setup.take_text(&mut fields, "customer_id")?;
        let subject = setup.take_text(&mut fields, "subject")?;
        let customer = customer.as_deref().unwrap_or(MY_CUSTOMER);
        let subject = subject.unwrap_or_default();
        let mut place = Place::of(customer, &subject, name.as_str()).map_err(|error| {
            let field = error.context().iter().find(|(key, _)| *key == "field");
            let field = field.map_or("subject", |(_, field)| field.as_str());
            setup.error(field, error.message())
        })?;
        for (name, url) in &connection.endpoints {
            let api = Api::ALL.into_iter().find(|api| api.endpoint() == name);
            match (api, name.as_str()) {
                (Some(api), _) => place.set_root(api, url),
                (None, "token") => place.token.clone_from(url),
                (None, _) => {
                    let field = format!("endpoints.{name}");
                    let known = "the endpoints are `token`, `admin`, `reports`, `cloud_identity` and `alerts`";
                    return Err(setup.error(field, known));
                }
            }
        }
        let evaluate = setup.take_evaluate(&crate::CATALOGUE, &mut fields)?;
        Ok(Self {
            place,
            scan,
            respond,
            evaluate,
            options: read_options(setup, fields)?,
        })
    }
}

fn read_options(setup: &ConnectorSetup, fields: Attributes) -> Result<Options> {
    let options: Options = setup.read_rest(fields)?;
    if options.lookback > MAX_LOOKBACK {
        let message = "a span of time; Google keeps its logs for 180 days";
        return Err(setup.error("lookback", message));
    }
    let unit = options.enforced_org_unit.as_deref();
    if unit.is_some_and(|unit| !unit.starts_with('/')) {
        let message = "the path of an org unit begins with `/`";
        return Err(setup.error("enforced_org_unit", message));
    }
    Ok(options)
}

/// The field of a credential: the JSON file of a service account.
pub(crate) const SERVICE_ACCOUNT: &str = "service_account";

/// The key of a service account.
fn read_key(
    setup: &ConnectorSetup,
    section: &str,
    mut fields: Attributes,
) -> Result<Option<Signing>> {
    let field = |name: &str| format!("{section}.{name}");
    let key = fields.remove(SERVICE_ACCOUNT);
    if let Some(key) = fields.keys().next() {
        return Err(setup.error(field(key), "unknown key of a google credential"));
    }
    let Some(key) = key else { return Ok(None) };
    let key = Credential::from_config(&key)
        .map_err(|error| setup.error(field(SERVICE_ACCOUNT), error.message()))?;
    let connection = setup.connection.as_ref();
    Ok(Some(Signing::Key {
        key,
        field: field(SERVICE_ACCOUNT),
        connection: connection.map(|(name, _)| name.as_str().to_owned()),
    }))
}
