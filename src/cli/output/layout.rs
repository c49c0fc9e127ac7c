//! Chooses the columns of a table that are shown, and their widths.
//!
//! All widths are in terminal columns. A column never gets less than it needs to be readable, unless the user asked
//! for more columns than fit.

/// Space between two columns.
pub const GAP: usize = 2;
/// Minimum comfortable width of a text; shorter texts are shown uncut or not at all.
const COMFORTABLE: usize = 24;
/// Minimum width of a text in a core column.
const READABLE: usize = 12;
/// Maximum width of a date, a number or a word.
const SHORT: usize = 16;
/// Minimum width of a wrapped cell.
const MIN_CELL: usize = 8;

/// The measured widths of a column, and how useful it is.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Width of the head.
    pub name: usize,
    /// Width of the widest cell.
    pub widest: usize,
    pub is_id: bool,
    /// 0 for the most useful column.
    pub rank: usize,
    /// Whether it is shown in preference to whole texts in other core columns.
    pub is_core: bool,
    /// Whether it is hidden if it has no values.
    pub is_optional: bool,
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

    /// The width at which no id is cut, and no text shorter than `text`.
    fn at_least(self, text: usize) -> usize {
        if self.is_id { self.natural() } else { self.natural().min(text.max(self.name)) }
    }
}

impl Layout {
    /// Fits the most useful columns into `width`, or all of them if `keeps_all`.
    pub fn of(columns: &[Column], width: usize, keeps_all: bool) -> Self {
        let minimum: Vec<Option<usize>> = if keeps_all {
            match fit_all(columns, width) {
                Some(widths) => widths.into_iter().map(Some).collect(),
                None => return Layout::Blocks,
            }
        } else {
            fit_by_rank(columns, width)
        };
        Layout::Columns(widen(columns, minimum, width))
    }
}

/// All columns at a comfortable width, else as narrow as possible; `None` if even that is too wide.
fn fit_all(columns: &[Column], width: usize) -> Option<Vec<usize>> {
    // Prefer uncut ids and short values to wider texts: a broken id is useless.
    let widths = [
        |column: &Column| column.at_least(COMFORTABLE),
        |column: &Column| {
            if column.is_id || column.natural() <= SHORT { column.natural() } else { MIN_CELL }
        },
        |column: &Column| if column.is_id { column.natural() } else { column.natural().min(MIN_CELL) },
        |column: &Column| column.natural().min(MIN_CELL),
    ];
    let widths = widths.iter().map(|width_of| columns.iter().map(width_of).collect::<Vec<_>>());
    widths.into_iter().find(|widths| total_width(widths.iter().copied()) <= width)
}

/// The most useful columns that fit, at least one. Core columns come first and may get narrow; other columns are
/// added only if all texts stay comfortable. Empty columns are hidden before others.
fn fit_by_rank(columns: &[Column], width: usize) -> Vec<Option<usize>> {
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|at| columns[*at].rank);
    let first = order.first().copied();
    order.retain(|at| Some(*at) == first || columns[*at].widest > 0 || !columns[*at].is_optional);
    let all_fit = total_width(order.iter().map(|at| columns[*at].at_least(COMFORTABLE))) <= width;
    if !all_fit {
        order.retain(|at| Some(*at) == first || columns[*at].widest > 0);
    }
    let (core, others): (Vec<usize>, Vec<usize>) =
        order.into_iter().partition(|at| columns[*at].is_core || Some(*at) == first);
    let mut widths = vec![None; columns.len()];
    let mut used = 0;
    add_fitting(columns, &core, READABLE, width, &mut used, &mut widths);
    let comfortable = |(at, width): (usize, &Option<usize>)| width.map(|_| columns[at].at_least(COMFORTABLE));
    let wider: Vec<Option<usize>> = widths.iter().enumerate().map(comfortable).collect();
    let mut used = total_width(wider.iter().flatten().copied());
    if used <= width {
        widths = wider;
        add_fitting(columns, &others, COMFORTABLE, width, &mut used, &mut widths);
    }
    widths
}

/// Adds columns in this order until one does not fit. The first column of a table is always added.
fn add_fitting(
    columns: &[Column],
    order: &[usize],
    text: usize,
    width: usize,
    used: &mut usize,
    widths: &mut [Option<usize>],
) {
    for at in order {
        let column = columns[*at].at_least(text);
        let gap = if *used == 0 { 0 } else { GAP };
        if *used > 0 && used.saturating_add(gap + column) > width {
            break;
        }
        *used += gap + column;
        widths[*at] = Some(column);
    }
}

fn total_width(widths: impl Iterator<Item = usize>) -> usize {
    widths.map(|width| width.saturating_add(GAP)).sum::<usize>().saturating_sub(GAP)
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

    const ID: Column =
        Column { name: 2, widest: 24, is_id: true, rank: 0, is_core: false, is_optional: false };

    fn text(widest: usize, rank: usize) -> Column {
        Column { name: 4, widest, is_id: false, rank, is_core: false, is_optional: false }
    }

    #[test]
    fn a_long_text_uses_the_remaining_width() {
        let columns = [ID, text(200, 1)];
        assert_eq!(Layout::of(&columns, 160, false), Layout::Columns(vec![Some(24), Some(134)]));
        assert_eq!(Layout::of(&columns, usize::MAX, false), Layout::Columns(vec![Some(24), Some(200)]));
    }

    #[test]
    fn empty_columns_are_hidden_first_then_the_least_useful_ones() {
        let columns = [ID, text(0, 1), text(20, 4), text(60, 2), text(10, 3)];
        assert_eq!(
            Layout::of(&columns, 80, false),
            Layout::Columns(vec![Some(24), None, None, Some(42), Some(10)])
        );
        assert_eq!(Layout::of(&columns, 10, false), Layout::Columns(vec![Some(24), None, None, None, None]));
    }

    #[test]
    fn core_columns_are_narrowed_before_they_are_hidden() {
        let core = |column| Column { is_core: true, ..column };
        let columns = [core(ID), core(text(40, 1)), core(text(40, 2)), text(5, 3)];
        assert_eq!(
            Layout::of(&columns, 60, false),
            Layout::Columns(vec![Some(24), Some(16), Some(16), None]),
            "a further column must not take their room"
        );
        let Layout::Columns(widths) = Layout::of(&columns, 120, false) else { panic!("a table") };
        assert_eq!(widths, [Some(24), Some(40), Some(40), Some(5)]);
    }

    #[test]
    fn an_optional_column_without_values_is_never_shown() {
        let optional = Column { is_optional: true, ..text(0, 1) };
        assert_eq!(Layout::of(&[ID, optional], 200, false), Layout::Columns(vec![Some(24), None]));
        assert_eq!(Layout::of(&[ID, optional], 200, true), Layout::Columns(vec![Some(24), Some(4)]));
    }

    #[test]
    fn named_columns_are_never_hidden() {
        let columns = [ID, text(60, 1), text(60, 2), text(60, 3), text(60, 4)];
        let Layout::Columns(widths) = Layout::of(&columns, 80, true) else { panic!("the columns fit") };
        let widths: Vec<usize> = widths.into_iter().flatten().collect();
        assert_eq!((widths.len(), widths[0], total_width(widths.iter().copied())), (5, 24, 80));
        assert_eq!(Layout::of(&[ID; 20], 80, true), Layout::Blocks);
    }
}
