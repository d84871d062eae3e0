//! Secrets are references, read when used and held only in memory.
//!
//! No secret stands in a database, log, error, panic or `Debug`; a reference may.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
pub use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};

/// Where a secret is found.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SecretRef {
    /// An environment variable: `{ env = "HIBP_API_KEY" }`.
    Env {
        /// Its name.
        env: String,
    },
    /// A file, whose content less the last line break is the secret: `{ file = "ledger.key" }`.
    File {
        /// Its path.
        file: PathBuf,
    },
    /// A command, whose standard output less the last line break is the secret:
    /// `{ command = ["op", "read", "op://vault/item/field"] }`.
    Command {
        /// The program and its arguments; no shell is involved.
        command: Vec<String>,
    },
    /// An Azure Key Vault secret: `{ key_vault = "https://NAME.vault.azure.net", name = "HIBP-API-KEY" }`.
    KeyVault {
        /// The vault's URL.
        key_vault: String,
        /// The secret's name.
        name: String,
    },
    /// A value or callback that the embedding program handed over under this name.
    Provided {
        /// The name.
        provided: String,
    },
}

impl fmt::Display for SecretRef {
    /// For errors: enough to find the place. A command's arguments are left out, since some
    /// programs are passed secrets there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env { env } => write!(f, "environment variable `{env}`"),
            Self::File { file } => write!(f, "file `{}`", file.display()),
            Self::Command { command } => {
                let program = command.first().map_or("", String::as_str);
                write!(f, "command `{program}`")
            }
            Self::KeyVault { name, .. } => write!(f, "key vault secret `{name}`"),
            Self::Provided { provided } => write!(f, "provided secret `{provided}`"),
        }
    }
}

impl SecretRef {
    /// A reference to an environment variable.
    pub fn env(name: impl Into<String>) -> Self {
        Self::Env { env: name.into() }
    }

    /// A reference to what the embedding program hands over under this name.
    pub fn provided(name: impl Into<String>) -> Self {
        Self::Provided {
            provided: name.into(),
        }
    }
}

/// Reads secrets at the moment they are used.
#[async_trait]
pub trait SecretResolver: Debug + Send + Sync + 'static {
    /// The secret behind a reference.
    ///
    /// # Errors
    /// `config_invalid` naming the reference (never the secret) where it is not there;
    /// `unsupported` where this resolver does not know that sort of reference.
    async fn resolve(&self, reference: &SecretRef) -> Result<SecretString>;
}

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

impl Credential {
    /// What a configuration says of a secret. Secrets stand nowhere in clear there, so text is refused;
    /// the value is not repeated.
    ///
    /// # Errors
    /// `invalid_input` for what is no reference.
    pub fn from_config(value: &Value) -> Result<Self> {
        let wrong = || {
            Error::invalid_input(
                "a secret is a reference: { env = \"NAME\" }, { file = \"PATH\" }, { command = [\"op\", \"read\", \"...\"] } or { key_vault = \"...\", name = \"...\" }",
            )
        };
        let fields = value.as_object().ok_or_else(wrong)?;
        let reference: SecretRef =
            serde_json::from_value(Value::Object(fields.clone())).map_err(|_| wrong())?;
        Ok(Self::Reference(reference))
    }
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
pub struct HeldSecrets {
    held: BTreeMap<String, SecretString>,
    rest: Arc<dyn SecretResolver>,
}

impl HeldSecrets {
    /// Holds nothing yet; `rest` answers what is not held.
    pub fn new(rest: Arc<dyn SecretResolver>) -> Self {
        Self {
            held: BTreeMap::new(),
            rest,
        }
    }

    /// A reference for the credential, whichever form it has.
    pub fn hold(&mut self, name: &str, credential: Credential) -> SecretRef {
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
