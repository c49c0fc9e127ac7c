//! `articles lint`: finds problems in the files without calling the API.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::{
    Outcomes, allow_empty, allow_empty_argument, folder, folder_argument, selection, selection_arguments,
};
use crate::articles::lint::lint;
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit};
use crate::cli::output::{Extent, Output};

pub fn command() -> Command {
    Command::new("lint")
        .about(
            "Find problems in the files: dead links, local images, unresolved merges, empty texts and unsupported \
             Markdown, which block a push; missing translations, missing alternative texts, heading jumps",
        )
        .arg(folder_argument("from", "Folder written by `articles pull`"))
        .args(selection_arguments())
        .arg(allow_empty_argument())
        .arg(
            Arg::new("strict")
                .long("strict")
                .action(ArgAction::SetTrue)
                .help("Exit with 6 on any finding, not only on those that block a push"),
        )
        .after_help(
            "Example: intercom-pp-cli articles pull --to help; intercom-pp-cli articles lint --from help",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let folder = folder(matches, "from")?;
    let (findings, missing) = lint(&folder, &selection(matches)?, &allow_empty(matches))?;
    let columns = ["path", "line", "rule", "severity", "message"].map(str::to_owned);
    let mut list =
        Output::open(&context.globals.output)?.wrapped().list_with_columns("findings", &columns)?;
    for finding in &findings {
        list.record(&finding.record())?;
    }
    let errors = findings.iter().filter(|finding| finding.blocks_push).count();
    let warnings = findings.len() - errors;
    let meta = json!({ "source": "local", "folder": folder.root(), "errors": errors, "warnings": warnings });
    list.end(meta, &Extent::complete("findings").when_empty("no problems found")).await?;
    if errors == 0 && (warnings == 0 || !matches.get_flag("strict")) {
        return Outcomes { list: missing }.check_found();
    }
    Err(Error::Failed {
        message: format!("{} and {}", counted(errors, "error"), counted(warnings, "warning")),
        exit: Exit::Partial,
        hint: Some("fix the reported problems and run it again".into()),
    })
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
