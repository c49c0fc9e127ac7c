//! Errors of code generation.

use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{0}")]
    Layout(String),
    #[error("{what} is not valid: {reason}")]
    Yaml { what: &'static str, reason: String },
    #[error("the description is not a valid OpenAPI 3.0 document: {0}")]
    OpenApi(serde_json::Error),
    #[error("progenitor rejected the description: {0}")]
    Progenitor(String),
    #[error("the generated client is not valid Rust: {0}")]
    Syntax(syn::Error),
    #[error("{operation}: {reason}")]
    Operation { operation: String, reason: String },
}

impl Error {
    pub fn read(path: &Path, source: std::io::Error) -> Self {
        Error::Read { path: path.to_owned(), source }
    }

    pub fn write(path: &Path, source: std::io::Error) -> Self {
        Error::Write { path: path.to_owned(), source }
    }

    pub fn operation(operation: &str, reason: impl Into<String>) -> Self {
        Error::Operation { operation: operation.to_owned(), reason: reason.into() }
    }
}
