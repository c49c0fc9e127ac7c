//! Errors of the local copy: a kind to match, and the message of the module that failed.

use std::fmt;
use std::path::Path;

use crate::{api, mirror, report};

/// Why something on a mirror failed. [`Error::kind`] is for programs, its text for people.
pub struct Error(Box<Cause>);

enum Cause {
    Mirror(mirror::Error),
    Report(report::Error),
    Document(serde_json::Error),
    Option(String),
}

/// The kinds of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A request failed; [`Error::api`] has the details.
    Api,
    /// Nothing was ever synced to this path.
    Missing,
    /// The mirror lacks the records that the report is about: sync them first.
    NothingSynced,
    /// Another sync is writing to the mirror. Try again when it has ended.
    Locked,
    /// The mirror belongs to another workspace than the token.
    OtherWorkspace,
    /// The file is another program's, or a later version of this crate wrote it. Nothing was changed.
    Unsupported,
    /// The search text or the SQL statement is invalid.
    InvalidQuery,
    /// An option has an invalid value, for example an unknown time zone.
    InvalidOption,
    /// A stored document does not have the requested type.
    InvalidDocument,
    /// The file cannot be read or written.
    File,
    /// SQLite failed, or the disk is full.
    Database,
}

impl Error {
    /// What kind of error this is.
    pub fn kind(&self) -> ErrorKind {
        use mirror::Error as Mirror;
        match &*self.0 {
            Cause::Mirror(error) | Cause::Report(report::Error::Mirror(error)) => match error {
                Mirror::Api(_) => ErrorKind::Api,
                Mirror::Missing { .. } | Mirror::NoMirrors { .. } | Mirror::Moved { .. } => {
                    ErrorKind::Missing
                }
                Mirror::Locked { .. } => ErrorKind::Locked,
                Mirror::OtherWorkspace { .. } => ErrorKind::OtherWorkspace,
                Mirror::LaterSchema { .. } | Mirror::NotAMirror { .. } => ErrorKind::Unsupported,
                Mirror::UnknownPerson { .. } | Mirror::UnknownName(_) | Mirror::InvalidQuery(_) => {
                    ErrorKind::InvalidQuery
                }
                Mirror::File { .. } | Mirror::OtherUser { .. } | Mirror::NoHome => ErrorKind::File,
                Mirror::Database(_) | Mirror::Full(_) => ErrorKind::Database,
            },
            Cause::Report(report::Error::NothingSynced { .. }) => ErrorKind::NothingSynced,
            Cause::Report(report::Error::Database(_)) => ErrorKind::Database,
            Cause::Report(_) => ErrorKind::InvalidQuery,
            Cause::Document(_) => ErrorKind::InvalidDocument,
            Cause::Option(_) => ErrorKind::InvalidOption,
        }
    }

    /// The error of the request, if one failed.
    pub fn api(&self) -> Option<&api::Error> {
        match &*self.0 {
            Cause::Mirror(mirror::Error::Api(error))
            | Cause::Report(report::Error::Mirror(mirror::Error::Api(error))) => Some(error),
            _ => None,
        }
    }

    /// The file that the error is about, if it is about one.
    pub fn path(&self) -> Option<&Path> {
        use mirror::Error as Mirror;
        match &*self.0 {
            Cause::Mirror(error) | Cause::Report(report::Error::Mirror(error)) => match error {
                Mirror::Locked { path, .. }
                | Mirror::File { path, .. }
                | Mirror::Missing { path }
                | Mirror::Moved { path }
                | Mirror::LaterSchema { path, .. }
                | Mirror::NotAMirror { path }
                | Mirror::OtherWorkspace { path, .. }
                | Mirror::OtherUser { path } => Some(path),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn option(reason: String) -> Self {
        Error(Box::new(Cause::Option(reason)))
    }

    pub(super) fn document(error: serde_json::Error) -> Self {
        Error(Box::new(Cause::Document(error)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Cause::Mirror(error) => error.fmt(formatter),
            Cause::Report(error) => error.fmt(formatter),
            Cause::Document(error) => write!(formatter, "the stored document has another type: {error}"),
            Cause::Option(reason) => formatter.write_str(reason),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Error")
            .field("kind", &self.kind())
            .field("message", &self.to_string())
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Cause::Mirror(error) => error.source(),
            Cause::Report(error) => error.source(),
            Cause::Document(error) => Some(error),
            Cause::Option(_) => None,
        }
    }
}

impl From<mirror::Error> for Error {
    fn from(error: mirror::Error) -> Self {
        Error(Box::new(Cause::Mirror(error)))
    }
}

impl From<report::Error> for Error {
    fn from(error: report::Error) -> Self {
        Error(Box::new(Cause::Report(error)))
    }
}

impl From<api::Error> for Error {
    fn from(error: api::Error) -> Self {
        mirror::Error::from(error).into()
    }
}
