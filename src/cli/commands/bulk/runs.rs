//! `bulk runs` and `bulk undo`: lists runs and undoes them.

use clap::Args;
use serde_json::json;

use super::execute::{BulkSession, ResumeOptions, RunFlags};
use crate::bulk::journal::{self, BulkRun};
use crate::bulk::run::RunSummary;
use crate::bulk::{self, BulkPlan, undo};
use crate::cli::context::Context;
use crate::cli::error::{Error, list_runs};
use crate::cli::output::{Extent, Format, Output, to_json};
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
        if context.globals.output.format_or_default() != Format::Table
            || context.globals.output.select.is_some()
        {
            return output.rows(meta, &summaries, &extent).await;
        }
        // Enough columns to choose a run; all of them would not fit a terminal.
        let columns = ["id", "command", "records", "state", "started_at"].map(str::to_owned);
        let mut list = output.wrapped().list_with_columns("runs", &columns)?;
        for summary in &summaries {
            let mut row = to_json(summary)?;
            row["records"] = json!(format!("{} of {}", summary.done, summary.records));
            list.record(&row)?;
        }
        list.end(meta, &extent).await
    }
}

/// Undo a run for records that have not changed since
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Tags, assignments, states, contact fields and archiving can be undone; notes cannot. Records that \
                  cannot be undone, or have changed since, are listed and skipped. An undo is a run too: it changes \
                  nothing without --apply, keeps a journal, and can be undone."
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
