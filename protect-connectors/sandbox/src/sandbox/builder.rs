//! How a sandbox is to be.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
};

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{Sandbox, SandboxError};
use crate::{
    dns::{self, DnsServer},
    google,
    graph::Size,
    hibp::{Catalogue, Plan},
    server, smtp,
    world::{Setup, World},
};

const DEFAULT_USERS: usize = 40;
const DEFAULT_RANGE_ROWS: usize = 40;

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
    pub(super) fn new() -> Self {
        Self {
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
