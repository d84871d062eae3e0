//! The vendor's endpoints, one method each.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use protect_core::connector::OpContext;
use protect_core::http::{Answer, Method};
use protect_core::model::Address;
use protect_core::{Error, Result};
use serde_json::json;

use crate::builder::HibpBuilder;
use crate::models::{
    Addresses, Breach, BreachRef, DataClasses, DnsToken, DomainExposure, Paste, SubscribedDomain,
    SubscriptionStatus, Websites,
};
use crate::passwords::{Password, PasswordHash, SplitHash, address_hash};
use crate::requests::{Shared, each_alias, effective_rate, found, named, or_empty, read};
use crate::wire;

/// Acts at once, without plan, guards, store or ledger: the vendor's own client, with typed errors,
/// retries and the plan's rate limit.
///
/// Only 200 and 404 are answers about an address: everything else is an error, so "not found" can
/// never be confused with "could not ask". Cheap to clone; clones share the key's budget.
#[derive(Clone)]
pub struct Hibp {
    pub(crate) shared: Arc<Shared>,
    pub(crate) cx: OpContext,
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
        let Some((prefix, _)) = hashes
            .first()
            .and_then(|hash| hash.split_at_checked(PREFIX))
        else {
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
        self.declare_rate(effective_rate(&status, self.shared.rate_cap));
        let mut known = self.known_plan();
        *known = Some(Arc::new(status.clone()));
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

impl fmt::Debug for Hibp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hibp")
            .field("budget", &self.shared.budget.search)
            .finish_non_exhaustive()
    }
}
