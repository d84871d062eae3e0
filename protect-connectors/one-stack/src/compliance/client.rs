use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use jiff::Timestamp;
use jiff::civil::Date;
use protect_core::connector::{Diagnosis, OpContext};
use protect_core::model::{Actor, TenantId};
use protect_core::{Context, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::PRODUCT;
use super::controls::Control;
use crate::client::{Access, Platform, per_call};
use crate::config::SOURCE;
use crate::conventions::Path;
use crate::direct::nobody;
use crate::message::put;

/// "Max size 50 MB per artifact" (<https://docs.theonestack.com/docs/compliance/evidence-collection>),
/// in the smaller of its two readings.
const LARGEST: usize = 50_000_000;

/// Acts at once at The One Compliance: without plan, guards, store or ledger. For those, use the engine.
///
/// Retries, the limit of the organisation and typed errors are inside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Compliance {
    platform: Platform,
    cx: OpContext,
}

/// Evidence to be handed in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvidence {
    /// What it is (`sspm_scan_result`).
    pub kind: String,
    /// `policy`, `screenshot`, `report`, `log` or `attestation`.
    pub evidence_type: String,
    /// One line.
    pub title: String,
    /// Text for people.
    #[serde(default)]
    pub description: Option<String>,
    /// What it is found by again.
    pub source_ref: String,
    /// What we call ourselves there; `protect` where nobody says.
    #[serde(default)]
    pub source: Option<String>,
    /// The client company's id.
    #[serde(default)]
    pub client_id: Option<String>,
    /// The first day it speaks for (`2026-11-26`).
    pub effective_date: String,
    /// The last one.
    pub expiration_date: String,
    /// What it speaks for.
    #[serde(default)]
    pub controls: Option<Vec<Control>>,
    /// The type of the bytes (`application/json`).
    pub content_type: String,
    /// SHA-256 of the bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// The bytes in base64, at most 50 MB of them.
    pub content_base64: String,
}

/// What the product made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubmittedEvidence {
    /// The product's id.
    pub id: String,
    /// Which controls it was linked to, where the product says so.
    pub linked_controls: Vec<String>,
}

per_call!(Compliance);

impl Compliance {
    /// A client for one organisation. No I/O.
    ///
    /// # Errors
    /// `config_invalid` for a base URL that is none, or an empty organisation.
    pub fn new(access: Access, context: &Context) -> Result<Self> {
        let platform = Platform::new(access, &PRODUCT, false, context)?;
        Ok(Self::over(platform, &nobody()?))
    }

    pub(crate) fn over(platform: Platform, tenant: &TenantId) -> Self {
        let cx = OpContext::new(tenant.clone(), "compliance", Actor::engine());
        Self { platform, cx }
    }

    /// Hands evidence in.
    ///
    /// # Errors
    /// `invalid_input` for more than 50 MB, a day that is none, or refused fields; otherwise as for
    /// every call.
    pub async fn submit_evidence(&self, evidence: NewEvidence) -> Result<SubmittedEvidence> {
        let key = format!("{}:{}", evidence.source_ref, evidence.sha256);
        self.submit(evidence, &key).await
    }
}

impl Compliance {
    pub(super) async fn submit(
        &self,
        evidence: NewEvidence,
        key: &str,
    ) -> Result<SubmittedEvidence> {
        check(&evidence)?;
        let request = self
            .platform
            .request(Method::POST, "compliance.submit_evidence", Path::Evidence)
            // The same bytes twice are the same evidence.
            .idempotent(true);
        let body = self.body(evidence);
        let answer = self
            .platform
            .post(&self.cx, request, body, Some(key))
            .await?;
        let item = self.platform.item(answer.json()?)?;
        let linked = item.list("linked_controls");
        Ok(SubmittedEvidence {
            id: item.id,
            linked_controls: linked,
        })
    }

    /// The time by which days are reckoned.
    pub(super) fn now(&self) -> Timestamp {
        self.platform.context().clock.now()
    }

    pub(super) async fn diagnose(&self, cx: &OpContext) -> Diagnosis {
        self.platform.diagnose_blindly(cx).await
    }

    fn body(&self, evidence: NewEvidence) -> Map<String, Value> {
        let mut body = Map::new();
        put(
            &mut body,
            "tenant_id",
            self.platform.organisation().to_owned(),
        );
        put(&mut body, "client_id", evidence.client_id);
        put(
            &mut body,
            "source",
            evidence.source.unwrap_or_else(|| SOURCE.to_owned()),
        );
        put(&mut body, "source_ref", evidence.source_ref);
        put(&mut body, "kind", evidence.kind);
        put(&mut body, "evidence_type", evidence.evidence_type);
        put(&mut body, "title", evidence.title);
        put(&mut body, "description", evidence.description);
        put(&mut body, "effective_date", evidence.effective_date);
        put(&mut body, "expiration_date", evidence.expiration_date);
        body.insert(
            "controls".to_owned(),
            json!(evidence.controls.unwrap_or_default()),
        );
        put(&mut body, "content_type", evidence.content_type);
        put(&mut body, "sha256", evidence.sha256);
        put(&mut body, "content_base64", evidence.content_base64);
        body
    }
}

fn check(evidence: &NewEvidence) -> Result<()> {
    // Four characters stand for three bytes: what is too long needs no decoding to be refused.
    let too_large = || Error::invalid_input("evidence is at most 50 MB");
    if evidence.content_base64.len() / 4 > LARGEST.div_ceil(3) {
        return Err(too_large());
    }
    let bytes = STANDARD
        .decode(&evidence.content_base64)
        .map_err(|_| Error::invalid_input("`content_base64` is not base64"))?;
    if bytes.len() > LARGEST {
        return Err(too_large());
    }
    for day in [&evidence.effective_date, &evidence.expiration_date] {
        if day.parse::<Date>().is_err() {
            return Err(Error::invalid_input("write days as `2026-11-26`"));
        }
    }
    Ok(())
}
