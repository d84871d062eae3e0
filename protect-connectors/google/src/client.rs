//! The vendor's own client, for scripts and playbooks.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::Stream;
use jiff::{SignedDuration, Timestamp};
use protect_core::clock::Clock;
use protect_core::connector::OpContext;
use protect_core::context::Context;
use protect_core::listing::listing;
use protect_core::model::{Actor, TenantId, hash_fields};
use protect_core::posture::{Collecting as _, Snapshot};
use protect_core::secret::Credential;
use protect_core::{Error, Result, password};
use serde_json::json;

use crate::api::Workspace;
use crate::auth::Signing;
use crate::collect::{Beside, Running};
use crate::config::{MY_CUSTOMER, Place, SERVICE_ACCOUNT};
use crate::connector::selectors;
use crate::endpoints::LogQuery;
use crate::key::JwtSigner;
use crate::model::{
    Activity, Alert, AppPassword, Domain, Grant, Group, NewPassword, OrgUnit, Page, Role,
    RoleAssignment, Usage, User, UserPage,
};
use crate::scope::{Api, Scope};
use crate::wire;

/// Acts at once in Google Workspace: without plan, guards, store or ledger. For those, use the engine.
///
/// Retries, limits and typed errors are inside. Cheap to clone; one client holds one customer.
///
/// ```
/// # use protect_core::{context::Context, secret::SecretRef, Result};
/// use protect_google::Google;
///
/// # async fn lock_out(context: Context, user_id: &str) -> Result<()> {
/// let google = Google::builder()
///     .context(context)
///     .subject("admin@acme.example")
///     .service_account(SecretRef::File { file: "key.json".into() })
///     .build()?;
/// google.suspend_user(user_id).await?;
/// google.sign_out(user_id).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Google {
    workspace: Workspace,
    clock: Arc<dyn Clock>,
    cx: OpContext,
}

impl Google {
    /// Begins a client.
    pub fn builder() -> GoogleBuilder {
        GoogleBuilder::default()
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

    /// Every account, page by page.
    ///
    /// A record that cannot be read is an `Err` of its own and ends nothing; after any other `Err`
    /// nothing more comes.
    ///
    /// # Errors
    /// As for [`Self::users_page`].
    pub fn users(&self) -> impl Stream<Item = Result<User>> + Send + use<> {
        let client = self.clone();
        listing("google.users", move |token| {
            let client = client.clone();
            async move { Ok(client.users_page(token.as_deref()).await?.into()) }
        })
    }

    /// One page of up to 500 accounts, and what the next is asked for with.
    ///
    /// # Errors
    /// `permission_denied` where no scope for it is delegated, or the administrator may not read
    /// accounts; otherwise as for every call.
    pub async fn users_page(&self, page_token: Option<&str>) -> Result<UserPage> {
        self.workspace.users(&self.cx, page_token).await
    }

    /// One account by id.
    ///
    /// # Errors
    /// `not_found` where there is no such account.
    pub async fn get_user(&self, user_id: &str) -> Result<User> {
        self.workspace.user(&self.cx, user_id).await
    }

    /// Keeps an account from being used; one that cannot be used already stays so.
    ///
    /// # Errors
    /// `permission_denied` also for a super administrator, where `subject` is none.
    pub async fn suspend_user(&self, user_id: &str) -> Result<User> {
        let change = json!({ "suspended": true });
        let operation = "google.suspend_user";
        self.workspace
            .change_user(&self.cx, operation, user_id, &change)
            .await
    }

    /// Lets an account be used again; one that can be used already stays so.
    ///
    /// # Errors
    /// As for [`Self::suspend_user`].
    pub async fn restore_user(&self, user_id: &str) -> Result<User> {
        let change = json!({ "suspended": false });
        let operation = "google.restore_user";
        self.workspace
            .change_user(&self.cx, operation, user_id, &change)
            .await
    }

    /// Gives an account a new password, which only the caller learns, and which must be changed at the
    /// next sign-in. Google ends its sessions and takes its app passwords back, but not every grant. It
    /// means nothing to whoever signs in through another identity provider.
    ///
    /// # Errors
    /// As for [`Self::suspend_user`].
    pub async fn reset_password(&self, user_id: &str) -> Result<NewPassword> {
        let password = password::generate(&*self.workspace.context().random);
        let change = json!({ "password": &password, "changePasswordAtNextLogin": true });
        let operation = "google.reset_password";
        self.workspace
            .change_user(&self.cx, operation, user_id, &change)
            .await?;
        Ok(NewPassword { password })
    }

    /// Has an account's owner choose another password at the next sign-in.
    ///
    /// # Errors
    /// As for [`Self::suspend_user`].
    pub async fn require_password_change(&self, user_id: &str) -> Result<User> {
        let change = json!({ "changePasswordAtNextLogin": true });
        let operation = "google.require_password_change";
        self.workspace
            .change_user(&self.cx, operation, user_id, &change)
            .await
    }

    /// Moves an account to an org unit, by its path: settings such as enforced 2-step verification are
    /// made for org units.
    ///
    /// # Errors
    /// `invalid_input` where there is no such org unit; otherwise as for [`Self::suspend_user`].
    pub async fn move_to_org_unit(&self, user_id: &str, org_unit_path: &str) -> Result<User> {
        let change = json!({ "orgUnitPath": org_unit_path });
        let operation = "google.move_to_org_unit";
        self.workspace
            .change_user(&self.cx, operation, user_id, &change)
            .await
    }

    /// Makes an account a super administrator, or one no longer.
    ///
    /// # Errors
    /// As for [`Self::suspend_user`].
    pub async fn set_super_admin(&self, user_id: &str, is_super_admin: bool) -> Result<User> {
        self.workspace
            .make_admin(&self.cx, user_id, is_super_admin)
            .await?;
        self.get_user(user_id).await
    }

    /// Ends every session of an account. It may take an hour until mail is closed.
    ///
    /// # Errors
    /// As for [`Self::suspend_user`].
    pub async fn sign_out(&self, user_id: &str) -> Result<()> {
        self.workspace.sign_out(&self.cx, user_id).await
    }

    /// What an account let applications do in its name.
    ///
    /// # Errors
    /// As for every call.
    pub async fn grants(&self, user_id: &str) -> Result<Vec<Grant>> {
        self.workspace.grants(&self.cx, user_id).await
    }

    /// Takes back everything that an account let applications do. Gives what was taken back.
    ///
    /// # Errors
    /// As for every call; some may be gone by then.
    pub async fn revoke_grants(&self, user_id: &str) -> Result<Vec<Grant>> {
        let grants = self.grants(user_id).await?;
        for grant in &grants {
            let client = &grant.client_id;
            self.workspace
                .delete_grant(&self.cx, user_id, client)
                .await?;
        }
        Ok(grants)
    }

    /// The passwords that an account has for single applications.
    ///
    /// # Errors
    /// As for every call.
    pub async fn app_passwords(&self, user_id: &str) -> Result<Vec<AppPassword>> {
        self.workspace.app_passwords(&self.cx, user_id).await
    }

    /// Takes back every password for single applications. Gives what was taken back.
    ///
    /// # Errors
    /// As for every call; some may be gone by then.
    pub async fn revoke_app_passwords(&self, user_id: &str) -> Result<Vec<AppPassword>> {
        let passwords = self.app_passwords(user_id).await?;
        for password in &passwords {
            let code = password.code_id;
            self.workspace
                .delete_app_password(&self.cx, user_id, code)
                .await?;
        }
        Ok(passwords)
    }

    /// Makes an account's backup codes worthless.
    ///
    /// # Errors
    /// As for every call.
    pub async fn invalidate_backup_codes(&self, user_id: &str) -> Result<()> {
        self.workspace
            .invalidate_backup_codes(&self.cx, user_id)
            .await
    }

    /// The customer's domains.
    ///
    /// # Errors
    /// As for every call.
    pub async fn domains(&self) -> Result<Vec<Domain>> {
        self.workspace.domains(&self.cx).await
    }

    /// The customer's org units, the one above all others among them.
    ///
    /// # Errors
    /// As for every call.
    pub async fn org_units(&self) -> Result<Vec<OrgUnit>> {
        self.workspace.org_units(&self.cx).await
    }

    /// One page of the customer's groups.
    ///
    /// # Errors
    /// As for every call.
    pub async fn groups_page(&self, page_token: Option<&str>) -> Result<Page<Group>> {
        self.workspace.groups(&self.cx, page_token).await
    }

    /// The roles of administrators.
    ///
    /// # Errors
    /// As for every call.
    pub async fn roles(&self) -> Result<Vec<Role>> {
        self.workspace.roles(&self.cx).await
    }

    /// Who holds which role.
    ///
    /// # Errors
    /// As for every call.
    pub async fn role_assignments(&self) -> Result<Vec<RoleAssignment>> {
        self.workspace.role_assignments(&self.cx).await
    }

    /// One page of a log (`login`, `admin`, `token`): from `start_time` on, or else of the last day; of
    /// one account or one sort of event, where that is wanted. Google allows 250 questions a minute that
    /// want either; the client waits.
    ///
    /// # Errors
    /// As for every call.
    pub async fn activities_page(
        &self,
        application: &str,
        start_time: Option<Timestamp>,
        user_id: Option<&str>,
        event_name: Option<&str>,
        page_token: Option<&str>,
    ) -> Result<Page<Activity>> {
        let query = LogQuery {
            application,
            from: self.since(start_time),
            user: user_id,
            event: event_name,
        };
        let page = self
            .workspace
            .activities(&self.cx, query, page_token)
            .await?;
        let read: Page<wire::Activity> = crate::endpoints::read(page, "items");
        Ok(Page {
            items: read.items.into_iter().map(Into::into).collect(),
            rejected: read.rejected,
            next_page_token: read.next_page_token,
        })
    }

    /// One page of alerts that were made since `start_time`, or else in the last day.
    ///
    /// # Errors
    /// As for every call.
    pub async fn alerts_page(
        &self,
        start_time: Option<Timestamp>,
        page_token: Option<&str>,
    ) -> Result<Page<Alert>> {
        let since = self.since(start_time);
        self.workspace.alerts(&self.cx, since, page_token).await
    }

    /// How much was used on a day (`2026-11-01`, Pacific time). Google is days late with it, and says so
    /// in `warnings`.
    ///
    /// # Errors
    /// As for every call.
    pub async fn usage(&self, date: &str) -> Result<Usage> {
        self.workspace.usage(&self.cx, date).await
    }

    /// The scopes that are delegated, of those that this client can use.
    ///
    /// # Errors
    /// As for every call.
    pub async fn granted_scopes(&self) -> Result<Vec<String>> {
        let access = self.workspace.access(&self.cx, &Scope::ALL).await?;
        let urls = access.granted.iter().map(|scope| scope.url().to_owned());
        Ok(urls.collect())
    }

    /// Collects everything that the checks read into a folder, which is a snapshot afterwards. Gives
    /// the number of pages. A collection that broke off in this folder goes on where it was.
    ///
    /// # Errors
    /// As for every call; `store` where the folder cannot be written or holds something else.
    pub async fn collect(&self, folder: &str) -> Result<u64> {
        let (pages, _) = self.collect_into(Path::new(folder)).await?;
        Ok(pages)
    }

    /// As [`Self::collect`], and opens the snapshot.
    ///
    /// # Errors
    /// As there.
    pub async fn collect_snapshot(&self, folder: &Path) -> Result<Snapshot> {
        Ok(self.collect_into(folder).await?.1)
    }

    async fn collect_into(&self, folder: &Path) -> Result<(u64, Snapshot)> {
        let beside = Beside {
            selectors: selectors(None),
            history: None,
        };
        let run = "collect";
        let mut running =
            Running::take_up(&self.workspace, &self.cx, Some(folder), run, beside).await?;
        while !running.advance(&self.cx).await? {}
        Ok((running.pages(), running.snapshot()?))
    }

    fn since(&self, start_time: Option<Timestamp>) -> Timestamp {
        let day = SignedDuration::from_hours(24);
        let yesterday = || self.clock.now().checked_sub(day).ok();
        start_time
            .or_else(yesterday)
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Makes a [`Google`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct GoogleBuilder {
    context: Option<Context>,
    customer: Option<String>,
    subject: String,
    signing: Option<Signing>,
    base_url: Option<String>,
    token_url: Option<String>,
    is_unlimited: bool,
}

impl GoogleBuilder {
    /// Where requests, time and secrets come from. Required.
    pub fn context(mut self, context: Context) -> Self {
        self.context = Some(context);
        self
    }

    /// The customer's id; that of the administrator's customer by default.
    pub fn customer_id(mut self, customer: impl Into<String>) -> Self {
        self.customer = Some(customer.into());
        self
    }

    /// The address of the administrator to act as. Required.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// The JSON file of a service account with domain-wide delegation; its text, a reference or a
    /// callback.
    pub fn service_account(mut self, key: impl Into<Credential>) -> Self {
        self.signing = Some(Signing::Key {
            key: key.into(),
            field: SERVICE_ACCOUNT.to_owned(),
            connection: None,
        });
        self
    }

    /// Who signs for the service account, where its key is no file.
    pub fn signer(mut self, signer: Arc<dyn JwtSigner>) -> Self {
        self.signing = Some(Signing::Signer(signer));
        self
    }

    /// One root for all of Google's interfaces. Not encrypted only on loopback.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Another token endpoint, as a whole address. Not encrypted only on loopback.
    pub fn token_url(mut self, url: impl Into<String>) -> Self {
        self.token_url = Some(url.into());
        self
    }

    /// Sends requests as fast as answers come, instead of as Google allows. Where Google says that it
    /// is too much, the client slows down all the same.
    pub fn without_limit(mut self) -> Self {
        self.is_unlimited = true;
        self
    }

    /// The client. Checks everything that can be checked without asking the vendor.
    ///
    /// # Errors
    /// `config_invalid` naming the field.
    pub fn build(self) -> Result<Google> {
        let context = self
            .context
            .ok_or_else(|| Error::config("context", "missing"))?;
        let signing = self.signing.ok_or_else(|| {
            Error::config(SERVICE_ACCOUNT, "give the JSON file of a service account")
        })?;
        let customer = self.customer.as_deref().unwrap_or(MY_CUSTOMER);
        // Budgets are named in errors, where no address may stand.
        let subject = self.subject.trim().to_lowercase();
        let budget = format!("direct/{}", hash_fields("google.subject", &[&subject]));
        let mut place = Place::of(customer, &self.subject, budget)?;
        if let Some(url) = self.base_url {
            for api in Api::ALL {
                place.set_root(api, &url);
            }
        }
        place.token = self.token_url.unwrap_or(place.token);
        let workspace = Workspace::new(&context, &place, signing, !self.is_unlimited)?;
        let correlation = context.fresh_guid();
        Ok(Google {
            workspace,
            clock: context.clock,
            cx: OpContext::new(
                TenantId::new("direct")?,
                correlation,
                Actor::unverified("direct"),
            ),
        })
    }
}
