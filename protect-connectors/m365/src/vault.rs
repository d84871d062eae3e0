//! Secrets of an Azure Key Vault
//! (<https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret>).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use protect_core::auth::TokenSource;
use protect_core::config::KeyVaultConfig;
use protect_core::connector::OpContext;
use protect_core::context::Context;
use protect_core::http::{ErrorAnswer, HttpClient, is_loopback};
use protect_core::model::{Actor, TenantId};
use protect_core::secret::{SecretRef, SecretResolver, SecretString};
use protect_core::{Error, ErrorKind, Result};
use serde::Deserialize;
use url::Url;

use crate::auth::{self, AppCredential, Proof};
use crate::config::{Place, TenantName};

/// Reads secrets of key vaults with the application that the configuration names for that alone;
/// every other reference is passed on.
pub struct KeyVaultSecrets {
    rest: Arc<dyn SecretResolver>,
    context: Context,
    place: Place,
    tokens: Arc<dyn TokenSource>,
    vaults: Mutex<HashMap<String, HttpClient>>,
}

/// How long reading one secret may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// The version of the interface.
const API_VERSION: &str = "7.4";

const READ: &str = "key_vault.get_secret";

impl KeyVaultSecrets {
    /// Reads vaults as `config` says, and asks the context's own resolver for everything else, the
    /// vaults' credential among it. No I/O.
    ///
    /// # Errors
    /// `config_invalid` naming the field.
    pub fn new(context: &Context, config: &KeyVaultConfig) -> Result<Self> {
        let at = |field: &'static str| {
            move |error: Error| Error::config(format!("key_vault.{field}"), error.message())
        };
        let cloud = config.cloud.as_deref().unwrap_or("global");
        let cloud = cloud.parse().map_err(at("cloud"))?;
        let tenant = TenantName::new(&config.tenant_id).map_err(at("tenant_id"))?;
        let mut place = Place::of(tenant, cloud);
        if let Some(login) = &config.login {
            place.login.clone_from(login);
        }
        let proof = match (
            &config.client_secret,
            &config.certificate,
            &config.private_key,
        ) {
            (Some(secret), None, None) => Proof::Secret(secret.clone().into()),
            (None, Some(certificate), Some(private_key)) => Proof::Certificate {
                certificate: certificate.clone().into(),
                private_key: private_key.clone().into(),
            },
            _ => {
                let message = "give `client_secret`, or `certificate` and `private_key`";
                return Err(Error::config("key_vault", message));
            }
        };
        let credential = AppCredential::new(&config.client_id, proof).map_err(at("client_id"))?;
        let resource = format!("https://{}", cloud.vault());
        let tokens = auth::tokens(context, &place, credential, &resource).map_err(at("login"))?;
        Ok(Self {
            rest: Arc::clone(&context.secrets),
            context: context.clone(),
            place,
            tokens,
            vaults: Mutex::default(),
        })
    }

    async fn read(&self, vault: &str, name: &str) -> Result<SecretString> {
        let is_name = (1..=127).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_name {
            let message = "a secret of a key vault is named by letters, digits and hyphens";
            return Err(Error::new(ErrorKind::ConfigInvalid, message));
        }
        let cx = OpContext::new(
            TenantId::new("platform")?,
            self.context.fresh_guid(),
            Actor::engine(),
        );
        let cx = cx.with_deadline(self.context.clock.monotonic() + PATIENCE);
        let answer = self
            .vault(vault)?
            .request(Method::GET, READ, "/secrets/{name}")
            .path("name", name)
            .query("api-version", API_VERSION)
            .sensitive()
            .send(&cx)
            .await?;
        let secret: Secret = answer.json()?;
        Ok(secret.value.into())
    }

    /// The vault at an address. A token is sent to Microsoft's vaults alone, or to this machine.
    fn vault(&self, address: &str) -> Result<HttpClient> {
        let mut vaults = self.vaults.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(vault) = vaults.get(address) {
            return Ok(vault.clone());
        }
        let url = Url::parse(address).ok();
        let suffix = format!(".{}", self.place.cloud.vault());
        let is_theirs = url.as_ref().is_some_and(|url| {
            let host = url.host_str().unwrap_or_default();
            is_loopback(url) || (host.ends_with(&suffix) && url.port().is_none())
        });
        if !is_theirs {
            return Err(Error::new(
                ErrorKind::ConfigInvalid,
                format!("the address is no key vault of this cloud (`https://NAME{suffix}`)"),
            ));
        }
        let vault = HttpClient::builder(&self.context, address)?
            .auth(Arc::clone(&self.tokens))
            .errors(vault_error)
            .build();
        vaults.insert(address.to_owned(), vault.clone());
        Ok(vault)
    }
}

#[async_trait]
impl SecretResolver for KeyVaultSecrets {
    async fn resolve(&self, reference: &SecretRef) -> Result<SecretString> {
        let SecretRef::KeyVault { key_vault, name } = reference else {
            return self.rest.resolve(reference).await;
        };
        let read = self.read(key_vault, name).await;
        read.map_err(|error| error.with_context("secret", reference.to_string()))
    }
}

#[derive(Deserialize)]
struct Secret {
    value: String,
}

fn vault_error(answer: &ErrorAnswer) -> Error {
    match answer.status.as_u16() {
        403 => Error::new(
            ErrorKind::PermissionDenied,
            "the application may not read this secret: give it the role `Key Vault Secrets User`, and see that the vault's firewall lets this machine in and the secret is enabled",
        ),
        404 => Error::new(
            ErrorKind::ConfigInvalid,
            "the vault has no secret of this name",
        ),
        _ => answer.default_error(),
    }
}

impl fmt::Debug for KeyVaultSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyVaultSecrets(…)")
    }
}
