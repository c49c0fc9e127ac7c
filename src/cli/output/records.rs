//! Records as lines: CSV, tab-separated, ids, or a table for people.
//!
//! The columns are those of `--select`, or the fields of the records of the first page: a stream has
//! to say its columns before it has seen the last record. Fields that turn up only later are counted
//! and reported at the end.

use std::collections::BTreeSet;
use std::io::Write;

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

use super::Format;
use super::select::{Matched, Selection};
use crate::cli::error::Error;

/// Cells of a terminal table are cut to this many characters.
const CELL_WIDTH: usize = 48;

pub struct Records {
    format: Format,
    csv_raw: bool,
    columns: Vec<String>,
    late_fields: BTreeSet<String>,
    table: Option<Table>,
}

impl Records {
    /// `first` are the records known when the first line has to be written.
    pub fn new(format: Format, csv_raw: bool, selection: Option<&Selection>, first: &[Value]) -> Self {
        let columns = match selection {
            Some(selection) => selection.columns(),
            None => columns(first, format == Format::Table),
        };
        Records { format, csv_raw, columns, late_fields: BTreeSet::new(), table: None }
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
                let mut table = Table::new();
                table
                    .load_style(presets::UTF8_HORIZONTAL_ONLY)
                    .set_content_arrangement(ContentArrangement::Dynamic);
                table.set_header(&self.columns);
                self.table = Some(table);
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
            _ => {
                if let Some(table) = &mut self.table {
                    table.add_row(cells.iter().map(|cell| shortened(cell)));
                }
                Ok(())
            }
        }
    }

    /// Ends the output and returns the fields that had no column.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn end(self, out: &mut impl Write) -> Result<BTreeSet<String>, Error> {
        if let Some(table) = self.table {
            writeln!(out, "{table}")?;
        }
        Ok(self.late_fields)
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

/// The id, or the selected value, of a record.
fn quiet(
    out: &mut impl Write,
    record: &Value,
    selection: Option<&Selection>,
    matched: &mut Matched,
) -> Result<(), Error> {
    let value = match selection {
        Some(selection) => selection.cells(record, matched).into_iter().next().unwrap_or_default(),
        None if record["id"].is_null() => {
            record.as_object().and_then(|it| it.values().next()).cloned().unwrap_or_default()
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

/// Text for a terminal: one line, no control characters, not too long.
fn shortened(cell: &str) -> String {
    let clean: String = cell.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
    match clean.chars().count() > CELL_WIDTH {
        true => clean.chars().take(CELL_WIDTH - 1).chain(['…']).collect(),
        false => clean,
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
    }
}
