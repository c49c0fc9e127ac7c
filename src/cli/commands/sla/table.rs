//! The report for a terminal: a table with bars, and one conversation step by step.

use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::arguments::Wanted;
use super::by_words;
use crate::report::sla::{Explained, Metric, Row, SlaReport, Unit};

/// Characters of the longest bar.
const BAR: f64 = 16.0;

pub fn told(wanted: &Wanted, report: &SlaReport, groups: usize) -> String {
    let mut text = format!("{}\n\n", period(wanted, report));
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let mut header = vec![report.group_by.column().unwrap_or_default().to_owned()];
    header.extend(["conversations", "answered", "unanswered", "closed", "reopened"].map(str::to_owned));
    for metric in &wanted.options.metrics {
        let (name, unit) = (metric.name(), short(metric.unit()));
        header.extend([format!("{name} p50 {unit}"), format!("p90 {unit}"), String::new()]);
        if wanted.options.targets.of(*metric).is_some() {
            header.extend(["in time".to_owned(), "breached".to_owned()]);
        }
    }
    table.set_header(header);
    let longest = |metric: &Metric| {
        let rows = report.rows.iter().filter_map(|row| row.figures.of(*metric)?.p90);
        rows.fold(0.0_f64, f64::max)
    };
    let longest: Vec<f64> = wanted.options.metrics.iter().map(longest).collect();
    let total = (report.group_by.column().is_some()).then_some(&report.total);
    for row in report.rows.iter().chain(total) {
        table.add_row(cells(wanted, row, &longest));
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        let bar = at > 5 && column_is_bar(wanted, at - 6);
        column.set_cell_alignment(if at == 0 || bar { CellAlignment::Left } else { CellAlignment::Right });
    }
    let _ = writeln!(text, "{}", table.trim_fmt());
    let figures = &report.total.figures;
    let _ = write!(
        text,
        "\n█ half of them take no longer, ▒ nine of ten; - fewer than {} samples\n\
         excluded (the team wrote, the contact never did): {}; truncated: {}\n",
        wanted.options.min_samples, figures.excluded, figures.truncated
    );
    if groups > report.rows.len() {
        let _ = writeln!(text, "{} of {groups} rows", report.rows.len());
    }
    text
}

fn column_is_bar(wanted: &Wanted, mut at: usize) -> bool {
    for metric in &wanted.options.metrics {
        let width = if wanted.options.targets.of(*metric).is_some() { 5 } else { 3 };
        if at < width {
            return at == 2;
        }
        at -= width;
    }
    false
}

fn cells(wanted: &Wanted, row: &Row, longest: &[f64]) -> Vec<String> {
    let figures = &row.figures;
    let mut cells = vec![plain(&row.name)];
    let counts =
        [figures.conversations, figures.answered, figures.unanswered, figures.closed, figures.reopened];
    cells.extend(counts.map(|count| count.to_string()));
    for (metric, longest) in wanted.options.metrics.iter().zip(longest) {
        let Some(measured) = figures.of(*metric) else { continue };
        let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
        cells.extend([number(measured.p50), number(measured.p90), bar(measured.p50, measured.p90, *longest)]);
        if wanted.options.targets.of(*metric).is_some() {
            let share = measured.target_met_pct.map_or("-".to_owned(), |share| format!("{share:.1} %"));
            cells.extend([share, measured.breached.unwrap_or(0).to_string()]);
        }
    }
    cells
}

/// The median in full blocks, and on to the 90th percentile in light ones.
fn bar(p50: Option<f64>, p90: Option<f64>, longest: f64) -> String {
    let (Some(p50), Some(p90)) = (p50, p90) else { return String::new() };
    let length =
        |value: f64| if longest > 0.0 { (value / longest * BAR).round().min(BAR) as usize } else { 0 };
    let (half, most) = (length(p50), length(p90));
    "█".repeat(half) + &"▒".repeat(most.saturating_sub(half))
}

/// What the report is about, in one line.
pub fn period(wanted: &Wanted, report: &SlaReport) -> String {
    let zone = &wanted.zone;
    let what = by_words(wanted.options.by, wanted.options.resolution);
    let period = match (report.since, report.until) {
        (None, None) => "Conversations of all time".to_owned(),
        (Some(since), None) => format!("Conversations {what} since {}", shown(since, zone)),
        (None, Some(until)) => format!("Conversations {what} before {}", shown(until, zone)),
        (Some(since), Some(until)) => {
            format!("Conversations {what} from {} to {}", shown(since, zone), shown(until, zone))
        }
    };
    let hours = if wanted.options.office.is_some() { "office hours" } else { "calendar hours" };
    let snoozed = if wanted.options.without_snoozed { ", without snoozed time" } else { "" };
    format!("{period} ({}), {hours}{snoozed}; as of {}", wanted.zone_name(), shown(report.as_of, zone))
}

pub fn shown(at: i64, zone: &TimeZone) -> String {
    let moment = Timestamp::from_second(at).map(|at| at.to_zoned(zone.clone()));
    moment.map_or_else(|_| at.to_string(), |moment| moment.strftime("%Y-%m-%d %H:%M").to_string())
}

pub fn short(unit: Unit) -> &'static str {
    match unit {
        Unit::Minutes => "min",
        Unit::Hours => "h",
    }
}

/// One line, without anything that a terminal would act on.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

pub fn explained(wanted: &Wanted, explained: &Explained) -> String {
    let mut text = format!("Conversation {}: {}\n\n", plain(&explained.conversation_id), explained.counted);
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["when", "part", "what", "by", "author", "counted as"]);
    for step in &explained.steps {
        table.add_row([
            step.at.map_or("?".to_owned(), |at| shown(at, &wanted.zone)),
            step.part_id.as_deref().map(plain).unwrap_or_default(),
            step.part_type.as_deref().map_or("(opening)".to_owned(), plain),
            step.by.to_owned(),
            step.author.as_deref().map(plain).unwrap_or_default(),
            step.counted_as.join("; "),
        ]);
    }
    let _ = writeln!(text, "{}\n", table.trim_fmt());
    for (metric, seconds) in &explained.samples {
        let metric = Metric::ALL.into_iter().find(|known| known.column() == *metric);
        let Some(metric) = metric else { continue };
        let unit = metric.unit();
        let values: Vec<String> =
            seconds.iter().map(|seconds| format!("{} {}", unit.of(*seconds), short(unit))).collect();
        let values = if values.is_empty() { "none".to_owned() } else { values.join(", ") };
        let _ = writeln!(text, "{}: {values}", metric.name());
    }
    if explained.stale {
        let _ = writeln!(text, "It has changed since its parts were fetched: run `intercom-pp-cli sync`.");
    }
    text
}
