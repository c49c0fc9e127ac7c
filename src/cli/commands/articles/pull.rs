//! `articles pull`: writes the help center into a folder of Markdown files.

use clap::{Args, ValueEnum};
use serde_json::json;

use super::{Outcomes, SelectionFlags};
use crate::api::request_builder::operation;
use crate::articles::sync::folder::Folder;
use crate::articles::sync::pull::{PullOptions, pull};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::{files, preview};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Images {
    Link,
    Download,
}

/// Write articles and their translations as Markdown files; local edits are kept and merged
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Files are named <id>-<slug>.<locale>.md. Commit manifest.json and .intercom/ to version control: they \
             are needed to send unchanged text back exactly.\n\n\
             Example: intercom-pp-cli articles pull --to help --locale en"
)]
pub struct PullArticles {
    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = "articles")]
    to: files::Folder,
    #[command(flatten)]
    selection: SelectionFlags,
    /// Write collections as folders; later pulls keep this layout
    #[arg(long)]
    tree: bool,
    /// Write all files into a single folder again
    #[arg(long, conflicts_with = "tree")]
    flat: bool,
    /// Link images, or download them into the folder
    #[arg(long, value_name = "HOW", default_value = "link")]
    images: Images,
    /// Remove files of articles that were deleted in the help center
    #[arg(long)]
    prune: bool,
    /// Overwrite local edits; copies are saved in .intercom/backup
    #[arg(long)]
    force: bool,
}

impl HandwrittenCommand for PullArticles {
    const WORDS: &'static str = "articles pull";
    const EFFECT: Effect = Effect::Local;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let selection = self.selection.selection()?;
        if context.globals.consent.dry_run {
            let client = context.client_for_preview()?;
            let request = client.first_page_request(operation("listArticles")?, &Default::default(), None)?;
            return preview::show(context, &client, &request).await;
        }
        let options = PullOptions {
            selection,
            tree: (self.tree || self.flat).then_some(self.tree),
            prune: self.prune,
            force: self.force,
            download_images: self.images == Images::Download,
        };
        let folder = Folder::new(self.to.path()?);
        let mut outcomes = Outcomes::default();
        let mut meter = super::meter(context, "pulling");
        let collect = &mut |outcome| {
            outcomes.list.push(outcome);
            meter.show(outcomes.list.len() as u64, 0, None);
        };
        pull(&context.client()?, &folder, &options, collect).await?;
        drop(meter);
        outcomes.print(context, json!({ "source": "live", "folder": folder.root() })).await?;
        outcomes.check(
            "fix the errors reported above and pull again; local edits are kept",
            "each conflict is in a .conflict.md next to its file: correct the file and run `articles resolve ID`; \
             use `articles pull --force` to take the help center's text",
        )
    }
}
