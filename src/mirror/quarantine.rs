//! Remembers which records cannot be fetched, and sets aside those that keep failing.
//!
//! One record that the server never hands out must not keep the mirror from ever being complete, and must
//! not be forgotten either: it is named in every summary and tried again, less and less often.

use rusqlite::{Connection, params};

use super::cadence::DAILY;
use super::error::Error;
use super::resources::ResourceName;
use super::store::Store;

/// So many runs in a row a record fails before it is set aside.
const RUNS: i64 = 3;
/// Seconds until a record in quarantine is tried again the first time; they double every time.
const FIRST_REST: i64 = 3_600;

/// A condition on the record `c` of a query: it is not resting in quarantine.
pub(super) fn is_awake(resource: ResourceName) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM sync_failures f WHERE f.resource = '{resource}' AND f.id = c.id
                     AND f.retry_at > unixepoch() AND f.updated_at IS c.updated_at)"
    )
}

/// A record that could not be fetched in this run.
#[derive(Debug, Clone)]
pub(super) struct Failed {
    pub id: String,
    pub reason: String,
}

/// What the failures of a run come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Noted {
    /// Failed in fewer than [`RUNS`] runs so far.
    pub new: Vec<String>,
    /// Failed so often by this run that they are set aside from now on.
    pub set_aside: Vec<String>,
}

impl Store {
    /// Ids of the records of a resource that are in quarantine. For parts these are conversations or tickets.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn quarantined(&self, resource: ResourceName) -> Result<Vec<String>, Error> {
        let sql = "SELECT id FROM sync_failures WHERE resource = ?1 AND retry_at IS NOT NULL ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let ids = statement.query_map([resource.as_str()], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// Has every record in quarantine tried again.
    pub(super) fn wake(&mut self, resource: ResourceName) -> Result<(), Error> {
        let sql = "UPDATE sync_failures SET retry_at = 0 WHERE resource = ?1 AND retry_at IS NOT NULL";
        self.connection.execute(sql, [resource.as_str()])?;
        Ok(())
    }

    /// Notes which records of `owners` failed in this run at the time `now`; those that were asked for and did
    /// not fail are forgotten.
    pub(super) fn note_failures(
        &mut self,
        resource: ResourceName,
        owners: ResourceName,
        failed: &[Failed],
        now: i64,
    ) -> Result<Noted, Error> {
        let transaction = self.write()?;
        let mut noted = Noted::default();
        for Failed { id, reason } in failed {
            let runs = add(&transaction, resource, owners, id, reason, now)?;
            match runs {
                ..RUNS => noted.new.push(id.clone()),
                RUNS => noted.set_aside.push(id.clone()),
                _ => {}
            }
        }
        let sql = format!(
            "DELETE FROM sync_failures AS f WHERE resource = ?1 AND id NOT IN (SELECT value FROM json_each(?3))
             AND (coalesce(retry_at, 0) <= ?2 OR NOT EXISTS
                  (SELECT 1 FROM {owners} c WHERE c.id = f.id AND c.updated_at IS f.updated_at))"
        );
        let failed: Vec<&str> = failed.iter().map(|record| record.id.as_str()).collect();
        let failed = serde_json::Value::from(failed).to_string();
        transaction.prepare_cached(&sql)?.execute(params![resource.as_str(), now, failed])?;
        transaction.commit()?;
        Ok(noted)
    }
}

/// Counts one more failed run of a record. Returns how many there are by now.
fn add(
    connection: &Connection,
    resource: ResourceName,
    owners: ResourceName,
    id: &str,
    reason: &str,
    now: i64,
) -> Result<i64, Error> {
    let sql = format!(
        "INSERT INTO sync_failures (resource, id, updated_at, runs, first_failed_at, last_failed_at, reason)
         VALUES (?1, ?2, (SELECT updated_at FROM {owners} WHERE id = ?2), 1, ?3, ?3, ?4)
         ON CONFLICT (resource, id) DO UPDATE SET runs = runs + 1, updated_at = excluded.updated_at,
             last_failed_at = excluded.last_failed_at, reason = excluded.reason
         RETURNING runs"
    );
    let runs: i64 = connection
        .prepare_cached(&sql)?
        .query_row(params![resource.as_str(), id, now, reason], |row| row.get(0))?;
    if runs >= RUNS {
        let rest = FIRST_REST.saturating_mul(1 << (runs - RUNS).clamp(0, 16)).min(DAILY);
        let sql = "UPDATE sync_failures SET retry_at = ?3 WHERE resource = ?1 AND id = ?2";
        connection.prepare_cached(sql)?.execute(params![resource.as_str(), id, now + rest])?;
    }
    Ok(runs)
}
