//! What stops work on a folder of articles as a whole. What concerns one article is told in its outcome.

use std::path::PathBuf;

use crate::api;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Api(#[from] api::Error),
    #[error("{path}: {source}", path = path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("{0} leads out of the folder: links are not followed")]
    Outside(PathBuf),
    #[error("{0} has no manifest.json: it is no folder of articles")]
    NoManifest(PathBuf),
    #[error("{path}, line {line}: {reason}", path = path.display())]
    Manifest { path: PathBuf, line: usize, reason: String },
    #[error("the folder belongs to workspace {folder}, the token to {token}")]
    OtherWorkspace { folder: String, token: String },
    #[error("another pull or push is at work in {0}")]
    Busy(PathBuf),
    #[error("{0}")]
    NotConfirmed(String),
}
