//! Spans of time as people write them.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};

use crate::error::{Error, Result};

/// Parses a span of time as `jiff` reads it (`"24h"`, `"90 min"`, `"7d"`, `"1 week"`, `"PT24H"`)
/// into whole seconds, a day being 24 hours.
///
/// # Errors
/// `invalid_input` for anything else: months and years, whose length depends on when they begin,
/// nothing at all, less than a second, and what lies in the past.
pub fn parse_duration(text: &str) -> Result<Duration> {
    let wrong =
        || Error::invalid_input("not a span of time: write one like \"24h\", \"90m\", \"7d\"");
    let span: Span = text.trim().parse().map_err(|_| wrong())?;
    let duration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| wrong())?;
    let seconds = u64::try_from(duration.as_secs()).map_err(|_| wrong())?;
    if seconds == 0 || duration.subsec_nanos() != 0 {
        return Err(Error::invalid_input("must be one or more whole seconds"));
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("24h", 86_400),
            ("90 min", 5_400),
            ("7d", 604_800),
            ("1 week", 604_800),
            ("1h 30m", 5_400),
            ("PT24H", 86_400),
        ] {
            assert_eq!(parse_duration(text).unwrap().as_secs(), seconds, "{text}");
        }
    }

    #[test]
    fn what_has_no_fixed_length_or_none_at_all_is_refused() {
        for text in [
            "", "24", "1 month", "1y", "soon", "-1h", "0s", "500ms", "1h ago",
        ] {
            assert!(parse_duration(text).is_err(), "{text:?}");
        }
    }
}
