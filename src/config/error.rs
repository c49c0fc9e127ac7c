//! What can be wrong with the config file.

use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{} is not a valid config file: {reason}", path.display())]
    Parse { path: PathBuf, reason: String },
    #[error("there is no profile {name:?}; known: {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") })]
    NoProfile { name: String, known: Vec<String> },
    #[error("there is no home directory to keep files in; set HOME")]
    NoHome,
    /// A value in the file or the environment that cannot be used.
    #[error("{0}")]
    Value(String),
}

impl Error {
    pub(crate) fn read(path: &Path, source: std::io::Error) -> Self {
        Error::Read { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path, source: std::io::Error) -> Self {
        Error::Write { path: path.to_owned(), source }
    }

    /// The parser's first line only: the lines after it quote the file, which may hold a token.
    pub(crate) fn parse(path: &Path, reason: &str) -> Self {
        let reason = reason.lines().next().unwrap_or_default().to_owned();
        Error::Parse { path: path.to_owned(), reason }
    }
}
