//! Walks the list of one resource from where the last run stopped to its end.
//!
//! A walk either reaches the end or says why it did not. Starting over is always safe, since records
//! are replaced by id; going on with a doubtful cursor is not.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::Error;
use super::events::Event;
use super::fields;
use super::resources::{Resource, Route};
use super::sync::{Run, Tally, local};
use crate::api;
use crate::api::error::Unexpected;
use crate::api::executor::{Arguments, operation};
use crate::api::operation::{Operation, Paging};
use crate::api::paging::{Next, Page};

/// How often a scroll that broke is begun again.
const RESTARTS: u32 = 3;
/// How long between attempts to get hold of the scroll.
const SCROLL_PAUSE: Duration = Duration::from_secs(5);
/// The server drops a scroll that rests for a minute, and then says it is at its end.
const SCROLL_REST: Duration = Duration::from_secs(55);

/// Walks to the end. `Some` tells what this way of listing could not see.
///
/// # Errors
/// [`Error::Api`] when the API did not let it reach the end, anything else when the store refuses.
pub(super) async fn walk(
    run: &Run<'_>,
    resource: &'static Resource,
    tally: &mut Tally,
) -> Result<Option<String>, Error> {
    let mut routes = resource.routes;
    let mut from = start(run, resource, &mut routes)?;
    let mut patience = Patience::new(run.options.scroll_patience);
    while let [route, others @ ..] = routes {
        tally.resumed = from.is_some();
        let mut walk =
            Walk { run, resource, route, operation: operation(route.operation)?, fresh: from.is_none() };
        let error = match walk.follow(from.take(), tally).await {
            Ok(()) => return Ok(route.lacks.map(|lacks| format!("could not see {lacks}"))),
            Err(Error::Api(error)) => error,
            Err(error) => return Err(error),
        };
        match patience.judge(walk.operation, walk.fresh, &error) {
            Verdict::Again(pause) => {
                run.warn(resource.name, format!("starting over: {error}"));
                tokio::time::sleep(pause).await;
            }
            Verdict::Wait(pause) => tokio::time::sleep(pause).await,
            Verdict::OtherRoute if !others.is_empty() => {
                run.warn(resource.name, format!("taking another way: {error}"));
                routes = others;
            }
            Verdict::OtherRoute | Verdict::Fail => return Err(error.into()),
        }
        run.with_store(|store| store.begin(resource.name, run.clock.server()))?;
    }
    Ok(None)
}

/// Where the last run stopped, with the routes from the one it had taken; or a new walk.
fn start(run: &Run<'_>, resource: &Resource, routes: &mut &'static [Route]) -> Result<Option<Next>, Error> {
    let state = run.with_store(|store| store.sync_state(resource.name))?;
    let cursor = state.and_then(|state| serde_json::from_str::<Cursor>(&state.cursor?).ok());
    let taken = cursor.and_then(|cursor| {
        let place = routes.iter().position(|route| route.operation == cursor.operation && route.resumable)?;
        Some((place, cursor.position.into()))
    });
    let Some((place, next)) = taken else {
        run.with_store(|store| store.begin(resource.name, run.clock.server()))?;
        return Ok(None);
    };
    *routes = &routes[place..];
    Ok(Some(next))
}

struct Walk<'a, 'r> {
    run: &'a Run<'r>,
    resource: &'static Resource,
    route: &'static Route,
    operation: &'static Operation,
    /// Whether no page was asked for by a cursor yet.
    fresh: bool,
}

impl Walk<'_, '_> {
    async fn follow(&mut self, from: Option<Next>, tally: &mut Tally) -> Result<(), Error> {
        let body = self.route.body.map(|body| body.as_bytes().to_vec());
        let mut arguments = Arguments { body, ..Arguments::default() };
        if let Some(next) = &from {
            arguments = next.apply(self.operation, arguments)?;
        }
        let mut pages = pin!(self.run.client.pages(self.operation, arguments, self.run.options.per_page));
        let mut rows = 0;
        let mut total = None;
        loop {
            let asked = Instant::now();
            let Some(page) = pages.next().await else { break };
            tally.requests += 1;
            let page = page?;
            self.check(&page, asked.elapsed())?;
            self.fresh = false;
            rows += page.items.len() as u64;
            total = total.or_else(|| total_count(&page));
            self.store(&page, tally)?;
            self.run.tell(Event::SyncProgress { resource: self.resource.name, rows, total });
        }
        if let Some(total) = total.filter(|total| from.is_none() && rows < *total) {
            self.run.warn(self.resource.name, format!("the list names {total} records, but {rows} came"));
        }
        Ok(())
    }

    /// Refuses pages that look like an end and are none.
    fn check(&self, page: &Page, waited: Duration) -> Result<(), Error> {
        let scrolls = self.operation.paging == Paging::Scroll;
        let odd = match scrolls {
            true => page.items.is_empty() && !self.fresh && waited > SCROLL_REST,
            false => page.key.is_none(),
        };
        let detail = if scrolls { "the scroll has expired" } else { "there is no list in it" };
        match odd {
            true => Err(page.reply.unexpected(Unexpected::Shape, Some(detail.to_owned())).into()),
            false => Ok(()),
        }
    }

    fn store(&self, page: &Page, tally: &mut Tally) -> Result<(), Error> {
        let cursor = page
            .next
            .as_ref()
            .filter(|_| self.route.resumable)
            .map(|next| Cursor { operation: self.operation.id.to_owned(), position: next.clone().into() });
        let cursor = cursor.and_then(|cursor| serde_json::to_string(&cursor).ok());
        let items = page.items.iter().map(|item| RawValue::get(item));
        let written = self
            .run
            .with_store(|store| store.store_page(self.resource, items, cursor.as_deref(), local()))?;
        tally.written.add(written);
        if written.skipped > 0 {
            self.run
                .warn(self.resource.name, format!("{} records without an id were left out", written.skipped));
        }
        Ok(())
    }
}

fn total_count(page: &Page) -> Option<u64> {
    #[derive(Deserialize)]
    struct Total {
        #[serde(default)]
        total_count: Value,
    }
    let total: Total = serde_json::from_slice(&page.reply.body).ok()?;
    fields::integer(&total.total_count)?.try_into().ok()
}

/// A place in a list, as it is kept between runs.
#[derive(Debug, Serialize, Deserialize)]
struct Cursor {
    operation: String,
    position: Position,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Position {
    StartingAfter(String),
    Page(u64),
    Scroll(String),
}

impl From<Next> for Position {
    fn from(next: Next) -> Self {
        match next {
            Next::StartingAfter(cursor) => Position::StartingAfter(cursor),
            Next::Page(page) => Position::Page(page),
            Next::Scroll(scroll) => Position::Scroll(scroll),
        }
    }
}

impl From<Position> for Next {
    fn from(position: Position) -> Self {
        match position {
            Position::StartingAfter(cursor) => Next::StartingAfter(cursor),
            Position::Page(page) => Next::Page(page),
            Position::Scroll(scroll) => Next::Scroll(scroll),
        }
    }
}

/// What to do about a walk that broke off.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Begin again after a pause.
    Again(Duration),
    /// The same, but nothing had begun.
    Wait(Duration),
    OtherRoute,
    Fail,
}

/// How much has been tried already.
struct Patience {
    restarts: u32,
    since: Instant,
    scroll: Duration,
}

impl Patience {
    fn new(scroll: Duration) -> Self {
        Patience { restarts: 0, since: Instant::now(), scroll }
    }

    fn judge(&mut self, operation: &Operation, fresh: bool, error: &api::error::Error) -> Verdict {
        let refused = matches!(error.status(), Some(400 | 404 | 410 | 422));
        if operation.paging == Paging::Scroll {
            return self.judge_scroll(error);
        }
        match refused {
            // The cursor has expired, or its record is gone.
            true if !fresh && self.restarts == 0 => self.again(Duration::ZERO),
            true if fresh => Verdict::OtherRoute,
            _ => Verdict::Fail,
        }
    }

    fn judge_scroll(&mut self, error: &api::error::Error) -> Verdict {
        if error.code() == Some("scroll_exists") {
            let left = self.scroll.saturating_sub(self.since.elapsed());
            return if left.is_zero() { Verdict::OtherRoute } else { Verdict::Wait(SCROLL_PAUSE.min(left)) };
        }
        if error.is_unauthorized() || error.is_offline() || error.is_rate_limited() {
            return Verdict::Fail;
        }
        // The broken scroll may still be held, so the next one may have to wait for it anew.
        self.since = Instant::now();
        if self.restarts < RESTARTS { self.again(Duration::from_secs(1)) } else { Verdict::OtherRoute }
    }

    fn again(&mut self, pause: Duration) -> Verdict {
        self.restarts += 1;
        Verdict::Again(pause)
    }
}
