//! Why a report could not be made.

use super::candidate::Candidate;
use crate::mirror::ResourceName;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The mirror has nothing of what the report is about.
    #[error("{resource} have never been synced")]
    NothingSynced { resource: ResourceName },
    #[error("the mirror has no contact {wanted:?}")]
    NoContact { wanted: String },
    /// The same address belongs to several people.
    #[error("{wanted:?} fits {} contacts", candidates.len())]
    SeveralContacts { wanted: String, candidates: Vec<Candidate> },
    #[error("there is no teammate or team {wanted:?}")]
    NoAssignee { wanted: String, known: Vec<String> },
    #[error(transparent)]
    Mirror(#[from] crate::mirror::Error),
    #[error("local database: {0}")]
    Database(#[from] rusqlite::Error),
}
