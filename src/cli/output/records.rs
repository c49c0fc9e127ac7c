//! Records as lines: CSV, tab-separated, ids, or a table for people.
//!
//! The columns are those of `--select`, or the fields of the records of the first page: a stream has
//! to say its columns before it has seen the last record. Fields that turn up only later are counted
//! and reported at the end.

use std::collections::BTreeSet;
use std::io::Write;

use serde_json::Value;

use super::format::Format;
use super::grid::Grid;
use super::select::{Matched, Selection};
use crate::cli::error::Error;

pub struct Records {
    format: Format,
    csv_raw: bool,
    columns: Vec<String>,
    late_fields: BTreeSet<String>,
    grid: Option<Grid>,
}

/// Fields that were not shown.
#[derive(Debug, Default)]
pub struct LeftOut {
    /// They turned up after the columns were written.
    pub late: BTreeSet<String>,
    /// The terminal had no room for them.
    pub beyond: Vec<String>,
}

impl Records {
    /// `first` are the records known when the first line has to be written.
    pub fn new(format: Format, csv_raw: bool, selection: Option<&Selection>, first: &[Value]) -> Self {
        let columns = match selection {
            Some(selection) => selection.columns(),
            None => columns(first, format == Format::Table),
        };
        Records { format, csv_raw, columns, late_fields: BTreeSet::new(), grid: None }
    }

    /// # Errors
    /// When the output cannot be written.
    pub fn header(&mut self, out: &mut impl Write) -> Result<(), Error> {
        if self.columns.is_empty() {
            // An empty list has no columns to name.
            return Ok(());
        }
        match self.format {
            Format::Csv => self.csv_row(out, self.columns.clone()),
            Format::Plain => Ok(writeln!(out, "{}", self.columns.join("\t"))?),
            Format::Table => {
                self.grid = Some(Grid::new(self.columns.clone()));
                Ok(())
            }
            Format::Quiet | Format::Json | Format::Ndjson | Format::Toon => Ok(()),
        }
    }

    /// # Errors
    /// When the output cannot be written.
    pub fn record(
        &mut self,
        out: &mut impl Write,
        record: &Value,
        selection: Option<&Selection>,
        matched: &mut Matched,
    ) -> Result<(), Error> {
        if self.format == Format::Quiet {
            return quiet(out, record, selection, matched);
        }
        let cells = match selection {
            Some(selection) => selection.cells(record, matched),
            None => {
                self.note_late_fields(record);
                self.columns.iter().map(|column| record[column].clone()).collect()
            }
        };
        if let Some(grid) = &mut self.grid {
            grid.row(&cells);
            return Ok(());
        }
        let cells: Vec<String> = cells.iter().map(cell).collect();
        match self.format {
            Format::Csv => {
                let guarded = cells.into_iter().map(|cell| if self.csv_raw { cell } else { guard(cell) });
                self.csv_row(out, guarded.collect())
            }
            Format::Plain => {
                let cells: Vec<String> =
                    cells.iter().map(|cell| cell.replace(['\t', '\n', '\r'], " ")).collect();
                Ok(writeln!(out, "{}", cells.join("\t"))?)
            }
            _ => Ok(()),
        }
    }

    /// Ends the output and returns what it does not show.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn end(self, out: &mut impl Write) -> Result<LeftOut, Error> {
        let beyond = self.grid.map(|grid| grid.print(out)).transpose()?.unwrap_or_default();
        Ok(LeftOut { late: self.late_fields, beyond })
    }

    fn csv_row(&self, out: &mut impl Write, cells: Vec<String>) -> Result<(), Error> {
        let mut writer = csv::Writer::from_writer(out);
        let written = writer.write_record(&cells).map_err(|error| std::io::Error::other(error.to_string()));
        written.and_then(|()| writer.flush()).map_err(Error::Output)
    }

    fn note_late_fields(&mut self, record: &Value) {
        if matches!(self.format, Format::Csv | Format::Plain) {
            let fields = record.as_object().into_iter().flat_map(|fields| fields.keys());
            let late = fields.filter(|field| !self.columns.contains(field)).cloned();
            self.late_fields.extend(late);
        }
    }
}

/// The fields of the records in order of appearance; for people only those that fit a cell.
fn columns(records: &[Value], for_people: bool) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for (name, value) in records.iter().filter_map(Value::as_object).flatten() {
        let shown = !for_people || (!value.is_object() && !value.is_array());
        if shown && !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    columns
}

/// The id, or the selected value, of a record; without an id what comes first, but for its type.
fn quiet(
    out: &mut impl Write,
    record: &Value,
    selection: Option<&Selection>,
    matched: &mut Matched,
) -> Result<(), Error> {
    let value = match selection {
        Some(selection) => selection.cells(record, matched).into_iter().next().unwrap_or_default(),
        None if record["id"].is_null() => {
            let mut fields = record.as_object().into_iter().flatten();
            fields.find(|(name, _)| *name != "type").map(|(_, value)| value.clone()).unwrap_or_default()
        }
        None => record["id"].clone(),
    };
    Ok(writeln!(out, "{}", cell(&value).replace(['\n', '\r'], " "))?)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Keeps a spreadsheet from running a text as a formula.
fn guard(cell: String) -> String {
    let number = cell.parse::<f64>().is_ok();
    match cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !number {
        true => format!("'{cell}"),
        false => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(format: Format, records: &[Value]) -> String {
        let mut out = Vec::new();
        let mut lines = Records::new(format, false, None, records);
        lines.header(&mut out).unwrap();
        for record in records {
            lines.record(&mut out, record, None, &mut Matched::default()).unwrap();
        }
        lines.end(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_guards_against_formulas_but_not_numbers() {
        let records = [
            json!({"id": 1, "note": "=HYPERLINK(\"x\")", "n": -5}),
            json!({"id": 2, "note": "a,b", "n": null}),
        ];
        assert_eq!(lines(Format::Csv, &records), "id,note,n\n1,\"'=HYPERLINK(\"\"x\"\")\",-5\n2,\"a,b\",\n");
    }

    #[test]
    fn plain_keeps_one_line_per_record() {
        let records = [json!({"id": "7", "body": "a\tb\nc"})];
        assert_eq!(lines(Format::Plain, &records), "id\tbody\n7\ta b c\n");
    }

    #[test]
    fn quiet_is_the_id() {
        assert_eq!(lines(Format::Quiet, &[json!({"name": "x", "id": 12345678901_u64})]), "12345678901\n");
        assert_eq!(lines(Format::Quiet, &[json!({"type": "data_attribute", "name": "x"})]), "x\n");
    }
}
