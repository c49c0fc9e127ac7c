//! `articles pull`, `push`, `diff`, `status`, `lint` and `resolve`: the help center as files.
//!
//! This module has what the commands share: flags, and how the outcomes of many articles become output and an
//! exit code. What happens to an article is decided in `crate::articles`, never here.

pub mod diff;
pub mod lint;
pub mod pull;
pub mod push;
pub mod resolve;
pub mod status;

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use serde_json::{Map, Value, json};

use crate::articles::folder::Folder;
use crate::articles::gate::AllowEmpty;
use crate::articles::outcome::{ArticleOutcome, ArticleStatus};
use crate::articles::selection::ArticleSelection;
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::files;
use crate::cli::output::{Extent, Format, Output, notice, warn};

fn exit_code_argument() -> Arg {
    Arg::new("exit-code")
        .long("exit-code")
        .action(ArgAction::SetTrue)
        .help("Exit with 6 if anything differs, is in conflict or failed")
}

fn folder_argument(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name("DIR")
        .value_parser(value_parser!(files::Folder))
        .default_value("articles")
        .help(help)
}

fn selection_arguments() -> [Arg; 2] {
    [
        Arg::new("locale")
            .long("locale")
            .value_name("LOCALES")
            .value_delimiter(',')
            .action(ArgAction::Append)
            .help("Include only these languages, separated by commas"),
        Arg::new("only")
            .long("only")
            .value_name("ID|GLOB")
            .value_delimiter(',')
            .action(ArgAction::Append)
            .help("Include only these articles: ids, or patterns for file names or paths (for example '*refund*')"),
    ]
}

fn allow_empty_argument() -> Arg {
    Arg::new("allow-empty")
        .long("allow-empty")
        .value_name("ID")
        .value_delimiter(',')
        .action(ArgAction::Append)
        .help("Allow the text of this article to become empty (repeatable)")
}

fn allow_empty(matches: &ArgMatches) -> AllowEmpty {
    AllowEmpty { all: false, ids: values(matches, "allow-empty") }
}

fn folder(matches: &ArgMatches, name: &str) -> Result<Folder, Error> {
    let named = matches.get_one::<files::Folder>(name).ok_or_else(|| Error::missing(name))?;
    Ok(Folder::new(named.path()?))
}

fn values(matches: &ArgMatches, name: &str) -> Vec<String> {
    matches.get_many::<String>(name).into_iter().flatten().cloned().collect()
}

fn selection(matches: &ArgMatches) -> Result<ArticleSelection, Error> {
    let locales = values(matches, "locale");
    if let Some(bad) = locales.iter().find(|locale| !crate::articles::article::is_locale(locale)) {
        return Err(Error::usage(format!(
            "invalid --locale {bad:?}: expected a locale, for example en or pt-BR"
        )));
    }
    Ok(ArticleSelection { articles: values(matches, "only"), locales })
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

    /// The number of outcomes by status.
    fn counts(&self) -> Value {
        let mut counts = Map::new();
        for outcome in &self.list {
            let name = outcome.status.as_str();
            let count = counts.get(name).and_then(Value::as_u64).unwrap_or(0);
            counts.insert(name.to_owned(), json!(count + 1));
        }
        Value::Object(counts)
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
        if context.globals.output.format_or_default() == Format::Table {
            return output.text(&self.text()).await;
        }
        if let (Value::Object(meta), Value::Object(counts)) = (&mut meta, self.counts()) {
            meta.insert("counts".to_owned(), Value::Object(counts));
        }
        let columns = ["id", "locale", "path", "status", "fields", "error"].map(str::to_owned);
        let mut list = output.list_with_columns("articles", &columns)?;
        for outcome in &self.list {
            list.record(&outcome.record())?;
        }
        list.end(meta, &Extent::complete("articles")).await
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for outcome in self.list.iter().filter(|outcome| outcome.status != ArticleStatus::Unchanged) {
            let name = outcome.path.as_deref().or(outcome.id.as_deref()).unwrap_or_default();
            text.push_str(&format!("{:<16} {name}", outcome.status.as_str()));
            if !outcome.fields.is_empty() {
                text.push_str(&format!("  ({})", outcome.fields.join(", ")));
            }
            text.push('\n');
            text.push_str(&outcome.diff());
            for (locale, conflict) in &outcome.conflicts {
                text.push_str(&format!(
                    "@@ {locale}: conflict @@\n<<< ours\n{}\n=== theirs\n{}\n>>>\n",
                    conflict.ours, conflict.theirs
                ));
            }
        }
        let counts = self.counts();
        let counts = counts.as_object().into_iter().flatten().map(|(name, count)| format!("{count} {name}"));
        let counts: Vec<String> = counts.collect();
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
