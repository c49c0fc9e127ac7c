//! Which columns of a table are shown, and how wide each is.
//!
//! Knows widths only. A column never gets less than it needs to be read, unless the reader insists on more
//! columns than there is room for.

/// Columns of the screen around the text of a cell.
const PADDING: usize = 2;
/// A text of this width is shown whole or not at all; of a longer one this much is enough to begin with.
const LEGIBLE: usize = 24;
/// A value of this width is a date, a number or a word.
const SHORT: usize = 16;
/// The least that a cell is wrapped into.
const NARROWEST_CELL: usize = 8;

/// What is to be shown in a column, in columns of the screen.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Width of its name.
    pub name: usize,
    /// Width of its widest cell.
    pub widest: usize,
    pub is_id: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Layout {
    /// The width of each column; `None` for a hidden one.
    Columns(Vec<Option<usize>>),
    /// Every record as lines of its own: there are too many columns for a table.
    Blocks,
}

impl Column {
    fn natural(self) -> usize {
        self.name.max(self.widest).max(1)
    }

    /// What it takes to read the column.
    fn legible(self) -> usize {
        if self.is_id { self.natural() } else { self.natural().min(LEGIBLE.max(self.name)) }
    }
}

impl Layout {
    /// The columns within `room`, the first ones before the later ones; all of them if `keeps_all`.
    pub fn of(columns: &[Column], room: usize, keeps_all: bool) -> Self {
        let least: Vec<Option<usize>> = if keeps_all {
            match all_within(columns, room) {
                Some(widths) => widths.into_iter().map(Some).collect(),
                None => return Layout::Blocks,
            }
        } else {
            the_first_within(columns, room)
        };
        Layout::Columns(widened(columns, least, room))
    }
}

/// Every column at a width that can be read, or else as narrow as it gets; `None` when that is too wide.
fn all_within(columns: &[Column], room: usize) -> Option<Vec<usize>> {
    // Ids and other short values go whole before texts are read with ease: broken ones are of no use.
    let widths = [
        |column: &Column| column.legible(),
        |column: &Column| match column.is_id || column.natural() <= SHORT {
            true => column.natural(),
            false => NARROWEST_CELL,
        },
        |column: &Column| if column.is_id { column.natural() } else { column.natural().min(NARROWEST_CELL) },
        |column: &Column| column.natural().min(NARROWEST_CELL),
    ];
    let widths = widths.iter().map(|width| columns.iter().map(width).collect::<Vec<_>>());
    widths.into_iter().find(|widths| taken(widths.iter().copied()) <= room)
}

/// The first columns that fit; at least one. Columns without content give way before any other.
fn the_first_within(columns: &[Column], room: usize) -> Vec<Option<usize>> {
    let everything = taken(columns.iter().map(|column| column.legible())) <= room;
    let mut left = room;
    let mut is_full = false;
    let widths = columns.iter().enumerate().map(|(at, column)| {
        if at > 0 && !everything && column.widest == 0 {
            return None;
        }
        let width = column.legible();
        is_full |= at > 0 && width + PADDING > left;
        if is_full {
            return None;
        }
        left = left.saturating_sub(width + PADDING);
        Some(width)
    });
    widths.collect()
}

fn taken(widths: impl Iterator<Item = usize>) -> usize {
    widths.map(|width| width + PADDING).sum()
}

/// The widths, with the rest of the room shared among the columns that can use it.
fn widened(columns: &[Column], mut widths: Vec<Option<usize>>, room: usize) -> Vec<Option<usize>> {
    let mut left = room.saturating_sub(taken(widths.iter().flatten().copied()));
    while left > 0 {
        let wants =
            |(width, column): (&Option<usize>, &Column)| width.is_some_and(|width| width < column.natural());
        let hungry = widths.iter().zip(columns).filter(|pair| wants(*pair)).count();
        if hungry == 0 {
            break;
        }
        let share = (left / hungry).max(1);
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
    fn a_long_text_uses_the_room_there_is() {
        let columns = [ID, text(200)];
        assert_eq!(Layout::of(&columns, 160, false), Layout::Columns(vec![Some(24), Some(132)]));
        assert_eq!(Layout::of(&columns, usize::MAX, false), Layout::Columns(vec![Some(24), Some(200)]));
    }

    #[test]
    fn later_columns_give_way_and_empty_ones_first() {
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
        let Layout::Columns(widths) = Layout::of(&columns, 80, true) else { panic!("there is room") };
        let widths: Vec<usize> = widths.into_iter().flatten().collect();
        assert_eq!((widths.len(), widths[0], taken(widths.iter().copied())), (5, 24, 80));
        assert_eq!(Layout::of(&[ID; 20], 80, true), Layout::Blocks);
    }
}
