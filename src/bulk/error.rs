//! Errors that stop a whole run. Errors of a single record go to the journal and the result instead.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::api::conflict::Conflict;
use crate::data::io_reason::io_reason;
use crate::data::spelling::nearest;
use crate::{api, config, mirror};

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(transparent)]
    Api(#[from] api::Error),
    #[error(transparent)]
    Mirror(#[from] mirror::Error),
    #[error(transparent)]
    Config(#[from] config::Error),
    /// A journal or plan that cannot be read or written. Nothing is changed without it.
    #[error("{}: {}", path.display(), io_reason(source))]
    File { path: PathBuf, source: std::io::Error },
    /// `what` names the expected content, with its article.
    #[error("{} is not {what}", path.display())]
    InvalidFile { path: PathBuf, what: &'static str },
    #[error("unknown run {0:?}")]
    NoRun(String),
    #[error("run {0} is in progress in another process")]
    Busy(String),
    #[error("this belongs to workspace {found}, but the token to workspace {given}")]
    OtherWorkspace { found: String, given: String },
    /// An import's journal of another workspace or resource.
    #[error("the journal {} belongs to {found}, not to {purpose}", path.display())]
    OtherJournal { path: PathBuf, found: Value, purpose: String },
    /// An import's journal that is in use, cannot be opened, or is another file.
    #[error("{0}")]
    UnusableJournal(String),
    /// A name or id that the workspace does not have.
    #[error("unknown {what} {name:?}{}", expected(.name, .candidates))]
    NotFound { what: NotFoundKind, name: String, candidates: Vec<String> },
    /// Creating a tag returned an existing tag with another spelling.
    #[error("cannot create the tag {requested:?}: the workspace uses {found:?} instead")]
    OtherTag { requested: String, found: String },
    #[error("{0}")]
    Usage(String),
    /// A selection, a field or a plan that cannot be used as it is.
    #[error("{0}")]
    InvalidInput(String),
    #[error("unknown or read-only contact field {name:?}")]
    UnknownField { name: String, known: Vec<&'static str> },
    #[error("no fields to change for contact {0}")]
    NoFields(String),
    /// A tag that is attached by name, and another one that could be attached instead.
    #[error(
        "companies are tagged by name, and the existing tag {existing:?} could be used instead of {name:?}"
    )]
    AmbiguousTag { name: String, existing: String },
    /// A plan with a change that its command cannot make.
    #[error("{plan}: `{command}` cannot make the change that is planned for {record}")]
    ForeignChange { plan: String, command: String, record: String },
    #[error("run {run} belongs to `{command}`")]
    OtherCommand { run: String, command: String },
    #[error("the token has no teammate to act as")]
    NoTeammate,
}

/// What was looked up by name or id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotFoundKind {
    Team,
    Teammate,
    /// A tag, by its name.
    Tag,
    /// A tag, by its id.
    TagId,
}

impl std::fmt::Display for NotFoundKind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            NotFoundKind::Team => "team",
            NotFoundKind::Teammate => "teammate",
            NotFoundKind::Tag => "tag",
            NotFoundKind::TagId => "tag with id",
        })
    }
}

impl Error {
    pub(super) fn file(path: &std::path::Path) -> impl Fn(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Error::File { path: path.clone(), source }
    }
}

/// The name that was probably meant, or else all of them.
fn expected(wanted: &str, names: &[String]) -> String {
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    match (nearest(wanted, &known), names) {
        (Some(meant), _) => format!(": did you mean {meant}?"),
        (None, []) => String::new(),
        (None, names) => format!(": expected one of {}", names.join(", ")),
    }
}

/// An error in the form of the journal and the result.
pub fn error_json(error: &api::Error) -> Value {
    let mut document = json!({
        "message": error.to_string(), "http_status": error.status(), "code": error.code(),
        "request_id": error.request_id(), "existing_id": error.conflict().as_ref().and_then(Conflict::id),
    });
    if let Some(fields) = document.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    document
}
