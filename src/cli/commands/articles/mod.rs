//! `articles pull`, `push`, `diff`, `status`, `lint` and `resolve`: the help center as files.
//!
//! This module has what the commands share: flags, and how the outcomes of many articles become output and an
//! exit code. What happens to an article is decided in `crate::articles`, never here.

pub mod compare;
pub mod lint;
pub mod pull;
pub mod push;
pub mod resolve;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::articles::sync::folder::Folder;
use crate::articles::sync::gate::AllowEmpty;
use crate::articles::sync::outcome::{ArticleOutcome, ArticleStatus};
use crate::articles::sync::selection::ArticleSelection;
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::files;
use crate::cli::output::palette::Palette;
use crate::cli::output::progress::{Meter, Work};
use crate::cli::output::{Extent, Output, notice, warn};
use crate::data::printable;

#[derive(Args)]
#[group(skip)]
struct FolderFlag {
    /// Folder written by `articles pull`
    #[arg(long, value_name = "DIR", default_value = "articles")]
    from: files::Folder,
}

impl FolderFlag {
    fn folder(&self) -> Result<Folder, Error> {
        Ok(Folder::new(self.from.path()?))
    }
}

#[derive(Args)]
#[group(skip)]
struct SelectionFlags {
    /// Include only these languages, separated by commas
    #[arg(long, value_name = "LOCALES", value_delimiter = ',')]
    locale: Vec<String>,
    /// Include only these articles: ids, or patterns for file names or paths (for example '*refund*')
    #[arg(long, value_name = "ID|GLOB", value_delimiter = ',')]
    only: Vec<String>,
}

impl SelectionFlags {
    fn selection(self) -> Result<ArticleSelection, Error> {
        if let Some(bad) = self.locale.iter().find(|locale| !crate::articles::article::is_locale(locale)) {
            return Err(Error::usage(format!(
                "invalid --locale {bad:?}: expected a locale, for example en or pt-BR"
            )));
        }
        Ok(ArticleSelection { articles: self.only, locales: self.locale })
    }
}

#[derive(Args)]
#[group(skip)]
struct AllowEmptyFlag {
    /// Allow the text of this article to become empty (repeatable)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    allow_empty: Vec<String>,
}

impl AllowEmptyFlag {
    /// `all` allows it for every article.
    fn allowed(self, all: bool) -> AllowEmpty {
        AllowEmpty { all, ids: self.allow_empty }
    }
}

/// A line of a diff in the colours of git, without control characters.
fn diff_line(line: &str, palette: Palette) -> String {
    let line = printable::one_line(line);
    let coloured = match line.chars().next() {
        Some('@') => palette.cyan(&line),
        Some('+') => palette.green(&line),
        Some('-') => palette.red(&line),
        _ => line,
    };
    format!("{coloured}\n")
}

/// The progress of a command.
fn meter(context: &Context, doing: &'static str) -> Meter {
    let work = Work { event: "articles_progress", doing, noun: "articles" };
    Meter::new(&context.globals.output, work)
}

/// The outcomes of a command, one per article or file.
#[derive(Default)]
struct Outcomes {
    list: Vec<ArticleOutcome>,
}

impl Outcomes {
    fn count(&self, status: ArticleStatus) -> usize {
        self.list.iter().filter(|outcome| outcome.status == status).count()
    }

    /// The number of outcomes by status, in the order in which the statuses occur.
    fn counts(&self) -> Vec<(&'static str, usize)> {
        let mut statuses: Vec<ArticleStatus> = Vec::new();
        for outcome in &self.list {
            if !statuses.contains(&outcome.status) {
                statuses.push(outcome.status);
            }
        }
        statuses.into_iter().map(|status| (status.as_str(), self.count(status))).collect()
    }

    /// Prints every outcome; in table format, as text with diffs.
    async fn print(&self, context: &Context, mut meta: Value) -> Result<(), Error> {
        for outcome in &self.list {
            for finding in &outcome.findings {
                if finding.blocks_push {
                    notice(&format!("error: {finding}"));
                } else {
                    warn(&finding.to_string());
                }
            }
            if let Some(error) = &outcome.error {
                warn(&error.to_string());
            }
            if let Some(note) = &outcome.note {
                let name = outcome.path.as_deref().or(outcome.id.as_deref()).unwrap_or_default();
                notice(&format!("note: {name}: {note}"));
            }
        }
        let output = Output::open(&context.globals.output)?;
        if context.globals.output.is_for_people() {
            return output.text(&self.text(Palette::of(&context.globals.output))).await;
        }
        let counts = self.counts().into_iter();
        meta["counts"] =
            counts.map(|(name, count)| (name.to_owned(), json!(count))).collect::<Map<_, _>>().into();
        let columns = ["id", "locale", "path", "status", "fields", "error"].map(str::to_owned);
        let mut list = output.list_with_columns("articles", &columns)?;
        for outcome in &self.list {
            list.record(&outcome.record())?;
        }
        list.end(meta, &Extent::complete("articles")).await
    }

    fn text(&self, palette: Palette) -> String {
        let mut text = String::new();
        for outcome in self.list.iter().filter(|outcome| outcome.status != ArticleStatus::Unchanged) {
            let name = outcome.path.as_deref().or(outcome.id.as_deref()).unwrap_or_default();
            text.push_str(&format!("{:<16} {}", outcome.status.as_str(), palette.bold(name)));
            if !outcome.fields.is_empty() {
                text.push_str(&format!("  ({})", outcome.fields.join(", ")));
            }
            text.push('\n');
            outcome.diff().lines().for_each(|line| text.push_str(&diff_line(line, palette)));
            for (locale, conflict) in &outcome.conflicts {
                text.push_str(&diff_line(&format!("@@ {locale}: conflict @@"), palette));
                text.push_str(&format!(
                    "<<< ours\n{}\n=== theirs\n{}\n>>>\n",
                    printable::lines(&conflict.ours),
                    printable::lines(&conflict.theirs)
                ));
            }
        }
        let counts: Vec<String> =
            self.counts().into_iter().map(|(name, count)| format!("{count} {name}")).collect();
        text.push_str(&if counts.is_empty() { "nothing changed".to_owned() } else { counts.join(", ") });
        text.push('\n');
        text
    }

    /// Fails if anything failed, is in conflict, or was selected but does not exist. The hints say what to do
    /// about failures and conflicts.
    fn check(&self, failure_hint: &'static str, conflict_hint: &'static str) -> Result<(), Error> {
        let (failed, conflicts) = (self.count(ArticleStatus::Failed), self.count(ArticleStatus::Conflict));
        if failed + conflicts == 0 {
            return self.check_found();
        }
        let mut counts = Vec::new();
        if failed > 0 {
            counts.push(format!("{failed} failed"));
        }
        if conflicts > 0 {
            counts.push(format!("{conflicts} in conflict"));
        }
        let all = self.list.len() - self.count(ArticleStatus::Skipped);
        // An article that its own text blocks is not a failed request.
        let blocked = self.list.iter().any(ArticleOutcome::is_blocked_by_text);
        let exit = if failed == all && !blocked { self.failure_exit() } else { Exit::Partial };
        let message = format!("{} of {all}", counts.join(" and "));
        let hint = if conflicts > 0 { conflict_hint } else { failure_hint };
        Err(Error::Failed { message, exit, hint: Some(hint.into()) })
    }

    /// Whether a push wrote something that must be committed to version control.
    fn changed_folder(&self) -> bool {
        [ArticleStatus::Created, ArticleStatus::Updated, ArticleStatus::Deleted]
            .into_iter()
            .any(|status| self.count(status) > 0)
    }

    /// Fails if anything differs, for `--exit-code`.
    fn check_unchanged(&self) -> Result<(), Error> {
        let ignored = [ArticleStatus::Unchanged, ArticleStatus::Skipped, ArticleStatus::NotFound];
        let count = self.list.iter().filter(|outcome| !ignored.contains(&outcome.status)).count();
        if count == 0 {
            return self.check_found();
        }
        let verb = if count == 1 { "article or file differs" } else { "articles or files differ" };
        Err(Error::Failed {
            message: format!("{count} {verb} from the help center"),
            exit: Exit::Partial,
            hint: Some(
                Hint::default()
                    .run("articles diff")
                    .text(" shows the blocks")
                    .then("push or pull to synchronize them"),
            ),
        })
    }

    /// Fails if something was selected that does not exist.
    fn check_found(&self) -> Result<(), Error> {
        let missing = self.list.iter().filter(|outcome| outcome.status == ArticleStatus::NotFound);
        let missing: Vec<&str> =
            missing.filter_map(|outcome| outcome.id.as_deref().or(outcome.locale.as_deref())).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let exit = if missing.len() == self.list.len() { Exit::NotFound } else { Exit::Partial };
        let message = format!("not found: {}", missing.join(", "));
        let hint =
            Hint::new("run ").run("articles list --all --select id,title").text(" to list all articles");
        Err(Error::Failed { message, exit, hint: Some(hint) })
    }

    /// Whether there are conflicts that a `.conflict.md` can show.
    fn has_conflict_files(&self) -> bool {
        self.list.iter().any(|outcome| !outcome.conflicts.is_empty())
    }

    /// The exit code if everything failed: that of the common reason, if it has a separate code.
    fn failure_exit(&self) -> Exit {
        let statuses: Vec<Option<u16>> = self
            .list
            .iter()
            .map(|outcome| match &outcome.error {
                Some(crate::articles::Error::Api(error)) => error.status(),
                _ => None,
            })
            .collect();
        match statuses.first() {
            Some(Some(429)) if statuses.iter().all(|status| *status == Some(429)) => Exit::RateLimited,
            Some(Some(401 | 403)) if statuses.iter().all(|status| matches!(status, Some(401 | 403))) => {
                Exit::Authentication
            }
            _ => Exit::Failure,
        }
    }
}
