//! From a plan to a finished run, for every command: show, save, confirm, send, tell.

use std::io::{IsTerminal, Write};
use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches};
use futures::StreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::progress;
use super::report::Report;
use crate::api::client::Client;
use crate::bulk::journal::Run;
use crate::bulk::lists::Me;
use crate::bulk::read::Patience;
use crate::bulk::{Applier, Change, Head, Journal, Record, Target, journal, plan, read, tags};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::tell;
use crate::cli::signals::stop_on_signals;
use crate::config::write_private;
use crate::mirror::Stop;

/// So many records are changed without asking.
const UNASKED: usize = 100;

/// A plan with everything that carrying it out needs.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    pub command: String,
    pub target: Target,
    pub workspace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// What stands before the counts of the result.
    pub about: Value,
    pub records: Vec<Record>,
    /// What the command adds to the `meta` of the result.
    #[serde(skip)]
    pub meta: Value,
    /// Records of which nobody knows whether they belong to the plan, since they could not be read.
    #[serde(skip)]
    pub unread: usize,
}

/// Flags of every command that changes many records.
pub fn arguments() -> Vec<Arg> {
    let value = |name: &'static str, shape: &'static str| Arg::new(name).long(name).value_name(shape);
    vec![
        Arg::new("apply")
            .long("apply")
            .action(ArgAction::SetTrue)
            .help("Make the changes; without it they are only shown"),
        value("limit", "N")
            .value_parser(clap::value_parser!(u64).range(1..))
            .help("Change at most N records, and say so when there are more"),
        value("concurrency", "N")
            .value_parser(clap::value_parser!(u16).range(1..=256))
            .default_value("32")
            .help("Records at the same time; the rate limit holds whatever this is"),
        value("save-plan", "FILE").help("Write the plan to a file, for --plan"),
        value("plan", "FILE")
            .help("Take the plan of this file; the records are read again before they are changed"),
        value("resume", "RUN").num_args(0..=1).require_equals(true).default_missing_value("").help(
            "Go on with a run that was interrupted or failed in part [default: the latest of this command]",
        ),
    ]
}

pub fn concurrency(matches: &ArgMatches) -> usize {
    matches.get_one::<u16>("concurrency").map_or(32, |it| usize::from(*it))
}

fn text<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    matches.try_get_one::<String>(name).ok().flatten().map(String::as_str)
}

/// Goes on with a run where `--resume` says so and there is one to go on with.
///
/// # Errors
/// As the run ends. `None` when there is no `--resume`, or none to go on with and `otherwise`.
pub async fn resumed(
    context: &Context,
    client: &Client,
    me: &Me,
    matches: &ArgMatches,
    command: &str,
    otherwise: bool,
) -> Option<Result<(), Error>> {
    let name = text(matches, "resume")?;
    let name = match name {
        "" => match latest(command, &me.workspace, matches) {
            Ok(Some(name)) => name,
            Ok(None) if otherwise => {
                tell("there is no interrupted run of this command; starting from the beginning");
                return None;
            }
            Ok(None) => {
                let message = "there is no interrupted run of this command";
                let hint = "`intercom-pp-cli bulk runs` lists the runs";
                return Some(Err(Error::usage_with_hint(message, hint)));
            }
            Err(error) => return Some(Err(error)),
        },
        name => name.to_owned(),
    };
    Some(go_on(context, client, me, matches, command, &name).await)
}

/// The latest run of this command that has something left; when a tag is named, of this tag.
fn latest(command: &str, workspace: &str, matches: &ArgMatches) -> Result<Option<String>, Error> {
    let is_meant = |run: &&Run| {
        let about =
            |name: &str, flag: &str| text(matches, flag).is_none_or(|it| run.head.about[name] == it.trim());
        run.head.command == command
            && run.head.workspace == workspace
            && about("tag", "tag")
            && about("tag_id", "tag-id")
    };
    let runs = journal::runs()?;
    let found = runs.iter().filter(is_meant).find(|run| run.due().next().is_some());
    Ok(found.map(|run| run.head.run.clone()))
}

async fn go_on(
    context: &Context,
    client: &Client,
    me: &Me,
    matches: &ArgMatches,
    command: &str,
    name: &str,
) -> Result<(), Error> {
    let mut journal = Journal::open(name)?;
    let head = journal.run().head.clone();
    if head.workspace != me.workspace {
        let (found, given) = (head.workspace, me.workspace.clone());
        return Err(crate::bulk::Error::OtherWorkspace { found, given }.into());
    }
    if head.command != command {
        return Err(Error::usage_with_hint(
            format!("the run {name} was made by `{}`", head.command),
            format!("go on with `intercom-pp-cli {} --resume={name}`", head.command),
        ));
    }
    if !context.globals.dry_run {
        send(client, &mut journal, concurrency(matches)).await?;
    }
    tell_run(context, &journal, context.globals.dry_run, json!({ "resumed": true }), 0).await
}

/// Shows a plan, or carries it out when `--apply` says so.
///
/// # Errors
/// As the run ends; a usage error when it was not confirmed.
pub async fn carry_out(
    context: &Context,
    client: &Client,
    me: &Me,
    matches: &ArgMatches,
    mut plan: Plan,
) -> Result<(), Error> {
    plan::cut(&mut plan.records, matches.try_get_one::<u64>("limit").ok().flatten().copied());
    if let Some(path) = text(matches, "save-plan") {
        let document = serde_json::to_string_pretty(&plan).unwrap_or_default();
        write_private(Path::new(path), document.as_bytes())?;
    }
    let apply = matches.get_flag("apply") && !context.globals.dry_run;
    let due = plan.records.iter().filter(|record| record.is_due()).count();
    if !apply || due == 0 {
        return shown(context, &plan, !apply).await;
    }
    confirm(context, due, plan.target)?;
    let admin_id = match (&me.admin_id, plan.target) {
        (Some(id), _) => id.clone(),
        (None, Target::Conversations) => {
            let hint = "the token must belong to a teammate";
            return Err(Error::usage_with_hint("/me names no teammate to act as", hint));
        }
        // Nothing that is done to these names who does it.
        (None, Target::Contacts | Target::Companies) => String::new(),
    };
    make_missing_tag(client, &mut plan).await?;
    let head = Head {
        run: journal::new_name(),
        command: plan.command.clone(),
        target: plan.target,
        workspace: me.workspace.clone(),
        admin_id,
        started_at: Timestamp::now().as_second(),
        undoes: plan.undoes.clone(),
        about: plan.about.clone(),
    };
    let mut journal = Journal::begin(head, plan.records)?;
    send(client, &mut journal, concurrency(matches)).await?;
    tell_run(context, &journal, false, plan.meta, plan.unread).await
}

async fn shown(context: &Context, plan: &Plan, dry_run: bool) -> Result<(), Error> {
    let report = Report {
        command: &plan.command,
        target: plan.target,
        records: &plan.records,
        run: None,
        dry_run,
        meta: plan.meta.clone(),
        about: plan.about.clone(),
        unread: plan.unread,
    };
    report.tell(context).await
}

async fn send(client: &Client, journal: &mut Journal, concurrency: usize) -> Result<(), Error> {
    let stop = Stop::default();
    stop_on_signals(stop.clone(), "finishing the calls under way; go on with --resume");
    let applier = Applier::new(client, stop, concurrency);
    Ok(applier.apply(journal, &mut progress::observer()).await?)
}

async fn tell_run(
    context: &Context,
    journal: &Journal,
    dry_run: bool,
    meta: Value,
    unread: usize,
) -> Result<(), Error> {
    let run = journal.run();
    let report = Report {
        command: &run.head.command,
        target: run.head.target,
        records: &run.records,
        run: Some(run),
        dry_run,
        meta,
        about: run.head.about.clone(),
        unread,
    };
    report.tell(context).await
}

/// A tag that did not exist when the plan was made is made now, before the first record gets it.
async fn make_missing_tag(client: &Client, plan: &mut Plan) -> Result<(), Error> {
    let missing = plan.records.iter().find_map(|record| match &record.change {
        Change::Tag { tag_id, tag } if tag_id.is_empty() => Some(tag.clone()),
        _ => None,
    });
    let Some(name) = missing else { return Ok(()) };
    let made = match tags::find(client, &tags::Wanted::Name(name.clone())).await? {
        Some(tag) => tag,
        None => tags::create(client, &name).await?,
    };
    for record in &mut plan.records {
        if let Change::Tag { tag_id, .. } = &mut record.change {
            tag_id.clone_from(&made.id);
        }
    }
    if let Some(about) = plan.about.as_object_mut() {
        about.insert("tag_id".to_owned(), json!(made.id));
    }
    Ok(())
}

/// Lets nobody change very many records by mistake.
fn confirm(context: &Context, records: usize, target: Target) -> Result<(), Error> {
    if records <= UNASKED || context.globals.yes {
        return Ok(());
    }
    let what = target.as_str();
    let refused = |reason: &str| {
        Error::usage_with_hint(
            format!("{records} {what} would be changed: {reason}"),
            "confirm with --yes, or change fewer with --limit",
        )
    };
    if context.globals.no_input || !std::io::stdin().is_terminal() {
        return Err(refused("more than 100 need --yes"));
    }
    let mut stderr = std::io::stderr();
    write!(stderr, "{records} {what} will be changed. Type {records} to go on: ")
        .and_then(|()| stderr.flush())?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    match answer.trim() == records.to_string() {
        true => Ok(()),
        false => Err(refused("not confirmed")),
    }
}

/// The plan of `--plan FILE`, with its records as they are now.
///
/// # Errors
/// When the file is no plan, or one of another command or workspace.
pub async fn from_file(
    client: &Client,
    me: &Me,
    matches: &ArgMatches,
    command: &str,
) -> Result<Option<Plan>, Error> {
    let Some(path) = text(matches, "plan").map(Path::new) else { return Ok(None) };
    let content = std::fs::read(path)
        .map_err(|error| Error::usage(format!("cannot read {}: {error}", path.display())))?;
    let not_one = || crate::bulk::Error::NotOne { path: path.to_owned(), what: "plan of this program" };
    let mut plan: Plan = serde_json::from_slice(&content).map_err(|_| not_one())?;
    if plan.command != command {
        return Err(Error::usage(format!("{} is a plan of `{}`", path.display(), plan.command)));
    }
    if plan.workspace != me.workspace {
        let (found, given) = (plan.workspace, me.workspace.clone());
        return Err(crate::bulk::Error::OtherWorkspace { found, given }.into());
    }
    let admin_id = me.admin_id.clone().unwrap_or_default();
    let ids = plan.records.iter().map(|record| record.id.clone()).collect();
    let mut documents = std::pin::pin!(read::documents(client, plan.target, ids, concurrency(matches)));
    let mut patience = Patience::default();
    while let Some((id, document)) = documents.next().await {
        let Some(record) = plan.records.iter_mut().find(|record| record.id == id) else { continue };
        let left_out = matches!(&record.skip, Some(reason) if reason != record.change.needless());
        if left_out {
            continue;
        }
        *record = planned(client, plan.target, &admin_id, record.clone(), document, &mut patience).await?;
    }
    patience.end()?;
    Ok(Some(plan))
}

/// The record as its document tells it is now; left out when the workspace cannot hand it out.
///
/// # Errors
/// When nobody may read it, or the workspace does not answer.
pub async fn planned(
    client: &Client,
    target: Target,
    admin_id: &str,
    record: Record,
    document: Result<Value, crate::api::Error>,
    patience: &mut Patience,
) -> Result<Record, Error> {
    let Record { id, change, mut shown, .. } = record;
    let mut document = match document {
        Ok(document) => document,
        Err(error) => {
            let reason = if error.is_not_found() { "not_found" } else { "unreadable" };
            match error.is_not_found() {
                true => patience.read(),
                false => shown["error"] = patience.bear(error)?,
            }
            return Ok(Record { id, change, before: Value::Null, skip: Some(reason.to_owned()), shown });
        }
    };
    patience.read();
    read::complete(client, target, &change, &mut document, &id).await?;
    let before = change.state(target, admin_id, &document).unwrap_or_default();
    Ok(Record { shown, ..Record::new(id, change, before) })
}
