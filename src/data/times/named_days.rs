//! Names of days and periods: `today`, `monday`, `last week`. Reads English names only, and knows neither clock nor zone.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

/// Which day a weekday's name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Today, or the last one before.
    Past,
    /// The next one after today.
    Future,
}

/// The day of this name, or the first day of the period of this name.
pub fn day(typed: &str, today: Date, direction: Direction) -> Option<Date> {
    let name = typed.to_lowercase();
    match name.as_str() {
        "today" => Some(today),
        "yesterday" => today.yesterday().ok(),
        "tomorrow" => today.tomorrow().ok(),
        name if name.contains(' ') => first_day(name, today),
        name => {
            let weekday = weekday(name)?;
            match direction {
                Direction::Past if today.weekday() == weekday => Some(today),
                Direction::Past => today.nth_weekday(-1, weekday).ok(),
                Direction::Future => today.nth_weekday(1, weekday).ok(),
            }
        }
    }
}

/// The first day of `this week`, `last month` or `next year`, and the day of `last friday`. Weeks start on Monday.
fn first_day(words: &str, today: Date) -> Option<Date> {
    let (which, period) = words.split_once(' ')?;
    let shift: i64 = match which {
        "last" | "previous" => -1,
        "this" => 0,
        "next" => 1,
        _ => return None,
    };
    let period = period.trim();
    match period {
        "week" => {
            let monday = today.checked_sub(i64::from(today.weekday().to_monday_zero_offset()).days()).ok()?;
            monday.checked_add(shift.weeks()).ok()
        }
        "month" => today.first_of_month().checked_add(shift.months()).ok(),
        "year" => today.first_of_year().checked_add(shift.years()).ok(),
        _ => {
            let day = weekday(period).filter(|_| shift != 0)?;
            today.nth_weekday(i32::try_from(shift).ok()?, day).ok()
        }
    }
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name {
        "monday" | "mon" => Weekday::Monday,
        "tuesday" | "tue" => Weekday::Tuesday,
        "wednesday" | "wed" => Weekday::Wednesday,
        "thursday" | "thu" => Weekday::Thursday,
        "friday" | "fri" => Weekday::Friday,
        "saturday" | "sat" => Weekday::Saturday,
        "sunday" | "sun" => Weekday::Sunday,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_begin_on_their_first_day() {
        // A Friday.
        let today: Date = "2027-01-15".parse().unwrap();
        let named = |text: &str| day(text, today, Direction::Past).map(|day| day.to_string());
        for (text, expected) in [
            ("this week", "2027-01-11"),
            ("Last week", "2027-01-04"),
            ("next week", "2027-01-18"),
            ("this month", "2027-01-01"),
            ("last month", "2026-12-01"),
            ("next  month", "2027-02-01"),
            ("last year", "2026-01-01"),
            ("last friday", "2027-01-08"),
            ("next monday", "2027-01-18"),
            ("friday", "2027-01-15"),
        ] {
            assert_eq!(named(text).as_deref(), Some(expected), "{text}");
        }
        for wrong in ["last", "this friday", "last fortnight", "two weeks", "week"] {
            assert_eq!(named(wrong), None, "{wrong}");
        }
    }
}
