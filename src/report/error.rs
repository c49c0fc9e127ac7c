//! Errors of reports.

use super::ContactSummary;
use crate::mirror::ResourceName;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The mirror lacks the resource that the report is about.
    #[error("{resource} were never synced")]
    NothingSynced { resource: ResourceName },
    #[error("contact {query:?} not found in the mirror")]
    NoContact { query: String },
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
