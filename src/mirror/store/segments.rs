//! The members of segments, and when they were last fetched.

use rusqlite::{OptionalExtension, Row};
use serde_json::json;

use super::Store;
use crate::mirror::error::Error;

/// Up to this many changed contacts are queried one by one.
const FEW: u32 = 20;

/// A segment with its count from the API.
#[derive(Debug)]
pub(in crate::mirror) struct SegmentCount {
    pub id: String,
    pub count: Option<i64>,
}

/// The last complete fetch of a segment's members.
#[derive(Debug, Clone, Copy)]
pub(in crate::mirror) struct MembersState {
    /// The API's count at that time.
    pub count: Option<i64>,
    /// Epoch seconds, by the server's clock.
    pub read_at: i64,
    /// Number of stored members.
    pub members: i64,
}

impl Store {
    pub(in crate::mirror) fn members_state(&self, segment: &str) -> Result<Option<MembersState>, Error> {
        let sql = "SELECT count, read_at,
                          (SELECT count(*) FROM contact_segments WHERE segment_id = ?1)
                   FROM contact_segments_state WHERE segment_id = ?1";
        let mut find = self.connection.prepare_cached(sql)?;
        let state = |row: &Row<'_>| {
            Ok(MembersState { count: row.get(0)?, read_at: row.get(1)?, members: row.get(2)? })
        };
        Ok(find.query_row([segment], state).optional()?)
    }

    /// Whether the members of any segment were fetched.
    pub(in crate::mirror) fn has_members(&self) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM contact_segments_state)";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// Contacts that changed since their texts were last indexed; empty if there are more than [`FEW`].
    pub(in crate::mirror) fn few_changed(&self) -> Result<Vec<String>, Error> {
        let sql = "SELECT record_id FROM texts_due t WHERE resource = 'contacts'
                   AND EXISTS (SELECT 1 FROM contacts WHERE id = t.record_id) LIMIT ?1";
        let ids = self.texts(sql, [FEW + 1])?;
        Ok(if ids.len() > FEW as usize { Vec::new() } else { ids })
    }

    /// Sets the segments of a contact, among those whose members were fetched.
    pub(in crate::mirror) fn set_segments_of(
        &mut self,
        contact: &str,
        segments: &[String],
    ) -> Result<(), Error> {
        let segments = json!(segments).to_string();
        let transaction = self.write()?;
        transaction.execute(
            "DELETE FROM contact_segments WHERE contact_id = ?1
             AND segment_id NOT IN (SELECT value FROM json_each(?2))",
            (contact, &segments),
        )?;
        transaction.execute(
            "INSERT OR IGNORE INTO contact_segments (contact_id, segment_id)
             SELECT ?1, value FROM json_each(?2) WHERE value IN (SELECT segment_id FROM contact_segments_state)",
            (contact, &segments),
        )?;
        Ok(transaction.commit()?)
    }

    /// Starts to collect the members of a segment in a temporary table. The search returns them in random order, so
    /// storing each page directly would rewrite most pages of the index.
    pub(in crate::mirror) fn start_collecting(&mut self) -> Result<(), Error> {
        self.connection.execute_batch(
            "CREATE TEMP TABLE IF NOT EXISTS members (id TEXT PRIMARY KEY);
             DELETE FROM temp.members;",
        )?;
        Ok(())
    }

    pub(in crate::mirror) fn collect_members(&mut self, members: &[String]) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        {
            let sql = "INSERT OR IGNORE INTO temp.members (id) VALUES (?1)";
            let mut insert = transaction.prepare_cached(sql)?;
            for member in members {
                insert.execute([member])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Replaces the members of the segment with the collected ones. Omits contacts that are not stored. `now` is epoch
    /// seconds.
    pub(in crate::mirror) fn store_collected(
        &mut self,
        segment: &SegmentCount,
        now: i64,
    ) -> Result<(), Error> {
        let transaction = self.write()?;
        transaction.execute(
            "DELETE FROM contact_segments WHERE segment_id = ?1 AND contact_id NOT IN (SELECT id FROM temp.members)",
            [&segment.id],
        )?;
        transaction.execute(
            "INSERT OR IGNORE INTO contact_segments (contact_id, segment_id)
             SELECT id, ?1 FROM temp.members WHERE id IN (SELECT id FROM contacts) ORDER BY id",
            [&segment.id],
        )?;
        transaction.execute(
            "INSERT OR REPLACE INTO contact_segments_state (segment_id, count, read_at) VALUES (?1, ?2, ?3)",
            (&segment.id, segment.count, now),
        )?;
        transaction.commit()?;
        self.connection.execute("DELETE FROM temp.members", [])?;
        Ok(())
    }

    pub(in crate::mirror) fn remove_members(&mut self, segment: &str) -> Result<(), Error> {
        let transaction = self.write()?;
        for table in ["contact_segments", "contact_segments_state"] {
            transaction.execute(&format!("DELETE FROM {table} WHERE segment_id = ?1"), [segment])?;
        }
        Ok(transaction.commit()?)
    }

    /// Removes the members of all other segments.
    pub(in crate::mirror) fn retain_segments(&mut self, segments: &[SegmentCount]) -> Result<(), Error> {
        let ids: Vec<&str> = segments.iter().map(|segment| segment.id.as_str()).collect();
        let ids = json!(ids).to_string();
        let transaction = self.write()?;
        for table in ["contact_segments", "contact_segments_state"] {
            let sql =
                format!("DELETE FROM {table} WHERE segment_id NOT IN (SELECT value FROM json_each(?1))");
            transaction.execute(&sql, [&ids])?;
        }
        Ok(transaction.commit()?)
    }
}
