//! Writes computed rows, and begins lists whose records are written one by one.
//!
//! The rows of a command are short already, so `--compact` leaves them whole.

use std::io::Write;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Output;
use super::extent::Extent;
use super::format::Format;
use super::json::to_json;
use super::list::{ColumnSource, List};
use crate::cli::error::Error;

impl<'a> Output<'a> {
    /// Writes computed rows: `results` is the array of them, and a table shows every column it has room for.
    ///
    /// # Errors
    /// As [`Output::document`].
    pub async fn rows<R: Serialize>(
        mut self,
        mut meta: Value,
        rows: &[R],
        extent: &Extent,
    ) -> Result<(), Error> {
        let rows = rows.iter().map(to_json).collect::<Result<Vec<Value>, Error>>()?;
        if self.format == Format::Json {
            let document = Value::Array(rows.clone());
            let shown = match &self.flags.select {
                Some(selection) => selection.document(&document, None, &mut self.matched),
                None => document,
            };
            self.describe(extent, &mut meta, rows.len() as u64);
            writeln!(self.sink, "{}", json!({ "meta": meta, "results": shown }))?;
            return self.finish().await;
        }
        let mut list = List::begin(self, "", &rows, ColumnSource::FirstRecords)?;
        for row in &rows {
            list.record(row)?;
        }
        list.end(meta, extent).await
    }

    /// As [`Output::rows`] for a single row: `results` is the row itself.
    ///
    /// # Errors
    /// As [`Output::document`].
    pub async fn row(mut self, meta: Value, row: &impl Serialize) -> Result<(), Error> {
        let row = &to_json(row)?;
        if self.format != Format::Json {
            let mut list = List::begin(self, "", std::slice::from_ref(row), ColumnSource::FirstRecords)?;
            list.record(row)?;
            return list.close(meta).await;
        }
        let shown = match &self.flags.select {
            Some(selection) => selection.document(row, None, &mut self.matched),
            None => row.clone(),
        };
        writeln!(self.sink, "{}", json!({ "meta": meta, "results": shown }))?;
        self.finish().await
    }

    /// Begins a list whose records are written one by one. `key` is the path of the list in the document,
    /// `first` the records of its first page.
    ///
    /// # Errors
    /// As [`Output::document`].
    pub fn list(self, key: &str, first: &[Box<RawValue>]) -> Result<List<'a>, Error> {
        let first = match self.format {
            Format::Json | Format::Ndjson | Format::Quiet => Vec::new(),
            _ => first.iter().filter_map(|record| serde_json::from_str(record.get()).ok()).collect(),
        };
        List::open(self, key, &first)
    }

    /// Begins a list with fixed columns, all of which a table shows.
    ///
    /// # Errors
    /// As [`Output::document`].
    pub fn list_with_columns(self, key: &str, columns: &[String]) -> Result<List<'a>, Error> {
        let names = columns.iter().map(|name| (name.clone(), Value::Null));
        List::begin(self, key, &[names.collect::<serde_json::Map<_, _>>().into()], ColumnSource::Fixed)
    }
}
