//! A list on its way out, written while its pages arrive.
//!
//! The document is well-formed at the end whatever happened on the way.

use std::io::Write;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::records::{LeftOut, Records};
use super::{Format, Output, compact, tell, warn};
use crate::cli::error::Error;

/// A list that is written while it is fetched.
pub struct List<'a> {
    output: Output<'a>,
    records: Option<Records>,
    compact: bool,
    /// How many objects are open around the list.
    depth: usize,
    count: u64,
}

impl<'a> List<'a> {
    pub(super) fn open(output: Output<'a>, key: &str, first: &[Value]) -> Result<Self, Error> {
        let compact = output.globals.compact || output.format == Format::Table;
        List::begin(output, key, first, compact)
    }

    pub(super) fn begin(
        mut output: Output<'a>,
        key: &str,
        first: &[Value],
        compact: bool,
    ) -> Result<Self, Error> {
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
                        Some(compact::columns(first, format != Format::Table))
                    }
                    None => None,
                };
                let mut records =
                    Records::new(format, output.globals.csv_raw, output.columns.as_ref(), first);
                records.header(&mut output.sink)?;
                Some(records)
            }
        };
        let depth = key.split('.').count();
        Ok(List { output, records, compact, depth, count: 0 })
    }

    /// # Errors
    /// When the output cannot be written.
    pub fn raw(&mut self, record: &RawValue) -> Result<(), Error> {
        let untouched = self.output.globals.select.is_none() && !self.compact && self.records.is_none();
        if !untouched {
            return self.record(&serde_json::from_str(record.get()).unwrap_or_default());
        }
        self.separated(record.get())
    }

    /// # Errors
    /// When the output cannot be written.
    pub fn record(&mut self, record: &Value) -> Result<(), Error> {
        let Output { globals, sink, matched, columns, .. } = &mut self.output;
        if let Some(records) = &mut self.records {
            self.count += 1;
            return records.record(sink, record, columns.as_ref(), matched);
        }
        let shown = match &globals.select {
            Some(selection) => selection.record(record, matched),
            None if self.compact => compact::record(record),
            None => record.clone(),
        };
        self.separated(&shown.to_string())
    }

    fn separated(&mut self, json: &str) -> Result<(), Error> {
        let sink = &mut self.output.sink;
        match self.output.format {
            // A record may be spread over several lines, which a line format must not be.
            Format::Ndjson if json.contains(['\n', '\r']) => {
                let value: Value = serde_json::from_str(json).unwrap_or_default();
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
    pub async fn end(mut self, meta: Value) -> Result<(), Error> {
        if self.output.format == Format::Json {
            writeln!(self.output.sink, "]{},\"meta\":{meta}}}", "}".repeat(self.depth))?;
        }
        if let Some(records) = self.records {
            let LeftOut { late, beyond } = records.end(&mut self.output.sink)?;
            if !late.is_empty() {
                let names: Vec<&str> = late.iter().map(String::as_str).collect();
                warn(&format!("fields without a column (name them with --select): {}", names.join(", ")));
            }
            if !beyond.is_empty() {
                tell(&format!("no room for (name them with --select): {}", beyond.join(", ")));
            }
        }
        self.output.finish().await
    }
}
