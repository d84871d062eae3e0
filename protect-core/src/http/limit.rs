use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::bucket::{Bucket, Limit};
use super::deadline::Deadline;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};

/// What a vendor counts requests by: an API key, a tenant, a tenant and a service.
///
/// Never a secret itself: where the vendor counts by key, the connection's name stands for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BudgetKey(pub String);

impl fmt::Display for BudgetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The budgets of every vendor, by [`BudgetKey`].
///
/// Callers of one key pass first come, first served. A key that was never declared has no limit
/// and can be paused all the same.
#[derive(Debug, Default)]
pub struct RateLimits {
    gates: Mutex<HashMap<BudgetKey, Arc<Gate>>>,
}

/// How a budget stands, for planners and `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetStatus {
    /// How long the key stays closed, where it is.
    pub paused_for: Option<Duration>,
    /// How often the vendor closed it in the last ten minutes; three and more suggest that
    /// somebody else uses the same key.
    pub recent_pauses: usize,
    /// The speed in percent of the declared limit: halved by a pause, then recovering.
    pub speed_percent: u32,
}

impl RateLimits {
    /// Says what the vendor allows. The same again changes nothing; another limit replaces the
    /// first, and starts with nothing left, since the vendor still counts what was sent.
    pub fn declare(&self, key: &BudgetKey, limit: &Limit) {
        let gate = self.gate(key);
        let mut state = gate.state();
        if state.limit.as_ref() == Some(limit) {
            return;
        }
        state.drain = state.limit.is_some();
        state.buckets = limit.buckets();
        state.limit = Some(limit.clone());
    }

    /// Waits until a request that counts `weight` may be sent, and takes its place.
    ///
    /// Dropping the future before it is done takes nothing.
    ///
    /// # Errors
    /// `rate_limited` (temporary, with the wait) where `deadline`, on the clock's monotonic time,
    /// comes first; `invalid_input` where the weight alone exceeds the limit.
    pub async fn acquire(
        &self,
        key: &BudgetKey,
        weight: u32,
        clock: &dyn Clock,
        deadline: Option<Duration>,
    ) -> Result<()> {
        let gate = self.gate(key);
        let deadline = Deadline::at(deadline);
        let turn = deadline.bound(clock, gate.queue.lock()).await;
        if turn.is_none() {
            return Err(no_room(
                key,
                gate.state().earliest(clock.monotonic(), weight),
            ));
        }
        loop {
            let wait = gate.state().take(clock.monotonic(), weight);
            match wait {
                Permit::Taken => return Ok(()),
                Permit::Wait(wait) if deadline.allows(clock, wait) => clock.sleep(wait).await,
                Permit::Wait(wait) => return Err(no_room(key, wait)),
                Permit::TooHeavy => {
                    return Err(Error::invalid_input(
                        "this request alone counts more than the limit allows",
                    )
                    .with_context("budget", &key.0));
                }
            }
        }
    }

    /// Closes the whole key until `until`, on the clock's monotonic time; never shortens a pause.
    pub fn pause(&self, key: &BudgetKey, until: Duration) {
        let gate = self.gate(key);
        let mut state = gate.state();
        state.paused_until = state.paused_until.max(until);
    }

    /// The vendor said that there were too many: closes the key for the wait it asked for (whole
    /// seconds, rounded up, and one more), or for 10 s doubling to 120 s where it named none.
    /// Afterwards the speed is half for a minute and then recovers by a tenth every ten seconds.
    ///
    /// Several answers to requests of the same moment count once. Returns when the key opens.
    pub fn throttled(
        &self,
        key: &BudgetKey,
        retry_after: Option<Duration>,
        now: Duration,
    ) -> Duration {
        self.gate(key).state().throttled(retry_after, now)
    }

    /// The vendor took a request: the next pause without a named wait begins at 10 s again.
    pub fn answered(&self, key: &BudgetKey, now: Duration) {
        let gate = self.gate(key);
        let mut state = gate.state();
        if state.paused_until <= now {
            state.strikes = 0;
        }
    }

    /// How the budget stands at `now`, on the clock's monotonic time.
    pub fn status(&self, key: &BudgetKey, now: Duration) -> BudgetStatus {
        let gate = self.gate(key);
        let mut state = gate.state();
        state.settle(now);
        let since = now.saturating_sub(PAUSES_REMEMBERED);
        BudgetStatus {
            paused_for: state
                .paused_until
                .checked_sub(now)
                .filter(|left| !left.is_zero()),
            recent_pauses: state.pauses.iter().filter(|at| **at >= since).count(),
            speed_percent: state.speed(now),
        }
    }

    fn gate(&self, key: &BudgetKey) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gates.get(key) {
            return Arc::clone(gate);
        }
        let gate = Arc::new(Gate::default());
        gates.insert(key.clone(), Arc::clone(&gate));
        gate
    }
}

const PAUSES_REMEMBERED: Duration = Duration::from_mins(10);
const SLOW_FOR: Duration = Duration::from_mins(1);
const RECOVERY_STEP: Duration = Duration::from_secs(10);

fn no_room(key: &BudgetKey, wait: Duration) -> Error {
    Error::new(
        ErrorKind::RateLimited,
        "the budget has no room before the deadline; nothing was sent",
    )
    .temporary()
    .with_retry_after(wait)
    .with_context("budget", &key.0)
}

/// One key. Whoever holds the queue waits for the bucket; the others wait for the queue, which is
/// fair. So a pause holds everybody, and giving up leaves nothing behind.
#[derive(Debug, Default)]
struct Gate {
    queue: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct State {
    limit: Option<Limit>,
    buckets: Vec<Bucket>,
    drain: bool,
    paused_until: Duration,
    strikes: u32,
    pauses: VecDeque<Duration>,
    slow: Option<Slow>,
    slowness: Option<u32>,
}

/// Slowed down to `percent` at `since`.
#[derive(Clone, Copy, Debug)]
struct Slow {
    percent: u32,
    since: Duration,
}

enum Permit {
    Taken,
    Wait(Duration),
    TooHeavy,
}

impl State {
    fn take(&mut self, now: Duration, weight: u32) -> Permit {
        self.settle(now);
        if !self.buckets.iter_mut().all(|bucket| bucket.fits(weight)) {
            return Permit::TooHeavy;
        }
        let wait = self.earliest(now, weight);
        if !wait.is_zero() {
            return Permit::Wait(wait);
        }
        let slowness = self.slowness.unwrap_or(100);
        for bucket in &mut self.buckets {
            bucket.take(now, weight, slowness);
        }
        Permit::Taken
    }

    /// How long from `now`; zero where it may pass at once.
    fn earliest(&self, now: Duration, weight: u32) -> Duration {
        let slowness = self.slowness.unwrap_or(100);
        self.buckets
            .iter()
            .map(|bucket| bucket.earliest(now, weight, slowness))
            .fold(self.paused_until, Duration::max)
            .saturating_sub(now)
    }

    fn throttled(&mut self, retry_after: Option<Duration>, now: Duration) -> Duration {
        let already = self.paused_until > now;
        let wait = match retry_after {
            Some(wait) => whole_seconds_up(wait) + Duration::from_secs(1),
            None if already => return self.paused_until,
            None => Duration::from_secs((10 << self.strikes.min(4)).min(120)),
        };
        self.paused_until = self.paused_until.max(now + wait);
        if !already {
            self.strikes += 1;
            self.pauses.push_back(now);
            while self
                .pauses
                .front()
                .is_some_and(|at| *at + PAUSES_REMEMBERED < now)
            {
                self.pauses.pop_front();
            }
            let percent = (self.speed(now) / 2).max(10);
            self.slow = Some(Slow {
                percent,
                since: self.paused_until,
            });
        }
        self.paused_until
    }

    /// Brings the buckets to the present speed, and a replaced limit to its start.
    fn settle(&mut self, now: Duration) {
        if std::mem::take(&mut self.drain) {
            for bucket in &mut self.buckets {
                bucket.drain(now);
            }
            self.slowness = None;
        }
        let old = self.slowness.unwrap_or(100);
        let speed = self.speed(now);
        let new = 10_000 / speed;
        if new != old {
            for bucket in &mut self.buckets {
                bucket.rescale(now, old, new);
            }
            self.slowness = Some(new);
        }
        if speed == 100 {
            self.slow = None;
        }
    }

    /// In percent of full speed.
    fn speed(&self, now: Duration) -> u32 {
        let Some(slow) = self.slow else { return 100 };
        let recovering = now.saturating_sub(slow.since + SLOW_FOR);
        if now < slow.since + SLOW_FOR {
            return slow.percent;
        }
        let steps = 1 + recovering.as_secs() / RECOVERY_STEP.as_secs();
        let gained = u32::try_from(steps.min(10)).map_or(100, |steps| steps * 10);
        (slow.percent + gained).min(100)
    }
}

fn whole_seconds_up(wait: Duration) -> Duration {
    Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests;
