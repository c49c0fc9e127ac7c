//! `articles push`: sends what changed in the folder to the help center.

use clap::{ArgMatches, Args, Command, FromArgMatches};
use serde_json::json;

use super::{AllowEmptyFlag, FolderFlag, Outcomes, SelectionFlags, notice};
use crate::articles::sync::outcome::ArticleStatus;
use crate::articles::sync::push::{PushOptions, push};
use crate::cli::consent::{Confirm, Consent, Intent};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::files::stdin;
use crate::cli::output::palette::Palette;
use crate::cli::registry::{Effect, HandwrittenCommand};

/// Send edited, new and moved files to the help center, merging them with changes made there
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Each article is read before it is written; only edited blocks change. If both sides changed a block, \
             or inserted different text at the same point, the article is not sent and a .conflict.md shows both \
             versions (exit code 6).\n\n\
             A file with a title but no id in its front matter becomes a new article, as a draft unless it has \
             `state: published`. A Markdown file without front matter is reported as `skipped`; README.md, hidden \
             files and hidden folders are ignored. Removing a line from the front matter leaves the field \
             unchanged; an empty `description:` clears it.\n\n\
             Unresolved merges, dead links, local images, empty texts and unsupported Markdown block an article \
             (exit code 6); `articles lint` finds the same problems without calling the API. A push that changed \
             the folder reports what to commit. Only one push or pull can work in a folder at a time: a second \
             one exits with code 8.\n\n\
             Names in --only, --locale or --force that do not exist are reported as `not_found`: exit code 3, or 6 \
             if anything else was found.\n\n\
             Example: intercom-pp-cli articles pull --to help; intercom-pp-cli articles push --from help --dry-run"
)]
pub struct PushArticles {
    #[command(flatten)]
    folder: FolderFlag,
    #[command(flatten)]
    selection: SelectionFlags,
    /// Show the plan and send nothing (same as --dry-run)
    #[arg(long)]
    dry_run_only: bool,
    /// Delete articles whose files were all deleted (asks, or needs --yes)
    #[arg(long, conflicts_with = "locale")]
    delete: bool,
    /// Resolve conflicts in this article in favour of the local file (repeatable)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    force: Vec<String>,
    /// Skip new files: do not create articles
    #[arg(long)]
    no_create: bool,
    /// Create an article even if the help center has another one with its title
    #[arg(long)]
    allow_same_title: bool,
    #[command(flatten)]
    allow_empty: AllowEmptyFlag,
    /// Author of new articles without an author: id, email address or name [default: owner of the token]
    #[arg(long, value_name = "WHO")]
    author: Option<String>,
    #[command(flatten)]
    yes: TypedYes,
}

/// Whether `--yes` itself was typed: the consent of `--agent`, of a workflow or of an MCP call does not cover emptying
/// an article.
struct TypedYes(bool);

impl FromArgMatches for TypedYes {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(TypedYes(matches.try_get_one::<bool>("yes").ok().flatten().copied().unwrap_or(false)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = TypedYes::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Declares nothing: `--yes` is a global flag.
impl Args for TypedYes {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

fn article_count(count: usize) -> String {
    if count == 1 { "1 article".to_owned() } else { format!("{count} articles") }
}

impl HandwrittenCommand for PushArticles {
    const WORDS: &'static str = "articles push";
    const EFFECT: Effect = Effect::Destructive;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let mut options = PushOptions {
            selection: self.selection.selection()?,
            plan_only: context.globals.consent.dry_run || self.dry_run_only,
            force: self.force,
            delete: self.delete,
            author: self.author,
            no_create: self.no_create,
            same_title: self.allow_same_title,
            allow_empty: self.allow_empty.allowed(self.yes.0),
        };
        let folder = self.folder.folder()?;
        let client = context.client()?;
        if !options.plan_only {
            context.refuse_in_read_only_mode("Push articles")?;
        }
        let consent = context.globals.consent.given;
        let asks = consent == Consent::Open && !context.globals.consent.no_input && stdin::is_terminal();
        // A person who typed the name of a folder wants all of it; an agent may not know how many articles it has.
        let is_agent = matches!(consent, Consent::Reversible | Consent::Withheld);
        if !options.plan_only && consent < Consent::Full && (asks || is_agent || options.delete) {
            options.plan_only = true;
            let mut plan = Outcomes::default();
            push(&client, &folder, &options, &mut |outcome| plan.list.push(outcome)).await?;
            options.plan_only = false;
            let writes = [ArticleStatus::WouldUpdate, ArticleStatus::WouldCreate, ArticleStatus::WouldDelete];
            let writes: usize = writes.into_iter().map(|status| plan.count(status)).sum();
            let deletes = plan.count(ArticleStatus::WouldDelete);
            if asks && writes > 0 {
                notice(&plan.text(Palette::default()));
                let deletion =
                    if deletes == 0 { String::new() } else { format!(", {deletes} of them deleted") };
                let confirm = if deletes == 0 { Confirm::Ask } else { Confirm::Explicit };
                let intent = Intent::new(
                    format!("Push {} to the help center{deletion}", article_count(writes)),
                    confirm,
                )
                .with_records(writes)
                .or_else("not pushed");
                context.confirm(&intent)?;
            } else if deletes > 0 {
                let intent = Intent::new(
                    format!("Delete {} from the help center", article_count(deletes)),
                    Confirm::Explicit,
                )
                .with_records(deletes)
                .or_else("not pushed");
                context.confirm(&intent)?;
            } else if is_agent {
                context.confirm(
                    &Intent::new(
                        format!("Push {} to the help center", article_count(writes)),
                        Confirm::Never,
                    )
                    .with_records(writes),
                )?;
            }
        }
        let mut outcomes = Outcomes::default();
        let mut meter = super::meter(context, "pushing");
        let collect = &mut |outcome| {
            outcomes.list.push(outcome);
            meter.show(outcomes.list.len() as u64, 0, None);
        };
        push(&client, &folder, &options, collect).await?;
        drop(meter);
        let meta = json!({ "source": "live", "folder": folder.root(), "dry_run": options.plan_only });
        outcomes.print(context, meta).await?;
        if !options.plan_only && outcomes.changed_folder() {
            notice("note: the folder changed: commit manifest.json, .intercom/ and the articles");
        }
        let conflict_hint = match (outcomes.has_conflict_files(), options.plan_only) {
            (true, false) => {
                "each conflict is in a .conflict.md next to its file: correct the file, run `articles resolve ID`, push again"
            }
            (true, true) => {
                "both sides of each conflict are shown above: pull, correct the file, run `articles resolve ID`, push again"
            }
            (false, _) => "fix the errors reported above and push again",
        };
        outcomes.check(
            "fix the errors reported above and push again; changes that were already sent are not sent again",
            conflict_hint,
        )
    }
}
