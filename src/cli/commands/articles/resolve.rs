//! `articles resolve`: marks conflicts as resolved in favour of the local file.

use clap::Args;
use serde_json::json;

use super::{FolderFlag, Outcomes};
use crate::articles::sync::resolve::resolve;
use crate::articles::sync::selection::ArticleSelection;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::registry::{Effect, HandwrittenCommand};

/// Mark conflicts as resolved in favour of the local files, which the next push sends
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "The .conflict.md next to a file shows both sides of a conflict. Correct the file, resolve it, and commit \
             the folder; then a push from any clone, for example in a CI job, sends the file. This command sends \
             nothing. A change that a colleague makes after the .conflict.md was written is a new conflict.\n\n\
             Example: intercom-pp-cli articles resolve 9200010 --from help"
)]
pub struct ResolveArticles {
    #[command(flatten)]
    folder: FolderFlag,
    /// Articles: ids, or patterns for file names or paths (for example '*refund*')
    #[arg(value_name = "ID|GLOB", required = true, num_args = 1..)]
    article: Vec<String>,
}

impl HandwrittenCommand for ResolveArticles {
    const WORDS: &'static str = "articles resolve";
    const EFFECT: Effect = Effect::Local;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let selection = ArticleSelection { articles: self.article, locales: Vec::new() };
        let folder = self.folder.folder()?;
        let mut outcomes = Outcomes::default();
        resolve(&context.client()?, &folder, &selection, &mut |outcome| outcomes.list.push(outcome)).await?;
        outcomes.print(context, json!({ "source": "live", "folder": folder.root() })).await?;
        outcomes.check(
            "fix the errors reported above and try again",
            "pull, correct the file, and resolve it again",
        )
    }
}
