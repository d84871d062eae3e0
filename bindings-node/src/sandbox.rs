//! The simulated vendors inside the process, for tests of playbooks.

use std::error::Error as _;
use std::sync::{Mutex, PoisonError};

use napi::Env;
use napi::bindgen_prelude::PromiseRaw;
use napi_derive::napi;
use protect_sandbox::{SandboxBuilder, SandboxError};
use serde::Deserialize;

/// The running simulators.
#[napi]
pub struct Sandbox {
    running: Mutex<Option<protect_sandbox::Sandbox>>,
    description: String,
}

/// Settings of a sandbox: what `startSandbox` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    seed: Option<u64>,
    users: Option<usize>,
    catalogue: Option<String>,
    range_rows: Option<usize>,
    rate_limits: Option<bool>,
}

/// Starts the simulators on a free port of 127.0.0.1, from the JSON of their settings.
///
/// # Errors
/// What is wrong with the settings, in words.
#[napi]
pub fn start_sandbox(env: &Env, settings: String) -> napi::Result<PromiseRaw<'_, Sandbox>> {
    env.spawn_future(async move {
        let settings: Settings =
            serde_json::from_str(&settings).map_err(|error| refused(&error.to_string()))?;
        let sandbox = settings
            .builder()
            .start()
            .await
            .map_err(|error| cannot(&error))?;
        Ok(Sandbox {
            description: sandbox.describe().to_string(),
            running: Mutex::new(Some(sandbox)),
        })
    })
}

#[napi]
impl Sandbox {
    /// Addresses and credentials, as JSON.
    #[napi]
    pub fn describe(&self) -> String {
        self.description.clone()
    }

    /// Stops listening, once requests under way have had half a second.
    ///
    /// # Errors
    /// Never.
    #[napi]
    pub fn stop<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        let running = {
            let mut slot = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            slot.take()
        };
        env.spawn_future(async move {
            if let Some(sandbox) = running {
                sandbox.shutdown().await;
            }
            Ok(())
        })
    }
}

impl Settings {
    fn builder(self) -> SandboxBuilder {
        let mut builder = protect_sandbox::Sandbox::builder();
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        if let Some(users) = self.users {
            builder = builder.users(users);
        }
        if let Some(catalogue) = self.catalogue {
            builder = builder.catalogue(catalogue);
        }
        if let Some(rows) = self.range_rows {
            builder = builder.range_rows(rows);
        }
        if let Some(on) = self.rate_limits {
            builder = builder.rate_limits(on);
        }
        builder
    }
}

fn refused(why: &str) -> napi::Error {
    napi::Error::from_reason(format!("the sandbox's settings are not right: {why}"))
}

fn cannot(error: &SandboxError) -> napi::Error {
    match error.source() {
        Some(cause) => napi::Error::from_reason(format!("{error}: {cause}")),
        None => napi::Error::from_reason(error.to_string()),
    }
}
