//! The topics of `help`: their names and texts.

use super::{EXIT_CODES, flag_groups};
use crate::api::commands::OPERATIONS;
use crate::cli::help::{self, Section, command_row, sections};
use crate::cli::registry::Registry;
use crate::cli::tree;

/// A topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    Api,
    Commands,
    Dates,
    Environment,
    ExitCodes,
    Filters,
    Flags,
    Output,
    Profiles,
}

impl Topic {
    const ALL: [(&'static str, Topic); 9] = [
        ("api", Topic::Api),
        ("commands", Topic::Commands),
        ("dates", Topic::Dates),
        ("environment", Topic::Environment),
        ("exit-codes", Topic::ExitCodes),
        ("filters", Topic::Filters),
        ("flags", Topic::Flags),
        ("output", Topic::Output),
        ("profiles", Topic::Profiles),
    ];

    pub fn names() -> Vec<String> {
        Topic::ALL.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    pub fn named(word: &str) -> Option<Self> {
        Topic::ALL.iter().find(|(name, _)| *name == word).map(|(_, topic)| *topic)
    }

    pub fn text(self, registry: &Registry) -> String {
        let text = match self {
            Topic::Api => api(registry),
            Topic::Commands => commands(registry),
            Topic::Dates => include_str!("topics/dates.txt").to_owned(),
            Topic::Environment => include_str!("topics/environment.txt").to_owned(),
            Topic::ExitCodes => exit_codes(),
            Topic::Filters => include_str!("topics/filters.txt").to_owned(),
            Topic::Flags => flag_groups::text(),
            Topic::Output => include_str!("topics/output.txt").to_owned(),
            Topic::Profiles => include_str!("topics/profiles.txt").to_owned(),
        };
        format!("{}\n", text.trim_end())
    }
}

/// The groups of the API that are not on the first screen.
fn api(registry: &Registry) -> String {
    let is_other = |word: &str| !sections::is_on_first_screen(word) && !sections::is_hidden(word);
    let groups = section(registry, "Other groups and commands of the API", &is_other);
    format!(
        "Every operation of the API is a command ({} in all). Those about conversations,\n\
         contacts, companies, tickets and articles are in the groups of these names.\n\n{}\n\n\
         List the commands of a group:   intercom-pp-cli tags --help\n\
         Send any other request:         intercom-pp-cli api GET /me\n\
         Find a command by its purpose:  intercom-pp-cli which \"merge two contacts\"",
        OPERATIONS.len(),
        help::list(&[groups])
    )
}

/// All top-level commands.
fn commands(registry: &Registry) -> String {
    help::list(&[
        section(registry, "Commands", &|word| !tree::is_api_group(word)),
        section(registry, "Groups and commands of the API", &tree::is_api_group),
    ])
}

/// The top-level commands that a test selects.
fn section(registry: &Registry, title: &str, is_listed: &dyn Fn(&str) -> bool) -> Section {
    let root = tree::command(registry, &[]);
    let visible = root.get_subcommands().filter(|command| !command.is_hide_set());
    let listed = visible.filter(|command| is_listed(command.get_name()));
    Section { title: title.to_owned(), rows: listed.map(command_row).collect() }
}

fn exit_codes() -> String {
    let codes: String =
        EXIT_CODES.iter().map(|(code, meaning)| format!("  {code:>2}  {meaning}\n")).collect();
    format!(
        "{}{codes}\n{}",
        include_str!("topics/exit_codes_head.txt"),
        include_str!("topics/exit_codes_rest.txt")
    )
}
