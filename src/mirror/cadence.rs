//! How often a list is read that does not tell what has changed.
//!
//! Small lists are read in every run. The others wait for as long as they cost, so that a run every minute does not
//! spend its calls on what is as it was. What is left out keeps the age it has, which every answer tells.

use rusqlite::OptionalExtension;

use super::error::Error;
use super::resources::{Bound, Resource, ResourceName};
use super::run::Run;
use super::store::Store;

/// Calls that a list may cost in every run.
pub(super) const EVERY_RUN: u64 = 20;
/// Seconds after which what is done once a day is due. An hour short of a day: a nightly run that begins a little
/// earlier than the last one must not leave it to the next night.
pub(super) const DAILY: i64 = 23 * 3_600;
/// Seconds that a list is taken to be as it was, for each call that it costs, at most [`DAILY`].
const FOR_A_CALL: i64 = 6;
/// Seconds by which the server's clock, worked out from two that show whole seconds, may seem to go back.
const ROUNDING: i64 = 1;

impl Store {
    pub(super) fn note_cost(&mut self, resource: ResourceName, calls: u64) -> Result<(), Error> {
        let sql = "UPDATE sync_state SET cost = ?2 WHERE resource = ?1";
        self.connection.execute(sql, (resource.as_str(), calls as i64))?;
        Ok(())
    }

    fn cost(&self, resource: ResourceName) -> Result<u64, Error> {
        let sql = "SELECT cost FROM sync_state WHERE resource = ?1";
        let cost: Option<i64> =
            self.connection.query_row(sql, [resource.as_str()], |row| row.get(0)).optional()?;
        Ok(cost.and_then(|cost| cost.try_into().ok()).unwrap_or(0))
    }
}

/// Seconds between two readings of what costs so many calls.
pub(super) fn interval(run: &Run<'_>, calls: u64) -> i64 {
    match run.options.refresh {
        Some(refresh) => i64::try_from(refresh.as_secs()).unwrap_or(i64::MAX),
        None if calls <= EVERY_RUN => 0,
        None => i64::try_from(calls).unwrap_or(i64::MAX).saturating_mul(FOR_A_CALL).min(DAILY),
    }
}

/// Until when a list need not be read again, in epoch seconds by the server's clock; `None` when it is due.
///
/// # Errors
/// When the store refuses.
pub(super) fn fresh_until(run: &Run<'_>, resource: &'static Resource) -> Result<Option<i64>, Error> {
    let tells_changes = resource.changes.iter().any(|route| route.bound != Bound::NewestFirst);
    if tells_changes || resource.routes.is_empty() || run.options.full || run.options.prune {
        return Ok(None);
    }
    let (state, cost) =
        run.with_store(|store| Ok((store.sync_state(resource.name)?, store.cost(resource.name)?)))?;
    let read_at = state.filter(|state| state.is_whole()).and_then(|state| state.watermark);
    let until = read_at.map(|at| at.saturating_add(interval(run, cost)));
    let now = run.clock.server();
    // A clock that was ahead must not hold a list up for ever.
    Ok(until.filter(|until| *until > now && read_at.is_some_and(|at| at <= now + ROUNDING)))
}
