//! All commands as data: what each is called, does, takes, and shows as an example.
//!
//! For whoever presents commands without running them: MCP tools, `which`, `agent-context`, SKILL.md.
//! Everything comes from the operation table and from the commands' own declarations; nothing is said
//! twice, so nothing here can disagree with what runs.

mod entry;
mod example;
mod find;
mod parameter;

pub use entry::Entry;
pub use find::find;
pub use parameter::{Parameter, Shape};

use std::sync::OnceLock;

use clap::Command;

use super::commands;
use super::effect::Effect;
use crate::api::commands::OPERATIONS;

static HANDWRITTEN: OnceLock<Vec<Entry>> = OnceLock::new();
static ENDPOINTS: OnceLock<Vec<Entry>> = OnceLock::new();

/// All commands, hand-written ones first.
pub fn entries() -> Vec<&'static Entry> {
    handwritten().iter().chain(endpoints()).collect()
}

/// The commands that are no operation of the API.
pub fn handwritten() -> &'static [Entry] {
    HANDWRITTEN.get_or_init(|| {
        let mut entries = Vec::new();
        for command in commands::top_level() {
            leaves(&[], command, &mut entries);
        }
        for group in groups() {
            commands::in_group(group).into_iter().for_each(|command| leaves(&[group], command, &mut entries));
        }
        entries
    })
}

fn endpoints() -> &'static [Entry] {
    ENDPOINTS.get_or_init(|| OPERATIONS.iter().map(Entry::of_operation).collect())
}

/// The command of these words, in any spelling, or of a tool's name.
pub fn entry(name: &str) -> Option<&'static Entry> {
    let wanted = folded(name);
    let own = handwritten().iter().find(|entry| folded(&entry.words) == wanted);
    own.or_else(|| endpoints().iter().find(|entry| entry.spellings().any(|other| folded(other) == wanted)))
}

/// The groups of operations.
pub fn groups() -> Vec<&'static str> {
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

fn leaves(path: &[&str], mut command: Command, entries: &mut Vec<Entry>) {
    let name = command.get_name().to_owned();
    let words: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
    let below: Vec<Command> = command.get_subcommands().cloned().collect();
    if below.is_empty() {
        command.build();
        let words = words.join(" ");
        let effect = commands::effect(&words).unwrap_or(Effect::Terminal);
        entries.push(Entry::of_command(words, effect, command));
    }
    below.into_iter().for_each(|command| leaves(&words, command, entries));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_declares_its_effect() {
        let entries = handwritten();
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
        for entry in entries().iter().filter(|entry| entry.effect == Effect::Read) {
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
    fn every_argument_that_names_a_file_is_known_as_one() {
        for entry in handwritten().iter().filter(|entry| entry.effect != Effect::Terminal) {
            for parameter in &entry.parameters {
                let named = [
                    "db",
                    "input",
                    "output",
                    "out",
                    "journal",
                    "file",
                    "folder",
                    "dir",
                    "from_file",
                    "ids_file",
                ];
                let says = ["file's path", "from this file", "into this folder"];
                let is_path = named.contains(&parameter.name.as_str())
                    || says.iter().any(|it| parameter.help.contains(it));
                assert!(parameter.path || !is_path, "{}: {}", entry.words, parameter.name);
            }
        }
    }

    #[test]
    fn names_are_unique_and_fit_the_limits_of_clients() {
        let entries = entries();
        let mut names: Vec<String> = entries.iter().map(|entry| entry.tool_name()).collect();
        assert!(names.iter().all(|name| name.len() <= 64), "{names:?}");
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
            assert!(entry(name).is_some(), "{name}");
        }
        assert!(entry("nothing").is_none());
    }
}
