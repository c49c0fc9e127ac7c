//! Finds and removes stored records that no longer exist in the workspace.
//!
//! Listings of changes do not show deletions or merges, but one request counts everything. A count proves nothing
//! about a single record: it only shows that the stored records need to be checked. Some lists count fewer records
//! than they return. The surplus that remains after a check is remembered, so that it does not trigger a check in every
//! run. Records come and go during a check, so that number can be wrong and expires after a day.
//!
//! A check searches for the stored ids page by page, in order. It has a request budget; the next run resumes where
//! it stopped. A record must never be removed because a search does not return it: it is requested by its id first.
//!
//! The documents that the searches return are stored, so the check also finds changes that no list reported.

use std::collections::HashSet;

use super::plan::{CheckFacts, CheckPlan, plan_check};
use super::presence;
use super::sync_context::{ResourceSync, local_now};
use crate::api;
use crate::api::operation::Paging;
use crate::api::request_builder::operation;
use crate::mirror::error::Error;

/// Removes the records that a complete listing has not returned.
///
/// # Errors
/// [`Error::Api`] if the API does not answer whether a record exists, another one if the database fails.
pub(super) async fn prune(sync: &mut ResourceSync<'_>) -> Result<(), Error> {
    let listed_at_once = match sync.resource.routes.first() {
        Some(route) => matches!(operation(route.operation)?.paging, Paging::None | Paging::Whole),
        None => false,
    };
    let began = sync.state()?.map_or_else(|| sync.run.clock.now(), |state| state.started_at);
    let mut after = String::new();
    loop {
        let unseen = sync.with_store(|store| store.unseen(sync.name(), &after))?;
        let Some(last) = unseen.last() else { break };
        after.clone_from(last);
        let is_proof = listed_at_once && sync.resource.get_operation.is_none();
        let gone = if is_proof { unseen } else { presence::confirm_gone(sync, unseen).await? };
        sync.remove_gone(&gone)?;
    }
    sync.with_store(|store| store.record_check(sync.name(), began, local_now()))
}

/// How a check of a resource ended.
#[derive(Debug)]
pub(super) enum CheckEnd {
    Complete,
    /// Only a list shows which records the workspace has. The value is its count, if known.
    NeedsListing(Option<u64>),
}

/// Checks a resource whose changes this run has fetched, if a check is due. `saw_everything`: the run has listed every
/// stored record.
///
/// # Errors
/// If the database fails, or the API does not answer whether a record exists.
pub(super) async fn check(sync: &mut ResourceSync<'_>, saw_everything: bool) -> Result<CheckEnd, Error> {
    let name = sync.name();
    let is_whole = is_whole(sync)?;
    let listed = sync.progress.total;
    let gone = if is_whole { count_gone(sync, listed).await? } else { None };
    let (missing, counted) = gone.map_or((0, None), |(missing, counted)| (missing, Some(counted)));
    sync.with_store(|store| store.note_gone(name, missing))?;
    let now = sync.run.clock.now();
    let deletions = sync.with_store(|store| store.deletions(name))?;
    let facts = CheckFacts {
        prune: sync.run.options.prune,
        missing,
        // Records may be deleted while a listing is interrupted: only a count shows that none were.
        saw_all: saw_everything && (gone.is_some() || !sync.progress.resumed),
        deletions,
        now,
    };
    let (from, budget) = match plan_check(facts) {
        CheckPlan::Nothing => return Ok(CheckEnd::Complete),
        CheckPlan::Record => {
            sync.with_store(|store| store.record_check(name, now, local_now()))?;
            return Ok(CheckEnd::Complete);
        }
        CheckPlan::Pass { from, budget } => (from, budget),
    };
    let max_requests = sync.progress.requests.saturating_add(budget);
    match pass(sync, counted, max_requests, from).await? {
        PassEnd::Complete(began) => {
            sync.with_store(|store| store.record_check(name, began, local_now()))?;
            // Another check finds what was deleted behind one that took several runs.
            let recount = if is_whole { count_gone(sync, None).await? } else { None };
            match recount {
                Some((left, _)) if left > 0 && began < now => {
                    sync.with_store(|store| store.note_gone(name, left))?;
                }
                _ if is_whole => record_surplus(sync, counted).await?,
                _ => {}
            }
        }
        PassEnd::BudgetSpent => {
            let left = missing.saturating_sub(sync.progress.written.deleted);
            sync.with_store(|store| store.note_gone(name, left))?;
            if left > 0 {
                sync.warn(format!(
                    "{left} stored records appear to be deleted; later runs or `sync --prune` remove them"
                ));
            }
        }
        PassEnd::Unsupported | PassEnd::Contradicted if is_whole => {
            return Ok(CheckEnd::NeedsListing(counted));
        }
        PassEnd::Unsupported | PassEnd::Contradicted => {}
    }
    Ok(CheckEnd::Complete)
}

/// Whether the mirror is meant to have every record.
fn is_whole(sync: &ResourceSync<'_>) -> Result<bool, Error> {
    Ok(sync.state()?.is_some_and(|state| state.floor.is_none()))
}

/// How a pass over the stored ids ended.
enum PassEnd {
    /// All ids were covered. The value is when the pass began, in epoch seconds.
    Complete(i64),
    BudgetSpent,
    /// The workspace cannot search by ids.
    Unsupported,
    /// The workspace still counts records that answer "not found": only a list shows which ones it has.
    Contradicted,
}

/// Checks the stored ids in order. `counted` is the workspace's count, if the mirror has every record. The pass stops
/// once the resource has cost `max_requests`.
async fn pass(
    sync: &mut ResourceSync<'_>,
    counted: Option<u64>,
    max_requests: u64,
    (began, mut after): (i64, String),
) -> Result<PassEnd, Error> {
    let name = sync.name();
    if sync.resource.get_operation.is_none() {
        return Ok(PassEnd::Unsupported);
    }
    let page = page_size(sync);
    let mut can_search = true;
    loop {
        let mut suspects = sync.with_store(|store| store.ids_after(name, &after, page))?;
        let Some(last) = suspects.last().cloned() else { return Ok(PassEnd::Complete(began)) };
        if can_search {
            match search(sync, &suspects).await? {
                Some(found) => suspects.retain(|id| !found.contains(id)),
                None => can_search = false,
            }
        }
        if !can_search && is_whole(sync)? {
            return Ok(PassEnd::Unsupported);
        }
        // In slices, because the budget may end within a page.
        while !suspects.is_empty() {
            let left = max_requests.saturating_sub(sync.progress.requests);
            if left == 0 {
                return Ok(PassEnd::BudgetSpent);
            }
            let rest = suspects.split_off(suspects.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
            let asked = suspects.last().cloned().unwrap_or_default();
            let gone = presence::confirm_gone(sync, suspects).await?;
            if is_contradicted(sync, counted, gone.len() as u64).await? {
                return Ok(PassEnd::Contradicted);
            }
            sync.remove_gone(&gone)?;
            sync.with_store(|store| store.note_position(name, began, &asked))?;
            suspects = rest;
        }
        sync.with_store(|store| store.note_position(name, began, &last))?;
        after = last;
        if sync.progress.requests >= max_requests {
            return Ok(PassEnd::BudgetSpent);
        }
    }
}

/// Ids per search.
fn page_size(sync: &ResourceSync<'_>) -> u32 {
    sync.run.options.per_page.unwrap_or(presence::PAGE).min(presence::PAGE)
}

/// Whether removing this many records would leave fewer than the workspace counts. Requests a new count before
/// saying so, because records may have been deleted since the last one.
async fn is_contradicted(
    sync: &mut ResourceSync<'_>,
    counted: Option<u64>,
    gone: u64,
) -> Result<bool, Error> {
    let Some(counted) = counted.filter(|_| gone > 0) else { return Ok(false) };
    if sync.stored()?.saturating_sub(gone) >= counted {
        return Ok(false);
    }
    Ok(presence::excess(sync).await?.is_none_or(|excess| excess < gone))
}

/// The ids that a search finds; `None` if the workspace cannot search by ids. Stores the documents.
async fn search(sync: &mut ResourceSync<'_>, ids: &[String]) -> Result<Option<HashSet<String>>, Error> {
    let store_documents = |sync: &ResourceSync<'_>, documents: &[(String, &str)]| {
        sync.with_store(|store| store.compare(sync.resource, documents, local_now()))
    };
    let found = match presence::search(sync, ids, store_documents).await {
        Err(Error::Api(error)) if is_refused(&error) => None,
        found => found?,
    };
    if ids.len() < 2 || found.as_ref().is_none_or(|found| !found.is_empty()) {
        return Ok(found);
    }
    // Either all are gone, or the search ignores ids: request one of them to find out.
    let gone = presence::confirm_gone(sync, vec![ids[0].clone()]).await?;
    Ok(found.filter(|_| !gone.is_empty()))
}

/// Whether the API rejected the search itself.
fn is_refused(error: &api::Error) -> bool {
    matches!(error.status(), Some(400 | 404 | 422 | 501))
}

/// How many stored records are gone according to the workspace's count, and that count. `listed` is the count from
/// a listing in this run, which saves a request. `None` if the count is unknown, which proves nothing.
///
/// # Errors
/// If the database fails.
async fn count_gone(sync: &mut ResourceSync<'_>, listed: Option<u64>) -> Result<Option<(u64, u64)>, Error> {
    let counted = match listed {
        Some(listed) => Some(listed),
        None => sync.counted().await,
    };
    let Some(counted) = counted else { return Ok(None) };
    let (surplus, known) =
        sync.with_store(|store| store.surplus(sync.name(), counted, sync.run.clock.now()))?;
    if surplus <= known {
        sync.with_store(|store| store.note_surplus(sync.name(), surplus))?;
    }
    Ok(Some((surplus.saturating_sub(known), counted)))
}

/// Remembers the surplus that remains after a check. `before` is the count from before the listing. The larger
/// count is used: records created since are stored and counted only now, and records deleted since were counted
/// then and may still be stored.
///
/// # Errors
/// If the database fails.
pub(super) async fn record_surplus(sync: &mut ResourceSync<'_>, before: Option<u64>) -> Result<(), Error> {
    let after = sync.counted().await;
    sync.with_store(|store| {
        let surplus = match before.max(after) {
            Some(counted) => store.surplus(sync.name(), counted, sync.run.clock.now())?.0,
            None => 0,
        };
        store.note_surplus(sync.name(), surplus)
    })
}

/// Fetches contacts again, many ids per search. Contacts that the search does not return are left to the next check.
///
/// # Errors
/// If the database fails.
pub(super) async fn reread(sync: &mut ResourceSync<'_>, ids: &[String]) -> Result<(), Error> {
    if sync.resource.by_ids.is_none() {
        return Ok(());
    }
    for ids in ids.chunks(page_size(sync).max(1) as usize) {
        match search(sync, ids).await {
            Ok(_) => {}
            Err(Error::Api(error)) => {
                tracing::debug!(%error, resource = %sync.name(), "not read again");
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
