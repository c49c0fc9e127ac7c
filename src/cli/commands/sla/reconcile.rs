//! The differences from Intercom's statistics as a table for people, with times in the zone of the report.

use crate::cli::context::Context;
use crate::cli::output::grid::{Grid, Shape};
use crate::data::span;
use crate::report::sla::wording::{UNKNOWN, shown};
use crate::report::sla::{Difference, SlaOptions};

pub fn table(context: &Context, options: &SlaOptions, differences: &[Difference]) -> String {
    let mut grid = Grid::new(&[
        ("conversation", Shape::Text),
        ("field", Shape::Text),
        ("difference", Shape::Number),
        ("reason", Shape::Flexible(20)),
        ("ours", Shape::Text),
        ("theirs", Shape::Text),
    ]);
    let time = |at: Option<i64>| at.map_or_else(|| UNKNOWN.to_owned(), |at| shown(at, &options.zone));
    for row in differences {
        grid.row([
            row.conversation_id.clone(),
            row.field.to_owned(),
            row.seconds.map(difference).unwrap_or_default(),
            row.reason.to_owned(),
            time(row.ours),
            time(row.theirs),
        ]);
    }
    grid.print(&context.globals.output, |_, _, cell| cell.to_owned())
}

/// Seconds with their sign: `-1 h 5 min`.
fn difference(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "+" };
    format!("{sign}{}", span::length(seconds.unsigned_abs() as f64))
}
