//! What can go wrong between the API and the local database.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(transparent)]
    Api(#[from] crate::api::error::Error),
    #[error("local database: {0}")]
    Database(rusqlite::Error),
    /// Nothing of the last page was stored; everything before it is.
    #[error("there is no room left for the local database: {0}")]
    Full(rusqlite::Error),
    /// Another sync writes to this store.
    #[error("another sync is writing to {path}{}", held(.holder.as_ref()))]
    Locked { path: PathBuf, holder: Option<Holder> },
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    /// Nothing was ever synced to this path.
    #[error("{path} does not exist: nothing has been synced yet")]
    Missing { path: PathBuf },
    /// Nothing was ever synced into the folder where mirrors are kept.
    #[error("there is no mirror in {folder}: nothing has been synced yet")]
    NoMirrors { folder: PathBuf },
    /// A sync has made it, and somebody has moved or removed it since.
    #[error("{path}, the mirror of the current token, is not there any more")]
    Moved { path: PathBuf },
    #[error("{path} was written by a later version of this program (schema {found}; this one knows {known})")]
    LaterSchema { path: PathBuf, found: i64, known: i64 },
    /// A database of some other program; nothing in it was changed.
    #[error("{path} is another program's database: expected a mirror, or no file")]
    NotAMirror { path: PathBuf },
    #[error("{path} holds workspace {stored}, but the token belongs to workspace {given}")]
    OtherWorkspace { path: PathBuf, stored: String, given: String },
    /// Its newest pages are in a file beside it that only its owner can read.
    #[error("{path} cannot be read by this user while another user's sync has not ended cleanly")]
    OtherUser { path: PathBuf },
    #[error(
        "nobody in the mirror is {wanted:?}: expected the id, e-mail address, external id or phone number of a contact or author"
    )]
    Nobody { wanted: String },
    /// What was asked of the mirror cannot be asked like that.
    #[error("{0}")]
    Question(String),
    /// The user has no home directory, so there is no default place for the database.
    #[error("there is no home directory to keep local data in")]
    NoHome,
}

/// Who holds the lock of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
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

fn held(holder: Option<&Holder>) -> String {
    let Some(Holder { pid, since }) = holder else { return String::new() };
    let since = Timestamp::from_second(*since).map(|since| format!(", since {since}"));
    format!(" (process {pid}{})", since.unwrap_or_default())
}
