//! Records as lines of text while they arrive: when, what kind, which, and what it is about.
//!
//! For people who watch a terminal. A line is never longer than the terminal, unless `--wide` is given.

use std::io::Write;

use serde_json::Value;

use super::cell;
use super::clock::Clock;
use super::flags::OutputFlags;
use super::key_columns::KeyColumns;
use super::names::Names;
use super::palette::Palette;
use super::sink::Sink;
use super::table::terminal_width;
use crate::cli::error::Error;

/// Width of a time or a date.
const TIME_WIDTH: usize = 10;
/// Moments that are longer ago are shown as dates.
const DAY: i64 = 86_400;

pub struct RecordLines<'a> {
    flags: &'a OutputFlags,
    sink: Sink,
    clock: Clock,
    palette: Palette,
    names: Names,
}

impl<'a> RecordLines<'a> {
    /// # Errors
    /// When the destination cannot be opened.
    pub fn open(flags: &'a OutputFlags) -> Result<Self, Error> {
        let (clock, palette) = (Clock::of(flags), Palette::of(flags));
        let names = Names::new(&flags.names);
        Ok(RecordLines { flags, sink: Sink::direct(flags.deliver())?, clock, palette, names })
    }

    /// Writes one line: the record was changed at `at`.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn write(&mut self, kind: &str, record: &Value, at: Option<i64>) -> Result<(), Error> {
        self.names.learn(record);
        let time = at.map(|at| self.time(at)).unwrap_or_default();
        let id = cell::text(&record["id"]);
        let about = KeyColumns::of(std::slice::from_ref(record)).line(record, &mut self.names);
        let taken = TIME_WIDTH + 2 + cell::width(kind) + 2 + cell::width(&id) + 2;
        let width = terminal_width().filter(|_| !self.flags.wide).unwrap_or(usize::MAX);
        let about = cell::cut(&about, width.saturating_sub(taken).max(1));
        let time = self.palette.dim(&format!("{time:<TIME_WIDTH$}"));
        writeln!(self.sink, "{time}  {kind}  {}  {about}", self.palette.bold(&id))?;
        Ok(())
    }

    /// Prints the lines written so far.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn flush(&mut self) -> Result<(), Error> {
        Ok(self.sink.flush()?)
    }

    /// # Errors
    /// When the output cannot be written or delivered.
    pub async fn end(self) -> Result<(), Error> {
        self.sink.finish("text/plain; charset=utf-8").await
    }

    fn time(&self, at: i64) -> String {
        let form = if self.clock.now().abs_diff(at) < DAY as u64 { "%H:%M:%S" } else { "%Y-%m-%d" };
        self.clock.format(at, form)
    }
}
