//! The client, for scripts and playbooks.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::Stream;
use protect_core::clock::Clock;
use protect_core::connector::OpContext;
use protect_core::listing::listing;
use protect_core::model::{Actor, TenantId};
use protect_core::secret::{Credential, HeldSecrets};
use protect_core::{Context, Error, ErrorKind, Result};

use crate::api::{self, Api};
use crate::config::{ActiveAs, Options, PatchStyle};
use crate::model::{ServiceProviderConfig, User, UserPage};
use crate::wire::quoted;

/// Acts at once at a SCIM service provider: without plan, guards, store or ledger. For those, use the
/// engine.
///
/// Retries, limits and typed errors are inside. Cheap to clone; one client holds one token.
///
/// ```
/// # use protect_core::{context::Context, Result};
/// use protect_scim::Scim;
///
/// # async fn suspend(context: Context) -> Result<()> {
/// let wiki = Scim::builder()
///     .context(context)
///     .base_url("https://wiki.example/scim/v2")
///     .token("token")
///     .build()?;
/// if let Some(user) = wiki.find_user("ann@acme.example").await? {
///     wiki.suspend_user(&user.id).await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Scim {
    api: Api,
    clock: Arc<dyn Clock>,
    cx: OpContext,
}

impl Scim {
    /// Begins a client.
    pub fn builder() -> ScimBuilder {
        ScimBuilder::default()
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

    /// Every user that the filter lets (RFC 7644 section 3.4.2.2), page by page.
    ///
    /// A record that cannot be read is an `Err` of its own and ends nothing; after any other `Err`
    /// nothing more comes.
    ///
    /// # Errors
    /// As for [`Self::users_page`].
    pub fn users(&self, filter: Option<&str>) -> impl Stream<Item = Result<User>> + Send + use<> {
        let client = self.clone();
        let filter = filter.map(ToOwned::to_owned);
        listing("scim.users", move |token| {
            let (client, filter) = (client.clone(), filter.clone());
            async move {
                let start = token.and_then(|token| token.parse().ok());
                Ok(client.users_page(filter.as_deref(), start).await?.into())
            }
        })
    }

    /// One page of up to 100 users from the 1-based place `start_index` on, and where the next begins.
    ///
    /// # Errors
    /// `invalid_input` for a filter that the service provider does not understand;
    /// `invalid_response` where it gives the same page again; otherwise as for every call.
    pub async fn users_page(
        &self,
        filter: Option<&str>,
        start_index: Option<u32>,
    ) -> Result<UserPage> {
        let start = start_index.unwrap_or(1).max(1);
        self.api.list_users(&self.cx, filter, start).await
    }

    /// The user with this name to sign in with, or `None`. Names are compared as the service provider
    /// does: without case, unless it says otherwise (RFC 7643 section 4.1.1).
    ///
    /// # Errors
    /// `conflict` where it gives several; otherwise as for [`Self::users_page`].
    pub async fn find_user(&self, user_name: &str) -> Result<Option<User>> {
        let filter = format!("userName eq {}", quoted(user_name));
        let found = self.users_page(Some(&filter), None).await?.users;
        // Some service providers ignore a filter that they do not know, and give everybody.
        let mut found = found
            .into_iter()
            .filter(|user| user.user_name.to_lowercase() == user_name.to_lowercase());
        match (found.next(), found.next()) {
            (first, None) => Ok(first),
            _ => Err(Error::new(
                ErrorKind::Conflict,
                "several users have this name; choose one by its id",
            )),
        }
    }

    /// One user by id.
    ///
    /// # Errors
    /// `not_found` where there is no such user.
    pub async fn get_user(&self, user_id: &str) -> Result<User> {
        self.api.get_user(&self.cx, user_id).await
    }

    /// Keeps a user from signing in, and reads back that it is so; a user who is suspended already
    /// stays so.
    ///
    /// # Errors
    /// `not_found` where there is no such user; `refused` where the service provider lets nobody
    /// change it; `permission_denied`; `invalid_response` where it accepted and the user is still
    /// active.
    pub async fn suspend_user(&self, user_id: &str) -> Result<User> {
        self.set_active("scim.suspend_user", user_id, false).await
    }

    /// Lets a suspended user sign in again; a user who is active already stays so.
    ///
    /// # Errors
    /// As for [`Self::suspend_user`].
    pub async fn reactivate_user(&self, user_id: &str) -> Result<User> {
        self.set_active("scim.reactivate_user", user_id, true).await
    }

    /// What the service provider says it can do.
    ///
    /// # Errors
    /// `not_found` where it does not say.
    pub async fn service_provider_config(&self) -> Result<ServiceProviderConfig> {
        self.api.provider(&self.cx).await
    }

    async fn set_active(
        &self,
        operation: &'static str,
        user_id: &str,
        active: bool,
    ) -> Result<User> {
        let before = self.get_user(user_id).await?;
        if before.active == Some(active) {
            return Ok(before);
        }
        let version = before.version.as_deref();
        self.api
            .set_active(&self.cx, operation, user_id, active, version)
            .await?;
        let after = self.get_user(user_id).await?;
        if after.active == Some(active) {
            return Ok(after);
        }
        Err(Error::new(
            ErrorKind::InvalidResponse,
            "the service provider accepted the change, and the user is as before; it may take `active` as text (`active_as`), or show the change later",
        )
        .with_operation(operation)
        .temporary()
        .persistent())
    }
}

/// Makes a [`Scim`].
#[derive(Debug, Default)]
pub struct ScimBuilder {
    context: Option<Context>,
    base_url: Option<String>,
    token: Option<Credential>,
    options: Options,
}

impl ScimBuilder {
    /// Where everything from outside comes from.
    #[must_use]
    pub fn context(mut self, context: Context) -> Self {
        self.context = Some(context);
        self
    }

    /// What stands before `/Users`.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The bearer token.
    #[must_use]
    pub fn token(mut self, token: impl Into<Credential>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// How the service provider takes `active`.
    #[must_use]
    pub fn active_as(mut self, value: ActiveAs) -> Self {
        self.options.active_as = value;
        self
    }

    /// Where a change names the attribute.
    #[must_use]
    pub fn patch_style(mut self, style: PatchStyle) -> Self {
        self.options.patch_style = style;
        self
    }

    /// A host that may have a private address.
    #[must_use]
    pub fn allow_host(mut self, host: &str) -> Self {
        self.options.allowed_hosts.insert(host.to_lowercase());
        self
    }

    /// The client. No I/O.
    ///
    /// # Errors
    /// `config_invalid` naming the field.
    pub fn build(self) -> Result<Scim> {
        let missing = |field: &str| Error::config(field, "missing");
        let mut context = self.context.ok_or_else(|| missing("context"))?;
        let base = self.base_url.ok_or_else(|| missing("base_url"))?;
        let token = self.token.ok_or_else(|| missing("token"))?;
        let mut held = HeldSecrets::new(Arc::clone(&context.secrets));
        let token = held.hold("scim.token", token);
        context.secrets = Arc::new(held);
        let local = TenantId::new("local")?;
        let budget = api::budget(&base, &token);
        Ok(Scim {
            api: Api::new(&base, token, budget, self.options, &context)?,
            cx: OpContext::new(local, context.fresh_guid(), Actor::engine()),
            clock: context.clock,
        })
    }
}
