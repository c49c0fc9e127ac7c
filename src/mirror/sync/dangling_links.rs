//! Resolves links to records that are missing from the mirror.
//!
//! Such links occur because resources are fetched in parallel, and because some documents keep references to deleted
//! records. Each missing record is requested: it is stored if it exists, otherwise its links are removed. Links to
//! incomplete resources must stay.

use super::events::ResourceOutcome;
use super::prune::confirm_gone;
use super::sync_context::{ResourceProgress, SyncContext};
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;
use crate::mirror::store::Store;
use crate::mirror::store::write::links_to;

/// Records requested per run; the next run continues.
const MAX_REQUESTS: u32 = 1_000;

impl Store {
    /// Ids of records that are linked but not stored.
    fn missing_records(&self, resource: ResourceName) -> Result<Vec<String>, Error> {
        let linked: Vec<String> = links_to(resource)
            .map(|link| format!("SELECT {} AS id FROM {}", link.other, link.table))
            .collect();
        if linked.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT DISTINCT id FROM ({}) WHERE id NOT IN (SELECT id FROM {resource}) ORDER BY id LIMIT {MAX_REQUESTS}",
            linked.join(" UNION ALL ")
        );
        let mut statement = self.connection.prepare(&sql)?;
        let ids = statement.query_map([], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }
}

/// Resolves the links to the resources that this run has brought up to date.
///
/// # Errors
/// If the database fails. Failed requests are left to the next run.
pub(super) async fn resolve(run: &SyncContext<'_>, outcomes: &mut [ResourceOutcome]) -> Result<(), Error> {
    for outcome in outcomes.iter_mut().filter(|outcome| outcome.complete) {
        let resource = outcome.resource.resource();
        let Some(get) = resource.get_operation else { continue };
        let is_complete =
            |store: &mut Store| Ok(store.sync_state(resource.name)?.is_some_and(|state| state.is_whole()));
        if !run.with_store(is_complete)? {
            continue;
        }
        let missing = run.with_store(|store| store.missing_records(resource.name))?;
        let mut progress = ResourceProgress::default();
        match confirm_gone(run, resource, get, missing, &mut progress).await {
            Ok(gone) => drop(run.with_store(|store| store.remove(resource.name, &gone))?),
            Err(Error::Api(error)) => {
                tracing::debug!(%error, resource = %resource.name, "missing records could not be requested")
            }
            Err(error) => return Err(error),
        }
        outcome.requests += progress.requests;
    }
    Ok(())
}
