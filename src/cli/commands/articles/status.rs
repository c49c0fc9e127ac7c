//! `articles status`: what changed here, in the help center, or in both.

use clap::{ArgMatches, Command};
use serde_json::json;

use super::{Account, folder, folder_argument, only, only_arguments};
use crate::articles::status::status;
use crate::cli::context::Context;
use crate::cli::error::Error;

pub fn command() -> Command {
    Command::new("status")
        .about("Show which articles are modified, new, missing, changed in the help center, or in conflict")
        .arg(folder_argument("from", "The folder that `articles pull` wrote"))
        .args(only_arguments())
        .after_help(
            "Example: intercom-pp-cli articles pull --to help; intercom-pp-cli articles status --from help",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let only = only(matches)?;
    let folder = folder(matches, "from");
    let mut account = Account::default();
    status(&context.client()?, &folder, &only, &mut |outcome| account.outcomes.push(outcome)).await?;
    account.show(context, json!({ "source": "live", "folder": folder.root() })).await?;
    account.found()
}
