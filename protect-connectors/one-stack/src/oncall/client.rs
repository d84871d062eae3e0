use http::Method;
use protect_core::connector::{Diagnosis, OpContext};
use protect_core::model::{Actor, TenantId};
use protect_core::{Context, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{PRODUCT, WayIn};
use crate::client::{Access, Platform, per_call};
use crate::config::SOURCE;
use crate::conventions::Path;
use crate::direct::nobody;
use crate::message::put;

/// Acts at once at The One On-Call: without plan, guards, store or ledger. For those, use the engine.
///
/// Retries, the limit of the organisation and typed errors are inside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct OnCall {
    platform: Platform,
    way_in: WayIn,
    cx: OpContext,
}

/// What somebody is to be woken for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPage {
    /// One line.
    pub title: String,
    /// `critical`, `high`, `medium` or `low`; escalations take the first two.
    pub severity: String,
    /// Pages with the same key are one while it is open.
    pub dedup_key: String,
    /// Text for people.
    #[serde(default)]
    pub description: Option<String>,
    /// What we call ourselves there; `protect` where nobody says.
    #[serde(default)]
    pub source: Option<String>,
    /// What to do, in words.
    #[serde(default)]
    pub recommended_action: Option<String>,
    /// Where people look it up at our side.
    #[serde(default)]
    pub source_url: Option<String>,
}

/// What became of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Paged {
    /// On-Call's id, where it gives one; else the key of the page.
    pub id: String,
    /// On-Call's word (`triggered`), where it says one.
    pub status: Option<String>,
}

per_call!(OnCall);

impl OnCall {
    /// A client for one organisation. No I/O.
    ///
    /// # Errors
    /// `config_invalid` for a base URL that is none, or an empty organisation.
    pub fn new(access: Access, way_in: WayIn, context: &Context) -> Result<Self> {
        let platform = Platform::new(access, &PRODUCT, way_in == WayIn::Ingest, context)?;
        Ok(Self::over(platform, way_in, &nobody()?))
    }

    pub(crate) fn over(platform: Platform, way_in: WayIn, tenant: &TenantId) -> Self {
        let cx = OpContext::new(tenant.clone(), "oncall", Actor::engine());
        Self {
            platform,
            way_in,
            cx,
        }
    }

    /// Pages whoever is on call. The same key again, while the page is open, joins it.
    ///
    /// # Errors
    /// `invalid_input` for a severity that this way in does not take; `unauthenticated` for a wrong
    /// key, and nobody is paged; otherwise as for every call.
    pub async fn page(&self, page: NewPage) -> Result<Paged> {
        if page.title.trim().is_empty() || page.dedup_key.is_empty() {
            return Err(Error::invalid_input("a page needs a title and a key"));
        }
        let key = page.dedup_key.clone();
        let (path, body) = match self.way_in {
            WayIn::Ingest => (Path::Ingest, self.ingest(page)),
            WayIn::Escalations => (Path::Escalations, self.escalation(page)?),
        };
        let request = self
            .platform
            .request(Method::POST, "oncall.page", path)
            // "Repeats update the open incident": documented for both ways in.
            .idempotent(true);
        let answer = self.platform.post(&self.cx, request, body, None).await?;
        if answer.body().is_empty() {
            return Ok(Paged {
                id: key,
                status: None,
            });
        }
        let said: Map<String, Value> = answer.json()?;
        let item = self.platform.item(said).ok();
        Ok(Paged {
            status: item
                .as_ref()
                .and_then(|item| item.text("status").map(str::to_owned)),
            id: item.map_or(key, |item| item.id),
        })
    }

    pub(super) async fn diagnose(&self, cx: &OpContext) -> Diagnosis {
        self.platform.diagnose_blindly(cx).await
    }

    fn ingest(&self, page: NewPage) -> Map<String, Value> {
        let mut body = Map::new();
        put(&mut body, "title", page.title);
        put(&mut body, "severity", page.severity);
        put(&mut body, "dedup_key", page.dedup_key);
        put(&mut body, "description", page.description);
        put(
            &mut body,
            "source",
            page.source.unwrap_or_else(|| SOURCE.to_owned()),
        );
        put(&mut body, "source_url", page.source_url);
        put(
            &mut body,
            "tenant_id",
            self.platform.organisation().to_owned(),
        );
        body
    }

    fn escalation(&self, page: NewPage) -> Result<Map<String, Value>> {
        if !matches!(page.severity.as_str(), "critical" | "high") {
            return Err(Error::invalid_input("escalations are `critical` or `high`"));
        }
        let mut body = Map::new();
        put(&mut body, "title", page.title);
        put(&mut body, "severity", page.severity);
        put(
            &mut body,
            "source",
            page.source.unwrap_or_else(|| SOURCE.to_owned()),
        );
        put(&mut body, "source_ref", page.dedup_key);
        put(&mut body, "description", page.description);
        put(&mut body, "recommended_action", page.recommended_action);
        put(
            &mut body,
            "tenant_id",
            self.platform.organisation().to_owned(),
        );
        Ok(body)
    }
}
