//! Renders the report for a terminal: a table with bars, and the steps of one conversation.

use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::cli::output::cut;
use crate::cli::output::palette::Palette;
use crate::cli::output::wrap::wrapped;
use crate::data::printable::one_line;
use crate::data::span;
use crate::report::sla::wording::{
    UNKNOWN, as_of, duration_or_unknown, empty_message, groups, label, not_counted, period, shown,
};
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
    /// Whether the name of a metric is above the name of its figure, to save width.
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

/// Where a report is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Screen {
    /// Columns of the terminal; `None` for no limit.
    pub width: Option<usize>,
    pub palette: Palette,
}

/// Renders the report, of which `all_groups` rows exist.
pub fn render(options: &SlaOptions, report: &SlaReport, all_groups: usize, screen: Screen) -> String {
    let width = screen.width.unwrap_or(usize::MAX);
    let mut text = String::new();
    for line in [period(options, report), as_of(options, report)] {
        let _ = writeln!(text, "{}", wrapped(&line, width).join("\n"));
    }
    if let Some(message) = empty_message(report) {
        let _ = writeln!(text, "\n{}", wrapped(&message, width).join("\n"));
        return text;
    }
    let all = SlaTable { options, report, metrics: &options.metrics };
    let (tables, has_bars) = match all.widest_fit(screen.width) {
        Some((table, detail)) => (styled(&table, detail, screen.palette), detail.bars),
        None => {
            let single = options.metrics.iter().map(|metric| {
                let table = SlaTable { metrics: std::slice::from_ref(metric), ..all };
                let narrowest = DETAILS[DETAILS.len() - 1];
                let fit = table.widest_fit(screen.width);
                let (table, detail) = fit.unwrap_or_else(|| (table.render(narrowest), narrowest));
                (styled(&table, detail, screen.palette), detail.bars)
            });
            let (tables, bars): (Vec<String>, Vec<bool>) = single.unzip();
            (tables.join("\n\n"), bars.contains(&true))
        }
    };
    let _ = writeln!(text, "\n{tables}\n");
    let mut legend =
        vec![if has_bars { "█ median  ▒ 90th percentile" } else { "p90: 90th percentile" }.to_owned()];
    if tables.contains(UNKNOWN) {
        legend.push(format!("{UNKNOWN} fewer than {} conversations", options.min_samples));
    }
    let _ = writeln!(text, "{}", legend.join("  "));
    let mut notes = not_counted(report);
    if all_groups > report.rows.len() {
        let noun = groups(report.group_by);
        notes.push(format!("showing {} of {all_groups} {noun}", report.rows.len()));
    }
    for note in notes {
        let _ = writeln!(text, "{}", wrapped(&note, width).join("\n"));
    }
    text
}

/// The table with a bold head, and without the padding before its first column.
fn styled(table: &str, detail: TableDetail, palette: Palette) -> String {
    let head = if detail.stacked { 2 } else { 1 };
    let line = |(at, line): (usize, &str)| {
        let line = line.strip_prefix(' ').unwrap_or(line);
        if at < head { palette.bold(line.trim_end()) } else { line.trim_end().to_owned() }
    };
    table.lines().enumerate().map(line).collect::<Vec<_>>().join("\n")
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
            let name = label(*metric).to_lowercase();
            let (between, above) = if detail.stacked { ("\n", "\n") } else { (" ", "") };
            header.extend([format!("{name}{between}median"), format!("{above}p90")]);
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
            cells.extend([measured.p50, measured.p90].map(|value| duration_or_unknown(*metric, value)));
            if detail.bars {
                cells.push(bar(measured.p50, measured.p90, *longest));
            }
            if self.options.targets.of(*metric).is_some() {
                let share =
                    measured.target_met_pct.map_or(UNKNOWN.to_owned(), |share| format!("{share:.1} %"));
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

/// Renders how a conversation was counted.
pub fn explained(options: &SlaOptions, explained: &Explanation, screen: Screen) -> String {
    let width = screen.width.unwrap_or(usize::MAX);
    let title = format!("Conversation {}: {}", one_line(&explained.conversation_id), explained.counted);
    let mut text = format!("{}\n\n", wrapped(&title, width).join("\n"));
    let fits = |table: &str| table.lines().all(|line| line.trim_end().chars().count() <= width);
    let tables = STEP_COLUMNS.iter().map(|columns| steps(options, explained, columns, None));
    let table = tables.into_iter().find(|table| fits(table)).unwrap_or_else(|| {
        let narrowest = STEP_COLUMNS[STEP_COLUMNS.len() - 1];
        steps(options, explained, narrowest, u16::try_from(width).ok())
    });
    for (at, line) in table.lines().enumerate() {
        let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
        let _ = writeln!(text, "{}", if at == 0 { screen.palette.bold(line) } else { line.to_owned() });
    }
    text.push('\n');
    for (metric, seconds) in &explained.samples {
        let metric = Metric::ALL.into_iter().find(|known| known.column() == *metric);
        let Some(metric) = metric else { continue };
        let values: Vec<String> = seconds.iter().map(|seconds| span::length(*seconds as f64)).collect();
        let values = if values.is_empty() { "none".to_owned() } else { values.join(", ") };
        let _ = writeln!(text, "{}: {values}", label(metric));
    }
    if explained.stale {
        let note = "This conversation has changed since its parts were fetched: run `intercom-pp-cli sync`.";
        let _ = writeln!(text, "{}", wrapped(note, width).join("\n"));
    }
    text
}

/// Columns of the steps, from widest to narrowest table.
const STEP_COLUMNS: [&[&str]; 3] = [
    &["when", "part", "what", "by", "author", "counted as"],
    &["when", "what", "by", "author", "counted as"],
    &["when", "what", "by", "counted as"],
];

fn steps(options: &SlaOptions, explained: &Explanation, columns: &[&str], width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    match width {
        Some(width) => table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(columns);
    for step in &explained.steps {
        table.add_row(columns.iter().map(|column| match *column {
            "when" => step.at.map_or("?".to_owned(), |at| shown(at, &options.zone)),
            "part" => step.part_id.as_deref().map(one_line).unwrap_or_default(),
            "what" => step.part_type.as_deref().map_or("(opening)".to_owned(), one_line),
            "by" => step.by.to_owned(),
            "author" => step.author.as_deref().map(one_line).unwrap_or_default(),
            _ => step.counted_as.join("; "),
        }));
    }
    table.trim_fmt()
}
