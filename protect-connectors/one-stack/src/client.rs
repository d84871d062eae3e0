//! What every product's client shares: authorisation, the limit of the organisation, errors, lists.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use protect_core::auth::{Bearer, StaticHeader, TokenSource};
use protect_core::connector::{CredentialDiagnosis, Diagnosis, OpContext};
use protect_core::http::{
    Answer, BudgetKey, HttpClient, Limit, RequestBuilder, UrlPolicy, is_loopback,
};
use protect_core::secret::SecretRef;
use protect_core::{Context, Error, ErrorKind, Result};
use serde_json::{Map, Value};
use url::Url;

use crate::config::Product;
use crate::conventions::{Conventions, Header, Path};
use crate::error;
use crate::item::Item;
use crate::key::KeyInQuery;

/// "100 requests per minute per tenant, shared by all its keys and sessions"
/// (<https://docs.theonestack.com/docs/api-reference/rate-limits>).
const REQUESTS_PER_MINUTE: u32 = 100;

/// The size of a page, and how many are read at most: a search that has not ended by then cannot say
/// that nothing is there.
const PAGE: usize = 100;
const MOST_PAGES: usize = 20;

/// Longer than this no window can last.
const LONGEST_WINDOW: Duration = Duration::from_mins(2);

/// What the platform knows a caller by. The documentation has two forms and does not say which product
/// takes which, so the configuration decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// `Authorization: Bearer tos_...`, made in Hub, Settings, API Keys.
    ApiKey(SecretRef),
    /// `X-Integration-Key`, made in the product, Settings, Integrations.
    IntegrationKey(SecretRef),
}

impl Credential {
    /// Where the secret is found.
    pub(crate) fn secret(&self) -> &SecretRef {
        let (Self::ApiKey(secret) | Self::IntegrationKey(secret)) = self;
        secret
    }
}

/// Whose product is spoken to, with which key, and where.
#[derive(Clone, Debug)]
pub struct Access {
    organisation: String,
    credential: Credential,
    base: Option<String>,
    conventions: Conventions,
    private_network: bool,
}

impl Access {
    /// The usual API of the product, with our conventions. `organisation_id` is the Hub organisation
    /// id: requests of one organisation share one limit, whatever the product.
    pub fn new(organisation_id: impl Into<String>, credential: Credential) -> Self {
        Self {
            organisation: organisation_id.into(),
            credential,
            base: None,
            conventions: Conventions::default(),
            private_network: false,
        }
    }

    /// Another root of the product's API: bare, without trailing slash.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base = Some(url.into());
        self
    }

    /// Other paths, names and words.
    #[must_use]
    pub fn conventions(mut self, conventions: Conventions) -> Self {
        self.conventions = conventions;
        self
    }

    /// The API may be inside our own network.
    #[must_use]
    pub fn private_network(mut self, private: bool) -> Self {
        self.private_network = private;
        self
    }
}

/// One product, for one organisation.
#[derive(Clone)]
pub(crate) struct Platform {
    http: HttpClient,
    budget: BudgetKey,
    conventions: Arc<Conventions>,
    organisation: Arc<str>,
    secret: SecretRef,
}

impl Platform {
    /// # Errors
    /// `config_invalid` for a base URL that is none, or a header's name.
    pub(crate) fn new(
        access: Access,
        product: &Product,
        key_in_query: bool,
        context: &Context,
    ) -> Result<Self> {
        if access.organisation.trim().is_empty() {
            return Err(Error::config("organisation_id", "is empty"));
        }
        let base = access.base.as_deref().unwrap_or(product.api);
        let budget = BudgetKey(format!("one_stack:{}", access.organisation));
        let limit = Limit::per_minute(REQUESTS_PER_MINUTE);
        context.limits.declare(&budget, &limit);
        let http = HttpClient::builder(context, base)?
            .auth(token_source(&access, key_in_query, context)?)
            .errors(error::table)
            .url_policy(policy(base, access.private_network))
            .budget(budget.clone())
            .build();
        Ok(Self {
            http,
            budget,
            secret: access.credential.secret().clone(),
            conventions: Arc::new(access.conventions),
            organisation: access.organisation.into(),
        })
    }

    /// The Hub organisation id, which every product calls the tenant id.
    pub(crate) fn organisation(&self) -> &str {
        &self.organisation
    }

    pub(crate) fn conventions(&self) -> &Conventions {
        &self.conventions
    }

    pub(crate) fn context(&self) -> &Context {
        self.http.context()
    }

    /// Begins a request.
    pub(crate) fn request(
        &self,
        method: Method,
        operation: &'static str,
        path: Path,
    ) -> RequestBuilder {
        self.http
            .request(method, operation, self.conventions.path(path))
    }

    /// Sends a body of our names and words, and hands back the answer.
    ///
    /// # Errors
    /// As for every call.
    pub(crate) async fn post(
        &self,
        cx: &OpContext,
        request: RequestBuilder,
        body: Map<String, Value>,
        key: Option<&str>,
    ) -> Result<Answer> {
        let mut request = request.json(&self.conventions.write(body))?;
        if let Some(key) = key {
            request = request.header(self.conventions.header(Header::IdempotencyKey), key);
        }
        self.send(cx, request).await
    }

    /// Sends a body as it is, of another type than JSON alone.
    ///
    /// # Errors
    /// As for every call.
    pub(crate) async fn post_as(
        &self,
        cx: &OpContext,
        request: RequestBuilder,
        (content_type, body): (&'static str, String),
        key: &str,
    ) -> Result<Answer> {
        let name = self.conventions.header(Header::IdempotencyKey);
        let request = request.bytes(content_type, body.into()).header(name, key);
        self.send(cx, request).await
    }

    /// One thing, in our names and words.
    ///
    /// # Errors
    /// As for every call; `invalid_response` for what has no id.
    pub(crate) async fn one(&self, cx: &OpContext, request: RequestBuilder) -> Result<Item> {
        let answer = self.send(cx, request).await?;
        self.item(answer.json()?)
    }

    /// The thing in an answer: by itself, or below `data`.
    pub(crate) fn item(&self, mut body: Map<String, Value>) -> Result<Item> {
        if !body.contains_key(self.conventions.member("id"))
            && let Some(Value::Object(data)) = body.remove("data")
        {
            body = data;
        }
        Item::of(self.conventions.read(body))
    }

    /// What a list holds under one of our references. The filter of the query is a convention, so each
    /// item is compared again.
    ///
    /// # Errors
    /// As for every call; `invalid_response` where items say nothing of a reference, or the list does
    /// not end: then nobody can say that nothing is there.
    pub(crate) async fn under(
        &self,
        cx: &OpContext,
        operation: &'static str,
        path: Path,
        plural: &str,
        (source, reference): (&str, &str),
    ) -> Result<Vec<Item>> {
        let filters = [("source", source), ("source_ref", reference)];
        let mut found = self.all(cx, operation, path, plural, &filters).await?;
        if found.iter().any(|item| !item.has("source_ref")) {
            return Err(without_reference(operation));
        }
        found.retain(|item| item.text("source_ref") == Some(reference));
        Ok(found)
    }

    /// A whole list, page by page, as the filters of the query leave it; whether the product heeds them
    /// is not known.
    ///
    /// # Errors
    /// As for every call; `invalid_response` where the list does not end, or something has no id.
    pub(crate) async fn all(
        &self,
        cx: &OpContext,
        operation: &'static str,
        path: Path,
        plural: &str,
        filters: &[(&str, &str)],
    ) -> Result<Vec<Item>> {
        let rows = self.rows(cx, operation, path, plural, filters).await?;
        rows.into_iter().map(Item::of).collect()
    }

    /// The same of things that need no id.
    ///
    /// # Errors
    /// As for every call; `invalid_response` where the list does not end.
    pub(crate) async fn rows(
        &self,
        cx: &OpContext,
        operation: &'static str,
        path: Path,
        plural: &str,
        filters: &[(&str, &str)],
    ) -> Result<Vec<Map<String, Value>>> {
        let mut found = Vec::new();
        for page in 1..=MOST_PAGES {
            let mut request = self.request(Method::GET, operation, path);
            for (name, value) in filters {
                request = request.query(self.conventions.member(name), *value);
            }
            let request = request
                .query("page", page.to_string())
                .query("limit", PAGE.to_string());
            let list = self.list(cx, request, plural).await?;
            let is_short = list.items.len() < PAGE;
            found.extend(list.items);
            if is_short || list.total.is_some_and(|total| found.len() >= total) {
                return Ok(found);
            }
        }
        Err(Error::new(
            ErrorKind::InvalidResponse,
            "the list does not end, so it cannot be said whether one is there; check what `source_ref` and the other filters are called in `conventions.members`",
        )
        .with_operation(operation))
    }

    /// What one request lists, which is not asked for page by page.
    ///
    /// # Errors
    /// As for every call; `invalid_response` for what is no list, or has no id.
    pub(crate) async fn listed(
        &self,
        cx: &OpContext,
        request: RequestBuilder,
        plural: &str,
    ) -> Result<Vec<Item>> {
        let list = self.list(cx, request, plural).await?;
        list.items.into_iter().map(Item::of).collect()
    }

    async fn list(&self, cx: &OpContext, request: RequestBuilder, plural: &str) -> Result<List> {
        let answer = self.send(cx, request).await?;
        let body: Value = answer.json()?;
        let (items, total) = match body {
            Value::Array(items) => (items, None),
            Value::Object(mut body) => {
                let total = body.get("total").and_then(Value::as_u64);
                let items = body.remove(plural).or_else(|| body.remove("data"));
                (items_of(items)?, total)
            }
            _ => (items_of(None)?, None),
        };
        let items = items.into_iter().map(|item| match item {
            Value::Object(item) => Ok(self.conventions.read(item)),
            _ => Err(no_list()),
        });
        Ok(List {
            items: items.collect::<Result<_>>()?,
            total: total.and_then(|total| usize::try_from(total).ok()),
        })
    }

    /// Sends, and heeds what the answer says of the limit.
    pub(crate) async fn send(&self, cx: &OpContext, request: RequestBuilder) -> Result<Answer> {
        let answer = request.send(cx).await?;
        self.heed(&answer);
        Ok(answer)
    }

    /// Nothing is left of the window, so somebody else uses the organisation's share as well: nothing
    /// more is sent until it ends.
    fn heed(&self, answer: &Answer) {
        let number = |header| {
            let value = answer.headers().get(self.conventions.header(header))?;
            value.to_str().ok()?.trim().parse::<i64>().ok()
        };
        if number(Header::Remaining) != Some(0) {
            return;
        }
        let Some(reset) = number(Header::Reset).and_then(|at| Timestamp::from_second(at).ok())
        else {
            return;
        };
        let context = self.context();
        let now = answer.date().unwrap_or_else(|| context.clock.now());
        let wait = Duration::try_from(reset.duration_since(now)).unwrap_or_default();
        let until = context.clock.monotonic() + wait.min(LONGEST_WINDOW);
        context.limits.pause(&self.budget, until);
    }

    /// What `doctor` says, from a call that reads.
    pub(crate) async fn diagnose(&self, cx: &OpContext, path: Path) -> Diagnosis {
        let asked = self.request(Method::GET, "one_stack.doctor", path);
        self.diagnose_by(cx, asked).await
    }

    /// The same where the call names the organisation.
    pub(crate) async fn diagnose_own(&self, cx: &OpContext, path: Path) -> Diagnosis {
        let asked = self
            .request(Method::GET, "one_stack.doctor", path)
            .query(self.conventions.member("tenantId"), &*self.organisation);
        self.diagnose_by(cx, asked).await
    }

    async fn diagnose_by(&self, cx: &OpContext, asked: RequestBuilder) -> Diagnosis {
        let asked = asked.query("limit", "1");
        let answer = self.send(cx, asked).await;
        let skew = answer
            .as_ref()
            .ok()
            .and_then(Answer::date)
            .map(|date| date.duration_since(self.context().clock.now()).as_secs());
        let mut missing = Vec::new();
        let (accepted, note) = match &answer {
            Ok(_) => (Some(true), None),
            Err(error) if error.kind() == ErrorKind::Unauthenticated => {
                (Some(false), Some(error.message().to_owned()))
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                let named = error.context().iter().find(|(key, _)| *key == "permission");
                missing.extend(named.map(|(_, permission)| permission.clone()));
                (Some(true), Some(error.message().to_owned()))
            }
            Err(error) => (None, Some(self.named(error))),
        };
        let reached = |error: &Error| error.http_status().is_some();
        diagnosis(
            answer.as_ref().map_or_else(reached, |_| true),
            accepted,
            missing,
            note,
            skew,
        )
    }

    /// An error about the secret names where it was looked for.
    fn named(&self, error: &Error) -> String {
        match error.kind() {
            ErrorKind::ConfigInvalid => format!("{}: {}", self.secret, error.message()),
            _ => error.message().to_owned(),
        }
    }

    /// The same for a product without a call that reads: whether it answers, and whether the secret is
    /// there. Nothing is sent with the key.
    pub(crate) async fn diagnose_blindly(&self, cx: &OpContext) -> Diagnosis {
        let context = self.context();
        if let Err(error) = context.secrets.resolve(&self.secret).await {
            let note = Some(self.named(&error));
            return diagnosis(false, Some(false), Vec::new(), note, None);
        }
        let asked = self
            .request(Method::GET, "one_stack.doctor", Path::Probe)
            .unauthenticated();
        let answer = self.send(cx, asked).await;
        let reachable = answer.is_ok() || answer.is_err_and(|e| e.http_status().is_some());
        let note =
            "cannot tell: this product has no call that reads, and nothing is changed to find out";
        diagnosis(reachable, None, Vec::new(), Some(note.to_owned()), None)
    }
}

/// What every client has: itself, for one piece of work. It holds a `platform` and a `cx`.
macro_rules! per_call {
    ($client:ident) => {
        impl $client {
            /// The same client for one piece of work: its tenant, actor, correlation and deadline.
            #[must_use]
            pub fn within(&self, cx: &protect_core::connector::OpContext) -> Self {
                Self {
                    cx: cx.clone(),
                    ..self.clone()
                }
            }

            /// The same client, each of whose calls from now on gives up when so much time has passed.
            #[must_use]
            pub fn with_timeout(&self, timeout: std::time::Duration) -> Self {
                let deadline = self.platform.context().clock.monotonic() + timeout;
                self.within(&self.cx.clone().with_deadline(deadline))
            }
        }
    };
}
pub(crate) use per_call;

struct List {
    items: Vec<Map<String, Value>>,
    total: Option<usize>,
}

fn token_source(
    access: &Access,
    key_in_query: bool,
    context: &Context,
) -> Result<Arc<dyn TokenSource>> {
    let secret = access.credential.secret().clone();
    if key_in_query {
        return Ok(Arc::new(KeyInQuery::new(context, secret)));
    }
    Ok(match &access.credential {
        Credential::ApiKey(_) => Arc::new(Bearer::new(context, secret)),
        Credential::IntegrationKey(_) => {
            let name = access.conventions.header(Header::IntegrationKey);
            let name = http::HeaderName::try_from(name)
                .map_err(|_| Error::config("conventions.headers", "not a header's name"))?;
            Arc::new(StaticHeader::new(context, name, secret))
        }
    })
}

/// The base URL is a user's: it must not lead into our own network unless somebody says so.
fn policy(base: &str, private_network: bool) -> UrlPolicy {
    let url = Url::parse(base).ok();
    let host = url.as_ref().and_then(Url::host_str).map(str::to_owned);
    UrlPolicy {
        allowed_hosts: host.filter(|_| private_network).into_iter().collect(),
        allow_loopback: url.as_ref().is_some_and(is_loopback),
    }
}

fn items_of(items: Option<Value>) -> Result<Vec<Value>> {
    match items {
        Some(Value::Array(items)) => Ok(items),
        _ => Err(no_list()),
    }
}

fn no_list() -> Error {
    Error::new(
        ErrorKind::InvalidResponse,
        "the answer is no list: neither an array, nor an object with one",
    )
}

fn without_reference(operation: &'static str) -> Error {
    Error::new(
        ErrorKind::InvalidResponse,
        "an item of the list has no `source_ref`, so ours cannot be found again; say what it is called in `conventions.members`",
    )
    .with_operation(operation)
}

fn diagnosis(
    reachable: bool,
    accepted: Option<bool>,
    missing: Vec<String>,
    note: Option<String>,
    clock_skew_seconds: Option<i64>,
) -> Diagnosis {
    Diagnosis {
        reachable,
        credentials: vec![CredentialDiagnosis {
            name: "respond".to_owned(),
            accepted,
            missing,
            excess: Vec::new(),
            note,
        }],
        clock_skew_seconds,
        notes: Vec::new(),
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform")
            .field("http", &self.http)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}
