//! Rows for people: columns side by side on a terminal.
//!
//! Columns that were named are all shown: their cells are cut or wrapped, and where even that fails each
//! record becomes a block of lines. Of other columns those that matter most come first, and the last ones
//! give way. An id is never cut, because nobody could copy it. For programs there are the other formats;
//! nothing here is meant to be read back.

use std::io::Write;

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, Width, presets};
use jiff::Timestamp;
use serde_json::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::layout::{Column, Layout};
use super::printable;
use crate::cli::error::Error;

/// A terminal that says to be narrower than this does not know its width.
const NARROWEST: usize = 20;
/// What a terminal is taken for that does not know its width.
const USUAL: usize = 80;
/// Numbers below this (1973) in a field for a moment are none.
const EARLIEST: i64 = 100_000_000;

pub struct Grid {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Columns that hold nothing but numbers, as far as they hold anything.
    numeric: Vec<bool>,
    room: Room,
}

/// What happens to columns that are too wide for the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// The last columns are hidden.
    Hide,
    /// Every column is shown; long texts are cut.
    Cut,
    /// Every column is shown; long texts wrap.
    Wrap,
}

impl Grid {
    pub fn new(columns: Vec<String>, room: Room) -> Self {
        let numeric = columns.iter().map(|column| !is_id(column)).collect();
        Grid { columns, rows: Vec::new(), numeric, room }
    }

    pub fn row(&mut self, cells: &[Value]) {
        let cells = self.columns.iter().zip(cells);
        let row: Vec<String> = cells.clone().map(|(column, cell)| shown(column, cell)).collect();
        for (numeric, (column, cell)) in self.numeric.iter_mut().zip(cells) {
            *numeric &= cell.is_null() || (cell.is_number() && moment(column, cell).is_none());
        }
        self.rows.push(row);
    }

    /// Prints all rows. Returns the columns that the terminal had no room for.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn print(self, out: &mut impl Write) -> Result<Vec<String>, Error> {
        if self.rows.is_empty() {
            return Ok(Vec::new());
        }
        match Layout::of(&self.measured(), room().unwrap_or(usize::MAX), self.room != Room::Hide) {
            Layout::Blocks => self.print_blocks(out).map(|()| Vec::new()),
            Layout::Columns(widths) => self.print_columns(out, &widths),
        }
    }

    fn measured(&self) -> Vec<Column> {
        let measured = self.columns.iter().enumerate().map(|(at, name)| Column {
            name: name.width(),
            widest: self.rows.iter().map(|row| row[at].width()).max().unwrap_or(0),
            is_id: is_id(name),
        });
        measured.collect()
    }

    fn print_columns(&self, out: &mut impl Write, widths: &[Option<usize>]) -> Result<Vec<String>, Error> {
        let shown: Vec<(usize, usize)> =
            widths.iter().enumerate().filter_map(|(at, width)| Some((at, (*width)?))).collect();
        let mut table = Table::new();
        table.load_style(presets::NOTHING.header_separator(LineStyle::none().fill('─')));
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(shown.iter().map(|(at, _)| &self.columns[*at]));
        for row in &self.rows {
            table.add_row(shown.iter().map(|(at, width)| self.fitted(&row[*at], *at, *width)));
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

    /// The text as its column has room for it. What is narrower than its own name is wrapped, not cut.
    fn fitted(&self, text: &str, at: usize, width: usize) -> String {
        let is_cut = self.room != Room::Wrap
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

/// Columns around the text of a cell.
const PADDING: u16 = 2;

/// The text in at most `width` columns, with an ellipsis where it was longer.
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

/// The columns of the terminal; `COLUMNS` where there is none or it does not know. `None` without a limit.
pub fn room() -> Option<usize> {
    let named = std::env::var("COLUMNS").ok().and_then(|text| text.trim().parse().ok());
    let named = named.filter(|width| *width >= NARROWEST);
    match Table::new().width().map(usize::from) {
        Some(width) if width >= NARROWEST => Some(width),
        Some(_) => Some(named.unwrap_or(USUAL)),
        None => named,
    }
}

fn is_id(column: &str) -> bool {
    let name = column.rsplit('.').next().unwrap_or(column);
    name == "id" || name.ends_with("_id") || name == "run" || name == "ids"
}

/// One line without control characters; moments as dates (UTC).
fn shown(column: &str, value: &Value) -> String {
    let text = match (moment(column, value), value) {
        (Some(moment), _) => moment,
        (None, Value::Null) => String::new(),
        (None, Value::String(text)) => text.clone(),
        (None, other) => other.to_string(),
    };
    printable::one_line(&text)
}

/// The date of a value in a field for a moment; `None` when it is none.
pub fn moment(column: &str, value: &Value) -> Option<String> {
    let name = column.rsplit('.').next().unwrap_or(column);
    let is_moment = ["_at", "_until", "_since"].iter().any(|ending| name.ends_with(ending));
    let seconds = value.as_i64().filter(|seconds| is_moment && *seconds >= EARLIEST)?;
    Some(Timestamp::from_second(seconds).ok()?.strftime("%Y-%m-%d %H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn printed(columns: &[&str], rows: &[&[Value]]) -> String {
        let mut grid = Grid::new(columns.iter().map(|name| (*name).to_owned()).collect(), Room::Cut);
        rows.iter().for_each(|row| grid.row(row));
        let mut out = Vec::new();
        grid.print(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_have_no_rules_between_them_and_numbers_are_right_aligned() {
        let text = printed(&["id", "count"], &[&[json!("a"), json!(5)], &[json!("b"), json!(1_234)]]);
        assert_eq!(text, " id  count\n───────────\n a       5\n b    1234\n");
    }

    #[test]
    fn a_table_without_rows_is_nothing() {
        assert_eq!(printed(&["id"], &[]), "");
    }

    #[test]
    fn texts_are_cut_by_their_width_on_the_screen() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("日本語", 5), "日本…");
    }

    #[test]
    fn moments_are_dates_and_nothing_else_is() {
        assert_eq!(shown("created_at", &json!(1_760_000_000)), "2025-10-09 08:53");
        assert_eq!(shown("statistics.last_close_at", &json!(1_760_000_000)), "2025-10-09 08:53");
        assert_eq!(shown("waiting_since", &json!(0)), "0");
        assert_eq!(shown("count", &json!(1_760_000_000)), "1760000000");
        assert_eq!(shown("created_at", &json!(null)), "");
        assert_eq!(shown("body", &json!("a\nb")), "a b");
    }
}
