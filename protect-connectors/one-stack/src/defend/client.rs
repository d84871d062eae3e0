use http::Method;
use jiff::Timestamp;
use jiff::civil::Date;
use protect_core::connector::{Diagnosis, OpContext};
use protect_core::model::{Actor, Attributes, TenantId};
use protect_core::{Context, Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::PRODUCT;
use crate::client::{Access, Platform, per_call};
use crate::conventions::Path;
use crate::direct::nobody;
use crate::item::Item;
use crate::message::put;

/// Acts at once at The One Defend: without plan, guards, store or ledger. For those, use the engine.
///
/// Retries, the limit of the organisation and typed errors are inside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Defend {
    platform: Platform,
    cx: OpContext,
}

/// Somebody who is to be watched more closely.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewElevation {
    /// Whom, by address.
    pub email: String,
    /// What it is ended by again: the offboarding's id.
    pub workflow_id: String,
    /// Why: `offboarding`, which needs the two below, or `request`.
    pub reason: String,
    /// The employee's id.
    #[serde(default)]
    pub employee_id: Option<String>,
    /// Their last day of work.
    #[serde(default)]
    pub last_day: Option<Date>,
}

/// Somebody who is watched more closely, or was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Elevation {
    /// Defend's id.
    pub id: String,
    /// What it was asked for with.
    pub workflow_id: String,
    /// Whom, by address.
    pub email: Option<String>,
    /// `active`, `ended`, or another word.
    pub status: Option<String>,
    /// Since when.
    pub started_at: Option<Timestamp>,
    /// Everything else, as it came.
    pub attributes: Attributes,
}

per_call!(Defend);

impl Defend {
    /// A client for one organisation. No I/O.
    ///
    /// # Errors
    /// `config_invalid` for a base URL that is none, or an empty organisation.
    pub fn new(access: Access, context: &Context) -> Result<Self> {
        let platform = Platform::new(access, &PRODUCT, false, context)?;
        Ok(Self::over(platform, &nobody()?))
    }

    pub(crate) fn over(platform: Platform, tenant: &TenantId) -> Self {
        let cx = OpContext::new(tenant.clone(), "defend", Actor::engine());
        Self { platform, cx }
    }

    /// Has somebody watched more closely until it is ended.
    ///
    /// # Errors
    /// `invalid_input` naming the refused fields; `conflict` where this workflow is watched already;
    /// otherwise as for every call.
    pub async fn elevate_monitoring(&self, elevation: NewElevation) -> Result<()> {
        if elevation.email.is_empty() || elevation.workflow_id.is_empty() {
            return Err(Error::invalid_input(
                "closer watching needs an address and a workflow",
            ));
        }
        let mut body = Map::new();
        let organisation = self.platform.organisation().to_owned();
        put(&mut body, "tenant_id", organisation);
        put(&mut body, "email", elevation.email);
        put(&mut body, "workflow_id", elevation.workflow_id);
        put(&mut body, "reason", elevation.reason);
        put(&mut body, "employee_id", elevation.employee_id);
        let day = elevation.last_day.map(|day| day.to_string());
        put(&mut body, "last_day", day);
        let request =
            self.platform
                .request(Method::POST, "defend.elevate_monitoring", Path::Elevations);
        let sent = self.platform.post(&self.cx, request, body, None);
        sent.await.map(drop)
    }

    /// Whoever of this address is watched more closely, or was.
    ///
    /// # Errors
    /// `invalid_response` where Defend's list shows no address; otherwise as for every call.
    pub async fn elevations(&self, email: &str) -> Result<Vec<Elevation>> {
        let (operation, path) = ("defend.elevations", Path::Elevations);
        let organisation = self.platform.organisation();
        let filters = [("tenantId", organisation), ("email", email)];
        let items = self
            .platform
            .all(&self.cx, operation, path, "elevations", &filters)
            .await?;
        let all: Vec<_> = items
            .into_iter()
            .map(Elevation::of)
            .collect::<Result<_>>()?;
        // Whether the filter is heeded is not known.
        let is_it = |it: &Elevation| {
            let own = it.email.as_deref().unwrap_or_default();
            own.eq_ignore_ascii_case(email)
        };
        Ok(all.into_iter().filter(is_it).collect())
    }

    /// Ends what a workflow began.
    ///
    /// # Errors
    /// `not_found` where nobody is watched for it; otherwise as for every call.
    pub async fn end_monitoring(&self, workflow_id: &str) -> Result<()> {
        let request = self
            .platform
            .request(Method::DELETE, "defend.end_monitoring", Path::Elevation)
            .path("id", workflow_id);
        self.platform.send(&self.cx, request).await.map(drop)
    }

    pub(super) async fn diagnose(&self, cx: &OpContext) -> Diagnosis {
        self.platform.diagnose_own(cx, Path::Elevations).await
    }
}

impl Elevation {
    fn of(mut item: Item) -> Result<Self> {
        let started_at = item.text("started_at").and_then(|at| at.parse().ok());
        let email = item.take("email");
        let (Some(workflow_id), true) = (item.take("workflow_id"), email.is_some()) else {
            return Err(Error::new(
                ErrorKind::InvalidResponse,
                "an item of Defend's list has no `email` or no `workflow_id`, so that nothing can be said of it; say what they are called in `conventions.members`",
            ));
        };
        Ok(Self {
            workflow_id,
            email,
            status: item.take("status"),
            started_at,
            id: item.id.clone(),
            attributes: item.rest(),
        })
    }

    /// Whether they are watched now. A word that Defend invented later counts as watched: nothing is
    /// taken to have ended that does not say so.
    pub(super) fn is_active(&self) -> bool {
        self.status.as_deref() != Some("ended")
    }
}
