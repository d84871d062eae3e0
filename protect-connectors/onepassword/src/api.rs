//! The vendor's endpoints, one function each. What they are for is said in `client.rs`.

use std::sync::Arc;

use http::Method;
use jiff::Timestamp;
use protect_core::auth::{Bearer, ClientCredentials, CredentialEncoding, TokenSource};
use protect_core::connector::OpContext;
use protect_core::context::Context;
use protect_core::http::{Answer, BudgetKey, ErrorAnswer, HttpClient, Limit};
use protect_core::listing::repeated_page;
use protect_core::secret::{Credential, ExposeSecret, HeldSecrets};
use protect_core::{Error, Result};
use serde::de::DeserializeOwned;

use crate::config::{AccountId, ApiVersion, OAuthCredential, Paths, is_id};

use crate::model::{EventPage, Introspection, User, UserFilter, UserPage};
use crate::wire::{self, EventRequest};

/// Users on one page of a full list: the most that the vendor gives
/// (<https://www.1password.dev/users-api/list-users>, `max_page_size`).
const PAGE_SIZE: u32 = 1_000;

/// Events on one page: the most that the vendor gives
/// (<https://developer.1password.com/docs/events-api/reference>, `limit`).
const EVENT_LIMIT: u32 = 1_000;

/// At most so many requests a second to the Users API, for which the vendor names no limit.
const USERS_PER_SECOND: u32 = 5;

/// The Users API with one credential.
#[derive(Clone, Debug)]
pub(crate) struct UsersApi {
    http: HttpClient,
    /// Without authorisation: for what the client's own name opens.
    bare: HttpClient,
    tokens: Arc<ClientCredentials>,
    account: AccountId,
    paths: &'static Paths,
}

impl UsersApi {
    /// No I/O.
    ///
    /// # Errors
    /// `config_invalid` for a base URL that is no bare root or not encrypted.
    pub(crate) fn new(
        context: &Context,
        base: &str,
        account: AccountId,
        version: ApiVersion,
        credential: OAuthCredential,
        is_limited: bool,
    ) -> Result<Self> {
        let mut secrets = HeldSecrets::new(Arc::clone(&context.secrets));
        let secret = secrets.hold("client_secret", credential.client_secret);
        let context = Context {
            secrets: Arc::new(secrets),
            ..context.clone()
        };
        let paths = version.paths();
        let bare = HttpClient::builder(&context, base)?
            .errors(parse_error)
            .build();
        // The vendor takes `base64(id:secret)` as it is, so nothing is form-encoded first.
        let tokens = ClientCredentials::new(
            bare.clone(),
            TOKEN,
            paths.token,
            credential.client_id,
            secret,
        )
        .encoding(CredentialEncoding::Plain);
        let tokens = Arc::new(tokens);
        let budget = BudgetKey(format!("onepassword.users/{}", account.as_str()));
        if is_limited {
            let limit = Limit::per_second(USERS_PER_SECOND, USERS_PER_SECOND);
            context.limits.declare(&budget, &limit);
        }
        let http = HttpClient::builder(&context, base)?
            .auth(Arc::clone(&tokens) as Arc<dyn TokenSource>)
            .errors(parse_error)
            .budget(budget)
            .build();
        Ok(Self {
            http,
            bare,
            tokens,
            account,
            paths,
        })
    }

    /// `POST .../token` for nothing but to see whether the vendor accepts the client, and the time
    /// of the answer. Asks even where a token is held.
    pub(crate) async fn check_token(&self, cx: &OpContext) -> Result<Option<Timestamp>> {
        let form = [("grant_type", "client_credentials")];
        let answer = self.named(cx, TOKEN, self.paths.token, &form).await?;
        Ok(answer.date())
    }

    /// `POST .../revoke` with the token that is held. The vendor answers 200 without a body, also
    /// for a token it does not know
    /// (<https://developer.1password.com/docs/users-api/revoke-access-token>).
    pub(crate) async fn revoke_token(&self, cx: &OpContext) -> Result<()> {
        if let Some(token) = self.tokens.held_token() {
            let form = [("token", token.expose_secret())];
            let operation = "onepassword.revoke_token";
            self.named(cx, operation, self.paths.revoke, &form).await?;
        }
        Ok(())
    }

    /// A form sent in the client's own name.
    async fn named(
        &self,
        cx: &OpContext,
        operation: &'static str,
        path: &'static str,
        form: &[(&str, &str)],
    ) -> Result<Answer> {
        self.bare
            .request(Method::POST, operation, path)
            .sensitive()
            .idempotent(true)
            .secret_header("authorization", &self.tokens.basic().await?)
            .form(form)
            .send(cx)
            .await
    }

    /// `GET .../users`: one page, up to 1,000 users.
    pub(crate) async fn list_users(
        &self,
        cx: &OpContext,
        filter: Option<UserFilter>,
        page_token: Option<&str>,
    ) -> Result<UserPage> {
        let answer = self.list_answer(cx, filter, PAGE_SIZE, page_token).await?;
        let page = match wire::users(answer.body()) {
            Some(page) => page,
            None => wire::salvage_users(answer.json()?),
        };
        if page.next_page_token.is_some() && page.next_page_token.as_deref() == page_token {
            return Err(repeated_page(LIST_USERS));
        }
        Ok(page)
    }

    /// The same with a page of one user, for the time in its answer alone.
    pub(crate) async fn list_one(&self, cx: &OpContext) -> Result<Option<Timestamp>> {
        let answer = self.list_answer(cx, None, 1, None).await?;
        Ok(answer.date())
    }

    async fn list_answer(
        &self,
        cx: &OpContext,
        filter: Option<UserFilter>,
        size: u32,
        page_token: Option<&str>,
    ) -> Result<Answer> {
        let mut request = self
            .http
            .request(Method::GET, LIST_USERS, self.paths.users)
            .path("account", self.account.as_str())
            .query("max_page_size", size.to_string());
        if let Some(filter) = filter {
            request = request.query("filter", filter.expression());
        }
        if let Some(token) = page_token {
            request = request.query("page_token", token);
        }
        request.send(cx).await
    }

    /// `GET .../users/{user}`.
    pub(crate) async fn get_user(&self, cx: &OpContext, id: &str) -> Result<User> {
        self.user(cx, Method::GET, "onepassword.get_user", self.paths.user, id)
            .await
    }

    /// `POST .../users/{user}:suspend`. A repeat gives the suspended user again
    /// (<https://www.1password.dev/users-api/suspend-user>).
    pub(crate) async fn suspend_user(&self, cx: &OpContext, id: &str) -> Result<User> {
        let path = self.paths.suspend;
        self.user(cx, Method::POST, "onepassword.suspend_user", path, id)
            .await
    }

    /// `POST .../users/{user}:reactivate`. A repeat gives the active user again
    /// (<https://www.1password.dev/users-api/reactivate-user>).
    pub(crate) async fn reactivate_user(&self, cx: &OpContext, id: &str) -> Result<User> {
        let path = self.paths.reactivate;
        self.user(cx, Method::POST, "onepassword.reactivate_user", path, id)
            .await
    }

    async fn user(
        &self,
        cx: &OpContext,
        method: Method,
        operation: &'static str,
        path: &'static str,
        id: &str,
    ) -> Result<User> {
        let answer = self
            .http
            .request(method, operation, path)
            .path("account", self.account.as_str())
            .path("user", user_id(id)?)
            .idempotent(true)
            .send(cx)
            .await?;
        let record: wire::UserRecord = answer.json()?;
        record
            .into_user()
            .ok_or_else(|| wire::not_a_user().with_operation(operation))
    }
}

/// The Events API with its own token.
#[derive(Clone, Debug)]
pub(crate) struct EventsApi {
    http: HttpClient,
}

impl EventsApi {
    /// No I/O.
    ///
    /// # Errors
    /// `config_invalid` for a base URL that is no bare root or not encrypted.
    pub(crate) fn new(
        context: &Context,
        base: &str,
        account: &AccountId,
        token: Credential,
    ) -> Result<Self> {
        let mut secrets = HeldSecrets::new(Arc::clone(&context.secrets));
        let token = secrets.hold("events_token", token);
        let context = Context {
            secrets: Arc::new(secrets),
            ..context.clone()
        };
        let budget = BudgetKey(format!("onepassword.events/{}", account.as_str()));
        context.limits.declare(&budget, &events_limit());
        let http = HttpClient::builder(&context, base)?
            .auth(Arc::new(Bearer::new(&context, token)))
            .errors(parse_error)
            .budget(budget)
            .build();
        Ok(Self { http })
    }

    /// `GET /api/v2/auth/introspect`, with the time of the answer.
    pub(crate) async fn introspect(
        &self,
        cx: &OpContext,
    ) -> Result<(Introspection, Option<Timestamp>)> {
        let answer = self
            .http
            .request(
                Method::GET,
                "onepassword.introspect",
                "/api/v2/auth/introspect",
            )
            .send(cx)
            .await?;
        Ok((answer.json()?, answer.date()))
    }

    /// `POST /api/v2/signinattempts`, `/itemusages` and `/auditevents`: one page behind `from`.
    pub(crate) async fn events<T: DeserializeOwned>(
        &self,
        cx: &OpContext,
        stream: EventStream,
        from: From<'_>,
    ) -> Result<EventPage<T>> {
        let body = match from {
            From::Start(start_time) => EventRequest::Reset {
                limit: EVENT_LIMIT,
                start_time,
            },
            From::Cursor(cursor) => EventRequest::Continue { cursor },
        };
        let answer = self
            .http
            .request(Method::POST, stream.operation(), stream.path())
            .json(&body)?
            .idempotent(true)
            .send(cx)
            .await?;
        match wire::events(answer.body()) {
            Some(page) => Ok(page),
            None => Ok(wire::salvage_events(answer.json()?)),
        }
    }
}

/// Where a page of events begins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum From<'a> {
    /// At a time, or where the vendor's memory begins.
    Start(Option<Timestamp>),
    /// Where the page before ended.
    Cursor(&'a str),
}

/// The three streams of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventStream {
    SignIns,
    ItemUsages,
    AuditEvents,
}

impl EventStream {
    /// In the order in which a run reads them: sign-ins first, since they are acted on.
    pub(crate) const ALL: [Self; 3] = [Self::SignIns, Self::ItemUsages, Self::AuditEvents];

    /// The name of the feature that a token needs, which is also the vendor's name of the stream.
    pub(crate) const fn feature(self) -> &'static str {
        match self {
            Self::SignIns => "signinattempts",
            Self::ItemUsages => "itemusages",
            Self::AuditEvents => "auditevents",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::SignIns => "/api/v2/signinattempts",
            Self::ItemUsages => "/api/v2/itemusages",
            Self::AuditEvents => "/api/v2/auditevents",
        }
    }

    const fn operation(self) -> &'static str {
        match self {
            Self::SignIns => "onepassword.sign_in_attempts_page",
            Self::ItemUsages => "onepassword.item_usages_page",
            Self::AuditEvents => "onepassword.audit_events_page",
        }
    }
}

/// <https://developer.1password.com/docs/events-api/rate-limits>.
fn events_limit() -> Limit {
    Limit::per_minute(600).and(Limit::per_hour(30_000))
}

const TOKEN: &str = "onepassword.token";
const LIST_USERS: &str = "onepassword.users";

/// A user's id: nothing else may become part of a path.
fn user_id(text: &str) -> Result<&str> {
    if is_id(text) {
        Ok(text)
    } else {
        Err(Error::invalid_input(
            "a user id is 26 capital letters and digits; to find a user by address, list the users",
        ))
    }
}

fn parse_error(answer: &ErrorAnswer) -> Error {
    crate::error::classify(answer.status.as_u16(), &answer.body)
}
