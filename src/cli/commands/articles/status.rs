//! `articles status`: what changed in the folder, in the help center, or in both.

use clap::{ArgMatches, Command};
use serde_json::json;

use super::{Outcomes, exit_code_argument, folder, folder_argument, selection, selection_arguments};
use crate::articles::status::status;
use crate::cli::context::Context;
use crate::cli::error::Error;

pub fn command() -> Command {
    Command::new("status")
        .about("Show which articles are modified, new, missing, changed in the help center, or in conflict")
        .arg(folder_argument("from", "Folder written by `articles pull`"))
        .args(selection_arguments())
        .arg(exit_code_argument())
        .after_help(
            "Example: intercom-pp-cli articles pull --to help; intercom-pp-cli articles status --from help",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let selection = selection(matches)?;
    let folder = folder(matches, "from")?;
    let mut outcomes = Outcomes::default();
    status(&context.client()?, &folder, &selection, &mut |outcome| outcomes.list.push(outcome)).await?;
    outcomes.print(context, json!({ "source": "live", "folder": folder.root() })).await?;
    if matches.get_flag("exit-code") { outcomes.check_unchanged() } else { outcomes.check_found() }
}
