//! Aligned columns of text, for reports that are written for people only.
//!
//! Columns are in the order of their importance: on a narrow terminal, the flexible one is cut first, and then the last
//! ones are dropped. Cells may come from anybody, so they pass through [`printable`].

use unicode_width::UnicodeWidthStr;

use super::flags::OutputFlags;
use super::palette::Palette;
use super::{cut, terminal_width};
use crate::data::printable;

/// Terminal columns between two columns of a grid.
const GAP: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Text,
    /// Aligned to the right.
    Number,
    /// A text that may be cut to this width.
    Flexible(usize),
}

#[derive(Debug)]
pub struct Grid {
    columns: Vec<(&'static str, Shape)>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    pub fn new(columns: &[(&'static str, Shape)]) -> Self {
        Grid { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row, with one cell per column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| printable::one_line(&cell)).collect());
    }

    /// The grid as text for the terminal of the command, as [`Grid::render`].
    pub fn print(&self, flags: &OutputFlags, style: impl Fn(Palette, &str, &str) -> String) -> String {
        let palette = Palette::of(flags);
        let width = terminal_width().filter(|_| !flags.wide);
        self.render(width, palette, |column, cell| style(palette, column, cell))
    }

    /// The lines of the grid, the head first. Columns in which no row has text are left out. `style` decorates a cell
    /// of the named column, without changing its width.
    pub fn render(
        &self,
        width: Option<usize>,
        palette: Palette,
        style: impl Fn(&str, &str) -> String,
    ) -> String {
        let widths = self.widths(width.unwrap_or(usize::MAX));
        let line = |cells: &dyn Fn(usize) -> String, is_head: bool| {
            let mut line = String::new();
            for (at, width) in widths.iter().enumerate().filter_map(|(at, width)| Some((at, (*width)?))) {
                let text = cut(&cells(at), width);
                let pad = " ".repeat(width - text.width().min(width));
                let gap = if line.is_empty() { "" } else { "  " };
                let (name, shape) = self.columns[at];
                let text = if is_head { palette.bold(&text.to_uppercase()) } else { style(name, &text) };
                line += &match shape {
                    Shape::Number => format!("{gap}{pad}{text}"),
                    Shape::Text | Shape::Flexible(_) => format!("{gap}{text}{pad}"),
                };
            }
            format!("{}\n", line.trim_end())
        };
        let mut text = line(&|at| self.columns[at].0.to_owned(), true);
        for row in &self.rows {
            text += &line(&|at| row.get(at).cloned().unwrap_or_default(), false);
        }
        text
    }

    /// The width of each column; `None` for those that are left out.
    fn widths(&self, width: usize) -> Vec<Option<usize>> {
        let mut widths: Vec<Option<usize>> = (0..self.columns.len())
            .map(|at| {
                let widest = self.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width()).max();
                let widest = widest.filter(|widest| *widest > 0)?;
                Some(widest.max(self.columns[at].0.width()))
            })
            .collect();
        loop {
            let shown = widths.iter().flatten().count();
            let total: usize = widths.iter().flatten().sum::<usize>() + GAP * shown.saturating_sub(1);
            if total <= width {
                return widths;
            }
            let excess = total - width;
            let mut shrinks = false;
            for (column, (_, shape)) in widths.iter_mut().zip(&self.columns) {
                if let (Some(column), Shape::Flexible(least)) = (column, shape)
                    && *column > *least
                {
                    *column = column.saturating_sub(excess).max(*least);
                    shrinks = true;
                    break;
                }
            }
            if shrinks {
                continue;
            }
            match widths.iter().rposition(Option::is_some) {
                Some(last) if shown > 1 => widths[last] = None,
                _ => return widths,
            }
            self.regrow(&mut widths, width);
        }
    }

    /// Gives room that a dropped column leaves back to the flexible ones.
    fn regrow(&self, widths: &mut [Option<usize>], width: usize) {
        let shown = widths.iter().flatten().count();
        let total: usize = widths.iter().flatten().sum::<usize>() + GAP * shown.saturating_sub(1);
        let mut left = width.saturating_sub(total);
        for (at, (_, shape)) in self.columns.iter().enumerate() {
            if let (Some(column), Shape::Flexible(_)) = (&mut widths[at], shape) {
                let natural = self.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width()).max();
                let more = natural.unwrap_or(0).saturating_sub(*column).min(left);
                *column += more;
                left -= more;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        let mut grid = Grid::new(&[
            ("run", Shape::Text),
            ("what", Shape::Flexible(6)),
            ("records", Shape::Number),
            ("note", Shape::Text),
        ]);
        grid.row(["a1", "tag conversations", "5", ""].map(str::to_owned));
        grid.row(["b22", "close", "1,000", ""].map(str::to_owned));
        grid
    }

    fn shown(width: usize) -> String {
        grid().render(Some(width), Palette::default(), |_, text| text.to_owned())
    }

    #[test]
    fn a_narrow_screen_cuts_the_flexible_column_and_drops_the_last() {
        let wide = "RUN  WHAT               RECORDS\na1   tag conversations        5\nb22  close                1,000\n";
        assert_eq!(shown(80), wide, "a column without text is left out");
        assert_eq!(
            shown(24),
            "RUN  WHAT        RECORDS\na1   tag conve…        5\nb22  close         1,000\n"
        );
        assert_eq!(shown(15), "RUN  WHAT\na1   tag conve…\nb22  close\n");
    }

    #[test]
    fn cells_cannot_control_the_terminal() {
        let mut grid = Grid::new(&[("name", Shape::Text)]);
        grid.row(["a\u{1b}[2Jb".to_owned()]);
        assert_eq!(grid.render(None, Palette::default(), |_, text| text.to_owned()), "NAME\na [2Jb\n");
    }
}
