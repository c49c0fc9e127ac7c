//! The rows of the report: their columns, labels and order.

#![deny(missing_docs)]

use std::cmp::Ordering;
use std::collections::HashMap;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::figures::{Figures, column_names};
use super::groups::GroupBy;
use super::options::Metric;
use crate::data::spelling::did_you_mean;

/// One row. In JSON, the group's name and id are in its own columns, for example `team` and `team_id`.
#[derive(Debug, Clone, PartialEq)]
pub struct SlaRow {
    /// What the rows are grouped by.
    pub group_by: GroupBy,
    /// The name of the team, teammate, tag, channel or company; `(none)` for conversations without one.
    pub name: String,
    /// Its id, where it has one.
    pub id: Option<String>,
    /// The figures of its conversations.
    pub figures: Figures,
}

/// The names of the rows for people. Equal names get their ids appended.
pub fn labels(rows: &[SlaRow]) -> Vec<String> {
    let mut counts = HashMap::<String, usize>::new();
    for row in rows {
        *counts.entry(row.name.to_lowercase()).or_default() += 1;
    }
    let label = |row: &SlaRow| match &row.id {
        Some(id)
            if counts.get(&row.name.to_lowercase()).is_some_and(|count| *count > 1) && *id != row.name =>
        {
            format!("{} ({id})", row.name)
        }
        Some(_) => row.name.clone(),
        None => row.group_by.without().to_owned(),
    };
    rows.iter().map(label).collect()
}

impl SlaRow {
    fn columns(&self) -> impl Iterator<Item = (String, Value)> {
        let name = self.group_by.column().map(|column| (column.to_owned(), Value::from(self.name.clone())));
        let id = self.group_by.id_column().map(|column| (column, Value::from(self.id.clone())));
        name.into_iter().chain(id).chain(self.figures.columns())
    }
}

impl Serialize for SlaRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.columns())
    }
}

/// The column that rows are sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowOrder {
    column: String,
    is_descending: bool,
}

impl RowOrder {
    /// Parses a column of the result. `-COLUMN` and `COLUMN:desc` mean descending order.
    ///
    /// # Errors
    /// A message with the known columns.
    pub fn parse(text: &str, group_by: GroupBy, metrics: &[Metric]) -> Result<Self, String> {
        let (name, is_descending) =
            match (text.strip_prefix('-'), text.strip_suffix(":desc"), text.strip_suffix(":asc")) {
                (Some(name), ..) | (None, Some(name), _) => (name, true),
                (None, None, Some(name)) => (name, false),
                (None, None, None) => (text, false),
            };
        let group_columns = group_by.column().map(str::to_owned).into_iter().chain(group_by.id_column());
        let known: Vec<String> = group_columns.chain(column_names(metrics)).collect();
        if known.iter().any(|known| known == name) {
            return Ok(RowOrder { column: name.to_owned(), is_descending });
        }
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        let similar = did_you_mean(name, &names);
        Err(format!("unknown column {name:?}: {similar}expected one of {}", known.join(", ")))
    }

    /// Sorts the rows. Rows without a value come last.
    pub fn sort(&self, rows: &mut Vec<SlaRow>) {
        let value = |row: &SlaRow| row.columns().find(|(name, _)| *name == self.column).map(|cell| cell.1);
        let mut keyed: Vec<(Value, SlaRow)> =
            rows.drain(..).map(|row| (value(&row).unwrap_or(Value::Null), row)).collect();
        keyed.sort_by(|(one, _), (other, _)| self.compare(one, other));
        rows.extend(keyed.into_iter().map(|(_, row)| row));
    }

    fn compare(&self, one: &Value, other: &Value) -> Ordering {
        let order = match (one, other) {
            (Value::Null, Value::Null) => return Ordering::Equal,
            (Value::Null, _) => return Ordering::Greater,
            (_, Value::Null) => return Ordering::Less,
            (Value::String(one), Value::String(other)) => one.to_lowercase().cmp(&other.to_lowercase()),
            (one, other) => one.as_f64().unwrap_or(0.0).total_cmp(&other.as_f64().unwrap_or(0.0)),
        };
        if self.is_descending { order.reverse() } else { order }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_a_value_come_last_in_both_directions() {
        let row = |name: &str, breached| SlaRow {
            group_by: GroupBy::Team,
            name: name.to_owned(),
            id: None,
            figures: Figures { breached, ..Figures::default() },
        };
        for (text, sorted) in [
            ("breached", "dacB"),
            ("-breached", "cadB"),
            ("breached:desc", "cadB"),
            ("team:asc", "aBcd"),
            ("-team", "dcBa"),
        ] {
            let mut rows = vec![row("c", Some(10)), row("a", Some(9)), row("B", None), row("d", Some(2))];
            RowOrder::parse(text, GroupBy::Team, &[]).unwrap().sort(&mut rows);
            assert_eq!(rows.iter().map(|row| row.name.as_str()).collect::<String>(), sorted, "{text}");
        }
        let unknown = RowOrder::parse("-colour", GroupBy::Tag, &[Metric::Handle]).unwrap_err();
        assert!(unknown.contains("\"colour\"") && unknown.contains("handle_p50_minutes"), "{unknown}");
    }
}
