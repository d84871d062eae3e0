use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;

/// A clock that a test turns. It begins at 2026-01-01T00:00:00Z.
#[derive(Debug)]
pub struct ManualClock {
    impatient: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    wall_origin: Timestamp,
    monotonic: Duration,
    /// Who sleeps until when, in the order of waking; the number keeps equals apart.
    sleepers: BTreeMap<(Duration, u64), Waker>,
    next: u64,
}

/// How often the other tasks are let run after each waking, so that what they do next (wake one
/// another, sleep again) has happened before time goes on.
const TURNS: usize = 32;

impl ManualClock {
    /// A clock that stands still until [`ManualClock::advance`].
    pub fn new() -> Self {
        Self {
            impatient: false,
            state: Mutex::new(State {
                wall_origin: Timestamp::constant(1_767_225_600, 0),
                monotonic: Duration::ZERO,
                sleepers: BTreeMap::new(),
                next: 0,
            }),
        }
    }

    /// A clock on which every sleep is over at once and has taken its time: for tests of one task.
    pub fn impatient() -> Self {
        Self {
            impatient: true,
            ..Self::new()
        }
    }

    /// Lets time pass. Sleepers wake in the order of their times, each at its own time, and may
    /// sleep again within `by`. On a runtime of one thread the result is always the same.
    pub async fn advance(&self, by: Duration) {
        yield_turns().await;
        let target = self.state().monotonic + by;
        while let Some(waker) = self.next_sleeper(target) {
            waker.wake();
            yield_turns().await;
        }
        self.state().monotonic = target;
        yield_turns().await;
    }

    /// Moves the wall clock alone, as somebody setting the time does.
    pub fn jump_wall(&self, by: SignedDuration) {
        let mut state = self.state();
        if let Ok(moved) = state.wall_origin.checked_add(by) {
            state.wall_origin = moved;
        }
    }

    /// How many sleep.
    pub fn sleepers(&self) -> usize {
        self.state().sleepers.len()
    }

    /// The next sleeper up to `target`, with the clock at its time.
    fn next_sleeper(&self, target: Duration) -> Option<Waker> {
        let mut state = self.state();
        let (at, number) = *state
            .sleepers
            .keys()
            .next()
            .filter(|(at, _)| *at <= target)?;
        let waker = state.sleepers.remove(&(at, number))?;
        state.monotonic = state.monotonic.max(at);
        Some(waker)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        let state = self.state();
        state
            .wall_origin
            .checked_add(state.monotonic)
            .unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.state().monotonic
    }

    async fn sleep(&self, wait: Duration) {
        if self.impatient {
            self.state().monotonic += wait;
            return;
        }
        let mut sleeping = Sleeping {
            clock: self,
            until: self.state().monotonic.saturating_add(wait),
            number: None,
        };
        poll_fn(|cx| sleeping.poll(cx.waker())).await;
    }
}

/// A sleep; dropping it takes it off the list.
struct Sleeping<'a> {
    clock: &'a ManualClock,
    until: Duration,
    number: Option<u64>,
}

impl Sleeping<'_> {
    fn poll(&mut self, waker: &Waker) -> Poll<()> {
        let mut state = self.clock.state();
        if state.monotonic >= self.until {
            return Poll::Ready(());
        }
        let number = *self.number.get_or_insert_with(|| {
            state.next += 1;
            state.next
        });
        state.sleepers.insert((self.until, number), waker.clone());
        Poll::Pending
    }
}

impl Drop for Sleeping<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.clock.state().sleepers.remove(&(self.until, number));
        }
    }
}

async fn yield_turns() {
    for _ in 0..TURNS {
        let mut yielded = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn sleepers_wake_in_order_each_at_its_own_time() {
        let clock = Arc::new(ManualClock::new());
        let woken = Arc::new(Mutex::new(Vec::new()));
        for seconds in [5, 1, 3] {
            let (clock, woken) = (Arc::clone(&clock), Arc::clone(&woken));
            tokio::spawn(async move {
                clock.sleep(Duration::from_secs(seconds)).await;
                woken
                    .lock()
                    .unwrap()
                    .push((seconds, clock.monotonic().as_secs()));
            });
        }
        clock.advance(Duration::from_secs(4)).await;
        assert_eq!(*woken.lock().unwrap(), [(1, 1), (3, 3)]);
        assert_eq!(clock.sleepers(), 1);
        clock.advance(Duration::from_secs(1)).await;
        assert_eq!(woken.lock().unwrap().last(), Some(&(5, 5)));
    }

    #[tokio::test]
    async fn a_jump_of_the_wall_clock_wakes_nobody() {
        let clock = Arc::new(ManualClock::new());
        let sleeper = Arc::clone(&clock);
        let task = tokio::spawn(async move { sleeper.sleep(Duration::from_secs(1)).await });
        clock.advance(Duration::ZERO).await;
        let before = clock.now();
        clock.jump_wall(SignedDuration::from_hours(24));
        clock.advance(Duration::ZERO).await;
        assert_eq!(
            clock.now().duration_since(before),
            SignedDuration::from_hours(24)
        );
        assert!(!task.is_finished());
    }

    #[tokio::test]
    async fn a_sleep_that_is_given_up_leaves_the_list() {
        let clock = Arc::new(ManualClock::new());
        let sleeper = Arc::clone(&clock);
        let task = tokio::spawn(async move { sleeper.sleep(Duration::from_secs(1)).await });
        clock.advance(Duration::ZERO).await;
        assert_eq!(clock.sleepers(), 1);
        task.abort();
        clock.advance(Duration::ZERO).await;
        assert_eq!(clock.sleepers(), 0);
    }
}
