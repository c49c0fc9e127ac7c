//! State of the checks for deleted records of a resource: the position, the results, and the surplus.

use rusqlite::OptionalExtension;

use super::Store;
use super::read::RecordQuery;
use super::state::DAILY;
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;

/// Ids per query.
const BATCH: u32 = 500;

/// The result of the latest checks for deleted records of a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deletions {
    /// Number of stored records that are gone, according to the workspace's count.
    pub gone: u64,
    /// Records deleted before this time are not in the mirror. Epoch seconds by the server's clock.
    pub checked_at: Option<i64>,
    /// The start of an unfinished check, in epoch seconds, and the last id that it has covered.
    pub position: Option<(i64, String)>,
}

impl Store {
    /// # Errors
    /// If the database fails.
    pub fn deletions(&self, resource: ResourceName) -> Result<Deletions, Error> {
        let sql = "SELECT gone, checked_at, check_began_at, check_after FROM sync_state WHERE resource = ?1";
        let deletions = self.connection.prepare_cached(sql)?.query_row([resource.as_str()], |row| {
            let gone = row.get::<_, i64>(0)?.try_into().unwrap_or(0);
            let (began, after): (Option<i64>, Option<String>) = (row.get(2)?, row.get(3)?);
            Ok(Deletions { gone, checked_at: row.get(1)?, position: began.zip(after) })
        });
        Ok(deletions.optional()?.unwrap_or_default())
    }

    /// Records that a check which began at `began` (epoch seconds by the server's clock) has covered the ids up to
    /// `after`.
    pub(in crate::mirror) fn note_position(
        &mut self,
        resource: ResourceName,
        began: i64,
        after: &str,
    ) -> Result<(), Error> {
        let sql = "UPDATE sync_state SET check_began_at = ?2, check_after = ?3 WHERE resource = ?1";
        self.connection.execute(sql, (resource.as_str(), began, after))?;
        Ok(())
    }

    /// Records that such a check has removed everything that was gone when it began. `now` is epoch seconds by the
    /// local clock.
    pub(in crate::mirror) fn record_check(
        &mut self,
        resource: ResourceName,
        began: i64,
        now: i64,
    ) -> Result<(), Error> {
        let transaction = self.write()?;
        transaction.execute("DELETE FROM sync_seen WHERE resource = ?1", [resource.as_str()])?;
        transaction.execute(
            "UPDATE sync_state SET pruned_at = ?2, checked_at = ?3, check_began_at = NULL, check_after = NULL, gone = 0
             WHERE resource = ?1",
            (resource.as_str(), now, began),
        )?;
        Ok(transaction.commit()?)
    }

    pub(in crate::mirror) fn note_gone(&mut self, resource: ResourceName, gone: u64) -> Result<(), Error> {
        self.set_number(resource, "gone", gone)
    }

    /// By how many the stored records exceed the workspace's count, and how many of those are known to exist. `now` is
    /// epoch seconds by the server's clock.
    pub(in crate::mirror) fn surplus(
        &self,
        resource: ResourceName,
        counted: u64,
        now: i64,
    ) -> Result<(u64, u64), Error> {
        let sql = "SELECT coalesce(max(surplus), 0) FROM sync_state WHERE resource = ?1 AND checked_at > ?2";
        let trusted = (resource.as_str(), now - DAILY);
        let known: i64 = self.connection.prepare_cached(sql)?.query_row(trusted, |row| row.get(0))?;
        let stored = self.count(resource, &RecordQuery::default())?;
        Ok((stored.saturating_sub(counted), known.try_into().unwrap_or(0)))
    }

    pub(in crate::mirror) fn note_surplus(
        &mut self,
        resource: ResourceName,
        surplus: u64,
    ) -> Result<(), Error> {
        self.set_number(resource, "surplus", surplus)
    }

    /// Stored records after an id, ordered by id.
    pub(in crate::mirror) fn ids_after(
        &self,
        resource: ResourceName,
        after: &str,
        limit: u32,
    ) -> Result<Vec<String>, Error> {
        self.texts(&format!("SELECT id FROM {resource} WHERE id > ?1 ORDER BY id LIMIT ?2"), (after, limit))
    }

    /// The next stored records that the current listing has not returned, ordered by id.
    pub(in crate::mirror) fn unseen(
        &self,
        resource: ResourceName,
        after: &str,
    ) -> Result<Vec<String>, Error> {
        let sql = format!(
            "SELECT id FROM {resource} WHERE id > ?1
             AND NOT EXISTS (SELECT 1 FROM sync_seen s WHERE s.resource = ?2 AND s.id = {resource}.id)
             ORDER BY id LIMIT ?3"
        );
        self.texts(&sql, (after, resource.as_str(), BATCH))
    }
}
