//! The sandbox's clock: the wall clock plus an offset that tests advance.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset_ms: AtomicI64,
}

impl Clock {
    /// A clock that reads `start` now and runs on from there.
    pub(crate) fn starting_at(start: Option<Timestamp>) -> Self {
        let clock = Self::default();
        if let Some(start) = start {
            clock.advance(start.duration_since(wall()));
        }
        clock
    }

    pub(crate) fn now(&self) -> Timestamp {
        later(wall(), self.offset())
    }

    pub(crate) fn offset(&self) -> SignedDuration {
        SignedDuration::from_millis(self.offset_ms.load(Ordering::SeqCst))
    }

    /// Moves the clock; a negative duration moves it back.
    pub(crate) fn advance(&self, by: SignedDuration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(0);
        self.offset_ms.fetch_add(by, Ordering::SeqCst);
    }

    pub(crate) fn set_offset(&self, offset: SignedDuration) {
        let offset = i64::try_from(offset.as_millis()).unwrap_or(0);
        self.offset_ms.store(offset, Ordering::SeqCst);
    }
}

/// `at + by`, clamped to what a timestamp can hold.
pub(crate) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}

/// RFC 9110 section 5.6.7: the form of `Date` and of `Retry-After` as a date.
pub(crate) fn http_date(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

/// Seconds precision with a `Z`, as both vendors print their times.
pub(crate) fn seconds(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the simulator is a separate world; this is the one place where its time begins"
)]
fn wall() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_reads_its_start_and_then_what_it_is_advanced_by() {
        let start: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        let clock = Clock::starting_at(Some(start));
        assert!(clock.now().duration_since(start).as_secs() < 5);
        clock.advance(SignedDuration::from_hours(24));
        let passed = clock.now().duration_since(start);
        assert!((86_400..86_405).contains(&passed.as_secs()));
    }

    #[test]
    fn an_http_date_is_printed_as_rfc_9110_asks() {
        let at: Timestamp = "1994-11-06T08:49:37Z".parse().unwrap();
        assert_eq!(http_date(at), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
