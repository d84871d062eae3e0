//! The vendor's own client, for scripts and playbooks.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::Stream;
use jiff::Timestamp;
use protect_core::clock::Clock;
use protect_core::connector::OpContext;
use protect_core::context::Context;
use protect_core::listing::listing;
use protect_core::model::{Actor, TenantId};
use protect_core::secret::Credential;
use protect_core::{Error, ErrorKind, Result};

use crate::api::{EventStream, EventsApi, From, UsersApi};
use crate::config::{AccountId, ApiVersion, OAuthCredential, Region};

use crate::model::{
    AuditEvent, EventPage, Introspection, ItemUsage, SignInAttempt, User, UserFilter, UserPage,
    UserState,
};

/// Acts at once at 1Password: without plan, guards, store or ledger. For those, use the engine.
///
/// Retries, limits and typed errors are inside. Cheap to clone; one client holds one account.
///
/// ```
/// # use protect_core::{context::Context, Result};
/// use protect_onepassword::{OnePassword, Region};
///
/// # async fn suspend(context: Context, user_id: &str) -> Result<()> {
/// let op = OnePassword::builder()
///     .context(context)
///     .account("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
///     .credentials("client id", "client secret")
///     .region(Region::Eu)
///     .build()?;
/// let user = op.suspend_user(user_id).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OnePassword {
    users: Option<UsersApi>,
    events: Option<EventsApi>,
    clock: Arc<dyn Clock>,
    cx: OpContext,
}

impl OnePassword {
    /// Begins a client.
    pub fn builder() -> OnePasswordBuilder {
        OnePasswordBuilder::default()
    }

    /// The same client for one piece of work: its tenant, actor, correlation and deadline.
    #[must_use]
    pub fn within(&self, cx: &OpContext) -> Self {
        Self {
            cx: cx.clone(),
            ..self.clone()
        }
    }

    /// The same client, each of whose calls from now on gives up when so much time has passed.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        let deadline = self.clock.monotonic() + timeout;
        self.within(&self.cx.clone().with_deadline(deadline))
    }

    /// Every user, page by page.
    ///
    /// A record that cannot be read is an `Err` of its own and ends nothing; after any other `Err`
    /// nothing more comes.
    ///
    /// # Errors
    /// As for [`Self::users_page`].
    pub fn users(
        &self,
        filter: Option<UserFilter>,
    ) -> impl Stream<Item = Result<User>> + Send + use<> {
        let client = self.clone();
        listing("onepassword.users", move |token| {
            let client = client.clone();
            async move { Ok(client.users_page(filter, token.as_deref()).await?.into()) }
        })
    }

    /// One page of up to 1,000 users, and what the next is asked for with.
    ///
    /// # Errors
    /// `permission_denied` where the integration may not list users; `invalid_input` for a page
    /// token that the vendor did not give; `not_found` for an account that this region does not
    /// have; otherwise as for every call.
    pub async fn users_page(
        &self,
        filter: Option<UserFilter>,
        page_token: Option<&str>,
    ) -> Result<UserPage> {
        self.users_api()?
            .list_users(&self.cx, filter, page_token)
            .await
    }

    /// One user by id.
    ///
    /// # Errors
    /// `not_found` where there is no such user.
    pub async fn get_user(&self, user_id: &str) -> Result<User> {
        self.users_api()?.get_user(&self.cx, user_id).await
    }

    /// Keeps a user from signing in; a user who is suspended already stays so. What the user may
    /// see is kept and comes back with [`Self::reactivate_user`].
    ///
    /// # Errors
    /// `refused` for the last owner and for externally managed users, with the reason as the
    /// context `protection`; `not_found`; `invalid_response` where the vendor accepted and the
    /// user is not suspended.
    pub async fn suspend_user(&self, user_id: &str) -> Result<User> {
        let user = self.users_api()?.suspend_user(&self.cx, user_id).await?;
        confirmed(user, user_id, &UserState::Suspended)
    }

    /// Lets a suspended user sign in again; a user who is active already stays so.
    ///
    /// # Errors
    /// As for [`Self::suspend_user`].
    pub async fn reactivate_user(&self, user_id: &str) -> Result<User> {
        let user = self.users_api()?.reactivate_user(&self.cx, user_id).await?;
        confirmed(user, user_id, &UserState::Active)
    }

    /// Gives back the access token that this client holds, so that a copy of it is worth nothing.
    /// The next call finds it rejected and asks for a new one. Without a token it does nothing.
    ///
    /// # Errors
    /// `unauthenticated` where the client's credential is no longer accepted.
    pub async fn revoke_token(&self) -> Result<()> {
        self.users_api()?.revoke_token(&self.cx).await
    }

    /// What the Events API token may read.
    ///
    /// # Errors
    /// `unauthenticated` for a wrong token, or a right one at the wrong region.
    pub async fn introspect(&self) -> Result<Introspection> {
        let (introspection, _) = self.events_api()?.introspect(&self.cx).await?;
        Ok(introspection)
    }

    /// One page of up to 1,000 attempts to sign in: behind `cursor`, or else from `start_time` on,
    /// or else from as far back as the vendor remembers (120 days).
    ///
    /// # Errors
    /// `invalid_input` for a cursor that the vendor did not give, or both arguments at once.
    pub async fn sign_in_attempts_page(
        &self,
        cursor: Option<&str>,
        start_time: Option<Timestamp>,
    ) -> Result<EventPage<SignInAttempt>> {
        let from = begin(cursor, start_time)?;
        self.events_api()?
            .events(&self.cx, EventStream::SignIns, from)
            .await
    }

    /// One page of up to 1,000 uses of items; arguments as for [`Self::sign_in_attempts_page`].
    ///
    /// # Errors
    /// As for [`Self::sign_in_attempts_page`].
    pub async fn item_usages_page(
        &self,
        cursor: Option<&str>,
        start_time: Option<Timestamp>,
    ) -> Result<EventPage<ItemUsage>> {
        let from = begin(cursor, start_time)?;
        self.events_api()?
            .events(&self.cx, EventStream::ItemUsages, from)
            .await
    }

    /// One page of up to 1,000 audit events; arguments as for [`Self::sign_in_attempts_page`].
    ///
    /// # Errors
    /// As for [`Self::sign_in_attempts_page`].
    pub async fn audit_events_page(
        &self,
        cursor: Option<&str>,
        start_time: Option<Timestamp>,
    ) -> Result<EventPage<AuditEvent>> {
        let from = begin(cursor, start_time)?;
        self.events_api()?
            .events(&self.cx, EventStream::AuditEvents, from)
            .await
    }

    fn users_api(&self) -> Result<&UsersApi> {
        self.users.as_ref().ok_or_else(|| {
            Error::config("credentials", "this needs a client id and a client secret")
        })
    }

    fn events_api(&self) -> Result<&EventsApi> {
        self.events
            .as_ref()
            .ok_or_else(|| Error::config("events_token", "this needs an Events API token"))
    }
}

/// Makes a [`OnePassword`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct OnePasswordBuilder {
    context: Option<Context>,
    account: String,
    credentials: Option<OAuthCredential>,
    events_token: Option<Credential>,
    region: Region,
    version: ApiVersion,
    base_url: Option<String>,
    events_url: Option<String>,
    is_unlimited: bool,
}

impl OnePasswordBuilder {
    /// Where requests, time and secrets come from. Required.
    pub fn context(mut self, context: Context) -> Self {
        self.context = Some(context);
        self
    }

    /// The account's id: 26 capital letters and digits. Required.
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = account.into();
        self
    }

    /// Client id and secret of the OAuth application; the secret as text, a reference or a
    /// callback.
    pub fn credentials(
        mut self,
        client_id: impl Into<String>,
        client_secret: impl Into<Credential>,
    ) -> Self {
        self.credentials = Some(OAuthCredential {
            client_id: client_id.into(),
            client_secret: client_secret.into(),
        });
        self
    }

    /// The token of an Events Reporting integration, for the events.
    pub fn events_token(mut self, token: impl Into<Credential>) -> Self {
        self.events_token = Some(token.into());
        self
    }

    /// Where the account is; `1password.com` by default.
    pub fn region(mut self, region: Region) -> Self {
        self.region = region;
        self
    }

    /// The version of the Users API; the public preview by default.
    pub fn api_version(mut self, version: ApiVersion) -> Self {
        self.version = version;
        self
    }

    /// A root for the Users API instead of the region's. Not encrypted only on loopback.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// A root for the Events API instead of the region's. Not encrypted only on loopback.
    pub fn events_url(mut self, url: impl Into<String>) -> Self {
        self.events_url = Some(url.into());
        self
    }

    /// Sends requests to the Users API as fast as answers come, instead of five a second. Where
    /// the vendor says that it is too much, the client slows down all the same.
    pub fn without_limit(mut self) -> Self {
        self.is_unlimited = true;
        self
    }

    /// The client. Checks everything that can be checked without asking the vendor.
    ///
    /// # Errors
    /// `config_invalid` naming the field.
    pub fn build(self) -> Result<OnePassword> {
        let context = self
            .context
            .ok_or_else(|| Error::config("context", "missing"))?;
        let account = AccountId::new(&self.account)
            .map_err(|error| Error::config("account", error.message()))?;
        if self.credentials.is_none() && self.events_token.is_none() {
            return Err(Error::config(
                "credentials",
                "give client id and secret, an events token, or both",
            ));
        }
        let users = self
            .credentials
            .map(|credentials| {
                let base = match (&self.base_url, self.region.api_base()) {
                    (Some(url), _) => url.as_str(),
                    (None, Some(url)) => url,
                    (None, None) => {
                        let message = "the vendor documents no Users API for region `ent`";
                        return Err(Error::config("base_url", message));
                    }
                };
                let is_limited = !self.is_unlimited;
                UsersApi::new(
                    &context,
                    base,
                    account.clone(),
                    self.version,
                    credentials,
                    is_limited,
                )
            })
            .transpose()?;
        let events = self
            .events_token
            .map(|token| {
                let default = self.region.events_base();
                let base = self.events_url.as_deref().unwrap_or(default);
                EventsApi::new(&context, base, &account, token)
            })
            .transpose()?;
        let mut id = [0; 8];
        context.random.fill(&mut id);
        let cx = OpContext::new(
            TenantId::new("direct")?,
            format!("{:016x}", u64::from_be_bytes(id)),
            Actor::unverified("direct"),
        );
        Ok(OnePassword {
            users,
            events,
            clock: context.clock,
            cx,
        })
    }
}

fn begin(cursor: Option<&str>, start_time: Option<Timestamp>) -> Result<From<'_>> {
    match (cursor, start_time) {
        (Some(_), Some(_)) => Err(Error::invalid_input(
            "a cursor has its time in it: give one of cursor and start_time",
        )),
        (Some(cursor), None) => Ok(From::Cursor(cursor)),
        (None, start_time) => Ok(From::Start(start_time)),
    }
}

/// The user, where the vendor's answer shows the state that was asked for.
fn confirmed(user: User, id: &str, wanted: &UserState) -> Result<User> {
    if user.id == id && user.state == *wanted {
        return Ok(user);
    }
    Err(Error::new(
        ErrorKind::InvalidResponse,
        "1Password accepted the change and shows another user or state: look again before trusting it",
    )
    .with_context("wanted", wanted.as_str())
    .with_context("state", user.state.as_str()))
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
