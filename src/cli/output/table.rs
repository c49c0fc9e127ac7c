//! Rows as a table on a terminal.
//!
//! Columns that the user named are all shown: their cells are cut or wrapped, and if there are still too many,
//! each record becomes a block of lines. Other columns are sorted by importance, and the last ones are hidden.
//! An id is never cut, because nobody could copy it. The output is for people; programs use the other formats.

use std::io::Write;

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Width, presets};
use jiff::Timestamp;
use serde_json::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::layout::{Column, Layout};
use crate::cli::error::Error;
use crate::data::printable;

/// A terminal that reports fewer columns does not know its width.
const MIN_WIDTH: usize = 20;
/// Columns assumed for a terminal that does not know its width.
const DEFAULT_WIDTH: usize = 80;
/// Numbers below this (a time in 1973) are not times.
const MIN_TIME: i64 = 100_000_000;

pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Whether each column holds only numbers, apart from empty cells.
    numeric: Vec<bool>,
    overflow: Overflow,
}

/// What to do when the columns are wider than the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// The last columns are hidden.
    Hide,
    /// Every column is shown; long texts are cut.
    Cut,
    /// Every column is shown; long texts wrap.
    Wrap,
}

impl Table {
    pub fn new(columns: Vec<String>, overflow: Overflow) -> Self {
        let numeric = columns.iter().map(|column| !is_id(column)).collect();
        Table { columns, rows: Vec::new(), numeric, overflow }
    }

    pub fn add_row(&mut self, cells: &[Value]) {
        let cells = self.columns.iter().zip(cells);
        let row: Vec<String> = cells.clone().map(|(column, cell)| format_cell(column, cell)).collect();
        for (numeric, (column, cell)) in self.numeric.iter_mut().zip(cells) {
            *numeric &= cell.is_null() || (cell.is_number() && format_time(column, cell).is_none());
        }
        self.rows.push(row);
    }

    /// Prints all rows and returns the hidden columns.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn print(self, out: &mut impl Write) -> Result<Vec<String>, Error> {
        if self.rows.is_empty() {
            return Ok(Vec::new());
        }
        match Layout::of(
            &self.measure(),
            terminal_width().unwrap_or(usize::MAX),
            self.overflow != Overflow::Hide,
        ) {
            Layout::Blocks => self.print_blocks(out).map(|()| Vec::new()),
            Layout::Columns(widths) => self.print_columns(out, &widths),
        }
    }

    fn measure(&self) -> Vec<Column> {
        let columns = self.columns.iter().enumerate().map(|(at, name)| Column {
            name: name.width(),
            widest: self.rows.iter().map(|row| row[at].width()).max().unwrap_or(0),
            is_id: is_id(name),
        });
        columns.collect()
    }

    fn print_columns(&self, out: &mut impl Write, widths: &[Option<usize>]) -> Result<Vec<String>, Error> {
        let shown: Vec<(usize, usize)> =
            widths.iter().enumerate().filter_map(|(at, width)| Some((at, (*width)?))).collect();
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING.header_separator(LineStyle::none().fill('─')));
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(shown.iter().map(|(at, _)| &self.columns[*at]));
        for row in &self.rows {
            table.add_row(shown.iter().map(|(at, width)| self.fit(&row[*at], *at, *width)));
        }
        let fixed = shown.iter().map(|(_, width)| {
            let width = u16::try_from(*width).unwrap_or(u16::MAX);
            ColumnConstraint::Absolute(Width::Fixed(width.saturating_add(PADDING)))
        });
        table.set_constraints(fixed);
        for (column, (at, _)) in table.column_iter_mut().zip(&shown) {
            if self.numeric[*at] {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for line in table.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        let hidden = widths.iter().zip(&self.columns).filter(|(width, _)| width.is_none());
        Ok(hidden.map(|(_, name)| name.clone()).collect())
    }

    /// The text cut to the width of its column. Columns narrower than their title are wrapped instead.
    fn fit(&self, text: &str, at: usize, width: usize) -> String {
        let is_cut = self.overflow != Overflow::Wrap
            && text.width() > width
            && width >= self.columns[at].width()
            && !is_id(&self.columns[at]);
        if is_cut { cut(text, width) } else { text.to_owned() }
    }

    fn print_blocks(&self, out: &mut impl Write) -> Result<(), Error> {
        let names = self.columns.iter().map(|name| name.width()).max().unwrap_or(0);
        for (index, row) in self.rows.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            for (name, cell) in self.columns.iter().zip(row) {
                writeln!(out, "{name}{}  {cell}", " ".repeat(names - name.width()))?;
            }
        }
        Ok(())
    }
}

/// Terminal columns around the text of a cell.
const PADDING: u16 = 2;

/// Cuts the text to `width` terminal columns, ending in an ellipsis if it was longer.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut taken = 0;
    let kept = text.chars().take_while(|character| {
        taken += character.width().unwrap_or(0);
        taken < width
    });
    kept.chain(['…']).collect()
}

/// Columns of the terminal, or of `COLUMNS` for a terminal of unknown width or without a terminal. `None` for no
/// limit.
pub fn terminal_width() -> Option<usize> {
    let variable = std::env::var("COLUMNS").ok().and_then(|text| text.trim().parse().ok());
    let variable = variable.filter(|width| *width >= MIN_WIDTH);
    match comfy_table::Table::new().width().map(usize::from) {
        Some(width) if width >= MIN_WIDTH => Some(width),
        Some(_) => Some(variable.unwrap_or(DEFAULT_WIDTH)),
        None => variable,
    }
}

fn is_id(column: &str) -> bool {
    let name = column.rsplit('.').next().unwrap_or(column);
    name == "id" || name.ends_with("_id") || name == "run" || name == "ids"
}

/// One line without control characters, with times in UTC.
fn format_cell(column: &str, value: &Value) -> String {
    let text = match (format_time(column, value), value) {
        (Some(time), _) => time,
        (None, Value::Null) => String::new(),
        (None, Value::String(text)) => text.clone(),
        (None, other) => other.to_string(),
    };
    printable::one_line(&text)
}

/// A time field in epoch seconds as date and time in UTC; `None` for other fields.
pub fn format_time(column: &str, value: &Value) -> Option<String> {
    let name = column.rsplit('.').next().unwrap_or(column);
    let is_time = ["_at", "_until", "_since"].iter().any(|ending| name.ends_with(ending));
    let seconds = value.as_i64().filter(|seconds| is_time && *seconds >= MIN_TIME)?;
    Some(Timestamp::from_second(seconds).ok()?.strftime("%Y-%m-%d %H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn printed(columns: &[&str], rows: &[&[Value]]) -> String {
        let mut table = Table::new(columns.iter().map(|name| (*name).to_owned()).collect(), Overflow::Cut);
        rows.iter().for_each(|row| table.add_row(row));
        let mut out = Vec::new();
        table.print(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_have_no_rules_between_them_and_numbers_are_right_aligned() {
        let text = printed(&["id", "count"], &[&[json!("a"), json!(5)], &[json!("b"), json!(1_234)]]);
        assert_eq!(text, " id  count\n───────────\n a       5\n b    1234\n");
    }

    #[test]
    fn a_table_without_rows_prints_nothing() {
        assert_eq!(printed(&["id"], &[]), "");
    }

    #[test]
    fn texts_are_cut_by_their_display_width() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("日本語", 5), "日本…");
    }

    #[test]
    fn only_time_fields_become_dates() {
        assert_eq!(format_cell("created_at", &json!(1_760_000_000)), "2025-10-09 08:53");
        assert_eq!(format_cell("statistics.last_close_at", &json!(1_760_000_000)), "2025-10-09 08:53");
        assert_eq!(format_cell("waiting_since", &json!(0)), "0");
        assert_eq!(format_cell("count", &json!(1_760_000_000)), "1760000000");
        assert_eq!(format_cell("created_at", &json!(null)), "");
        assert_eq!(format_cell("body", &json!("a\nb")), "a b");
    }
}
