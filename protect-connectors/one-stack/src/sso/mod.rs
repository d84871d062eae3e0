//! Sign-in by tokens that Hub signs: of the organisation's staff, and of users of its clients.
//!
//! What a token of staff holds is not documented but for what it is about
//! (<https://docs.theonestack.com/docs/hub/sso-login>); that of a client's user is, less its algorithm
//! (<https://docs.theonestack.com/docs/portal/client-login>). The names of the claims are ours, and
//! `conventions.members` replaces them.

mod claims;
mod connector;
mod keys;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use protect_core::authenticate::{Authenticator, Shown, SignedIn, SingleUse};
use protect_core::config::{ConnectionConfig, CredentialSpec, KindSpec, SettingSpec};
use protect_core::connector::{ConnectorInfo, CredentialDiagnosis};
use protect_core::model::{AccessLevel, Actor, Authority, ClientAccess, TenantId};
use protect_core::registry::ConnectorSetup;
use protect_core::secret::{ExposeSecret, SecretRef, SecretString};
use protect_core::{Context, Error, ErrorKind, Result};

use crate::config::{self, text};
use crate::conventions::Conventions;
use claims::{Claims, Limits};
pub(crate) use connector::SignInConnector;
use keys::{Algorithm, Keys};

/// Longer tokens are refused before anything is read of them.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// What a token that names its audience must name, unless the configuration says another.
const AUDIENCE: &str = "protect";

/// Whose tokens are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Users {
    /// The organisation's own people.
    Staff,
    /// Users of one of its clients.
    Clients,
}

/// Adds what sign-in needs to a kind; `variable` is the product's own name of the shared secret.
pub(crate) fn add_to(spec: KindSpec, variable: &str) -> KindSpec {
    let credential = CredentialSpec::new()
        .secret(
            "sso_secret",
            "The secret that Hub signs its tokens with (HS256), at least 32 bytes.",
        )
        .variable(variable)
        .secret(
            "sso_public_key",
            "Hub's public key in PEM, where it signs with a key pair (ES256) instead.",
        )
        .optional_secret(
            "sso_secret_previous",
            "The secret before: tokens signed with it are still taken.",
        )
        .optional_secret(
            "sso_public_key_previous",
            "The public key before: tokens signed with it are still taken.",
        )
        .alternative(["sso_secret"])
        .alternative(["sso_public_key"]);
    spec.optional_scan(credential)
        .connection_setting(
            SettingSpec::text(
                "audience",
                "What a token must name as its audience; where this is left out, a token without one is taken too.",
            )
            .default(AUDIENCE),
        )
        .connection_setting(SettingSpec::text(
            "issuer",
            "Who a token must name as its issuer; anybody where this is left out.",
        ))
}

/// Sign-in to one tenant.
#[derive(Debug)]
pub(crate) struct SignIn {
    info: ConnectorInfo,
    context: Context,
    users: Users,
    organisation: String,
    client: Option<String>,
    conventions: Conventions,
    keys: Keys,
}

impl SignIn {
    /// Sign-in as the configuration has it; `None` where the connection has no `scan` credential.
    ///
    /// # Errors
    /// `config_invalid` naming the field.
    pub(crate) fn read(
        setup: &ConnectorSetup,
        users: Users,
        context: &Context,
    ) -> Result<Option<Self>> {
        let Some((_, connection)) = &setup.connection else {
            return Err(setup.error("connection", "this kind needs it"));
        };
        let Some(keys) = keys(setup, connection, context)? else {
            return Ok(None);
        };
        let client = text(setup, "client_id").filter(|_| users == Users::Clients);
        if users == Users::Clients && client.is_none() {
            return Err(setup.error(
                "client_id",
                "say whose users sign in: without it every client of the organisation could",
            ));
        }
        let organisation = text(setup, "organisation_id")
            .ok_or_else(|| setup.error("organisation_id", "this kind needs it"))?;
        Ok(Some(Self {
            info: setup.info.clone(),
            context: context.clone(),
            users,
            organisation,
            client,
            conventions: config::conventions(setup, connection)?,
            keys,
        }))
    }

    /// What `doctor` says of the secrets. Whether they are those of Hub shows the first token.
    pub(crate) async fn diagnose(&self) -> CredentialDiagnosis {
        let problem = self.keys.problem().await;
        let cannot_tell = "cannot tell whether Hub signs with it: the first sign-in shows that";
        CredentialDiagnosis {
            name: "scan".to_owned(),
            accepted: problem.is_some().then_some(false),
            missing: Vec::new(),
            excess: Vec::new(),
            note: Some(problem.unwrap_or_else(|| cannot_tell.to_owned())),
        }
    }

    /// What a token says, verified.
    async fn claims(&self, token: &str, shown: Shown) -> Result<Claims> {
        let claims = self.keys.verify(token).await?;
        let limits = Limits {
            now: self.context.clock.now(),
            shown,
            users: self.users,
        };
        Claims::read(&self.conventions.read(claims), &limits)
    }

    /// Whether a token is for this tenant, as far as it says so.
    fn is_named(&self, organisation: &str, client: Option<&str>) -> bool {
        self.organisation == organisation
            && (self.client.is_none() || self.client.as_deref() == client)
    }
}

#[async_trait]
impl Authenticator for SignIn {
    async fn authenticate(
        &self,
        tenant: &TenantId,
        credential: &SecretString,
        shown: Shown,
    ) -> Result<SignedIn> {
        let token = credential.expose_secret();
        if token.len() > MAX_TOKEN_BYTES {
            return Err(refused("this is no token of Hub"));
        }
        let claims = self.claims(token, shown).await?;
        let client = claims.client.as_ref();
        let client_id = client.map(|client| client.client_id.as_str());
        if *tenant != self.info.tenant || !self.is_named(&claims.organisation, client_id) {
            return Err(Error::new(
                ErrorKind::PermissionDenied,
                "this sign-in is for another organisation, or another client of it",
            )
            .with_context("tenant", tenant.as_str()));
        }
        let single_use = match shown {
            Shown::Always => None,
            Shown::Once => Some(SingleUse {
                id: claims.id.ok_or_else(|| refused("the token has no `jti`"))?,
                until: claims.worthless_at,
            }),
        };
        let authority = match claims.client {
            Some(client) => Authority::client(client),
            None => claims.staff,
        };
        Ok(SignedIn {
            actor: Actor::authenticated(&self.info.kind, claims.subject, Some(authority)),
            name: claims.name,
            address: Some(claims.address),
            until: Some(claims.session_ends),
            single_use,
        })
    }

    fn concerns(&self, tenant: &TenantId, credential: &SecretString) -> bool {
        let token = credential.expose_secret();
        if *tenant != self.info.tenant || token.len() > MAX_TOKEN_BYTES {
            return false;
        }
        let Some(claims) = keys::peek(token) else {
            return false;
        };
        let claims = self.conventions.read(claims);
        let client = claims::client_id(&claims);
        let is_client = claims::is_of_client(&claims);
        is_client == (self.users == Users::Clients)
            && claims::organisation(&claims).is_some_and(|named| self.is_named(named, client))
    }
}

/// The keys of a connection, with the algorithm that its fields say.
fn keys(
    setup: &ConnectorSetup,
    connection: &ConnectionConfig,
    context: &Context,
) -> Result<Option<Keys>> {
    let of = |field: &str| connection.scan_secret(field);
    let secret = of("sso_secret").map(|secret| (secret, of("sso_secret_previous")));
    let public = of("sso_public_key").map(|key| (key, of("sso_public_key_previous")));
    let (algorithm, (now, before)) = match (secret, public) {
        (None, None) => return Ok(None),
        (Some(secret), None) => (Algorithm::Hs256, secret),
        (None, Some(key)) => (Algorithm::Es256, key),
        (Some(_), Some(_)) => {
            let message = "give one of `sso_secret` and `sso_public_key`: it says the algorithm";
            return Err(setup.error("scan", message));
        }
    };
    let named = |name: &str| connection.settings.get(name)?.as_str();
    let references: Vec<SecretRef> = std::iter::once(now).chain(before).collect();
    Ok(Some(Keys::new(
        context,
        algorithm,
        references,
        named("audience"),
        named("issuer"),
    )))
}

/// A token is not good.
fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unauthenticated, message)
}

/// Whose data a client's user sees, by the words of the platform.
fn client_access(client_id: &str, level: &str) -> Option<ClientAccess> {
    let mut known = AccessLevel::ALL.into_iter();
    let level = known.find(|known| known.as_str() == level)?;
    let client_id = client_id.to_owned();
    Some(ClientAccess { client_id, level })
}
