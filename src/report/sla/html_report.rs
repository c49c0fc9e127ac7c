//! Renders the report as an HTML page: distributions, weeks, slowest groups, tables and definitions.
//!
//! The page is self-contained: no script, no external resources, light and dark, printable. Names come from the
//! workspace, so nothing may enter the page without being escaped.

mod chart;
mod definitions;

use std::fmt::Write;

use self::definitions::definitions;
use super::distribution::{Bin, Week};
use super::figures::MetricFigures;
use super::options::{Metric, SlaOptions};
use super::rows::{SlaRow, labels};
use super::sla_report::SlaReport;
use super::wording::{UNKNOWN, anchor, as_of, duration_or_unknown, empty_message, groups, label, period};
use crate::data::span;

/// Indented for readers; the page has it on one line.
const STYLE: &str = include_str!("html_report/style.css");

/// Number of groups in the chart of the slowest.
const SLOWEST: usize = 8;

/// The page. `workspace` is its name, if known.
pub fn render(options: &SlaOptions, report: &SlaReport, workspace: Option<&str>) -> String {
    let title = match workspace {
        Some(name) => format!("Waiting times · {}", escaped(name)),
        None => "Waiting times".to_owned(),
    };
    let mut body = format!(
        "<header><h1>{title}</h1><p class=\"sub\">{}; {}</p></header>",
        escaped(&period(options, report)),
        escaped(&as_of(options, report))
    );
    match empty_message(report) {
        Some(message) => body += &format!("<p>{}</p>", escaped(&message)),
        None => {
            body += &tiles(options, report);
            for metric in &options.metrics {
                body += &section(options, report, *metric);
            }
            body += &tables(options, report);
        }
    }
    body += &definition_list(&definitions(options));
    let style: String = STYLE.lines().map(str::trim).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title}</title><style>{style}</style></head><body><main>{body}</main></body></html>\n"
    )
}

/// The key figures.
fn tiles(options: &SlaOptions, report: &SlaReport) -> String {
    let figures = &report.total.figures;
    let excluded = match figures.excluded {
        0 => "with a message from the customer".to_owned(),
        excluded => format!("{} more not counted: the customer never wrote", count(excluded)),
    };
    let answered = percent(figures.answered, figures.conversations);
    let unanswered = format!("{} unanswered", count(figures.unanswered));
    let closed = percent(figures.closed, figures.conversations);
    let open = format!("{} open, {} reopened", count(figures.open), count(figures.reopened));
    let mut tiles = tile("Conversations", &count(figures.conversations), &excluded)
        + &tile("Answered", &answered, &unanswered)
        + &tile("Closed", &closed, &open);
    for metric in &options.metrics {
        let Some(measured) = figures.of(*metric) else { continue };
        let [median, high] = [measured.p50, measured.p90].map(|value| duration_or_unknown(*metric, value));
        let name = label(*metric);
        tiles += &tile(&format!("{name}, median"), &median, &format!("90th percentile {high}"));
        if let Some(share) = measured.target_met_pct {
            let target = options.targets.of(*metric).map_or(String::new(), length);
            let breached = match measured.breached.unwrap_or(0) {
                0 => "no open one is over target".to_owned(),
                1 => "1 open one already over target".to_owned(),
                breached => format!("{} open ones already over target", count(breached)),
            };
            tiles += &tile(&format!("{name} within {target}"), &format!("{share:.1} %"), &breached);
        }
    }
    format!("<section class=\"tiles\">{tiles}</section>")
}

fn tile(label: &str, value: &str, note: &str) -> String {
    format!(
        "<div class=\"tile\"><div class=\"label\">{label}</div><div class=\"value\">{value}</div><div class=\"note\">{note}</div></div>"
    )
}

fn section(options: &SlaOptions, report: &SlaReport, metric: Metric) -> String {
    let Some(distribution) = &report.distribution else { return String::new() };
    if report.total.figures.of(metric).is_none_or(|measured| measured.n == 0) {
        let name = label(metric);
        return format!("<section><h2>{name}</h2><p>Nothing to measure in this period.</p></section>");
    }
    let mut charts = String::new();
    let bins = distribution.distributions.iter().find(|(of, _)| *of == metric).map(|(_, bins)| bins);
    if let Some(bins) = bins {
        let last = bins.iter().rev().find_map(|bin| bin.up_to).unwrap_or(0);
        let bound = |bin: &Bin| bin.up_to.map_or_else(|| format!("> {}", length(last)), length);
        let bars: Vec<(String, u64)> = bins.iter().map(|bin| (bound(bin), bin.count)).collect();
        let target = options.targets.of(metric);
        let note = target.map_or(String::new(), |target| format!("; target {}", length(target)));
        let title = format!("Distribution of {} times", label(metric).to_lowercase());
        charts += &figure(&title, Some(&format!("up to …{note}")), &chart::columns(&bars));
    }
    let measured = distribution.weeks.iter().map(|week| Some((week, week.figures.of(metric)?)));
    let weeks: Vec<(&Week, &MetricFigures)> = measured.flatten().collect();
    if weeks.len() > 1 && weeks.iter().any(|(_, measured)| measured.p90.is_some()) {
        let title = format!("By week {}", anchor(options));
        let partial = weeks.iter().any(|(week, _)| week.partial).then_some("○ part of the week only");
        charts += &figure(&title, partial, &chart::lines(&weeks));
    }
    let slowest = slowest_groups(report, metric);
    if slowest.len() > 1 {
        let title = format!("Slowest {} (90th percentile)", groups(report.group_by));
        charts += &figure(&title, None, &chart::ranges(&slowest));
    }
    format!("<section><h2>{}</h2><div class=\"charts\">{charts}</div></section>", label(metric))
}

fn figure(title: &str, note: Option<&str>, chart: &str) -> String {
    let note = note.map_or(String::new(), |note| format!("<span class=\"note\">{note}</span>"));
    format!("<figure><figcaption>{title} {note}</figcaption>{chart}</figure>")
}

/// The escaped labels and the figures of the groups with the highest 90th percentile, slowest first. Conversations
/// without a group are not one.
fn slowest_groups(report: &SlaReport, metric: Metric) -> Vec<(String, &MetricFigures)> {
    let labelled = report.rows.iter().zip(labels(&report.rows));
    let groups = labelled.filter(|(row, _)| row.id.is_some());
    let measured = groups.filter_map(|(row, label)| Some((escaped(&label), row.figures.of(metric)?)));
    let mut rows: Vec<(String, &MetricFigures)> =
        measured.filter(|(_, measured)| measured.p90.is_some()).collect();
    rows.sort_by(|one, other| other.1.p90.unwrap_or(0.0).total_cmp(&one.1.p90.unwrap_or(0.0)));
    rows.truncate(SLOWEST);
    rows
}

/// The counts, and a table per metric, so that each fits on paper.
fn tables(options: &SlaOptions, report: &SlaReport) -> String {
    let labels = labels(&report.rows);
    let count_cells =
        |row: &SlaRow| COUNTS.iter().filter_map(|name| row.figures.count(name).map(count)).collect();
    let titles = COUNTS.map(|name| match name {
        "excluded" => "not counted".to_owned(),
        "truncated" => "incomplete".to_owned(),
        name => name.to_owned(),
    });
    let mut tables = table(report, &labels, &titles, &count_cells);
    for metric in &options.metrics {
        let has_target = options.targets.of(*metric).is_some();
        let mut head = vec!["median".to_owned(), "90th percentile".to_owned(), "measured".to_owned()];
        if has_target {
            head.extend(["in time", "over target"].map(str::to_owned));
        }
        let cells = |row: &SlaRow| {
            row.figures.of(*metric).map_or(Vec::new(), |measured| metric_cells(measured, has_target))
        };
        let _ = write!(tables, "<h3>{}</h3>{}", label(*metric), table(report, &labels, &head, &cells));
    }
    format!("<section><h2>Figures</h2>{tables}</section>")
}

const COUNTS: [&str; 8] =
    ["conversations", "answered", "unanswered", "closed", "open", "reopened", "excluded", "truncated"];

fn metric_cells(measured: &MetricFigures, has_target: bool) -> Vec<String> {
    let [median, high] =
        [measured.p50, measured.p90].map(|value| duration_or_unknown(measured.metric, value));
    let mut cells = vec![median, high, count(measured.n as u64)];
    if has_target {
        let share = measured.target_met_pct.map_or(UNKNOWN.to_owned(), |share| format!("{share:.1} %"));
        cells.extend([share, count(measured.breached.unwrap_or(0))]);
    }
    cells
}

fn table(
    report: &SlaReport,
    labels: &[String],
    columns: &[String],
    cells: &dyn Fn(&SlaRow) -> Vec<String>,
) -> String {
    let line = |row: &SlaRow, label: &str| {
        let cells: String = cells(row).iter().map(|cell| format!("<td>{cell}</td>")).collect();
        format!("<tr><th scope=\"row\">{}</th>{cells}</tr>", escaped(label))
    };
    let group = report.group_by.column().unwrap_or("all");
    let head: String = columns.iter().map(|name| format!("<th scope=\"col\">{name}</th>")).collect();
    let rows: String = report.rows.iter().zip(labels).map(|(row, label)| line(row, label)).collect();
    let total = match report.group_by.column() {
        Some(_) => format!("<tfoot>{}</tfoot>", line(&report.total, "All")),
        None => String::new(),
    };
    format!(
        "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">{group}</th>{head}</tr></thead>\
         <tbody>{rows}</tbody>{total}</table></div>"
    )
}

fn definition_list(definitions: &[(&str, String)]) -> String {
    let item = |(name, text): &(&str, String)| format!("<dt>{name}</dt><dd>{}</dd>", escaped(text));
    let list: String = definitions.iter().map(item).collect();
    format!("<section><h2>Definitions</h2><dl>{list}</dl></section>")
}

fn length(seconds: i64) -> String {
    span::length(seconds as f64)
}

/// Groups digits with narrow no-break spaces.
fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { UNKNOWN.to_owned() } else { format!("{:.1} %", part as f64 / whole as f64 * 100.0) }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}
