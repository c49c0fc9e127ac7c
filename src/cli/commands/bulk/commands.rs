//! `conversations bulk-*`, `contacts bulk-*` and `companies bulk-tag`: one kind of change for many records.

use clap::{Arg, ArgAction, ArgMatches, Command};
use futures::StreamExt;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::contact_fields::set;
use super::execute;
use super::incident_tag::resolve_tag;
use super::plan::{self, BulkPlan};
use super::selection::{self, SelectedRecord};
use crate::api::client::Client;
use crate::bulk::directory::{self, DirectoryEntry, Identity};
use crate::bulk::read::ReadErrorBudget;
use crate::bulk::tags::TagRef;
use crate::bulk::{Assignee, BulkTarget, Change, NotFoundKind, PlannedRecord, read, tags};
use crate::cli::context::Context;
use crate::cli::error::{Error, Hint};
use crate::cli::files::{self, Content};
use crate::cli::time::Times;
use crate::data::lenient;

/// One bulk command and its flags besides those that select records.
struct BulkCommand {
    name: &'static str,
    command: &'static str,
    target: BulkTarget,
    about: &'static str,
    arguments: fn() -> Vec<Arg>,
    example: &'static str,
}

const BULK_COMMANDS: &[BulkCommand] = &[
    BulkCommand {
        name: "bulk-tag",
        command: "conversations bulk-tag",
        target: BulkTarget::Conversations,
        about: "Tag many conversations",
        arguments: tag_arguments,
        example: "conversations bulk-tag --where 'state = open and updated_at > 7d' --tag follow-up",
    },
    BulkCommand {
        name: "bulk-untag",
        command: "conversations bulk-untag",
        target: BulkTarget::Conversations,
        about: "Remove a tag from many conversations",
        arguments: untag_arguments,
        example: "conversations bulk-untag --where 'state = closed' --tag refund",
    },
    BulkCommand {
        name: "bulk-assign",
        command: "conversations bulk-assign",
        target: BulkTarget::Conversations,
        about: "Assign many conversations to a team or teammate",
        arguments: assign_arguments,
        example: "conversations bulk-assign --where 'team = null and state = open' --team Support",
    },
    BulkCommand {
        name: "bulk-close",
        command: "conversations bulk-close",
        target: BulkTarget::Conversations,
        about: "Close many conversations",
        arguments: Vec::new,
        example: "conversations bulk-close --where 'state = open and updated_at < 30d' --limit 500",
    },
    BulkCommand {
        name: "bulk-snooze",
        command: "conversations bulk-snooze",
        target: BulkTarget::Conversations,
        about: "Snooze many conversations",
        arguments: snooze_arguments,
        example: "conversations bulk-snooze --where 'state = open and team = Support' --until +2d",
    },
    BulkCommand {
        name: "bulk-reply-note",
        command: "conversations bulk-reply-note",
        target: BulkTarget::Conversations,
        about: "Add the same internal note to many conversations",
        arguments: note_arguments,
        example: "conversations bulk-reply-note --where 'updated_at > 1d and state = open' --body 'Known incident'",
    },
    BulkCommand {
        name: "bulk-update",
        command: "contacts bulk-update",
        target: BulkTarget::Contacts,
        about: "Change fields of many contacts: the same for all, or per contact from a file",
        arguments: update_arguments,
        example: "contacts bulk-update --where 'role = lead and country = Germany' --set unsubscribed_from_emails=true --limit 50",
    },
    BulkCommand {
        name: "bulk-tag",
        command: "contacts bulk-tag",
        target: BulkTarget::Contacts,
        about: "Tag many contacts",
        arguments: tag_arguments,
        example: "contacts bulk-tag --where 'last_seen_at < 30d and role = user' --tag dormant",
    },
    BulkCommand {
        name: "bulk-archive",
        command: "contacts bulk-archive",
        target: BulkTarget::Contacts,
        about: "Archive many contacts",
        arguments: Vec::new,
        example: "contacts bulk-archive --where 'has_hard_bounced = true'",
    },
    BulkCommand {
        name: "bulk-tag",
        command: "companies bulk-tag",
        target: BulkTarget::Companies,
        about: "Tag many companies",
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
            .help("Fail if the tag does not exist"),
    );
    arguments
}

fn untag_arguments() -> Vec<Arg> {
    vec![
        value("tag", "NAME")
            .required_unless_present_any(["tag-id", "resume", "plan"])
            .help("Tag name (exact match)"),
        value("tag-id", "ID").conflicts_with("tag").help("Tag id"),
    ]
}

fn assign_arguments() -> Vec<Arg> {
    vec![
        value("team", "NAME|ID").help("Team to assign to"),
        value("admin", "NAME|EMAIL|ID").conflicts_with("team").help("Teammate to assign to"),
        Arg::new("nobody")
            .long("nobody")
            .action(ArgAction::SetTrue)
            .conflicts_with_all(["team", "admin"])
            .help("Remove the assigned teammate"),
    ]
}

fn snooze_arguments() -> Vec<Arg> {
    vec![
        value("until", "TIME")
            .required_unless_present_any(["resume", "plan"])
            .help("When to reopen them (for example +2d or a date)"),
    ]
}

fn note_arguments() -> Vec<Arg> {
    vec![
        files::content("body")
            .value_name("TEXT")
            .required_unless_present_any(["resume", "plan"])
            .help("Text of the note, may contain HTML; @FILE reads a file, - reads stdin"),
    ]
}

fn update_arguments() -> Vec<Arg> {
    vec![value("set", "FIELD=VALUE").action(ArgAction::Append).help(
        "Field and its new value (repeatable), for example name=Ann, custom_attributes.seats=5 or phone=null; fields \
         from --input are set too",
    )]
}

/// The commands of a group.
pub fn commands(group: &str) -> Vec<Command> {
    let in_group = BULK_COMMANDS.iter().filter(|spec| spec.target.as_str() == group);
    in_group.map(|spec| {
        let command = Command::new(spec.name).about(spec.about).args((spec.arguments)());
        selection::add_arguments(command, spec.target).args(execute::arguments()).after_help(format!(
            "Nothing is changed without --apply. Each run keeps a journal: --resume continues an interrupted run, \
             `bulk undo` reverts a run. More than 100 records must be confirmed by typing their number, or with --yes. \
             Runs on one machine wait for each other; if two machines change the same record at the same time, both \
             may count it as theirs, and `bulk undo` of either run reverts it, unless the record shows that another \
             teammate made the change.\n\n\
             Example: intercom-pp-cli {}",
            spec.example
        ))
    })
    .collect()
}

/// Whether these words are a bulk command: API operations can have similar names.
pub fn is_one(words: &[&str]) -> bool {
    find_spec(words).is_some()
}

fn find_spec(words: &[&str]) -> Option<&'static BulkCommand> {
    let name = words.join(" ");
    BULK_COMMANDS.iter().find(|spec| spec.command == name)
}

/// # Errors
/// As [`execute::carry_out`].
pub async fn run(context: &Context, words: &[&str], matches: &ArgMatches) -> Result<(), Error> {
    let Some(spec) = find_spec(words) else {
        return Err(Error::usage(format!("unknown command {:?}", words.join(" "))));
    };
    execute::refuse_run_names(matches)?;
    let (client, identity) = execute::connect(context, matches, spec.command).await?;
    let selectors = ["ids", "input", "sql", "where"];
    let has_selection = selectors.iter().any(|name| matches.try_contains_id(name).unwrap_or(false));
    if let Some(result) =
        execute::resume_if_requested(context, &client, &identity, matches, spec.command, has_selection).await
    {
        return result;
    }
    let plan = match plan::from_file(&client, &identity, matches, spec.command).await? {
        Some(plan) => plan,
        None => plan(context, &client, &identity, matches, spec).await?,
    };
    execute::carry_out(context, &client, &identity, matches, plan).await
}

async fn plan(
    context: &Context,
    client: &Client,
    identity: &Identity,
    matches: &ArgMatches,
    spec: &BulkCommand,
) -> Result<BulkPlan, Error> {
    let mut about = json!({ "action": spec.name.trim_start_matches("bulk-") });
    let times = Times::of(context)?;
    let change = change(client, matches, spec, &times, &mut about).await?;
    let (selected, selection) = selection::select(context, client, matches, spec.target).await?;
    let admin_id = identity.admin_id.clone().unwrap_or_default();
    let mut records: Vec<Option<PlannedRecord>> = Vec::new();
    let mut unread = Vec::new();
    for selected in selected {
        let change = change_for(&times, &change, &selected)?;
        let shown = selected.document.as_ref().map(shown).unwrap_or_default();
        let record =
            PlannedRecord { id: selected.id.clone(), change, before: Value::Null, skip: None, shown };
        let state = selected.document.as_ref().filter(|document| is_complete(spec.target, document));
        match state.and_then(|document| record.change.state(spec.target, &admin_id, document)) {
            Some(before) => {
                let PlannedRecord { id, change, shown, .. } = record;
                records.push(Some(PlannedRecord { shown, ..PlannedRecord::new(id, change, before) }));
            }
            None => {
                unread.push((records.len(), record));
                records.push(None);
            }
        }
    }
    let ids = unread.iter().map(|(_, record)| record.id.clone()).collect();
    let mut unread: std::collections::HashMap<String, (usize, PlannedRecord)> =
        unread.into_iter().map(|(place, record)| (record.id.clone(), (place, record))).collect();
    let mut documents =
        std::pin::pin!(read::documents(client, spec.target, ids, execute::concurrency(matches)));
    let mut budget = ReadErrorBudget::default();
    records.iter().flatten().for_each(|_| budget.record_success());
    while let Some((id, document)) = documents.next().await {
        let Some((place, mut record)) = unread.remove(&id) else { continue };
        if let Ok(document) = &document {
            record.shown = shown(document);
        }
        let planned = plan::planned(client, spec.target, &admin_id, record, document, &mut budget);
        records[place] = Some(planned.await?);
    }
    budget.finish()?;
    Ok(BulkPlan {
        command: spec.command.to_owned(),
        target: spec.target,
        workspace: identity.workspace.clone(),
        undoes: None,
        selection,
        about,
        records: records.into_iter().flatten().collect(),
        meta: Value::Null,
        unread: 0,
    })
}

/// Whether a search result has all the data that a change needs.
fn is_complete(target: BulkTarget, document: &Value) -> bool {
    target != BulkTarget::Contacts || !lenient::is_cut(&document["tags"])
}

/// The columns of the result that describe a record.
fn shown(document: &Value) -> Value {
    let text = |pointers: &[&str]| {
        pointers
            .iter()
            .find_map(|pointer| document.pointer(pointer)?.as_str().filter(|text| !text.is_empty()))
    };
    json!({ "name": text(&["/name", "/title", "/source/author/name", "/email", "/source/author/email"]) })
}

/// The change that the command makes; for `bulk-update`, the fields that are the same for all contacts.
async fn change(
    client: &Client,
    matches: &ArgMatches,
    spec: &BulkCommand,
    times: &Times,
    about: &mut Value,
) -> Result<Change, Error> {
    let text = |name: &str| matches.try_get_one::<String>(name).ok().flatten().map(String::as_str);
    Ok(match spec.name {
        "bulk-tag" => {
            let tag = resolve_tag(client, matches).await?;
            if spec.target == BulkTarget::Companies {
                check_unique_spelling(client, &tag.name).await?;
            }
            if let (Some(about), Value::Object(tag)) = (about.as_object_mut(), tag.about()) {
                about.extend(tag);
            }
            Change::Tag { tag_id: tag.id.unwrap_or_default(), tag: tag.name }
        }
        "bulk-untag" => {
            let tag = existing_tag(client, matches).await?;
            (about["tag"], about["tag_id"]) = (json!(tag.name), json!(tag.id));
            Change::Untag { tag_id: tag.id, tag: tag.name }
        }
        "bulk-assign" => Change::Assign { to: assignee(client, matches).await?, close: false },
        "bulk-close" => Change::Close,
        "bulk-snooze" => {
            let until_text = text("until").unwrap_or_default();
            let until =
                times.future(until_text).map_err(|reason| Error::usage(format!("--until: {reason}")))?;
            if until <= Timestamp::now().as_second() {
                return Err(Error::usage_with_hint(
                    format!("--until: {until_text:?} is in the past: expected a time in the future"),
                    Hint::new("prefix a span from now with +, for example ").flag("until").text(" +2d"),
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
                    .ok_or_else(|| Error::usage(format!("--set: invalid {pair:?}: expected FIELD=VALUE")))?;
                set(times, &mut fields, name.trim(), &json!(value))?;
            }
            Change::Update { fields }
        }
    })
}

/// The API tags companies by tag name alone, and may not distinguish spellings.
async fn check_unique_spelling(client: &Client, name: &str) -> Result<(), Error> {
    let other = tags::find_case_variant(client, name).await?;
    match other {
        None => Ok(()),
        Some(other) => Err(Error::usage_with_hint(
            format!(
                "companies are tagged by name, and the existing tag {other:?} could be used instead of {name:?}"
            ),
            "use the existing spelling, or rename one of the tags",
        )),
    }
}

async fn existing_tag(client: &Client, matches: &ArgMatches) -> Result<DirectoryEntry, Error> {
    let tag = match (matches.get_one::<String>("tag-id"), matches.get_one::<String>("tag")) {
        (Some(id), _) => TagRef::Id(id.trim().to_owned()),
        (None, name) => TagRef::Name(name.cloned().unwrap_or_default()),
    };
    let found = tags::find(client, &tag).await?;
    let (TagRef::Id(name) | TagRef::Name(name)) = tag;
    found.ok_or_else(|| {
        crate::bulk::Error::NotFound { what: NotFoundKind::Tag, name, candidates: Vec::new() }.into()
    })
}

async fn assignee(client: &Client, matches: &ArgMatches) -> Result<Assignee, Error> {
    if matches.get_flag("nobody") {
        return Ok(Assignee::Admin("0".to_owned()));
    }
    match (matches.get_one::<String>("team"), matches.get_one::<String>("admin")) {
        (Some(team), _) => Ok(Assignee::Team(
            directory::pick(&directory::teams(client).await?, NotFoundKind::Team, team)?.id.clone(),
        )),
        (None, Some(admin)) => Ok(Assignee::Admin(
            directory::pick(&directory::admins(client).await?, NotFoundKind::Teammate, admin)?.id.clone(),
        )),
        (None, None) => Err(Error::usage("no assignee given: use --team, --admin or --nobody")),
    }
}

fn note(matches: &ArgMatches) -> Result<String, Error> {
    let body = matches.get_one::<Content>("body").map(Content::text).transpose()?.unwrap_or_default();
    if body.trim().is_empty() { Err(Error::usage("--body is empty")) } else { Ok(body) }
}

/// The change of one record: the common fields, then those that the file has for it.
fn change_for(times: &Times, change: &Change, selected: &SelectedRecord) -> Result<Change, Error> {
    let Change::Update { fields } = change else { return Ok(change.clone()) };
    let mut fields = fields.clone();
    for (name, value) in &selected.fields {
        set(times, &mut fields, name, value)?;
    }
    if fields.is_empty() {
        return Err(Error::usage_with_hint(
            format!("no fields to change for contact {}", selected.id),
            Hint::new("add fields with ").flag("set").or("as columns of the file"),
        ));
    }
    Ok(Change::Update { fields })
}
