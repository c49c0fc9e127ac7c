//! `--select a,b.c,name:d.e`: selects and renames fields of the results.
//!
//! Paths are dotted and case-insensitive, descend into every element of an array, and may contain `*` for any part
//! of a name. A path whose first segment is not a key of the document applies to the records of its list. A field
//! that no record has is reported, never dropped silently.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cli::error::{Error, Hint};
use crate::data::wildcard;

/// Parsed paths, in the order written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSelection {
    paths: Vec<Path>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Path {
    /// The new name of the value; without one, the value keeps its path.
    name: Option<String>,
    segments: Vec<String>,
}

/// The paths that have matched so far, over all records.
#[derive(Debug, Default)]
pub struct MatchedPaths {
    seen: BTreeSet<usize>,
    records: usize,
}

impl Path {
    fn parse(text: &str) -> Option<Self> {
        let (name, path) = match text.split_once(':') {
            Some((name, path)) => (Some(name.trim().to_owned()), path),
            None => (None, text),
        };
        let segments: Vec<String> = path.split('.').map(|segment| segment.trim().to_owned()).collect();
        let is_valid = name.iter().chain(&segments).all(|word| !word.is_empty());
        is_valid.then_some(Path { name, segments })
    }

    /// The part of a record that this path selects.
    fn apply(&self, record: &Value) -> Option<Value> {
        match &self.name {
            None => pick(record, &self.segments),
            Some(name) => {
                let value = value_at(record, &self.segments)?;
                Some(Map::from_iter([(name.clone(), value)]).into())
            }
        }
    }

    fn column(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.segments.join("."))
    }
}

impl FieldSelection {
    /// # Errors
    /// [`Error::Usage`] for an empty list or an empty segment.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let paths = text.split(',').map(str::trim).filter(|path| !path.is_empty());
        let paths: Option<Vec<Path>> = paths.map(Path::parse).collect();
        match paths {
            Some(paths) if !paths.is_empty() => Ok(FieldSelection { paths }),
            _ => Err(Error::usage_with_hint(
                format!("--select: invalid list of fields {text:?}"),
                Hint::new("separate fields by commas, for example ")
                    .flag("select")
                    .text(" id,contact:source.author.email,*_at"),
            )),
        }
    }

    /// Selects these paths, each a list of segments.
    pub fn of(paths: Vec<Vec<String>>) -> Self {
        FieldSelection { paths: paths.into_iter().map(|segments| Path { name: None, segments }).collect() }
    }

    /// Expands every `*` to the matching names in these records.
    pub fn expanded(&self, records: &[Value]) -> Self {
        let mut paths = Vec::new();
        for path in &self.paths {
            let is_pattern = path.segments.iter().any(|segment| segment.contains('*'));
            let mut expanded: Vec<Vec<String>> = Vec::new();
            if is_pattern && path.name.is_none() {
                records
                    .iter()
                    .for_each(|record| expand(record, &path.segments, &mut Vec::new(), &mut expanded));
            }
            if expanded.is_empty() {
                paths.push(path.clone());
            } else {
                paths.extend(expanded.into_iter().map(|segments| Path { name: None, segments }));
            }
        }
        FieldSelection { paths }
    }

    /// Column titles: the names, or the paths as written.
    pub fn columns(&self) -> Vec<String> {
        self.paths.iter().map(Path::column).collect()
    }

    /// The record with the selected fields only.
    pub fn record(&self, record: &Value, matched: &mut MatchedPaths) -> Value {
        matched.records += 1;
        let mut kept = Value::Object(Map::new());
        for (index, path) in self.paths.iter().enumerate() {
            match (path.apply(record), &path.name) {
                (Some(found), _) => {
                    matched.seen.insert(index);
                    merge(&mut kept, found);
                }
                // A new name is present in every record.
                (None, Some(name)) => {
                    merge(&mut kept, Map::from_iter([(name.clone(), Value::Null)]).into());
                }
                (None, None) => {}
            }
        }
        kept
    }

    /// The document with the selected fields only. Paths that begin with one of its keys apply to it, others to the
    /// records of its list.
    pub fn document(&self, document: &Value, list: Option<&str>, matched: &mut MatchedPaths) -> Value {
        if let Value::Array(records) = document {
            return records.iter().map(|record| self.record(record, matched)).collect();
        }
        let Some((list, records)) = list.and_then(|key| Some((key, list_at(document, key)?))) else {
            return self.record(document, matched);
        };
        let mut kept = Value::Object(Map::new());
        for (index, path) in self.paths.iter().enumerate() {
            matched.records += 1;
            if key_of(document, &path.segments[0]).is_some() {
                if let Some(found) = path.apply(document) {
                    matched.seen.insert(index);
                    merge(&mut kept, found);
                }
                continue;
            }
            let one = FieldSelection { paths: vec![path.clone()] };
            let mut matched_records = MatchedPaths::default();
            let shown: Vec<Value> =
                records.iter().map(|record| one.record(record, &mut matched_records)).collect();
            // A list without records cannot show whether the field exists.
            if records.is_empty() || !matched_records.seen.is_empty() {
                matched.seen.insert(index);
            }
            merge(&mut kept, nested(list, shown.into()));
        }
        kept
    }

    /// The paths that matched nothing, if there were any records.
    pub fn unknown(&self, matched: &MatchedPaths) -> Vec<String> {
        let missing = self.paths.iter().enumerate().filter(|(index, _)| !matched.seen.contains(index));
        missing.map(|(_, path)| path.segments.join(".")).filter(|_| matched.records > 0).collect()
    }

    /// The value at each path of a record, for a row of columns.
    pub fn cells(&self, record: &Value, matched: &mut MatchedPaths) -> Vec<Value> {
        matched.records += 1;
        let cells =
            self.paths.iter().enumerate().map(|(index, path)| match value_at(record, &path.segments) {
                Some(value) => {
                    matched.seen.insert(index);
                    value
                }
                None => Value::Null,
            });
        cells.collect()
    }
}

/// The list at a dotted path such as `data.articles`.
pub fn list_at<'v>(document: &'v Value, path: &str) -> Option<&'v Vec<Value>> {
    path.split('.').try_fold(document, |at, key| at.get(key))?.as_array()
}

/// A document that holds only this value, at a dotted path.
fn nested(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |value, key| Map::from_iter([(key.to_owned(), value)]).into())
}

fn key_of<'a>(value: &'a Value, segment: &str) -> Option<&'a String> {
    let fields = value.as_object()?;
    fields
        .get_key_value(segment)
        .map(|(key, _)| key)
        .or_else(|| fields.keys().find(|key| key.eq_ignore_ascii_case(segment)))
}

/// The fields of an object that a segment selects: one by name, or all that match a pattern.
fn fields_of<'a>(fields: &'a Map<String, Value>, segment: &str) -> Vec<(&'a String, &'a Value)> {
    if segment.contains('*') && !fields.contains_key(segment) {
        return fields.iter().filter(|(key, _)| matches_pattern(segment, key)).collect();
    }
    let exact = fields.get_key_value(segment);
    exact.or_else(|| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(segment))).into_iter().collect()
}

/// The fields that the start of a path selects in an object, each with the rest of the path. Names may contain dots:
/// if no field matches one segment, several are tried together.
fn steps<'a, 'p>(
    fields: &'a Map<String, Value>,
    path: &'p [String],
) -> Vec<(&'a String, &'a Value, &'p [String])> {
    let found = path.first().map(|segment| fields_of(fields, segment)).unwrap_or_default();
    if !found.is_empty() {
        return found.into_iter().map(|(key, value)| (key, value, &path[1..])).collect();
    }
    let dotted = (2..=path.len()).find_map(|taken| {
        let (key, value) = fields.get_key_value(&path[..taken].join("."))?;
        Some((key, value, &path[taken..]))
    });
    dotted.into_iter().collect()
}

/// Whether a name matches a pattern in which `*` means any text, in any case.
fn matches_pattern(pattern: &str, name: &str) -> bool {
    wildcard::matches(&pattern.to_ascii_lowercase(), &name.to_ascii_lowercase())
}

/// Expands a path with patterns to all paths that it matches in a value.
fn expand(value: &Value, path: &[String], prefix: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match (value, path.split_first()) {
        (_, None) if found.contains(prefix) => {}
        (_, None) => found.push(prefix.clone()),
        (Value::Array(elements), _) => {
            elements.iter().for_each(|element| expand(element, path, prefix, found));
        }
        (Value::Object(fields), Some(_)) => {
            for (key, value, rest) in steps(fields, path) {
                prefix.push(key.clone());
                expand(value, rest, prefix, found);
                prefix.pop();
            }
        }
        _ => {}
    }
}

/// The value reduced to the path; `None` if the path does not exist.
fn pick(value: &Value, path: &[String]) -> Option<Value> {
    if path.is_empty() {
        return Some(value.clone());
    }
    match value {
        Value::Array(elements) => {
            let picked =
                elements.iter().map(|element| pick(element, path).unwrap_or_else(|| Map::new().into()));
            Some(picked.collect())
        }
        Value::Object(fields) => {
            let found = steps(fields, path).into_iter();
            let found: Map<String, Value> =
                found.filter_map(|(key, value, rest)| Some((key.clone(), pick(value, rest)?))).collect();
            (!found.is_empty()).then(|| found.into())
        }
        _ => None,
    }
}

/// The value at a path: a list if the path crosses an array, an object if it has a pattern.
pub fn value_at(value: &Value, path: &[String]) -> Option<Value> {
    let Some(segment) = path.first() else { return Some(value.clone()) };
    match value {
        Value::Array(elements) => {
            let found: Vec<Value> = elements.iter().filter_map(|element| value_at(element, path)).collect();
            (!found.is_empty()).then(|| found.into())
        }
        Value::Object(fields) => {
            let found = steps(fields, path).into_iter();
            let mut found =
                found.filter_map(|(key, value, rest)| Some((key.clone(), value_at(value, rest)?)));
            if !segment.contains('*') {
                return found.next().map(|(_, value)| value);
            }
            let found: Map<String, Value> = found.collect();
            (!found.is_empty()).then(|| found.into())
        }
        _ => None,
    }
}

/// Merges what two paths picked from the same value.
fn merge(kept: &mut Value, more: Value) {
    match (kept, more) {
        (Value::Object(kept), Value::Object(more)) => {
            for (key, value) in more {
                match kept.get_mut(&key) {
                    Some(existing) => merge(existing, value),
                    None => drop(kept.insert(key, value)),
                }
            }
        }
        (Value::Array(kept), Value::Array(more)) => {
            for (existing, value) in kept.iter_mut().zip(more) {
                merge(existing, value);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn select(paths: &str, document: &Value, list: Option<&str>) -> (Value, Vec<String>) {
        let selection = FieldSelection::parse(paths).unwrap();
        let mut matched = MatchedPaths::default();
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
    fn paths_apply_to_a_single_record() {
        let record = json!({"id": 12345678901_u64, "source": {"author": {"email": "a@b.c", "name": "A"}, "body": "x"}});
        let (kept, unknown) = select("source.author.email,id", &record, None);
        assert_eq!(kept, json!({"source": {"author": {"email": "a@b.c"}}, "id": 12345678901_u64}));
        assert!(unknown.is_empty());
    }

    #[test]
    fn a_list_may_be_nested() {
        let found =
            json!({"type": "list", "data": {"articles": [{"id": "1", "title": "a"}], "highlights": []}});
        let expected = json!({"data": {"articles": [{"id": "1"}]}});
        assert_eq!(select("id", &found, Some("data.articles")), (expected.clone(), vec![]));
        assert_eq!(select("data.articles.id", &found, Some("data.articles")), (expected, vec![]));
    }

    #[test]
    fn an_empty_list_has_no_unknown_fields() {
        let (kept, unknown) = select("id", &json!({"type": "list", "data": []}), Some("data"));
        assert_eq!(kept, json!({"data": []}));
        assert!(unknown.is_empty());
    }

    #[test]
    fn cells_follow_the_order_of_the_paths() {
        let selection = FieldSelection::parse("tags.id,id").unwrap();
        let cells =
            selection.cells(&json!({"id": 1, "tags": [{"id": 2}, {"id": 3}]}), &mut MatchedPaths::default());
        assert_eq!(cells, [json!([2, 3]), json!(1)]);
    }

    #[test]
    fn a_path_can_be_renamed() {
        let list = json!({"type": "conversation.list", "total_count": 2, "conversations": [
            {"id": "1", "source": {"author": {"email": "a@b.c"}}}, {"id": "2", "source": null}]});
        let (kept, unknown) =
            select("id,contact:source.author.email,all:total_count", &list, Some("conversations"));
        let records = json!([{"id": "1", "contact": "a@b.c"}, {"id": "2", "contact": null}]);
        assert_eq!(kept, json!({"conversations": records, "all": 2}));
        assert!(unknown.is_empty());
        assert_eq!(select("x:nope.at", &list, Some("conversations")).1, ["nope.at"]);
        assert!(FieldSelection::parse("a:,b").is_err() && FieldSelection::parse(":a").is_err());
    }

    #[test]
    fn a_name_may_hold_dots() {
        let record = json!({"id": "1", "custom_attributes": {"plan.tier": "pro", "a.b.c": {"d": 5}}});
        let (kept, unknown) = select("custom_attributes.plan.tier,custom_attributes.a.b.c.d", &record, None);
        assert_eq!(kept, json!({"custom_attributes": {"plan.tier": "pro", "a.b.c": {"d": 5}}}));
        assert!(unknown.is_empty());
        let columns =
            FieldSelection::parse("custom_attributes.plan.tier,x:custom_attributes.a.b.c.d").unwrap();
        let columns = columns.expanded(std::slice::from_ref(&record));
        assert_eq!(columns.cells(&record, &mut MatchedPaths::default()), [json!("pro"), json!(5)]);
        assert_eq!(select("custom_attributes.plan.size", &record, None).1, ["custom_attributes.plan.size"]);
    }

    #[test]
    fn a_star_matches_any_part_of_a_name() {
        let record = json!({"id": "1", "created_at": 5, "updated_at": 6, "custom_attributes": {"plan": "pro", "seats": 3},
            "tags": {"data": [{"id": "t", "name": "vip"}]}});
        assert_eq!(select("*_at", &record, None).0, json!({"created_at": 5, "updated_at": 6}));
        assert_eq!(select("custom_attributes.*", &record, None).0["custom_attributes"]["seats"], 3);
        assert_eq!(select("TAGS.*.na*", &record, None).0, json!({"tags": {"data": [{"name": "vip"}]}}));
        assert_eq!(select("*_until", &record, None).1, ["*_until"]);
        let columns =
            FieldSelection::parse("id,*_at,times:*_at").unwrap().expanded(std::slice::from_ref(&record));
        assert_eq!(columns.columns(), ["id", "created_at", "updated_at", "times"]);
        let cells = columns.cells(&record, &mut MatchedPaths::default());
        assert_eq!(cells, [json!("1"), json!(5), json!(6), json!({"created_at": 5, "updated_at": 6})]);
    }
}
