//! How the client's requests are made: key, budget, plan, and what counts as an answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protect_core::http::{Answer, BudgetKey, HttpClient, Limit, Method, RequestBuilder};
use protect_core::secret::Credential;
use protect_core::{Context, Error, ErrorKind, Result};
use serde::de::DeserializeOwned;

use crate::client::Hibp;
use crate::error::{PLAN, REASON};
use crate::models::{BreachName, BreachRef, SubscriptionStatus};
use crate::wire;

/// What clones of a client share.
pub(crate) struct Shared {
    pub(crate) api: HttpClient,
    pub(crate) passwords: HttpClient,
    pub(crate) key: Option<Credential>,
    pub(crate) context: Context,
    pub(crate) budget: Budgets,
    /// Lowers the plan's rate.
    pub(crate) rate_cap: Option<u32>,
    pub(crate) kanon_weight: u32,
    /// The plan as last answered.
    pub(crate) status: Mutex<Option<Arc<SubscriptionStatus>>>,
}

/// What requests count against. The by-domain calls have limits of their own that the vendor does
/// not publish; the paces are cautious guesses.
pub(crate) struct Budgets {
    pub(crate) search: BudgetKey,
    pub(crate) domains: BudgetKey,
    pub(crate) stealer_domains: BudgetKey,
}

/// How requests are made.
impl Hibp {
    pub(crate) fn open(
        &self,
        method: Method,
        operation: &'static str,
        path: &'static str,
    ) -> RequestBuilder {
        self.shared.api.request(method, operation, path)
    }

    pub(crate) async fn keyed(
        &self,
        method: Method,
        operation: &'static str,
        path: &'static str,
    ) -> Result<RequestBuilder> {
        let key = match &self.shared.key {
            Some(Credential::Text(text)) => text.clone(),
            Some(Credential::Reference(reference)) => {
                self.shared.context.secrets.resolve(reference).await?
            }
            None => {
                return Err(
                    Error::config("api_key", "this call needs a key").with_operation(operation)
                );
            }
        };
        Ok(self
            .open(method, operation, path)
            .secret_header("hibp-api-key", &key))
    }

    /// A request that counts against the plan's rate, which must be known before it is sent.
    pub(crate) async fn search(
        &self,
        operation: &'static str,
        path: &'static str,
        weight: u32,
    ) -> Result<RequestBuilder> {
        let known = self.known_plan().is_some();
        match self.shared.rate_cap {
            _ if known => {}
            Some(rate) => self.declare_rate(rate),
            None => {
                self.plan().await?;
            }
        }
        Ok(self
            .keyed(Method::GET, operation, path)
            .await?
            .budget(self.shared.budget.search.clone())
            .weight(weight))
    }

    pub(crate) async fn stealer_domain(
        &self,
        operation: &'static str,
        path: &'static str,
        domain: &str,
    ) -> Result<RequestBuilder> {
        self.needs_stealer_logs(operation).await?;
        Ok(self
            .keyed(Method::GET, operation, path)
            .await?
            .path("domain", domain)
            .budget(self.shared.budget.stealer_domains.clone()))
    }

    pub(crate) async fn verification(
        &self,
        operation: &'static str,
        path: &'static str,
        body: &serde_json::Value,
    ) -> Result<Answer> {
        self.needs(operation, "IncludesBulkDomainAdd", |plan| {
            plan.includes_bulk_domain_add
        })
        .await?;
        self.keyed(Method::POST, operation, path)
            .await?
            .json(body)?
            .send(&self.cx)
            .await
    }

    pub(crate) async fn needs_stealer_logs(&self, operation: &'static str) -> Result<()> {
        self.needs(operation, "IncludesStealerLogs", |plan| {
            plan.includes_stealer_logs
        })
        .await
    }

    /// Fails before the vendor would, with the feature's name.
    pub(crate) async fn needs(
        &self,
        operation: &'static str,
        feature: &'static str,
        has: impl Fn(&SubscriptionStatus) -> bool,
    ) -> Result<()> {
        if has(&*self.plan().await?) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::PermissionDenied,
            format!("the plan of this key lacks {feature}"),
        )
        .with_operation(operation)
        .with_context(REASON, PLAN)
        .with_context("feature", feature))
    }

    /// The plan, asked where nobody has asked yet.
    async fn plan(&self) -> Result<Arc<SubscriptionStatus>> {
        let known = self.known_plan().clone();
        match known {
            Some(plan) => Ok(plan),
            None => self.subscription_status().await.map(Arc::new),
        }
    }

    pub(crate) fn known_plan(&self) -> MutexGuard<'_, Option<Arc<SubscriptionStatus>>> {
        let known = self.shared.status.lock();
        known.unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the vendor closed the key so often lately that somebody else must be using it.
    pub(crate) fn is_shared_with_others(&self) -> bool {
        let context = &self.shared.context;
        let now = context.clock.monotonic();
        let status = context.limits.status(&self.shared.budget.search, now);
        status.recent_pauses >= 3
    }

    pub(crate) fn declare_rate(&self, rate: u32) {
        self.shared
            .context
            .limits
            .declare(&self.shared.budget.search, &Limit::per_minute(rate));
    }
}

/// The plan's rate, which the configuration may lower.
pub(crate) fn effective_rate(status: &SubscriptionStatus, cap: Option<u32>) -> u32 {
    cap.map_or(status.rpm, |cap| cap.min(status.rpm)).max(1)
}

pub(crate) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T> {
    answer.json()
}

/// 404 is an answer: there is none.
pub(crate) fn found<T>(
    sent: Result<Answer>,
    read: impl FnOnce(&Answer) -> Result<T>,
) -> Result<Option<T>> {
    match sent {
        Ok(answer) => read(&answer).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) fn or_empty<T: Default>(
    sent: Result<Answer>,
    read: impl FnOnce(&Answer) -> Result<T>,
) -> Result<T> {
    found(sent, read).map(Option::unwrap_or_default)
}

pub(crate) fn each_alias(
    operation: &'static str,
    sent: Result<Answer>,
    mut sink: impl FnMut(String, Vec<String>),
) -> Result<()> {
    found(sent, |answer| {
        wire::each_alias(operation, answer.body(), |alias, names| {
            sink(alias.to_lowercase(), names);
        })
    })
    .map(|_| ())
}

pub(crate) fn named(names: Vec<String>) -> Vec<BreachRef> {
    names
        .into_iter()
        .map(|name| BreachRef {
            name: BreachName(name),
        })
        .collect()
}
