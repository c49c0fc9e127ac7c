//! From a plan to a finished run, for every command: show, save, confirm, send, tell.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches};
use futures::StreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::progress;
use super::report::Report;
use crate::api::client::Client;
use crate::bulk::journal::Run;
use crate::bulk::lists::{self, Me};
use crate::bulk::read::Patience;
use crate::bulk::turn::Turn;
use crate::bulk::{Applier, Change, Head, Journal, Record, Selection, Target, journal, plan, read, tags};
use crate::cli::capture;
use crate::cli::consent::{Confirm, Consent, Intent};
use crate::cli::context::Context;
use crate::cli::door::{self, InputFile, OutputFile};
use crate::cli::error::Error;
use crate::cli::output::tell;
use crate::cli::signals::stop_on_signals;
use crate::mirror::Stop;

/// The reason for a record that changed after its plan was shown.
const CHANGED: &str = "changed_since_plan";

/// A plan with everything that carrying it out needs.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    pub command: String,
    pub target: Target,
    pub workspace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// The filter that the records were chosen by; they must still pass it when they are changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<Selection>,
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
            .help("Change at most N records; the result says when there are more"),
        value("concurrency", "N")
            .value_parser(clap::value_parser!(u16).range(1..=256))
            .default_value("32")
            .help("Records at the same time; the rate limit holds whatever this is"),
        door::output("save-plan").help("Write the plan to a file, for --plan"),
        door::input("plan")
            .help("Take the plan of this file; the records are read again before they are changed"),
        value("resume", "RUN").num_args(0..=1).default_missing_value("").help(
            "Continue a run that was interrupted or failed in part, with the records of that run [default: the \
             latest of this command]",
        ),
    ]
}

pub fn concurrency(matches: &ArgMatches) -> usize {
    matches.get_one::<u16>("concurrency").map_or(32, |it| usize::from(*it))
}

fn text<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    matches.try_get_one::<String>(name).ok().flatten().map(String::as_str)
}

/// The client, and whom it acts for; refused at once where a change is asked for that read-only mode forbids.
///
/// # Errors
/// [`Error::ReadOnly`], and as the workspace answers.
pub async fn begin(context: &Context, matches: &ArgMatches, command: &str) -> Result<(Client, Me), Error> {
    let changes = matches.get_flag("apply") || text(matches, "resume").is_some();
    if changes && !context.globals.dry_run {
        context.refuse_in_read_only_mode(command)?;
    }
    let client = context.client()?;
    let me = lists::me(&client).await?;
    Ok((client, me))
}

/// The ids that were typed beside the flags.
fn typed_ids(matches: &ArgMatches) -> impl Iterator<Item = &String> {
    matches.try_get_many::<String>("ids").ok().flatten().into_iter().flatten()
}

/// Refuses ids beside a run that is continued: it has its own records, and they are not these.
fn refuse_ids_beside(matches: &ArgMatches, run: &str) -> Result<(), Error> {
    match typed_ids(matches).next() {
        None => Ok(()),
        Some(id) => Err(Error::usage_with_hint(
            format!("{id} cannot be combined with --resume: the run {run} has its own records"),
            format!("continue the run with --resume={run} alone, or leave --resume out"),
        )),
    }
}

/// Refuses the name of a run in the place of a record's id.
///
/// # Errors
/// A usage error that names the flag to write.
pub fn refuse_run_names(matches: &ArgMatches) -> Result<(), Error> {
    match typed_ids(matches).find(|id| journal::is_name(id)) {
        None => Ok(()),
        Some(run) => Err(Error::usage_with_hint(
            format!("{run} is the name of a run, not the id of a record"),
            format!(
                "write --resume={run} to continue it, or `intercom-pp-cli bulk undo {run}` to take it back"
            ),
        )),
    }
}

/// Continues a run where `--resume` says so and there is one to continue.
///
/// # Errors
/// As the run ends. `None` when there is no `--resume`, or none to continue and `otherwise`.
pub async fn resumed(
    context: &Context,
    client: &Client,
    me: &Me,
    matches: &ArgMatches,
    command: &str,
    otherwise: bool,
) -> Option<Result<(), Error>> {
    let name = text(matches, "resume")?;
    if let Err(refused) = refuse_run_names(matches) {
        return Some(Err(refused));
    }
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
    if let Err(refused) = refuse_ids_beside(matches, &name) {
        return Some(Err(refused));
    }
    if otherwise {
        tell(&format!(
            "continuing the run {name}: its records are used, not those chosen on the command line"
        ));
    }
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
            && text(matches, "run").is_none_or(|undone| run.head.undoes.as_deref() == Some(undone))
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
        // Whoever typed this agreed when the run began.
        if context.globals.consent == Consent::Withheld {
            let due = journal.run().due().count();
            context.agree(&Intent::new(format!("Go on with the run {name}"), Confirm::Never).of_many(due))?;
        }
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
    if let Some(capture) = capture::current() {
        capture.keep_plan(serde_json::to_string(&plan).map_err(std::io::Error::from)?);
    }
    if let Some(file) = matches.get_one::<OutputFile>("save-plan") {
        let document = serde_json::to_vec_pretty(&plan).map_err(std::io::Error::other)?;
        file.write_private(&document)?;
    }
    let apply = matches.get_flag("apply") && !context.globals.dry_run;
    let due = plan.records.iter().filter(|record| record.is_due()).count();
    if !apply || due == 0 {
        return shown(context, &plan, !apply).await;
    }
    agree(context, &plan, due)?;
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
        selection: plan.selection.clone(),
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

/// Sends what a run has left, after other runs on this machine.
///
/// # Errors
/// When the journal cannot be written.
pub async fn send(client: &Client, journal: &mut Journal, concurrency: usize) -> Result<(), Error> {
    let stop = Stop::default();
    stop_on_signals(stop.clone(), "finishing the calls under way; go on with --resume");
    let _turn = my_turn(&journal.run().head.workspace, &stop).await;
    let applier = Applier::new(client, stop, concurrency);
    Ok(applier.apply(journal, &mut progress::observer()).await?)
}

/// Waits until no other run on this machine changes the workspace, or until this one is stopped.
async fn my_turn(workspace: &str, stop: &Stop) -> Option<Turn> {
    let mut is_said = false;
    while !stop.is_asked() {
        if let Some(turn) = Turn::take(workspace) {
            return Some(turn);
        }
        if !std::mem::replace(&mut is_said, true) {
            tell("waiting for another run that is changing this workspace");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    None
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

/// Lets nobody change very many records, or any for good, by mistake.
fn agree(context: &Context, plan: &Plan, due: usize) -> Result<(), Error> {
    let (target, verb) = (plan.target, plan.verb());
    let records = if due == 1 { target.one() } else { target.as_str() };
    let archives =
        plan.records.iter().any(|record| matches!(record.change, Change::Archive) && record.is_due());
    // Who archives many takes people out of sight that nobody looked at one by one.
    let confirm = if archives && due > 1 { Confirm::Explicit } else { Confirm::Never };
    let consequence =
        format!("`bulk undo` takes back what can be taken back, one {} at a time.", target.one());
    let intent = Intent::new(format!("{verb} {due} {records}"), confirm).of_many(due);
    context.agree(&intent.that_can_be_undone().with_consequence(consequence))
}

impl Plan {
    /// What is done to the records, in the imperative.
    fn verb(&self) -> &'static str {
        if self.undoes.is_some() {
            return "Take back the changes of";
        }
        match self.records.first().map(|record| &record.change) {
            Some(Change::Tag { .. }) => "Tag",
            Some(Change::Untag { .. }) => "Take the tag off",
            Some(Change::Assign { .. }) => "Assign",
            Some(Change::Close) => "Close",
            Some(Change::Snooze { .. }) => "Snooze",
            Some(Change::Note { .. }) => "Write a note into",
            Some(Change::Archive) => "Archive",
            _ => "Change",
        }
    }
}

/// Whether a record of a plan stays as it is, whatever it is like now.
fn is_left_out(record: &Record) -> bool {
    record.skip.as_ref().is_some_and(|reason| reason != record.change.needless())
}

/// Whether this change of this kind of record is one that the command makes.
fn makes(command: &str, target: Target, change: &Change) -> bool {
    let Some((group, action)) = command.split_once(' ') else { return false };
    if (group, action) == ("bulk", "undo") {
        // What takes something back never writes or merges.
        return !matches!(change, Change::Note { .. } | Change::Merge { .. });
    }
    let is_own = match change {
        Change::Tag { .. } => ["bulk-tag", "incident-tag"].contains(&action),
        Change::Untag { .. } => action == "bulk-untag",
        Change::Assign { .. } => action == "bulk-assign",
        Change::Close => action == "bulk-close",
        Change::Snooze { .. } => action == "bulk-snooze",
        Change::Note { .. } => action == "bulk-reply-note",
        Change::Update { .. } => action == "bulk-update",
        Change::Archive => action == "bulk-archive",
        Change::Merge { .. } => action == "dupes",
        Change::Open | Change::Unarchive | Change::Reassign { .. } => false,
    };
    is_own && target.as_str() == group
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
    let agreed = capture::current();
    let agreed = agreed.as_ref().and_then(|capture| capture.plan());
    let (name, content) = match (agreed, matches.get_one::<InputFile>("plan")) {
        (Some(plan), _) => ("the plan".to_owned(), plan.to_owned()),
        (None, Some(file)) => (file.name().to_owned(), file.text()?),
        (None, None) => return Ok(None),
    };
    let not_one = || crate::bulk::Error::NotOne { path: name.clone().into(), what: "plan of this program" };
    let mut plan: Plan = serde_json::from_str(&content).map_err(|_| not_one())?;
    if plan.command != command {
        return Err(Error::usage(format!("{name} is a plan of `{}`", plan.command)));
    }
    // Whoever may run one command must not get another one's changes through a file.
    let foreign = |record: &&Record| !is_left_out(record) && !makes(command, plan.target, &record.change);
    if let Some(record) = plan.records.iter().find(foreign) {
        return Err(Error::usage_with_hint(
            format!(
                "{name}: `{command}` cannot make the change planned for {} {}",
                plan.target.one(),
                record.id
            ),
            format!("make a new plan with `intercom-pp-cli {command} --save-plan FILE`"),
        ));
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
        if is_left_out(record) {
            continue;
        }
        let before = record.before.clone();
        *record = planned(client, plan.target, &admin_id, record.clone(), document, &mut patience).await?;
        // What somebody agreed to was a change of the record as it was shown.
        if agreed.is_some() && record.is_due() && record.before != before {
            record.skip = Some(CHANGED.to_owned());
        }
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
            if let Some(into) = error.merged_into() {
                shown["merged_into"] = json!(into);
                shown["error"] = json!({ "code": "merged", "message": format!("the contact was merged into {into}: use that id") });
            }
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
