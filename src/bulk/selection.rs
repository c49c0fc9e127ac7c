//! The records that a command changes: parsed from a list of ids or a file of records, or queried from the mirror.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde_json::{Map, Value};

use super::error::Error;
use crate::data::lenient;
use crate::mirror::sql::{RowSink, SqlEnd, SqlLimits, SqlSession};

#[derive(Debug, Clone, PartialEq)]
pub struct SelectedRecord {
    pub id: String,
    /// Its fields in the input file, without the id.
    pub fields: Map<String, Value>,
    /// Its document, if the search returned it.
    pub document: Option<Value>,
}

impl SelectedRecord {
    pub fn with_id(id: &str) -> Self {
        SelectedRecord { id: id.trim().to_owned(), fields: Map::new(), document: None }
    }
}

/// Keeps the first of several records with the same id.
pub fn without_duplicates(mut records: Vec<SelectedRecord>) -> Vec<SelectedRecord> {
    let mut seen = HashSet::new();
    records.retain(|record| seen.insert(record.id.clone()));
    records
}

/// Parses lines with one id or JSON object each, or CSV with a header if `path` ends in `.csv`. `columns` are the columns
/// to use, by field; if it is empty, all columns are fields.
///
/// # Errors
/// [`Error::InvalidInput`] with the line.
pub fn parse(
    text: &str,
    path: &str,
    columns: &HashMap<String, String>,
) -> Result<Vec<SelectedRecord>, Error> {
    let is_csv = Path::new(path).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    if is_csv {
        return from_csv(text, path, columns);
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            if !line.trim_start().starts_with('{') {
                return Ok(SelectedRecord::with_id(line));
            }
            let invalid = |reason: &str| Error::InvalidInput(format!("{path}, line {}: {reason}", index + 1));
            let record: Map<String, Value> =
                serde_json::from_str(line).map_err(|error| invalid(&error.to_string()))?;
            apply_map(record, columns).ok_or_else(|| invalid("no id"))
        })
        .collect()
}

fn from_csv(text: &str, path: &str, columns: &HashMap<String, String>) -> Result<Vec<SelectedRecord>, Error> {
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(text.as_bytes());
    let invalid = |error: csv::Error| Error::InvalidInput(format!("{path}: {error}"));
    let header: Vec<String> =
        reader.headers().map_err(invalid)?.iter().map(|name| name.trim().to_owned()).collect();
    for column in columns.values() {
        if !header.contains(column) {
            return Err(Error::InvalidInput(format!(
                "{path}: unknown column {column:?}: expected one of {}",
                header.join(", ")
            )));
        }
    }
    let mut selected = Vec::new();
    for (index, row) in reader.records().enumerate() {
        let row = row.map_err(invalid)?;
        // An empty cell leaves the field unchanged.
        let cells = header.iter().zip(row.iter()).filter(|(_, cell)| !cell.is_empty());
        let record: Map<String, Value> = cells.map(|(name, cell)| (name.clone(), cell.into())).collect();
        let record = apply_map(record, columns);
        selected
            .push(record.ok_or_else(|| Error::InvalidInput(format!("{path}, record {}: no id", index + 1)))?);
    }
    Ok(selected)
}

/// Renames columns to fields. With a map, other columns are ignored.
fn apply_map(mut record: Map<String, Value>, columns: &HashMap<String, String>) -> Option<SelectedRecord> {
    if !columns.is_empty() {
        let id = record.get("id").cloned().map(|id| ("id".to_owned(), id));
        let mapped =
            columns.iter().filter_map(|(field, column)| Some((field.clone(), record.get(column)?.clone())));
        record = id.into_iter().chain(mapped).collect();
    }
    let id = lenient::id(&record.shift_remove("id")?)?;
    Some(SelectedRecord { id, fields: record, document: None })
}

/// The records whose ids a query of the mirror returns; `None` if it was stopped before its last row.
///
/// # Errors
/// If the query fails.
pub fn query(sql: &str, mirror: &Path) -> Result<Option<Vec<SelectedRecord>>, Error> {
    let mut ids = IdCollector::default();
    let end = SqlSession::open(mirror)?.query(sql, SqlLimits { rows: None, time: None }, &mut ids)?;
    Ok((end == SqlEnd::Complete).then(|| ids.ids.iter().map(|id| SelectedRecord::with_id(id)).collect()))
}

/// Collects the ids that a query returns.
#[derive(Default)]
struct IdCollector {
    column: usize,
    ids: Vec<String>,
}

impl RowSink for IdCollector {
    type Error = Error;

    fn columns(&mut self, names: &[String]) -> Result<(), Error> {
        self.column = names.iter().position(|name| name == "id").unwrap_or(0);
        Ok(())
    }

    fn row(&mut self, values: Vec<Value>) -> Result<(), Error> {
        self.ids.extend(values.get(self.column).and_then(lenient::id));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn files_have_ids_objects_or_csv() {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(field, column)| ((*field).to_owned(), (*column).to_owned())).collect()
        };
        let fields = |text: &str, path: &str, columns: &[(&str, &str)]| {
            let records = parse(text, path, &map(columns)).map_err(|error| error.to_string())?;
            Ok::<_, String>(json!(
                records.into_iter().map(|record| json!([record.id, record.fields])).collect::<Vec<_>>()
            ))
        };
        assert_eq!(fields("1\n\n 2 \n", "-", &[]), Ok(json!([["1", {}], ["2", {}]])));
        let line = r#"{"id": 7, "name": "Ann"}"#;
        assert_eq!(fields(line, "file", &[]), Ok(json!([["7", { "name": "Ann" }]])));
        let csv = "Contact,Name,Age\n5,Bob,\n";
        let columns = [("id", "Contact"), ("name", "Name"), ("age", "Age")];
        assert_eq!(fields(csv, "x.CSV", &columns), Ok(json!([["5", { "name": "Bob" }]])));
        for (text, path, message) in [
            ("{\"name\": 1}", "file", "file, line 1: no id"),
            ("name\nAnn\n", "x.csv", "x.csv, record 1: no id"),
            ("id\n1,2\n", "x.csv", "x.csv: "),
        ] {
            assert!(fields(text, path, &[]).unwrap_err().starts_with(message), "{text}");
        }
        let error = fields(csv, "x.csv", &[("name", "Nmae")]).unwrap_err();
        assert_eq!(error, "x.csv: unknown column \"Nmae\": expected one of Contact, Name, Age");
    }

    #[test]
    fn each_record_is_selected_once_in_the_given_order() {
        let records = ["3", "1", " 3"].map(SelectedRecord::with_id).to_vec();
        let ids: Vec<String> = without_duplicates(records).into_iter().map(|record| record.id).collect();
        assert_eq!(ids, ["3", "1"]);
    }
}
