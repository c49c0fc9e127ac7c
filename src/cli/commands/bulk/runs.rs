//! `bulk runs` and `bulk undo`: lists runs and undoes them.

use clap::{Arg, ArgMatches, Command};
use serde_json::{Value, json};

use super::execute;
use super::plan::{self, BulkPlan};
use crate::bulk::journal::{self, BulkRun};
use crate::bulk::undo;
use crate::cli::context::Context;
use crate::cli::error::{Error, list_runs};
use crate::cli::output::{Extent, Format, Output};

pub fn command() -> Command {
    Command::new("bulk")
        .about("List and undo runs that changed many records")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("runs")
                .about("List the runs on this machine, newest first")
                .after_help("Example: intercom-pp-cli bulk runs"),
        )
        .subcommand(
            Command::new("undo")
                .about("Undo a run for records that have not changed since")
                .arg(
                    Arg::new("run")
                        .value_name("RUN")
                        .required_unless_present_any(["resume", "plan"])
                        .help("Name of the run, from `bulk runs`"),
                )
                .args(execute::arguments())
                .after_help(
                    "Tags, assignments, states, contact fields and archiving can be undone; notes cannot. Records that \
                     cannot be undone, or have changed since, are listed and skipped. An undo is a run too: it changes \
                     nothing without --apply, keeps a journal, and can be undone.",
                ),
        )
}

pub async fn run_list(context: &Context) -> Result<(), Error> {
    let runs = journal::runs()?;
    let rows: Vec<Value> = runs.iter().map(|run| row(run, &runs)).collect();
    let extent = Extent::complete("runs").when_empty("no runs on this machine");
    let (output, meta) = (Output::open(&context.globals.output)?, json!({ "source": "local" }));
    if context.globals.output.format_or_default() != Format::Table || context.globals.output.select.is_some()
    {
        return output.rows(meta, &rows, &extent).await;
    }
    // Enough columns to choose a run; all of them would not fit a terminal.
    let columns = ["id", "command", "records", "state", "started_at"].map(str::to_owned);
    let mut list = output.wrapped().list_with_columns("runs", &columns)?;
    for mut row in rows {
        row["records"] = json!(format!("{} of {}", row["done"], row["records"]));
        list.record(&row)?;
    }
    list.end(meta, &extent).await
}

fn row(run: &BulkRun, runs: &[BulkRun]) -> Value {
    let undoes =
        |other: &&BulkRun| other.head.undoes.as_ref() == Some(&run.head.run) && other.counts().done > 0;
    let undone_by = runs.iter().find(undoes).map(|other| &other.head.run);
    let counts = run.counts();
    let state = match (undone_by, run.finished) {
        (Some(_), _) => "undone",
        (None, true) => "finished",
        (None, false) => "interrupted",
    };
    json!({
        "id": run.head.run, "command": run.head.command, "records": counts.records, "done": counts.done,
        "started_at": run.head.started_at, "state": state, "undone_by": undone_by, "undoes": run.head.undoes,
        "failed": counts.failed, "skipped": counts.skipped, "open": counts.open, "workspace": run.head.workspace,
        "journal": run.path,
    })
}

pub async fn run_undo(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    const COMMAND: &str = "bulk undo";
    let name = matches.get_one::<String>("run");
    let run = name.map(|name| journal::read(name)).transpose()?;
    let (client, identity) = execute::connect(context, matches, COMMAND).await?;
    if let Some(result) =
        execute::resume_if_requested(context, &client, &identity, matches, COMMAND, run.is_some()).await
    {
        return result;
    }
    if let Some(plan) = plan::from_file(&client, &identity, matches, COMMAND).await? {
        return execute::carry_out(context, &client, &identity, matches, plan).await;
    }
    let Some(run) = run else {
        return Err(Error::usage_with_hint("no run given", list_runs()));
    };
    if run.head.workspace != identity.workspace {
        let (found, given) = (run.head.workspace, identity.workspace);
        return Err(crate::bulk::Error::OtherWorkspace { found, given }.into());
    }
    let plan = BulkPlan {
        command: COMMAND.to_owned(),
        target: run.head.target,
        workspace: identity.workspace.clone(),
        undoes: Some(run.head.run.clone()),
        selection: None,
        about: json!({ "undoes": run.head.run }),
        records: undo::plan(&client, &run, execute::concurrency(matches)).await?,
        meta: Value::Null,
        unread: 0,
    };
    execute::carry_out(context, &client, &identity, matches, plan).await
}
