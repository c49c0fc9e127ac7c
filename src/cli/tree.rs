//! The clap tree: the operation table and the hand-written commands as one.
//!
//! Only what a command line mentions is built in full; of everything else there is the name and one
//! line. That keeps `--version` and `--help` instant with hundreds of commands. An operation is shown
//! under its readable name; every other spelling works and is not listed. A group that holds a single
//! operation can be called like that operation (`contacts archive <id>`).

use std::path::Path;

use clap::{Arg, Command};

use super::{commands, flags, globals};
use crate::api::commands::{OPERATIONS, SPEC_HASH, SPEC_VERSION};
use crate::api::operation::Operation;

/// The program that is `mcp` alone.
const SERVER: &str = "intercom-pp-mcp";

/// The command line as far as these words need it.
pub fn command(words: &[String]) -> Command {
    let root = Tree { words: Some(words) }.root();
    let program = words.first().and_then(|program| Path::new(program).file_stem());
    match program.is_some_and(|name| name == SERVER) {
        true => root.mut_subcommand("mcp", |it| it.override_usage(format!("{SERVER} [OPTIONS]"))),
        false => root,
    }
}

/// The whole command line, for completions and manuals.
pub fn everything() -> Command {
    Tree { words: None }.root()
}

struct Tree<'a> {
    /// The words that were typed; `None` builds everything.
    words: Option<&'a [String]>,
}

impl Tree<'_> {
    fn mentions(&self, word: &str) -> bool {
        self.words.is_none_or(|words| words.iter().any(|it| it == word))
    }

    fn root(&self) -> Command {
        let version = format!(
            "{} (Intercom API {SPEC_VERSION}, description {})",
            env!("CARGO_PKG_VERSION"),
            &SPEC_HASH[..12]
        );
        let mut root = Command::new("intercom-pp-cli")
            .about("Work with an Intercom workspace from a terminal, a script or an AI agent")
            .version(version)
            .subcommand_required(true)
            .arg_required_else_help(true)
            .args_override_self(true)
            .max_term_width(110)
            .after_help("Try it without an account: intercom-pp-cli demo")
            .args(globals::arguments());
        for handwritten in commands::top_level() {
            root = root.subcommand(self.handwritten(handwritten));
        }
        let mut groups: Vec<&str> =
            OPERATIONS.iter().flat_map(Operation::spellings).filter_map(|it| it.split(' ').next()).collect();
        groups.sort_unstable();
        groups.dedup();
        groups.into_iter().fold(root, |root, group| root.subcommand(self.top_level(group)))
    }

    /// A hand-written command takes the global flags at every level.
    fn handwritten(&self, command: Command) -> Command {
        if !self.mentions(command.get_name()) {
            return command;
        }
        // A command's own flag goes before a global one of the same name.
        let own = |flag: &Arg| command.get_arguments().any(|other| other.get_long() == flag.get_long());
        let missing: Vec<Arg> = globals::arguments().into_iter().filter(|flag| !own(flag)).collect();
        let command = command.args_override_self(true).args(missing);
        command.mut_subcommands(|below| self.handwritten(below))
    }

    /// A group, or an operation whose command is a single word.
    fn top_level(&self, word: &'static str) -> Command {
        match OPERATIONS.iter().find(|operation| operation.spellings().any(|it| it == word)) {
            Some(operation) => self.leaf(Command::new(word), operation),
            None => {
                let group = Command::new(word)
                    .about(group_help(word))
                    .subcommand_required(true)
                    .arg_required_else_help(true);
                match self.mentions(word) {
                    true => self.fill(group, word),
                    false => group,
                }
            }
        }
    }

    fn fill(&self, group: Command, word: &str) -> Command {
        let group = group.args_override_self(true).args(globals::arguments());
        let group = commands::in_group(word)
            .into_iter()
            .fold(group, |group, it| group.subcommand(self.handwritten(it)));
        self.fill_below(group, word)
    }

    /// Adds what the table has below a path of words.
    fn fill_below(&self, mut group: Command, path: &str) -> Command {
        let depth = path.split(' ').count();
        let mut words: Vec<&'static str> = OPERATIONS
            .iter()
            .flat_map(Operation::spellings)
            .filter(|it| is_below(it, path))
            .filter_map(|it| it.split(' ').nth(depth))
            .collect();
        words.sort_unstable();
        words.dedup();
        for word in words {
            group = group.subcommand(self.node(word, &format!("{path} {word}")));
        }
        group
    }

    /// What stands at a path: an operation, a group of one, or a group of several.
    fn node(&self, word: &'static str, path: &str) -> Command {
        let called = OPERATIONS.iter().find(|operation| operation.spellings().any(|it| it == path));
        if let Some(operation) = called {
            let shown = operation.spellings().next() == Some(path);
            return self.leaf(Command::new(word), operation).hide(!shown);
        }
        let shown = OPERATIONS.iter().filter_map(|it| it.spellings().next()).any(|it| is_below(it, path));
        if let Some(operation) = only_one_below(path) {
            let group = self.leaf(Command::new(word), operation).hide(!shown);
            return match self.mentions(word) {
                true => self.fill_below(
                    group.subcommand_negates_reqs(true).args_conflicts_with_subcommands(true),
                    path,
                ),
                false => group,
            };
        }
        let group = Command::new(word).about(group_help(path)).hide(!shown);
        let group = group.subcommand_required(true).arg_required_else_help(true);
        match self.mentions(word) {
            true => self.fill_below(group.args_override_self(true).args(globals::arguments()), path),
            false => group,
        }
    }

    fn leaf(&self, command: Command, operation: &'static Operation) -> Command {
        let command = command.about(operation.help);
        if !self.mentions(command.get_name()) {
            return command;
        }
        let version =
            operation.version.map(|version| format!(" (Intercom-Version {version})")).unwrap_or_default();
        let (method, path) = (operation.method.as_str(), operation.path);
        command
            .long_about(format!("{}\n\n{method} {path}{version}", operation.help))
            .args_override_self(true)
            .args(flags::of(operation))
            .args(globals::arguments())
    }
}

fn is_below(command: &str, path: &str) -> bool {
    command.strip_prefix(path).is_some_and(|rest| rest.starts_with(' '))
}

/// The operation that these words call.
pub fn operation(words: &[&str]) -> Option<&'static Operation> {
    let path = words.join(" ");
    let exact = OPERATIONS.iter().find(|operation| operation.spellings().any(|it| it == path));
    exact.or_else(|| only_one_below(&path))
}

/// The one operation of a group, if it has exactly one.
fn only_one_below(group: &str) -> Option<&'static Operation> {
    let mut below = OPERATIONS.iter().filter(|operation| operation.spellings().any(|it| is_below(it, group)));
    below.next().filter(|_| below.next().is_none())
}

/// One line for a group of commands.
fn group_help(path: &str) -> String {
    let known = [
        ("admins", "Teammates: list, look up, away mode, activity log"),
        ("ai", "Content that Fin answers from: import sources and external pages"),
        ("articles", "Help center articles"),
        ("calls", "Phone calls, their recordings and transcripts"),
        ("companies", "Companies and who belongs to them"),
        ("contacts", "People: users and leads, with their notes, tags, companies and subscriptions"),
        ("conversations", "Conversations: read, search, reply, assign, tag, measure"),
        ("custom-object-instances", "Instances of custom objects"),
        ("data-attributes", "Attributes of contacts, companies and conversations"),
        ("events", "Events that contacts have caused"),
        ("help-center", "Help centers and their collections"),
        ("intercom-export", "Exports of message data"),
        ("internal-articles", "Articles for teammates only"),
        ("news", "News items and newsfeeds"),
        ("segments", "Segments of people and companies"),
        ("tags", "Tags, and tagging in bulk"),
        ("teams", "Teams"),
        ("ticket-types", "Types of tickets and their attributes"),
        ("tickets", "Tickets: create, update, reply, search, tag"),
        ("visitors", "Anonymous visitors"),
    ];
    let found = known.iter().find(|(group, _)| *group == path).map(|(_, help)| (*help).to_owned());
    found.unwrap_or_else(|| {
        format!("Commands for {}", path.rsplit(' ').next().unwrap_or(path).replace('-', " "))
    })
}
