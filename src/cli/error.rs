//! The error type of the command line: exit codes, hints and printing.
//!
//! Each layer below has its own error enum and knows nothing about exit codes. No other module decides the exit
//! code.

use std::io::Write;

use serde_json::{Value, json};

use super::output::printable;
use crate::api;
use crate::api::conflict::Conflict;
use crate::mirror::ResourceName;
use crate::{articles, bulk, config, mirror, report};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line is not valid.
    #[error("{message}")]
    Usage { message: String, hint: Option<String> },
    #[error("{0}")]
    Clap(#[from] clap::Error),
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
    #[error("{message}")]
    Unconfirmed { message: String, records: usize, hint: String },
    /// The prompt was answered with no.
    #[error("nothing was changed")]
    Declined,
    /// A change was attempted in read-only mode. `set_by` is where the mode was set.
    #[error("{action}: read-only mode refuses changes to the workspace")]
    ReadOnly { action: String, set_by: String },
    #[error("the sandbox did not start: {0}")]
    Sandbox(String),
    /// The token was refused by the server, or is malformed.
    #[error("{error} (the token came from {place})")]
    Token { error: Box<Error>, place: String },
    #[error("no access token is set")]
    NoToken,
    #[error("cannot write the output: {0}")]
    Output(#[from] std::io::Error),
    #[error("cannot deliver the output: {0}")]
    Deliver(String),
    /// The command ran, and its result is a failure.
    #[error("{message}")]
    Failed { message: String, exit: Exit, hint: Option<String> },
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

    pub fn usage_with_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Error::Usage { message: message.into(), hint: Some(hint.into()) }
    }

    pub fn exit(&self) -> Exit {
        match self {
            Error::Clap(error) if !error.use_stderr() => Exit::Success,
            Error::Usage { .. }
            | Error::Clap(_)
            | Error::Unconfirmed { .. }
            | Error::Declined
            | Error::ReadOnly { .. } => Exit::Usage,
            Error::Config(_) => Exit::Configuration,
            Error::NoToken => Exit::Authentication,
            Error::Token { error, .. } => error.exit(),
            Error::Api(error) | Error::Articles(articles::Error::Api(error)) => api_exit(error),
            Error::Articles(error) => articles_exit(error),
            Error::Mirror(error) | Error::Report(report::Error::Mirror(error)) => mirror_exit(error),
            Error::Report(report::Error::NothingSynced { .. } | report::Error::NoContact { .. }) => {
                Exit::NotFound
            }
            Error::Report(report::Error::SeveralContacts { .. } | report::Error::NoAssignee { .. }) => {
                Exit::Usage
            }
            Error::Bulk(error) => bulk_exit(error),
            Error::Report(_) | Error::Sandbox(_) | Error::Output(_) | Error::Deliver(_) => Exit::Failure,
            Error::Failed { exit, .. } => *exit,
        }
    }

    /// The next step: usually a command to run.
    pub fn hint(&self) -> Option<String> {
        let fixed = |text: &str| Some(text.to_owned());
        match self {
            Error::Usage { hint: Some(hint), .. } | Error::Failed { hint: Some(hint), .. } => {
                Some(hint.clone())
            }
            Error::Token { error, .. } => error.hint(),
            Error::Unconfirmed { hint, .. } => Some(hint.clone()),
            Error::Declined => None,
            Error::ReadOnly { set_by, .. } => Some(read_only_hint(set_by)),
            Error::Usage { .. } => fixed(SEE_HELP),
            Error::Clap(error) => Some(clap_hint(error)),
            Error::Failed { .. } => {
                fixed("`intercom-pp-cli doctor` checks settings, token, server and mirror")
            }
            Error::Config(_) => fixed(
                "correct the file, or name another one with --config; `intercom-pp-cli doctor` checks it",
            ),
            Error::NoToken => fixed(
                "set INTERCOM_ACCESS_TOKEN (or INTERCOM_TOKEN), or run `intercom-pp-cli auth set-token`; `intercom-pp-cli demo` needs no token",
            ),
            Error::Api(error)
            | Error::Mirror(mirror::Error::Api(error))
            | Error::Bulk(bulk::Error::Api(error))
            | Error::Articles(articles::Error::Api(error)) => api_hint(error),
            Error::Articles(error) => fixed(articles_hint(error)),
            Error::Bulk(error) => bulk_hint(error),
            Error::Mirror(error) | Error::Report(report::Error::Mirror(error)) => mirror_hint(error),
            Error::Report(report::Error::NothingSynced { resource }) => Some(match resource {
                ResourceName::Conversations | ResourceName::ConversationParts => {
                    "run `intercom-pp-cli sync --resources conversations,conversation_parts,teams,admins,tags` first".to_owned()
                }
                ResourceName::Contacts => "run `intercom-pp-cli sync` first, or query the workspace with --live".to_owned(),
                other => format!("run `intercom-pp-cli sync --resources {other}` first"),
            }),
            Error::Report(report::Error::NoContact { .. }) => fixed(
                "check the spelling; run `intercom-pp-cli sync` to mirror new contacts, or query the workspace with --live",
            ),
            Error::Report(report::Error::NoAssignee { known, .. }) => {
                Some(format!("use a name, an id, an e-mail address or `none`; known: {}", known.join(", ")))
            }
            Error::Report(report::Error::SeveralContacts { candidates, .. }) => {
                let ids: Vec<&str> = candidates.iter().map(|candidate| candidate.id.as_str()).collect();
                Some(format!("choose one by its id: {}", ids.join(", ")))
            }
            Error::Sandbox(_) => fixed("choose another --port, or omit it to use a free one"),
            Error::Output(error) if error.kind() == std::io::ErrorKind::FileTooLarge => fixed(
                "reduce the output with --select, --compact or --limit, or query the mirror with `intercom-pp-cli sql`",
            ),
            Error::Output(_) => {
                fixed("name a file that can be written, or omit --deliver to write to stdout")
            }
            Error::Deliver(_) => fixed("check the address, or write to a file with --deliver file:PATH"),
            Error::Report(_) => fixed("`intercom-pp-cli status` shows what the mirror contains"),
        }
    }

    /// Prints the error on stderr (help and version on stdout) and returns the exit code.
    pub fn report(&self, as_json: bool) -> Exit {
        match self {
            Error::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Exit::Success,
            Error::Clap(error) if !as_json || !error.use_stderr() => {
                // There is nobody to report a closed stream to.
                let _ = error.print();
                return self.exit();
            }
            _ => {}
        }
        if matches!(self, Error::Declined) && !as_json {
            // Declining is not an error.
            let _ = std::io::stderr().write_all(b"nothing was changed\n");
            return self.exit();
        }
        let text = if as_json { format!("{}\n", self.as_json()) } else { self.as_text() };
        // If stderr is closed, there is nowhere left to report it.
        let _ = std::io::stderr().write_all(text.as_bytes());
        self.exit()
    }

    fn as_text(&self) -> String {
        let hint = self.hint().map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
        printable::lines(&format!("error: {self}\n{hint}"))
    }

    /// The error as one JSON object.
    pub fn as_json(&self) -> Value {
        let message = match self {
            Error::Clap(error) => {
                let text = error.render().to_string();
                text.trim_start_matches("error: ")
                    .split("\n\nUsage:")
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .to_owned()
            }
            other => other.to_string(),
        };
        let api = self.api();
        let conflict = api.and_then(api::Error::conflict);
        let mut error = json!({
            "error": {
                "kind": self.kind(),
                "message": message,
                "exit_code": self.exit() as u8,
                "http_status": api.and_then(api::Error::status),
                "code": api.and_then(api::Error::code),
                "request_id": api.and_then(api::Error::request_id),
                "merged_into": api.and_then(api::Error::merged_into),
                "existing_id": conflict.as_ref().and_then(Conflict::id),
                "hint": self.hint(),
            }
        });
        if let Error::Token { place, .. } = self {
            error["error"]["token_place"] = json!(place);
        }
        if let Error::Unconfirmed { records, .. } = self {
            error["error"]["unconfirmed"] = json!({ "records": records });
        }
        if let Some(fields) = error["error"].as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        error
    }

    /// Whether the server refused the token, or the token lacks a permission.
    pub fn is_about_token(&self) -> bool {
        let is_wrapped = matches!(self, Error::Token { .. });
        !is_wrapped && self.api().is_some_and(|error| matches!(error.status(), Some(401 | 403)))
    }

    fn api(&self) -> Option<&api::Error> {
        match self {
            Error::Token { error, .. } => error.api(),
            Error::Api(error)
            | Error::Mirror(mirror::Error::Api(error))
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

const SEE_HELP: &str = "add --help to the command to see what it accepts";

/// The hint for a command line that does not parse.
fn clap_hint(error: &clap::Error) -> String {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let suggestion = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        // The best match is last.
        Some(ContextValue::Strings(texts)) => texts.last().cloned(),
        _ => None,
    };
    let suggested =
        suggestion(ContextKind::SuggestedSubcommand).or_else(|| suggestion(ContextKind::SuggestedArg));
    match (suggested, error.kind()) {
        (Some(suggested), _) => format!("did you mean {suggested:?}? {SEE_HELP}"),
        (None, ErrorKind::InvalidSubcommand | ErrorKind::MissingSubcommand) => {
            "find a command with `intercom-pp-cli which \"WHAT YOU WANT TO DO\"`, or add --help to the group"
                .to_owned()
        }
        _ => SEE_HELP.to_owned(),
    }
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
        mirror::Error::InvalidQuery(_) => Exit::Usage,
        mirror::Error::LaterSchema { .. }
        | mirror::Error::OtherWorkspace { .. }
        | mirror::Error::NotAMirror { .. }
        | mirror::Error::NoHome => Exit::Configuration,
        _ => Exit::Failure,
    }
}

fn mirror_hint(error: &mirror::Error) -> Option<String> {
    let hint = match error {
        mirror::Error::Api(error) => return api_hint(error),
        mirror::Error::Moved { .. } => {
            "name its new path with --db, or run `intercom-pp-cli sync` to create another"
        }
        mirror::Error::Missing { .. } | mirror::Error::NoMirrors { .. } => {
            "run `intercom-pp-cli sync` first, or name the mirror with --db"
        }
        mirror::Error::OtherWorkspace { .. } => {
            "use one mirror per workspace: omit --db, or name another file"
        }
        mirror::Error::Full(_) => {
            "free some disk space and run `intercom-pp-cli sync` again; it resumes where this run stopped"
        }
        mirror::Error::Locked { .. } => {
            "wait for it to finish, or stop it; other workspaces can use a separate mirror"
        }
        mirror::Error::UnknownPerson { .. } => {
            "check the spelling; `intercom-pp-cli search` finds names and e-mail addresses"
        }
        mirror::Error::NotAMirror { .. } => "name another file with --db, or omit it",
        mirror::Error::OtherUser { .. } => {
            "run it as the owner of the file, or wait until the owner's sync has finished"
        }
        mirror::Error::LaterSchema { .. } => "update intercom-pp-cli, or name another file with --db",
        mirror::Error::InvalidQuery(_) => {
            "add --help to the command to see what it accepts; `intercom-pp-cli sql --schema` shows the tables"
        }
        mirror::Error::Database(error) if is_damaged(error) => {
            "the file is damaged or not a mirror: move it away and run `intercom-pp-cli sync` again, or name another with --db"
        }
        _ => "`intercom-pp-cli status` shows what the mirror contains; --db names another file",
    };
    Some(hint.to_owned())
}

fn is_damaged(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

fn articles_hint(error: &articles::Error) -> &'static str {
    match error {
        articles::Error::NoManifest { .. } => {
            "run `intercom-pp-cli articles pull --to DIR` first, or name the folder with --from"
        }
        articles::Error::OtherWorkspace { .. } => "use the token of that workspace, or another folder",
        articles::Error::Content { .. } => {
            "correct the file, or restore it with git; `intercom-pp-cli articles status` shows what differs"
        }
        articles::Error::Busy { .. } => "wait for it to finish, or stop it; then run this again",
        articles::Error::Unusable(_) => {
            "`intercom-pp-cli articles status` shows how the files and the help center differ"
        }
        articles::Error::File { .. } | articles::Error::Api(_) => {
            "check that the folder can be read and written"
        }
    }
}

fn bulk_exit(error: &bulk::Error) -> Exit {
    match error {
        bulk::Error::Api(error) => api_exit(error),
        bulk::Error::Mirror(error) => mirror_exit(error),
        bulk::Error::Config(_) => Exit::Configuration,
        bulk::Error::NoRun(_) | bulk::Error::NotFound { .. } => Exit::NotFound,
        bulk::Error::Usage(_)
        | bulk::Error::Busy(_)
        | bulk::Error::InvalidFile { .. }
        | bulk::Error::OtherWorkspace { .. } => Exit::Usage,
        bulk::Error::File { .. } | bulk::Error::OtherTag { .. } => Exit::Failure,
    }
}

fn bulk_hint(error: &bulk::Error) -> Option<String> {
    let hint = match error {
        bulk::Error::Mirror(error) => return mirror_hint(error),
        bulk::Error::NoRun(_) => "`intercom-pp-cli bulk runs` lists the runs",
        bulk::Error::Busy(_) => "wait for it to finish, or stop it with Ctrl-C",
        bulk::Error::OtherWorkspace { .. } => "use the profile or the token of that workspace",
        bulk::Error::OtherTag { .. } => "use the exact name in the workspace, or --tag-id",
        bulk::Error::NotFound { what: "tag", .. } => {
            "tag names must match exactly; --tag-id takes an id, and `intercom-pp-cli tags list` shows both"
        }
        bulk::Error::NotFound { what: "tag with id", .. } => {
            "`intercom-pp-cli tags list` shows the ids; --tag takes a name"
        }
        bulk::Error::NotFound { .. } => "use the name or id of an existing one",
        _ => return None,
    };
    Some(hint.to_owned())
}

fn conflict_hint(conflict: &Conflict) -> String {
    match conflict {
        Conflict::Exists { id: Some(id) } => {
            format!("the record exists with the id {id}; --idempotent treats that as success")
        }
        Conflict::Exists { id: None } => "the record exists; --idempotent treats that as success".to_owned(),
        Conflict::Archived { id } => {
            let id = id.as_deref().unwrap_or("ID");
            format!("the contact is archived: `intercom-pp-cli contacts unarchive contact {id}` restores it")
        }
        Conflict::Ambiguous => {
            "several contacts match: find them with `intercom-pp-cli contacts search --where`, and use an id"
                .to_owned()
        }
        Conflict::Busy => "a job of this kind is running: try again when it has finished".to_owned(),
    }
}

fn read_only_hint(set_by: &str) -> String {
    format!("read-only mode is set by {set_by}; --dry-run shows what would be sent")
}

fn api_hint(error: &api::Error) -> Option<String> {
    if let api::Error::ReadOnly { set_by, .. } = error {
        return Some(read_only_hint(set_by));
    }
    if let Some(into) = error.merged_into() {
        return Some(format!("the contact was merged into {into}: use that id"));
    }
    if let Some(conflict) = error.conflict() {
        return Some(conflict_hint(&conflict));
    }
    let hint = match error.status() {
        Some(401) => {
            "the token may be wrong, revoked or from another region; `intercom-pp-cli doctor` checks it"
        }
        Some(403) => "the token lacks a permission for this; see the app's settings in the Developer Hub",
        Some(404 | 410) => "check the id; the group's `list` command shows all of them",
        Some(429) if error.code().is_some_and(|code| code != "rate_limit_exceeded") => {
            "the workspace is running a similar job, for example another export: try again when it has finished"
        }
        Some(429) => "lower --rate-limit, or try again in a minute",
        Some(400) if error.is_about_version() => "use another version with --api-version",
        Some(400 | 422) => "check the request with --dry-run",
        Some(500..) => "this is a problem at Intercom; try again later",
        _ => match error {
            api::Error::Token(_) => "set a new one with `intercom-pp-cli auth set-token`",
            api::Error::InvalidRequest(_) => "see the command's --help",
            api::Error::Timeout { method, path, .. } | api::Error::Network { method, path, .. }
                if method == "POST" && !path.ends_with("/search") && !path.ends_with("/list") =>
            {
                "the change may have been made anyway: check before sending it again"
            }
            _ => "check the connection with `intercom-pp-cli doctor`",
        },
    };
    Some(hint.to_owned())
}
