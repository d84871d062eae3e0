//! Starting, asking and stopping a sandbox.

mod builder;
mod google_workspace;
mod one_stack;
mod scim;

use std::{io, net::SocketAddr, sync::Arc, thread};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use crate::{
    assertion::{self, ClientCertificate},
    dns::{DnsQuestion, DnsServer, DnsServerError},
    faults::Fault,
    graph,
    journal::{RequestRecord, Transition, Violation},
    one_stack::OneStackOrganisation,
    onepassword::{Stream, UserChange},
    scenario::Planted,
    world::World,
};

pub use builder::SandboxBuilder;

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
        SandboxBuilder::new()
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
