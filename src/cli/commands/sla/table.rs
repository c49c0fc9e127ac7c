//! The report for a terminal: a table with bars, and one conversation step by step.

use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::arguments::Wanted;
use super::by_words;
use crate::cli::output::cut;
use crate::report::sla::{Explained, Metric, Row, SlaReport, Unit, labels};
use crate::report::timelines::Start;

/// Characters of the longest bar.
const BAR: f64 = 16.0;

/// Counts of a row, the ones that give way first at the end.
const COUNTS: [&str; 5] = ["conversations", "answered", "unanswered", "closed", "reopened"];

/// How much of the report a table shows.
#[derive(Debug, Clone, Copy)]
struct Detail {
    bars: bool,
    counts: usize,
    /// Whether the name of a metric stands above its unit, to save width.
    stacked: bool,
}

/// From everything to the least: bars give way before counts, and counts before figures.
const DETAILS: [Detail; 6] = [
    Detail { bars: true, counts: 5, stacked: false },
    Detail { bars: true, counts: 5, stacked: true },
    Detail { bars: false, counts: 5, stacked: true },
    Detail { bars: false, counts: 3, stacked: true },
    Detail { bars: false, counts: 1, stacked: true },
    Detail { bars: false, counts: 0, stacked: true },
];

/// The report in `room` columns of the screen.
pub fn told(wanted: &Wanted, report: &SlaReport, groups: usize, room: Option<usize>) -> String {
    let mut text = format!("{}\n\n", period(wanted, report));
    if let Some(nothing) = nothing(report) {
        let _ = writeln!(text, "{nothing}");
        return text;
    }
    let metrics = &wanted.options.metrics[..];
    let (tables, bars) = match fitting(wanted, report, metrics, room) {
        Some((table, detail)) => (table, detail.bars),
        None => {
            let single = metrics.iter().map(|metric| {
                let metric = std::slice::from_ref(metric);
                let least = DETAILS[DETAILS.len() - 1];
                fitting(wanted, report, metric, room)
                    .map_or_else(|| table(wanted, report, metric, least), |(table, _)| table)
            });
            (single.collect::<Vec<_>>().join("\n\n"), false)
        }
    };
    let _ = writeln!(text, "{tables}");
    let figures = &report.total.figures;
    let bars = if bars { "█ median, ▒ 90th percentile; " } else { "" };
    let _ = write!(
        text,
        "\n{bars}- fewer than {} samples\n\
         excluded (the team wrote, the contact never did): {}; truncated: {}\n",
        wanted.options.min_samples, figures.excluded, figures.truncated
    );
    if groups > report.rows.len() {
        let _ = writeln!(text, "{} of {groups} rows", report.rows.len());
    }
    text
}

/// The most detailed table that fits, and its detail.
fn fitting(
    wanted: &Wanted,
    report: &SlaReport,
    metrics: &[Metric],
    room: Option<usize>,
) -> Option<(String, Detail)> {
    let fits = |table: &str| {
        room.is_none_or(|room| table.lines().all(|line| line.trim_end().chars().count() <= room))
    };
    DETAILS.iter().find_map(|detail| {
        let table = table(wanted, report, metrics, *detail);
        fits(&table).then_some((table, *detail))
    })
}

fn table(wanted: &Wanted, report: &SlaReport, metrics: &[Metric], detail: Detail) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let mut header = vec![report.group_by.column().unwrap_or_default().to_owned()];
    header.extend(COUNTS.iter().take(detail.counts).map(|name| (*name).to_owned()));
    let mut bars = Vec::new();
    for metric in metrics {
        let (name, unit) = (metric.name(), short(metric.unit()));
        let (between, above) = if detail.stacked { ("\n", "\n") } else { (" ", "") };
        header.extend([format!("{name}{between}p50 {unit}"), format!("{above}p90 {unit}")]);
        if detail.bars {
            bars.push(header.len());
            header.push(String::new());
        }
        if wanted.options.targets.of(*metric).is_some() {
            header.extend([format!("{above}in time"), format!("{above}breached")]);
        }
    }
    table.set_header(header);
    let longest = |metric: &Metric| {
        let rows = report.rows.iter().filter_map(|row| row.figures.of(*metric)?.p90);
        rows.fold(0.0_f64, f64::max)
    };
    let longest: Vec<f64> = metrics.iter().map(longest).collect();
    for (row, label) in report.rows.iter().zip(labels(&report.rows)) {
        let label = if detail.stacked { shortened(&row.name, &label) } else { label };
        table.add_row(cells(wanted, row, &label, metrics, &longest, detail));
    }
    if report.group_by.column().is_some() {
        table.add_row(cells(wanted, &report.total, &report.total.name, metrics, &longest, detail));
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        let is_left = at == 0 || bars.contains(&at);
        column.set_cell_alignment(if is_left { CellAlignment::Left } else { CellAlignment::Right });
    }
    table.trim_fmt()
}

/// Characters that the name of a group takes where room is short.
const NAME: usize = 24;

/// A label that fits, with the id where several have the same name.
fn shortened(name: &str, label: &str) -> String {
    match label.strip_prefix(name).filter(|id| !id.is_empty()) {
        Some(id) => cut(name, NAME.saturating_sub(id.chars().count()).max(8)) + id,
        None => cut(label, NAME),
    }
}

fn cells(
    wanted: &Wanted,
    row: &Row,
    label: &str,
    metrics: &[Metric],
    longest: &[f64],
    detail: Detail,
) -> Vec<String> {
    let figures = &row.figures;
    let mut cells = vec![plain(label)];
    let counts =
        [figures.conversations, figures.answered, figures.unanswered, figures.closed, figures.reopened];
    cells.extend(counts.iter().take(detail.counts).map(ToString::to_string));
    for (metric, longest) in metrics.iter().zip(longest) {
        let Some(measured) = figures.of(*metric) else { continue };
        let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
        cells.extend([number(measured.p50), number(measured.p90)]);
        if detail.bars {
            cells.push(bar(measured.p50, measured.p90, *longest));
        }
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

/// What there is to say about a period in which no contact wrote.
pub fn nothing(report: &SlaReport) -> Option<String> {
    let figures = &report.total.figures;
    (figures.conversations == 0).then(|| match figures.excluded {
        0 => "No conversations in this period.".to_owned(),
        count => format!(
            "No conversations in this period in which a contact wrote; {count} that the team began were not answered."
        ),
    })
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
    let outbound = match wanted.options.start {
        Start::FirstContact => "",
        Start::Created => ", outbound ones by their creation",
    };
    format!(
        "{period} ({}), {hours}{snoozed}{outbound}; as of {}",
        wanted.zone_name(),
        shown(report.as_of, zone)
    )
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
