//! Rows as a table for people.
//!
//! Columns that the user named are all shown: their cells are cut or wrapped, and if there are still too many,
//! each record becomes a block of lines. Of other columns the least useful are hidden. An id is never cut, because
//! nobody could copy it. Colours repeat what the words say. Programs use the other formats.

use std::io::Write;

use serde_json::Value;

use super::cell;
use super::clock::Clock;
use super::flags::OutputFlags;
use super::layout::{self, GAP, Layout};
use super::palette::Palette;
use crate::cli::error::Error;

pub use super::cell::cut;

/// A terminal that reports fewer columns does not know its width.
const MIN_WIDTH: usize = 20;
/// Columns assumed for a terminal that does not know its width.
const DEFAULT_WIDTH: usize = 80;

/// How tables look: colours, times and width.
#[derive(Debug, Clone)]
pub struct TableStyle {
    palette: Palette,
    clock: Clock,
    /// Whether `--utc` is given, which the heads of times repeat.
    is_utc: bool,
    /// Whether all columns and whole texts are shown.
    is_wide: bool,
    /// Whether words between `**` are shown in bold.
    highlights: bool,
}

impl TableStyle {
    pub fn of(flags: &OutputFlags) -> Self {
        let clock = Clock::of(flags);
        TableStyle {
            palette: Palette::of(flags),
            // Who names a zone wants to see times in it.
            clock: if flags.named_zone().is_some() { clock.absolute() } else { clock },
            is_utc: flags.utc,
            is_wide: flags.wide,
            highlights: false,
        }
    }

    /// Highlights words between `**`, if the terminal has colours.
    pub fn with_highlights(self, highlights: bool) -> Self {
        TableStyle { highlights: highlights && self.palette.is_on(), ..self }
    }

    fn width(&self) -> usize {
        terminal_width().filter(|_| !self.is_wide).unwrap_or(usize::MAX)
    }
}

/// A column: its head, and how useful it is.
#[derive(Debug, Clone)]
pub struct Heading {
    pub title: String,
    /// The field that it shows, which decides whether its values are ids, times or states.
    pub field: String,
    /// 0 for the most useful column. The least useful ones are hidden on a narrow terminal.
    pub rank: usize,
    /// Whether it is shown in preference to whole texts.
    pub is_core: bool,
    /// Whether it is hidden if it has no values.
    pub is_optional: bool,
}

impl Heading {
    /// A column that shows a field under its name.
    pub fn of_field(name: &str, rank: usize) -> Self {
        let name = name.to_owned();
        Heading { title: name.clone(), field: name, rank, is_core: false, is_optional: false }
    }
}

pub struct Table {
    headings: Vec<Heading>,
    rows: Vec<Vec<String>>,
    /// Whether each column holds only numbers, apart from empty cells.
    numeric: Vec<bool>,
    overflow: Overflow,
    style: TableStyle,
}

/// What to do when the columns are wider than the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// The least useful columns are hidden.
    Hide,
    /// Every column is shown; long texts are cut.
    Cut,
    /// Every column is shown; long texts wrap.
    Wrap,
}

impl Table {
    pub fn new(headings: Vec<Heading>, overflow: Overflow, style: TableStyle) -> Self {
        let numeric = headings.iter().map(|heading| !is_id(&heading.field)).collect();
        Table { headings, rows: Vec::new(), numeric, overflow, style }
    }

    pub fn add_row(&mut self, cells: &[Value]) {
        let mut row = Vec::with_capacity(cells.len());
        for ((heading, cell), numeric) in self.headings.iter().zip(cells).zip(&mut self.numeric) {
            let time = cell::time(&heading.field, cell);
            *numeric &= cell.is_null() || (cell.is_number() && time.is_none());
            row.push(match time {
                Some(seconds) => self.style.clock.short(seconds),
                None if self.style.highlights => cell::highlighted(&cell::text(cell)),
                None => cell::text(cell),
            });
        }
        self.rows.push(row);
    }

    /// Prints all rows and returns the positions of hidden columns that have values.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn print(self, out: &mut impl Write) -> Result<Vec<usize>, Error> {
        if self.rows.is_empty() {
            return Ok(Vec::new());
        }
        let columns = self.measure();
        let keeps_all = self.overflow != Overflow::Hide || self.style.is_wide;
        match Layout::of(&columns, self.style.width(), keeps_all) {
            Layout::Blocks => self.print_blocks(out).map(|()| Vec::new()),
            Layout::Columns(widths) => {
                self.print_columns(out, &widths)?;
                let is_hidden = |at: &usize| widths[*at].is_none() && columns[*at].widest > 0;
                Ok((0..widths.len()).filter(is_hidden).collect())
            }
        }
    }

    fn measure(&self) -> Vec<layout::Column> {
        let columns = self.headings.iter().enumerate().map(|(at, heading)| layout::Column {
            name: cell::width(&self.head(heading)),
            widest: self.rows.iter().map(|row| cell::width(&row[at])).max().unwrap_or(0),
            is_id: is_id(&heading.field),
            rank: heading.rank,
            is_core: heading.is_core,
            is_optional: heading.is_optional,
        });
        columns.collect()
    }

    /// The head of a column in capitals, which set it apart without colours.
    fn head(&self, heading: &Heading) -> String {
        let zone = if self.style.is_utc && cell::is_time(&heading.field) { " (UTC)" } else { "" };
        crate::data::printable::one_line(&format!("{}{zone}", heading.title.to_uppercase()))
    }

    fn print_columns(&self, out: &mut impl Write, widths: &[Option<usize>]) -> Result<(), Error> {
        let shown: Vec<(usize, usize)> =
            widths.iter().enumerate().filter_map(|(at, width)| Some((at, (*width)?))).collect();
        let heads = shown.iter().map(|(at, width)| cell::wrap(&self.head(&self.headings[*at]), *width));
        self.print_row(out, &shown, &heads.collect::<Vec<_>>(), |_, text| self.style.palette.bold(text))?;
        for row in &self.rows {
            let cells = shown.iter().map(|(at, width)| self.fit(&row[*at], *at, *width));
            self.print_row(out, &shown, &cells.collect::<Vec<_>>(), |at, text| self.style_cell(at, text))?;
        }
        Ok(())
    }

    /// Prints one row, whose cells are lists of lines.
    fn print_row(
        &self,
        out: &mut impl Write,
        shown: &[(usize, usize)],
        cells: &[Vec<String>],
        style: impl Fn(usize, &str) -> String,
    ) -> Result<(), Error> {
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            let mut printed = String::new();
            let mut column = 0;
            let mut used = 0;
            for ((at, width), cell) in shown.iter().zip(cells) {
                if let Some(text) = cell.get(line).filter(|text| !text.is_empty()) {
                    let free = width.saturating_sub(cell::width(text));
                    let start = column + if self.numeric[*at] { free } else { 0 };
                    printed.push_str(&" ".repeat(start.saturating_sub(used)));
                    printed.push_str(&style(*at, text));
                    used = start + cell::width(text);
                }
                column += width + GAP;
            }
            writeln!(out, "{}", printed.trim_end())?;
        }
        Ok(())
    }

    /// The text as lines of at most the width of its column. Cells narrower than their head wrap even if long texts
    /// are cut, and ids are never cut.
    fn fit(&self, text: &str, at: usize, width: usize) -> Vec<String> {
        let heading = &self.headings[at];
        let is_cut = self.overflow != Overflow::Wrap
            && width >= cell::width(&self.head(heading))
            && !is_id(&heading.field);
        if cell::width(text) <= width {
            vec![text.to_owned()]
        } else if is_cut {
            vec![cut(text, width)]
        } else {
            cell::wrap(text, width)
        }
    }

    /// Colours states by their word, and highlights words.
    fn style_cell(&self, at: usize, text: &str) -> String {
        let palette = self.style.palette;
        if is_state(&self.headings[at].field) {
            return palette.state(text);
        }
        cell::styled(text, palette)
    }

    fn print_blocks(&self, out: &mut impl Write) -> Result<(), Error> {
        let heads: Vec<String> = self.headings.iter().map(|heading| self.head(heading)).collect();
        let widest = heads.iter().map(|head| cell::width(head)).max().unwrap_or(0);
        for (index, row) in self.rows.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            for (at, (head, text)) in heads.iter().zip(row).enumerate() {
                let gap = " ".repeat(widest - cell::width(head) + GAP);
                let line = format!("{}{gap}{}", self.style.palette.bold(head), self.style_cell(at, text));
                writeln!(out, "{}", line.trim_end())?;
            }
        }
        Ok(())
    }
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

fn is_id(field: &str) -> bool {
    let name = field.rsplit('.').next().unwrap_or(field);
    name == "id" || name.ends_with("_id") || name == "run" || name == "ids"
}

/// Whether the words of a field are states, which have colours.
fn is_state(field: &str) -> bool {
    let name = field.rsplit('.').next().unwrap_or(field);
    ["state", "status", "verdict", "category", "result", "outcome"].contains(&name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn printed(flags: &OutputFlags, columns: &[&str], rows: &[&[Value]]) -> String {
        let headings = columns.iter().enumerate().map(|(at, name)| Heading::of_field(name, at)).collect();
        let mut table = Table::new(headings, Overflow::Cut, TableStyle::of(flags));
        rows.iter().for_each(|row| table.add_row(row));
        let mut out = Vec::new();
        table.print(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_table_has_no_rules_and_its_numbers_are_right_aligned() {
        let rows: [&[Value]; 2] = [&[json!("a"), json!(5)], &[json!("b"), json!(1_234)]];
        let text = printed(&OutputFlags::default(), &["id", "count"], &rows);
        assert_eq!(text, "ID  COUNT\na       5\nb    1234\n");
    }

    #[test]
    fn a_table_without_rows_prints_nothing() {
        assert_eq!(printed(&OutputFlags::default(), &["id"], &[]), "");
    }

    #[test]
    fn times_in_utc_say_so() {
        let mut flags = OutputFlags::default();
        flags.utc = true;
        let text = printed(&flags, &["updated_at", "n"], &[&[json!(1_760_000_000), json!(null)]]);
        assert_eq!(text, "UPDATED_AT (UTC)  N\n2025-10-09 08:53\n");
        let dublin = crate::report::business_hours::zone("Europe/Dublin").unwrap();
        let mut flags = OutputFlags::default();
        flags.timezone = Some(dublin);
        let text = printed(&flags, &["updated_at"], &[&[json!(1_760_000_000)]]);
        assert_eq!(text, "UPDATED_AT\n2025-10-09 09:53\n");
    }
}
