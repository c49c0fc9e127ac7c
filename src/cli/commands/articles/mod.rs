//! `articles pull`, `push`, `diff`, `status` and `lint`: the help center as files.
//!
//! What the commands share: their flags, and how an account of many articles becomes output and an exit
//! code.

pub mod diff;
pub mod lint;
pub mod pull;
pub mod push;
pub mod status;

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Map, Value, json};

use crate::articles::folder::Folder;
use crate::articles::only::Only;
use crate::articles::outcome::{Outcome, Status};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit};
use crate::cli::output::{Format, Output, warn};

pub fn commands() -> Vec<Command> {
    vec![pull::command(), push::command(), diff::command(), status::command(), lint::command()]
}

pub async fn run(context: &Context, action: &str, matches: &ArgMatches) -> Result<(), Error> {
    match action {
        "pull" => pull::run(context, matches).await,
        "push" => push::run(context, matches).await,
        "diff" => diff::run(context, matches).await,
        "status" => status::run(context, matches).await,
        _ => lint::run(context, matches).await,
    }
}

fn folder_argument(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name("DIR").default_value("articles").help(help)
}

fn only_arguments() -> [Arg; 2] {
    [
        Arg::new("locale")
            .long("locale")
            .value_name("LOCALES")
            .value_delimiter(',')
            .action(ArgAction::Append)
            .help("Only these languages, separated by commas"),
        Arg::new("only")
            .long("only")
            .value_name("ID|GLOB")
            .value_delimiter(',')
            .action(ArgAction::Append)
            .help("Only these articles: ids, or patterns such as '*refund*' for file names or paths"),
    ]
}

fn folder(matches: &ArgMatches, name: &str) -> Folder {
    Folder::new(matches.get_one::<String>(name).map(PathBuf::from).unwrap_or_default())
}

fn values(matches: &ArgMatches, name: &str) -> Vec<String> {
    matches.get_many::<String>(name).into_iter().flatten().cloned().collect()
}

fn only(matches: &ArgMatches) -> Result<Only, Error> {
    let locales = values(matches, "locale");
    if let Some(bad) = locales.iter().find(|it| !crate::articles::article::is_locale(it)) {
        return Err(Error::usage(format!("--locale: {bad:?} is no locale such as en or pt-BR")));
    }
    Ok(Only { articles: values(matches, "only"), locales })
}

/// How many articles or files ended in which way.
#[derive(Default)]
struct Account {
    outcomes: Vec<Outcome>,
}

impl Account {
    fn count(&self, status: Status) -> usize {
        self.outcomes.iter().filter(|it| it.status == status).count()
    }

    fn meta(&self) -> Value {
        let mut counts = Map::new();
        for outcome in &self.outcomes {
            let name = outcome.status.as_str();
            let count = counts.get(name).and_then(Value::as_u64).unwrap_or(0);
            counts.insert(name.to_owned(), json!(count + 1));
        }
        Value::Object(counts)
    }

    /// Writes every outcome; for people, diffs as text.
    async fn show(&self, context: &Context, mut meta: Value) -> Result<(), Error> {
        for outcome in &self.outcomes {
            if let Some(error) = &outcome.error {
                warn(&error.to_string());
            }
        }
        let output = Output::open(&context.globals)?;
        if Format::of(&context.globals) == Format::Table {
            return output.text(&self.text()).await;
        }
        if let (Value::Object(meta), Value::Object(counts)) = (&mut meta, self.meta()) {
            meta.insert("counts".to_owned(), Value::Object(counts));
        }
        let columns = ["id", "locale", "path", "status", "fields", "error"].map(str::to_owned);
        let mut list = output.rows("articles", &columns)?;
        for outcome in &self.outcomes {
            list.record(&outcome.record())?;
        }
        list.end(meta).await
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for outcome in self.outcomes.iter().filter(|it| it.status != Status::Unchanged) {
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
        let counts = self.meta();
        let counts = counts.as_object().into_iter().flatten().map(|(name, count)| format!("{count} {name}"));
        let counts: Vec<String> = counts.collect();
        text.push_str(&if counts.is_empty() { "nothing changed".to_owned() } else { counts.join(", ") });
        text.push('\n');
        text
    }

    /// Success only when nothing failed, nothing is in conflict, and everything that was asked for exists.
    /// `failure_hint` and `conflict_hint` say what to do about the first two.
    fn verdict(&self, failure_hint: &str, conflict_hint: &str) -> Result<(), Error> {
        let (failed, conflicts) = (self.count(Status::Failed), self.count(Status::Conflict));
        if failed + conflicts == 0 {
            return self.found();
        }
        let mut told = Vec::new();
        if failed > 0 {
            told.push(format!("{failed} failed"));
        }
        if conflicts > 0 {
            told.push(format!("{conflicts} in conflict"));
        }
        let all = self.outcomes.len() - self.count(Status::Skipped);
        let exit = if failed == all { self.failure() } else { Exit::Partial };
        let message = format!("{} of {all}", told.join(" and "));
        let hint = if conflicts > 0 { conflict_hint } else { failure_hint };
        Err(Error::Finding { message, exit, hint: Some(hint.to_owned()) })
    }

    /// Success only when everything that was asked for exists.
    fn found(&self) -> Result<(), Error> {
        let missing = self.outcomes.iter().filter(|it| it.status == Status::NotFound);
        let missing: Vec<&str> = missing.filter_map(|it| it.id.as_deref().or(it.locale.as_deref())).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let exit = if missing.len() == self.outcomes.len() { Exit::NotFound } else { Exit::Partial };
        let message = format!("there is nothing called {}", missing.join(", "));
        let hint = "`intercom-pp-cli articles list --all --select id,title` shows what there is";
        Err(Error::Finding { message, exit, hint: Some(hint.to_owned()) })
    }

    /// Whether a `.conflict.md` shows both sides of what is in conflict.
    fn has_conflict_files(&self) -> bool {
        self.outcomes.iter().any(|it| !it.conflicts.is_empty())
    }

    /// The exit code when everything failed: a common reason, if it has one of its own.
    fn failure(&self) -> Exit {
        let statuses: Vec<Option<u16>> = self
            .outcomes
            .iter()
            .map(|outcome| match &outcome.error {
                Some(crate::articles::Error::Api(error)) => error.status(),
                _ => None,
            })
            .collect();
        match statuses.first() {
            Some(Some(429)) if statuses.iter().all(|it| *it == Some(429)) => Exit::RateLimited,
            Some(Some(401 | 403)) if statuses.iter().all(|it| matches!(it, Some(401 | 403))) => {
                Exit::Authentication
            }
            _ => Exit::Failure,
        }
    }
}
