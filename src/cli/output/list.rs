//! Writes a list while its pages arrive.
//!
//! The JSON document is well-formed at the end, even if fetching failed halfway.

use std::io::Write;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::content::OmittedFields;
use super::key_columns::KeyColumns;
use super::names::Names;
use super::records::{HiddenFields, RowWriter};
use super::table::{Overflow, TableStyle, terminal_width};
use super::{Extent, Format, Output, compact, parse_json, to_json, view};
use crate::cli::error::Error;
use crate::cli::streams::Notice;

/// Where the columns of a line format come from without `--select`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnSource {
    /// The key fields of the records, most important first.
    KeyFields,
    /// All fields of the first records.
    FirstRecords,
    /// The command or the user's query; a table shows all of them.
    Fixed,
}

/// A list that is written while it is fetched.
pub struct List<'a> {
    output: Output<'a>,
    rows: Option<RowWriter>,
    compact: bool,
    /// Number of JSON objects open around the list.
    depth: usize,
    count: u64,
    /// Fields that `--compact` drops.
    omitted: OmittedFields,
}

impl<'a> List<'a> {
    pub(super) fn open(output: Output<'a>, key: &str, first: &[Value]) -> Result<Self, Error> {
        let compact = output.flags.compact || output.format == Format::Table;
        let columns = if compact { ColumnSource::KeyFields } else { ColumnSource::FirstRecords };
        List::begin(output, key, first, columns)
    }

    pub(super) fn begin(
        mut output: Output<'a>,
        key: &str,
        first: &[Value],
        columns: ColumnSource,
    ) -> Result<Self, Error> {
        let compact = columns == ColumnSource::KeyFields;
        let rows = match output.format {
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
                let is_table_of_records = format == Format::Table && compact && output.flags.select.is_none();
                output.columns = match &output.flags.select {
                    Some(selection) => Some(selection.expanded(first)),
                    None if compact && ![Format::Quiet, Format::Table].contains(&format) => {
                        Some(compact::columns(first, false))
                    }
                    None => None,
                };
                let overflow = match (columns, output.flags.select.is_some()) {
                    _ if output.wraps => Overflow::Wrap,
                    (_, true) | (ColumnSource::Fixed, _) => Overflow::Cut,
                    _ => Overflow::Hide,
                };
                let style = TableStyle::of(output.flags).with_highlights(output.highlights);
                let csv_raw = output.flags.csv_raw;
                let mut rows =
                    RowWriter::new(format, csv_raw, output.columns.as_ref(), first, overflow, style);
                if is_table_of_records {
                    rows = rows.with_key_columns(KeyColumns::of(first));
                }
                // A user who selects a column of ids wants ids.
                if output.flags.select.is_none() && (columns != ColumnSource::Fixed || output.names_ids) {
                    rows = rows.with_names(Names::new(&output.flags.names));
                }
                rows.header(&mut output.sink)?;
                Some(rows)
            }
        };
        let depth = key.split('.').count();
        let omitted = OmittedFields::default();
        Ok(List { output, rows, compact, depth, count: 0, omitted })
    }

    /// # Errors
    /// When the output cannot be written, or the record must be parsed and cannot be.
    pub fn raw(&mut self, record: &RawValue) -> Result<(), Error> {
        let is_verbatim = self.output.flags.select.is_none() && !self.compact && self.rows.is_none();
        if !is_verbatim {
            return self.record(&parse_json(record.get())?);
        }
        self.write_json(record.get())
    }

    /// Writes a computed row.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn row(&mut self, row: &impl Serialize) -> Result<(), Error> {
        self.record(&to_json(row)?)
    }

    /// # Errors
    /// When the output cannot be written.
    pub fn record(&mut self, record: &Value) -> Result<(), Error> {
        let Output { flags, sink, matched, columns, format, .. } = &mut self.output;
        // The text of a note does not fit into a cell.
        if *format == Format::Table && self.compact && flags.select.is_none() && record["type"] == "note" {
            let gap = if self.count > 0 { "\n" } else { "" };
            self.count += 1;
            let mut names = Names::new(&flags.names);
            return Ok(write!(sink, "{gap}{}", view::of_note(record, &mut names, flags))?);
        }
        if let Some(rows) = &mut self.rows {
            self.count += 1;
            rows.learn_names(record);
            if self.compact && flags.select.is_none() && *format != Format::Table {
                return rows.record(sink, &compact::record(record), columns.as_ref(), matched);
            }
            return rows.record(sink, record, columns.as_ref(), matched);
        }
        let shown = match &flags.select {
            Some(selection) => selection.record(record, matched),
            None if self.compact => {
                let shown = compact::record(record);
                self.omitted.add(record, &shown);
                shown
            }
            None => record.clone(),
        };
        self.write_json(&shown.to_string())
    }

    fn write_json(&mut self, json: &str) -> Result<(), Error> {
        let sink = &mut self.output.sink;
        if sink.is_abandoned() {
            // Nobody reads further records, so no further pages are needed.
            return Err(Error::Output(std::io::ErrorKind::BrokenPipe.into()));
        }
        match self.output.format {
            // NDJSON needs one line per record, however the record was formatted.
            Format::Ndjson if json.contains(['\n', '\r']) => {
                let value = parse_json(json)?;
                writeln!(sink, "{value}")?;
            }
            Format::Ndjson => writeln!(sink, "{json}")?,
            _ if self.count == 0 => write!(sink, "{json}")?,
            _ => write!(sink, ",\n{json}")?,
        }
        self.count += 1;
        Ok(())
    }

    /// Flushes the records written so far.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn flush(&mut self) -> Result<(), Error> {
        Ok(self.output.sink.flush()?)
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// Closes the document and delivers it.
    ///
    /// # Errors
    /// When the output cannot be written or delivered.
    pub async fn end(mut self, mut meta: Value, extent: &Extent) -> Result<(), Error> {
        self.output.describe(extent, &mut meta, self.count);
        self.close(meta).await
    }

    /// As [`List::end`], for records outside a list.
    pub(super) async fn close(mut self, mut meta: Value) -> Result<(), Error> {
        self.omitted.describe(&mut meta);
        if self.output.format == Format::Json {
            writeln!(self.output.sink, "]{},\"meta\":{meta}}}", "}".repeat(self.depth))?;
        }
        if let Some(rows) = self.rows {
            let HiddenFields { late, hidden } = rows.end(&mut self.output.sink)?;
            if !late.is_empty() {
                let names: Vec<&str> = late.iter().map(String::as_str).collect();
                let names = names.join(", ");
                let note = format!("warning: fields without a column (add them with --select): {names}");
                self.output.notes.push(Notice::Text(note));
            }
            if !hidden.is_empty() {
                let columns = if hidden.len() == 1 { "column" } else { "columns" };
                let note = format!("{} {columns} hidden; --wide shows all", hidden.len());
                let named = format!("{note}: {}", hidden.join(", "));
                let fits = named.chars().count() <= terminal_width().unwrap_or(usize::MAX);
                let note = if fits { named } else { note };
                self.output.notes.insert(0, Notice::Text(note));
            }
        }
        self.output.finish().await
    }
}
