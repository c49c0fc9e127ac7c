//! Errors of the config file. Messages must never contain a token.

use std::path::{Path, PathBuf};

use crate::data::io_reason::io_reason;
use crate::data::spelling::did_you_mean;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {}: {}", path.display(), io_reason(source))]
    Read { path: PathBuf, source: std::io::Error },
    #[error("cannot write {}: {}", path.display(), io_reason(source))]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{} is not a valid config file: {reason}", path.display())]
    Parse { path: PathBuf, reason: String },
    #[error("{}", unknown_profile(name, known))]
    NoProfile { name: String, known: Vec<String> },
    #[error("no home directory found: set HOME")]
    NoHome,
    /// An invalid value in the file or the environment.
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

    pub(crate) fn parse(path: &Path, reason: &str) -> Self {
        Error::Parse { path: path.to_owned(), reason: reason.to_owned() }
    }

    pub(crate) fn not_a_table(path: &Path, key: &str) -> Self {
        Error::parse(path, &format!("`{key}` must be a table"))
    }

    pub(crate) fn toml_error(path: &Path, error: &toml_edit::TomlError) -> Self {
        Error::toml(path, &error.to_string(), error.message())
    }

    /// Keeps the position and the reason of a parser error. The lines between them quote the file and the
    /// reason may quote a value; both may contain a token.
    pub(crate) fn toml(path: &Path, report: &str, message: &str) -> Self {
        let position = report.lines().next().unwrap_or_default();
        let position = position.strip_prefix("TOML parse error at ").unwrap_or_default();
        let reason = without_values(message.lines().collect::<Vec<_>>().join(", ").as_str());
        let reason = if position.is_empty() { reason } else { format!("{position}: {reason}") };
        Error::Parse { path: path.to_owned(), reason }
    }
}

fn unknown_profile(name: &str, known: &[String]) -> String {
    if known.is_empty() {
        return format!("unknown profile {name:?}: the config file does not define any");
    }
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    format!("unknown profile {name:?}: {}expected {}", did_you_mean(name, &names), known.join(", "))
}

/// A reason without the values that it quotes from the file.
fn without_values(message: &str) -> String {
    let quoted = message.find('"').zip(message.rfind('"')).filter(|(first, last)| first < last);
    match quoted {
        Some((first, last)) => format!("{}\"...\"{}", &message[..first], &message[last + 1..]),
        None => message.to_owned(),
    }
}
