//! The program: all commands, those of the command line and the MCP server, in one list.
//!
//! Above all other modules, because the MCP server both runs the commands and is one of them.

use crate::cli::registry::Registry;
use crate::{cli, mcp};

/// All hand-written commands.
pub static COMMANDS: Registry =
    Registry::new(&[cli::commands::COMMANDS, cli::meta::COMMANDS, mcp::COMMANDS], cli::commands::GROUPS);

/// Descriptions of all commands, for tests.
#[cfg(test)]
pub(crate) fn catalog() -> &'static cli::catalog::Catalog {
    static CATALOG: std::sync::OnceLock<cli::catalog::Catalog> = std::sync::OnceLock::new();
    CATALOG.get_or_init(|| cli::catalog::Catalog::new(&COMMANDS))
}

#[cfg(test)]
#[path = "codegen/handwritten.rs"]
#[allow(dead_code, reason = "used by the generator; the test compares it")]
mod handwritten;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::Command;

    use super::*;
    use crate::cli::files::{Content, access};
    use crate::cli::registry::Effect;
    use crate::cli::tree;

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
        collect(&tree::everything(&COMMANDS), &mut undeclared);
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

    /// Otherwise an operation of another API version could take the name of a command.
    #[test]
    fn the_generator_knows_all_handwritten_commands() {
        let groups = crate::api::commands::OPERATIONS.iter().map(|operation| operation.command);
        let groups: BTreeSet<&str> = groups.filter_map(|words| words.split(' ').next()).collect();
        let is_below = |words: &&str| words.split_once(' ').is_some_and(|(group, _)| groups.contains(group));
        let (below, own): (Vec<&str>, Vec<&str>) =
            COMMANDS.commands().map(|command| command.words).partition(is_below);
        let own = own.into_iter().filter_map(|words| words.split(' ').next()).chain(["help"]);
        assert_eq!(own.collect::<BTreeSet<_>>(), handwritten::TOP_LEVEL.iter().copied().collect());
        assert_eq!(
            below.into_iter().collect::<BTreeSet<_>>(),
            handwritten::IN_GROUPS.iter().copied().collect()
        );
    }
}
