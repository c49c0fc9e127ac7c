//! Migrates a database to the current schema.
//!
//! Migrations are SQL files, applied in order. The database's `user_version` is the number of applied ones. A released
//! file must never be edited: add a new one. `columns` fills what SQL cannot read from the stored documents, in the
//! same transaction.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::columns;
use crate::mirror::error::Error;

const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001_resources.sql"),
    include_str!("schema/0002_more_resources.sql"),
    include_str!("schema/0003_texts.sql"),
    include_str!("schema/0004_views.sql"),
    include_str!("schema/0005_surplus.sql"),
    include_str!("schema/0006_timelines.sql"),
    include_str!("schema/0007_segments.sql"),
    include_str!("schema/0008_spend.sql"),
    include_str!("schema/0009_timelines_again.sql"),
    include_str!("schema/0020_ordinary_tables.sql"),
    include_str!("schema/0021_search.sql"),
    include_str!("schema/0022_freshness.sql"),
    include_str!("schema/0030_failures.sql"),
    include_str!("schema/0040_written_by.sql"),
    include_str!("schema/0041_views.sql"),
    include_str!("schema/0042_calls_of_contacts.sql"),
    include_str!("schema/0043_operator.sql"),
];

/// The schema version this program reads and writes.
pub const VERSION: i64 = MIGRATIONS.len() as i64;

/// SQLite's `application_id` of a mirror: "ICPP". Early versions have none.
const APPLICATION_ID: i64 = 0x4943_5050;

/// The schema version of an open database; 0 if it is empty.
///
/// # Errors
/// [`Error::NotAMirror`] if it belongs to another program, [`Error::LaterSchema`] if it is newer than this program.
/// `path` is only for the message.
pub fn version(connection: &Connection, path: &Path) -> Result<i64, Error> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if !is_mirror(connection, found)? {
        return Err(Error::NotAMirror { path: path.to_owned() });
    }
    if found > VERSION {
        return Err(Error::LaterSchema { path: path.to_owned(), found, supported: VERSION });
    }
    Ok(found)
}

/// Whether a database is a mirror or empty.
fn is_mirror(connection: &Connection, version: i64) -> Result<bool, Error> {
    let id: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if id != 0 {
        return Ok(id == APPLICATION_ID);
    }
    let (ours, all): (i64, i64) = connection.query_row(
        "SELECT count(*) FILTER (WHERE type = 'table' AND name IN ('workspace', 'sync_state', 'sync_seen')), count(*)
         FROM sqlite_schema",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(if version == 0 { all == 0 } else { ours == 3 })
}

/// Applies the missing migrations, all or none.
///
/// # Errors
/// As [`version`], and if the database fails.
pub fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Error> {
    if version(connection, path)? == VERSION {
        return Ok(());
    }
    // Read again under the lock: another process may have migrated meanwhile.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let applied = version(&transaction, path)?;
    for migration in MIGRATIONS.iter().skip(usize::try_from(applied).unwrap_or(0)) {
        transaction.execute_batch(migration)?;
    }
    columns::recompute_due(&transaction)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(())
}
