//! Checks a claim that records are gone against what the workspace still shows and counts.
//!
//! A record can answer "not found" by itself while lists and counts still have it. Nothing may be removed from the
//! mirror on the word of that one answer.

use std::collections::HashSet;
use std::pin::pin;

use futures::StreamExt;
use serde_json::{Value, json};

use super::error::Error;
use super::fields;
use super::read::Choice;
use super::resources::Resource;
use super::run::{Run, Tally};
use super::surplus;
use crate::api;
use crate::api::request_builder::{Arguments, operation};

/// Ids in one search.
const PAGE: usize = 150;

/// Records that answered "not found".
#[derive(Debug, Default)]
pub(super) struct Absence {
    /// The workspace neither shows nor counts them.
    pub gone: Vec<String>,
    /// The workspace still shows or counts them, or does not say.
    pub doubtful: Vec<String>,
}

/// Sorts records that answered "not found" into those that are gone and those that the workspace still has. Costs
/// up to two calls for a page of ids, and none when there are no ids.
///
/// # Errors
/// When the store refuses.
pub(super) async fn verify(
    run: &Run<'_>,
    resource: &'static Resource,
    ids: Vec<String>,
    tally: &mut Tally,
) -> Result<Absence, Error> {
    if ids.is_empty() {
        return Ok(Absence::default());
    }
    let shown = shown(run, resource, &ids, tally).await;
    let is_searched = shown.is_some();
    let shown = shown.unwrap_or_default();
    let (doubtful, gone): (Vec<String>, Vec<String>) = ids.into_iter().partition(|id| shown.contains(id));
    let mut absence = Absence { gone, doubtful };
    let is_counted = match excess(run, resource, tally).await? {
        Some(excess) if excess < absence.gone.len() as u64 => false,
        Some(_) => true,
        None => is_searched,
    };
    if !is_counted {
        absence.doubtful.append(&mut absence.gone);
    }
    Ok(absence)
}

/// How many more records are stored than the workspace counts now; `None` when the two cannot be compared, because
/// the mirror is not complete or the count is unavailable.
///
/// # Errors
/// When the store refuses.
pub(super) async fn excess(
    run: &Run<'_>,
    resource: &'static Resource,
    tally: &mut Tally,
) -> Result<Option<u64>, Error> {
    let state = run.with_store(|store| store.sync_state(resource.name))?;
    if !state.is_some_and(|state| state.is_whole()) {
        return Ok(None);
    }
    let Ok(Some(counted)) = surplus::count(run, resource, tally).await else { return Ok(None) };
    let stored = run.with_store(|store| store.count(resource.name, &Choice::default()))?;
    Ok(Some(stored.saturating_sub(counted)))
}

/// The ids that a search by ids finds; `None` when the workspace cannot search by ids.
async fn shown(
    run: &Run<'_>,
    resource: &'static Resource,
    ids: &[String],
    tally: &mut Tally,
) -> Option<HashSet<String>> {
    let search = operation(resource.by_ids?).ok()?;
    let mut found = HashSet::new();
    for ids in ids.chunks(PAGE) {
        let arguments = by_ids(ids);
        let mut pages = pin!(run.client.pages(search, arguments, run.options.per_page));
        // An answer has at most one record for each id: a search that ignores them must not be followed.
        for _ in 0..ids.len() {
            let Some(page) = pages.next().await else { break };
            tally.requests += 1;
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
                .filter_map(|item| fields::id(&serde_json::from_str::<Value>(item.get()).ok()?["id"]));
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
