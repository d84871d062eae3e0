//! Microsoft Graph v1.0 with one credential: how it is called. What it is asked stands in
//! `questions.rs` and `client.rs`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use protect_core::auth::{ClientCredentials, TokenSource};
use protect_core::connector::OpContext;
use protect_core::context::Context;
use protect_core::http::{BudgetKey, HttpClient, Limit, RequestBuilder, is_loopback};
use protect_core::listing::repeated_page;
use protect_core::{Error, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::auth::{self, AppCredential};
use crate::config::{Place, is_guid};
use crate::error::graph_error;

/// Graph v1.0 with one credential. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    pub(crate) http: HttpClient,
    tokens: Arc<ClientCredentials>,
    budgets: Arc<Budgets>,
    client_id: Arc<str>,
    priority: Priority,
    is_local: bool,
}

/// How Graph ranks a request where it has to choose
/// (<https://learn.microsoft.com/graph/throttling>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Priority {
    /// A scan can wait.
    Low,
    /// Somebody waits for it.
    Normal,
}

/// Which of Graph's services answers a path; each counts for itself
/// (<https://learn.microsoft.com/graph/throttling-limits>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Users, groups, roles, applications and the rest: resource units by application and tenant.
    Directory,
    /// Sign-ins, audit records and registration details: five requests in ten seconds.
    Reports,
    /// Conditional Access and Identity Protection: one request a second for the whole tenant, all
    /// applications together, and no `Retry-After` where there were more.
    Protection,
}

impl Service {
    /// The service of a path.
    pub(crate) fn of(path: &str) -> Self {
        let begins = |starts: &[&str]| starts.iter().any(|start| path.starts_with(start));
        if begins(&["/identityProtection/", "/identity/conditionalAccess/"]) {
            Self::Protection
        } else if begins(&["/reports/", "/auditLogs/"]) {
            Self::Reports
        } else {
            Self::Directory
        }
    }
}

/// What counts against what.
#[derive(Debug)]
struct Budgets {
    directory: BudgetKey,
    reports: BudgetKey,
    protection: BudgetKey,
}

impl Budgets {
    /// Declares Graph's limits. Of the three sizes of tenant the smallest limit is taken: nobody
    /// says beforehand which one a tenant is.
    fn declare(context: &Context, place: &Place, client_id: &str) -> Self {
        let budgets = Self::named(place, client_id, "");
        let ten_seconds = Duration::from_secs(10);
        let declare = |key, limit| context.limits.declare(key, &limit);
        declare(&budgets.directory, Limit::per(3_500, ten_seconds));
        declare(&budgets.reports, Limit::per(5, ten_seconds));
        declare(&budgets.protection, Limit::per(1, Duration::from_secs(1)));
        budgets
    }

    /// Keys without a limit: a vendor that says that it is too much is heard all the same.
    fn unlimited(place: &Place, client_id: &str) -> Self {
        Self::named(place, client_id, ".unlimited")
    }

    fn named(place: &Place, client_id: &str, suffix: &str) -> Self {
        let tenant = place.tenant.as_str();
        Self {
            directory: BudgetKey(format!("graph.directory{suffix}/{client_id}/{tenant}")),
            reports: BudgetKey(format!("graph.reports{suffix}/{client_id}/{tenant}")),
            protection: BudgetKey(format!("graph.protection{suffix}/{tenant}")),
        }
    }

    fn of(&self, service: Service) -> &BudgetKey {
        match service {
            Service::Directory => &self.directory,
            Service::Reports => &self.reports,
            Service::Protection => &self.protection,
        }
    }
}

/// The version of Graph that is spoken: no other.
pub(crate) const VERSION: &str = "/v1.0";

/// The largest body: 999 users with every field that is asked for stay far below.
const MAX_BODY: usize = 32 * 1024 * 1024;

impl Graph {
    /// No I/O.
    ///
    /// # Errors
    /// `config_invalid` for a root that is none.
    pub(crate) fn new(
        context: &Context,
        place: &Place,
        credential: AppCredential,
        is_limited: bool,
    ) -> Result<Self> {
        let client_id: Arc<str> = credential.client_id.as_str().into();
        let tokens = auth::tokens(context, place, credential, &place.graph)?;
        let budgets = if is_limited {
            Budgets::declare(context, place, &client_id)
        } else {
            Budgets::unlimited(place, &client_id)
        };
        let http = HttpClient::builder(context, &format!("{}{VERSION}", place.graph))?
            .auth(Arc::clone(&tokens) as Arc<dyn TokenSource>)
            .errors(graph_error)
            .max_body(MAX_BODY)
            .build();
        Ok(Self {
            http,
            tokens,
            budgets: Arc::new(budgets),
            client_id,
            priority: Priority::Normal,
            is_local: Url::parse(&place.graph).is_ok_and(|url| is_loopback(&url)),
        })
    }

    /// The same for scans, which wait their turn.
    pub(crate) fn patient(&self) -> Self {
        Self {
            priority: Priority::Low,
            ..self.clone()
        }
    }

    /// Whether Graph is this machine, as in tests.
    pub(crate) fn is_local(&self) -> bool {
        self.is_local
    }

    /// The application's id.
    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The application permissions that were granted, as the token says; `None` where it cannot be
    /// read.
    pub(crate) async fn granted(&self, cx: &OpContext) -> Result<Option<BTreeSet<String>>> {
        Ok(auth::roles(&self.tokens.token(cx).await?))
    }

    /// Begins a request. `path` is what the service is told by.
    pub(crate) fn request(
        &self,
        method: Method,
        operation: &'static str,
        template: &'static str,
        weight: u32,
    ) -> RequestBuilder {
        let request = self.http.request(method, operation, template);
        self.with_headers(request, Service::of(template), weight)
    }

    /// Follows the link to a next page, just as Graph gave it. What the first page was asked with
    /// is not remembered there, so the headers go along again.
    pub(crate) fn follow(
        &self,
        operation: &'static str,
        template: &'static str,
        link: &str,
        weight: u32,
    ) -> Result<RequestBuilder> {
        let request = self.http.follow(operation, template, link)?;
        Ok(self.with_headers(request, Service::of(template), weight))
    }

    fn with_headers(
        &self,
        request: RequestBuilder,
        service: Service,
        weight: u32,
    ) -> RequestBuilder {
        let priority = match self.priority {
            Priority::Low => "Low",
            Priority::Normal => "Normal",
        };
        request
            .budget(self.budgets.of(service).clone())
            .weight(if service == Service::Directory {
                weight
            } else {
                1
            })
            .header("client-request-id", &self.http.context().fresh_guid())
            .header("x-ms-throttle-priority", priority)
            // Enumerations grow; what is newer than the first members is told only so.
            .header("prefer", "include-unknown-enum-members")
    }

    /// One page of a collection: the first, which `first` makes, or the one that a link leads to.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        cx: &OpContext,
        operation: &'static str,
        template: &'static str,
        link: Option<&str>,
        first: impl FnOnce(RequestBuilder) -> RequestBuilder + Send,
    ) -> Result<PageOf<T>> {
        let request = match link {
            Some(link) => self.follow(operation, template, link, 1)?,
            None => first(self.request(Method::GET, operation, template, 1)),
        };
        let page: PageOf<T> = request.send(cx).await?.json()?;
        if page.next.is_some() && page.next.as_deref() == link {
            return Err(repeated_page(operation));
        }
        Ok(page)
    }

    /// Every item of a collection that is small by its nature.
    pub(crate) async fn all<T: DeserializeOwned + Send>(
        &self,
        cx: &OpContext,
        operation: &'static str,
        template: &'static str,
        first: impl FnOnce(RequestBuilder) -> RequestBuilder + Send,
    ) -> Result<Vec<T>> {
        let mut page: PageOf<T> = self.page(cx, operation, template, None, first).await?;
        let mut all = std::mem::take(&mut page.value);
        for _ in 0..MANY_PAGES {
            let Some(link) = page.next.take() else {
                return Ok(all);
            };
            let follow = |request| request;
            page = self
                .page(cx, operation, template, Some(&link), follow)
                .await?;
            all.append(&mut page.value);
        }
        Err(repeated_page(operation))
    }

    /// A request about one object, by its id. Nothing but a GUID becomes part of a path.
    pub(crate) fn about(
        &self,
        method: Method,
        operation: &'static str,
        template: &'static str,
        id: &str,
    ) -> Result<RequestBuilder> {
        if !is_guid(id) {
            return Err(Error::invalid_input(
                "an id of Microsoft 365 is a GUID; to find a user by address, list the users",
            )
            .with_operation(operation));
        }
        Ok(self.request(method, operation, template, 2).path("id", id))
    }
}

/// More pages than a small collection has.
const MANY_PAGES: usize = 1_000;

/// A page of a collection.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(crate) struct PageOf<T> {
    pub(crate) value: Vec<T>,
    #[serde(default, rename = "@odata.nextLink")]
    pub(crate) next: Option<String>,
}
