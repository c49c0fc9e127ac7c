//! Chooses the columns of a table that are shown, and their widths.
//!
//! All widths are in terminal columns. A column never gets less than it needs to be readable, unless the user asked
//! for more columns than fit.

/// Padding around the text of a cell.
const PADDING: usize = 2;
/// Minimum readable width of a text; shorter texts are shown uncut or not at all.
const READABLE: usize = 24;
/// Maximum width of a date, a number or a word.
const SHORT: usize = 16;
/// Minimum width of a wrapped cell.
const MIN_CELL: usize = 8;

/// The measured widths of a column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Width of the title.
    pub name: usize,
    /// Width of the widest cell.
    pub widest: usize,
    pub is_id: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Layout {
    /// The width of each column; `None` for a hidden one.
    Columns(Vec<Option<usize>>),
    /// Each record as a block of lines, because there are too many columns for a table.
    Blocks,
}

impl Column {
    fn natural(self) -> usize {
        self.name.max(self.widest).max(1)
    }

    /// Minimum readable width.
    fn readable(self) -> usize {
        if self.is_id { self.natural() } else { self.natural().min(READABLE.max(self.name)) }
    }
}

impl Layout {
    /// Fits the first columns into `width`, or all of them if `keeps_all`.
    pub fn of(columns: &[Column], width: usize, keeps_all: bool) -> Self {
        let minimum: Vec<Option<usize>> = if keeps_all {
            match fit_all(columns, width) {
                Some(widths) => widths.into_iter().map(Some).collect(),
                None => return Layout::Blocks,
            }
        } else {
            fit_first(columns, width)
        };
        Layout::Columns(widen(columns, minimum, width))
    }
}

/// All columns at a readable width, else as narrow as possible; `None` if even that is too wide.
fn fit_all(columns: &[Column], width: usize) -> Option<Vec<usize>> {
    // Prefer uncut ids and short values to wider texts: a broken id is useless.
    let widths = [
        |column: &Column| column.readable(),
        |column: &Column| {
            if column.is_id || column.natural() <= SHORT { column.natural() } else { MIN_CELL }
        },
        |column: &Column| if column.is_id { column.natural() } else { column.natural().min(MIN_CELL) },
        |column: &Column| column.natural().min(MIN_CELL),
    ];
    let widths = widths.iter().map(|width_of| columns.iter().map(width_of).collect::<Vec<_>>());
    widths.into_iter().find(|widths| total_width(widths.iter().copied()) <= width)
}

/// The first columns that fit, at least one. Empty columns are hidden first.
fn fit_first(columns: &[Column], width: usize) -> Vec<Option<usize>> {
    let all_fit = total_width(columns.iter().map(|column| column.readable())) <= width;
    let mut left = width;
    let mut is_full = false;
    let widths = columns.iter().enumerate().map(|(at, column)| {
        if at > 0 && !all_fit && column.widest == 0 {
            return None;
        }
        let width = column.readable();
        is_full |= at > 0 && width + PADDING > left;
        if is_full {
            return None;
        }
        left = left.saturating_sub(width + PADDING);
        Some(width)
    });
    widths.collect()
}

fn total_width(widths: impl Iterator<Item = usize>) -> usize {
    widths.map(|width| width + PADDING).sum()
}

/// Distributes the remaining width among the columns that need it.
fn widen(columns: &[Column], mut widths: Vec<Option<usize>>, width: usize) -> Vec<Option<usize>> {
    let mut left = width.saturating_sub(total_width(widths.iter().flatten().copied()));
    while left > 0 {
        let needs_more =
            |(width, column): (&Option<usize>, &Column)| width.is_some_and(|width| width < column.natural());
        let needy = widths.iter().zip(columns).filter(|pair| needs_more(*pair)).count();
        if needy == 0 {
            break;
        }
        let share = (left / needy).max(1);
        for (width, column) in widths.iter_mut().zip(columns) {
            if let Some(width) = width {
                let more = column.natural().saturating_sub(*width).min(share).min(left);
                *width += more;
                left -= more;
            }
        }
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Column = Column { name: 2, widest: 24, is_id: true };

    fn text(widest: usize) -> Column {
        Column { name: 4, widest, is_id: false }
    }

    #[test]
    fn a_long_text_uses_the_remaining_width() {
        let columns = [ID, text(200)];
        assert_eq!(Layout::of(&columns, 160, false), Layout::Columns(vec![Some(24), Some(132)]));
        assert_eq!(Layout::of(&columns, usize::MAX, false), Layout::Columns(vec![Some(24), Some(200)]));
    }

    #[test]
    fn empty_columns_are_hidden_first_then_the_last_ones() {
        let columns = [ID, text(0), text(20), text(60), text(10)];
        assert_eq!(
            Layout::of(&columns, 80, false),
            Layout::Columns(vec![Some(24), None, Some(20), Some(30), None])
        );
        assert_eq!(Layout::of(&columns, 10, false), Layout::Columns(vec![Some(24), None, None, None, None]));
    }

    #[test]
    fn named_columns_are_never_hidden() {
        let columns = [ID, text(60), text(60), text(60), text(60)];
        let Layout::Columns(widths) = Layout::of(&columns, 80, true) else { panic!("the columns fit") };
        let widths: Vec<usize> = widths.into_iter().flatten().collect();
        assert_eq!((widths.len(), widths[0], total_width(widths.iter().copied())), (5, 24, 80));
        assert_eq!(Layout::of(&[ID; 20], 80, true), Layout::Blocks);
    }
}
