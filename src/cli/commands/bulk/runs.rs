//! `bulk runs` and `bulk undo`: what was changed, and taking it back.

use clap::{Arg, ArgMatches, Command};
use serde_json::{Value, json};

use super::running::{self, Plan};
use crate::bulk::journal::{self, Run};
use crate::bulk::undo;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Extent, Format, Output};

pub fn command() -> Command {
    Command::new("bulk")
        .about("Runs that changed many records: list them, take them back")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("runs")
                .about("The runs on this machine, the newest first")
                .after_help("Example: intercom-pp-cli bulk runs"),
        )
        .subcommand(
            Command::new("undo")
                .about("Take a run back, where the records are still as it left them")
                .arg(
                    Arg::new("run")
                        .value_name("RUN")
                        .required_unless_present_any(["resume", "plan"])
                        .help("The run, as `bulk runs` names it"),
                )
                .args(running::arguments())
                .after_help(
                    "Tags, assignments, states, fields of contacts and archiving can be taken back; notes cannot, and are \
                     listed. A record that was changed again since is listed as well and left alone. Like any run it \
                     is only shown without --apply, has a journal, and can be taken back itself.",
                ),
        )
}

pub async fn run_list(context: &Context) -> Result<(), Error> {
    let runs = journal::runs()?;
    let rows: Vec<Value> = runs.iter().map(|run| told(run, &runs)).collect();
    let extent = Extent::whole("runs").or("no runs on this machine");
    let (output, meta) = (Output::open(&context.globals)?, json!({ "source": "local" }));
    if Format::of(&context.globals) != Format::Table || context.globals.select.is_some() {
        return output.table(meta, &rows, &extent).await;
    }
    // What somebody needs to choose a run; the rest would make it unreadable.
    let columns = ["id", "command", "records", "state", "started_at"].map(str::to_owned);
    let mut list = output.wrapped().rows("runs", &columns)?;
    for mut row in rows {
        row["records"] = json!(format!("{} of {}", row["done"], row["records"]));
        list.record(&row)?;
    }
    list.end(meta, &extent).await
}

fn told(run: &Run, runs: &[Run]) -> Value {
    let undoes = |other: &&Run| other.head.undoes.as_ref() == Some(&run.head.run) && other.counts().done > 0;
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
    let (client, me) = running::begin(context, matches, COMMAND).await?;
    if let Some(result) = running::resumed(context, &client, &me, matches, COMMAND, run.is_some()).await {
        return result;
    }
    if let Some(plan) = running::from_file(&client, &me, matches, COMMAND).await? {
        return running::carry_out(context, &client, &me, matches, plan).await;
    }
    let Some(run) = run else { return Err(Error::usage("which run? `bulk runs` lists them")) };
    if run.head.workspace != me.workspace {
        let (found, given) = (run.head.workspace, me.workspace);
        return Err(crate::bulk::Error::OtherWorkspace { found, given }.into());
    }
    let plan = Plan {
        command: COMMAND.to_owned(),
        target: run.head.target,
        workspace: me.workspace.clone(),
        undoes: Some(run.head.run.clone()),
        selection: None,
        about: json!({ "undoes": run.head.run }),
        records: undo::plan(&client, &run, running::concurrency(matches)).await?,
        meta: Value::Null,
        unread: 0,
    };
    running::carry_out(context, &client, &me, matches, plan).await
}
