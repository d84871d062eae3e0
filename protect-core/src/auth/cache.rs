//! One secret in memory, fetched by one caller for all.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::AuthorizationMark;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::http::deadline::Deadline;
use crate::secret::SecretString;

/// What a fetch gave.
pub(super) struct Fetched {
    pub(super) secret: SecretString,
    pub(super) lifetime: Duration,
}

/// What callers get.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) secret: Arc<SecretString>,
    pub(super) mark: AuthorizationMark,
    refresh_at: Duration,
    expires_at: Duration,
}

/// The cache. The queue lets one caller fetch; giving up while fetching lets the next one.
#[derive(Default)]
pub(super) struct TokenCache {
    queue: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    fetches: u64,
    /// How the last fetch failed, for those who waited for it.
    failed: Option<Error>,
}

/// How long an old token serves on after its early renewal failed.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);

impl TokenCache {
    /// The secret, fetched where there is none or where four fifths of its life are over. While it
    /// lives, nobody waits for a renewal, and a failing one does no harm.
    pub(super) async fn get(
        &self,
        clock: &dyn Clock,
        deadline: Deadline,
        fetch: impl Future<Output = Result<Fetched>>,
    ) -> Result<Held> {
        let now = clock.monotonic();
        match self.held() {
            Some(held) if now < held.refresh_at => Ok(held),
            Some(held) if now < held.expires_at => self.renew_early(clock, held, fetch).await,
            _ => {
                let fresh = |held: &Held| clock.monotonic() < held.refresh_at;
                self.obtain(clock, deadline, fresh, fetch).await
            }
        }
    }

    /// Another secret than the rejected one.
    pub(super) async fn replace(
        &self,
        clock: &dyn Clock,
        deadline: Deadline,
        rejected: AuthorizationMark,
        fetch: impl Future<Output = Result<Fetched>>,
    ) -> Result<Held> {
        self.obtain(clock, deadline, |held| held.mark != rejected, fetch)
            .await
    }

    /// What is held now.
    pub(super) fn held(&self) -> Option<Held> {
        self.state().held.clone()
    }

    async fn renew_early(
        &self,
        clock: &dyn Clock,
        old: Held,
        fetch: impl Future<Output = Result<Fetched>>,
    ) -> Result<Held> {
        let Ok(_turn) = self.queue.try_lock() else {
            return Ok(old);
        };
        // Somebody may have finished between the look and the lock.
        if let Some(held) = self.held().filter(|held| held.mark != old.mark) {
            return Ok(held);
        }
        match fetch.await {
            Ok(fetched) => Ok(self.keep(clock, fetched)),
            Err(error) if error.is_retryable() => {
                tracing::warn!(target: "protect::auth", kind = %error.kind(), "early renewal failed");
                if let Some(held) = &mut self.state().held {
                    held.refresh_at = clock.monotonic() + RENEWAL_PAUSE;
                }
                Ok(old)
            }
            Err(error) => Err(error),
        }
    }

    async fn obtain(
        &self,
        clock: &dyn Clock,
        deadline: Deadline,
        acceptable: impl Fn(&Held) -> bool,
        fetch: impl Future<Output = Result<Fetched>>,
    ) -> Result<Held> {
        let seen = self.state().fetches;
        let turn = deadline.bound(clock, self.queue.lock()).await;
        let Some(_turn) = turn else {
            return Err(Error::new(
                ErrorKind::Timeout,
                "the deadline passed while waiting for a token; nothing was sent",
            )
            .temporary());
        };
        {
            let state = self.state();
            if let Some(held) = state.held.as_ref().filter(|held| acceptable(held)) {
                return Ok(held.clone());
            }
            // Whoever waited for a fetch that failed for good shares its result: fifty callers
            // with a wrong secret ask the vendor once.
            if let Some(error) = state.failed.as_ref().filter(|_| state.fetches > seen) {
                return Err(error.clone());
            }
        }
        match fetch.await {
            Ok(fetched) => Ok(self.keep(clock, fetched)),
            Err(error) => {
                let mut state = self.state();
                state.fetches += 1;
                state.failed = (error.retry() != Retry::Temporary).then(|| error.clone());
                Err(error)
            }
        }
    }

    fn keep(&self, clock: &dyn Clock, fetched: Fetched) -> Held {
        let now = clock.monotonic();
        let mut state = self.state();
        state.fetches += 1;
        state.failed = None;
        let held = Held {
            secret: Arc::new(fetched.secret),
            mark: AuthorizationMark(state.fetches),
            refresh_at: now + fetched.lifetime.mul_f64(0.8),
            expires_at: now + fetched.lifetime,
        };
        state.held = Some(held.clone());
        held
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenCache(…)")
    }
}
