use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::clock::{Clock, SystemClock, later};

/// A sleep of such a length is what is left of an attempt, whose end an answer beats.
const ATTEMPT: RangeInclusive<Duration> = Duration::from_secs(25)..=Duration::from_secs(30);

/// So long whoever reads a page of a scan waits for it before they keep their lease and wait again: to skip it
/// would be to run through the scan's whole time while the answer is on its way.
const BEAT: Duration = Duration::from_secs(5);

/// The machine's clock, on which waiting costs no time: for tests against servers on this machine, which
/// answer at once. Those who sleep at the same time sleep through the same time.
pub struct SkippingClock {
    system: SystemClock,
    skipped: Mutex<Duration>,
    others: Option<Others>,
}

/// A clock of somebody else's that goes along.
struct Others {
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    advance: Box<dyn Fn(SignedDuration) + Send + Sync>,
}

impl SkippingClock {
    /// A clock that stands by itself.
    pub fn new() -> Self {
        Self {
            system: SystemClock::new(),
            skipped: Mutex::default(),
            others: None,
        }
    }

    /// One that shows what the clock of something else shows, such as a simulated vendor's, and moves it on.
    pub fn beside<T: Send + Sync + 'static>(
        other: &Arc<T>,
        now: fn(&T) -> Timestamp,
        advance: fn(&T, SignedDuration),
    ) -> Self {
        let (shown, moved) = (Arc::clone(other), Arc::clone(other));
        Self {
            others: Some(Others {
                now: Box::new(move || now(&shown)),
                advance: Box::new(move |by| advance(&moved, by)),
            }),
            ..Self::new()
        }
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        *self.skipped.lock().unwrap_or_else(PoisonError::into_inner) += by;
        if let Some(others) = &self.others {
            (others.advance)(SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX));
        }
    }

    fn skipped(&self) -> Duration {
        *self.skipped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for SkippingClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SkippingClock {
    fn now(&self) -> Timestamp {
        match &self.others {
            Some(others) => (others.now)(),
            None => later(self.system.now(), self.skipped()),
        }
    }

    fn monotonic(&self) -> Duration {
        self.system.monotonic() + self.skipped()
    }

    async fn sleep(&self, wait: Duration) {
        if ATTEMPT.contains(&wait) || wait == BEAT {
            self.system.sleep(wait).await;
            return;
        }
        let until = self.monotonic() + wait;
        tokio::task::yield_now().await;
        let left = until.saturating_sub(self.monotonic());
        if !left.is_zero() {
            self.advance(left);
        }
        tokio::task::yield_now().await;
    }
}

impl fmt::Debug for SkippingClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SkippingClock")
            .field("skipped", &self.skipped())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures::future::Either;

    use super::*;

    #[tokio::test]
    async fn an_hour_is_slept_at_once_and_by_two_together_once() {
        let clock = Arc::new(SkippingClock::new());
        let (wall, began) = (clock.now(), clock.monotonic());
        let hour = Duration::from_hours(1);
        futures::future::join(clock.sleep(hour), clock.sleep(hour)).await;
        let took = clock.monotonic().saturating_sub(began);
        assert!(
            took >= hour && took < hour + Duration::from_mins(1),
            "{took:?}"
        );
        let passed = clock.now().duration_since(wall);
        assert_eq!(passed.as_hours(), 1);
    }

    #[tokio::test]
    async fn what_an_answer_is_to_beat_is_not_slept_through() {
        let clock = SkippingClock::new();
        for seconds in [5, 25, 29, 30] {
            let ends = clock.sleep(Duration::from_secs(seconds));
            let answer = clock.system.sleep(Duration::from_millis(5));
            let first = futures::future::select(ends, answer).await;
            assert!(matches!(first, Either::Right(_)), "{seconds}");
        }
        assert!(clock.monotonic() < Duration::from_secs(20));
    }

    #[tokio::test]
    async fn another_clock_goes_along() {
        let theirs = Arc::new(Mutex::new(Timestamp::UNIX_EPOCH));
        let clock = SkippingClock::beside(
            &theirs,
            |theirs| *theirs.lock().unwrap(),
            |theirs, by| *theirs.lock().unwrap() += by,
        );
        clock.sleep(Duration::from_secs(90)).await;
        // A moment passes by itself meanwhile.
        assert_eq!(clock.now().as_second(), 89);
        let shown = *theirs.lock().unwrap();
        assert_eq!(shown, clock.now());
    }
}
