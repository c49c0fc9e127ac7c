//! The workspace's clock, and calendar days and office hours in its time zone.
//!
//! The clock starts where the seed data ends, runs at normal speed, and can be advanced by tests. Searches compare dates by calendar day in this zone, and the `time_to_*` statistics count office hours only.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub const MINUTE: i64 = 60;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

const OPENING: i64 = 9 * HOUR;
const CLOSING: i64 = 17 * HOUR;

/// The current time of a workspace, in epoch seconds.
#[derive(Debug, Clone)]
pub struct WorkspaceClock {
    origin: i64,
    started: Instant,
    skipped: i64,
}

impl WorkspaceClock {
    /// A clock that currently shows `origin` (epoch seconds).
    pub fn starting_at(origin: i64) -> Self {
        WorkspaceClock { origin, started: Instant::now(), skipped: 0 }
    }

    /// Epoch seconds.
    pub fn now(&self) -> i64 {
        self.origin + self.skipped + self.started.elapsed().as_secs() as i64
    }

    /// Advances the clock at once, by whole seconds.
    pub fn advance(&mut self, by: Duration) {
        self.skipped += by.as_secs() as i64;
    }
}

fn local(zone: &TimeZone, at: i64) -> i64 {
    Timestamp::from_second(at).map_or(at, |time| at + i64::from(zone.to_offset(time).seconds()))
}

/// A time (epoch seconds) as RFC 3339 text in UTC; empty if no calendar has it.
pub fn time_text(at: i64) -> String {
    Timestamp::from_second(at).map_or_else(|_| String::new(), |time| time.to_string())
}

/// The calendar day, as a day number, that contains `at` (epoch seconds).
pub fn day(zone: &TimeZone, at: i64) -> i64 {
    local(zone, at).div_euclid(DAY)
}

/// Seconds within office hours (Monday to Friday, 9:00 to 17:00) between two times (epoch seconds).
///
/// Ignores daylight saving changes within the span: uses the UTC offset at `from` throughout.
pub fn office_seconds(zone: &TimeZone, from: i64, to: i64) -> i64 {
    let begin = local(zone, from);
    let end = begin + (to - from);
    (begin.div_euclid(DAY)..=end.div_euclid(DAY))
        .filter(|day| (day + 3).rem_euclid(7) < 5)
        .map(|day| (end.min(day * DAY + CLOSING) - begin.max(day * DAY + OPENING)).max(0))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRIDAY_NOON: i64 = 1_704_456_000; // 2024-01-05T12:00Z

    #[test]
    fn nights_and_weekends_do_not_count() {
        let utc = TimeZone::UTC;
        assert_eq!(office_seconds(&utc, FRIDAY_NOON, FRIDAY_NOON + 60), 60);
        assert_eq!(office_seconds(&utc, FRIDAY_NOON, FRIDAY_NOON + 3 * DAY), 8 * 3_600);
        assert_eq!(office_seconds(&utc, FRIDAY_NOON + 6 * 3_600, FRIDAY_NOON + DAY), 0);
    }

    #[test]
    fn days_start_at_midnight_in_the_time_zone() {
        let west = TimeZone::fixed(jiff::tz::offset(-8));
        let midnight = FRIDAY_NOON + DAY / 2;
        assert_eq!(day(&TimeZone::UTC, midnight), day(&TimeZone::UTC, midnight - 1) + 1);
        assert_eq!(day(&west, midnight), day(&west, midnight - 1));
    }
}
