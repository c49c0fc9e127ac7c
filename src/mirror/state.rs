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

/// Times are epoch seconds: `started_at` and `watermark` by the server's clock, `completed_at` by ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyncState {
    pub resource: ResourceName,
    /// Start of the latest walk.
    pub started_at: i64,
    /// Where it goes on, when it was interrupted.
    #[serde(skip)]
    pub cursor: Option<String>,
    /// Start of the latest walk that reached its end.
    pub watermark: Option<i64>,
    pub completed_at: Option<i64>,
    /// Records the latest walk has received.
    pub rows: u64,
    pub complete: bool,
    /// Why the latest walk is not complete.
    pub reason: Option<String>,
}

impl Store {
    /// The state of one resource; `None` when no sync has ever begun with it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn sync_state(&self, resource: ResourceName) -> Result<Option<SyncState>, Error> {
        let sql = "SELECT started_at, cursor, watermark, completed_at, rows, complete, reason
                   FROM sync_state WHERE resource = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let state = statement.query_row([resource.as_str()], |row| {
            Ok(SyncState {
                resource,
                started_at: row.get(0)?,
                cursor: row.get(1)?,
                watermark: row.get(2)?,
                completed_at: row.get(3)?,
                rows: row.get::<_, i64>(4)?.try_into().unwrap_or(0),
                complete: row.get(5)?,
                reason: row.get(6)?,
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
            other => other.as_str(),
        };
        let sql = format!("SELECT NOT EXISTS (SELECT 1 FROM {table})");
        Ok(self.connection.query_row(&sql, [], |row| row.get(0))?)
    }

    /// Starts a walk from the beginning.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn begin(&mut self, resource: ResourceName, started_at: i64) -> Result<(), Error> {
        self.connection.execute(
            "INSERT INTO sync_state (resource, started_at, reason) VALUES (?1, ?2, 'interrupted')
             ON CONFLICT (resource) DO UPDATE SET
                 started_at = excluded.started_at, cursor = NULL, rows = 0, complete = 0, reason = excluded.reason",
            (resource.as_str(), started_at),
        )?;
        Ok(())
    }

    /// Notes that a walk has seen everything there was when it began.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn finish(&mut self, resource: ResourceName, completed_at: i64) -> Result<(), Error> {
        self.connection.execute(
            "UPDATE sync_state SET cursor = NULL, watermark = started_at, completed_at = ?2, complete = 1, reason = NULL
             WHERE resource = ?1",
            (resource.as_str(), completed_at),
        )?;
        Ok(())
    }

    /// Notes why a walk ended early. Its cursor stays, so that the next one goes on from there.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn fail(&mut self, resource: ResourceName, reason: &str) -> Result<(), Error> {
        self.connection.execute(
            "UPDATE sync_state SET complete = 0, reason = ?2 WHERE resource = ?1",
            (resource.as_str(), reason),
        )?;
        Ok(())
    }
}

/// Moves a walk on, in the transaction that stores the page.
pub(super) fn advance(
    connection: &Connection,
    resource: ResourceName,
    rows: usize,
    cursor: Option<&str>,
) -> Result<(), Error> {
    let sql = "UPDATE sync_state SET rows = rows + ?2, cursor = ?3 WHERE resource = ?1";
    connection.prepare_cached(sql)?.execute((resource.as_str(), rows as i64, cursor))?;
    Ok(())
}
