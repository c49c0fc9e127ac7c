//! All commands as data: name, effect, parameters and an example.
//!
//! For MCP tools, `which`, `agent-context` and SKILL.md, which describe commands without running them. Everything
//! is derived from the operation table and the clap declarations, so descriptions cannot differ from what runs.

mod entry;
mod example;
mod find;
mod parameter;

pub use entry::Entry;
pub use find::find;
pub use parameter::{Parameter, Shape};

use std::sync::OnceLock;

use clap::Command;

use crate::api::commands::OPERATIONS;

/// What a command does, for granting permission to run it in an MCP server or a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Read,
    /// Changes local files (mirror, exports, articles), not the workspace.
    Local,
    /// Adds to the workspace, or changes it in a way that can be undone.
    Write,
    /// Overwrites or removes something in the workspace, reaches customers, or cannot be undone.
    Destructive,
    /// For people at a terminal: reads secrets, runs until interrupted, or prints for a shell.
    Terminal,
}

impl Effect {
    pub fn name(self) -> &'static str {
        match self {
            Effect::Read => "read",
            Effect::Local => "local",
            Effect::Write => "write",
            Effect::Destructive => "destructive",
            Effect::Terminal => "terminal",
        }
    }
}

/// Descriptions of all commands.
pub struct Catalog {
    handwritten: Vec<Entry>,
    /// Built on first use, since there are many.
    endpoints: OnceLock<Vec<Entry>>,
}

impl Catalog {
    /// Combines the operations with the hand-written commands: those at the top level and those in each group of
    /// operations. `effect` returns the declared effect of a command.
    pub fn new(
        top_level: Vec<Command>,
        in_group: fn(&str) -> Vec<Command>,
        effect: fn(&str) -> Option<Effect>,
    ) -> Self {
        let mut handwritten = Vec::new();
        top_level.into_iter().for_each(|command| leaves(&[], command, effect, &mut handwritten));
        for group in groups() {
            in_group(group)
                .into_iter()
                .for_each(|command| leaves(&[group], command, effect, &mut handwritten));
        }
        Catalog { handwritten, endpoints: OnceLock::new() }
    }

    /// All commands, hand-written ones first.
    pub fn entries(&self) -> Vec<&Entry> {
        self.handwritten.iter().chain(self.endpoints()).collect()
    }

    /// The commands that are not operations of the API.
    pub fn handwritten(&self) -> &[Entry] {
        &self.handwritten
    }

    /// Finds a command by any spelling of its words, or by its tool name.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        let key = lookup_key(name);
        let handwritten = self.handwritten.iter().find(|entry| lookup_key(&entry.words) == key);
        let is_spelling = |entry: &&Entry| entry.spellings().any(|spelling| lookup_key(spelling) == key);
        handwritten.or_else(|| self.endpoints().iter().find(is_spelling))
    }

    fn endpoints(&self) -> &[Entry] {
        self.endpoints.get_or_init(|| OPERATIONS.iter().map(Entry::of_operation).collect())
    }
}

fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&str> = OPERATIONS
        .iter()
        .filter(|operation| operation.command.contains(' '))
        .filter_map(|operation| operation.command.split(' ').next())
        .collect();
    groups.dedup();
    groups
}

/// Words that differ only in their separators mean the same command.
fn lookup_key(name: &str) -> String {
    name.trim().replace([' ', '-'], "_")
}

/// Adds the commands that have no subcommands.
fn leaves(path: &[&str], mut command: Command, effect: fn(&str) -> Option<Effect>, entries: &mut Vec<Entry>) {
    let name = command.get_name().to_owned();
    let words: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
    let below: Vec<Command> = command.get_subcommands().cloned().collect();
    if below.is_empty() {
        command.build();
        let words = words.join(" ");
        let declared = effect(&words).unwrap_or(Effect::Terminal);
        entries.push(Entry::of_command(words, declared, command));
    }
    below.into_iter().for_each(|command| leaves(&words, command, effect, entries));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::files::{Content, access};
    use crate::cli::{catalog, commands, tree};

    #[test]
    fn every_command_declares_its_effect() {
        let entries = catalog().handwritten();
        let undeclared: Vec<_> = entries
            .iter()
            .filter(|entry| commands::effect(&entry.words).is_none())
            .map(|entry| &entry.words)
            .collect();
        assert!(undeclared.is_empty(), "declare the effect of {undeclared:?} in cli/commands/mod.rs");
    }

    #[test]
    fn commands_that_apply_changes_are_not_reads() {
        let changing = ["apply", "resume", "delete", "force", "prune", "full", "retry_unknown"];
        for entry in catalog().entries().iter().filter(|entry| entry.effect == Effect::Read) {
            let change =
                entry.parameters.iter().find(|parameter| changing.contains(&parameter.name.as_str()));
            assert!(change.is_none(), "{} --{}", entry.words, change.unwrap().name);
            let operation = entry.operation();
            let is_read = |operation: &crate::api::operation::Operation| {
                let is_get = operation.method == crate::api::operation::Method::Get;
                is_get || ["/search", "/list"].iter().any(|end| operation.path.ends_with(end))
            };
            assert!(operation.is_none_or(is_read), "{}", entry.words);
        }
    }

    #[test]
    fn arguments_that_name_files_have_a_file_type() {
        fn collect(command: &Command, undeclared: &mut Vec<String>) {
            for argument in command.get_arguments() {
                let value_name =
                    argument.get_value_names().and_then(|names| names.first()).map(|name| name.as_str());
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                let names_file = matches!(value_name, Some("PATH" | "FILE" | "FOLDER" | "DIR" | "DIRECTORY"));
                let takes_file = help.contains("@file") || help.contains("@FILE");
                let is_content = argument.get_value_parser().type_id() == std::any::TypeId::of::<Content>();
                if (names_file && access(argument).is_none()) || (takes_file && !is_content) {
                    undeclared.push(format!("{} {}", command.get_name(), argument.get_id()));
                }
            }
            command.get_subcommands().for_each(|below| collect(below, undeclared));
        }
        let mut undeclared = Vec::new();
        collect(&tree::everything(), &mut undeclared);
        // `--config` is opened by the config layer.
        undeclared.retain(|argument| !argument.ends_with(" config"));
        assert_eq!(undeclared, Vec::<String>::new());
    }

    #[test]
    fn tool_names_are_unique_and_within_client_limits() {
        let entries = catalog().entries();
        let mut names: Vec<String> = entries.iter().map(|entry| entry.tool_name()).collect();
        // Clients prefix the server's name, and accept 60 characters in total.
        let long: Vec<&String> = names.iter().filter(|name| name.len() > 42).collect();
        assert!(long.is_empty(), "give these a shorter readable spelling: {long:?}");
        let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        assert!(names.iter().all(|name| name.chars().all(is_allowed)), "{names:?}");
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        for entry in &entries {
            let mut names: Vec<&str> =
                entry.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all, "{}", entry.words);
        }
    }

    #[test]
    fn every_spelling_finds_its_command() {
        for name in [
            "contacts list",
            "contacts_list",
            "contacts companies attach-contact-to-acompany",
            "contacts_companies_attach-contact-to-acompany",
            "contacts_companies_attach_contact_to_acompany",
            "companies get",
            "conversations sla",
            "conversations_sla",
            "sql",
        ] {
            assert!(catalog().entry(name).is_some(), "{name}");
        }
        assert!(catalog().entry("nothing").is_none());
    }
}
