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

/// Seconds after which daily work is due. An hour short of a day, so that a nightly run that starts slightly
/// earlier than the last one does not skip it.
pub(in crate::mirror) const DAILY: i64 = 23 * 3_600;

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

/// What the mirror has of a resource.
#[derive(Debug)]
pub(in crate::mirror) struct Holdings {
    pub state: Option<SyncState>,
    /// The time of the latest stored change.
    pub newest: Option<i64>,
    pub is_empty: bool,
    /// Requests that the latest complete listing took.
    pub cost: u64,
}

impl Store {
    pub(in crate::mirror) fn holdings(&self, resource: ResourceName) -> Result<Holdings, Error> {
        Ok(Holdings {
            state: self.sync_state(resource)?,
            newest: self.newest(resource)?,
            is_empty: self.is_empty(resource)?,
            cost: self.cost(resource)?,
        })
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
    fn newest(&self, resource: ResourceName) -> Result<Option<i64>, Error> {
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

    /// Records how many requests a listing took.
    pub(in crate::mirror) fn note_cost(&mut self, resource: ResourceName, cost: u64) -> Result<(), Error> {
        self.set_number(resource, "cost", cost)
    }

    fn cost(&self, resource: ResourceName) -> Result<u64, Error> {
        let sql = "SELECT cost FROM sync_state WHERE resource = ?1";
        let cost: Option<i64> =
            self.connection.query_row(sql, [resource.as_str()], |row| row.get(0)).optional()?;
        Ok(cost.and_then(|cost| cost.try_into().ok()).unwrap_or(0))
    }

    /// Sets a column of the resource's state.
    pub(super) fn set_number(
        &mut self,
        resource: ResourceName,
        column: &str,
        value: u64,
    ) -> Result<(), Error> {
        let sql = format!("UPDATE sync_state SET {column} = ?2 WHERE resource = ?1");
        self.connection.execute(&sql, (resource.as_str(), value as i64))?;
        Ok(())
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
