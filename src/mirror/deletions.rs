//! Finds out which stored records the workspace no longer has, whatever their number.
//!
//! Searches take many ids at once, so a check costs a call for every page of what is stored. It goes through the
//! ids in their order, remembers how far it came, and ends with its budget: the next run continues from there. What
//! a search does not show is asked for by itself before it is removed. A check is due when the workspace counts
//! fewer records than are stored, when a walk was interrupted, and once a day.
//!
//! The documents that come along are stored: what changed without a sign of it is found in the same pass.

use std::collections::HashSet;
use std::pin::pin;

use futures::StreamExt;
use rusqlite::OptionalExtension;
use serde_json::Value;

use super::cadence::DAILY;
use super::error::Error;
use super::fields;
use super::presence;
use super::prune;
use super::read::Choice;
use super::resources::{Resource, ResourceName};
use super::run::{Ending, Run, Tally, local};
use super::store::Store;
use super::surplus;
use super::walk::list_and_remove;
use crate::api;
use crate::api::request_builder::operation;

/// Calls in one run for a check that is due by age alone.
const BY_AGE: u64 = 200;
/// Calls in one run when records are known to be gone.
const BY_COUNT: u64 = 1_000;
/// Ids of one search.
const PAGE: u32 = 150;

/// How far a check has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Progress {
    /// When the check under way began, and the last id it has settled.
    under_way: Option<(i64, String)>,
    checked_at: Option<i64>,
}

impl Store {
    fn check_progress(&self, resource: ResourceName) -> Result<Progress, Error> {
        let sql = "SELECT check_began_at, check_after, checked_at FROM sync_state WHERE resource = ?1";
        let progress = self.connection.prepare_cached(sql)?.query_row([resource.as_str()], |row| {
            let (began, after): (Option<i64>, Option<String>) = (row.get(0)?, row.get(1)?);
            Ok(Progress { under_way: began.zip(after), checked_at: row.get(2)? })
        });
        Ok(progress.optional()?.unwrap_or_default())
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

    fn ids_after(&self, resource: ResourceName, after: &str, most: u32) -> Result<Vec<String>, Error> {
        let sql = format!("SELECT id FROM {resource} WHERE id > ?1 ORDER BY id LIMIT ?2");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let ids = statement.query_map((after, most), |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }
}

/// Checks a resource of which this run has brought in what changed, if that is due. `removed` says that the run
/// has listed everything and removed the rest, `saw_everything` that it has listed everything that is stored.
///
/// # Errors
/// When the store refuses, and when it cannot be found out whether a record exists.
pub(super) async fn check(
    run: &Run<'_>,
    resource: &'static Resource,
    removed: bool,
    saw_everything: bool,
    tally: &mut Tally,
) -> Result<Ending, Error> {
    if !resource.vanishes {
        return Ok(Ending::Complete);
    }
    if removed {
        surplus::settle(run, resource, None, tally).await?;
        return Ok(Ending::Complete);
    }
    let state = run.with_store(|store| store.sync_state(resource.name))?;
    let is_whole = state.is_some_and(|state| state.floor.is_none());
    let listed = tally.listed;
    let gone = if is_whole { surplus::gone(run, resource, listed, tally).await? } else { None };
    let missing = gone.map_or(0, |(missing, _)| missing);
    run.with_store(|store| store.note_gone(resource.name, missing))?;
    let now = run.clock.server();
    // Between the parts of an interrupted walk records may have gone: only a count tells that none have.
    if saw_everything && missing == 0 && (gone.is_some() || !tally.resumed) {
        run.with_store(|store| store.checked(resource.name, now))?;
        return Ok(Ending::Complete);
    }
    let progress = run.with_store(|store| store.check_progress(resource.name))?;
    let is_due = missing > 0
        || run.options.prune
        || progress.under_way.is_some()
        || progress.checked_at.is_none_or(|at| (now - at).abs() >= DAILY);
    if !is_due {
        return Ok(Ending::Complete);
    }
    let budget = match (run.options.prune, missing) {
        (true, _) => u64::MAX,
        (false, 0) => BY_AGE,
        (false, _) => BY_COUNT,
    };
    let from = progress.under_way.filter(|_| !run.options.prune).unwrap_or_else(|| (now, String::new()));
    let check = Check {
        run,
        resource,
        by_ids: resource.by_ids,
        counted: gone.map(|(_, counted)| counted),
        most: tally.requests.saturating_add(budget),
    };
    match check.pass(from, tally).await? {
        Pass::ToTheEnd(began) => {
            run.with_store(|store| store.checked(resource.name, began))?;
            // What was deleted behind a check that took several runs is found by another one.
            let recount = if is_whole { surplus::gone(run, resource, None, tally).await? } else { None };
            match recount {
                Some((left, _)) if left > 0 && began < now => {
                    run.with_store(|store| store.note_gone(resource.name, left))?;
                }
                _ if is_whole => {
                    surplus::settle(run, resource, gone.map(|(_, counted)| counted), tally).await?
                }
                _ => {}
            }
        }
        Pass::Cut => {
            let left = missing.saturating_sub(tally.written.deleted);
            run.with_store(|store| store.note_gone(resource.name, left))?;
            if left > 0 {
                run.warn(
                    resource.name,
                    format!(
                        "{left} stored records seem to be gone; later runs or `sync --prune` remove them"
                    ),
                );
            }
        }
        Pass::Unsupported | Pass::Contradicted if is_whole => {
            let ending = list_and_remove(run, resource, tally).await?;
            if ending == Ending::Complete {
                surplus::settle(run, resource, gone.map(|(_, counted)| counted), tally).await?;
            }
            return Ok(ending);
        }
        Pass::Unsupported | Pass::Contradicted => {}
    }
    Ok(Ending::Complete)
}

/// How a pass over the stored ids ended.
enum Pass {
    /// The pass began at this moment.
    ToTheEnd(i64),
    /// The budget is spent.
    Cut,
    /// The workspace does not search by ids.
    Unsupported,
    /// Records answer "not found" that the workspace still counts: only a list tells which of them it has.
    Contradicted,
}

struct Check<'a, 'r> {
    run: &'a Run<'r>,
    resource: &'static Resource,
    by_ids: Option<&'static str>,
    /// How many records the workspace counts, where the mirror holds all of them.
    counted: Option<u64>,
    /// Calls of the whole resource after which this ends.
    most: u64,
}

impl Check<'_, '_> {
    async fn pass(&self, from: (i64, String), tally: &mut Tally) -> Result<Pass, Error> {
        let (began, mut after) = from;
        let name = self.resource.name;
        let Some(one) = self.resource.one else { return Ok(Pass::Unsupported) };
        let page = self.run.options.per_page.unwrap_or(PAGE).min(PAGE);
        let mut by_ids = self.by_ids;
        loop {
            let ids = self.run.with_store(|store| store.ids_after(name, &after, page))?;
            let Some(last) = ids.last().cloned() else { return Ok(Pass::ToTheEnd(began)) };
            let mut suspects = ids;
            if let Some(search) = by_ids {
                match self.search(search, &suspects, tally).await? {
                    Some(found) => suspects.retain(|id| !found.contains(id)),
                    None => by_ids = None,
                }
            }
            if by_ids.is_none() && self.is_whole()? {
                return Ok(Pass::Unsupported);
            }
            // One by one, a slice at a time: the budget may end inside of a page.
            while !suspects.is_empty() {
                let left = self.most.saturating_sub(tally.requests);
                if left == 0 {
                    return Ok(Pass::Cut);
                }
                let rest =
                    suspects.split_off(suspects.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
                let asked = suspects.last().cloned().unwrap_or_default();
                let gone = prune::gone(self.run, self.resource, one, suspects, tally).await?;
                if self.is_contradicted(gone.len() as u64, tally).await? {
                    return Ok(Pass::Contradicted);
                }
                tally.written.deleted += self.run.with_store(|store| {
                    let removed = store.remove_gone(name, &gone)?;
                    store.note_check(name, began, &asked)?;
                    Ok(removed)
                })?;
                suspects = rest;
            }
            self.run.with_store(|store| store.note_check(name, began, &last))?;
            after = last;
            if tally.requests >= self.most {
                return Ok(Pass::Cut);
            }
        }
    }

    /// Whether the workspace would count more records than are stored once this many are removed. It is asked for a
    /// new count first: records may have been deleted since the last one.
    async fn is_contradicted(&self, gone: u64, tally: &mut Tally) -> Result<bool, Error> {
        let Some(counted) = self.counted.filter(|_| gone > 0) else { return Ok(false) };
        let stored = self.run.with_store(|store| store.count(self.resource.name, &Choice::default()))?;
        if stored.saturating_sub(gone) >= counted {
            return Ok(false);
        }
        Ok(presence::excess(self.run, self.resource, tally).await?.is_none_or(|excess| excess < gone))
    }

    fn is_whole(&self) -> Result<bool, Error> {
        let state = self.run.with_store(|store| store.sync_state(self.resource.name))?;
        Ok(state.is_some_and(|state| state.floor.is_none()))
    }

    /// Those of the ids that a search finds; `None` when it cannot search by ids.
    async fn search(
        &self,
        search: &'static str,
        ids: &[String],
        tally: &mut Tally,
    ) -> Result<Option<HashSet<String>>, Error> {
        let search = operation(search)?;
        let mut pages = pin!(self.run.client.pages(search, presence::by_ids(ids), self.run.options.per_page));
        let wanted: HashSet<&str> = ids.iter().map(String::as_str).collect();
        let mut found = HashSet::new();
        // An answer has at most one record for each id: a search that ignores them must not be followed.
        for _ in 0..ids.len() {
            let Some(page) = pages.next().await else { break };
            tally.requests += 1;
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
                    let id = fields::id(&document["id"]).filter(|id| wanted.contains(id.as_str()))?;
                    Some((id, item.get()))
                })
                .collect();
            self.run.with_store(|store| store.compare(self.resource, &documents, local()))?;
            let before = found.len();
            found.extend(documents.into_iter().map(|(id, _)| id));
            if found.len() == before {
                break;
            }
        }
        if !found.is_empty() || ids.len() < 2 {
            return Ok(Some(found));
        }
        // All gone at once, or a search that finds nobody by the id: one of them tells.
        let one = self.resource.one.unwrap_or_default();
        let gone = prune::gone(self.run, self.resource, one, vec![ids[0].clone()], tally).await?;
        Ok((!gone.is_empty()).then_some(found))
    }
}

/// Whether a search was refused for what it asks.
fn is_refused(error: &api::Error) -> bool {
    matches!(error.status(), Some(400 | 404 | 422 | 501))
}

/// Fetches contacts again by their ids, many at once. What the search does not show is left for the next check.
///
/// # Errors
/// When the store refuses.
pub(super) async fn reread(
    run: &Run<'_>,
    resource: &'static Resource,
    ids: &[String],
    tally: &mut Tally,
) -> Result<(), Error> {
    let Some(search) = resource.by_ids else { return Ok(()) };
    let page = run.options.per_page.unwrap_or(PAGE).min(PAGE) as usize;
    let check = Check { run, resource, by_ids: resource.by_ids, counted: None, most: u64::MAX };
    for ids in ids.chunks(page.max(1)) {
        match check.search(search, ids, tally).await {
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
