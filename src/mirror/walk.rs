//! Walks the list of one resource from where the last run stopped to its end.
//!
//! A walk either reaches the end or says why it did not. Starting over is always safe, since records
//! are replaced by id; going on with a doubtful cursor is not.

mod gap;
mod nameless;
mod patience;
mod scroll;

use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

pub(super) use self::patience::is_not_offered;
use self::patience::{Patience, Verdict};
use super::deletions;
use super::error::Error;
use super::events::{Cause, Event};
use super::fields;
use super::plan::{Cursor, Plan};
use super::prune::prune;
use super::resources::{Bound, Resource, Route};
use super::run::{Ending, Run, Tally, local};
use super::surplus::total_count;
use super::write::Listed;
use crate::api;
use crate::api::operation::{Operation, Paging};
use crate::api::paging::{Coverage, Next, Page};
use crate::api::request_builder::operation;

/// The server drops a scroll that rests for a minute, and then says it is at its end.
const SCROLL_REST: Duration = Duration::from_secs(55);

/// Brings one listed resource up to date.
///
/// # Errors
/// [`Error::Api`] when the API did not let it reach the end, anything else when the store refuses.
pub(super) async fn walk(
    run: &Run<'_>,
    resource: &'static Resource,
    tally: &mut Tally,
) -> Result<Ending, Error> {
    let first =
        run.with_store(|store| store.sync_state(resource.name))?.is_none_or(|it| it.watermark.is_none());
    let plan = Plan::make(run, resource)?;
    let (since, removes) = (plan.since, plan.removes);
    let mut pages = 0;
    let mut ending = follow(run, resource, plan, tally, &mut pages).await?;
    if pages > 1 && ending == Ending::Complete && is_newest_first(resource) {
        // What changed while the pages went by moved to the first one, which had been read by then.
        ending = follow(run, resource, Plan::catch_up(run, resource)?, tally, &mut pages).await?;
    }
    if ending == Ending::Complete && !resource.changes.is_empty() && run.options.max_pages.is_none() {
        let saw_everything = first || since.is_none();
        return deletions::check(run, resource, removes, saw_everything, tally).await;
    }
    Ok(ending)
}

fn is_newest_first(resource: &Resource) -> bool {
    resource.routes.iter().chain(resource.changes).any(Route::is_newest_first)
}

/// Lists everything and removes what is gone.
///
/// # Errors
/// As [`walk`].
pub(super) async fn list_and_remove(
    run: &Run<'_>,
    resource: &'static Resource,
    tally: &mut Tally,
) -> Result<Ending, Error> {
    follow(run, resource, Plan::removal(run, resource)?, tally, &mut 0).await
}

/// Follows a plan to its end, on whichever of its routes leads there.
async fn follow(
    run: &Run<'_>,
    resource: &'static Resource,
    mut plan: Plan,
    tally: &mut Tally,
    pages: &mut u64,
) -> Result<Ending, Error> {
    tally.resumed |= plan.from.is_some();
    let mut patience = Patience::default();
    let mut routes = plan.routes.iter().copied().peekable();
    let mut from = plan.from.take();
    // Why the scroll was given up.
    let mut detour: Option<api::Error> = None;
    while let Some(route) = routes.peek() {
        let mut walk = Walk {
            run,
            resource,
            route,
            plan: &plan,
            operation: operation(route.operation)?,
            fresh: from.is_none(),
            pages: 0,
            nameless: Vec::new(),
        };
        let result = walk.read(from.take(), tally).await;
        *pages += walk.pages;
        let error = match result {
            Ok(Walked::ToTheEnd) => {
                return complete(run, resource, route, &plan, detour.as_ref(), tally).await;
            }
            Ok(Walked::Cut(reason)) => return Ok(Ending::Incomplete(reason)),
            Ok(Walked::Shifted(reason)) if patience.is_over() => return Ok(Ending::Incomplete(reason)),
            Ok(Walked::Short(reason)) if patience.is_over_for_counts() => {
                return Ok(Ending::Incomplete(reason));
            }
            Ok(Walked::Shifted(reason) | Walked::Short(reason)) => {
                run.warn(resource.name, format!("starting over: {reason}"));
                run.with_store(|store| store.begin(resource.name, run.clock.server()))?;
                continue;
            }
            Err(Error::Api(error)) => error,
            Err(error) => return Err(error),
        };
        let fresh = walk.fresh && walk.pages == 0;
        match patience.judge(walk.operation, walk.fresh, &error) {
            Verdict::Again => run.warn(resource.name, format!("starting over: {error}")),
            verdict => {
                routes.next();
                match routes.peek() {
                    Some(_) if verdict == Verdict::OtherRoute => {
                        run.warn(resource.name, format!("trying another list: {error}"));
                        if walk.operation.paging == Paging::Scroll {
                            detour = Some(error);
                        }
                    }
                    // The list that was broken is the trouble, not the one that replaces it.
                    _ if is_not_offered(&error)
                        && detour.as_ref().is_some_and(|first| !is_not_offered(first)) =>
                    {
                        return Err(detour.unwrap_or(error).into());
                    }
                    _ if fresh && is_not_offered(&error) => {
                        tally.blame(Cause::of(&error).or(Some(Cause::Refused)));
                        return Ok(Ending::Skipped(error.to_string()));
                    }
                    _ => return Err(error.into()),
                }
            }
        }
        run.with_store(|store| store.begin(resource.name, run.clock.server()))?;
    }
    Ok(Ending::Complete)
}

async fn complete(
    run: &Run<'_>,
    resource: &'static Resource,
    route: &'static Route,
    plan: &Plan,
    detour: Option<&api::Error>,
    tally: &mut Tally,
) -> Result<Ending, Error> {
    if let Some(lacks) = route.lacks {
        let cause = detour.map(|error| format!("{error}; ")).unwrap_or_default();
        return Ok(Ending::Incomplete(format!("{cause}could not see {lacks}")));
    }
    if let Some(reason) = gap::close(run, resource, route, plan, tally).await? {
        return Ok(Ending::Incomplete(reason));
    }
    if plan.removes {
        prune(run, resource, tally).await?;
    }
    run.with_store(|store| store.finish(resource.name, plan.since, local()))?;
    Ok(Ending::Complete)
}

/// How far a walk came.
#[derive(Debug)]
enum Walked {
    ToTheEnd,
    /// No further, and going again would not help.
    Cut(String),
    /// To the end, but the places of its pages have shifted meanwhile.
    Shifted(String),
    /// To the end, but fewer records came than the list counts.
    Short(String),
}

struct Walk<'a, 'r> {
    run: &'a Run<'r>,
    resource: &'static Resource,
    route: &'static Route,
    plan: &'a Plan,
    operation: &'static Operation,
    /// Whether no page was asked for by a cursor yet.
    fresh: bool,
    pages: u64,
    /// Descriptions of the records that came without an id.
    nameless: Vec<String>,
}

impl Walk<'_, '_> {
    async fn read(&mut self, from: Option<Next>, tally: &mut Tally) -> Result<Walked, Error> {
        if self.operation.paging == Paging::Scroll {
            return self.scroll(tally).await;
        }
        let mut arguments = self.route.arguments(self.plan.since);
        if let Some(next) = &from {
            arguments = next.apply(self.operation, arguments)?;
        }
        let options = self.run.options;
        let mut pages = pin!(self.run.client.pages(self.operation, arguments, options.per_page));
        let (mut rows, mut total, mut shrunk) = (0, None, false);
        let mut ages = Ages::default();
        let mut end = None;
        let mut next = pages.next().await;
        while let Some(page) = next {
            tally.requests += 1;
            let mut page = page?;
            page.require_list()?;
            self.fresh = false;
            self.pages += 1;
            rows += page.items.len() as u64;
            let counted = total_count(&page);
            if self.route.bound == Bound::NewestFirst || self.plan.since.is_none() {
                tally.listed = counted;
            }
            shrunk |= counted.zip(total).is_some_and(|(now, before)| now < before);
            total = counted.or(total);
            let wanted = ages.sort_out(self.resource, self.plan.since, &page.items);
            let is_enough = wanted.is_empty() && ages.descend && self.plan.since.is_some();
            let is_last = page.next.is_none() || (is_enough && self.route.is_newest_first());
            tally.pages += 1;
            let cut = !is_last && options.max_pages.is_some_and(|most| tally.pages >= most);
            let nameless;
            (next, nameless) = if is_last || cut {
                (None, self.store(&page, self.pages, &wanted, tally)?)
            } else {
                // The next page is on its way while this one is stored.
                let stored = async { self.store(&page, self.pages, &wanted, tally) };
                let (next, stored) = futures::join!(pages.next(), stored);
                (next, stored?)
            };
            self.nameless.extend(nameless);
            end = page.end.take();
            let requests_left = self.run.requests_left();
            self.run.tell(Event::SyncProgress { resource: self.resource.name, rows, total, requests_left });
            if cut {
                return Ok(Walked::Cut(format!("stopped after {} pages", tally.pages)));
            }
        }
        if !self.nameless.is_empty() {
            return Ok(Walked::Cut(nameless::in_words(&self.nameless)));
        }
        if shrunk && self.pages > 1 && self.by_number() {
            return Ok(Walked::Shifted("records vanished between two pages".to_owned()));
        }
        // A list that was not read to its end, since the rest is known, has no verdict.
        Ok(end.and_then(|end: Coverage| end.reason).map_or(Walked::ToTheEnd, Walked::Short))
    }

    /// Numbered pages shift when a record vanishes from one that was read: the first of the next page
    /// slips into it, unseen.
    fn by_number(&self) -> bool {
        matches!(self.operation.paging, Paging::Page { .. })
    }

    /// Stores a page, the `number`th of the walk. Returns descriptions of the records that have no id and cannot be stored.
    fn store(
        &self,
        page: &Page,
        number: u64,
        wanted: &[&str],
        tally: &mut Tally,
    ) -> Result<Vec<String>, Error> {
        // A number stands for another place as soon as a record comes or goes.
        // And a walk that has met records without an id begins again, for it may find them whole.
        let lasting =
            |next: &&Next| self.route.resumable && self.nameless.is_empty() && !matches!(next, Next::Page(_));
        let cursor = page.next.as_ref().filter(lasting).map(|next| Cursor {
            operation: self.operation.id.to_owned(),
            position: next.clone().into(),
            since: self.plan.since,
            removes: self.plan.removes,
        });
        let cursor = cursor.and_then(|cursor| serde_json::to_string(&cursor).ok());
        let listed = Listed {
            items: wanted,
            cursor: cursor.as_deref(),
            synced_at: local(),
            fetched_at: page.reply.date().unwrap_or_else(|| self.run.clock.server()),
            seen: self.plan.removes,
        };
        let (written, parts) = self.run.with_store(|store| store.store_listed(self.resource, &listed))?;
        tally.written.add(written);
        self.run.carry(parts);
        if written.unidentified == 0 {
            return Ok(Vec::new());
        }
        let nameless = nameless::of(self.resource, &page.items, number);
        self.run.warn(self.resource.name, format!("left out: {}", nameless::in_words(&nameless)));
        Ok(nameless)
    }
}

/// The order in which changes came by.
#[derive(Debug)]
struct Ages {
    last: i64,
    /// Whether they have come newest first so far.
    descend: bool,
}

impl Default for Ages {
    fn default() -> Self {
        Ages { last: i64::MAX, descend: true }
    }
}

impl Ages {
    /// The records that changed at or after `since`, and those that do not tell.
    fn sort_out<'p>(
        &mut self,
        resource: &Resource,
        since: Option<i64>,
        items: &'p [Box<RawValue>],
    ) -> Vec<&'p str> {
        let (Some(since), Some(age)) = (since, resource.age) else {
            return items.iter().map(|item| item.get()).collect();
        };
        let mut wanted = Vec::with_capacity(items.len());
        for item in items {
            let changed = changed(item, age);
            self.descend &= changed.is_some_and(|changed| changed <= self.last);
            self.last = changed.unwrap_or(self.last);
            if changed.is_none_or(|changed| changed >= since) {
                wanted.push(item.get());
            }
        }
        wanted
    }
}

fn changed(item: &RawValue, age: &str) -> Option<i64> {
    #[derive(Deserialize)]
    struct Times {
        #[serde(default)]
        created_at: Value,
        #[serde(default)]
        updated_at: Value,
    }
    let times: Times = serde_json::from_str(item.get()).ok()?;
    fields::time(if age == "created_at" { &times.created_at } else { &times.updated_at })
}
