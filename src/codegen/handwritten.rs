//! Names of the handwritten commands, which derived commands must never take.
//!
//! A test compares this list with the actual commands. It exists because a build script cannot query the
//! program that it builds.

/// Reserved words of the first level, as commands and as groups.
pub const TOP_LEVEL: &[&str] = &[
    "agent-context",
    "analytics",
    "api",
    "auth",
    "budget",
    "bulk",
    "completions",
    "contact",
    "demo",
    "doctor",
    "export",
    "filter",
    "help",
    "import",
    "man",
    "mcp",
    "mirror",
    "profile",
    "sandbox",
    "search",
    "sql",
    "status",
    "sync",
    "tail",
    "which",
    "workflow",
];

/// Handwritten commands inside groups of the operation table.
pub const IN_GROUPS: &[&str] = &[
    "articles diff",
    "articles lint",
    "articles pull",
    "articles push",
    "articles resolve",
    "articles status",
    "articles translations",
    "companies bulk-tag",
    "contacts 360",
    "contacts bulk-archive",
    "contacts bulk-tag",
    "contacts bulk-update",
    "contacts dupes",
    "conversations bulk-assign",
    "conversations bulk-close",
    "conversations bulk-reply-note",
    "conversations bulk-snooze",
    "conversations bulk-tag",
    "conversations bulk-untag",
    "conversations incident-tag",
    "conversations sla",
    "conversations stale",
    "conversations volume",
];

/// Whether a command conflicts with a handwritten one.
pub fn is_taken(command: &str) -> bool {
    let first = command.split(' ').next().unwrap_or_default();
    TOP_LEVEL.contains(&first) || IN_GROUPS.iter().any(|handwritten| do_conflict(handwritten, command))
}

/// Whether two commands are equal, or one of them would have to be a group that contains the other.
pub fn do_conflict(one: &str, other: &str) -> bool {
    let is_below =
        |command: &str, group: &str| command.strip_prefix(group).is_some_and(|rest| rest.starts_with(' '));
    one == other || is_below(one, other) || is_below(other, one)
}
