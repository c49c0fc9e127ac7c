//! `bulk runs` and `bulk undo`: what was changed, and taking it back.

use clap::{Arg, ArgMatches, Command};
use serde_json::{Value, json};

use super::running::{self, Plan};
use crate::bulk::journal::{self, Run};
use crate::bulk::{lists, undo};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::Output;

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
    let runs: Vec<Value> = journal::runs()?.iter().map(told).collect();
    let document = serde_json::to_string(&runs).unwrap_or_default();
    Output::open(&context.globals)?.document(json!({ "source": "local" }), &document, None).await
}

fn told(run: &Run) -> Value {
    let counts = run.counts();
    let state = if run.finished { "finished" } else { "interrupted" };
    json!({
        "id": run.head.run, "command": run.head.command, "state": state, "started_at": run.head.started_at,
        "workspace": run.head.workspace, "undoes": run.head.undoes, "records": counts.records, "done": counts.done,
        "failed": counts.failed, "skipped": counts.skipped, "open": counts.open, "journal": run.path,
    })
}

pub async fn run_undo(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    const COMMAND: &str = "bulk undo";
    let name = matches.get_one::<String>("run");
    let run = name.map(|name| journal::read(name)).transpose()?;
    let client = context.client()?;
    let me = lists::me(&client).await?;
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
        about: json!({ "undoes": run.head.run }),
        records: undo::plan(&client, &run, running::concurrency(matches)).await?,
        meta: Value::Null,
        unread: 0,
    };
    running::carry_out(context, &client, &me, matches, plan).await
}
