//! Checks whether records that answer "not found" are really gone.
//!
//! A record can answer "not found" while searches and counts still include it. It must never be removed from the
//! mirror on that evidence alone.

use std::collections::HashSet;
use std::pin::pin;

use futures::StreamExt;
use serde_json::{Value, json};

use super::count_check;
use super::sync_context::{ResourceProgress, SyncContext};
use crate::api;
use crate::api::request_builder::{Arguments, operation};
use crate::data::lenient;
use crate::mirror::error::Error;
use crate::mirror::resources::Resource;
use crate::mirror::store::read::RecordQuery;

/// Ids per search.
const PAGE: usize = 150;

/// Records that answered "not found".
#[derive(Debug, Default)]
pub(super) struct Absence {
    /// Neither found by a search nor counted.
    pub gone: Vec<String>,
    /// Still found or counted, or impossible to check.
    pub doubtful: Vec<String>,
}

/// Separates records that are gone from those that the workspace still has. Costs up to two requests per page of ids,
/// and none without ids.
///
/// # Errors
/// If the database fails.
pub(super) async fn verify(
    run: &SyncContext<'_>,
    resource: &'static Resource,
    ids: Vec<String>,
    progress: &mut ResourceProgress,
) -> Result<Absence, Error> {
    if ids.is_empty() {
        return Ok(Absence::default());
    }
    let found = find(run, resource, &ids, progress).await;
    let is_searched = found.is_some();
    let found = found.unwrap_or_default();
    let (doubtful, gone): (Vec<String>, Vec<String>) = ids.into_iter().partition(|id| found.contains(id));
    let mut absence = Absence { gone, doubtful };
    let is_counted = match excess(run, resource, progress).await? {
        Some(excess) if excess < absence.gone.len() as u64 => false,
        Some(_) => true,
        None => is_searched,
    };
    if !is_counted {
        absence.doubtful.append(&mut absence.gone);
    }
    Ok(absence)
}

/// How many more records are stored than the workspace counts now; `None` if the mirror is incomplete or the count is
/// unavailable.
///
/// # Errors
/// If the database fails.
pub(super) async fn excess(
    run: &SyncContext<'_>,
    resource: &'static Resource,
    progress: &mut ResourceProgress,
) -> Result<Option<u64>, Error> {
    let state = run.with_store(|store| store.sync_state(resource.name))?;
    if !state.is_some_and(|state| state.is_whole()) {
        return Ok(None);
    }
    let Ok(Some(counted)) = count_check::count(run, resource, progress).await else { return Ok(None) };
    let stored = run.with_store(|store| store.count(resource.name, &RecordQuery::default()))?;
    Ok(Some(stored.saturating_sub(counted)))
}

/// The ids that a search finds; `None` if the workspace cannot search by ids.
async fn find(
    run: &SyncContext<'_>,
    resource: &'static Resource,
    ids: &[String],
    progress: &mut ResourceProgress,
) -> Option<HashSet<String>> {
    let search = operation(resource.by_ids?).ok()?;
    let mut found = HashSet::new();
    for ids in ids.chunks(PAGE) {
        let arguments = by_ids(ids);
        let mut pages = pin!(run.client.pages(search, arguments, run.options.per_page));
        // Results have at most one record per id. Do not follow a search that ignores the ids.
        for _ in 0..ids.len() {
            let Some(page) = pages.next().await else { break };
            progress.requests += 1;
            let page = page.and_then(|page| page.require_list().map(|()| page));
            let page = page
                .inspect_err(|error: &api::Error| {
                    tracing::debug!(%error, resource = %resource.name, "records cannot be searched by id");
                })
                .ok()?;
            let before = found.len();
            let records = page
                .items
                .iter()
                .filter_map(|item| lenient::id(&serde_json::from_str::<Value>(item.get()).ok()?["id"]));
            found.extend(records.filter(|id| ids.contains(id)));
            if found.len() == before {
                break;
            }
        }
    }
    Some(found)
}

/// The arguments of a search for these ids.
pub(super) fn by_ids(ids: &[String]) -> Arguments {
    let body = json!({ "query": { "field": "id", "operator": "IN", "value": ids } });
    Arguments { body: Some(body.to_string().into_bytes()), ..Arguments::default() }
}
