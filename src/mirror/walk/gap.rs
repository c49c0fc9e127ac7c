//! Notices from the workspace's own count that records are missing in the mirror, and fetches them.
//!
//! Searches for what changed never show a record that an earlier run has missed. A count of everything does,
//! and costs one call. A walk is not over before the mirror holds as many records as the workspace counts.

use std::pin::pin;

use futures::StreamExt;

use super::{Plan, Route};
use crate::api::request_builder::operation;
use crate::mirror::error::Error;
use crate::mirror::read::Choice;
use crate::mirror::resources::Resource;
use crate::mirror::run::{Run, Tally, local};
use crate::mirror::surplus::count;
use crate::mirror::write::Listed;

/// Compares what is stored with what the workspace counts, and lists until nothing is missing. Returns what is
/// missing all the same.
///
/// # Errors
/// [`Error::Api`] when the list cannot be read, anything else when the store refuses.
pub(super) async fn close(
    run: &Run<'_>,
    resource: &'static Resource,
    taken: &'static Route,
    plan: &Plan,
    tally: &mut Tally,
) -> Result<Option<String>, Error> {
    let asked_for_all = run.options.since.is_none() && run.options.max_pages.is_none();
    // A list that was read from its beginning to its end has been compared with its own count.
    let was_compared = plan.since.is_none() && !tally.resumed;
    if !asked_for_all || was_compared || resource.changes.is_empty() || resource.one.is_none() {
        return Ok(None);
    }
    let state = run.with_store(|store| store.sync_state(resource.name))?;
    if state.is_some_and(|state| state.floor.is_some()) {
        return Ok(None);
    }
    if tally.listed.is_none() {
        tally.listed = count(run, resource, tally).await.ok().flatten();
    }
    let Some(counted) = tally.listed else { return Ok(None) };
    let stored = run.with_store(|store| store.count(resource.name, &Choice::default()))?;
    if stored >= counted {
        return Ok(None);
    }
    run.warn(
        resource.name,
        format!("the workspace counts {counted} records, but {stored} are stored: listing them"),
    );
    // What was created since the search ended comes first.
    let everything = resource.routes.first().into_iter().map(|route| (route, None));
    for (route, since) in plan.since.map(|since| (taken, Some(since))).into_iter().chain(everything) {
        if fetch(run, resource, route, since, counted - stored, tally).await? {
            return Ok(None);
        }
    }
    let stored = run.with_store(|store| store.count(resource.name, &Choice::default()))?;
    let counted = count(run, resource, tally).await.ok().flatten().unwrap_or(counted).min(counted);
    Ok((stored < counted).then(|| format!("the workspace counts {counted} records, but {stored} are stored")))
}

/// Reads a list until so many records that were missing are stored. Returns whether they are.
async fn fetch(
    run: &Run<'_>,
    resource: &'static Resource,
    route: &'static Route,
    since: Option<i64>,
    missing: u64,
    tally: &mut Tally,
) -> Result<bool, Error> {
    let list = operation(route.operation)?;
    let wanted = tally.written.inserted + missing;
    let mut pages = pin!(run.client.pages(list, route.arguments(since), run.options.per_page));
    while let Some(page) = pages.next().await {
        let page = page?;
        tally.requests += 1;
        page.require_list()?;
        let items: Vec<&str> = page.items.iter().map(|item| item.get()).collect();
        let fetched_at = page.reply.date().unwrap_or_else(|| run.clock.server());
        let listed = Listed { items: &items, cursor: None, synced_at: local(), fetched_at, seen: true };
        let (written, parts) = run.with_store(|store| store.store_listed(resource, &listed))?;
        tally.written.add(written);
        run.carry(parts);
        if tally.written.inserted >= wanted {
            return Ok(true);
        }
    }
    Ok(false)
}
