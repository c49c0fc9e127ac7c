//! Notices when a contact names other notes, tags, companies or subscriptions than before.
//!
//! They can change while the contact's `updated_at` stays. Its document shows ten of each at most, so a difference
//! there is the only sign that the full lists must be fetched again.

use rusqlite::{CachedStatement, Connection, OptionalExtension};
use serde_json::Value;

use crate::mirror::error::Error;
use crate::mirror::fields;

/// The lists in a contact's document.
const LISTS: [&str; 5] =
    ["tags", "companies", "notes", "opted_in_subscription_types", "opted_out_subscription_types"];

/// The statements that make lists due.
pub(super) struct ContactLists<'c> {
    stored: CachedStatement<'c>,
    forget: CachedStatement<'c>,
    without_notes: CachedStatement<'c>,
}

impl<'c> ContactLists<'c> {
    pub fn new(connection: &'c Connection) -> Result<Self, Error> {
        Ok(ContactLists {
            stored: connection.prepare_cached("SELECT raw FROM contacts WHERE id = ?1")?,
            forget: connection.prepare_cached("DELETE FROM contact_lists_state WHERE contact_id = ?1")?,
            without_notes: connection.prepare_cached("DELETE FROM contact_notes WHERE contact_id = ?1")?,
        })
    }

    /// Makes the lists of a contact due if the received document disagrees with the stored one. A list that either
    /// of them leaves out says nothing. Called before the document is stored.
    pub fn follow(&mut self, id: &str, received: &Value) -> Result<(), Error> {
        let stored: Option<String> = self.stored.query_row([id], |row| row.get(0)).optional()?;
        let stored = stored.and_then(|stored| serde_json::from_str(&stored).ok()).unwrap_or(Value::Null);
        let differs =
            |list: &str| shown(&stored, list).zip(shown(received, list)).is_some_and(|(a, b)| a != b);
        if LISTS.into_iter().any(differs) {
            self.forget.execute([id])?;
        }
        if shown(received, "notes").is_some_and(|(total, ids)| ids.is_empty() && total.unwrap_or(0) == 0) {
            self.without_notes.execute([id])?;
        }
        Ok(())
    }
}

/// The count of a list and the ids in it; `None` when the document does not show the list.
fn shown(contact: &Value, list: &str) -> Option<(Option<i64>, Vec<String>)> {
    let list = &contact[list];
    let records = list["data"].as_array()?;
    let mut ids: Vec<String> = records.iter().filter_map(|record| fields::id(&record["id"])).collect();
    ids.sort_unstable();
    Some((fields::integer(&list["total_count"]), ids))
}
