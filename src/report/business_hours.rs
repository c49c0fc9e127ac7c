//! Business hours: measures how much of a time span is within a team's working hours.
//!
//! A schedule is in local time in one time zone, so daylight saving changes are handled. Every hour that is not in
//! the schedule is outside of it; it must never guess.

use std::collections::BTreeSet;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::timeline;
pub use crate::data::times::zone::zone;

/// The opening hours of a team.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    zone: TimeZone,
    /// From Monday. `None` is the end of the day.
    days: [Vec<(Time, Option<Time>)>; 7],
    holidays: BTreeSet<Date>,
}

/// The days of a schedule, Monday first.
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl Schedule {
    /// `hours` are texts like `09:00-17:30` for each day, Monday first; `holidays` are dates.
    ///
    /// # Errors
    /// A message with the invalid value and the expected form.
    pub fn new(zone: TimeZone, hours: [&[String]; 7], holidays: &[String]) -> Result<Self, String> {
        let mut days: [Vec<(Time, Option<Time>)>; 7] = Default::default();
        for ((day, name), texts) in days.iter_mut().zip(DAYS).zip(hours) {
            for text in texts.iter().filter(|text| !matches!(text.trim(), "" | "closed")) {
                day.push(open_hours(text).ok_or_else(|| {
                    format!("{name}: invalid hours {text:?}: expected for example 09:00-17:30, or closed")
                })?);
            }
            day.sort();
            if day.windows(2).any(|pair| pair[0].1.is_none_or(|end| end > pair[1].0)) {
                return Err(format!("{name}: the hours overlap"));
            }
        }
        if days.iter().all(Vec::is_empty) {
            return Err("no hours given: set hours = \"09:00-17:30\", or the hours of single days".to_owned());
        }
        let date = |text: &String| {
            let date = text.trim().parse::<Date>();
            date.map_err(|_| format!("holidays: invalid date {text:?}: expected for example 2026-12-25"))
        };
        Ok(Schedule { zone, days, holidays: holidays.iter().map(date).collect::<Result<_, _>>()? })
    }

    /// The open intervals of one day, in epoch seconds.
    fn intervals(&self, date: Date) -> Vec<(i64, i64)> {
        if self.holidays.contains(&date) {
            return Vec::new();
        }
        let second = |date: Date, time: Time| {
            Some(date.to_datetime(time).to_zoned(self.zone.clone()).ok()?.timestamp().as_second())
        };
        let day = &self.days[date.weekday().to_monday_zero_offset().unsigned_abs() as usize];
        let interval = |(start, end): &(Time, Option<Time>)| {
            let end = match end {
                Some(end) => second(date, *end),
                None => second(date.tomorrow().ok()?, Time::midnight()),
            };
            Some((second(date, *start)?, end?))
        };
        day.iter().filter_map(interval).filter(|(start, end)| start < end).collect()
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

/// The name of a zone found by [`zone`].
pub fn zone_name(zone: &TimeZone) -> &str {
    zone.iana_name().unwrap_or("UTC")
}

/// Measures the length of time spans.
#[derive(Debug)]
pub enum SlaClock {
    /// Every second counts.
    Calendar,
    /// Only seconds in business hours count.
    Business(Box<BusinessClock>),
}

impl SlaClock {
    pub fn new(schedule: Option<&Schedule>) -> Self {
        schedule.map_or(SlaClock::Calendar, |schedule| {
            SlaClock::Business(Box::new(BusinessClock::new(schedule.clone())))
        })
    }

    /// Seconds from one moment to another.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        match self {
            SlaClock::Calendar => (to - from).max(0),
            SlaClock::Business(clock) => clock.between(from, to),
        }
    }

    /// Seconds from one moment to another, without those in these spans.
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

/// The open intervals of a schedule over the period queried so far, with their cumulative lengths.
#[derive(Debug)]
pub struct BusinessClock {
    schedule: Schedule,
    /// Start, end, and business seconds before the start. In order.
    intervals: Vec<(i64, i64, i64)>,
    /// The covered period, in epoch seconds.
    covered: Option<(i64, i64)>,
}

/// How far to extend the covered period beyond what was queried, in seconds.
const MARGIN: i64 = 200 * 86_400;

impl BusinessClock {
    fn new(schedule: Schedule) -> Self {
        BusinessClock { schedule, intervals: Vec::new(), covered: None }
    }

    fn between(&mut self, from: i64, to: i64) -> i64 {
        // Cover both first: extending backwards changes the values of `before`.
        self.cover(from);
        self.cover(to);
        (self.before(to) - self.before(from)).max(0)
    }

    /// Business seconds from the start of the covered period to this moment, which must be covered.
    fn before(&self, at: i64) -> i64 {
        let place = self.intervals.partition_point(|(start, ..)| *start <= at);
        match place.checked_sub(1).map(|place| self.intervals[place]) {
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
        self.intervals.clear();
        let (Some(mut day), Some(last)) = (date(from), date(to)) else { return };
        let mut before = 0;
        while day <= last {
            for (start, end) in self.schedule.intervals(day) {
                self.intervals.push((start, end, before));
                before += end - start;
            }
            let Ok(next) = day.checked_add(Span::new().days(1)) else { return };
            day = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    fn clock(hours: [&str; 7], holidays: &[&str]) -> SlaClock {
        let hours = hours.map(|text| vec![text.to_owned()]);
        let holidays: Vec<String> = holidays.iter().map(|text| (*text).to_owned()).collect();
        let hours = std::array::from_fn(|day| hours[day].as_slice());
        SlaClock::new(Some(&Schedule::new(zone("Europe/Berlin").unwrap(), hours, &holidays).unwrap()))
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
    fn a_day_with_a_clock_change_has_its_real_length() {
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
    fn spans_of_years_are_measured() {
        let mut office = clock(NINE_TO_FIVE, &[]);
        let week = office.between(at("2026-05-18T00:00:00+02:00"), at("2026-05-25T00:00:00+02:00"));
        assert_eq!(week, 40 * 3600);
        let weeks = office.between(at("2020-01-06T00:00:00+01:00"), at("2026-05-25T00:00:00+02:00"));
        assert_eq!(weeks, 333 * 40 * 3600);
    }

    #[test]
    fn spans_are_excluded() {
        let spans = [(150, Some(250)), (400, None)];
        assert_eq!(SlaClock::Calendar.outside(100, 300, &spans), 100);
        assert_eq!(SlaClock::Calendar.outside(100, 500, &spans), 200);
        assert_eq!(SlaClock::Calendar.outside(100, 120, &spans), 20);
    }

    #[test]
    fn invalid_hours_are_rejected() {
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
