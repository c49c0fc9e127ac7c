//! Walks the list of one resource from where the last run stopped to its end.
//!
//! A walk either reaches the end or says why it did not. Starting over is always safe, since records
//! are replaced by id; going on with a doubtful cursor is not.

mod patience;
mod scroll;

use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use self::patience::{Patience, Verdict};
use super::error::Error;
use super::events::Event;
use super::fields;
use super::plan::{Cursor, Plan};
use super::prune::prune;
use super::resources::{Bound, Resource, Route};
use super::run::{Ending, Run, Tally, local};
use super::surplus::{self, total_count};
use super::write::Listed;
use crate::api::error::Unexpected;
use crate::api::executor::operation;
use crate::api::operation::{Operation, Paging};
use crate::api::paging::{Next, Page};

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
    let plan = Plan::make(run, resource)?;
    let (later, removes) = (plan.since.is_some() && !plan.removes, plan.removes);
    let mut pages = 0;
    let mut ending = follow(run, resource, plan, tally, &mut pages).await?;
    if pages > 1 && ending == Ending::Complete && is_newest_first(resource) {
        // What changed while the pages went by moved to the first one, which had been read by then.
        ending = follow(run, resource, Plan::catch_up(run, resource)?, tally, &mut pages).await?;
    }
    let counts = removes && !resource.changes.is_empty();
    if counts && ending == Ending::Complete {
        surplus::settle(run, resource, None, tally).await?;
    }
    let asked_for_all = run.options.since.is_none() && run.options.max_pages.is_none();
    if later && asked_for_all && resource.vanishes && ending == Ending::Complete {
        return remove_lost(run, resource, tally).await;
    }
    Ok(ending)
}

fn is_newest_first(resource: &Resource) -> bool {
    resource.routes.iter().chain(resource.changes).any(Route::is_newest_first)
}

/// Lists everything and removes what is gone, if the workspace counts fewer records than are stored.
async fn remove_lost(run: &Run<'_>, resource: &'static Resource, tally: &mut Tally) -> Result<Ending, Error> {
    let listed = tally.listed;
    let Some(counted) = surplus::lost(run, resource, listed, tally).await? else {
        return Ok(Ending::Complete);
    };
    let ending = follow(run, resource, Plan::removal(run, resource)?, tally, &mut 0).await?;
    if ending == Ending::Complete {
        surplus::settle(run, resource, Some(counted), tally).await?;
    }
    Ok(ending)
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
    while let Some(route) = routes.peek() {
        let mut walk = Walk {
            run,
            resource,
            route,
            plan: &plan,
            operation: operation(route.operation)?,
            fresh: from.is_none(),
            pages: 0,
        };
        let result = walk.read(from.take(), tally).await;
        *pages += walk.pages;
        let error = match result {
            Ok(Walked::ToTheEnd) => return complete(run, resource, route, &plan, tally).await,
            Ok(Walked::Cut(reason)) => return Ok(Ending::Incomplete(reason)),
            Ok(Walked::Short(reason)) if patience.is_over() => return Ok(Ending::Incomplete(reason)),
            Ok(Walked::Short(reason)) => {
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
                        run.warn(resource.name, format!("taking another way: {error}"));
                    }
                    _ if fresh && patience::is_not_offered(&error) => {
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
    route: &Route,
    plan: &Plan,
    tally: &mut Tally,
) -> Result<Ending, Error> {
    if let Some(lacks) = route.lacks {
        return Ok(Ending::Incomplete(format!("could not see {lacks}")));
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
    /// It was to go no further.
    Cut(String),
    /// To the end, but it has not seen everything.
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
        let mut next = pages.next().await;
        while let Some(page) = next {
            tally.requests += 1;
            let page = page?;
            self.check(&page)?;
            self.fresh = false;
            self.pages += 1;
            rows += page.items.len() as u64;
            let counted = total_count(&page);
            if self.route.bound == Bound::NewestFirst {
                tally.listed = counted;
            }
            shrunk |= counted.zip(total).is_some_and(|(now, before)| now < before);
            total = counted.or(total);
            let wanted = ages.sort_out(self.resource, self.plan.since, &page.items);
            let is_enough = wanted.is_empty() && ages.descend && self.plan.since.is_some();
            let is_last = page.next.is_none() || (is_enough && self.route.is_newest_first());
            tally.pages += 1;
            let cut = !is_last && options.max_pages.is_some_and(|most| tally.pages >= most);
            next = if is_last || cut {
                self.store(&page, &wanted, tally)?;
                None
            } else {
                // The next page is on its way while this one is stored.
                let stored = async { self.store(&page, &wanted, tally) };
                let (next, stored) = futures::join!(pages.next(), stored);
                stored?;
                next
            };
            let requests_left = self.run.requests_left();
            self.run.tell(Event::SyncProgress { resource: self.resource.name, rows, total, requests_left });
            if cut {
                return Ok(Walked::Cut(format!("stopped after {} pages", tally.pages)));
            }
        }
        if shrunk && self.pages > 1 && self.by_number() {
            return Ok(Walked::Short("records vanished between two pages".to_owned()));
        }
        Ok(self.compare(rows, total, from.is_none()))
    }

    /// Numbered pages shift when a record vanishes from one that was read: the first of the next page
    /// slips into it, unseen.
    fn by_number(&self) -> bool {
        matches!(self.operation.paging, Paging::Page { .. })
    }

    /// A list that came shorter than it says has lost records between two pages.
    fn compare(&self, rows: u64, total: Option<u64>, from_the_start: bool) -> Walked {
        let everything = from_the_start && self.plan.since.is_none();
        let Some(total) = total.filter(|total| everything && rows < *total) else {
            return Walked::ToTheEnd;
        };
        let message = format!("the list names {total} records, but {rows} came");
        if self.pages > 1 && self.by_number() {
            return Walked::Short(message);
        }
        self.run.warn(self.resource.name, message);
        Walked::ToTheEnd
    }

    /// Refuses pages that look like an end and are none.
    fn check(&self, page: &Page) -> Result<(), Error> {
        match page.key {
            Some(_) => Ok(()),
            None => {
                Err(page.reply.unexpected(Unexpected::Shape, Some("there is no list in it".into())).into())
            }
        }
    }

    fn store(&self, page: &Page, wanted: &[&str], tally: &mut Tally) -> Result<(), Error> {
        // A number stands for another place as soon as a record comes or goes.
        let lasting = |next: &&Next| self.route.resumable && !matches!(next, Next::Page(_));
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
        if written.unidentified > 0 {
            self.run.warn(
                self.resource.name,
                format!("{} records without an id were left out", written.unidentified),
            );
        }
        Ok(())
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
