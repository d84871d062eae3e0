//! Too much of something within a window: what several vendors' detections look for.

use std::collections::{HashMap, VecDeque};

use crate::model::Signal;

/// Every signal of one subject in the order of time, and whether it is new: the history ends where the
/// new ones begin.
pub fn in_order<'s>(
    new: &'s [Signal],
    history: &'s [Signal],
) -> impl Iterator<Item = (&'s Signal, bool)> {
    let history = history.iter().map(|signal| (signal, false));
    history.chain(new.iter().map(|signal| (signal, true)))
}

/// The new signals at which the number of different keys within the window reaches the limit.
/// `signals` come in the order of time, each with whether it is new; those without a key do not count.
///
/// A burst that goes on is reported once: only the signal that brings the number from below the
/// limit to the limit counts, wherever pages happen to be cut.
pub fn crossings<'s, K: Into<String>>(
    signals: impl Iterator<Item = (&'s Signal, bool)>,
    limit: u32,
    seconds: u64,
    key: impl Fn(&'s Signal) -> Option<K>,
) -> Vec<&'s Signal> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX).max(1);
    let mut window = Window::default();
    let mut triggers = Vec::new();
    for (signal, is_new) in signals {
        let Some(key) = key(signal) else { continue };
        let before = window.counts.len();
        window.forget(signal, seconds);
        window.take(signal, key.into());
        if is_new && before < limit && window.counts.len() >= limit {
            triggers.push(signal);
        }
    }
    triggers
}

#[derive(Default)]
struct Window<'s> {
    signals: VecDeque<(&'s Signal, String)>,
    counts: HashMap<String, usize>,
}

impl<'s> Window<'s> {
    /// What lies more than the window before a signal.
    fn forget(&mut self, signal: &Signal, seconds: u64) {
        let is_old = |oldest: &Signal| {
            let age = signal.at.duration_since(oldest.at).as_secs();
            u64::try_from(age).is_ok_and(|age| age > seconds)
        };
        while self
            .signals
            .front()
            .is_some_and(|(oldest, _)| is_old(oldest))
        {
            let Some((_, key)) = self.signals.pop_front() else {
                break;
            };
            if let Some(count) = self.counts.get_mut(&key) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(&key);
                }
            }
        }
    }

    fn take(&mut self, signal: &'s Signal, key: String) {
        *self.counts.entry(key.clone()).or_default() += 1;
        self.signals.push_back((signal, key));
    }
}
