//! What can go wrong between the API and the local database.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(transparent)]
    Api(#[from] crate::api::error::Error),
    #[error("local database: {0}")]
    Database(#[from] rusqlite::Error),
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    /// Nothing was ever synced to this path.
    #[error("{path} does not exist: nothing has been synced yet")]
    Missing { path: PathBuf },
    #[error("{path} was written by a later version of this program (schema {found}; this one knows {known})")]
    LaterSchema { path: PathBuf, found: i64, known: i64 },
    #[error("{path} holds workspace {stored}, but the token belongs to workspace {given}")]
    OtherWorkspace { path: PathBuf, stored: String, given: String },
    /// What was asked of the mirror cannot be asked like that.
    #[error("{0}")]
    Question(String),
    /// The user has no home directory, so there is no default place for the database.
    #[error("there is no home directory to keep local data in")]
    NoHome,
}
