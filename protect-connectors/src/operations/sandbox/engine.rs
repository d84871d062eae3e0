//! An engine whose clock is the sandbox's: a test lets a month pass and waits for none of it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use protect_core::clock::Clock;
use protect_core::secret::SecretString;
use protect_core::{Context, Result};
use protect_http::SystemSecrets;
use protect_sandbox::Sandbox;
use serde_json::Value;

use super::config;
use crate::Protect;

/// A sandbox that several may ask.
pub(super) type Shared = Arc<Mutex<Sandbox>>;

pub(super) fn locked(sandbox: &Shared) -> MutexGuard<'_, Sandbox> {
    // A panic in one call must not turn every later one into a panic.
    sandbox.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The engine over a configuration, in memory, with the sandbox's secrets at hand.
///
/// # Errors
/// As for every configuration.
pub(super) fn open(sandbox: &Shared, outside: &Context, written: &Value) -> Result<Protect> {
    let clock: Arc<dyn Clock> = Arc::new(SandboxClock {
        sandbox: Arc::clone(sandbox),
        machine: Arc::clone(&outside.clock),
    });
    let secrets = SystemSecrets::new(Arc::clone(&clock));
    let known = config::secrets(&locked(sandbox));
    for (name, value) in known.as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        secrets.provide(name.clone(), SecretString::from(value));
    }
    let context = Context {
        clock,
        secrets: Arc::new(secrets),
        ..outside.clone()
    };
    Protect::builder().context(context).in_memory(written)
}

/// The machine's clock, ahead by as much as the sandbox's is.
struct SandboxClock {
    sandbox: Shared,
    machine: Arc<dyn Clock>,
}

#[async_trait]
impl Clock for SandboxClock {
    fn now(&self) -> Timestamp {
        locked(&self.sandbox).now()
    }

    fn monotonic(&self) -> Duration {
        let ahead = self.now().duration_since(self.machine.now());
        self.machine.monotonic() + Duration::try_from(ahead).unwrap_or_default()
    }

    async fn sleep(&self, wait: Duration) {
        self.machine.sleep(wait).await;
    }
}

impl fmt::Debug for SandboxClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxClock").finish_non_exhaustive()
    }
}
