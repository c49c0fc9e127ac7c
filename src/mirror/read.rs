//! Reads whole tables of the mirror row by row, whatever their size.
//!
//! Nothing here collects: a reader gets one row at a time and may stop at any of them.

use std::borrow::Cow;

use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{OptionalExtension, Row, params_from_iter};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::conversation::without;
use super::error::Error;
use super::resources::{Field, ResourceName};
use super::store::Store;

/// What a column of an export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    /// Whole or not.
    Number,
    /// Epoch seconds.
    Time,
    Flag,
}

/// A typed column of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    pub name: &'static str,
    pub kind: Kind,
}

/// Which records, in which order.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// SQL conditions with `?` for values, all of which must hold.
    pub conditions: Vec<String>,
    pub values: Vec<Cell>,
    pub limit: Option<u64>,
    pub offset: u64,
    /// By the month in which they were made, instead of as they came.
    pub by_age: bool,
    /// What to sort by, in SQL, instead of as they came.
    pub order: Option<String>,
}

impl Choice {
    /// Only records for which this condition holds.
    #[must_use]
    pub fn only(mut self, condition: &str, value: impl Into<Cell>) -> Self {
        self.conditions.push(condition.to_owned());
        self.values.push(value.into());
        self
    }

    fn rest(&self) -> String {
        let conditions = match self.conditions.is_empty() {
            true => String::new(),
            false => format!(" WHERE {}", self.conditions.join(" AND ")),
        };
        let order = match &self.order {
            Some(order) => order.as_str(),
            None if self.by_age => "created_at, rowid",
            None => "rowid",
        };
        let limit = self.limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(-1);
        format!("{conditions} ORDER BY {order} LIMIT {limit} OFFSET {}", self.offset)
    }
}

impl ResourceName {
    /// The columns of the resource's table but for the document, `id` first.
    pub fn typed_columns(self) -> Vec<Typed> {
        let resource = self.resource();
        let text = |name| Typed { name, kind: Kind::Text };
        let mut columns: Vec<Typed> = vec![text("id")];
        columns.extend(resource.parent.map(text));
        columns.extend(resource.columns.iter().map(|column| Typed {
            name: column.name,
            kind: match column.field {
                Field::Text(_) | Field::Reference(_) => Kind::Text,
                Field::Integer(_) | Field::FirstInteger(_) => Kind::Integer,
                Field::Number(_) => Kind::Number,
                Field::Time(_) => Kind::Time,
                Field::Flag(_) => Kind::Flag,
                // A verdict is always given, a text only where there is one.
                Field::Derived(_, read) => match read(&Value::Null) {
                    Cell::Integer(_) => Kind::Flag,
                    _ => Kind::Text,
                },
            },
        }));
        columns.push(Typed { name: "synced_at", kind: Kind::Time });
        columns
    }

    /// Whether the table has this column.
    pub fn has_column(self, name: &str) -> bool {
        self.typed_columns().iter().any(|column| column.name == name)
    }
}

impl Store {
    /// Calls `each` with the documents of a resource. Parts name the record they belong to.
    ///
    /// # Errors
    /// When the database cannot be read, and whatever `each` fails with.
    pub fn documents<E: From<Error>>(
        &self,
        resource: ResourceName,
        choice: &Choice,
        mut each: impl FnMut(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        let parent = resource.resource().parent;
        let columns = parent.map_or("raw".to_owned(), |parent| format!("raw, {parent}"));
        self.rows(resource, &columns, choice, |row| {
            let raw = text(row, 0)?;
            match parent {
                None => each(raw),
                Some(parent) => each(&with_parent(raw, parent, text(row, 1)?)),
            }
        })
    }

    /// Calls `each` with the cells of the columns of every record.
    ///
    /// # Errors
    /// As [`Store::documents`].
    pub fn cells<E: From<Error>>(
        &self,
        resource: ResourceName,
        columns: &[&str],
        choice: &Choice,
        mut each: impl FnMut(&[ValueRef<'_>]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.rows(resource, &columns.join(", "), choice, |row| {
            let cells: Result<Vec<_>, _> = (0..columns.len()).map(|at| row.get_ref(at)).collect();
            each(&cells.map_err(Error::from)?)
        })
    }

    fn rows<E: From<Error>>(
        &self,
        resource: ResourceName,
        columns: &str,
        choice: &Choice,
        mut each: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = match choice.by_age {
            // Sorting the ids alone keeps the documents out of the sorter.
            true => format!(
                "SELECT {columns} FROM (SELECT rowid AS place FROM {resource}{}) AS sorted
                 CROSS JOIN {resource} AS record ON record.rowid = sorted.place",
                choice.rest()
            ),
            false => format!("SELECT {columns} FROM {resource}{}", choice.rest()),
        };
        let mut statement = self.connection.prepare_cached(&sql).map_err(Error::from)?;
        let mut rows = statement.query(params_from_iter(&choice.values)).map_err(Error::from)?;
        while let Some(row) = rows.next().map_err(Error::from)? {
            each(row)?;
        }
        Ok(())
    }

    /// How many records a choice has, its limit aside.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count(&self, resource: ResourceName, choice: &Choice) -> Result<u64, Error> {
        let every = Choice { limit: None, offset: 0, ..choice.clone() };
        let sql = format!("SELECT count(*) FROM (SELECT rowid FROM {resource}{})", every.rest());
        let count: i64 =
            self.connection.query_row(&sql, params_from_iter(&every.values), |row| row.get(0))?;
        Ok(count.try_into().unwrap_or(0))
    }

    /// Whether all parts of a conversation are stored as they were when it had this `updated_at`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_parts_of(&self, conversation: &str, updated_at: i64) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM conversation_parts_state
                   WHERE conversation_id = ?1 AND updated_at = ?2 AND NOT truncated)";
        Ok(self.connection.prepare_cached(sql)?.query_row((conversation, updated_at), |row| row.get(0))?)
    }

    /// The documents of a contact's notes, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn notes_of(&self, contact: &str) -> Result<Vec<String>, Error> {
        let sql = "SELECT raw FROM contact_notes WHERE contact_id = ?1 ORDER BY created_at DESC, id DESC";
        let mut statement = self.connection.prepare_cached(sql)?;
        let notes = statement.query_map([contact], |row| row.get(0))?;
        Ok(notes.collect::<Result<_, _>>()?)
    }

    /// The document of one conversation or ticket with its parts, as the API gives it when asked for one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn with_parts(&self, resource: ResourceName, id: &str) -> Result<Option<String>, Error> {
        let sql = format!("SELECT raw FROM {resource} WHERE id = ?1");
        let raw: Option<String> =
            self.connection.prepare_cached(&sql)?.query_row([id], |row| row.get(0)).optional()?;
        let (table, owner, key, kind) = match resource.as_str() {
            "conversations" => {
                ("conversation_parts", "conversation_id", "conversation_parts", "conversation_part.list")
            }
            "tickets" => ("ticket_parts", "ticket_id", "ticket_parts", "ticket_part.list"),
            _ => return Ok(raw),
        };
        let Some(raw) = raw else { return Ok(None) };
        let sql = format!("SELECT raw FROM {table} WHERE {owner} = ?1 ORDER BY created_at, rowid");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let parts = statement.query_map([id], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        let list =
            format!(r#"{{"type":"{kind}","{key}":[{}],"total_count":{}}}"#, parts.join(","), parts.len());
        Ok(Some(with_member(&raw, key, &list)))
    }
}

/// A stored document as lists of the API show it: they leave out the statistics of articles.
pub fn as_listed(resource: ResourceName, raw: &str) -> Cow<'_, str> {
    #[derive(Deserialize)]
    struct Article<'a> {
        #[serde(borrow, default)]
        statistics: Option<&'a RawValue>,
    }
    if resource != ResourceName::Articles {
        return Cow::Borrowed(raw);
    }
    match serde_json::from_str::<Article<'_>>(raw) {
        Ok(Article { statistics: Some(statistics) }) => without(raw, "statistics", statistics),
        _ => Cow::Borrowed(raw),
    }
}

fn text<'a>(row: &'a Row<'_>, at: usize) -> Result<&'a str, Error> {
    let value = row.get_ref(at)?;
    value.as_str().map_err(|error| Error::Database(rusqlite::Error::from(error)))
}

/// The document with the id of what it belongs to, unless it says so itself.
fn with_parent(raw: &str, parent: &str, id: &str) -> String {
    match raw.contains(&format!("\"{parent}\"")) {
        true => raw.to_owned(),
        false => with_member(raw, parent, &json!(id).to_string()),
    }
}

/// The object with one more member at its beginning.
fn with_member(raw: &str, key: &str, value: &str) -> String {
    let Some(members) = raw.trim_start().strip_prefix('{') else { return raw.to_owned() };
    let comma = if members.trim_start().starts_with('}') { "" } else { "," };
    format!("{{\"{key}\":{value}{comma}{members}")
}

/// A cell as JSON: times in RFC 3339 (UTC), flags as such.
pub fn readable(kind: Kind, cell: ValueRef<'_>) -> Value {
    match (kind, cell) {
        (_, ValueRef::Null | ValueRef::Blob(_)) => Value::Null,
        (Kind::Time, ValueRef::Integer(seconds)) => match jiff::Timestamp::from_second(seconds) {
            Ok(moment) => json!(moment.to_string()),
            Err(_) => json!(seconds),
        },
        (Kind::Flag, ValueRef::Integer(flag)) => json!(flag != 0),
        (_, ValueRef::Integer(number)) => json!(number),
        (_, ValueRef::Real(number)) => json!(number),
        (_, ValueRef::Text(text)) => json!(String::from_utf8_lossy(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_added_and_every_other_byte_stays() {
        assert_eq!(with_parent(r#"{"id": 1.0 }"#, "ticket_id", "7"), r#"{"ticket_id":"7","id": 1.0 }"#);
        assert_eq!(with_parent(r#"{"ticket_id":"8"}"#, "ticket_id", "7"), r#"{"ticket_id":"8"}"#);
        assert_eq!(with_member(" {} ", "a", "[]"), "{\"a\":[]} ");
    }

    #[test]
    fn lists_show_articles_without_statistics() {
        let raw = r#"{"id":"1", "statistics": {"views":3} ,"title":"x"}"#;
        assert_eq!(as_listed(ResourceName::Articles, raw), r#"{"id":"1" ,"title":"x"}"#);
        assert_eq!(as_listed(ResourceName::Tags, raw), raw);
    }

    #[test]
    fn cells_are_readable() {
        assert_eq!(readable(Kind::Time, ValueRef::Integer(1_779_616_800)), json!("2026-05-24T10:00:00Z"));
        assert_eq!(readable(Kind::Flag, ValueRef::Integer(1)), json!(true));
        assert_eq!(readable(Kind::Integer, ValueRef::Integer(1)), json!(1));
        assert_eq!(readable(Kind::Text, ValueRef::Null), Value::Null);
    }
}
