//! Names of the hand-written commands, which derived commands must never take.
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
    "describe",
    "doctor",
    "export",
    "filter",
    "help",
    "import",
    "listen",
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
    "articles view",
    "companies bulk-tag",
    "companies view",
    "contacts 360",
    "contacts bulk-archive",
    "contacts bulk-tag",
    "contacts bulk-update",
    "contacts dupes",
    "conversations assign",
    "contacts view",
    "conversations bulk-assign",
    "conversations bulk-close",
    "conversations bulk-reply-note",
    "conversations bulk-snooze",
    "conversations bulk-tag",
    "conversations bulk-untag",
    "conversations close",
    "conversations incident-tag",
    "conversations note",
    "conversations open",
    "conversations reply",
    "conversations sla",
    "conversations snooze",
    "conversations stale",
    "conversations tag",
    "conversations untag",
    "conversations view",
    "conversations volume",
    "tickets assign",
    "tickets note",
    "tickets reply",
    "tickets resolve",
    "tickets view",
];

/// Handwritten commands that are also the group of one operation. The command line accepts the flags of both.
pub const SHARED: &[&str] = &["conversations reply", "tickets reply"];

/// Whether a command conflicts with a hand-written one.
pub fn is_taken(command: &str) -> bool {
    let first = command.split(' ').next().unwrap_or_default();
    TOP_LEVEL.contains(&first)
        || IN_GROUPS.iter().any(|handwritten| {
            let is_shared = SHARED.contains(handwritten) && is_below(command, handwritten);
            !is_shared && do_conflict(handwritten, command)
        })
}

/// Whether two commands are equal, or one of them would have to be a group that contains the other.
pub fn do_conflict(one: &str, other: &str) -> bool {
    one == other || is_below(one, other) || is_below(other, one)
}

fn is_below(command: &str, group: &str) -> bool {
    command.strip_prefix(group).is_some_and(|rest| rest.starts_with(' '))
}
