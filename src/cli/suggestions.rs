//! Finds what a command line that does not parse most likely means, and the command to type next.
//!
//! Only suggests, and only what exists: a suggestion is never run, and every command and flag is looked up in the tree.

mod advice;
mod likeness;
mod typed_elsewhere;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use self::likeness::alike;
use self::typed_elsewhere::{COMMANDS, FLAGS, TOKENS};
use super::catalog::{self, Catalog, CatalogEntry};
use super::error::{Error, Hint, HintTopic, parser_message, shown_argument};
use super::registry::Registry;
use super::tree;
use crate::filter::Searchable;

/// Minimum score of a command that was found by its description.
const DESCRIBED: f64 = 0.45;

/// The words of the command that was typed, as far as they exist.
pub fn command_words(registry: &Registry, typed: &[String]) -> String {
    Line::read(registry, typed).words.join(" ")
}

/// The error for a command line that the parser refuses, with the next thing to type.
pub fn explained(registry: &Registry, typed: &[String], error: clap::Error) -> Error {
    let error = match Error::from(error) {
        Error::Clap(error) => error,
        other => return other,
    };
    let asks_for_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if !error.use_stderr() || asks_for_help {
        return Error::Clap(error);
    }
    let line = Line::read(registry, typed);
    let (message, hint) = (parser_message(&error), line.hint(&error));
    let message = match error.kind() {
        ErrorKind::InvalidSubcommand if !line.words.is_empty() => {
            format!("unknown command {:?}", line.with_unknown().join(" "))
        }
        ErrorKind::UnknownArgument if is_number(&text(&error, ContextKind::InvalidArg)) => {
            format!("unexpected negative number {:?}", text(&error, ContextKind::InvalidArg))
        }
        _ => message,
    };
    Error::usage_with_hint(message, hint)
}

/// For words that are not a command, given as a value.
pub fn unknown_command(registry: &Registry, words: &str) -> Error {
    let typed: Vec<String> =
        std::iter::once("intercom-pp-cli").chain(words.split_whitespace()).map(str::to_owned).collect();
    Error::usage_with_hint(format!("unknown command {words:?}"), Line::read(registry, &typed).other_command())
}

/// A command line, read as far as its commands exist.
struct Line<'a> {
    registry: &'a Registry,
    typed: &'a [String],
    words: Vec<String>,
    command: Command,
    /// The words after those of the command, without flags.
    rest: Vec<&'a str>,
}

impl<'a> Line<'a> {
    fn read(registry: &'a Registry, typed: &'a [String]) -> Self {
        let mut command = tree::command(registry, typed);
        let (mut words, mut rest) = (Vec::new(), Vec::new());
        let plain = typed.iter().skip(1).map(String::as_str).filter(|word| !word.starts_with('-'));
        for word in plain {
            match command.find_subcommand(word) {
                Some(below) if rest.is_empty() || words.is_empty() => {
                    words.push(word.to_owned());
                    rest.clear();
                    command = below.clone();
                }
                _ => rest.push(word),
            }
        }
        Line { registry, typed, words, command, rest }
    }

    fn with_unknown(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).chain(self.rest.first().copied()).collect()
    }

    fn hint(&self, error: &clap::Error) -> Hint {
        let argument = text(error, ContextKind::InvalidArg);
        match error.kind() {
            ErrorKind::InvalidSubcommand => self.other_command(),
            ErrorKind::UnknownArgument if is_number(&argument) => {
                Hint::new("a negative number is not accepted").then("").help().about(HintTopic::Arguments)
            }
            ErrorKind::UnknownArgument if argument.starts_with('-') => self.other_flag(&argument),
            ErrorKind::UnknownArgument | ErrorKind::TooManyValues => self.one_argument(),
            ErrorKind::MissingRequiredArgument => self.example(),
            _ => help(),
        }
    }

    /// For words that are not a command.
    fn other_command(&self) -> Hint {
        let catalog = Catalog::new(self.registry);
        let entries = catalog.entries();
        let typed = [self.words.iter().map(String::as_str).collect::<Vec<_>>(), self.rest.clone()].concat();
        if let Some(advice) =
            typed.first().filter(|_| self.words.is_empty()).and_then(|word| advice::for_word(word))
        {
            return advice;
        }
        let known = |words: &&&str| words.starts_with('-') || catalog.entry(first_words(words)).is_some();
        let elsewhere = (1..=typed.len().min(2)).rev().find_map(|count| {
            let line = typed[..count].join(" ");
            let (_, instead) = COMMANDS.iter().find(|(other, _)| *other == line)?;
            instead.iter().find(known)
        });
        if let Some(command) = elsewhere {
            return did_you_mean(&[(*command).to_owned()]);
        }
        let alike = alike(&entries, &typed, self.words.len());
        if !alike.is_empty() {
            return did_you_mean(&alike);
        }
        let need = typed.join(" ");
        let found = catalog::find(&entries, &need, 2);
        let likely: Vec<String> = found
            .iter()
            .filter(|ranked| ranked.score >= DESCRIBED)
            .map(|ranked| ranked.entry.shown.clone())
            .collect();
        if !likely.is_empty() {
            return did_you_mean(&likely);
        }
        let find = Hint::new("find a command with ").run("which \"WHAT YOU WANT TO DO\"");
        let list = if self.words.is_empty() {
            "--help".to_owned()
        } else {
            format!("{} --help", self.words.join(" "))
        };
        find.then("").run(list).text(" lists the commands").about(HintTopic::FindCommand)
    }

    /// For a flag that the command does not have.
    fn other_flag(&self, typed: &str) -> Hint {
        let name = typed.trim_start_matches('-').split('=').next().unwrap_or_default();
        let words = self.words.join(" ");
        if TOKENS.contains(&name) {
            return Hint::new("a token is not passed as a flag: set INTERCOM_ACCESS_TOKEN")
                .or("save it with ")
                .run("auth login");
        }
        if let Some(filtered) = self.filtered(name) {
            return Hint::new("filter with ").run(filtered);
        }
        let flags: Vec<&str> = self.command.get_arguments().filter_map(clap::Arg::get_long).collect();
        let instead = FLAGS.iter().find(|(other, _)| *other == name).map(|(_, instead)| *instead);
        let instead = instead.unwrap_or_default().iter().find(|flag| flags.contains(&first_words(flag)));
        let near = || {
            let distance = |flag: &&&str| strsim::damerau_levenshtein(flag, name);
            let nearest = flags.iter().min_by_key(distance)?;
            let is_near = distance(&nearest) <= (name.len() / 3).clamp(1, 2);
            let is_part = |flag: &&&str| name.len() > 3 && (flag.starts_with(name) || flag.ends_with(name));
            if is_near { Some(*nearest) } else { flags.iter().find(is_part).copied() }
        };
        match instead.copied().or_else(near) {
            Some(flag) => Hint::new("did you mean ").flag(flag.to_owned()).text("? ").help(),
            None if words.is_empty() => Hint::new("type the command first").then("").help(),
            None => Hint::default().help(),
        }
        .about(HintTopic::Arguments)
    }

    /// The search to use, if a flag is a field that a filter knows.
    fn filtered(&self, name: &str) -> Option<String> {
        let group = self.words.first()?;
        let searched = Searchable::ALL.into_iter().find(|searched| searched.as_str() == group)?;
        let has_where = self.command.get_arguments().any(|argument| argument.get_long() == Some("where"));
        let lists = matches!(self.words.get(1).map(String::as_str), None | Some("list" | "ls" | "search"));
        if !has_where && !lists {
            return None;
        }
        let line = if has_where { self.words.join(" ") } else { format!("{group} search") };
        if ["where", "filter", "query", "q", "search"].contains(&name) {
            let filter = self.value_of(name).filter(|value| !value.contains('\''));
            let is_new = !has_where || name != "where";
            return is_new.then(|| format!("{line} --where '{}'", filter.unwrap_or("FILTER")));
        }
        let field = name.replace('-', "_");
        let field = [field.clone(), format!("{field}_at")]
            .into_iter()
            .find(|field| searched.field(field).is_some())?;
        let value = self.value_of(name).filter(|value| !value.contains(['\'', '"'])).unwrap_or("VALUE");
        let is_word = value.chars().all(|letter| letter.is_alphanumeric() || "@._+-".contains(letter));
        let value = if is_word { value.to_owned() } else { format!("\"{value}\"") };
        Some(format!("{line} --where '{field} = {value}'"))
    }

    /// The value typed for a flag.
    fn value_of(&self, name: &str) -> Option<&'a str> {
        let flag = format!("--{name}");
        let at = self.typed.iter().position(|word| *word == flag || word.starts_with(&format!("{flag}=")))?;
        match self.typed[at].split_once('=') {
            Some((_, value)) => Some(value),
            None => self.typed.get(at + 1).map(String::as_str).filter(|value| !value.starts_with("--")),
        }
        .filter(|value| !value.is_empty())
    }

    /// For more arguments than the command takes.
    fn one_argument(&self) -> Hint {
        let is_text = |name: &str| ["text", "statement", "contact", "filter", "need"].contains(&name);
        let takes_text = self.command.get_positionals().any(|argument| is_text(argument.get_id().as_str()));
        if takes_text && self.rest.len() > 1 && !self.rest.iter().any(|word| word.contains(['"', '`', '$'])) {
            return Hint::new("quote it: ").run(format!(
                "{} \"{}\"",
                self.words.join(" "),
                self.rest.join(" ")
            ));
        }
        help()
    }

    /// How the command is called.
    fn example(&self) -> Hint {
        let catalog = Catalog::new(self.registry);
        let example =
            catalog.entry(&self.words.join(" ")).and_then(CatalogEntry::typed_example).map(str::to_owned);
        match example {
            Some(example) => Hint::new("for example ").run(example).then("").help(),
            None => Hint::default().help(),
        }
        .about(HintTopic::Arguments)
    }
}

fn help() -> Hint {
    Hint::default().help().about(HintTopic::Arguments)
}

fn did_you_mean(commands: &[String]) -> Hint {
    let mut hint = Hint::new("did you mean ");
    for (at, command) in commands.iter().enumerate() {
        hint = if at == 0 { hint.run(command.clone()) } else { hint.text(" or ").run(command.clone()) };
    }
    hint.text("?").about(HintTopic::FindCommand)
}

fn is_number(text: &str) -> bool {
    text.starts_with('-') && text.len() > 1 && text[1..].parse::<f64>().is_ok()
}

/// The command or the flag of a line, without what follows it.
fn first_words<'t>(line: &&'t str) -> &'t str {
    line.split(" --").next().map_or(line, |line| match line.split_once(' ') {
        Some((flag, value))
            if value.contains(':') || ["eu", "us", "au", "toon", "table"].contains(&value) =>
        {
            flag
        }
        _ => line,
    })
}

/// A text of the error's context, as typed.
fn text(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => shown_argument(text),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::COMMANDS as REGISTRY;

    /// The message and the hint for a line that does not parse.
    fn refusal(line: &str) -> (String, String) {
        let typed: Vec<String> =
            std::iter::once("intercom-pp-cli").chain(line.split(' ')).map(str::to_owned).collect();
        let error = tree::command(&REGISTRY, &typed).try_get_matches_from(&typed).unwrap_err();
        let error = explained(&REGISTRY, &typed, error);
        let words = command_words(&REGISTRY, &typed);
        (error.to_string(), error.hint().map(|hint| hint.for_command(&words).to_string()).unwrap_or_default())
    }

    #[test]
    fn a_mistyped_command_finds_the_one_that_was_meant() {
        for (line, meant) in [
            ("conversation list", "conversations list"),
            ("contact list", "contacts list"),
            ("conversations lst", "conversations list"),
            ("contacts remove 5", "contacts delete"),
            ("tickets list", "tickets search"),
            ("serach refund", "search"),
            ("users", "contacts list"),
            ("article create", "articles create"),
            ("conversations bulk_tag", "conversations bulk-tag"),
            ("contcts", "contacts --help"),
        ] {
            let (message, hint) = refusal(line);
            let expected = format!("did you mean `intercom-pp-cli {meant}`");
            assert!(hint.starts_with(&expected), "{line}: {hint}");
            assert!(message.starts_with("unknown command"), "{line}: {message}");
        }
        let (message, hint) = refusal("config set region eu");
        assert_eq!(message, "unknown command \"config\"");
        assert!(hint.contains("`intercom-pp-cli auth status`"), "{hint}");
        let (_, hint) = refusal("segments update 5");
        assert!(!hint.contains("new version"), "{hint}");
        let (_, hint) = refusal("frobnicate");
        assert!(hint.contains("which"), "{hint}");
    }

    #[test]
    fn an_unknown_flag_finds_the_filter_or_the_flag_that_was_meant() {
        for (line, expected) in [
            (
                "conversations list --state open",
                "`intercom-pp-cli conversations search --where 'state = open'`",
            ),
            (
                "contacts search --email ann@x.io",
                "`intercom-pp-cli contacts search --where 'email = ann@x.io'`",
            ),
            ("contacts list --where role=user", "`intercom-pp-cli contacts search --where 'role=user'`"),
            ("tickets search --state=x", "`intercom-pp-cli tickets search --where 'state = x'`"),
            ("conversations list --limt 3", "did you mean --limit?"),
            ("contacts list --output x.csv", "did you mean --deliver file:PATH?"),
            ("contacts list --token abc", "set INTERCOM_ACCESS_TOKEN"),
            ("contacts list --frobnicate", "`intercom-pp-cli contacts list --help` shows what it accepts"),
        ] {
            let (message, hint) = refusal(line);
            assert!(hint.contains(expected), "{line}: {hint}");
            assert!(message.starts_with("unknown flag --"), "{line}: {message}");
        }
        let (_, hint) = refusal("search refund please");
        assert_eq!(hint, "quote it: `intercom-pp-cli search \"refund please\"`");
    }

    #[test]
    fn a_missing_argument_is_shown_in_an_example() {
        let (message, hint) = refusal("conversations get");
        assert_eq!(message, "missing: ID");
        assert!(hint.starts_with("for example `intercom-pp-cli conversations get "), "{hint}");
        assert!(hint.ends_with("`intercom-pp-cli conversations get --help` shows what it accepts"), "{hint}");
    }

    #[test]
    fn every_suggestion_in_the_data_exists_in_some_form() {
        let catalog = Catalog::new(&REGISTRY);
        for (typed, instead) in COMMANDS {
            let exists =
                |words: &&&str| words.starts_with('-') || catalog.entry(first_words(words)).is_some();
            assert!(instead.iter().any(|words| exists(&words)), "{typed}");
        }
        let globals = super::super::globals::arguments();
        let longs: Vec<&str> = globals.iter().filter_map(clap::Arg::get_long).collect();
        let of_commands = ["limit", "all", "where", "since", "until", "dry-run"];
        for (typed, instead) in FLAGS {
            let exists = |flag: &&&str| longs.contains(&first_words(flag)) || of_commands.contains(*flag);
            assert!(instead.iter().any(|flag| exists(&flag)), "{typed}");
        }
    }
}
