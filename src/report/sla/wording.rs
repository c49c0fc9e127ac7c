//! Sentences about a report, for the terminal and the HTML page. Nothing here is escaped.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::options::{PeriodAnchor, Resolution, SlaOptions};
use super::sla_report::SlaReport;
use crate::report::business_hours::zone_name;
use crate::report::timeline_cache::Start;

/// The moment that must be in the period.
pub fn anchor(options: &SlaOptions) -> &'static str {
    match (options.by, options.resolution) {
        (PeriodAnchor::Start, _) => "started",
        (PeriodAnchor::Reply, _) => "first answered",
        (PeriodAnchor::Close, Resolution::LastClose) => "last closed",
        (PeriodAnchor::Close, Resolution::FirstClose) => "first closed",
    }
}

/// The message for a period without any message of a contact.
pub fn empty_message(report: &SlaReport) -> Option<String> {
    let figures = &report.total.figures;
    (figures.conversations == 0).then(|| match figures.excluded {
        0 => "No conversations in this period.".to_owned(),
        count => format!(
            "No conversations with a message of a contact in this period; {count} started by the team were not answered."
        ),
    })
}

/// Period and settings of the report, in one line.
pub fn period(options: &SlaOptions, report: &SlaReport) -> String {
    let zone = &options.zone;
    let what = anchor(options);
    let period = match (report.since, report.until) {
        (None, None) => "Conversations of all time".to_owned(),
        (Some(since), None) => format!("Conversations {what} since {}", shown(since, zone)),
        (None, Some(until)) => format!("Conversations {what} before {}", shown(until, zone)),
        (Some(since), Some(until)) => {
            format!("Conversations {what} from {} to {}", shown(since, zone), shown(until, zone))
        }
    };
    let hours = if options.business_hours.is_some() { "office hours" } else { "calendar hours" };
    let snoozed = if options.without_snoozed { ", without snoozed time" } else { "" };
    let outbound = match options.start {
        Start::FirstContact => "",
        Start::Created => ", outbound ones by creation time",
    };
    format!("{period} ({}), {hours}{snoozed}{outbound}; as of {}", zone_name(zone), shown(report.as_of, zone))
}

/// A moment in the time zone of the report.
pub fn shown(at: i64, zone: &TimeZone) -> String {
    let moment = Timestamp::from_second(at).map(|at| at.to_zoned(zone.clone()));
    moment.map_or_else(|_| at.to_string(), |moment| moment.strftime("%Y-%m-%d %H:%M").to_string())
}
