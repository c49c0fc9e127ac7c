//! Fetches records that the mirror lacks according to the workspace's count.
//!
//! A search for changes never returns a record that an earlier run missed, but one request counts everything. A
//! listing is only complete once the mirror holds as many records as the workspace counts.

use std::pin::pin;

use futures::StreamExt;

use super::{Route, SyncPlan};
use crate::api::request_builder::operation;
use crate::mirror::error::Error;
use crate::mirror::resources::Resource;
use crate::mirror::store::read::RecordQuery;
use crate::mirror::store::write::ListPage;
use crate::mirror::sync::count_check::count;
use crate::mirror::sync::sync_context::{ResourceProgress, SyncContext, local_now};

/// Compares the number of stored records with the workspace's count, and lists until none are missing. Returns a
/// message if some still are.
///
/// # Errors
/// [`Error::Api`] if the list cannot be read, another one if the database fails.
pub(super) async fn close(
    run: &SyncContext<'_>,
    resource: &'static Resource,
    route: &'static Route,
    plan: &SyncPlan,
    progress: &mut ResourceProgress,
) -> Result<Option<String>, Error> {
    let wants_everything = run.options.since.is_none() && run.options.max_pages.is_none();
    // A list that was read from beginning to end has been compared with its own count.
    let was_compared = plan.since.is_none() && !progress.resumed;
    if !wants_everything || was_compared || resource.changes.is_empty() || resource.get_operation.is_none() {
        return Ok(None);
    }
    let state = run.with_store(|store| store.sync_state(resource.name))?;
    if state.is_some_and(|state| state.floor.is_some()) {
        return Ok(None);
    }
    if progress.total.is_none() {
        progress.total = count(run, resource, progress).await.ok().flatten();
    }
    let Some(counted) = progress.total else { return Ok(None) };
    let stored = run.with_store(|store| store.count(resource.name, &RecordQuery::default()))?;
    if stored >= counted {
        return Ok(None);
    }
    run.warn(
        resource.name,
        format!("the workspace counts {counted} records, but {stored} are stored: listing them again"),
    );
    // Start with what was created since the search ended.
    let everything = resource.routes.first().into_iter().map(|route| (route, None));
    for (route, since) in plan.since.map(|since| (route, Some(since))).into_iter().chain(everything) {
        if fetch_missing(run, resource, route, since, counted - stored, progress).await? {
            return Ok(None);
        }
    }
    let stored = run.with_store(|store| store.count(resource.name, &RecordQuery::default()))?;
    let counted = count(run, resource, progress).await.ok().flatten().unwrap_or(counted).min(counted);
    Ok((stored < counted).then(|| format!("the workspace counts {counted} records, but {stored} are stored")))
}

/// Lists until `missing` more records are stored. Returns whether they are.
async fn fetch_missing(
    run: &SyncContext<'_>,
    resource: &'static Resource,
    route: &'static Route,
    since: Option<i64>,
    missing: u64,
    progress: &mut ResourceProgress,
) -> Result<bool, Error> {
    let list = operation(route.operation)?;
    let target = progress.written.inserted + missing;
    let mut pages = pin!(run.client.pages(list, route.arguments(since), run.options.per_page));
    while let Some(page) = pages.next().await {
        let page = page?;
        progress.requests += 1;
        page.require_list()?;
        let items: Vec<&str> = page.items.iter().map(|item| item.get()).collect();
        let fetched_at = page.reply.date().unwrap_or_else(|| run.clock.now());
        let list_page =
            ListPage { items: &items, cursor: None, synced_at: local_now(), fetched_at, mark_seen: true };
        let (written, parts) = run.with_store(|store| store.store_list_page(resource, &list_page))?;
        progress.written.add(written);
        run.add_ticket_parts(parts);
        if progress.written.inserted >= target {
            return Ok(true);
        }
    }
    Ok(false)
}
