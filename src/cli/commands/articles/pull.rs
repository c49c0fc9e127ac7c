//! `articles pull`: the help center into a folder.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::articles::folder::Folder;
use crate::articles::pull::{Options, pull};
use crate::cli::context::Context;
use crate::cli::error::Error;

pub fn command() -> Command {
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    Command::new("pull")
        .about("Write every article as Markdown, one file per language; edited files are merged, never overwritten")
        .arg(super::folder_argument("to", "The folder to write to"))
        .args(super::selection_arguments())
        .arg(switch("tree", "Collections become folders"))
        .arg(switch("prune", "Remove the files of articles that are gone from the server"))
        .arg(switch("force", "Overwrite edited files, after keeping a copy in .intercom/backup"))
        .after_help(
            "Only files that change are listed. Exit code 6: some files are in conflict, see the .conflict.md beside them.\n\n\
             Example: intercom-pp-cli articles pull --to help --tree",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let client = context.client()?;
    let folder = Folder::open(&super::folder(matches))?;
    let options = Options {
        selection: super::selection(matches),
        tree: matches.get_flag("tree"),
        prune: matches.get_flag("prune"),
        force: matches.get_flag("force"),
        dry_run: context.globals.dry_run,
    };
    let outcomes = pull(&client, &folder, &options).await?;
    super::show(context, &outcomes, false).await?;
    super::verdict(&outcomes)
}
