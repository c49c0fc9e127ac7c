//! Renders the report as an HTML page: distributions, weeks, slowest groups, tables and definitions.
//!
//! The page is self-contained: no script, no external resources, light and dark, printable. Names come from the
//! workspace, so nothing may enter the page without being escaped.

use std::fmt::Write;

use super::arguments::SlaRequest;
use super::table::{empty_message, period, short};
use super::{by_words, chart};
use crate::report::sla::{Metric, MetricFigures, SlaReport, SlaRow, labels};

/// Number of groups in the chart of the slowest.
const SLOWEST: usize = 8;

pub fn render(
    request: &SlaRequest,
    report: &SlaReport,
    workspace: Option<&str>,
    definitions: &[(&str, &str)],
) -> String {
    let title = match workspace {
        Some(name) => format!("Waiting times · {}", escaped(name)),
        None => "Waiting times".to_owned(),
    };
    let mut body = format!(
        "<header><h1>{title}</h1><p class=\"sub\">{}</p></header>",
        escaped(&period(request, report))
    );
    match empty_message(report) {
        Some(message) => body += &format!("<p>{}</p>", escaped(&message)),
        None => {
            body += &tiles(request, report);
            for metric in &request.options.metrics {
                body += &section(request, report, *metric);
            }
            body += &tables(request, report);
        }
    }
    body += &definition_list(definitions);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>\n"
    )
}

/// The key figures.
fn tiles(request: &SlaRequest, report: &SlaReport) -> String {
    let figures = &report.total.figures;
    let mut tiles = vec![
        tile(
            "Conversations",
            &count(figures.conversations),
            &format!("{} excluded", count(figures.excluded)),
        ),
        tile(
            "Answered",
            &percent(figures.answered, figures.conversations),
            &format!("{} unanswered", count(figures.unanswered)),
        ),
        tile(
            "Closed",
            &percent(figures.closed, figures.conversations),
            &format!("{} open, {} reopened", count(figures.open), count(figures.reopened)),
        ),
    ];
    for metric in &request.options.metrics {
        let Some(measured) = figures.of(*metric) else { continue };
        let value = measured.p50.map_or("–".to_owned(), |value| time(*metric, value));
        let high = measured.p90.map_or("–".to_owned(), |value| time(*metric, value));
        tiles.push(tile(&format!("{}, median", label(*metric)), &value, &format!("90th percentile {high}")));
        if let Some(share) = measured.target_met_pct {
            let target = request.options.targets.of(*metric).map_or(String::new(), length);
            let breached = format!("{} open and past the target", count(measured.breached.unwrap_or(0)));
            tiles.push(tile(
                &format!("{} within {target}", label(*metric)),
                &format!("{share:.1} %"),
                &breached,
            ));
        }
    }
    format!("<section class=\"tiles\">{}</section>", tiles.concat())
}

fn tile(label: &str, value: &str, note: &str) -> String {
    format!(
        "<div class=\"tile\"><div class=\"label\">{label}</div><div class=\"value\">{value}</div><div class=\"note\">{note}</div></div>"
    )
}

fn section(request: &SlaRequest, report: &SlaReport, metric: Metric) -> String {
    let Some(distribution) = &report.distribution else { return String::new() };
    if report.total.figures.of(metric).is_none_or(|measured| measured.n == 0) {
        let name = label(metric);
        return format!("<section><h2>{name}</h2><p>No samples in this period.</p></section>");
    }
    let mut charts = String::new();
    let bins = distribution.distributions.iter().find(|(of, _)| *of == metric).map(|(_, bins)| bins);
    if let Some(bins) = bins {
        let bars: Vec<(String, u64)> = bins
            .iter()
            .enumerate()
            .map(|(at, bin)| match bin.up_to {
                Some(end) => (length(end), bin.count),
                None => {
                    let last = bins[..at].last().and_then(|bin| bin.up_to).unwrap_or(0);
                    (format!("> {}", length(last)), bin.count)
                }
            })
            .collect();
        let target = request.options.targets.of(metric);
        let note = target.map_or(String::new(), |target| format!("; target {}", length(target)));
        charts += &figure("Distribution", Some(&format!("up to …{note}")), &chart::columns(&bars));
    }
    let weeks: Vec<chart::WeekPoint> = distribution
        .weeks
        .iter()
        .filter_map(|week| {
            let measured = week.figures.of(metric)?;
            Some(chart::WeekPoint {
                label: week.week.clone(),
                partial: week.partial,
                low: measured.p50,
                high: measured.p90,
                n: measured.n,
            })
        })
        .collect();
    if weeks.len() > 1 && weeks.iter().any(|week| week.high.is_some()) {
        let unit = short(metric.unit());
        let title = format!("By week {}", by_words(request.options.by, request.options.resolution));
        let partial = weeks.iter().any(|week| week.partial).then_some("○ part of the week only");
        charts += &figure(&title, partial, &chart::lines(&weeks, unit));
    }
    let slowest = slowest_groups(report, metric);
    if slowest.len() > 1 {
        let rows: Vec<chart::RangeBar> = slowest
            .iter()
            .map(|(label, measured)| chart::RangeBar {
                label: escaped(label),
                low: measured.p50.unwrap_or(0.0),
                high: measured.p90.unwrap_or(0.0),
                value_label: measured.p90.map_or(String::new(), |value| time(metric, value)),
            })
            .collect();
        charts += &figure("Slowest groups (90th percentile)", None, &chart::ranges(&rows));
    }
    format!("<section><h2>{}</h2><div class=\"charts\">{charts}</div></section>", label(metric))
}

fn figure(title: &str, note: Option<&str>, chart: &str) -> String {
    let note = note.map_or(String::new(), |note| format!("<span class=\"note\">{note}</span>"));
    format!("<figure><figcaption>{title} {note}</figcaption>{chart}</figure>")
}

/// The groups with the highest 90th percentile, slowest first.
fn slowest_groups(report: &SlaReport, metric: Metric) -> Vec<(String, &MetricFigures)> {
    let labelled = report.rows.iter().zip(labels(&report.rows));
    let measured = labelled.filter_map(|(row, label)| Some((label, row.figures.of(metric)?)));
    let mut rows: Vec<(String, &MetricFigures)> =
        measured.filter(|(_, measured)| measured.p90.is_some()).collect();
    rows.sort_by(|one, other| other.1.p90.unwrap_or(0.0).total_cmp(&one.1.p90.unwrap_or(0.0)));
    rows.truncate(SLOWEST);
    rows
}

/// The counts, and a table per metric, so that each fits on paper.
fn tables(request: &SlaRequest, report: &SlaReport) -> String {
    let labels = labels(&report.rows);
    let count_cells = |row: &SlaRow| counts(row).map(count).to_vec();
    let mut tables = table(report, &labels, &COUNTS.map(str::to_owned), &count_cells);
    for metric in &request.options.metrics {
        let has_target = request.options.targets.of(*metric).is_some();
        let unit = short(metric.unit());
        let mut head =
            vec![format!("median ({unit})"), format!("90th percentile ({unit})"), "measured".to_owned()];
        if has_target {
            head.extend(["in time", "breached"].map(str::to_owned));
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

fn counts(row: &SlaRow) -> [u64; 8] {
    let figures = &row.figures;
    [
        figures.conversations,
        figures.answered,
        figures.unanswered,
        figures.closed,
        figures.open,
        figures.reopened,
        figures.excluded,
        figures.truncated,
    ]
}

fn metric_cells(measured: &MetricFigures, has_target: bool) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.1}"));
    let mut cells = vec![number(measured.p50), number(measured.p90), count(measured.n as u64)];
    if has_target {
        let share = measured.target_met_pct.map_or("–".to_owned(), |share| format!("{share:.1} %"));
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

fn definition_list(definitions: &[(&str, &str)]) -> String {
    let list: String = definitions
        .iter()
        .map(|(name, text)| {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("<dt>{name}</dt><dd>{}</dd>", escaped(&text))
        })
        .collect();
    format!("<section><h2>Definitions</h2><dl>{list}</dl></section>")
}

fn label(metric: Metric) -> &'static str {
    match metric {
        Metric::FirstResponse => "First response",
        Metric::Resolution => "Resolution",
        Metric::NextResponse => "Next response",
        Metric::Handle => "Handling",
    }
}

fn time(metric: Metric, value: f64) -> String {
    format!("{value:.1} {}", short(metric.unit()))
}

/// Formats seconds in the largest unit that fits.
fn length(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
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
    if whole == 0 { "–".to_owned() } else { format!("{:.1} %", part as f64 / whole as f64 * 100.0) }
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

const STYLE: &str = "\
:root{--page:#f6f7f9;--card:#fff;--ink:#1b2330;--soft:#5b6675;--line:#dfe3e8;--low:#1f5fbf;--high:#9fc0ee}\
@media (prefers-color-scheme:dark){:root{--page:#12161c;--card:#1b2129;--ink:#e7ebf0;--soft:#9aa6b5;--line:#2e3742;--low:#7fb2ff;--high:#4a70ab}}\
*{box-sizing:border-box}\
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\
main{max-width:1120px;margin:0 auto;padding:32px 24px 64px}\
h1{font-size:26px;line-height:1.2;margin:0 0 4px}h2{font-size:18px;margin:40px 0 12px}\
.sub,.note{color:var(--soft)}.sub{margin:0 0 24px}.note{font-size:13px}\
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:12px}\
.tile,figure{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px;margin:0}\
.label{font-size:13px;color:var(--soft)}.value{font-size:26px;font-weight:600;line-height:1.3;font-variant-numeric:tabular-nums}\
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(440px,1fr));gap:12px}\
.charts figure:nth-child(3){grid-column:1/-1}.charts figure:nth-child(3)>svg{max-width:760px}figcaption{font-weight:600;margin-bottom:8px}figcaption .note{font-weight:400;margin-left:8px}\
svg{display:block;width:100%;height:auto}svg text{fill:var(--soft);font-size:11px;font-family:inherit}svg .ink{fill:var(--ink)}\
circle.partial{fill:var(--card);stroke-width:1.5}circle.partial.low{stroke:var(--low)}circle.partial.high{stroke:var(--high)}\
.low{fill:var(--low)}.high{fill:var(--high)}.grid{stroke:var(--line)}\
.line-low{fill:none;stroke:var(--low);stroke-width:2.5}.line-high{fill:none;stroke:var(--high);stroke-width:2.5}\
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:10px}\
table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}\
th,td{padding:8px 10px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}\
thead th{color:var(--soft);font-weight:500;white-space:normal;vertical-align:bottom}\
thead th{min-width:76px}h3{font-size:15px;margin:20px 0 8px}th:first-child{text-align:left;position:sticky;left:0;background:var(--card)}tbody th{font-weight:500}\
tfoot th,tfoot td{font-weight:600;border-bottom:0;border-top:2px solid var(--line)}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:6px 20px;font-size:13px;margin:0}dt{font-weight:600}dd{margin:0;color:var(--soft)}\
@media (max-width:560px){.charts{grid-template-columns:1fr}dl{grid-template-columns:1fr}dd{margin-bottom:8px}}\
@page{size:landscape;margin:12mm}@media print{:root{--page:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--low:#1f5fbf;--high:#9fc0ee}\
body{font-size:11px;-webkit-print-color-adjust:exact;print-color-adjust:exact}main{max-width:none;padding:0}\
.charts{grid-template-columns:1fr 1fr}.tiles{grid-template-columns:repeat(3,1fr)}.scroll{overflow:visible}table{font-size:9.5px;table-layout:auto}\
th,td{padding:3px 5px}thead{display:table-header-group}thead th{min-width:0}th:first-child{position:static;white-space:normal}\
figure,.tile,tr{break-inside:avoid}h2,h3{break-after:avoid}}";
