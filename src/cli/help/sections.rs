//! Which commands are listed where: on the first screen of the program, and in the help of large groups.
//!
//! Data only. A top-level command that is neither on the first screen nor hidden on purpose must be a group of the API,
//! which `help api` lists; a test checks it.

use clap::Command;

use super::layout::Row;
use super::page::command_row;

/// A heading with rows.
#[derive(Debug, Clone)]
pub struct Section {
    pub title: String,
    pub rows: Vec<Row>,
}

/// A line of the first screen: commands that belong together, and what they do.
type Line = (&'static [&'static str], &'static str);

const FIRST_SCREEN: &[(&str, &[Line])] = &[
    (
        "Start here",
        &[
            (&["demo", "sandbox"], "Try it without an account"),
            (&["auth", "profile"], "Log in; keep the settings of several workspaces"),
            (&["sync", "status"], "Copy the workspace to a local mirror; see how old it is"),
            (&["doctor"], "Check settings, token, connection and mirror"),
        ],
    ),
    (
        "Work",
        &[
            (&["conversations"], "Read, search, reply, assign, close and tag"),
            (&["contacts"], "People: users and leads, with notes, tags and companies"),
            (&["companies"], "Companies and their contacts"),
            (&["tickets"], "Tickets: search, create, reply, update"),
            (&["articles"], "Help center articles, also as Markdown files"),
        ],
    ),
    (
        "Answers",
        &[
            (&["search"], "Search messages, tickets, articles and names in the mirror"),
            (&["sql", "analytics"], "Query the mirror with SQL; count records by any field"),
            (&["contact 360"], "Show everything about one person on one screen"),
            (&["conversations sla"], "Measure response times by team, teammate, tag or week"),
        ],
    ),
    (
        "Change many",
        &[
            (&["bulk", "import"], "List and undo bulk changes; create records from a file"),
            (&["filter"], "Explain the --where filters that select records"),
        ],
    ),
    (
        "Automate",
        &[
            (&["export", "tail"], "Write records to a file; follow changes as they happen"),
            (&["workflow", "mcp"], "Run commands from a file; serve them to AI agents"),
            (&["api", "listen"], "Send any request to the API; receive webhooks"),
            (&["which", "describe"], "Find a command by describing what you want to do"),
            (&["completions"], "Complete commands and flags in your shell"),
        ],
    ),
];

/// Top-level commands that the first screen leaves out: for agents, packagers and rare maintenance. `help commands` lists
/// them.
const HIDDEN: [&str; 5] = ["agent-context", "budget", "help", "man", "mirror"];

/// A title, and names of commands.
type GroupSection = (&'static str, &'static [&'static str]);

/// The sections of large groups: title, and the commands in it. A name that ends with `-` means all commands that begin
/// with it. Commands that do not exist are skipped.
const GROUPS: &[(&str, &[GroupSection])] = &[
    (
        "conversations",
        &[
            (
                "Everyday",
                &[
                    "view", "list", "search", "get", "create", "reply", "note", "close", "open", "reopen",
                    "snooze", "unsnooze", "assign", "unassign", "tag", "untag",
                ],
            ),
            ("Reports", &["sla", "stale", "volume"]),
            ("Change many", &["incident-tag", "bulk-"]),
        ],
    ),
    (
        "contacts",
        &[
            (
                "Everyday",
                &[
                    "view", "360", "list", "search", "get", "create", "update", "note", "tag", "untag",
                    "archive",
                ],
            ),
            ("Change many", &["dupes", "merge", "bulk-"]),
        ],
    ),
    (
        "tickets",
        &[(
            "Everyday",
            &[
                "view", "list", "search", "get", "create", "reply", "note", "update", "assign", "close",
                "resolve", "reopen", "tag", "untag",
            ],
        )],
    ),
    (
        "articles",
        &[
            ("As files", &["pull", "status", "diff", "lint", "push", "resolve"]),
            ("Everyday", &["view", "list", "search", "get", "translations", "create", "update", "delete"]),
        ],
    ),
];

/// The sections of the first screen, without commands that do not exist.
pub fn first_screen(exists: &dyn Fn(&str) -> bool) -> Vec<Section> {
    let sections = FIRST_SCREEN.iter().map(|(title, lines)| {
        let rows = lines.iter().filter_map(|(commands, text)| {
            let commands: Vec<&str> = commands.iter().copied().filter(|words| exists(words)).collect();
            let name = commands.join(", ");
            (!name.is_empty()).then(|| Row { name, text: (*text).to_owned() })
        });
        Section { title: (*title).to_owned(), rows: rows.collect() }
    });
    sections.collect()
}

/// Whether a top-level command is on the first screen.
pub fn is_on_first_screen(word: &str) -> bool {
    let mut commands = FIRST_SCREEN.iter().flat_map(|(_, lines)| *lines).flat_map(|(commands, _)| *commands);
    commands.any(|words| words.split(' ').next() == Some(word))
}

/// Whether a top-level command is left out on purpose.
pub fn is_hidden(word: &str) -> bool {
    HIDDEN.contains(&word)
}

/// The commands of a group in sections. `is_own` says whether a command is more than an operation of the API.
pub fn of_group(group: &Command, path: &str, is_own: &dyn Fn(&str) -> bool) -> Vec<Section> {
    let all: Vec<&Command> = group
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help")
        .collect();
    let section = |title: &str, commands: &[&Command]| Section {
        title: format!("{title}:"),
        rows: commands.iter().map(|command| command_row(command)).collect(),
    };
    let Some((_, declared)) = GROUPS.iter().find(|(group, _)| *group == path) else {
        return if all.is_empty() { Vec::new() } else { vec![section("Commands", &all)] };
    };
    let is_meant = |name: &str, command: &&&Command| {
        let found = command.get_name();
        if name.ends_with('-') { found.starts_with(name) } else { found == name }
    };
    let mut rest = all.clone();
    let mut sections = Vec::new();
    for (title, names) in *declared {
        let listed: Vec<&Command> = names
            .iter()
            .flat_map(|name| all.iter().filter(|command| is_meant(name, command)))
            .copied()
            .collect();
        rest.retain(|command| !listed.iter().any(|listed| listed.get_name() == command.get_name()));
        sections.push(section(title, &listed));
    }
    let (own, operations): (Vec<&Command>, Vec<&Command>) =
        rest.into_iter().partition(|command| is_own(command.get_name()));
    sections.push(section("More", &own));
    sections.push(section("Other API operations", &operations));
    sections.retain(|section| !section.rows.is_empty());
    sections
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tree;
    use crate::program::COMMANDS;

    #[test]
    fn every_top_level_command_is_listed_or_hidden_on_purpose() {
        let root = tree::command(&COMMANDS, &[]);
        for command in root.get_subcommands() {
            let word = command.get_name();
            let is_placed = is_on_first_screen(word) || is_hidden(word) || tree::is_api_group(word);
            assert!(is_placed, "add {word} to a section of the first screen, or to HIDDEN");
        }
        let is_command =
            |word: &&str| COMMANDS.commands().any(|command| command.words.split(' ').next() == Some(*word));
        assert!(HIDDEN.iter().all(is_command));
    }

    #[test]
    fn commands_of_a_large_group_are_in_sections() {
        let words = ["intercom-pp-cli", "conversations", "--help"].map(str::to_owned);
        let root = tree::command(&COMMANDS, &words);
        let group = root.find_subcommand("conversations").unwrap();
        let is_own = |name: &str| COMMANDS.find(&format!("conversations {name}")).is_some();
        let sections = of_group(group, "conversations", &is_own);
        let titles: Vec<&str> = sections.iter().map(|section| section.title.as_str()).collect();
        assert_eq!(titles[..3], ["Everyday:", "Reports:", "Change many:"]);
        assert_eq!(titles.last(), Some(&"Other API operations:"));
        let listed: usize = sections.iter().map(|section| section.rows.len()).sum();
        let visible = group.get_subcommands().filter(|command| !command.is_hide_set()).count();
        assert_eq!(listed, visible);
    }
}
