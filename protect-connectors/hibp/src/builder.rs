//! How a client is made.

use std::sync::{Arc, Mutex};

use protect_core::connector::OpContext;
use protect_core::http::{BudgetKey, HttpClient, Limit};
use protect_core::model::{Actor, TenantId};
use protect_core::secret::Credential;
use protect_core::{Context, Error, Result};

use crate::client::Hibp;
use crate::config;
use crate::error;
use crate::requests::{Budgets, Shared};

/// Domain searches a minute.
const DOMAIN_PACE: u32 = 30;
/// Stealer log searches over a whole domain a minute.
const STEALER_DOMAIN_PACE: u32 = 6;
/// A domain of a million addresses answers some 60 MB.
const MAX_BODY: usize = 256 * 1024 * 1024;

/// Settings of a [`Hibp`] that is to be built.
#[derive(Debug, Default)]
pub struct HibpBuilder {
    api_key: Option<Credential>,
    api: Option<String>,
    passwords: Option<String>,
    user_agent: Option<String>,
    budget: Option<String>,
    rate_cap: Option<u32>,
    kanon_weight: Option<u32>,
    max_attempts: Option<u32>,
    tenant: Option<TenantId>,
}

impl HibpBuilder {
    /// The key; the catalogue and the password check need none.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<Credential>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Another root of the API, with `/api/v3` and no trailing slash.
    #[must_use]
    pub fn api_url(mut self, root: impl Into<String>) -> Self {
        self.api = Some(root.into());
        self
    }

    /// Another root of the password ranges, without a trailing slash.
    #[must_use]
    pub fn passwords_url(mut self, root: impl Into<String>) -> Self {
        self.passwords = Some(root.into());
        self
    }

    /// How the calling program names itself, `name/version`; the context's own where not set. The
    /// vendor's terms ask for a truthful one.
    #[must_use]
    pub fn user_agent(mut self, agent: impl Into<String>) -> Self {
        self.user_agent = Some(agent.into());
        self
    }

    /// The name under which requests are counted: clients that share a key must share it.
    #[must_use]
    pub fn budget(mut self, name: impl Into<String>) -> Self {
        self.budget = Some(name.into());
        self
    }

    /// Fewer searches a minute than the plan gives; never more, once the plan is known. With it, no
    /// plan is asked for before the first search: the vendor's test keys have none.
    #[must_use]
    pub fn requests_per_minute(mut self, rate: u32) -> Self {
        self.rate_cap = Some(rate.max(1));
        self
    }

    /// How many searches one range search counts for; 2 by default.
    #[must_use]
    pub fn kanon_weight(mut self, weight: u32) -> Self {
        self.kanon_weight = Some(weight.max(1));
        self
    }

    /// How often a request is tried in all; the HTTP layer's own number where not set.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts);
        self
    }

    /// For whom the calls are made, for logs.
    #[must_use]
    pub fn tenant(mut self, tenant: TenantId) -> Self {
        self.tenant = Some(tenant);
        self
    }

    /// The client. Does no I/O.
    ///
    /// # Errors
    /// `config_invalid` for an endpoint that is neither https nor loopback, or a user agent that is
    /// not `name/version`.
    pub fn build(self, context: &Context) -> Result<Hibp> {
        let mut context = context.clone();
        if let Some(agent) = self.user_agent {
            context.user_agent = agent;
        }
        check_user_agent(&context.user_agent)?;
        let client = |root: Option<String>, default: &str| -> Result<HttpClient> {
            let mut builder = HttpClient::builder(&context, root.as_deref().unwrap_or(default))?
                .errors(error::table)
                .max_body(MAX_BODY);
            if let Some(attempts) = self.max_attempts {
                builder = builder.max_attempts(attempts);
            }
            Ok(builder.build())
        };
        let api = client(self.api, config::API)?;
        let passwords = client(self.passwords, config::PASSWORDS)?;
        let name = self.budget.unwrap_or_else(|| "hibp".to_owned());
        let budget = Budgets {
            search: BudgetKey(format!("hibp:{name}")),
            domains: BudgetKey(format!("hibp:{name}:domains")),
            stealer_domains: BudgetKey(format!("hibp:{name}:stealer_domains")),
        };
        let limits = &context.limits;
        limits.declare(&budget.domains, &Limit::per_minute(DOMAIN_PACE));
        limits.declare(
            &budget.stealer_domains,
            &Limit::per_minute(STEALER_DOMAIN_PACE),
        );
        let tenant = match self.tenant {
            Some(tenant) => tenant,
            None => TenantId::new("none")?,
        };
        Ok(Hibp {
            cx: OpContext::new(tenant, "hibp-client", Actor::engine()),
            shared: Arc::new(Shared {
                api,
                passwords,
                key: self.api_key,
                context,
                budget,
                rate_cap: self.rate_cap,
                kanon_weight: self.kanon_weight.unwrap_or(2),
                status: Mutex::new(None),
            }),
        })
    }
}

/// <https://haveibeenpwned.com/API/v3#UserAgent>: it must name the consumer.
fn check_user_agent(agent: &str) -> Result<()> {
    let good = agent.split_once('/').is_some_and(|(name, version)| {
        !name.trim().is_empty()
            && !name.eq_ignore_ascii_case("mozilla")
            && version.starts_with(|c: char| c.is_ascii_alphanumeric())
    });
    if good && agent.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Ok(());
    }
    Err(Error::config(
        "user_agent",
        "Have I Been Pwned wants the program's own name and version: name/version",
    ))
}
