//! Lists one resource to its end, on the first of its routes that works.
//!
//! A listing either reaches the end or reports why it did not. Restarting is always safe, because records are
//! upserted by id. Continuing from a doubtful cursor is not.

mod complement;
mod gap;
mod missing_ids;
mod pages;
mod pagination;
mod scroll;

use self::pagination::{Pagination, PaginationEnd};
use super::deletions;
use super::events::Cause;
use super::plan::ListPlan;
use super::sync_context::{Ending, ResourceSync, local_now};
use crate::api;
use crate::api::ErrorBudget;
use crate::api::operation::{Operation, Paging};
use crate::mirror::error::Error;
use crate::mirror::resources::Route;

/// Restarts after an error.
const RESTARTS: usize = 3;
/// Restarts after a listing that returned fewer records than it counts.
const RECOUNTS: usize = 2;

/// Follows a plan to its end.
///
/// # Errors
/// [`Error::Api`] if the API does not let the listing reach its end, another one if the database fails.
pub(super) async fn follow(sync: &mut ResourceSync<'_>, plan: &ListPlan) -> Result<Ending, Error> {
    let mut from = plan.position().cloned();
    sync.progress.resumed |= from.is_some();
    if from.is_none() {
        begin(sync)?;
    }
    let (mut restarts, mut recounts) = (ErrorBudget::new(RESTARTS), ErrorBudget::new(RECOUNTS));
    let mut routes = plan.routes(sync.resource).peekable();
    // Why the scroll was abandoned.
    let mut scroll_error: Option<api::Error> = None;
    while let Some(route) = routes.peek().copied() {
        let mut pagination = Pagination::new(sync, plan, route, from.is_none())?;
        let list = pagination.operation;
        let result = if list.paging == Paging::Scroll {
            pagination.scroll().await
        } else {
            pagination.read(from.take()).await
        };
        let is_fresh = pagination.is_fresh;
        let error = match result {
            Ok(PaginationEnd::Complete) => return complete(sync, plan, route, scroll_error).await,
            Ok(PaginationEnd::Stopped(reason)) => return Ok(Ending::Incomplete(reason)),
            Ok(PaginationEnd::Shifted(reason)) if !restarts.take() => return Ok(Ending::Incomplete(reason)),
            Ok(PaginationEnd::Short(reason)) if !recounts.take() => return Ok(Ending::Incomplete(reason)),
            Ok(PaginationEnd::Shifted(reason) | PaginationEnd::Short(reason)) => {
                sync.warn(format!("starting over: {reason}"));
                begin(sync)?;
                continue;
            }
            Err(Error::Api(error)) => error,
            Err(error) => return Err(error),
        };
        match recovery(list, is_fresh, &error, &mut restarts) {
            Recovery::Restart => sync.warn(format!("starting over: {error}")),
            recovery => {
                routes.next();
                if recovery == Recovery::Fail || routes.peek().is_none() {
                    return give_up(sync, error, scroll_error, is_fresh);
                }
                sync.warn(format!("falling back to another list: {error}"));
                if list.paging == Paging::Scroll {
                    scroll_error = Some(error);
                }
            }
        }
        begin(sync)?;
    }
    Ok(Ending::Complete)
}

fn begin(sync: &ResourceSync<'_>) -> Result<(), Error> {
    sync.with_store(|store| store.begin(sync.name(), sync.run.clock.now()))
}

/// How to continue after a listing fails.
#[derive(Debug, PartialEq, Eq)]
enum Recovery {
    Restart,
    OtherRoute,
    Fail,
}

/// `is_fresh`: no page has been requested by a cursor yet.
fn recovery(
    operation: &Operation,
    is_fresh: bool,
    error: &api::Error,
    restarts: &mut ErrorBudget,
) -> Recovery {
    let is_scroll = operation.paging == Paging::Scroll;
    let is_rejected = matches!(error.status(), Some(400 | 404 | 410 | 422));
    // A scroll may also fail because another client's scroll does not end.
    if (is_scroll && !error.affects_all()) || (is_rejected && is_fresh) {
        Recovery::OtherRoute
    } else if is_rejected && restarts.take() {
        // The cursor has expired, or its record is gone.
        Recovery::Restart
    } else {
        Recovery::Fail
    }
}

fn give_up(
    sync: &mut ResourceSync<'_>,
    error: api::Error,
    scroll_error: Option<api::Error>,
    is_fresh: bool,
) -> Result<Ending, Error> {
    if error.is_not_offered() {
        // Report the failed scroll, not the list that replaces it.
        if let Some(scroll_error) = scroll_error.filter(|first| !first.is_not_offered()) {
            return Err(scroll_error.into());
        }
        if is_fresh {
            sync.progress.add_cause(Cause::of(&error).or(Some(Cause::Refused)));
            return Ok(Ending::Skipped(error.to_string()));
        }
    }
    Err(error.into())
}

async fn complete(
    sync: &mut ResourceSync<'_>,
    plan: &ListPlan,
    route: &'static Route,
    scroll_error: Option<api::Error>,
) -> Result<Ending, Error> {
    if let Some(blind_spot) = route.blind_spot {
        let cause = scroll_error.map(|error| format!("{error}; ")).unwrap_or_default();
        return Ok(Ending::Incomplete(format!("{cause}the list that was used omits {blind_spot}")));
    }
    if let Some(reason) = gap::close(sync, route, plan.since()).await? {
        return Ok(Ending::Incomplete(reason));
    }
    if plan.since().is_none() {
        complement::read(sync).await?;
    }
    if plan.removes() {
        deletions::prune(sync).await?;
    }
    sync.with_store(|store| store.finish(sync.name(), plan.since(), local_now()))?;
    Ok(Ending::Complete)
}
