use jiff::Timestamp;
use protect_core::posture::{Read, Reader, View};
use serde::Deserialize;

use crate::graph::{APPLICATIONS, PRINCIPALS};
use crate::id::Name;

/// The applications registered in the tenant.
#[derive(Debug)]
pub(crate) struct Apps(pub(crate) Vec<App>);

/// The service principals in the tenant.
#[derive(Debug)]
pub(crate) struct Principals(pub(crate) Vec<Principal>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct App {
    pub(crate) id: Name,
    #[serde(rename = "appId")]
    pub(crate) client_id: Option<Name>,
    /// `None` where Graph was not asked.
    pub(crate) password_credentials: Option<Vec<Credential>>,
    /// `None` where Graph was not asked.
    pub(crate) key_credentials: Option<Vec<Credential>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Principal {
    pub(crate) id: Name,
    #[serde(rename = "appId")]
    pub(crate) client_id: Option<Name>,
    pub(crate) app_owner_organization_id: Option<Name>,
    /// `None` where Graph was not asked.
    pub(crate) password_credentials: Option<Vec<Credential>>,
    /// `None` where Graph was not asked.
    pub(crate) key_credentials: Option<Vec<Credential>>,
    pub(crate) verified_publisher: Option<Publisher>,
    #[serde(default)]
    pub(crate) app_roles: Vec<AppRole>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Credential {
    pub(crate) start_date_time: Option<Timestamp>,
    /// `None` never ends.
    pub(crate) end_date_time: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Publisher {
    pub(crate) verified_publisher_id: Option<Name>,
}

/// A permission that other applications can be given on this one.
#[derive(Debug, Deserialize)]
pub(crate) struct AppRole {
    pub(crate) id: Name,
    pub(crate) value: Option<String>,
}

impl Credential {
    /// Whether it can still be used.
    pub(crate) fn is_active(&self, now: Timestamp) -> bool {
        self.end_date_time.is_none_or(|end| end >= now)
    }
}

impl Principal {
    pub(crate) fn is_verified(&self) -> bool {
        let publisher = self.verified_publisher.as_ref();
        publisher.is_some_and(|it| it.verified_publisher_id.is_some())
    }
}

impl View for Apps {
    const PATHS: &'static [&'static str] = &[APPLICATIONS];

    fn build(read: &Reader<'_>) -> Read<Self> {
        let mut apps: Vec<App> = Vec::new();
        read.each(APPLICATIONS, |app| apps.push(app))?;
        apps.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        apps.dedup_by(|one, other| one.id == other.id);
        Ok(Self(apps))
    }
}

impl View for Principals {
    const PATHS: &'static [&'static str] = &[PRINCIPALS];

    fn build(read: &Reader<'_>) -> Read<Self> {
        let mut principals: Vec<Principal> = Vec::new();
        read.each(PRINCIPALS, |principal| principals.push(principal))?;
        principals.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        principals.dedup_by(|one, other| one.id == other.id);
        Ok(Self(principals))
    }
}

impl Principals {
    pub(crate) fn by_id(&self, id: &Name) -> Option<&Principal> {
        let at = self.0.binary_search_by(|it| it.id.cmp(id)).ok()?;
        self.0.get(at)
    }
}
