//! All commands as data: what each is called, does, takes, and shows as an example.
//!
//! For whoever presents commands without running them: MCP tools, `which`, `agent-context`, SKILL.md.
//! Everything comes from the operation table and from the commands' own declarations, which are handed
//! in; nothing is said twice, so nothing here can disagree with what runs.

mod entry;
mod example;
mod find;
mod parameter;

pub use entry::Entry;
pub use find::find;
pub use parameter::{Parameter, Shape};

use std::sync::OnceLock;

use clap::Command;

use super::effect::Effect;
use crate::api::commands::OPERATIONS;

/// All commands, described.
pub struct Catalog {
    handwritten: Vec<Entry>,
    /// Made when somebody asks: they are many.
    endpoints: OnceLock<Vec<Entry>>,
}

impl Catalog {
    /// The catalog of the operations and of these hand-written commands: those of the first level, and those
    /// in each group of operations. `effect` tells the declared effect of a command's words.
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

    /// The commands that are no operation of the API.
    pub fn handwritten(&self) -> &[Entry] {
        &self.handwritten
    }

    /// The command of these words, in any spelling, or of a tool's name.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        let wanted = folded(name);
        let own = self.handwritten.iter().find(|entry| folded(&entry.words) == wanted);
        let spelt = |entry: &&Entry| entry.spellings().any(|other| folded(other) == wanted);
        own.or_else(|| self.endpoints().iter().find(spelt))
    }

    fn endpoints(&self) -> &[Entry] {
        self.endpoints.get_or_init(|| OPERATIONS.iter().map(Entry::of_operation).collect())
    }
}

/// The groups of operations.
fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&str> = OPERATIONS
        .iter()
        .filter(|operation| operation.command.contains(' '))
        .filter_map(|operation| operation.command.split(' ').next())
        .collect();
    groups.dedup();
    groups
}

/// Words that differ only in what separates them are the same command.
fn folded(name: &str) -> String {
    name.trim().replace([' ', '-'], "_")
}

/// Adds the commands without commands below them.
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
    use crate::cli::door::{Content, access};
    use crate::cli::{catalog, commands, tree};

    #[test]
    fn every_command_declares_its_effect() {
        let entries = catalog().handwritten();
        let undeclared: Vec<_> = entries
            .iter()
            .filter(|entry| commands::effect(&entry.words).is_none())
            .map(|it| &it.words)
            .collect();
        assert!(undeclared.is_empty(), "declare the effect of {undeclared:?} in cli/commands/mod.rs");
    }

    #[test]
    fn what_carries_out_changes_is_no_read() {
        let changing = ["apply", "resume", "delete", "force", "prune", "full", "retry_unknown"];
        for entry in catalog().entries().iter().filter(|entry| entry.effect == Effect::Read) {
            let found = entry.parameters.iter().find(|it| changing.contains(&it.name.as_str()));
            assert!(found.is_none(), "{} --{}", entry.words, found.unwrap().name);
            let operation = entry.operation();
            let asks = |operation: &crate::api::operation::Operation| {
                let is_get = operation.method == crate::api::operation::Method::Get;
                is_get || ["/search", "/list"].iter().any(|end| operation.path.ends_with(end))
            };
            assert!(operation.is_none_or(asks), "{}", entry.words);
        }
    }

    #[test]
    fn what_is_said_to_name_a_file_is_declared_as_a_file() {
        fn all(command: &Command, found: &mut Vec<String>) {
            for argument in command.get_arguments() {
                let shown = argument.get_value_names().and_then(|names| names.first()).map(|it| it.as_str());
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                let names_file = matches!(shown, Some("PATH" | "FILE" | "FOLDER" | "DIR" | "DIRECTORY"));
                let takes_file = help.contains("@file") || help.contains("@FILE");
                let is_content = argument.get_value_parser().type_id() == std::any::TypeId::of::<Content>();
                if (names_file && access(argument).is_none()) || (takes_file && !is_content) {
                    found.push(format!("{} {}", command.get_name(), argument.get_id()));
                }
            }
            command.get_subcommands().for_each(|below| all(below, found));
        }
        let mut found = Vec::new();
        all(&tree::everything(), &mut found);
        // The settings of whoever runs the program; the config layer opens it.
        found.retain(|it| !it.ends_with(" config"));
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn names_are_unique_and_fit_the_limits_of_clients() {
        let entries = catalog().entries();
        let mut names: Vec<String> = entries.iter().map(|entry| entry.tool_name()).collect();
        // Clients put the server's name before it, and take 60 letters in all.
        let long: Vec<&String> = names.iter().filter(|name| name.len() > 42).collect();
        assert!(long.is_empty(), "give these a shorter readable spelling: {long:?}");
        let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        assert!(names.iter().all(|name| name.chars().all(fits)), "{names:?}");
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        for entry in &entries {
            let mut names: Vec<&str> = entry.parameters.iter().map(|it| it.name.as_str()).collect();
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
