//! Detects changes of a contact's notes, tags, companies and subscriptions.
//!
//! They can change without the contact's `updated_at`. The document contains at most ten of each, so a difference
//! there is the only sign that the full lists must be fetched again.

use rusqlite::{CachedStatement, Connection, OptionalExtension};
use serde_json::Value;

use crate::data::lenient;
use crate::mirror::error::Error;

/// The lists in a contact's document.
const LISTS: [&str; 5] =
    ["tags", "companies", "notes", "opted_in_subscription_types", "opted_out_subscription_types"];

/// Statements that mark a contact's lists as due.
pub(super) struct ContactLists<'c> {
    select: CachedStatement<'c>,
    mark_due: CachedStatement<'c>,
    delete_notes: CachedStatement<'c>,
}

impl<'c> ContactLists<'c> {
    pub fn new(connection: &'c Connection) -> Result<Self, Error> {
        Ok(ContactLists {
            select: connection.prepare_cached("SELECT raw FROM contacts WHERE id = ?1")?,
            mark_due: connection.prepare_cached("DELETE FROM contact_lists_state WHERE contact_id = ?1")?,
            delete_notes: connection.prepare_cached("DELETE FROM contact_notes WHERE contact_id = ?1")?,
        })
    }

    /// Marks the lists of a contact as due if the received document differs from the stored one. Ignores lists that
    /// either of them omits. Must be called before the document is stored.
    pub fn compare(&mut self, id: &str, received: &Value) -> Result<(), Error> {
        let stored: Option<String> = self.select.query_row([id], |row| row.get(0)).optional()?;
        let stored = stored.and_then(|stored| serde_json::from_str(&stored).ok()).unwrap_or(Value::Null);
        let differs =
            |list: &str| list_ids(&stored, list).zip(list_ids(received, list)).is_some_and(|(a, b)| a != b);
        if LISTS.into_iter().any(differs) {
            self.mark_due.execute([id])?;
        }
        if list_ids(received, "notes").is_some_and(|(total, ids)| ids.is_empty() && total.unwrap_or(0) == 0) {
            self.delete_notes.execute([id])?;
        }
        Ok(())
    }
}

/// The count of a list and its ids; `None` if the document omits the list.
fn list_ids(contact: &Value, list: &str) -> Option<(Option<i64>, Vec<String>)> {
    let list = &contact[list];
    let records = list["data"].as_array()?;
    let mut ids: Vec<String> = records.iter().filter_map(|record| lenient::id(&record["id"])).collect();
    ids.sort_unstable();
    Some((lenient::integer(&list["total_count"]), ids))
}
