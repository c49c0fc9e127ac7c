//! Times as people read them: `2 h ago` on a terminal, date and time elsewhere, in the user's time zone.
//!
//! Programs get times as they were received; only tables and texts for people come through here.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::flags::OutputFlags;
use crate::data::span;

/// Older moments are shown as dates: `214 d ago` says less.
const MAX_AGE: u64 = 30 * 86_400;

/// The current time, and how moments are shown.
#[derive(Debug, Clone)]
pub struct Clock {
    now: i64,
    zone: TimeZone,
    is_relative: bool,
}

impl Clock {
    /// Relative times for a terminal, in the zone of `--utc` or `--timezone`, else the system's.
    pub fn of(flags: &OutputFlags) -> Self {
        Clock { now: Timestamp::now().as_second(), zone: flags.zone(), is_relative: flags.to_terminal() }
    }

    /// Dates and times only.
    pub fn absolute(self) -> Self {
        Clock { is_relative: false, ..self }
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The current time in epoch seconds.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// For a narrow column: `2 h ago`, `in 3 d`, or a date; `2026-05-24 09:00` if times are not relative.
    pub fn short(&self, seconds: i64) -> String {
        if !self.is_relative {
            return self.date_and_time(seconds);
        }
        self.relative(seconds).unwrap_or_else(|| self.format(seconds, "%Y-%m-%d"))
    }

    /// Date and time, followed by the relative time if times are relative: `2026-05-24 09:00 (2 h ago)`.
    pub fn full(&self, seconds: i64) -> String {
        let at = self.date_and_time(seconds);
        match self.relative(seconds).filter(|_| self.is_relative) {
            Some(relative) => format!("{at} ({relative})"),
            None => at,
        }
    }

    /// `2026-05-24 09:00`.
    pub fn date_and_time(&self, seconds: i64) -> String {
        self.format(seconds, "%Y-%m-%d %H:%M")
    }

    /// The current time of day: `09:00:00`.
    pub fn time_of_day(&self) -> String {
        self.format(Timestamp::now().as_second(), "%H:%M:%S")
    }

    /// A moment in the form of `strftime`.
    pub fn format(&self, seconds: i64, form: &str) -> String {
        match Timestamp::from_second(seconds) {
            Ok(at) => at.to_zoned(self.zone.clone()).strftime(form).to_string(),
            Err(_) => seconds.to_string(),
        }
    }

    /// `2 h ago` or `in 3 d`; `None` if it is too long ago or too far ahead.
    fn relative(&self, seconds: i64) -> Option<String> {
        let distance = self.now.abs_diff(seconds);
        if distance > MAX_AGE {
            return None;
        }
        let length = span::largest_unit(distance);
        Some(match seconds {
            _ if distance < 10 => "just now".to_owned(),
            seconds if seconds <= self.now => format!("{length} ago"),
            _ => format!("in {length}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2027-01-15 08:00 UTC.
    const NOW: i64 = 1_800_000_000;

    fn clock(zone: &str, is_relative: bool) -> Clock {
        Clock { now: NOW, zone: TimeZone::get(zone).unwrap(), is_relative }
    }

    #[test]
    fn recent_moments_are_relative_on_a_terminal() {
        let clock = clock("UTC", true);
        assert_eq!(clock.short(NOW - 3), "just now");
        assert_eq!(clock.short(NOW - 7_300), "2 h ago");
        assert_eq!(clock.short(NOW + 3 * 86_400), "in 3 d");
        assert_eq!(clock.short(NOW - 40 * 86_400), "2026-12-06");
        assert_eq!(clock.full(NOW - 7_300), "2027-01-15 05:58 (2 h ago)");
        assert_eq!(clock.full(NOW - 40 * 86_400), "2026-12-06 08:00");
    }

    #[test]
    fn moments_are_in_the_zone() {
        let clock = clock("America/New_York", false);
        assert_eq!(clock.short(NOW), "2027-01-15 03:00");
        assert_eq!(clock.full(NOW), "2027-01-15 03:00");
    }
}
