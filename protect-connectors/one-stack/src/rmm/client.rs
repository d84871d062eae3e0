use http::Method;
use jiff::Timestamp;
use protect_core::connector::{Diagnosis, OpContext};
use protect_core::model::{Actor, TenantId};
use protect_core::{Context, Error, ErrorKind, Result};
use serde_json::Map;

use super::PRODUCT;
use super::remediation::{NewRemediation, Remediation};
use crate::client::{Access, Platform, per_call};
use crate::config::SOURCE;
use crate::conventions::Path;
use crate::direct::nobody;
use crate::message::put;

/// Acts at once at The One RMM: without plan, guards, store or ledger. For those, use the engine.
///
/// Retries, the limit of the organisation and typed errors are inside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Rmm {
    platform: Platform,
    cx: OpContext,
}

per_call!(Rmm);

impl Rmm {
    /// A client for one organisation. No I/O.
    ///
    /// # Errors
    /// `config_invalid` for a base URL that is none, or an empty organisation.
    pub fn new(access: Access, context: &Context) -> Result<Self> {
        let platform = Platform::new(access, &PRODUCT, false, context)?;
        Ok(Self::over(platform, &nobody()?))
    }

    pub(crate) fn over(platform: Platform, tenant: &TenantId) -> Self {
        let cx = OpContext::new(tenant.clone(), "rmm", Actor::engine());
        Self { platform, cx }
    }

    /// Asks for a remediation. Looks for nothing first: [`Rmm::find_remediations`] does.
    ///
    /// # Errors
    /// `invalid_input` naming the refused fields, or for a lockout without an end; `permission_denied`;
    /// otherwise as for every call.
    pub async fn request_remediation(&self, remediation: NewRemediation) -> Result<Remediation> {
        if remediation.email.is_empty() || remediation.source_ref.is_empty() {
            return Err(Error::invalid_input(
                "a remediation needs an address and a reference",
            ));
        }
        if remediation.action == "account_lockout" && remediation.duration_minutes.unwrap_or(0) == 0
        {
            return Err(Error::invalid_input(
                "a lockout is for a time: give `duration_minutes`",
            ));
        }
        let source = remediation.source.clone();
        let source = source.unwrap_or_else(|| SOURCE.to_owned());
        let key = format!("{source}:{}:create", remediation.source_ref);
        let body = remediation.body(&source, self.platform.organisation());
        let request =
            self.platform
                .request(Method::POST, "rmm.request_remediation", Path::Remediations);
        let answer = self.platform.post(&self.cx, request, body, Some(&key));
        let answer = answer.await?;
        self.platform.item(answer.json()?).map(Remediation::of)
    }

    /// One remediation by RMM's id, with where it stands.
    ///
    /// # Errors
    /// `not_found`; otherwise as for every call.
    pub async fn get_remediation(&self, remediation_id: &str) -> Result<Remediation> {
        let request = self
            .platform
            .request(Method::GET, "rmm.get_remediation", Path::Remediation)
            .path("id", remediation_id);
        self.platform
            .one(&self.cx, request)
            .await
            .map(Remediation::of)
    }

    /// The remediations under one of our references, whatever their status.
    ///
    /// # Errors
    /// `invalid_response` where RMM's remediations show no reference; otherwise as for every call.
    pub async fn find_remediations(&self, source_ref: &str) -> Result<Vec<Remediation>> {
        self.remediations_under(SOURCE, source_ref).await
    }

    /// Calls off a remediation that has not begun (`pending_approval`, `queued`).
    ///
    /// # Errors
    /// `not_found`; `conflict` where it has begun; otherwise as for every call.
    pub async fn cancel_remediation(&self, remediation_id: &str) -> Result<()> {
        let request = self
            .platform
            .request(
                Method::POST,
                "rmm.cancel_remediation",
                Path::RemediationCancel,
            )
            .path("id", remediation_id);
        self.platform
            .post(&self.cx, request, Map::new(), None)
            .await
            .map(drop)
    }

    /// Consents to a remediation that waits for it. RMM refuses who asked for it.
    ///
    /// # Errors
    /// `not_found`; `conflict` where it does not wait; `permission_denied` for the requester; otherwise
    /// as for every call.
    pub async fn approve_remediation(
        &self,
        remediation_id: &str,
        approved_by: &str,
        note: Option<&str>,
    ) -> Result<()> {
        let mut body = Map::new();
        put(&mut body, "approved_by", approved_by.to_owned());
        put(&mut body, "note", note.map(str::to_owned));
        let request = self
            .platform
            .request(
                Method::POST,
                "rmm.approve_remediation",
                Path::RemediationApprove,
            )
            .path("id", remediation_id);
        self.platform
            .post(&self.cx, request, body, None)
            .await
            .map(drop)
    }
}

impl Rmm {
    pub(super) async fn remediations_under(
        &self,
        source: &str,
        source_ref: &str,
    ) -> Result<Vec<Remediation>> {
        let (path, of) = (Path::Remediations, (source, source_ref));
        let items = self
            .platform
            .under(&self.cx, "rmm.find_remediations", path, "remediations", of)
            .await?;
        Ok(items.into_iter().map(Remediation::of).collect())
    }

    /// What was asked for about one login, by whomever.
    pub(super) async fn remediations_of(&self, email: &str) -> Result<Vec<Remediation>> {
        let all = self.listed(&[("email", email)]).await?;
        if all.iter().any(|known| known.email.is_none()) {
            return Err(unreadable("target.email"));
        }
        let is_it = |known: &Remediation| {
            let known = known.email.as_deref().unwrap_or_default();
            known.eq_ignore_ascii_case(email)
        };
        Ok(all.into_iter().filter(is_it).collect())
    }

    /// When each remediation was asked for that one source asked for since a moment.
    pub(super) async fn asked_since(
        &self,
        source: &str,
        since: Timestamp,
    ) -> Result<Vec<Timestamp>> {
        let moment = since.to_string();
        let filters = [("source", source), ("updatedAfter", moment.as_str())];
        let all = self.listed(&filters).await?;
        let times = all
            .into_iter()
            .map(|known| known.created_at.ok_or_else(|| unreadable("created_at")));
        let times: Vec<_> = times.collect::<Result<_>>()?;
        Ok(times.into_iter().filter(|at| *at > since).collect())
    }

    async fn listed(&self, filters: &[(&str, &str)]) -> Result<Vec<Remediation>> {
        let path = Path::Remediations;
        let items = self
            .platform
            .all(
                &self.cx,
                "rmm.find_remediations",
                path,
                "remediations",
                filters,
            )
            .await?;
        Ok(items.into_iter().map(Remediation::of).collect())
    }

    pub(super) fn context(&self) -> &Context {
        self.platform.context()
    }

    pub(super) async fn diagnose(&self, cx: &OpContext) -> Diagnosis {
        self.platform.diagnose(cx, Path::Remediations).await
    }
}

fn unreadable(member: &str) -> Error {
    Error::new(
        ErrorKind::InvalidResponse,
        format!(
            "a remediation of RMM's list has no `{member}`, so that nothing can be said of it; say what it is called in `conventions.members`"
        ),
    )
}
