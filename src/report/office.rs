//! Office hours: which part of a stretch of time somebody was there to answer.
//!
//! A schedule is civil: hours of the clock on the wall, in one time zone, so a day on which the clocks
//! change is as long as its hours say. What it must never do is guess: every hour that is not named is
//! outside.

use std::collections::BTreeSet;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::timeline;

/// When somebody is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    zone: TimeZone,
    /// From Monday. The end of the day is `None`.
    days: [Vec<(Time, Option<Time>)>; 7],
    holidays: BTreeSet<Date>,
}

/// The days of a schedule, Monday first.
pub const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl Schedule {
    /// `hours` are texts such as `09:00-17:30` for each day, Monday first; `holidays` are dates.
    ///
    /// # Errors
    /// A sentence about what is wrong, and what is understood.
    pub fn new(zone: TimeZone, hours: [&[String]; 7], holidays: &[String]) -> Result<Self, String> {
        let mut days: [Vec<(Time, Option<Time>)>; 7] = Default::default();
        for ((day, name), texts) in days.iter_mut().zip(DAYS).zip(hours) {
            for text in texts.iter().filter(|text| !matches!(text.trim(), "" | "closed")) {
                day.push(open_hours(text).ok_or_else(|| {
                    format!("{name}: {text:?} are no hours; use a form such as 09:00-17:30, or closed")
                })?);
            }
            day.sort();
            if day.windows(2).any(|pair| pair[0].1.is_none_or(|end| end > pair[1].0)) {
                return Err(format!("{name}: its hours overlap"));
            }
        }
        if days.iter().all(Vec::is_empty) {
            return Err("no day has any hours; set hours = \"09:00-17:30\", or single days".to_owned());
        }
        let date = |text: &String| {
            let date = text.trim().parse::<Date>();
            date.map_err(|_| format!("holidays: {text:?} is no date; use a form such as 2026-12-25"))
        };
        Ok(Schedule { zone, days, holidays: holidays.iter().map(date).collect::<Result<_, _>>()? })
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The stretches of one day, epoch seconds.
    fn stretches(&self, date: Date) -> Vec<(i64, i64)> {
        if self.holidays.contains(&date) {
            return Vec::new();
        }
        let second = |date: Date, time: Time| {
            Some(date.to_datetime(time).to_zoned(self.zone.clone()).ok()?.timestamp().as_second())
        };
        let day = &self.days[date.weekday().to_monday_zero_offset().unsigned_abs() as usize];
        let stretch = |(start, end): &(Time, Option<Time>)| {
            let end = match end {
                Some(end) => second(date, *end),
                None => second(date.tomorrow().ok()?, Time::midnight()),
            };
            Some((second(date, *start)?, end?))
        };
        day.iter().filter_map(stretch).filter(|(start, end)| start < end).collect()
    }
}

fn open_hours(text: &str) -> Option<(Time, Option<Time>)> {
    let (start, end) = text.split_once(['-', '–'])?;
    let start: Time = start.trim().parse().ok()?;
    let end = match end.trim() {
        "24:00" | "00:00" => None,
        end => Some(end.parse().ok()?),
    };
    end.is_none_or(|end| end > start).then_some((start, end))
}

/// The time zone of an IANA name.
///
/// # Errors
/// A sentence with the names that come close.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name.trim()).map_err(|_| {
        let wanted = name.trim().to_lowercase();
        let place = wanted.rsplit('/').next().unwrap_or(&wanted).replace(' ', "_");
        let stem: String = place.chars().take(4).collect();
        let close: Vec<String> = jiff::tz::db()
            .available()
            .map(|zone| zone.to_string())
            .filter(|zone| {
                !stem.is_empty()
                    && zone.to_lowercase().rsplit('/').next().is_some_and(|it| it.starts_with(&stem))
            })
            .take(5)
            .collect();
        let close = if close.is_empty() {
            "Europe/Dublin, America/New_York, UTC".to_owned()
        } else {
            close.join(", ")
        };
        format!("{name:?} is no IANA time zone; such are {close}")
    })
}

/// Measures stretches of time.
#[derive(Debug)]
pub enum Clock {
    /// Every second counts.
    Calendar,
    /// Seconds inside office hours count.
    Office(Box<OfficeClock>),
}

impl Clock {
    pub fn new(schedule: Option<&Schedule>) -> Self {
        schedule
            .map_or(Clock::Calendar, |schedule| Clock::Office(Box::new(OfficeClock::new(schedule.clone()))))
    }

    /// Seconds from one moment to another.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        match self {
            Clock::Calendar => (to - from).max(0),
            Clock::Office(clock) => clock.between(from, to),
        }
    }

    /// The same without the time in these spans.
    pub fn outside(&mut self, from: i64, to: i64, spans: &[timeline::Span]) -> i64 {
        let all = self.between(from, to);
        let inside: i64 = spans
            .iter()
            .map(|(start, end)| ((*start).max(from), end.unwrap_or(i64::MAX).min(to)))
            .filter(|(start, end)| start < end)
            .map(|(start, end)| self.between(start, end))
            .sum();
        (all - inside).max(0)
    }
}

/// All stretches of a schedule over the years that were asked about, with how much came before each.
#[derive(Debug)]
pub struct OfficeClock {
    schedule: Schedule,
    /// Start, end, and office seconds before the start. In order.
    stretches: Vec<(i64, i64, i64)>,
    /// The days that are covered; epoch seconds.
    covered: Option<(i64, i64)>,
}

/// How much is worked out at once beyond what was asked for.
const MARGIN: i64 = 200 * 86_400;

impl OfficeClock {
    fn new(schedule: Schedule) -> Self {
        OfficeClock { schedule, stretches: Vec::new(), covered: None }
    }

    fn between(&mut self, from: i64, to: i64) -> i64 {
        // Both first: reaching further back moves the moment that `before` counts from.
        self.cover(from);
        self.cover(to);
        (self.before(to) - self.before(from)).max(0)
    }

    /// Office seconds from the first covered moment to this one, which is covered.
    fn before(&self, at: i64) -> i64 {
        let place = self.stretches.partition_point(|(start, ..)| *start <= at);
        match place.checked_sub(1).map(|place| self.stretches[place]) {
            Some((start, end, before)) => before + at.min(end) - start,
            None => 0,
        }
    }

    fn cover(&mut self, at: i64) {
        let covered = self.covered.unwrap_or((at, at));
        if self.covered.is_some() && (covered.0..covered.1).contains(&at) {
            return;
        }
        let (from, to) = (covered.0.min(at - MARGIN), covered.1.max(at + MARGIN));
        let date =
            |at: i64| Some(Timestamp::from_second(at).ok()?.to_zoned(self.schedule.zone.clone()).date());
        self.covered = Some((from, to));
        self.stretches.clear();
        let (Some(mut day), Some(last)) = (date(from), date(to)) else { return };
        let mut before = 0;
        while day <= last {
            for (start, end) in self.schedule.stretches(day) {
                self.stretches.push((start, end, before));
                before += end - start;
            }
            let Ok(next) = day.checked_add(Span::new().days(1)) else { return };
            day = next;
        }
    }
}

/// The first and the last moment (not included) of an ISO week such as `2026-W20`, epoch seconds.
///
/// # Errors
/// A sentence that says what is understood.
pub fn week(text: &str, zone: &TimeZone) -> Result<(i64, i64), String> {
    let wrong = || format!("{text:?} is no week; use the ISO form 2026-W20 (W01 to W53)");
    let (year, number) = text.trim().split_once(['W', 'w']).ok_or_else(wrong)?;
    let year: i16 = year.trim_end_matches('-').parse().map_err(|_| wrong())?;
    let number: i8 = number.parse().map_err(|_| wrong())?;
    let monday = jiff::civil::ISOWeekDate::new(year, number, Weekday::Monday).map_err(|_| wrong())?.date();
    let midnight = |date: Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp().as_second());
    let end = monday.checked_add(Span::new().days(7)).ok();
    midnight(monday).zip(end.and_then(midnight)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    fn clock(hours: [&str; 7], holidays: &[&str]) -> Clock {
        let hours = hours.map(|text| vec![text.to_owned()]);
        let holidays: Vec<String> = holidays.iter().map(|text| (*text).to_owned()).collect();
        let hours = std::array::from_fn(|day| hours[day].as_slice());
        Clock::new(Some(&Schedule::new(zone("Europe/Berlin").unwrap(), hours, &holidays).unwrap()))
    }

    const NINE_TO_FIVE: [&str; 7] =
        ["09:00-17:00", "09:00-17:00", "09:00-17:00", "09:00-17:00", "09:00-17:00", "", "closed"];

    #[test]
    fn nights_weekends_and_holidays_do_not_count() {
        // Friday 2026-05-15 16:30 in Berlin to Monday 09:15: half an hour, and a quarter.
        let mut weekend = clock(NINE_TO_FIVE, &[]);
        assert_eq!(
            weekend.between(at("2026-05-15T16:30:00+02:00"), at("2026-05-18T09:15:00+02:00")),
            45 * 60
        );
        // The same over Whit Monday, to Tuesday.
        let mut holiday = clock(NINE_TO_FIVE, &["2026-05-25"]);
        assert_eq!(
            holiday.between(at("2026-05-22T16:30:00+02:00"), at("2026-05-26T09:15:00+02:00")),
            45 * 60
        );
        assert_eq!(holiday.between(at("2026-05-23T10:00:00Z"), at("2026-05-24T10:00:00Z")), 0);
        assert_eq!(holiday.between(200, 100), 0);
    }

    #[test]
    fn the_day_on_which_the_clocks_change_has_its_own_length() {
        // On 2026-03-29 the clocks went from 02:00 to 03:00, on 2026-10-25 from 03:00 back to 02:00.
        let mut around = clock(["00:00-24:00"; 7], &[]);
        let day = |date: &str, offset: &str| at(&format!("{date}T00:00:00{offset}"));
        assert_eq!(around.between(day("2026-03-29", "+01:00"), day("2026-03-30", "+02:00")), 23 * 3600);
        assert_eq!(around.between(day("2026-10-25", "+02:00"), day("2026-10-26", "+01:00")), 25 * 3600);
        // Nine to five is eight hours, whatever the offset: Friday to Monday over the change.
        let mut office = clock(NINE_TO_FIVE, &[]);
        assert_eq!(
            office.between(at("2026-03-27T16:00:00+01:00"), at("2026-03-30T10:00:00+02:00")),
            2 * 3600
        );
    }

    #[test]
    fn moments_far_apart_are_covered() {
        let mut office = clock(NINE_TO_FIVE, &[]);
        let week = office.between(at("2026-05-18T00:00:00+02:00"), at("2026-05-25T00:00:00+02:00"));
        assert_eq!(week, 40 * 3600);
        let weeks = office.between(at("2020-01-06T00:00:00+01:00"), at("2026-05-25T00:00:00+02:00"));
        assert_eq!(weeks, 333 * 40 * 3600);
    }

    #[test]
    fn spans_are_taken_out() {
        let spans = [(150, Some(250)), (400, None)];
        assert_eq!(Clock::Calendar.outside(100, 300, &spans), 100);
        assert_eq!(Clock::Calendar.outside(100, 500, &spans), 200);
        assert_eq!(Clock::Calendar.outside(100, 120, &spans), 20);
    }

    #[test]
    fn weeks_begin_on_monday_in_their_zone() {
        let berlin = zone("Europe/Berlin").unwrap();
        let found = week("2026-W20", &berlin).unwrap();
        assert_eq!(found, (at("2026-05-11T00:00:00+02:00"), at("2026-05-18T00:00:00+02:00")));
        assert_eq!(week("2026-W53", &TimeZone::UTC).unwrap().0, at("2026-12-28T00:00:00Z"));
        for wrong in ["2026-W54", "2025-W53", "2026-20", "W20", "week 3", "2026-W00"] {
            assert!(week(wrong, &TimeZone::UTC).is_err(), "{wrong}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let monday = |text: &str| {
            let hours = [vec![text.to_owned()], vec![], vec![], vec![], vec![], vec![], vec![]];
            Schedule::new(TimeZone::UTC, std::array::from_fn(|day| hours[day].as_slice()), &[])
        };
        for wrong in ["9 to 5", "17:00-09:00", "09:00", "", "25:00-26:00"] {
            assert!(monday(wrong).is_err(), "{wrong}");
        }
        assert!(monday("09:00-24:00").is_ok());
        assert!(zone("Europe/Berln").unwrap_err().contains("Europe/Berlin"));
    }
}
