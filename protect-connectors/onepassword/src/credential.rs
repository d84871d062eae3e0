use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use protect_core::Result;
use protect_core::secret::{SecretRef, SecretResolver, SecretString};

/// A credential as it was handed over: the text itself, or where to find it.
///
/// A callback is a [`SecretRef::Provided`] that the context's resolver knows.
#[derive(Clone)]
pub enum Credential {
    /// The text.
    Text(SecretString),
    /// Where to find it, each time it is used.
    Reference(SecretRef),
}

impl From<&str> for Credential {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Credential {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<SecretString> for Credential {
    fn from(text: SecretString) -> Self {
        Self::Text(text)
    }
}

impl From<SecretRef> for Credential {
    fn from(reference: SecretRef) -> Self {
        Self::Reference(reference)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(…)"),
            Self::Reference(reference) => f.debug_tuple("Reference").field(reference).finish(),
        }
    }
}

/// Answers for texts that were handed over directly, and passes every other question on.
#[derive(Debug)]
pub(crate) struct HeldSecrets {
    held: BTreeMap<String, SecretString>,
    rest: Arc<dyn SecretResolver>,
}

impl HeldSecrets {
    pub(crate) fn new(rest: Arc<dyn SecretResolver>) -> Self {
        Self {
            held: BTreeMap::new(),
            rest,
        }
    }

    /// A reference for the credential, whichever form it has.
    pub(crate) fn hold(&mut self, name: &str, credential: Credential) -> SecretRef {
        match credential {
            Credential::Reference(reference) => reference,
            Credential::Text(text) => {
                // No reference that anybody else made contains a control character.
                let provided = format!("\u{1}{name}");
                self.held.insert(provided.clone(), text);
                SecretRef::Provided { provided }
            }
        }
    }
}

#[async_trait]
impl SecretResolver for HeldSecrets {
    async fn resolve(&self, reference: &SecretRef) -> Result<SecretString> {
        if let SecretRef::Provided { provided } = reference
            && let Some(text) = self.held.get(provided)
        {
            return Ok(text.clone());
        }
        self.rest.resolve(reference).await
    }
}
