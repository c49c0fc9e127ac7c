//! Renders the report for a terminal: a table with bars, and the steps of one conversation.

use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::cli::output::cut;
use crate::data::printable::one_line;
use crate::report::sla::wording::{empty_message, period, shown};
use crate::report::sla::{Explanation, Metric, SlaOptions, SlaReport, SlaRow, labels};

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
pub fn render(options: &SlaOptions, report: &SlaReport, groups: usize, width: Option<usize>) -> String {
    let mut text = format!("{}\n\n", period(options, report));
    if let Some(message) = empty_message(report) {
        let _ = writeln!(text, "{message}");
        return text;
    }
    let all = SlaTable { options, report, metrics: &options.metrics };
    let (tables, bars) = match all.widest_fit(width) {
        Some((table, detail)) => (table, detail.bars),
        None => {
            let single = options.metrics.iter().map(|metric| {
                let table = SlaTable { metrics: std::slice::from_ref(metric), ..all };
                let narrowest = || table.render(DETAILS[DETAILS.len() - 1]);
                table.widest_fit(width).map_or_else(narrowest, |(table, _)| table)
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
         excluded (the customer never wrote): {}; truncated: {}\n",
        options.min_samples, figures.excluded, figures.truncated
    );
    if groups > report.rows.len() {
        let _ = writeln!(text, "{} of {groups} rows", report.rows.len());
    }
    text
}

/// The table of some metrics.
#[derive(Clone, Copy)]
struct SlaTable<'a> {
    options: &'a SlaOptions,
    report: &'a SlaReport,
    metrics: &'a [Metric],
}

impl SlaTable<'_> {
    /// The most detailed table that fits, and its detail.
    fn widest_fit(&self, width: Option<usize>) -> Option<(String, TableDetail)> {
        let fits = |table: &str| {
            width.is_none_or(|width| table.lines().all(|line| line.trim_end().chars().count() <= width))
        };
        DETAILS.into_iter().map(|detail| (self.render(detail), detail)).find(|(table, _)| fits(table))
    }

    fn render(&self, detail: TableDetail) -> String {
        let SlaTable { options, report, metrics } = *self;
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        let mut header = vec![report.group_by.column().unwrap_or_default().to_owned()];
        header.extend(COUNTS.iter().take(detail.counts).map(|name| (*name).to_owned()));
        let mut bars = Vec::new();
        for metric in metrics {
            let (name, unit) = (metric.name(), metric.unit().symbol());
            let (between, above) = if detail.stacked { ("\n", "\n") } else { (" ", "") };
            header.extend([format!("{name}{between}p50 {unit}"), format!("{above}p90 {unit}")]);
            if detail.bars {
                bars.push(header.len());
                header.push(String::new());
            }
            if options.targets.of(*metric).is_some() {
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
            table.add_row(self.cells(row, &label, &longest, detail));
        }
        if report.group_by.column().is_some() {
            table.add_row(self.cells(&report.total, &report.total.name, &longest, detail));
        }
        for (at, column) in table.column_iter_mut().enumerate() {
            let is_left = at == 0 || bars.contains(&at);
            column.set_cell_alignment(if is_left { CellAlignment::Left } else { CellAlignment::Right });
        }
        table.trim_fmt()
    }

    fn cells(&self, row: &SlaRow, label: &str, longest: &[f64], detail: TableDetail) -> Vec<String> {
        let figures = &row.figures;
        let mut cells = vec![one_line(label)];
        let counts = COUNTS.iter().take(detail.counts).filter_map(|name| figures.count(name));
        cells.extend(counts.map(|count| count.to_string()));
        for (metric, longest) in self.metrics.iter().zip(longest) {
            let Some(measured) = figures.of(*metric) else { continue };
            let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
            cells.extend([number(measured.p50), number(measured.p90)]);
            if detail.bars {
                cells.push(bar(measured.p50, measured.p90, *longest));
            }
            if self.options.targets.of(*metric).is_some() {
                let share = measured.target_met_pct.map_or("-".to_owned(), |share| format!("{share:.1} %"));
                cells.extend([share, measured.breached.unwrap_or(0).to_string()]);
            }
        }
        cells
    }
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

/// Full blocks up to the median, light ones up to the 90th percentile.
fn bar(p50: Option<f64>, p90: Option<f64>, longest: f64) -> String {
    let (Some(p50), Some(p90)) = (p50, p90) else { return String::new() };
    let length =
        |value: f64| if longest > 0.0 { (value / longest * BAR).round().min(BAR) as usize } else { 0 };
    let (median, high) = (length(p50), length(p90));
    "█".repeat(median) + &"▒".repeat(high.saturating_sub(median))
}

pub fn explained(options: &SlaOptions, explained: &Explanation) -> String {
    let mut text =
        format!("Conversation {}: {}\n\n", one_line(&explained.conversation_id), explained.counted);
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["when", "part", "what", "by", "author", "counted as"]);
    for step in &explained.steps {
        table.add_row([
            step.at.map_or("?".to_owned(), |at| shown(at, &options.zone)),
            step.part_id.as_deref().map(one_line).unwrap_or_default(),
            step.part_type.as_deref().map_or("(opening)".to_owned(), one_line),
            step.by.to_owned(),
            step.author.as_deref().map(one_line).unwrap_or_default(),
            step.counted_as.join("; "),
        ]);
    }
    let _ = writeln!(text, "{}\n", table.trim_fmt());
    for (metric, seconds) in &explained.samples {
        let metric = Metric::ALL.into_iter().find(|known| known.column() == *metric);
        let Some(metric) = metric else { continue };
        let unit = metric.unit();
        let values: Vec<String> =
            seconds.iter().map(|seconds| format!("{} {}", unit.of(*seconds), unit.symbol())).collect();
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
