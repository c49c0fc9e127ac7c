//! `conversations incident-tag`: one tag on every conversation that mentions something.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use super::running::{self, Plan};
use crate::api::client::Client;
use crate::bulk::incident::{self, Found, Place, Wanted, Window};
use crate::bulk::lists::{self, Me};
use crate::bulk::mentions::{Phrase, Phrases};
use crate::bulk::{Change, Target, tags};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::globals::DataSource;
use crate::cli::output::warn;
use crate::cli::{stores, time};
use crate::mirror::Store;

const COMMAND: &str = "conversations incident-tag";

pub fn command() -> Command {
    let value = |name: &'static str, shape: &'static str| Arg::new(name).long(name).value_name(shape);
    Command::new("incident-tag")
        .about("Tag every conversation that mentions something, such as an outage")
        .arg(
            value("mentions", "TEXT")
                .action(ArgAction::Append)
                .allow_hyphen_values(true)
                .required_unless_present_any(["resume", "plan"])
                .help("What it mentions, as it is read: case, white space and formatting do not matter; may be repeated (any of them)"),
        )
        .arg(
            Arg::new("all-mentions")
                .long("all-mentions")
                .action(ArgAction::SetTrue)
                .help("All of the --mentions, each anywhere in the conversation"),
        )
        .arg(value("exclude", "TEXT").action(ArgAction::Append).allow_hyphen_values(true).help("Not if it mentions this; may be repeated"))
        .arg(value("since", "TIME").help("The beginning of the window: 24h, today, or a date [default: no beginning]"))
        .arg(value("until", "TIME").help("The end of the window [default: now]"))
        .arg(
            value("window", "WHAT")
                .value_parser(["message", "active"])
                .default_value("message")
                .help("What lies in the window: a message that mentions, or also the last change of the conversation"),
        )
        .arg(
            value("in", "WHERE")
                .value_parser(["source", "parts", "all"])
                .default_value("all")
                .help("Where it is mentioned: in the opening message with its subject, in what follows, or in both"),
        )
        .arg(
            value("state", "STATE")
                .value_delimiter(',')
                .value_parser(["open", "closed", "snoozed"])
                .help("Only in these states"),
        )
        .arg(value("team", "NAME|ID").help("Only of this team"))
        .arg(
            value("tag", "NAME")
                .required_unless_present_any(["tag-id", "resume", "plan"])
                .help("Name of the tag, exact; created if it does not exist"),
        )
        .arg(value("tag-id", "ID").conflicts_with("tag").help("The tag, by its id"))
        .arg(
            Arg::new("no-create")
                .long("no-create")
                .action(ArgAction::SetTrue)
                .help("Refuse when there is no such tag"),
        )
        .args(running::arguments())
        .arg(stores::argument())
        .after_help(
            "A conversation belongs to the window when a message that mentions was written in it: the opening message, a \
             reply or a note. Tagging, assigning or closing a conversation does not put it into the window; \
             --window active counts conversations that changed in the window as well.\n\n\
             The opening messages are searched in the workspace. Everything after them is read from the mirror \
             where it is as new as the conversation, and from the workspace otherwise (a call for each \
             conversation, of up to 5000); --in source does without.\n\n\
             The result is {tag, matched, already_tagged, tagged, failed, skipped, limit_reached, \
             conversations: [{id, status, contact, state, match, ...}]}. Exit code 0: all done; 6: in part, also when \
             a conversation could not be read (meta.unread); 5: all failed. \
             `bulk undo` takes a run back.\n\n\
             Example: intercom-pp-cli conversations incident-tag --mentions \"checkout fails\" --since 24h --tag incident-2026-05-24\n\n\
             Example: intercom-pp-cli conversations incident-tag --mentions refund --mentions \"charged twice\" --since 30d \
             --exclude \"thank you\" --state open,snoozed --tag incident-2026-05-24 --apply --yes",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    if context.globals.data_source == DataSource::Local {
        return Err(Error::usage_with_hint(
            "an incident is looked for in the live workspace",
            "leave out --data-source local; the mirror is used where it is up to date",
        ));
    }
    let phrases = phrases(matches)?;
    let (client, me) = running::begin(context, matches, COMMAND).await?;
    let otherwise = !phrases.any.is_empty();
    if let Some(result) = running::resumed(context, &client, &me, matches, COMMAND, otherwise).await {
        return result;
    }
    let plan = match running::from_file(&client, &me, matches, COMMAND).await? {
        Some(plan) => plan,
        None => plan(context, &client, &me, matches, phrases).await?,
    };
    running::carry_out(context, &client, &me, matches, plan).await
}

fn texts<'a>(matches: &'a ArgMatches, name: &str) -> impl Iterator<Item = &'a String> {
    matches.get_many::<String>(name).into_iter().flatten()
}

fn phrases(matches: &ArgMatches) -> Result<Phrases, Error> {
    let read = |name: &str| {
        let phrases = texts(matches, name).map(|text| {
            Phrase::new(text)
                .ok_or_else(|| Error::usage(format!("--{name}: there is nothing to look for in {text:?}")))
        });
        phrases.collect::<Result<Vec<_>, _>>()
    };
    Ok(Phrases { any: read("mentions")?, all: matches.get_flag("all-mentions"), exclude: read("exclude")? })
}

async fn plan(
    context: &Context,
    client: &Client,
    me: &Me,
    matches: &ArgMatches,
    phrases: Phrases,
) -> Result<Plan, Error> {
    let place = match matches.get_one::<String>("in").map(String::as_str) {
        Some("source") => Place::Source,
        Some("parts") => Place::Parts,
        _ => Place::All,
    };
    let (since, until) = time::period(context, matches, 0)?;
    let (tag, team) = futures::try_join!(tag(client, matches), team(client, matches))?;
    let states = texts(matches, "state").cloned().collect();
    let window = match matches.get_one::<String>("window").map(String::as_str) {
        Some("active") => Window::Active,
        _ => Window::Message,
    };
    let wanted = Wanted { phrases, place, window, since, until, states, team };
    let mirror = mirror(context, matches, me)?;
    let change = Change::Tag { tag_id: tag.id.clone().unwrap_or_default(), tag: tag.name.clone() };
    let concurrency = running::concurrency(matches);
    let found = incident::find(client, mirror.as_ref(), &wanted, &change, concurrency).await?;
    say_where(&found, &wanted, mirror.is_some());
    Ok(Plan {
        command: COMMAND.to_owned(),
        target: Target::Conversations,
        workspace: me.workspace.clone(),
        undoes: None,
        selection: None,
        about: tag.about(),
        meta: json!({ "since": since, "until": until, "in": place, "window": window, "searched": found.searched, "parts": found.parts,
                      "unread": found.unread }),
        unread: found.unread.len(),
        records: found.records,
    })
}

/// The tag; without an id when it has to be made.
pub struct Tag {
    pub id: Option<String>,
    pub name: String,
    /// An existing tag whose name differs from that of a new one in case only.
    pub other_case: Option<String>,
}

impl Tag {
    /// What the result says of it.
    pub fn about(&self) -> Value {
        let mut about = json!({ "tag": self.name, "tag_id": self.id });
        if let Some(other) = &self.other_case {
            about["existing_tag_in_other_case"] = json!(other);
        }
        about
    }
}

/// What `--tag`, `--tag-id` and `--no-create` say.
///
/// # Errors
/// Not found for an id that no tag has, and for a name when none may be made.
pub async fn tag(client: &Client, matches: &ArgMatches) -> Result<Tag, Error> {
    let wanted = match (matches.get_one::<String>("tag-id"), matches.get_one::<String>("tag")) {
        (Some(id), _) => tags::Wanted::Id(id.trim().to_owned()),
        (None, Some(name)) if !name.trim().is_empty() => tags::Wanted::Name(name.clone()),
        _ => return Err(Error::usage("--tag: the name is empty")),
    };
    let may_create = matches.try_get_one::<bool>("no-create").ok().flatten() == Some(&false);
    match (tags::find(client, &wanted).await?, wanted) {
        (Some(tag), _) => Ok(Tag { id: Some(tag.id), name: tag.name, other_case: None }),
        (None, tags::Wanted::Name(name)) if may_create => {
            let name = name.trim().to_owned();
            let other_case = tags::other_case(client, &name).await?;
            if let Some(other) = &other_case {
                warn(&format!(
                    "there is a tag {other:?}, and {name:?} would be a new one: workspaces may take both for one tag and \
                     refuse it. To use the existing tag, give --tag {other:?}"
                ));
            }
            Ok(Tag { id: None, name, other_case })
        }
        (None, tags::Wanted::Name(name) | tags::Wanted::Id(name)) => {
            Err(crate::bulk::Error::NoSuch { what: "tag", name, known: Vec::new() }.into())
        }
    }
}

async fn team(client: &Client, matches: &ArgMatches) -> Result<Option<String>, Error> {
    let Some(wanted) = matches.get_one::<String>("team") else { return Ok(None) };
    let teams = lists::teams(client).await?;
    Ok(Some(lists::pick(&teams, "team", wanted)?.id.clone()))
}

/// The mirror of this workspace, if there is one.
fn mirror(context: &Context, matches: &ArgMatches, me: &Me) -> Result<Option<Store>, Error> {
    let named = stores::named(context, matches)?;
    let Some(path) = named.clone().map_or_else(|| stores::known(context), |path| Ok(Some(path)))? else {
        return Ok(None);
    };
    let store = match Store::open_read_only(&path) {
        Ok(store) => store,
        Err(error) if named.is_some() => return Err(error.into()),
        Err(error) => {
            warn(&format!("the mirror is not used: {error}"));
            return Ok(None);
        }
    };
    let owner = store.workspace()?.map(|workspace| workspace.id_code);
    match owner {
        Some(found) if found != me.workspace && named.is_some() => {
            Err(crate::bulk::Error::OtherWorkspace { found, given: me.workspace.clone() }.into())
        }
        Some(found) => Ok((found == me.workspace).then_some(store)),
        None => Ok(None),
    }
}

/// Says what was searched otherwise than from the mirror, and what was not searched at all.
fn say_where(found: &Found, wanted: &Wanted, has_mirror: bool) {
    if wanted.place == Place::Source {
        return;
    }
    if found.parts.cut > 0 {
        warn(&format!(
            "not searched: parts of {} conversations that the workspace did not hand out; it hands out the newest 500 \
             of a conversation at most",
            found.parts.cut
        ));
    }
    if let Some(first) = found.unread.first() {
        warn(&format!(
            "not searched: the parts of {} conversations that the workspace could not hand out, {} among them ({})",
            found.unread.len(),
            first.id,
            first.error["message"].as_str().unwrap_or_default()
        ));
    }
    let why =
        if has_mirror { "the mirror does not have them all as they are now" } else { "there is no mirror" };
    let parts = found.parts;
    if parts.nowhere > 0 {
        warn(&format!(
            "not searched: the parts (replies and notes) of {} conversations, since {why} and they are too many to \
             fetch; run `intercom-pp-cli sync --resources conversations,conversation_parts`, or narrow the window",
            parts.nowhere
        ));
    } else if parts.in_workspace > 0 {
        warn(&format!(
            "{why}: the parts (replies and notes) of {} conversations were read from the workspace",
            parts.in_workspace
        ));
    }
}
