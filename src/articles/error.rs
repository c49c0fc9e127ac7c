//! What can go wrong between the help center and the folder.

use std::path::PathBuf;

use crate::api;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Api(#[from] api::Error),
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    /// Something in the folder cannot be used as it is.
    #[error("{}{}: {reason}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
    Content { path: PathBuf, line: Option<usize>, reason: String },
    #[error("{} was pulled from workspace {pulled}, but the token is of {current}", path.display())]
    OtherWorkspace { path: PathBuf, pulled: String, current: String },
    #[error("{} holds no articles: it has no manifest.json", path.display())]
    NoManifest { path: PathBuf },
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
