//! The status of a mirror for people: its state in one line, then a line per resource.

use std::fmt::Write;
use std::path::Path;

use crate::cli::context::Context;
use crate::cli::output::clock::Clock;
use crate::cli::output::grid::{Grid, Shape};
use crate::cli::output::palette::Palette;
use crate::cli::output::wrap::wrapped;
use crate::cli::output::{grouped, terminal_width};
use crate::data::printable::one_line;
use crate::data::span;
use crate::mirror::{Status, Workspace};

/// `oldest` is the time up to which everything is mirrored, in epoch seconds.
pub fn render(
    context: &Context,
    path: &Path,
    workspace: Option<&Workspace>,
    resources: &[Status],
    oldest: Option<i64>,
) -> String {
    let flags = &context.globals.output;
    let (palette, clock) = (Palette::of(flags), Clock::of(flags));
    let width = terminal_width().filter(|_| !flags.wide);
    let size = std::fs::metadata(path).map(|file| file.len()).ok();
    let mut text = String::new();
    for (at, line) in [headline(workspace, resources, oldest, &clock), place(path, size)].iter().enumerate() {
        for line in wrapped(line, width.unwrap_or(usize::MAX)) {
            let line = if at == 0 { palette.bold(&line) } else { palette.dim(&line) };
            let _ = writeln!(text, "{line}");
        }
    }
    let mut grid = Grid::new(&[
        ("resource", Shape::Text),
        ("state", Shape::Text),
        ("records", Shape::Number),
        ("synced", Shape::Text),
        ("note", Shape::Flexible(20)),
        ("size", Shape::Number),
    ]);
    for status in resources {
        grid.row(cells(status, &clock));
    }
    let grid = grid.print(flags, |palette, column, cell| match column {
        "state" if cell == "incomplete" => palette.yellow(cell),
        "state" => palette.state(cell),
        "size" => palette.dim(cell),
        _ => cell.to_owned(),
    });
    let _ = write!(text, "\n{grid}");
    text
}

/// Workspace, age and completeness.
fn headline(
    workspace: Option<&Workspace>,
    resources: &[Status],
    oldest: Option<i64>,
    clock: &Clock,
) -> String {
    let name = match workspace {
        Some(Workspace { id_code, name: Some(name), .. }) => format!("{name} ({id_code})"),
        Some(Workspace { id_code, .. }) => id_code.clone(),
        None => "Unknown workspace".to_owned(),
    };
    let age = oldest
        .map_or_else(|| "never synced completely".to_owned(), |at| format!("synced {}", clock.short(at)));
    let count = |state: &str| resources.iter().filter(|status| status.state == state).count();
    let (incomplete, partial) = (count("incomplete"), count("partial"));
    let mut parts = vec![one_line(&name), age];
    if incomplete + partial == 0 && oldest.is_some() {
        parts.push("complete".to_owned());
    }
    if incomplete > 0 {
        parts.push(format!("{incomplete} incomplete"));
    }
    if partial > 0 {
        parts.push(format!("{partial} with newer records only"));
    }
    parts.join(" · ")
}

/// The file and its size.
fn place(path: &Path, size: Option<u64>) -> String {
    let size = size.map(|size| format!(" ({})", span::size(size))).unwrap_or_default();
    format!("{}{size}", one_line(&path.display().to_string()))
}

fn cells(status: &Status, clock: &Clock) -> [String; 6] {
    let size = status.bytes.filter(|_| status.rows > 0).map(span::size);
    let about = if status.bytes_estimated { "about " } else { "" };
    [
        status.resource.as_str().to_owned(),
        status.state.to_owned(),
        grouped(status.rows),
        status.watermark.map(|at| clock.short(at)).unwrap_or_default(),
        note(status, clock),
        size.map(|size| format!("{about}{size}")).unwrap_or_default(),
    ]
}

/// What is unusual about a resource.
fn note(status: &Status, clock: &Clock) -> String {
    let mut notes = Vec::new();
    if status.state != "skipped" {
        notes.extend(status.reason.clone());
    }
    if let Some(floor) = status.floor {
        notes.push(format!("only records since {}", clock.short(floor)));
    }
    if status.gone > 0 {
        notes.push(format!("{} deleted in the workspace", grouped(status.gone)));
    }
    match status.quarantined.len() {
        0 => {}
        1 => notes.push("1 record cannot be fetched".to_owned()),
        count => notes.push(format!("{count} records cannot be fetched")),
    }
    if status.state == "skipped" {
        notes.push("not in this workspace".to_owned());
    }
    notes.join("; ")
}
