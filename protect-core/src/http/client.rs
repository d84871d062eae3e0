use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ::http::Method;
use url::{Host, Url};

use super::errors::{ErrorAnswer, ErrorTable};
use super::limit::BudgetKey;
use super::policy::UrlPolicy;
use super::request::RequestBuilder;
use super::transport::MaxBody;
use crate::auth::TokenSource;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};

/// A vendor's HTTP interface at one base URL. Cheap to clone.
///
/// Each request passes, from outside in: deadline, retry, rate limit, auth, attempt timeout, log,
/// transport. Redirects are never followed.
#[derive(Clone)]
pub struct HttpClient(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) context: Context,
    pub(super) base: String,
    pub(super) host: String,
    pub(super) auth: Option<Arc<dyn TokenSource>>,
    pub(super) errors: ErrorTable,
    pub(super) attempt_timeout: Duration,
    pub(super) max_attempts: u32,
    pub(super) max_body: MaxBody,
    pub(super) budget: Option<BudgetKey>,
    pub(super) policy: Option<UrlPolicy>,
}

/// Makes an [`HttpClient`].
pub struct HttpClientBuilder(Inner);

impl HttpClient {
    /// A client for everything below `base_url`: a bare root without trailing slash, query or user
    /// information; `https`, or `http` to a loopback host.
    ///
    /// # Errors
    /// `config_invalid` where the base URL is none of that.
    pub fn builder(context: &Context, base_url: &str) -> Result<HttpClientBuilder> {
        let url = parse_base(base_url)?;
        Ok(HttpClientBuilder(Inner {
            context: context.clone(),
            base: url.as_str().trim_end_matches('/').to_owned(),
            host: url.host_str().unwrap_or_default().to_owned(),
            auth: None,
            errors: ErrorAnswer::default_error,
            attempt_timeout: Duration::from_secs(30),
            max_attempts: 4,
            max_body: MaxBody::default(),
            budget: None,
            policy: None,
        }))
    }

    /// Begins a request. `operation` is its name in errors (`onepassword.suspend_user`);
    /// `template` is the path below the base URL, with `{name}` for each segment to be filled in; it
    /// stands in logs.
    pub fn request(
        &self,
        method: Method,
        operation: &'static str,
        template: impl Into<Cow<'static, str>>,
    ) -> RequestBuilder {
        RequestBuilder::new(self.clone(), method, operation, template.into())
    }

    /// Begins a GET of an address that the vendor itself gave, such as the link to a next page, just
    /// as it stands. `template` stands for it in logs.
    ///
    /// # Errors
    /// `invalid_response` where it leads anywhere but below the base URL: credentials would go along.
    pub fn follow(
        &self,
        operation: &'static str,
        template: &'static str,
        link: &str,
    ) -> Result<RequestBuilder> {
        self.at(Method::GET, operation, template, link)
    }

    /// Begins a request to an address that was given whole, such as an incoming webhook's, just as it
    /// stands. `template` stands for it in logs.
    ///
    /// # Errors
    /// `invalid_response` where it leads anywhere but below the base URL: credentials would go along.
    pub fn at(
        &self,
        method: Method,
        operation: &'static str,
        template: &'static str,
        link: &str,
    ) -> Result<RequestBuilder> {
        if !is_below(link, &self.0.base) {
            return Err(Error::new(
                ErrorKind::InvalidResponse,
                "the vendor's link leads to another place; it was not followed",
            )
            .with_operation(operation));
        }
        Ok(self.request(method, operation, template).link(link))
    }

    /// The host, which may stand in errors and logs.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// What the client was made with.
    pub fn context(&self) -> &Context {
        &self.0.context
    }
}

impl HttpClientBuilder {
    /// Where each request's authorisation comes from.
    #[must_use]
    pub fn auth(mut self, source: Arc<dyn TokenSource>) -> Self {
        self.0.auth = Some(source);
        self
    }

    /// The connector's error table; without one, [`ErrorAnswer::default_error`] serves.
    #[must_use]
    pub fn errors(mut self, table: ErrorTable) -> Self {
        self.0.errors = table;
        self
    }

    /// How long one attempt may take; 30 seconds by default. The operation's deadline cuts it
    /// shorter.
    #[must_use]
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.0.attempt_timeout = limit;
        self
    }

    /// How often a request is sent at most, 4 by default; 0 counts as 1.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.0.max_attempts = attempts.max(1);
        self
    }

    /// The most bytes of decoded body, 16 MiB by default.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.0.max_body = MaxBody(bytes);
        self
    }

    /// The budget of requests that name none.
    #[must_use]
    pub fn budget(mut self, key: BudgetKey) -> Self {
        self.0.budget = Some(key);
        self
    }

    /// The base URL came from a user: the transport keeps it out of our own network.
    #[must_use]
    pub fn url_policy(mut self, policy: UrlPolicy) -> Self {
        self.0.policy = Some(policy);
        self
    }

    /// The client.
    pub fn build(self) -> HttpClient {
        HttpClient(Arc::new(self.0))
    }
}

/// Whether the host is this machine: `localhost` (RFC 6761 section 6.3) or a loopback address.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// Whether a link leads to the origin of the base URL, and below its path.
fn is_below(link: &str, base: &str) -> bool {
    let (Ok(link), Ok(base)) = (Url::parse(link), Url::parse(base)) else {
        return false;
    };
    let below = link.path().strip_prefix(base.path().trim_end_matches('/'));
    link.origin() == base.origin()
        && link.username().is_empty()
        && link.password().is_none()
        && below.is_some_and(|rest| rest.starts_with('/'))
}

fn parse_base(base_url: &str) -> Result<Url> {
    let refuse = |message: &str| Err(Error::config("base_url", message));
    let Ok(url) = Url::parse(base_url) else {
        return refuse("not a URL; write `https://host` or `https://host/path`");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("user information in a URL ends in logs; use a secret reference");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("a base URL has no query and no fragment");
    }
    if base_url.ends_with('/') {
        return refuse("leave out the trailing slash");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => refuse("`http` is allowed to a loopback host only; use `https`"),
        _ => refuse("the scheme must be `https`"),
    }
}

impl fmt::Debug for HttpClient {
    /// Without anything that could carry a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("host", &self.0.host)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for HttpClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClientBuilder")
            .field("host", &self.0.host)
            .finish_non_exhaustive()
    }
}
