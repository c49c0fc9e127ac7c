//! `articles diff` and `articles status`: how the folder differs from the help center. Neither sends a change.

use clap::Args;
use serde_json::json;

use super::{FolderFlag, Outcomes, SelectionFlags};
use crate::articles::sync::folder::Folder;
use crate::articles::sync::outcome::ArticleStatus;
use crate::articles::sync::push::{PushOptions, push};
use crate::articles::sync::status::status;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::registry::{Effect, HandwrittenCommand};

#[derive(Args)]
#[group(skip)]
struct ComparisonFlags {
    #[command(flatten)]
    folder: FolderFlag,
    #[command(flatten)]
    selection: SelectionFlags,
    /// Exit with 6 if anything differs, is in conflict or failed
    #[arg(long)]
    exit_code: bool,
}

/// Show what a push would change, block by block, and send nothing
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Example: intercom-pp-cli articles pull --to help; intercom-pp-cli articles diff --from help"
)]
pub struct DiffArticles {
    #[command(flatten)]
    flags: ComparisonFlags,
}

impl HandwrittenCommand for DiffArticles {
    const WORDS: &'static str = "articles diff";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let ComparisonFlags { folder, selection, exit_code } = self.flags;
        let options =
            PushOptions { selection: selection.selection()?, plan_only: true, ..PushOptions::default() };
        let folder = folder.folder()?;
        let mut outcomes = Outcomes::default();
        push(&context.client()?, &folder, &options, &mut |outcome| {
            if outcome.status != ArticleStatus::Unchanged {
                outcomes.list.push(outcome);
            }
        })
        .await?;
        finish(context, &outcomes, &folder, exit_code).await
    }
}

/// Show which articles are modified, new, missing, changed in the help center, or in conflict
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Example: intercom-pp-cli articles pull --to help; intercom-pp-cli articles status --from help"
)]
pub struct ShowArticleStatus {
    #[command(flatten)]
    flags: ComparisonFlags,
}

impl HandwrittenCommand for ShowArticleStatus {
    const WORDS: &'static str = "articles status";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let ComparisonFlags { folder, selection, exit_code } = self.flags;
        let selection = selection.selection()?;
        let folder = folder.folder()?;
        let mut outcomes = Outcomes::default();
        status(&context.client()?, &folder, &selection, &mut |outcome| outcomes.list.push(outcome)).await?;
        finish(context, &outcomes, &folder, exit_code).await
    }
}

/// Prints the differences. With `--exit-code`, any of them is an error.
async fn finish(
    context: &Context,
    outcomes: &Outcomes,
    folder: &Folder,
    exit_code: bool,
) -> Result<(), Error> {
    outcomes.print(context, json!({ "source": "live", "folder": folder.root() })).await?;
    if exit_code { outcomes.check_unchanged() } else { outcomes.check_found() }
}
