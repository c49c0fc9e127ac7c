//! The values that arguments complete to, from this machine only: config file, journal of runs, and mirror.
//!
//! An unreadable file means no candidates: `doctor` reports it. A value is only a suggestion, so the mirror may be old.

use clap::Arg;
use clap_complete::engine::CompletionCandidate;

use crate::bulk::journal;
use crate::bulk::run::RunSummary;
use crate::cli::catalog::Catalog;
use crate::cli::context::Context;
use crate::cli::globals::Globals;
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::registry::Registry;
use crate::cli::tree;
use crate::config::Config;
use crate::data::printable;
use crate::mirror::{ResourceName, Store};

/// Maximum number of names: more are not read in a terminal.
const MAX_NAMES: u32 = 200;

/// The line being completed, program name first.
pub struct TypedLine {
    pub registry: &'static Registry,
    pub words: Vec<String>,
    /// The name of the shell.
    pub shell: String,
}

/// Where the values of an argument come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueSource {
    Profiles,
    Runs,
    Teams,
    Admins,
    Assignees,
    Tags,
    Resources,
    /// Columns of the resource on the line.
    Columns,
    Commands,
}

/// The source of an argument's values; `None` if they are declared, or unknown.
pub fn source(path: &str, argument: &Arg, is_global: bool) -> Option<ValueSource> {
    let id = argument.get_id().as_str();
    if is_global {
        return (id == "profile").then_some(ValueSource::Profiles);
    }
    let is_tagging = path.contains("tag") && !path.starts_with("tags");
    match (path, id) {
        ("profile use" | "profile show" | "profile delete" | "profile save" | "auth switch", "name") => {
            Some(ValueSource::Profiles)
        }
        ("bulk undo", "run") | (_, "resume") => Some(ValueSource::Runs),
        ("sync", "resources" | "exclude") => Some(ValueSource::Resources),
        ("analytics", "by") => Some(ValueSource::Columns),
        ("describe", "command") => Some(ValueSource::Commands),
        (_, "team") => Some(ValueSource::Teams),
        (_, "admin" | "as" | "acting_as") => Some(ValueSource::Admins),
        (_, "assigned_to" | "to") if path.starts_with("conversations") || path.starts_with("tickets") => {
            Some(ValueSource::Assignees)
        }
        (_, "tag") if is_tagging => Some(ValueSource::Tags),
        _ => None,
    }
}

/// The values from a source.
pub fn candidates(source: ValueSource, line: &TypedLine) -> Vec<CompletionCandidate> {
    let plain = |names: Vec<String>| {
        // Names are text of the server, and must not control the terminal.
        let safe = names.into_iter().filter(|name| printable::one_line(name) == *name);
        safe.map(|name| CompletionCandidate::new(typed(name, &line.shell))).collect()
    };
    match source {
        ValueSource::Profiles => plain(line.profiles()),
        ValueSource::Runs => runs(),
        ValueSource::Teams => plain(line.names(&[ResourceName::Teams])),
        ValueSource::Admins => plain(line.names(&[ResourceName::Admins])),
        ValueSource::Assignees => plain(line.names(&[ResourceName::Teams, ResourceName::Admins])),
        ValueSource::Tags => plain(line.names(&[ResourceName::Tags])),
        ValueSource::Resources => {
            plain(ResourceName::ALL.iter().map(|resource| resource.as_str().to_owned()).collect())
        }
        ValueSource::Columns => plain(line.columns()),
        ValueSource::Commands => line.commands().into_iter().map(CompletionCandidate::new).collect(),
    }
}

impl TypedLine {
    /// The settings of the line, and the mirror that it names.
    fn context(&self) -> Option<(Context, Option<Store>)> {
        let command = tree::command(self.registry, &self.words).ignore_errors(true);
        let matches = command.try_get_matches_from(&self.words).ok()?;
        let (_, levels) = tree::levels(&matches);
        let context = Context::new(Globals::read(&levels).unwrap_or_default());
        let named = levels.last().and_then(|level| MirrorFlag::of(level).db?.path().ok());
        let path = named.or_else(|| mirror_paths::for_completion(&context));
        let store = path.and_then(|path| Store::open_read_only(&path).ok());
        Some((context, store))
    }

    fn profiles(&self) -> Vec<String> {
        let Some((context, _)) = self.context() else { return Vec::new() };
        let config = context.config_path().ok().and_then(|path| Config::read(&path).ok());
        config.map(|config| config.profiles.into_keys().collect()).unwrap_or_default()
    }

    fn names(&self, resources: &[ResourceName]) -> Vec<String> {
        let Some((_, Some(store))) = self.context() else { return Vec::new() };
        resources
            .iter()
            .flat_map(|resource| store.all_names(*resource, MAX_NAMES).unwrap_or_default())
            .collect()
    }

    /// The columns of the first resource on the line, and its times by period.
    fn columns(&self) -> Vec<String> {
        let resource = self.words.iter().skip(1).find_map(|word| word.parse::<ResourceName>().ok());
        let columns = resource.map(|resource| resource.resource().columns).unwrap_or_default();
        let names = columns.iter().map(|column| column.name.to_owned());
        let periods = columns.iter().filter(|column| column.name.ends_with("_at"));
        names.chain(periods.map(|column| format!("{}:month", column.name))).collect()
    }

    /// The words of commands that can follow those typed after `describe`.
    fn commands(&self) -> Vec<String> {
        let start = self.words.iter().position(|word| word == "describe").map_or(0, |at| at + 1);
        let end = self.words.len().saturating_sub(1).max(start);
        let typed = self.words.get(start..end).unwrap_or_default();
        let mut next: Vec<String> = Catalog::new(self.registry)
            .entries()
            .iter()
            .filter_map(|entry| {
                let words: Vec<&str> = entry.shown.split(' ').collect();
                let is_below =
                    words.len() > typed.len() && words.iter().zip(typed).all(|(one, other)| one == other);
                is_below.then(|| words[typed.len()].to_owned())
            })
            .collect();
        next.sort();
        next.dedup();
        next
    }
}

/// The runs on this machine, with what they did.
fn runs() -> Vec<CompletionCandidate> {
    let runs = journal::runs().unwrap_or_default();
    let summaries = runs.iter().map(|run| RunSummary::new(run, &runs));
    summaries
        .map(|summary| {
            let about = format!("{}, {} of {} records", summary.command, summary.done, summary.records);
            CompletionCandidate::new(summary.id).help(Some(about.into()))
        })
        .collect()
}

/// A name as it is typed. bash and PowerShell insert candidates unchanged, so that a name could run a command; other
/// shells quote them.
fn typed(name: String, shell: &str) -> String {
    match shell {
        "bash" => escaped(&name),
        "powershell" if !name.chars().all(|letter| is_literal(letter) && !"@,%".contains(letter)) => {
            quoted(&name)
        }
        _ => name,
    }
}

/// Whether the shells read the character as itself.
fn is_literal(letter: char) -> bool {
    letter.is_alphanumeric() || "@._-+:/,%".contains(letter)
}

/// A name in quotes for PowerShell, which takes typographic quotes for quotes too.
fn quoted(name: &str) -> String {
    let is_quote = |letter: char| matches!(letter, '\'' | '\u{2018}'..='\u{201b}');
    let doubled =
        name.chars().flat_map(|letter| std::iter::repeat_n(letter, 1 + usize::from(is_quote(letter))));
    format!("'{}'", doubled.collect::<String>())
}

/// A name as typed in bash.
fn escaped(name: &str) -> String {
    name.chars()
        .flat_map(|letter| (!is_literal(letter)).then_some('\\').into_iter().chain(std::iter::once(letter)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_known_by_command_and_name() {
        let named = |id: &'static str| Arg::new(id).long(id);
        for (path, id, expected) in [
            ("conversations bulk-assign", "team", Some(ValueSource::Teams)),
            ("conversations bulk-tag", "tag", Some(ValueSource::Tags)),
            ("contacts list", "tag", None),
            ("bulk undo", "run", Some(ValueSource::Runs)),
            ("profile use", "name", Some(ValueSource::Profiles)),
            ("tags create", "name", None),
            ("sync", "resources", Some(ValueSource::Resources)),
        ] {
            assert_eq!(source(path, &named(id), false), expected, "{path} {id}");
        }
        assert_eq!(source("contacts list", &named("profile"), true), Some(ValueSource::Profiles));
    }

    #[test]
    fn names_are_quoted_for_powershell() {
        for (name, expected) in [
            ("Support", "Support"),
            ("churn risk", "'churn risk'"),
            ("a; $(calc) `b", "'a; $(calc) `b'"),
            ("x'; calc; \u{2019}y", "'x''; calc; \u{2019}\u{2019}y'"),
        ] {
            assert_eq!(typed(name.to_owned(), "powershell"), expected);
            assert_eq!(typed(name.to_owned(), "zsh"), name);
        }
    }

    #[test]
    fn names_are_escaped_for_bash() {
        assert_eq!(escaped("churn risk (EU) $5"), "churn\\ risk\\ \\(EU\\)\\ \\$5");
        assert_eq!(escaped("ann@example.com"), "ann@example.com");
    }
}
