use http::Method;
use jiff::Timestamp;
use protect_core::connector::{Diagnosis, OpContext};
use protect_core::model::{Actor, TenantId};
use protect_core::{Context, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::PRODUCT;
use crate::client::{Access, Platform, per_call};
use crate::conventions::Path;
use crate::direct::nobody;
use crate::message::put;

/// Acts at once at The One Portal: without plan, guards, store or ledger. For those, use the engine.
///
/// Retries, the limit of the organisation and typed errors are inside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Portal {
    platform: Platform,
    cx: OpContext,
}

/// What a client is to see, as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSnapshot {
    /// The client company's id.
    pub client_id: String,
    /// When it was made.
    pub generated_at: Timestamp,
    /// `value`, `rating`, `trend`.
    #[serde(default)]
    pub score: Option<Value>,
    /// Exposed credentials.
    #[serde(default)]
    pub alerts: Option<Value>,
    /// How each domain's mail is authenticated.
    #[serde(default)]
    pub domains: Option<Value>,
    /// The monthly reports.
    #[serde(default)]
    pub reports: Option<Value>,
    /// Whom to credit for the alerts.
    #[serde(default)]
    pub credits: Option<Value>,
}

/// What the portal made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublishedSnapshot {
    /// The portal's id of the snapshot; the client's where it gives none.
    pub id: String,
}

per_call!(Portal);

impl Portal {
    /// A client for one organisation. No I/O.
    ///
    /// # Errors
    /// `config_invalid` for a base URL that is none, or an empty organisation.
    pub fn new(access: Access, context: &Context) -> Result<Self> {
        let platform = Platform::new(access, &PRODUCT, false, context)?;
        Ok(Self::over(platform, &nobody()?))
    }

    pub(crate) fn over(platform: Platform, tenant: &TenantId) -> Self {
        let cx = OpContext::new(tenant.clone(), "portal", Actor::engine());
        Self { platform, cx }
    }

    /// Replaces what a client sees. The same snapshot twice is the same view.
    ///
    /// # Errors
    /// `invalid_input` naming the refused fields; `permission_denied` for another organisation's client;
    /// otherwise as for every call.
    pub async fn publish_snapshot(&self, snapshot: NewSnapshot) -> Result<PublishedSnapshot> {
        if snapshot.client_id.is_empty() {
            return Err(Error::invalid_input("a snapshot needs a client"));
        }
        let client_id = snapshot.client_id.clone();
        let request = self
            .platform
            .request(Method::PUT, "portal.publish_snapshot", Path::Snapshot)
            .path("id", &client_id);
        let body = self.body(snapshot);
        let answer = self.platform.post(&self.cx, request, body, None).await?;
        // That it was taken is what counts; what else the portal says is not documented.
        let said: Option<Map<String, Value>> = answer.json().ok();
        let item = said.and_then(|said| self.platform.item(said).ok());
        Ok(PublishedSnapshot {
            id: item.map_or(client_id, |item| item.id),
        })
    }
}

impl Portal {
    pub(super) async fn diagnose(&self, cx: &OpContext) -> Diagnosis {
        self.platform.diagnose_blindly(cx).await
    }

    fn body(&self, snapshot: NewSnapshot) -> Map<String, Value> {
        let mut body = Map::new();
        put(
            &mut body,
            "tenant_id",
            self.platform.organisation().to_owned(),
        );
        put(&mut body, "client_id", snapshot.client_id);
        put(&mut body, "generated_at", snapshot.generated_at.to_string());
        let parts = [
            ("score", snapshot.score),
            ("alerts", snapshot.alerts),
            ("domains", snapshot.domains),
            ("reports", snapshot.reports),
            ("credits", snapshot.credits),
        ];
        for (name, part) in parts {
            body.extend(part.map(|part| (name.to_owned(), part)));
        }
        body
    }
}
