//! What may pass when: the generic cell rate algorithm, in whole nanoseconds.
//!
//! `governor` was looked at: its cells can be neither paused for a `Retry-After`, nor slowed down
//! after one, nor held in several windows at once, so this is written out.

use std::time::Duration;

/// What a vendor allows: one window or several at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    windows: Vec<Window>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Window {
    count: u32,
    period: Duration,
    kind: WindowKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WindowKind {
    /// No window of the period's length, wherever it begins, sees more than the count.
    Strict,
    /// The count is a rate, and so many may come at once.
    Burst(u32),
}

impl Limit {
    /// At most `count` in any minute, fixed or sliding; 0 counts as 1.
    ///
    /// A bucket of `count` refilled at `count` a minute would let twice as much through. Here the
    /// burst (a fiftieth) and a minute's refill together stay a twentieth below `count`, and of less than
    /// twenty they take all: requests that are so far apart do not overtake each other.
    pub fn per_minute(count: u32) -> Self {
        Self::strict(count, Duration::from_mins(1))
    }

    /// At most `count` in any hour, as [`Limit::per_minute`].
    pub fn per_hour(count: u32) -> Self {
        Self::strict(count, Duration::from_hours(1))
    }

    /// At most `count` in any stretch of `period`, as [`Limit::per_minute`].
    pub fn per(count: u32, period: Duration) -> Self {
        Self::strict(count, period)
    }

    /// `rate` a second on average, `burst` at once; 0 counts as 1.
    pub fn per_second(rate: u32, burst: u32) -> Self {
        Self {
            windows: vec![Window {
                count: rate.max(1),
                period: Duration::from_secs(1),
                kind: WindowKind::Burst(burst.max(1)),
            }],
        }
    }

    /// Both limits at once (600 a minute and 30,000 an hour).
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.windows.extend(other.windows);
        self
    }

    fn strict(count: u32, period: Duration) -> Self {
        Self {
            windows: vec![Window {
                count: count.max(1),
                period,
                kind: WindowKind::Strict,
            }],
        }
    }

    pub(super) fn buckets(&self) -> Vec<Bucket> {
        self.windows.iter().map(Bucket::new).collect()
    }
}

/// One window's state. `full_at` is when the bucket will be full again.
#[derive(Debug)]
pub(super) struct Bucket {
    window: Window,
    burst: u32,
    interval: Duration,
    full_at: Duration,
}

impl Bucket {
    fn new(window: &Window) -> Self {
        let burst = match window.kind {
            WindowKind::Strict => (window.count / 50).max(1),
            WindowKind::Burst(burst) => burst,
        };
        Self {
            window: window.clone(),
            burst,
            interval: interval(window, burst).unwrap_or(window.period),
            full_at: Duration::ZERO,
        }
    }

    /// Nothing left: what a changed limit begins with, since what was sent under the old one still
    /// counts at the vendor.
    pub(super) fn drain(&mut self, now: Duration) {
        self.full_at = now + self.interval * self.burst;
    }

    /// Makes room for a request that counts more than the burst, at the cost of the refill, so
    /// that a strict window stays strict. `false` where the request alone exceeds the limit.
    pub(super) fn fits(&mut self, weight: u32) -> bool {
        if weight <= self.burst {
            return true;
        }
        let Some(interval) = interval(&self.window, weight) else {
            return false;
        };
        self.burst = weight;
        self.interval = interval;
        true
    }

    /// When `weight` may pass; `slowness` is in percent, 100 for full speed.
    pub(super) fn earliest(&self, now: Duration, weight: u32, slowness: u32) -> Duration {
        let interval = self.slowed(slowness);
        let full_at = self.full_at.max(now) + interval * weight;
        full_at.saturating_sub(interval * self.burst)
    }

    pub(super) fn take(&mut self, now: Duration, weight: u32, slowness: u32) {
        let begins = self.full_at.max(now.saturating_sub(LATE));
        self.full_at = begins + self.slowed(slowness) * weight;
    }

    /// Keeps what was used the same when the speed changes.
    pub(super) fn rescale(&mut self, now: Duration, from: u32, to: u32) {
        let used = self.full_at.saturating_sub(now);
        self.full_at = now + used * to / from.max(1);
    }

    fn slowed(&self, slowness: u32) -> Duration {
        self.interval * slowness / 100
    }
}

/// A sleep ends a little late. So much of it is made up for, or whoever waits for each of 25 requests a
/// second would get 24.
const LATE: Duration = Duration::from_millis(2);

/// The time one request takes from the window, beside a burst of this size.
fn interval(window: &Window, burst: u32) -> Option<Duration> {
    let hundredths = match window.kind {
        WindowKind::Burst(_) => 100 * u64::from(window.count),
        WindowKind::Strict if window.count == 1 && burst == 1 => 95,
        WindowKind::Strict => {
            let spare = window.count / 20;
            let left = window.count.checked_sub(burst)?.checked_sub(spare)?;
            100 * u64::from(left)
        }
    };
    let nanos = u64::try_from(window.period.as_nanos()).ok()?;
    (hundredths > 0).then(|| Duration::from_nanos((nanos * 100).div_ceil(hundredths)))
}
