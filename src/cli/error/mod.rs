//! The error type of the command line, and its exit codes.
//!
//! Each layer below has its own error enum and knows nothing about exit codes; they are mapped to exit codes only here.
//! A command chooses the code of [`Error::Failed`]. What to do next is data ([`Hint`]); `render` prints it for terminals
//! and as JSON.

mod hint;
mod hints;
mod parser;
mod record_hints;
mod render;

use serde_json::Value;

pub use hint::{Hint, HintPiece, HintTopic};
pub use hints::list_runs;
pub use parser::{message as parser_message, shown as shown_argument};

use crate::data::io_reason::io_reason;
use crate::{api, articles, bulk, config, mirror, report};

/// Why a parser of this program refuses the value of a flag, whose name is in the message.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct InvalidValue {
    pub message: String,
    pub hint: Option<Hint>,
}

impl From<String> for InvalidValue {
    fn from(message: String) -> Self {
        InvalidValue { message, hint: None }
    }
}

impl From<Error> for InvalidValue {
    fn from(error: Error) -> Self {
        InvalidValue { message: error.to_string(), hint: error.hint() }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line is not valid.
    #[error("{message}")]
    Usage { message: String, hint: Option<Hint> },
    /// Required flags, without their dashes, that are not given.
    #[error("missing: {}", with_dashes(.flags))]
    MissingArguments { flags: Vec<String>, hint: Hint },
    /// Two flags, without their dashes, that set the same field to different values.
    #[error("--{whole} and --{part} contradict each other: {} and {}", .values.0, .values.1)]
    Contradiction { whole: String, part: String, values: Box<(Value, Value)> },
    /// The parser does not accept the command line, or it asks for help.
    #[error("{}", parser::message(.0))]
    Clap(clap::Error),
    #[error(transparent)]
    Config(#[from] config::Error),
    #[error(transparent)]
    Api(#[from] api::Error),
    #[error(transparent)]
    Mirror(#[from] mirror::Error),
    #[error(transparent)]
    Report(#[from] report::Error),
    #[error(transparent)]
    Articles(#[from] articles::Error),
    #[error(transparent)]
    Bulk(#[from] bulk::Error),
    /// Consent is missing and cannot be asked for.
    #[error("{action}: {reason}")]
    Unconfirmed { action: String, reason: String, records: usize, hint: Hint },
    /// The prompt was answered with no, which left this.
    #[error("{0}")]
    Declined(&'static str),
    /// A change was attempted in read-only mode. `set_by` is where the mode was set.
    #[error("{action}: read-only mode refuses changes to the workspace")]
    ReadOnly { action: String, set_by: String },
    #[error("the sandbox did not start: {0}")]
    Sandbox(String),
    /// The token was refused by the server, or is malformed.
    #[error("{}", token_message(error, place))]
    Token { error: Box<Error>, place: String, hint: Option<Hint> },
    #[error("no access token is set")]
    NoToken,
    #[error("cannot write the output: {}", io_reason(.0))]
    Output(#[from] std::io::Error),
    #[error("cannot deliver the output: {0}")]
    Deliver(String),
    /// The command ran, and its result is a failure.
    #[error("{message}")]
    Failed { message: String, exit: Exit, hint: Option<Hint> },
}

impl From<clap::Error> for Error {
    /// A value that a parser of this program refused has its own message.
    fn from(error: clap::Error) -> Self {
        let refused =
            std::error::Error::source(&error).and_then(|source| source.downcast_ref::<InvalidValue>());
        match refused {
            Some(InvalidValue { message, hint }) => {
                Error::Usage { message: message.clone(), hint: hint.clone() }
            }
            None => Error::Clap(error),
        }
    }
}

/// Exit codes. Scripts rely on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Success = 0,
    Usage = 2,
    NotFound = 3,
    Authentication = 4,
    Failure = 5,
    Partial = 6,
    RateLimited = 7,
    Busy = 8,
    Configuration = 10,
}

impl Error {
    pub fn usage(message: impl Into<String>) -> Self {
        Error::Usage { message: message.into(), hint: None }
    }

    pub fn usage_with_hint(message: impl Into<String>, hint: impl Into<Hint>) -> Self {
        Error::Usage { message: message.into(), hint: Some(hint.into()) }
    }

    pub fn exit(&self) -> Exit {
        match self {
            Error::Clap(error) if !error.use_stderr() => Exit::Success,
            Error::Usage { .. }
            | Error::MissingArguments { .. }
            | Error::Contradiction { .. }
            | Error::Clap(_)
            | Error::Unconfirmed { .. }
            | Error::Declined(_)
            | Error::ReadOnly { .. } => Exit::Usage,
            Error::Config(_) => Exit::Configuration,
            Error::NoToken => Exit::Authentication,
            Error::Token { error, .. } => error.exit(),
            Error::Api(error) | Error::Articles(articles::Error::Api(error)) => api_exit(error),
            Error::Articles(error) => articles_exit(error),
            Error::Mirror(error) | Error::Report(report::Error::Mirror(error)) => mirror_exit(error),
            Error::Report(
                report::Error::NothingSynced { .. }
                | report::Error::NoContact { .. }
                | report::Error::NotInWorkspace { .. },
            ) => Exit::NotFound,
            Error::Report(report::Error::SeveralContacts { .. } | report::Error::NoAssignee { .. }) => {
                Exit::Usage
            }
            Error::Bulk(error) => bulk_exit(error),
            Error::Report(_) | Error::Sandbox(_) | Error::Output(_) | Error::Deliver(_) => Exit::Failure,
            Error::Failed { exit, .. } => *exit,
        }
    }

    /// Whether the server refused the token, or the token lacks a permission.
    pub fn is_about_token(&self) -> bool {
        let is_wrapped = matches!(self, Error::Token { .. });
        !is_wrapped && self.api().is_some_and(|error| matches!(error.status(), Some(401 | 403)))
    }

    /// Whether the server refused the token itself.
    pub fn is_refused_token(&self) -> bool {
        self.api().is_some_and(|error| error.status() == Some(401))
    }

    fn api(&self) -> Option<&api::Error> {
        match self {
            Error::Token { error, .. } => error.api(),
            Error::Api(error)
            | Error::Mirror(mirror::Error::Api(error))
            | Error::Report(report::Error::Mirror(mirror::Error::Api(error)))
            | Error::Bulk(bulk::Error::Api(error))
            | Error::Articles(articles::Error::Api(error)) => Some(error),
            _ => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self.exit() {
            Exit::Success => "none",
            Exit::Usage => "usage",
            Exit::NotFound => "not_found",
            Exit::Authentication => "authentication",
            Exit::Failure => "failure",
            Exit::Partial => "partial",
            Exit::RateLimited => "rate_limited",
            Exit::Busy => "busy",
            Exit::Configuration => "configuration",
        }
    }
}

fn token_message(error: &Error, place: &str) -> String {
    match error.api().and_then(api::Error::status) {
        Some(401) => format!("the token from {place} was refused: {error}"),
        Some(403) => format!("the token from {place} lacks a permission: {error}"),
        _ => format!("the token from {place} cannot be used: {error}"),
    }
}

fn with_dashes(flags: &[String]) -> String {
    flags.iter().map(|flag| format!("--{flag}")).collect::<Vec<_>>().join(", ")
}

fn api_exit(error: &api::Error) -> Exit {
    match error {
        api::Error::Token(_) => Exit::Authentication,
        api::Error::InvalidRequest(_) | api::Error::ReadOnly { .. } => Exit::Usage,
        _ => match error.status() {
            Some(401 | 403) => Exit::Authentication,
            Some(404 | 410) => Exit::NotFound,
            Some(429) => Exit::RateLimited,
            _ => Exit::Failure,
        },
    }
}

fn articles_exit(error: &articles::Error) -> Exit {
    match error {
        articles::Error::NoManifest { .. } => Exit::Usage,
        articles::Error::Busy { .. } => Exit::Busy,
        articles::Error::OtherWorkspace { .. } | articles::Error::Content { .. } => Exit::Configuration,
        _ => Exit::Failure,
    }
}

fn mirror_exit(error: &mirror::Error) -> Exit {
    match error {
        mirror::Error::Api(error) => api_exit(error),
        mirror::Error::Missing { .. }
        | mirror::Error::NoMirrors { .. }
        | mirror::Error::Moved { .. }
        | mirror::Error::UnknownPerson { .. } => Exit::NotFound,
        mirror::Error::Locked { .. } => Exit::Busy,
        mirror::Error::InvalidQuery(_) | mirror::Error::UnknownName(_) => Exit::Usage,
        mirror::Error::LaterSchema { .. }
        | mirror::Error::OtherWorkspace { .. }
        | mirror::Error::NotAMirror { .. }
        | mirror::Error::NoHome => Exit::Configuration,
        _ => Exit::Failure,
    }
}

fn bulk_exit(error: &bulk::Error) -> Exit {
    match error {
        bulk::Error::Api(error) => api_exit(error),
        bulk::Error::Mirror(error) => mirror_exit(error),
        bulk::Error::Config(_) => Exit::Configuration,
        bulk::Error::NoRun(_) | bulk::Error::NotFound { .. } => Exit::NotFound,
        bulk::Error::Usage(_)
        | bulk::Error::InvalidInput(_)
        | bulk::Error::UnknownField { .. }
        | bulk::Error::NoFields(_)
        | bulk::Error::AmbiguousTag { .. }
        | bulk::Error::ForeignChange { .. }
        | bulk::Error::OtherCommand { .. }
        | bulk::Error::NoTeammate
        | bulk::Error::Busy(_)
        | bulk::Error::InvalidFile { .. }
        | bulk::Error::OtherJournal { .. }
        | bulk::Error::UnusableJournal(_)
        | bulk::Error::OtherWorkspace { .. } => Exit::Usage,
        bulk::Error::File { .. } | bulk::Error::OtherTag { .. } => Exit::Failure,
    }
}
