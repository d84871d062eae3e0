//! Who somebody is: asked of whatever login the embedding program has, or of a connector that is one.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::error::Result;
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
