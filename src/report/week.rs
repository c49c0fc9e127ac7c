//! ISO weeks, which start on Monday at midnight in their time zone. Their length varies with clock changes.

use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// The start and the end (exclusive) of a week like `2026-W20`, in epoch seconds.
///
/// # Errors
/// A message with the expected form.
pub fn parse(text: &str, zone: &TimeZone) -> Result<(i64, i64), String> {
    let invalid =
        || format!("invalid week {text:?}: expected this, last, or the ISO form 2026-W20 (W01 to W53)");
    let (year, number) = text.trim().split_once(['W', 'w']).ok_or_else(invalid)?;
    let year: i16 = year.trim_end_matches('-').parse().map_err(|_| invalid())?;
    let number: i8 = number.parse().map_err(|_| invalid())?;
    let monday = ISOWeekDate::new(year, number, Weekday::Monday).map_err(|_| invalid())?.date();
    bounds(monday, zone).ok_or_else(invalid)
}

/// The start and the end (exclusive) of `this` or the `last` week, seen from a moment.
pub fn named(text: &str, now: i64, zone: &TimeZone) -> Option<(i64, i64)> {
    let this = around(now, zone)?;
    match text.trim().to_lowercase().as_str() {
        "this" | "this week" => Some(this),
        "last" | "last week" => around(this.0 - 1, zone),
        _ => None,
    }
}

/// The start and the end (exclusive) of the week of a moment, in epoch seconds.
pub fn around(at: i64, zone: &TimeZone) -> Option<(i64, i64)> {
    let day = date(at, zone)?;
    let back = i64::from(day.weekday().to_monday_zero_offset());
    bounds(day.checked_sub(back.days()).ok()?, zone)
}

/// The name of the week of a moment, for example `2026-W20`.
pub fn name(at: i64, zone: &TimeZone) -> String {
    let week = date(at, zone).map(Date::iso_week_date);
    week.map_or_else(String::new, |week| format!("{}-W{:02}", week.year(), week.week()))
}

fn date(at: i64, zone: &TimeZone) -> Option<Date> {
    Some(Timestamp::from_second(at).ok()?.to_zoned(zone.clone()).date())
}

fn bounds(monday: Date, zone: &TimeZone) -> Option<(i64, i64)> {
    let midnight = |date: Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp().as_second());
    Some((midnight(monday)?, midnight(monday.checked_add(7.days()).ok()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::business_hours::zone;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    #[test]
    fn weeks_start_on_monday_in_their_zone() {
        let berlin = zone("Europe/Berlin").unwrap();
        let found = parse("2026-W20", &berlin).unwrap();
        assert_eq!(found, (at("2026-05-11T00:00:00+02:00"), at("2026-05-18T00:00:00+02:00")));
        assert_eq!(around(at("2026-05-17T23:59:59+02:00"), &berlin), Some(found));
        assert_eq!(parse("2026-W53", &TimeZone::UTC).unwrap().0, at("2026-12-28T00:00:00Z"));
        for wrong in ["2026-W54", "2025-W53", "2026-20", "W20", "week 3", "2026-W00"] {
            assert!(parse(wrong, &TimeZone::UTC).is_err(), "{wrong}");
        }
    }

    #[test]
    fn this_and_the_last_week_are_seen_from_now() {
        let berlin = zone("Europe/Berlin").unwrap();
        let now = at("2026-05-12T10:00:00+02:00");
        assert_eq!(named("this", now, &berlin), parse("2026-W20", &berlin).ok());
        assert_eq!(named("Last week", now, &berlin), parse("2026-W19", &berlin).ok());
        // The week of the clock change has an hour less.
        assert_eq!(named("last", at("2026-03-30T00:00:00+02:00"), &berlin), parse("2026-W13", &berlin).ok());
        assert_eq!(named("2026-W20", now, &berlin), None);
    }

    #[test]
    fn weeks_are_named_after_their_iso_year() {
        // Friday 2027-01-01 belongs to the last week of 2026.
        let (monday, _) = around(at("2027-01-01T00:00:00Z"), &TimeZone::UTC).unwrap();
        assert_eq!(name(monday, &TimeZone::UTC), "2026-W53");
    }
}
