//! `articles lint`: finds what readers would stumble over, without asking the API.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::{Account, folder, folder_argument, only, only_arguments};
use crate::articles::lint::lint;
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit};
use crate::cli::output::Output;

pub fn command() -> Command {
    Command::new("lint")
        .about(
            "Find broken links between articles, missing translations and alternative texts, heading jumps",
        )
        .arg(folder_argument("from", "The folder that `articles pull` wrote"))
        .args(only_arguments())
        .arg(
            Arg::new("strict")
                .long("strict")
                .action(ArgAction::SetTrue)
                .help("Exit with 6 on any finding, not only on broken links and unreadable files"),
        )
        .after_help(
            "Example: intercom-pp-cli articles pull --to help; intercom-pp-cli articles lint --from help",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let folder = folder(matches, "from");
    let (findings, missing) = lint(&folder, &only(matches)?)?;
    let columns = ["path", "line", "rule", "severity", "message"].map(str::to_owned);
    let mut list = Output::open(&context.globals)?.rows("findings", &columns)?;
    for finding in &findings {
        let severity = if finding.rule.is_error() { "error" } else { "warning" };
        list.record(&json!({
            "path": finding.path, "line": finding.line, "rule": finding.rule.as_str(), "severity": severity,
            "message": finding.message,
        }))?;
    }
    let errors = findings.iter().filter(|it| it.rule.is_error()).count();
    let warnings = findings.len() - errors;
    list.end(json!({ "source": "local", "folder": folder.root(), "errors": errors, "warnings": warnings }))
        .await?;
    match errors > 0 || matches.get_flag("strict") && warnings > 0 {
        true => Err(Error::Finding {
            message: format!("{errors} errors and {warnings} warnings"),
            exit: Exit::Partial,
            hint: Some("put right what the findings name, and run it again".to_owned()),
        }),
        false => Account { outcomes: missing }.found(),
    }
}
