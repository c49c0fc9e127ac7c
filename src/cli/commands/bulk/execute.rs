//! Carries out a plan, the same way for every command: preview, save, confirm, send, report.
//!
//! No change may be sent before the user has agreed to the plan and the whole plan is on disk.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::plan::BulkPlan;
use super::progress;
use super::report::RunReport;
use crate::api::client::Client;
use crate::bulk::directory::{self, Identity};
use crate::bulk::journal::BulkRun;
use crate::bulk::tags::TagRef;
use crate::bulk::workspace_lock::WorkspaceLock;
use crate::bulk::{Applier, BulkTarget, Change, Head, RunJournal, journal, plan, tags};
use crate::cli::consent::{Confirm, Consent, Intent};
use crate::cli::context::Context;
use crate::cli::error::{Error, Hint, list_runs};
use crate::cli::files::{self, OutputFile};
use crate::cli::output::notice;
use crate::cli::signals::stop_on_signals;
use crate::cli::streams;

/// Flags of every command that changes many records.
pub fn arguments() -> Vec<Arg> {
    let value = |name: &'static str, shape: &'static str| Arg::new(name).long(name).value_name(shape);
    vec![
        Arg::new("apply")
            .long("apply")
            .action(ArgAction::SetTrue)
            .help("Make the changes; without it, only show them"),
        value("limit", "N")
            .value_parser(clap::value_parser!(u64).range(1..))
            .help("Change at most N records"),
        value("concurrency", "N")
            .value_parser(clap::value_parser!(u16).range(1..=256))
            .default_value("32")
            .help("Records to process in parallel, never above the rate limit"),
        files::output("save-plan").help("Save the plan to a file, for use with --plan"),
        files::input("plan")
            .help("Use the plan in this file; its records are read again before they are changed"),
        value("resume", "RUN").num_args(0..=1).default_missing_value("").help(
            "Resume a run that was interrupted or partly failed, with its own records [default: the latest run of \
             this command]",
        ),
    ]
}

pub fn concurrency(matches: &ArgMatches) -> usize {
    matches.get_one::<u16>("concurrency").map_or(32, |count| usize::from(*count))
}

fn text<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    matches.try_get_one::<String>(name).ok().flatten().map(String::as_str)
}

/// Connects and identifies the token's owner. Refuses changes in read-only mode before any request.
///
/// # Errors
/// [`Error::ReadOnly`]; API errors.
pub async fn connect(
    context: &Context,
    matches: &ArgMatches,
    command: &str,
) -> Result<(Client, Identity), Error> {
    let sends_changes = matches.get_flag("apply") || text(matches, "resume").is_some();
    if sends_changes && !context.globals.consent.dry_run {
        context.refuse_in_read_only_mode(command)?;
    }
    let client = context.client()?;
    let identity = directory::identity(&client).await?;
    Ok((client, identity))
}

/// Ids given as positional arguments.
fn typed_ids(matches: &ArgMatches) -> impl Iterator<Item = &String> {
    matches.try_get_many::<String>("ids").ok().flatten().into_iter().flatten()
}

/// Refuses ids next to `--resume`: the run has its own records.
fn refuse_ids_with_resume(matches: &ArgMatches, run: &str) -> Result<(), Error> {
    match typed_ids(matches).next() {
        None => Ok(()),
        Some(id) => Err(Error::usage_with_hint(
            format!("{id} cannot be combined with --resume: the run {run} has its own records"),
            Hint::new("use ")
                .flag("resume")
                .text(format!("={run} without ids"))
                .or("leave ")
                .flag("resume")
                .text(" out"),
        )),
    }
}

/// Refuses the name of a run where a record's id is expected.
///
/// # Errors
/// A usage error that names the flag to use.
pub fn refuse_run_names(matches: &ArgMatches) -> Result<(), Error> {
    match typed_ids(matches).find(|id| journal::is_name(id)) {
        None => Ok(()),
        Some(run) => Err(Error::usage_with_hint(
            format!("{run} is the name of a run, not the id of a record"),
            Hint::new("use ")
                .flag("resume")
                .text(format!("={run} to resume it"))
                .or("")
                .run(format!("bulk undo {run}"))
                .text(" to undo it"),
        )),
    }
}

/// Resumes a run if `--resume` is given. `None` means that the caller should plan a new run: `--resume` is absent, or no
/// run is left to resume and `has_selection` is set.
///
/// # Errors
/// As [`carry_out`].
pub async fn resume_if_requested(
    context: &Context,
    client: &Client,
    identity: &Identity,
    matches: &ArgMatches,
    command: &str,
    has_selection: bool,
) -> Option<Result<(), Error>> {
    let name = text(matches, "resume")?;
    if let Err(error) = refuse_run_names(matches) {
        return Some(Err(error));
    }
    let name = match name {
        "" => match latest_resumable_run(command, &identity.workspace, matches) {
            Ok(Some(name)) => name,
            Ok(None) if has_selection => {
                notice("no interrupted run of this command found: starting a new one");
                return None;
            }
            Ok(None) => {
                let message = "no interrupted run of this command found";
                return Some(Err(Error::usage_with_hint(message, list_runs())));
            }
            Err(error) => return Some(Err(error)),
        },
        name => name.to_owned(),
    };
    if let Err(error) = refuse_ids_with_resume(matches, &name) {
        return Some(Err(error));
    }
    if has_selection {
        notice(&format!(
            "resuming run {name} with its own records; the records selected on the command line are ignored"
        ));
    }
    Some(resume(context, client, identity, matches, command, &name).await)
}

/// The latest run of this command with pending records; if a tag is given, only runs with that tag.
fn latest_resumable_run(
    command: &str,
    workspace: &str,
    matches: &ArgMatches,
) -> Result<Option<String>, Error> {
    let is_match = |run: &&BulkRun| {
        let about = |name: &str, flag: &str| {
            text(matches, flag).is_none_or(|value| run.head.about[name] == value.trim())
        };
        run.head.command == command
            && run.head.workspace == workspace
            && about("tag", "tag")
            && about("tag_id", "tag-id")
            && text(matches, "run").is_none_or(|undone| run.head.undoes.as_deref() == Some(undone))
    };
    let runs = journal::runs()?;
    let found = runs.iter().filter(is_match).find(|run| run.due().next().is_some());
    Ok(found.map(|run| run.head.run.clone()))
}

async fn resume(
    context: &Context,
    client: &Client,
    identity: &Identity,
    matches: &ArgMatches,
    command: &str,
    name: &str,
) -> Result<(), Error> {
    let mut journal = RunJournal::open(name)?;
    let head = journal.run().head.clone();
    if head.workspace != identity.workspace {
        let (found, given) = (head.workspace, identity.workspace.clone());
        return Err(crate::bulk::Error::OtherWorkspace { found, given }.into());
    }
    if head.command != command {
        return Err(Error::usage_with_hint(
            format!("run {name} belongs to `{}`", head.command),
            Hint::new("resume it with ").run(format!("{} --resume={name}", head.command)),
        ));
    }
    if !context.globals.consent.dry_run {
        // A user at the terminal agreed when the run began.
        if context.globals.consent.given == Consent::Withheld {
            let due = journal.run().due().count();
            context.confirm(&Intent::new(format!("Resume run {name}"), Confirm::Never).with_records(due))?;
        }
        send(client, &mut journal, concurrency(matches)).await?;
    }
    print_run(context, &journal, context.globals.consent.dry_run, json!({ "resumed": true }), 0).await
}

/// Previews a plan, or carries it out with `--apply`.
///
/// # Errors
/// A usage error if it was not confirmed; otherwise as [`RunReport::print`].
pub async fn carry_out(
    context: &Context,
    client: &Client,
    identity: &Identity,
    matches: &ArgMatches,
    mut plan: BulkPlan,
) -> Result<(), Error> {
    plan::apply_limit(&mut plan.records, matches.try_get_one::<u64>("limit").ok().flatten().copied());
    if let Some(capture) = streams::current() {
        capture.keep_plan(serde_json::to_string(&plan).map_err(std::io::Error::from)?);
    }
    if let Some(file) = matches.get_one::<OutputFile>("save-plan") {
        let document = serde_json::to_vec_pretty(&plan).map_err(std::io::Error::other)?;
        file.write_private(&document)?;
    }
    let apply = matches.get_flag("apply") && !context.globals.consent.dry_run;
    let due = plan.records.iter().filter(|record| record.is_due()).count();
    if !apply || due == 0 {
        return print_plan(context, &plan, !apply).await;
    }
    agree(context, &plan, due)?;
    let admin_id = match (&identity.admin_id, plan.target) {
        (Some(id), _) => id.clone(),
        (None, BulkTarget::Conversations) => {
            let hint = "use a token that belongs to a teammate";
            return Err(Error::usage_with_hint("the token has no teammate to act as", hint));
        }
        // Requests for these do not name the acting teammate.
        (None, BulkTarget::Contacts | BulkTarget::Companies) => String::new(),
    };
    create_missing_tag(client, &mut plan).await?;
    let head = Head {
        run: journal::new_name(),
        command: plan.command.clone(),
        target: plan.target,
        workspace: identity.workspace.clone(),
        admin_id,
        started_at: Timestamp::now().as_second(),
        undoes: plan.undoes.clone(),
        selection: plan.selection.clone(),
        about: plan.about.clone(),
    };
    let mut journal = RunJournal::begin(head, plan.records)?;
    send(client, &mut journal, concurrency(matches)).await?;
    print_run(context, &journal, false, plan.meta, plan.unread).await
}

async fn print_plan(context: &Context, plan: &BulkPlan, dry_run: bool) -> Result<(), Error> {
    let report = RunReport {
        command: &plan.command,
        target: plan.target,
        records: &plan.records,
        run: None,
        dry_run,
        meta: plan.meta.clone(),
        about: plan.about.clone(),
        unread: plan.unread,
    };
    report.print(context).await
}

/// Sends the pending changes of a run, once no other run on this machine changes the workspace.
///
/// # Errors
/// When the journal cannot be written.
pub async fn send(client: &Client, journal: &mut RunJournal, concurrency: usize) -> Result<(), Error> {
    let stop = CancellationToken::default();
    stop_on_signals(stop.clone(), "finishing the requests in progress; resume with --resume");
    let _lock = wait_for_lock(&journal.run().head.workspace, &stop).await;
    let applier = Applier::new(client, stop, concurrency);
    Ok(applier.apply(journal, &mut progress::observer()).await?)
}

/// Waits for the lock of the workspace; `None` if the run was cancelled meanwhile.
async fn wait_for_lock(workspace: &str, stop: &CancellationToken) -> Option<WorkspaceLock> {
    let mut is_reported = false;
    while !stop.is_cancelled() {
        if let Some(lock) = WorkspaceLock::try_acquire(workspace) {
            return Some(lock);
        }
        if !std::mem::replace(&mut is_reported, true) {
            notice("waiting for another run that is changing this workspace");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    None
}

async fn print_run(
    context: &Context,
    journal: &RunJournal,
    dry_run: bool,
    meta: Value,
    unread: usize,
) -> Result<(), Error> {
    let run = journal.run();
    let report = RunReport {
        command: &run.head.command,
        target: run.head.target,
        records: &run.records,
        run: Some(run),
        dry_run,
        meta,
        about: run.head.about.clone(),
        unread,
    };
    report.print(context).await
}

/// Creates the tag of the plan if it did not exist at planning time.
async fn create_missing_tag(client: &Client, plan: &mut BulkPlan) -> Result<(), Error> {
    let missing = plan.records.iter().find_map(|record| match &record.change {
        Change::Tag { tag_id, tag } if tag_id.is_empty() => Some(tag.clone()),
        _ => None,
    });
    let Some(name) = missing else { return Ok(()) };
    let tag = match tags::find(client, &TagRef::Name(name.clone())).await? {
        Some(tag) => tag,
        None => tags::create(client, &name).await?,
    };
    for record in &mut plan.records {
        if let Change::Tag { tag_id, .. } = &mut record.change {
            tag_id.clone_from(&tag.id);
        }
    }
    if let Some(about) = plan.about.as_object_mut() {
        about.insert("tag_id".to_owned(), json!(tag.id));
    }
    Ok(())
}

/// Asks for consent to large or irreversible changes.
fn agree(context: &Context, plan: &BulkPlan, due: usize) -> Result<(), Error> {
    let (target, verb) = (plan.target, plan.verb());
    let records = if due == 1 { target.singular() } else { target.as_str() };
    let archives =
        plan.records.iter().any(|record| matches!(record.change, Change::Archive) && record.is_due());
    // Archiving many hides people whom nobody has looked at one by one.
    let confirm = if archives && due > 1 { Confirm::Explicit } else { Confirm::Never };
    let consequence = format!("`bulk undo` reverts what can be undone, one {} at a time.", target.singular());
    let intent = Intent::new(format!("{verb} {due} {records}"), confirm).with_records(due);
    context.confirm(&intent.undoable().with_consequence(consequence))
}
