//! `articles push`: what was edited in a folder back to the help center.

use std::io::IsTerminal;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::articles::folder::Folder;
use crate::articles::push::{Options, push};
use crate::cli::context::Context;
use crate::cli::endpoint::confirm;
use crate::cli::error::Error;

pub fn command() -> Command {
    Command::new("push")
        .about("Send what was edited: only changed blocks change, and a colleague's edits are merged")
        .arg(super::folder_argument("from", "The folder to read"))
        .args(super::selection_arguments())
        .arg(
            Arg::new("dry-run-only")
                .long("dry-run-only")
                .action(ArgAction::SetTrue)
                .help("Show the plan and write nothing, like --dry-run"),
        )
        .arg(
            Arg::new("force")
                .long("force")
                .value_name("ID")
                .action(ArgAction::Append)
                .help("Of this article, ours wins where both sides changed; may be repeated"),
        )
        .arg(
            Arg::new("delete")
                .long("delete")
                .action(ArgAction::SetTrue)
                .help("Delete the articles whose files are gone (asks; --yes off a terminal)"),
        )
        .arg(
            Arg::new("author")
                .long("author")
                .value_name("ID")
                .value_parser(clap::value_parser!(i64))
                .help("Author of new articles [default: whoever the token belongs to]"),
        )
        .after_help(
            "A new file (front matter with a title, no id) becomes an article; it is a draft unless its state says \
             published. Exit code 6: some articles failed or are in conflict; 5: all failed.\n\n\
             Example: intercom-pp-cli articles pull --to help && intercom-pp-cli articles push --from help --dry-run",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let client = context.client()?;
    let path = super::folder(matches);
    if !path.is_dir() {
        return Err(Error::usage_with_hint(
            format!("{} is no folder", path.display()),
            "write one with `intercom-pp-cli articles pull --to DIR`",
        ));
    }
    let folder = Folder::open(&path)?;
    let all = |name: &str| matches.get_many::<String>(name).into_iter().flatten().cloned().collect();
    let plan = Options {
        selection: super::selection(matches),
        force: all("force"),
        delete: matches.get_flag("delete"),
        author: matches.get_one::<i64>("author").copied(),
        plan_only: true,
    };
    let plan_only = context.globals.dry_run || matches.get_flag("dry-run-only");
    let asks = std::io::stdin().is_terminal() && !context.globals.yes && !context.globals.no_input;
    if plan_only || asks || plan.delete {
        let planned = push(&client, &folder, &plan).await?;
        if plan_only {
            super::show(context, &planned, true).await?;
            return super::verdict(&planned);
        }
        let deletes = planned.iter().filter(|outcome| outcome.status == "would delete").count();
        let writes = planned.iter().filter(|outcome| outcome.status.starts_with("would")).count();
        if deletes > 0 || (asks && writes > 0) {
            if asks {
                super::show(context, &planned, true).await?;
            }
            confirm(context, &format!("articles push: {writes} files to send, {deletes} of them to delete"))?;
        }
    }
    let outcomes = push(&client, &folder, &Options { plan_only: false, ..plan }).await?;
    super::show(context, &outcomes, false).await?;
    super::verdict(&outcomes)
}
