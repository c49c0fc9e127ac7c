//! Finds out at the price of one call whether the workspace has lost records, and removes them where that
//! is cheap.
//!
//! What is deleted shows in no list of changes, but in the server's count: when it is below the number of
//! stored records, some are gone. The count only gives rise to a look; nothing is removed because of it.

use std::pin::pin;

use futures::StreamExt;

use super::error::Error;
use super::read::Choice;
use super::resources::{Bound, Resource, ResourceName, Route};
use super::store::Store;
use super::sync::{Run, Tally};
use super::walk::total_count;
use crate::api::executor::operation;
use crate::api::operation::{Operation, Paging};

/// Pages that may be listed for the sake of deletions alone.
const CHEAP_PAGES: u64 = 10;
/// Records that may be asked for one by one, for the same.
const CHEAP_RECORDS: u64 = 100;

/// What the server's count says about the stored records.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing is gone, as far as can be told.
    Whole,
    /// So many are gone, and a listing finds them cheaply.
    Cheap(u64),
    /// So many are gone, and finding them takes long.
    Costly(u64),
}

impl Store {
    /// Stored records beyond a count of the server.
    fn surplus(&self, resource: ResourceName, total: u64) -> Result<u64, Error> {
        Ok(self.count(resource, &Choice::default())?.saturating_sub(total))
    }

    /// Notes how many records there are beyond the server's count, although a whole listing has been
    /// compared with them: they exist and are not counted.
    pub(super) fn note_uncounted(&self, resource: ResourceName, total: Option<u64>) -> Result<(), Error> {
        let uncounted = total.map_or(Ok(0), |total| self.surplus(resource, total))?;
        self.connection.execute(
            "UPDATE sync_state SET uncounted = ?2 WHERE resource = ?1",
            (resource.as_str(), i64::try_from(uncounted).unwrap_or(i64::MAX)),
        )?;
        Ok(())
    }

    fn uncounted(&self, resource: ResourceName) -> Result<u64, Error> {
        let sql = "SELECT coalesce(max(uncounted), 0) FROM sync_state WHERE resource = ?1";
        let uncounted: i64 =
            self.connection.prepare_cached(sql)?.query_row([resource.as_str()], |row| row.get(0))?;
        Ok(uncounted.try_into().unwrap_or(0))
    }
}

/// Compares the server's count with the store, after a walk that reached its end. The walk's own count
/// serves where it was one of everything.
///
/// # Errors
/// When the store refuses. A count that cannot be had says nothing.
pub(super) async fn look(
    run: &Run<'_>,
    resource: &'static Resource,
    tally: &mut Tally,
) -> Result<Verdict, Error> {
    let Some(route) = counting(resource).filter(|_| resource.vanishes) else { return Ok(Verdict::Whole) };
    let listing = operation(route.operation)?;
    let total = match tally.total {
        Some(total) => Some(total),
        None => count(run, route, listing, tally).await,
    };
    let Some(total) = total else { return Ok(Verdict::Whole) };
    let (surplus, uncounted) =
        run.with_store(|store| Ok((store.surplus(resource.name, total)?, store.uncounted(resource.name)?)))?;
    let gone = surplus.saturating_sub(uncounted);
    let size = u64::from(run.options.per_page.unwrap_or(u32::MAX).min(most(listing)).max(1));
    Ok(match gone {
        0 => Verdict::Whole,
        _ if total.div_ceil(size) <= CHEAP_PAGES && surplus <= CHEAP_RECORDS => Verdict::Cheap(gone),
        _ => Verdict::Costly(gone),
    })
}

/// A list of everything that says how much that is.
fn counting(resource: &'static Resource) -> Option<&'static Route> {
    let everything = |route: &&Route| matches!(route.bound, Bound::None | Bound::NewestFirst);
    resource.routes.iter().find(everything).or_else(|| resource.routes.first())
}

async fn count(run: &Run<'_>, route: &Route, listing: &'static Operation, tally: &mut Tally) -> Option<u64> {
    tally.requests += 1;
    let mut pages = pin!(run.client.pages(listing, route.arguments(None), Some(1)));
    total_count(&pages.next().await?.ok()?)
}

/// Records of the largest page.
fn most(listing: &Operation) -> u32 {
    match listing.paging {
        Paging::Cursor { max } | Paging::CursorInBody { max } | Paging::Page { max } => max,
        Paging::None | Paging::Whole | Paging::Scroll => 1,
    }
}
