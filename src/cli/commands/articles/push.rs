//! `articles push`: sends what changed in the folder to the help center.

use std::io::IsTerminal;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::{Account, folder, folder_argument, only, only_arguments, values};
use crate::articles::outcome::Status;
use crate::articles::push::{Options, push};
use crate::cli::context::Context;
use crate::cli::endpoint::confirm;
use crate::cli::error::Error;
use crate::cli::output::tell;

pub fn command() -> Command {
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new("push")
        .about("Send edited, new and moved files to the help center; merges with what changed there")
        .arg(folder_argument("from", "The folder that `articles pull` wrote"))
        .args(only_arguments())
        .arg(flag("dry-run-only").help("Show the plan and send nothing, like --dry-run"))
        .arg(
            flag("delete")
                .conflicts_with("locale")
                .help("Delete articles whose files are all gone (asks, or needs --yes)"),
        )
        .arg(
            Arg::new("force")
                .long("force")
                .value_name("ID")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .help("Where both sides changed this article, the file is right; may be repeated"),
        )
        .arg(Arg::new("author").long("author").value_name("WHO").help(
            "Author of new articles that name none: id, e-mail address or name [default: the token's]",
        ))
        .after_help(
            "Each article is read before it is written; only edited blocks change. Where a block was changed \
             on both sides nothing of the article is sent and a .conflict.md tells what to decide (exit code 6). \
             A file without id becomes a new article, a draft unless it says `state: published`; front matter with \
             a title makes a file an article. A Markdown file without front matter is told as `skipped`; README.md \
             and hidden files and folders are passed over. A line taken out of the front matter changes nothing; \
             an empty `description:` takes the description away.\n\n\
             What --only, --locale or --force name and does not exist is told as `not_found`: exit code 3, or 6 \
             when there was something else.\n\n\
             Example: intercom-pp-cli articles pull --to help; intercom-pp-cli articles push --from help --dry-run",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let mut options = Options {
        only: only(matches)?,
        plan_only: context.globals.dry_run || matches.get_flag("dry-run-only"),
        force: values(matches, "force"),
        delete: matches.get_flag("delete"),
        author: matches.get_one::<String>("author").cloned(),
    };
    let folder = folder(matches, "from");
    let client = context.client()?;
    let asks = !context.globals.yes && !context.globals.no_input && std::io::stdin().is_terminal();
    if !options.plan_only && !context.globals.yes && (asks || options.delete) {
        options.plan_only = true;
        let mut plan = Account::default();
        push(&client, &folder, &options, &mut |outcome| plan.outcomes.push(outcome)).await?;
        options.plan_only = false;
        let writes = [Status::WouldUpdate, Status::WouldCreate, Status::WouldDelete];
        let writes: usize = writes.into_iter().map(|it| plan.count(it)).sum();
        let deletes = plan.count(Status::WouldDelete);
        if asks && writes > 0 {
            tell(&plan.text());
            confirm(context, &format!("pushing {writes} articles"))?;
        } else if deletes > 0 {
            confirm(context, &format!("deleting {deletes} articles"))?;
        }
    }
    let mut account = Account::default();
    push(&client, &folder, &options, &mut |outcome| account.outcomes.push(outcome)).await?;
    let meta = json!({ "source": "live", "folder": folder.root(), "dry_run": options.plan_only });
    account.show(context, meta).await?;
    let conflict_hint = match (account.has_conflict_files(), options.plan_only) {
        (true, false) => {
            "each conflict is in a .conflict.md beside its file; correct the file, then push with --force ID"
        }
        (true, true) => "each conflict is shown with both sides; correct the file, then push with --force ID",
        (false, _) => "see what is said of each; --force ID goes on in spite of it",
    };
    account.verdict(
        "correct what is said of each and push again: what was sent is not sent twice",
        conflict_hint,
    )
}
