//! Notices from the workspace's own count that it has lost records.
//!
//! Lists of what changed do not show what was deleted or merged; a count of everything costs one call. A
//! count proves nothing about any single record: it only tells that it is worth checking what is stored.
//!
//! Some lists count fewer records than they show. What goes beyond the count once everything that is gone
//! has been removed is remembered, so that it does not have everything checked in every run. But records
//! come and go while they are checked and counted, so that memory is wrong at times: it lasts for a day.

use serde::Deserialize;
use serde_json::Value;

use super::cadence::DAILY;
use super::error::Error;
use super::fields;
use super::read::Choice;
use super::resources::{Resource, ResourceName};
use super::run::{Run, Tally};
use super::store::Store;
use crate::api;
use crate::api::page_arguments::with_size;
use crate::api::paging::Page;
use crate::api::request_builder::operation;

impl Store {
    /// How many stored records go beyond the count of the workspace, and how many of them are known to
    /// exist all the same.
    fn surplus(&self, resource: ResourceName, counted: u64, now: i64) -> Result<(u64, u64), Error> {
        let sql = "SELECT coalesce(max(surplus), 0) FROM sync_state WHERE resource = ?1 AND checked_at > ?2";
        let trusted = (resource.as_str(), now - DAILY);
        let known: i64 = self.connection.prepare_cached(sql)?.query_row(trusted, |row| row.get(0))?;
        Ok((self.count(resource, &Choice::default())?.saturating_sub(counted), known.try_into().unwrap_or(0)))
    }

    fn note_surplus(&mut self, resource: ResourceName, surplus: u64) -> Result<(), Error> {
        let sql = "UPDATE sync_state SET surplus = ?2 WHERE resource = ?1";
        self.connection.execute(sql, (resource.as_str(), surplus as i64))?;
        Ok(())
    }
}

/// How many stored records the workspace's count says are gone, and that count. `listed` is the count, where a
/// list has told it just now. `None` when it cannot be had: that is no sign of anything.
///
/// # Errors
/// When the store refuses.
pub(super) async fn gone(
    run: &Run<'_>,
    resource: &'static Resource,
    listed: Option<u64>,
    tally: &mut Tally,
) -> Result<Option<(u64, u64)>, Error> {
    let counted = match listed {
        Some(listed) => Some(listed),
        None => count(run, resource, tally).await.ok().flatten(),
    };
    let Some(counted) = counted else { return Ok(None) };
    let now = run.clock.server();
    let (surplus, known) = run.with_store(|store| store.surplus(resource.name, counted, now))?;
    if surplus <= known {
        run.with_store(|store| store.note_surplus(resource.name, surplus))?;
    }
    Ok(Some((surplus.saturating_sub(known), counted)))
}

/// Notes what is left beyond the count once everything that is gone has been removed. `before` is the count
/// from before the listing: what came in the meantime was stored and is counted now, what went was counted
/// then and may be stored still.
///
/// # Errors
/// When the store refuses.
pub(super) async fn settle(
    run: &Run<'_>,
    resource: &'static Resource,
    before: Option<u64>,
    tally: &mut Tally,
) -> Result<(), Error> {
    let after = count(run, resource, tally).await.ok().flatten();
    run.with_store(|store| {
        let surplus = match before.max(after) {
            Some(counted) => store.surplus(resource.name, counted, run.clock.server())?.0,
            None => 0,
        };
        store.note_surplus(resource.name, surplus)
    })
}

pub(super) async fn count(
    run: &Run<'_>,
    resource: &'static Resource,
    tally: &mut Tally,
) -> Result<Option<u64>, api::Error> {
    let Some(route) = resource.routes.first() else { return Ok(None) };
    let list = operation(route.operation)?;
    let arguments = with_size(list, route.arguments(None), Some(1))?;
    tally.requests += 1;
    let reply = run.client.fetch(list, &arguments).await?;
    Ok(total_count(&Page::read(list, &arguments, reply)?))
}

/// How many records a list says it has, on all its pages.
pub(super) fn total_count(page: &Page) -> Option<u64> {
    #[derive(Deserialize)]
    struct Total {
        #[serde(default)]
        total_count: Value,
    }
    let total: Total = serde_json::from_slice(&page.reply.body).ok()?;
    fields::integer(&total.total_count)?.try_into().ok()
}
