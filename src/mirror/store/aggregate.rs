//! Counts records by the values of their fields.
//!
//! Documents are read only for fields without a column. Counts are exact: every record is read, never a sample.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::str::FromStr;

use serde_json::Value;

use super::Store;
use super::read::{RecordQuery, TypedColumn, cell_to_json, json_cell};
use crate::data::lenient;
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;

/// A field to group by.
#[derive(Debug, Clone)]
pub struct GroupField {
    /// As entered by the user.
    pub name: String,
    pub by: GroupSource,
    pub period: Option<Period>,
}

#[derive(Debug, Clone)]
pub enum GroupSource {
    Column(TypedColumn),
    /// Keys into the document. Lists contribute each of their elements.
    Path(Vec<String>),
}

/// The period that times are grouped by, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    Day,
    Week,
    Month,
    Year,
}

impl FromStr for Period {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "day" => Ok(Period::Day),
            "week" => Ok(Period::Week),
            "month" => Ok(Period::Month),
            "year" => Ok(Period::Year),
            _ => Err(Error::InvalidQuery(format!(
                "invalid period {text:?}: expected day, week, month or year"
            ))),
        }
    }
}

impl Period {
    /// The period of a time in epoch seconds: `2026-05-24`, `2026-W21`, `2026-05`, `2026`.
    fn of(self, time: &Value) -> Value {
        let moment = lenient::time(time).and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        let format = match self {
            Period::Day => "%Y-%m-%d",
            Period::Week => "%G-W%V",
            Period::Month => "%Y-%m",
            Period::Year => "%Y",
        };
        moment.map_or(Value::Null, |moment| moment.strftime(format).to_string().into())
    }
}

/// The number of records for each combination of values.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    pub records: u64,
    /// The values of each group and its number of records, the most frequent group first.
    pub groups: Vec<(Vec<Value>, u64)>,
    /// For each field, whether any record has it.
    pub seen: Vec<bool>,
}

impl Store {
    /// Counts the records of a resource. A record whose field is a list counts once for each distinct element.
    ///
    /// # Errors
    /// If the database fails.
    pub fn counts(
        &self,
        resource: ResourceName,
        by: &[GroupField],
        choice: &RecordQuery,
    ) -> Result<Counts, Error> {
        let mut columns: Vec<&str> = by
            .iter()
            .filter_map(|field| match &field.by {
                GroupSource::Column(column) => Some(column.name),
                GroupSource::Path(_) => None,
            })
            .collect();
        let needs_document = by.iter().any(|field| matches!(field.by, GroupSource::Path(_)));
        columns.push(if needs_document { "raw" } else { "id" });
        let mut counts = Counts { seen: vec![false; by.len()], ..Counts::default() };
        let mut groups = HashMap::<Vec<Value>, u64>::new();
        self.cells(resource, &columns, choice, |cells| {
            let raw = cells.last().filter(|_| needs_document);
            let document: Value = raw.map_or(Ok(Value::Null), |raw| json_cell(*raw))?;
            let mut cells = cells.iter();
            let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
            for (index, field) in by.iter().enumerate() {
                let mut values = match &field.by {
                    GroupSource::Column(column) => {
                        counts.seen[index] = true;
                        let cell = cells.next().copied().unwrap_or(rusqlite::types::ValueRef::Null);
                        vec![match field.period {
                            Some(_) => cell.as_i64().map_or(Value::Null, Value::from),
                            None => cell_to_json(column.kind, cell),
                        }]
                    }
                    GroupSource::Path(path) => {
                        let mut found = Vec::new();
                        collect(&document, path, &mut found);
                        counts.seen[index] |= !found.is_empty();
                        found
                    }
                };
                if let Some(period) = field.period {
                    values = values.iter().map(|value| period.of(value)).collect();
                }
                values.sort_by_cached_key(Value::to_string);
                values.dedup();
                if values.is_empty() {
                    values.push(Value::Null);
                }
                rows = rows
                    .iter()
                    .flat_map(|row| values.iter().map(|value| row.iter().chain([value]).cloned().collect()))
                    .collect();
            }
            counts.records += 1;
            for row in rows {
                *groups.entry(row).or_default() += 1;
            }
            Ok::<_, Error>(())
        })?;
        counts.groups = most_frequent_first(groups);
        Ok(counts)
    }
}

/// Groups of the same size are in order of their values as JSON.
fn most_frequent_first(groups: HashMap<Vec<Value>, u64>) -> Vec<(Vec<Value>, u64)> {
    let mut groups: Vec<(Vec<Value>, u64)> = groups.into_iter().collect();
    groups.sort_by_cached_key(|(values, count)| {
        (Reverse(*count), values.iter().map(Value::to_string).collect::<Vec<_>>())
    });
    groups
}

/// Adds every value at a path to `found`.
fn collect(value: &Value, path: &[String], found: &mut Vec<Value>) {
    match (value, path.split_first()) {
        (Value::Array(elements), _) => elements.iter().for_each(|element| collect(element, path, found)),
        (value, None) => found.push(value.clone()),
        (Value::Object(members), Some((key, rest))) => {
            let exact = members.get(key);
            let member = exact.or_else(|| {
                members.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
            });
            match member {
                Some(member) => collect(member, rest, found),
                None => {
                    // A key may contain dots.
                    let dotted = (2..=path.len())
                        .find_map(|taken| Some((members.get(&path[..taken].join("."))?, &path[taken..])));
                    if let Some((member, rest)) = dotted {
                        collect(member, rest, found);
                    }
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_visits_every_element_of_a_list() {
        let mut found = Vec::new();
        let document = json!({"Tags": {"tags": [{"name": "a"}, {"name": "b"}, {"id": 1}]}});
        collect(&document, &["tags", "tags", "name"].map(str::to_owned), &mut found);
        assert_eq!(found, [json!("a"), json!("b")]);
    }

    #[test]
    fn keys_may_contain_dots() {
        let mut found = Vec::new();
        let document = json!({"custom_attributes": {"plan.tier": "pro", "a.b": {"c": 5}}});
        collect(&document, &["custom_attributes", "plan", "tier"].map(str::to_owned), &mut found);
        collect(&document, &["custom_attributes", "a", "b", "c"].map(str::to_owned), &mut found);
        assert_eq!(found, [json!("pro"), json!(5)]);
    }

    #[test]
    fn groups_are_sorted_by_size_and_then_by_value() {
        let groups = [(json!("b"), 1), (json!("a"), 1), (json!(null), 2), (json!(10), 1)];
        let groups = groups.into_iter().map(|(value, count)| (vec![value], count)).collect();
        let values: Vec<Value> = most_frequent_first(groups).into_iter().flat_map(|group| group.0).collect();
        assert_eq!(values, [json!(null), json!("a"), json!("b"), json!(10)]);
    }

    #[test]
    fn period_names_sort_chronologically() {
        let names = [Period::Day, Period::Week, Period::Month, Period::Year]
            .map(|period| period.of(&json!(1_779_616_800)));
        assert_eq!(names, ["2026-05-24", "2026-W21", "2026-05", "2026"].map(Value::from));
        assert_eq!(Period::Day.of(&json!("soon")), Value::Null);
    }
}
