//! `articles pull`: writes the help center into a folder of Markdown files.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::{Account, folder, folder_argument, only, only_arguments};
use crate::articles::pull::{Options, pull};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::preview;

pub fn command() -> Command {
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new("pull")
        .about("Write articles and their translations as Markdown files; local edits are kept and merged")
        .arg(folder_argument("to", "The folder to write to"))
        .args(only_arguments())
        .arg(flag("tree").help("Collections as folders; the folder keeps this"))
        .arg(flag("flat").conflicts_with("tree").help("All files in one folder again"))
        .arg(
            Arg::new("images")
                .long("images")
                .value_name("HOW")
                .value_parser(["link", "download"])
                .default_value("link")
                .help("Leave images where they are, or keep them in the folder too"),
        )
        .arg(flag("prune").help("Remove files of articles that the help center no longer has"))
        .arg(flag("force").help("Overwrite local edits; copies go to .intercom/backup"))
        .after_help(
            "Files are called <id>-<slug>.<locale>.md. manifest.json and .intercom/ hold what exact \
             reconstruction needs and belong into version control.\n\n\
             Example: intercom-pp-cli articles pull --to help --locale en",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let only = only(matches)?;
    if context.globals.dry_run {
        let client = context.client_for_preview()?;
        let operation = crate::api::executor::operation("listArticles")?;
        let request = client.first_page_request(operation, &Default::default(), None)?;
        return preview::show(context, &client, &request).await;
    }
    let tree = match (matches.get_flag("tree"), matches.get_flag("flat")) {
        (false, false) => None,
        (tree, _) => Some(tree),
    };
    let options = Options {
        only,
        tree,
        prune: matches.get_flag("prune"),
        force: matches.get_flag("force"),
        download_images: matches.get_one::<String>("images").is_some_and(|it| it == "download"),
    };
    let folder = folder(matches, "to");
    let mut account = Account::default();
    pull(&context.client()?, &folder, &options, &mut |outcome| account.outcomes.push(outcome)).await?;
    account.show(context, json!({ "source": "live", "folder": folder.root() })).await?;
    account.verdict(
        "see what is said of each; pull again when it is put right: local edits are kept",
        "each conflict is in a .conflict.md beside its file; pull --force takes the help center's text",
    )
}
