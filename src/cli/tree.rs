//! The clap tree: operations and hand-written commands combined.
//!
//! Only the commands mentioned on the command line are built in full; all others consist of a name and one line
//! of help, which keeps `--version` and `--help` instant. An operation is listed under its readable name; other
//! spellings work but are hidden. A group with a single operation can be called like that operation
//! (`contacts archive <id>`).

use std::path::Path;

use clap::{Arg, ArgMatches, Command};

use super::registry::{Registration, Registry};
use super::{flags, globals};
use crate::api::commands::{OPERATIONS, SPEC_HASH, SPEC_VERSION};
use crate::api::operation::Operation;

/// The binary that only runs `mcp`.
const SERVER: &str = "intercom-pp-mcp";

/// Builds the command line as far as these words need it.
pub fn command(registry: &Registry, words: &[String]) -> Command {
    let root = Tree { registry, words: Some(words) }.root();
    let program = words.first().and_then(|program| Path::new(program).file_stem());
    if program.is_some_and(|name| name == SERVER) {
        root.mut_subcommand("mcp", |command| command.override_usage(format!("{SERVER} [OPTIONS]")))
    } else {
        root
    }
}

/// Builds the whole command line, for manuals.
pub fn everything(registry: &Registry) -> Command {
    Tree { registry, words: None }.root()
}

/// The words of the parsed command, and the matches of each level, outermost first.
pub fn levels(matches: &ArgMatches) -> (Vec<&str>, Vec<&ArgMatches>) {
    let (mut words, mut levels) = (Vec::new(), vec![matches]);
    let mut level = matches;
    while let Some((word, below)) = level.subcommand() {
        words.push(word);
        levels.push(below);
        level = below;
    }
    (words, levels)
}

struct Tree<'a> {
    registry: &'a Registry,
    /// The words that were typed; `None` builds everything.
    words: Option<&'a [String]>,
}

impl Tree<'_> {
    fn mentions(&self, word: &str) -> bool {
        self.words.is_none_or(|words| words.iter().any(|typed| typed == word))
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
        for word in self.handwritten_words() {
            root = root.subcommand(self.handwritten_at(word));
        }
        let mut groups: Vec<&str> = OPERATIONS
            .iter()
            .flat_map(Operation::spellings)
            .filter_map(|name| name.split(' ').next())
            .collect();
        groups.sort_unstable();
        groups.dedup();
        groups.into_iter().fold(root, |root, group| root.subcommand(self.top_level(group)))
    }

    /// The first words of hand-written commands that are not in a group of operations.
    fn handwritten_words(&self) -> Vec<&'static str> {
        let mut words: Vec<&'static str> = Vec::new();
        for command in self.registry.commands() {
            let (first, is_group) =
                command.words.split_once(' ').map_or((command.words, false), |(first, _)| (first, true));
            let is_own = !is_group || self.registry.group(first).is_some();
            if is_own && !words.contains(&first) {
                words.push(first);
            }
        }
        words
    }

    /// A hand-written command of a single word, or a group that has only hand-written commands.
    fn handwritten_at(&self, word: &'static str) -> Command {
        if let Some(command) = self.registry.find(word) {
            return self.handwritten(command);
        }
        let group = Command::new(word).subcommand_required(true).arg_required_else_help(true);
        let group = match self.registry.group(word) {
            Some(help) if help.after_help.is_empty() => group.about(help.about),
            Some(help) => group.about(help.about).after_help(help.after_help),
            None => group,
        };
        self.with_global_flags(self.with_handwritten(group, word))
    }

    fn handwritten(&self, command: &Registration) -> Command {
        self.with_global_flags(command.command())
    }

    /// Adds the global flags that a command does not declare itself.
    fn with_global_flags(&self, command: Command) -> Command {
        if !self.mentions(command.get_name()) {
            return command;
        }
        // A command's flag takes precedence over a global flag of the same name.
        let is_declared =
            |flag: &Arg| command.get_arguments().any(|other| other.get_long() == flag.get_long());
        let missing: Vec<Arg> = globals::arguments().into_iter().filter(|flag| !is_declared(flag)).collect();
        command.args_override_self(true).args(missing)
    }

    /// Builds a group, or an operation whose command is a single word.
    fn top_level(&self, word: &'static str) -> Command {
        match spelled(word) {
            Some(operation) => self.leaf(Command::new(word), operation),
            None => {
                let group = Command::new(word)
                    .about(group_help(word))
                    .subcommand_required(true)
                    .arg_required_else_help(true);
                if self.mentions(word) { self.fill(group, word) } else { group }
            }
        }
    }

    fn fill(&self, group: Command, word: &str) -> Command {
        let group = group.args_override_self(true).args(globals::arguments());
        self.fill_below(self.with_handwritten(group, word), word)
    }

    /// Adds the hand-written commands of a group.
    fn with_handwritten(&self, group: Command, word: &str) -> Command {
        let below = self.registry.commands().filter(|command| is_below(command.words, word));
        group.subcommands(below.map(|command| self.handwritten(command)))
    }

    /// Adds the operations below a path of words.
    fn fill_below(&self, mut group: Command, path: &str) -> Command {
        let depth = path.split(' ').count();
        let mut words: Vec<&'static str> = OPERATIONS
            .iter()
            .flat_map(Operation::spellings)
            .filter(|name| is_below(name, path))
            .filter_map(|name| name.split(' ').nth(depth))
            .collect();
        words.sort_unstable();
        words.dedup();
        for word in words {
            group = group.subcommand(self.node(word, &format!("{path} {word}")));
        }
        group
    }

    /// Builds the command at a path: an operation, or a group of one or several operations.
    fn node(&self, word: &'static str, path: &str) -> Command {
        if let Some(operation) = spelled(path) {
            let is_listed = operation.spellings().next() == Some(path);
            return self.leaf(Command::new(word), operation).hide(!is_listed);
        }
        let mut listed = OPERATIONS.iter().filter_map(|operation| operation.spellings().next());
        let is_listed = listed.any(|name| is_below(name, path));
        if let Some(operation) = only_one_below(path) {
            let group = self.leaf(Command::new(word), operation).hide(!is_listed);
            if !self.mentions(word) {
                return group;
            }
            let group = group.subcommand_negates_reqs(true).args_conflicts_with_subcommands(true);
            return self.fill_below(group, path);
        }
        let group = Command::new(word).about(group_help(path)).hide(!is_listed);
        let group = group.subcommand_required(true).arg_required_else_help(true);
        if !self.mentions(word) {
            return group;
        }
        self.fill_below(group.args_override_self(true).args(globals::arguments()), path)
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

/// The operation called by these words.
pub fn operation(words: &[&str]) -> Option<&'static Operation> {
    let path = words.join(" ");
    spelled(&path).or_else(|| only_one_below(&path))
}

/// The operation that is spelled like this.
fn spelled(path: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.spellings().any(|name| name == path))
}

/// The operation of a group that has exactly one.
fn only_one_below(group: &str) -> Option<&'static Operation> {
    let mut below =
        OPERATIONS.iter().filter(|operation| operation.spellings().any(|name| is_below(name, group)));
    below.next().filter(|_| below.next().is_none())
}

/// The help line of a group.
fn group_help(path: &str) -> String {
    let groups = [
        ("admins", "Teammates: list, look up, away mode, activity log"),
        ("ai", "Content that Fin uses: import sources and external pages"),
        ("articles", "Help center articles"),
        ("calls", "Phone calls, their recordings and transcripts"),
        ("companies", "Companies and their contacts"),
        ("contacts", "People: users and leads, with their notes, tags, companies and subscriptions"),
        ("conversations", "Conversations: read, search, reply, assign, tag, measure"),
        ("custom-object-instances", "Instances of custom objects"),
        ("data-attributes", "Attributes of contacts, companies and conversations"),
        ("events", "Events of contacts"),
        ("help-center", "Help centers and their collections"),
        ("intercom-export", "Exports of message data"),
        ("internal-articles", "Articles for teammates only"),
        ("news", "News items and newsfeeds"),
        ("segments", "Segments of people and companies"),
        ("tags", "Tags: list, create, delete"),
        ("teams", "Teams"),
        ("ticket-types", "Types of tickets and their attributes"),
        ("tickets", "Tickets: create, update, reply, search, tag"),
        ("visitors", "Anonymous visitors"),
    ];
    let help = groups.iter().find(|(group, _)| *group == path).map(|(_, help)| (*help).to_owned());
    help.unwrap_or_else(|| {
        format!("Commands for {}", path.rsplit(' ').next().unwrap_or(path).replace('-', " "))
    })
}
