//! A request to the mirror instead of the workspace, and the reasons to refuse it.
//!
//! Names parameters, never flags: the command line words the errors.

use serde_json::Value;

use crate::api::request_builder::Arguments;
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;

/// One call of an operation.
#[derive(Debug, Clone, Copy)]
pub struct OfflineRequest<'a> {
    pub arguments: &'a Arguments,
    /// The exact predicate of a filter, which replaces the query of a search.
    pub predicate: Option<&'a Value>,
    /// Maximum number of records, regardless of pages.
    pub limit: Option<u64>,
    /// Whether all records from the requested page on are listed.
    pub all: bool,
}

/// Why the mirror cannot answer.
#[derive(Debug)]
pub enum OfflineError {
    /// A parameter that the mirror does not support, or not in this way.
    Unsupported {
        parameter: String,
        reason: &'static str,
    },
    InvalidNumber {
        parameter: String,
        text: String,
    },
    /// A page size below 1.
    EmptyPage,
    /// More than one of these parameters.
    Exclusive(&'static [&'static str]),
    UnknownZone(String),
    NoRecord {
        resource: ResourceName,
        column: String,
        value: String,
    },
    Mirror(Error),
}

impl From<Error> for OfflineError {
    fn from(error: Error) -> Self {
        OfflineError::Mirror(error)
    }
}
