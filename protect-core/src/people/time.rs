//! Days where somebody works, as moments.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::engine::Tenant;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Employee;

impl Tenant {
    /// The name of the time zone that an employee's days are counted in.
    pub(super) fn zone_of(&self, employee: &Employee) -> String {
        let own = employee.time_zone.clone();
        own.unwrap_or_else(|| self.config().people.time_zone.clone())
    }

    /// The day it is where an employee works.
    ///
    /// # Errors
    /// `invalid_input` for a time zone that is none.
    pub fn today_of(&self, employee: &Employee) -> Result<Date> {
        Ok(day_at(self.now(), &zone(&self.zone_of(employee))?))
    }
}

/// A time zone by name.
pub(super) fn zone(name: &str) -> Result<TimeZone> {
    TimeZone::get(name).map_err(|_| {
        Error::new(
            ErrorKind::InvalidInput,
            "not a time zone: write it like Europe/Berlin",
        )
    })
}

/// The day it is at a moment.
pub(super) fn day_at(at: Timestamp, zone: &TimeZone) -> Date {
    at.to_zoned(zone.clone()).date()
}

/// The moment at which a day is over: the first of the next day, also where the clocks change.
pub(super) fn end_of(day: Date, zone: &TimeZone) -> Result<Timestamp> {
    let wrong = |_| Error::invalid_input("a day beyond the end of time");
    let next = day.checked_add(1.day()).map_err(wrong)?;
    let start = next.to_zoned(zone.clone()).map_err(wrong)?;
    Ok(start.timestamp())
}

/// A day so many days after another.
pub(super) fn days_after(day: Date, days: i32) -> Result<Date> {
    day.checked_add(i64::from(days).days())
        .map_err(|_| Error::invalid_input("a day beyond the end of time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_where_it_is_counted_also_when_the_clocks_change() {
        let berlin = zone("Europe/Berlin").unwrap();
        let end = |day: &str| end_of(day.parse().unwrap(), &berlin).unwrap().to_string();
        assert_eq!(end("2026-11-30"), "2026-11-30T23:00:00Z");
        assert_eq!(end("2026-07-31"), "2026-07-31T22:00:00Z");
        // The day on which summer time ends has 25 hours.
        assert_eq!(end("2026-10-25"), "2026-10-25T23:00:00Z");
        assert!(zone("Europe/Nowhere").is_err());
        assert!(end_of(Date::MAX, &berlin).is_err());
    }
}
