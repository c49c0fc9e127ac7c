//! `articles pull`: writes the help center into a folder of Markdown files.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::{Outcomes, folder, folder_argument, selection, selection_arguments};
use crate::articles::pull::{PullOptions, pull};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::preview;

pub fn command() -> Command {
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new("pull")
        .about("Write articles and their translations as Markdown files; local edits are kept and merged")
        .arg(folder_argument("to", "Folder to write to"))
        .args(selection_arguments())
        .arg(flag("tree").help("Write collections as folders; later pulls keep this layout"))
        .arg(flag("flat").conflicts_with("tree").help("Write all files into a single folder again"))
        .arg(
            Arg::new("images")
                .long("images")
                .value_name("HOW")
                .value_parser(["link", "download"])
                .default_value("link")
                .help("Link images, or download them into the folder"),
        )
        .arg(flag("prune").help("Remove files of articles that were deleted in the help center"))
        .arg(flag("force").help("Overwrite local edits; copies are saved in .intercom/backup"))
        .after_help(
            "Files are named <id>-<slug>.<locale>.md. Commit manifest.json and .intercom/ to version control: they \
             are needed to send unchanged text back exactly.\n\n\
             Example: intercom-pp-cli articles pull --to help --locale en",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let selection = selection(matches)?;
    if context.globals.consent.dry_run {
        let client = context.client_for_preview()?;
        let operation = crate::api::request_builder::operation("listArticles")?;
        let request = client.first_page_request(operation, &Default::default(), None)?;
        return preview::show(context, &client, &request).await;
    }
    let tree = match (matches.get_flag("tree"), matches.get_flag("flat")) {
        (false, false) => None,
        (tree, _) => Some(tree),
    };
    let options = PullOptions {
        selection,
        tree,
        prune: matches.get_flag("prune"),
        force: matches.get_flag("force"),
        download_images: matches.get_one::<String>("images").is_some_and(|images| images == "download"),
    };
    let folder = folder(matches, "to")?;
    let mut outcomes = Outcomes::default();
    pull(&context.client()?, &folder, &options, &mut |outcome| outcomes.list.push(outcome)).await?;
    outcomes.print(context, json!({ "source": "live", "folder": folder.root() })).await?;
    outcomes.check(
        "fix the errors reported above and pull again; local edits are kept",
        "each conflict is in a .conflict.md next to its file: correct the file and run `articles resolve ID`; \
         use `articles pull --force` to take the help center's text",
    )
}
