//! Durations as Graph writes them (ISO 8601: `P180D`).

use jiff::{SignedDuration, Span, Timestamp};

/// The days of a duration, rounded up; a year has 366 and a month 31, so that nothing seems shorter
/// than it may be.
pub(crate) fn days(text: &str) -> Option<u32> {
    let span: Span = text.parse().ok()?;
    let whole = i64::from(span.get_years()) * 366
        + i64::from(span.get_months()) * 31
        + i64::from(span.get_weeks()) * 7
        + i64::from(span.get_days());
    let rest = i64::from(span.get_hours()) * 3600 + span.get_minutes() * 60 + span.get_seconds();
    u32::try_from(whole + (rest + 86_399) / 86_400).ok()
}

/// A number of days before a moment.
pub(crate) fn days_before(now: Timestamp, days: u32) -> Timestamp {
    let back = SignedDuration::from_hours(i64::from(days) * 24);
    now.checked_sub(back).unwrap_or(Timestamp::MIN)
}

/// A number of days after a moment.
pub(crate) fn days_after(now: Timestamp, days: u32) -> Timestamp {
    let on = SignedDuration::from_hours(i64::from(days) * 24);
    now.checked_add(on).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_never_shorter_than_it_says() {
        assert_eq!(days("P180D"), Some(180));
        assert_eq!(days("P1Y"), Some(366));
        assert_eq!(days("P180DT1H"), Some(181));
        assert_eq!(days("PT24H"), Some(1));
        assert_eq!(days("-P1D"), None);
        assert_eq!(days("180"), None);
    }
}
