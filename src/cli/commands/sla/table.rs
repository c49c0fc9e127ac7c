//! Renders the report for a terminal: a table with bars, and the steps of one conversation.

use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::arguments::SlaRequest;
use super::by_words;
use crate::cli::output::cut;
use crate::report::sla::{Explanation, Metric, SlaReport, SlaRow, Unit, labels};
use crate::report::timeline_cache::Start;

/// Length of the longest bar, in characters.
const BAR: f64 = 16.0;

/// Counts of a row, most important first.
const COUNTS: [&str; 5] = ["conversations", "answered", "unanswered", "closed", "reopened"];

/// Columns of the table, depending on the width.
#[derive(Debug, Clone, Copy)]
struct TableDetail {
    bars: bool,
    counts: usize,
    /// Whether the name of a metric is above its unit, to save width.
    stacked: bool,
}

/// From widest to narrowest: bars are dropped first, then counts.
const DETAILS: [TableDetail; 6] = [
    TableDetail { bars: true, counts: 5, stacked: false },
    TableDetail { bars: true, counts: 5, stacked: true },
    TableDetail { bars: false, counts: 5, stacked: true },
    TableDetail { bars: false, counts: 3, stacked: true },
    TableDetail { bars: false, counts: 1, stacked: true },
    TableDetail { bars: false, counts: 0, stacked: true },
];

/// Renders the report for a screen of `width` columns.
pub fn render(request: &SlaRequest, report: &SlaReport, groups: usize, width: Option<usize>) -> String {
    let mut text = format!("{}\n\n", period(request, report));
    if let Some(message) = empty_message(report) {
        let _ = writeln!(text, "{message}");
        return text;
    }
    let metrics = &request.options.metrics[..];
    let (tables, bars) = match widest_fit(request, report, metrics, width) {
        Some((table, detail)) => (table, detail.bars),
        None => {
            let single_metric_tables = metrics.iter().map(|metric| {
                let metric = std::slice::from_ref(metric);
                let narrowest = DETAILS[DETAILS.len() - 1];
                widest_fit(request, report, metric, width)
                    .map_or_else(|| table(request, report, metric, narrowest), |(table, _)| table)
            });
            (single_metric_tables.collect::<Vec<_>>().join("\n\n"), false)
        }
    };
    let _ = writeln!(text, "{tables}");
    let figures = &report.total.figures;
    let bars = if bars { "█ median, ▒ 90th percentile; " } else { "" };
    let _ = write!(
        text,
        "\n{bars}- fewer than {} samples\n\
         excluded (the customer never wrote): {}; truncated: {}\n",
        request.options.min_samples, figures.excluded, figures.truncated
    );
    if groups > report.rows.len() {
        let _ = writeln!(text, "{} of {groups} rows", report.rows.len());
    }
    text
}

/// The most detailed table that fits, and its detail.
fn widest_fit(
    request: &SlaRequest,
    report: &SlaReport,
    metrics: &[Metric],
    width: Option<usize>,
) -> Option<(String, TableDetail)> {
    let fits = |table: &str| {
        width.is_none_or(|width| table.lines().all(|line| line.trim_end().chars().count() <= width))
    };
    DETAILS.iter().find_map(|detail| {
        let table = table(request, report, metrics, *detail);
        fits(&table).then_some((table, *detail))
    })
}

fn table(request: &SlaRequest, report: &SlaReport, metrics: &[Metric], detail: TableDetail) -> String {
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
        if request.options.targets.of(*metric).is_some() {
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
        table.add_row(cells(request, row, &label, metrics, &longest, detail));
    }
    if report.group_by.column().is_some() {
        table.add_row(cells(request, &report.total, &report.total.name, metrics, &longest, detail));
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        let is_left = at == 0 || bars.contains(&at);
        column.set_cell_alignment(if is_left { CellAlignment::Left } else { CellAlignment::Right });
    }
    table.trim_fmt()
}

/// Maximum length of a group name in a narrow table, in characters.
const NAME: usize = 24;

/// Cuts the label, but keeps the id that distinguishes equal names.
fn shortened(name: &str, label: &str) -> String {
    match label.strip_prefix(name).filter(|id| !id.is_empty()) {
        Some(id) => cut(name, NAME.saturating_sub(id.chars().count()).max(8)) + id,
        None => cut(label, NAME),
    }
}

fn cells(
    request: &SlaRequest,
    row: &SlaRow,
    label: &str,
    metrics: &[Metric],
    longest: &[f64],
    detail: TableDetail,
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
        if request.options.targets.of(*metric).is_some() {
            let share = measured.target_met_pct.map_or("-".to_owned(), |share| format!("{share:.1} %"));
            cells.extend([share, measured.breached.unwrap_or(0).to_string()]);
        }
    }
    cells
}

/// Full blocks up to the median, light ones up to the 90th percentile.
fn bar(p50: Option<f64>, p90: Option<f64>, longest: f64) -> String {
    let (Some(p50), Some(p90)) = (p50, p90) else { return String::new() };
    let length =
        |value: f64| if longest > 0.0 { (value / longest * BAR).round().min(BAR) as usize } else { 0 };
    let (median, high) = (length(p50), length(p90));
    "█".repeat(median) + &"▒".repeat(high.saturating_sub(median))
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
pub fn period(request: &SlaRequest, report: &SlaReport) -> String {
    let zone = &request.zone;
    let what = by_words(request.options.by, request.options.resolution);
    let period = match (report.since, report.until) {
        (None, None) => "Conversations of all time".to_owned(),
        (Some(since), None) => format!("Conversations {what} since {}", shown(since, zone)),
        (None, Some(until)) => format!("Conversations {what} before {}", shown(until, zone)),
        (Some(since), Some(until)) => {
            format!("Conversations {what} from {} to {}", shown(since, zone), shown(until, zone))
        }
    };
    let hours = if request.options.business_hours.is_some() { "office hours" } else { "calendar hours" };
    let snoozed = if request.options.without_snoozed { ", without snoozed time" } else { "" };
    let outbound = match request.options.start {
        Start::FirstContact => "",
        Start::Created => ", outbound ones by creation time",
    };
    format!(
        "{period} ({}), {hours}{snoozed}{outbound}; as of {}",
        request.zone_name(),
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

/// Replaces control characters, which a terminal would interpret.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

pub fn explained(request: &SlaRequest, explained: &Explanation) -> String {
    let mut text = format!("Conversation {}: {}\n\n", plain(&explained.conversation_id), explained.counted);
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["when", "part", "what", "by", "author", "counted as"]);
    for step in &explained.steps {
        table.add_row([
            step.at.map_or("?".to_owned(), |at| shown(at, &request.zone)),
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
        let _ = writeln!(
            text,
            "This conversation has changed since its parts were fetched: run `intercom-pp-cli sync`."
        );
    }
    text
}
