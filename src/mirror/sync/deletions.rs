//! Finds stored records that no longer exist in the workspace.
//!
//! A check searches for the stored ids page by page, in order. It has a request budget; the next run resumes where
//! it stopped. A record must never be removed because a search does not return it: it is requested by its id first.
//! A check is due when the workspace counts fewer records than are stored, after an interrupted listing, and once a
//! day.
//!
//! The documents that the searches return are stored, so the check also finds changes that no list reported.

use std::collections::HashSet;
use std::pin::pin;

use futures::StreamExt;
use rusqlite::OptionalExtension;
use serde_json::Value;

use super::cadence::DAILY;
use super::count_check;
use super::list::list_and_remove;
use super::presence;
use super::prune;
use super::sync_context::{Ending, ResourceProgress, SyncContext, local_now};
use crate::api;
use crate::api::request_builder::operation;
use crate::data::lenient;
use crate::mirror::error::Error;
use crate::mirror::resources::{Resource, ResourceName};
use crate::mirror::store::Store;
use crate::mirror::store::read::RecordQuery;

/// Request budget per run for a check that is due only by age.
const AGE_BUDGET: u64 = 200;
/// Request budget per run if the counts show that records are gone.
const COUNT_BUDGET: u64 = 1_000;
/// Ids per search.
const PAGE: u32 = 150;

/// The state of a check, kept between runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct CheckState {
    /// The start of an unfinished check, in epoch seconds, and the last id that it has covered.
    position: Option<(i64, String)>,
    checked_at: Option<i64>,
}

impl Store {
    fn check_state(&self, resource: ResourceName) -> Result<CheckState, Error> {
        let sql = "SELECT check_began_at, check_after, checked_at FROM sync_state WHERE resource = ?1";
        let state = self.connection.prepare_cached(sql)?.query_row([resource.as_str()], |row| {
            let (began, after): (Option<i64>, Option<String>) = (row.get(0)?, row.get(1)?);
            Ok(CheckState { position: began.zip(after), checked_at: row.get(2)? })
        });
        Ok(state.optional()?.unwrap_or_default())
    }

    fn note_check(&mut self, resource: ResourceName, began: i64, after: &str) -> Result<(), Error> {
        let sql = "UPDATE sync_state SET check_began_at = ?2, check_after = ?3 WHERE resource = ?1";
        self.connection.execute(sql, (resource.as_str(), began, after))?;
        Ok(())
    }

    fn note_gone(&mut self, resource: ResourceName, gone: u64) -> Result<(), Error> {
        let sql = "UPDATE sync_state SET gone = ?2 WHERE resource = ?1";
        self.connection.execute(sql, (resource.as_str(), gone as i64))?;
        Ok(())
    }

    fn ids_after(&self, resource: ResourceName, after: &str, limit: u32) -> Result<Vec<String>, Error> {
        let sql = format!("SELECT id FROM {resource} WHERE id > ?1 ORDER BY id LIMIT ?2");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let ids = statement.query_map((after, limit), |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }
}

/// Checks a resource whose changes this run has fetched, if a check is due. `removed`: the run has listed everything
/// and removed the other records. `saw_everything`: it has listed every stored record.
///
/// # Errors
/// If the database fails, or the API does not answer whether a record exists.
pub(super) async fn check(
    run: &SyncContext<'_>,
    resource: &'static Resource,
    removed: bool,
    saw_everything: bool,
    progress: &mut ResourceProgress,
) -> Result<Ending, Error> {
    if !resource.detects_deletions {
        return Ok(Ending::Complete);
    }
    if removed {
        count_check::record_surplus(run, resource, None, progress).await?;
        return Ok(Ending::Complete);
    }
    let state = run.with_store(|store| store.sync_state(resource.name))?;
    let is_whole = state.is_some_and(|state| state.floor.is_none());
    let listed = progress.total;
    let gone = if is_whole { count_check::gone(run, resource, listed, progress).await? } else { None };
    let missing = gone.map_or(0, |(missing, _)| missing);
    run.with_store(|store| store.note_gone(resource.name, missing))?;
    let now = run.clock.now();
    // Records may be deleted while a listing is interrupted: only a count shows that none were.
    if saw_everything && missing == 0 && (gone.is_some() || !progress.resumed) {
        run.with_store(|store| store.record_check(resource.name, now))?;
        return Ok(Ending::Complete);
    }
    let state = run.with_store(|store| store.check_state(resource.name))?;
    let is_due = missing > 0
        || run.options.prune
        || state.position.is_some()
        || state.checked_at.is_none_or(|at| (now - at).abs() >= DAILY);
    if !is_due {
        return Ok(Ending::Complete);
    }
    let budget = match (run.options.prune, missing) {
        (true, _) => u64::MAX,
        (false, 0) => AGE_BUDGET,
        (false, _) => COUNT_BUDGET,
    };
    let from = state.position.filter(|_| !run.options.prune).unwrap_or_else(|| (now, String::new()));
    let check = DeletionCheck {
        run,
        resource,
        by_ids: resource.by_ids,
        counted: gone.map(|(_, counted)| counted),
        max_requests: progress.requests.saturating_add(budget),
    };
    match check.pass(from, progress).await? {
        PassEnd::Complete(began) => {
            run.with_store(|store| store.record_check(resource.name, began))?;
            // Another check finds what was deleted behind one that took several runs.
            let recount =
                if is_whole { count_check::gone(run, resource, None, progress).await? } else { None };
            match recount {
                Some((left, _)) if left > 0 && began < now => {
                    run.with_store(|store| store.note_gone(resource.name, left))?;
                }
                _ if is_whole => {
                    count_check::record_surplus(run, resource, gone.map(|(_, counted)| counted), progress)
                        .await?
                }
                _ => {}
            }
        }
        PassEnd::BudgetSpent => {
            let left = missing.saturating_sub(progress.written.deleted);
            run.with_store(|store| store.note_gone(resource.name, left))?;
            if left > 0 {
                run.warn(
                    resource.name,
                    format!(
                        "{left} stored records appear to be deleted; later runs or `sync --prune` remove them"
                    ),
                );
            }
        }
        PassEnd::Unsupported | PassEnd::Contradicted if is_whole => {
            let ending = list_and_remove(run, resource, progress).await?;
            if ending == Ending::Complete {
                count_check::record_surplus(run, resource, gone.map(|(_, counted)| counted), progress)
                    .await?;
            }
            return Ok(ending);
        }
        PassEnd::Unsupported | PassEnd::Contradicted => {}
    }
    Ok(Ending::Complete)
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

struct DeletionCheck<'a, 'r> {
    run: &'a SyncContext<'r>,
    resource: &'static Resource,
    by_ids: Option<&'static str>,
    /// The workspace's count, if the mirror has every record.
    counted: Option<u64>,
    /// The check stops once the resource has cost this many requests.
    max_requests: u64,
}

impl DeletionCheck<'_, '_> {
    async fn pass(&self, from: (i64, String), progress: &mut ResourceProgress) -> Result<PassEnd, Error> {
        let (began, mut after) = from;
        let name = self.resource.name;
        let Some(get) = self.resource.get_operation else { return Ok(PassEnd::Unsupported) };
        let page = self.run.options.per_page.unwrap_or(PAGE).min(PAGE);
        let mut by_ids = self.by_ids;
        loop {
            let ids = self.run.with_store(|store| store.ids_after(name, &after, page))?;
            let Some(last) = ids.last().cloned() else { return Ok(PassEnd::Complete(began)) };
            let mut suspects = ids;
            if let Some(search) = by_ids {
                match self.search(search, &suspects, progress).await? {
                    Some(found) => suspects.retain(|id| !found.contains(id)),
                    None => by_ids = None,
                }
            }
            if by_ids.is_none() && self.is_whole()? {
                return Ok(PassEnd::Unsupported);
            }
            // In slices, because the budget may end within a page.
            while !suspects.is_empty() {
                let left = self.max_requests.saturating_sub(progress.requests);
                if left == 0 {
                    return Ok(PassEnd::BudgetSpent);
                }
                let rest =
                    suspects.split_off(suspects.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
                let asked = suspects.last().cloned().unwrap_or_default();
                let gone = prune::confirm_gone(self.run, self.resource, get, suspects, progress).await?;
                if self.is_contradicted(gone.len() as u64, progress).await? {
                    return Ok(PassEnd::Contradicted);
                }
                progress.written.deleted += self.run.with_store(|store| {
                    let removed = store.remove_gone(name, &gone)?;
                    store.note_check(name, began, &asked)?;
                    Ok(removed)
                })?;
                suspects = rest;
            }
            self.run.with_store(|store| store.note_check(name, began, &last))?;
            after = last;
            if progress.requests >= self.max_requests {
                return Ok(PassEnd::BudgetSpent);
            }
        }
    }

    /// Whether removing this many records would leave fewer than the workspace counts. Requests a new count before
    /// saying so, because records may have been deleted since the last one.
    async fn is_contradicted(&self, gone: u64, progress: &mut ResourceProgress) -> Result<bool, Error> {
        let Some(counted) = self.counted.filter(|_| gone > 0) else { return Ok(false) };
        let stored = self.run.with_store(|store| store.count(self.resource.name, &RecordQuery::default()))?;
        if stored.saturating_sub(gone) >= counted {
            return Ok(false);
        }
        Ok(presence::excess(self.run, self.resource, progress).await?.is_none_or(|excess| excess < gone))
    }

    fn is_whole(&self) -> Result<bool, Error> {
        let state = self.run.with_store(|store| store.sync_state(self.resource.name))?;
        Ok(state.is_some_and(|state| state.floor.is_none()))
    }

    /// The ids that a search finds; `None` if the workspace cannot search by ids.
    async fn search(
        &self,
        search: &'static str,
        ids: &[String],
        progress: &mut ResourceProgress,
    ) -> Result<Option<HashSet<String>>, Error> {
        let search = operation(search)?;
        let mut pages = pin!(self.run.client.pages(search, presence::by_ids(ids), self.run.options.per_page));
        let requested: HashSet<&str> = ids.iter().map(String::as_str).collect();
        let mut found = HashSet::new();
        // Results have at most one record per id. Do not follow a search that ignores the ids.
        for _ in 0..ids.len() {
            let Some(page) = pages.next().await else { break };
            progress.requests += 1;
            let page = match page {
                Ok(page) => page,
                Err(error) if is_refused(&error) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            if page.key.is_none() {
                return Ok(None);
            }
            let documents: Vec<(String, &str)> = page
                .items
                .iter()
                .filter_map(|item| {
                    let document: Value = serde_json::from_str(item.get()).ok()?;
                    let id = lenient::id(&document["id"]).filter(|id| requested.contains(id.as_str()))?;
                    Some((id, item.get()))
                })
                .collect();
            self.run.with_store(|store| store.compare(self.resource, &documents, local_now()))?;
            let before = found.len();
            found.extend(documents.into_iter().map(|(id, _)| id));
            if found.len() == before {
                break;
            }
        }
        if !found.is_empty() || ids.len() < 2 {
            return Ok(Some(found));
        }
        // Either all are gone, or the search ignores ids: request one of them to find out.
        let get = self.resource.get_operation.unwrap_or_default();
        let gone = prune::confirm_gone(self.run, self.resource, get, vec![ids[0].clone()], progress).await?;
        Ok((!gone.is_empty()).then_some(found))
    }
}

/// Whether the API rejected the search itself.
fn is_refused(error: &api::Error) -> bool {
    matches!(error.status(), Some(400 | 404 | 422 | 501))
}

/// Fetches contacts again, many ids per search. Contacts that the search does not return are left to the next check.
///
/// # Errors
/// If the database fails.
pub(super) async fn reread(
    run: &SyncContext<'_>,
    resource: &'static Resource,
    ids: &[String],
    progress: &mut ResourceProgress,
) -> Result<(), Error> {
    let Some(search) = resource.by_ids else { return Ok(()) };
    let page = run.options.per_page.unwrap_or(PAGE).min(PAGE) as usize;
    let check =
        DeletionCheck { run, resource, by_ids: resource.by_ids, counted: None, max_requests: u64::MAX };
    for ids in ids.chunks(page.max(1)) {
        match check.search(search, ids, progress).await {
            Ok(_) => {}
            Err(Error::Api(error)) => {
                tracing::debug!(%error, resource = %resource.name, "not read again");
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
