//! Writes a conversation or ticket together with all its parts.

use std::collections::HashSet;

use rusqlite::{CachedStatement, Connection};

use super::counts::WriteCounts;
use super::record::Table;
use crate::mirror::conversation::{Detail, Nesting};
use crate::mirror::error::Error;

/// The API returns only the newest 500 parts of a conversation.
const MOST_PARTS: usize = 500;
/// A count that exceeds the returned parts by this many is normal.
const FEW: i64 = 10;

/// The tables of records and of their parts, with their prepared statements.
pub(super) struct DetailTables<'c> {
    owners: Table<'c>,
    parts: Table<'c>,
    select: CachedStatement<'c>,
    delete: CachedStatement<'c>,
    record_state: CachedStatement<'c>,
}

impl<'c> DetailTables<'c> {
    pub fn new(connection: &'c Connection, of: &Nesting, synced_at: i64) -> Result<Self, Error> {
        let table = of.parts;
        let parent = table.resource().parent.unwrap_or("id");
        let mut owners = Table::new(connection, of.owner.resource(), synced_at)?;
        owners.keeps_equal = false;
        let record_state = format!(
            "INSERT OR REPLACE INTO {table}_state ({parent}, updated_at, fetched_at, parts, expected, truncated)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        );
        Ok(DetailTables {
            owners,
            parts: Table::new(connection, table.resource(), synced_at)?,
            select: connection.prepare_cached(&format!("SELECT id FROM {table} WHERE {parent} = ?1"))?,
            delete: connection.prepare_cached(&format!("DELETE FROM {table} WHERE id = ?1"))?,
            record_state: connection.prepare_cached(&record_state)?,
        })
    }

    /// Stores one record with its parts. Counts the parts.
    pub fn store(&mut self, detail: &Detail<'_>) -> Result<WriteCounts, Error> {
        self.owners.upsert(&detail.owner, None)?;
        self.store_parts(detail, false)
    }

    /// Stores the parts of a stored record. A record that `is_new` has no parts yet.
    pub fn store_parts(&mut self, detail: &Detail<'_>, is_new: bool) -> Result<WriteCounts, Error> {
        let mut written = WriteCounts::default();
        let Detail { id, parts, shows_parts, expected, updated_at, fetched_at, .. } = detail;
        let mut received = HashSet::new();
        for raw in parts {
            let (upsert, part) = self.parts.upsert(raw, Some(id))?;
            written.count(upsert);
            received.extend(part);
        }
        // A part without an id may be any of the stored ones.
        let has_unidentified = written.unidentified > 0;
        // Parts that were not returned no longer exist, unless the list is truncated, missing, or empty against its
        // own count.
        let is_truncated =
            !shows_parts || has_unidentified || lacks_parts(*expected, parts.len(), parts.len());
        let keep_all = is_truncated || detail.is_list_short();
        let mut count = received.len();
        if !is_new {
            let stored: Vec<String> =
                self.select.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
            count = stored.len();
            for surplus in stored.iter().filter(|part| !keep_all && !received.contains(*part)) {
                count -= self.delete.execute([surplus])?;
                written.deleted += 1;
            }
        }
        let withheld = detail.withholds_parts();
        let truncated = has_unidentified
            || (withheld && expected.is_some_and(|expected| expected > count as i64))
            || (is_truncated && lacks_parts(*expected, count, parts.len()));
        // Parts that were not returned, or could not be stored, stay due.
        let fetched_at = if has_unidentified || withheld { 0 } else { *fetched_at };
        self.record_state.execute((id, updated_at, fetched_at, count as i64, expected, truncated))?;
        Ok(written)
    }
}

/// Whether parts are missing, if the server counts `expected` parts, has `returned` some and `stored` are known. The
/// count includes a few parts that are never returned, so unless the API's maximum was returned, only a clear
/// difference means that parts are missing.
pub fn lacks_parts(expected: Option<i64>, stored: usize, returned: usize) -> bool {
    let missing = expected.map(|expected| expected - stored as i64);
    match missing {
        None => returned >= MOST_PARTS,
        Some(missing) if returned >= MOST_PARTS => missing > 0,
        Some(missing) => missing > FEW && missing * 10 > stored as i64 + missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_difference_does_not_mean_missing_parts() {
        let lacks = |expected, stored| lacks_parts(Some(expected), stored, stored);
        assert!(lacks(700, 480) && lacks(700, 3) && lacks(501, 500));
        assert!(!lacks(4, 3) && !lacks(12, 3) && !lacks(480, 470) && !lacks(500, 500));
        assert!(lacks_parts(None, 500, 500) && !lacks_parts(None, 499, 499));
        assert!(!lacks_parts(Some(700), 700, 480), "the other parts were stored earlier");
    }
}
