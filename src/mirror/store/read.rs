//! Reads tables of the mirror row by row, regardless of their size.
//!
//! Rows are never collected: a reader gets one at a time, and can stop at any of them.

use std::borrow::Cow;

use rusqlite::types::{FromSqlError, Value as Cell, ValueRef};
use rusqlite::{OptionalExtension, Row, params_from_iter};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Store;
use crate::mirror::conversation::without;
use crate::mirror::error::Error;
use crate::mirror::resources::{JsonField, ResourceName};

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    Text,
    Integer,
    /// Integer or decimal.
    Number,
    /// Epoch seconds.
    Time,
    Flag,
}

/// A typed column of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedColumn {
    pub name: &'static str,
    pub kind: ColumnType,
}

/// Filter, order and limit of the records to read.
#[derive(Debug, Clone, Default)]
pub struct RecordQuery {
    /// SQL conditions with `?` for values, joined with AND.
    pub conditions: Vec<String>,
    pub values: Vec<Cell>,
    pub limit: Option<u64>,
    pub offset: u64,
    /// Sorts by creation instead of insertion.
    pub oldest_first: bool,
    /// An SQL expression to sort by, instead of insertion order.
    pub order: Option<String>,
}

impl RecordQuery {
    /// Adds a condition.
    #[must_use]
    pub fn only(mut self, condition: &str, value: impl Into<Cell>) -> Self {
        self.conditions.push(condition.to_owned());
        self.values.push(value.into());
        self
    }

    fn clauses(&self) -> String {
        let conditions = if self.conditions.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", self.conditions.join(" AND "))
        };
        let order = match &self.order {
            Some(order) => order.as_str(),
            None if self.oldest_first => "created_at, rowid",
            None => "rowid",
        };
        let limit = self.limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(-1);
        format!("{conditions} ORDER BY {order} LIMIT {limit} OFFSET {}", self.offset)
    }
}

impl ResourceName {
    /// The columns of the resource's table, except for the document; `id` is the first.
    #[doc(hidden)]
    pub fn typed_columns(self) -> Vec<TypedColumn> {
        let resource = self.resource();
        let text = |name| TypedColumn { name, kind: ColumnType::Text };
        let mut columns: Vec<TypedColumn> = vec![text("id")];
        columns.extend(resource.parent.map(text));
        columns.extend(resource.columns.iter().map(|column| TypedColumn {
            name: column.name,
            kind: match column.field {
                JsonField::Text(_) | JsonField::Reference(_) | JsonField::DerivedText(..) => ColumnType::Text,
                JsonField::Integer(_) | JsonField::FirstInteger(_) => ColumnType::Integer,
                JsonField::Number(_) => ColumnType::Number,
                JsonField::Time(_) => ColumnType::Time,
                JsonField::Flag(_) | JsonField::DerivedFlag(..) => ColumnType::Flag,
            },
        }));
        columns.push(TypedColumn { name: "synced_at", kind: ColumnType::Time });
        columns
    }

    /// Whether the table has this column.
    #[doc(hidden)]
    pub fn has_column(self, name: &str) -> bool {
        self.typed_columns().iter().any(|column| column.name == name)
    }
}

impl Store {
    /// Whether a record is stored.
    ///
    /// # Errors
    /// If the database fails.
    pub fn has_record(&self, resource: ResourceName, id: &str) -> Result<bool, Error> {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {resource} WHERE id = ?1)");
        Ok(self.connection.prepare_cached(&sql)?.query_row([id], |row| row.get(0))?)
    }

    /// Calls `each` with the documents of a resource. Parts include the id of the record they belong to.
    ///
    /// # Errors
    /// If the database fails, and any error of `each`.
    pub fn documents<E: From<Error>>(
        &self,
        resource: ResourceName,
        query: &RecordQuery,
        mut each: impl FnMut(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        let parent = resource.resource().parent;
        let columns = parent.map_or("raw".to_owned(), |parent| format!("raw, {parent}"));
        self.rows(resource, &columns, query, |row| {
            let raw = text(row, 0)?;
            match parent {
                None => each(raw),
                Some(parent) => each(&with_parent(raw, parent, text(row, 1)?)),
            }
        })
    }

    /// Calls `each` with the values of the columns of each record.
    ///
    /// # Errors
    /// As [`Store::documents`].
    pub fn cells<E: From<Error>>(
        &self,
        resource: ResourceName,
        columns: &[&str],
        query: &RecordQuery,
        mut each: impl FnMut(&[ValueRef<'_>]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.rows(resource, &columns.join(", "), query, |row| {
            let cells: Result<Vec<_>, _> = (0..columns.len()).map(|at| row.get_ref(at)).collect();
            each(&cells.map_err(Error::from)?)
        })
    }

    fn rows<E: From<Error>>(
        &self,
        resource: ResourceName,
        columns: &str,
        query: &RecordQuery,
        mut each: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let clauses = query.clauses();
        let sql = if query.oldest_first {
            // Sort only the row ids, to keep the documents out of the sorter.
            format!(
                "SELECT {columns} FROM (SELECT rowid AS place FROM {resource}{clauses}) AS sorted
                 CROSS JOIN {resource} AS record ON record.rowid = sorted.place"
            )
        } else {
            format!("SELECT {columns} FROM {resource}{clauses}")
        };
        let mut statement = self.connection.prepare_cached(&sql).map_err(Error::from)?;
        let mut rows = statement.query(params_from_iter(&query.values)).map_err(Error::from)?;
        while let Some(row) = rows.next().map_err(Error::from)? {
            each(row)?;
        }
        Ok(())
    }

    /// The number of records that match, ignoring limit and offset.
    ///
    /// # Errors
    /// If the database fails.
    pub fn count(&self, resource: ResourceName, query: &RecordQuery) -> Result<u64, Error> {
        let all = RecordQuery { limit: None, offset: 0, ..query.clone() };
        let sql = format!("SELECT count(*) FROM (SELECT rowid FROM {resource}{})", all.clauses());
        let count: i64 = self.connection.query_row(&sql, params_from_iter(&all.values), |row| row.get(0))?;
        Ok(count.try_into().unwrap_or(0))
    }

    /// Whether all parts of a conversation are stored, as of this `updated_at`.
    ///
    /// # Errors
    /// If the database fails.
    pub fn has_parts_of(&self, conversation: &str, updated_at: i64) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM conversation_parts_state
                   WHERE conversation_id = ?1 AND updated_at = ?2 AND NOT truncated)";
        Ok(self.connection.prepare_cached(sql)?.query_row((conversation, updated_at), |row| row.get(0))?)
    }

    /// The documents of a contact's notes, newest first.
    ///
    /// # Errors
    /// If the database fails.
    pub fn notes_of(&self, contact: &str) -> Result<Vec<String>, Error> {
        let sql = "SELECT raw FROM contact_notes WHERE contact_id = ?1 ORDER BY created_at DESC, id DESC";
        self.texts(sql, [contact])
    }

    /// A document as the API's get operation returns it: conversations and tickets with their parts.
    ///
    /// # Errors
    /// If the database fails.
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
        let parts = self.texts(&sql, [id])?;
        let list =
            format!(r#"{{"type":"{kind}","{key}":[{}],"total_count":{}}}"#, parts.join(","), parts.len());
        Ok(Some(with_member(&raw, key, &list)))
    }
}

/// A document as the API's lists return it: they omit the statistics of articles.
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

/// A cell with JSON; the default if the cell is null.
///
/// # Errors
/// If it cannot be parsed: a damaged document must not look like an empty one.
pub fn json_cell<T: DeserializeOwned + Default>(cell: ValueRef<'_>) -> rusqlite::Result<T> {
    let parsed = cell.as_str_or_null()?.map(serde_json::from_str).transpose();
    Ok(parsed.map_err(FromSqlError::other)?.unwrap_or_default())
}

/// The document with the id of the record it belongs to, unless it already has it.
fn with_parent(raw: &str, parent: &str, id: &str) -> String {
    if raw.contains(&format!("\"{parent}\"")) {
        raw.to_owned()
    } else {
        with_member(raw, parent, &json!(id).to_string())
    }
}

/// The object with another member at its beginning.
fn with_member(raw: &str, key: &str, value: &str) -> String {
    let Some(members) = raw.trim_start().strip_prefix('{') else { return raw.to_owned() };
    let comma = if members.trim_start().starts_with('}') { "" } else { "," };
    format!("{{\"{key}\":{value}{comma}{members}")
}

/// A cell as JSON: times in RFC 3339 (UTC), flags as booleans.
pub fn cell_to_json(kind: ColumnType, cell: ValueRef<'_>) -> Value {
    match (kind, cell) {
        (_, ValueRef::Null | ValueRef::Blob(_)) => Value::Null,
        (ColumnType::Time, ValueRef::Integer(seconds)) => match jiff::Timestamp::from_second(seconds) {
            Ok(time) => json!(time.to_string()),
            Err(_) => json!(seconds),
        },
        (ColumnType::Flag, ValueRef::Integer(flag)) => json!(flag != 0),
        (_, ValueRef::Integer(number)) => json!(number),
        (_, ValueRef::Real(number)) => json!(number),
        (_, ValueRef::Text(text)) => json!(String::from_utf8_lossy(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_added_and_every_other_byte_is_kept() {
        assert_eq!(with_parent(r#"{"id": 1.0 }"#, "ticket_id", "7"), r#"{"ticket_id":"7","id": 1.0 }"#);
        assert_eq!(with_parent(r#"{"ticket_id":"8"}"#, "ticket_id", "7"), r#"{"ticket_id":"8"}"#);
        assert_eq!(with_member(" {} ", "a", "[]"), "{\"a\":[]} ");
    }

    #[test]
    fn listed_articles_have_no_statistics() {
        let raw = r#"{"id":"1", "statistics": {"views":3} ,"title":"x"}"#;
        assert_eq!(as_listed(ResourceName::Articles, raw), r#"{"id":"1" ,"title":"x"}"#);
        assert_eq!(as_listed(ResourceName::Tags, raw), raw);
    }

    #[test]
    fn a_damaged_document_is_an_error() {
        assert_eq!(json_cell::<Value>(ValueRef::Null).unwrap(), Value::Null);
        assert_eq!(json_cell::<Value>(ValueRef::Text(b"{\"a\": 1}")).unwrap(), json!({"a": 1}));
        for damaged in [ValueRef::Text(b"{\"a\": "), ValueRef::Text(b""), ValueRef::Integer(1)] {
            assert!(json_cell::<Value>(damaged).is_err(), "{damaged:?}");
        }
    }

    #[test]
    fn cells_become_readable_json() {
        assert_eq!(
            cell_to_json(ColumnType::Time, ValueRef::Integer(1_779_616_800)),
            json!("2026-05-24T10:00:00Z")
        );
        assert_eq!(cell_to_json(ColumnType::Flag, ValueRef::Integer(1)), json!(true));
        assert_eq!(cell_to_json(ColumnType::Integer, ValueRef::Integer(1)), json!(1));
        assert_eq!(cell_to_json(ColumnType::Text, ValueRef::Null), Value::Null);
    }

    #[test]
    fn the_types_of_columns_are_those_of_the_tables() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("mirror.db")).unwrap();
        for resource in ResourceName::ALL {
            for column in resource.typed_columns() {
                let sql = "SELECT type FROM pragma_table_info(?1) WHERE name = ?2";
                let declared: String = store
                    .connection()
                    .query_row(sql, (resource.as_str(), column.name), |row| row.get(0))
                    .unwrap();
                let expected = match column.kind {
                    ColumnType::Text => "TEXT",
                    ColumnType::Number => "REAL",
                    ColumnType::Integer | ColumnType::Time | ColumnType::Flag => "INTEGER",
                };
                assert_eq!(declared, expected, "{resource}.{}", column.name);
            }
        }
    }
}
