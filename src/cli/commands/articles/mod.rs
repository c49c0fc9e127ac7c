//! `articles pull|push|diff|status|lint`: the help center as files.

pub mod lint;
pub mod pull;
pub mod push;
pub mod status;

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use crate::articles::outcome::{Outcome, Selection};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit};
use crate::cli::output::{Format, Output, tell};

pub fn commands() -> Vec<Command> {
    vec![pull::command(), push::command(), status::diff_command(), status::command(), lint::command()]
}

fn folder_argument(name: &'static str, help: &'static str) -> Arg {
    Arg::new("folder").long(name).value_name("DIR").default_value("articles").help(help)
}

fn selection_arguments() -> [Arg; 2] {
    [
        Arg::new("only")
            .long("only")
            .value_name("ID|GLOB")
            .action(ArgAction::Append)
            .help("Only this article, or files whose path fits; may be repeated"),
        Arg::new("locale")
            .long("locale")
            .value_name("LOCALE")
            .action(ArgAction::Append)
            .help("Only this language; may be repeated"),
    ]
}

fn folder(matches: &ArgMatches) -> PathBuf {
    matches.get_one::<String>("folder").map(PathBuf::from).unwrap_or_default()
}

fn selection(matches: &ArgMatches) -> Selection {
    let all = |name: &str| matches.get_many::<String>(name).into_iter().flatten().cloned().collect();
    Selection { only: all("only"), locales: all("locale") }
}

/// Writes what became of each file; on a terminal the changed blocks go to stderr.
async fn show(context: &Context, outcomes: &[Outcome], with_diff: bool) -> Result<(), Error> {
    let columns = ["article", "locale", "path", "status", "fields", "error"].map(str::to_owned);
    let table = !matches!(Format::of(&context.globals), Format::Json | Format::Ndjson);
    if with_diff && table {
        for outcome in outcomes.iter().filter(|outcome| !outcome.diff.is_empty()) {
            let name = outcome.path.as_deref().unwrap_or_default();
            tell(&format!("{name} ({})\n{}", outcome.status, outcome.diff.trim_end()));
        }
    }
    let mut list = Output::open(&context.globals)?.rows("articles", &columns)?;
    for outcome in outcomes {
        let mut record = outcome.as_json();
        if table && let Some(fields) = record.as_object_mut() {
            fields.remove("diff");
            fields.insert("fields".into(), json!(outcome.fields.join(" ")));
        }
        list.record(&record)?;
    }
    let count = |status: &str| outcomes.iter().filter(|outcome| outcome.status == status).count();
    list.end(json!({
        "source": "live", "count": outcomes.len(), "failed": count("failed"), "conflicts": count("conflict"),
    }))
    .await
}

/// How a run ends whose outcomes are these.
fn verdict(outcomes: &[Outcome]) -> Result<(), Error> {
    let failed = outcomes.iter().filter(|outcome| outcome.is_failure()).count();
    let conflicts = outcomes.iter().filter(|outcome| outcome.is_conflict()).count();
    let done = outcomes.iter().filter(|it| !matches!(it.status, "failed" | "conflict" | "missing")).count();
    if failed + conflicts == 0 {
        return Ok(());
    }
    let first =
        outcomes.iter().filter(|outcome| outcome.is_failure()).find_map(|outcome| outcome.error.clone());
    let message = match (failed, conflicts) {
        (0, conflicts) => format!("{conflicts} files are in conflict with the server"),
        (failed, 0) => format!("{failed} files failed: {}", first.unwrap_or_default()),
        (failed, conflicts) => {
            format!("{failed} files failed, {conflicts} are in conflict: {}", first.unwrap_or_default())
        }
    };
    let exit = if done == 0 && conflicts == 0 { Exit::Failure } else { Exit::Partial };
    let hint = (conflicts > 0).then(|| {
        "the .conflict.md file beside each shows both sides: put what is right into the file, pull or push again, \
         or push --force ID"
            .to_owned()
    });
    Err(Error::Finding { message, exit, hint })
}
