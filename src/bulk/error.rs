//! What can go wrong with a change of many records as a whole. What goes wrong with one of the records
//! stands in the journal and in the result instead.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::api::conflict::Conflict;
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
    /// A journal or a plan that cannot be read or written. Without it nothing is changed.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    /// The file is there, but it is not what it should be.
    #[error("{} is no {what}", path.display())]
    NotOne { path: PathBuf, what: &'static str },
    #[error("there is no run {0:?}")]
    NoRun(String),
    #[error("the run {0} is under way in another process")]
    Busy(String),
    #[error("this is of workspace {found}, but the token belongs to workspace {given}")]
    OtherWorkspace { found: String, given: String },
    /// A name that stands for nothing in the workspace.
    #[error("there is no {what} {name:?}{}", listed(.known))]
    NoSuch { what: &'static str, name: String, known: Vec<String> },
    /// The workspace answered with another tag than the one that was asked for.
    #[error("the workspace has the tag {found:?} and makes no other one named {asked:?}")]
    OtherTag { asked: String, found: String },
    #[error("{0}")]
    Question(String),
}

impl Error {
    pub(super) fn file(path: &std::path::Path) -> impl Fn(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Error::File { path: path.clone(), source }
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        names => format!("; there are {}", names.join(", ")),
    }
}

/// An error as the journal and the result tell it.
pub fn told(error: &api::Error) -> Value {
    let mut told = json!({
        "message": error.to_string(), "http_status": error.status(), "code": error.code(),
        "request_id": error.request_id(), "existing_id": error.conflict().as_ref().and_then(Conflict::id),
    });
    if let Some(fields) = told.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    told
}
