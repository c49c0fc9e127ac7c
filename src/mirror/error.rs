//! Errors of syncing and querying the mirror. Every file-related error names its path.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::data::io_reason::io_reason;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(transparent)]
    Api(#[from] crate::api::error::Error),
    #[error("local database: {0}")]
    Database(rusqlite::Error),
    /// Everything before the last page is stored.
    #[error("no space left for the local database: {0}")]
    Full(rusqlite::Error),
    /// Another sync is writing to this mirror.
    #[error("another sync is writing to {path}{}", holder_text(.holder.as_ref()))]
    Locked { path: PathBuf, holder: Option<Holder> },
    #[error("{path}: {}", io_reason(source))]
    File { path: PathBuf, source: std::io::Error },
    /// Nothing was ever synced to this path.
    #[error("{path} does not exist: nothing has been synced yet")]
    Missing { path: PathBuf },
    /// Nothing was ever synced into the folder of the mirrors.
    #[error("no mirror found in {folder}: nothing has been synced yet")]
    NoMirrors { folder: PathBuf },
    /// A sync created it, and it has been moved or removed since.
    #[error("{path}, the mirror of the current token, no longer exists")]
    Moved { path: PathBuf },
    #[error(
        "{path} was written by a later version of this program (schema {found}, supported: up to {supported})"
    )]
    LaterSchema { path: PathBuf, found: i64, supported: i64 },
    /// Nothing in it was changed.
    #[error("{path} is another program's database: expected a mirror, or no file")]
    NotAMirror { path: PathBuf },
    #[error("{path} holds workspace {stored}, but the token belongs to workspace {given}")]
    OtherWorkspace { path: PathBuf, stored: String, given: String },
    /// The newest pages are in a write-ahead log that only its owner can read.
    #[error("{path} cannot be read by this user while another user's sync has not ended cleanly")]
    OtherUser { path: PathBuf },
    #[error(
        "no person {identifier:?} in the mirror: expected the id, email address, external id or phone number of a contact or author"
    )]
    UnknownPerson { identifier: String },
    /// A query that names an unknown table, column or function.
    #[error("{0}")]
    UnknownName(String),
    /// An invalid query.
    #[error("{0}")]
    InvalidQuery(String),
    /// So the database has no default path.
    #[error("no home directory found for local data")]
    NoHome,
}

/// The process that holds the lock of a mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    /// Epoch seconds.
    pub since: i64,
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Error::Full(error),
            _ => Error::Database(error),
        }
    }
}

fn holder_text(holder: Option<&Holder>) -> String {
    let Some(Holder { pid, since }) = holder else { return String::new() };
    let since = Timestamp::from_second(*since).map(|since| format!(", since {since}"));
    format!(" (process {pid}{})", since.unwrap_or_default())
}
