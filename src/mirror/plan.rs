//! Decides how a resource is to be walked: all of it or only what changed, anew or from where the last
//! run stopped.
//!
//! What is left out must be known to be in the mirror already. In doubt the plan is the longer way.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::Error;
use super::resources::{Bound, Resource, ResourceName, Route};
use super::run::{Run, SyncOptions};
use crate::api::paging::Next;
use crate::api::request_builder::Arguments;

/// Seconds before the last walk's start from which changes are asked for again: searches lag behind by
/// minutes, and clocks differ.
const OVERLAP: i64 = 3_600;
/// Seconds that certainly lead to the day before, whatever the workspace's time zone does.
const OVER_A_DAY: i64 = 25 * 3_600;
/// A moment before there was anything to log; the log's list demands one.
const LONG_AGO: i64 = 1_262_304_000;

/// How a resource is walked.
#[derive(Debug)]
pub(super) struct Plan {
    /// Ways to go, the best one first.
    pub routes: Vec<&'static Route>,
    /// Only what changed at or after this moment, epoch seconds; everything for `None`.
    pub since: Option<i64>,
    /// Whether what does not turn up is to be removed afterwards.
    pub removes: bool,
    /// Where the first of the routes goes on.
    pub from: Option<Next>,
}

/// A place in a walk, as it is kept between runs.
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

impl Plan {
    /// The plan for a resource, and the mark that its walk has begun.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn make(run: &Run<'_>, resource: &'static Resource) -> Result<Self, Error> {
        let plan = Plan::wanted(run, resource, run.options)?;
        plan.start(run, resource)
    }

    /// The plan for what changed since the latest walk began.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn catch_up(run: &Run<'_>, resource: &'static Resource) -> Result<Self, Error> {
        let options = SyncOptions { full: false, prune: false, ..run.options.clone() };
        Plan::wanted(run, resource, &options)?.start(run, resource)
    }

    /// The plan for everything, to find out what is gone.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn removal(run: &Run<'_>, resource: &'static Resource) -> Result<Self, Error> {
        let options = SyncOptions { prune: true, since: None, ..run.options.clone() };
        Plan::wanted(run, resource, &options)?.start(run, resource)
    }

    fn wanted(run: &Run<'_>, resource: &'static Resource, options: &SyncOptions) -> Result<Self, Error> {
        let mut plan =
            Plan { routes: resource.routes.iter().collect(), since: None, removes: false, from: None };
        if resource.changes.is_empty() {
            // All of it comes every time, so what is gone shows by itself.
            plan.removes = resource.vanishes && !run.with_store(|store| store.is_empty(resource.name))?;
            return Ok(plan);
        }
        // A mirror of what is newer is checked as far as it reaches, and does not grow by that.
        let floor = run.with_store(|store| store.sync_state(resource.name))?.and_then(|state| state.floor);
        let reach = options.since.or(floor.filter(|_| options.prune));
        plan.removes = options.prune && resource.vanishes && reach.is_none();
        if !plan.removes {
            plan.since = since(run, resource.name, &SyncOptions { since: reach, ..options.clone() })?;
        }
        if plan.since.is_some() {
            plan.routes = resource.changes.iter().chain(resource.routes).collect();
        }
        Ok(plan)
    }

    /// Goes on where an interrupted walk stopped, if that leads to all that is wanted.
    fn start(mut self, run: &Run<'_>, resource: &Resource) -> Result<Self, Error> {
        let state = run.with_store(|store| store.sync_state(resource.name))?;
        let cursor = state.and_then(|state| serde_json::from_str::<Cursor>(&state.cursor?).ok());
        let reaches =
            |cursor: &Cursor| cursor.since.is_none_or(|from| self.since.is_some_and(|it| from <= it));
        let usable = cursor.filter(|cursor| reaches(cursor) && cursor.removes == self.removes);
        let ways = || resource.changes.iter().chain(resource.routes);
        let taken = usable.and_then(|cursor| {
            let is_it = |route: &&Route| route.operation == cursor.operation && route.resumable;
            let place = ways().position(|route| is_it(&route))?;
            Some((place, cursor))
        });
        match taken {
            Some((place, cursor)) => {
                self.routes = ways().skip(place).collect();
                (self.since, self.from) = (cursor.since, Some(cursor.position.into()));
            }
            None => run.with_store(|store| store.begin(resource.name, run.clock.server()))?,
        }
        Ok(self)
    }
}

/// From when on changes are wanted; everything for `None`.
fn since(run: &Run<'_>, resource: ResourceName, options: &SyncOptions) -> Result<Option<i64>, Error> {
    if options.full {
        return Ok(options.since);
    }
    let (state, newest) =
        run.with_store(|store| Ok((store.sync_state(resource)?, store.newest(resource)?)))?;
    let Some(covered) = state.and_then(|state| state.covers(options.since)) else { return Ok(options.since) };
    // Records carry the time of the service. A clock that runs ahead of it must not hide changes.
    let from = newest.map_or(covered, |newest| covered.min(newest)) - OVERLAP;
    Ok(Some(options.since.filter(|since| *since > covered).unwrap_or(from)))
}

impl Route {
    /// What to ask for to get what changed since a moment, or everything.
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
                let since = since.unwrap_or(LONG_AGO).max(LONG_AGO);
                arguments.query.push((name.to_owned(), since.to_string()));
            }
        }
        arguments
    }

    /// Whether what changed last comes first, so that the rest need not be read.
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
