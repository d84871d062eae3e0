//! Starting, asking and stopping a sandbox.

mod google_workspace;
mod one_stack;
mod scim;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use crate::{
    assertion::{self, ClientCertificate},
    dns::{self, DnsQuestion, DnsServer, DnsServerError},
    faults::Fault,
    google,
    graph::{self, Size},
    hibp::{Catalogue, Plan},
    journal::{RequestRecord, Transition, Violation},
    one_stack::OneStackOrganisation,
    onepassword::{Stream, UserChange},
    scenario::Planted,
    server, smtp,
    world::{Setup, World},
};

const DEFAULT_USERS: usize = 40;
const DEFAULT_RANGE_ROWS: usize = 40;

/// What kept a sandbox from starting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The catalogue file could not be read.
    #[error("the breach catalogue could not be read")]
    CatalogueUnreadable(#[source] io::Error),
    /// The catalogue file is not a JSON array of breaches with at least one in it.
    #[error("the breach catalogue is not a non-empty JSON array of breaches")]
    CatalogueMalformed,
    /// The address is not a loopback address; a sandbox serves nobody else.
    #[error("a sandbox listens on loopback addresses only")]
    NotLoopback,
    /// The address could not be bound, or no thread could be started for it.
    #[error("the sandbox could not start to listen")]
    Listen(#[source] io::Error),
}

impl From<DnsServerError> for SandboxError {
    fn from(error: DnsServerError) -> Self {
        match error {
            DnsServerError::Listen(error) => Self::Listen(error),
            DnsServerError::NotLoopback => Self::NotLoopback,
            DnsServerError::Zone(error) => Self::Listen(io::Error::other(error)),
        }
    }
}

/// What the simulated vendors accept. Made up from the seed; it opens nothing but the sandbox, and
/// so prints in the clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Credentials {
    /// HIBP's `hibp-api-key`.
    pub hibp_api_key: String,
    /// Client identifier of the 1Password application that may list and get.
    pub scan_client_id: String,
    /// Its secret.
    pub scan_client_secret: String,
    /// Client identifier of the 1Password application that may get, suspend and reactivate.
    pub respond_client_id: String,
    /// Its secret.
    pub respond_client_secret: String,
    /// Bearer token of the Events API.
    pub events_token: String,
    /// The 1Password account.
    pub account_id: String,
    /// Signing secret of the webhook receiver, with the prefix `whsec_`.
    pub webhook_secret: String,
    /// Restricted key of Stripe in test mode, with what a reporter of usage needs.
    pub stripe_restricted_key: String,
    /// A customer at Stripe.
    pub stripe_customer_id: String,
    /// Token that may read the users of the SCIM application.
    pub scim_scan_token: String,
    /// Token that may read and change them.
    pub scim_respond_token: String,
    /// User name at the mail server.
    pub smtp_username: String,
    /// Its password.
    pub smtp_password: String,
    /// Address of Slack's incoming webhook, which is a secret as a whole.
    pub slack_webhook_url: String,
    /// Address of Microsoft Teams' incoming webhook, which is a secret as a whole.
    pub teams_webhook_url: String,
    /// The Entra tenant.
    pub m365_tenant_id: String,
    /// Client identifier of the application with every permission that reads.
    pub m365_scan_client_id: String,
    /// Its secret; a certificate works too.
    pub m365_scan_client_secret: String,
    /// Client identifier of the application with the permissions of the remediators.
    pub m365_respond_client_id: String,
    /// Its secret; a certificate works too.
    pub m365_respond_client_secret: String,
    /// Client identifier of the application that reads the key vault.
    pub m365_vault_client_id: String,
    /// Its secret.
    pub m365_vault_client_secret: String,
    /// The Google Workspace customer.
    pub google_customer_id: String,
    /// Address of the administrator to whom Google's service accounts may act.
    pub google_subject: String,
    /// Key file, as JSON, of the service account to which every scope that reads is delegated.
    pub google_scan_key: String,
    /// Key file, as JSON, of the service account with the scopes of the remediators.
    pub google_respond_key: String,
    /// The two organisations of The One Stack.
    pub one_stack: Vec<OneStackOrganisation>,
}

/// Settings of a sandbox that is to be started.
#[derive(Debug, Clone)]
pub struct SandboxBuilder {
    seed: u64,
    address: SocketAddr,
    catalogue: Option<PathBuf>,
    users: usize,
    plan: Plan,
    range_rows: usize,
    rate_limits: bool,
    prerender: Option<usize>,
    start_at: Option<Timestamp>,
    tenant: Size,
    domain: google::Size,
}

impl SandboxBuilder {
    /// Who works in the organisation, its credentials, the generated catalogue: all by the seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Listens here instead of at a free port of 127.0.0.1. Must be a loopback address.
    #[must_use]
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Serves the breaches of this file, a JSON array as HIBP's `/breaches` answers it. Breaches
    /// for test accounts that the file has no example of are added.
    #[must_use]
    pub fn catalogue(mut self, path: impl AsRef<Path>) -> Self {
        self.catalogue = Some(path.as_ref().to_owned());
        self
    }

    /// How many people the 1Password account has: 40 unless set, never fewer than 8. Only the first
    /// 1,000 have events.
    #[must_use]
    pub fn users(mut self, users: usize) -> Self {
        self.users = users;
        self
    }

    /// HIBP's plan: `Pro 2` unless set.
    #[must_use]
    pub fn plan(mut self, plan: Plan) -> Self {
        self.plan = plan;
        self
    }

    /// Other people's rows in each answer to a HIBP range: 40 unless set. The vendor has about 400.
    #[must_use]
    pub fn range_rows(mut self, rows: usize) -> Self {
        self.range_rows = rows;
        self
    }

    /// Whether the vendors' rate limits hold: they do unless set.
    #[must_use]
    pub fn rate_limits(mut self, on: bool) -> Self {
        self.rate_limits = on;
        self
    }

    /// Renders the pages of the user list with this many users each before the first request.
    #[must_use]
    pub fn prerender(mut self, page_size: usize) -> Self {
        self.prerender = Some(page_size);
        self
    }

    /// How many people the Microsoft 365 tenant has, emergency accounts and guests not counted: as
    /// many as the 1Password account unless set, and never fewer. They are made up as they are asked
    /// for, so half a million take little memory.
    #[must_use]
    pub fn m365_users(mut self, users: usize) -> Self {
        self.tenant.users = users;
        self
    }

    /// How many Conditional Access policies the tenant has, at least.
    #[must_use]
    pub fn m365_policies(mut self, policies: usize) -> Self {
        self.tenant.policies = policies;
        self
    }

    /// Keeps each page of Microsoft 365 users as bytes once it was asked for, until a user changes.
    #[must_use]
    pub fn m365_keep_pages(mut self) -> Self {
        self.tenant.keep_pages = true;
        self
    }

    /// How many people the Google Workspace domain has: as many as the 1Password account unless set,
    /// and never fewer. They are made up as they are asked for.
    #[must_use]
    pub fn google_users(mut self, users: usize) -> Self {
        self.domain.users = users;
        self
    }

    /// How many events Google's log of administrators has: three for each account unless set. They
    /// are made up as they are asked for.
    #[must_use]
    pub fn google_admin_events(mut self, events: usize) -> Self {
        self.domain.admin_events = Some(events);
        self
    }

    /// Keeps each page of Google's users and activities as bytes once it was asked for, until
    /// something changes. Activities that were not yet visible stay so.
    #[must_use]
    pub fn google_keep_pages(mut self) -> Self {
        self.domain.keep_pages = true;
        self
    }

    /// Lets the sandbox's clock read this at its start, instead of the wall clock's time.
    #[must_use]
    pub fn start_at(mut self, at: Timestamp) -> Self {
        self.start_at = Some(at);
        self
    }

    /// Starts the sandbox; it runs in a thread of its own, so the caller's runtime may be any.
    ///
    /// # Errors
    /// A catalogue that cannot be read, an address that cannot be bound or is not loopback.
    pub async fn start(self) -> Result<Sandbox, SandboxError> {
        // A large directory takes a while to make up, which must not hold up the caller's runtime.
        let (send, started) = oneshot::channel();
        thread::spawn(move || {
            let _ = send.send(self.start_blocking());
        });
        let lost = |_| Err(SandboxError::Listen(io::ErrorKind::Interrupted.into()));
        started.await.unwrap_or_else(lost)
    }

    /// [`SandboxBuilder::start`] for callers without a runtime.
    ///
    /// # Errors
    /// The same.
    pub fn start_blocking(self) -> Result<Sandbox, SandboxError> {
        if !self.address.ip().is_loopback() {
            return Err(SandboxError::NotLoopback);
        }
        let listener = TcpListener::bind(self.address).map_err(SandboxError::Listen)?;
        listener
            .set_nonblocking(true)
            .map_err(SandboxError::Listen)?;
        let address = listener.local_addr().map_err(SandboxError::Listen)?;
        let mail = TcpListener::bind((address.ip(), 0)).map_err(SandboxError::Listen)?;
        mail.set_nonblocking(true).map_err(SandboxError::Listen)?;
        let mail_address = mail.local_addr().map_err(SandboxError::Listen)?;
        let world = Arc::new(World::new(self.setup(address)?));
        let (stop, stopped) = oneshot::channel();
        let (done, ended) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(SandboxError::Listen)?;
        let served = Arc::clone(&world);
        let (say_dns, dns) = mpsc::sync_channel(1);
        let run = move || {
            // It lasts as long as the vendors do: whoever started the sandbox holds it.
            let _ = say_dns.send(runtime.block_on(DnsServer::start(dns::SCENARIO)));
            runtime.block_on(async move {
                match tokio::net::TcpListener::from_std(mail) {
                    Ok(mail) => drop(tokio::spawn(smtp::serve(mail, Arc::clone(&served)))),
                    Err(error) => tracing::error!(%error, "the mail server could not listen"),
                }
                match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => server::serve(listener, served, stopped).await,
                    Err(error) => tracing::error!(%error, "the sandbox could not listen"),
                }
            });
            // Requests that outlived the grace are dropped with their runtime.
            runtime.shutdown_background();
            let _ = done.send(());
        };
        let thread = thread::Builder::new()
            .name("protect-sandbox".to_owned())
            .spawn(run)
            .map_err(SandboxError::Listen)?;
        let lost = |_| SandboxError::Listen(io::ErrorKind::Interrupted.into());
        let dns = dns.recv().map_err(lost)?.map_err(SandboxError::from)?;
        Ok(Sandbox {
            address,
            mail: mail_address,
            dns,
            world,
            stop: Some(stop),
            ended: Some(ended),
            thread: Some(thread),
        })
    }

    fn setup(&self, address: SocketAddr) -> Result<Setup, SandboxError> {
        let catalogue = self.catalogue.as_deref().map(Catalogue::load).transpose()?;
        Ok(Setup {
            seed: self.seed,
            users: self.users,
            catalogue,
            plan: self.plan.clone(),
            range_rows: self.range_rows,
            limits: self.rate_limits,
            prerender: self.prerender,
            start_at: self.start_at,
            tenant: self.tenant.clone(),
            domain: self.domain.clone(),
            base: format!("http://{address}"),
        })
    }
}

/// The running simulators. Dropping it stops them.
pub struct Sandbox {
    address: SocketAddr,
    mail: SocketAddr,
    dns: DnsServer,
    world: Arc<World>,
    stop: Option<oneshot::Sender<()>>,
    ended: Option<oneshot::Receiver<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Sandbox");
        shown
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Settings to start one with.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder {
            seed: 1,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            catalogue: None,
            users: DEFAULT_USERS,
            plan: Plan::default(),
            range_rows: DEFAULT_RANGE_ROWS,
            rate_limits: true,
            prerender: None,
            start_at: None,
            tenant: Size::default(),
            domain: google::Size::default(),
        }
    }

    /// `http://127.0.0.1:PORT`, the root of everything; no trailing slash.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// HIBP's API root, ending in `/api/v3`.
    pub fn hibp_api_url(&self) -> String {
        self.url("/hibp/api/v3")
    }

    /// Pwned Passwords' root.
    pub fn hibp_passwords_url(&self) -> String {
        self.url("/hibp/passwords")
    }

    /// Root of 1Password's OAuth and Users API; `/v1beta1` and `/v1` are below it.
    pub fn onepassword_api_url(&self) -> String {
        self.url("/onepassword/api")
    }

    /// Root of 1Password's Events API; `/api/v2` is below it.
    pub fn onepassword_events_url(&self) -> String {
        self.url("/onepassword/events")
    }

    /// Root of the Entra token endpoint; `/{tenant}/oauth2/v2.0/token` is below it.
    pub fn m365_login_url(&self) -> String {
        self.url("/m365/login")
    }

    /// Root of Microsoft Graph; `/v1.0` is below it.
    pub fn m365_graph_url(&self) -> String {
        self.url("/m365/graph")
    }

    /// The key vault; `/secrets/{name}` is below it.
    pub fn m365_vault_url(&self) -> String {
        self.url("/m365/vault")
    }

    /// The webhook receiver.
    pub fn webhook_url(&self) -> String {
        self.url("/webhook")
    }

    /// Root of Stripe's API; `/v1` is below it.
    pub fn stripe_api_url(&self) -> String {
        self.url("/stripe")
    }

    /// `smtp://127.0.0.1:PORT` of the mail server.
    pub fn smtp_url(&self) -> String {
        format!("smtp://{}", self.mail)
    }

    /// `127.0.0.1:PORT` of the name server that has the zones of the planted organisation.
    pub fn dns_address(&self) -> SocketAddr {
        self.dns.address()
    }

    /// The questions that reached the name server, in order.
    pub fn dns_questions(&self) -> Vec<DnsQuestion> {
        self.dns.questions()
    }

    /// What the vendors accept.
    pub fn credentials(&self) -> Credentials {
        self.world.state().credentials()
    }

    /// Who and what was planted.
    pub fn planted(&self) -> Planted {
        self.world.state().planted()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.world.state().journal.requests.clone()
    }

    /// Every state transition so far.
    pub fn transitions(&self) -> Vec<Transition> {
        self.world.state().journal.transitions.clone()
    }

    /// Every broken rule so far; a correct client leaves this empty.
    pub fn violations(&self) -> Vec<Violation> {
        self.world.state().journal.violations.clone()
    }

    /// How things are, as `/_sandbox/state` answers.
    pub fn state(&self) -> Value {
        self.world.state().snapshot()
    }

    /// Switches a fault on.
    pub fn set_fault(&self, fault: Fault) {
        self.world.state().set_fault(fault);
    }

    /// The switches that are on.
    pub fn faults(&self) -> Vec<Fault> {
        self.world.state().faults.list().to_vec()
    }

    /// Switches every fault off.
    pub fn clear_faults(&self) {
        self.world.state().faults.clear();
    }

    /// The sandbox's time.
    pub fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// Moves the sandbox's clock; a negative duration moves it back.
    pub fn advance_clock(&self, by: SignedDuration) {
        self.world.clock.advance(by);
    }

    /// Back to the beginning: state, journal, faults and clock. Credentials stay.
    pub fn reset(&self) {
        self.world.reset();
    }

    /// Appends sign-in attempts, in the vendor's shape; a missing `uuid` or `timestamp` is made up.
    pub fn append_sign_ins(&self, items: Vec<Map<String, Value>>) {
        let now = self.now();
        self.world.state().append_events(Stream::SignIn, items, now);
    }

    /// Suspends or reactivates a 1Password user as a person in the vendor's console would. False
    /// for an unknown user.
    pub fn set_user_suspended(&self, id: &str, suspended: bool) -> bool {
        let now = self.now();
        let change = UserChange::to_suspended(suspended);
        self.world.state().edit_user(id, change, now)
    }

    /// A certificate and key that every Microsoft 365 application accepts beside its secret. Made up
    /// once in a process.
    pub fn m365_certificate(&self) -> ClientCertificate {
        assertion::built_in()
    }

    /// Changes a Microsoft 365 application (`scan`, `respond`, `vault`), as
    /// `PATCH /_sandbox/m365/applications/{name}` does. False for what does not fit.
    pub fn edit_m365_application(&self, name: &str, change: Value) -> bool {
        let change = serde_json::from_value(change);
        change.is_ok_and(|change| self.world.state().m365.edit_application(name, change))
    }

    /// Changes the tenant, as `POST /_sandbox/m365/settings` does. False for what does not fit.
    pub fn edit_m365_tenant(&self, change: Value) -> bool {
        let change = serde_json::from_value(change);
        change.is_ok_and(|change| {
            self.world.state().m365.edit_tenant(change);
            true
        })
    }

    /// Replaces a collection of the tenant, by a list or by a page of Graph, or a document that there
    /// is one of, as `PUT /_sandbox/m365/documents/{name}` does. False for an unknown name or another
    /// type.
    pub fn set_m365_document(&self, name: &str, document: Value) -> bool {
        self.world.state().m365.replace_document(name, document)
    }

    /// Disables or enables a Microsoft 365 account as an administrator would. False for an unknown
    /// one.
    pub fn set_m365_user_enabled(&self, id: &str, enabled: bool) -> bool {
        let change = graph::AccountChange {
            enabled: Some(enabled),
            deleted: false,
        };
        let now = self.now();
        self.world.state().edit_account(id, &change, now)
    }

    /// Deletes a Microsoft 365 account as an administrator would. False for an unknown one.
    pub fn delete_m365_user(&self, id: &str) -> bool {
        let change = graph::AccountChange {
            enabled: None,
            deleted: true,
        };
        let now = self.now();
        self.world.state().edit_account(id, &change, now)
    }

    /// Publishes a breach (in HIBP's shape) that these accounts are in; one of the same `Name` is
    /// replaced. False for a body without a name.
    pub fn publish_breach(&self, breach: Value, accounts: &[String]) -> bool {
        self.world.state().publish_breach(breach, accounts)
    }

    /// Stops listening, gives requests under way half a second, and ends the thread.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        if let Some(ended) = self.ended.take() {
            let _ = ended.await;
        }
    }

    /// [`Sandbox::shutdown`] for callers without a runtime.
    pub fn shutdown_blocking(mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    /// Everything another process needs to know, as one JSON object: addresses and credentials.
    pub fn describe(&self) -> Value {
        json!({
            "base_url": self.base_url(),
            "hibp_api": self.hibp_api_url(),
            "hibp_passwords": self.hibp_passwords_url(),
            "onepassword_api": self.onepassword_api_url(),
            "onepassword_events": self.onepassword_events_url(),
            "m365_login": self.m365_login_url(),
            "m365_graph": self.m365_graph_url(),
            "m365_vault": self.m365_vault_url(),
            "google_api": self.google_api_url(),
            "google_token": self.google_token_url(),
            "one_stack": self.one_stack_root(),
            "webhook": self.webhook_url(),
            "smtp": self.smtp_url(),
            "stripe_api": self.stripe_api_url(),
            "scim": self.scim_url(),
            "dns": self.dns_address(),
            "credentials": self.credentials(),
        })
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}
