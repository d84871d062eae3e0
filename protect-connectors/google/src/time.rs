//! Moments and lengths of time as Google writes them.

use jiff::{SignedDuration, Timestamp};

/// A number of days before a moment.
pub(crate) fn days_before(now: Timestamp, days: u32) -> Timestamp {
    let back = SignedDuration::from_hours(i64::from(days) * 24);
    now.checked_sub(back).unwrap_or(Timestamp::MIN)
}

/// The seconds of a length of time: `604800s` and `168h` as policies have them, `1 week` as the log
/// has it, or a bare number of seconds.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let whole = number.split('.').next()?;
    let number: u64 = whole.parse().ok()?;
    let one = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "s" | "second" | "seconds" => 1,
        "m" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "week" | "weeks" => 604_800,
        _ => return None,
    };
    number.checked_mul(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_read_in_every_form_that_google_writes() {
        for (text, expected) in [
            ("604800s", Some(604_800)),
            ("168h", Some(604_800)),
            ("1 week", Some(604_800)),
            ("2 weeks", Some(1_209_600)),
            ("1 day", Some(86_400)),
            ("43200", Some(43_200)),
            ("0s", Some(0)),
            ("1.5s", Some(1)),
            ("6 months", None),
            ("soon", None),
            ("", None),
            ("-1s", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
