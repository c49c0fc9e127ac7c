//! Records as lines: CSV, tab-separated, ids, or a table for people.
//!
//! The columns are those of `--select`, or the fields of the records of the first page: a stream has
//! to say its columns before it has seen the last record. Fields that turn up only later are counted
//! and reported at the end.

use std::collections::BTreeSet;
use std::io::Write;

use serde_json::Value;

use super::format::Format;
use super::grid::{Grid, Room};
use super::names::{self, Names};
use super::select::{Matched, Selection};
use crate::cli::error::Error;
use crate::mirror::ResourceName;

pub struct Records {
    format: Format,
    csv_raw: bool,
    columns: Vec<String>,
    late_fields: BTreeSet<String>,
    /// Those of a table, which is printed when all are known.
    rows: Vec<Row>,
    room: Room,
    /// What ids are called, for a table that shows names.
    names: Option<Names>,
}

/// A row of a table.
struct Row {
    cells: Vec<Value>,
    /// Whose id each cell is.
    owners: Vec<Option<ResourceName>>,
}

/// Fields that were not shown.
#[derive(Debug, Default)]
pub struct Unshown {
    /// They turned up after the columns were written.
    pub late: BTreeSet<String>,
    /// The terminal had no room for them.
    pub hidden: Vec<String>,
}

impl Records {
    /// `first` are the records known when the first line has to be written.
    pub fn new(
        format: Format,
        csv_raw: bool,
        selection: Option<&Selection>,
        first: &[Value],
        room: Room,
    ) -> Self {
        let columns = match selection {
            Some(selection) => selection.columns(),
            None => columns(first, format == Format::Table),
        };
        let (late_fields, rows) = (BTreeSet::new(), Vec::new());
        Records { format, csv_raw, columns, late_fields, rows, room, names: None }
    }

    /// The same, where a table shows names for ids.
    pub fn with_names(self, names: Names) -> Self {
        Records { names: Some(names).filter(|_| self.format == Format::Table), ..self }
    }

    /// Takes in the names that a whole record holds, before it is reduced to its columns.
    pub fn learn(&mut self, record: &Value) {
        if let Some(names) = &mut self.names {
            names.learn(record);
        }
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
            Format::Table | Format::Quiet | Format::Json | Format::Ndjson | Format::Toon => Ok(()),
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
        if self.format == Format::Table {
            let path = |column: &String| {
                // A report has a column for the name already.
                let is_named =
                    self.columns.iter().any(|other| other == names::heading(column) && other != column);
                let owner = || names::owner(&column.split('.').collect::<Vec<_>>(), record);
                (!is_named).then(owner).flatten()
            };
            let owners = match self.names {
                Some(_) => self.columns.iter().map(path).collect(),
                None => Vec::new(),
            };
            self.rows.push(Row { cells, owners });
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
    pub fn end(mut self, out: &mut impl Write) -> Result<Unshown, Error> {
        let titles = self.put_names();
        let mut grid = Grid::new(titles.clone(), self.room);
        self.rows.iter().for_each(|row| grid.row(&row.cells));
        let hidden = grid.print(out)?;
        // What is hidden goes by the name that --select knows.
        let field = |title: &String| {
            titles.iter().position(|other| other == title).map(|at| self.columns[at].clone())
        };
        Ok(Unshown { late: self.late_fields, hidden: hidden.iter().filter_map(field).collect() })
    }

    /// Puts names in place of ids. Returns the titles of the columns.
    fn put_names(&mut self) -> Vec<String> {
        let mut titles = self.columns.clone();
        let Some(names) = &mut self.names else { return titles };
        for row in &mut self.rows {
            for (at, (cell, owner)) in row.cells.iter_mut().zip(&row.owners).enumerate() {
                if let Some(name) = owner.and_then(|owner| names.of(owner, cell)) {
                    *cell = name.into();
                    titles[at] = names::heading(&self.columns[at]).to_owned();
                }
            }
        }
        titles
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
        let mut lines = Records::new(format, false, None, records, Room::Hide);
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
    fn a_table_names_ids_unless_another_column_does() {
        let directory = names::Directory::new(|_, id| Some(format!("Name of {id}")));
        let shown = |record: Value| {
            let records = [record];
            let mut lines = Records::new(Format::Table, false, None, &records, Room::Hide)
                .with_names(Names::new(&directory));
            let mut out = Vec::new();
            lines.header(&mut out).unwrap();
            lines.record(&mut out, &records[0], None, &mut Matched::default()).unwrap();
            lines.end(&mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let text = shown(json!({"id": "1", "team_assignee_id": 7}));
        assert!(text.contains(" team_assignee\n") && text.contains("Name of 7"), "{text}");
        let text = shown(json!({"id": "1", "team": "Support", "team_id": 7}));
        assert!(text.contains("team_id") && !text.contains("Name of"), "{text}");
    }

    #[test]
    fn quiet_is_the_id() {
        assert_eq!(lines(Format::Quiet, &[json!({"name": "x", "id": 12345678901_u64})]), "12345678901\n");
        assert_eq!(lines(Format::Quiet, &[json!({"type": "data_attribute", "name": "x"})]), "x\n");
    }
}
