//! `bulk runs` and `bulk undo`: lists runs and undoes them.

use clap::Args;
use serde_json::json;

use super::execute::{BulkSession, ResumeOptions, RunFlags};
use crate::bulk::journal::{self, BulkRun};
use crate::bulk::run::RunSummary;
use crate::bulk::{self, BulkPlan, Change, undo};
use crate::cli::context::Context;
use crate::cli::error::{Error, list_runs};
use crate::cli::output::clock::Clock;
use crate::cli::output::grid::{Grid, Shape};
use crate::cli::output::{Extent, Output, grouped};
use crate::cli::registry::{Effect, HandwrittenCommand};

/// List the runs on this machine, newest first
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: intercom-pp-cli bulk runs")]
pub struct ListRuns {}

impl HandwrittenCommand for ListRuns {
    const WORDS: &'static str = "bulk runs";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let runs = journal::runs()?;
        let summaries: Vec<RunSummary> = runs.iter().map(|run| RunSummary::new(run, &runs)).collect();
        let extent = Extent::complete("runs").when_empty("no runs on this machine");
        let (output, meta) = (Output::open(&context.globals.output)?, json!({ "source": "local" }));
        if !context.globals.output.is_for_people() {
            return output.rows(meta, &summaries, &extent).await;
        }
        let text = if runs.is_empty() { String::new() } else { table(context, &runs, &summaries) };
        output.of(extent, runs.len() as u64).text(&text).await
    }
}

/// Enough to choose a run.
fn table(context: &Context, runs: &[BulkRun], summaries: &[RunSummary<'_>]) -> String {
    let flags = &context.globals.output;
    let clock = Clock::of(flags);
    let mut grid = Grid::new(&[
        ("run", Shape::Text),
        ("command", Shape::Flexible(16)),
        ("records", Shape::Number),
        ("when", Shape::Text),
        ("state", Shape::Text),
        ("undone by", Shape::Text),
    ]);
    for (run, summary) in runs.iter().zip(summaries) {
        grid.row([
            run.head.run.clone(),
            words(run),
            records(summary),
            clock.short(run.head.started_at),
            summary.state.to_owned(),
            summary.undone_by.unwrap_or_default().to_owned(),
        ]);
    }
    grid.print(flags, |palette, column, cell| match (column, cell) {
        ("state", "interrupted") => palette.yellow(cell),
        ("state", "undone") | ("undone by", _) => palette.dim(cell),
        _ => cell.to_owned(),
    })
}

/// Number of changed records, and of all if they differ.
fn records(summary: &RunSummary<'_>) -> String {
    let (done, all) = (grouped(summary.done as u64), grouped(summary.records as u64));
    if summary.done == summary.records { done } else { format!("{done} of {all}") }
}

/// The command of a run in words, for example `tag conversations "outage"`.
fn words(run: &BulkRun) -> String {
    let target = run.head.target.as_str();
    if let Some(undone) = &run.head.undoes {
        return format!("undo {undone}");
    }
    match run.records.first().map(|record| &record.change) {
        Some(Change::Tag { tag, .. }) => format!("tag {target} \"{tag}\""),
        Some(Change::Untag { tag, .. }) => format!("untag {target} \"{tag}\""),
        Some(Change::Assign { .. }) => format!("assign {target}"),
        Some(Change::Close) => format!("close {target}"),
        Some(Change::Snooze { .. }) => format!("snooze {target}"),
        Some(Change::Note { .. }) => format!("add a note to {target}"),
        Some(Change::Archive) => format!("archive {target}"),
        Some(Change::Merge { .. }) => format!("merge {target}"),
        _ => run.head.command.clone(),
    }
}

/// Undo a run for records that have not changed since
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Tags, assignments, states, contact fields and archiving can be undone; notes cannot. Records that \
                  cannot be undone, or have changed since, are listed and skipped. An undo is a run too: it changes \
                  nothing without --apply, keeps a journal, and can be undone.\n\n\
                  Example: intercom-pp-cli bulk undo 20260524T091500-1"
)]
pub struct UndoRun {
    /// Name of the run, from `bulk runs`
    #[arg(value_name = "RUN", required_unless_present_any = ["resume", "plan"])]
    run: Option<String>,
    #[command(flatten)]
    flags: RunFlags,
}

impl HandwrittenCommand for UndoRun {
    const WORDS: &'static str = "bulk undo";
    const EFFECT: Effect = Effect::Destructive;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let run = self.run.as_deref().map(journal::read).transpose()?;
        let session = BulkSession::connect(context, &self.flags, Self::WORDS).await?;
        let options = ResumeOptions {
            has_selection: run.is_some(),
            undoes: self.run.as_deref(),
            ..ResumeOptions::default()
        };
        session.run(options, plan(&session, run)).await
    }
}

async fn plan(session: &BulkSession<'_>, run: Option<BulkRun>) -> Result<BulkPlan, Error> {
    let Some(run) = run else {
        return Err(Error::usage_with_hint("no run given", list_runs()));
    };
    let workspace = &session.identity.workspace;
    if run.head.workspace != *workspace {
        let (found, given) = (run.head.workspace, workspace.clone());
        return Err(bulk::Error::OtherWorkspace { found, given }.into());
    }
    let records = undo::plan(&session.client, &run, session.concurrency()).await?;
    let about = json!({ "undoes": run.head.run });
    let plan = BulkPlan::new(UndoRun::WORDS, run.head.target, workspace, records);
    Ok(BulkPlan { undoes: Some(run.head.run), about, ..plan })
}
