//! A record with all its parts, as it was fetched.

use std::collections::HashSet;

use rusqlite::{CachedStatement, Connection};

use super::{Table, Written};
use crate::mirror::conversation::{Detail, Nesting};
use crate::mirror::error::Error;

/// The API hands out the newest 500 parts of a conversation.
const MOST_PARTS: usize = 500;
/// So many parts that are counted and do not come are nothing to worry about.
const FEW: i64 = 10;

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
        let Detail { id, parts, shows_parts, expected, updated_at, fetched_at, .. } = detail;
        let mut received = HashSet::new();
        for raw in parts {
            let (outcome, part) = self.parts.upsert(raw, Some(id))?;
            written.count(outcome);
            received.extend(part);
        }
        // A part without an id may be any of those that are stored.
        let nameless = written.unidentified > 0;
        // Parts that did not come no longer exist, unless the list was cut, is missing, or is empty against its own count.
        let cut = !shows_parts || nameless || lacks(*expected, parts.len(), parts.len());
        let keeps_all = cut || detail.is_list_short();
        let mut count = received.len();
        if !is_new {
            let held: Vec<String> = self.held.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
            count = held.len();
            for surplus in held.iter().filter(|part| !keeps_all && !received.contains(*part)) {
                count -= self.remove.execute([surplus])?;
                written.deleted += 1;
            }
        }
        let withheld = detail.withholds_parts();
        let truncated = nameless
            || (withheld && expected.is_some_and(|expected| expected > count as i64))
            || (cut && lacks(*expected, count, parts.len()));
        // What did not come, or could not be stored, stays due.
        let fetched_at = if nameless || withheld { 0 } else { *fetched_at };
        self.note.execute((id, updated_at, fetched_at, count as i64, expected, truncated))?;
        Ok(written)
    }
}

/// Whether parts are missing among so many, of which the server handed out `shown` and counts `expected`. What
/// exactly it counts is not known: a few parts that it counts are never handed out. So below the most that the
/// API gives, only a clear difference tells.
pub fn lacks(expected: Option<i64>, there: usize, shown: usize) -> bool {
    let missing = expected.map(|expected| expected - there as i64);
    match missing {
        None => shown >= MOST_PARTS,
        Some(missing) if shown >= MOST_PARTS => missing > 0,
        Some(missing) => missing > FEW && missing * 10 > there as i64 + missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_difference_is_no_sign_of_missing_parts() {
        let lacks = |expected, there| lacks(Some(expected), there, there);
        assert!(lacks(700, 480) && lacks(700, 3) && lacks(501, 500));
        assert!(!lacks(4, 3) && !lacks(12, 3) && !lacks(480, 470) && !lacks(500, 500));
        assert!(super::lacks(None, 500, 500) && !super::lacks(None, 499, 499));
        assert!(!super::lacks(Some(700), 700, 480), "the others came earlier");
    }
}
