//! Errors of pulls and pushes.
//!
//! They name the file and the line where possible; exit codes and hints are assigned by the command line.

use std::path::PathBuf;

use crate::api;
use crate::data::io_reason::io_reason;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Api(#[from] api::Error),
    #[error("{}: {}", path.display(), io_reason(source))]
    File { path: PathBuf, source: std::io::Error },
    /// The content of a file in the folder is invalid.
    #[error("{}{}: {reason}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
    Content { path: PathBuf, line: Option<usize>, reason: String },
    #[error("{} was pulled from workspace {pulled}, but the token belongs to workspace {current}", path.display())]
    OtherWorkspace { path: PathBuf, pulled: String, current: String },
    #[error("{} is not a folder of pulled articles: manifest.json not found", path.display())]
    NoManifest { path: PathBuf },
    /// Another process writes to the folder; its id and start time, if known.
    #[error("another push or pull is writing to {}{}", path.display(), describe_holder(holder.as_ref()))]
    Busy { path: PathBuf, holder: Option<(u32, i64)> },
    #[error("{0}")]
    Unusable(String),
}

impl Error {
    pub(crate) fn file(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Error::File { path: path.into(), source }
    }

    pub(crate) fn content(path: impl Into<PathBuf>, line: Option<usize>, reason: impl Into<String>) -> Self {
        Error::Content { path: path.into(), line, reason: reason.into() }
    }
}

/// The holder of a lock, for an error message.
fn describe_holder(holder: Option<&(u32, i64)>) -> String {
    let Some((pid, since)) = holder else { return String::new() };
    match jiff::Timestamp::from_second(*since) {
        Ok(since) => format!(" (process {pid}, since {since})"),
        Err(_) => format!(" (process {pid})"),
    }
}
