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
use crate::cli::error::Error;
use crate::cli::time;

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
        value("body", "TEXT")
            .allow_hyphen_values(true)
            .required_unless_present_any(["resume", "plan"])
            .help("What the note says; HTML works; @FILE reads it from a file"),
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
            "Nothing is changed without --apply. A run has a journal: --resume goes on with it, `bulk undo` takes it \
             back. Above 100 records it is confirmed by typing their number, or with --yes.\n\n\
             Example: intercom-pp-cli {}",
            kind.example
        ))
    })
    .collect()
}

/// Runs the command of these words.
///
/// # Errors
/// As the run ends.
pub async fn run(context: &Context, words: &[&str], matches: &ArgMatches) -> Result<(), Error> {
    let name = words.join(" ");
    let Some(kind) = KINDS.iter().find(|kind| kind.command == name) else {
        return Err(Error::usage(format!("there is no command {name:?}")));
    };
    let client = context.client()?;
    let me = lists::me(&client).await?;
    let otherwise = ["ids", "input", "sql", "where"]
        .iter()
        .any(|way| matches.try_get_one::<String>(way).is_ok_and(|it| it.is_some()) || is_given(matches, way));
    if let Some(result) = running::resumed(context, &client, &me, matches, kind.command, otherwise).await {
        return result;
    }
    let plan = match running::from_file(&client, &me, matches, kind.command).await? {
        Some(plan) => plan,
        None => plan(context, &client, &me, matches, kind).await?,
    };
    running::carry_out(context, &client, &me, matches, plan).await
}

fn is_given(matches: &ArgMatches, name: &str) -> bool {
    matches.try_get_many::<String>(name).ok().flatten().is_some()
}

async fn plan(
    context: &Context,
    client: &Client,
    me: &Me,
    matches: &ArgMatches,
    kind: &Kind,
) -> Result<Plan, Error> {
    let mut about = json!({ "action": kind.name.trim_start_matches("bulk-") });
    let change = change(client, matches, kind, &mut about).await?;
    let chosen = selection::choose(context, client, matches, kind.target).await?;
    let admin_id = me.admin_id.clone().unwrap_or_default();
    let mut records: Vec<Option<Record>> = Vec::new();
    let mut unread = Vec::new();
    for one in chosen {
        let change = for_one(&change, &one)?;
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
    about: &mut Value,
) -> Result<Change, Error> {
    let text = |name: &str| matches.try_get_one::<String>(name).ok().flatten().map(String::as_str);
    Ok(match kind.name {
        "bulk-tag" => {
            let tag = tag(client, matches).await?;
            if kind.target == Target::Companies {
                only_one_spelling(client, &tag.name).await?;
            }
            (about["tag"], about["tag_id"]) = (json!(tag.name), json!(tag.id));
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
            let until = time::epoch_seconds(written, Timestamp::now())
                .map_err(|reason| Error::usage(format!("--until: {reason}")))?;
            if until <= Timestamp::now().as_second() {
                return Err(Error::usage_with_hint(
                    "--until lies behind",
                    "a span ahead begins with +, as in +2d",
                ));
            }
            Change::Snooze { until }
        }
        "bulk-reply-note" => Change::Note { body: note(text("body").unwrap_or_default())? },
        "bulk-archive" => Change::Archive,
        _ => {
            let mut fields = Map::new();
            for pair in matches.get_many::<String>("set").into_iter().flatten() {
                let (name, value) = pair
                    .split_once('=')
                    .ok_or_else(|| Error::usage(format!("--set: {pair:?} is not of the form FIELD=VALUE")))?;
                set(&mut fields, name.trim(), &json!(value))?;
            }
            Change::Update { fields }
        }
    })
}

/// The API tags companies by the tag's name alone, and may not tell spellings apart.
async fn only_one_spelling(client: &Client, name: &str) -> Result<(), Error> {
    let tags = lists::tags(client).await?;
    let other = tags.iter().find(|tag| tag.name != name && tag.name.to_lowercase() == name.to_lowercase());
    match other {
        None => Ok(()),
        Some(other) => Err(Error::usage_with_hint(
            format!("companies are tagged by name, and {:?} could be taken for {name:?}", other.name),
            "use the spelling that there is, or rename one of the tags",
        )),
    }
}

async fn untagged(client: &Client, matches: &ArgMatches) -> Result<lists::Named, Error> {
    let wanted = match (matches.get_one::<String>("tag-id"), matches.get_one::<String>("tag")) {
        (Some(id), _) => tags::Wanted::Id(id.trim().to_owned()),
        (None, name) => tags::Wanted::Name(name.map(|name| name.trim().to_owned()).unwrap_or_default()),
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
            Ok(Assignee::Team(lists::pick(&lists::teams(client).await?, "team", team.trim())?.id.clone()))
        }
        (None, Some(admin)) => Ok(Assignee::Admin(
            lists::pick(&lists::admins(client).await?, "teammate", admin.trim())?.id.clone(),
        )),
        (None, None) => Err(Error::usage("to whom? use --team, --admin or --nobody")),
    }
}

fn note(written: &str) -> Result<String, Error> {
    let body = match written.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| Error::usage(format!("--body: cannot read {path}: {error}")))?,
        None => written.to_owned(),
    };
    match body.trim().is_empty() {
        true => Err(Error::usage("--body is empty")),
        false => Ok(body),
    }
}

/// The change of one record: what is the same for all, and what the file says of it.
fn for_one(change: &Change, chosen: &Chosen) -> Result<Change, Error> {
    let Change::Update { fields } = change else { return Ok(change.clone()) };
    let mut fields = fields.clone();
    for (name, value) in &chosen.given {
        set(&mut fields, name, value)?;
    }
    match fields.is_empty() {
        true => Err(Error::usage_with_hint(
            format!("nothing is said of contact {}", chosen.id),
            "give fields with --set, or in the columns of the file",
        )),
        false => Ok(Change::Update { fields }),
    }
}
