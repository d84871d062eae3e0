//! Secrets are references, read when used and held only in memory.
//!
//! No secret stands in a database, log, error, panic or `Debug`; a reference may.

use std::fmt::{self, Debug};
use std::path::PathBuf;

use async_trait::async_trait;
use schemars::JsonSchema;
pub use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::error::Result;

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
