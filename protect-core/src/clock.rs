//! Time, injected: schedules, expiries, retries and limits are tested with a clock that a test turns.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// A clock that is further off than this, in seconds, makes tokens and signatures fail.
pub const MAX_SKEW_SECONDS: u64 = 120;

/// Where time comes from.
#[async_trait]
pub trait Clock: Debug + Send + Sync + 'static {
    /// The wall-clock time, which may jump.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary origin, which never jumps back; deadlines and limits use it.
    fn monotonic(&self) -> Duration;

    /// Returns once `wait` has passed on this clock.
    async fn sleep(&self, wait: Duration);
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    origin: std::time::Instant,
}

impl SystemClock {
    /// A clock whose monotonic origin is now.
    pub fn new() -> Self {
        Self {
            origin: std::time::Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the machine's time enters"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }

    async fn sleep(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }
}

/// The time `wait` after `at`, or the last there is.
#[cfg_attr(
    not(any(feature = "engine", feature = "testing")),
    expect(dead_code, reason = "the engine reckons with it")
)]
pub(crate) fn later(at: Timestamp, wait: Duration) -> Timestamp {
    jiff::SignedDuration::try_from(wait)
        .ok()
        .and_then(|wait| at.checked_add(wait).ok())
        .unwrap_or(Timestamp::MAX)
}
