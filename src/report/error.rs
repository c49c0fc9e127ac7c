//! Errors of reports.

use super::ContactSummary;
use crate::mirror::{ResourceName, Store};

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The mirror lacks the resource that the report is about.
    #[error("{resource} were never synced")]
    NothingSynced { resource: ResourceName },
    #[error("contact {query:?} not found in the mirror")]
    NoContact { query: String },
    /// `is_mirrored`: the mirror has it, so it may have been deleted since.
    #[error("contact {query:?} not found in the workspace")]
    NotInWorkspace { query: String, is_mirrored: bool },
    #[error("{query:?} matches {} contacts", candidates.len())]
    SeveralContacts { query: String, candidates: Vec<ContactSummary> },
    /// `known` are the names of existing ones.
    #[error("unknown teammate or team {name:?}")]
    NoAssignee { name: String, known: Vec<String> },
    #[error(transparent)]
    Mirror(#[from] crate::mirror::Error),
    #[error("local database: {0}")]
    Database(#[from] rusqlite::Error),
}

/// Refuses a report about a resource that was never synced.
///
/// # Errors
/// [`Error::NothingSynced`], and if the store cannot be read.
pub(super) fn require_synced(store: &Store, resource: ResourceName) -> Result<(), Error> {
    if was_synced(store, resource)? { Ok(()) } else { Err(Error::NothingSynced { resource }) }
}

/// Whether the store has records of a resource, or a finished sync found none.
pub(super) fn was_synced(store: &Store, resource: ResourceName) -> Result<bool, Error> {
    let has_watermark = store.sync_state(resource)?.is_some_and(|state| state.watermark.is_some());
    Ok(has_watermark || !store.is_empty(resource)?)
}
