//! Rate limits.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// Refuses what would make any span of `length` hold more than `limit`.
///
/// A fixed window of the same length, wherever its edges lie, is one of those spans: whoever stays
/// within this stays within both readings of "N requests a minute".
#[derive(Debug, Clone)]
pub(crate) struct Window {
    length: SignedDuration,
    limit: u32,
    taken: VecDeque<(Timestamp, u32)>,
    sum: u32,
    counts_refusals: bool,
}

impl Window {
    pub(crate) fn new(limit: u32, length: SignedDuration) -> Self {
        Self {
            length,
            limit,
            taken: VecDeque::new(),
            sum: 0,
            counts_refusals: false,
        }
    }

    /// Makes refused requests count too: whoever hammers stays out.
    #[must_use]
    pub(crate) fn counting_refusals(mut self) -> Self {
        self.counts_refusals = true;
        self
    }

    /// How much of the limit the span that ends now has taken.
    pub(crate) fn share(&self) -> f64 {
        f64::from(self.sum) / f64::from(self.limit.max(1))
    }

    /// How much the span that ends now still lets through, as far as the last request left it.
    pub(crate) fn left(&self) -> u32 {
        self.limit.saturating_sub(self.sum)
    }

    pub(crate) fn set_limit(&mut self, limit: u32) {
        self.limit = limit;
    }

    /// Takes `weight`, or says how many whole seconds (rounded up) until it would fit.
    /// A refused request takes nothing, unless refusals count.
    pub(crate) fn take(&mut self, now: Timestamp, weight: u32) -> Result<(), i64> {
        self.forget(now);
        if self.sum + weight <= self.limit {
            self.taken.push_back((now, weight));
            self.sum += weight;
            return Ok(());
        }
        if self.counts_refusals {
            self.taken.push_back((now, weight));
            self.sum = self.sum.saturating_add(weight);
        }
        Err(self.wait(now, weight))
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some((at, weight)) = self.taken.front() {
            if now.duration_since(*at) < self.length {
                break;
            }
            self.sum -= weight;
            self.taken.pop_front();
        }
    }

    fn wait(&self, now: Timestamp, weight: u32) -> i64 {
        let mut sum = self.sum;
        for (at, taken) in &self.taken {
            sum -= taken;
            if sum + weight <= self.limit {
                let left = self.length - now.duration_since(*at);
                return i64::try_from(left.as_millis())
                    .unwrap_or(i64::MAX)
                    .saturating_add(999)
                    / 1000;
            }
        }
        self.length.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    #[test]
    fn a_burst_across_the_edge_of_a_fixed_minute_is_refused() {
        let mut window = Window::new(10, SignedDuration::from_mins(1));
        for _ in 0..10 {
            window.take(at(59), 1).unwrap();
        }
        assert_eq!(window.take(at(61), 1), Err(58));
        assert_eq!(window.take(at(119), 1), Ok(()));
    }

    #[test]
    fn whoever_hammers_stays_out_where_refusals_count() {
        let mut window = Window::new(1, SignedDuration::from_secs(2)).counting_refusals();
        window.take(at(0), 1).unwrap();
        assert_eq!(window.take(at(1), 1), Err(2));
        assert_eq!(window.take(at(2), 1), Err(2));
        assert_eq!(window.take(at(4), 1), Ok(()));
    }

    #[test]
    fn a_heavier_request_takes_more_and_a_refused_one_takes_nothing() {
        let mut window = Window::new(3, SignedDuration::from_mins(1));
        window.take(at(0), 2).unwrap();
        assert_eq!(window.take(at(1), 2), Err(59));
        assert_eq!(window.take(at(1), 1), Ok(()));
        assert_eq!(window.take(at(60), 2), Ok(()));
    }
}
