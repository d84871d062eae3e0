use http::Method;
use jiff::Timestamp;
use protect_core::connector::{Diagnosis, OpContext};
use protect_core::model::{Actor, Attributes, TenantId};
use protect_core::{Context, Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::PRODUCT;
use crate::client::{Access, Platform, per_call};
use crate::config::SOURCE;
use crate::conventions::Path;
use crate::direct::nobody;
use crate::item::Item;
use crate::message::put;

/// Acts at once at The One Hub: without plan, guards, store or ledger. For those, use the engine.
///
/// Retries, the limit of the organisation and typed errors are inside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Hub {
    pub(super) platform: Platform,
    pub(super) cx: OpContext,
}

/// Access to be taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRevocation {
    /// Whose access it is, by address.
    pub email: String,
    /// Hub's id of the user, where it is known.
    #[serde(default)]
    pub hub_user_id: Option<String>,
    /// When it ends; at once where nobody says.
    #[serde(default)]
    pub effective_at: Option<Timestamp>,
    /// Why, in a word (`offboarding`).
    pub reason: String,
    /// What we call ourselves there; `protect` where nobody says.
    #[serde(default)]
    pub source: Option<String>,
    /// What it is found by again.
    pub source_ref: String,
}

/// Access to be given back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRestoration {
    /// Whose access it is, by address.
    pub email: String,
    /// Why, in a word.
    pub reason: String,
    /// What we call ourselves there; `protect` where nobody says.
    #[serde(default)]
    pub source: Option<String>,
    /// What it is found by again.
    pub source_ref: String,
}

/// What Hub did, or is to do, with somebody's access.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccessChange {
    /// Hub's id.
    pub id: String,
    /// `scheduled`, `completed`, `failed`, `cancelled`, or another word.
    pub status: Option<String>,
    /// How it went at each product.
    pub products: Vec<ProductAccess>,
    /// Whose access it is.
    pub email: Option<String>,
    /// `revoke` or `restore`, where Hub says.
    pub action: Option<String>,
    /// Our reference.
    pub source_ref: Option<String>,
    /// When it was asked for.
    pub created_at: Option<Timestamp>,
    /// Everything else, as it came.
    pub attributes: Attributes,
}

/// How a change of access went at one product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProductAccess {
    /// The product's name (`psa`).
    pub product: String,
    /// `scheduled`, `completed`, `failed`, or another word.
    pub status: String,
}

per_call!(Hub);

impl Hub {
    /// A client for one organisation. No I/O.
    ///
    /// # Errors
    /// `config_invalid` for a base URL that is none, or an empty organisation.
    pub fn new(access: Access, context: &Context) -> Result<Self> {
        let platform = Platform::new(access, &PRODUCT, false, context)?;
        Ok(Self::over(platform, &nobody()?))
    }

    pub(crate) fn over(platform: Platform, tenant: &TenantId) -> Self {
        let cx = OpContext::new(tenant.clone(), "hub", Actor::engine());
        Self { platform, cx }
    }

    /// Takes the access to every product away, at once or on a day.
    ///
    /// # Errors
    /// `invalid_input` naming the refused fields; otherwise as for every call.
    pub async fn revoke_access(&self, revocation: NewRevocation) -> Result<AccessChange> {
        let at = revocation.effective_at;
        let at = at.unwrap_or_else(|| self.platform.context().clock.now());
        let mut body = self.body(&revocation.email, &revocation.reason)?;
        put(&mut body, "hub_user_id", revocation.hub_user_id);
        put(&mut body, "effective_at", at.to_string());
        put(&mut body, "scope", "all_products".to_owned());
        let of = (revocation.source, revocation.source_ref);
        let request = self
            .platform
            .request(Method::POST, "hub.revoke_access", Path::RevokeAccess);
        self.ask(request, body, of).await
    }

    /// Gives back what a revocation took.
    ///
    /// # Errors
    /// As [`Hub::revoke_access`].
    pub async fn restore_access(&self, restoration: NewRestoration) -> Result<AccessChange> {
        let body = self.body(&restoration.email, &restoration.reason)?;
        let of = (restoration.source, restoration.source_ref);
        let request =
            self.platform
                .request(Method::POST, "hub.restore_access", Path::RestoreAccess);
        self.ask(request, body, of).await
    }

    /// One change of access by Hub's id, with how it went at each product.
    ///
    /// # Errors
    /// `not_found`; otherwise as for every call.
    pub async fn get_access_change(&self, change_id: &str) -> Result<AccessChange> {
        let request = self
            .platform
            .request(Method::GET, "hub.get_access_change", Path::Revocation)
            .path("id", change_id);
        self.platform
            .one(&self.cx, request)
            .await
            .map(AccessChange::of)
    }

    /// The changes of access under one of our references.
    ///
    /// # Errors
    /// `invalid_response` where Hub's list shows no reference; otherwise as for every call.
    pub async fn find_access_changes(&self, source_ref: &str) -> Result<Vec<AccessChange>> {
        self.changes_under(SOURCE, source_ref).await
    }

    /// Calls off a revocation whose day has not come.
    ///
    /// # Errors
    /// `not_found`; `conflict` where it was carried out; otherwise as for every call.
    pub async fn cancel_revocation(&self, change_id: &str) -> Result<()> {
        let request = self
            .platform
            .request(Method::DELETE, "hub.cancel_revocation", Path::Revocation)
            .path("id", change_id);
        self.platform.send(&self.cx, request).await.map(drop)
    }
}

impl Hub {
    pub(super) async fn changes_under(
        &self,
        source: &str,
        source_ref: &str,
    ) -> Result<Vec<AccessChange>> {
        let (path, of) = (Path::Revocations, (source, source_ref));
        let items = self
            .platform
            .under(&self.cx, "hub.find_access_changes", path, "revocations", of)
            .await?;
        Ok(items.into_iter().map(AccessChange::of).collect())
    }

    /// What was done with one person's access, by whomever.
    pub(super) async fn changes_of(&self, email: &str) -> Result<Vec<AccessChange>> {
        let (path, filters) = (Path::Revocations, [("email", email)]);
        let items = self
            .platform
            .all(
                &self.cx,
                "hub.find_access_changes",
                path,
                "revocations",
                &filters,
            )
            .await?;
        let all: Vec<_> = items.into_iter().map(AccessChange::of).collect();
        if all.iter().any(|change| change.email.is_none()) {
            return Err(Error::new(
                ErrorKind::InvalidResponse,
                "a change of access in Hub's list has no `email`, so that nothing can be said of it; say what it is called in `conventions.members`",
            ));
        }
        let is_it = |change: &AccessChange| {
            let own = change.email.as_deref().unwrap_or_default();
            own.eq_ignore_ascii_case(email)
        };
        Ok(all.into_iter().filter(is_it).collect())
    }

    pub(super) async fn diagnose(&self, cx: &OpContext) -> Diagnosis {
        self.platform.diagnose(cx, Path::Revocations).await
    }

    fn body(&self, email: &str, reason: &str) -> Result<Map<String, Value>> {
        if email.is_empty() || reason.is_empty() {
            return Err(Error::invalid_input(
                "a change of access needs an address and a reason",
            ));
        }
        let mut body = Map::new();
        let organisation = self.platform.organisation();
        put(&mut body, "tenant_id", organisation.to_owned());
        put(&mut body, "email", email.to_owned());
        put(&mut body, "reason", reason.to_owned());
        Ok(body)
    }

    async fn ask(
        &self,
        request: protect_core::http::RequestBuilder,
        mut body: Map<String, Value>,
        (source, source_ref): (Option<String>, String),
    ) -> Result<AccessChange> {
        if source_ref.is_empty() {
            return Err(Error::invalid_input("a change of access needs a reference"));
        }
        let source = source.unwrap_or_else(|| SOURCE.to_owned());
        let key = format!("{source}:{source_ref}:create");
        put(&mut body, "source", source);
        put(&mut body, "source_ref", source_ref);
        let answer = self.platform.post(&self.cx, request, body, Some(&key));
        let answer = answer.await?;
        self.platform.item(answer.json()?).map(AccessChange::of)
    }
}

impl AccessChange {
    fn of(mut item: Item) -> Self {
        let created_at = item.text("created_at").and_then(|at| at.parse().ok());
        let products = item.value("products").and_then(Value::as_array);
        let products = products.into_iter().flatten();
        let products = products.filter_map(|product| {
            let text = |name: &str| product.get(name)?.as_str().map(str::to_owned);
            Some(ProductAccess {
                product: text("product")?,
                status: text("status").unwrap_or_default(),
            })
        });
        Self {
            products: products.collect(),
            status: item.take("status"),
            email: item.take("email"),
            action: item.take("action"),
            source_ref: item.take("source_ref"),
            created_at,
            id: item.id.clone(),
            attributes: item.rest(),
        }
    }

    /// The products at which it is not completed.
    pub(super) fn not_completed(&self) -> Vec<&str> {
        let left = self.products.iter().filter(|it| it.status != "completed");
        left.map(|it| it.product.as_str()).collect()
    }
}
