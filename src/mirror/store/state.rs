//! The sync state of each resource: cursor, watermark and completeness.
//!
//! A listing stores its cursor together with the page before it, so an interrupted one resumes where it stopped. The
//! watermark advances only when a listing has reached its end, and then to the time that it began. It must never pass
//! a change that was not fetched.

use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;

use super::Store;
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;

/// The sync state of a resource. Times are epoch seconds: `completed_at` and `pruned_at` by the local clock, the others
/// by the server's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyncState {
    pub resource: ResourceName,
    /// Start of the latest listing.
    pub started_at: i64,
    /// Where to resume it, if it was interrupted.
    #[serde(skip)]
    pub cursor: Option<String>,
    /// Start of the latest complete listing. Everything that changed before is in the mirror, ...
    pub watermark: Option<i64>,
    /// ... back to this time; without limit if `None`.
    pub floor: Option<i64>,
    pub completed_at: Option<i64>,
    /// When deleted records were last removed.
    pub pruned_at: Option<i64>,
    /// Records received by the latest listing.
    pub rows: u64,
    pub complete: bool,
    /// Whether the workspace does not offer the resource.
    pub skipped: bool,
    /// Why the latest listing is incomplete.
    pub reason: Option<String>,
}

impl SyncState {
    /// Whether everything is in the mirror, regardless of when it changed.
    pub fn is_whole(&self) -> bool {
        self.complete && self.floor.is_none()
    }

    /// The time up to which the mirror has everything that changed since `since` (ever, if `None`).
    pub fn covers(&self, since: Option<i64>) -> Option<i64> {
        self.watermark.filter(|_| self.floor.unwrap_or(i64::MIN) <= since.unwrap_or(i64::MIN))
    }
}

/// The result of the latest checks for deleted records of a resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deletions {
    /// Number of stored records that are gone, according to the workspace's count.
    pub gone: u64,
    /// Records deleted before this time are not in the mirror. Epoch seconds by the server's clock.
    pub checked_at: Option<i64>,
    /// Whether a check is still in progress.
    pub in_progress: bool,
}

impl Store {
    /// # Errors
    /// If the database fails.
    pub fn deletions(&self, resource: ResourceName) -> Result<Deletions, Error> {
        let sql = "SELECT gone, checked_at, check_after IS NOT NULL FROM sync_state WHERE resource = ?1";
        let deletions = self.connection.prepare_cached(sql)?.query_row([resource.as_str()], |row| {
            let gone = row.get::<_, i64>(0)?.try_into().unwrap_or(0);
            Ok(Deletions { gone, checked_at: row.get(1)?, in_progress: row.get(2)? })
        });
        Ok(deletions.optional()?.unwrap_or_default())
    }

    /// The state of a resource; `None` before its first sync.
    ///
    /// # Errors
    /// If the database fails.
    pub fn sync_state(&self, resource: ResourceName) -> Result<Option<SyncState>, Error> {
        let sql = "SELECT started_at, cursor, watermark, floor, completed_at, pruned_at, rows, complete, skipped, reason
                   FROM sync_state WHERE resource = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let state = statement.query_row([resource.as_str()], |row| {
            Ok(SyncState {
                resource,
                started_at: row.get(0)?,
                cursor: row.get(1)?,
                watermark: row.get(2)?,
                floor: row.get(3)?,
                completed_at: row.get(4)?,
                pruned_at: row.get(5)?,
                rows: row.get::<_, i64>(6)?.try_into().unwrap_or(0),
                complete: row.get(7)?,
                skipped: row.get(8)?,
                reason: row.get(9)?,
            })
        });
        Ok(state.optional()?)
    }

    /// Whether no record of a resource is stored. Parts count as stored once they were requested, even if none exist.
    ///
    /// # Errors
    /// If the database fails.
    pub fn is_empty(&self, resource: ResourceName) -> Result<bool, Error> {
        let table = match resource {
            ResourceName::ConversationParts => "conversation_parts_state",
            ResourceName::TicketParts => "ticket_parts_state",
            other => other.as_str(),
        };
        let sql = format!("SELECT NOT EXISTS (SELECT 1 FROM {table})");
        Ok(self.connection.query_row(&sql, [], |row| row.get(0))?)
    }

    /// The time of the latest stored change; `None` without records or without such times.
    ///
    /// # Errors
    /// If the database fails.
    pub fn newest(&self, resource: ResourceName) -> Result<Option<i64>, Error> {
        let Some(column) = resource.resource().updated_at_column else { return Ok(None) };
        let sql = format!("SELECT max({column}) FROM {resource}");
        Ok(self.connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))?)
    }

    /// Records the start of a new listing.
    ///
    /// # Errors
    /// If the database fails.
    pub fn begin(&mut self, resource: ResourceName, started_at: i64) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "INSERT INTO sync_state (resource, started_at, reason) VALUES (?1, ?2, 'interrupted')
             ON CONFLICT (resource) DO UPDATE SET started_at = excluded.started_at, cursor = NULL, rows = 0,
                 complete = 0, skipped = 0, reason = excluded.reason",
            (resource.as_str(), started_at),
        )?;
        transaction.execute("DELETE FROM sync_seen WHERE resource = ?1", [resource.as_str()])?;
        transaction.commit()?;
        Ok(())
    }

    /// Records that a listing has returned everything that had changed since `since` when it began, or everything if
    /// `None`.
    ///
    /// # Errors
    /// If the database fails.
    pub fn finish(
        &mut self,
        resource: ResourceName,
        since: Option<i64>,
        completed_at: i64,
    ) -> Result<(), Error> {
        let Some(state) = self.sync_state(resource)? else { return Ok(()) };
        let (watermark, floor) = match (state.watermark, since) {
            (_, None) => (Some(state.started_at), None),
            (None, Some(since)) => (Some(state.started_at), Some(since)),
            // Neither listing has covered the time between the two.
            (Some(watermark), Some(since)) if since > watermark => (Some(watermark), state.floor),
            (Some(_), Some(since)) => (Some(state.started_at), state.floor.map(|floor| floor.min(since))),
        };
        self.connection.execute(
            "UPDATE sync_state SET cursor = NULL, watermark = ?2, floor = ?3, completed_at = ?4, complete = 1,
                 skipped = 0, reason = NULL
             WHERE resource = ?1",
            (resource.as_str(), watermark, floor, completed_at),
        )?;
        Ok(())
    }

    /// Records why a listing ended early. Its cursor is kept, so that the next one can resume there.
    ///
    /// # Errors
    /// If the database fails.
    pub fn fail(&mut self, resource: ResourceName, reason: &str) -> Result<(), Error> {
        self.set_incomplete(resource, reason, false)
    }

    /// Records that the workspace does not offer a resource, and why.
    ///
    /// # Errors
    /// If the database fails.
    pub fn skip(&mut self, resource: ResourceName, reason: &str) -> Result<(), Error> {
        // Parts of a resource that is not offered are skipped before any listing has begun.
        self.connection.execute(
            "INSERT OR IGNORE INTO sync_state (resource, started_at) VALUES (?1, unixepoch())",
            [resource.as_str()],
        )?;
        self.set_incomplete(resource, reason, true)
    }

    fn set_incomplete(&mut self, resource: ResourceName, reason: &str, skipped: bool) -> Result<(), Error> {
        self.connection.execute(
            "UPDATE sync_state SET complete = 0, reason = ?2, skipped = ?3 WHERE resource = ?1",
            (resource.as_str(), reason, skipped),
        )?;
        Ok(())
    }
}

/// Advances the cursor, in the transaction that stores the page.
pub(super) fn advance(
    connection: &Connection,
    resource: ResourceName,
    rows: u64,
    cursor: Option<&str>,
) -> Result<(), Error> {
    let sql = "UPDATE sync_state SET rows = rows + ?2, cursor = ?3 WHERE resource = ?1";
    connection.prepare_cached(sql)?.execute((resource.as_str(), rows as i64, cursor))?;
    Ok(())
}
