use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use protect_core::secret::{SecretRef, SecretResolver, SecretString};
use protect_core::{Error, ErrorKind, Result};

/// Gives a secret when it is needed: what a Python or Node callback becomes.
#[async_trait]
pub trait SecretSource: Send + Sync + 'static {
    /// The secret, as it is now.
    ///
    /// # Errors
    /// Whatever kept it from being had; never with the secret in it.
    async fn secret(&self) -> Result<SecretString>;
}

#[async_trait]
impl SecretSource for SecretString {
    async fn secret(&self) -> Result<SecretString> {
        Ok(self.clone())
    }
}

/// Secrets that the embedding program hands over, by name: what `{ provided = "name" }` means.
/// Every other sort of reference goes to the resolver behind it. Cheap to clone.
#[derive(Clone)]
pub struct ProvidedSecrets {
    sources: Arc<RwLock<HashMap<String, Arc<dyn SecretSource>>>>,
    rest: Arc<dyn SecretResolver>,
}

impl ProvidedSecrets {
    /// No secrets yet, before another resolver.
    pub fn before(rest: Arc<dyn SecretResolver>) -> Self {
        Self {
            sources: Arc::default(),
            rest,
        }
    }

    /// Adds a secret, or replaces the one of that name.
    pub fn insert(&self, name: impl Into<String>, source: impl SecretSource) {
        let mut sources = self.sources.write().unwrap_or_else(PoisonError::into_inner);
        sources.insert(name.into(), Arc::new(source));
    }
}

#[async_trait]
impl SecretResolver for ProvidedSecrets {
    async fn resolve(&self, reference: &SecretRef) -> Result<SecretString> {
        let SecretRef::Provided { provided } = reference else {
            return self.rest.resolve(reference).await;
        };
        let source = {
            let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner);
            sources.get(provided).map(Arc::clone)
        };
        match source {
            Some(source) => source.secret().await,
            None => Err(Error::new(
                ErrorKind::ConfigInvalid,
                "the program did not hand over a secret of this name",
            )
            .with_context("provided", provided.clone())),
        }
    }
}

impl fmt::Debug for ProvidedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<_> = sources.keys().collect();
        names.sort();
        f.debug_tuple("ProvidedSecrets").field(&names).finish()
    }
}

#[cfg(test)]
mod tests {
    use protect_core::secret::ExposeSecret;

    use super::*;

    #[derive(Debug)]
    struct Nothing;

    #[async_trait]
    impl SecretResolver for Nothing {
        async fn resolve(&self, _: &SecretRef) -> Result<SecretString> {
            Ok("from behind".into())
        }
    }

    fn provided(name: &str) -> SecretRef {
        SecretRef::Provided {
            provided: name.to_owned(),
        }
    }

    #[tokio::test]
    async fn a_secret_is_had_by_its_name_and_shown_by_nothing() {
        let secrets = ProvidedSecrets::before(Arc::new(Nothing));
        secrets.insert("key", SecretString::from("canary"));
        let found = secrets.resolve(&provided("key")).await.unwrap();
        assert_eq!(found.expose_secret(), "canary");
        assert_eq!(format!("{secrets:?}"), r#"ProvidedSecrets(["key"])"#);
    }

    #[tokio::test]
    async fn an_unknown_name_is_a_configuration_error_and_other_references_go_on() {
        let secrets = ProvidedSecrets::before(Arc::new(Nothing));
        let error = secrets.resolve(&provided("key")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
        let other = SecretRef::Env {
            env: "X".to_owned(),
        };
        let found = secrets.resolve(&other).await.unwrap();
        assert_eq!(found.expose_secret(), "from behind");
    }
}
