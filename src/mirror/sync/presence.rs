//! Asks the workspace whether records still exist: by requesting each, by searching for their ids, and by counting.
//!
//! A record must never be removed just because a list or a search did not return it: lists omit some records, and a
//! record can move between pages while they are read. It can also answer "not found" while searches and counts still
//! include it. Unless a complete listing omits it too, that evidence alone is not enough.

use std::collections::HashSet;
use std::pin::pin;

use futures::{StreamExt, stream};
use serde_json::{Value, json};

use super::sync_context::{ResourceSync, SyncContext, local_now};
use crate::api::request_builder::{Arguments, operation};
use crate::data::lenient;
use crate::mirror::error::Error;
use crate::mirror::resources::{Resource, ResourceName};

/// Ids per search.
pub(super) const PAGE: u32 = 150;

/// Requests each record and returns the ids of those that do not exist. Stores the others.
///
/// # Errors
/// [`Error::Api`] if the API does not answer whether a record exists, another one if the database fails.
pub(super) async fn confirm_gone(
    sync: &mut ResourceSync<'_>,
    ids: Vec<String>,
) -> Result<Vec<String>, Error> {
    let (run, resource) = (sync.run, sync.resource);
    // What cannot be requested is not known to be gone.
    if resource.get_operation.is_none() {
        return Ok(Vec::new());
    }
    let checks = stream::iter(ids).map(|id| async move { (is_gone(run, resource, &id).await, id) });
    let mut checks = checks.buffer_unordered(run.options.concurrency.max(1));
    let mut gone = Vec::new();
    while let Some((is_gone, id)) = checks.next().await {
        sync.progress.requests += 1;
        if is_gone? {
            gone.push(id);
        }
    }
    Ok(gone)
}

/// As [`confirm_gone`]; `None` if the API does not answer.
///
/// # Errors
/// If the database fails.
pub(super) async fn try_confirm_gone(
    sync: &mut ResourceSync<'_>,
    ids: Vec<String>,
) -> Result<Option<Vec<String>>, Error> {
    match confirm_gone(sync, ids).await {
        Ok(gone) => Ok(Some(gone)),
        Err(Error::Api(error)) => {
            tracing::debug!(%error, resource = %sync.name(), "unknown whether records still exist");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Requests a record. Stores it if it exists, except conversations and tickets, which are fetched together with their
/// parts.
///
/// # Errors
/// As [`confirm_gone`].
pub(super) async fn is_gone(
    run: &SyncContext<'_>,
    resource: &'static Resource,
    id: &str,
) -> Result<bool, Error> {
    let Some(get) = resource.get_operation else { return Ok(false) };
    match run.client.fetch(operation(get)?, &Arguments::of_record(id)).await {
        Ok(reply) => {
            let has_parts = matches!(resource.name, ResourceName::Conversations | ResourceName::Tickets);
            if let Some(document) = reply.json_text().ok().filter(|_| !has_parts) {
                run.with_store(|store| store.store_page(resource, [document], None, local_now()))?;
            }
            Ok(false)
        }
        Err(error) if error.is_gone() => Ok(true),
        Err(error) => Err(error.into()),
    }
}

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
pub(super) async fn verify(sync: &mut ResourceSync<'_>, ids: Vec<String>) -> Result<Absence, Error> {
    if ids.is_empty() {
        return Ok(Absence::default());
    }
    let found = find(sync, &ids).await?;
    let is_searched = found.is_some();
    let found = found.unwrap_or_default();
    let (doubtful, gone): (Vec<String>, Vec<String>) = ids.into_iter().partition(|id| found.contains(id));
    let mut absence = Absence { gone, doubtful };
    let is_counted = match excess(sync).await? {
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
pub(super) async fn excess(sync: &mut ResourceSync<'_>) -> Result<Option<u64>, Error> {
    if !sync.state()?.is_some_and(|state| state.is_whole()) {
        return Ok(None);
    }
    let Some(counted) = sync.counted().await else { return Ok(None) };
    Ok(Some(sync.stored()?.saturating_sub(counted)))
}

/// The ids that a search finds; `None` if the workspace cannot search by ids.
async fn find(sync: &mut ResourceSync<'_>, ids: &[String]) -> Result<Option<HashSet<String>>, Error> {
    let mut found = HashSet::new();
    for ids in ids.chunks(PAGE as usize) {
        match search(sync, ids, |_, _| Ok(())).await {
            Ok(Some(page)) => found.extend(page),
            Ok(None) => return Ok(None),
            Err(Error::Api(error)) => {
                tracing::debug!(%error, resource = %sync.name(), "records cannot be searched by id");
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Some(found))
}

/// Searches for a page of ids, and returns those that were found. `observe` gets the documents of each page, with
/// their ids. `None` if the workspace does not return a list.
///
/// # Errors
/// [`Error::Api`] if the search fails, another one if `observe` does.
pub(super) async fn search(
    sync: &mut ResourceSync<'_>,
    ids: &[String],
    observe: impl Fn(&ResourceSync<'_>, &[(String, &str)]) -> Result<(), Error>,
) -> Result<Option<HashSet<String>>, Error> {
    let Some(by_ids) = sync.resource.by_ids else { return Ok(None) };
    let body = json!({ "query": { "field": "id", "operator": "IN", "value": ids } });
    let arguments = Arguments { body: Some(body.to_string().into_bytes()), ..Arguments::default() };
    let mut pages = pin!(sync.run.client.pages(operation(by_ids)?, arguments, sync.run.options.per_page));
    let mut found = HashSet::new();
    // Results have at most one record per id. Do not follow a search that ignores the ids.
    for _ in 0..ids.len() {
        let Some(page) = pages.next().await else { break };
        sync.progress.requests += 1;
        let page = page?;
        if page.key.is_none() {
            return Ok(None);
        }
        let requested = |item: &str| {
            let document: Value = serde_json::from_str(item).ok()?;
            lenient::id(&document["id"]).filter(|id| ids.contains(id))
        };
        let documents: Vec<(String, &str)> =
            page.items.iter().filter_map(|item| Some((requested(item.get())?, item.get()))).collect();
        observe(sync, &documents)?;
        let before = found.len();
        found.extend(documents.into_iter().map(|(id, _)| id));
        if found.len() == before {
            break;
        }
    }
    Ok(Some(found))
}
