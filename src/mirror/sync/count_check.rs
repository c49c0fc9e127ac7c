//! Detects deletions cheaply, by comparing the number of stored records with the workspace's count.
//!
//! Listings of changes do not show deletions or merges, but one request counts everything. A count proves nothing
//! about a single record: it only shows that the stored records need to be checked.
//!
//! Some lists count fewer records than they return. The surplus that remains after a check is remembered, so that
//! it does not trigger a check in every run. Records come and go during a check, so that number can be wrong and
//! expires after a day.

use serde::Deserialize;
use serde_json::Value;

use super::cadence::DAILY;
use super::sync_context::{ResourceProgress, SyncContext};
use crate::api;
use crate::api::page_arguments::with_size;
use crate::api::paging::Page;
use crate::api::request_builder::operation;
use crate::data::lenient;
use crate::mirror::error::Error;
use crate::mirror::resources::{Resource, ResourceName};
use crate::mirror::store::Store;
use crate::mirror::store::read::RecordQuery;

impl Store {
    /// By how many the stored records exceed the workspace's count, and how many of those are known to exist.
    fn surplus(&self, resource: ResourceName, counted: u64, now: i64) -> Result<(u64, u64), Error> {
        let sql = "SELECT coalesce(max(surplus), 0) FROM sync_state WHERE resource = ?1 AND checked_at > ?2";
        let trusted = (resource.as_str(), now - DAILY);
        let known: i64 = self.connection.prepare_cached(sql)?.query_row(trusted, |row| row.get(0))?;
        let stored = self.count(resource, &RecordQuery::default())?;
        Ok((stored.saturating_sub(counted), known.try_into().unwrap_or(0)))
    }

    fn store_surplus(&mut self, resource: ResourceName, surplus: u64) -> Result<(), Error> {
        let sql = "UPDATE sync_state SET surplus = ?2 WHERE resource = ?1";
        self.connection.execute(sql, (resource.as_str(), surplus as i64))?;
        Ok(())
    }
}

/// How many stored records are gone according to the workspace's count, and that count. `listed` is the count from
/// a listing in this run, which saves a request. `None` if the count is unknown, which proves nothing.
///
/// # Errors
/// If the database fails.
pub(super) async fn gone(
    run: &SyncContext<'_>,
    resource: &'static Resource,
    listed: Option<u64>,
    progress: &mut ResourceProgress,
) -> Result<Option<(u64, u64)>, Error> {
    let counted = match listed {
        Some(listed) => Some(listed),
        None => count(run, resource, progress).await.ok().flatten(),
    };
    let Some(counted) = counted else { return Ok(None) };
    let now = run.clock.now();
    let (surplus, known) = run.with_store(|store| store.surplus(resource.name, counted, now))?;
    if surplus <= known {
        run.with_store(|store| store.store_surplus(resource.name, surplus))?;
    }
    Ok(Some((surplus.saturating_sub(known), counted)))
}

/// Remembers the surplus that remains after a check. `before` is the count from before the listing. The larger
/// count is used: records created since are stored and counted only now, and records deleted since were counted
/// then and may still be stored.
///
/// # Errors
/// If the database fails.
pub(super) async fn record_surplus(
    run: &SyncContext<'_>,
    resource: &'static Resource,
    before: Option<u64>,
    progress: &mut ResourceProgress,
) -> Result<(), Error> {
    let after = count(run, resource, progress).await.ok().flatten();
    run.with_store(|store| {
        let surplus = match before.max(after) {
            Some(counted) => store.surplus(resource.name, counted, run.clock.now())?.0,
            None => 0,
        };
        store.store_surplus(resource.name, surplus)
    })
}

pub(super) async fn count(
    run: &SyncContext<'_>,
    resource: &'static Resource,
    progress: &mut ResourceProgress,
) -> Result<Option<u64>, api::Error> {
    let Some(route) = resource.routes.first() else { return Ok(None) };
    let list = operation(route.operation)?;
    let arguments = with_size(list, route.arguments(None), Some(1))?;
    progress.requests += 1;
    let reply = run.client.fetch(list, &arguments).await?;
    Ok(total_count(&Page::read(list, &arguments, reply)?))
}

/// The number of records on all pages, as reported by the list.
pub(super) fn total_count(page: &Page) -> Option<u64> {
    #[derive(Deserialize)]
    struct Total {
        #[serde(default)]
        total_count: Value,
    }
    let total: Total = serde_json::from_slice(&page.reply.body).ok()?;
    lenient::integer(&total.total_count)?.try_into().ok()
}
