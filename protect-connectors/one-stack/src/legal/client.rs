use http::Method;
use jiff::Timestamp;
use jiff::civil::Date;
use protect_core::connector::{Diagnosis, OpContext};
use protect_core::model::{Actor, Attributes, TenantId};
use protect_core::{Context, Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::PRODUCT;
use crate::client::{Access, Platform, per_call};
use crate::conventions::Path;
use crate::direct::nobody;
use crate::events::hex;
use crate::item::Item;
use crate::message::put;

/// Acts at once at The One Legal: without plan, guards, store or ledger. For those, use the engine.
///
/// Retries, the limit of the organisation and typed errors are inside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Legal {
    platform: Platform,
    cx: OpContext,
}

/// A policy as Legal lists it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LegalPolicy {
    /// Legal's id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Which version.
    pub version: String,
    /// Since when.
    pub effective_date: Option<Date>,
    /// Whether people must acknowledge it.
    pub requires_acknowledgment: bool,
    /// By when, where Legal says.
    pub due_date: Option<Date>,
    /// Everything else, as it came.
    pub attributes: Attributes,
}

/// The text of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LegalText {
    /// Legal's id.
    pub id: String,
    /// Which version.
    pub version: String,
    /// What it is called.
    pub title: String,
    /// The text in HTML, as it came.
    pub content_html: String,
    /// SHA-256 of the text, in hexadecimal.
    pub content_sha256: String,
}

/// Where somebody stands with a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LegalStanding {
    /// Legal's id of the policy.
    pub policy_id: String,
    /// Which version.
    pub version: String,
    /// `pending`, `acknowledged`, `overdue`, or another word.
    pub status: String,
    /// By when.
    pub due_date: Option<Date>,
    /// When they acknowledged it.
    pub acknowledged_at: Option<Timestamp>,
}

/// An acknowledgement to be recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgementRequest {
    /// Who, by the employee's id.
    pub employee_id: String,
    /// Their address at work.
    pub email: String,
    /// Legal's id of the policy.
    pub policy_id: String,
    /// Which version.
    pub policy_version: String,
    /// When.
    pub acknowledged_at: Timestamp,
    /// From which network address.
    pub ip_address: String,
    /// With which program.
    pub user_agent: String,
    /// The name that they typed.
    #[serde(default)]
    pub typed_name: Option<String>,
}

/// What Legal recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AcknowledgementRecord {
    /// Legal's id.
    pub id: String,
    /// Its id of the document in the vault.
    pub vault_document_id: Option<String>,
}

per_call!(Legal);

impl Legal {
    /// A client for one organisation. No I/O.
    ///
    /// # Errors
    /// `config_invalid` for a base URL that is none, or an empty organisation.
    pub fn new(access: Access, context: &Context) -> Result<Self> {
        let platform = Platform::new(access, &PRODUCT, false, context)?;
        Ok(Self::over(platform, &nobody()?))
    }

    pub(crate) fn over(platform: Platform, tenant: &TenantId) -> Self {
        let cx = OpContext::new(tenant.clone(), "legal", Actor::engine());
        Self { platform, cx }
    }

    /// The policies that are published.
    ///
    /// # Errors
    /// `invalid_response` for a policy without a title or version; otherwise as for every call.
    pub async fn policies(&self) -> Result<Vec<LegalPolicy>> {
        let organisation = self.platform.organisation();
        let filters = [("tenantId", organisation), ("status", "published")];
        let (operation, path) = ("legal.policies", Path::Policies);
        let items = self
            .platform
            .all(&self.cx, operation, path, "policies", &filters)
            .await?;
        // Whether the filter is heeded is not known.
        let published = |item: &Item| item.text("status").is_none_or(|it| it == "published");
        let published = items.into_iter().filter(published);
        published.map(LegalPolicy::of).collect()
    }

    /// The text of one version.
    ///
    /// # Errors
    /// `not_found`; `invalid_response` where it is another version, or not the text that its digest is of;
    /// otherwise as for every call.
    pub async fn policy_text(&self, policy_id: &str, version: &str) -> Result<LegalText> {
        let conventions = self.platform.conventions();
        let request = self
            .platform
            .request(Method::GET, "legal.policy_text", Path::Policy)
            .path("id", policy_id)
            .query(conventions.member("tenantId"), self.platform.organisation())
            .query(conventions.member("version"), version);
        let item = self.platform.one(&self.cx, request).await?;
        let text = |name: &str| need(item.text(name), name);
        let text = LegalText {
            id: item.id.clone(),
            version: text("version")?,
            title: text("title")?,
            content_html: text("content_html")?,
            content_sha256: text("content_sha256")?,
        };
        let digest = hex(&Sha256::digest(text.content_html.as_bytes()));
        if text.id != policy_id || text.version != version {
            return Err(invalid("Legal gave another policy or version"));
        }
        if !digest.eq_ignore_ascii_case(&text.content_sha256) {
            return Err(invalid("the text is not the one that its digest is of"));
        }
        Ok(text)
    }

    /// Where one employee stands with each policy that must be acknowledged.
    ///
    /// # Errors
    /// As for every call.
    pub async fn acknowledgments(&self, employee_id: &str) -> Result<Vec<LegalStanding>> {
        let organisation = self.platform.organisation();
        let filters = [("tenantId", organisation), ("employeeId", employee_id)];
        let (operation, path) = ("legal.acknowledgments", Path::Acknowledgments);
        let rows = self
            .platform
            .rows(&self.cx, operation, path, "acknowledgments", &filters)
            .await?;
        rows.iter().map(LegalStanding::of).collect()
    }

    /// Records that somebody acknowledged a policy.
    ///
    /// # Errors
    /// `invalid_input` naming the refused fields; `conflict` where it is recorded already, or the version
    /// is not the current one; `not_found`; otherwise as for every call.
    pub async fn acknowledge(
        &self,
        acknowledgement: AcknowledgementRequest,
    ) -> Result<AcknowledgementRecord> {
        let given = acknowledgement;
        let key = format!(
            "people:{}:{}:{}:{}",
            given.employee_id, given.policy_id, given.policy_version, given.acknowledged_at
        );
        let mut body = Map::new();
        put(
            &mut body,
            "tenant_id",
            self.platform.organisation().to_owned(),
        );
        put(&mut body, "employee_id", given.employee_id);
        put(&mut body, "email", given.email);
        put(&mut body, "policy_id", given.policy_id);
        put(&mut body, "policy_version", given.policy_version);
        put(
            &mut body,
            "acknowledged_at",
            given.acknowledged_at.to_string(),
        );
        put(&mut body, "ip_address", given.ip_address);
        put(&mut body, "user_agent", given.user_agent);
        put(&mut body, "typed_name", given.typed_name);
        let request =
            self.platform
                .request(Method::POST, "legal.acknowledge", Path::Acknowledgments);
        let answer = self.platform.post(&self.cx, request, body, Some(&key));
        let mut item = self.platform.item(answer.await?.json()?)?;
        Ok(AcknowledgementRecord {
            vault_document_id: item.take("vault_document_id"),
            id: item.id,
        })
    }

    pub(super) async fn diagnose(&self, cx: &OpContext) -> Diagnosis {
        self.platform.diagnose_own(cx, Path::Policies).await
    }
}

impl LegalPolicy {
    fn of(mut item: Item) -> Result<Self> {
        let day = |item: &Item, name: &str| item.text(name).and_then(|day| day.parse().ok());
        let requires = item.value("requires_acknowledgment");
        // A policy that does not say so is one that people must acknowledge: nobody is told that they
        // comply where nobody knows.
        let requires_acknowledgment = requires.and_then(Value::as_bool).unwrap_or(true);
        Ok(Self {
            effective_date: day(&item, "effective_date"),
            due_date: day(&item, "due_date"),
            requires_acknowledgment,
            title: need(item.take("title").as_deref(), "title")?,
            version: need(item.take("version").as_deref(), "version")?,
            id: item.id.clone(),
            attributes: item.rest(),
        })
    }
}

impl LegalStanding {
    fn of(row: &Map<String, Value>) -> Result<Self> {
        let text = |name: &str| row.get(name).and_then(Value::as_str);
        Ok(Self {
            policy_id: need(text("policy_id"), "policy_id")?,
            version: need(text("version"), "version")?,
            status: need(text("status"), "status")?,
            due_date: text("due_date").and_then(|day| day.parse().ok()),
            acknowledged_at: text("acknowledged_at").and_then(|at| at.parse().ok()),
        })
    }
}

fn need(text: Option<&str>, name: &str) -> Result<String> {
    let text = text.filter(|text| !text.is_empty()).ok_or_else(|| {
        let message = format!(
            "Legal's answer has no `{name}`; say what it is called in `conventions.members`"
        );
        Error::new(ErrorKind::InvalidResponse, message)
    })?;
    Ok(text.to_owned())
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidResponse, message)
}
