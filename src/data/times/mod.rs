//! Reads times and durations that people type, in the same way everywhere.
//!
//! Ambiguous input (milliseconds, a bare year, a zone that contradicts its offset) must be refused, never guessed.

pub mod duration;
pub mod named_days;
pub mod zone;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use self::named_days::Direction;
use self::zone::zone as named_zone;

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// Minimum length of a report's period in seconds. With less, `1m` was probably meant as a month.
pub const SHORTEST_PERIOD: i64 = HOUR;

/// Integers from this size on are taken for milliseconds: as seconds, they would be in the year 5138.
const MILLISECONDS: u64 = 100_000_000_000;

/// Integers below this, other than 0, would be before 1974: more likely a number of days, or a date without dashes.
const MIN_SECONDS: i64 = 130_000_000;

const FORMS: &str = "a date (2026-05-24), a date and time (2026-05-24T09:00, 2026-05-24T09:00[Europe/Dublin]), epoch \
                     seconds, today, yesterday, a weekday, last week, this month, or a span (24h, 7d, 2w, 3mo)";

/// The current time and the time zone, for relative times and dates.
#[derive(Debug, Clone)]
pub struct Times {
    now: Timestamp,
    zone: TimeZone,
}

impl Times {
    /// Times relative to `now`, with dates in `zone`.
    pub fn at(now: Timestamp, zone: TimeZone) -> Self {
        Times { now, zone }
    }

    /// The time zone of dates without one.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Parses a time into epoch seconds.
    ///
    /// # Errors
    /// The accepted forms.
    pub fn moment(&self, text: &str) -> Result<i64, String> {
        self.read(text, Direction::Past)
    }

    /// Parses a time in the future: `monday` is the next one.
    ///
    /// # Errors
    /// Those of [`Times::moment`].
    pub fn future(&self, text: &str) -> Result<i64, String> {
        self.read(text, Direction::Future)
    }

    /// Whether a text is a span before now, for example `2d`.
    pub fn is_span_back(&self, text: &str) -> bool {
        self.before_now(text).is_some()
    }

    /// Parses the start of a period. A span must be at least `shortest` seconds long.
    ///
    /// # Errors
    /// Those of [`Times::moment`], and a time in the future.
    pub fn since(&self, text: &str, shortest: i64) -> Result<i64, String> {
        let moment = self.moment(text)?;
        refuse_small_number(text)?;
        if moment > self.now.as_second() {
            return Err(format!(
                "{text:?} is in the future ({}): expected a time in the past",
                shown(moment)
            ));
        }
        let is_short = self.now.as_second() - moment < shortest && self.before_now(text).is_some();
        if is_short {
            return Err(format!(
                "the period {text:?} is too short: expected at least {}; a month is 1mo",
                length(shortest)
            ));
        }
        Ok(moment)
    }

    /// Parses the end of a period, which may be in the future: `tomorrow` includes today.
    ///
    /// # Errors
    /// Those of [`Times::moment`], and a time more than a year ahead.
    pub fn until(&self, text: &str) -> Result<i64, String> {
        let moment = self.moment(text)?;
        if moment > self.now.as_second() + 366 * DAY {
            let at = shown(moment);
            return Err(format!(
                "{text:?} is too far in the future ({at}): expected at most a year from now"
            ));
        }
        Ok(moment)
    }

    fn read(&self, text: &str, direction: Direction) -> Result<i64, String> {
        let typed = text.trim();
        if let Ok(seconds) = typed.parse::<i64>() {
            return epoch_seconds(typed, seconds);
        }
        if typed == "now" {
            return Ok(self.now.as_second());
        }
        if let Some((civil, zone)) = typed.strip_suffix(']').and_then(|typed| typed.split_once('[')) {
            return self.in_named_zone(typed, civil, zone, direction);
        }
        let moment =
            self.before_now(typed).or_else(|| self.after_now(typed)).or_else(|| self.day(typed, direction));
        let moment = moment.or_else(|| typed.parse::<Timestamp>().ok().map(Timestamp::as_second));
        moment.or_else(|| self.civil(typed)).ok_or_else(|| format!("invalid time {text:?}: expected {FORMS}"))
    }

    /// `2026-05-24T09:00[Europe/Dublin]`. An offset, if given, must be correct.
    fn in_named_zone(
        &self,
        typed: &str,
        civil: &str,
        zone: &str,
        direction: Direction,
    ) -> Result<i64, String> {
        if let Ok(zoned) = typed.parse::<Zoned>() {
            return Ok(zoned.timestamp().as_second());
        }
        let times = Times { now: self.now, zone: named_zone(zone.trim_start_matches('!'))? };
        let moment = times.day(civil, direction).or_else(|| times.civil(civil));
        moment.ok_or_else(|| {
            format!(
                "{typed:?} contradicts its time zone: expected for example 2026-05-24T09:00[Europe/Dublin]"
            )
        })
    }

    /// A date, or a date and time, without offset and zone.
    fn civil(&self, typed: &str) -> Option<i64> {
        if typed.contains(['+', '[', 'z', 'Z']) {
            return None;
        }
        let civil = typed.parse::<DateTime>().ok().or_else(|| Some(typed.parse::<Date>().ok()?.into()))?;
        Some(civil.to_zoned(self.zone.clone()).ok()?.timestamp().as_second())
    }

    /// The start of a named day, week, month or year.
    fn day(&self, typed: &str, direction: Direction) -> Option<i64> {
        let today = self.now.to_zoned(self.zone.clone()).date();
        let day = named_days::day(typed, today, direction)?;
        Some(day.to_zoned(self.zone.clone()).ok()?.timestamp().as_second())
    }

    /// `30d`, `24h ago`, `-3mo`.
    fn before_now(&self, typed: &str) -> Option<i64> {
        let typed = typed.trim();
        // Durations accept a sign, but `+3h` is in the future.
        if typed.starts_with('+') {
            return None;
        }
        let span = typed.strip_suffix("ago").unwrap_or(typed).trim_end().trim_start_matches('-');
        self.shifted(span, -1)
    }

    /// `+2d`.
    fn after_now(&self, typed: &str) -> Option<i64> {
        self.shifted(typed.strip_prefix('+')?, 1)
    }

    /// Months and years follow the calendar; a day is 24 hours.
    fn shifted(&self, span: &str, sign: i64) -> Option<i64> {
        if let Some(span) = duration::calendar(span) {
            let now = self.now.to_zoned(self.zone.clone());
            return Some(now.checked_add(span.checked_mul(sign).ok()?).ok()?.timestamp().as_second());
        }
        let seconds = i64::try_from(duration::parse(span).ok()?.as_secs()).ok()?;
        self.now.as_second().checked_add(sign.checked_mul(seconds)?)
    }
}

/// Checks that a number is plausible as epoch seconds.
fn epoch_seconds(typed: &str, seconds: i64) -> Result<i64, String> {
    let digits = typed.trim_start_matches(['-', '+']);
    if seconds.unsigned_abs() >= MILLISECONDS {
        return Err(format!(
            "{typed} looks like milliseconds: expected epoch seconds, for example {}",
            seconds / 1000
        ));
    }
    let is_year = digits.len() == 4 && (1900..2200).contains(&seconds);
    let date = (digits.len() == 8).then(|| digits.parse::<Date>().ok()).flatten();
    let date = date.filter(|date| (1900..2200).contains(&date.year()));
    match (is_year, date) {
        (true, _) => Err(format!("{typed} looks like a year: expected a date, for example {typed}-01-01")),
        (_, Some(date)) => Err(format!("{typed} looks like a date: expected dashes, {date}")),
        _ => Ok(seconds),
    }
}

/// Refuses small numbers, which would be in 1970.
fn refuse_small_number(text: &str) -> Result<(), String> {
    let typed = text.trim();
    match typed.parse::<i64>() {
        Ok(seconds) if seconds != 0 && seconds < MIN_SECONDS => {
            let days = seconds.unsigned_abs();
            Err(format!("{typed} is too small for epoch seconds: for a number of days, write {days}d"))
        }
        _ => Ok(()),
    }
}

fn shown(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |at| at.to_string())
}

fn length(seconds: i64) -> String {
    match seconds {
        HOUR => "an hour".to_owned(),
        seconds if seconds % HOUR == 0 => format!("{} hours", seconds / HOUR),
        seconds => format!("{} minutes", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2027-01-15 08:00 UTC, a Friday.
    const NOW: i64 = 1_800_000_000;

    fn times(zone: &str) -> Times {
        Times::at(Timestamp::from_second(NOW).unwrap(), TimeZone::get(zone).unwrap())
    }

    fn at(text: &str) -> Result<i64, String> {
        times("UTC").moment(text)
    }

    #[test]
    fn absolute_times_are_parsed() {
        assert_eq!(at("1716500000"), Ok(1_716_500_000));
        assert_eq!(at("0"), Ok(0));
        assert_eq!(at("2026-05-24"), Ok(1_779_580_800));
        assert_eq!(at("2026-05-24T10:00:00Z"), Ok(1_779_616_800));
        assert_eq!(at("2026-05-24T10:00:00+02:00"), Ok(1_779_609_600));
        assert_eq!(at("2026-05-24 10:00"), Ok(1_779_616_800));
    }

    #[test]
    fn a_zone_in_brackets_is_honoured() {
        for zone in ["UTC", "Asia/Tokyo"] {
            let at = |text: &str| times(zone).moment(text);
            assert_eq!(at("2026-10-20T09:00[America/New_York]"), Ok(1_792_501_200), "{zone}");
            assert_eq!(at("2026-10-20 09:00[America/New_York]"), Ok(1_792_501_200));
            assert_eq!(at("2026-10-20T09:00-04:00[America/New_York]"), Ok(1_792_501_200));
            assert_eq!(at("2026-10-20T09:00:00[Europe/Dublin]"), Ok(1_792_483_200));
            assert_eq!(at("2026-10-20[Europe/Dublin]"), Ok(1_792_450_800));
            assert_eq!(at("today[America/New_York]"), Ok(1_799_989_200));
        }
        for wrong in [
            "2026-10-20T09:00+02:00[America/New_York]",
            "2026-10-20T09:00[Mars/Olympus]",
            "2026-10-20T09:00[]",
            "2026-10-20T09:00[Europe/Dublin",
            "2026-10-20+02:00",
        ] {
            assert!(at(wrong).is_err(), "{wrong}: {:?}", at(wrong));
        }
    }

    #[test]
    fn a_date_is_in_the_given_time_zone() {
        assert_eq!(times("America/New_York").moment("2026-05-24"), Ok(1_779_580_800 + 4 * HOUR));
        assert_eq!(times("America/New_York").moment("2026-05-24T00:00Z"), Ok(1_779_580_800));
        // 08:00 UTC is Friday 21:00 in Auckland, where the day began at 11:00 UTC on Thursday.
        assert_eq!(times("Pacific/Auckland").moment("today"), Ok(1_799_924_400));
    }

    #[test]
    fn named_days_are_parsed() {
        let friday = 1_799_971_200;
        assert_eq!(at("today"), Ok(friday));
        assert_eq!(at("Yesterday"), Ok(friday - DAY));
        assert_eq!(at("tomorrow"), Ok(friday + DAY));
        assert_eq!(at("friday"), Ok(friday));
        assert_eq!(at("monday"), Ok(friday - 4 * DAY));
        assert_eq!(at("sat"), Ok(friday - 6 * DAY));
        assert_eq!(times("UTC").future("monday"), Ok(friday + 3 * DAY));
        assert_eq!(times("UTC").future("friday"), Ok(friday + 7 * DAY));
    }

    #[test]
    fn a_period_begins_at_midnight_in_the_time_zone() {
        let monday = 1_799_971_200 - 4 * DAY;
        assert_eq!(at("this week"), Ok(monday));
        assert_eq!(times("America/New_York").moment("last week"), Ok(monday - 7 * DAY + 5 * HOUR));
        assert!(times("UTC").since("next week", 0).unwrap_err().contains("future"));
        assert_eq!(times("UTC").since("last month", SHORTEST_PERIOD), at("2026-12-01"));
    }

    #[test]
    fn relative_times_are_parsed() {
        assert_eq!(at("30d"), Ok(NOW - 30 * DAY));
        assert_eq!(at("24h ago"), Ok(NOW - DAY));
        assert_eq!(at("-2w"), Ok(NOW - 14 * DAY));
        assert_eq!(at("+2d"), Ok(NOW + 2 * DAY));
        assert_eq!(at("+3h"), Ok(NOW + 3 * HOUR));
        assert_eq!(at("+1h30m"), Ok(NOW + 3 * HOUR / 2));
        assert_eq!(at("now"), Ok(NOW));
        // 2026-10-15 08:00.
        assert_eq!(at("3mo"), Ok(1_792_051_200));
        assert_eq!(at("1 year ago"), Ok(NOW - 365 * DAY));
    }

    #[test]
    fn implausible_times_are_refused() {
        assert_eq!(at("0"), Ok(0), "0 means the beginning");
        for text in ["", "soon", "30x", "2026-13-01", "d", "99999999999999999999d"] {
            assert!(at(text).is_err(), "{text:?}");
        }
        for (text, words) in
            [("1795883405000", "for example 1795883405"), ("2026", "2026-01-01"), ("20260524", "2026-05-24")]
        {
            let error = at(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
            assert!(times("UTC").future(text).is_err() && times("UTC").until(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_period_starts_in_the_past_and_is_long_enough() {
        let since = |text: &str| times("UTC").since(text, SHORTEST_PERIOD);
        assert!(since("7").unwrap_err().contains("write 7d"));
        assert!(since("202605").unwrap_err().contains("too small"));
        assert!(since("2030-01-01").unwrap_err().contains("future"));
        assert!(since("+1d").unwrap_err().contains("future"));
        assert!(since("1m").unwrap_err().contains("1mo"));
        assert!(since("59min").is_err());
        assert_eq!(since("1h"), Ok(NOW - HOUR));
        assert_eq!(since("1mo"), Ok(1_797_321_600));
        assert_eq!(since("now"), Ok(NOW));
        assert_eq!(times("UTC").since("1m", 0), Ok(NOW - 60));
        let until = |text: &str| times("UTC").until(text);
        assert!(until("tomorrow").is_ok() && until("2027-12-31").is_ok());
        assert!(until("2036-01-01").unwrap_err().contains("a year from now"));
    }
}
