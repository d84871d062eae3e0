//! The outermost layer: how much time there is, asked before every wait and every attempt. It
//! never cuts a retry loop off half way.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};

use crate::clock::Clock;
use crate::connector::OpContext;

/// When to give up, on [`Clock::monotonic`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Duration>);

impl Deadline {
    pub(crate) fn of(cx: &OpContext) -> Self {
        Self(cx.deadline)
    }

    pub(crate) fn at(deadline: Option<Duration>) -> Self {
        Self(deadline)
    }

    /// What is left; `None` without a deadline.
    pub(crate) fn remaining(self, clock: &dyn Clock) -> Option<Duration> {
        Some(self.0?.saturating_sub(clock.monotonic()))
    }

    /// Whether something is left after waiting.
    pub(crate) fn allows(self, clock: &dyn Clock, wait: Duration) -> bool {
        self.remaining(clock).is_none_or(|left| wait < left)
    }

    /// Waits for something that may be abandoned without harm: a place in a queue.
    pub(crate) async fn bound<T>(
        self,
        clock: &dyn Clock,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        match self.remaining(clock) {
            Some(left) => within(clock, left, work).await,
            None => Some(work.await),
        }
    }
}

/// The work's result, or `None` where `limit` passes first on the clock.
pub async fn within<T>(
    clock: &dyn Clock,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    match select(pin!(work), clock.sleep(limit)).await {
        Either::Left((result, _)) => Some(result),
        Either::Right(((), _)) => None,
    }
}
