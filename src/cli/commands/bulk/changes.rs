//! `conversations bulk-*`, `contacts bulk-*` and `companies bulk-tag`: the same change for many records.

use clap::{Arg, ArgAction, ArgMatches, Command};
use futures::StreamExt;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::contact_fields::set;
use super::incident_tag::tag;
use super::running::{self, Plan};
use super::selection::{self, Chosen};
use crate::api::client::Client;
use crate::bulk::lists::{self, Me};
use crate::bulk::read::Patience;
use crate::bulk::{Assignee, Change, Record, Target, read, tags};
use crate::cli::context::Context;
use crate::cli::door::{self, Content};
use crate::cli::error::Error;
use crate::cli::time::Times;

/// One command: where it stands, what it says of itself, and what it needs beside the records.
struct Kind {
    name: &'static str,
    command: &'static str,
    target: Target,
    about: &'static str,
    arguments: fn() -> Vec<Arg>,
    example: &'static str,
}

const KINDS: &[Kind] = &[
    Kind {
        name: "bulk-tag",
        command: "conversations bulk-tag",
        target: Target::Conversations,
        about: "Put a tag on many conversations",
        arguments: tag_arguments,
        example: "conversations bulk-tag --where 'state = open and updated_at > 7d' --tag follow-up",
    },
    Kind {
        name: "bulk-untag",
        command: "conversations bulk-untag",
        target: Target::Conversations,
        about: "Take a tag off many conversations",
        arguments: untag_arguments,
        example: "conversations bulk-untag --where 'state = closed' --tag refund",
    },
    Kind {
        name: "bulk-assign",
        command: "conversations bulk-assign",
        target: Target::Conversations,
        about: "Give many conversations to a team or a teammate",
        arguments: assign_arguments,
        example: "conversations bulk-assign --where 'team = null and state = open' --team Support",
    },
    Kind {
        name: "bulk-close",
        command: "conversations bulk-close",
        target: Target::Conversations,
        about: "Close many conversations",
        arguments: Vec::new,
        example: "conversations bulk-close --where 'state = open and updated_at < 30d' --limit 500",
    },
    Kind {
        name: "bulk-snooze",
        command: "conversations bulk-snooze",
        target: Target::Conversations,
        about: "Snooze many conversations",
        arguments: snooze_arguments,
        example: "conversations bulk-snooze --where 'state = open and team = Support' --until +2d",
    },
    Kind {
        name: "bulk-reply-note",
        command: "conversations bulk-reply-note",
        target: Target::Conversations,
        about: "Write the same note into many conversations, for the team only",
        arguments: note_arguments,
        example: "conversations bulk-reply-note --where 'updated_at > 1d and state = open' --body 'Known incident'",
    },
    Kind {
        name: "bulk-update",
        command: "contacts bulk-update",
        target: Target::Contacts,
        about: "Change fields of many contacts: the same for all, or what a file says of each",
        arguments: update_arguments,
        example: "contacts bulk-update --where 'role = lead and country = Germany' --set unsubscribed_from_emails=true --limit 50",
    },
    Kind {
        name: "bulk-tag",
        command: "contacts bulk-tag",
        target: Target::Contacts,
        about: "Put a tag on many contacts",
        arguments: tag_arguments,
        example: "contacts bulk-tag --where 'last_seen_at < 30d and role = user' --tag dormant",
    },
    Kind {
        name: "bulk-archive",
        command: "contacts bulk-archive",
        target: Target::Contacts,
        about: "Archive many contacts",
        arguments: Vec::new,
        example: "contacts bulk-archive --where 'has_hard_bounced = true'",
    },
    Kind {
        name: "bulk-tag",
        command: "companies bulk-tag",
        target: Target::Companies,
        about: "Put a tag on many companies",
        arguments: tag_arguments,
        example: "companies bulk-tag --sql 'SELECT id FROM companies WHERE monthly_spend > 100' --tag key-account",
    },
];

fn value(name: &'static str, shape: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(shape)
}

fn tag_arguments() -> Vec<Arg> {
    let mut arguments = untag_arguments();
    arguments.push(
        Arg::new("no-create")
            .long("no-create")
            .action(ArgAction::SetTrue)
            .help("Refuse when there is no such tag"),
    );
    arguments
}

fn untag_arguments() -> Vec<Arg> {
    vec![
        value("tag", "NAME")
            .required_unless_present_any(["tag-id", "resume", "plan"])
            .help("The tag, letter by letter as it is named"),
        value("tag-id", "ID").conflicts_with("tag").help("The tag, by its id"),
    ]
}

fn assign_arguments() -> Vec<Arg> {
    vec![
        value("team", "NAME|ID").help("To this team"),
        value("admin", "NAME|EMAIL|ID").conflicts_with("team").help("To this teammate"),
        Arg::new("nobody")
            .long("nobody")
            .action(ArgAction::SetTrue)
            .conflicts_with_all(["team", "admin"])
            .help("Take the teammate off"),
    ]
}

fn snooze_arguments() -> Vec<Arg> {
    vec![
        value("until", "TIME")
            .required_unless_present_any(["resume", "plan"])
            .help("When they come back: +2d, or a date"),
    ]
}

fn note_arguments() -> Vec<Arg> {
    vec![
        door::content("body")
            .value_name("TEXT")
            .required_unless_present_any(["resume", "plan"])
            .help("What the note says; HTML works; @FILE reads it from a file, - from stdin"),
    ]
}

fn update_arguments() -> Vec<Arg> {
    vec![value("set", "FIELD=VALUE").action(ArgAction::Append).help(
        "A field and its new value: name=Ann, custom_attributes.seats=5, phone=null; may be repeated. With --input, \
         the fields of the file are set as well",
    )]
}

/// The commands of a group.
pub fn commands(group: &str) -> Vec<Command> {
    let own = KINDS.iter().filter(|kind| kind.target.as_str() == group);
    own.map(|kind| {
        let command = Command::new(kind.name).about(kind.about).args((kind.arguments)());
        selection::declare(command, kind.target).args(running::arguments()).after_help(format!(
            "Nothing is changed without --apply. A run has a journal: --resume continues it, `bulk undo` takes it back. \
             Above 100 records it is confirmed by typing their number, or with --yes. Runs on one machine take \
             turns; two machines that change the same records at the same moment may both claim a record, and \
             `bulk undo` of either takes the change off it, unless the record names another teammate for it.\n\n\
             Example: intercom-pp-cli {}",
            kind.example
        ))
    })
    .collect()
}

/// Whether these words are one of the commands here: operations of the API may be named alike.
pub fn is_one(words: &[&str]) -> bool {
    kind(words).is_some()
}

fn kind(words: &[&str]) -> Option<&'static Kind> {
    let name = words.join(" ");
    KINDS.iter().find(|kind| kind.command == name)
}

/// Runs the command of these words.
///
/// # Errors
/// As the run ends.
pub async fn run(context: &Context, words: &[&str], matches: &ArgMatches) -> Result<(), Error> {
    let Some(kind) = kind(words) else {
        return Err(Error::usage(format!("there is no command {:?}", words.join(" "))));
    };
    running::refuse_run_names(matches)?;
    let (client, me) = running::begin(context, matches, kind.command).await?;
    let ways = ["ids", "input", "sql", "where"];
    let otherwise = ways.iter().any(|way| matches.try_contains_id(way).unwrap_or(false));
    if let Some(result) = running::resumed(context, &client, &me, matches, kind.command, otherwise).await {
        return result;
    }
    let plan = match running::from_file(&client, &me, matches, kind.command).await? {
        Some(plan) => plan,
        None => plan(context, &client, &me, matches, kind).await?,
    };
    running::carry_out(context, &client, &me, matches, plan).await
}

async fn plan(
    context: &Context,
    client: &Client,
    me: &Me,
    matches: &ArgMatches,
    kind: &Kind,
) -> Result<Plan, Error> {
    let mut about = json!({ "action": kind.name.trim_start_matches("bulk-") });
    let times = Times::of(context)?;
    let change = change(client, matches, kind, &times, &mut about).await?;
    let (chosen, selection) = selection::choose(context, client, matches, kind.target).await?;
    let admin_id = me.admin_id.clone().unwrap_or_default();
    let mut records: Vec<Option<Record>> = Vec::new();
    let mut unread = Vec::new();
    for one in chosen {
        let change = for_one(&times, &change, &one)?;
        let shown = one.document.as_ref().map(shown).unwrap_or_default();
        let record = Record { id: one.id.clone(), change, before: Value::Null, skip: None, shown };
        let state = one.document.as_ref().filter(|document| is_whole(kind.target, document));
        match state.and_then(|document| record.change.state(kind.target, &admin_id, document)) {
            Some(before) => {
                let Record { id, change, shown, .. } = record;
                records.push(Some(Record { shown, ..Record::new(id, change, before) }));
            }
            None => {
                unread.push((records.len(), record));
                records.push(None);
            }
        }
    }
    let ids = unread.iter().map(|(_, record)| record.id.clone()).collect();
    let mut unread: std::collections::HashMap<String, (usize, Record)> =
        unread.into_iter().map(|it| (it.1.id.clone(), it)).collect();
    let mut documents =
        std::pin::pin!(read::documents(client, kind.target, ids, running::concurrency(matches)));
    let mut patience = Patience::default();
    records.iter().flatten().for_each(|_| patience.read());
    while let Some((id, document)) = documents.next().await {
        let Some((place, mut record)) = unread.remove(&id) else { continue };
        if let Ok(document) = &document {
            record.shown = shown(document);
        }
        let planned = running::planned(client, kind.target, &admin_id, record, document, &mut patience);
        records[place] = Some(planned.await?);
    }
    patience.end()?;
    Ok(Plan {
        command: kind.command.to_owned(),
        target: kind.target,
        workspace: me.workspace.clone(),
        undoes: None,
        selection,
        about,
        records: records.into_iter().flatten().collect(),
        meta: Value::Null,
        unread: 0,
    })
}

/// Whether a document of a search tells all that a change may ask.
fn is_whole(target: Target, document: &Value) -> bool {
    target != Target::Contacts || !crate::mirror::fields::is_cut(&document["tags"])
}

/// What people want to see of a record.
fn shown(document: &Value) -> Value {
    let text = |pointers: &[&str]| {
        pointers.iter().find_map(|pointer| document.pointer(pointer)?.as_str().filter(|it| !it.is_empty()))
    };
    json!({ "name": text(&["/name", "/title", "/source/author/name", "/email", "/source/author/email"]) })
}

/// The change that the command makes; for `bulk-update` what is the same for all.
async fn change(
    client: &Client,
    matches: &ArgMatches,
    kind: &Kind,
    times: &Times,
    about: &mut Value,
) -> Result<Change, Error> {
    let text = |name: &str| matches.try_get_one::<String>(name).ok().flatten().map(String::as_str);
    Ok(match kind.name {
        "bulk-tag" => {
            let tag = tag(client, matches).await?;
            if kind.target == Target::Companies {
                only_one_spelling(client, &tag.name).await?;
            }
            if let (Some(about), Value::Object(tag)) = (about.as_object_mut(), tag.about()) {
                about.extend(tag);
            }
            Change::Tag { tag_id: tag.id.unwrap_or_default(), tag: tag.name }
        }
        "bulk-untag" => {
            let tag = untagged(client, matches).await?;
            (about["tag"], about["tag_id"]) = (json!(tag.name), json!(tag.id));
            Change::Untag { tag_id: tag.id, tag: tag.name }
        }
        "bulk-assign" => Change::Assign { to: assignee(client, matches).await?, close: false },
        "bulk-close" => Change::Close,
        "bulk-snooze" => {
            let written = text("until").unwrap_or_default();
            let until = times.coming(written).map_err(|reason| Error::usage(format!("--until: {reason}")))?;
            if until <= Timestamp::now().as_second() {
                return Err(Error::usage_with_hint(
                    format!("--until: {written:?} is in the past: expected a time in the future"),
                    "a span from now begins with +: --until +2d",
                ));
            }
            Change::Snooze { until }
        }
        "bulk-reply-note" => Change::Note { body: note(matches)? },
        "bulk-archive" => Change::Archive,
        _ => {
            let mut fields = Map::new();
            for pair in matches.get_many::<String>("set").into_iter().flatten() {
                let (name, value) = pair
                    .split_once('=')
                    .ok_or_else(|| Error::usage(format!("--set: {pair:?} is not of the form FIELD=VALUE")))?;
                set(times, &mut fields, name.trim(), &json!(value))?;
            }
            Change::Update { fields }
        }
    })
}

/// The API tags companies by the tag's name alone, and may not tell spellings apart.
async fn only_one_spelling(client: &Client, name: &str) -> Result<(), Error> {
    let other = tags::other_case(client, name).await?;
    match other {
        None => Ok(()),
        Some(other) => Err(Error::usage_with_hint(
            format!("companies are tagged by name, and {other:?} could be taken for {name:?}"),
            "use the spelling that there is, or rename one of the tags",
        )),
    }
}

async fn untagged(client: &Client, matches: &ArgMatches) -> Result<lists::Named, Error> {
    let wanted = match (matches.get_one::<String>("tag-id"), matches.get_one::<String>("tag")) {
        (Some(id), _) => tags::Wanted::Id(id.trim().to_owned()),
        (None, name) => tags::Wanted::Name(name.cloned().unwrap_or_default()),
    };
    let found = tags::find(client, &wanted).await?;
    let (tags::Wanted::Id(name) | tags::Wanted::Name(name)) = wanted;
    found.ok_or_else(|| crate::bulk::Error::NoSuch { what: "tag", name, known: Vec::new() }.into())
}

async fn assignee(client: &Client, matches: &ArgMatches) -> Result<Assignee, Error> {
    if matches.get_flag("nobody") {
        return Ok(Assignee::Admin("0".to_owned()));
    }
    match (matches.get_one::<String>("team"), matches.get_one::<String>("admin")) {
        (Some(team), _) => {
            Ok(Assignee::Team(lists::pick(&lists::teams(client).await?, "team", team)?.id.clone()))
        }
        (None, Some(admin)) => {
            Ok(Assignee::Admin(lists::pick(&lists::admins(client).await?, "teammate", admin)?.id.clone()))
        }
        (None, None) => Err(Error::usage("no assignee given: use --team, --admin or --nobody")),
    }
}

fn note(matches: &ArgMatches) -> Result<String, Error> {
    let body = matches.get_one::<Content>("body").map(Content::text).transpose()?.unwrap_or_default();
    match body.trim().is_empty() {
        true => Err(Error::usage("--body is empty")),
        false => Ok(body),
    }
}

/// The change of one record: what is the same for all, and what the file says of it.
fn for_one(times: &Times, change: &Change, chosen: &Chosen) -> Result<Change, Error> {
    let Change::Update { fields } = change else { return Ok(change.clone()) };
    let mut fields = fields.clone();
    for (name, value) in &chosen.given {
        set(times, &mut fields, name, value)?;
    }
    match fields.is_empty() {
        true => Err(Error::usage_with_hint(
            format!("nothing is said of contact {}", chosen.id),
            "give fields with --set, or in the columns of the file",
        )),
        false => Ok(Change::Update { fields }),
    }
}
