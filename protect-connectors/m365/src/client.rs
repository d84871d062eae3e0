//! The vendor's own client, for scripts and playbooks.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::Stream;
use jiff::Timestamp;
use protect_core::clock::Clock;
use protect_core::connector::OpContext;
use protect_core::context::Context;
use protect_core::listing::listing;
use protect_core::model::{Actor, TenantId};
use protect_core::posture::{Collecting as _, Snapshot};
use protect_core::secret::Credential;
use protect_core::{Error, Result, password};
use serde_json::json;

use crate::api::Graph;
use crate::auth::{AppCredential, Proof};
use crate::collect::Running;
use crate::config::{Cloud, Place, TenantName};
use crate::consent::without_users;
use crate::endpoints::is_deletable;
use crate::model::{
    Alert, AuthenticationMethod, Device, DirectoryAudit, Grant, NewPassword, Page, RiskDetection,
    RiskyUser, RoleAssignment, SecureScore, SignIn, TemporaryAccessPass, User, UserConsent,
    UserPage,
};

/// Acts at once in Microsoft 365: without plan, guards, store or ledger. For those, use the engine.
///
/// Retries, limits and typed errors are inside. Cheap to clone; one client holds one tenant.
///
/// ```
/// # use protect_core::{context::Context, Result};
/// use protect_m365::M365;
///
/// # async fn lock_out(context: Context, user_id: &str) -> Result<()> {
/// let m365 = M365::builder()
///     .context(context)
///     .tenant("acme.onmicrosoft.com")
///     .credentials("11111111-2222-4333-8444-555555555555", "client secret")
///     .build()?;
/// m365.disable_user(user_id).await?;
/// m365.revoke_sessions(user_id).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct M365 {
    graph: Graph,
    place: Place,
    clock: Arc<dyn Clock>,
    cx: OpContext,
}

impl M365 {
    /// Begins a client.
    pub fn builder() -> M365Builder {
        M365Builder::default()
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

    /// Every user and guest, page by page.
    ///
    /// A record that cannot be read is an `Err` of its own and ends nothing; after any other `Err`
    /// nothing more comes.
    ///
    /// # Errors
    /// As for [`Self::users_page`].
    pub fn users(&self) -> impl Stream<Item = Result<User>> + Send + use<> {
        let client = self.clone();
        listing("m365.users", move |token| {
            let client = client.clone();
            async move { Ok(client.users_page(token.as_deref()).await?.into()) }
        })
    }

    /// One page of up to 999 users and guests, and what the next is asked for with.
    ///
    /// # Errors
    /// `permission_denied` where the application may not read users; `invalid_response` for a page
    /// token that leads elsewhere; otherwise as for every call.
    pub async fn users_page(&self, page_token: Option<&str>) -> Result<UserPage> {
        self.graph.users(&self.cx, page_token).await
    }

    /// One user by id.
    ///
    /// # Errors
    /// `not_found` where there is no such user.
    pub async fn get_user(&self, user_id: &str) -> Result<User> {
        self.graph.user(&self.cx, user_id).await
    }

    /// Keeps a user from signing in; one who cannot already stays so. Sessions live on until
    /// [`Self::revoke_sessions`].
    ///
    /// # Errors
    /// `permission_denied` also for holders of roles that only a higher role may touch.
    pub async fn disable_user(&self, user_id: &str) -> Result<User> {
        self.enable(user_id, "m365.disable_user", false).await
    }

    /// Lets a user sign in again; one who can already stays so.
    ///
    /// # Errors
    /// As for [`Self::disable_user`].
    pub async fn enable_user(&self, user_id: &str) -> Result<User> {
        self.enable(user_id, "m365.enable_user", true).await
    }

    async fn enable(&self, id: &str, operation: &'static str, enabled: bool) -> Result<User> {
        let change = json!({ "accountEnabled": enabled });
        self.graph
            .patch_user(&self.cx, operation, id, &change)
            .await?;
        self.get_user(id).await
    }

    /// Makes every session and refresh token of a user worthless. It takes minutes, and access
    /// tokens live on until they end, for about an hour.
    ///
    /// # Errors
    /// As for every call.
    pub async fn revoke_sessions(&self, user_id: &str) -> Result<User> {
        self.graph.revoke_sessions(&self.cx, user_id).await?;
        self.get_user(user_id).await
    }

    /// Has a user choose another password at the next sign-in, `with_mfa` only after a second
    /// factor. For accounts of the cloud alone.
    ///
    /// # Errors
    /// As for [`Self::disable_user`].
    pub async fn force_password_change(&self, user_id: &str, with_mfa: Option<bool>) -> Result<()> {
        let field = if with_mfa == Some(true) {
            "forceChangePasswordNextSignInWithMfa"
        } else {
            "forceChangePasswordNextSignIn"
        };
        let change = json!({ "passwordProfile": { field: true } });
        let operation = "m365.force_password_change";
        self.graph
            .patch_user(&self.cx, operation, user_id, &change)
            .await
    }

    /// Gives a user a new password, which only the caller learns, and which must be changed at the
    /// next sign-in. For accounts of the cloud alone.
    ///
    /// # Errors
    /// As for [`Self::disable_user`].
    pub async fn reset_password(&self, user_id: &str) -> Result<NewPassword> {
        let password = password::generate(&*self.graph.http.context().random);
        let change = json!({
            "passwordProfile": { "password": &password, "forceChangePasswordNextSignIn": true },
        });
        let operation = "m365.reset_password";
        self.graph
            .patch_user(&self.cx, operation, user_id, &change)
            .await?;
        Ok(NewPassword { password })
    }

    /// Makes a pass with which a user can sign in and register stronger methods: 60 minutes and once
    /// unless told. An earlier pass is worth nothing afterwards.
    ///
    /// # Errors
    /// `invalid_input` where the tenant does not allow such passes; otherwise as for every call.
    pub async fn create_temporary_access_pass(
        &self,
        user_id: &str,
        lifetime_minutes: Option<u32>,
        one_time: Option<bool>,
    ) -> Result<TemporaryAccessPass> {
        let one_time = one_time.unwrap_or(true);
        self.graph
            .create_pass(&self.cx, user_id, lifetime_minutes, one_time)
            .await
    }

    /// By what a user can prove who they are, the password among it.
    ///
    /// # Errors
    /// As for every call.
    pub async fn authentication_methods(&self, user_id: &str) -> Result<Vec<AuthenticationMethod>> {
        self.graph.methods(&self.cx, user_id).await
    }

    /// Takes every second factor of a user away, so that they register again. Gives what was taken.
    /// Graph refuses the default method while others are there, so it is tried again at the end.
    ///
    /// # Errors
    /// The first that could not be taken away twice; others may be gone by then.
    pub async fn delete_authentication_methods(
        &self,
        user_id: &str,
    ) -> Result<Vec<AuthenticationMethod>> {
        let mut methods = self.authentication_methods(user_id).await?;
        methods.retain(is_deletable);
        let mut refused = Vec::new();
        for method in &methods {
            let deleted = self.graph.delete_method(&self.cx, user_id, method).await;
            match deleted {
                Err(error) if error.http_status() == Some(400) => refused.push(method),
                other => other?,
            }
        }
        for method in refused {
            self.graph.delete_method(&self.cx, user_id, method).await?;
        }
        Ok(methods)
    }

    /// The directory roles that a user holds directly.
    ///
    /// # Errors
    /// As for every call.
    pub async fn role_assignments(&self, user_id: &str) -> Result<Vec<RoleAssignment>> {
        self.graph.role_assignments(&self.cx, user_id).await
    }

    /// Takes a directory role away.
    ///
    /// # Errors
    /// `not_found` where there is no such assignment.
    pub async fn remove_role_assignment(&self, assignment_id: &str) -> Result<()> {
        self.graph
            .delete_role_assignment(&self.cx, assignment_id)
            .await
    }

    /// Gives a user a directory role: over the whole tenant unless a scope is named.
    ///
    /// # Errors
    /// `conflict` or `invalid_input` where it is there already.
    pub async fn add_role_assignment(
        &self,
        user_id: &str,
        role_definition_id: &str,
        scope: Option<&str>,
    ) -> Result<RoleAssignment> {
        let scope = scope.unwrap_or("/");
        self.graph
            .add_role_assignment(&self.cx, user_id, role_definition_id, scope)
            .await
    }

    /// What a user let applications do in their name.
    ///
    /// # Errors
    /// As for every call.
    pub async fn grants(&self, user_id: &str) -> Result<Vec<Grant>> {
        self.graph.grants(&self.cx, user_id).await
    }

    /// Takes back everything that a user let applications do. Gives what was taken back.
    ///
    /// # Errors
    /// As for every call; some may be gone by then.
    pub async fn revoke_grants(&self, user_id: &str) -> Result<Vec<Grant>> {
        let grants = self.grants(user_id).await?;
        for grant in &grants {
            self.graph.delete_grant(&self.cx, &grant.id).await?;
        }
        Ok(grants)
    }

    /// One page of the devices that are registered in the tenant.
    ///
    /// # Errors
    /// As for every call.
    pub async fn devices_page(&self, page_token: Option<&str>) -> Result<Page<Device>> {
        self.graph.devices(&self.cx, page_token).await
    }

    /// Whose device it is.
    ///
    /// # Errors
    /// `not_found` where there is no such device.
    pub async fn device_owners(&self, device_id: &str) -> Result<Vec<User>> {
        self.graph.device_owners(&self.cx, device_id).await
    }

    /// One page of the users at risk, or of those who are `confirmed` to be compromised.
    ///
    /// # Errors
    /// `unsupported` where the tenant has no Entra ID P2; otherwise as for every call.
    pub async fn risky_users_page(
        &self,
        confirmed: Option<bool>,
        page_token: Option<&str>,
    ) -> Result<Page<RiskyUser>> {
        let confirmed = confirmed.unwrap_or_default();
        self.graph
            .risky_users(&self.cx, confirmed, page_token)
            .await
    }

    /// Says that a user is compromised: the risk becomes high, and policies act on it.
    ///
    /// # Errors
    /// As for [`Self::risky_users_page`].
    pub async fn confirm_compromised(&self, user_id: &str) -> Result<()> {
        self.graph.confirm_compromised(&self.cx, user_id).await
    }

    /// Says that a user is not at risk.
    ///
    /// # Errors
    /// As for [`Self::risky_users_page`].
    pub async fn dismiss_risk(&self, user_id: &str) -> Result<()> {
        self.graph.dismiss_risk(&self.cx, user_id).await
    }

    /// One page of what Identity Protection noticed: behind `page_token`, or else from `start_time`
    /// on, or else of the last day.
    ///
    /// # Errors
    /// As for [`Self::risky_users_page`].
    pub async fn risk_detections_page(
        &self,
        start_time: Option<Timestamp>,
        page_token: Option<&str>,
    ) -> Result<Page<RiskDetection>> {
        let since = self.since(start_time);
        self.graph
            .risk_detections(&self.cx, since, page_token)
            .await
    }

    /// One page of sign-ins; arguments as for [`Self::risk_detections_page`].
    ///
    /// # Errors
    /// `unsupported` where the tenant has no Entra ID P1; otherwise as for every call.
    pub async fn sign_ins_page(
        &self,
        start_time: Option<Timestamp>,
        page_token: Option<&str>,
    ) -> Result<Page<SignIn>> {
        let since = self.since(start_time);
        self.graph.sign_ins(&self.cx, since, page_token).await
    }

    /// One page of what somebody changed in the directory; arguments as for
    /// [`Self::risk_detections_page`].
    ///
    /// # Errors
    /// As for every call.
    pub async fn directory_audits_page(
        &self,
        start_time: Option<Timestamp>,
        page_token: Option<&str>,
    ) -> Result<Page<DirectoryAudit>> {
        let since = self.since(start_time);
        self.graph
            .directory_audits(&self.cx, since, page_token)
            .await
    }

    /// One page of alerts that changed; arguments as for [`Self::risk_detections_page`].
    ///
    /// # Errors
    /// As for every call.
    pub async fn alerts_page(
        &self,
        start_time: Option<Timestamp>,
        page_token: Option<&str>,
    ) -> Result<Page<Alert>> {
        let since = self.since(start_time);
        self.graph.alerts(&self.cx, since, page_token).await
    }

    /// The newest score that Microsoft gives the tenant; none where it never did.
    ///
    /// # Errors
    /// As for every call.
    pub async fn secure_score(&self) -> Result<Option<SecureScore>> {
        self.graph.secure_score(&self.cx).await
    }

    /// What users may let applications do without an administrator.
    ///
    /// # Errors
    /// As for every call.
    pub async fn user_consent(&self) -> Result<UserConsent> {
        self.graph.user_consent(&self.cx).await
    }

    /// Keeps users from letting applications in by themselves. Gives what was allowed before, with
    /// which [`Self::set_user_consent`] takes it back. What administrators gave to owners of groups
    /// and teams stays.
    ///
    /// # Errors
    /// As for every call.
    pub async fn block_app_consent(&self) -> Result<UserConsent> {
        let before = self.user_consent().await?;
        let rest = without_users(&before.permission_grant_policies);
        if rest.len() < before.permission_grant_policies.len() {
            self.graph.set_user_consent(&self.cx, &rest).await?;
        }
        Ok(before)
    }

    /// Says what users may let applications do.
    ///
    /// # Errors
    /// As for every call.
    pub async fn set_user_consent(
        &self,
        permission_grant_policies: Vec<String>,
    ) -> Result<UserConsent> {
        self.graph
            .set_user_consent(&self.cx, &permission_grant_policies)
            .await?;
        self.user_consent().await
    }

    /// The application permissions that an administrator granted.
    ///
    /// # Errors
    /// As for every call.
    pub async fn granted_permissions(&self) -> Result<Vec<String>> {
        let granted = self.graph.granted(&self.cx).await?;
        Ok(granted.unwrap_or_default().into_iter().collect())
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
        let graph = self.graph.patient();
        let run = "collect";
        let mut running =
            Running::take_up(&graph, &self.cx, &self.place, Some(folder), run).await?;
        while !running.advance(&self.cx).await? {}
        Ok((running.pages(), running.snapshot()?))
    }

    fn since(&self, start_time: Option<Timestamp>) -> Timestamp {
        let day = jiff::SignedDuration::from_hours(24);
        let yesterday = || self.clock.now().checked_sub(day).ok();
        start_time
            .or_else(yesterday)
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Makes an [`M365`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct M365Builder {
    context: Option<Context>,
    tenant: String,
    credential: Option<(String, Proof)>,
    cloud: Cloud,
    login_url: Option<String>,
    graph_url: Option<String>,
    is_unlimited: bool,
}

impl M365Builder {
    /// Where requests, time and secrets come from. Required.
    pub fn context(mut self, context: Context) -> Self {
        self.context = Some(context);
        self
    }

    /// The tenant: its GUID or a verified domain. Required.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = tenant.into();
        self
    }

    /// The application's id and secret; the secret as text, a reference or a callback.
    pub fn credentials(
        mut self,
        client_id: impl Into<String>,
        client_secret: impl Into<Credential>,
    ) -> Self {
        self.credential = Some((client_id.into(), Proof::Secret(client_secret.into())));
        self
    }

    /// The application's id, its certificate and the certificate's private key (RSA), both as PEM.
    pub fn certificate(
        mut self,
        client_id: impl Into<String>,
        certificate: impl Into<Credential>,
        private_key: impl Into<Credential>,
    ) -> Self {
        let proof = Proof::Certificate {
            certificate: certificate.into(),
            private_key: private_key.into(),
        };
        self.credential = Some((client_id.into(), proof));
        self
    }

    /// In which of Microsoft's clouds the tenant lives; the public one by default.
    pub fn cloud(mut self, cloud: Cloud) -> Self {
        self.cloud = cloud;
        self
    }

    /// A root of the sign-in service instead of the cloud's. Not encrypted only on loopback.
    pub fn login_url(mut self, url: impl Into<String>) -> Self {
        self.login_url = Some(url.into());
        self
    }

    /// A root of Graph instead of the cloud's. Not encrypted only on loopback.
    pub fn graph_url(mut self, url: impl Into<String>) -> Self {
        self.graph_url = Some(url.into());
        self
    }

    /// Sends requests as fast as answers come, instead of as Graph allows. Where Graph says that it
    /// is too much, the client slows down all the same.
    pub fn without_limit(mut self) -> Self {
        self.is_unlimited = true;
        self
    }

    /// The client. Checks everything that can be checked without asking the vendor.
    ///
    /// # Errors
    /// `config_invalid` naming the field.
    pub fn build(self) -> Result<M365> {
        let context = self
            .context
            .ok_or_else(|| Error::config("context", "missing"))?;
        let at = |field: &'static str| move |error: Error| Error::config(field, error.message());
        let tenant = TenantName::new(&self.tenant).map_err(at("tenant"))?;
        let (client_id, proof) = self
            .credential
            .ok_or_else(|| Error::config("credentials", "give a secret or a certificate"))?;
        let credential = AppCredential::new(client_id, proof).map_err(at("client_id"))?;
        let mut place = Place::of(tenant, self.cloud);
        place.login = self.login_url.unwrap_or(place.login);
        place.graph = self.graph_url.unwrap_or(place.graph);
        let graph = Graph::new(&context, &place, credential, !self.is_unlimited)?;
        let correlation = context.fresh_guid();
        Ok(M365 {
            graph,
            place,
            clock: context.clock,
            cx: OpContext::new(
                TenantId::new("direct")?,
                correlation,
                Actor::unverified("direct"),
            ),
        })
    }
}
