//! Remembers which records cannot be fetched, and quarantines those that keep failing.
//!
//! One record that the server never returns must not keep the mirror incomplete forever, and must not be forgotten
//! either: every summary names it, and it is retried at growing intervals.

use rusqlite::{Connection, params};

use super::Store;
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;

/// Runs in a row in which a record fails before it is quarantined.
const RUNS: i64 = 3;
/// Seconds until the first retry of a quarantined record. The interval doubles each time.
const FIRST_INTERVAL: i64 = 3_600;
/// The longest interval. An hour short of a day, so that a nightly run that starts slightly early still retries.
const LAST_INTERVAL: i64 = 23 * 3_600;

/// An SQL condition on the record `c`: it is not in quarantine, or is due for a retry.
pub(in crate::mirror) fn is_retryable(resource: ResourceName) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM sync_failures f WHERE f.resource = '{resource}' AND f.id = c.id
                     AND f.retry_at > unixepoch() AND f.updated_at IS c.updated_at)"
    )
}

/// A record that could not be fetched in this run.
#[derive(Debug, Clone)]
pub(in crate::mirror) struct FailedRecord {
    pub id: String,
    pub reason: String,
}

/// The failed records of a run that still count. Leaves out those that were already in quarantine.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::mirror) struct FailureReport {
    /// Failed in fewer than [`RUNS`] runs so far.
    pub new: Vec<String>,
    /// Quarantined in this run.
    pub quarantined: Vec<String>,
}

impl Store {
    /// Ids of the quarantined records of a resource. For parts these are conversations or tickets.
    ///
    /// # Errors
    /// If the database fails.
    pub fn quarantined(&self, resource: ResourceName) -> Result<Vec<String>, Error> {
        let sql = "SELECT id FROM sync_failures WHERE resource = ?1 AND retry_at IS NOT NULL ORDER BY id";
        self.texts(sql, [resource.as_str()])
    }

    /// Makes every quarantined record due for a retry.
    pub(in crate::mirror) fn retry_quarantined(&mut self, resource: ResourceName) -> Result<(), Error> {
        let sql = "UPDATE sync_failures SET retry_at = 0 WHERE resource = ?1 AND retry_at IS NOT NULL";
        self.connection.execute(sql, [resource.as_str()])?;
        Ok(())
    }

    /// Records which of the `owners` failed in this run, and clears those that were requested and did not fail.
    /// `now` is epoch seconds.
    pub(in crate::mirror) fn record_failures(
        &mut self,
        resource: ResourceName,
        owners: ResourceName,
        failed: &[FailedRecord],
        now: i64,
    ) -> Result<FailureReport, Error> {
        let transaction = self.write()?;
        let mut report = FailureReport::default();
        for FailedRecord { id, reason } in failed {
            let runs = add_failure(&transaction, resource, owners, id, reason, now)?;
            match runs {
                ..RUNS => report.new.push(id.clone()),
                RUNS => report.quarantined.push(id.clone()),
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
        Ok(report)
    }
}

/// Adds a failed run to a record. Returns how many it has now.
fn add_failure(
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
        let interval = FIRST_INTERVAL.saturating_mul(1 << (runs - RUNS).clamp(0, 16)).min(LAST_INTERVAL);
        let sql = "UPDATE sync_failures SET retry_at = ?3 WHERE resource = ?1 AND id = ?2";
        connection.prepare_cached(sql)?.execute(params![resource.as_str(), id, now + interval])?;
    }
    Ok(runs)
}
