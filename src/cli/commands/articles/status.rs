//! `articles status` and `articles diff`: what a push and a pull would do.

use clap::{ArgMatches, Command};

use crate::articles::folder::Folder;
use crate::articles::outcome::Outcome;
use crate::articles::{pull, push};
use crate::cli::context::Context;
use crate::cli::error::Error;

pub fn command() -> Command {
    Command::new("status")
        .about("Which files are modified, new, missing, changed on the server, or in conflict")
        .arg(super::folder_argument("from", "The folder to look at"))
        .args(super::selection_arguments())
        .after_help(
            "Example: intercom-pp-cli articles pull --to help && intercom-pp-cli articles status --from help",
        )
}

pub fn diff_command() -> Command {
    Command::new("diff")
        .about("The edits that a push would send, block by block")
        .arg(super::folder_argument("from", "The folder to look at"))
        .args(super::selection_arguments())
        .after_help(
            "Example: intercom-pp-cli articles pull --to help && intercom-pp-cli articles diff --from help",
        )
}

async fn planned(context: &Context, matches: &ArgMatches, with_remote: bool) -> Result<Vec<Outcome>, Error> {
    let client = context.client()?;
    let path = super::folder(matches);
    if !path.is_dir() {
        return Err(Error::usage(format!("{} is no folder", path.display())));
    }
    let folder = Folder::open(&path)?;
    let selection = super::selection(matches);
    let plan = push::Options { selection: selection.clone(), plan_only: true, ..push::Options::default() };
    let mut outcomes = push::push(&client, &folder, &plan).await?;
    for outcome in &mut outcomes {
        outcome.status = match outcome.status {
            "would update" => "modified",
            "would create" => "new",
            status => status,
        };
    }
    if with_remote {
        let options = pull::Options { selection, dry_run: true, ..pull::Options::default() };
        for mut outcome in pull::pull(&client, &folder, &options).await? {
            outcome.status = match outcome.status {
                "new" => "remote new",
                "updated" | "merged" => "remote changed",
                "deleted upstream" => "deleted upstream",
                _ => continue,
            };
            outcomes.push(outcome);
        }
    }
    Ok(outcomes)
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let outcomes = planned(context, matches, true).await?;
    super::show(context, &outcomes, false).await
}

pub async fn run_diff(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let outcomes = planned(context, matches, false).await?;
    super::show(context, &outcomes, true).await
}
