//! `articles resolve`: marks conflicts as resolved in favour of the local file.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::{Outcomes, folder, folder_argument, values};
use crate::articles::resolve::resolve;
use crate::articles::selection::ArticleSelection;
use crate::cli::context::Context;
use crate::cli::error::Error;

pub fn command() -> Command {
    Command::new("resolve")
        .about("Mark conflicts as resolved in favour of the local files, which the next push sends")
        .arg(folder_argument("from", "Folder written by `articles pull`"))
        .arg(
            Arg::new("article")
                .value_name("ID|GLOB")
                .required(true)
                .action(ArgAction::Append)
                .num_args(1..)
                .help("Articles: ids, or patterns for file names or paths (for example '*refund*')"),
        )
        .after_help(
            "The .conflict.md next to a file shows both sides of a conflict. Correct the file, resolve it, and commit \
             the folder; then a push from any clone, for example in a CI job, sends the file. This command sends \
             nothing. A change that a colleague makes after the .conflict.md was written is a new conflict.\n\n\
             Example: intercom-pp-cli articles pull --to help; intercom-pp-cli articles status --from help",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let selection = ArticleSelection { articles: values(matches, "article"), locales: Vec::new() };
    let folder = folder(matches, "from")?;
    let mut outcomes = Outcomes::default();
    resolve(&context.client()?, &folder, &selection, &mut |outcome| outcomes.list.push(outcome)).await?;
    outcomes.print(context, json!({ "source": "live", "folder": folder.root() })).await?;
    outcomes
        .check("fix the errors reported above and try again", "pull, correct the file, and resolve it again")
}
