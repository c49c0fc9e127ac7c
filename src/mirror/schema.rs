//! Brings a database to the schema this program knows.
//!
//! The migrations are plain SQL files, applied in order; the number of applied ones is the database's
//! `user_version`. A released file is never edited: what changes is a new file.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::error::Error;

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
];

/// The schema version this program reads and writes.
pub const VERSION: i64 = MIGRATIONS.len() as i64;

/// The schema version of an open database; 0 when it is empty.
///
/// # Errors
/// [`Error::LaterSchema`] when the database is newer than this program; `path` is only for telling.
pub fn version(connection: &Connection, path: &Path) -> Result<i64, Error> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match found > VERSION {
        true => Err(Error::LaterSchema { path: path.to_owned(), found, known: VERSION }),
        false => Ok(found),
    }
}

/// Applies the missing migrations, all or none.
///
/// # Errors
/// As [`version`], and when the database refuses.
pub fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Error> {
    if version(connection, path)? == VERSION {
        return Ok(());
    }
    // Read again under the lock: another process may have migrated in between.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let applied = version(&transaction, path)?;
    for migration in MIGRATIONS.iter().skip(usize::try_from(applied).unwrap_or(0)) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(())
}
