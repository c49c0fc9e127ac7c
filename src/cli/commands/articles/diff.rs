//! `articles diff`: what a push would change, block by block.

use clap::{ArgMatches, Command};
use serde_json::json;

use super::{Account, folder, folder_argument, only, only_arguments};
use crate::articles::outcome::Status;
use crate::articles::push::{Options, push};
use crate::cli::context::Context;
use crate::cli::error::Error;

pub fn command() -> Command {
    Command::new("diff")
        .about("Show what a push would change, block by block, and send nothing")
        .arg(folder_argument("from", "The folder that `articles pull` wrote"))
        .args(only_arguments())
        .after_help(
            "Example: intercom-pp-cli articles pull --to help; intercom-pp-cli articles diff --from help",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let options = Options { only: only(matches)?, plan_only: true, ..Options::default() };
    let folder = folder(matches, "from");
    let mut account = Account::default();
    push(&context.client()?, &folder, &options, &mut |outcome| {
        if outcome.status != Status::Unchanged {
            account.outcomes.push(outcome);
        }
    })
    .await?;
    account.show(context, json!({ "source": "live", "folder": folder.root() })).await?;
    account.found()
}
