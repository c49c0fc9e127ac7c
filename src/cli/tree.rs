//! The clap tree: operations and hand-written commands combined.
//!
//! Only the commands mentioned on the command line are built in full; all others consist of a name and one line
//! of help, which keeps `--version` and `--help` instant. An operation is listed under its readable name; other
//! spellings work but are hidden. A group with a single operation can be called like that operation
//! (`contacts archive ID`).

use std::path::Path;

use clap::{Arg, ArgMatches, Command, Id};

use super::catalog::example_of;
use super::help::{self, Detail, sections};
use super::registry::{Registration, Registry};
use super::{aliases, flags, globals};
use crate::api::commands::{OPERATIONS, SPEC_HASH, SPEC_VERSION};
use crate::api::operation::Operation;

/// The command that explains the others.
const HELP: &str = "help";

/// The binary that only runs `mcp`.
const SERVER: &str = "intercom-pp-mcp";

/// Builds the command line as far as these words need it.
pub fn command(registry: &Registry, words: &[String]) -> Command {
    let root = Tree { registry, words: Some(words) }.root();
    let program = words.first().and_then(|program| Path::new(program).file_stem());
    if program.is_some_and(|name| name == SERVER) {
        root.mut_subcommand("mcp", |command| {
            let command = command.override_usage(format!("{SERVER} [OPTIONS]"));
            match Detail::asked(words) {
                Some(detail) => help::attach(command, "mcp", Vec::new(), detail),
                None => command,
            }
        })
    } else {
        root
    }
}

/// Builds the whole command line, for manuals.
pub fn everything(registry: &Registry) -> Command {
    Tree { registry, words: None }.root()
}

/// Whether a top-level command is an operation of the API, or a group that contains some.
pub fn is_api_group(word: &str) -> bool {
    OPERATIONS.iter().flat_map(Operation::spellings).any(|name| name.split(' ').next() == Some(word))
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

    /// The help that the words ask for. Manuals have their own layout.
    fn detail(&self) -> Option<Detail> {
        Detail::asked(self.words?)
    }

    /// Whether the command line calls `help` itself, which also explains topics. Below a group, `help` is that of clap.
    fn is_help_called(&self) -> bool {
        let is_command = |word: &&String| {
            *word == HELP
                || is_api_group(word)
                || self.registry.commands().any(|command| is_first(command.words, word))
        };
        let Some(words) = self.words else { return true };
        self.mentions(HELP) && words.iter().skip(1).find(is_command).is_some_and(|word| word == HELP)
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
            .disable_help_subcommand(self.is_help_called())
            .args(globals::arguments());
        // Answered before any command is looked at.
        if matches!(self.words, Some([_, flag]) if flag == "--version" || flag == "-V") {
            return root;
        }
        for word in self.handwritten_words() {
            root = root.subcommand(self.handwritten_at(word));
        }
        root = root.subcommands(self.aliases());
        let mut groups: Vec<&str> = OPERATIONS
            .iter()
            .flat_map(Operation::spellings)
            .filter_map(|name| name.split(' ').next())
            .collect();
        groups.sort_unstable();
        groups.dedup();
        let root = groups.into_iter().fold(root, |root, group| root.subcommand(self.top_level(group)));
        if self.words.is_none_or(|words| words.len() > 1 && self.detail().is_none()) {
            return root;
        }
        help::attach_to_root(root, &|words| self.exists(words))
    }

    /// Whether a command or group with these words exists.
    fn exists(&self, words: &str) -> bool {
        let is_or_contains = |name: &str| name == words || is_below(name, words);
        self.registry.commands().any(|command| is_or_contains(command.words))
            || OPERATIONS.iter().flat_map(Operation::spellings).any(is_or_contains)
    }

    /// Adds the help page of a command that is called by `path`.
    fn explained(&self, command: Command, path: &str, example: Option<String>) -> Command {
        match self.detail() {
            Some(detail) => help::attach(command, path, example.into_iter().collect(), detail),
            None => command,
        }
    }

    /// Adds the help page of a group, which is also printed if no command follows.
    fn explained_group(&self, group: Command, path: &str) -> Command {
        if self.words.is_none() {
            return group;
        }
        let is_own = |name: &str| self.registry.find(&format!("{path} {name}")).is_some();
        let sections = sections::of_group(&group, path, &is_own);
        help::attach_to_group(group, path, sections, self.detail().unwrap_or(Detail::Full))
    }

    /// The first words of hand-written commands that are not in a group of operations.
    fn handwritten_words(&self) -> Vec<&'static str> {
        let mut words: Vec<&'static str> = Vec::new();
        for command in self.registry.commands() {
            let (first, is_group) =
                command.words.split_once(' ').map_or((command.words, false), |(first, _)| (first, true));
            let is_own = !is_group || self.registry.group(first).is_some();
            let is_callable = first != HELP || self.is_help_called();
            if is_own && is_callable && !words.contains(&first) {
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
        if !self.mentions(word) {
            return group;
        }
        self.explained_group(self.with_global_flags(self.with_handwritten(group, word)), word)
    }

    /// Hidden words for commands, as far as they were typed.
    fn aliases(&self) -> Vec<Command> {
        let is_typed = |word: &str| self.words.is_some() && self.mentions(word);
        let typed = aliases::ALIASES.iter().filter(|(alias, _)| is_typed(alias));
        let commands = typed.filter_map(|(alias, words)| {
            let command = self.registry.find(words)?.command().name(*alias).hide(true);
            Some(self.with_global_flags(command))
        });
        let version = is_typed(aliases::VERSION).then(|| Command::new(aliases::VERSION).hide(true));
        commands.chain(version).collect()
    }

    fn handwritten(&self, registration: &Registration) -> Command {
        let command = registration.command();
        if !self.mentions(command.get_name()) {
            return self.with_global_flags(command);
        }
        let command = match only_one_below(registration.words) {
            Some(operation) => self.with_operation(command, registration.words, operation),
            None => self.with_own_commands(command, registration.words),
        };
        self.explained(self.with_global_flags(command), registration.words, None)
    }

    /// Adds the hand-written commands below one that can be called itself, such as `api versions`.
    fn with_own_commands(&self, command: Command, words: &str) -> Command {
        if !self.registry.commands().any(|other| is_below(other.words, words)) {
            return command;
        }
        let command = command.subcommand_negates_reqs(true).disable_help_subcommand(true);
        self.with_handwritten(command, words)
    }

    /// Adds the operation whose group has the same words: its flags, which cannot be mixed with those of the command,
    /// and the longer spelling.
    fn with_operation(&self, command: Command, path: &str, operation: &'static Operation) -> Command {
        let own: Vec<(Id, Option<String>, bool)> = command
            .get_arguments()
            .map(|own| (own.get_id().clone(), own.get_long().map(str::to_owned), own.is_required_set()))
            .collect();
        let is_free = |flag: &Arg| own.iter().all(|(_, long, _)| long.as_deref() != flag.get_long());
        let others: Vec<Id> =
            own.iter().filter(|(_, _, required)| !required).map(|(id, ..)| id.clone()).collect();
        let flags = flags::of(operation).into_iter().filter(|flag| !flag.is_positional() && is_free(flag));
        let flags = flags.map(|flag| flag.hide(true).conflicts_with_all(others.clone()));
        let command = command.args(flags.collect::<Vec<_>>());
        let command = command.subcommand_negates_reqs(true).args_conflicts_with_subcommands(true);
        self.fill_below(command, path).mut_subcommands(|below| below.hide(true))
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
            Some(operation) => {
                let is_listed = operation.spellings().next() == Some(word);
                self.leaf(Command::new(word), operation, word).hide(!is_listed)
            }
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
        let group = self.fill_below(self.with_handwritten(group, word), word);
        self.explained_group(group, word)
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
            let below = format!("{path} {word}");
            // A hand-written command with these words has the operations below it.
            if self.registry.find(&below).is_none() {
                group = group.subcommand(self.node(word, &below));
            }
        }
        group
    }

    /// Builds the command at a path: an operation, or a group of one or several operations.
    fn node(&self, word: &'static str, path: &str) -> Command {
        if let Some(operation) = spelled(path) {
            let is_listed = operation.spellings().next() == Some(path);
            return self.leaf(Command::new(word), operation, path).hide(!is_listed);
        }
        let mut listed = OPERATIONS.iter().filter_map(|operation| operation.spellings().next());
        let is_listed = listed.any(|name| is_below(name, path));
        if let Some(operation) = only_one_below(path) {
            let group = self.leaf(Command::new(word), operation, path).hide(!is_listed);
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
        let group = self.fill_below(group.args_override_self(true).args(globals::arguments()), path);
        self.explained_group(group, path)
    }

    fn leaf(&self, command: Command, operation: &'static Operation, path: &str) -> Command {
        let command = command.about(operation.help);
        if !self.mentions(command.get_name()) {
            return command;
        }
        let version =
            operation.version.map(|version| format!(" (Intercom-Version {version})")).unwrap_or_default();
        let method = operation.method.as_str();
        let command = command
            .long_about(format!("{}\n\n{method} {}{version}", operation.help, operation.path))
            .args_override_self(true)
            .args(flags::of(operation))
            .args(globals::arguments());
        self.explained(command, path, example_of(path, operation).ok())
    }
}

/// Whether a command's first word is this one.
fn is_first(command: &str, word: &str) -> bool {
    command.split(' ').next() == Some(word)
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
        ("admins", "Teammates, their away mode and their activity log"),
        ("ai", "Content that Fin uses: import sources and external pages"),
        ("articles", "Help center articles"),
        ("brands", "Brands of the workspace"),
        ("articles draft", "Unpublished text of a published article"),
        ("articles tags", "Tags of an article"),
        ("articles versions", "Earlier texts of an article"),
        ("audiences", "Groups of contacts that content for Fin can be limited to"),
        ("calls", "Phone calls, their recordings and transcripts"),
        ("companies", "Companies and their contacts"),
        ("companies contacts", "Contacts of a company"),
        ("companies notes", "Notes about a company"),
        ("companies segments", "Segments of a company"),
        ("contacts", "People: users and leads, with notes, tags, companies and subscriptions"),
        ("contacts banners", "Banners that a contact sees"),
        ("contacts companies", "Companies of a contact"),
        ("contacts merge-history", "Contacts that were merged into a user"),
        ("contacts notes", "Notes about a contact"),
        ("contacts segments", "Segments of a contact"),
        ("contacts subscriptions", "Subscriptions of a contact to kinds of messages"),
        ("contacts tags", "Tags of a contact"),
        ("content", "Articles, snippets, external pages and files together: search, bulk actions"),
        ("content bulk-actions", "Changes of up to 1,000 pieces of content"),
        ("content-snippets", "Short texts that Fin and Copilot answer from"),
        ("content-snippets tags", "Tags of a snippet"),
        ("conversations", "Conversations: read, search, reply, assign, tag, measure"),
        ("conversations attributes", "Attributes that conversations can have"),
        ("conversations attributes options", "Options of a list attribute of conversations"),
        ("conversations customers", "Contacts in a conversation"),
        ("conversations side", "Side conversations of a conversation"),
        ("conversations tags", "Tags of a conversation"),
        ("conversations handling-events", "Pauses of teammates in a conversation"),
        ("custom-object-instances", "Instances of custom objects"),
        ("data-attributes", "Attributes of contacts, companies and conversations"),
        ("data-connectors", "Connectors that let workflows and Fin use other systems"),
        ("data-connectors execution-results", "Requests that a data connector made"),
        ("emails", "Addresses that the workspace sends email from"),
        ("events", "Events of contacts"),
        ("fin", "Fin in your own channel: start, reply, rating"),
        ("fin-voice", "Phone calls that Fin takes"),
        ("help-center", "Help centers and their collections"),
        ("help-center redirects", "Redirects from old addresses of a help center"),
        ("intercom-export", "Exports of message data"),
        ("internal-articles", "Articles for teammates only"),
        ("ip-allowlist", "Addresses from which teammates may use the workspace"),
        ("jobs", "Progress of work in the background"),
        ("message-status", "Delivery of WhatsApp messages"),
        ("internal-articles tags", "Tags of an internal article"),
        ("macros", "Macros, also called saved replies"),
        ("news", "News items and newsfeeds"),
        ("office-hours", "Weekly office hours, and dates with other hours"),
        ("office-hours exceptions", "Dates on which a schedule has other hours"),
        ("reporting-export", "Exports of reporting data"),
        ("segments", "Segments of people and companies"),
        ("tags", "Tags of the workspace"),
        ("teams", "Teams and their members"),
        ("ticket-types", "Types of tickets and their attributes"),
        ("ticket-types attributes", "Attributes of a ticket type"),
        ("tickets", "Tickets: create, update, reply, search, tag"),
        ("tickets tags", "Tags of a ticket"),
        ("visitors", "Anonymous visitors"),
        ("workflows", "Workflows and their definitions"),
    ];
    let help = groups.iter().find(|(group, _)| *group == path).map(|(_, help)| (*help).to_owned());
    help.unwrap_or_else(|| {
        let words = path.rsplit(' ').next().unwrap_or(path).replace('-', " ");
        words.chars().next().map_or_else(String::new, |first| {
            format!("{}{}", first.to_uppercase(), &words[first.len_utf8()..])
        })
    })
}
