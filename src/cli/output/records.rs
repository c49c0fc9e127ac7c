//! Writes records as rows: CSV, tab-separated, ids, or a table.
//!
//! The columns are those of `--select`, or the fields of the first page, because a stream must write its header
//! before it has seen the last record. Fields that first occur later are reported at the end.

use std::collections::BTreeSet;
use std::io::Write;

use serde_json::Value;

use super::format::Format;
use super::key_columns::{KeyCell, KeyColumns};
use super::names::{self, Names};
use super::select::{FieldSelection, MatchedPaths};
use super::table::{Heading, Overflow, Table, TableStyle};
use crate::cli::error::Error;
use crate::mirror::ResourceName;

pub struct RowWriter {
    format: Format,
    csv_raw: bool,
    columns: Vec<String>,
    /// The columns of a table of records; `columns` are then their fields.
    key_columns: Option<KeyColumns>,
    late_fields: BTreeSet<String>,
    /// Rows of a table, which is printed at the end.
    rows: Vec<TableRow>,
    /// The same for `key_columns`.
    key_rows: Vec<Vec<KeyCell>>,
    overflow: Overflow,
    style: TableStyle,
    /// Names for ids, in a table that shows them.
    names: Option<Names>,
}

struct TableRow {
    cells: Vec<Value>,
    /// The resource that each cell is an id of.
    owners: Vec<Option<ResourceName>>,
}

/// Fields that are not shown.
#[derive(Debug, Default)]
pub struct HiddenFields {
    /// First seen after the header was written.
    pub late: BTreeSet<String>,
    /// Columns that do not fit on the terminal.
    pub hidden: Vec<String>,
}

impl RowWriter {
    /// `first` are the records known when the header is written.
    pub fn new(
        format: Format,
        csv_raw: bool,
        selection: Option<&FieldSelection>,
        first: &[Value],
        overflow: Overflow,
        style: TableStyle,
    ) -> Self {
        let columns = match selection {
            Some(selection) => selection.columns(),
            None => columns(first, format == Format::Table),
        };
        let (late_fields, rows) = (BTreeSet::new(), Vec::new());
        RowWriter {
            format,
            csv_raw,
            columns,
            key_columns: None,
            late_fields,
            rows,
            key_rows: Vec::new(),
            overflow,
            style,
            names: None,
        }
    }

    /// Shows these columns of full records, in a table.
    pub fn with_key_columns(self, columns: KeyColumns) -> Self {
        let fields = columns.headings().into_iter().map(|heading| heading.field).collect();
        RowWriter { columns: fields, key_columns: Some(columns), ..self }
    }

    /// Shows names for ids, in a table.
    pub fn with_names(self, names: Names) -> Self {
        RowWriter { names: Some(names).filter(|_| self.format == Format::Table), ..self }
    }

    /// Learns names from a full record, before it is reduced to its columns.
    pub fn learn_names(&mut self, record: &Value) {
        if let Some(names) = &mut self.names {
            names.learn(record);
        }
    }

    /// # Errors
    /// When the output cannot be written.
    pub fn header(&mut self, out: &mut impl Write) -> Result<(), Error> {
        if self.columns.is_empty() {
            // An empty list has no columns.
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
        selection: Option<&FieldSelection>,
        matched: &mut MatchedPaths,
    ) -> Result<(), Error> {
        if self.format == Format::Quiet {
            return write_id(out, record, selection, matched);
        }
        if let Some(columns) = &self.key_columns {
            self.key_rows.push(columns.cells(record));
            return Ok(());
        }
        let cells = match selection {
            Some(selection) => selection.cells(record, matched),
            None => {
                self.note_late_fields(record);
                self.columns.iter().map(|column| record[column].clone()).collect()
            }
        };
        if self.format == Format::Table {
            let owner_of = |column: &String| {
                // Reports may have a column for the name already.
                let is_named =
                    self.columns.iter().any(|other| other == names::heading(column) && other != column);
                let owner = || names::owner(&column.split('.').collect::<Vec<_>>(), record);
                (!is_named).then(owner).flatten()
            };
            let owners = match self.names {
                Some(_) => self.columns.iter().map(owner_of).collect(),
                None => Vec::new(),
            };
            self.rows.push(TableRow { cells, owners });
            return Ok(());
        }
        let cells: Vec<String> = cells.iter().map(cell).collect();
        match self.format {
            Format::Csv => {
                let guarded =
                    cells.into_iter().map(|cell| if self.csv_raw { cell } else { escape_formula(cell) });
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

    /// Ends the output and returns the fields it does not show.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn end(mut self, out: &mut impl Write) -> Result<HiddenFields, Error> {
        let headings = match &self.key_columns {
            Some(columns) => columns.headings(),
            None => self.insert_names(),
        };
        let mut table = Table::new(headings, self.overflow, self.style);
        self.rows.iter().for_each(|row| table.add_row(&row.cells));
        for row in std::mem::take(&mut self.key_rows) {
            // Names are learned from all records, so they are inserted last.
            let cells = row.into_iter().map(|cell| match &mut self.names {
                Some(names) => cell.named(names),
                None => cell.value,
            });
            table.add_row(&cells.collect::<Vec<_>>());
        }
        // Hidden columns are reported under the names that --select takes.
        let hidden = table.print(out)?.into_iter().map(|at| self.columns[at].clone());
        Ok(HiddenFields { late: self.late_fields, hidden: hidden.collect() })
    }

    /// Replaces ids by names and returns the heads of the columns.
    fn insert_names(&mut self) -> Vec<Heading> {
        let columns = self.columns.iter().enumerate();
        let mut headings: Vec<Heading> = columns.map(|(at, name)| Heading::of_field(name, at)).collect();
        let Some(names) = &mut self.names else { return headings };
        for row in &mut self.rows {
            for (at, (cell, owner)) in row.cells.iter_mut().zip(&row.owners).enumerate() {
                if let Some(name) = owner.and_then(|owner| names.of(owner, cell)) {
                    *cell = name.into();
                    let title = names::heading(&self.columns[at]);
                    headings[at] = Heading::of_field(title, at);
                }
            }
        }
        headings
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

/// The fields of the records in order of appearance; for people only scalar values.
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

/// Writes the selected value of a record, or its id, or else its first field other than the type.
fn write_id(
    out: &mut impl Write,
    record: &Value,
    selection: Option<&FieldSelection>,
    matched: &mut MatchedPaths,
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

/// Prevents a spreadsheet from running a text as a formula.
fn escape_formula(cell: String) -> String {
    let is_number = cell.parse::<f64>().is_ok();
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number;
    if is_formula { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::super::flags::OutputFlags;
    use super::*;
    use serde_json::json;

    fn lines(format: Format, records: &[Value]) -> String {
        let mut out = Vec::new();
        let style = TableStyle::of(&OutputFlags::default());
        let mut rows = RowWriter::new(format, false, None, records, Overflow::Hide, style);
        rows.header(&mut out).unwrap();
        for record in records {
            rows.record(&mut out, record, None, &mut MatchedPaths::default()).unwrap();
        }
        rows.end(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_escapes_formulas_but_not_numbers() {
        let records = [
            json!({"id": 1, "note": "=HYPERLINK(\"x\")", "n": -5}),
            json!({"id": 2, "note": "a,b", "n": null}),
        ];
        assert_eq!(lines(Format::Csv, &records), "id,note,n\n1,\"'=HYPERLINK(\"\"x\"\")\",-5\n2,\"a,b\",\n");
    }

    #[test]
    fn plain_writes_one_line_per_record() {
        let records = [json!({"id": "7", "body": "a\tb\nc"})];
        assert_eq!(lines(Format::Plain, &records), "id\tbody\n7\ta b c\n");
    }

    #[test]
    fn a_table_shows_names_for_ids_unless_a_column_has_them() {
        let directory = names::NameLookup::new(|_, id| Some(format!("Name of {id}")));
        let shown = |record: Value| {
            let records = [record];
            let style = TableStyle::of(&OutputFlags::default());
            let mut rows = RowWriter::new(Format::Table, false, None, &records, Overflow::Hide, style)
                .with_names(Names::new(&directory));
            let mut out = Vec::new();
            rows.header(&mut out).unwrap();
            rows.record(&mut out, &records[0], None, &mut MatchedPaths::default()).unwrap();
            rows.end(&mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let text = shown(json!({"id": "1", "team_assignee_id": 7}));
        assert!(text.contains(" TEAM_ASSIGNEE\n") && text.contains("Name of 7"), "{text}");
        let text = shown(json!({"id": "1", "team": "Support", "team_id": 7}));
        assert!(text.contains("TEAM_ID") && !text.contains("Name of"), "{text}");
    }

    #[test]
    fn quiet_writes_only_the_id() {
        assert_eq!(lines(Format::Quiet, &[json!({"name": "x", "id": 12345678901_u64})]), "12345678901\n");
        assert_eq!(lines(Format::Quiet, &[json!({"type": "data_attribute", "name": "x"})]), "x\n");
    }
}
