//! A list on its way out, written while its pages arrive.
//!
//! The document is well-formed at the end whatever happened on the way.

use std::io::Write;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::content::LeftOut;
use super::grid::Room;
use super::names::Names;
use super::records::{Records, Unshown};
use super::{Extent, Format, Output, compact, readable};
use crate::cli::error::Error;

/// Where the columns of a line format come from, without `--select`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Columns {
    /// The key fields of the records, the most telling ones first.
    Key,
    /// The fields of the first records.
    Found,
    /// The command, or whoever wrote its query: a table shows all of them.
    Named,
}

/// A list that is written while it is fetched.
pub struct List<'a> {
    output: Output<'a>,
    records: Option<Records>,
    compact: bool,
    /// How many objects are open around the list.
    depth: usize,
    count: u64,
    /// What `--compact` drops from the records.
    left_out: LeftOut,
}

impl<'a> List<'a> {
    pub(super) fn open(output: Output<'a>, key: &str, first: &[Value]) -> Result<Self, Error> {
        let compact = output.globals.compact || output.format == Format::Table;
        let columns = if compact { Columns::Key } else { Columns::Found };
        List::begin(output, key, first, columns)
    }

    pub(super) fn begin(
        mut output: Output<'a>,
        key: &str,
        first: &[Value],
        wanted: Columns,
    ) -> Result<Self, Error> {
        let compact = wanted == Columns::Key;
        let records = match output.format {
            Format::Json => {
                write!(output.sink, "{{\"results\":")?;
                for key in key.split('.') {
                    write!(output.sink, "{{{}:", json!(key))?;
                }
                write!(output.sink, "[")?;
                None
            }
            Format::Ndjson => None,
            format => {
                output.columns = match &output.globals.select {
                    Some(selection) => Some(selection.resolved(first)),
                    None if compact && format != Format::Quiet => {
                        Some(compact::columns(first, format == Format::Table))
                    }
                    None => None,
                };
                let room = match (wanted, output.globals.select.is_some()) {
                    _ if output.wraps => Room::Wrap,
                    (_, true) | (Columns::Named, _) => Room::Cut,
                    _ => Room::Hide,
                };
                let mut records =
                    Records::new(format, output.globals.csv_raw, output.columns.as_ref(), first, room);
                // Whoever names a column of ids wants ids.
                if output.globals.select.is_none() && wanted != Columns::Named {
                    records = records.with_names(Names::new(&output.globals.names));
                }
                records.header(&mut output.sink)?;
                Some(records)
            }
        };
        let depth = key.split('.').count();
        let left_out = LeftOut::default();
        Ok(List { output, records, compact, depth, count: 0, left_out })
    }

    /// # Errors
    /// When the output cannot be written, or a part of the record is wanted and it cannot be read.
    pub fn raw(&mut self, record: &RawValue) -> Result<(), Error> {
        let untouched = self.output.globals.select.is_none() && !self.compact && self.records.is_none();
        if !untouched {
            return self.record(&readable(record.get())?);
        }
        self.separated(record.get())
    }

    /// # Errors
    /// When the output cannot be written.
    pub fn record(&mut self, record: &Value) -> Result<(), Error> {
        let Output { globals, sink, matched, columns, .. } = &mut self.output;
        if let Some(records) = &mut self.records {
            self.count += 1;
            records.learn(record);
            if self.compact && globals.select.is_none() {
                return records.record(sink, &compact::record(record), columns.as_ref(), matched);
            }
            return records.record(sink, record, columns.as_ref(), matched);
        }
        let shown = match &globals.select {
            Some(selection) => selection.record(record, matched),
            None if self.compact => {
                let shown = compact::record(record);
                self.left_out.note(record, &shown);
                shown
            }
            None => record.clone(),
        };
        self.separated(&shown.to_string())
    }

    fn separated(&mut self, json: &str) -> Result<(), Error> {
        let sink = &mut self.output.sink;
        match self.output.format {
            // A record may be spread over several lines, which a line format must not be.
            Format::Ndjson if json.contains(['\n', '\r']) => {
                let value = readable(json)?;
                writeln!(sink, "{value}")?;
            }
            Format::Ndjson => writeln!(sink, "{json}")?,
            _ if self.count == 0 => write!(sink, "{json}")?,
            _ => write!(sink, ",\n{json}")?,
        }
        self.count += 1;
        Ok(())
    }

    /// Hands over what has been written so far, for a reader who follows.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn flush(&mut self) -> Result<(), Error> {
        Ok(self.output.sink.flush()?)
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// Closes the document, so that it is well-formed whatever happened on the way, and delivers it.
    ///
    /// # Errors
    /// When the output cannot be written or delivered.
    pub async fn end(mut self, mut meta: Value, extent: &Extent) -> Result<(), Error> {
        self.output.describe(extent, &mut meta, self.count);
        self.close(meta).await
    }

    /// The same for records outside a list.
    pub(super) async fn close(mut self, mut meta: Value) -> Result<(), Error> {
        self.left_out.tell(&mut meta);
        if self.output.format == Format::Json {
            writeln!(self.output.sink, "]{},\"meta\":{meta}}}", "}".repeat(self.depth))?;
        }
        if let Some(records) = self.records {
            let Unshown { late, hidden } = records.end(&mut self.output.sink)?;
            if !late.is_empty() {
                let names: Vec<&str> = late.iter().map(String::as_str).collect();
                let names = names.join(", ");
                self.output
                    .notes
                    .push(format!("warning: fields without a column (name them with --select): {names}"));
            }
            if !hidden.is_empty() {
                let columns = if hidden.len() == 1 { "column" } else { "columns" };
                self.output.notes.insert(
                    0,
                    format!(
                        "{} {columns} hidden, the terminal is too narrow (--select shows them): {}",
                        hidden.len(),
                        hidden.join(", ")
                    ),
                );
            }
        }
        self.output.finish().await
    }
}
