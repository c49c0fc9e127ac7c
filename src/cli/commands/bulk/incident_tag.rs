//! `conversations incident-tag`: tags every conversation that mentions a phrase.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use super::execute;
use super::plan::{self, BulkPlan};
use crate::api::client::Client;
use crate::bulk::directory::{self, Identity};
use crate::bulk::incident::{self, IncidentMatches, IncidentQuery, SearchScope, WindowBasis};
use crate::bulk::phrase_match::{Phrase, Phrases};
use crate::bulk::tags::TagRef;
use crate::bulk::{BulkTarget, Change, NotFoundKind, tags};
use crate::cli::context::Context;
use crate::cli::error::{Error, Hint};
use crate::cli::globals::DataSource;
use crate::cli::output::warn;
use crate::cli::{mirror_paths, time};
use crate::mirror::Store;

const COMMAND: &str = "conversations incident-tag";

pub fn command() -> Command {
    let value = |name: &'static str, shape: &'static str| Arg::new(name).long(name).value_name(shape);
    Command::new("incident-tag")
        .about("Tag every conversation that mentions a phrase, for example an outage")
        .arg(
            value("mentions", "TEXT")
                .action(ArgAction::Append)
                .allow_hyphen_values(true)
                .required_unless_present_any(["resume", "plan"])
                .help("Phrase to find, ignoring case, white space and formatting (repeatable: any of them matches)"),
        )
        .arg(
            Arg::new("all-mentions")
                .long("all-mentions")
                .action(ArgAction::SetTrue)
                .help("Require every --mentions phrase, each anywhere in the conversation"),
        )
        .arg(value("exclude", "TEXT").action(ArgAction::Append).allow_hyphen_values(true).help("Skip conversations that mention this phrase (repeatable)"))
        .arg(value("since", "TIME").help("Start of the window: for example 24h, today or a date [default: no start]"))
        .arg(value("until", "TIME").help("End of the window [default: now]"))
        .arg(
            value("window", "WHAT")
                .value_parser(["message", "active"])
                .default_value("message")
                .help("What must be in the window: a message that mentions the phrase, or else the last change of the conversation"),
        )
        .arg(
            value("in", "WHERE")
                .value_parser(["source", "parts", "all"])
                .default_value("all")
                .help("Where to search: the opening message and its subject, the parts after it, or both"),
        )
        .arg(
            value("state", "STATE")
                .value_delimiter(',')
                .value_parser(["open", "closed", "snoozed"])
                .help("Only conversations in these states"),
        )
        .arg(value("team", "NAME|ID").help("Only conversations of this team"))
        .arg(
            value("tag", "NAME")
                .required_unless_present_any(["tag-id", "resume", "plan"])
                .help("Tag name (exact match); created if it does not exist"),
        )
        .arg(value("tag-id", "ID").conflicts_with("tag").help("Tag id"))
        .arg(
            Arg::new("no-create")
                .long("no-create")
                .action(ArgAction::SetTrue)
                .help("Fail if the tag does not exist"),
        )
        .args(execute::arguments())
        .arg(mirror_paths::argument())
        .after_help(
            "A conversation is in the window if a message that mentions the phrase was written in it: the opening message, \
             a reply or a note. Tagging, assigning or closing a conversation does not count; --window active also \
             includes conversations that mention the phrase anywhere and last changed in the window.\n\n\
             Opening messages are searched in the workspace. Later parts are read from the mirror if it is as new as \
             the conversation, and otherwise from the workspace, with one request per conversation (at most 5000); \
             --in source skips them.\n\n\
             The result is {tag, matched, already_tagged, tagged, failed, skipped, limit_reached, \
             conversations: [{id, status, contact, state, match, ...}]}. Exit code 0: all done; 6: partly done, or \
             some conversations could not be read (meta.unread); 5: all failed. \
             `bulk undo` reverts a run.\n\n\
             Example: intercom-pp-cli conversations incident-tag --mentions \"checkout fails\" --since 24h --tag incident-2026-05-24\n\n\
             Example: intercom-pp-cli conversations incident-tag --mentions refund --mentions \"charged twice\" --since 30d \
             --exclude \"thank you\" --state open,snoozed --tag incident-2026-05-24 --apply --yes",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    if context.globals.connection.data_source() == DataSource::Local {
        return Err(Error::usage_with_hint(
            "incident-tag cannot search the mirror alone",
            Hint::new("leave out ")
                .flag("data-source")
                .text(" local")
                .then("the mirror is still used where it is up to date"),
        ));
    }
    let phrases = phrases(matches)?;
    let (client, identity) = execute::connect(context, matches, COMMAND).await?;
    let has_selection = !phrases.any.is_empty();
    if let Some(result) =
        execute::resume_if_requested(context, &client, &identity, matches, COMMAND, has_selection).await
    {
        return result;
    }
    let plan = match plan::from_file(&client, &identity, matches, COMMAND).await? {
        Some(plan) => plan,
        None => plan(context, &client, &identity, matches, phrases).await?,
    };
    execute::carry_out(context, &client, &identity, matches, plan).await
}

fn texts<'a>(matches: &'a ArgMatches, name: &str) -> impl Iterator<Item = &'a String> {
    matches.get_many::<String>(name).into_iter().flatten()
}

fn phrases(matches: &ArgMatches) -> Result<Phrases, Error> {
    let read = |name: &str| {
        let phrases = texts(matches, name).map(|text| {
            Phrase::new(text)
                .ok_or_else(|| Error::usage(format!("--{name}: {text:?} has no visible characters")))
        });
        phrases.collect::<Result<Vec<_>, _>>()
    };
    Ok(Phrases { any: read("mentions")?, all: matches.get_flag("all-mentions"), exclude: read("exclude")? })
}

async fn plan(
    context: &Context,
    client: &Client,
    identity: &Identity,
    matches: &ArgMatches,
    phrases: Phrases,
) -> Result<BulkPlan, Error> {
    let scope = match matches.get_one::<String>("in").map(String::as_str) {
        Some("source") => SearchScope::Source,
        Some("parts") => SearchScope::Parts,
        _ => SearchScope::All,
    };
    let (since, until) = time::period(
        context,
        matches.get_one::<String>("since").map(String::as_str),
        matches.get_one::<String>("until").map(String::as_str),
        0,
    )?;
    let (tag, team) = futures::try_join!(resolve_tag(client, matches), team_id(client, matches))?;
    let states = texts(matches, "state").cloned().collect();
    let window = match matches.get_one::<String>("window").map(String::as_str) {
        Some("active") => WindowBasis::Active,
        _ => WindowBasis::Message,
    };
    let query = IncidentQuery { phrases, scope, window, since, until, states, team };
    let mirror = mirror(context, matches, identity)?;
    let change = Change::Tag { tag_id: tag.id.clone().unwrap_or_default(), tag: tag.name.clone() };
    let concurrency = execute::concurrency(matches);
    let found = incident::find(client, mirror.as_ref(), &query, &change, concurrency).await?;
    report_unsearched(&found, &query, mirror.is_some());
    Ok(BulkPlan {
        command: COMMAND.to_owned(),
        target: BulkTarget::Conversations,
        workspace: identity.workspace.clone(),
        undoes: None,
        selection: None,
        about: tag.about(),
        meta: json!({ "since": since, "until": until, "in": scope, "window": window, "searched": found.searched, "parts": found.parts,
                      "unread": found.unread }),
        unread: found.unread.len(),
        records: found.records,
    })
}

/// The tag to attach; without an id if it does not exist yet.
pub struct ResolvedTag {
    pub id: Option<String>,
    pub name: String,
    /// An existing tag whose name differs only in case or surrounding white space.
    pub case_variant: Option<String>,
}

impl ResolvedTag {
    /// Its fields in the result.
    pub fn about(&self) -> Value {
        let mut about = json!({ "tag": self.name, "tag_id": self.id });
        if let Some(other) = &self.case_variant {
            about["existing_tag_in_other_case"] = json!(other);
        }
        about
    }
}

/// Resolves `--tag`, `--tag-id` and `--no-create`.
///
/// # Errors
/// Not found for an unknown id, and for an unknown name with `--no-create`.
pub async fn resolve_tag(client: &Client, matches: &ArgMatches) -> Result<ResolvedTag, Error> {
    let wanted = match (matches.get_one::<String>("tag-id"), matches.get_one::<String>("tag")) {
        (Some(id), _) => TagRef::Id(id.trim().to_owned()),
        (None, Some(name)) if !name.trim().is_empty() => TagRef::Name(name.clone()),
        _ => return Err(Error::usage("--tag is empty")),
    };
    let may_create = matches.try_get_one::<bool>("no-create").ok().flatten() == Some(&false);
    match (tags::find(client, &wanted).await?, wanted) {
        (Some(tag), _) => Ok(ResolvedTag { id: Some(tag.id), name: tag.name, case_variant: None }),
        (None, TagRef::Name(name)) if may_create => {
            let name = name.trim().to_owned();
            let case_variant = tags::find_case_variant(client, &name).await?;
            if let Some(other) = &case_variant {
                warn(&format!(
                    "{name:?} would be a new tag next to {other:?}; some workspaces treat both as one tag and refuse the \
                     new one. To use the existing tag, pass --tag {other:?}"
                ));
            }
            Ok(ResolvedTag { id: None, name, case_variant })
        }
        (None, TagRef::Name(name) | TagRef::Id(name)) => {
            Err(crate::bulk::Error::NotFound { what: NotFoundKind::Tag, name, candidates: Vec::new() }.into())
        }
    }
}

async fn team_id(client: &Client, matches: &ArgMatches) -> Result<Option<String>, Error> {
    let Some(name) = matches.get_one::<String>("team") else { return Ok(None) };
    let teams = directory::teams(client).await?;
    Ok(Some(directory::pick(&teams, NotFoundKind::Team, name)?.id.clone()))
}

/// Opens the mirror of this workspace, if it exists.
fn mirror(context: &Context, matches: &ArgMatches, identity: &Identity) -> Result<Option<Store>, Error> {
    let named = mirror_paths::explicit(context, &mirror_paths::MirrorFlag::of(matches))?;
    let Some(path) =
        named.clone().map_or_else(|| mirror_paths::of_credentials(context), |path| Ok(Some(path)))?
    else {
        return Ok(None);
    };
    let store = match Store::open_read_only(&path) {
        Ok(store) => store,
        Err(error) if named.is_some() => return Err(error.into()),
        Err(error) => {
            warn(&format!("cannot use the mirror: {error}"));
            return Ok(None);
        }
    };
    let owner = store.workspace()?.map(|workspace| workspace.id_code);
    match owner {
        Some(found) if found != identity.workspace && named.is_some() => {
            Err(crate::bulk::Error::OtherWorkspace { found, given: identity.workspace.clone() }.into())
        }
        Some(found) => Ok((found == identity.workspace).then_some(store)),
        None => Ok(None),
    }
}

/// Warns about parts that were read from the workspace instead of the mirror, or not searched at all.
fn report_unsearched(found: &IncidentMatches, query: &IncidentQuery, has_mirror: bool) {
    if query.scope == SearchScope::Source {
        return;
    }
    if found.parts.cut > 0 {
        warn(&format!(
            "not searched: older parts of {}; the API returns only the newest 500 of a conversation",
            conversation_count(found.parts.cut)
        ));
    }
    if let Some(first) = found.unread.first() {
        warn(&format!(
            "not searched: the parts of {} that could not be read, for example {} ({})",
            conversation_count(found.unread.len()),
            first.id,
            first.error["message"].as_str().unwrap_or_default()
        ));
    }
    let why = if has_mirror { "the mirror is not up to date for them" } else { "no mirror found" };
    let parts = found.parts;
    if parts.nowhere > 0 {
        warn(&format!(
            "not searched: the parts (replies and notes) of {}: {why} and they are too many to fetch; run \
             `intercom-pp-cli sync --resources conversations,conversation_parts`, or narrow the window",
            conversation_count(parts.nowhere)
        ));
    } else if parts.in_workspace > 0 {
        warn(&format!(
            "{why}: the parts (replies and notes) of {} were read from the workspace",
            conversation_count(parts.in_workspace)
        ));
    }
}

fn conversation_count(count: usize) -> String {
    if count == 1 { "1 conversation".to_owned() } else { format!("{count} conversations") }
}
