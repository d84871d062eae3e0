//! Who somebody is: asked of whatever login the embedding program has, or of a connector that is one.

use std::fmt::{self, Debug};
use std::net::IpAddr;

use ::http::header::USER_AGENT;
use async_trait::async_trait;
use jiff::Timestamp;

use crate::error::Result;
use crate::inbound::InboundRequest;
use crate::model::{Actor, Address, TenantId};
use crate::secret::SecretString;

/// Turns a credential into the one it belongs to.
///
/// The engine has no password of its own: a host brings its login by implementing this.
#[async_trait]
pub trait Authenticator: Debug + Send + Sync + 'static {
    /// Who is behind a credential, within a tenant. `Actor::authenticated_by` names this
    /// authenticator. `shown` says how the credential came.
    ///
    /// # Errors
    /// `unauthenticated` for a credential that is not good (any more), or not one of that sort;
    /// `permission_denied` for a good one that may not act in this tenant.
    async fn authenticate(
        &self,
        tenant: &TenantId,
        credential: &SecretString,
        shown: Shown,
    ) -> Result<SignedIn>;

    /// Whether a credential, before anybody verified it, says to be for this tenant: a landing page
    /// hears of no tenant but from the credential.
    fn concerns(&self, _tenant: &TenantId, _credential: &SecretString) -> bool {
        true
    }
}

/// How a credential came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Handed over by a link, to begin a session: it may count once only, and for a moment.
    Once,
    /// With each request.
    Always,
}

/// What somebody signs in with, as far as whoever serves knows it: for the events that tell of sign-ins, and
/// for nothing else.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Browser {
    /// From which network address.
    pub ip_address: Option<IpAddr>,
    /// With which program, as it says itself.
    pub user_agent: Option<String>,
}

impl Browser {
    /// Longer than this no program says what it is, in bytes.
    pub const LONGEST_AGENT: usize = 512;

    /// What a request came from.
    pub fn of(request: &InboundRequest) -> Self {
        let agent = request.header(USER_AGENT.as_str()).map(str::trim);
        let agent = agent.filter(|agent| !agent.is_empty());
        Self {
            ip_address: request.from,
            user_agent: agent.map(|agent| {
                let end = agent.floor_char_boundary(Self::LONGEST_AGENT);
                agent[..end].to_owned()
            }),
        }
    }
}

impl fmt::Debug for Browser {
    /// Leaves out what it knows: `Debug` ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser").finish_non_exhaustive()
    }
}

/// Somebody whose credential was good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Who it is, and what they may do.
    pub actor: Actor,
    /// What to call them on a page.
    pub name: String,
    /// Their address, where the credential says it.
    pub address: Option<Address>,
    /// When a session that begins with it ends by itself, where the credential says so.
    pub until: Option<Timestamp>,
    /// For a credential that counts once: the engine keeps what it had, and refuses the next.
    pub single_use: Option<SingleUse>,
}

impl SignedIn {
    /// Somebody whose credential has no end and counts as often as it is shown.
    pub fn new(actor: Actor) -> Self {
        Self {
            name: actor.id.clone(),
            actor,
            address: None,
            until: None,
            single_use: None,
        }
    }
}

/// What tells a credential that counts once from every other one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SingleUse {
    /// Its id, unique within the tenant.
    pub id: String,
    /// Until when it would be good: so long it is remembered.
    pub until: Timestamp,
}
