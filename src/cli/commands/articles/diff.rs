//! `articles diff`: what a push would change, block by block.

use clap::{ArgMatches, Command};
use serde_json::json;

use super::{Outcomes, exit_code_argument, folder, folder_argument, selection, selection_arguments};
use crate::articles::outcome::ArticleStatus;
use crate::articles::push::{PushOptions, push};
use crate::cli::context::Context;
use crate::cli::error::Error;

pub fn command() -> Command {
    Command::new("diff")
        .about("Show what a push would change, block by block, and send nothing")
        .arg(folder_argument("from", "Folder written by `articles pull`"))
        .args(selection_arguments())
        .arg(exit_code_argument())
        .after_help(
            "Example: intercom-pp-cli articles pull --to help; intercom-pp-cli articles diff --from help",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let options = PushOptions { selection: selection(matches)?, plan_only: true, ..PushOptions::default() };
    let folder = folder(matches, "from")?;
    let mut outcomes = Outcomes::default();
    push(&context.client()?, &folder, &options, &mut |outcome| {
        if outcome.status != ArticleStatus::Unchanged {
            outcomes.list.push(outcome);
        }
    })
    .await?;
    outcomes.print(context, json!({ "source": "live", "folder": folder.root() })).await?;
    if matches.get_flag("exit-code") { outcomes.check_unchanged() } else { outcomes.check_found() }
}
