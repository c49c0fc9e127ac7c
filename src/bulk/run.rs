//! Starts and summarizes runs, and opens interrupted ones.
//!
//! The whole plan must be in the journal before a change is sent, and a run only continues under its own command and
//! in its own workspace.

use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::change::Change;
use super::error::Error;
use super::journal::{self, BulkRun, RunJournal};
use super::plan::{BulkPlan, Head};
use super::tags;
use super::target::BulkTarget;
use crate::api::client::Client;
use crate::api::identity::Identity;

/// Creates the tag of the plan if necessary, and writes the plan to the journal of a new run.
///
/// # Errors
/// [`Error::NoTeammate`] if the changes need one; API errors; if the journal cannot be written.
pub async fn start(client: &Client, identity: &Identity, mut plan: BulkPlan) -> Result<RunJournal, Error> {
    let admin_id = match (&identity.admin_id, plan.target) {
        (Some(id), _) => id.clone(),
        (None, BulkTarget::Conversations | BulkTarget::Tickets) => return Err(Error::NoTeammate),
        // Requests for these do not name the acting teammate.
        (None, BulkTarget::Contacts | BulkTarget::Companies) => String::new(),
    };
    create_missing_tag(client, &mut plan).await?;
    let head = Head {
        run: journal::new_name(),
        command: plan.command,
        target: plan.target,
        workspace: plan.workspace,
        admin_id,
        started_at: Timestamp::now().as_second(),
        undoes: plan.undoes,
        selection: plan.selection,
        about: plan.about,
    };
    RunJournal::begin(head, plan.records)
}

/// Creates the tag of the plan if it did not exist at planning time.
async fn create_missing_tag(client: &Client, plan: &mut BulkPlan) -> Result<(), Error> {
    let missing = plan.records.iter().find_map(|record| match &record.change {
        Change::Tag { tag_id, tag } if tag_id.is_empty() => Some(tag.clone()),
        _ => None,
    });
    let Some(name) = missing else { return Ok(()) };
    let tag = tags::find_or_create(client, &name).await?;
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

/// Opens a run of this command to resume it.
///
/// # Errors
/// If the run does not exist, is in progress, or belongs to another command or workspace.
pub fn open(name: &str, command: &str, workspace: &str) -> Result<RunJournal, Error> {
    let journal = RunJournal::open(name)?;
    let head = &journal.run().head;
    if head.workspace != workspace {
        return Err(Error::OtherWorkspace { found: head.workspace.clone(), given: workspace.to_owned() });
    }
    if head.command != command {
        return Err(Error::OtherCommand { run: name.to_owned(), command: head.command.clone() });
    }
    Ok(journal)
}

/// Which run to resume if no name is given. `None` matches any run.
#[derive(Debug, Clone, Copy)]
pub struct RunCriteria<'a> {
    pub command: &'a str,
    pub workspace: &'a str,
    pub tag: Option<&'a str>,
    pub tag_id: Option<&'a str>,
    /// The run that it undoes.
    pub undoes: Option<&'a str>,
}

impl RunCriteria<'_> {
    fn is_match(&self, run: &BulkRun) -> bool {
        let head = &run.head;
        let has = |name: &str, expected: Option<&str>| {
            expected.is_none_or(|expected| head.about[name] == expected.trim())
        };
        head.command == self.command
            && head.workspace == self.workspace
            && has("tag", self.tag)
            && has("tag_id", self.tag_id)
            && self.undoes.is_none_or(|undone| head.undoes.as_deref() == Some(undone))
    }
}

/// The name of the latest matching run with pending records.
///
/// # Errors
/// If the home directory is unknown.
pub fn find_resumable(criteria: &RunCriteria) -> Result<Option<String>, Error> {
    let runs = journal::runs()?;
    let mut matches = runs.iter().filter(|run| criteria.is_match(run));
    Ok(matches.find(|run| run.due().next().is_some()).map(|run| run.head.run.clone()))
}

/// A run in the list of runs.
#[derive(Debug, Serialize)]
pub struct RunSummary<'a> {
    pub id: &'a str,
    pub command: &'a str,
    pub records: usize,
    pub done: usize,
    started_at: i64,
    pub state: &'static str,
    pub undone_by: Option<&'a str>,
    undoes: Option<&'a str>,
    failed: usize,
    skipped: usize,
    open: usize,
    workspace: &'a str,
    journal: &'a Path,
}

impl<'a> RunSummary<'a> {
    /// Summarizes a run; `all` are the runs that may have undone it.
    pub fn new(run: &'a BulkRun, all: &'a [BulkRun]) -> Self {
        let undoes =
            |other: &&BulkRun| other.head.undoes.as_ref() == Some(&run.head.run) && other.counts().done > 0;
        let undone_by = all.iter().find(undoes).map(|other| other.head.run.as_str());
        let counts = run.counts();
        RunSummary {
            id: &run.head.run,
            command: &run.head.command,
            records: counts.records,
            done: counts.done,
            started_at: run.head.started_at,
            state: match (undone_by, run.finished) {
                (Some(_), _) => "undone",
                (None, true) => "finished",
                (None, false) => "interrupted",
            },
            undone_by,
            undoes: run.head.undoes.as_deref(),
            failed: counts.failed,
            skipped: counts.skipped,
            open: counts.open,
            workspace: &run.head.workspace,
            journal: &run.path,
        }
    }
}
