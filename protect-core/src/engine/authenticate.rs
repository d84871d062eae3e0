//! Who somebody is: as the embedding program's login says, or a connector that is one.

use jiff::Timestamp;
use serde_json::json;

use super::{Engine, Tenant};
pub use crate::authenticate::{Authenticator, Browser, Shown, SignedIn, SingleUse};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Actor, PeopleRole, TenantId, hash_fields};
use crate::secret::SecretString;
use crate::store::{Change, Commit, Expect, Put, Query, RecordKind};

/// How many ids that are worth nothing any more are forgotten with each new one.
const FORGET_AT_ONCE: usize = 100;

impl Engine {
    /// The actor behind a credential that comes with each request.
    ///
    /// # Errors
    /// As for [`Tenant::sign_in`]; `not_found` for an unknown tenant.
    pub async fn authenticate(
        &self,
        tenant: &TenantId,
        credential: &SecretString,
    ) -> Result<Actor> {
        let tenant = self.tenant(tenant.as_str())?;
        let signed_in = tenant.sign_in(credential, Shown::Always).await?;
        Ok(signed_in.actor)
    }

    /// Signs somebody in to every tenant that the credential is for: a provider's staff looks after
    /// several. Never empty. Of a landing that is refused the tenant's events tell, with what `browser` says.
    ///
    /// # Errors
    /// `unauthenticated` where it is for none; otherwise as for [`Tenant::sign_in`].
    pub async fn sign_in(
        &self,
        credential: &SecretString,
        shown: Shown,
        browser: &Browser,
    ) -> Result<Vec<(Tenant, SignedIn)>> {
        let signed_in = self.try_sign_in(credential, shown).await;
        #[cfg(feature = "people")]
        if let (Err(error), Shown::Once) = (&signed_in, shown) {
            self.tell_of_failure(credential, error, browser).await;
        }
        #[cfg(not(feature = "people"))]
        let _ = browser;
        signed_in
    }

    /// Has each tenant that a credential names tell that it was no good.
    #[cfg(feature = "people")]
    async fn tell_of_failure(&self, credential: &SecretString, error: &Error, browser: &Browser) {
        for tenant in self.tenants() {
            if !tenant.is_concerned(credential) {
                continue;
            }
            if let Err(untold) = tenant.login_failed(error, browser).await {
                tracing::error!(tenant = %tenant.id(), error = %untold, "a sign-in that was refused could not be told");
            }
        }
    }

    async fn try_sign_in(
        &self,
        credential: &SecretString,
        shown: Shown,
    ) -> Result<Vec<(Tenant, SignedIn)>> {
        let mut accepted = Vec::new();
        let mut refused = None;
        for tenant in self.tenants() {
            if !tenant.is_concerned(credential) {
                continue;
            }
            match tenant.verify(credential, shown).await {
                Ok(signed_in) => accepted.push((tenant, signed_in)),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        if accepted.is_empty() {
            return Err(refused.unwrap_or_else(nobody));
        }
        // Used up for all of them, or for none of them good.
        for (tenant, signed_in) in &accepted {
            tenant.use_up(signed_in).await?;
        }
        Ok(accepted)
    }
}

impl Tenant {
    /// Who is behind a credential: the embedding program's [`Authenticator`] is asked first, then each
    /// connector that is one. A credential that counts once is used up by this.
    ///
    /// # Errors
    /// `unsupported` where there is nobody to ask; otherwise what the first says that was asked.
    pub async fn sign_in(&self, credential: &SecretString, shown: Shown) -> Result<SignedIn> {
        let signed_in = self.verify(credential, shown).await?;
        self.use_up(&signed_in).await?;
        Ok(signed_in)
    }

    async fn verify(&self, credential: &SecretString, shown: Shown) -> Result<SignedIn> {
        if self.authenticators().next().is_none() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "nobody can sign in: the tenant has no connector of kind `hub` or `portal` with an `sso_secret`, and this program brought no authenticator",
            ));
        }
        let mut refused = None;
        let concerned = |it: &&dyn Authenticator| it.concerns(self.id(), credential);
        for authenticator in self.authenticators().filter(concerned) {
            let answer = authenticator.authenticate(self.id(), credential, shown);
            match answer.await {
                Ok(signed_in) => return Ok(self.with_role_in_the_workforce(signed_in)),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        Err(refused.unwrap_or_else(nobody))
    }

    /// Adds what the login leaves to us: the address by which somebody is found in the workforce, and their
    /// role there. What Hub says of the product comes first, then the tenant's configuration. A user of a
    /// client has no role in the organisation, and is an employee unless their address says otherwise.
    fn with_role_in_the_workforce(&self, mut signed_in: SignedIn) -> SignedIn {
        let Some(authority) = &mut signed_in.actor.authority else {
            return signed_in;
        };
        if authority.address.is_none() {
            authority.address.clone_from(&signed_in.address);
        }
        let roles = &self.config().people.roles;
        let told = authority.products.get(&roles.product).cloned();
        let by_address = || roles.addresses.get(authority.address.as_ref()?);
        let by_role = || {
            let role = roles.organisation.get(&authority.role);
            role.filter(|_| authority.client.is_none())
        };
        let role = told.unwrap_or_else(|| {
            let role = by_address().or_else(by_role).copied();
            role.unwrap_or(PeopleRole::Employee).as_str().to_owned()
        });
        let product = PeopleRole::PRODUCT.to_owned();
        authority.products.insert(product, role);
        signed_in
    }

    fn is_concerned(&self, credential: &SecretString) -> bool {
        self.authenticators()
            .any(|authenticator| authenticator.concerns(self.id(), credential))
    }

    fn authenticators(&self) -> impl Iterator<Item = &dyn Authenticator> {
        let own = self.shared.authenticator.as_deref();
        let connectors = self.connectors().iter();
        own.into_iter()
            .chain(connectors.filter_map(|connector| connector.as_authenticator()))
    }

    async fn use_up(&self, signed_in: &SignedIn) -> Result<()> {
        let Some(once) = &signed_in.single_use else {
            return Ok(());
        };
        let by = signed_in.actor.authenticated_by.as_str();
        let put = put_once(&["sign_in", by, &once.id], None, once.until)?;
        let commit = self.forgetting(Commit::default().put(put)).await?;
        match self.store().commit(self.id(), commit).await {
            Err(error) if error.kind() == ErrorKind::Conflict => Err(Error::new(
                ErrorKind::Unauthenticated,
                "this sign-in was used before; start it again from where it came",
            )),
            result => result.map(drop),
        }
    }

    /// Adds the removal of what was kept so that it counts once, and is worth nothing any more.
    pub(crate) async fn forgetting(&self, mut commit: Commit) -> Result<Commit> {
        let query = Query::all(RecordKind::Once)
            .due_by(self.now())
            .limit(FORGET_AT_ONCE);
        let page = self.store().query(self.id(), query).await?;
        let known: Vec<_> = commit.changes.iter().filter_map(put_key).collect();
        let old = page.records.into_iter().map(|record| record.key);
        let old: Vec<_> = old.filter(|key| !known.contains(key)).collect();
        commit
            .changes
            .extend(old.into_iter().map(|key| Change::Delete {
                kind: RecordKind::Once,
                key,
                expect: Expect::Anything,
            }));
        Ok(commit)
    }
}

/// A record that can be written once, kept until it is worth nothing.
pub(crate) fn put_once(
    what: &[&str],
    signed_at: Option<Timestamp>,
    until: Timestamp,
) -> Result<Put> {
    let content = json!({ "signed_at": signed_at });
    let put = Put::new(RecordKind::Once, once_key(what), &content)?;
    Ok(put.due(Some(until)).expect(Expect::Absent))
}

/// The key of what counts once; its parts may be anything.
pub(crate) fn once_key(what: &[&str]) -> String {
    hash_fields("once", what)
}

fn put_key(change: &Change) -> Option<String> {
    match change {
        Change::Put(put) => Some(put.key.to_string()),
        _ => None,
    }
}

fn nobody() -> Error {
    Error::new(
        ErrorKind::Unauthenticated,
        "no tenant here accepts this sign-in; compare `organisation_id` and `sso_secret` with the Hub's",
    )
}
