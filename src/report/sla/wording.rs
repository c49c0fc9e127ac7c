//! Sentences about a report, for the terminal and the HTML page. Nothing here is escaped.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::groups::GroupBy;
use super::options::{Metric, PeriodAnchor, Resolution, SlaOptions, Unit};
use super::sla_report::SlaReport;
use crate::data::span;
use crate::report::business_hours::zone_name;
use crate::report::timeline_cache::Start;

/// Shown for a figure that is unknown, for example for lack of samples.
pub const UNKNOWN: &str = "–";

/// The moment that must be in the period.
pub fn anchor(options: &SlaOptions) -> &'static str {
    match (options.by, options.resolution) {
        (PeriodAnchor::Start, _) => "started",
        (PeriodAnchor::Reply, _) => "first answered",
        (PeriodAnchor::Close, Resolution::LastClose) => "last closed",
        (PeriodAnchor::Close, Resolution::FirstClose) => "first closed",
    }
}

/// The name of a metric.
pub const fn label(metric: Metric) -> &'static str {
    match metric {
        Metric::FirstResponse => "First response",
        Metric::Resolution => "Resolution",
        Metric::NextResponse => "Next response",
        Metric::Handle => "Handling",
    }
}

/// Plural noun for the groups of the report.
pub const fn groups(group_by: GroupBy) -> &'static str {
    match group_by {
        GroupBy::Team => "teams",
        GroupBy::Admin => "teammates",
        GroupBy::Tag => "tags",
        GroupBy::Channel => "channels",
        GroupBy::Company => "companies",
        GroupBy::None => "groups",
    }
}

/// A figure of a metric as a length of time.
pub fn duration(metric: Metric, value: f64) -> String {
    let seconds = match metric.unit() {
        Unit::Minutes => value * 60.0,
        Unit::Hours => value * 3_600.0,
    };
    span::length(seconds.round())
}

/// As [`duration`], or [`UNKNOWN`].
pub fn duration_or_unknown(metric: Metric, value: Option<f64>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| duration(metric, value))
}

/// The message for a period without any message of a contact.
pub fn empty_message(report: &SlaReport) -> Option<String> {
    let figures = &report.total.figures;
    (figures.conversations == 0).then(|| match figures.excluded {
        0 => "No conversations in this period.".to_owned(),
        1 => "No customer wrote in this period; 1 conversation that the team started was not answered."
            .to_owned(),
        count => format!(
            "No customer wrote in this period; {count} conversations that the team started were not answered."
        ),
    })
}

/// Conversations that are in no figure, or not in all of them.
pub fn not_counted(report: &SlaReport) -> Vec<String> {
    let figures = &report.total.figures;
    let mut notes = Vec::new();
    if figures.excluded > 0 {
        notes.push(format!("{} not counted: the customer never wrote", figures.excluded));
    }
    if figures.truncated > 0 {
        notes.push(format!(
            "{} without a first response time: the API returns only the newest 500 parts",
            figures.truncated
        ));
    }
    notes
}

/// Period and settings of the report, in one line.
pub fn period(options: &SlaOptions, report: &SlaReport) -> String {
    let zone = &options.zone;
    let what = anchor(options);
    let period = match (report.since, report.until) {
        (None, None) => "Conversations of all time".to_owned(),
        (Some(since), None) => format!("Conversations {what} since {}", day_or_time(since, zone)),
        (None, Some(until)) => format!("Conversations {what} before {}", day_or_time(until, zone)),
        (Some(since), Some(until)) => {
            let is_whole = is_midnight(since, zone) && is_midnight(until, zone);
            // The end is not part of the period, which nobody expects of a day.
            if is_whole {
                format!("Conversations {what} from {} through {}", day(since, zone), day(until - 1, zone))
            } else {
                format!("Conversations {what} from {} to {}", shown(since, zone), shown(until, zone))
            }
        }
    };
    let hours = if options.business_hours.is_some() { "office hours" } else { "calendar hours" };
    let snoozed = if options.without_snoozed { ", without snoozed time" } else { "" };
    let outbound = match options.start {
        Start::FirstContact => "",
        Start::Created => ", outbound ones by creation time",
    };
    format!("{period} ({}), {hours}{snoozed}{outbound}", zone_name(zone))
}

/// The end of the data.
pub fn as_of(options: &SlaOptions, report: &SlaReport) -> String {
    format!("as of {}", shown(report.as_of, &options.zone))
}

/// A moment in the time zone of the report.
pub fn shown(at: i64, zone: &TimeZone) -> String {
    format(at, zone, "%Y-%m-%d %H:%M")
}

fn day(at: i64, zone: &TimeZone) -> String {
    format(at, zone, "%Y-%m-%d")
}

/// The day if the moment is its start.
fn day_or_time(at: i64, zone: &TimeZone) -> String {
    if is_midnight(at, zone) { day(at, zone) } else { shown(at, zone) }
}

fn is_midnight(at: i64, zone: &TimeZone) -> bool {
    Timestamp::from_second(at).is_ok_and(|at| at.to_zoned(zone.clone()).time() == Time::midnight())
}

fn format(at: i64, zone: &TimeZone, form: &str) -> String {
    let moment = Timestamp::from_second(at).map(|at| at.to_zoned(zone.clone()));
    moment.map_or_else(|_| at.to_string(), |moment| moment.strftime(form).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_lengths_of_time() {
        assert_eq!(duration(Metric::FirstResponse, 1_676.5), "1 d 4 h");
        assert_eq!(duration(Metric::FirstResponse, 0.5), "30 s");
        assert_eq!(duration(Metric::Resolution, 17.629), "17 h 38 min");
        assert_eq!(duration_or_unknown(Metric::Handle, None), UNKNOWN);
    }

    #[test]
    fn days_are_shown_without_a_time() {
        let zone = TimeZone::UTC;
        assert_eq!(day_or_time(1_759_968_000, &zone), "2025-10-09");
        assert_eq!(day_or_time(1_760_000_000, &zone), "2025-10-09 08:53");
    }
}
