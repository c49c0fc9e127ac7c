//! How often to read a list that cannot be filtered by change.
//!
//! Short lists are read in every run. Longer ones wait in proportion to their cost, so that a run every minute does
//! not spend its requests on unchanged records. A skipped list must keep its age, which every result reports.

use rusqlite::OptionalExtension;

use super::sync_context::SyncContext;
use crate::mirror::error::Error;
use crate::mirror::resources::{Bound, Resource, ResourceName};
use crate::mirror::store::Store;

/// Lists of at most this many requests are read in every run.
pub(super) const EVERY_RUN: u64 = 20;
/// Seconds after which daily work is due. An hour short of a day, so that a nightly run that starts slightly
/// earlier than the last one does not skip it.
pub(super) const DAILY: i64 = 23 * 3_600;
/// Seconds that a list counts as fresh per request that it costs, up to [`DAILY`].
const SECONDS_PER_REQUEST: i64 = 6;
/// Seconds by which the server's clock may appear to go back, because it is derived from whole seconds.
const ROUNDING: i64 = 1;

impl Store {
    pub(super) fn note_cost(&mut self, resource: ResourceName, requests: u64) -> Result<(), Error> {
        let sql = "UPDATE sync_state SET cost = ?2 WHERE resource = ?1";
        self.connection.execute(sql, (resource.as_str(), requests as i64))?;
        Ok(())
    }

    fn cost(&self, resource: ResourceName) -> Result<u64, Error> {
        let sql = "SELECT cost FROM sync_state WHERE resource = ?1";
        let cost: Option<i64> =
            self.connection.query_row(sql, [resource.as_str()], |row| row.get(0)).optional()?;
        Ok(cost.and_then(|cost| cost.try_into().ok()).unwrap_or(0))
    }
}

/// Seconds between two reads of a list that costs this many requests.
pub(super) fn interval(run: &SyncContext<'_>, requests: u64) -> i64 {
    match run.options.refresh {
        Some(refresh) => i64::try_from(refresh.as_secs()).unwrap_or(i64::MAX),
        None if requests <= EVERY_RUN => 0,
        None => i64::try_from(requests).unwrap_or(i64::MAX).saturating_mul(SECONDS_PER_REQUEST).min(DAILY),
    }
}

/// When a list becomes due again, in epoch seconds by the server's clock; `None` if it is due now.
///
/// # Errors
/// If the database fails.
pub(super) fn fresh_until(run: &SyncContext<'_>, resource: &'static Resource) -> Result<Option<i64>, Error> {
    let lists_changes = resource.changes.iter().any(|route| route.bound != Bound::NewestFirst);
    if lists_changes || resource.routes.is_empty() || run.options.full || run.options.prune {
        return Ok(None);
    }
    let (state, cost) =
        run.with_store(|store| Ok((store.sync_state(resource.name)?, store.cost(resource.name)?)))?;
    let read_at = state.filter(|state| state.is_whole()).and_then(|state| state.watermark);
    let until = read_at.map(|at| at.saturating_add(interval(run, cost)));
    let now = run.clock.now();
    // A clock that was ahead must not postpone a list forever.
    Ok(until.filter(|until| *until > now && read_at.is_some_and(|at| at <= now + ROUNDING)))
}
