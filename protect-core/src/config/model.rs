use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use super::client::{BrandingConfig, ClientViewConfig};
use super::rule::Rule;
use crate::model::{
    ActionKind, Address, Attributes, ConnectionName, ConnectorName, Mode, PeopleRole, Role,
    SignalSeverity, TaskTemplate, TenantId,
};
use crate::secret::SecretRef;

/// A whole configuration, checked.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// Whether anything may be changed; `dry_run` by default.
    pub mode: Mode,
    /// Where everything is kept.
    pub store: StoreConfig,
    /// How the ledger is signed.
    pub ledger: LedgerConfig,
    /// Who reads secrets of Azure Key Vaults, where any are referred to.
    pub key_vault: Option<KeyVaultConfig>,
    /// Endpoints and credentials at vendors.
    pub connections: BTreeMap<ConnectionName, ConnectionConfig>,
    /// The organisations being protected.
    pub tenants: BTreeMap<TenantId, TenantConfig>,
}

/// `[store]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StoreConfig {
    /// Gone when the program ends.
    #[default]
    Memory,
    /// One file.
    Sqlite {
        /// Its path.
        path: PathBuf,
    },
}

/// `[ledger]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerConfig {
    /// The Ed25519 signing key, for checkpoints.
    pub key: Option<SecretRef>,
}

/// `[key_vault]`: the application that reads secrets of Azure Key Vaults, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyVaultConfig {
    /// The Entra tenant that the application signs in to.
    pub tenant_id: String,
    /// The application's id.
    pub client_id: String,
    /// Its secret; never itself in a vault.
    pub client_secret: Option<SecretRef>,
    /// Its certificate, instead of a secret.
    pub certificate: Option<SecretRef>,
    /// The certificate's private key.
    pub private_key: Option<SecretRef>,
    /// In which of Microsoft's clouds.
    pub cloud: Option<String>,
    /// Root of the sign-in service instead of the cloud's.
    pub login: Option<String>,
}

/// `[connections.NAME]`.
///
/// `Debug` shows names and no values, since those are URLs and credentials' fields.
#[derive(Clone, PartialEq)]
pub struct ConnectionConfig {
    /// The kind of connector (`hibp`).
    pub kind: String,
    /// Bare roots that replace the vendor's own, by name.
    pub endpoints: BTreeMap<String, String>,
    /// The credential that reads; each field a [`SecretRef`] or plain text, as the kind asks.
    pub scan: Map<String, Value>,
    /// The credential that changes; without it nothing can be changed.
    pub respond: Option<Map<String, Value>>,
    /// Whom it may serve.
    pub tenants: TenantScope,
    /// What else the kind asks for (`region`, `cloud`).
    pub settings: Map<String, Value>,
}

/// Whom a connection may serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantScope {
    /// Every tenant: `["*"]`.
    Every,
    /// These.
    Only(Vec<TenantId>),
}

impl TenantScope {
    /// Whether it may serve the tenant.
    pub fn includes(&self, tenant: &TenantId) -> bool {
        match self {
            Self::Every => true,
            Self::Only(tenants) => tenants.contains(tenant),
        }
    }
}

/// `[tenants.ID]`.
///
/// `Debug` leaves the protected accounts out, since most are addresses.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct TenantConfig {
    /// What people call it.
    pub name: String,
    /// Its mail domains, in lower case.
    pub domains: Vec<String>,
    /// Accounts that nothing may change, by address or vendor's id, in lower case.
    pub protected: Vec<String>,
    /// Who is watched.
    pub monitor: MonitorConfig,
    /// For actions that go to one place: in which order connectors (or kinds) are tried.
    pub route: BTreeMap<ActionKind, Vec<String>>,
    /// Its connectors.
    pub connectors: BTreeMap<ConnectorName, ConnectorConfig>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
    /// Who may approve.
    pub approval: ApprovalConfig,
    /// How much may change at once.
    pub guard: GuardConfig,
    /// What its clients may see.
    pub client_view: ClientViewConfig,
    /// How its reports look.
    pub branding: BrandingConfig,
    /// How people come and leave.
    pub people: PeopleConfig,
}

/// `people = { ... }` of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeopleConfig {
    /// The time zone that days are counted in, of an employee who has none; `UTC` by default.
    pub time_zone: String,
    /// The tasks of an offboarding, instead of the built-in ones.
    pub offboarding: Option<Vec<TaskTemplate>>,
    /// The tasks of an onboarding, instead of the built-in ones.
    pub onboarding: Option<Vec<TaskTemplate>>,
    /// Whether those who plan work are told of which sort somebody's time off is.
    pub share_leave_type: bool,
    /// Insider-threat signals, where somebody switched them on.
    pub insider_threat: Option<InsiderThreatConfig>,
    /// Who has which role in the workforce.
    pub roles: PeopleRolesConfig,
    /// What people are told, where somebody switched it on.
    pub notices: Option<NoticesConfig>,
}

/// `people.notices = { connector = "mail", hr = ["hr@acme.example"] }` of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticesConfig {
    /// The connector of kind `notify` that sends mail.
    pub connector: ConnectorName,
    /// Who is behind a word that tasks are assigned to (`hr`, `it`), and behind `hr_managers`, who alone
    /// are told of insider-threat signals.
    pub contacts: BTreeMap<String, Vec<Address>>,
}

/// `people.roles = { ... }` of a tenant: which role in the workforce somebody has who signs in. What Hub says
/// of the product comes first, then the address, then the role in the organisation; everybody else is an
/// employee.
///
/// Addresses are left out of `Debug`, as everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeopleRolesConfig {
    /// The name under which a token's `products` holds the role; `people` by default.
    pub product: String,
    /// By the role in the organisation; owners and admins are `admin` by default.
    pub organisation: BTreeMap<Role, PeopleRole>,
    /// By address.
    pub addresses: BTreeMap<Address, PeopleRole>,
}

impl Default for PeopleRolesConfig {
    fn default() -> Self {
        let admins = [Role::Owner, Role::Admin].map(|role| (role, PeopleRole::Admin));
        Self {
            product: PeopleRole::PRODUCT.to_owned(),
            organisation: admins.into(),
            addresses: BTreeMap::new(),
        }
    }
}

/// `people.insider_threat = { ... }` of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InsiderThreatConfig {
    /// Who decided so: legal review and informing employees are needed before.
    pub enabled_by: String,
    /// What is less bad is left out; `medium` by default.
    pub min_severity: SignalSeverity,
    /// Whether only signals about people who are leaving are kept; so by default.
    pub only_offboarding: bool,
}

impl Default for PeopleConfig {
    fn default() -> Self {
        Self {
            time_zone: "UTC".to_owned(),
            offboarding: None,
            onboarding: None,
            share_leave_type: false,
            insider_threat: None,
            roles: PeopleRolesConfig::default(),
            notices: None,
        }
    }
}

/// `monitor = { ... }`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonitorConfig {
    /// Whether the tenant's domains are watched as a whole.
    pub domains: bool,
    /// Single addresses.
    pub addresses: Vec<Address>,
    /// A CSV file of people.
    pub csv: Option<CsvMonitor>,
    /// Directories whose accounts are watched.
    pub directories: Vec<ConnectorName>,
}

/// A CSV file of people: a header line with a column `address` (or `email`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvMonitor {
    /// Its path.
    pub path: PathBuf,
}

/// `[tenants.ID.connectors.NAME]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectorConfig {
    /// The kind, of the connection or its own.
    pub kind: String,
    /// The connection, where the kind needs one.
    pub connection: Option<ConnectionName>,
    /// The tenant's settings for the kind (`account_id`).
    pub settings: Map<String, Value>,
}

/// One action of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleAction {
    /// What to do.
    pub kind: ActionKind,
    /// Where, for actions that act everywhere: connectors or kinds; empty means everywhere.
    pub on: Vec<String>,
    /// After which time the engine undoes it.
    pub lasts: Option<Duration>,
    /// What else (`template`).
    pub parameters: Attributes,
}

/// Whether a rule's actions need somebody's consent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ApprovalMode {
    /// Yes.
    #[default]
    Required,
    /// No.
    Auto {
        /// Who decided so.
        enabled_by: String,
    },
}

/// `approval = { ... }` of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalConfig {
    /// What happens to the requester's own approval of a manual request.
    pub self_approval: SelfApproval,
    /// What happens to actors who only typed a name.
    pub unverified: UnverifiedActors,
    /// How long an approval counts; 24 hours by default.
    pub expires: Duration,
}

impl Default for ApprovalConfig {
    fn default() -> Self {
        Self {
            self_approval: SelfApproval::Refuse,
            unverified: UnverifiedActors::Allow,
            expires: Duration::from_hours(24),
        }
    }
}

/// `approval.self`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SelfApproval {
    /// Somebody else must approve.
    #[default]
    Refuse,
    /// Allowed, and recorded as such.
    AllowRecorded,
}

/// `approval.unverified`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnverifiedActors {
    /// Allowed, and recorded as `unverified`.
    #[default]
    Allow,
    /// Refused.
    Refuse,
}

/// `guard = { ... }` of a tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct GuardConfig {
    /// Accounts that may change in an hour without consent; 10 by default.
    pub max_accounts: u32,
    /// Or this share of the tenant's accounts in per cent, whichever is larger; 5 by default.
    pub max_percent: f64,
    /// For how long we do not repeat what a person took back; 7 days by default.
    pub cool_down: Duration,
}

impl Default for GuardConfig {
    fn default() -> Self {
        Self {
            max_accounts: 10,
            max_percent: 5.0,
            cool_down: Duration::from_hours(7 * 24),
        }
    }
}

impl ConnectionConfig {
    /// Where a secret field of the `scan` credential is found.
    pub fn scan_secret(&self, field: &str) -> Option<SecretRef> {
        secret_field(&self.scan, field)
    }

    /// A plain field of the `scan` credential.
    pub fn scan_text(&self, field: &str) -> Option<&str> {
        self.scan.get(field)?.as_str()
    }

    /// Where a secret field of the `respond` credential is found.
    pub fn respond_secret(&self, field: &str) -> Option<SecretRef> {
        secret_field(self.respond.as_ref()?, field)
    }

    /// A plain field of the `respond` credential.
    pub fn respond_text(&self, field: &str) -> Option<&str> {
        self.respond.as_ref()?.get(field)?.as_str()
    }
}

fn secret_field(credential: &Map<String, Value>, field: &str) -> Option<SecretRef> {
    serde_json::from_value(credential.get(field)?.clone()).ok()
}

impl fmt::Debug for ConnectionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |map: &Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
        f.debug_struct("ConnectionConfig")
            .field("kind", &self.kind)
            .field("endpoints", &self.endpoints.keys())
            .field("scan", &names(&self.scan))
            .field("respond", &self.respond.as_ref().map(names))
            .field("tenants", &self.tenants)
            .field("settings", &names(&self.settings))
            .finish()
    }
}

impl fmt::Debug for TenantConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantConfig")
            .field("name", &self.name)
            .field("domains", &self.domains)
            .field("protected", &self.protected.len())
            .field("monitor", &self.monitor)
            .field("route", &self.route)
            .field("connectors", &self.connectors)
            .field("rules", &self.rules)
            .field("approval", &self.approval)
            .field("guard", &self.guard)
            .field("client_view", &self.client_view)
            .field("people", &self.people)
            .finish_non_exhaustive()
    }
}
