//! A record with all its parts, as it was fetched.

use std::collections::HashSet;

use rusqlite::{CachedStatement, Connection};

use super::{Table, Written};
use crate::mirror::conversation::{Detail, Nesting};
use crate::mirror::error::Error;

/// The API hands out the newest 500 parts of a conversation.
const MOST_PARTS: usize = 500;

/// The tables of records and of their parts, with the statements at hand.
pub(super) struct Details<'c> {
    owners: Table<'c>,
    parts: Table<'c>,
    held: CachedStatement<'c>,
    remove: CachedStatement<'c>,
    note: CachedStatement<'c>,
}

impl<'c> Details<'c> {
    pub fn new(connection: &'c Connection, of: &Nesting, synced_at: i64) -> Result<Self, Error> {
        let table = of.parts;
        let parent = table.resource().parent.unwrap_or("id");
        let mut owners = Table::new(connection, of.owner.resource(), synced_at)?;
        owners.keeps_equal = false;
        let note = format!(
            "INSERT OR REPLACE INTO {table}_state ({parent}, updated_at, fetched_at, parts, expected, truncated)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        );
        Ok(Details {
            owners,
            parts: Table::new(connection, table.resource(), synced_at)?,
            held: connection.prepare_cached(&format!("SELECT id FROM {table} WHERE {parent} = ?1"))?,
            remove: connection.prepare_cached(&format!("DELETE FROM {table} WHERE id = ?1"))?,
            note: connection.prepare_cached(&note)?,
        })
    }

    /// Stores one record with its parts. Counts the parts.
    pub fn store(&mut self, detail: &Detail<'_>) -> Result<Written, Error> {
        self.owners.upsert(&detail.owner, None)?;
        self.store_parts(detail, false)
    }

    /// Stores the parts of a record that is there. One that `is_new` had none before.
    pub fn store_parts(&mut self, detail: &Detail<'_>, is_new: bool) -> Result<Written, Error> {
        let mut written = Written::default();
        let Detail { id, parts, expected, updated_at, fetched_at, .. } = detail;
        let mut received = HashSet::new();
        for raw in parts {
            let (outcome, part) = self.parts.upsert(raw, Some(id))?;
            written.count(outcome);
            received.extend(part);
        }
        // Fewer than the API ever hands out are all there are: those that did not come exist no more. The
        // stated count alone proves nothing, because not everything that it counts is handed out.
        let cut = parts.len() >= MOST_PARTS && expected.is_none_or(|expected| expected > parts.len() as i64);
        let mut count = received.len();
        if !is_new {
            let held: Vec<String> = self.held.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
            count = held.len();
            for surplus in held.iter().filter(|part| !cut && !received.contains(*part)) {
                count -= self.remove.execute([surplus])?;
                written.deleted += 1;
            }
        }
        let truncated = cut && expected.is_none_or(|expected| expected > count as i64);
        self.note.execute((id, updated_at, fetched_at, count as i64, expected, truncated))?;
        Ok(written)
    }
}
