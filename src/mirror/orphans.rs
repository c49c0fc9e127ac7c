//! Settles links to records that are not in the mirror.
//!
//! Resources are fetched side by side, so a document may come in that names a record which was found gone a
//! moment before; and some documents go on naming what was deleted. Each of the missing records is asked
//! for: what exists is stored, links to the others are taken away. Nothing is done about resources of which
//! the mirror does not hold everything.

use super::error::Error;
use super::events::Outcome;
use super::prune::gone;
use super::resources::ResourceName;
use super::run::{Run, Tally};
use super::store::Store;
use super::write::links_to;

/// Records asked for in one run; the others are left to the next.
const MOST: u32 = 1_000;

impl Store {
    /// Records that others name and that are not stored.
    fn orphans(&self, resource: ResourceName) -> Result<Vec<String>, Error> {
        let named: Vec<String> = links_to(resource)
            .map(|link| format!("SELECT {} AS id FROM {}", link.other, link.table))
            .collect();
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT DISTINCT id FROM ({}) WHERE id NOT IN (SELECT id FROM {resource}) ORDER BY id LIMIT {MOST}",
            named.join(" UNION ALL ")
        );
        let mut statement = self.connection.prepare(&sql)?;
        let ids = statement.query_map([], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }
}

/// Settles the links to what this run has brought up to date.
///
/// # Errors
/// When the store refuses. What the API does not tell is left for the next run.
pub(super) async fn settle(run: &Run<'_>, outcomes: &mut [Outcome]) -> Result<(), Error> {
    for outcome in outcomes.iter_mut().filter(|outcome| outcome.complete) {
        let resource = outcome.resource.resource();
        let Some(one) = resource.one else { continue };
        let whole = |store: &mut Store| Ok(store.sync_state(resource.name)?.is_some_and(|it| it.is_whole()));
        if !run.with_store(whole)? {
            continue;
        }
        let orphans = run.with_store(|store| store.orphans(resource.name))?;
        let mut tally = Tally::default();
        match gone(run, resource, one, orphans, &mut tally).await {
            Ok(gone) => drop(run.with_store(|store| store.remove(resource.name, &gone))?),
            Err(Error::Api(error)) => tracing::debug!(%error, resource = %resource.name, "links stay"),
            Err(error) => return Err(error),
        }
        outcome.requests += tally.requests;
    }
    Ok(())
}
