//! Carries out a plan, the same way for every command: preview, save, confirm, send, report.
//!
//! No change may be sent before the user has agreed to the plan and the whole plan is on disk.

use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::report;
use super::tag_flags::TagChoice;
use crate::api::client::Client;
use crate::api::identity::{Identity, identity};
use crate::bulk::planner::Planner;
use crate::bulk::report::RunReport;
use crate::bulk::run::{self, RunCriteria};
use crate::bulk::workspace_lock::WorkspaceLock;
use crate::bulk::{Applier, ApplyProgress, BulkPlan, BulkTarget, Change, RunJournal, journal};
use crate::cli::consent::{Confirm, Consent, Intent};
use crate::cli::context::Context;
use crate::cli::error::{Error, Hint, list_runs};
use crate::cli::files::{InputFile, OutputFile};
use crate::cli::output::progress::{Meter, Work};
use crate::cli::output::{OutputFlags, notice, to_json_text};
use crate::cli::signals::stop_on_signals;
use crate::cli::streams;

/// Printed when the user stops a run.
pub const ON_STOP: &str = "finishing the requests in progress; resume with --resume";

/// Flags of every command that changes many records.
#[derive(Debug, Args)]
#[group(skip)]
pub struct RunFlags {
    /// Make the changes; without it, only show them
    #[arg(long)]
    apply: bool,
    /// Change at most N records
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Records to process in parallel, never above the rate limit
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), default_value = "32")]
    concurrency: u16,
    /// Save the plan to a file, for use with --plan
    #[arg(long, value_name = "FILE")]
    save_plan: Option<OutputFile>,
    /// Use the plan in this file; its records are read again before they are changed
    #[arg(long, value_name = "FILE")]
    plan: Option<InputFile>,
    /// Resume a run that was interrupted or partly failed, with its own records [default: the latest run of this
    /// command]
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "")]
    resume: Option<String>,
}

/// Arguments that decide which run `--resume` means.
#[derive(Debug, Default, Clone, Copy)]
pub struct ResumeOptions<'a> {
    /// Whether records are selected, so that a new run can be planned.
    pub has_selection: bool,
    /// Ids given as positional arguments.
    pub ids: &'a [String],
    /// If no run is named, only those with this tag are meant.
    pub tag: Option<&'a TagChoice>,
    /// If no run is named, only one that undoes this run is meant.
    pub undoes: Option<&'a str>,
}

/// Refuses the name of a run where a record's id is expected.
///
/// # Errors
/// A usage error that names the flag to use.
pub fn refuse_run_names(ids: &[String]) -> Result<(), Error> {
    match ids.iter().find(|id| journal::is_name(id)) {
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

/// Refuses ids next to `--resume`: the run has its own records.
fn refuse_ids_with_resume(ids: &[String], run: &str) -> Result<(), Error> {
    match ids.first() {
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

/// A bulk command that is connected to its workspace.
pub struct BulkSession<'a> {
    pub context: &'a Context,
    pub client: Client,
    pub identity: Identity,
    flags: &'a RunFlags,
    /// The words of the command.
    command: &'static str,
}

impl<'a> BulkSession<'a> {
    /// Connects and identifies the token's owner. Refuses changes in read-only mode before any request.
    ///
    /// # Errors
    /// [`Error::ReadOnly`]; API errors.
    pub async fn connect(
        context: &'a Context,
        flags: &'a RunFlags,
        command: &'static str,
    ) -> Result<Self, Error> {
        let sends_changes = flags.apply || flags.resume.is_some();
        if sends_changes && !context.globals.consent.dry_run {
            context.refuse_in_read_only_mode(command)?;
        }
        let client = context.client()?;
        let identity = identity(&client).await?;
        Ok(BulkSession { context, client, identity, flags, command })
    }

    pub fn planner(&self, target: BulkTarget) -> Planner<'_> {
        let (client, identity, concurrency) = (&self.client, &self.identity, self.concurrency());
        Planner { client, identity, target, concurrency }
    }

    pub fn concurrency(&self) -> usize {
        usize::from(self.flags.concurrency)
    }

    /// Resumes a run, or carries out the plan of a file or `new_plan`.
    ///
    /// # Errors
    /// A usage error if the plan was not confirmed; those of planning, sending and [`report::print`].
    pub async fn run(
        &self,
        options: ResumeOptions<'_>,
        new_plan: impl Future<Output = Result<BulkPlan, Error>>,
    ) -> Result<(), Error> {
        if let Some(name) = self.run_to_resume(options)? {
            return self.resume(&name).await;
        }
        let plan = match self.saved_plan().await? {
            Some(plan) => plan,
            None => new_plan.await?,
        };
        self.carry_out(plan).await
    }

    /// The run to resume; `None` without `--resume`, or if no run is left to resume and a new one can be planned.
    fn run_to_resume(&self, options: ResumeOptions) -> Result<Option<String>, Error> {
        let name = match self.flags.resume.as_deref() {
            None => return Ok(None),
            Some("") => {
                let criteria = RunCriteria {
                    command: self.command,
                    workspace: &self.identity.workspace,
                    tag: options.tag.and_then(|choice| choice.tag.as_deref()),
                    tag_id: options.tag.and_then(|choice| choice.tag_id.as_deref()),
                    undoes: options.undoes,
                };
                match run::find_resumable(&criteria)? {
                    Some(name) => name,
                    None if options.has_selection => {
                        notice("no interrupted run of this command found: starting a new one");
                        return Ok(None);
                    }
                    None => {
                        let message = "no interrupted run of this command found";
                        return Err(Error::usage_with_hint(message, list_runs()));
                    }
                }
            }
            Some(name) => name.to_owned(),
        };
        refuse_ids_with_resume(options.ids, &name)?;
        if options.has_selection {
            notice(&format!(
                "resuming run {name} with its own records; the records selected on the command line are ignored"
            ));
        }
        Ok(Some(name))
    }

    async fn resume(&self, name: &str) -> Result<(), Error> {
        let mut journal = run::open(name, self.command, &self.identity.workspace)?;
        let dry_run = self.context.globals.consent.dry_run;
        if !dry_run {
            // A user at the terminal agreed when the run began.
            if self.context.globals.consent.given == Consent::Withheld {
                let due = journal.run().due().count();
                let intent = Intent::new(format!("Resume run {name}"), Confirm::Never);
                self.context.confirm(&intent.with_records(due))?;
            }
            self.send(&mut journal).await?;
        }
        let report = RunReport::of_run(journal.run(), dry_run);
        report::print(self.context, &report, json!({ "resumed": true }), 0).await
    }

    /// The plan of `--plan`, or the plan that an agent confirmed, with the current state of its records.
    async fn saved_plan(&self) -> Result<Option<BulkPlan>, Error> {
        let capture = streams::current();
        let agreed = capture.as_ref().and_then(|capture| capture.plan());
        let (name, content) = match (agreed, &self.flags.plan) {
            (Some(plan), _) => ("the plan", plan.to_owned()),
            (None, Some(file)) => (file.name(), file.text()?),
            (None, None) => return Ok(None),
        };
        let mut plan = BulkPlan::parse(&content, name, self.command, &self.identity.workspace)?;
        self.planner(plan.target).refresh(&mut plan, agreed.is_some()).await?;
        Ok(Some(plan))
    }

    /// Previews a plan, or carries it out with `--apply`.
    async fn carry_out(&self, mut plan: BulkPlan) -> Result<(), Error> {
        if let Some(limit) = self.flags.limit {
            plan.apply_limit(limit);
        }
        if let Some(capture) = streams::current() {
            capture.keep_plan(to_json_text(&plan)?);
        }
        if let Some(file) = &self.flags.save_plan {
            let document = serde_json::to_vec_pretty(&plan).map_err(std::io::Error::other)?;
            file.write_private(&document)?;
        }
        let apply = self.flags.apply && !self.context.globals.consent.dry_run;
        let (meta, unread) = (plan.meta.clone(), plan.unread);
        if !apply || plan.due() == 0 {
            return report::print(self.context, &RunReport::of_plan(&plan, !apply), meta, unread).await;
        }
        self.agree(&plan)?;
        let mut journal = run::start(&self.client, &self.identity, plan).await?;
        self.send(&mut journal).await?;
        report::print(self.context, &RunReport::of_run(journal.run(), false), meta, unread).await
    }

    async fn send(&self, journal: &mut RunJournal) -> Result<(), Error> {
        send(&self.context.globals.output, &self.client, journal, self.concurrency(), ON_STOP).await
    }

    /// Asks for consent to large or irreversible changes.
    fn agree(&self, plan: &BulkPlan) -> Result<(), Error> {
        let (target, verb, due) = (plan.target, plan.verb(), plan.due());
        let records = if due == 1 { target.singular() } else { target.as_str() };
        let archives =
            plan.records.iter().any(|record| matches!(record.change, Change::Archive) && record.is_due());
        // Archiving many hides people whom nobody has looked at one by one.
        let confirm = if archives && due > 1 { Confirm::Explicit } else { Confirm::Never };
        let consequence =
            format!("`bulk undo` reverts what can be undone, one {} at a time.", target.singular());
        let intent = Intent::new(format!("{verb} {due} {records}"), confirm).with_records(due);
        self.context.confirm(&intent.undoable().with_consequence(consequence))
    }
}

/// Sends the pending changes of a run, once no other run on this machine changes the workspace. `on_stop` is printed when
/// the user stops it.
///
/// # Errors
/// When the journal cannot be written.
pub async fn send(
    flags: &OutputFlags,
    client: &Client,
    journal: &mut RunJournal,
    concurrency: usize,
    on_stop: &'static str,
) -> Result<(), Error> {
    let stop = CancellationToken::default();
    stop_on_signals(stop.clone(), on_stop);
    let _lock = wait_for_lock(&journal.run().head.workspace, &stop).await;
    let applier = Applier::new(client, stop, concurrency);
    let target = journal.run().head.target;
    let mut meter =
        Meter::new(flags, Work { event: "bulk_progress", doing: "changing", noun: target.as_str() });
    let mut observer = |progress: ApplyProgress| {
        meter.show(progress.done as u64, progress.failed as u64, Some(progress.total as u64));
    };
    Ok(applier.apply(journal, &mut observer).await?)
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
