//! Points in time as the API has them: whole seconds since 1970, in UTC.
//!
//! Most fields are integers. Some are text, depending on the field and the version, and all of these are read. A
//! fraction of a second is cut off. Nothing here knows time zones or how people write times.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const DAY: i64 = 86_400;

/// A point in time in whole seconds since 1970-01-01T00:00:00Z.
///
/// Printed as RFC 3339 in UTC. Written to JSON as an integer. Read from an integer, a number with a fraction, the
/// text of either, or RFC 3339 text.
///
/// ```
/// use std::time::Duration;
/// use intercom::Timestamp;
///
/// let opened: Timestamp = "2026-05-24T08:00:00+02:00".parse()?;
/// assert_eq!(opened.as_second(), 1_779_602_400);
/// assert_eq!((opened + Duration::from_secs(90)).to_string(), "2026-05-24T06:01:30Z");
/// # Ok::<(), intercom::api::timestamp::InvalidTimestamp>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text that is not a time, or a time that the other type cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTimestamp {
    /// The text is neither a number nor RFC 3339.
    #[error("invalid time {0:?}: expected epoch seconds or RFC 3339, for example 2026-05-24T10:00:00Z")]
    Text(String),
    /// The time is too early or too late.
    #[error("time out of range: {0} seconds since 1970")]
    OutOfRange(i64),
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Timestamp = Timestamp(0);

    /// The time this many seconds after 1970-01-01T00:00:00Z.
    pub const fn from_second(second: i64) -> Self {
        Timestamp(second)
    }

    /// Seconds since 1970-01-01T00:00:00Z; negative before it.
    pub const fn as_second(self) -> i64 {
        self.0
    }

    /// The current time by the clock of this machine.
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// How long this is after `earlier`; zero if it is not later.
    pub fn duration_since(self, earlier: Timestamp) -> Duration {
        let seconds = i128::from(self.0) - i128::from(earlier.0);
        Duration::from_secs(u64::try_from(seconds.max(0)).unwrap_or(u64::MAX))
    }
}

/// Later by this long, cut to whole seconds. The result saturates.
impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, span: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add_unsigned(span.as_secs()))
    }
}

/// Earlier by this long, cut to whole seconds. The result saturates.
impl Sub<Duration> for Timestamp {
    type Output = Timestamp;

    fn sub(self, span: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub_unsigned(span.as_secs()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (year, month, day) = date_of(days);
        // RFC 3339 has four digits; other years are written as in ISO 8601.
        match year {
            0..=9_999 => write!(formatter, "{year:04}")?,
            _ => write!(formatter, "{year:+07}")?,
        }
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(formatter, "-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Timestamp({self})")
    }
}

/// Reads epoch seconds or RFC 3339.
impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let trimmed = text.trim();
        let whole = || trimmed.parse().ok().map(Timestamp);
        let decimal = || trimmed.parse().ok().and_then(of_float);
        let time = whole().or_else(|| rfc3339(trimmed)).or_else(decimal);
        time.ok_or_else(|| InvalidTimestamp::Text(text.to_owned()))
    }
}

/// The time before or at a number of seconds; `None` if no timestamp can hold it.
fn of_float(seconds: f64) -> Option<Timestamp> {
    let whole = seconds.floor();
    // Up to here a float holds every integer exactly.
    (whole.abs() < 9.0e15).then_some(Timestamp(whole as i64))
}

/// Reads `2026-05-24T10:00:00Z`, also with a fraction, an offset (`+02:00`) and a space in place of the `T`.
fn rfc3339(text: &str) -> Option<Timestamp> {
    let number = |digits: Option<&str>| -> Option<i64> {
        digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
    };
    let is_separator =
        |at: usize, known: &[u8]| text.as_bytes().get(at).is_some_and(|byte| known.contains(byte));
    let places: [(usize, &[u8]); 5] = [(4, b"-"), (7, b"-"), (10, b"Tt "), (13, b":"), (16, b":")];
    if !places.iter().all(|(at, known)| is_separator(*at, known)) {
        return None;
    }
    let (year, month, day) = (number(text.get(..4))?, number(text.get(5..7))?, number(text.get(8..10))?);
    let (hour, minute, second) =
        (number(text.get(11..13))?, number(text.get(14..16))?, number(text.get(17..19))?);
    let is_time = hour < 24 && minute < 60 && second <= 60;
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) || !is_time {
        return None;
    }
    let rest = text.get(19..)?;
    let zone = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|character: char| character.is_ascii_digit());
            (zone.len() < fraction.len()).then_some(zone)?
        }
    };
    // A leap second is the last second of its minute.
    let second = second.min(59);
    Some(Timestamp(days_until(year, month, day) * DAY + hour * 3_600 + minute * 60 + second - offset(zone)?))
}

/// The seconds by which a zone (`Z`, `+02:00`) is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':').or_else(|| rest.split_at_checked(2))?;
    let number = |digits: &str, limit: i64| -> Option<i64> {
        let is_number = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|number| is_number && *number < limit)
    };
    Some(sign * (number(hours, 24)? * 3_600 + number(minutes, 60)? * 60))
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of 400 years, after which the calendar repeats.
const DAYS_OF_CYCLE: i64 = 146_097;
/// Days from 0000-03-01, where the years below begin, to 1970-01-01.
const DAYS_TO_EPOCH: i64 = 719_468;

/// Days from 1970-01-01 to a date, both in the proleptic Gregorian calendar. Years begin in March, so that the day
/// of a leap year is their last one (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_until(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let (cycle, of_cycle) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    cycle * DAYS_OF_CYCLE + of_cycle * 365 + of_cycle / 4 - of_cycle / 100 + day_of_year - DAYS_TO_EPOCH
}

/// The date this many days after 1970-01-01: year, month and day.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_TO_EPOCH;
    let (cycle, of_cycle) = (days.div_euclid(DAYS_OF_CYCLE), days.rem_euclid(DAYS_OF_CYCLE));
    let year_of_cycle = (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let day_of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = (from_march + 2) % 12 + 1;
    let year = cycle * 400 + year_of_cycle + i64::from(month <= 2);
    (year, month, day_of_year - (153 * from_march + 2) / 5 + 1)
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        Timestamp(match time.duration_since(UNIX_EPOCH) {
            Ok(after) => seconds(after),
            Err(error) => {
                let before = error.duration();
                -seconds(before) - i64::from(before.subsec_nanos() > 0)
            }
        })
    }
}

impl TryFrom<Timestamp> for SystemTime {
    type Error = InvalidTimestamp;

    fn try_from(time: Timestamp) -> Result<Self, InvalidTimestamp> {
        let span = Duration::from_secs(time.0.unsigned_abs());
        let moved = if time.0 < 0 { UNIX_EPOCH.checked_sub(span) } else { UNIX_EPOCH.checked_add(span) };
        moved.ok_or(InvalidTimestamp::OutOfRange(time.0))
    }
}

#[cfg(feature = "jiff")]
impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Self {
        Timestamp(time.as_second() - i64::from(time.subsec_nanosecond() < 0))
    }
}

#[cfg(feature = "jiff")]
impl TryFrom<Timestamp> for jiff::Timestamp {
    type Error = InvalidTimestamp;

    fn try_from(time: Timestamp) -> Result<Self, InvalidTimestamp> {
        jiff::Timestamp::from_second(time.0).map_err(|_| InvalidTimestamp::OutOfRange(time.0))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TimestampVisitor;

        impl Visitor<'_> for TimestampVisitor {
            type Value = Timestamp;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("epoch seconds or an RFC 3339 time")
            }

            fn visit_i64<E>(self, seconds: i64) -> Result<Timestamp, E> {
                Ok(Timestamp(seconds))
            }

            fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<Timestamp, E> {
                i64::try_from(seconds).map(Timestamp).map_err(E::custom)
            }

            fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<Timestamp, E> {
                of_float(seconds).ok_or_else(|| E::custom(format_args!("time out of range: {seconds}")))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(TimestampVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(text: &str) -> Option<i64> {
        text.parse().ok().map(Timestamp::as_second)
    }

    #[test]
    fn numbers_and_texts_of_a_time_are_read_and_an_integer_is_written() {
        for json in [
            "1779602400",
            "1779602400.0",
            "1779602400.9",
            "\"1779602400\"",
            "\" 1779602400.5 \"",
            "\"2026-05-24T06:00:00Z\"",
            "\"2026-05-24 06:00:00.123456Z\"",
            "\"2026-05-24T08:00:00.000+02:00\"",
            "\"2026-05-23t23:30:00-0630\"",
        ] {
            let time: Timestamp = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&time).unwrap(), "1779602400", "{json}");
        }
        for json in
            ["\"\"", "\"soon\"", "true", "null", "1e300", "18446744073709551615", "\"NaN\"", "\"inf\""]
        {
            assert!(serde_json::from_str::<Timestamp>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn invalid_dates_are_refused() {
        for text in [
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+1",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00ZZ",
            "+026-01-01T00:00:00Z",
            "2026-01-01",
            "２026-01-01T00:00:00Z",
        ] {
            assert_eq!(second(text), None, "{text}");
        }
        assert_eq!(second("2024-02-29T23:59:60Z"), second("2024-02-29T23:59:59Z"));
    }

    #[test]
    fn every_day_of_four_centuries_prints_and_parses() {
        let (mut year, mut month, mut day) = (1899, 12, 31);
        for days in -25_568..-25_568 + DAYS_OF_CYCLE {
            let time = Timestamp::from_second(days * DAY + 3_723);
            assert_eq!(time.to_string(), format!("{year:04}-{month:02}-{day:02}T01:02:03Z"));
            assert_eq!(second(&time.to_string()), Some(time.as_second()));
            day += 1;
            if day > days_in(year, month) {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!((year, month, day), (2299, 12, 31));
    }

    #[test]
    fn extreme_times_print_without_overflow() {
        assert!(Timestamp::from_second(i64::MAX).to_string().starts_with("+292277026596-12-04T"));
        assert!(Timestamp::from_second(i64::MIN).to_string().starts_with("-292277022657-01-27T"));
        let (earliest, latest) = (Timestamp::from_second(i64::MIN), Timestamp::from_second(i64::MAX));
        assert_eq!(latest + Duration::from_secs(1), latest);
        assert_eq!(earliest - Duration::from_secs(1), earliest);
        assert_eq!(latest.duration_since(earliest), Duration::from_secs(u64::MAX));
        assert_eq!(earliest.duration_since(latest), Duration::ZERO);
    }

    #[test]
    fn other_time_types_convert() {
        let time = Timestamp::from_second(-1);
        assert_eq!(Timestamp::from(SystemTime::try_from(time).unwrap()), time);
        assert_eq!(Timestamp::from(UNIX_EPOCH - Duration::from_millis(1)), time);
        assert_eq!(Timestamp::from(UNIX_EPOCH + Duration::from_millis(1_999)).as_second(), 1);
        #[cfg(feature = "jiff")]
        {
            let exact = jiff::Timestamp::from_millisecond(-1).unwrap();
            assert_eq!(Timestamp::from(exact), time);
            assert_eq!(jiff::Timestamp::try_from(time).unwrap().as_second(), -1);
            assert!(jiff::Timestamp::try_from(Timestamp::from_second(i64::MAX)).is_err());
        }
    }
}
