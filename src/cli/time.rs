//! Reads the times and durations that people type.
//!
//! A time is given as epoch seconds, as a date or date and time (UTC unless it names an offset), as
//! a span before now (`30d`, `24h`, `90m ago`) or after it (`+2d`). The result is epoch seconds.

use std::time::Duration;

use clap::ArgMatches;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::error::Error;

/// The time that a flag names, in epoch seconds.
///
/// # Errors
/// [`Error::Usage`] when it names none.
pub fn moment(matches: &ArgMatches, name: &str) -> Result<Option<i64>, Error> {
    let text = matches.get_one::<String>(name);
    let moment = text.map(|text| epoch_seconds(text, Timestamp::now())).transpose();
    moment.map_err(|reason| Error::usage(format!("--{name}: {reason}")))
}

/// Epoch seconds of what was typed, relative to `now` where it is relative.
///
/// # Errors
/// A sentence that says which forms are understood.
pub fn epoch_seconds(text: &str, now: Timestamp) -> Result<i64, String> {
    epoch_seconds_in(text, now, &TimeZone::UTC)
}

/// The same, where a date that names no offset is one of this zone.
///
/// # Errors
/// As [`epoch_seconds`].
pub fn epoch_seconds_in(text: &str, now: Timestamp, zone: &TimeZone) -> Result<i64, String> {
    let trimmed = text.trim();
    let seconds = trimmed.parse::<i64>().ok();
    seconds
        .or_else(|| (trimmed == "now").then(|| now.as_second()))
        .or_else(|| relative(trimmed, now))
        .or_else(|| trimmed.parse::<Timestamp>().ok().map(Timestamp::as_second))
        .or_else(|| {
            let civil = trimmed.parse::<DateTime>().ok();
            in_zone(civil.or_else(|| Some(trimmed.parse::<Date>().ok()?.into()))?, zone)
        })
        .ok_or_else(|| {
            format!("{text:?} is no time; use epoch seconds, a date such as 2026-05-24, or a span such as 30d or 24h")
        })
}

/// Refuses a period in which nothing can lie.
///
/// # Errors
/// When both ends are given and the second is not the later one.
pub fn check_period(since: Option<i64>, until: Option<i64>) -> Result<(), Error> {
    match since.zip(until).is_some_and(|(since, until)| since >= until) {
        true => Err(Error::usage_with_hint(
            "--until does not lie after --since: the period is empty",
            "the end does not belong to the period: for one day, --until is the day after it",
        )),
        false => Ok(()),
    }
}

fn in_zone(civil: DateTime, zone: &TimeZone) -> Option<i64> {
    civil.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp().as_second())
}

fn relative(text: &str, now: Timestamp) -> Option<i64> {
    let (text, forward) = match text.strip_prefix('+') {
        Some(rest) => (rest, true),
        None => (text.strip_suffix("ago").unwrap_or(text).trim_end().trim_start_matches('-'), false),
    };
    let span = i64::try_from(duration(text).ok()?.as_secs()).ok()?;
    now.as_second().checked_add(if forward { span } else { -span })
}

/// A length of time such as `30s`, `500ms`, `2m`, `24h`, `30d`, `2w`; a bare number is seconds.
///
/// # Errors
/// A sentence that says which forms are understood.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no length of time; use forms such as 30s, 5m, 24h or 30d");
    let trimmed = text.trim();
    let split = trimmed.find(|it: char| !it.is_ascii_digit()).unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(split);
    let seconds = match unit.trim() {
        "" => Some(1),
        "d" | "day" | "days" => Some(86_400),
        "w" | "week" | "weeks" => Some(7 * 86_400),
        _ => None,
    };
    if let Some(seconds) = seconds {
        let number: u64 = number.parse().map_err(|_| wrong())?;
        return number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong);
    }
    let parsed: SignedDuration = trimmed.parse().map_err(|_| wrong())?;
    Duration::try_from(parsed).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Result<i64, String> {
        epoch_seconds(text, Timestamp::from_second(1_800_000_000).unwrap())
    }

    #[test]
    fn absolute_times() {
        assert_eq!(at("1716500000"), Ok(1_716_500_000));
        assert_eq!(at("2026-05-24"), Ok(1_779_580_800));
        assert_eq!(at("2026-05-24T10:00:00Z"), Ok(1_779_616_800));
        assert_eq!(at("2026-05-24T10:00:00+02:00"), Ok(1_779_609_600));
        assert_eq!(at("2026-05-24 10:00"), Ok(1_779_616_800));
    }

    #[test]
    fn relative_times() {
        assert_eq!(at("30d"), Ok(1_800_000_000 - 30 * 86_400));
        assert_eq!(at("24h ago"), Ok(1_800_000_000 - 86_400));
        assert_eq!(at("+2d"), Ok(1_800_000_000 + 2 * 86_400));
        assert_eq!(at("now"), Ok(1_800_000_000));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "soon", "30x", "2026-13-01", "d"] {
            assert!(at(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("2w"), Ok(Duration::from_secs(14 * 86_400)));
        assert_eq!(duration("15"), Ok(Duration::from_secs(15)));
        assert!(duration("-5s").is_err());
    }
}
