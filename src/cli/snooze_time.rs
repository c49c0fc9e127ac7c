//! Until when to snooze: the times of [`super::time`], read as the future, and a day with a time of day.

use jiff::Timestamp;
use jiff::civil::Time;

use super::error::{Error, Hint};
use super::time::Times;

/// When a day begins for somebody who answers customers.
const MORNING: &str = "09:00";

/// Parses the time of `--until` into epoch seconds. `3h` and `2d` are counted from now, and a named day without a time
/// of day means the morning.
///
/// # Errors
/// A usage error for anything but a time in the future.
pub fn snooze_time(times: &Times, text: &str) -> Result<i64, Error> {
    let typed = text.trim();
    let until = on_day(times, typed)
        .map_or_else(|| times.future(&from_now(times, typed)), Ok)
        .map_err(|reason| Error::usage(format!("--until: {reason}")))?;
    if until <= Timestamp::now().as_second() {
        return Err(Error::usage_with_hint(
            format!("--until: {text:?} is in the past: expected a time in the future"),
            Hint::new("for example ")
                .flag("until")
                .text(" 'tomorrow 09:00'")
                .or("")
                .flag("until")
                .text(" +2d"),
        ));
    }
    Ok(until)
}

/// A span without a sign, which elsewhere is in the past.
fn from_now(times: &Times, typed: &str) -> String {
    let is_span = typed.starts_with(|letter: char| letter.is_ascii_digit())
        && !typed.ends_with("ago")
        && times.is_span_back(typed);
    if is_span { format!("+{typed}") } else { typed.to_owned() }
}

/// `tomorrow`, `monday 14:00`, `2026-12-01 9:30`: a day, and a time of day.
fn on_day(times: &Times, typed: &str) -> Option<i64> {
    let (day, clock) = match typed.rsplit_once(' ') {
        Some((day, clock)) if clock.contains(':') => (day.trim(), clock),
        Some(_) => return None,
        None => (typed, MORNING),
    };
    let is_named = day.chars().all(char::is_alphabetic) && day != "now";
    if !is_named && clock == MORNING && day == typed {
        return None;
    }
    let padded = if clock.len() == 4 { format!("0{clock}") } else { clock.to_owned() };
    let clock: Time = padded.parse().ok()?;
    let start = Timestamp::from_second(times.future(day).ok()?).ok()?;
    let date = start.to_zoned(times.zone().clone()).date();
    let at = date.to_datetime(clock).to_zoned(times.zone().clone()).ok()?;
    Some(at.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn a_day_means_its_morning_in_the_zone_and_a_span_starts_now() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let now = Timestamp::now();
        let times = Times::at(now, zone.clone());
        let clock = |text: &str| {
            let at = Timestamp::from_second(snooze_time(&times, text).unwrap()).unwrap();
            at.to_zoned(zone.clone()).strftime("%H:%M").to_string()
        };
        for (text, expected) in [
            ("tomorrow", "09:00"),
            ("tomorrow 14:30", "14:30"),
            ("monday", "09:00"),
            ("Friday 8:05", "08:05"),
        ] {
            assert_eq!(clock(text), expected, "{text}");
        }
        assert_eq!(snooze_time(&times, "3h").unwrap(), now.as_second() + 3 * 3_600);
        assert_eq!(snooze_time(&times, "+2d").unwrap(), now.as_second() + 2 * 86_400);
        assert_eq!(snooze_time(&times, "2099-01-01").unwrap(), times.moment("2099-01-01").unwrap());
        for text in ["yesterday", "2020-01-01", "2h ago", "soon", "tomorrow 25:00", ""] {
            assert!(snooze_time(&times, text).is_err(), "{text}");
        }
    }
}
