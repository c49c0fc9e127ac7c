//! Which hint an error gets, unless the command has given it one.

use std::io::ErrorKind;

use super::Error;
use super::hint::{Hint, HintTopic};
use super::record_hints;
use crate::api::conflict::Conflict;
use crate::bulk::NotFoundKind;
use crate::mirror::ResourceName;
use crate::{api, articles, bulk, config, mirror, report};

impl Error {
    /// The next step: usually a command to run.
    pub fn hint(&self) -> Option<Hint> {
        match self {
            Error::Usage { hint: Some(hint), .. }
            | Error::Failed { hint: Some(hint), .. }
            | Error::MissingArguments { hint, .. }
            | Error::Unconfirmed { hint, .. } => Some(hint.clone()),
            Error::Contradiction { whole, part, .. } => Some(
                Hint::new("use ")
                    .flag(whole.clone())
                    .text(" or ")
                    .flag(part.clone())
                    .or("the same value in both"),
            ),
            Error::Token { error, hint, .. } => hint.clone().or_else(|| error.hint()),
            Error::Declined(_) => None,
            Error::ReadOnly { set_by, .. } => Some(read_only(set_by)),
            Error::Usage { .. } => Some(see_help()),
            Error::Clap(error) => Some(parser(error)),
            Error::Failed { .. } => {
                Some(Hint::default().run("doctor").text(" checks settings, token, server and mirror"))
            }
            Error::Config(config::Error::NoProfile { .. }) => Some(
                Hint::default()
                    .run("auth list")
                    .text(" shows the profiles")
                    .or("")
                    .run("auth login --profile NAME")
                    .text(" creates one")
                    .for_owner(),
            ),
            Error::Config(_) => Some(
                Hint::new("correct the file")
                    .or("name another one with ")
                    .flag("config")
                    .for_owner()
                    .then("")
                    .run("doctor")
                    .text(" checks it"),
            ),
            Error::NoToken => Some(
                Hint::new("run ")
                    .run("auth login")
                    .or("set INTERCOM_ACCESS_TOKEN (or INTERCOM_TOKEN)")
                    .then("")
                    .run("demo")
                    .text(" needs no token")
                    .about(HintTopic::MissingToken),
            ),
            Error::Api(error)
            | Error::Mirror(mirror::Error::Api(error))
            | Error::Bulk(bulk::Error::Api(error)) => Some(of_api(error)),
            Error::Articles(error) => Some(of_articles(error)),
            Error::Bulk(error) => of_bulk(error),
            Error::Mirror(error) | Error::Report(report::Error::Mirror(error)) => Some(of_mirror(error)),
            Error::Report(error) => Some(of_report(error)),
            Error::Sandbox(_) => {
                Some(Hint::new("choose another ").flag("port").or("omit it to use a free one"))
            }
            Error::Output(error) if error.kind() == ErrorKind::FileTooLarge => Some(
                Hint::new("reduce the output with ")
                    .flag("select")
                    .text(", ")
                    .flag("compact")
                    .text(" or ")
                    .flag("limit")
                    .or("query the mirror with ")
                    .run("sql"),
            ),
            Error::Output(_) => Some(
                Hint::new("name a file that can be written")
                    .or("omit ")
                    .flag("deliver")
                    .text(" to write to stdout")
                    .for_owner(),
            ),
            Error::Deliver(_) => Some(
                Hint::new("check the address")
                    .or("write to a file with ")
                    .flag("deliver")
                    .text(" file:PATH")
                    .for_owner(),
            ),
        }
    }
}

impl Error {
    /// A flag, without its dashes, that is required and not given.
    pub fn missing(flag: &str) -> Self {
        Error::MissingArguments { flags: vec![flag.to_owned()], hint: see_help() }
    }
}

fn see_help() -> Hint {
    Hint::default().help().about(HintTopic::Arguments)
}

/// For a command line that does not parse.
fn parser(error: &clap::Error) -> Hint {
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
        (Some(suggested), _) => {
            Hint::new(format!("did you mean {suggested:?}? ")).help().about(HintTopic::Arguments)
        }
        (
            None,
            ErrorKind::InvalidSubcommand
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
        ) => Hint::new("find a command with ")
            .run("which \"WHAT YOU WANT TO DO\"")
            .then("")
            .help()
            .about(HintTopic::FindCommand),
        _ => see_help(),
    }
}

fn of_report(error: &report::Error) -> Hint {
    match error {
        report::Error::NothingSynced { resource } => match resource {
            ResourceName::Conversations | ResourceName::ConversationParts => Hint::new("run ")
                .run("sync --resources conversations,conversation_parts,teams,admins,tags")
                .text(" first"),
            ResourceName::Contacts => {
                Hint::new("run ").run("sync").text(" first").or("query the workspace with ").flag("live")
            }
            other => Hint::new("run ").run(format!("sync --resources {other}")).text(" first"),
        },
        report::Error::NoContact { .. } => Hint::new("check the spelling")
            .then("run ")
            .run("sync")
            .text(" to mirror new contacts")
            .or("query the workspace with ")
            .flag("live"),
        report::Error::NotInWorkspace { is_mirrored: true, .. } => {
            Hint::new("leave out ").flag("live").text(" to see the contact as stored in the mirror")
        }
        report::Error::NotInWorkspace { is_mirrored: false, .. } => Hint::new("check the spelling")
            .then("new contacts appear in searches only after some minutes, use the id to find them at once"),
        report::Error::NoAssignee { known, .. } => {
            Hint::new("use a name, an id, an email address or `none`").then("known: ").names(known)
        }
        report::Error::SeveralContacts { candidates, .. } => {
            let ids: Vec<&str> = candidates.iter().map(|candidate| candidate.id.as_str()).collect();
            Hint::new(format!("choose one by its id: {}", ids.join(", ")))
        }
        _ => Hint::default().run("status").text(" shows what the mirror contains"),
    }
}

fn of_mirror(error: &mirror::Error) -> Hint {
    match error {
        mirror::Error::Api(error) => of_api(error),
        mirror::Error::Moved { .. } => Hint::new("name its new path with ")
            .flag("db")
            .for_owner()
            .or("run ")
            .run("sync")
            .text(" to create another"),
        mirror::Error::Missing { .. } | mirror::Error::NoMirrors { .. } => {
            Hint::new("run ").run("sync").text(" first").or("name the mirror with ").flag("db").for_owner()
        }
        mirror::Error::OtherWorkspace { .. } => {
            Hint::new("use one mirror per workspace: omit ").flag("db").for_owner().or("name another file")
        }
        mirror::Error::Full(_) => Hint::new("free some disk space and run ")
            .run("sync")
            .text(" again")
            .then("it resumes where this run stopped"),
        mirror::Error::Locked { .. } => Hint::new("wait for it to finish")
            .or("stop it")
            .then("other workspaces can use a separate mirror"),
        mirror::Error::UnknownPerson { .. } => {
            Hint::new("check the spelling").then("").run("search").text(" finds names and email addresses")
        }
        mirror::Error::NotAMirror { .. } => {
            Hint::new("name another file with ").flag("db").for_owner().or("omit it")
        }
        mirror::Error::OtherUser { .. } => {
            Hint::new("run it as the owner of the file").or("wait until the owner's sync has finished")
        }
        mirror::Error::LaterSchema { .. } => {
            Hint::new("update intercom-pp-cli").or("name another file with ").flag("db").for_owner()
        }
        mirror::Error::InvalidQuery(_) | mirror::Error::UnknownName(_) => {
            see_help().then("").run("sql --schema").text(" shows the tables")
        }
        mirror::Error::Database(error) if is_damaged(error) => {
            Hint::new("the file is damaged or not a mirror: move it away and run ")
                .run("sync")
                .text(" again")
                .or("name another with ")
                .flag("db")
                .for_owner()
        }
        _ => Hint::default()
            .run("status")
            .text(" shows what the mirror contains")
            .then("")
            .flag("db")
            .text(" names another file")
            .for_owner(),
    }
}

fn is_damaged(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

fn of_articles(error: &articles::Error) -> Hint {
    match error {
        articles::Error::NoManifest { .. } => Hint::new("run ")
            .run("articles pull --to DIR")
            .text(" first")
            .or("name the folder with ")
            .flag("from"),
        articles::Error::OtherWorkspace { .. } => {
            Hint::new("use the token of that workspace").or("another folder")
        }
        articles::Error::Content { .. } => Hint::new("correct the file")
            .or("restore it with git")
            .then("")
            .run("articles status")
            .text(" shows what differs"),
        articles::Error::Busy { .. } => {
            Hint::new("wait for it to finish").or("stop it").then("then run this again")
        }
        articles::Error::Unusable(_) => {
            Hint::default().run("articles status").text(" shows how the files and the help center differ")
        }
        articles::Error::File { .. } => "check that the folder can be read and written".into(),
        articles::Error::Api(error) => of_api(error),
    }
}

fn of_bulk(error: &bulk::Error) -> Option<Hint> {
    Some(match error {
        bulk::Error::Mirror(error) => of_mirror(error),
        bulk::Error::NoRun(_) => list_runs(),
        bulk::Error::Busy(_) => Hint::new("wait for it to finish").or("stop it with Ctrl-C"),
        bulk::Error::OtherWorkspace { .. } => "use the profile or the token of that workspace".into(),
        bulk::Error::OtherJournal { .. } => Hint::new("name another file with ").flag("journal"),
        bulk::Error::UnusableJournal(_) => see_help(),
        bulk::Error::OtherTag { .. } => {
            Hint::new("use the exact name in the workspace").or("").flag("tag-id")
        }
        bulk::Error::NotFound { what: NotFoundKind::Tag, .. } => Hint::new("tag names must match exactly")
            .then("")
            .flag("tag-id")
            .text(" takes an id, and ")
            .run("tags list")
            .text(" shows both"),
        bulk::Error::NotFound { what: NotFoundKind::TagId, .. } => {
            Hint::default().run("tags list").text(" shows the ids").then("").flag("tag").text(" takes a name")
        }
        bulk::Error::NotFound { .. } => "use the name or id of an existing one".into(),
        bulk::Error::InvalidInput(_) => see_help(),
        bulk::Error::UnknownField { known, .. } => {
            Hint::new(format!("use {} or custom_attributes.NAME", known.join(", ")))
                .then("")
                .flag("map")
                .text(" selects columns of a file")
        }
        bulk::Error::NoFields(_) => Hint::new("add fields with ").flag("set").or("as columns of the file"),
        bulk::Error::AmbiguousTag { .. } => "use the existing spelling, or rename one of the tags".into(),
        bulk::Error::ForeignChange { command, .. } => {
            Hint::new("create a new plan with ").run(format!("{command} --save-plan FILE"))
        }
        bulk::Error::OtherCommand { run, command } => {
            Hint::new("resume it with ").run(format!("{command} --resume={run}"))
        }
        bulk::Error::NoTeammate => "use a token that belongs to a teammate".into(),
        _ => return None,
    })
}

/// For a run that was not named, or does not exist.
pub fn list_runs() -> Hint {
    Hint::default().run("bulk runs").text(" lists the runs")
}

fn of_conflict(conflict: &Conflict) -> Hint {
    let exists =
        |record: String| Hint::new(record).then("").flag("idempotent").text(" treats that as success");
    match conflict {
        Conflict::Exists { id: Some(id) } => exists(format!("the record exists with the id {id}")),
        Conflict::Exists { id: None } => exists("the record exists".to_owned()),
        Conflict::Archived { id } => {
            let id = id.as_deref().unwrap_or("ID");
            Hint::new("the contact is archived: ")
                .run(format!("contacts unarchive contact {id}"))
                .text(" restores it")
        }
        Conflict::Ambiguous => Hint::new("several contacts match: find them with ")
            .run("contacts search --where")
            .text(", and use an id"),
        Conflict::Busy => "a job of this kind is running: try again when it has finished".into(),
    }
}

/// Only the owner can turn the mode off, and only the owner needs to know where.
fn read_only(set_by: &str) -> Hint {
    Hint::new(format!("read-only mode is set by {set_by}"))
        .for_owner()
        .then("")
        .flag("dry-run")
        .text(" shows what would be sent")
}

fn of_api(error: &api::Error) -> Hint {
    if let api::Error::ReadOnly { set_by, .. } = error {
        return read_only(set_by);
    }
    if let Some(into) = error.merged_into() {
        return format!("the contact was merged into {into}: use that id").into();
    }
    if let Some(conflict) = error.conflict() {
        return of_conflict(&conflict);
    }
    match error.status() {
        Some(401) => Hint::new("the token may be wrong, revoked or from another region")
            .then("")
            .run("doctor")
            .text(" checks it"),
        Some(403) => {
            Hint::new("the token lacks a permission for this").then("see the app's settings in the Developer Hub")
        }
        Some(404 | 410) => record_hints::not_found(error),
        Some(429) if error.code().is_some_and(|code| code != "rate_limit_exceeded") => {
            "the workspace is running a similar job, for example another export: try again when it has finished".into()
        }
        Some(429) => Hint::new("lower ").flag("rate-limit").for_owner().or("try again in a minute"),
        Some(400) if error.is_about_version() => {
            Hint::new("use another version with ").flag("api-version").for_owner()
        }
        Some(400 | 422) => record_hints::rejected(error),
        Some(500..) => Hint::new("this is a problem at Intercom").then("try again later"),
        _ => match error.failure() {
            api::Error::Token(_) => Hint::new("save a new one with ").run("auth login").for_owner(),
            api::Error::InvalidRequest(_) => {
                see_help()
            }
            api::Error::Timeout { method, path, .. } | api::Error::Network { method, path, .. }
                if method == "POST" && !path.ends_with("/search") && !path.ends_with("/list") =>
            {
                "the change may have been made anyway: check before sending it again".into()
            }
            _ => Hint::new("check the connection with ").run("doctor"),
        },
    }
}
