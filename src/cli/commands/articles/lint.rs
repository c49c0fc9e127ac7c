//! `articles lint`: mistakes in a folder of articles.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use crate::articles::folder::Folder;
use crate::articles::lint::lint;
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit};
use crate::cli::output::Output;

pub fn command() -> Command {
    Command::new("lint")
        .about("Dead links between articles, missing translations and picture descriptions, skipped heading levels")
        .arg(super::folder_argument("from", "The folder to look at"))
        .args(super::selection_arguments())
        .arg(
            Arg::new("strict").long("strict").action(ArgAction::SetTrue).help("Exit with code 6 when something is found"),
        )
        .after_help("Example: intercom-pp-cli articles pull --to help && intercom-pp-cli articles lint --from help")
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let path = super::folder(matches);
    if !path.is_dir() {
        return Err(Error::usage(format!("{} is no folder", path.display())));
    }
    let findings = lint(&Folder::open(&path)?, &super::selection(matches))?;
    let columns = ["path", "line", "rule", "message"].map(str::to_owned);
    let mut list = Output::open(&context.globals)?.rows("findings", &columns)?;
    for found in &findings {
        list.record(
            &json!({"path": found.path, "line": found.line, "rule": found.rule, "message": found.message}),
        )?;
    }
    list.end(json!({"source": "local", "count": findings.len()})).await?;
    if matches.get_flag("strict") && !findings.is_empty() {
        let message = format!("{} findings", findings.len());
        return Err(Error::Finding { message, exit: Exit::Partial, hint: None });
    }
    Ok(())
}
