//! Secrets that JavaScript hands over: a string, or a function that gives one each time.

use std::collections::HashMap;
use std::sync::Arc;

use napi::Either;
use protect_connectors::core::secret::SecretString;
use protect_connectors::core::{Error, ErrorKind, Result};
use protect_connectors::http::SystemSecrets;
use serde_json::Value;

use crate::callback::{self, Callback};

/// Secrets by the name under which they stand in JSON.
pub(crate) type Secrets = HashMap<String, Either<String, Callback>>;

/// Puts every secret under its name.
pub(crate) fn hand_over(secrets: Secrets, to: &SystemSecrets) {
    for (name, secret) in secrets {
        match secret {
            Either::A(text) => to.provide(name, SecretString::from(text)),
            Either::B(function) => {
                let function = Arc::new(function);
                to.provide_async(name, move || ask(Arc::clone(&function)));
            }
        }
    }
}

async fn ask(function: Arc<Callback>) -> Result<SecretString> {
    let given = callback::call(
        &function,
        "secret",
        String::new(),
        ErrorKind::ConfigInvalid,
        "the function for a secret threw an exception",
    )
    .await?;
    match given {
        Value::String(secret) => Ok(SecretString::from(secret)),
        _ => Err(Error::new(
            ErrorKind::ConfigInvalid,
            "the function for a secret gave no string",
        )),
    }
}
