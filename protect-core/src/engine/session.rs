//! Sessions: what a browser holds after a sign-in, kept here so that it holds in every process and ends
//! when somebody signs out.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::authenticate::{Browser, SignedIn};
use super::inbound::Caller;
use super::{Engine, Tenant};
use crate::error::{Error, Result};
use crate::model::{Actor, Address, Attributes, TenantId, hash_fields};
use crate::secret::{ExposeSecret, SecretString};
use crate::store::{Change, Commit, Expect, Put, Query, RecordKind};

/// How long a session lasts whose credential does not say.
const UNLESS_SAID: SignedDuration = SignedDuration::from_hours(8);

/// How many sessions that are over are forgotten with each new one.
const FORGET_AT_ONCE: usize = 100;

/// Who signed in, and where they may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Who they are in each tenant.
    pub tenants: BTreeMap<TenantId, Actor>,
    /// What to call them on a page.
    pub name: String,
    /// Their address, where the sign-in said it.
    pub address: Option<Address>,
    /// When it ends by itself.
    pub until: Timestamp,
}

impl Session {
    /// A session of those who signed in; `None` where nobody did.
    pub fn of(signed_in: &[(Tenant, SignedIn)], now: Timestamp) -> Option<Self> {
        let (_, first) = signed_in.first()?;
        let ends = signed_in.iter().filter_map(|(_, who)| who.until).min();
        let latest = now.checked_add(UNLESS_SAID).unwrap_or(Timestamp::MAX);
        let who = |(tenant, who): &(Tenant, SignedIn)| (tenant.id().clone(), who.actor.clone());
        Some(Self {
            tenants: signed_in.iter().map(who).collect(),
            name: first.name.clone(),
            address: first.address.clone(),
            until: ends.unwrap_or(latest),
        })
    }

    /// The one who calls, in a tenant of the session.
    pub fn caller(&self, tenant: &str) -> Option<Caller> {
        let mut tenants = self.tenants.iter();
        let (tenant, actor) = tenants.find(|(id, _)| id.as_str() == tenant)?;
        Some(Caller {
            tenant: tenant.clone(),
            actor: actor.clone(),
        })
    }

    /// The one who calls, where the session is of a single tenant.
    pub fn only_caller(&self) -> Option<Caller> {
        let mut tenants = self.tenants.keys();
        let only = tenants.next().filter(|_| tenants.next().is_none())?;
        self.caller(only.as_str())
    }
}

impl Engine {
    /// Begins a session; what the browser is to hold. Only its hash is kept. The tenants' events tell of it,
    /// with what `browser` says.
    ///
    /// # Errors
    /// `store`; `invalid_input` where nobody signed in.
    pub async fn open_session(
        &self,
        signed_in: &[(Tenant, SignedIn)],
        browser: &Browser,
    ) -> Result<(SecretString, Session)> {
        #[cfg(not(feature = "people"))]
        let _ = browser;
        let now = self.context().clock.now();
        let session = Session::of(signed_in, now);
        let (Some(session), Some((home, _))) = (session, signed_in.first()) else {
            return Err(Error::invalid_input("nobody signed in"));
        };
        let mut random = [0; 32];
        self.context().random.fill(&mut random);
        let token = format!("{}.{}", home.id(), URL_SAFE_NO_PAD.encode(random));
        for (tenant, who) in signed_in {
            let mut commit = Commit::default().append(
                tenant
                    .entry_by("session.opened", &who.actor, Attributes::new())
                    .await?,
            );
            #[cfg(feature = "people")]
            if let Some(event) = tenant.login_succeeded(who, &key(&token), browser)? {
                commit = commit.put(event);
            }
            if tenant.id() == home.id() {
                let put = Put::new(RecordKind::Session, key(&token), &session)?;
                commit = commit.put(put.due(Some(session.until)).expect(Expect::Absent));
                commit.changes.extend(home.sessions_that_are_over().await?);
            }
            tenant.store().commit(tenant.id(), commit).await?;
        }
        Ok((token.into(), session))
    }

    /// The session that a browser holds; `None` for one that is over, or never was.
    ///
    /// # Errors
    /// `store`.
    pub async fn session(&self, token: &SecretString) -> Result<Option<Session>> {
        let Some(home) = self.home_of(token) else {
            return Ok(None);
        };
        let key = key(token.expose_secret());
        let found = home.read::<Session>(RecordKind::Session, &key).await?;
        let now = self.context().clock.now();
        let session = found.map(|found| found.value);
        Ok(session.filter(|session| now < session.until))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// `store`.
    pub async fn close_session(&self, token: &SecretString) -> Result<()> {
        let Some(home) = self.home_of(token) else {
            return Ok(());
        };
        let commit = Commit {
            changes: vec![remove(key(token.expose_secret()))],
            entries: Vec::new(),
        };
        self.store().commit(home.id(), commit).await.map(drop)
    }

    /// The tenant that keeps a session.
    fn home_of(&self, token: &SecretString) -> Option<Tenant> {
        let (home, _) = token.expose_secret().rsplit_once('.')?;
        self.tenant(home).ok()
    }
}

impl Tenant {
    async fn sessions_that_are_over(&self) -> Result<impl Iterator<Item = Change>> {
        let query = Query::all(RecordKind::Session)
            .due_by(self.now())
            .limit(FORGET_AT_ONCE);
        let page = self.store().query(self.id(), query).await?;
        Ok(page.records.into_iter().map(|record| remove(record.key)))
    }
}

fn key(token: &str) -> String {
    hash_fields("session", &[token])
}

fn remove(key: String) -> Change {
    Change::Delete {
        kind: RecordKind::Session,
        key,
        expect: Expect::Anything,
    }
}
