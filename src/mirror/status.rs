//! What the mirror holds, and how far it can be trusted.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::Serialize;

use super::error::Error;
use super::resources::ResourceName;
use super::store::Store;

/// One resource of the mirror. Times are epoch seconds; a time or a size that is not known is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    pub resource: ResourceName,
    pub rows: u64,
    /// `complete`, `partial` (only what changed since `floor`), `incomplete`, `skipped` or `never`.
    pub state: &'static str,
    /// Everything that changed before is in the mirror, ...
    pub watermark: Option<i64>,
    /// ... as far back as this; from the very beginning for `None`.
    pub floor: Option<i64>,
    /// Seconds since the watermark.
    pub age: Option<i64>,
    /// When a sync last reached the end.
    pub completed_at: Option<i64>,
    /// When records that are gone were last removed.
    pub pruned_at: Option<i64>,
    /// Of the table and its indexes.
    pub bytes: Option<u64>,
    /// Why it is not complete.
    pub reason: Option<String>,
}

/// The status of every resource, in the order of [`ResourceName::ALL`]. `now` is epoch seconds.
///
/// # Errors
/// When the database cannot be read.
pub fn status(store: &Store, now: i64) -> Result<Vec<Status>, Error> {
    let sizes = sizes(store.connection())?;
    let one = |resource: &ResourceName| {
        let sql = format!("SELECT count(*) FROM {resource}");
        let rows: i64 = store.connection().query_row(&sql, [], |row| row.get(0))?;
        let known = store.sync_state(*resource)?;
        let state = match &known {
            None => "never",
            Some(known) if known.skipped => "skipped",
            Some(known) if known.is_whole() => "complete",
            Some(known) if known.complete => "partial",
            Some(_) => "incomplete",
        };
        let watermark = known.as_ref().and_then(|known| known.watermark);
        Ok(Status {
            resource: *resource,
            rows: rows.try_into().unwrap_or(0),
            state,
            watermark,
            floor: known.as_ref().and_then(|known| known.floor),
            age: watermark.map(|at| (now - at).max(0)),
            completed_at: known.as_ref().and_then(|known| known.completed_at),
            pruned_at: known.as_ref().and_then(|known| known.pruned_at),
            bytes: sizes.get(resource.as_str()).copied(),
            reason: known.and_then(|known| known.reason),
        })
    };
    ResourceName::ALL.iter().map(one).collect()
}

/// Bytes of each table with its indexes.
fn sizes(connection: &Connection) -> Result<BTreeMap<String, u64>, Error> {
    let sql = "SELECT s.tbl_name, sum(d.pgsize) FROM dbstat('main', 1) d
               JOIN sqlite_schema s ON s.name = d.name GROUP BY s.tbl_name";
    let mut statement = connection.prepare(sql)?;
    let rows =
        statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.try_into().unwrap_or(0))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
