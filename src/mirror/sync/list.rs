//! Pagination: lists one resource from where the last run stopped to its end.
//!
//! A listing either reaches the end or reports why it did not. Restarting is always safe, because records are
//! upserted by id. Continuing from a doubtful cursor is not.

mod gap;
mod missing_ids;
mod restarts;
mod scroll;

use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

pub(super) use self::restarts::is_not_offered;
use self::restarts::{Recovery, RestartBudget};
use super::count_check::total_count;
use super::deletions;
use super::events::{Cause, Event};
use super::plan::{Cursor, SyncPlan};
use super::prune::prune;
use super::sync_context::{Ending, ResourceProgress, SyncContext, local_now};
use crate::api;
use crate::api::operation::{Operation, Paging};
use crate::api::paging::{Coverage, Next, Page};
use crate::api::request_builder::operation;
use crate::data::lenient;
use crate::mirror::error::Error;
use crate::mirror::resources::{Bound, Resource, Route};
use crate::mirror::store::write::ListPage;

/// The server drops a scroll that is unused for a minute, and then reports its end.
const SCROLL_IDLE: Duration = Duration::from_secs(55);

/// Brings one listed resource up to date.
///
/// # Errors
/// [`Error::Api`] if the API does not let the listing reach its end, another one if the database fails.
pub(super) async fn sync_list(
    run: &SyncContext<'_>,
    resource: &'static Resource,
    progress: &mut ResourceProgress,
) -> Result<Ending, Error> {
    let state = run.with_store(|store| store.sync_state(resource.name))?;
    let first = state.is_none_or(|state| state.watermark.is_none());
    let plan = SyncPlan::make(run, resource)?;
    let (since, removes) = (plan.since, plan.removes);
    let mut pages = 0;
    let mut ending = follow(run, resource, plan, progress, &mut pages).await?;
    if pages > 1 && ending == Ending::Complete && is_newest_first(resource) {
        // Records that changed during the listing moved to the first page, after it was read.
        ending = follow(run, resource, SyncPlan::catch_up(run, resource)?, progress, &mut pages).await?;
    }
    if ending == Ending::Complete && !resource.changes.is_empty() && run.options.max_pages.is_none() {
        let saw_everything = first || since.is_none();
        return deletions::check(run, resource, removes, saw_everything, progress).await;
    }
    Ok(ending)
}

fn is_newest_first(resource: &Resource) -> bool {
    resource.routes.iter().chain(resource.changes).any(Route::is_newest_first)
}

/// Lists everything and removes records that are gone.
///
/// # Errors
/// As [`sync_list`].
pub(super) async fn list_and_remove(
    run: &SyncContext<'_>,
    resource: &'static Resource,
    progress: &mut ResourceProgress,
) -> Result<Ending, Error> {
    follow(run, resource, SyncPlan::removal(run, resource)?, progress, &mut 0).await
}

/// Follows a plan to its end, on the first of its routes that works.
async fn follow(
    run: &SyncContext<'_>,
    resource: &'static Resource,
    mut plan: SyncPlan,
    progress: &mut ResourceProgress,
    pages: &mut u64,
) -> Result<Ending, Error> {
    progress.resumed |= plan.from.is_some();
    let mut budget = RestartBudget::default();
    let mut routes = plan.routes.iter().copied().peekable();
    let mut from = plan.from.take();
    // Why the scroll was abandoned.
    let mut scroll_error: Option<api::Error> = None;
    while let Some(route) = routes.peek() {
        let mut pagination = Pagination {
            run,
            resource,
            route,
            plan: &plan,
            operation: operation(route.operation)?,
            fresh: from.is_none(),
            pages: 0,
            missing_ids: Vec::new(),
        };
        let result = pagination.read(from.take(), progress).await;
        *pages += pagination.pages;
        let error = match result {
            Ok(PaginationEnd::Complete) => {
                return complete(run, resource, route, &plan, scroll_error.as_ref(), progress).await;
            }
            Ok(PaginationEnd::Stopped(reason)) => return Ok(Ending::Incomplete(reason)),
            Ok(PaginationEnd::Shifted(reason)) if !budget.take_restart() => {
                return Ok(Ending::Incomplete(reason));
            }
            Ok(PaginationEnd::Short(reason)) if !budget.take_recount() => {
                return Ok(Ending::Incomplete(reason));
            }
            Ok(PaginationEnd::Shifted(reason) | PaginationEnd::Short(reason)) => {
                run.warn(resource.name, format!("starting over: {reason}"));
                run.with_store(|store| store.begin(resource.name, run.clock.now()))?;
                continue;
            }
            Err(Error::Api(error)) => error,
            Err(error) => return Err(error),
        };
        let fresh = pagination.fresh && pagination.pages == 0;
        match budget.recovery(pagination.operation, pagination.fresh, &error) {
            Recovery::Restart => run.warn(resource.name, format!("starting over: {error}")),
            recovery => {
                routes.next();
                match routes.peek() {
                    Some(_) if recovery == Recovery::OtherRoute => {
                        run.warn(resource.name, format!("falling back to another list: {error}"));
                        if pagination.operation.paging == Paging::Scroll {
                            scroll_error = Some(error);
                        }
                    }
                    // Report the failed scroll, not the list that replaces it.
                    _ if is_not_offered(&error)
                        && scroll_error.as_ref().is_some_and(|first| !is_not_offered(first)) =>
                    {
                        return Err(scroll_error.unwrap_or(error).into());
                    }
                    _ if fresh && is_not_offered(&error) => {
                        progress.add_cause(Cause::of(&error).or(Some(Cause::Refused)));
                        return Ok(Ending::Skipped(error.to_string()));
                    }
                    _ => return Err(error.into()),
                }
            }
        }
        run.with_store(|store| store.begin(resource.name, run.clock.now()))?;
    }
    Ok(Ending::Complete)
}

async fn complete(
    run: &SyncContext<'_>,
    resource: &'static Resource,
    route: &'static Route,
    plan: &SyncPlan,
    scroll_error: Option<&api::Error>,
    progress: &mut ResourceProgress,
) -> Result<Ending, Error> {
    if let Some(blind_spot) = route.blind_spot {
        let cause = scroll_error.map(|error| format!("{error}; ")).unwrap_or_default();
        return Ok(Ending::Incomplete(format!("{cause}the list that was used omits {blind_spot}")));
    }
    if let Some(reason) = gap::close(run, resource, route, plan, progress).await? {
        return Ok(Ending::Incomplete(reason));
    }
    if plan.removes {
        prune(run, resource, progress).await?;
    }
    run.with_store(|store| store.finish(resource.name, plan.since, local_now()))?;
    Ok(Ending::Complete)
}

/// How a listing ended without an error.
#[derive(Debug)]
enum PaginationEnd {
    Complete,
    /// Stopped early; a restart would not help.
    Stopped(String),
    /// At the end, but records moved between pages meanwhile.
    Shifted(String),
    /// At the end, but with fewer records than the list counts.
    Short(String),
}

struct Pagination<'a, 'r> {
    run: &'a SyncContext<'r>,
    resource: &'static Resource,
    route: &'static Route,
    plan: &'a SyncPlan,
    operation: &'static Operation,
    /// Whether no page has been requested by a cursor yet.
    fresh: bool,
    pages: u64,
    /// Descriptions of records without an id.
    missing_ids: Vec<String>,
}

impl Pagination<'_, '_> {
    async fn read(
        &mut self,
        from: Option<Next>,
        progress: &mut ResourceProgress,
    ) -> Result<PaginationEnd, Error> {
        if self.operation.paging == Paging::Scroll {
            return self.scroll(progress).await;
        }
        let mut arguments = self.route.arguments(self.plan.since);
        if let Some(next) = &from {
            arguments = next.apply(self.operation, arguments)?;
        }
        let options = self.run.options;
        let mut pages = pin!(self.run.client.pages(self.operation, arguments, options.per_page));
        let (mut rows, mut total, mut shrunk) = (0, None, false);
        let mut order = ChangeOrder::default();
        let mut end = None;
        let mut next = pages.next().await;
        while let Some(page) = next {
            progress.requests += 1;
            let mut page = page?;
            page.require_list()?;
            self.fresh = false;
            self.pages += 1;
            rows += page.items.len() as u64;
            let counted = total_count(&page);
            if self.route.bound == Bound::NewestFirst || self.plan.since.is_none() {
                progress.total = counted;
            }
            shrunk |= counted.zip(total).is_some_and(|(now, before)| now < before);
            total = counted.or(total);
            let changed = order.changed(self.resource, self.plan.since, &page.items);
            let reached_known = changed.is_empty() && order.is_descending && self.plan.since.is_some();
            let is_last = page.next.is_none() || (reached_known && self.route.is_newest_first());
            progress.pages += 1;
            let stop = !is_last && options.max_pages.is_some_and(|most| progress.pages >= most);
            let missing_ids;
            (next, missing_ids) = if is_last || stop {
                (None, self.store(&page, self.pages, &changed, progress)?)
            } else {
                // Request the next page while this one is stored.
                let stored = async { self.store(&page, self.pages, &changed, progress) };
                let (next, stored) = futures::join!(pages.next(), stored);
                (next, stored?)
            };
            self.missing_ids.extend(missing_ids);
            end = page.end.take();
            let requests_left = self.run.requests_left();
            self.run.emit(Event::SyncProgress { resource: self.resource.name, rows, total, requests_left });
            if stop {
                let plural = if progress.pages == 1 { "" } else { "s" };
                let reason = format!("stopped after {} page{plural}", progress.pages);
                return Ok(PaginationEnd::Stopped(reason));
            }
        }
        if !self.missing_ids.is_empty() {
            return Ok(PaginationEnd::Stopped(missing_ids::message(&self.missing_ids)));
        }
        if shrunk && self.pages > 1 && self.is_numbered() {
            return Ok(PaginationEnd::Shifted("records disappeared between two pages".to_owned()));
        }
        // A listing that stopped at known records has nothing to compare with its count.
        Ok(end.and_then(|end: Coverage| end.reason).map_or(PaginationEnd::Complete, PaginationEnd::Short))
    }

    /// If a record disappears from a numbered page that was read, the first record of the next page moves onto it
    /// and is missed.
    fn is_numbered(&self) -> bool {
        matches!(self.operation.paging, Paging::Page { .. })
    }

    /// Stores a page; pages count from 1. Returns descriptions of the records that have no id and cannot be stored.
    fn store(
        &self,
        page: &Page,
        number: u64,
        items: &[&str],
        progress: &mut ResourceProgress,
    ) -> Result<Vec<String>, Error> {
        // A page number means another position as soon as a record comes or goes. After records without an id, the
        // next run starts over, since they may have one then.
        let is_lasting = |next: &&Next| {
            self.route.resumable && self.missing_ids.is_empty() && !matches!(next, Next::Page(_))
        };
        let cursor = page.next.as_ref().filter(is_lasting).map(|next| Cursor {
            operation: self.operation.id.to_owned(),
            position: next.clone().into(),
            since: self.plan.since,
            removes: self.plan.removes,
        });
        let cursor = cursor.and_then(|cursor| serde_json::to_string(&cursor).ok());
        let list_page = ListPage {
            items,
            cursor: cursor.as_deref(),
            synced_at: local_now(),
            fetched_at: page.reply.date().unwrap_or_else(|| self.run.clock.now()),
            mark_seen: self.plan.removes,
        };
        let (written, parts) =
            self.run.with_store(|store| store.store_list_page(self.resource, &list_page))?;
        progress.written.add(written);
        self.run.add_ticket_parts(parts);
        if written.unidentified == 0 {
            return Ok(Vec::new());
        }
        let missing_ids = missing_ids::describe(self.resource, &page.items, number);
        self.run.warn(self.resource.name, format!("not stored: {}", missing_ids::message(&missing_ids)));
        Ok(missing_ids)
    }
}

/// The order of the times in a listing.
#[derive(Debug)]
struct ChangeOrder {
    last: i64,
    /// Whether all have come newest first so far.
    is_descending: bool,
}

impl Default for ChangeOrder {
    fn default() -> Self {
        ChangeOrder { last: i64::MAX, is_descending: true }
    }
}

impl ChangeOrder {
    /// The records that changed at or after `since`, and those without a time.
    fn changed<'p>(
        &mut self,
        resource: &Resource,
        since: Option<i64>,
        items: &'p [Box<RawValue>],
    ) -> Vec<&'p str> {
        let (Some(since), Some(column)) = (since, resource.updated_at_column) else {
            return items.iter().map(|item| item.get()).collect();
        };
        let mut changed = Vec::with_capacity(items.len());
        for item in items {
            let updated_at = updated_at(item, column);
            self.is_descending &= updated_at.is_some_and(|updated_at| updated_at <= self.last);
            self.last = updated_at.unwrap_or(self.last);
            if updated_at.is_none_or(|updated_at| updated_at >= since) {
                changed.push(item.get());
            }
        }
        changed
    }
}

fn updated_at(item: &RawValue, column: &str) -> Option<i64> {
    #[derive(Deserialize)]
    struct Times {
        #[serde(default)]
        created_at: Value,
        #[serde(default)]
        updated_at: Value,
    }
    let times: Times = serde_json::from_str(item.get()).ok()?;
    lenient::time(if column == "created_at" { &times.created_at } else { &times.updated_at })
}
