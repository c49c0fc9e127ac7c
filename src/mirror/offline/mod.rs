//! Answers operations of the API from the mirror instead of the workspace.
//!
//! Results must never be silently incomplete: a parameter that the mirror does not support is refused by name, and so
//! is an id that it does not have.

mod query;
mod request;
mod table;

use serde_json::value::RawValue;

use self::query::{of_query, of_search, refuse_unsupported, value_of};
pub use self::request::{OfflineError, OfflineRequest};
use self::table::Retrieval;
pub use self::table::{OfflineOperation, offline_operation};
use super::error::Error;
use super::resources::ResourceName;
use super::store::Store;
use super::store::read::{RecordQuery, as_listed};
use crate::api::request_builder::Arguments;

pub enum OfflineAnswer<'s> {
    /// The text of a record.
    Record(String),
    List(OfflineList<'s>),
}

/// The selected records, which are read from the store one by one.
pub struct OfflineList<'s> {
    /// Place of the list in the API's document.
    pub key: &'static str,
    /// Plural noun for the records.
    pub noun: &'static str,
    /// Number of records on all pages.
    pub total: u64,
    /// Number of records on earlier pages.
    pub offset: u64,
    store: &'s Store,
    resource: ResourceName,
    query: RecordQuery,
    /// The documents of all notes, which are not a resource. `None` for a list of records.
    notes: Option<Vec<String>>,
}

impl OfflineOperation {
    /// # Errors
    /// If the mirror does not support a parameter or does not have the record, and if the database fails.
    pub fn answer<'s>(
        &self,
        store: &'s Store,
        request: &OfflineRequest<'_>,
    ) -> Result<OfflineAnswer<'s>, OfflineError> {
        let Arguments { path, query, .. } = request.arguments;
        let id = path.first().map_or("", String::as_str);
        let mut notes = None;
        let query = match self.retrieval {
            Retrieval::One(column) => {
                refuse_unsupported(query, &[])?;
                return record(store, self.resource, column, id).map(OfflineAnswer::Record);
            }
            Retrieval::ListUnless(names) if names.iter().any(|name| value_of(query, name).is_some()) => {
                refuse_unsupported(query, names)?;
                return match &query[..] {
                    [(column, value)] => {
                        record(store, self.resource, column, value).map(OfflineAnswer::Record)
                    }
                    _ => Err(OfflineError::Exclusive(names)),
                };
            }
            Retrieval::Notes => {
                let query = of_query(self, request)?;
                record(store, self.resource, "id", id)?;
                notes = Some(store.notes_of(id)?);
                query
            }
            Retrieval::Linked { owner, table, column, by } => {
                record(store, owner, "id", id)?;
                let condition = format!("id IN (SELECT {column} FROM {table} WHERE {by} = ?)");
                of_query(self, request)?.only(&condition, id.to_owned())
            }
            Retrieval::Search => of_search(store, self.resource, request)?,
            Retrieval::List | Retrieval::ListUnless(_) => of_query(self, request)?,
        };
        let (noun, total) = match &notes {
            Some(notes) => ("notes", notes.len() as u64),
            None => (self.resource.as_str(), store.count(self.resource, &query)?),
        };
        let (key, resource, offset) = (self.key, self.resource, query.offset);
        Ok(OfflineAnswer::List(OfflineList { key, noun, total, offset, store, resource, query, notes }))
    }
}

impl OfflineList<'_> {
    /// Calls `each` with the records: all of them, or only about the first `limit`.
    ///
    /// # Errors
    /// If the database fails, and any error of `each`.
    pub fn read<E: From<Error>>(
        &self,
        limit: Option<u64>,
        mut each: impl FnMut(&RawValue) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut parsed = |raw: &str| match serde_json::from_str::<&RawValue>(raw) {
            Ok(record) => each(record),
            Err(_) => Ok(()),
        };
        if let Some(notes) = &self.notes {
            let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
            let shown = notes.iter().skip(count(self.offset));
            let shown = shown.take(count(self.query.limit.unwrap_or(u64::MAX)));
            return shown.map(String::as_str).try_for_each(parsed);
        }
        let limit = self.query.limit.into_iter().chain(limit).min();
        let query = RecordQuery { limit, ..self.query.clone() };
        self.store.documents(self.resource, &query, |raw| parsed(&as_listed(self.resource, raw)))
    }
}

/// The document of the record whose column has a value. An unknown id must not be reported as an empty list.
fn record(store: &Store, resource: ResourceName, column: &str, value: &str) -> Result<String, OfflineError> {
    let mut document = None;
    if column == "id" {
        document = store.with_parts(resource, value)?;
    } else {
        let only = RecordQuery { limit: Some(1), ..RecordQuery::default() };
        let only = only.only(&format!("{column} = ?"), value.to_owned());
        store.documents(resource, &only, |raw| {
            document = Some(raw.to_owned());
            Ok::<_, Error>(())
        })?;
    }
    let (column, value) = (column.to_owned(), value.to_owned());
    document.ok_or(OfflineError::NoRecord { resource, column, value })
}
