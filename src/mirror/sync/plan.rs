//! Decides how to sync a resource: fully or only what changed, from the start or from the saved cursor.
//!
//! A record may be skipped only if the mirror is known to have it. When unsure, fall back to a full sync.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::sync_context::{SyncContext, SyncOptions};
use crate::api::paging::Next;
use crate::api::request_builder::Arguments;
use crate::mirror::error::Error;
use crate::mirror::resources::{Bound, Resource, ResourceName, Route};

/// Changes are requested again from this many seconds before the last listing began, because searches lag by minutes
/// and clocks differ.
const OVERLAP: i64 = 3_600;
/// Seconds that reach the previous day in any time zone, even across a change of the clocks.
const OVER_A_DAY: i64 = 25 * 3_600;
/// Epoch seconds before the first activity log, which requires a start time.
const LOG_START: i64 = 1_262_304_000;

/// How to list a resource.
#[derive(Debug)]
pub(super) struct SyncPlan {
    /// Alternative routes, best first.
    pub routes: Vec<&'static Route>,
    /// Only changes at or after this time, in epoch seconds; `None` for everything.
    pub since: Option<i64>,
    /// Whether to remove records that the listing does not return.
    pub removes: bool,
    /// Where to resume the first route.
    pub from: Option<Next>,
}

/// The position of an interrupted listing, stored between runs.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Cursor {
    pub operation: String,
    pub position: Position,
    #[serde(default)]
    pub since: Option<i64>,
    #[serde(default)]
    pub removes: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Position {
    StartingAfter(String),
    Page(u64),
    Scroll(String),
    Query(String, String),
}

impl SyncPlan {
    /// Plans the sync of a resource and records its start.
    ///
    /// # Errors
    /// If the database fails.
    pub fn make(run: &SyncContext<'_>, resource: &'static Resource) -> Result<Self, Error> {
        let plan = SyncPlan::new(run, resource, run.options)?;
        plan.start(run, resource)
    }

    /// Plans to fetch what changed since the latest listing began.
    ///
    /// # Errors
    /// If the database fails.
    pub fn catch_up(run: &SyncContext<'_>, resource: &'static Resource) -> Result<Self, Error> {
        let options = SyncOptions { full: false, prune: false, ..run.options.clone() };
        SyncPlan::new(run, resource, &options)?.start(run, resource)
    }

    /// Plans to list everything, to find deleted records.
    ///
    /// # Errors
    /// If the database fails.
    pub fn removal(run: &SyncContext<'_>, resource: &'static Resource) -> Result<Self, Error> {
        let options = SyncOptions { prune: true, since: None, ..run.options.clone() };
        SyncPlan::new(run, resource, &options)?.start(run, resource)
    }

    fn new(run: &SyncContext<'_>, resource: &'static Resource, options: &SyncOptions) -> Result<Self, Error> {
        let mut plan =
            SyncPlan { routes: resource.routes.iter().collect(), since: None, removes: false, from: None };
        if resource.changes.is_empty() {
            // Every listing is complete, so it also shows what was deleted.
            plan.removes =
                resource.detects_deletions && !run.with_store(|store| store.is_empty(resource.name))?;
            return Ok(plan);
        }
        // A mirror with a start date is checked only back to that date, so that the check does not extend it.
        let floor = run.with_store(|store| store.sync_state(resource.name))?.and_then(|state| state.floor);
        let reach = options.since.or(floor.filter(|_| options.prune));
        plan.removes = options.prune && resource.detects_deletions && reach.is_none();
        if !plan.removes {
            plan.since = since(run, resource.name, &SyncOptions { since: reach, ..options.clone() })?;
        }
        if plan.since.is_some() {
            plan.routes = resource.changes.iter().chain(resource.routes).collect();
        }
        Ok(plan)
    }

    /// Resumes an interrupted listing if it covers everything in this plan, otherwise starts a new one.
    fn start(mut self, run: &SyncContext<'_>, resource: &Resource) -> Result<Self, Error> {
        let state = run.with_store(|store| store.sync_state(resource.name))?;
        let cursor = state.and_then(|state| serde_json::from_str::<Cursor>(&state.cursor?).ok());
        let covers_plan =
            |cursor: &Cursor| cursor.since.is_none_or(|from| self.since.is_some_and(|since| from <= since));
        let usable = cursor.filter(|cursor| covers_plan(cursor) && cursor.removes == self.removes);
        let routes = || resource.changes.iter().chain(resource.routes);
        let resumed = usable.and_then(|cursor| {
            let matches = |route: &&Route| route.operation == cursor.operation && route.resumable;
            let index = routes().position(|route| matches(&route))?;
            Some((index, cursor))
        });
        match resumed {
            Some((index, cursor)) => {
                self.routes = routes().skip(index).collect();
                (self.since, self.from) = (cursor.since, Some(cursor.position.into()));
            }
            None => run.with_store(|store| store.begin(resource.name, run.clock.now()))?,
        }
        Ok(self)
    }
}

/// The time from which changes are needed; `None` for everything.
fn since(run: &SyncContext<'_>, resource: ResourceName, options: &SyncOptions) -> Result<Option<i64>, Error> {
    if options.full {
        return Ok(options.since);
    }
    let (state, newest) =
        run.with_store(|store| Ok((store.sync_state(resource)?, store.newest(resource)?)))?;
    let Some(covered) = state.and_then(|state| state.covers(options.since)) else { return Ok(options.since) };
    // Records have server times. A local clock that is ahead must not hide changes.
    let from = newest.map_or(covered, |newest| covered.min(newest)) - OVERLAP;
    Ok(Some(options.since.filter(|since| *since > covered).unwrap_or(from)))
}

impl Route {
    /// The arguments to list what changed since a time in epoch seconds, or everything.
    pub(super) fn arguments(&self, since: Option<i64>) -> Arguments {
        let mut arguments = Arguments::default();
        arguments.query.extend(self.query.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let updated = |after: i64, order: Option<&str>| {
            let mut body = json!({"query": {"field": "updated_at", "operator": ">", "value": after}});
            if let Some(order) = order {
                body["sort"] = json!({"field": "updated_at", "order": order});
            }
            Some(body.to_string().into_bytes())
        };
        let days = since.map_or(0, |since| (since - OVER_A_DAY).max(0));
        match self.bound {
            Bound::None | Bound::NewestFirst => {}
            Bound::Search => {
                arguments.body = updated(since.map_or(0, |since| (since - 1).max(0)), Some("ascending"));
            }
            Bound::SearchByDay => arguments.body = updated(days, Some("descending")),
            Bound::SearchByDayUnordered => arguments.body = updated(days, None),
            Bound::Query(name) => {
                let since = since.unwrap_or(LOG_START).max(LOG_START);
                arguments.query.push((name.to_owned(), since.to_string()));
            }
        }
        arguments
    }

    /// Whether the latest changes come first, so that the listing can stop early.
    pub(super) fn is_newest_first(&self) -> bool {
        matches!(self.bound, Bound::NewestFirst | Bound::SearchByDay)
    }
}

impl From<Next> for Position {
    fn from(next: Next) -> Self {
        match next {
            Next::StartingAfter(cursor) => Position::StartingAfter(cursor),
            Next::Page(page) => Position::Page(page),
            Next::Scroll(scroll) => Position::Scroll(scroll),
            Next::Query(name, value) => Position::Query(name, value),
        }
    }
}

impl From<Position> for Next {
    fn from(position: Position) -> Self {
        match position {
            Position::StartingAfter(cursor) => Next::StartingAfter(cursor),
            Position::Page(page) => Next::Page(page),
            Position::Scroll(scroll) => Next::Scroll(scroll),
            Position::Query(name, value) => Next::Query(name, value),
        }
    }
}
