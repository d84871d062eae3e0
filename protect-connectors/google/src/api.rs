//! Google's interfaces with one service account: how they are called. What they are asked stands in
//! `questions.rs` and `endpoints.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use protect_core::auth::TokenSource;
use protect_core::connector::OpContext;
use protect_core::context::Context;
use protect_core::http::{BudgetKey, HttpClient, Limit, RequestBuilder};
use protect_core::listing::repeated_page;
use protect_core::{Error, ErrorKind, Result};
use serde_json::{Map, Value};

use crate::auth::{Signing, Tokens};
use crate::config::Place;
use crate::error::google_error;
use crate::scope::{Api, Scope};

/// Google's interfaces with one service account, acting as one administrator. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Workspace {
    doors: Arc<BTreeMap<Scope, Door>>,
    budgets: Arc<BTreeMap<Budget, BudgetKey>>,
    context: Context,
    customer: Arc<str>,
    subject: Arc<str>,
    /// Scopes for which there was no token, until when that is believed, and why.
    refused: Arc<Mutex<BTreeMap<Scope, (Duration, Error)>>>,
}

/// What a scope opens.
struct Door {
    http: HttpClient,
    tokens: Arc<Tokens>,
}

/// What counts against what
/// ([Directory](https://developers.google.com/workspace/admin/directory/v1/limits),
/// [Reports](https://developers.google.com/workspace/admin/reports/v1/limits)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Budget {
    /// 2,400 requests a minute.
    Directory,
    /// 2,150 requests a minute: what the filtered ones leave of 2,400.
    Reports,
    /// Requests to Reports that filter, by user, event or anything else: 250 a minute.
    Filtered,
    /// One a second: the numbers are not documented, and faster ones are refused.
    Policies,
    /// Not documented; as the Directory.
    Alerts,
}

impl Budget {
    const ALL: [Self; 5] = [
        Self::Directory,
        Self::Reports,
        Self::Filtered,
        Self::Policies,
        Self::Alerts,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Reports => "reports",
            Self::Filtered => "reports.filtered",
            Self::Policies => "policies",
            Self::Alerts => "alerts",
        }
    }

    fn limit(self) -> Limit {
        match self {
            Self::Directory | Self::Alerts => Limit::per_minute(2_400),
            Self::Reports => Limit::per_minute(2_150),
            Self::Filtered => Limit::per_minute(250),
            Self::Policies => Limit::per(1, Duration::from_secs(1)),
        }
    }

    const fn of(api: Api) -> Self {
        match api {
            Api::Directory => Self::Directory,
            Api::Reports => Self::Reports,
            Api::CloudIdentity => Self::Policies,
            Api::AlertCenter => Self::Alerts,
        }
    }
}

/// What is delegated, and why the rest is not.
#[derive(Debug, Default)]
pub(crate) struct Access {
    pub(crate) granted: BTreeSet<Scope>,
    pub(crate) refused: BTreeMap<Scope, Error>,
}

/// The largest body: 1,000 activities with all their parameters stay far below.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// Google advises five to seven attempts.
const ATTEMPTS: u32 = 6;

/// How long it is believed that a scope is not delegated. A new delegation takes minutes anyway.
const BELIEVED_FOR: Duration = Duration::from_mins(10);

impl Workspace {
    /// No I/O. `is_limited` says whether requests wait for Google's limits.
    ///
    /// # Errors
    /// `config_invalid` for a root that is none.
    pub(crate) fn new(
        context: &Context,
        place: &Place,
        signing: Signing,
        is_limited: bool,
    ) -> Result<Self> {
        let signer = signing.signer(context);
        let mut doors = BTreeMap::new();
        for scope in Scope::ALL {
            let tokens = Tokens::new(
                context,
                &place.token,
                Arc::clone(&signer),
                &place.subject,
                scope,
            )?;
            let tokens = Arc::new(tokens);
            let http = HttpClient::builder(context, place.root(scope.api()))?
                .auth(Arc::clone(&tokens) as Arc<dyn TokenSource>)
                .errors(google_error)
                .max_body(MAX_BODY)
                .max_attempts(ATTEMPTS)
                .build();
            doors.insert(scope, Door { http, tokens });
        }
        let budgets = Budget::ALL.map(|budget| {
            let suffix = if is_limited { "" } else { ".unlimited" };
            let key = BudgetKey(format!("google.{}{suffix}/{}", budget.name(), place.budget));
            if is_limited {
                context.limits.declare(&key, &budget.limit());
            }
            (budget, key)
        });
        Ok(Self {
            doors: Arc::new(doors),
            budgets: Arc::new(budgets.into_iter().collect()),
            context: context.clone(),
            customer: place.customer.as_str().into(),
            subject: place.subject.as_str().into(),
            refused: Arc::default(),
        })
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// The customer as it is asked about.
    pub(crate) fn customer(&self) -> &str {
        &self.customer
    }

    /// Whether an address is that of the administrator we act as.
    pub(crate) fn is_subject(&self, address: &str) -> bool {
        self.subject.eq_ignore_ascii_case(address.trim())
    }

    /// Which of some scopes are delegated.
    ///
    /// # Errors
    /// Where that cannot be found out: the key is no key, the clock is wrong, nobody answers.
    pub(crate) async fn access(&self, cx: &OpContext, scopes: &[Scope]) -> Result<Access> {
        let mut access = Access::default();
        for scope in scopes {
            match self.open(cx, &[*scope]).await {
                Ok(scope) => {
                    access.granted.insert(scope);
                }
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    access.refused.insert(*scope, error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(access)
    }

    /// The first of some scopes that is delegated.
    ///
    /// # Errors
    /// `permission_denied` where none is; otherwise as for [`Self::access`].
    pub(crate) async fn open(&self, cx: &OpContext, any: &[Scope]) -> Result<Scope> {
        let mut first = None;
        for scope in any {
            match self.open_one(cx, *scope).await {
                Ok(()) => return Ok(*scope),
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    first.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(first.unwrap_or_else(|| Error::unexpected("no scope was asked for")))
    }

    async fn open_one(&self, cx: &OpContext, scope: Scope) -> Result<()> {
        let now = self.context.clock.monotonic();
        let known = self.refused().get(&scope).cloned();
        if let Some((until, error)) = known
            && now < until
        {
            return Err(error);
        }
        let opened = self.door(scope)?.tokens.open(cx).await;
        let mut refused = self.refused();
        match &opened {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                refused.insert(scope, (now + BELIEVED_FOR, error.clone()));
            }
            _ => {
                refused.remove(&scope);
            }
        }
        opened
    }

    /// Begins a request with the token of a scope.
    ///
    /// # Errors
    /// `unexpected` for a scope without a door.
    pub(crate) fn request(
        &self,
        scope: Scope,
        method: Method,
        operation: &'static str,
        template: &'static str,
    ) -> Result<RequestBuilder> {
        let request = self.door(scope)?.http.request(method, operation, template);
        Ok(self.counted(request, Budget::of(scope.api())))
    }

    /// The request, to count against a budget.
    pub(crate) fn counted(&self, request: RequestBuilder, budget: Budget) -> RequestBuilder {
        match self.budgets.get(&budget) {
            Some(key) => request.budget(key.clone()),
            None => request,
        }
    }

    /// A request about one account, by its id. Nothing but a number becomes part of a path.
    ///
    /// # Errors
    /// `invalid_input` for what is no id.
    pub(crate) fn about(
        &self,
        scope: Scope,
        method: Method,
        operation: &'static str,
        template: &'static str,
        id: &str,
    ) -> Result<RequestBuilder> {
        if !is_user_id(id) {
            return Err(Error::invalid_input(
                "an account's id of Google Workspace is a number; to find one by address, list the users",
            )
            .with_operation(operation));
        }
        Ok(self
            .request(scope, method, operation, template)?
            .path("id", id))
    }

    /// One page of a collection: the first, or the one that `token` leads to. Google leaves an empty
    /// list out.
    ///
    /// # Errors
    /// `invalid_response` for what is no page, and for one that leads to itself.
    pub(crate) async fn page(
        &self,
        cx: &OpContext,
        request: RequestBuilder,
        operation: &'static str,
        list: &str,
        token: Option<&str>,
    ) -> Result<PageOf> {
        let request = match token {
            Some(token) => request.query("pageToken", token),
            None => request,
        };
        let answer = request.send(cx).await?;
        let date = answer.date();
        let mut body: Map<String, Value> = answer.json()?;
        let items = match body.remove(list) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(not_a_page(operation)),
        };
        if body.contains_key("error") {
            return Err(not_a_page(operation));
        }
        let next = body.remove("nextPageToken");
        let next = next.as_ref().and_then(Value::as_str);
        let next = next.filter(|next| !next.is_empty()).map(ToOwned::to_owned);
        if next.is_some() && next.as_deref() == token {
            return Err(repeated_page(operation));
        }
        Ok(PageOf { items, next, date })
    }

    fn door(&self, scope: Scope) -> Result<&Door> {
        let door = self.doors.get(&scope);
        door.ok_or_else(|| Error::unexpected("a scope without a token"))
    }

    fn refused(&self) -> MutexGuard<'_, BTreeMap<Scope, (Duration, Error)>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A page of a collection.
#[derive(Debug)]
pub(crate) struct PageOf {
    pub(crate) items: Vec<Value>,
    pub(crate) next: Option<String>,
    pub(crate) date: Option<Timestamp>,
}

/// Whether a text has the form of an account's id.
pub(crate) fn is_user_id(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn not_a_page(operation: &'static str) -> Error {
    Error::new(
        ErrorKind::InvalidResponse,
        "the answer is no page of a list",
    )
    .with_operation(operation)
}

impl fmt::Debug for Workspace {
    /// Without the administrator's address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workspace")
            .field("customer", &self.customer)
            .finish_non_exhaustive()
    }
}
