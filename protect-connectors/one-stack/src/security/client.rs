use http::Method;
use jiff::Timestamp;
use protect_core::connector::{Diagnosis, OpContext};
use protect_core::model::{Actor, TenantId};
use protect_core::{Context, Error, ErrorKind, Result};
use serde_json::Map;

use super::PRODUCT;
use super::alert::SecurityAlert;
use super::incident::{NewSecurityIncident, SecurityIncident};
use crate::client::{Access, Platform, per_call};
use crate::config::SOURCE;
use crate::conventions::Path;
use crate::direct::nobody;
use crate::message::put;

/// Acts at once at The One Security: without plan, guards, store or ledger. For those, use the engine.
///
/// Retries, the limit of the organisation and typed errors are inside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Security {
    platform: Platform,
    cx: OpContext,
}

per_call!(Security);

impl Security {
    /// A client for one organisation. No I/O.
    ///
    /// # Errors
    /// `config_invalid` for a base URL that is none, or an empty organisation.
    pub fn new(access: Access, context: &Context) -> Result<Self> {
        let platform = Platform::new(access, &PRODUCT, false, context)?;
        Ok(Self::over(platform, &nobody()?))
    }

    pub(crate) fn over(platform: Platform, tenant: &TenantId) -> Self {
        let cx = OpContext::new(tenant.clone(), "security", Actor::engine());
        Self { platform, cx }
    }

    /// Opens an incident. Looks for nothing first: [`Security::find_incidents`] does.
    ///
    /// # Errors
    /// `invalid_input` naming the refused fields; `permission_denied` naming the missing permission;
    /// `conflict` where Security has it already; otherwise as for every call.
    pub async fn create_incident(&self, incident: NewSecurityIncident) -> Result<SecurityIncident> {
        let source = incident.source.clone().unwrap_or_else(|| SOURCE.to_owned());
        let key = format!("{source}:{}:create", incident.source_ref);
        self.open(incident, &key).await
    }

    /// The incidents under one of our references, whatever their status.
    ///
    /// # Errors
    /// `invalid_response` where Security's incidents show no reference; otherwise as for every call.
    pub async fn find_incidents(&self, source_ref: &str) -> Result<Vec<SecurityIncident>> {
        self.incidents_of(SOURCE, source_ref).await
    }

    /// The alerts about one account between two moments. Whether Security heeds the filter is not
    /// known, so each alert is compared again.
    ///
    /// # Errors
    /// `invalid_response` where Security's alerts do not say whom they are about; otherwise as for every
    /// call.
    pub async fn find_alerts(
        &self,
        account: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<SecurityAlert>> {
        let (from_text, to_text) = (from.to_string(), to.to_string());
        let filters = [
            ("email", account),
            ("from", from_text.as_str()),
            ("to", to_text.as_str()),
        ];
        let path = Path::Alerts;
        let items = self
            .platform
            .all(&self.cx, "security.find_alerts", path, "alerts", &filters)
            .await?;
        let mut alerts: Vec<_> = items.into_iter().map(SecurityAlert::of).collect();
        if alerts.iter().any(|alert| alert.affected_account.is_none()) {
            return Err(Error::new(
                ErrorKind::InvalidResponse,
                "an alert of Security's list has no `affected_account`, so that it cannot be said whom it is about; say what it is called in `conventions.members`",
            ));
        }
        alerts.retain(|alert| {
            let whose = alert.affected_account.as_deref().unwrap_or_default();
            let is_within = |at: Timestamp| from <= at && at <= to;
            whose.eq_ignore_ascii_case(account) && alert.created_at.is_none_or(is_within)
        });
        Ok(alerts)
    }

    /// One incident by Security's id.
    ///
    /// # Errors
    /// `not_found`; otherwise as for every call.
    pub async fn get_incident(&self, incident_id: &str) -> Result<SecurityIncident> {
        let request = self
            .platform
            .request(Method::GET, "security.get_incident", Path::Incident)
            .path("id", incident_id);
        let item = self.platform.one(&self.cx, request).await?;
        Ok(SecurityIncident::of(item))
    }

    /// Moves an incident on, adds a note to it, or both.
    ///
    /// # Errors
    /// `invalid_input` where neither is given; `not_found`; otherwise as for every call.
    pub async fn update_incident(
        &self,
        incident_id: &str,
        status: Option<&str>,
        note: Option<&str>,
    ) -> Result<()> {
        if status.is_none() && note.is_none() {
            return Err(Error::invalid_input("give a status or a note"));
        }
        self.change(incident_id, status, note, None).await
    }
}

impl Security {
    pub(super) async fn open(
        &self,
        incident: NewSecurityIncident,
        key: &str,
    ) -> Result<SecurityIncident> {
        if incident.title.trim().is_empty() || incident.source_ref.is_empty() {
            return Err(Error::invalid_input(
                "an incident needs a title and a reference",
            ));
        }
        let source = incident.source.clone().unwrap_or_else(|| SOURCE.to_owned());
        let body = incident.body(&source, self.platform.organisation());
        let request =
            self.platform
                .request(Method::POST, "security.create_incident", Path::Incidents);
        let answer = self
            .platform
            .post(&self.cx, request, body, Some(key))
            .await?;
        self.platform.item(answer.json()?).map(SecurityIncident::of)
    }

    pub(super) async fn incidents_of(
        &self,
        source: &str,
        source_ref: &str,
    ) -> Result<Vec<SecurityIncident>> {
        let (path, of) = (Path::Incidents, (source, source_ref));
        let items = self
            .platform
            .under(&self.cx, "security.find_incidents", path, "incidents", of)
            .await?;
        Ok(items.into_iter().map(SecurityIncident::of).collect())
    }

    /// The open one of them; where there are several, the first that Security lists.
    pub(super) async fn open_incident(
        &self,
        source: &str,
        source_ref: &str,
    ) -> Result<Option<SecurityIncident>> {
        let incidents = self.incidents_of(source, source_ref).await?;
        let is_open = |incident: &SecurityIncident| {
            let status = incident.status.as_deref().unwrap_or_default();
            !self.platform.conventions().is_closed(status)
        };
        Ok(incidents.into_iter().find(is_open))
    }

    pub(super) async fn change(
        &self,
        incident_id: &str,
        status: Option<&str>,
        note: Option<&str>,
        key: Option<&str>,
    ) -> Result<()> {
        let mut body = Map::new();
        put(&mut body, "status", status.map(str::to_owned));
        put(&mut body, "note", note.map(str::to_owned));
        let request = self
            .platform
            .request(Method::PATCH, "security.update_incident", Path::Incident)
            .path("id", incident_id);
        self.platform
            .post(&self.cx, request, body, key)
            .await
            .map(drop)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.platform.context().clock.now()
    }

    pub(super) fn is_closed(&self, status: &str) -> bool {
        self.platform.conventions().is_closed(status)
    }

    pub(super) async fn diagnose(&self, cx: &OpContext) -> Diagnosis {
        self.platform.diagnose(cx, Path::Incidents).await
    }
}
