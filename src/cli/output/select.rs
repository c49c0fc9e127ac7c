//! `--select a,b.c`: which fields of the results are shown.
//!
//! Paths are dotted and case-insensitive, and walk arrays element by element. A path whose first
//! segment is no key of the document applies to the records of the list inside it. A field that is
//! found nowhere is reported, never dropped in silence.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cli::error::Error;

/// Parsed paths, in the order in which they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    paths: Vec<Vec<String>>,
}

/// Which paths have matched so far, over all records.
#[derive(Debug, Default)]
pub struct Matched {
    seen: BTreeSet<usize>,
    records: usize,
}

impl Selection {
    /// # Errors
    /// [`Error::Usage`] for an empty list or an empty segment.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let paths: Vec<Vec<String>> = text
            .split(',')
            .map(str::trim)
            .filter(|path| !path.is_empty())
            .map(|path| path.split('.').map(|segment| segment.trim().to_owned()).collect())
            .collect();
        if paths.is_empty() || paths.iter().flatten().any(String::is_empty) {
            return Err(Error::usage(format!(
                "--select: {text:?} is no list of fields such as id,source.author.email"
            )));
        }
        Ok(Selection { paths })
    }

    /// The paths as written, for column names.
    pub fn columns(&self) -> Vec<String> {
        self.paths.iter().map(|path| path.join(".")).collect()
    }

    /// The record with the selected fields only.
    pub fn record(&self, record: &Value, matched: &mut Matched) -> Value {
        matched.records += 1;
        let mut kept = Value::Object(Map::new());
        for (index, path) in self.paths.iter().enumerate() {
            if let Some(found) = pick(record, path) {
                matched.seen.insert(index);
                merge(&mut kept, found);
            }
        }
        kept
    }

    /// The document with the selected fields only: paths that begin with one of its keys apply to it,
    /// the others to the records of its list.
    pub fn document(&self, document: &Value, list: Option<&str>, matched: &mut Matched) -> Value {
        if let Value::Array(records) = document {
            return records.iter().map(|record| self.record(record, matched)).collect();
        }
        let Some(list) = list.filter(|key| document[*key].is_array()) else {
            return self.record(document, matched);
        };
        let mut kept = Value::Object(Map::new());
        for (index, path) in self.paths.iter().enumerate() {
            matched.records += 1;
            let inside: Vec<String> = [list.to_owned()].into_iter().chain(path.iter().cloned()).collect();
            let own = key_of(document, &path[0]).is_some();
            if let Some(found) = pick(document, if own { path } else { &inside }) {
                // A list without records cannot show whether the field exists.
                let empty = document[list].as_array().is_some_and(Vec::is_empty);
                if own || empty || has_leaf(&found[list]) {
                    matched.seen.insert(index);
                }
                merge(&mut kept, found);
            }
        }
        kept
    }

    /// The paths that matched nothing, if there was anything to match.
    pub fn unknown(&self, matched: &Matched) -> Vec<String> {
        let columns = self.columns();
        let missing = columns.into_iter().enumerate().filter(|(index, _)| !matched.seen.contains(index));
        missing.map(|(_, path)| path).filter(|_| matched.records > 0).collect()
    }

    /// The value at each path of a record, for a row of columns.
    pub fn cells(&self, record: &Value, matched: &mut Matched) -> Vec<Value> {
        matched.records += 1;
        let cells = self.paths.iter().enumerate().map(|(index, path)| match flat(record, path) {
            Some(value) => {
                matched.seen.insert(index);
                value
            }
            None => Value::Null,
        });
        cells.collect()
    }
}

fn key_of<'a>(value: &'a Value, segment: &str) -> Option<&'a String> {
    let fields = value.as_object()?;
    fields
        .get_key_value(segment)
        .map(|(key, _)| key)
        .or_else(|| fields.keys().find(|key| key.eq_ignore_ascii_case(segment)))
}

/// The value with everything but the path removed; `None` when the path leads nowhere.
fn pick(value: &Value, path: &[String]) -> Option<Value> {
    let Some((segment, rest)) = path.split_first() else { return Some(value.clone()) };
    match value {
        Value::Array(elements) => {
            let picked =
                elements.iter().map(|element| pick(element, path).unwrap_or_else(|| Map::new().into()));
            Some(picked.collect())
        }
        Value::Object(fields) => {
            let key = key_of(value, segment)?;
            let found = pick(&fields[key], rest)?;
            Some(Map::from_iter([(key.clone(), found)]).into())
        }
        _ => None,
    }
}

/// The value at a path; where the path walks an array, the list of what is found in it.
fn flat(value: &Value, path: &[String]) -> Option<Value> {
    let Some((segment, rest)) = path.split_first() else { return Some(value.clone()) };
    match value {
        Value::Array(elements) => {
            let found: Vec<Value> = elements.iter().filter_map(|element| flat(element, path)).collect();
            (!found.is_empty()).then(|| found.into())
        }
        Value::Object(fields) => flat(&fields[key_of(value, segment)?], rest),
        _ => None,
    }
}

/// Joins what two paths picked from the same value.
fn merge(kept: &mut Value, more: Value) {
    match (kept, more) {
        (Value::Object(kept), Value::Object(more)) => {
            for (key, value) in more {
                match kept.get_mut(&key) {
                    Some(known) => merge(known, value),
                    None => drop(kept.insert(key, value)),
                }
            }
        }
        (Value::Array(kept), Value::Array(more)) => {
            for (known, value) in kept.iter_mut().zip(more) {
                merge(known, value);
            }
        }
        _ => {}
    }
}

/// Whether anything but empty objects is left.
fn has_leaf(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.values().any(has_leaf),
        Value::Array(elements) => elements.iter().any(has_leaf),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn select(paths: &str, document: &Value, list: Option<&str>) -> (Value, Vec<String>) {
        let selection = Selection::parse(paths).unwrap();
        let mut matched = Matched::default();
        let kept = selection.document(document, list, &mut matched);
        (kept, selection.unknown(&matched))
    }

    #[test]
    fn paths_apply_to_the_records_of_a_list() {
        let list = json!({"type": "list", "data": [
            {"id": "1", "name": "Ann", "tags": {"data": [{"id": "t", "url": "/t"}]}},
            {"id": "2", "name": "Bo", "tags": {"data": []}},
        ]});
        let (kept, unknown) = select("ID,tags.data.id,nope", &list, Some("data"));
        let expected = json!({"data": [{"id": "1", "tags": {"data": [{"id": "t"}]}}, {"id": "2", "tags": {"data": []}}]});
        assert_eq!(kept, expected);
        assert_eq!(unknown, ["nope"]);
        assert_eq!(select("data.id", &list, Some("data")).0, json!({"data": [{"id": "1"}, {"id": "2"}]}));
        assert_eq!(select("type,data.id", &list, Some("data")).0["type"], "list");
    }

    #[test]
    fn one_record() {
        let record = json!({"id": 12345678901_u64, "source": {"author": {"email": "a@b.c", "name": "A"}, "body": "x"}});
        let (kept, unknown) = select("source.author.email,id", &record, None);
        assert_eq!(kept, json!({"source": {"author": {"email": "a@b.c"}}, "id": 12345678901_u64}));
        assert!(unknown.is_empty());
    }

    #[test]
    fn an_empty_list_has_no_unknown_fields() {
        let (kept, unknown) = select("id", &json!({"type": "list", "data": []}), Some("data"));
        assert_eq!(kept, json!({"data": []}));
        assert!(unknown.is_empty());
    }

    #[test]
    fn cells_follow_the_order_of_the_paths() {
        let selection = Selection::parse("tags.id,id").unwrap();
        let cells =
            selection.cells(&json!({"id": 1, "tags": [{"id": 2}, {"id": 3}]}), &mut Matched::default());
        assert_eq!(cells, [json!([2, 3]), json!(1)]);
    }
}
