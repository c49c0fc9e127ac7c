//! How far the mirror of each resource has come.
//!
//! A walk writes its cursor together with the page that led to it, so an interrupted one goes on
//! where it stopped. The watermark moves only when a walk has reached its end, and then to the moment
//! it began: never past something that was not fetched.

use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;

use super::error::Error;
use super::resources::ResourceName;
use super::store::Store;

/// Times are epoch seconds: `completed_at` and `pruned_at` by our clock, the others by the server's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyncState {
    pub resource: ResourceName,
    /// Start of the latest walk.
    pub started_at: i64,
    /// Where it goes on, when it was interrupted.
    #[serde(skip)]
    pub cursor: Option<String>,
    /// Start of the latest walk that reached its end: what changed before is in the mirror, ...
    pub watermark: Option<i64>,
    /// ... as far back as this; from the very beginning when `None`.
    pub floor: Option<i64>,
    pub completed_at: Option<i64>,
    /// When records that are gone were last removed.
    pub pruned_at: Option<i64>,
    /// Records the latest walk has received.
    pub rows: u64,
    pub complete: bool,
    /// Whether the workspace does not offer it.
    pub skipped: bool,
    /// Why the latest walk is not complete.
    pub reason: Option<String>,
}

impl SyncState {
    /// Whether everything is in the mirror, however long ago it changed.
    pub fn is_whole(&self) -> bool {
        self.complete && self.floor.is_none()
    }

    /// Up to when everything that changed since `wanted` (since ever, for `None`) is in the mirror.
    pub fn covers(&self, wanted: Option<i64>) -> Option<i64> {
        self.watermark.filter(|_| self.floor.unwrap_or(i64::MIN) <= wanted.unwrap_or(i64::MIN))
    }
}

/// What is known about deleted records of a resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deletions {
    /// Stored records that the workspace's count says are gone.
    pub gone: u64,
    /// What was deleted before is not in the mirror, epoch seconds by the server's clock.
    pub checked_at: Option<i64>,
    /// Whether a check has not come to its end yet.
    pub under_way: bool,
}

impl Store {
    /// # Errors
    /// When the database cannot be read.
    pub fn deletions(&self, resource: ResourceName) -> Result<Deletions, Error> {
        let sql = "SELECT gone, checked_at, check_after IS NOT NULL FROM sync_state WHERE resource = ?1";
        let deletions = self.connection.prepare_cached(sql)?.query_row([resource.as_str()], |row| {
            let gone = row.get::<_, i64>(0)?.try_into().unwrap_or(0);
            Ok(Deletions { gone, checked_at: row.get(1)?, under_way: row.get(2)? })
        });
        Ok(deletions.optional()?.unwrap_or_default())
    }

    /// The state of one resource; `None` when no sync has ever begun with it.
    ///
    /// # Errors
    /// When the database cannot be read.
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

    /// Whether nothing of a resource is stored. Parts count as stored when a conversation was asked for
    /// them, even if it has none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn is_empty(&self, resource: ResourceName) -> Result<bool, Error> {
        let table = match resource {
            ResourceName::ConversationParts => "conversation_parts_state",
            ResourceName::TicketParts => "ticket_parts_state",
            other => other.as_str(),
        };
        let sql = format!("SELECT NOT EXISTS (SELECT 1 FROM {table})");
        Ok(self.connection.query_row(&sql, [], |row| row.get(0))?)
    }

    /// The latest change that is stored; `None` when records do not tell, or when there are none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn newest(&self, resource: ResourceName) -> Result<Option<i64>, Error> {
        let Some(age) = resource.resource().age else { return Ok(None) };
        let sql = format!("SELECT max({age}) FROM {resource}");
        Ok(self.connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))?)
    }

    /// Starts a walk from the beginning.
    ///
    /// # Errors
    /// When the database refuses.
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

    /// Notes that a walk has seen everything that had changed since `since` when it began; everything
    /// there was, for `None`.
    ///
    /// # Errors
    /// When the database refuses.
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
            // Between the two is what neither walk has seen.
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

    /// Notes why a walk ended early. Its cursor stays, so that the next one goes on from there.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn fail(&mut self, resource: ResourceName, reason: &str) -> Result<(), Error> {
        self.unfinished(resource, reason, false)
    }

    /// Notes that the workspace does not offer a resource, and why.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn skip(&mut self, resource: ResourceName, reason: &str) -> Result<(), Error> {
        // Parts of what is not offered are skipped before any walk has begun.
        self.connection.execute(
            "INSERT OR IGNORE INTO sync_state (resource, started_at) VALUES (?1, unixepoch())",
            [resource.as_str()],
        )?;
        self.unfinished(resource, reason, true)
    }

    fn unfinished(&mut self, resource: ResourceName, reason: &str, skipped: bool) -> Result<(), Error> {
        self.connection.execute(
            "UPDATE sync_state SET complete = 0, reason = ?2, skipped = ?3 WHERE resource = ?1",
            (resource.as_str(), reason, skipped),
        )?;
        Ok(())
    }
}

/// Moves a walk on, in the transaction that stores the page.
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
