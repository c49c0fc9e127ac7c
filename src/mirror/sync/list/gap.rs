//! Fetches records that the mirror lacks according to the workspace's count.
//!
//! A search for changes never returns a record that an earlier run missed, but one request counts everything. A
//! listing is only complete once the mirror holds as many records as the workspace counts.

use std::pin::pin;

use futures::StreamExt;

use crate::api::request_builder::operation;
use crate::mirror::error::Error;
use crate::mirror::resources::Route;
use crate::mirror::store::write::ListPage;
use crate::mirror::sync::sync_context::{ResourceSync, local_now};

/// Compares the number of stored records with the workspace's count, and lists until none are missing. `route` and
/// `since` are those of the listing. Returns a message if some still are.
///
/// # Errors
/// [`Error::Api`] if the list cannot be read, another one if the database fails.
pub(super) async fn close(
    sync: &mut ResourceSync<'_>,
    route: &'static Route,
    since: Option<i64>,
) -> Result<Option<String>, Error> {
    let (options, resource) = (sync.run.options, sync.resource);
    let wants_everything = options.since.is_none() && options.max_pages.is_none();
    // A list that was read from beginning to end has been compared with its own count.
    let was_compared = since.is_none() && !sync.progress.resumed;
    if !wants_everything || was_compared || resource.changes.is_empty() || resource.get_operation.is_none() {
        return Ok(None);
    }
    if sync.state()?.is_some_and(|state| state.floor.is_some()) {
        return Ok(None);
    }
    if sync.progress.total.is_none() {
        sync.progress.total = sync.counted().await;
    }
    let Some(counted) = sync.progress.total else { return Ok(None) };
    let stored = sync.stored()?;
    if stored >= counted {
        return Ok(None);
    }
    sync.warn(format!("the workspace counts {counted} records, but {stored} are stored: listing them again"));
    // Start with what was created since the search ended.
    let everything = resource.routes.first().into_iter().map(|route| (route, None));
    for (route, since) in since.map(|since| (route, Some(since))).into_iter().chain(everything) {
        if fetch_missing(sync, route, since, counted - stored).await? {
            return Ok(None);
        }
    }
    let stored = sync.stored()?;
    let counted = sync.counted().await.unwrap_or(counted).min(counted);
    Ok((stored < counted).then(|| format!("the workspace counts {counted} records, but {stored} are stored")))
}

/// Lists until `missing` more records are stored. Returns whether they are.
async fn fetch_missing(
    sync: &mut ResourceSync<'_>,
    route: &'static Route,
    since: Option<i64>,
    missing: u64,
) -> Result<bool, Error> {
    let run = sync.run;
    let list = operation(route.operation)?;
    let target = sync.progress.written.inserted + missing;
    let mut pages = pin!(run.client.pages(list, route.arguments(since), run.options.per_page));
    while let Some(page) = pages.next().await {
        let page = page?;
        sync.progress.requests += 1;
        page.require_list()?;
        let items: Vec<&str> = page.items.iter().map(|item| item.get()).collect();
        let fetched_at = page.reply.date().unwrap_or_else(|| run.clock.now());
        sync.store_list_page(&ListPage {
            items: &items,
            cursor: None,
            synced_at: local_now(),
            fetched_at,
            mark_seen: true,
        })?;
        if sync.progress.written.inserted >= target {
            return Ok(true);
        }
    }
    Ok(false)
}
