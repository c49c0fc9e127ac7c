//! `articles lint`: finds problems in the files without calling the API.

use clap::Args;
use serde_json::json;

use super::{AllowEmptyFlag, FolderFlag, Outcomes, SelectionFlags};
use crate::articles::sync::lint::lint;
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit};
use crate::cli::output::{Extent, Output};
use crate::cli::registry::{Effect, HandwrittenCommand};

/// Find problems in the files: dead links, local images, unresolved merges, empty texts and unsupported Markdown,
/// which block a push; missing translations, missing alternative texts, heading jumps
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Example: intercom-pp-cli articles pull --to help; intercom-pp-cli articles lint --from help"
)]
pub struct LintArticles {
    #[command(flatten)]
    folder: FolderFlag,
    #[command(flatten)]
    selection: SelectionFlags,
    #[command(flatten)]
    allow_empty: AllowEmptyFlag,
    /// Exit with 6 on any finding, not only on those that block a push
    #[arg(long)]
    strict: bool,
}

impl HandwrittenCommand for LintArticles {
    const WORDS: &'static str = "articles lint";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let folder = self.folder.folder()?;
        let selection = self.selection.selection()?;
        let (findings, missing) = lint(&folder, &selection, &self.allow_empty.allowed(false))?;
        let columns = ["path", "line", "rule", "severity", "message"].map(str::to_owned);
        let mut list =
            Output::open(&context.globals.output)?.wrapped().list_with_columns("findings", &columns)?;
        for finding in &findings {
            list.record(&finding.record())?;
        }
        let errors = findings.iter().filter(|finding| finding.blocks_push).count();
        let warnings = findings.len() - errors;
        let meta =
            json!({ "source": "local", "folder": folder.root(), "errors": errors, "warnings": warnings });
        list.end(meta, &Extent::complete("findings").when_empty("no problems found")).await?;
        if errors == 0 && (warnings == 0 || !self.strict) {
            return Outcomes { list: missing }.check_found();
        }
        Err(Error::Failed {
            message: format!("{} and {}", counted(errors, "error"), counted(warnings, "warning")),
            exit: Exit::Partial,
            hint: Some("fix the reported problems and run it again".into()),
        })
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
