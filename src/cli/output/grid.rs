//! Rows for people: columns side by side on a terminal.
//!
//! A terminal that is too narrow for all columns shows the first ones and names the others: an id that is
//! broken over several lines cannot be copied. For programs there are the other formats; nothing here is
//! meant to be read back.

use std::io::Write;

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use serde_json::Value;

use crate::cli::error::Error;

/// Cells are cut to this many characters.
const CELL_WIDTH: usize = 48;
/// A terminal that says to be narrower than this does not know its width.
const NARROWEST: usize = 20;
/// What a terminal is taken for that does not know its width.
const USUAL: usize = 80;
/// Characters around the text of a cell.
const PADDING: usize = 2;
/// Numbers below this (1973) in a field for a moment are none.
const EARLIEST: i64 = 100_000_000;

pub struct Grid {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    pub fn new(columns: Vec<String>) -> Self {
        Grid { columns, rows: Vec::new() }
    }

    pub fn row(&mut self, cells: &[Value]) {
        let shown = self.columns.iter().zip(cells).map(|(column, cell)| shown(column, cell));
        self.rows.push(shown.collect());
    }

    /// Prints all rows. Returns the columns that the terminal had no room for.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn print(mut self, out: &mut impl Write) -> Result<Vec<String>, Error> {
        let mut table = Table::new();
        let room = table.width().map_or(usize::MAX, |width| room(width.into()));
        if self.fitting(room) < self.columns.len() {
            self.drop_empty();
        }
        let left_out = self.columns.split_off(self.fitting(room));
        if let Ok(width) = u16::try_from(room) {
            table.set_width(width);
        }
        table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(&self.columns);
        for row in &self.rows {
            table.add_row(&row[..self.columns.len()]);
        }
        writeln!(out, "{table}")?;
        Ok(left_out)
    }

    /// Takes out the columns in which no row has anything: they are the first to give way.
    fn drop_empty(&mut self) {
        let is_used = |at: usize| at == 0 || self.rows.iter().any(|row| !row[at].is_empty());
        let used: Vec<usize> = (0..self.columns.len()).filter(|at| is_used(*at)).collect();
        self.columns = used.iter().map(|at| self.columns[*at].clone()).collect();
        for row in &mut self.rows {
            *row = used.iter().map(|at| row[*at].clone()).collect();
        }
    }

    /// How many columns fit beside each other; at least one.
    fn fitting(&self, room: usize) -> usize {
        let width = |(at, name): (usize, &String)| {
            let cells = self.rows.iter().map(|row| row[at].chars().count());
            cells.chain([name.chars().count()]).max().unwrap_or(0) + PADDING
        };
        let mut taken = 0_usize;
        let fits = self.columns.iter().enumerate().map(width).take_while(|width| {
            taken += width;
            taken <= room
        });
        fits.count().max(1).min(self.columns.len())
    }
}

fn room(width: usize) -> usize {
    match width >= NARROWEST {
        true => width,
        false => {
            let told = std::env::var("COLUMNS").ok().and_then(|it| it.trim().parse().ok());
            told.filter(|it| *it >= NARROWEST).unwrap_or(USUAL)
        }
    }
}

/// One line without control characters, not too long; moments as dates (UTC).
fn shown(column: &str, value: &Value) -> String {
    let text = match (moment(column, value), value) {
        (Some(moment), _) => moment,
        (None, Value::Null) => String::new(),
        (None, Value::String(text)) => text.clone(),
        (None, other) => other.to_string(),
    };
    let clean: String = text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
    match clean.chars().count() > CELL_WIDTH {
        true => clean.chars().take(CELL_WIDTH - 1).chain(['…']).collect(),
        false => clean,
    }
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

    #[test]
    fn a_narrow_terminal_shows_whole_columns() {
        let mut grid = Grid::new(["id", "name", "note"].map(str::to_owned).to_vec());
        grid.row(&[json!("665f1c2ab3d4e5f60718293a"), json!("Ada"), json!("x".repeat(60))]);
        assert_eq!(grid.fitting(usize::MAX), 3);
        assert_eq!(grid.fitting(26 + 6 + 50), 3);
        assert_eq!(grid.fitting(26 + 6 + 49), 2);
        assert_eq!(grid.fitting(10), 1, "one column is shown in any case");
    }

    #[test]
    fn empty_columns_give_way_first() {
        let mut grid = Grid::new(["id", "phone", "name"].map(str::to_owned).to_vec());
        grid.row(&[json!("1"), json!(null), json!("Ada")]);
        grid.row(&[json!("2"), json!(""), json!(null)]);
        grid.drop_empty();
        assert_eq!(
            (grid.columns, grid.rows),
            (
                vec!["id".into(), "name".into()],
                vec![vec!["1".into(), "Ada".into()], vec!["2".to_owned(), String::new()]]
            )
        );
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
