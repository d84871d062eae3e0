//! The vendor's endpoints, one method each.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use protect_core::connector::OpContext;
use protect_core::http::{Answer, BudgetKey, HttpClient, Limit, Method, RequestBuilder};
use protect_core::model::{Actor, Address, TenantId};
use protect_core::secret::{SecretRef, SecretString};
use protect_core::{Context, Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::config;
use crate::error::{self, PLAN, REASON};
use crate::models::{
    Addresses, Breach, BreachRef, DataClasses, DnsToken, DomainExposure, Paste, SubscribedDomain,
    SubscriptionStatus, Websites,
};
use crate::passwords::{Password, PasswordHash, SplitHash, address_hash};
use crate::wire;

/// Acts at once, without plan, guards, store or ledger: the vendor's own client, with typed errors,
/// retries and the plan's rate limit.
///
/// Only 200 and 404 are answers about an address: everything else is an error, so "not found" can
/// never be confused with "could not ask". Cheap to clone; clones share the key's budget.
#[derive(Clone)]
pub struct Hibp {
    shared: Arc<Shared>,
    cx: OpContext,
}

struct Shared {
    api: HttpClient,
    passwords: HttpClient,
    key: Option<ApiKey>,
    context: Context,
    budget: Budgets,
    /// Lowers the plan's rate.
    rate_cap: Option<u32>,
    kanon_weight: u32,
    status: OnceCell<SubscriptionStatus>,
}

/// What requests count against. The by-domain calls have limits of their own that the vendor does
/// not publish; the paces are cautious guesses.
struct Budgets {
    search: BudgetKey,
    domains: BudgetKey,
    stealer_domains: BudgetKey,
}

/// Domain searches a minute.
const DOMAIN_PACE: u32 = 30;
/// Stealer log searches over a whole domain a minute.
const STEALER_DOMAIN_PACE: u32 = 6;
/// A domain of a million addresses answers some 60 MB.
const MAX_BODY: usize = 256 * 1024 * 1024;

/// A key as it was handed over.
#[derive(Clone)]
enum ApiKey {
    Text(SecretString),
    Reference(SecretRef),
}

/// The text of a key, or where to find it; a callback is a [`SecretRef::Provided`] that the
/// context's resolver knows.
pub struct ApiKeySource(ApiKey);

impl From<&str> for ApiKeySource {
    fn from(text: &str) -> Self {
        Self(ApiKey::Text(text.into()))
    }
}

impl From<String> for ApiKeySource {
    fn from(text: String) -> Self {
        Self(ApiKey::Text(text.into()))
    }
}

impl From<SecretString> for ApiKeySource {
    fn from(text: SecretString) -> Self {
        Self(ApiKey::Text(text))
    }
}

impl From<SecretRef> for ApiKeySource {
    fn from(reference: SecretRef) -> Self {
        Self(ApiKey::Reference(reference))
    }
}

impl fmt::Debug for ApiKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeySource(…)")
    }
}

/// Settings of a [`Hibp`] that is to be built.
#[derive(Debug, Default)]
pub struct HibpBuilder {
    api_key: Option<ApiKeySource>,
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
    pub fn api_key(mut self, key: impl Into<ApiKeySource>) -> Self {
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

    /// Fewer searches a minute than the plan gives; never more. With it, the plan is not asked
    /// before the first search.
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
                key: self.api_key.map(|source| source.0),
                context,
                budget,
                rate_cap: self.rate_cap,
                kanon_weight: self.kanon_weight.unwrap_or(2),
                status: OnceCell::new(),
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

impl Hibp {
    /// Settings for a client.
    pub fn builder() -> HibpBuilder {
        HibpBuilder::default()
    }

    /// The same client for a call of the engine's.
    #[must_use]
    pub fn on_behalf(&self, cx: &OpContext) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            cx: cx.clone(),
        }
    }

    /// The same client, whose calls give up after `wait`.
    #[must_use]
    pub fn within(&self, wait: Duration) -> Self {
        let deadline = self.shared.context.clock.monotonic() + wait;
        Self {
            shared: Arc::clone(&self.shared),
            cx: self.cx.clone().with_deadline(deadline),
        }
    }

    /// The whole catalogue, or the breaches of one site, or only spam lists. Needs no key.
    ///
    /// # Errors
    /// No answer, or one that cannot be read.
    pub async fn breaches(
        &self,
        domain: Option<&str>,
        is_spam_list: Option<bool>,
    ) -> Result<Vec<Breach>> {
        let mut request = self.open(Method::GET, "hibp.breaches", "/breaches");
        if let Some(domain) = domain {
            request = request.query("Domain", domain);
        }
        if let Some(wanted) = is_spam_list {
            request = request.query("IsSpamList", if wanted { "true" } else { "false" });
        }
        read(&request.send(&self.cx).await?)
    }

    /// One breach by its stable name, or nothing. Needs no key.
    ///
    /// # Errors
    /// No answer, or one that cannot be read.
    pub async fn breach(&self, name: &str) -> Result<Option<Breach>> {
        let request = self
            .open(Method::GET, "hibp.breach", "/breach/{name}")
            .path("name", name);
        found(request.send(&self.cx).await, read)
    }

    /// The breach that was loaded last: what to ask before asking about everybody. Needs no key.
    ///
    /// # Errors
    /// No answer, or one that cannot be read.
    pub async fn latest_breach(&self) -> Result<Option<Breach>> {
        let request = self.open(Method::GET, "hibp.latest_breach", "/latestbreach");
        found(request.send(&self.cx).await, read)
    }

    /// Every data class there is. Needs no key.
    ///
    /// # Errors
    /// No answer, or one that cannot be read.
    pub async fn data_classes(&self) -> Result<DataClasses> {
        let request = self.open(Method::GET, "hibp.data_classes", "/dataclasses");
        read(&request.send(&self.cx).await?).map(|names| DataClasses { names })
    }

    /// The breaches of an address, by name. The address leaves; where the plan has it,
    /// [`Hibp::breached_account_range`] sends six digits of its hash instead.
    ///
    /// # Errors
    /// No answer, a refused key, or an answer that cannot be read.
    pub async fn breached_account(&self, account: &str) -> Result<Vec<BreachRef>> {
        let request = self
            .search("hibp.breached_account", "/breachedaccount/{account}", 1)
            .await?
            .path("account", account.trim())
            .query("truncateResponse", "true");
        or_empty(request.send(&self.cx).await, read)
    }

    /// The breaches of an address, found by the first six digits of its hash: what the vendor
    /// learns fits some four hundred addresses. Rows of others are dropped while they are read.
    ///
    /// # Errors
    /// `permission_denied` where the plan lacks it, before anything is sent; otherwise as for
    /// [`Hibp::breached_account`].
    pub async fn breached_account_range(&self, account: &str) -> Result<Vec<BreachRef>> {
        let address = Address::new(account)?;
        let mut found = self.breached_accounts_range(&[address]).await?;
        Ok(found.pop().unwrap_or_default())
    }

    /// As [`Hibp::breached_account_range`] for addresses whose hashes begin alike: one request for
    /// all of them.
    ///
    /// # Errors
    /// `invalid_input` where they do not begin alike; otherwise the same.
    pub(crate) async fn breached_accounts_range(
        &self,
        addresses: &[Address],
    ) -> Result<Vec<Vec<BreachRef>>> {
        const OPERATION: &str = "hibp.breached_account_range";
        self.needs(OPERATION, "IncludesKAnon", |plan| plan.includes_k_anon)
            .await?;
        let hashes: Vec<_> = addresses
            .iter()
            .map(|address| address_hash(address.as_str()))
            .collect();
        let Some((prefix, _)) = hashes.first().and_then(|hash| hash.split_at_checked(PREFIX)) else {
            return Ok(Vec::new());
        };
        let suffixes: Vec<&str> = hashes
            .iter()
            .filter_map(|hash| hash.strip_prefix(prefix))
            .collect();
        if suffixes.len() != hashes.len() {
            return Err(Error::invalid_input("the hashes begin differently"));
        }
        let request = self
            .search(
                OPERATION,
                "/breachedaccount/range/{prefix}",
                self.shared.kanon_weight,
            )
            .await?
            .path("prefix", prefix);
        let rows = found(request.send(&self.cx).await, |answer| {
            wire::matching_rows(OPERATION, answer.body(), &suffixes)
        })?;
        let rows = rows.unwrap_or_else(|| vec![Vec::new(); suffixes.len()]);
        Ok(rows.into_iter().map(named).collect())
    }

    /// Every breached alias of a domain that is verified for the key, sensitive breaches included.
    ///
    /// # Errors
    /// `permission_denied` where the domain is not verified or larger than the plan allows.
    pub async fn breached_domain(&self, domain: &str) -> Result<DomainExposure> {
        let mut exposure = DomainExposure::default();
        self.each_breached_alias(domain, |alias, names| {
            exposure.aliases.insert(alias, names);
        })
        .await?;
        Ok(exposure)
    }

    /// As [`Hibp::breached_domain`], alias by alias: a large domain is never a tree in memory.
    pub(crate) async fn each_breached_alias(
        &self,
        domain: &str,
        sink: impl FnMut(String, Vec<String>),
    ) -> Result<()> {
        const OPERATION: &str = "hibp.breached_domain";
        let request = self
            .keyed(Method::GET, OPERATION, "/breacheddomain/{domain}")
            .await?
            .path("domain", domain)
            .budget(self.shared.budget.domains.clone());
        each_alias(OPERATION, request.send(&self.cx).await, sink)
    }

    /// The domains that are verified for the key.
    ///
    /// # Errors
    /// No answer, a refused key, or an answer that cannot be read.
    pub async fn subscribed_domains(&self) -> Result<Vec<SubscribedDomain>> {
        let request = self
            .keyed(Method::GET, "hibp.subscribed_domains", "/subscribeddomains")
            .await?;
        or_empty(request.send(&self.cx).await, read)
    }

    /// Begins proving that a domain is one's own: the TXT record to publish.
    ///
    /// # Errors
    /// `permission_denied` where the plan lacks it, before anything is sent.
    pub async fn generate_dns_token(&self, domain: &str) -> Result<DnsToken> {
        let answer = self
            .verification(
                "hibp.generate_dns_token",
                "/domainverification/generatednstoken",
                &json!({"DomainName": domain}),
            )
            .await?;
        read(&answer)
    }

    /// Ends it: whether the vendor saw the TXT record. May be repeated while DNS spreads.
    ///
    /// # Errors
    /// `permission_denied` where the plan lacks it; "not verified" is no error.
    pub async fn verify_dns_token(&self, domain: &str) -> Result<bool> {
        let answer = self
            .verification(
                "hibp.verify_dns_token",
                "/domainverification/verifydnstoken",
                &json!({"DomainName": domain}),
            )
            .await;
        // Two ways of saying "not verified" are on record: 200 with a message, and 400.
        match answer {
            Ok(answer) => Ok(answer.body().trim_ascii().is_empty()),
            Err(error) if error.http_status() == Some(400) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The other way of proving it: a message to `admin`, `hostmaster`, `info`, `security` or
    /// `webmaster` of the domain.
    ///
    /// # Errors
    /// `invalid_input` for another alias; `permission_denied` where the plan lacks it.
    pub async fn send_verification_email(&self, domain: &str, alias: &str) -> Result<()> {
        if !["admin", "hostmaster", "info", "security", "webmaster"].contains(&alias) {
            return Err(Error::invalid_input(
                "the alias is one of admin, hostmaster, info, security and webmaster",
            )
            .with_operation("hibp.send_verification_email"));
        }
        self.verification(
            "hibp.send_verification_email",
            "/domainverification/sendemail",
            &json!({"DomainName": domain, "EmailAlias": alias}),
        )
        .await
        .map(|_| ())
    }

    /// The pastes that hold an address.
    ///
    /// # Errors
    /// No answer, a refused key, or an answer that cannot be read.
    pub async fn paste_account(&self, account: &str) -> Result<Vec<Paste>> {
        let request = self
            .search("hibp.paste_account", "/pasteaccount/{account}", 1)
            .await?
            .path("account", account.trim());
        or_empty(request.send(&self.cx).await, read)
    }

    /// The websites at which information stealers saw an address being typed. Its domain must be
    /// verified for the key.
    ///
    /// # Errors
    /// `permission_denied` where the plan lacks it, before anything is sent.
    pub async fn stealer_logs_by_email(&self, email: &str) -> Result<Websites> {
        const OPERATION: &str = "hibp.stealer_logs_by_email";
        self.needs_stealer_logs(OPERATION).await?;
        let request = self
            .search(OPERATION, "/stealerlogsbyemail/{email}", 1)
            .await?
            .path("email", email.trim());
        or_empty(request.send(&self.cx).await, read).map(|websites| Websites { websites })
    }

    /// The addresses that information stealers saw being typed at one's own website: other
    /// people's addresses.
    ///
    /// # Errors
    /// `permission_denied` where the plan lacks it, before anything is sent.
    pub async fn stealer_logs_by_website_domain(&self, domain: &str) -> Result<Addresses> {
        const OPERATION: &str = "hibp.stealer_logs_by_website_domain";
        let request = self
            .stealer_domain(OPERATION, "/stealerlogsbywebsitedomain/{domain}", domain)
            .await?;
        or_empty(request.send(&self.cx).await, read).map(|addresses| Addresses { addresses })
    }

    /// For every alias of a domain, the websites at which information stealers saw it being typed.
    ///
    /// # Errors
    /// `permission_denied` where the plan lacks it, before anything is sent.
    pub async fn stealer_logs_by_email_domain(&self, domain: &str) -> Result<DomainExposure> {
        let mut exposure = DomainExposure::default();
        self.each_stealer_log_alias(domain, |alias, websites| {
            exposure.aliases.insert(alias, websites);
        })
        .await?;
        Ok(exposure)
    }

    /// As [`Hibp::stealer_logs_by_email_domain`], alias by alias.
    pub(crate) async fn each_stealer_log_alias(
        &self,
        domain: &str,
        sink: impl FnMut(String, Vec<String>),
    ) -> Result<()> {
        const OPERATION: &str = "hibp.stealer_logs_by_email_domain";
        let request = self
            .stealer_domain(OPERATION, "/stealerlogsbyemaildomain/{domain}", domain)
            .await?;
        each_alias(OPERATION, request.send(&self.cx).await, sink)
    }

    /// What the key's plan gives, asked anew; the rate limit follows it.
    ///
    /// # Errors
    /// No answer, a refused key, or an answer that cannot be read.
    pub async fn subscription_status(&self) -> Result<SubscriptionStatus> {
        let answer = self.subscription_answer().await?;
        let status: SubscriptionStatus = read(&answer)?;
        self.declare(&status);
        Ok(status)
    }

    /// The answer itself, whose `Date` header tells the vendor's clock.
    pub(crate) async fn subscription_answer(&self) -> Result<Answer> {
        self.keyed(
            Method::GET,
            "hibp.subscription_status",
            "/subscription/status",
        )
        .await?
        .send(&self.cx)
        .await
    }

    /// How often a password was seen in breaches; 0 means never. Hashed here: five digits leave.
    ///
    /// # Errors
    /// No answer, or one that cannot be read.
    pub async fn check_password(&self, password: Password) -> Result<u64> {
        self.check_hashed(password, PasswordHash::Sha1).await
    }

    /// The same by the NTLM hash, as Windows domains store it.
    ///
    /// # Errors
    /// The same.
    pub async fn check_password_ntlm(&self, password: Password) -> Result<u64> {
        self.check_hashed(password, PasswordHash::Ntlm).await
    }

    async fn check_hashed(&self, password: Password, mode: PasswordHash) -> Result<u64> {
        const OPERATION: &str = "hibp.check_password";
        let hash = SplitHash::of(&password, mode);
        drop(password);
        let mut request = self
            .shared
            .passwords
            .request(Method::GET, OPERATION, "/range/{prefix}")
            .path("prefix", hash.prefix())
            .header("add-padding", "true");
        if mode == PasswordHash::Ntlm {
            request = request.query("mode", "ntlm");
        }
        let answer = request.send(&self.cx).await?;
        hash.count(answer.body())
            .map_err(|error| error.with_operation(OPERATION))
    }
}

/// Digits of a hash that a range search sends.
pub(crate) const PREFIX: usize = 6;

/// How requests are made.
impl Hibp {
    fn open(
        &self,
        method: Method,
        operation: &'static str,
        path: &'static str,
    ) -> RequestBuilder {
        self.shared.api.request(method, operation, path)
    }

    async fn keyed(
        &self,
        method: Method,
        operation: &'static str,
        path: &'static str,
    ) -> Result<RequestBuilder> {
        let key = match &self.shared.key {
            Some(ApiKey::Text(text)) => text.clone(),
            Some(ApiKey::Reference(reference)) => {
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
    async fn search(
        &self,
        operation: &'static str,
        path: &'static str,
        weight: u32,
    ) -> Result<RequestBuilder> {
        if let Some(rate) = self.shared.rate_cap
            && !self.shared.status.initialized()
        {
            self.declare_rate(rate);
        } else {
            self.plan().await?;
        }
        Ok(self
            .keyed(Method::GET, operation, path)
            .await?
            .budget(self.shared.budget.search.clone())
            .weight(weight))
    }

    async fn stealer_domain(
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

    async fn verification(
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

    async fn needs_stealer_logs(&self, operation: &'static str) -> Result<()> {
        self.needs(operation, "IncludesStealerLogs", |plan| {
            plan.includes_stealer_logs
        })
        .await
    }

    /// Fails before the vendor would, with the feature's name.
    async fn needs(
        &self,
        operation: &'static str,
        feature: &'static str,
        has: impl Fn(&SubscriptionStatus) -> bool,
    ) -> Result<()> {
        if has(self.plan().await?) {
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

    /// The plan, asked once per client.
    pub(crate) async fn plan(&self) -> Result<&SubscriptionStatus> {
        self.shared
            .status
            .get_or_try_init(|| self.subscription_status())
            .await
    }

    /// Whether the vendor closed the key so often lately that somebody else must be using it.
    pub(crate) fn is_shared_with_others(&self) -> bool {
        let context = &self.shared.context;
        let now = context.clock.monotonic();
        let status = context.limits.status(&self.shared.budget.search, now);
        status.recent_pauses >= 3
    }

    fn declare(&self, status: &SubscriptionStatus) {
        self.declare_rate(effective_rate(status, self.shared.rate_cap));
    }

    fn declare_rate(&self, rate: u32) {
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

impl fmt::Debug for Hibp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hibp")
            .field("budget", &self.shared.budget.search)
            .finish_non_exhaustive()
    }
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T> {
    answer.json()
}

/// 404 is an answer: there is none.
fn found<T>(sent: Result<Answer>, read: impl FnOnce(&Answer) -> Result<T>) -> Result<Option<T>> {
    match sent {
        Ok(answer) => read(&answer).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn or_empty<T: Default>(
    sent: Result<Answer>,
    read: impl FnOnce(&Answer) -> Result<T>,
) -> Result<T> {
    found(sent, read).map(Option::unwrap_or_default)
}

fn each_alias(
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

fn named(names: Vec<String>) -> Vec<BreachRef> {
    names
        .into_iter()
        .map(|name| BreachRef {
            name: crate::models::BreachName(name),
        })
        .collect()
}
