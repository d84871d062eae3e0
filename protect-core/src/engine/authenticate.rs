//! Who somebody is, decided by whatever login the embedding program has.

use std::fmt::Debug;

use async_trait::async_trait;

use super::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Actor, TenantId};
use crate::secret::SecretString;

/// Turns a credential into the actor it belongs to.
///
/// The engine has no password of its own: a host brings its login by implementing this.
#[async_trait]
pub trait Authenticator: Debug + Send + Sync + 'static {
    /// The actor behind a credential, within a tenant. `Actor::authenticated_by` names this
    /// authenticator.
    ///
    /// # Errors
    /// `unauthenticated` for a credential that is not good (any more); `permission_denied` for a
    /// good one that may not act in this tenant.
    async fn authenticate(&self, tenant: &TenantId, credential: &SecretString) -> Result<Actor>;
}

impl Engine {
    /// The actor behind a credential, as the embedding program's [`Authenticator`] says.
    ///
    /// # Errors
    /// `unsupported` where the program brought none; otherwise what the authenticator says.
    pub async fn authenticate(
        &self,
        tenant: &TenantId,
        credential: &SecretString,
    ) -> Result<Actor> {
        match &self.shared.authenticator {
            Some(authenticator) => authenticator.authenticate(tenant, credential).await,
            None => Err(Error::new(
                ErrorKind::Unsupported,
                "this program brought no authenticator; give one to the engine's builder",
            )),
        }
    }
}
